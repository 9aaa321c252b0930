"""PostgreSQL dies, stays dead, and comes back, while nodes go on serving."""

from __future__ import annotations

import asyncio
import time

from bench.faults.disk import count_stored, recovered, told_of_fault
from bench.faults.outcome import ALARM_WITHIN, Outcome
from bench.faults.site import Site
from bench.torture.towns import SOON
from tests.postgres import PrivateServer

_BEFORE, _AFTER = 10.0, 20.0


async def die(site: Site, kind: str, server: PrivateServer, minutes: float) -> Outcome:
    """It is ended at once, as in a crash, and started again so much later; nobody touches a node."""
    outcome = Outcome(f"server dead for {minutes:g} min", kind)
    async with site.watched():
        await site.report(_BEFORE)
        died = time.monotonic()
        await asyncio.to_thread(server.stop)
        await site.report(60 * minutes)
        await asyncio.to_thread(server.start)
        back = time.monotonic()
        await site.report(_AFTER)
        await asyncio.sleep(SOON.total_seconds() + 3.0)
        await site.settle_doubts()
        await asyncio.sleep(1.0)
    told_of_fault(outcome, site, died, back, "The database cannot be reached")
    page = site.first("page", "[Rr]ing", died)
    outcome.within("pages answer with the number to ring after, s", page, ALARM_WITHIN)
    recovered(outcome, site, back)
    outcome.show("nodes that ended", sum(not node.lives for node in site.council.nodes))
    outcome.promise(all(node.lives for node in site.council.nodes), "a node ended")
    outcome.count_reports(site, died, back)
    count_stored(outcome, site)
    outcome.count_deadlines(site, (died, back))
    return outcome
