"""Having reports read a second time, by a reader that may be slow or away: nothing waits for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import structlog

from rapid_response.intake.second.answering import Told, question, read_answer, version_of
from rapid_response.intake.second.breaker import Breaker
from rapid_response.intake.second.endpoint import AT_ONCE
from rapid_response.intake.second.masking import Masked, mask
from rapid_response.intake.second.port import Fault, ReaderFailed, SecondReader
from rapid_response.steps import second
from rapid_response.steps.desk import Desk
from rapid_response.storage.database import Database

logger = structlog.get_logger("worker")


@dataclass(frozen=True, slots=True)
class Second:
    """The second reader, and how often it may be asked. Its lease is longer than any call of it."""

    reader: SecondReader
    per_day: int
    lease: timedelta
    breaker: Breaker = field(default_factory=Breaker)


class SecondReadings:
    """Asks the second reader."""

    def __init__(self, database: Database, desk: Desk, with_: Second) -> None:
        self._database = database
        self._desk = desk
        self._with = with_

    async def close(self) -> None:
        """Let go of its connections."""
        await self._with.reader.close()

    async def ask(self) -> int:
        """Have waiting reports read a second time; no transaction is open while it is asked."""
        room = self._with.breaker.room(self._database.clock.real(), AT_ONCE)
        if not room:
            return 0
        claimed = await self._database.run(
            partial(
                second.claim,
                zone=self._desk.zone,
                per_day=self._with.per_day,
                at_once=AT_ONCE,
                limit=room,
                lease=self._with.lease,
            )
        )
        await asyncio.gather(*(self._have_read(one) for one in claimed))
        return len(claimed)

    async def _have_read(self, claimed: second.Claimed) -> None:
        breaker = self._with.breaker
        try:
            told = await self._opinion(claimed)
        except Exception as error:  # whatever it was, only the second reading is without an answer
            fault = error.fault if isinstance(error, ReaderFailed) else Fault.NOT_UNDERSTOOD
            breaker.failed(self._database.clock.real())
            logger.warning("second_reading_failed", error=fault.value, attempts=claimed.attempts)
            await self._database.run(partial(second.failed, claimed=claimed, fault=fault))
            return
        breaker.succeeded()
        version = version_of(self._with.reader.model)
        await self._database.run(
            partial(second.record, desk=self._desk, claimed=claimed, told=told, model_version=version)
        )

    async def _opinion(self, claimed: second.Claimed) -> Told:
        """Only what :func:`mask` leaves of the report goes out; the way back stays in this call's memory."""
        received_at = claimed.received_at.astimezone(self._desk.zone)
        masked: Masked = await asyncio.to_thread(mask, claimed.narrative, claimed.known, received_at.year)
        words = await self._with.reader.ask(question(masked, claimed.channel, received_at))
        return await asyncio.to_thread(read_answer, words, masked)
