"""A carrier between the worker and the simulated network, that can be told to behave badly.

It stands at the port, where a real provider would: what it makes of a request is what the product sees.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rapid_response.messaging.gateway import (
    Ambiguous,
    CallRequest,
    CannotAsk,
    InboundRecord,
    Rejected,
    SendOutcome,
    SentRecord,
    TextRequest,
)
from rapid_response.messaging.simulated import SimulatorGateway
from tests.harness import Town

Answer = Callable[[Callable[[], Awaitable[SendOutcome]]], Awaitable[SendOutcome]]


async def takes(hand_over: Callable[[], Awaitable[SendOutcome]]) -> SendOutcome:
    """As it should be."""
    return await hand_over()


async def takes_and_says_nothing(hand_over: Callable[[], Awaitable[SendOutcome]]) -> SendOutcome:
    """Takes it, then the connection breaks, or a 500 comes: nobody knows."""
    await hand_over()
    return Ambiguous("ReadError")


async def says_nothing(_: Callable[[], Awaitable[SendOutcome]]) -> SendOutcome:
    """Takes nothing, and answers in a way that says neither."""
    return Ambiguous("http_502")


def refuses(error_class: str, code: str = "", retry_after: float | None = None) -> Answer:
    """Certainly does not take it."""
    wait = timedelta(seconds=retry_after) if retry_after is not None else None

    async def answer(_: Callable[[], Awaitable[SendOutcome]]) -> SendOutcome:
        return Rejected(error_class, code, wait)

    return answer


@dataclass
class Carrier:
    """What the worker hands its messages to. Answers are used up in order, then the `usual` one holds."""

    inner: SimulatorGateway
    now: Callable[[], datetime]
    our_numbers: tuple[str, ...]
    name: str = "simulator"
    texts: deque[Answer] = field(default_factory=deque)
    calls: deque[Answer] = field(default_factory=deque)
    usual_text: Answer = takes
    usual_call: Answer = takes
    #: Whether its lists can be read, and how far behind they are.
    can_be_asked: bool = True
    lists_lag: timedelta = timedelta()
    asked: Counter[str] = field(default_factory=Counter)
    #: Each request as it came: when, to whom, which words.
    posted: list[tuple[datetime, str, str]] = field(default_factory=list)

    async def send_text(self, request: TextRequest) -> SendOutcome:
        self.posted.append((self.now(), request.to_number, request.body))
        answer = self.texts.popleft() if self.texts else self.usual_text
        return await answer(lambda: self.inner.send_text(request))

    async def place_call(self, request: CallRequest) -> SendOutcome:
        self.posted.append((self.now(), request.to_number, "(call)"))
        answer = self.calls.popleft() if self.calls else self.usual_call
        return await answer(lambda: self.inner.place_call(request))

    async def find_sent(self, to_number: str, since: datetime) -> list[SentRecord]:
        self._ask("find_sent")
        found = await self.inner.find_sent(to_number, since)
        return [record for record in found if record.created_at <= self.now() - self.lists_lag]

    async def fetch(self, sid: str) -> SentRecord | None:
        self._ask("fetch")
        return await self.inner.fetch(sid)

    async def list_inbound(self, to_number: str, since: datetime) -> list[InboundRecord]:
        self._ask("list_inbound")
        return await self.inner.list_inbound(to_number, since)

    async def blank(self, sid: str) -> None:
        self._ask("blank")

    async def erase(self, sid: str) -> None:
        self._ask("erase")

    async def check(self) -> list[str]:
        return []

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def _ask(self, what: str) -> None:
        self.asked[what] += 1
        if not self.can_be_asked:
            raise CannotAsk("ambiguous")

    def to(self, number: str) -> list[str]:
        """What was posted for a number, in order."""
        return [body for _, to, body in self.posted if to == number]

    def times(self, number: str) -> list[datetime]:
        """When something was posted for a number."""
        return [at for at, to, _ in self.posted if to == number]


def between(town: Town) -> Carrier:
    """Put a carrier between a town's worker and its network."""
    inner = SimulatorGateway(town.app.network)
    carrier = Carrier(inner, town.clock.now, inner.our_numbers)
    town.app.worker.sender.gateway = town.app.worker.provided.gateway = carrier
    return carrier
