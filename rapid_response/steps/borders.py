"""Whose the victim's home is, and what follows where it is not ours (domain.md 3.4 and 8, scenarios 15, 16).

Found from the victim's postcode, offline. A new report from outside starts no clock: it is told to the
duty officer and climbs until it is handed over. Where it is only found out later, the clock that runs goes on
until somebody across the border says that they have it: a table never ends a promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col

from rapid_response.core.definition import Means, ServiceDefinition
from rapid_response.core.events import AreaFound, Scheduled, TransferChased
from rapid_response.core.incident import Move
from rapid_response.core.notices import BORDERS, NoticeKind
from rapid_response.core.states import LookupState
from rapid_response.core.vocabulary import Area, ClockState, ContactRole, Priority, TransferState
from rapid_response.places import rules, saying
from rapid_response.places.table import shipped_table
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import jobnumbers, notices
from rapid_response.steps.case import move
from rapid_response.steps.clock import arm, disarm
from rapid_response.steps.desk import Desk
from rapid_response.steps.service import Service
from rapid_response.steps.tasks import TaskKind, finish_kind, open_task
from rapid_response.storage.once import Filled
from rapid_response.storage.records import table_of
from rapid_response.storage.tables import IncidentRow, PlaceLookupRow, PostcodeWardRow, TransferRow
from rapid_response.storage.tx import Tx, read_from

#: The phase of the ladder before anything was sent; afterwards it is the transfer's id.
DUE = "due"


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a place."""

    area: Area
    authority: str | None
    ward: str | None


def find(reading: Connection | Tx, definition: ServiceDefinition, postcode: str | None) -> Found:
    """Whose that postcode is, and its ward: by the table first, then by what was asked or loaded before."""
    code = rules.whole(postcode)
    if code is None:
        return Found(Area.UNKNOWN, None, None)
    place = shipped_table().find(code)
    authority = place.authority if place else None
    ward = _loaded_ward(reading, code)
    if authority is None or ward is None:
        asked = _asked(reading, code)
        authority, ward = authority or asked[0], ward or asked[1]
    return Found(rules.area_of(definition.authority, authority), authority, ward)


_WARD = Filled(select(col(PostcodeWardRow.ward)).where(col(PostcodeWardRow.postcode) == bindparam("code")))
_ASKED = Filled(
    select(col(PlaceLookupRow.authority), col(PlaceLookupRow.ward)).where(
        col(PlaceLookupRow.postcode) == bindparam("code"), col(PlaceLookupRow.state) == LookupState.FOUND
    )
)


def _loaded_ward(reading: Connection | Tx, code: str) -> str | None:
    found: str | None = read_from(reading, _WARD.given({"code": code})).scalar()
    return found


def _asked(reading: Connection | Tx, code: str) -> tuple[str | None, str | None]:
    row = read_from(reading, _ASKED.given({"code": code})).first()
    return (row.authority, row.ward) if row else (None, None)


def own_ward(definition: ServiceDefinition, said: str | None) -> str | None:
    """The service's own name of a ward; any other words are none."""
    folded = (said or "").casefold()
    return next((ward for ward in definition.wards if ward.casefold() == folded), None)


def settle(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, source: str) -> bool:
    """As :func:`placed`, and says so in the log."""
    is_news = placed(tx, desk, service, incident)
    if is_news:
        record(tx, incident, source)
    return is_news


def record(tx: Tx, incident: IncidentRow, source: str) -> None:
    """Whose the home is, as the log may hold it."""
    tx.record(incident.id, AreaFound(incident.area, incident.authority, source))


def placed(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> bool:
    """Write down whose the home is; True where that has changed. Asks online, where that is switched on."""
    postcode = incident.location.get("postcode")
    found = find(tx, service.definition, postcode)
    if incident.ward is None:
        incident.ward = own_ward(service.definition, found.ward)
    if desk.asks_online and (found.authority is None or incident.ward is None):
        _ask_online(tx, rules.whole(postcode))
    if (found.area, found.authority) == (incident.area, incident.authority):
        return False
    incident.area, incident.authority = found.area, found.authority
    return True


def _ask_online(tx: Tx, code: str | None) -> None:
    if code is None:
        return
    # Once a postcode, even where two nodes come upon it in the same moment.
    make = sqlite.insert if tx.is_sqlite else postgresql.insert
    values = {"postcode": code, "state": LookupState.WAITING, "due_at": tx.real, "attempts": 0}
    tx.execute(make(table_of(PlaceLookupRow)).values(values).on_conflict_do_nothing())
    tx.wake("places")


# --- it is not ours ---------------------------------------------------------------------------------------


def is_promised(incident: IncidentRow) -> bool:
    """Whether the two-hour promise covers it: urgent enough, and not known to be another council's."""
    return incident.priority.has_clock and incident.area is not Area.OUTSIDE


def take_in(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, why: str) -> None:
    """A case from outside waits for its hand-over: a task with a time, and whoever hears of it."""
    _number(tx, incident)
    move(incident, Move.SCHEDULE)
    task = _owe(tx, service, incident)
    tx.record(incident.id, Scheduled(why, task))
    watch(tx, desk, service, incident)


def raised(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """It has become urgent, and is another council's: its hand-over cannot wait for tomorrow any more."""
    _number(tx, incident)
    if not incident.is_handed_over:
        finish_kind(tx, incident, TaskKind.TRANSFER)
        _owe(tx, service, incident)
    watch(tx, desk, service, incident)


def _number(tx: Tx, incident: IncidentRow) -> None:
    """So that a notice of it can be answered by text like any other."""
    if incident.job_number is None:
        incident.job_number = jobnumbers.issue(tx, incident.id)


def _owe(tx: Tx, service: Service, incident: IncidentRow) -> str:
    within = rules.hand_over_within(incident.priority)
    due = tx.now + within if within is not None else service.next_working_day(tx.now)
    return open_task(tx, incident, TaskKind.TRANSFER, ContactRole.DUTY_OFFICER, due)


def watch(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """Somebody is told now, and who stands next while it has not been handed over; not where it can wait."""
    if not incident.priority.has_clock or incident.back_entry or incident.is_handed_over:
        return
    by = (Means.SMS, Means.VOICE) if incident.priority is Priority.P0 else (Means.SMS,)
    notices.give(tx, desk, service, incident, NoticeKind.OUT_OF_AREA, ContactRole.DUTY_OFFICER, by)
    climb_from_now(tx, incident, f"{DUE}{tx.ids.uuid()[-12:]}")


def climb_from_now(tx: Tx, incident: IncidentRow, phase: str) -> None:
    """Arm the ladder of a hand-over anew: what was still to come of the phase before is over."""
    disarm(tx, incident, [Kind.BORDER], "moved_on")
    arm(
        tx,
        incident,
        [Deadline(Kind.BORDER, tx.now + step.after, f"{phase}:{i}") for i, step in enumerate(rules.LADDER)],
    )


def look_again(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, source: str) -> bool:
    """The address is another, or more is known of it. True where it has come home, so that it is promised.

    Found to be outside, it is told and a hand-over is owed; the clock that runs is not touched.
    """
    was = incident.area
    if not settle(tx, desk, service, incident, source) or not incident.is_open or was is incident.area:
        return False
    if incident.area is Area.OUTSIDE:
        _owe(tx, service, incident)
        if incident.stopped_at is None:
            watch(tx, desk, service, incident)
        return False
    if was is not Area.OUTSIDE or incident.is_handed_over:
        return False
    stand_easy(tx, incident)
    return is_owed_a_clock(incident)


def is_owed_a_clock(incident: IncidentRow) -> bool:
    """Whether it is ours to answer in two hours, and nothing counts them."""
    has_none = incident.clock_state is ClockState.NOT_APPLICABLE and incident.stopped_at is None
    return is_promised(incident) and has_none


def stand_easy(tx: Tx, incident: IncidentRow) -> None:
    """There is nothing to hand over any more."""
    disarm(tx, incident, [Kind.BORDER], "ours")
    finish_kind(tx, incident, TaskKind.TRANSFER)
    notices.overtaken(tx, incident, BORDERS)


def ring(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, subject: str, late: float) -> None:
    """Still nobody across the border has it: whoever stands next is told, by text and by voice."""
    phase, _, index = subject.partition(":")
    is_sent = not phase.startswith(DUE)
    if not incident.is_open or not incident.priority.has_clock:
        return
    if is_sent:
        transfer = tx.get(TransferRow, phase)
        if transfer is None or transfer.state is not TransferState.SENT:
            return
    elif incident.is_handed_over or incident.area is not Area.OUTSIDE or incident.owner is not None:
        # Whoever gave the job to one of ours has agreed to go across the border.
        return
    role = rules.LADDER[int(index)].role
    tx.record(incident.id, TransferChased(role, is_sent, late))
    kind = NoticeKind.HANDED_OVER if is_sent else NoticeKind.OUT_OF_AREA
    notices.give(tx, desk, service, incident, kind, role, (Means.SMS, Means.VOICE))


# --- what is shown, and said ------------------------------------------------------------------------------


def place_json(definition: ServiceDefinition | None, incident: IncidentRow) -> dict[str, Any]:
    """Whose the home is, as the API shows it."""
    shown = {
        "area": incident.area,
        "authority": incident.authority,
        "authority_name": authority_name(incident.authority),
        "did_you_mean": list(suggestions(incident.location)),
    }
    if definition is None:
        return shown
    neighbour = rules.neighbour_of(definition, incident.authority)
    return {**shown, "neighbour": neighbour.id if neighbour else None}


def authority_name(authority: str | None) -> str | None:
    """What an authority is called, where the table says so."""
    return shipped_table().name_of(authority) if authority else None


def suggestions(location: Mapping[str, Any]) -> tuple[str, ...]:
    """Postcodes that may have been meant."""
    table = shipped_table()
    return rules.did_you_mean(location.get("postcode"), lambda code: table.find(code) is not None)


def say(service: Service, incident: IncidentRow) -> tuple[str, ...]:
    """What the caller is told of place and hours, where the case does not take its usual way."""
    starts = incident.started_at
    return saying.to_say(
        incident.area,
        neighbour=rules.neighbour_of(service.definition, incident.authority),
        authority_name=authority_name(incident.authority),
        opens_at=starts if starts is not None and starts > incident.recorded_at else None,
        zone=service.definition.zone,
        suggestions=suggestions(incident.location) if incident.area is Area.UNKNOWN else (),
    )
