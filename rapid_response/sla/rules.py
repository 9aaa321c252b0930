"""The clock and the ladder as pure arithmetic on instants (design.md 5 and 7).

Everything is counted from the start of the clock in elapsed time: slow triage must not buy us time, and a
clock-change night must not cost a resident an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from rapid_response.core.definition import Rung, RungAction, SlaPolicy
from rapid_response.core.incident import SEEKING_STATUSES, Status
from rapid_response.core.vocabulary import ClockState, ContactRole

#: A report dated further ahead than this is a mistake (design.md 7).
FUTURE_TOLERANCE = timedelta(minutes=5)
#: How long offers for an unclear report wait for a person (R18, design.md 6).
REVIEW_WITHIN = timedelta(minutes=10)
#: How often an unacknowledged notice is given again.
NOTICE_REPEAT = timedelta(minutes=5)
#: An overdue task of which its owner was told, and that is still not done, is told to the duty officer.
TASK_CLIMBS_AFTER = timedelta(minutes=15)
#: How often an unassigned incident is tried again.
RETRY_UNASSIGNED = timedelta(minutes=5)
#: The smallest step of a stored time: exactly at `due_at` is still in time.
TICK = timedelta(microseconds=1)


class Kind(StrEnum):
    """What can stand on an incident's agenda."""

    RUNG = "rung"
    WARN = "warn"
    BREACH = "breach"
    ACCEPT_WITHIN = "accept_within"
    ANSWER = "answer"
    NOTICE = "notice"
    RETRY = "retry"
    RESUME = "resume"
    TASK = "task"
    SHIFT_END = "shift_end"
    INBOUND = "inbound"
    DAILY_LINE = "daily_line"
    #: A message may not arrive: the ladder inside its offer goes on.
    FAIL_OVER = "fail_over"
    #: The next rung of that ladder, at its time.
    REACH = "reach"
    #: An offer that was taken back has gone out after all: its receiver is told.
    WENT_OUT = "went_out"
    SHIFT_TEST = "shift_test"
    #: A call to the hotline is over: did she leave a message?
    RANG_OFF = "rang_off"
    CHECK_IN = "check_in"
    TRAVEL = "travel"
    SIGN_OF_LIFE = "sign_of_life"
    ALARM = "alarm"
    ALARM_OF_NO_JOB = "alarm_of_no_job"
    MARKER_APPLY = "marker_apply"
    MARKER_REVIEW = "marker_review"
    MARKER_END = "marker_end"
    #: A case from across the border is not with the neighbour yet.
    BORDER = "border"
    #: An absence that was planned begins; or somebody who went along has left the service.
    ABSENCE = "absence"


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something to happen at `due_at`; `subject` tells several of one kind apart."""

    kind: Kind
    due_at: datetime
    subject: str = ""


class Standing(Protocol):
    """Where a case stands: what a deadline looks at first."""

    @property
    def is_open(self) -> bool: ...

    @property
    def status(self) -> Status: ...

    @property
    def owner(self) -> str | None: ...

    @property
    def is_held(self) -> bool: ...

    @property
    def clock_state(self) -> ClockState: ...

    @property
    def due_at(self) -> datetime | None: ...

    @property
    def stopped_at(self) -> datetime | None: ...


def is_counting(case: Standing) -> bool:
    """Whether a response is still owed: the clock runs, or ran out without one."""
    return (
        case.is_open
        and case.stopped_at is None
        and case.clock_state in (ClockState.RUNNING, ClockState.BREACHED)
    )


def may_be_offered(case: Standing) -> bool:
    """Whether the ladder may offer it: somebody is looked for, or will be, and nothing holds it back."""
    return (
        case.status in (Status.RECEIVED, Status.AWAITING_REVIEW, *SEEKING_STATUSES)
        and not case.is_held
        and case.clock_state is not ClockState.PAUSED
    )


def is_late(case: Standing, now: datetime) -> bool:
    """Whether its clock runs, and its time is over: up to and at `due_at` a response is in time."""
    return case.clock_state is ClockState.RUNNING and case.due_at is not None and now > case.due_at


def is_moot(kind: str, case: Standing, now: datetime) -> bool:
    """Whether what has fallen due no longer matters, by the standing of its case alone."""
    matters = _MATTERS.get(kind)
    return matters is not None and not matters(case, now)


#: Of the other kinds more is to be looked at than where the case stands.
_MATTERS: Mapping[str, Callable[[Standing, datetime], bool]] = {
    Kind.RUNG: lambda case, _: case.is_open and (may_be_offered(case) or is_counting(case)),
    Kind.ACCEPT_WITHIN: lambda case, _: case.owner is None and is_counting(case),
    Kind.RETRY: lambda case, _: case.status is Status.UNASSIGNED,
    Kind.WARN: lambda case, _: case.clock_state is ClockState.RUNNING and is_counting(case),
    Kind.BREACH: is_late,
    Kind.RESUME: lambda case, _: case.clock_state is ClockState.PAUSED,
    Kind.SHIFT_END: lambda case, _: case.owner is not None,
    Kind.NOTICE: lambda case, _: case.is_open,
}


def due_at(started_at: datetime, policy: SlaPolicy, paused: timedelta = timedelta()) -> datetime:
    """The moment up to which, inclusive, a response is in time."""
    return started_at + policy.respond_within + paused


def promise(started_at: datetime, due: datetime, policy: SlaPolicy) -> list[Deadline]:
    """The warnings and the breach of a running clock; `due` may have moved by paused time."""
    moved = due - started_at - policy.respond_within
    warnings = [
        Deadline(Kind.WARN, started_at + policy.respond_within * share + moved, str(i))
        for i, share in enumerate(policy.warn_at)
    ]
    return [*warnings, Deadline(Kind.BREACH, due + TICK)]


def share_gone(started_at: datetime, due: datetime, paused: timedelta, at: datetime) -> float:
    """Which share of the promised time a moment is, whatever is promised to those who come later."""
    return round(1 - (due - at) / (due - started_at - paused), 4)


def ladder(
    escalation: Sequence[Rung], counted_from: datetime, offers_from: datetime, policy: SlaPolicy
) -> list[Deadline]:
    """When each rung is climbed at the latest, and when the duty officer hears that nobody has accepted.

    Notices are counted from `counted_from`. Offers keep their distances but never begin before
    `offers_from`: a backdated or a reviewed report gets one offer first, not all of them at once.
    """
    first_offer = min((r.after for r in escalation if r.action is RungAction.OFFER), default=timedelta())
    entries = []
    for i, rung in enumerate(escalation):
        at = counted_from + rung.after
        if rung.action is RungAction.OFFER:
            at = max(at, offers_from + (rung.after - first_offer))
        entries.append(Deadline(Kind.RUNG, at, str(i)))
    entries.append(Deadline(Kind.ACCEPT_WITHIN, counted_from + policy.accept_within))
    return entries


def notices_only(escalation: Sequence[Rung], counted_from: datetime) -> list[Deadline]:
    """The ladder's notices alone: for an owned incident whose stop was taken back."""
    return [
        Deadline(Kind.RUNG, counted_from + rung.after, str(i))
        for i, rung in enumerate(escalation)
        if rung.action is RungAction.NOTIFY
    ]


def climbed_on(
    before: Sequence[Rung], escalation: Sequence[Rung], pending: Mapping[int, datetime], now: datetime
) -> list[Deadline]:
    """What is still to be climbed of a ladder that takes the place of another in mid-climb.

    `pending`: when each rung of the one before that was not climbed yet is due. Each keeps its distance from
    where the climb began. A notice whose time is past is due at once, unless its role was told already; an
    offer is not, unless one was just about to be made: whoever is being asked may still answer.
    """
    begun: dict[RungAction, datetime] = {}
    for index, due in sorted(pending.items()):
        begun.setdefault(before[index].action, due - before[index].after)
    told = {r.to for i, r in enumerate(before) if r.action is RungAction.NOTIFY and i not in pending}
    overdue = any(before[i].action is RungAction.OFFER and due <= now for i, due in pending.items())
    entries = []
    for index, rung in reversed(list(enumerate(escalation))):
        is_offer = rung.action is RungAction.OFFER
        # Without a notice to come, when they were counted from is known by the offers alone, and not exactly.
        origin = begun.get(rung.action, None if is_offer else begun.get(RungAction.OFFER))
        if origin is None:
            continue
        at = origin + rung.after
        is_to_come = at > now and rung.action in begun
        if is_to_come or (overdue if is_offer else rung.to not in told):
            entries.append(Deadline(Kind.RUNG, max(at, now), str(index)))
        if is_offer and at <= now:
            overdue = False
    return entries[::-1]


def answer_within(escalation: Sequence[Rung], rung: int) -> timedelta:
    """How long an offer of that rung waits; past the ladder, as in its last offer step."""
    waits = [r.answer_within for r in escalation if r.action is RungAction.OFFER and r.answer_within]
    if 0 <= rung < len(escalation) and (own := escalation[rung].answer_within) is not None:
        return own
    return waits[-1] if waits else timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Warned:
    """Who hears a warning. The owner always does, where there is one who can be told."""

    owner: bool
    roles: tuple[ContactRole, ...]
    by_voice: frozenset[ContactRole]


def who_is_warned(index: int, owner_hears: bool) -> Warned:
    """The `index`-th share of `warn_at` (from 0): the owner, then the duty officer, then the team leader.

    Without an owner, or where nothing reaches her, the duty officer hears the first warning too: a warning
    that nobody hears is none.
    """
    roles: list[ContactRole] = []
    if index >= 1 or not owner_hears:
        roles.append(ContactRole.DUTY_OFFICER)
    if index >= 2:
        roles.append(ContactRole.TEAM_LEADER)
    by_voice = frozenset({ContactRole.TEAM_LEADER}) if index >= 2 else frozenset()
    return Warned(owner_hears, tuple(roles), by_voice)


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a clock ended: gross is from its start, net leaves out paused time. Whole seconds."""

    met: bool
    gross_seconds: int
    paused_seconds: int


def stop(started_at: datetime, due: datetime, paused: timedelta, at: datetime) -> Stopped:
    """Whether a response at `at` was in time: up to and at `due`, it was."""
    return Stopped(
        met=at <= due,
        gross_seconds=max(0, int((at - started_at).total_seconds())),
        paused_seconds=int(paused.total_seconds()),
    )


def is_plausible_receipt(received_at: datetime, now: datetime) -> bool:
    """Whether a report can have been received then."""
    return received_at <= now + FUTURE_TOLERANCE
