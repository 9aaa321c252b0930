"""Somebody starts a second `serve` on the SQLite file that one process serves."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from bench.faults.disk import count_stored
from bench.faults.outcome import ALARM_WITHIN, Outcome
from bench.faults.site import Site
from bench.torture.towns import SOON
from tests.nodes.running import command

_BEFORE, _AFTER, _TRIES = 6.0, 6.0, 3


async def start_another(site: Site, kind: str, folder: Path) -> Outcome:
    """Three times, under load: each is refused in one sentence, and the first one serves on."""
    outcome, url = Outcome("a second `serve`", kind), site.council.url
    took: list[float] = []
    async with site.watched():
        await site.report(_BEFORE)
        began = time.monotonic()
        meanwhile = asyncio.create_task(site.report(_AFTER))
        for _ in range(_TRIES):
            at = time.monotonic()
            done = await asyncio.to_thread(command, url, folder, "serve", "--port", "0")
            took.append(time.monotonic() - at)
            outcome.promise(done.returncode == 2, f"it ended with {done.returncode}")
            said = done.stderr.strip()
            outcome.promise(said.startswith("Another process already serves") and "\n" not in said, said)
        await meanwhile
        ended = time.monotonic()
        await site.report(_AFTER)
        await asyncio.sleep(SOON.total_seconds() + 3.0)
    outcome.within("refused in one sentence, with exit 2, after at most, s", max(took), ALARM_WITHIN)
    bad = [one for one in site.seen if one.where == "ready" and not one.is_good and one.at > began]
    outcome.show("looks at the first one's `/health/ready` that were not good", len(bad))
    outcome.promise(not bad, "the first one was not ready")
    outcome.count_reports(site, began, ended)
    outcome.promise(not [one for one in site.sent if one.status != 201], "reports were refused")
    count_stored(outcome, site)
    outcome.count_deadlines(site)
    return outcome
