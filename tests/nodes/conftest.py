"""Fixtures: councils that several real nodes serve; whatever was started is ended."""

from __future__ import annotations

import asyncio
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
def three_nodes(databases: TestDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Council]:
    """Three nodes on one PostgreSQL, up for the whole module; a test loads the service it wants."""
    council = Council.found(databases.fresh("postgresql"), tmp_path_factory.mktemp("nodes"), QUICK_TOWN)
    try:
        asyncio.run(council.serve(3))
        yield council
    finally:
        council.close()
        databases.drop(council.url)
