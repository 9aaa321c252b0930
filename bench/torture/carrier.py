"""The provider of the campaign: the double of Twilio in a bad mood, whose ledger is the judge.

Each request meets the fault that the seed gives its number: refused, dropped before or after the text was
taken, answered late, answered with rubbish. Receipts come late, twice, in the wrong order, or never.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from bench.torture.people import People
from rapid_response.core.clock import SystemClock
from tests.gateways.fake_twilio import Call, FakeTwilio, Fault, Message, problem

#: Longer than the adapter waits.
LATE_SECONDS = 2.5


class Mood(StrEnum):
    """What becomes of one request."""

    FINE = "fine"
    REFUSES = "refuses"
    FAILS_BEFORE = "fails before"
    DROPS_BEFORE = "drops before"
    FAILS_AFTER = "fails after"
    DROPS_AFTER = "drops after"
    ANSWERS_LATE = "answers late"
    TAKES_LATE = "takes late"
    RUBBISH = "answers rubbish"


#: Worse, and the line counts as down, over which nothing is sent and nobody can be killed while sending.
_WEIGHTS = {
    Mood.FINE: 70,
    Mood.REFUSES: 4,
    Mood.FAILS_BEFORE: 4,
    Mood.DROPS_BEFORE: 4,
    Mood.FAILS_AFTER: 4,
    Mood.DROPS_AFTER: 4,
    Mood.ANSWERS_LATE: 3,
    Mood.TAKES_LATE: 3,
    Mood.RUBBISH: 4,
}
_PAGE = "<html><body>502 Bad Gateway</body></html>"
_RUBBISH = ("{", "[]", '"queued"', _PAGE, '{"sid": null}')


@dataclass
class Line:
    """Posts to whichever node lives; what nobody takes is lost, as it would be."""

    ports: Callable[[], Sequence[int]]
    #: A node that sleeps is given up soon, as the provider does after some seconds.
    client: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=2))
    #: Answers that say of a fault of ours, by port: 503 is none while the database is away.
    failures: list[tuple[int, str, int]] = field(default_factory=list)

    async def post(self, address: str, *, content: str, headers: Mapping[str, str]) -> httpx.Response:
        """One webhook, at the address it was signed for, by way of a node that lives."""
        asked = urlsplit(address)
        for port in self.ports():
            try:
                answer = await self.client.post(
                    asked._replace(netloc=f"127.0.0.1:{port}").geturl(), content=content, headers=headers
                )
                if answer.status_code >= 500:
                    self.failures.append((port, asked.path, answer.status_code))
                return answer
            except httpx.TransportError:
                continue
        raise httpx.ConnectError("nobody lives")


class Unruly(FakeTwilio):
    """The double in a bad mood."""

    def __init__(self, seed: int, line: Line) -> None:
        super().__init__(SystemClock())
        self._seed = seed
        self._chance = random.Random(f"carrier {seed}")
        self._out = line
        self.line = line  # type: ignore[assignment]  # it posts, which is all that is asked of it
        self.moods: Counter[Mood] = Counter()
        #: Whose phones they are; nobody answers where it is None.
        self.people: People | None = None
        self._receipts: set[asyncio.Task[None]] = set()
        #: From now on all is well.
        self.is_calm = False
        #: Whether it sends receipts at all.
        self.tells = True
        #: Where texts to our number are posted.
        self.text_webhook = ""

    async def _handle(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> bytes | None:
        if method != "POST":
            return await super()._handle(method, target, headers, body)
        mood = self._next_mood()
        if mood is Mood.TAKES_LATE:
            await asyncio.sleep(LATE_SECONDS)
        fault = self._fault(mood)
        # Taken out again before anything is awaited.
        self.next = deque([fault] if fault is not None else [])
        return await super()._handle(method, target, headers, body)

    def _next_mood(self) -> Mood:
        (mood,) = self._chance.choices(tuple(_WEIGHTS), tuple(_WEIGHTS.values()))
        mood = Mood.FINE if self.is_calm else mood
        self.moods[mood] += 1
        return mood

    def _fault(self, mood: Mood) -> Fault | None:
        match mood:
            case Mood.REFUSES:
                return problem(429, 20429, **{"Retry-After": "1"})
            case Mood.FAILS_BEFORE:
                return Fault(status=503, body=_PAGE)
            case Mood.DROPS_BEFORE:
                return Fault(drops=True)
            case Mood.FAILS_AFTER:
                return Fault(takes=True, status=500, body=_PAGE)
            case Mood.DROPS_AFTER:
                return Fault(takes=True, drops=True)
            case Mood.RUBBISH:
                return Fault(takes=True, body=self._chance.choice(_RUBBISH))
            case Mood.ANSWERS_LATE:
                answered = asyncio.Event()
                asyncio.get_running_loop().call_later(LATE_SECONDS, answered.set)
                return Fault(takes=True, until=answered)
            case _:
                return None

    def _take_text(self, fields: Sequence[tuple[str, str]], fault: Fault | None) -> Message:
        message = super()._take_text(fields, fault)
        if self.tells:
            self._in_the_background(self._tells(message))
        if self.people is not None:
            self._in_the_background(self.people.hears(message, self._texts))
        return message

    def _take_call(self, fields: Sequence[tuple[str, str]]) -> Call:
        call = super()._take_call(fields)
        self._in_the_background(self._rings(call))
        return call

    def _in_the_background(self, what: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(what)
        self._receipts.add(task)
        task.add_done_callback(self._receipts.discard)

    async def _tells(self, message: Message) -> None:
        """The receipts of one text; one in six texts never gets any."""
        chance = random.Random(f"{self._seed} {message.sid}")
        words = chance.choice(
            (["sent", "delivered"],) * 3
            + (["delivered", "sent"], ["sent", "sent", "delivered", "delivered"], [])
        )
        for word in words:
            await asyncio.sleep(chance.uniform(0, 0.8))
            await self._quietly(self.report(message, word))

    async def _rings(self, call: Call) -> None:
        for word in ("initiated", "ringing", "no-answer"):
            await asyncio.sleep(0.2)
            await self._quietly(self.progress(call, word))

    async def _texts(self, from_: str, body: str) -> None:
        """A phone texts us; a webhook that nobody takes is lost, and the text stands in the list."""
        await self._quietly(self.text_in(from_, body, self.text_webhook))

    async def _quietly(self, telling: Coroutine[Any, Any, object]) -> None:
        try:
            await telling
        except httpx.TransportError:
            return

    async def hang_up(self) -> None:
        """Wait for the receipts that are on their way; no more are posted."""
        while self._receipts:
            await asyncio.gather(*list(self._receipts))
        await self._out.client.aclose()


def token_of(address: str) -> str:
    """The attempt that a callback's address belongs to."""
    return parse_qs(urlsplit(address).query)["a"][0]
