"""Whose case a case is, and why somebody opens one that is not theirs (scenario 57; reliability.md T5).

Nobody is kept out: who gives a reason is let in at once, and the next one up is told. An open case is the
desk's work, so that no prompt ever stands before somebody who needs help.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, or_, select
from sqlmodel import Session, col
from sqlmodel import select as typed_select

from rapid_response.access.principal import Kind, Principal
from rapid_response.core.events import CaseOpenedUnassigned
from rapid_response.core.states import Purpose, TaskState
from rapid_response.core.vocabulary import AgeTargeting, ContactRole, Role, ViewReason
from rapid_response.dispatch.rules import who_hears
from rapid_response.messaging import wording
from rapid_response.privacy import rules
from rapid_response.steps import retention
from rapid_response.steps.case import hold
from rapid_response.steps.desk import Desk
from rapid_response.steps.errors import Forbidden, Invalid
from rapid_response.steps.knowing import REJECTED
from rapid_response.steps.outbox import queue
from rapid_response.steps.service import service_now
from rapid_response.storage.log import record_view
from rapid_response.storage.tables import (
    AccessRow,
    EventRow,
    IncidentRow,
    OfferRow,
    SuggestedLinkRow,
    TaskRow,
    ViewReasonRow,
)
from rapid_response.storage.tx import Tx


def must_say_why(connection: Connection, incident: IncidentRow, principal: Principal, now: datetime) -> bool:
    """Whether this person is asked for a reason before the case is shown."""
    if principal.kind is not Kind.USER:
        return False  # a key is a system: its views are on record, its people answer to it
    near = rules.Nearness(
        is_open=incident.is_open,
        is_owed=False,
        has_acted=False,
        is_reviewed=incident.age_state is not AgeTargeting.NONE or bool(incident.statutory_strands),
    )
    # Nearer is never asked more, and what stands in the case's own row answers for nearly every look.
    if not rules.needs_reason(principal.role, near):
        return False
    if not rules.needs_reason(principal.role, _nearer(connection, incident, principal, now, near)):
        return False
    given = select(func.count()).where(
        col(ViewReasonRow.viewer) == principal.actor,
        col(ViewReasonRow.incident_id) == incident.id,
        col(ViewReasonRow.at) > now - rules.REASON_HOLDS,
    )
    return not connection.execute(given).scalar_one()


def _nearer(
    connection: Connection, incident: IncidentRow, principal: Principal, now: datetime, near: rules.Nearness
) -> rules.Nearness:
    """With what other rows know of her and the case."""

    def any_of(query: Any) -> bool:
        return bool(connection.execute(query).scalar_one())

    owed = select(func.count()).where(
        col(TaskRow.incident_id) == incident.id, col(TaskRow.state) == TaskState.OPEN
    )
    acted = select(func.count()).where(
        # That somebody gave a reason makes it none of theirs.
        col(EventRow.stream) == incident.id,
        col(EventRow.actor) == principal.actor,
        col(EventRow.type) != CaseOpenedUnassigned.type,
    )
    mine = select(func.count()).where(
        col(OfferRow.incident_id) == incident.id, col(OfferRow.responder_id) == principal.responder_id
    )
    # On her screen when it ended: what she was about to do is answered there.
    saw = select(func.count()).where(
        col(AccessRow.incident_id) == incident.id,
        col(AccessRow.viewer) == principal.actor,
        col(AccessRow.at) > now - rules.REASON_HOLDS,
        col(AccessRow.at) <= (incident.closed_at or now),
    )
    return replace(
        near,
        is_owed=any_of(owed) or any_of(_linked_to_open(incident)),
        has_acted=any_of(acted) or any_of(saw) or (principal.responder_id is not None and any_of(mine)),
    )


def _linked_to_open(incident: IncidentRow) -> Any:
    """How many open cases may belong to it: who works on those is led here, to open it again or to join."""
    here, there = col(SuggestedLinkRow.from_incident_id), col(SuggestedLinkRow.to_incident_id)
    other = case((here == incident.id, there), else_=here)
    return (
        select(func.count())
        .select_from(SuggestedLinkRow)
        .join(IncidentRow, col(IncidentRow.id) == other)
        .where(
            or_(here == incident.id, there == incident.id),
            col(SuggestedLinkRow.state) != REJECTED,
            col(IncidentRow.is_open),
        )
    )


def give_reason(
    tx: Tx, desk: Desk, incident_id: str, viewer: Principal, reason: ViewReason, words: str | None
) -> None:
    """Keep why, and tell the next one up; the case may then be opened."""
    if not rules.is_enough(reason, words):
        raise Invalid("Say in a few words why you need to see it.", "words")
    incident = hold(tx, incident_id)
    row_id = tx.ids.uuid()
    tx.add(
        ViewReasonRow,
        id=row_id,
        at=tx.now,
        viewer=tx.actor,
        incident_id=incident.id,
        reason=reason,
        words=words,
    )
    if words:
        retention.is_told_of_again(incident)
    record_view(tx, "reason_given", incident.id)
    tx.record(incident.id, CaseOpenedUnassigned(tx.actor, reason))
    _tell(tx, desk, row_id, viewer.role)


def _tell(tx: Tx, desk: Desk, row_id: str, role: Role | None) -> None:
    """One text to the supervisor, without a word of whose case it is; the page Access says the rest."""
    service = service_now(tx, desk.zone)
    above = ContactRole.HEAD_OF_SERVICE if rules.is_leader(role) else ContactRole.TEAM_LEADER
    for hears in who_hears(above, service.holders(above, tx.now), service.definition.contacts):
        if hears.sms:
            queue(
                tx,
                key=f"opened:{row_id}:{hears.id}",
                purpose=Purpose.NOTICE,
                to_number=hears.sms,
                recipient=hears.id,
                body=wording.opened_unassigned(),
            )


# --- the access log ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """A case opened with a reason, with its reference."""

    row: ViewReasonRow
    reference: str


@dataclass(frozen=True, slots=True)
class Viewed:
    """One entry of the access log; `reference` is empty for a view of no one case."""

    at: datetime
    viewer: str
    what: str
    reference: str


def opened(connection: Connection, *, seen: bool, limit: int = 100) -> list[Opened]:
    """Cases opened with a reason: those nobody has looked at, oldest first; or the others, newest first."""
    wanted = col(ViewReasonRow.seen_at).is_not(None) if seen else col(ViewReasonRow.seen_at).is_(None)
    order = col(ViewReasonRow.at).desc() if seen else col(ViewReasonRow.at)
    rows = Session(connection).exec(
        typed_select(ViewReasonRow, IncidentRow.reference)
        .join(IncidentRow, col(IncidentRow.id) == col(ViewReasonRow.incident_id))
        .where(wanted)
        .order_by(order, col(ViewReasonRow.id))
        .limit(limit)
    )
    return [Opened(row, reference) for row, reference in rows]


def views(
    connection: Connection, *, viewer: str | None = None, reference: str | None = None, limit: int = 200
) -> Sequence[Viewed]:
    """Who looked at what, newest first; of one person, or of one case."""
    query = (
        select(col(AccessRow.at), col(AccessRow.viewer), col(AccessRow.what), col(IncidentRow.reference))
        .join(IncidentRow, col(IncidentRow.id) == col(AccessRow.incident_id), isouter=True)
        .order_by(col(AccessRow.id).desc())
        .limit(limit)
    )
    if viewer is not None:
        query = query.where(col(AccessRow.viewer) == viewer)
    if reference is not None:
        query = query.where(col(IncidentRow.reference) == reference)
    return [Viewed(r.at, r.viewer, r.what, r.reference or "") for r in connection.execute(query)]


def has_seen(tx: Tx, row_id: str) -> None:
    """A supervisor has looked at why somebody opened a case; nobody settles their own."""
    row = tx.get(ViewReasonRow, row_id, lock=True)
    if row is None or row.seen_at is not None:
        return
    if row.viewer == tx.actor:
        raise Forbidden("Somebody else has to look at your own.")
    row.seen_at, row.seen_by = tx.now, tx.actor
