"""The gateway to the simulated network, the default provider: nothing can reach a real phone through it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from rapid_response.messaging.gateway import (
    Accepted,
    Ambiguous,
    CallRequest,
    Rejected,
    SendOutcome,
    SentRecord,
    TextRequest,
)


class Taken(Protocol):
    """A text as the network lists it."""

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


class Network(Protocol):
    """What we ask of the network; it raises ConnectionError when it certainly took nothing."""

    async def accept_text(self, token: str, to_number: str, body: str) -> str: ...

    async def place_call(self, token: str, to_number: str, ring_for: timedelta) -> str: ...

    async def sent_since(self, to_number: str, since: datetime) -> Sequence[Taken]: ...


class SimulatorGateway:
    """Carries texts and calls to simulated phones."""

    name = "simulator"

    def __init__(self, network: Network) -> None:
        self._network = network

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
        """What was sent to a number lately, newest first."""
        return [
            SentRecord(taken.sid, taken.to_number, taken.body, taken.status, taken.created_at)
            for taken in await self._network.sent_since(to_number, since)
        ]

    async def aclose(self) -> None:
        """There is no connection to let go of."""


def _failure(error: Exception) -> SendOutcome:
    if isinstance(error, ConnectionError):
        return Rejected("not_sent")
    return Ambiguous(type(error).__name__)
