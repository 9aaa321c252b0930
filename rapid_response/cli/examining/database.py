"""The database and the clock."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from rapid_response.cli.examining import Finding, fail, ok, warn
from rapid_response.cli.opening import no_database
from rapid_response.cli.refusals import NOT_ITS_OWNER, may_not
from rapid_response.core.clock import SystemClock
from rapid_response.settings import Settings
from rapid_response.steps import clockwatch
from rapid_response.storage.clock_mark import follow
from rapid_response.storage.database import Database
from rapid_response.storage.duties import Duty
from rapid_response.storage.failures import DatabaseUnavailable, WrongEncoding
from rapid_response.storage.schema import SchemaProblem, check_schema, newest
from rapid_response.storage.tables import DutyRow

#: RETURNING, which claims are made with.
_OLDEST_SQLITE = (3, 35, 0)
_MB = 1024 * 1024
_NEEDED, _COMFORTABLE = 100 * _MB, 1024 * _MB
#: SQLite's pragmas that durability and integrity rest on, and PostgreSQL's settings.
_PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
_LARGEST_OFFSET = timedelta(seconds=2)
_COPY_EVERY_HOURS = 26
_NO_ANSWER = "The database does not answer: check that it runs and that RAPID_RESPONSE_DATABASE_URL is right."


def examine_file(settings: Settings) -> Finding | None:
    """What is wrong with the SQLite file's place, if anything."""
    path = settings.sqlite_path
    if path is None:
        return None
    if not path.is_file():
        return fail(no_database(path))
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        return fail(f"The database at {path} cannot be written: correct the permissions of file and folder.")
    return None


def examine(database: Database) -> Iterator[Finding]:
    """Whether it answers, has this release's schema, and keeps what it is given."""
    try:
        version = database.look_now(lambda connection: connection.dialect.server_version_info)
        check_schema(database)
        unsafe = database.look_now(_unsafe_sqlite if database.is_sqlite else _unsafe_postgres)
    except (SchemaProblem, WrongEncoding) as problem:
        yield fail(str(problem))
        return
    except (DatabaseUnavailable, SQLAlchemyError) as error:
        yield fail(NOT_ITS_OWNER if may_not(error) else _NO_ANSWER)
        return
    kind = f"SQLite {sqlite3.sqlite_version}" if database.is_sqlite else f"PostgreSQL {_dotted(version)}"
    yield ok(f"The database answers ({kind}) and is at schema {newest()}.")
    if unsafe:
        yield fail(f"The database may lose what it has acknowledged, for want of {', '.join(unsafe)}.")
    if database.is_sqlite:
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            yield fail(f"SQLite {sqlite3.sqlite_version} is too old: use a Python with 3.35 or newer.")
        yield _room(database)
        yield _copied(database)


def examine_clock(database: Database) -> Iterator[Finding]:
    """How far this machine's clock is from the database's, and domain time from real time."""
    clock = database.clock
    if not isinstance(clock, SystemClock):
        return
    follow(database, clock)
    if abs(clock.offset) > _LARGEST_OFFSET:
        yield warn(
            f"This machine's clock is {abs(clock.offset).total_seconds():.1f} s off the database's: "
            "switch on time synchronisation on both."
        )
    else:
        yield ok("This machine's clock agrees with the database's.")
    yield from _jumps(database)
    lead = clock.now() - clock.real()
    if abs(lead) > _LARGEST_OFFSET:
        way = "ahead of" if lead > timedelta() else "behind"
        yield warn(
            f"The service's time is {timedelta(seconds=round(abs(lead).total_seconds()))} {way} real time."
        )


def _copied(database: Database) -> Finding:
    """When the file was last copied, as far as the service knows."""
    query = select(col(DutyRow.good_at)).where(col(DutyRow.name) == Duty.BACKUP.value)
    copied = database.look_now(lambda c: c.execute(query).scalar())
    if copied is None:
        return warn("No copy was ever made by `rapid-response backup`: make one each night.")
    hours = (database.clock.real() - copied).total_seconds() / 3600
    said = warn if hours > _COPY_EVERY_HOURS else ok
    return said(f"The last copy was made {hours:.0f} hours ago.")


def _jumps(database: Database) -> Iterator[Finding]:
    steps = database.look_now(clockwatch.open_faults)
    if steps:
        yield fail(
            f"The clock has jumped by up to {max(map(abs, steps)):.0f} s and nobody has confirmed it: look "
            "at it, then run `rapid-response clock --confirm`."
        )


def _room(database: Database) -> Finding:
    free = shutil.disk_usage(database.path.parent).free
    said = fail if free < _NEEDED else warn if free < _COMFORTABLE else ok
    advice = "." if free >= _COMFORTABLE else ": make room, or reports will be refused when it is full."
    return said(f"The database's disk has {free // _MB:,} MB free{advice}")


def _unsafe_sqlite(connection: Connection) -> list[str]:
    found = {pragma: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() for pragma in _PRAGMAS}
    return [f"{pragma}={wanted}" for pragma, wanted in _PRAGMAS.items() if found[pragma] != wanted]


def _unsafe_postgres(connection: Connection) -> list[str]:
    asked = text("SELECT current_setting(:name)")
    found = {name: connection.execute(asked, {"name": name}).scalar() for name in _DURABLE}
    return [f"{name}=on" for name in _DURABLE if found[name] == "off"]


def _dotted(version: Any) -> str:
    return ".".join(str(part) for part in version or ())
