"""Whoever goes is told that her job has changed: by text, in words that any offer may hold."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from rapid_response.core.states import OfferState, Purpose
from rapid_response.steps import texts
from rapid_response.steps.case import offers_of
from rapid_response.steps.outbox import queue
from rapid_response.steps.service import Service
from rapid_response.storage.tables import IncidentRow
from rapid_response.storage.tx import Tx

#: How long it is worth telling somebody that her job has changed.
_WORTH_TELLING = timedelta(hours=1)


def going(tx: Tx, incident: IncidentRow) -> tuple[str, ...]:
    """The responders who have the job, go along, or are being asked."""
    live = [o for o in offers_of(tx, incident) if o.state in (OfferState.OPEN, OfferState.ACCEPTED)]
    along = [incident.companion] if incident.companion else []
    return tuple(dict.fromkeys([*(o.responder_id for o in live), *along]))


def more_dangerous(tx: Tx, service: Service, incident: IncidentRow, who: Iterable[str]) -> None:
    """It is more urgent, or more dangerous, than they were told: this waits for no other text."""
    tell(tx, service, incident, who, texts.changed(incident, tx.now), rank=0)


def tell(
    tx: Tx, service: Service, incident: IncidentRow, who: Iterable[str], body: str, rank: int | None = None
) -> None:
    """Text those responders."""
    for responder_id in who:
        responder = service.definition.responder(responder_id)
        if responder is None or not responder.sms:
            continue
        queue(
            tx,
            key=f"changed:{tx.ids.uuid()}",
            purpose=Purpose.REMINDER,
            to_number=responder.sms,
            recipient=f"responder:{responder_id}",
            body=body,
            incident=incident,
            expires_at=tx.now + _WORTH_TELLING,
            rank=rank,
            is_new=True,
        )
