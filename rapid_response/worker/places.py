"""Asking postcodes.io for what the table of wards does not know; nothing waits for the answers."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from rapid_response.intake.second.breaker import Breaker
from rapid_response.places.online import AT_ONCE, LookupFailed, Online
from rapid_response.steps import placing
from rapid_response.steps.desk import Desk
from rapid_response.storage.database import Database

logger = structlog.get_logger("worker")


class Places:
    """Asks for postcodes."""

    def __init__(self, database: Database, desk: Desk, online: Online) -> None:
        self.online = online
        self._database = database
        self._desk = desk
        self._breaker = Breaker()

    async def close(self) -> None:
        """Let go of its connections."""
        await self.online.close()

    async def ask(self) -> int:
        """Ask for what waits; gives how much that was."""
        room = self._breaker.room(self._database.clock.real(), AT_ONCE)
        if not room:
            return 0
        claimed = await self._database.run(partial(placing.claim, limit=room))
        await asyncio.gather(*(self._ask(postcode) for postcode in claimed))
        return len(claimed)

    async def _ask(self, postcode: str) -> None:
        try:
            answer = await self.online.ask(postcode)
        except LookupFailed as error:
            self._breaker.failed(self._database.clock.real())
            logger.warning("place_lookup_failed", error=str(error))
            await self._database.run(partial(placing.failed, postcode=postcode))
            return
        self._breaker.succeeded()
        await self._database.run(partial(placing.answered, desk=self._desk, postcode=postcode, answer=answer))
