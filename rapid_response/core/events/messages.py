"""Notices, and what became of texts and calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rapid_response.core.events.base import Event


@dataclass(frozen=True, slots=True)
class NoticeGiven(Event):
    type: ClassVar[str] = "notice_given"
    notice_id: str
    kind: str
    role: str
    by: tuple[str, ...]
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class NoticeAcknowledged(Event):
    type: ClassVar[str] = "notice_acknowledged"
    notice_id: str
    role: str
    source: str


@dataclass(frozen=True, slots=True)
class MessageAccepted(Event):
    """The provider took it. Says nothing of a person. `request_seconds`: how long the provider took."""

    type: ClassVar[str] = "message_accepted"
    message_id: str
    purpose: str
    channel: str
    seconds_since_report: float | None = None
    attempt: int = 1
    provider: str = ""
    request_seconds: float | None = None
    segments: int = 0
    replaced: int = 0


@dataclass(frozen=True, slots=True)
class MessageTroubled(Event):
    """An attempt came to nothing: `refused`, `unknown`, `undelivered`, `absent`; `then` says what follows."""

    type: ClassVar[str] = "message_troubled"
    message_id: str
    purpose: str
    channel: str
    what: str
    then: str
    attempt: int
    provider: str
    error_class: str | None = None
    error_code: str = ""
    request_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class MessageReconciled(Event):
    """What looking it up came to: `adopted`, `absent`, `duplicate`, `unresolved`."""

    type: ClassVar[str] = "message_reconciled"
    message_id: str
    channel: str
    result: str


@dataclass(frozen=True, slots=True)
class MessageSettled(Event):
    """Delivered, failed or expired, as far as we know. `late`: proof came after it had been given up."""

    type: ClassVar[str] = "message_settled"
    message_id: str
    purpose: str
    channel: str
    state: str
    error_class: str | None = None
    late: bool = False
    provider: str = ""
    accept_seconds: float | None = None
    offer_seconds: float | None = None
    priority: str = ""


@dataclass(frozen=True, slots=True)
class OtherWayTried(Event):
    """The ladder inside an offer or a stand-down went on; `to_way` is `next` when another person is asked."""

    type: ClassVar[str] = "other_way_tried"
    offer_id: str
    purpose: str
    from_way: str
    to_way: str
    reason: str


@dataclass(frozen=True, slots=True)
class WayNotTried(Event):
    """A rung of the ladder was not needed, or cannot be."""

    type: ClassVar[str] = "way_not_tried"
    offer_id: str
    way: str
    reason: str
