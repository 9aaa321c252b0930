"""The clock of the machine jumps under the processes that serve, PostgreSQL among them."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx
from sqlalchemy import select
from sqlmodel import col

from bench.faults.clock import SettableClock
from bench.faults.outcome import ALARM_WITHIN, Outcome
from bench.faults.site import Site, gone, keys_of_rows, ledger, words_kept
from bench.torture.towns import SOON
from rapid_response.steps.retention import standing
from rapid_response.storage.duties import Duty
from rapid_response.storage.tables import DutyRow
from tests.builders import kettle
from tests.nodes.running import Council, command, until

STEPS = {
    "+2 h": timedelta(hours=2),
    "−2 h": timedelta(hours=-2),
    "+2 years": timedelta(days=730),
}
#: So many cases ended before: whatever deletes by age would find them two years later.
_ENDED = 5
_BEFORE, _AFTER, _AGAIN = 12.0, 30.0, 5.0
_TOLD = "The clock (has jumped|was set back)"
_LATER = timedelta(days=730)
_READY_WITHIN = 90.0


async def jump(site: Site, kind: str, name: str, clock: SettableClock, folder: Path) -> Outcome:
    """Let it jump, look for half a minute, put it right and say so as a person would, and go on."""
    outcome, council = Outcome(f"clock {name}", kind), site.council
    await _end_some(site)
    async with site.watched():
        await site.report(_BEFORE)
        keys, words = await asyncio.to_thread(_kept, council)
        jumped = time.monotonic()
        clock.jumps_to(STEPS[name])
        await site.report(_AFTER)
        await asyncio.sleep(SOON.total_seconds() + 3.0)
        await site.settle_doubts()
        keys_then, words_then = await asyncio.to_thread(_kept, council)
        round_at = await asyncio.to_thread(retained, council)
        erased = await asyncio.to_thread(command, council.url, folder, "retention", "--erase")
        right = time.monotonic()
        clock.jumps_to(timedelta())
        confirmed = await asyncio.to_thread(command, council.url, folder, "clock", "--confirm")

        async def is_ready() -> bool:
            return site.good_again("ready", right) is not None

        with suppress(AssertionError):
            await until(is_ready, "ready after the clock was confirmed", within=_READY_WITHIN)
        await site.report(_AGAIN)
        await asyncio.sleep(SOON.total_seconds() + 2.0)
    outcome.within("`/health/ready` says so after, s", site.first("ready", _TOLD, jumped), ALARM_WITHIN)
    texted = None if site.texted_at is None else site.texted_at - jumped
    outcome.within("text to the duty officer after, s", texted, ALARM_WITHIN)
    outcome.within("page Service status after, s", site.first("page", _TOLD, jumped), ALARM_WITHIN)
    outcome.within("log (`clock_stepped`) after, s", site.first("log", "clock_stepped", jumped), ALARM_WITHIN)
    outcome.count_reports(site, jumped, right)
    _count_stored(outcome, site)
    outcome.count_deadlines(site)
    lost = gone(keys, keys_then)
    outcome.show("rows deleted", lost)
    outcome.promise(not lost, f"rows were deleted: {lost}")
    outcome.show("reports whose words were blanked", words - min(words, words_then))
    outcome.promise(words_then >= words, "words were blanked")
    due = await council.database.look(
        lambda c: sum(standing(c, council.database.clock.now() + _LATER).cases.values())
    )
    outcome.show("ended cases whose time is over two years later", due)
    outcome.promise(due >= _ENDED, "there was nothing to delete: nothing was measured")
    outcome.show("nightly rounds of erasing meanwhile", int(round_at is not None))
    if STEPS[name] == _LATER:
        outcome.promise(round_at is not None, "no round of erasing was made: nothing was measured")
    count = re.match(r"Erased: (\d+)", erased.stdout)
    outcome.show("`retention --erase`, before anybody confirmed: erased", count[1] if count else "?")
    outcome.promise(count is not None and count[1] == "0", f"retention: {erased.stdout} {erased.stderr}")
    outcome.promise(confirmed.returncode == 0, f"clock --confirm: {confirmed.stderr}")
    outcome.within(
        "ready after it was put right and confirmed, s", site.good_again("ready", right), _READY_WITHIN
    )
    return outcome


def _kept(council: Council) -> tuple[dict[str, set[tuple[object, ...]]], int]:
    return council.database.look_now(lambda c: (keys_of_rows(c), words_kept(c)))


def _count_stored(outcome: Outcome, site: Site) -> None:
    faults = list(ledger(site))
    outcome.show(
        "acknowledged and not stored once", sum("acknowledged" in one or "once" in one for one in faults)
    )
    outcome.broken += faults


async def _end_some(site: Site) -> None:
    """Cases that are over, of the class that is kept for a year."""
    council = site.council
    async with council.client(council.nodes[0]) as client:
        for _ in range(_ENDED):
            made = await client.post("/api/v1/reports", json=kettle())
            reference = made.json()["reference"]
            site.before.add(reference)
            await _act(
                client, reference, "cancel", reason="A test.", disposition="no_offence_consumer_dispute"
            )


async def _act(client: httpx.AsyncClient, reference: str, action: str, **body: str) -> None:
    answer = await client.post(f"/api/v1/incidents/{reference}/actions/{action}", json=body)
    if answer.status_code >= 300:
        raise RuntimeError(f"{action}: {answer.text}")


def retained(council: Council) -> object:
    """When the nightly round of erasing was last made."""
    query = select(col(DutyRow.done_at)).where(col(DutyRow.name) == Duty.RETENTION.value)
    return council.database.look_now(lambda c: c.execute(query).scalar())
