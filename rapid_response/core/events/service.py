"""The service itself: people and their phones, lines, work, copies, clocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rapid_response.core.events.base import Event


@dataclass(frozen=True, slots=True)
class WorkParked(Event):
    """A step failed too often and waits for a person; nothing else waits for it."""

    type: ClassVar[str] = "work_parked"
    kind: str
    error: str


@dataclass(frozen=True, slots=True)
class ServiceLoaded(Event):
    type: ClassVar[str] = "service_loaded"
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class AvailabilityChanged(Event):
    type: ClassVar[str] = "availability_changed"
    responder: str
    state: str
    until: datetime | None = None
    #: Later than the event where it was planned.
    begins: datetime | None = None
    swap_with: str | None = None


@dataclass(frozen=True, slots=True)
class RotaGapTold(Event):
    """Nobody with a skill is on duty or on call for a while still to come: the team leader is told."""

    type: ClassVar[str] = "rota_gap_told"
    skill: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class EndpointChanged(Event):
    """What is known of a number changed; whose it is stands here, the number does not."""

    type: ClassVar[str] = "endpoint_changed"
    whose: str
    channel: str
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class NumberCodeSent(Event):
    """A one-time code goes to a number of this person; neither of the two stands here."""

    type: ClassVar[str] = "number_code_sent"
    responder: str
    channel: str


@dataclass(frozen=True, slots=True)
class NumberProved(Event):
    """The code came back by another way: the number is this person's until then."""

    type: ClassVar[str] = "number_proved"
    responder: str
    until: datetime


@dataclass(frozen=True, slots=True)
class NumberNotProved(Event):
    """What was entered was not the code, or came too late."""

    type: ClassVar[str] = "number_not_proved"
    responder: str
    why: str


@dataclass(frozen=True, slots=True)
class NumberDenied(Event):
    """Whoever has the phone says that it is a wrong number."""

    type: ClassVar[str] = "number_denied"
    responder: str


@dataclass(frozen=True, slots=True)
class LineDown(Event):
    """Nothing goes over a provider's texts, or calls, until it is mended."""

    type: ClassVar[str] = "line_down"
    provider: str
    channel: str
    why: str


@dataclass(frozen=True, slots=True)
class LineMended(Event):
    type: ClassVar[str] = "line_mended"
    provider: str
    channel: str


@dataclass(frozen=True, slots=True)
class TextsOverCap(Event):
    """More texts went out today than a day should need; none was held back for it."""

    type: ClassVar[str] = "texts_over_cap"
    provider: str
    cap: int


@dataclass(frozen=True, slots=True)
class MailParked(Event):
    """An e-mail to the desk could not be handed in for a day; the texts beside it went their own way."""

    type: ClassVar[str] = "mail_parked"
    mail_id: str
    error: str


@dataclass(frozen=True, slots=True)
class AccountChanged(Event):
    type: ClassVar[str] = "account_changed"
    account_id: str
    change: str


@dataclass(frozen=True, slots=True)
class ParkedWorkTaken(Event):
    """A role was told of parked work, or a person took it on."""

    type: ClassVar[str] = "parked_work_taken"
    kind: str
    by: str


@dataclass(frozen=True, slots=True)
class DatabaseRestored(Event):
    """From a copy; what happened between the copy and now is not in it."""

    type: ClassVar[str] = "database_restored"
    backup_made_at: datetime | None
    backup_digest: str


@dataclass(frozen=True, slots=True)
class BackupMade(Event):
    type: ClassVar[str] = "backup_made"
    digest: str


@dataclass(frozen=True, slots=True)
class SendingHeld(Event):
    """Nothing is sent and no deadline rings, until a person lets go."""

    type: ClassVar[str] = "sending_held"
    why: str


@dataclass(frozen=True, slots=True)
class SendingReleased(Event):
    type: ClassVar[str] = "sending_released"
    will_go: int
    dropped: int
    overdue: int


@dataclass(frozen=True, slots=True)
class ClockStepped(Event):
    """The clock jumped: forwards (seconds above 0), and we with it, or backwards, and we count on."""

    type: ClassVar[str] = "clock_stepped"
    fault_id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ClockConfirmed(Event):
    """A person has looked at the clock."""

    type: ClassVar[str] = "clock_confirmed"
    faults: int


@dataclass(frozen=True, slots=True)
class FileFoundDamaged(Event):
    """A check of the database or of the log failed."""

    type: ClassVar[str] = "file_found_damaged"
    what: str
