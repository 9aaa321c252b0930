"""Fixtures: a town on SQLite and on PostgreSQL, made once a worker and emptied between tests.

The service is imported only by the fixtures that need it, so that `make quick` starts at once.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.selection import KINDS, PROFILE, is_left_out

if TYPE_CHECKING:
    from tests.databases import TestDatabases
    from tests.harness import Town

#: A Wednesday in summer: London is at BST, an hour ahead of UTC.
NOON = datetime(2026, 7, 15, 11, 0, tzinfo=UTC)


#: Objects made before the youngest of them are looked at; Python's own 700 is for small programs.
gc.set_threshold(20_000)


def pytest_collection_finish() -> None:
    """What is imported stays: it is not looked through for garbage again and again."""
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what `make quick` leaves out, and leave out what `make test` leaves to `make test-full`."""
    for item in items:
        tries_many = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        if tries_many or "databases" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    if PROFILE == "quick" and not config.option.file_or_dir:
        left_out = {item for item in items if _is_left_out(item)}
        config.hook.pytest_deselected(items=[*left_out])
        items[:] = [item for item in items if item not in left_out]


def _is_left_out(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    # `fresh`: the databases of tests/access, which hold its tables alone.
    kind = (call.params.get("database_url") or call.params.get("fresh")) if call is not None else None
    return is_left_out(item.nodeid, kind, is_long=item.get_closest_marker("long") is not None)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say at once that it is not everything."""
    if PROFILE == "quick" and not config.option.file_or_dir:
        return (
            "without long tests, and each test of a database on one kind, by turns: `make test-full` runs all"
        )
    return None


@pytest.fixture(scope="session")
def databases() -> Iterator[TestDatabases]:
    """Migrated template databases of both kinds, and copies of them."""
    from tests.databases import TestDatabases
    from tests.economy import one_compiler_of_statements, seldom_collected

    with one_compiler_of_statements(), seldom_collected():
        made = TestDatabases.anywhere()
        yield made
        made.close()


@pytest.fixture(params=KINDS)
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
