"""Looking after the service: work that failed and waits for a person, and whether the promise can be kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import ColumnElement, Connection, func, select
from sqlmodel import col

from rapid_response import __version__
from rapid_response.access.permissions import Permission
from rapid_response.audit.looking import MOST_EXCEPTIONS
from rapid_response.audit.readiness import sections
from rapid_response.audit.sheet import content_security_policy, new_serial, read_sheet, to_html
from rapid_response.console.board_pages import parked_count
from rapid_response.console.filling import Names, read_names
from rapid_response.console.moments import at_words
from rapid_response.console.views.pieces import minutes_words
from rapid_response.console.views.upkeep import Check, ExceptionsView, ParkedWork, StatusView
from rapid_response.console.visit_pages import NeedsAny, Visit
from rapid_response.console.words import plain
from rapid_response.core.incident import Status
from rapid_response.core.states import SecondReadingState
from rapid_response.core.vocabulary import Role
from rapid_response.messaging.proof import Proof
from rapid_response.steps import mailing, proving, readiness
from rapid_response.steps.errors import NotFound
from rapid_response.steps.mending import take_on
from rapid_response.steps.service import NoService, Service, service_for
from rapid_response.storage.duties import Duty
from rapid_response.storage.log import record_view
from rapid_response.storage.tables import AgendaRow, DeliveryRow, DutyRow, IncidentRow, SecondReadingRow
from rapid_response.storage.work import release_parked

router = APIRouter(include_in_schema=False)

_Parked = type[AgendaRow] | type[DeliveryRow]
_TABLES: dict[str, _Parked] = {"a": AgendaRow, "d": DeliveryRow}

Onlooker = Annotated[Visit, Depends(NeedsAny(Permission.EXCEPTIONS_VIEW))]
Mender = Annotated[Visit, Depends(NeedsAny(Permission.EXCEPTIONS_RETRY))]
Watcher = Annotated[Visit, Depends(NeedsAny(Permission.SERVICE_STATUS))]
Printer = Annotated[Visit, Depends(NeedsAny(Permission.OPEN_SHEET))]
#: What the page of an address that is done says.
_DONE = {"retry": "It is tried again now", "take": "You see to it now"}


@router.api_route("/exceptions", methods=["GET", "HEAD"])
async def get_exceptions(visit: Onlooker) -> Response:
    """What failed too often: most dangerous first, then oldest; and what is failing now."""
    sees_cases = visit.may(Permission.CASE_VIEW)
    names, parked, failing, count = await visit.look(
        lambda c: (read_names(c, visit.pages.desk.zone), _rows(c), _rows(c, parked=False), parked_count(c))
    )

    def shown(found: Iterable[ParkedWork]) -> tuple[ParkedWork, ...]:
        ranked = sorted(found, key=lambda work: (work.rank, work.parked_at or visit.now, work.id))
        named = [replace(work, owner=_owner(work.owner, names)) for work in ranked]
        return tuple(work if sees_cases else replace(work, reference="") for work in named)

    view = ExceptionsView(
        shown(parked),
        may_retry=visit.may(Permission.EXCEPTIONS_RETRY),
        done=_DONE.get(visit.query.text("done"), ""),
        failing=shown(failing),
        more=max(0, count - len(parked)),
    )
    return await visit.page(view)


def _owner(seen_to_by: str, names: Names) -> str:
    """A role that was told, or the person who took it on."""
    if seen_to_by == Role.ADMIN.value:
        return plain(Role.ADMIN)
    return names.actor(seen_to_by) if ":" in seen_to_by else names.owner(seen_to_by)


@router.post("/exceptions/{work_id}/retry")
async def post_retry(work_id: str, visit: Mender) -> Response:
    """A person says: try that again. What is no longer parked was tried by somebody else."""
    await visit.posted()
    table, number = _which(work_id)
    await visit.run(lambda tx: release_parked(tx, table, number))
    return visit.go("/exceptions?done=retry")


@router.post("/exceptions/{work_id}/take")
async def post_take(work_id: str, visit: Mender) -> Response:
    """A person says: I see to that."""
    await visit.posted()
    table, number = _which(work_id)
    await visit.run(lambda tx: take_on(tx, table, number, visit.principal.actor))
    return visit.go("/exceptions?done=take")


def _which(work_id: str) -> tuple[_Parked, int]:
    kind, _, number = work_id.partition("-")
    table = _TABLES.get(kind)
    if table is None or not (number.isascii() and number.isdigit() and len(number) < 16):
        raise NotFound("There is no such work.")
    return table, int(number)


def _rows(connection: Connection, *, parked: bool = True) -> list[ParkedWork]:
    """What is parked or, while it is still being tried, has failed at least twice."""
    agenda = _of(connection, "a", AgendaRow, AgendaRow.kind, AgendaRow.incident_id, parked)
    figures = _of(connection, "d", DeliveryRow, DeliveryRow.subscription, DeliveryRow.stream, parked)
    return [*agenda, *figures]


def _of(
    connection: Connection, letter: str, table: _Parked, kind: str, incident_id: str, parked: bool
) -> Iterable[ParkedWork]:
    wanted: list[ColumnElement[bool]] = [col(table.parked_at).is_not(None)]
    if not parked:
        wanted = [col(table.parked_at).is_(None), col(table.error).is_not(None), col(table.attempts) >= 2]
        if table is AgendaRow:
            wanted.append(col(AgendaRow.settled_at).is_(None))
    rank = col(AgendaRow.rank) if table is AgendaRow else func.coalesce(None, 9)
    rows: Iterable[Any] = connection.execute(
        select(
            col(table.id),
            col(kind).label("kind"),
            col(table.error),
            col(table.parked_at),
            col(table.attempts),
            col(table.seen_to_by),
            rank.label("rank"),
            col(IncidentRow.reference),
        )
        .outerjoin(IncidentRow, col(IncidentRow.id) == col(incident_id))
        .where(*wanted)
        .order_by(rank, col(table.parked_at), col(table.id))
        .limit(MOST_EXCEPTIONS // 2)
    )
    for r in rows:
        yield ParkedWork(
            f"{letter}-{r.id}",
            r.kind,
            r.error or "not known",
            r.parked_at,
            r.attempts,
            r.reference or "",
            r.seen_to_by or "",
            r.rank,
        )


# --- the sheet --------------------------------------------------------------------------------------------


@router.api_route("/sheet", methods=["GET", "HEAD"])
async def get_sheet(visit: Printer) -> Response:
    """The sheet of open incidents, to be printed now and then, and at each change of shift."""
    now, zone = visit.now, visit.pages.desk.zone
    serial = new_serial(visit.pages.database.ids, now, zone)
    own = visit.principal.responder_id
    sheet = await visit.look(lambda c: read_sheet(c, now, zone, serial, apart_from=own))
    await visit.run(lambda tx: record_view(tx, "open_sheet", None))
    return HTMLResponse(to_html(sheet), headers={"content-security-policy": content_security_policy()})


# --- status -----------------------------------------------------------------------------------------------


@router.api_route("/status", methods=["GET", "HEAD"])
async def get_status(visit: Watcher) -> Response:
    """What the promise depends on, each in plain words."""
    checks = await visit.look(lambda connection: tuple(_checks(connection, visit)))
    return await visit.page(StatusView(checks, __version__))


def _checks(connection: Connection, visit: Visit) -> Iterable[Check]:
    clock, zone = visit.pages.database.clock, visit.pages.desk.zone
    now, real = clock.now(), clock.real()
    for section in sections(connection, visit.pages.node):
        said = (*section.reasons, *section.warnings)
        yield Check(section.name, not said, " ".join(said) or section.good)
    yield from _second_reader(connection)
    yield from _mail(connection, visit.now)
    parked = parked_count(connection)
    yield Check("Parked work", parked == 0, f"{parked} waiting for a person." if parked else "None.")
    copied = connection.execute(
        select(col(DutyRow.good_at)).where(col(DutyRow.name) == Duty.BACKUP.value)
    ).scalar()
    if copied is not None:
        yield Check("Copy", True, f"The last was made {minutes_words(real - copied)} ago.")
    try:
        service = service_for(connection, zone, now)
    except NoService:
        return
    yield from _numbers(connection, service, now, zone)
    people = [r for r in service.definition.responders if r.skills]
    on_duty = sum(r.id in service.on_duty(now) for r in people)
    begins = service.next_shift_start(now)
    later = f" The next shift starts at {at_words(begins, now, zone)}." if begins and not on_duty else ""
    yield Check("Responders on duty", on_duty > 0, f"{on_duty} of {len(people)}.{later}")
    unowned = connection.execute(
        select(func.count()).where(col(IncidentRow.is_open), col(IncidentRow.status) == Status.UNASSIGNED)
    ).scalar_one()
    yield Check(
        "Incidents nobody has taken", unowned == 0, f"{unowned} need somebody now." if unowned else "None."
    )


def _numbers(connection: Connection, service: Service, now: datetime, zone: ZoneInfo) -> Iterable[Check]:
    """Whether messages go out, and whom they do not reach."""
    alarms = " ".join(readiness.alarms(connection, now, zone))
    yield Check("Sending texts and calls", not alarms, alarms or "They go out.")
    found = readiness.findings(connection, service.definition)
    bad = [f for f in found if f.trouble is not readiness.Trouble.NEVER_CONFIRMED]
    new = sorted({f.responder_id for f in found} - {f.responder_id for f in bad})
    said = " ".join(f.sentence for f in bad) or "None is known not to work."
    if new:
        said += f" Nothing has arrived yet by text at: {', '.join(new)}."
    proofs = proving.to_confirm(proving.standings(connection, service.definition, now))
    doubtful = [s for s in proofs if s.proof is not Proof.NEVER]
    said = " ".join([said, *(s.sentence for s in doubtful)])
    unproved = len(proofs) - len(doubtful)
    if unproved:
        said += f" Not confirmed yet by their owners: {unproved}."
    yield Check("Responders' numbers", not (bad or doubtful), said)


def _mail(connection: Connection, now: datetime) -> Iterable[Check]:
    """What the mail server did not take. Always good: the promise does not depend on it."""
    found = mailing.standing(connection, now)
    if found.failing or found.parked:
        said = (
            f"{found.failing} are tried again, {found.parked} were left this week. Look at the mail server."
        )
        yield Check("E-mails to the desk (nothing waits for them)", True, said)


def _second_reader(connection: Connection) -> Iterable[Check]:
    """How its queue stands, where it was ever asked. Always good: the promise does not depend on it."""
    counts = {
        row.state: row.many
        for row in connection.execute(
            select(col(SecondReadingRow.state), func.count().label("many")).group_by(
                col(SecondReadingRow.state)
            )
        )
    }
    if counts:
        said = ", ".join(
            f"{counts[state]} {plain(state).lower()}" for state in SecondReadingState if state in counts
        )
        yield Check("Second reader (nothing waits for it)", True, f"Reports: {said}.")
