"""The time for which people's data may be kept, and its end (domain.md 6, reliability.md S10).

What is erased leaves a tombstone: the case's row, its codes and its log stay, so that no count changes
(scenario 58). A legal hold, an open task, or a clock that nobody trusts stops it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, delete, exists, or_, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as typed_select

from rapid_response.core.definition import Retention
from rapid_response.core.events import PersonalDataErased
from rapid_response.core.states import TaskState
from rapid_response.core.vocabulary import ReferralKind, RetentionClass
from rapid_response.privacy import rules
from rapid_response.steps import disclosing
from rapid_response.steps.case import hold
from rapid_response.steps.clockwatch import may_delete
from rapid_response.steps.service import stored_definition
from rapid_response.steps.tasks import open_tasks
from rapid_response.storage.records import table_of
from rapid_response.storage.tables import (
    AlarmRow,
    CallRow,
    CorrectionRow,
    DisclosureRow,
    IdempotencyRow,
    IdentifierRow,
    InboundMessageRow,
    IncidentRow,
    NoteRow,
    NotificationRow,
    ReferralRow,
    ReportRow,
    SuggestedLinkRow,
    TaskRow,
    TransferRow,
    ViewReasonRow,
)
from rapid_response.storage.tx import Tx, read_from

#: So many cases in one round; the rest the next day, or the next second.
AT_ONCE = 100
_ANY_ZONE = ZoneInfo("UTC")
#: What stands where words were.
GONE = ""


@dataclass(frozen=True, slots=True)
class Due:
    """A case whose time is over."""

    incident_id: str
    kind: RetentionClass


@dataclass(frozen=True, slots=True)
class Standing:
    """What a round would erase now, and what stops it."""

    cases: Mapping[RetentionClass, int]
    notifications: int
    texts: int
    held: int
    owed: int
    kept: Retention


def due(connection: Connection, now: datetime, limit: int = AT_ONCE) -> list[Due]:
    """The cases whose time is over and that nothing stops, longest ended first."""
    found = (Due(row.id, kind) for row, kind in _ended(connection, now) if not (row.is_held or row.is_owed))
    return [one for one, _ in zip(found, range(limit), strict=False)]


def standing(connection: Connection, now: datetime) -> Standing:
    """A dry run: how much of each class would go, and how much is held or owed."""
    cases: Counter[RetentionClass] = Counter()
    held = owed = 0
    for row, kind in _ended(connection, now):
        if row.is_held:
            held += 1
        elif row.is_owed:
            owed += 1
        else:
            cases[kind] += 1
    counted = {kind: cases[kind] for kind in RetentionClass}
    kept = periods(connection)
    return Standing(
        counted,
        len(_old_notifications(connection, now, kept)),
        len(_old_texts(connection, now, kept)) + len(_old_callers(connection, now, kept)),
        held,
        owed,
        kept,
    )


def _ended(connection: Connection, now: datetime) -> list[tuple[Any, RetentionClass]]:
    """Ended cases whose time is over, with their class.

    For each class one reach into the index of what ended: not those are read that will stay for years.
    """
    row, kept = IncidentRow, periods(connection)
    owed = exists().where(col(TaskRow.incident_id) == col(row.id), col(TaskRow.state) == TaskState.OPEN)
    is_held = or_(col(row.legal_hold_at).is_not(None), _is_part_of_held(col(row.id)))
    found: list[tuple[Any, RetentionClass]] = []
    for kind in RetentionClass:
        rows = connection.execute(
            select(col(row.id), col(row.closed_at), is_held.label("is_held"), owed.label("is_owed")).where(
                col(row.retention_class) == kind,
                col(row.erased_at).is_(None),
                col(row.closed_at) <= rules.ended_by(kind, now, kept),
            )
        )
        found += [(r, kind) for r in rows if rules.due_at(kind, r.closed_at, kept) <= now]
    return sorted(found, key=lambda one: (one[0].closed_at, one[0].id))


def _is_part_of_held(incident_id: Any) -> ColumnElement[bool]:
    """Whether a case is held that was joined to this one, or that this one was joined to: they are one story.

    A report stands with the case that it was joined to, and the rest of what was said with its own.
    """
    report, other = aliased(ReportRow), aliased(IncidentRow)
    now, first, held = col(report.incident_id), col(report.first_incident_id), col(other.legal_hold_at)
    return or_(
        exists().where(now == incident_id, col(other.id) == first, held.is_not(None)),
        exists().where(first == incident_id, col(other.id) == now, held.is_not(None)),
    )


def is_of_held(incident_id: Any) -> ColumnElement[bool]:
    """Whether what belongs to that case is held; what belongs to none never is."""
    mine = aliased(IncidentRow)
    is_held = exists().where(col(mine.id) == incident_id, col(mine.legal_hold_at).is_not(None))
    return or_(is_held, _is_part_of_held(incident_id))


def periods(connection: Connection | Tx) -> Retention:
    """How long the council keeps what; as proposed while no service is loaded."""
    # In which zone its people live plays no part in it.
    definition = stored_definition(connection, _ANY_ZONE)
    return definition.retention if definition is not None else Retention()


def classify(tx: Tx, incident: IncidentRow) -> None:
    """Which class a case that has ended belongs to, as it stands now; none while it is open."""
    found = None if incident.is_open else _class_of(tx, incident)
    if incident.retention_class is not found:
        incident.retention_class = found


def is_told_of_again(incident: IncidentRow) -> None:
    """Words are written into a case whose people were erased: it has people again, who go when it is due."""
    if incident.erased_at is not None:
        incident.erased_at = None


# --- erasing ----------------------------------------------------------------------------------------------

#: Of each table that belongs to a case, what is written over its people's words.
_BLANKS: tuple[tuple[type[SQLModel], Mapping[str, Any]], ...] = (
    (CorrectionRow, {"old": None, "new": None, "reason": None}),
    (NoteRow, {"body": GONE}),
    (InboundMessageRow, {"body": GONE, "from_number": GONE}),
    (CallRow, {"from_number": GONE, "to_number": GONE}),
    (ReferralRow, {"reference": None, "reason": None}),
    (
        TransferRow,
        {"document": GONE, "reason": None, "handed_to": None, "answered_by": None, "reference": None},
    ),
    (ViewReasonRow, {"words": None}),
    (AlarmRow, {"ended_reason": None}),
)


def erase(tx: Tx, incident_id: str) -> RetentionClass | None:
    """Erase one case's people, if its time is over and nothing stops it; None where it is not erased."""
    incident = hold(tx, incident_id)
    if incident.is_open or incident.erased_at is not None or incident.legal_hold_at is not None:
        return None
    if not may_delete(tx) or open_tasks(tx, incident_id) or incident.closed_at is None:
        return None
    if tx.execute(select(_is_part_of_held(incident_id))).scalar():
        return None
    kind = _class_of(tx, incident)
    if rules.due_at(kind, incident.closed_at, periods(tx)) > tx.now:
        return None
    rows = _blank(tx, incident)
    tx.record(incident_id, PersonalDataErased(kind, rows))
    return kind


def _class_of(tx: Tx, incident: IncidentRow) -> RetentionClass:
    went_to_care = _went_to_care(tx, incident.id)
    return rules.retention_class(incident.disposition, incident.priority, incident.safeguarding, went_to_care)


def _went_to_care(tx: Tx, incident_id: str) -> bool:
    """Whether social care was told of it, or of a case whose reports stand here since it was joined."""
    joined = select(col(ReportRow.first_incident_id)).where(col(ReportRow.incident_id) == incident_id)
    query = typed_select(ReferralRow).where(
        or_(col(ReferralRow.incident_id) == incident_id, col(ReferralRow.incident_id).in_(joined)),
        col(ReferralRow.kind) == ReferralKind.ASC_SAFEGUARDING,
    )
    return tx.first(query) is not None


def _blank(tx: Tx, incident: IncidentRow) -> int:
    """Write over everything said of anybody, wherever it is kept; returns how many rows it stood in."""
    incident.victim, incident.location, incident.suspect = {}, {}, {}
    incident.safe_contact, incident.reading, incident.facts = {}, {}, {}
    incident.police_hate_crime_ref = None
    incident.erased_at = tx.now
    rows = 1
    # A report that was joined to another case goes with that one.
    rows += tx.execute(
        update(table_of(ReportRow))
        .where(col(ReportRow.incident_id) == incident.id)
        .values(narrative=GONE, caller={}, answers={}, reading={}, external_reference=None)
    ).rowcount
    for row, values in _BLANKS:
        rows += tx.execute(
            update(table_of(row)).where(col(row.incident_id) == incident.id).values(**values)  # type: ignore[attr-defined]
        ).rowcount
    rows += tx.execute(
        update(table_of(DisclosureRow))
        .where(col(DisclosureRow.incident_id) == incident.id)
        .values(document=GONE, to_name=GONE, authority=GONE, erased_at=tx.now)
    ).rowcount
    rows += disclosing.take_off(tx, incident)
    # What a partner told without asking us to act, where this case was raised from it.
    rows += tx.execute(
        update(table_of(NotificationRow))
        .where(col(NotificationRow.incident_id) == incident.id, col(NotificationRow.erased_at).is_(None))
        .values(report={}, erased_at=tx.now)
    ).rowcount
    rows += tx.execute(
        update(table_of(SuggestedLinkRow))
        .where(
            or_(
                col(SuggestedLinkRow.from_incident_id) == incident.id,
                col(SuggestedLinkRow.to_incident_id) == incident.id,
            )
        )
        .values(reason=None, reasons=[])
    ).rowcount
    rows += tx.execute(
        delete(table_of(IdentifierRow)).where(col(IdentifierRow.incident_id) == incident.id)
    ).rowcount
    return rows


def _old_notifications(connection: Connection | Tx, now: datetime, kept: Retention) -> list[str]:
    before = rules.months_later(now, -kept.notifications)
    query = select(col(NotificationRow.id)).where(
        col(NotificationRow.received_at) <= before,
        col(NotificationRow.erased_at).is_(None),
        ~is_of_held(col(NotificationRow.incident_id)),
    )
    return list(read_from(connection, query).scalars())


def _old_texts(connection: Connection | Tx, now: datetime, kept: Retention) -> list[str]:
    before = now - kept.texts
    query = select(col(InboundMessageRow.id)).where(
        col(InboundMessageRow.received_at) <= before,
        col(InboundMessageRow.body) != GONE,
        # What a person has yet to read is not taken from her.
        ~col(InboundMessageRow.needs_person),
        ~is_of_held(col(InboundMessageRow.incident_id)),
    )
    return list(read_from(connection, query).scalars())


def _old_callers(connection: Connection | Tx, now: datetime, kept: Retention) -> list[str]:
    """Callers of whom no case came, whoever spoke with them: their numbers go with the words of texts."""
    query = select(col(CallRow.id)).where(
        col(CallRow.inbound),
        col(CallRow.incident_id).is_(None),
        col(CallRow.created_at) <= now - kept.texts,
        col(CallRow.from_number) != GONE,
        ~col(CallRow.needs_person),
    )
    return list(read_from(connection, query).scalars())


def erase_the_rest(tx: Tx) -> int:
    """What belongs to no case: old notifications, words of old texts, numbers of callers, first answers."""
    if not may_delete(tx):
        return 0
    kept = periods(tx)
    told = _old_notifications(tx, tx.now, kept)[:AT_ONCE]
    texts = _old_texts(tx, tx.now, kept)[:AT_ONCE]
    callers = _old_callers(tx, tx.now, kept)[:AT_ONCE]
    if told:
        tx.execute(
            update(table_of(NotificationRow))
            .where(col(NotificationRow.id).in_(told))
            .values(report={}, erased_at=tx.now)
        )
    if texts:
        old = col(InboundMessageRow.id).in_(texts)
        tx.execute(update(table_of(InboundMessageRow)).where(old).values(body=GONE))
        strangers = col(InboundMessageRow.sender).is_(None)
        tx.execute(update(table_of(InboundMessageRow)).where(old, strangers).values(from_number=GONE))
    if callers:
        rang = update(table_of(CallRow)).where(col(CallRow.id).in_(callers))
        tx.execute(rang.values(from_number=GONE, to_number=GONE))
    # They may say where somebody lives, and nobody repeats a request so late.
    old_answers = col(IdempotencyRow.created_at) <= tx.now - kept.texts
    answers = tx.execute(delete(table_of(IdempotencyRow)).where(old_answers)).rowcount
    return len(told) + len(texts) + len(callers) + answers


def held(connection: Connection) -> list[IncidentRow]:
    """The cases of which nothing may be deleted, oldest hold first."""
    rows = Session(connection).exec(
        typed_select(IncidentRow)
        .where(col(IncidentRow.legal_hold_at).is_not(None))
        .order_by(col(IncidentRow.legal_hold_at), col(IncidentRow.id))
    )
    return list(rows)
