"""A responder goes off duty, comes on, or swaps a shift: at once, or at a time that is planned."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field, model_validator
from sqlalchemy import or_
from sqlmodel import col, select

from rapid_response.core.events import SERVICE_STREAM, AvailabilityChanged
from rapid_response.core.incident import Action
from rapid_response.core.states import AvailabilityKind, OfferState
from rapid_response.intake.report_in import Instant
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import companions, cover, offers
from rapid_response.steps.case import allowed, hold
from rapid_response.steps.commands import Command, Line
from rapid_response.steps.desk import SYSTEM, Desk, Who
from rapid_response.steps.errors import Invalid, NotFound
from rapid_response.steps.refusals import OFF_DUTY
from rapid_response.steps.service import Service, service_now
from rapid_response.storage import work
from rapid_response.storage.tables import AvailabilityRow, IncidentRow, OfferRow, ResponderRow
from rapid_response.storage.tx import Tx


class HeldJobs(StrEnum):
    """What becomes of the jobs of somebody who goes off."""

    RELEASE = "release"
    KEEP = "keep"


class Availability(Command):
    """`off` until a time or until further notice; `on` ends that, and beyond the rota lasts `until`.

    With `from` it is planned, and begins by itself. `swap_with`: somebody else is on for that time instead.
    """

    state: AvailabilityKind
    begins: Instant | None = Field(default=None, alias="from")
    until: Instant | None = None
    held_jobs: HeldJobs = HeldJobs.RELEASE
    swap_with: Line | None = None

    @model_validator(mode="after")
    def _ends(self) -> Availability:
        if self.swap_with is not None and (self.state is AvailabilityKind.ON or self.until is None):
            raise ValueError("a swap takes one person off until a time, and puts another on: give until")
        return self


def set_availability(tx: Tx, desk: Desk, responder_id: str, wanted: Availability, who: Who) -> None:
    """Record the exception from the rota; jobs are given back, or kept as said."""
    _check(tx, desk, responder_id, wanted)
    gaps_before = cover.gaps_ahead(tx, desk)
    begins = max(wanted.begins or tx.now, tx.now)
    if begins > tx.now:
        _plan(tx, responder_id, wanted, begins)
    else:
        _at_once(tx, desk, responder_id, wanted, who)
    if wanted.swap_with is not None:
        _add(tx, wanted.swap_with, AvailabilityKind.ON, begins, wanted.until, swap_with=responder_id)
        tx.record(
            SERVICE_STREAM,
            AvailabilityChanged(
                wanted.swap_with, AvailabilityKind.ON, wanted.until, begins, swap_with=responder_id
            ),
        )
        offers.retry_all(tx)
    cover.tell_of_gaps(tx, desk, service_now(tx, desk.zone), gaps_before)


def _check(tx: Tx, desk: Desk, responder_id: str, wanted: Availability) -> None:
    definition = service_now(tx, desk.zone).definition
    if definition.responder(responder_id) is None:
        raise NotFound("There is no responder with this id in the service definition.")
    if wanted.until is not None and wanted.until <= max(tx.now, wanted.begins or tx.now):
        raise Invalid("Give a time that is still to come, and after it begins.", "until")
    if wanted.swap_with is None:
        return
    if wanted.swap_with == responder_id or definition.responder(wanted.swap_with) is None:
        raise Invalid("Name another responder of the service definition to swap with.", "swap_with")


def _plan(tx: Tx, responder_id: str, wanted: Availability, begins: datetime) -> None:
    row_id = _add(
        tx,
        responder_id,
        wanted.state,
        begins,
        wanted.until,
        swap_with=wanted.swap_with,
        releases=wanted.held_jobs is HeldJobs.RELEASE,
    )
    work.arm(tx, "", 1, 4, [Deadline(Kind.ABSENCE, begins, row_id)])
    tx.record(
        SERVICE_STREAM,
        AvailabilityChanged(responder_id, wanted.state, wanted.until, begins, wanted.swap_with),
    )


def _add(
    tx: Tx,
    responder_id: str,
    kind: AvailabilityKind,
    begins: datetime,
    until: datetime | None,
    *,
    swap_with: str | None = None,
    releases: bool = True,
) -> str:
    row_id = tx.ids.uuid()
    tx.add(
        AvailabilityRow,
        id=row_id,
        responder_id=responder_id,
        kind=kind,
        from_at=begins,
        until_at=until,
        swap_with=swap_with,
        releases=releases,
    )
    # Whoever asks next in this step who is on duty is to see it.
    tx.flush()
    return row_id


def _at_once(tx: Tx, desk: Desk, responder_id: str, wanted: Availability, who: Who) -> None:
    # Incidents before the responder: the order of locks that cannot deadlock (design.md 3).
    affected = [hold(tx, incident_id) for incident_id in _concerned(tx, responder_id)]
    if tx.get(ResponderRow, responder_id, lock=True) is None:
        tx.add(ResponderRow, id=responder_id)
    _end_exceptions(tx, responder_id)
    if wanted.state is AvailabilityKind.OFF or _is_beyond_the_rota(tx, desk, responder_id, wanted.until):
        _add(tx, responder_id, wanted.state, tx.now, wanted.until, swap_with=wanted.swap_with)
    tx.record(
        SERVICE_STREAM,
        AvailabilityChanged(responder_id, wanted.state, wanted.until, swap_with=wanted.swap_with),
    )
    if wanted.state is AvailabilityKind.ON:
        offers.retry_all(tx)
        return
    _goes_off(tx, desk, affected, responder_id, who, releases=wanted.held_jobs is HeldJobs.RELEASE)


def _is_beyond_the_rota(tx: Tx, desk: Desk, responder_id: str, until: datetime | None) -> bool:
    """Whether she would be off now, or before that time, if the rota alone held."""
    service = service_now(tx, desk.zone)
    ends = service.shift_end(responder_id, tx.now)
    is_extended = ends is not None and until is not None and ends < until
    return is_extended or responder_id not in service.on_duty(tx.now)


def begin(tx: Tx, desk: Desk, row_id: str) -> None:
    """A planned absence, or duty, begins: as if somebody had said so now, unless it was taken back."""
    planned = tx.get(AvailabilityRow, row_id)
    if planned is None or planned.ended_at is not None:
        return
    if planned.kind is AvailabilityKind.ON:
        offers.retry_all(tx)
        return
    affected = [hold(tx, incident_id) for incident_id in _concerned(tx, planned.responder_id)]
    _goes_off(tx, desk, affected, planned.responder_id, SYSTEM, releases=planned.releases)


def take_back(tx: Tx, desk: Desk, row_id: str) -> None:
    """An absence or a swap that does not happen after all, both sides of it. Raises NotFound."""
    row = tx.get(AvailabilityRow, row_id)
    if row is None or row.ended_at is not None:
        raise NotFound("This has been taken back already, or is over.")
    gaps_before = cover.gaps_ahead(tx, desk)
    pair = [row]
    if row.swap_with is not None:
        pair += tx.all(
            select(AvailabilityRow).where(
                col(AvailabilityRow.responder_id) == row.swap_with,
                col(AvailabilityRow.swap_with) == row.responder_id,
                col(AvailabilityRow.from_at) == row.from_at,
                col(AvailabilityRow.ended_at).is_(None),
            )
        )
    for one in pair:
        one.ended_at = tx.now
        state = AvailabilityKind.ON if one.kind is AvailabilityKind.OFF else AvailabilityKind.OFF
        tx.record(SERVICE_STREAM, AvailabilityChanged(one.responder_id, state))
    offers.retry_all(tx)
    cover.tell_of_gaps(tx, desk, service_now(tx, desk.zone), gaps_before)


def _goes_off(
    tx: Tx, desk: Desk, affected: list[IncidentRow], responder_id: str, who: Who, *, releases: bool
) -> None:
    after = service_now(tx, desk.zone)
    for incident in affected:
        if incident.owner is None and offers.answerable(tx, incident, responder_id):
            offers.decline(tx, desk, after, incident, responder_id, Who(who.actor, OFF_DUTY))
        if releases:
            _give_back(tx, desk, after, incident, responder_id, who)


def _give_back(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, responder_id: str, who: Who
) -> None:
    """What she has in hand passes on; somebody at the door finishes there."""
    companions.goes_off(tx, desk, service, incident, responder_id, who)
    if incident.owner == responder_id and Action.RELEASE in allowed(incident):
        offers.release(tx, desk, service, incident, OFF_DUTY, who)


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
    """What holds now is over; what is planned for later stands."""
    for row in tx.all(
        select(AvailabilityRow).where(
            col(AvailabilityRow.responder_id) == responder_id,
            col(AvailabilityRow.ended_at).is_(None),
            col(AvailabilityRow.from_at) <= tx.now,
            or_(col(AvailabilityRow.until_at).is_(None), col(AvailabilityRow.until_at) > tx.now),
        )
    ):
        row.ended_at = tx.now
