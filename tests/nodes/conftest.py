"""Fixtures: councils that several real nodes serve; whatever was started is ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.databases import TestDatabases
from tests.nodes.running import Council
from tests.nodes.towns import QUICK_TOWN

Found = Callable[[str, str], Council]


@pytest.fixture
def found(databases: TestDatabases, tmp_path: Path) -> Iterator[Found]:
    """Founds councils: on which kind of database, and with which service."""
    made: list[Council] = []

    def found_(kind: str, definition: str) -> Council:
        made.append(Council.found(databases.fresh(kind), tmp_path, definition))
        return made[-1]

    yield found_
    for council in made:
        council.close()
        databases.drop(council.url)


@pytest.fixture(scope="module")
def _one_council(databases: TestDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Council]:
    council = Council.found(databases.fresh("postgresql"), tmp_path_factory.mktemp("nodes"), QUICK_TOWN)
    yield council
    council.close()
    databases.drop(council.url)


@pytest.fixture
async def three_nodes(_one_council: Council) -> Council:
    """Three live nodes on one PostgreSQL; started once, and anew where a test killed one.

    Their leases are three seconds, lest a test wait half a minute for a dead node; all else is `serve`.
    """
    living = [node for node in _one_council.nodes if node.lives]
    _one_council.nodes[:] = living
    await _one_council.serve(3 - len(living), program=("-m", "tests.nodes.serve"))
    return _one_council
