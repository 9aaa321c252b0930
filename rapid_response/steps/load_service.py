"""Taking a service definition into force, and giving it back as a file.

A definition is never changed: each load that changes something is a new version, and what was decided under
an older one can still be explained.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.core.events import SERVICE_STREAM, ServiceLoaded
from rapid_response.definition import ServiceFile, changes, digest, from_stored, to_stored
from rapid_response.definition import export as as_yaml
from rapid_response.steps import offers
from rapid_response.steps.errors import Refusal
from rapid_response.storage.tables import DefinitionRow, ResponderRow
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
    _keep_responders(tx, {responder.id for responder in service.responders})
    tx.record(SERVICE_STREAM, ServiceLoaded(version, mark))
    offers.retry_all(tx)
    return LoadResult(version, changed, is_new=True)


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
