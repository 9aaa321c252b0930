"""The sheet of open incidents, for when the screens are gone: one HTML file that needs nothing beside it.

It is read by queries of its own, as simple as they can be, because it is wanted most when little else works.
Personal data: the owner's name, and no more; addresses only where they were asked for, since sheets get lost.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy import ColumnElement, Connection, case, func, or_, select
from sqlmodel import col

from rapid_response.core.attention import Attention, SortKey, attention, place_in_list
from rapid_response.core.ids import Ids
from rapid_response.core.incident import Status
from rapid_response.core.safe_contact import MEANS, reach
from rapid_response.core.states import OfferState, TaskState
from rapid_response.core.vocabulary import Category, ContactRole, Link, Priority
from rapid_response.storage import holds
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.tables import (
    AgendaRow,
    AlarmRow,
    ChainRow,
    DefinitionRow,
    IncidentRow,
    OfferRow,
    SealRow,
    SuggestedLinkRow,
    TaskRow,
    VisitRow,
)

#: How many there are in the log: the end of each chain says how long it is, and there are many more events.
_EVENTS = select(func.coalesce(func.sum(col(ChainRow.seq)), 0))
_STAGES: Mapping[Status, str] = {
    Status.RECEIVED: "Received",
    Status.AWAITING_REVIEW: "Waiting for a person to review",
    Status.DISPATCHING: "Finding a responder",
    Status.UNASSIGNED: "NOBODY HAS IT",
    Status.SCHEDULED: "Follow-up scheduled",
    Status.ASSIGNED: "Assigned",
    Status.EN_ROUTE: "On the way",
    Status.ON_SCENE: "Responder there",
    Status.CLOSED: "Closed",
    Status.CANCELLED: "Cancelled",
}
_OWNER_NEXT: Mapping[Status, str] = {
    Status.ASSIGNED: "sets off",
    Status.EN_ROUTE: "arrives",
    Status.ON_SCENE: "says that she is safe, finishes, says the outcome",
}
#: Once the victim was helped, wherever the owner is.
_FINISHES = "finishes, says the outcome"
#: Owed before anybody sets off again: nobody answered the door.
_CALL_BACK = "call_back"
_CATEGORIES: Mapping[Category, str] = {
    Category.DOORSTEP_CRIME: "Doorstep crime",
    Category.SCAM: "Scam",
    Category.OTHER: "Something else",
}
_COMING: Mapping[str, str] = {
    "rung": "the next person is asked or told",
    "retry": "everybody is asked again",
    "resume": "the clock goes on",
    "breach": "the two hours end",
    "warn": "a warning is due",
    "accept_within": "the duty officer hears that nobody accepted",
    "notice": "a notice is repeated",
    "shift_end": "the owner's shift ends",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One open incident on paper."""

    incident_id: str
    reference: str
    job_number: int | None
    priority: str
    what: str
    area: str
    due_at: datetime | None
    stage: str
    owner: str
    next_step: str
    next_at: datetime | None
    care: Attention
    address: str = ""
    contact: str = ""
    joint: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """A responder who has called for help silently, and whom nobody has found safe yet."""

    responder: str
    raised_at: datetime
    job_number: int | None
    reference: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """All open incidents at one moment, most pressing first, and the log's head to hold against it later."""

    service: str
    hotline: str
    made_at: datetime
    zone: ZoneInfo
    serial: str
    lines: tuple[Line, ...]
    alarms: tuple[Alarm, ...]
    seal: tuple[int, str] | None
    events: int
    has_addresses: bool = False
    is_held: bool = False


def new_serial(ids: Ids, now: datetime, zone: ZoneInfo) -> str:
    """A number for a sheet, which two can hardly share: when it was made, and four characters of chance."""
    return f"{now.astimezone(zone):%Y%m%d-%H%M}-{ids.reference()[-4:]}"


def read_sheet(
    connection: Connection,
    now: datetime,
    zone: ZoneInfo,
    serial: str,
    *,
    with_addresses: bool = False,
    apart_from: str | None = None,
    reads_links: bool = True,
) -> Sheet:
    """Everything that is open; but no alarm of `apart_from`, who may not be alone at her screen.

    Where what links cases cannot be read, no way to anybody is said to be safe: another case may forbid it.
    """
    body = connection.execute(
        select(col(DefinitionRow.body)).order_by(col(DefinitionRow.version).desc()).limit(1)
    ).scalar()
    service: Mapping[str, Any] = (body or {}).get("service", {})
    names = {str(r["id"]): str(r["name"]) for r in (body or {}).get("responders", ())}
    lines = [
        _line(connection, row, names, now, with_addresses, reads_links)
        for row in connection.execute(
            select(
                col(IncidentRow.id),
                col(IncidentRow.reference),
                col(IncidentRow.job_number),
                col(IncidentRow.priority),
                col(IncidentRow.category),
                col(IncidentRow.status),
                col(IncidentRow.ward),
                col(IncidentRow.location),
                col(IncidentRow.safe_contact),
                col(IncidentRow.started_at),
                col(IncidentRow.due_at),
                col(IncidentRow.needed_by),
                col(IncidentRow.stopped_at),
                col(IncidentRow.owner),
                col(IncidentRow.joint),
            )
            .where(col(IncidentRow.is_open))
            .order_by(col(IncidentRow.received_at), col(IncidentRow.id))
        )
    ]
    seal = connection.execute(
        select(col(SealRow.number), col(SealRow.root)).order_by(col(SealRow.number).desc()).limit(1)
    ).first()
    return Sheet(
        service=str(service.get("name", "Rapid response")),
        hotline=str(service.get("hotline", "")),
        made_at=now,
        zone=zone,
        serial=serial,
        lines=tuple(sorted(lines, key=_place)),
        alarms=tuple(_alarms(connection, names, apart_from)),
        seal=(seal.number, seal.root) if seal else None,
        events=int(connection.execute(_EVENTS).scalar_one()),
        has_addresses=with_addresses,
        is_held=holds.standing(connection) is not None,
    )


def _alarms(connection: Connection, names: Mapping[str, str], apart_from: str | None) -> Iterator[Alarm]:
    rows = connection.execute(
        select(
            col(AlarmRow.responder_id),
            col(AlarmRow.raised_at),
            col(IncidentRow.job_number),
            col(IncidentRow.reference),
        )
        .outerjoin(IncidentRow, col(IncidentRow.id) == col(AlarmRow.incident_id))
        .where(col(AlarmRow.ended_at).is_(None))
        .order_by(col(AlarmRow.raised_at), col(AlarmRow.id))
    )
    for row in rows:
        if row.responder_id != apart_from:
            name = names.get(row.responder_id, row.responder_id)
            yield Alarm(name, row.raised_at, row.job_number, row.reference or "")


def _place(line: Line) -> SortKey:
    return place_in_list(line.care, line.due_at or line.next_at, Priority(line.priority), line.reference)


def _line(
    connection: Connection,
    row: Any,
    names: Mapping[str, str],
    now: datetime,
    with_addresses: bool,
    reads_links: bool,
) -> Line:
    said, at = _next_step(connection, row, names)
    location: Mapping[str, Any] = row.location or {}
    return Line(
        incident_id=row.id,
        reference=row.reference,
        job_number=row.job_number,
        priority=row.priority.value,
        what=_CATEGORIES[row.category],
        area=row.ward or str(location.get("postcode") or "").split(" ", maxsplit=1)[0] or "not known",
        due_at=(row.needed_by or row.due_at) if row.stopped_at is None else None,
        stage=_stage(row, now),
        owner=names.get(row.owner, row.owner) if row.owner else "",
        next_step=said,
        next_at=at,
        care=attention(row.priority, is_stopped=row.stopped_at is not None, has_owner=row.owner is not None),
        address=_address(location) if with_addresses else "",
        contact=_contact(_safe(connection, row, reads_links)) if with_addresses else "",
        joint=row.joint,
    )


def _stage(row: Any, now: datetime) -> str:
    """Where it stands; of what begins when the service opens, nobody is asked before that."""
    waits = row.status is Status.DISPATCHING and row.started_at is not None and row.started_at > now
    return "Waits for opening" if waits else _STAGES[row.status]


def _next_step(connection: Connection, row: Any, names: Mapping[str, str]) -> tuple[str, datetime | None]:
    """What somebody must do next or, where nobody must, what would happen by itself."""
    is_answered = row.stopped_at is not None and row.status is not Status.ON_SCENE
    task = _owed(connection, row, col(TaskRow.kind) == _CALL_BACK) if not is_answered else None
    if row.owner and row.status in _OWNER_NEXT and task is None:
        does = _FINISHES if is_answered else _OWNER_NEXT[row.status]
        return f"{names.get(row.owner, row.owner)} {does}", _heard_by(connection, row)
    offer = connection.execute(
        select(col(OfferRow.responder_id), col(OfferRow.answer_by))
        .where(col(OfferRow.incident_id) == row.id, col(OfferRow.state) == OfferState.OPEN)
        .order_by(col(OfferRow.made_at).desc())
        .limit(1)
    ).first()
    if offer is not None:
        return f"{names.get(offer.responder_id, offer.responder_id)} answers yes or no", offer.answer_by
    task = task or _owed(connection, row)
    if task is not None:
        return f"{_role(task.owner, names)}: {task.kind.replace('_', ' ')}", task.due_at
    coming = connection.execute(
        select(col(AgendaRow.kind), col(AgendaRow.due_at))
        .where(
            col(AgendaRow.incident_id) == row.id,
            col(AgendaRow.settled_at).is_(None),
            col(AgendaRow.kind).in_(tuple(_COMING)),
        )
        .order_by(col(AgendaRow.due_at))
        .limit(1)
    ).first()
    if coming is not None:
        return f"by itself: {_COMING[coming.kind]}", coming.due_at
    return "NONE: find somebody", None


def _owed(connection: Connection, row: Any, *which: ColumnElement[bool]) -> Any:
    """The open task that is due first, of all or of some."""
    return connection.execute(
        select(col(TaskRow.kind), col(TaskRow.owner), col(TaskRow.due_at))
        .where(col(TaskRow.incident_id) == row.id, col(TaskRow.state) == TaskState.OPEN, *which)
        .order_by(col(TaskRow.due_at))
        .limit(1)
    ).first()


def _heard_by(connection: Connection, row: Any) -> datetime | None:
    """By when whoever is on her way has arrived, or who is there has said that she is safe."""
    visit = connection.execute(
        select(col(VisitRow.arrived_at), col(VisitRow.expected_at), col(VisitRow.check_in_by)).where(
            col(VisitRow.incident_id) == row.id, col(VisitRow.ended_at).is_(None)
        )
    ).first()
    if visit is None:
        return None
    by: datetime | None = visit.check_in_by if visit.arrived_at else visit.expected_at
    return by


def _role(owner: str, names: Mapping[str, str]) -> str:
    return owner.replace("_", " ") if owner in set(ContactRole) else names.get(owner, owner)


def _address(location: Mapping[str, Any]) -> str:
    return ", ".join(str(location[part]) for part in ("address", "postcode") if location.get(part))


def _safe(connection: Connection, row: Any, reads_links: bool) -> dict[str, Any]:
    """By which ways its people may be reached, as its own page says."""
    elsewhere = _said_elsewhere(connection, row) if reads_links else [dict.fromkeys(MEANS, False)]
    return reach(row.safe_contact, elsewhere)


def _said_elsewhere(connection: Connection, row: Any) -> list[Mapping[str, Any]]:
    """What is said to be safe in cases that may be of the same people."""
    here, there = col(SuggestedLinkRow.from_incident_id), col(SuggestedLinkRow.to_incident_id)
    linked = (
        select(col(IncidentRow.safe_contact))
        .join(SuggestedLinkRow, col(IncidentRow.id) == case((here == row.id, there), else_=here))
        .where(
            or_(here == row.id, there == row.id),
            col(SuggestedLinkRow.state) != "rejected",
            col(SuggestedLinkRow.kind) != Link.SAME_SUSPECT,
        )
    )
    return list(connection.execute(linked).scalars())


def _contact(safe: Mapping[str, Any]) -> str:
    allowed = [means for means in ("voice", "sms", "voicemail") if safe.get(means)]
    said = f"may be contacted by {', '.join(allowed)}" if allowed else "do NOT ring or text"
    return f"{said}; {safe['note']}" if safe.get("note") else said


# --- on paper ---------------------------------------------------------------------------------------------


def save(path: Path, html: str) -> None:
    """Into a file that only this user can read, whole or not at all; an older sheet in its place is gone.

    Raises OSError for what is there and is no file: a device, put a file in place of, is gone for everybody.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no file")
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        handle = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(html)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def rescue(database: Database, zone: ZoneInfo) -> Path:
    """Save what is open, as far as it can still be read, beside a database that was found damaged.

    Raises whatever is broken in it.
    """
    now = database.clock.now()
    serial = new_serial(database.ids, now, zone)
    read = partial(read_sheet, now=now, zone=zone, serial=serial, with_addresses=True)
    try:
        sheet = database.look_now(read)
    except DatabaseUnavailable:
        sheet = database.look_now(partial(read, reads_links=False))
    path = beside(database.path)
    save(path, to_html(sheet))
    return path


def beside(database_file: Path) -> Path:
    """Where a sheet is saved when the database is found damaged."""
    return database_file.with_name(f"{database_file.name}.open-sheet.html")


@cache
def _style() -> Markup:
    return Markup(_environment().get_template("sheet.css").render())  # noqa: S704 - our own file


@cache
def content_security_policy() -> str:
    """For the sheet as a page: its own style, and nothing else at all."""
    digested = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digested}'; frame-ancestors 'none'; base-uri 'none'"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("rapid_response.audit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def to_html(sheet: Sheet) -> str:
    """The sheet as one file, to be printed on A4 across."""

    def at(moment: datetime | None) -> str:
        return f"{moment.astimezone(sheet.zone):%a %d %b %H:%M}" if moment else ""

    def in_full(moment: datetime) -> str:
        return f"{moment.astimezone(sheet.zone):%A %d %B %Y, %H:%M %Z}"

    page = _environment().get_template("sheet.html")
    return page.render(sheet=sheet, at=at, in_full=in_full, blank=range(6), style=_style())
