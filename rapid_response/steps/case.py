"""An incident as steps hold it: found, locked, moved by the one table of statuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import col
from sqlmodel import select as typed_select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core.facts import Facts, facts_from_json
from rapid_response.core.incident import (
    OPEN_STATUSES,
    Action,
    ClockFacts,
    Move,
    after,
    allowed_actions,
)
from rapid_response.core.vocabulary import ClockState
from rapid_response.steps.errors import Invalid, NotFound
from rapid_response.storage.once import once
from rapid_response.storage.tables import IncidentRow, OfferRow, ReportRow
from rapid_response.storage.tx import Tx


def find(tx: Tx, reference: str) -> IncidentRow:
    """The incident of that reference, locked; raises :class:`NotFound`."""
    incident_id = tx.execute(
        select(col(IncidentRow.id)).where(col(IncidentRow.reference) == reference)
    ).scalar()
    return hold(tx, incident_id or "")


def find_with(tx: Tx, reference: str, others: Iterable[str], parts: bool = False) -> IncidentRow:
    """As :func:`find`, with every other incident that the same step changes locked too, by id order.

    `others` are references; who names one that there is not hears so when it is used. `parts`: those to which
    this one's reports went as well.
    """
    wanted = select(col(IncidentRow.id), col(IncidentRow.reference)).where(
        col(IncidentRow.reference).in_([reference, *others])
    )
    ids = {row.reference: row.id for row in tx.execute(wanted)}
    mine = ids.get(reference, "")
    held = {*ids.values(), *(holders_of(tx, mine) if parts else ())}
    for incident_id in sorted(held):
        hold(tx, incident_id)
    if parts and not set(holders_of(tx, mine)) <= held:
        raise Invalid("Somebody else changed this at the same moment. Try again.")
    return hold(tx, mine)


def parts_of(tx: Tx, incident_id: str) -> set[str]:
    """This incident, and all that were joined to it, and to those."""
    found, newest = {incident_id}, {incident_id}
    while newest:
        joined = select(col(IncidentRow.id)).where(col(IncidentRow.duplicate_of).in_(newest))
        newest = set(tx.execute(joined).scalars()) - found
        found |= newest
    return found


def holders_of(tx: Tx, incident_id: str) -> list[str]:
    """The other incidents to which its reports, and those joined to it, belong now; in the order of ids."""
    mine = parts_of(tx, incident_id)
    elsewhere = (
        select(col(ReportRow.incident_id))
        .where(col(ReportRow.first_incident_id).in_(mine), col(ReportRow.incident_id) != incident_id)
        .distinct()
    )
    return sorted(tx.execute(elsewhere).scalars())


def reports_of(tx: Tx, incident: IncidentRow) -> list[ReportRow]:
    """The reports of this incident, first received first."""
    return list(
        tx.all(
            typed_select(ReportRow)
            .where(col(ReportRow.incident_id) == incident.id)
            .order_by(col(ReportRow.received_at), col(ReportRow.recorded_at), col(ReportRow.id))
        )
    )


def hold(tx: Tx, incident_id: str) -> IncidentRow:
    """The incident of that id, locked; raises :class:`NotFound`."""
    incident = tx.get(IncidentRow, incident_id, lock=True)
    if incident is None:
        raise NotFound("There is no incident with this reference. Check it, or look on the board.")
    return incident


def clock_facts(incident: IncidentRow) -> ClockFacts:
    """What the table of actions looks at."""
    return ClockFacts(
        incident.clock_state,
        incident.stopped_at is not None,
        incident.is_held,
        incident.review_proposed_by is not None,
        has_companion=incident.companion is not None,
        is_handed_over=incident.is_handed_over,
    )


def allowed(incident: IncidentRow) -> tuple[Action, ...]:
    """What a person may do to it now."""
    return allowed_actions(incident.status, clock_facts(incident))


def check(incident: IncidentRow, action: Action) -> None:
    """Raises :class:`~rapid_response.core.incident.NotAllowed` unless the action is legal now."""
    after(incident.status, action, clock_facts(incident))


def move(incident: IncidentRow, action: Action | Move) -> None:
    """Take the incident to the status that follows; raises NotAllowed, which lists what is legal."""
    incident.status = after(incident.status, action, clock_facts(incident))
    incident.is_open = incident.status in OPEN_STATUSES


def facts_of(incident: IncidentRow) -> Facts:
    """The facts that hold of it, as they were said."""
    return facts_from_json(incident.facts)


def has_clock(incident: IncidentRow) -> bool:
    """Whether a two-hour clock was started and is not out of play."""
    return incident.clock_state is not ClockState.NOT_APPLICABLE and incident.started_at is not None


def paused_for(incident: IncidentRow) -> timedelta:
    """How long its clock has stood still so far."""
    return timedelta(seconds=incident.paused_seconds)


def offers_of(tx: Tx, incident: IncidentRow) -> list[OfferRow]:
    """The offers of this episode, oldest first."""
    return list(tx.all(_offers(incident.id, incident.episode)))


@once
def _offers(incident_id: str, episode: int) -> SelectOfScalar[OfferRow]:
    return (
        typed_select(OfferRow)
        .where(col(OfferRow.incident_id) == incident_id, col(OfferRow.episode) == episode)
        .order_by(col(OfferRow.made_at), col(OfferRow.id))
    )


def is_aged_60_plus(victim: Mapping[str, Any]) -> bool:
    """HMICFRS and the CPS work with 60 and over; an aid to counting, never a trigger."""
    age = victim.get("age")
    return isinstance(age, int) and age >= 60
