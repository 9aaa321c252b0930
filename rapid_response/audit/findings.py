"""What an audit can find, each under a name of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Check(StrEnum):
    """All that is looked for. The values are labels of a metric and words of the log."""

    # of one incident: something must stand on its agenda, and does not
    NO_NEXT_STEP = "no_next_step"
    CLOCK_WITHOUT_DEADLINE = "clock_without_deadline"
    PAUSE_WITHOUT_END = "pause_without_end"
    SEARCH_STOPPED = "search_stopped"
    OFFER_WITHOUT_END = "offer_without_end"
    UNASSIGNED_WITHOUT_RETRY = "unassigned_without_retry"
    TASK_WITHOUT_REMINDER = "task_without_reminder"
    NOTICE_WITHOUT_REPEAT = "notice_without_repeat"
    RECEIVED_IN_FUTURE = "received_in_future"
    VISIT_UNWATCHED = "visit_unwatched"
    REVIEW_WITHOUT_TASK = "review_without_task"
    REFERRAL_WITHOUT_CHASE = "referral_without_chase"
    # a responder asks for help, and nobody is told again
    ALARM_WITHOUT_REPEAT = "alarm_without_repeat"
    # parked work that nobody has been told of
    PARKED_WITHOUT_OWNER = "parked_without_owner"
    # of the service: work that is due, and is not done
    DUE_UNCLAIMED = "due_unclaimed"
    LEASE_ORPHANED = "lease_orphaned"
    MESSAGE_STUCK = "message_stuck"
    EXCEPTIONS_FULL = "exceptions_full"
    MESSAGES_HELD = "messages_held"


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that an incident, an alarm or parked work lacks. `due_at` is when it should ring, else now.

    `subject` says which one: an offer, a task, a notice, a referral, an alarm, or `a-12` and `d-12` for
    parked work. An alarm of no job has no incident.
    """

    check: Check
    incident_id: str
    subject: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Late:
    """Work that is left undone: how much, and for how long the oldest."""

    check: Check
    count: int
    age: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Audit:
    """What one look found."""

    missing: tuple[Missing, ...]
    late: tuple[Late, ...]

    @property
    def is_good(self) -> bool:
        """Whether every open incident is cared for, and all that is due is done."""
        return not self.missing and not self.late

    def counts(self) -> Mapping[str, int]:
        """How much was found, by check."""
        counted: dict[str, int] = {}
        for one in self.missing:
            counted[one.check.value] = counted.get(one.check.value, 0) + 1
        for late in self.late:
            counted[late.check.value] = late.count
        return counted
