"""Telling the duty officer something of the service that belongs to no case: once, by text."""

from __future__ import annotations

from rapid_response.core.states import Purpose
from rapid_response.core.vocabulary import ContactRole
from rapid_response.dispatch.rules import who_hears
from rapid_response.steps.desk import Desk
from rapid_response.steps.outbox import queue
from rapid_response.steps.service import NoService, service_now
from rapid_response.storage.tx import Tx


def tell_duty_officer(tx: Tx, desk: Desk, key: str, body: str) -> None:
    """One text to whoever is the duty officer now; a second call with the same key does nothing."""
    try:
        service = service_now(tx, desk.zone)
    except NoService:
        return
    role = ContactRole.DUTY_OFFICER
    for hears in who_hears(role, service.holders(role, tx.now), service.definition.contacts):
        if hears.sms:
            queue(
                tx,
                key=f"alarm:{key}:{hears.id}",
                purpose=Purpose.NOTICE,
                to_number=hears.sms,
                recipient=hears.id,
                body=body,
            )
