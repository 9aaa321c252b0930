"""Handing messages to the provider, several at once, and asking about those of unknown fate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from rapid_response.core import failpoints
from rapid_response.core.states import MessageChannel
from rapid_response.messaging.gateway import (
    Ambiguous,
    CallRequest,
    Gateway,
    SendOutcome,
    SentRecord,
    TextRequest,
)
from rapid_response.steps import holding, sending, unknowns
from rapid_response.steps.desk import Desk
from rapid_response.steps.sending import Claimed
from rapid_response.steps.unknowns import Fetching, Unknown
from rapid_response.storage.database import Database
from rapid_response.worker.provider import ANSWERS_WITHIN_SECONDS, ask

#: So long a message waits for others to go with it, where there is room for it but not for many.
_ROOM_SECONDS = 0.05


class Sender:
    """Sends what is queued: `in_flight` messages are with the provider at once.

    `look_again` is called when an answer could not be written down.
    """

    def __init__(
        self,
        database: Database,
        desk: Desk,
        gateway: Gateway,
        *,
        in_flight: int,
        look_again: Callable[[], None],
    ) -> None:
        self.gateway = gateway
        self._database = database
        self._desk = desk
        self._in_flight = in_flight
        self._look_again = look_again
        #: What is with the provider now, and why the last of it could not be written down.
        self._flying: set[asyncio.Task[None]] = set()
        self._fault: BaseException | None = None
        #: The last look claimed all that there was room for, or found something else: there may be more.
        self.leaves_some = False

    async def send_queued(self) -> int:
        """As :meth:`send_more`, and wait for all of it: for tests and commands."""
        found = await self.send_more()
        while self._flying:
            await asyncio.wait(self._flying)
        self._tell_fault()
        return found

    async def send_more(self) -> int:
        """Hand queued messages to the provider, and ask about what nobody knows the fate of.

        What the provider is slow to answer is not waited for while there is room for more.
        """
        self._tell_fault()
        room = await self._room()
        found = await self._database.run(
            partial(
                holding.unless_held,
                look=partial(sending.look_for_work, desk=self._desk, limit=room),
                nothing=sending.Work(),
            ),
            urgent=True,
        )
        self.leaves_some = len(found) > len(found.claimed) or len(found.claimed) >= room
        if found.claimed:
            failpoints.reach(failpoints.MSG_CLAIMED)
        for each in (
            *(self.send(one) for one in found.claimed),
            *(self.look_up(one) for one in found.unknown),
            *(self.fetch(one) for one in found.fetching),
        ):
            task = asyncio.create_task(each)
            self._flying.add(task)
            task.add_done_callback(self._has_landed)
        return len(found)

    def stop(self) -> list[asyncio.Task[None]]:
        """Break off; gives what is to be waited for."""
        tasks = list(self._flying)
        for task in tasks:
            task.cancel()
        return tasks

    async def _room(self) -> int:
        """How many more may go; waits until there are some, as several are claimed more cheaply than one."""
        while len(self._flying) > self._in_flight // 2:
            landed, _ = await asyncio.wait(
                self._flying, timeout=_ROOM_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if not landed and len(self._flying) < self._in_flight:
                break
        return self._in_flight - len(self._flying)

    def _has_landed(self, task: asyncio.Task[None]) -> None:
        self._flying.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._fault = fault
            self._look_again()

    def _tell_fault(self) -> None:
        """Raise what kept an answer from being written down; the message is looked up when its lease ends."""
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault

    # one message

    async def send(self, claimed: Claimed) -> None:
        """Hand one over, and write down the answer."""
        failpoints.reach(failpoints.MSG_BEFORE_HTTP)
        outcome = await self.hand_over(claimed)
        failpoints.reach(failpoints.MSG_AFTER_HTTP)
        await self._database.run(
            partial(sending.record_answer, desk=self._desk, claimed=claimed, outcome=outcome),
            urgent=True,
            together="answers",
        )
        failpoints.reach(failpoints.MSG_RECORDED)

    async def hand_over(self, claimed: Claimed) -> SendOutcome:
        """What the provider said to it; never raises, as whatever it was, the message may have gone."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
                if claimed.channel is MessageChannel.VOICE:
                    return await self.gateway.place_call(
                        CallRequest(claimed.token, claimed.to_number, claimed.ring_for)
                    )
                return await self.gateway.send_text(
                    TextRequest(claimed.token, claimed.to_number, claimed.body, claimed.validity)
                )
        except Exception as error:  # nobody knows
            return Ambiguous(type(error).__name__)

    async def look_up(self, unknown: Unknown) -> None:
        """Look for one of unknown fate among what the provider has sent."""
        found: list[SentRecord] | None = []
        if unknown.can_be_listed:
            failpoints.reach(failpoints.LOOKUP_BEFORE)
            found = await ask(self.gateway.find_sent(unknown.to_number, unknown.since))
            failpoints.reach(failpoints.LOOKUP_AFTER)
        await self._database.run(
            partial(unknowns.record_look_up, desk=self._desk, unknown=unknown, sent=found)
        )

    async def fetch(self, fetching: Fetching) -> None:
        """Ask what became of one whose receipt never came."""
        found = await ask(self.gateway.fetch(fetching.sid))
        await self._database.run(
            partial(unknowns.record_fetch, desk=self._desk, fetching=fetching, found=found)
        )
