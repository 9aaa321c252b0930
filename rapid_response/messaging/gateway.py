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
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """It may have gone: a time-out, a dropped connection, a broken answer."""

    reason: str


SendOutcome = Accepted | Rejected | Ambiguous


class CannotAsk(Exception):
    """The provider could not be asked, so nothing is known: never to be taken for "there is none"."""

    def __init__(self, error_class: str) -> None:
        super().__init__(error_class)
        #: One of delivery.md 6.1, or `ambiguous`.
        self.error_class = error_class


@dataclass(frozen=True, slots=True)
class SentRecord:
    """A text or call as the provider lists it; `body` is empty for a call."""

    sid: str
    to_number: str
    body: str
    status: str
    created_at: datetime
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class InboundRecord:
    """A text to one of our numbers as the provider lists it; `sent_at` decides whether it came in time."""

    sid: str
    from_number: str
    to_number: str
    body: str
    sent_at: datetime
    has_media: bool = False


class Gateway(Protocol):
    """A carrier of texts and calls. What looks something up raises :class:`CannotAsk`, nothing else."""

    name: str

    @property
    def our_numbers(self) -> tuple[str, ...]:
        """What we send from and receive on: where lost replies are looked for."""

    async def send_text(self, request: TextRequest) -> SendOutcome:
        """Hand one text over; never retries by itself."""

    async def place_call(self, request: CallRequest) -> SendOutcome:
        """Start one call; never retries by itself."""

    async def find_sent(self, to_number: str, since: datetime) -> list[SentRecord]:
        """The texts sent to a number lately, newest first: settles an :class:`Ambiguous` attempt."""

    async def fetch(self, sid: str) -> SentRecord | None:
        """One text or call of ours by the provider's id; None when the provider has none."""

    async def list_inbound(self, to_number: str, since: datetime) -> list[InboundRecord]:
        """Every text to one of our numbers since then, newest first: finds those whose webhook was lost."""

    async def blank(self, sid: str) -> None:
        """See that the provider keeps no words of a text; one that it does not have is blank already."""

    async def erase(self, sid: str) -> None:
        """See that the provider keeps nothing of a recording or a transcript; one it has not is gone."""

    async def check(self) -> list[str]:
        """What would break the promise, in plain sentences; empty when all is well."""

    async def aclose(self) -> None:
        """Let go of connections."""
