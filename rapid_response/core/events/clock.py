"""The clock of an incident, its deadlines and its ladder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rapid_response.core.events.base import Event


@dataclass(frozen=True, slots=True)
class ClockStarted(Event):
    type: ClassVar[str] = "clock_started"
    started_at: datetime
    due_at: datetime
    needed_by: datetime
    job_number: int
    episode: int


@dataclass(frozen=True, slots=True)
class ClockNotApplicable(Event):
    """No two-hour clock: P3, P4, out of area, or a person cancelled it."""

    type: ClassVar[str] = "clock_not_applicable"
    why: str


@dataclass(frozen=True, slots=True)
class ClockStopped(Event):
    """A response reached the victim.

    `breach_taken_back`: word of it was sent in time, and found after the deadline was recorded as missed.
    """

    type: ClassVar[str] = "clock_stopped"
    stopped_by: str
    stopped_at: datetime
    gross_seconds: int
    paused_seconds: int
    met: bool
    flagged: bool = False
    breach_taken_back: bool = False


@dataclass(frozen=True, slots=True)
class ClockPaused(Event):
    type: ClassVar[str] = "clock_paused"
    why: str


@dataclass(frozen=True, slots=True)
class ClockResumed(Event):
    type: ClassVar[str] = "clock_resumed"
    paused_seconds: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ClockMovedBack(Event):
    """An earlier report of the same incident was joined: the promise counts from that one.

    `no_longer_met`: the response that was in time is late by this.
    """

    type: ClassVar[str] = "clock_moved_back"
    started_at: datetime
    due_at: datetime
    needed_by: datetime
    paused_seconds: int
    no_longer_met: bool = False


@dataclass(frozen=True, slots=True)
class DeadlineWarned(Event):
    type: ClassVar[str] = "deadline_warned"
    share: float
    told: tuple[str, ...]
    late_seconds: float


@dataclass(frozen=True, slots=True)
class DeadlineMissed(Event):
    """The two hours passed without a response; nothing later erases it."""

    type: ClassVar[str] = "deadline_missed"
    due_at: datetime
    late_seconds: float


@dataclass(frozen=True, slots=True)
class RungReached(Event):
    type: ClassVar[str] = "rung_reached"
    rung: int
    action: str
    to: str
    late_seconds: float


@dataclass(frozen=True, slots=True)
class BreachExplained(Event):
    type: ClassVar[str] = "breach_explained"
    code: str


@dataclass(frozen=True, slots=True)
class NextStepRestored(Event):
    """Something that must be on the agenda was not; the auditor saw it, and it is there again.

    Of a responder's alarm it names that alarm, so that it never shows on her own page.
    """

    type: ClassVar[str] = "next_step_restored"
    check: str
    alarm_id: str | None = None
