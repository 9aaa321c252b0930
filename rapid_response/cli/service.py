"""`load` and `export-service`: the service definition, in and out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rapid_response.cli.refusals import Refused, usage

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from rapid_response.definition import ServiceFile
    from rapid_response.settings import Settings


def load(
    file: Annotated[Path, typer.Argument(help="The service definition, such as deploy/bromley.yaml.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and compare; change nothing.")] = False,
) -> None:
    """Create or update the service definition, all or nothing; says what changed."""
    from rapid_response.cli.opening import opened
    from rapid_response.definition import read
    from rapid_response.settings import read_settings
    from rapid_response.steps import load_service

    settings = read_settings()
    if not file.is_file():
        raise usage(f"There is no file {file}: name a service definition, such as deploy/bromley.yaml.")
    service = read(file)
    if dry_run:
        changes = _compare(settings, service)
        _show(changes)
        print("Nothing would change." if not changes else "This is what would change; nothing was loaded.")
        return
    with opened(settings) as database:
        result = database.run_now(lambda tx: load_service.load(tx, service))
        unready = database.look_now(lambda c: _unready(c, settings, database.clock.now()))
    _show(result.changes)
    _show(unready)
    if result.is_new:
        print(f"Loaded as version {result.version}.")
    else:
        print(f"Nothing to change: version {result.version} says the same.")


def export_service() -> None:
    """Print the service definition; loading it again changes nothing."""
    from rapid_response.cli.opening import opened
    from rapid_response.settings import read_settings
    from rapid_response.steps.load_service import export

    with opened(read_settings()) as database:
        text = database.look_now(export)
    if text is None:
        raise Refused("No service definition is loaded: run `rapid-response load FILE.yaml`.")
    print(text, end="")


def _compare(settings: Settings, service: ServiceFile) -> list[str]:
    """What loading would change; against nothing where there is no database yet."""
    from rapid_response.cli.opening import raw
    from rapid_response.definition import changes
    from rapid_response.steps.load_service import compare
    from rapid_response.storage.schema import SchemaBehind, check_schema

    path = settings.sqlite_path
    if path is not None and not path.exists():
        return changes(None, service)
    with raw(settings) as database:
        try:
            check_schema(database)
        except SchemaBehind:
            return changes(None, service)
        return database.look_now(lambda connection: compare(connection, service))


def _unready(connection: Connection, settings: Settings, now: datetime) -> list[str]:
    """Whose number does not take our texts or calls, as far as is known."""
    from rapid_response.messaging.proof import Proof
    from rapid_response.steps import proving, readiness
    from rapid_response.steps.service import stored_definition

    definition = stored_definition(connection, settings.time_zone)
    found = readiness.findings(connection, definition) if definition else []
    said = [f"careful: {f.sentence}" for f in found if f.trouble is not readiness.Trouble.NEVER_CONFIRMED]
    if definition is None:
        return said
    proofs = proving.to_confirm(proving.standings(connection, definition, now))
    said += [f"careful: {s.sentence}" for s in proofs if s.proof is not Proof.NEVER]
    never = sorted({s.responder_id for s in proofs if s.proof is Proof.NEVER})
    if never and settings.has_real_provider:
        said.append(f"careful: not confirmed by a code yet: {', '.join(never)}. See the page Phone numbers.")
    return said


def _show(changes: tuple[str, ...] | list[str]) -> None:
    for change in changes:
        print(change)
