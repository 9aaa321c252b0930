"""Opening the database for a command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from rapid_response.cli.refusals import usage

if TYPE_CHECKING:
    from pathlib import Path

    from rapid_response.settings import Settings
    from rapid_response.storage.database import Database


@contextmanager
def raw(settings: Settings, *, may_be_new: bool = False) -> Iterator[Database]:
    """The database, whatever its schema; an SQLite file is made only where it `may_be_new`."""
    from rapid_response.core.clock import SystemClock
    from rapid_response.core.ids import SystemIds
    from rapid_response.storage.database import Database
    from rapid_response.wiring import SUBSCRIPTIONS

    _check_file(settings, may_be_new)
    clock = SystemClock(settings.clock_speed)
    database = Database(settings.database_url, clock=clock, ids=SystemIds(), subscriptions=SUBSCRIPTIONS)
    try:
        yield database
    finally:
        database.close_now()


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database at this release's schema, on the clock of the nodes that serve it."""
    from rapid_response.core.clock import SystemClock
    from rapid_response.storage.clock_mark import follow
    from rapid_response.storage.schema import check_schema

    with raw(settings) as database:
        check_schema(database)
        if isinstance(database.clock, SystemClock):
            follow(database, database.clock)
        yield database


def no_database(path: Path) -> str:
    """Whole, for whoever is in another folder than they think: `migrate` would make a second one there."""
    return (
        f"There is no database at {path.absolute()}: go to the folder where it lies, or, to begin a new one, "
        "run `rapid-response migrate`."
    )


def _check_file(settings: Settings, may_be_new: bool) -> None:
    path = settings.sqlite_path
    if path is None:
        return
    if not path.exists() and not may_be_new:
        raise usage(no_database(path))
    if path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise usage(
            f"The database cannot be kept at {path}: make its folder, let this user write to it, "
            "or correct RAPID_RESPONSE_DATABASE_URL."
        )
    if not path.exists():
        # Empty is a good SQLite file; made here, so that nobody else on this machine can read cases in it.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
