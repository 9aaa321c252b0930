"""`backup` and `restore`: a copy of the database, made while it is served, and put back with nothing sent."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rapid_response.cli.refusals import usage

if TYPE_CHECKING:
    from rapid_response.settings import Settings
    from rapid_response.storage.copies import Manifest

_File = Annotated[Path, typer.Argument(help="The copy.")]


def backup(file: _File) -> None:
    """Copy the SQLite database while it is served, and check the copy; on PostgreSQL, say which pg_dump."""
    from rapid_response import __version__
    from rapid_response.cli.opening import opened
    from rapid_response.core.events import SERVICE_STREAM, BackupMade
    from rapid_response.settings import read_settings
    from rapid_response.storage import copies, duties
    from rapid_response.storage.duties import Duty
    from rapid_response.storage.tx import Tx

    settings = read_settings()
    if settings.sqlite_path is None:
        _say_dump(settings, file)
        return
    with opened(settings) as database:
        manifest = copies.make(database.path, file, release=__version__, made_at=database.clock.real())

        def step(tx: Tx) -> None:
            duties.note(tx, Duty.BACKUP, {})
            tx.record(SERVICE_STREAM, BackupMade(manifest.sha256))

        database.run_now(step)
    print(f"Copied to {file} and checked: {_held(manifest)}.")
    print(f"Manifest: {copies.manifest_of(file)}, SHA-256 {manifest.sha256}")
    print(
        "The copy holds everything about everybody: encrypt it, and keep it on another machine. Keep "
        f"{settings.sqlite_path}.secret with neither.",
        file=sys.stderr,
    )


def _held(manifest: Manifest) -> str:
    return (
        f"{manifest.reports} reports, {manifest.incidents} incidents ({manifest.open_incidents} open), "
        f"{manifest.events} events, {manifest.bytes // 1024:,} kB"
    )


def _say_dump(settings: Settings, file: Path) -> None:
    """The command alone on standard output, and what it needs on the other."""
    print("This database is on PostgreSQL, where its own program copies it: run", file=sys.stderr)
    print(shlex.join(["pg_dump", "--format=custom", f"--file={file}", f"--dbname={_address(settings)}"]))
    print("Its password goes into PGPASSFILE, not here. Nothing was copied by this command.", file=sys.stderr)


def _address(settings: Settings) -> str:
    """The database as pg_dump takes it, without its password."""
    from sqlalchemy import URL, make_url

    given = make_url(settings.database_url)
    # Made anew: a URL cannot be told to forget its password.
    return URL.create(
        "postgresql", given.username, None, given.host, given.port, given.database, given.query
    ).render_as_string()


def restore(
    file: _File,
    despite_log: Annotated[
        bool,
        typer.Option("--despite-log", help="Even if the copy's log does not hold: the only copy there is."),
    ] = False,
) -> None:
    """Put a copy back, with messages held until `release`; keeps the old file. On PostgreSQL, say how."""
    from functools import partial

    from rapid_response.cli.opening import raw
    from rapid_response.settings import read_settings
    from rapid_response.steps.holding import mark_restored
    from rapid_response.storage import copies

    settings = read_settings()
    if settings.sqlite_path is None:
        _say_restore(settings, file)
        return
    manifest = copies.check(file)
    with raw(settings, may_be_new=True) as database:
        database.claim_serving()
        with database.write_lock():
            aside = copies.put_back(
                file,
                database.path,
                clock=database.clock,
                ids=database.ids,
                first_step=partial(mark_restored, backup_made_at=manifest.moment, digest=manifest.sha256),
                despite_log=despite_log,
            )
    local = manifest.moment.astimezone(settings.time_zone)
    print(f"Restored {settings.sqlite_path} from the copy of {local:%d %b %Y %H:%M}: {_held(manifest)}.")
    if aside is not None:
        print(f"The database that was there is kept as {aside}.")
    print(
        "Messages and deadlines are HELD. Serve it, compare the board with what is known of the time since, "
        "then `rapid-response release`."
    )
    print(
        "Everybody is signed out. Accounts and keys are as they were then: disable again what was disabled "
        "since.",
        file=sys.stderr,
    )


def _say_restore(settings: Settings, file: Path) -> None:
    if not file.is_file():
        raise usage(f"There is no file {file}: name the dump that pg_dump made.")
    print(
        "This database is on PostgreSQL. With every node stopped, run these, in this order:", file=sys.stderr
    )
    restored = ["pg_restore", "--clean", "--if-exists", "--no-owner", "--exit-on-error"]
    print(shlex.join([*restored, f"--dbname={_address(settings)}", str(file)]))
    print("rapid-response hold")
    print(
        "Then nothing is sent before `rapid-response release`. Start no node before `hold`: it would send.",
        file=sys.stderr,
    )
