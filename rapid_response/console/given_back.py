"""What is said after a job was refused, given back or taken back: what happens next, as the case stands."""

from __future__ import annotations

from rapid_response.core.incident import Status
from rapid_response.core.vocabulary import ClockState
from rapid_response.storage.tables import IncidentRow

_NEXT = {
    Status.DISPATCHING: "Somebody else is asked",
    Status.UNASSIGNED: "Nobody is left to ask: the duty officer finds somebody",
    Status.AWAITING_REVIEW: "A person looks at it first",
}


def sentence(done: str, incident: IncidentRow) -> str:
    """`done`, and what follows, where anything does."""
    follows = _follows(incident)
    return f"{done}. {follows}" if follows else done


def _follows(incident: IncidentRow) -> str:
    if incident.stopped_at is not None:
        # The victim was helped: nobody else is asked.
        return "Somebody sees how the person is on the next working day" if incident.is_open else ""
    if incident.clock_state is ClockState.PAUSED:
        return "Nobody is asked while the clock is paused"
    return _NEXT.get(incident.status, "")
