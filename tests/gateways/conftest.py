"""One clock that moves only when told to, a stand-in service, and nodes of the network over one database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from rapid_response.core.clock import ManualClock
from rapid_response.core.ids import SeededIds
from rapid_response.simulator.network import SimulatedNetwork
from rapid_response.storage.database import Database
from tests.gateways.service import Service

HOTLINE = "+442079460000"
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

NewNode = Callable[[], SimulatedNetwork]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MONDAY)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def new_node(database_url: str, clock: ManualClock, service: Service) -> AsyncIterator[NewNode]:
    """Makes another node over the same database: what a restart leaves, or a second process."""
    databases: list[Database] = []

    def make() -> SimulatedNetwork:
        ids = SeededIds(len(databases) + 1)
        database = Database(database_url, clock=clock, ids=ids, threads=2)
        databases.append(database)
        return SimulatedNetwork(database, ids, HOTLINE, service.line())

    yield make
    for database in databases:
        await database.close()


@pytest.fixture
def network(new_node: NewNode) -> SimulatedNetwork:
    return new_node()
