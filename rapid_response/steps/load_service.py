"""Taking a service definition into force, and giving it back as a file.

A definition is never changed: each load that changes something is a new version, and what was decided under
an older one can still be explained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Executable, exists, or_, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col
from sqlmodel import select as typed_select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core.events import SERVICE_STREAM, ServiceLoaded
from rapid_response.core.states import OfferState
from rapid_response.definition import ServiceFile, changes, digest, from_stored, to_stored
from rapid_response.definition import export as as_yaml
from rapid_response.sla import rules as sla
from rapid_response.sla.rules import Kind
from rapid_response.steps import clock, companions, offers, shifts
from rapid_response.steps.case import hold, offers_of
from rapid_response.steps.errors import Refusal
from rapid_response.storage import work
from rapid_response.storage.once import once
from rapid_response.storage.tables import (
    IS_LIVE,
    AgendaRow,
    DefinitionRow,
    IncidentRow,
    OfferRow,
    ResponderRow,
)
from rapid_response.storage.tx import Tx


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The version now in force, and what it changed; `is_new` is false when there was nothing to change."""

    version: int
    changes: tuple[str, ...]
    is_new: bool


class LoadedMeanwhile(Refusal):
    """Somebody else loaded a definition at the same moment."""

    def __init__(self) -> None:
        super().__init__("Another definition was loaded at the same moment: look at it, then load again.")


def load(tx: Tx, service: ServiceFile) -> LoadResult:
    """Take the service into force, all or nothing; jobs that nobody could take are tried again at once."""
    last = tx.first(typed_select(DefinitionRow).order_by(col(DefinitionRow.version).desc()).limit(1))
    mark = digest(service)
    if last is not None and last.digest == mark:
        return LoadResult(last.version, (), is_new=False)
    changed = tuple(changes(from_stored(last.body) if last else None, service))
    version = last.version + 1 if last else 1
    tx.add(
        DefinitionRow,
        version=version,
        body=to_stored(service),
        digest=mark,
        loaded_at=tx.now,
        actor=tx.actor,
    )
    try:
        tx.flush()
    except IntegrityError as error:
        raise LoadedMeanwhile from error
    listed = {responder.id for responder in service.responders}
    left = tuple(_look_at_jobs(tx, listed, version))
    companions.look_who_left(tx, sorted(listed), version)
    _keep_responders(tx, listed)
    if last is not None:
        _climb_on(tx, from_stored(last.body), service)
    tx.record(SERVICE_STREAM, ServiceLoaded(version, mark))
    offers.retry_all(tx)
    return LoadResult(version, changed + left, is_new=True)


def _look_at_jobs(tx: Tx, listed: set[str], version: int) -> Iterator[str]:
    """Who has a job may be on duty at other times from now on; or is not listed any more, and on the way.

    The jobs of whoever is not are handed over by a person, as at a shift's end; her offers end at once, and
    the next person is asked. Gives a sentence for each job.
    """
    for incident in tx.all(_open_of_somebody(sorted(listed))):
        # Incidents by id first, and only then the agenda.
        held = hold(tx, incident.id)
        if held.owner is not None and held.owner not in listed:
            shifts.leave(tx, held)
            yield (
                f"Job {held.job_number} is still with {held.owner}, who is no longer listed: "
                "the duty officer is asked to hand it over."
            )
        elif held.owner is not None:
            shifts.look_again(tx, held, version)
        for offer in offers_of(tx, held):
            if offer.responder_id not in listed and offer.state is OfferState.OPEN:
                work.hasten(tx, held.id, Kind.ANSWER.value, offer.id)


@once
def _open_of_somebody(listed: Sequence[str]) -> SelectOfScalar[IncidentRow]:
    """Open, and somebody's; or somebody is asked who is not listed."""
    asked = exists().where(
        col(OfferRow.incident_id) == col(IncidentRow.id),
        IS_LIVE,
        col(OfferRow.responder_id).not_in(listed),
    )
    return (
        typed_select(IncidentRow)
        .where(col(IncidentRow.is_open), or_(col(IncidentRow.owner).is_not(None), asked))
        .order_by(col(IncidentRow.id))
    )


def _climb_on(tx: Tx, before: ServiceFile, service: ServiceFile) -> None:
    """Cases in mid-climb go on by the ladder in force now, into which an old number would point wrongly."""
    was, now_is = (tuple(rung.to_core() for rung in file.escalation) for file in (before, service))
    if was == now_is:
        return
    for incident_id in tx.execute(_climbing()).scalars():
        incident = hold(tx, incident_id)
        rungs = {int(entry.subject): entry.due_at for entry in work.pending(tx, incident_id, [Kind.RUNG])}
        clock.disarm(tx, incident, [Kind.RUNG], "ladder_changed")
        pending = {index: due for index, due in rungs.items() if index < len(was)}
        for entry in sla.climbed_on(was, now_is, pending, tx.now):
            # The one before it may hold its place in this cycle, climbed or not.
            cycle = max(work.next_cycle(tx, incident_id, entry), incident.cycle)
            work.arm(tx, incident_id, cycle, incident.priority.rank, [entry])


@once
def _climbing() -> Executable:
    return (
        select(col(AgendaRow.incident_id))
        .where(col(AgendaRow.kind) == Kind.RUNG.value, col(AgendaRow.settled_at).is_(None))
        .distinct()
        .order_by(col(AgendaRow.incident_id))
    )


def _keep_responders(tx: Tx, listed: set[str]) -> None:
    """One row a responder, to be locked by; whoever is no longer listed is not asked any more."""
    known = {row.id: row for row in tx.all(typed_select(ResponderRow).order_by(col(ResponderRow.id)))}
    for responder_id, row in known.items():
        row.active = responder_id in listed
    for responder_id in sorted(listed - known.keys()):
        tx.add(ResponderRow, id=responder_id)


def compare(connection: Connection, service: ServiceFile) -> list[str]:
    """What loading would change."""
    return changes(_in_force(connection), service)


def export(connection: Connection) -> str | None:
    """The service in force as YAML, such that loading it again changes nothing; None when there is none."""
    service = _in_force(connection)
    return as_yaml(service) if service else None


def _in_force(connection: Connection) -> ServiceFile | None:
    newest = select(col(DefinitionRow.body)).order_by(col(DefinitionRow.version).desc()).limit(1)
    body = connection.execute(newest).scalar()
    return from_stored(body) if body is not None else None
