"""A case is handed over to another authority's service, and stays ours until they say that they have it.

What they are given is kept word for word, with its digest in the log and our signature, so that nobody need
argue later about what was said. It holds what they need to go there, and nothing of other cases.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlmodel import col, select

from rapid_response.core import events as happened
from rapid_response.core.definition import ServiceDefinition
from rapid_response.core.incident import Action
from rapid_response.core.notices import BORDERS
from rapid_response.core.vocabulary import Area, ContactRole, TransferState
from rapid_response.places import rules
from rapid_response.sla.rules import Kind
from rapid_response.steps import borders, commands, corrections, notices
from rapid_response.steps.case import check, reports_of
from rapid_response.steps.clock import disarm
from rapid_response.steps.desk import Desk
from rapid_response.steps.errors import Invalid
from rapid_response.steps.knowing import links_of, safe_contact_of
from rapid_response.steps.service import Service
from rapid_response.steps.tasks import TaskKind, open_task
from rapid_response.storage.tables import IncidentRow, TransferRow
from rapid_response.storage.tx import Tx

#: What our signature on a hand-over is good for.
PURPOSE = "transfer"


def send(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, command: commands.Transfer) -> None:
    """Hand it over: who gets it, how, and by what words. From now on their answer is waited for."""
    check(incident, Action.TRANSFER)
    if incident.area is Area.INSIDE and not command.reason:
        raise Invalid(
            "The victim’s home is inside our area, so it is ours to answer. Say why it is handed over.",
            "reason",
        )
    neighbour, name = _to_whom(service.definition, incident, command.to)
    transfer_id = tx.ids.uuid()
    document = _document(tx, service, incident, transfer_id, name)
    digest = hashlib.sha256(document.encode()).hexdigest()
    tx.add(
        TransferRow,
        id=transfer_id,
        incident_id=incident.id,
        neighbour=neighbour,
        to_name=name,
        state=TransferState.SENT,
        means=command.means,
        handed_to=command.handed_to,
        document=document,
        digest=digest,
        signature=desk.signer.sign(PURPOSE, transfer_id, digest),
        sent_at=tx.now,
        sent_by=tx.actor,
        moved_by=tx.actor,
    )
    incident.is_handed_over = True
    tx.record(
        incident.id,
        happened.TransferMoved(
            transfer_id,
            neighbour,
            TransferState.SENT,
            command.means,
            digest,
            reason_given=command.reason is not None,
        ),
    )
    within = rules.hand_over_within(incident.priority)
    due = tx.now + within if within is not None else service.next_working_day(tx.now)
    open_task(tx, incident, TaskKind.TRANSFER, ContactRole.DUTY_OFFICER, due)
    notices.overtaken(tx, incident, BORDERS)
    if incident.priority.has_clock:
        borders.climb_from_now(tx, incident, transfer_id)


def acknowledge(tx: Tx, incident: IncidentRow, command: commands.TransferAcknowledged) -> None:
    """Somebody there says that they have it: their name, and their reference where they gave one."""
    transfer = waiting(tx, incident)
    transfer.reference = command.reference
    _answered(tx, incident, transfer, TransferState.ACKNOWLEDGED, command.by)


def decline(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, command: commands.TransferDeclined
) -> None:
    """They do not take it: it is ours as before, and somebody here is told at once."""
    check(incident, Action.TRANSFER_DECLINED)
    transfer = waiting(tx, incident)
    transfer.reason = command.reason
    _answered(tx, incident, transfer, TransferState.DECLINED, command.by, reason_given=True)
    if incident.area is Area.OUTSIDE and incident.stopped_at is None:
        borders.watch(tx, desk, service, incident)
    elif incident.area is not Area.OUTSIDE:
        borders.stand_easy(tx, incident)


def withdraw(tx: Tx, incident: IncidentRow) -> None:
    """The case is over otherwise: no answer is waited for any more."""
    if incident.is_handed_over:
        _answered(tx, incident, waiting(tx, incident), TransferState.WITHDRAWN, None)


def _answered(
    tx: Tx,
    incident: IncidentRow,
    transfer: TransferRow,
    state: TransferState,
    by: str | None,
    *,
    reason_given: bool = False,
) -> None:
    transfer.state, transfer.moved_by = state, tx.actor
    transfer.answered_at, transfer.answered_by = tx.now, by
    incident.is_handed_over = False
    disarm(tx, incident, [Kind.BORDER], state.value)
    notices.overtaken(tx, incident, BORDERS)
    tx.record(
        incident.id,
        happened.TransferMoved(
            transfer.id, transfer.neighbour, state, transfer.means, transfer.digest, reason_given
        ),
    )


def waiting(tx: Tx, incident: IncidentRow) -> TransferRow:
    """The hand-over whose answer is waited for."""
    found = tx.first(
        select(TransferRow).where(
            col(TransferRow.incident_id) == incident.id, col(TransferRow.state) == TransferState.SENT
        )
    )
    if found is None:
        raise Invalid("No hand-over of this incident waits for an answer.")
    return found


def _to_whom(definition: ServiceDefinition, incident: IncidentRow, said: str | None) -> tuple[str, str]:
    """The neighbour's id where it is one of ours, and the name of the service."""
    neighbour = (
        rules.neighbour_called(definition, said)
        if said
        else rules.neighbour_of(definition, incident.authority)
    )
    if neighbour is not None:
        return neighbour.id, neighbour.name
    if not said:
        raise Invalid(
            "Say to which service it is handed over: the area of this address has none listed.", "to"
        )
    return "", said


def _document(tx: Tx, service: Service, incident: IncidentRow, transfer_id: str, to_name: str) -> str:
    """What they are given: canonical JSON, so that the same words always have the same digest."""
    reports = reports_of(tx, incident)
    corrected = corrections.corrections_of(tx, incident.id)
    given: dict[str, Any] = {
        "transfer": transfer_id,
        "from": service.definition.name,
        "from_phone": service.definition.hotline,
        "to": to_name,
        "sent_at": tx.now.isoformat(),
        "reference": incident.reference,
        "priority": incident.priority,
        "category": incident.category,
        "received_at": incident.received_at.isoformat(),
        "do_not_enter_alone": incident.joint,
        "location": incident.location,
        "victim": incident.victim,
        "safe_contact": safe_contact_of(incident, links_of(tx, incident.id)),
        "facts": incident.facts,
        "suspect": incident.suspect,
        "reports": [
            {
                "received_at": report.received_at.isoformat(),
                "caller": corrections.caller_now(report, corrected),
                "narrative": report.narrative,
            }
            for report in reports
        ],
    }
    return json.dumps(given, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
