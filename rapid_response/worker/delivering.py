"""Letting subscriptions hear what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from rapid_response.core import failpoints
from rapid_response.storage import work
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.work import Waiting
from rapid_response.wiring import Handler
from rapid_response.worker import parking

#: So many are heard in one step; what a flood brings in a second is heard in several.
_AT_ONCE = 100


class Deliverer:
    """Delivers events to the handlers of their subscriptions."""

    def __init__(self, database: Database, handlers: Mapping[str, Handler]) -> None:
        self._database = database
        self._handlers = handlers
        #: The last pass took as many as one takes: there may be more.
        self.leaves_some = False

    async def deliver_events(self) -> int:
        """Let subscriptions hear what they have not heard yet: many at once, one by one where that fails."""
        waiting = await self._database.run(partial(work.claim_deliveries, limit=_AT_ONCE))
        self.leaves_some = len(waiting) == _AT_ONCE
        if waiting:
            failpoints.reach(failpoints.EVENTS_CLAIMED)
        by_name: dict[str, list[Waiting]] = {}
        for one in waiting:
            by_name.setdefault(one.subscription, []).append(one)
        for name, its in by_name.items():
            try:
                await self._deliver(name, its)
            except DatabaseUnavailable:
                raise
            except Exception:  # one poisoned delivery never stops the others
                await asyncio.gather(*(self._deliver_alone(name, one) for one in its))
        return len(waiting)

    async def _deliver(self, name: str, waiting: Sequence[Waiting]) -> None:
        handler = self._handlers.get(name)
        if handler is None:
            raise LookupError(name)
        await self._database.run(partial(work.deliver, waiting=waiting, handler=handler))

    async def _deliver_alone(self, name: str, waiting: Waiting) -> None:
        try:
            await self._deliver(name, [waiting])
        except DatabaseUnavailable:
            raise
        except Exception as error:  # it waits for its back-off, or is parked
            await parking.failed(self._database, waiting, waiting.stream, "delivery", error)
