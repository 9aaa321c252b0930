"""Whose the case is, whom it is handed on to, and what else was said of it to others."""

from __future__ import annotations

from collections.abc import Mapping

from rapid_response.access.permissions import Permission, may
from rapid_response.console.filling.looking import Looking
from rapid_response.console.views.case_parts import AreaPart, SafeguardingPart
from rapid_response.console.views.pieces import Choice
from rapid_response.console.views.sharing import TransferPart
from rapid_response.core.vocabulary import Area
from rapid_response.places.rules import neighbour_of
from rapid_response.steps import borders, safeguarding
from rapid_response.storage.tables import TransferRow


def safeguarding_part(looking: Looking) -> SafeguardingPart | None:
    """What was decided, or that somebody has to; None where nothing indicates an adult at risk."""
    incident = looking.case.incident
    because = tuple(BECAUSE[code] for code in safeguarding.because(incident))
    if not because and incident.safeguarding is None:
        return None
    return SafeguardingPart(
        because=because,
        decision=incident.safeguarding,
        decided_at=incident.safeguarding_at,
        decided_by=looking.names.actor(incident.safeguarding_by or ""),
    )


#: What indicates an adult at risk, in words.
BECAUSE: Mapping[str, str] = {
    "cognitive_impairment": "memory problems or confusion",
    "carer_dependent": "depends on a carer",
    "disability": "a disability or long illness",
    "vulnerabilities": "said to be vulnerable: read what was said",
}


def area_part(looking: Looking) -> AreaPart:
    """Whose the home is, and who comes there."""
    incident = looking.case.incident
    neighbour = neighbour_of(looking.definition, incident.authority) if looking.definition else None
    return AreaPart(
        area=incident.area,
        authority=borders.authority_name(incident.authority) or incident.authority or "",
        neighbour=neighbour.name if neighbour else "",
        neighbour_phone=(neighbour.phone or "") if neighbour else "",
        did_you_mean=borders.suggestions(incident.location) if incident.area is Area.UNKNOWN else (),
    )


def transfer(row: TransferRow, looking: Looking) -> TransferPart:
    """A hand-over, as its case and its sheet show it."""
    return TransferPart(
        transfer_id=row.id,
        to=row.to_name,
        state=row.state,
        means=row.means,
        sent_at=row.sent_at,
        sent_by=looking.names.actor(row.sent_by),
        handed_to=row.handed_to or "",
        answered_at=row.answered_at,
        answered_by=row.answered_by or "",
        reference=row.reference or "",
        reason=row.reason or "",
        is_erased=not row.document,
        may_read=may(looking.principal, Permission.TRANSFER_READ),
    )


def choices_of(looking: Looking) -> tuple[Choice, ...]:
    """Whom an action may name; those who were asked come first."""
    if looking.definition is None:
        return ()
    asked = {o.responder_id for o in looking.case.offers}
    people = [r for r in looking.definition.responders if r.skills or r.id in asked]
    people.sort(key=lambda r: r.id not in asked)
    return tuple(Choice(r.id, f"{r.name} (asked)" if r.id in asked else r.name) for r in people)
