"""What waits for a decision on age targeting, what was decided lately, and whose answer is awaited.

Of open cases and of those that have ended alike. Reads never lock and never write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col
from sqlmodel import select as typed_select

from rapid_response.core.states import TaskState
from rapid_response.core.vocabulary import AgeTargeting, Category, ReferralState
from rapid_response.hatecrime.rules import DECISIONS
from rapid_response.steps.casefile import evidence_in
from rapid_response.steps.tasks import TaskKind
from rapid_response.storage.tables import IncidentRow, ReferralRow, ReportRow, TaskRow

#: How long a decision is still shown.
LATELY = timedelta(days=28)
#: More than a borough ever has waiting; beyond it the filters help.
MOST = 100


@dataclass(frozen=True, slots=True)
class QueueFilters:
    """What the queue is narrowed to; None means all."""

    category: Category | None = None
    ward: str | None = None
    overdue: bool = False
    is_open: bool | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """One case, the words of its reports that led to it, and the task that is owed, if one is."""

    incident: IncidentRow
    age_words: Sequence[Mapping[str, Any]] = ()
    strand_words: Sequence[Mapping[str, Any]] = ()
    opened_at: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Awaited:
    """One referral without a final answer, and when it is asked after."""

    incident: IncidentRow
    referral: ReferralRow
    chase_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Queue:
    """All of it in one snapshot; what waits is oldest first, what was decided newest first."""

    waiting: Sequence[Queued]
    under_review: Sequence[Queued]
    to_offer: Sequence[Queued]
    awaited: Sequence[Awaited]
    decided: Sequence[Queued]

    @property
    def shown(self) -> tuple[str, ...]:
        """The cases of which words are shown."""
        groups = (self.waiting, self.under_review, self.to_offer, self.decided)
        return tuple(dict.fromkeys(queued.incident.id for group in groups for queued in group))


def count_owed(connection: Connection) -> int:
    """How many decisions are owed, of open cases and others."""
    owed: int = connection.execute(
        select(func.count())
        .select_from(TaskRow)
        .where(col(TaskRow.state) == TaskState.OPEN, col(TaskRow.kind) == TaskKind.REVIEW_AGE_TARGETING.value)
    ).scalar_one()
    return owed


def read_queue(connection: Connection, filters: QueueFilters, now: datetime) -> Queue:
    """The queue as it stands."""
    reading = _Reading(connection, filters, now)
    reviews = reading.owed(TaskKind.REVIEW_AGE_TARGETING)
    offers = reading.owed(TaskKind.OFFER_POLICE_HATE_REFERRAL)
    decided = reading.decided()
    words = _words(connection, [i for i, _ in (*reviews, *offers)] + list(decided))
    queued = [_queued(incident, task, words) for incident, task in reviews]
    return Queue(
        waiting=[q for q in queued if q.incident.age_state is not AgeTargeting.UNDER_REVIEW],
        under_review=[q for q in queued if q.incident.age_state is AgeTargeting.UNDER_REVIEW],
        to_offer=[_queued(incident, task, words) for incident, task in offers],
        awaited=reading.awaited(),
        decided=[_queued(incident, None, words) for incident in decided],
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    connection: Connection
    filters: QueueFilters
    now: datetime

    def owed(self, kind: TaskKind) -> Sequence[tuple[IncidentRow, TaskRow]]:
        """Cases with an open task of that kind, the oldest task first."""
        query = (
            typed_select(IncidentRow, TaskRow)
            .where(
                col(TaskRow.incident_id) == col(IncidentRow.id),
                col(TaskRow.state) == TaskState.OPEN,
                col(TaskRow.kind) == kind.value,
                *self._narrowed(col(TaskRow.due_at)),
            )
            .order_by(col(TaskRow.opened_at), col(TaskRow.id))
            .limit(MOST)
        )
        return Session(self.connection).exec(query).all()

    def decided(self) -> Sequence[IncidentRow]:
        """What people decided lately; nothing of it can be overdue."""
        if self.filters.overdue:
            return ()
        query = (
            typed_select(IncidentRow)
            .where(
                col(IncidentRow.review_decided_at) >= self.now - LATELY,
                col(IncidentRow.age_state).in_(DECISIONS),
                *self._narrowed(None),
            )
            .order_by(col(IncidentRow.review_decided_at).desc(), col(IncidentRow.id))
            .limit(MOST)
        )
        return Session(self.connection).exec(query).all()

    def awaited(self) -> Sequence[Awaited]:
        """Referrals without a final answer, whose turn it is to be asked after first."""
        query = (
            typed_select(IncidentRow, ReferralRow, col(TaskRow.due_at))
            .where(
                col(ReferralRow.incident_id) == col(IncidentRow.id),
                col(ReferralRow.state).in_((ReferralState.SENT, ReferralState.ACKNOWLEDGED)),
                col(TaskRow.subject) == col(ReferralRow.id),
                col(TaskRow.state) == TaskState.OPEN,
                *self._narrowed(col(TaskRow.due_at)),
            )
            .order_by(col(TaskRow.due_at), col(ReferralRow.id))
            .limit(MOST)
        )
        found = Session(self.connection).exec(query).all()
        return [Awaited(incident, referral, due) for incident, referral, due in found]

    def _narrowed(self, due_at: Mapped[datetime] | None) -> Iterable[ColumnElement[bool]]:
        filters = self.filters
        if filters.category is not None:
            yield col(IncidentRow.category) == filters.category
        if filters.ward is not None:
            yield col(IncidentRow.ward) == filters.ward
        if filters.is_open is not None:
            yield col(IncidentRow.is_open) == filters.is_open
        if filters.overdue and due_at is not None:
            yield due_at < self.now


_Words = Mapping[str, Sequence[ReportRow]]


def _words(connection: Connection, incidents: Sequence[IncidentRow]) -> _Words:
    """The reports of those cases."""
    ids = {incident.id for incident in incidents}
    query = (
        typed_select(ReportRow)
        .where(col(ReportRow.incident_id).in_(ids))
        .order_by(col(ReportRow.recorded_at), col(ReportRow.id))
    )
    found: dict[str, list[ReportRow]] = defaultdict(list)
    for report in Session(connection).exec(query):
        found[report.incident_id].append(report)
    return found


def _queued(incident: IncidentRow, task: TaskRow | None, words: _Words) -> Queued:
    reports = words.get(incident.id, ())
    return Queued(
        incident,
        evidence_in(reports, "age_targeted"),
        evidence_in(reports, "hate_strand"),
        opened_at=task.opened_at if task else None,
        due_at=task.due_at if task else None,
    )
