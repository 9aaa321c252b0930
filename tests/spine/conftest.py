"""Fixtures: a bare database of each kind, on a clock that the test turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rapid_response.core.clock import ManualClock
from rapid_response.core.ids import SystemIds
from rapid_response.storage.database import Database
from rapid_response.storage.tx import Subscriptions
from tests.conftest import NOON
from tests.databases import TestDatabases

Open = Callable[..., Database]


@pytest.fixture
def clock() -> ManualClock:
    """Noon of a working day."""
    return ManualClock(NOON)


@pytest.fixture
def opened(database_url: str, clock: ManualClock) -> Iterator[Open]:
    """Opens the test's database, once or several times, as several processes would."""
    made: list[Database] = []

    def open_(subscriptions: Subscriptions | None = None) -> Database:
        database = Database(database_url, clock=clock, ids=SystemIds(), subscriptions=subscriptions)
        made.append(database)
        return database

    yield open_
    for database in made:
        database.close_now()


@pytest.fixture
def database(opened: Open) -> Database:
    """The test's database, on both kinds."""
    return opened()


@pytest.fixture
def sqlite(databases: TestDatabases, clock: ManualClock) -> Iterator[Database]:
    """A database on SQLite, for what only its writer does."""
    url = databases.fresh("sqlite")
    made = Database(url, clock=clock, ids=SystemIds())
    yield made
    made.close_now()
    databases.drop(url)


@pytest.fixture
def postgres(databases: TestDatabases, clock: ManualClock) -> Iterator[Database]:
    """A database on PostgreSQL, for what only its transactions do."""
    url = databases.fresh("postgresql")
    made = Database(url, clock=clock, ids=SystemIds())
    yield made
    made.close_now()
    databases.drop(url)
