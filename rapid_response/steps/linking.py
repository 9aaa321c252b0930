"""How incidents belong together, as a person says: one told twice, one suspect, or related (design.md 8).

The machine suggests; nothing is joined and no series is made without somebody's word. Both incidents are
locked by whoever calls, in the order of their ids.
"""

from __future__ import annotations

from rapid_response.core.incident import Action
from rapid_response.core.vocabulary import Link
from rapid_response.steps import joining, knowing
from rapid_response.steps.case import check, find
from rapid_response.steps.commands import LinkTo
from rapid_response.steps.desk import Desk, Who
from rapid_response.steps.errors import Invalid, NotFound
from rapid_response.steps.service import Service
from rapid_response.storage.tables import IncidentRow
from rapid_response.storage.tx import Tx

_NOT_FOUND = "There is no incident with this reference. Check it, or look on the board."


def link(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, command: LinkTo, who: Who
) -> IncidentRow:
    """Say how another incident belongs to this one, or that it does not; returns the other one."""
    check(incident, Action.LINK)
    other = other_of(tx, incident, command.reference)
    if command.dismiss:
        _dismiss(tx, incident, other, command)
    elif command.kind is Link.DUPLICATE_OF:
        if incident.duplicate_of != other.id:
            joining.join(tx, desk, service, incident, other, who, command.reason)
    elif command.kind is not None:
        _assert(tx, incident, other, command.kind, command.reason)
    return other


def other_of(tx: Tx, incident: IncidentRow, reference: str) -> IncidentRow:
    """The incident that is named beside this one; raises Invalid for none, or for itself."""
    try:
        other = find(tx, reference)
    except NotFound:
        raise Invalid(_NOT_FOUND, "reference") from None
    if other.id == incident.id:
        raise Invalid("This is the incident itself. Give the reference of the other one.", "reference")
    return other


def _assert(tx: Tx, incident: IncidentRow, other: IncidentRow, kind: Link, reason: str | None) -> None:
    """A person makes, or confirms, a series; what she says of her own accord has a reason."""
    said = knowing.link_between(tx, incident.id, other.id)
    if said is not None and said.kind == Link.DUPLICATE_OF and said.state == knowing.ACCEPTED:
        raise Invalid("These two are joined already. Open the joined one again to take them apart.", "kind")
    if reason is None and (said is None or said.state == knowing.REJECTED):
        raise Invalid("Say why the two belong together.", "reason")
    knowing.decide(tx, incident.id, other.id, accepted=True, kind=kind.value, reason=reason)


def _dismiss(tx: Tx, incident: IncidentRow, other: IncidentRow, command: LinkTo) -> None:
    said = knowing.link_between(tx, incident.id, other.id)
    if said is None:
        raise Invalid("Nothing links these two incidents.", "reference")
    if said.kind == Link.DUPLICATE_OF and said.state == knowing.ACCEPTED:
        raise Invalid("These two are joined. Open the joined one again to take them apart.", "reference")
    knowing.decide(tx, incident.id, other.id, accepted=False, kind=said.kind, reason=command.reason)
