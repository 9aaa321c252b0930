"""Bringing a database to the newest schema.

The revisions are part of the package, so that an installed program migrates itself and needs no alembic.ini.
Migrations of all nodes take turns (:meth:`Database.alone`); the one that comes second finds nothing to do.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect

from rapid_response.storage.database import Database
from rapid_response.storage.records import table_of
from rapid_response.storage.schema import MIGRATIONS, SchemaNewer, SchemaProblem, current, known, newest
from rapid_response.storage.tables import IncidentRow


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


def _refuse_what_is_not_ours(connection: Connection, found: str | None) -> None:
    if found is not None and found not in known():
        raise SchemaNewer(found)
    if found is None and inspect(connection).has_table(table_of(IncidentRow).name):
        raise NotOurs
