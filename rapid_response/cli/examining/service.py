"""The service definition: whether somebody is there to be asked, and somebody to be told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, select
from sqlmodel import col

from rapid_response.cli.examining import Finding, Level, fail, ok, warn
from rapid_response.core import rota
from rapid_response.core.vocabulary import ContactRole, Skill
from rapid_response.definition import Finding as Weighed
from rapid_response.definition import Weight, findings, from_stored
from rapid_response.settings import Settings
from rapid_response.steps.service import Service, service_now
from rapid_response.storage.database import Database
from rapid_response.storage.tables import DefinitionRow
from rapid_response.storage.tx import Tx

_AHEAD = timedelta(days=7)


def examine(database: Database, settings: Settings) -> Iterator[Finding]:
    """The definition in force, with who is away or on beyond the rota."""
    now, zone = database.clock.now(), settings.time_zone
    newest = select(col(DefinitionRow.body)).order_by(col(DefinitionRow.version).desc()).limit(1)
    body = database.look_now(lambda connection: connection.execute(newest).scalar())
    if body is None:
        yield fail("No service definition is loaded: run `rapid-response load FILE.yaml`.")
        return
    service = database.look_now(lambda connection: service_now(_reading(database, connection), zone))
    found = [_weighed(finding, settings) for finding in findings(from_stored(body), now, zone)]
    found += _absences(service, now)
    if not any(finding.level is Level.FAIL for finding in found):
        yield ok(f"{service.definition.name}: somebody is on duty for every skill in the next seven days.")
    yield from found
    yield _duty_officer(service, now)


def _weighed(finding: Weighed, settings: Settings) -> Finding:
    """A made-up number harms nobody until messages go out for real."""
    match finding.weight:
        case Weight.BROKEN:
            return fail(finding.text)
        case Weight.PLACEHOLDER if settings.has_real_provider:
            return fail(finding.text)
        case _:
            return warn(finding.text)


def _reading(database: Database, connection: Connection) -> Tx:
    """The service is read by steps; this one only reads."""
    clock = database.clock
    return Tx(
        connection, now=clock.now(), real=clock.real(), ids=database.ids, actor="system", subscriptions={}
    )


def _absences(service: Service, now: datetime) -> Iterator[Finding]:
    """Gaps that the rota has only because somebody is away."""
    definition = service.definition
    for skill in Skill:
        planned = rota.gaps(definition, skill, now, now + _AHEAD)
        actual = rota.gaps(definition, skill, now, now + _AHEAD, service.away, service.extra)
        for start, end in actual:
            if (start, end) not in planned:
                when = f"from {_local(service, start)} to {_local(service, end)}"
                yield fail(f"With those away, nobody with the skill {skill} is on duty {when}.")


def _duty_officer(service: Service, now: datetime) -> Finding:
    if service.holders(ContactRole.DUTY_OFFICER, now):
        return ok("A duty officer is on the rota now.")
    if ContactRole.DUTY_OFFICER in service.definition.contacts:
        return ok("No duty officer is on the rota now: notices go to contacts.duty_officer.")
    return fail("No duty officer can be told now: add contacts.duty_officer, or put one on the rota.")


def _local(service: Service, at: datetime) -> str:
    return at.astimezone(service.definition.zone).strftime("%a %d %b %H:%M")
