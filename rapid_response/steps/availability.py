"""A responder goes off duty now, or comes on: it takes effect at once."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import model_validator
from sqlmodel import col, select

from rapid_response.core.events import SERVICE_STREAM, AvailabilityChanged
from rapid_response.core.incident import Action
from rapid_response.core.states import AvailabilityKind, OfferState
from rapid_response.steps import companions, offers
from rapid_response.steps.case import allowed, hold
from rapid_response.steps.commands import Command
from rapid_response.steps.desk import Desk, Who
from rapid_response.steps.errors import Invalid, NotFound
from rapid_response.steps.service import Service, service_now
from rapid_response.storage.tables import AvailabilityRow, IncidentRow, OfferRow, ResponderRow
from rapid_response.storage.tx import Tx


class HeldJobs(StrEnum):
    """What becomes of the jobs of somebody who goes off."""

    RELEASE = "release"
    KEEP = "keep"


class Availability(Command):
    """`off` until a time or until further notice; `on` ends that, and beyond the rota lasts `until`."""

    state: AvailabilityKind
    until: datetime | None = None
    held_jobs: HeldJobs = HeldJobs.RELEASE

    @model_validator(mode="after")
    def _aware(self) -> Availability:
        if self.until is not None and self.until.tzinfo is None:
            raise ValueError("give until with its time zone, for example 2026-10-25T09:00:00+00:00")
        return self


def set_availability(tx: Tx, desk: Desk, responder_id: str, wanted: Availability, who: Who) -> None:
    """Record the exception from the rota; jobs are given back, or kept as said."""
    service = service_now(tx, desk.zone)
    if service.definition.responder(responder_id) is None:
        raise NotFound("There is no responder with this id in the service definition.")
    if wanted.until is not None and wanted.until <= tx.now:
        raise Invalid("Give a time that is still to come.", "until")
    # Incidents before the responder: the order of locks that cannot deadlock (design.md 3).
    affected = [hold(tx, incident_id) for incident_id in _concerned(tx, responder_id)]
    if tx.get(ResponderRow, responder_id, lock=True) is None:
        tx.add(ResponderRow, id=responder_id)
    _end_exceptions(tx, responder_id)
    on_duty_anyway = responder_id in service_now(tx, desk.zone).on_duty(tx.now)
    if wanted.state is AvailabilityKind.OFF or not on_duty_anyway:
        tx.add(
            AvailabilityRow,
            id=tx.ids.uuid(),
            responder_id=responder_id,
            kind=wanted.state,
            from_at=tx.now,
            until_at=wanted.until,
        )
    tx.record(SERVICE_STREAM, AvailabilityChanged(responder_id, wanted.state, wanted.until))
    after = service_now(tx, desk.zone)
    if wanted.state is AvailabilityKind.ON:
        offers.retry_all(tx)
        return
    for incident in affected:
        if incident.owner is None and offers.answerable(tx, incident, responder_id):
            offers.decline(tx, desk, after, incident, responder_id, Who(who.actor, "off_duty"))
        if wanted.held_jobs is HeldJobs.RELEASE:
            _give_back(tx, desk, after, incident, responder_id, who)


def _give_back(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, responder_id: str, who: Who
) -> None:
    """What she has in hand passes on; somebody at the door finishes there."""
    companions.goes_off(tx, desk, service, incident, responder_id, who)
    if incident.owner == responder_id and Action.RELEASE in allowed(incident):
        offers.release(tx, desk, service, incident, "off_duty")


def _concerned(tx: Tx, responder_id: str) -> list[str]:
    """Open incidents offered to, held or gone along to by that responder; in the order of their ids."""
    rows = tx.all(
        select(OfferRow).where(
            col(OfferRow.responder_id) == responder_id,
            col(OfferRow.state).in_((OfferState.OPEN, OfferState.ACCEPTED)),
        )
    )
    return sorted({row.incident_id for row in rows} | set(companions.goes_along(tx, responder_id)))


def _end_exceptions(tx: Tx, responder_id: str) -> None:
    for row in tx.all(
        select(AvailabilityRow).where(
            col(AvailabilityRow.responder_id) == responder_id, col(AvailabilityRow.ended_at).is_(None)
        )
    ):
        row.ended_at = tx.now
