"""An incident as steps hold it: found, locked, moved by the one table of statuses."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, select

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
from rapid_response.steps.errors import NotFound
from rapid_response.storage.tables import IncidentRow, OfferRow
from rapid_response.storage.tx import Tx


def find(tx: Tx, reference: str) -> IncidentRow:
    """The incident of that reference, locked; raises :class:`NotFound`."""
    incident_id = tx.execute(select(IncidentRow.id).where(col(IncidentRow.reference) == reference)).scalar()
    return hold(tx, incident_id or "")


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
        has_companion=incident.companion is not None,
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
    """The facts that hold of it."""
    return facts_from_json(incident.facts)


def has_clock(incident: IncidentRow) -> bool:
    """Whether a two-hour clock was started and is not out of play."""
    return incident.clock_state is not ClockState.NOT_APPLICABLE and incident.started_at is not None


def is_counting(incident: IncidentRow) -> bool:
    """Whether a response is still owed: the clock runs, or ran out without one."""
    return (
        incident.is_open
        and incident.stopped_at is None
        and incident.clock_state in (ClockState.RUNNING, ClockState.BREACHED)
    )


def paused_for(incident: IncidentRow) -> timedelta:
    """How long its clock has stood still so far."""
    return timedelta(seconds=incident.paused_seconds)


def offers_of(tx: Tx, incident: IncidentRow) -> list[OfferRow]:
    """The offers of this episode, oldest first."""
    return list(
        tx.all(
            select(OfferRow)
            .where(col(OfferRow.incident_id) == incident.id, col(OfferRow.episode) == incident.episode)
            .order_by(col(OfferRow.made_at), col(OfferRow.id))
        )
    )
