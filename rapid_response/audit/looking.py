"""The auditor's queries: what each open incident must have on its agenda, and what is left undone.

Rule 3 of reliability.md: every open incident has something that will happen next by itself, or a named owner
with a check-back. Beyond that, each thing that waits for a time must have its time on the agenda: a running
clock its deadline, an offer the end of its answer time, a task its reminder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, literal, or_, select
from sqlmodel import SQLModel, col

from rapid_response.audit.findings import Audit, Check, Late, Missing
from rapid_response.core.incident import Status
from rapid_response.core.states import MessageState, OfferState, TaskState
from rapid_response.core.vocabulary import ClockState
from rapid_response.storage.tables import (
    IS_LIVE,
    IS_UNANSWERED,
    IS_UNDECIDED,
    AgendaRow,
    AlarmRow,
    DeliveryRow,
    HoldRow,
    IncidentRow,
    MessageRow,
    NoticeRow,
    OfferRow,
    ReferralRow,
    TaskRow,
    VisitRow,
)

#: How long something may be due, or a lease may have ended, before it is said.
UNCLAIMED_AFTER = timedelta(seconds=30)
#: How long a message may wait for its turn: the pace towards the provider is a text a second.
STUCK_AFTER = timedelta(minutes=2)
#: A report cannot be received later than this; intake refuses it.
_FUTURE = timedelta(minutes=5, seconds=5)
#: A clock's deadline rings one step of a stored time after it: exactly at `due_at` is in time.
_JUST_AFTER = timedelta(microseconds=1)
#: More parked work than this is seen by nobody.
MOST_EXCEPTIONS = 200
_MOST_AT_ONCE = 200

_ASKING = ("rung", "answer", "retry")
_LIVE = (MessageState.PENDING, MessageState.RETRY_WAIT, MessageState.SENDING, MessageState.UNKNOWN)
#: Its reminder is the offer that goes out when nobody has looked.
_NOT_REMINDED = ("review_report",)
#: The hate-crime lead is told once; the reminder is that of the task.
_NOT_REPEATED = ("lead_review", "lead_overdue")
#: What is asked of a responder on her way, and there; and what is told when she is silent.
_ON_THE_WAY, _THERE = ("travel", "travel_overdue"), ("check_in", "check_in_missed")


@dataclass(frozen=True, slots=True)
class Moment:
    """When is looked: domain and real time, and how many times as fast the former runs."""

    now: datetime
    real: datetime
    speed: float = 1.0


def audit(connection: Connection, moment: Moment) -> Audit:
    """Look at everything."""
    return Audit(tuple(missing(connection, moment)), tuple(_late(connection, moment)))


def missing(connection: Connection, moment: Moment, incident_id: str | None = None) -> list[Missing]:
    """What open incidents lack: all of them, or one."""
    found: list[Missing] = []
    for check, query in _QUERIES.items():
        chosen = query(moment)
        if incident_id is not None:
            chosen = chosen.where(col(IncidentRow.id) == incident_id)
        rows = connection.execute(chosen.limit(_MOST_AT_ONCE))
        found += [
            Missing(check, row.incident_id, row.subject or "", _ring_at(check, row.due_at)) for row in rows
        ]
    if incident_id is None:
        found += alarms_unrepeated(connection)
        found += _parked_without_owner(connection)
    return found


def _ring_at(check: Check, due_at: datetime | None) -> datetime | None:
    return due_at + _JUST_AFTER if due_at and check is Check.CLOCK_WITHOUT_DEADLINE else due_at


# --- what an incident must have ---------------------------------------------------------------------------


def _armed(*kinds: str, subject: Any = None) -> ColumnElement[bool]:
    """Whether such an entry is on the agenda. Parked work counts: it has an owner, or is found by itself."""
    wanted = [col(AgendaRow.incident_id) == col(IncidentRow.id), col(AgendaRow.settled_at).is_(None)]
    if kinds:
        wanted.append(col(AgendaRow.kind).in_(kinds))
    if subject is not None:
        wanted.append(col(AgendaRow.subject) == subject)
    return exists().where(*wanted)


def _of(subject: Any = None, due_at: Any = None) -> Select[*tuple[Any, ...]]:
    """Incidents, with what is missing of them and when it should ring."""
    due = due_at if due_at is not None else col(IncidentRow.due_at)
    subject = subject if subject is not None else literal("")
    # In no order: for one by their ids SQLite would go through every incident there ever was.
    return select(col(IncidentRow.id).label("incident_id"), subject.label("subject"), due.label("due_at"))


def _no_next_step(_: Moment) -> Select[*tuple[Any, ...]]:
    """Neither a timer nor a message under way; who owns it has no check-back either."""
    coming = exists().where(
        col(AgendaRow.incident_id) == col(IncidentRow.id),
        col(AgendaRow.settled_at).is_(None),
        col(AgendaRow.parked_at).is_(None),
    )
    under_way = exists().where(
        col(MessageRow.incident_id) == col(IncidentRow.id), col(MessageRow.state).in_(_LIVE)
    )
    return _of().where(col(IncidentRow.is_open), ~coming, ~under_way)


def _clock_without_deadline(_: Moment) -> Select[*tuple[Any, ...]]:
    running = col(IncidentRow.clock_state) == ClockState.RUNNING
    return _of().where(col(IncidentRow.is_open), running, ~_armed("breach"))


def _pause_without_end(_: Moment) -> Select[*tuple[Any, ...]]:
    paused = col(IncidentRow.clock_state) == ClockState.PAUSED
    return _of().where(col(IncidentRow.is_open), paused, ~_armed("resume"))


def _search_stopped(_: Moment) -> Select[*tuple[Any, ...]]:
    """Somebody is looked for, and nobody is being asked, nor will be.

    An unclear report is offered without a person's word after a while; what is held waits for that word.
    """
    asked = exists().where(
        col(OfferRow.incident_id) == col(IncidentRow.id), col(OfferRow.state) == OfferState.OPEN
    )
    unclear = and_(
        col(IncidentRow.status) == Status.AWAITING_REVIEW,
        col(IncidentRow.clock_state) == ClockState.RUNNING,
        ~col(IncidentRow.is_held),
    )
    return _of().where(
        col(IncidentRow.is_open),
        or_(col(IncidentRow.status).in_((Status.RECEIVED, Status.DISPATCHING)), unclear),
        col(IncidentRow.clock_state) != ClockState.PAUSED,
        ~asked,
        ~_armed(*_ASKING),
    )


def _offer_without_end(_: Moment) -> Select[*tuple[Any, ...]]:
    return (
        _of(col(OfferRow.id), col(OfferRow.answer_by))
        .join(OfferRow, col(OfferRow.incident_id) == col(IncidentRow.id))
        .where(
            col(IncidentRow.is_open),
            IS_LIVE,
            col(OfferRow.state) == OfferState.OPEN,
            ~_armed("answer", subject=col(OfferRow.id)),
        )
    )


def _unassigned_without_retry(_: Moment) -> Select[*tuple[Any, ...]]:
    return _of().where(
        col(IncidentRow.is_open),
        col(IncidentRow.status) == Status.UNASSIGNED,
        col(IncidentRow.clock_state) != ClockState.PAUSED,
        ~_armed("retry"),
    )


def _task_without_reminder(_: Moment) -> Select[*tuple[Any, ...]]:
    """Of closed incidents too: why they were late is still owed."""
    return (
        _of(col(TaskRow.id), col(TaskRow.due_at))
        .join(TaskRow, col(TaskRow.incident_id) == col(IncidentRow.id))
        .where(
            col(TaskRow.state) == TaskState.OPEN,
            col(TaskRow.kind).not_in(_NOT_REMINDED),
            ~_armed("task", subject=col(TaskRow.id)),
        )
    )


def _notice_without_repeat(_: Moment) -> Select[*tuple[Any, ...]]:
    repeat = exists().where(
        col(AgendaRow.incident_id) == col(IncidentRow.id),
        col(AgendaRow.settled_at).is_(None),
        col(AgendaRow.kind) == "notice",
        col(AgendaRow.subject).like(col(NoticeRow.id).concat(":%")),
    )
    return (
        _of(col(NoticeRow.id), col(NoticeRow.given_at))
        .join(NoticeRow, col(NoticeRow.incident_id) == col(IncidentRow.id))
        .where(
            col(IncidentRow.is_open),
            col(NoticeRow.acknowledged_at).is_(None),
            col(NoticeRow.kind).not_in(_NOT_REPEATED),
            ~repeat,
        )
    )


def _visit_unwatched(_: Moment) -> Select[*tuple[Any, ...]]:
    """A responder is on her way or there, and will neither be asked nor be missed.

    Once somebody has been told that she is silent, that notice is what goes on.
    """

    def neither(kind: str, notice: str) -> ColumnElement[bool]:
        told = exists().where(
            col(NoticeRow.incident_id) == col(IncidentRow.id),
            col(NoticeRow.kind) == notice,
            col(NoticeRow.given_at) > col(VisitRow.heard_at),
        )
        return and_(~_armed(kind), ~told)

    there, asks = col(VisitRow.arrived_at).is_not(None), col(VisitRow.check_in_by).is_not(None)
    return (
        _of(due_at=col(VisitRow.check_in_by))
        .join(VisitRow, col(VisitRow.incident_id) == col(IncidentRow.id))
        .where(
            col(IncidentRow.is_open),
            col(VisitRow.ended_at).is_(None),
            or_(and_(~there, neither(*_ON_THE_WAY)), and_(there, asks, neither(*_THERE))),
        )
    )


def _review_without_task(_: Moment) -> Select[*tuple[Any, ...]]:
    """Perhaps somebody was chosen for their age, and nobody owes a decision; of closed incidents too."""
    return _of().where(
        IS_UNDECIDED,
        # What was joined to another is decided there.
        col(IncidentRow.duplicate_of).is_(None),
        ~_owed("review_age_targeting", literal("")),
    )


def _referral_without_chase(_: Moment) -> Select[*tuple[Any, ...]]:
    """A partner has not answered, and will not be asked after; of closed incidents too."""
    return (
        _of(col(ReferralRow.id))
        .join(ReferralRow, col(ReferralRow.incident_id) == col(IncidentRow.id))
        .where(
            IS_UNANSWERED,
            ~_owed("chase_referral", col(ReferralRow.id)),
        )
    )


def _owed(kind: str, subject: Any) -> ColumnElement[bool]:
    return exists().where(
        col(TaskRow.incident_id) == col(IncidentRow.id),
        col(TaskRow.state) == TaskState.OPEN,
        col(TaskRow.kind) == kind,
        col(TaskRow.subject) == subject,
    )


def _received_in_future(moment: Moment) -> Select[*tuple[Any, ...]]:
    """Taken in while a clock was wrong: its two hours end too late, unless a person sees to it."""
    told = exists().where(
        col(NoticeRow.incident_id) == col(IncidentRow.id),
        col(NoticeRow.kind) == "mended",
    )
    late = col(IncidentRow.received_at) > moment.now + _FUTURE
    return _of().where(col(IncidentRow.is_open), late, ~told)


_QUERIES: dict[Check, Callable[[Moment], Select[*tuple[Any, ...]]]] = {
    Check.CLOCK_WITHOUT_DEADLINE: _clock_without_deadline,
    Check.PAUSE_WITHOUT_END: _pause_without_end,
    Check.SEARCH_STOPPED: _search_stopped,
    Check.OFFER_WITHOUT_END: _offer_without_end,
    Check.UNASSIGNED_WITHOUT_RETRY: _unassigned_without_retry,
    Check.TASK_WITHOUT_REMINDER: _task_without_reminder,
    Check.NOTICE_WITHOUT_REPEAT: _notice_without_repeat,
    Check.RECEIVED_IN_FUTURE: _received_in_future,
    Check.VISIT_UNWATCHED: _visit_unwatched,
    Check.REVIEW_WITHOUT_TASK: _review_without_task,
    Check.REFERRAL_WITHOUT_CHASE: _referral_without_chase,
    # Last: what is put right above may be its next step.
    Check.NO_NEXT_STEP: _no_next_step,
}


# --- alarms -----------------------------------------------------------------------------------------------


def alarms_unrepeated(connection: Connection) -> list[Missing]:
    """Responders' alarms that nobody has seen, and that will not be given again; of a job or of none."""
    again = exists().where(
        col(AgendaRow.incident_id) == func.coalesce(col(AlarmRow.incident_id), ""),
        col(AgendaRow.settled_at).is_(None),
        col(AgendaRow.kind).in_(("alarm", "alarm_of_no_job")),
        col(AgendaRow.subject).like(col(AlarmRow.id).concat(":%")),
    )
    query: Select[*tuple[Any, ...]] = (
        select(col(AlarmRow.id), col(AlarmRow.incident_id))
        .where(col(AlarmRow.ended_at).is_(None), col(AlarmRow.acknowledged_at).is_(None), ~again)
        .order_by(col(AlarmRow.raised_at))
        .limit(_MOST_AT_ONCE)
    )
    return [
        Missing(Check.ALARM_WITHOUT_REPEAT, row.incident_id or "", row.id)
        for row in connection.execute(query)
    ]


# --- parked work ------------------------------------------------------------------------------------------


def _parked_without_owner(connection: Connection) -> Iterator[Missing]:
    for letter, table, stream in (
        ("a", AgendaRow, AgendaRow.incident_id),
        ("d", DeliveryRow, DeliveryRow.stream),
    ):
        query: Select[*tuple[Any, ...]] = (
            select(col(table.id), col(stream).label("incident_id"), col(table.parked_at))
            .where(col(table.parked_at).is_not(None), col(table.seen_to_by).is_(None))
            .order_by(col(table.parked_at))
            .limit(_MOST_AT_ONCE)
        )
        for row in connection.execute(query):
            yield Missing(Check.PARKED_WITHOUT_OWNER, row.incident_id, f"{letter}-{row.id}", row.parked_at)


# --- what is left undone ----------------------------------------------------------------------------------


def _late(connection: Connection, moment: Moment) -> Iterator[Late]:
    parked = sum(_count(connection, table, col(table.parked_at).is_not(None)) for table in _WORK)
    if parked > MOST_EXCEPTIONS:
        yield Late(Check.EXCEPTIONS_FULL, parked)
    if connection.execute(select(col(HoldRow.id))).first() is not None:
        # Nothing rings and nothing is sent, on purpose: that is what is found, and not each thing that waits.
        yield Late(Check.MESSAGES_HELD, 1)
        return
    for check, found in (
        (Check.DUE_UNCLAIMED, _due_unclaimed(connection, moment)),
        (Check.LEASE_ORPHANED, _orphaned(connection, moment)),
        (Check.MESSAGE_STUCK, _stuck(connection, moment)),
    ):
        count, age = found
        if count:
            yield Late(check, count, age)


_WORK: Sequence[type[AgendaRow] | type[DeliveryRow]] = (AgendaRow, DeliveryRow)


def _count(connection: Connection, row: type[SQLModel], *where: ColumnElement[bool]) -> int:
    found: int = connection.execute(select(func.count()).select_from(row).where(*where)).scalar_one()
    return found


def _since(connection: Connection, row: type[SQLModel], at: Any, to: datetime, *where: Any) -> _Found:
    """How many rows there are, and the age of the oldest by that column."""
    found = connection.execute(
        select(func.count().label("many"), func.min(at).label("oldest")).select_from(row).where(*where)
    ).one()
    return found.many, (to - found.oldest) if found.many else timedelta()


_Found = tuple[int, timedelta]


def _due_unclaimed(connection: Connection, moment: Moment) -> _Found:
    due = col(AgendaRow.due_at)
    return _since(
        connection,
        AgendaRow,
        due,
        moment.now,
        col(AgendaRow.settled_at).is_(None),
        col(AgendaRow.parked_at).is_(None),
        due < moment.now - UNCLAIMED_AFTER * moment.speed,
        or_(col(AgendaRow.leased_until).is_(None), col(AgendaRow.leased_until) <= moment.real),
    )


def _orphaned(connection: Connection, moment: Moment) -> _Found:
    """Leases that ended, and nobody took up the work; a message is looked up when its own ends."""
    ended = moment.real - UNCLAIMED_AFTER
    unfinished: Sequence[tuple[Any, Sequence[Any]]] = (
        (
            AgendaRow,
            # Only what is due was ever leased.
            (
                col(AgendaRow.settled_at).is_(None),
                col(AgendaRow.parked_at).is_(None),
                col(AgendaRow.due_at) <= moment.now,
            ),
        ),
        (DeliveryRow, (col(DeliveryRow.parked_at).is_(None),)),
        (
            MessageRow,
            (
                col(MessageRow.settled_at).is_(None),
                col(MessageRow.state).in_((MessageState.SENDING, MessageState.UNKNOWN)),
            ),
        ),
    )
    found = [
        _since(connection, row, row.leased_until, moment.real, *where, row.leased_until < ended)
        for row, where in unfinished
    ]
    return sum(count for count, _ in found), max(age for _, age in found)


def _stuck(connection: Connection, moment: Moment) -> _Found:
    """Messages that wait beyond their time: to be sent, looked up or fetched, or worth nothing any more."""
    waiting = col(MessageRow.next_attempt_at).is_not(None)
    unclaimed = or_(col(MessageRow.leased_until).is_(None), col(MessageRow.leased_until) <= moment.real)
    turn_came = col(MessageRow.next_attempt_at) < moment.real - STUCK_AFTER
    worthless = and_(
        col(MessageRow.state).in_((MessageState.PENDING, MessageState.RETRY_WAIT)),
        col(MessageRow.next_attempt_at) < moment.real - UNCLAIMED_AFTER,
        col(MessageRow.expires_at) < moment.now - UNCLAIMED_AFTER * moment.speed,
    )
    return _since(
        connection,
        MessageRow,
        col(MessageRow.next_attempt_at),
        moment.real,
        waiting,
        unclaimed,
        or_(turn_came, worthless),
    )
