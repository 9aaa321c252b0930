"""The gateway to the simulated network, the default provider: nothing can reach a real phone through it."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from rapid_response.messaging.gateway import (
    Accepted,
    Ambiguous,
    CallRequest,
    CannotAsk,
    InboundRecord,
    Rejected,
    SendOutcome,
    SentRecord,
    TextRequest,
)

T = TypeVar("T")


class Taken(Protocol):
    """A text or call as the network lists it."""

    @property
    def sid(self) -> str: ...
    @property
    def to_number(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def error_code(self) -> str: ...


class Come(Protocol):
    """A text to the service as the network lists it."""

    @property
    def sid(self) -> str: ...
    @property
    def from_number(self) -> str: ...
    @property
    def to_number(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def sent_at(self) -> datetime: ...


class Network(Protocol):
    """What we ask of the network; it raises ConnectionError when it certainly took nothing."""

    service_number: str

    async def accept_text(self, token: str, to_number: str, body: str) -> str: ...

    async def place_call(self, token: str, to_number: str, ring_for: timedelta) -> str: ...

    async def sent_since(self, to_number: str, since: datetime) -> Sequence[Taken]: ...

    async def sent(self, sid: str) -> Taken | None: ...

    async def come_since(self, to_number: str, since: datetime) -> Sequence[Come]: ...

    async def is_down(self) -> bool: ...


class SimulatorGateway:
    """Carries texts and calls to simulated phones."""

    name = "simulator"

    def __init__(self, network: Network) -> None:
        self._network = network
        self.our_numbers: tuple[str, ...] = (network.service_number,)

    async def send_text(self, request: TextRequest) -> SendOutcome:
        """Hand one text over."""
        try:
            return Accepted(await self._network.accept_text(request.token, request.to_number, request.body))
        except Exception as error:  # no exception of the carrier's crosses the port
            return _failure(error)

    async def place_call(self, request: CallRequest) -> SendOutcome:
        """Start one call."""
        try:
            return Accepted(
                await self._network.place_call(request.token, request.to_number, request.ring_for)
            )
        except Exception as error:  # no exception of the carrier's crosses the port
            return _failure(error)

    async def find_sent(self, to_number: str, since: datetime) -> list[SentRecord]:
        """The texts sent to a number lately, newest first."""
        return [_record(taken) for taken in await _asked(self._network.sent_since(to_number, since))]

    async def fetch(self, sid: str) -> SentRecord | None:
        """One text or call of ours; None when the network has none."""
        taken = await _asked(self._network.sent(sid))
        return _record(taken) if taken is not None else None

    async def list_inbound(self, to_number: str, since: datetime) -> list[InboundRecord]:
        """Every text to one of our numbers since then, newest first."""
        return [
            InboundRecord(come.sid, come.from_number, come.to_number, come.body, come.sent_at)
            for come in await _asked(self._network.come_since(to_number, since))
        ]

    async def blank(self, sid: str) -> None:
        """Nothing lies anywhere else: what the phones show is this service's own."""

    async def erase(self, sid: str) -> None:
        """There is no sound, and no other place."""

    async def check(self) -> list[str]:
        """An outage that somebody switched on; there is nothing else to be set up wrongly."""
        if await _asked(self._network.is_down()):
            return ["The simulated network is down: somebody switched an outage on, so nothing is taken."]
        return []

    async def aclose(self) -> None:
        """There is no connection to let go of."""


def _failure(error: Exception) -> SendOutcome:
    if isinstance(error, ConnectionError):
        return Rejected("not_sent")
    return Ambiguous(type(error).__name__)


def _record(taken: Taken) -> SentRecord:
    return SentRecord(
        taken.sid, taken.to_number, taken.body, taken.status, taken.created_at, taken.error_code
    )


async def _asked(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except Exception as error:  # no exception of the carrier's crosses the port
        raise CannotAsk("ambiguous") from error
