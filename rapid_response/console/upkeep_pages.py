"""Looking after the service: work that failed and waits for a person, and whether the promise can be kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import Connection, func, select
from sqlmodel import col

from rapid_response import __version__
from rapid_response.access.permissions import Permission
from rapid_response.console.board_pages import parked_count
from rapid_response.console.moments import at_words
from rapid_response.console.views import Check, ExceptionsView, ParkedWork, StatusView, minutes_words
from rapid_response.console.visit_pages import NeedsAny, Visit
from rapid_response.console.words import plain
from rapid_response.core.incident import Status
from rapid_response.core.states import MessageState, SecondReadingState
from rapid_response.steps import readiness
from rapid_response.steps.errors import NotFound
from rapid_response.steps.service import NoService, Service, service_for
from rapid_response.storage.tables import (
    AgendaRow,
    DeliveryRow,
    IncidentRow,
    MessageRow,
    NodeRow,
    SecondReadingRow,
)
from rapid_response.storage.work import release_parked

router = APIRouter()

_Parked = type[AgendaRow] | type[DeliveryRow]
_TABLES: dict[str, _Parked] = {"a": AgendaRow, "d": DeliveryRow}
#: The worker looks each second; this long without a look is a fault.
_STALE = timedelta(seconds=15)
_LATE = timedelta(seconds=60)

Onlooker = Annotated[Visit, Depends(NeedsAny(Permission.EXCEPTIONS_VIEW))]
Mender = Annotated[Visit, Depends(NeedsAny(Permission.EXCEPTIONS_RETRY))]
Watcher = Annotated[Visit, Depends(NeedsAny(Permission.SERVICE_STATUS))]


@router.api_route("/exceptions", methods=["GET", "HEAD"])
async def get_exceptions(visit: Onlooker) -> Response:
    """What failed too often, oldest first."""
    sees_cases = visit.may(Permission.CASE_VIEW)
    parked = await visit.look(_parked)
    shown = parked if sees_cases else [_without_case(work) for work in parked]
    view = ExceptionsView(
        tuple(shown),
        may_retry=visit.may(Permission.EXCEPTIONS_RETRY),
        done="It is tried again now" if visit.query.text("done") else "",
    )
    return await visit.page(view)


@router.post("/exceptions/{work_id}/retry")
async def post_retry(work_id: str, visit: Mender) -> Response:
    """A person says: try that again. What is no longer parked was tried by somebody else."""
    await visit.posted()
    kind, _, number = work_id.partition("-")
    table = _TABLES.get(kind)
    if table is None or not (number.isascii() and number.isdigit() and len(number) < 16):
        raise NotFound("There is no such work.")
    await visit.run(lambda tx: release_parked(tx, table, int(number)))
    return visit.go("/exceptions?done=retry")


def _parked(connection: Connection) -> list[ParkedWork]:
    found = [
        *_rows(connection, "a", AgendaRow, AgendaRow.kind, AgendaRow.incident_id),
        *_rows(connection, "d", DeliveryRow, DeliveryRow.subscription, DeliveryRow.stream),
    ]
    return sorted(found, key=lambda work: work.parked_at)


def _rows(
    connection: Connection, letter: str, table: _Parked, kind: str, incident_id: str
) -> Iterable[ParkedWork]:
    rows: Iterable[Any] = connection.execute(
        select(
            col(table.id),
            col(kind).label("kind"),
            col(table.error),
            col(table.parked_at),
            col(table.attempts),
            col(IncidentRow.reference),
        )
        .outerjoin(IncidentRow, col(IncidentRow.id) == col(incident_id))
        .where(col(table.parked_at).is_not(None))
    )
    for r in rows:
        yield ParkedWork(
            f"{letter}-{r.id}", r.kind, r.error or "not known", r.parked_at, r.attempts, r.reference or ""
        )


def _without_case(work: ParkedWork) -> ParkedWork:
    """For those who keep the machine running: no way to a case they may not see."""
    return ParkedWork(work.id, work.kind, work.error, work.parked_at, work.attempts)


# --- status -----------------------------------------------------------------------------------------------


@router.api_route("/status", methods=["GET", "HEAD"])
async def get_status(visit: Watcher) -> Response:
    """What the promise depends on, each in plain words."""
    checks = await visit.look(lambda connection: tuple(_checks(connection, visit)))
    return await visit.page(StatusView(checks, __version__))


def _checks(connection: Connection, visit: Visit) -> Iterable[Check]:
    clock, zone = visit.pages.database.clock, visit.pages.desk.zone
    now, real = clock.now(), clock.real()
    yield Check("Database", True, "It answers.")
    yield _worker(connection, real)
    yield _agenda(connection, now)
    yield _messages(connection, real)
    yield from _second_reader(connection)
    parked = parked_count(connection)
    yield Check("Parked work", parked == 0, f"{parked} waiting for a person." if parked else "None.")
    try:
        service = service_for(connection, zone, now)
    except NoService:
        yield Check("Service definition", False, "None is loaded: run rapid-response load FILE.yaml.")
        return
    yield Check(
        "Service definition", True, f"{service.definition.name}, version {service.definition.version}."
    )
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
    yield Check("Texts and calls", not alarms, alarms or "They go out.")
    found = readiness.findings(connection, service.definition)
    bad = [f for f in found if f.trouble is not readiness.Trouble.NEVER_CONFIRMED]
    new = sorted({f.responder_id for f in found} - {f.responder_id for f in bad})
    said = " ".join(f.sentence for f in bad) or "None is known not to work."
    if new:
        said += f" Nothing has arrived yet by text at: {', '.join(new)}."
    yield Check("Responders' numbers", not bad, said)


def _worker(connection: Connection, real: datetime) -> Check:
    swept: datetime | None = connection.execute(select(func.max(col(NodeRow.swept_at)))).scalar()
    name = "Worker"
    if swept is None:
        return Check(name, False, "No process has looked for due work yet.")
    if real - swept > _STALE:
        return Check(name, False, f"Nobody has looked for due work for {minutes_words(real - swept)}.")
    return Check(name, True, "It looks for due work each second.")


def _agenda(connection: Connection, now: datetime) -> Check:
    oldest: datetime | None = connection.execute(
        select(func.min(col(AgendaRow.due_at))).where(
            col(AgendaRow.settled_at).is_(None), col(AgendaRow.parked_at).is_(None)
        )
    ).scalar()
    if oldest is not None and now - oldest > _LATE:
        return Check("Deadlines", False, f"The oldest is {minutes_words(now - oldest)} overdue.")
    return Check("Deadlines", True, "All that is due is done.")


def _messages(connection: Connection, real: datetime) -> Check:
    """Texts and calls that should have gone out two minutes ago."""
    waiting = connection.execute(
        select(func.count()).where(
            col(MessageRow.state).in_((MessageState.PENDING, MessageState.RETRY_WAIT)),
            col(MessageRow.next_attempt_at) < real - 2 * _LATE,
        )
    ).scalar_one()
    said = f"{waiting} should have gone out by now." if waiting else "None is waiting."
    return Check("Messages", waiting == 0, said)


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
