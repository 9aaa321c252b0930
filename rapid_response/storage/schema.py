"""The schema's versions: which one a database is at, and refusing to work on any but this release's.

Bringing a database to the newest is :mod:`.migrate`; nothing here loads what that needs, as each start and
each minute asks.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from rapid_response.storage.database import Database

MIGRATIONS = Path(__file__).with_name("migrations")
#: Alembic's, in which a database says its version.
_VERSION_TABLE = "alembic_version"


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


@cache
def known() -> tuple[str, ...]:
    """This release's revisions, the newest first: they are numbered in one line, and so are their files."""
    names = (path.name for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))
    return tuple(sorted((name.partition("_")[0] for name in names), reverse=True))


def newest() -> str:
    """The newest revision of this release."""
    return known()[0]


def current(connection: Connection) -> str | None:
    """The revision a database is at; None before the first."""
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()  # noqa: S608 - our own word
    return found


def check_schema(database: Database) -> None:
    """Raise :class:`SchemaProblem` unless the schema is this release's."""
    found = database.look_now(current)
    if found is None or found in known():
        if found != newest():
            raise SchemaBehind(found)
        return
    raise SchemaNewer(found)
