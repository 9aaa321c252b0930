"""Fixtures: a town on SQLite and on PostgreSQL, made once a worker and emptied between tests.

The service is imported only by the fixtures that need it, so that `make quick` starts at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.databases import TestDatabases
    from tests.harness import Town

#: A Wednesday in summer: London is at BST, an hour ahead of UTC.
NOON = datetime(2026, 7, 15, 11, 0, tzinfo=UTC)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make quick` leaves out: what tries hundreds of inputs, or needs a database."""
    for item in items:
        tries_many = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        if tries_many or "databases" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def databases() -> Iterator[TestDatabases]:
    """Migrated template databases of both kinds, and copies of them."""
    from tests.databases import TestDatabases
    from tests.economy import one_compiler_of_statements, seldom_collected

    with one_compiler_of_statements(), seldom_collected():
        made = TestDatabases.anywhere()
        yield made
        made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, databases: TestDatabases) -> Iterator[str]:
    """The URL of a fresh, migrated database."""
    url = databases.fresh(request.param)
    yield url
    databases.drop(url)


@pytest.fixture
def start() -> datetime:
    """When the town's clock begins; a test may override it by a fixture or parameter of its own."""
    return NOON


@pytest.fixture
async def town(database_url: str, start: datetime) -> AsyncIterator[Town]:
    """The whole service over HTTP, with a clock and phones that the test drives."""
    from tests.harness import Town

    async with Town(database_url, start) as made:
        yield made
