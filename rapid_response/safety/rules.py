"""When a silent responder is asked, and who is told; how long a visit takes; how long a marker stands.

Pure arithmetic on instants, in elapsed time: a clock-change night must not leave anybody alone for an hour
more (domain.md 4, scenarios 35 to 38).
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rapid_response.core.definition import JointAttendance, LoneWorker
from rapid_response.core.vocabulary import ContactRole

#: After a check-in was due: the responder's phone rings; then one after another is told.
CALL_AFTER = timedelta(minutes=10)
TELL_AFTER = timedelta(minutes=15)
TELL_NEXT_AFTER = timedelta(minutes=5)
#: Expected at the address, where nobody said how long.
USUAL_VISIT = timedelta(minutes=45)
#: Expected on the way, where nobody said how long; and the least that is believed.
USUAL_TRAVEL = timedelta(minutes=30)
SHORTEST_TRAVEL = timedelta(minutes=5)
#: From the question where she is, until the duty officer hears that there was no answer.
TRAVEL_TELL_AFTER = timedelta(minutes=10)
#: A risk marker stands this long unless reviewed, and is to be reviewed this long before its end.
MARKER_MONTHS = 12
LONGEST_MARKER_MONTHS = 36
REVIEW_BEFORE = timedelta(days=30)
#: How often the duty officer is reminded of a review that is due.
REVIEW_AGAIN = timedelta(days=7)
#: How often an alarm is given again until somebody says that she has seen it.
ALARM_REPEAT = timedelta(minutes=5)
#: A responder without a job: where she was last, if it is not longer ago.
LAST_SEEN_WITHIN = timedelta(hours=12)
#: Pressed twice in a call of ours it raises the alarm; on the responder's page it is the name of the button.
ALARM_KEY = "9"


class Ask(StrEnum):
    """What happens at one step of a silence."""

    TEXT = "text"
    CALL = "call"
    TELL = "tell"


@dataclass(frozen=True, slots=True)
class SilenceStep:
    """One step: `after` counts from the moment an answer was due. With `police`, 999 comes first."""

    after: timedelta
    ask: Ask
    role: ContactRole | None = None
    police: bool = False


def check_in_steps(policy: LoneWorker) -> tuple[SilenceStep, ...]:
    """A text when it is due, a call, then those of `then` in turn; from the second on: ring 999.

    With one name in `then`, that one hears twice: somebody must be told to ring the police.
    """
    told = policy.then if len(policy.then) > 1 else policy.then * 2
    return (
        SilenceStep(timedelta(), Ask.TEXT),
        SilenceStep(CALL_AFTER, Ask.CALL),
        *(
            SilenceStep(TELL_AFTER + n * TELL_NEXT_AFTER, Ask.TELL, role, police=n > 0)
            for n, role in enumerate(told)
        ),
    )


def travel_steps() -> tuple[SilenceStep, ...]:
    """Not there after twice the time: she is asked, then the duty officer is told."""
    return (
        SilenceStep(timedelta(), Ask.TEXT),
        SilenceStep(TRAVEL_TELL_AFTER, Ask.TELL, ContactRole.DUTY_OFFICER),
    )


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """When a responder who sets off is expected there, expected to be done, and missed on the way."""

    expected_at: datetime
    finish_at: datetime
    overdue_at: datetime


def visit_plan(sets_off_at: datetime, eta_minutes: int | None) -> VisitPlan:
    """Her own estimate, or the usual one; twice as long without an arrival is too long."""
    said = USUAL_TRAVEL if eta_minutes is None else timedelta(minutes=eta_minutes)
    travel = max(said, SHORTEST_TRAVEL)
    return VisitPlan(sets_off_at + travel, sets_off_at + travel + USUAL_VISIT, sets_off_at + 2 * travel)


class Watch(StrEnum):
    """How a check-in stands, for whoever looks at a screen."""

    IN_TIME = "in_time"
    ASKED = "asked"
    OVERDUE = "overdue"


def watch(check_in_by: datetime, now: datetime) -> Watch:
    """Red from the moment when her phone rings: before, a text has only just been sent."""
    if now < check_in_by:
        return Watch.IN_TIME
    return Watch.ASKED if now < check_in_by + CALL_AFTER else Watch.OVERDUE


def must_be_arranged(policy: JointAttendance, *, joint: bool, has_companion: bool) -> bool:
    """Whether nobody may be sent until it is settled who goes along (scenario 35)."""
    return policy is JointAttendance.HOLD and joint and not has_companion


def expiry(set_at: datetime, months: int) -> datetime:
    """So many calendar months on; the last of the month where there is no such day."""
    year, month = divmod(set_at.year * 12 + set_at.month - 1 + months, 12)
    day = min(set_at.day, calendar.monthrange(year, month + 1)[1])
    return set_at.replace(year=year, month=month + 1, day=day)


def review_at(set_at: datetime, expires_at: datetime) -> datetime:
    """When somebody is asked to look again: a month before the end, halfway where it is short."""
    return max(expires_at - REVIEW_BEFORE, set_at + (expires_at - set_at) / 2)


def is_alarm(keys: str) -> bool:
    """Whether the keys pressed in a call so far end in the silent alarm."""
    return keys.endswith(ALARM_KEY * 2)
