"""Work that waits: parked, overdue, unsent, and whether anybody is there to do it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select
from sqlmodel import col

from rapid_response.audit.findings import Check
from rapid_response.audit.looking import Moment, audit
from rapid_response.cli.examining import Finding, fail, ok, warn
from rapid_response.core.clock import speed_of
from rapid_response.core.states import READY
from rapid_response.steps import mailing
from rapid_response.storage import holds
from rapid_response.storage.database import Database
from rapid_response.storage.due import due
from rapid_response.storage.holds import Hold
from rapid_response.storage.tables import AgendaRow, DeliveryRow, IncidentRow, MessageRow, NodeRow

#: A serving process sweeps each second; on a fast clock much falls due in it.
_ALIVE_WITHIN = timedelta(seconds=15)
_LATE_AFTER = timedelta(seconds=60)


def examine(database: Database) -> Iterator[Finding]:
    """Who serves, and what is left undone."""
    alive = database.look_now(lambda c: _count(c, NodeRow, col(NodeRow.swept_at) > _since(database)))
    open_ = database.look_now(lambda c: _count(c, IncidentRow, col(IncidentRow.is_open)))
    if alive:
        yield ok(f"{alive} {'process serves' if alive == 1 else 'processes serve'}; {_cases(open_)} open.")
    elif open_:
        yield fail(f"No process serves, and {_cases(open_)} open: run `rapid-response serve`.")
    else:
        yield warn("No process serves now: run `rapid-response serve`.")
    hold = database.look_now(holds.standing)
    if hold is not None:
        yield warn(_RELEASED) if hold.released_at is not None else fail(_held(hold))
        return
    yield from _overdue(database)
    yield from _parked(database)
    yield from _audited(database)
    unsent = database.look_now(
        lambda c: _count(
            c,
            MessageRow,
            col(MessageRow.state).in_(READY),
            col(MessageRow.created_at) < _a_minute_ago(database),
        )
    )
    mails = database.look_now(lambda c: mailing.standing(c, database.clock.now()))
    if mails.failing or mails.parked:
        yield warn(
            f"E-mails to the desk: {mails.failing} are tried again, {mails.parked} were left this week. "
            "Look at the mail server and the SMTP settings; the texts beside them went their own way."
        )
    if unsent:
        yield warn(
            f"{unsent} messages have waited for more than a minute: look at the provider and the pace."
        )


_RELEASED = "Messages were held and are released: they go once a process serves and has done what is overdue."


def _held(hold: Hold) -> str:
    why = "since the database was restored" if hold.is_restored else "because somebody said so"
    return (
        f"Messages and deadlines are held {why}: compare the board with what is known, then run "
        "`rapid-response release`."
    )


def _audited(database: Database) -> Iterator[Finding]:
    """What the auditor says, looked at anew; it writes nothing."""
    clock = database.clock
    moment = Moment(clock.now(), clock.real(), speed_of(clock))
    found = database.look_now(lambda c: audit(c, moment))
    uncared = {m.incident_id for m in found.missing if m.check is not Check.PARKED_WITHOUT_OWNER}
    if uncared:
        verb = "has" if len(uncared) == 1 else "have"
        yield fail(f"{len(uncared)} of the cases {verb} lost a next step: a node that serves sets it again.")
    else:
        yield ok("Every open case is cared for.")


def _overdue(database: Database) -> Iterator[Finding]:
    limit = _a_minute_ago(database)
    late = database.look_now(
        lambda c: _count(
            c,
            AgendaRow,
            *due(limit),
        )
    )
    if late:
        yield fail(
            f"{late} deadlines are more than a minute overdue: see that a process serves, and its log."
        )
    else:
        yield ok("No deadline is overdue.")


def _parked(database: Database) -> Iterator[Finding]:
    """Work that failed again and again; a deadline among it is a promise that nobody keeps."""
    deadlines = database.look_now(lambda c: _count(c, AgendaRow, col(AgendaRow.parked_at).is_not(None)))
    figures = database.look_now(lambda c: _count(c, DeliveryRow, col(DeliveryRow.parked_at).is_not(None)))
    if deadlines:
        yield fail(f"{deadlines} deadlines are parked after repeated errors: a person must see to them.")
    if figures:
        yield warn(f"{figures} updates of figures are parked after repeated errors: the figures lack them.")


def _since(database: Database) -> Any:
    return database.clock.real() - _ALIVE_WITHIN


def _a_minute_ago(database: Database) -> datetime:
    """A real minute, in the service's time."""
    return database.clock.now() - _LATE_AFTER * speed_of(database.clock)


def _cases(count: int) -> str:
    return "1 case is" if count == 1 else f"{count} cases are"


def _count(connection: Connection, row: Any, *where: Any) -> int:
    found: int = connection.execute(select(func.count()).select_from(row).where(*where)).scalar_one()
    return found
