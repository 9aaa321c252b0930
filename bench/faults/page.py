"""A page of the SQLite file is overwritten under the process that serves it."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.faults.outcome import ALARM_WITHIN, Outcome
from bench.faults.site import Site, stored
from rapid_response.core.clock import SystemClock
from rapid_response.core.ids import SystemIds
from rapid_response.storage.database import Database
from tests.damage import overwrite_page
from tests.nodes.running import command

#: A table that is read each second and seldom written (the writer remembers a page that it writes, and would
#: mend it), and one that nobody reads all day.
IN_USE, UNREAD = "duties", "disclosures"
#: The service begins so long before the hour of the nightly check.
BEFORE_CHECK = timedelta(seconds=75)
_ZONE = ZoneInfo("Europe/London")
_BEFORE, _SINCE_COPY, _AFTER = 10.0, 6.0, 20.0
_TOLD = "database file is damaged"


def ahead_of_check(now: datetime) -> timedelta:
    """How far a clock must be ahead to come to the next night's check soon."""
    local = now.astimezone(_ZONE)
    three = local.replace(hour=3, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return three.astimezone(UTC) - BEFORE_CHECK - now


async def overwrite(site: Site, kind: str, table: str, folder: Path, check_at: float) -> Outcome:
    """Overwrite its first page, see how it is found, and do what the runbook says."""
    outcome, council = (
        Outcome("a page that is in use" if table == IN_USE else "a page nobody reads", kind),
        site.council,
    )
    copy = folder / "copy.db"
    async with site.watched():
        await site.report(_BEFORE)
        copied = time.monotonic()
        made = await asyncio.to_thread(command, council.url, folder, "backup", str(copy))
        outcome.promise(made.returncode == 0, f"backup: {made.stderr}")
        await site.report(_SINCE_COPY)
        harmed = time.monotonic()
        await asyncio.to_thread(overwrite_page, council.database.path, table, "PASSIVE")
        if table == UNREAD:
            await site.report(max(1.0, check_at - time.monotonic()))
        found = harmed if table == IN_USE else check_at
        await site.report(_AFTER)
    site.read_logs()
    outcome.show("first read by", "whoever looks next" if table == IN_USE else "the check at 03:00")
    outcome.within("`/health/ready` says so after that, s", site.first("ready", _TOLD, found), ALARM_WITHIN)
    logged = site.first("log", "database_damaged", found)
    outcome.within("log (`database_damaged`) says so after that, s", logged, ALARM_WITHIN)
    told = site.first("ready", _TOLD, found)
    still = site.answered(201, found + (told or 0.0) + 1.0)
    outcome.count_reports(site, harmed, found + (told or 0.0) + 1.0)
    outcome.promise(not still, "something was written to a damaged file")
    outcome.show("refusals without the number to ring", 0 if site.refusals_say(found) else "some")
    outcome.promise(site.refusals_say(found), "somebody was refused and not told what number to ring")
    await _by_the_runbook(outcome, site, folder, copy, copied)
    return outcome


async def _by_the_runbook(outcome: Outcome, site: Site, folder: Path, copy: Path, copied: float) -> None:
    """Stop, see that nobody serves the damaged file, restore the copy, and compare with the saved sheet."""
    council = site.council
    sheet = council.database.path.with_name(f"{council.database.path.name}.open-sheet.html")
    on_sheet = set(re.findall(r"RR-[0-9A-Z-]+", sheet.read_text())) if sheet.exists() else set()
    council.nodes[0].kill()
    status, said = await asyncio.to_thread(_serve_again, council.url, folder)
    outcome.show("`serve` on it: exit status", status)
    outcome.promise(status == 1 and "is damaged (" in said and "\n" not in said, f"serve: {said[-300:]}")
    outcome.show("acknowledged reports", len(site.acknowledged))
    outcome.show("of them on the sheet that was saved", len(site.acknowledged & on_sheet))
    council.database.close_now()
    restored = await asyncio.to_thread(command, council.url, folder, "restore", str(copy))
    outcome.promise(restored.returncode == 0, f"restore: {restored.stderr[-300:]}")
    database = Database(council.url, clock=SystemClock(), ids=SystemIds())
    try:
        rows = await database.look(stored)
    finally:
        database.close_now()
    before = {one.reference for one in site.answered(201, 0.0, copied)}
    outcome.show("of those before the copy, restored from it", f"{len(before & set(rows))} of {len(before)}")
    outcome.promise(before <= set(rows), "the copy does not hold what was acknowledged before it")
    nowhere = site.acknowledged - set(rows) - on_sheet
    outcome.show("neither restored nor on the sheet", len(nowhere))
    outcome.promise(not nowhere, f"{len(nowhere)} acknowledged reports are neither restored nor on the sheet")


def _serve_again(url: str, folder: Path) -> tuple[int | str, str]:
    try:
        done = command(url, folder, "serve", "--port", "0")
    except subprocess.TimeoutExpired:
        return "it serves", ""
    return done.returncode, done.stderr.strip()
