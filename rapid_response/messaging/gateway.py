"""The port to whoever carries our texts and calls; no provider's name or exception crosses it.

An answer is one of three: :class:`Accepted`, :class:`Rejected` (it certainly did not go), or
:class:`Ambiguous` (nobody knows). Unknown is never treated as failed: a text sent twice is a nuisance, one
never sent is a failure (reliability.md, rule 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TextRequest:
    """One text. `token` comes back in the callback's address and identifies the attempt."""

    token: str
    to_number: str
    body: str
    validity: timedelta


@dataclass(frozen=True, slots=True)
class CallRequest:
    """One call; its words are asked for at `/webhooks/twilio/voice/offer?a={token}` when it is answered."""

    token: str
    to_number: str
    ring_for: timedelta


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it; `status` is the provider's first word on it."""

    sid: str
    status: str = "queued"


@dataclass(frozen=True, slots=True)
class Rejected:
    """It certainly did not go. `error_class` is one of delivery.md 6.1."""

    error_class: str
    code: str = ""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """It may have gone: a time-out, a dropped connection, a broken answer."""

    reason: str


SendOutcome = Accepted | Rejected | Ambiguous


@dataclass(frozen=True, slots=True)
class SentRecord:
    """A message as the provider lists it."""

    sid: str
    to_number: str
    body: str
    status: str
    created_at: datetime


class Gateway(Protocol):
    """A carrier of texts and calls."""

    name: str

    async def send_text(self, request: TextRequest) -> SendOutcome:
        """Hand one text over; never retries by itself."""

    async def place_call(self, request: CallRequest) -> SendOutcome:
        """Start one call; never retries by itself."""

    async def find_sent(self, to_number: str, since: datetime) -> list[SentRecord]:
        """What was sent to a number lately: settles an :class:`Ambiguous` attempt."""

    async def aclose(self) -> None:
        """Let go of connections."""
