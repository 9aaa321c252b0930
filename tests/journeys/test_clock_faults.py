"""A clock that jumps is told, counted over, and deletes nothing until somebody has looked (G8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlmodel import select

from rapid_response.access.principal import SYSTEM
from rapid_response.api.reports import take_in
from rapid_response.app import App, build
from rapid_response.core.clock import SystemClock
from rapid_response.definition.load import parse
from rapid_response.intake.report_in import ReportIn
from rapid_response.settings import Settings
from rapid_response.steps import clockwatch, heartbeat
from rapid_response.steps.load_service import load
from rapid_response.storage.tables import ClockFaultRow, MessageRow
from tests.builders import SMALL_TOWN, paid_today
from tests.databases import TestDatabases
from tests.harness import DEE
from tests.rules.test_clock_guard import FakeMachine

HOUR = timedelta(hours=1)


@pytest.fixture
def machine() -> FakeMachine:
    return FakeMachine()


@pytest.fixture
async def app(databases: TestDatabases, machine: FakeMachine) -> AsyncIterator[App]:
    """A service on a machine whose clocks we turn."""
    url = databases.fresh("sqlite")
    made = build(Settings(database_url=url), clock=SystemClock(machine=machine), works=False)
    async with made.asgi.router.lifespan_context(made.asgi):
        await made.database.run(lambda tx: load(tx, parse(SMALL_TOWN, "test.yaml")))
        await made.caretaker.begin()
        yield made
    databases.drop(url)


async def faults(app: App) -> list[float]:
    return await app.database.look(clockwatch.open_faults)


async def told(app: App) -> list[str]:
    rows = await app.database.run(lambda tx: tx.all(select(MessageRow)))
    return [row.body for row in rows if row.to_number == DEE]


def _clock(app: App) -> SystemClock:
    clock = app.database.clock
    assert isinstance(clock, SystemClock)
    return clock


@pytest.mark.parametrize("by", [timedelta(minutes=5), 2 * HOUR, timedelta(days=730)])
async def test_g8_forwards_is_reported_within_a_tick_and_nothing_is_deleted_until_confirmed(
    app: App, machine: FakeMachine, by: timedelta
) -> None:
    assert await app.database.run(clockwatch.may_delete)
    machine.passes(timedelta(seconds=1))
    machine.steps(by)
    await app.caretaker.watch_clock()
    assert await faults(app) == [pytest.approx(by.total_seconds(), abs=1)]
    assert not await app.database.run(clockwatch.may_delete)
    assert ["clock has jumped" in text for text in await told(app)] == [True]
    await app.caretaker.watch_clock()
    assert len(await faults(app)) == 1
    assert await app.database.run(clockwatch.confirm) == 1
    assert await app.database.run(clockwatch.may_delete)


async def test_g8_backwards_time_goes_on_until_a_person_has_confirmed_it(
    app: App, machine: FakeMachine
) -> None:
    clock = _clock(app)
    machine.steps(-2 * HOUR)
    before = clock.now()
    await app.caretaker.watch_clock()
    machine.passes(timedelta(minutes=20))
    assert clock.now() - before == timedelta(minutes=20)
    await _promise_runs(app)
    await app.caretaker.watch_database_clock()
    assert clock.lead == 2 * HOUR  # twenty minutes, but a promise would be late by it
    await app.database.run(clockwatch.confirm)
    await app.caretaker.watch_database_clock()
    assert clock.lead == timedelta()
    assert clock.real() == machine.wall_time


async def test_g8_backwards_is_believed_after_a_quarter_of_an_hour_where_no_promise_runs(
    app: App, machine: FakeMachine
) -> None:
    clock = _clock(app)
    machine.steps(-2 * HOUR)
    await app.caretaker.watch_clock()
    machine.passes(timedelta(minutes=14))
    await app.caretaker.watch_database_clock()
    assert clock.lead == 2 * HOUR
    machine.passes(timedelta(minutes=2))
    await app.caretaker.watch_database_clock()
    assert clock.lead == timedelta()
    assert len(await faults(app)) == 1  # still to be looked at


async def _promise_runs(app: App) -> None:
    await take_in(app.asgi.state.context, ReportIn.model_validate(paid_today()), SYSTEM)


async def test_g8_a_start_with_a_clock_that_is_behind_goes_on_from_the_record(
    app: App, machine: FakeMachine
) -> None:
    """The node stops; the clock is set back; it starts again: time does not."""
    recorded = app.database.clock.real()
    await app.database.run(lambda tx: heartbeat.beat(tx, "node", started=True))
    machine.steps(-3 * HOUR)
    again = SystemClock(machine=machine)
    assert again.real() < recorded
    app.database.clock = again
    await app.caretaker.begin()
    assert again.real() >= recorded
    assert await faults(app) == [pytest.approx(-10800, abs=1)]


@pytest.mark.parametrize("erases", [True, False])
@pytest.mark.parametrize("by", [timedelta(days=20), timedelta(days=730)])
async def test_g8_a_start_with_a_clock_that_is_years_ahead_erases_nothing_until_confirmed(
    app: App, machine: FakeMachine, erases: bool, by: timedelta
) -> None:
    """Where nothing is ever erased, a database that lay there for a month may be served again unasked."""
    await app.database.run(lambda tx: heartbeat.beat(tx, "node", started=True))
    machine.steps(by)
    app.database.clock = SystemClock(machine=machine)
    app.caretaker._erases = erases
    await app.caretaker.begin()
    is_asked = erases and by > timedelta(days=30)
    assert await app.database.run(clockwatch.may_delete) is not is_asked
    assert await faults(app) == ([pytest.approx(by.total_seconds(), abs=1)] if is_asked else [])


async def test_g8_a_quiet_clock_says_nothing(app: App, machine: FakeMachine) -> None:
    for _ in range(30):
        machine.passes(timedelta(seconds=1))
        await app.caretaker.watch_clock()
    machine.passes(HOUR)  # the machine slept
    await app.caretaker.watch_clock()
    assert await faults(app) == []
    assert await app.database.run(lambda tx: tx.all(select(ClockFaultRow))) == []
