"""Doing what has fallen due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial

import structlog

from rapid_response.core import failpoints
from rapid_response.core.events import SERVICE_STREAM
from rapid_response.steps import holding, moot
from rapid_response.steps.desk import Desk
from rapid_response.steps.ring import ring, ring_all, together
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.work import Due
from rapid_response.worker import parking

logger = structlog.get_logger("worker")

#: Of what falls due together so many entries are done in one step; a few are done one by one, side by side.
_AT_ONCE = 30
_ALONE = 3


class Ringer:
    """Rings what is due; `look_again_at` is told when nothing is, and when the next entry will be."""

    def __init__(self, database: Database, desk: Desk, look_again_at: Callable[[datetime], None]) -> None:
        self._database = database
        self._desk = desk
        self._look_again_at = look_again_at
        #: Nothing is overdue any more of what fell due before the start.
        self.has_caught_up = asyncio.Event()

    async def ring_due(self) -> int:
        """Do what has fallen due; gives how much that was.

        Where most of it was moot, more may be: that is put away before anything else is claimed.
        """
        due, next_at = await self._database.run(holding.look_for_due, urgent=True)
        if next_at is not None:
            self._look_again_at(next_at)
        if due:
            failpoints.reach(failpoints.AGENDA_CLAIMED)
        else:
            self.has_caught_up.set()
        were_moot = await self._ring_side_by_side(together(due, _AT_ONCE if len(due) > _ALONE else 1))
        if were_moot < max(_AT_ONCE, len(due) / 2):
            return len(due)
        return len(due) + await self._put_away()

    async def _ring_side_by_side(self, parts: Sequence[Sequence[Due]]) -> int:
        """How much was moot. Of one case what fell due first is done first: a later entry speaks for it,
        and what somebody is told depends on which of them came last."""
        last: dict[str, asyncio.Task[int]] = {}
        doing: list[asyncio.Task[int]] = []
        for part in parts:
            cases = {due.incident_id for due in part if due.incident_id}
            before = {last[case] for case in cases if case in last}
            doing.append(asyncio.create_task(self._ring_after(before, part)))
            last.update(dict.fromkeys(cases, doing[-1]))
        return sum(await asyncio.gather(*doing))

    async def _ring_after(self, before: Collection[asyncio.Task[int]], part: Sequence[Due]) -> int:
        await asyncio.gather(*before)  # where the database did not answer them, it is not asked for these
        return await self._ring_all(part)

    async def _put_away(self) -> int:
        """What is moot of all that is due, as long as nothing that matters is met."""
        put_away = 0
        while True:
            found = await self._database.run(partial(moot.put_away, desk=self._desk), urgent=True)
            put_away += found
            if found < moot.AT_ONCE:
                return put_away

    async def _ring_all(self, entries: Sequence[Due]) -> int:
        """How much of it was moot, where that was counted."""
        if len(entries) > 1:
            try:
                return await self._database.run(
                    partial(ring_all, desk=self._desk, entries=entries), urgent=True
                )
            except DatabaseUnavailable:
                raise
            except Exception:  # one of them is poisoned, and nothing of the others was done
                logger.warning("ringing_one_by_one", entries=len(entries))
        for entry in entries:
            await self.ring(entry)
        return 0

    async def ring(self, due: Due) -> None:
        """Do one entry."""
        try:
            await self._database.run(partial(ring, desk=self._desk, due=due), urgent=True)
        except DatabaseUnavailable:  # not this work's fault: its lease ends, and it is done then
            raise
        except Exception as error:  # poisoned work is parked and shown, and never in the way of other work
            await parking.failed(self._database, due, due.incident_id or SERVICE_STREAM, due.kind, error)
