"""Somebody on her way, at the door, and whether she is safe there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rapid_response.core.events.base import Event


@dataclass(frozen=True, slots=True)
class SetOff(Event):
    """The visit plan goes with it: when she is expected there, and when to be done."""

    type: ClassVar[str] = "set_off"
    responder: str
    source: str
    expected_at: datetime | None = None
    finish_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ArrivedOnScene(Event):
    type: ClassVar[str] = "arrived_on_scene"
    responder: str
    source: str
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class VisitEnded(Event):
    """Nobody watches for her there any more, though the job is not over: she went elsewhere."""

    type: ClassVar[str] = "visit_ended"
    responder: str
    why: str


@dataclass(frozen=True, slots=True)
class CheckedIn(Event):
    type: ClassVar[str] = "checked_in"
    responder: str
    source: str
    next_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class CheckInAsked(Event):
    """A lone worker is asked whether she is safe (on scene), or where she is (on her way)."""

    type: ClassVar[str] = "check_in_asked"
    responder: str
    by: str
    on_scene: bool
    late_seconds: float


@dataclass(frozen=True, slots=True)
class CheckInMissed(Event):
    """She has not answered, so somebody else is told."""

    type: ClassVar[str] = "check_in_missed"
    responder: str
    role: str
    silent_minutes: int
    on_scene: bool
    late_seconds: float


@dataclass(frozen=True, slots=True)
class DuressRaised(Event):
    """A silent alarm. By which word is nowhere in the log."""

    type: ClassVar[str] = "duress_raised"
    alarm_id: str
    responder: str
    source: str


@dataclass(frozen=True, slots=True)
class DuressAcknowledged(Event):
    type: ClassVar[str] = "duress_acknowledged"
    alarm_id: str
    source: str


@dataclass(frozen=True, slots=True)
class DuressEnded(Event):
    """A person says that the responder is safe, or that it was no alarm; the reason is kept with it."""

    type: ClassVar[str] = "duress_ended"
    alarm_id: str


@dataclass(frozen=True, slots=True)
class RiskMarkerFound(Event):
    """A live marker warns of this address or suspect."""

    type: ClassVar[str] = "risk_marker_found"
    marker_id: str
    subject: str


@dataclass(frozen=True, slots=True)
class RiskMarkerSet(Event):
    type: ClassVar[str] = "risk_marker_set"
    marker_id: str
    subject: str
    kind: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RiskMarkerReviewed(Event):
    """A person looked again, and it stands on."""

    type: ClassVar[str] = "risk_marker_reviewed"
    marker_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RiskMarkerEnded(Event):
    type: ClassVar[str] = "risk_marker_ended"
    marker_id: str
    why: str


@dataclass(frozen=True, slots=True)
class NoContactMade(Event):
    """Attended, nobody answered; takes the stop of the clock back where there was one."""

    type: ClassVar[str] = "no_contact_made"
    responder: str
    source: str
    took_stop_back: bool
    #: The address, or anybody who could be her, was not found there.
    no_trace: bool = False
