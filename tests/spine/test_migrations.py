"""The migrated schema is the models', on both databases, however often and by however many it is migrated."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from rapid_response.core.clock import SystemClock
from rapid_response.core.ids import SystemIds
from rapid_response.storage.database import Database
from rapid_response.storage.migrate import NotOurs, configuration, migrate
from rapid_response.storage.migrations.draft import models
from rapid_response.storage.schema import (
    MIGRATIONS,
    SchemaBehind,
    SchemaNewer,
    check_schema,
    current,
    known,
    newest,
)


@pytest.fixture
def url(database_url: str, tmp_path: Path) -> str:
    """The URL of a database with nothing in it."""
    if database_url.startswith("sqlite"):
        return f"sqlite+aiosqlite:///{tmp_path}/schema.db"
    with opened(database_url) as database:
        execute(database, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return database_url


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url, clock=SystemClock(), ids=SystemIds())
    try:
        yield database
    finally:
        database.close_now()


def execute(database: Database, *statements: str) -> None:
    with database.engine().begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_the_migrated_schema_is_the_models_and_stays_it(url: str) -> None:
    with opened(url) as database:
        assert migrate(database) is None
        assert migrate(database) == newest()
        check_schema(database)
        with database.engine().connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, models()) == []


def test_two_nodes_migrate_at_once(url: str) -> None:
    with opened(url) as one, opened(url) as other, ThreadPoolExecutor(2) as threads:
        found = list(threads.map(migrate, [one, other]))
        assert sorted(found, key=str) == [newest(), None]
        check_schema(other)
        if one.is_sqlite:  # foreign keys are watched again
            with one.engine().connect() as connection:
                assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_another_schema_is_refused_and_left_alone(url: str) -> None:
    with opened(url) as database:
        with pytest.raises(SchemaBehind, match="rapid-response migrate"):
            check_schema(database)
        migrate(database)
        execute(database, "UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(SchemaNewer, match="9999"):
            check_schema(database)
        with pytest.raises(SchemaNewer, match="9999"):
            migrate(database)
        assert database.look_now(current) == "9999"


def test_what_stands_in_the_way_is_left_alone(url: str) -> None:
    """`users` is one of our later tables: none of the earlier ones may stay behind."""
    with opened(url) as database:
        execute(database, "CREATE TABLE users (id INTEGER)")
        with pytest.raises(Exception, match="users"):
            migrate(database)
        assert database.look_now(_tables) == {"users"}
        execute(database, "CREATE TABLE incidents (id INTEGER)")
        with pytest.raises(NotOurs, match="empty database"):
            migrate(database)


def test_revisions_are_numbered_in_one_line() -> None:
    names = sorted(path.name for path in (MIGRATIONS / "versions").glob("*.py"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    revisions = ScriptDirectory.from_config(configuration()).walk_revisions()
    assert known() == tuple(one.revision for one in revisions)


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())
