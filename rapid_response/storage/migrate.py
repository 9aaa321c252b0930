"""The schema's versions: bringing a database to the newest, and refusing to work on any other.

The revisions are part of the package, so that an installed program migrates itself and needs no alembic.ini.
Migrations of all nodes take turns (:meth:`Database.alone`); the one that comes second finds nothing to do.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from rapid_response.storage.database import Database
from rapid_response.storage.records import table_of
from rapid_response.storage.tables import IncidentRow

MIGRATIONS = Path(__file__).with_name("migrations")


class SchemaProblem(Exception):
    """The database's schema is not the one this release works on; the sentence says what to do."""


class SchemaBehind(SchemaProblem):
    """There is no schema yet, or an older one."""

    def __init__(self, found: str | None) -> None:
        self.found = found
        state = "has no tables yet" if found is None else f"is at schema {found}, not yet {newest()}"
        super().__init__(f"The database {state}: run `rapid-response migrate`.")


class SchemaNewer(SchemaProblem):
    """A newer release has migrated the database."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(
            f"The database is at schema {found}, newer than this release knows (its newest is {newest()}): "
            "run the newer release, or restore a backup made before it."
        )


class NotOurs(SchemaProblem):
    """Tables of our names stand there, but no version."""

    def __init__(self) -> None:
        super().__init__(
            "The database holds tables that `rapid-response migrate` did not make: "
            "set RAPID_RESPONSE_DATABASE_URL to an empty database."
        )


def configuration() -> Config:
    """Alembic's configuration: where the revisions are."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


@cache
def known() -> tuple[str, ...]:
    return tuple(r.revision for r in ScriptDirectory.from_config(configuration()).walk_revisions())


def newest() -> str:
    """The newest revision of this release."""
    return known()[0]


def current(connection: Connection) -> str | None:
    """The revision a database is at; None before the first."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(database: Database) -> str | None:
    """Bring the schema to the newest; returns the revision it was at. Raises :class:`SchemaProblem`.

    One transaction for all: what fails half-way leaves the old schema.
    """
    with database.alone() as connection:
        found = current(connection)
        _refuse_what_is_not_ours(connection, found)
        if found != newest():
            config = configuration()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        return found


def check_schema(database: Database) -> None:
    """Raise :class:`SchemaProblem` unless the schema is this release's."""
    found = database.look_now(current)
    if found is None or found in known():
        if found != newest():
            raise SchemaBehind(found)
        return
    raise SchemaNewer(found)


def _refuse_what_is_not_ours(connection: Connection, found: str | None) -> None:
    if found is not None and found not in known():
        raise SchemaNewer(found)
    if found is None and inspect(connection).has_table(table_of(IncidentRow).name):
        raise NotOurs
