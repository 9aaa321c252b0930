"""A clock that jumps is told, counted over, and deletes nothing until somebody has looked (G8)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlmodel import col, select

from rapid_response.access.principal import SYSTEM
from rapid_response.api.reports import take_in
from rapid_response.app import App, build
from rapid_response.core.clock import SystemClock
from rapid_response.core.states import MessageChannel, MessageState, Purpose
from rapid_response.core.vocabulary import ClockState
from rapid_response.definition.load import parse
from rapid_response.intake.report_in import ReportIn
from rapid_response.messaging.breaker import Heard
from rapid_response.settings import Settings
from rapid_response.steps import clockwatch, heartbeat, lines
from rapid_response.steps.load_service import load
from rapid_response.steps.ring import arm_standing
from rapid_response.storage.duties import Duty
from rapid_response.storage.tables import (
    AgendaRow,
    ClockFaultRow,
    DutyRow,
    IncidentRow,
    LineRow,
    MessageRow,
    OfferRow,
)
from tests.builders import SMALL_TOWN, paid_today
from tests.databases import TestDatabases
from tests.harness import ASHA, BEN, DEE
from tests.rules.test_clock_guard import NOON, FakeMachine

HOUR = timedelta(hours=1)


@pytest.fixture
def machine() -> FakeMachine:
    return FakeMachine()


@pytest.fixture
async def app(databases: TestDatabases, machine: FakeMachine) -> AsyncIterator[App]:
    """A service on a machine whose clocks we turn."""
    url = databases.fresh("sqlite")
    settings = Settings(database_url=url, sms_per_second=1.0)
    made = build(settings, clock=SystemClock(machine=machine), works=False)
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


async def test_g8_backwards_is_not_believed_while_a_responder_is_at_a_door(
    app: App, machine: FakeMachine
) -> None:
    """The promise is kept; but she is to be asked in half an hour whether she is safe."""
    await _promise_runs(app)
    await app.worker.settle()
    (offer,) = await app.database.run(lambda tx: tx.all(select(OfferRow)))
    (incident,) = await app.database.run(lambda tx: tx.all(select(IncidentRow)))
    for word in ("OK", "HERE"):
        await app.network.reply(
            {"asha": ASHA, "ben": BEN}[offer.responder_id], f"{word} {incident.job_number}"
        )
        await app.worker.settle()
    clock = _clock(app)
    machine.steps(-2 * HOUR)
    await app.caretaker.watch_clock()
    machine.passes(timedelta(minutes=20))
    await app.caretaker.watch_database_clock()
    (incident,) = await app.database.run(lambda tx: tx.all(select(IncidentRow)))
    assert (incident.clock_state, clock.lead) == (ClockState.MET, 2 * HOUR)


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


# --- the clock is right again -----------------------------------------------------------------------------


async def _serves(apps: Sequence[App], machine: FakeMachine, seconds: int) -> int:
    """Time passes, and the nodes do what they do; gives how often the auditor looked."""
    audits = 0
    for second in range(seconds):
        machine.passes(timedelta(seconds=1))
        for app in apps:
            await app.caretaker.watch_clock()
            await app.worker.ringer.ring_due()
            await app.worker.sender.send_queued()
            if second % 5 == 4:
                audits += await app.caretaker.audit()
                await app.worker.provided.catch_up()
                await app.caretaker.check()
    return audits


async def _offers(app: App) -> dict[str | None, set[MessageState]]:
    """What became of the texts that ask somebody, by case."""
    found: dict[str | None, set[MessageState]] = {}
    for row in await app.database.run(lambda tx: tx.all(select(MessageRow))):
        if row.purpose is Purpose.OFFER and row.channel is MessageChannel.SMS:
            found.setdefault(row.incident_id, set()).add(row.state)
    return found


async def _next_report_is_texted(apps: Sequence[App], machine: FakeMachine) -> None:
    before = set(await _offers(apps[0]))
    await _promise_runs(apps[0])
    audits = await _serves(apps, machine, 5)
    (offers,) = [states for case, states in (await _offers(apps[0])).items() if case not in before]
    assert offers == {MessageState.IN_NETWORK}
    audits += await _serves(apps, machine, 55)
    assert audits >= 1


@pytest.mark.parametrize("by", [timedelta(seconds=50), 2 * HOUR, timedelta(days=730)])
@pytest.mark.parametrize("is_confirmed", [True, False])
async def test_g8_once_the_clock_is_right_again_texts_leave_and_the_auditor_looks(
    app: App, machine: FakeMachine, by: timedelta, is_confirmed: bool
) -> None:
    desk = app.desk
    await app.database.run(lambda tx: arm_standing(tx, desk))
    await _serves([app], machine, 60)
    machine.steps(by)
    await _serves([app], machine, 30)
    machine.steps(-by)
    await _serves([app], machine, 5)
    for _ in range(5):
        await app.database.run(lambda tx: lines.hear(tx, desk, MessageChannel.SMS, Heard.DOWN, tx.real))
    if is_confirmed:
        await app.database.run(clockwatch.confirm)
    else:
        await _serves([app], machine, 900)
    await app.caretaker.watch_database_clock()
    assert (_clock(app).lead, _clock(app).real()) == (timedelta(), machine.wall_time)

    await _next_report_is_texted([app], machine)
    assert {row.retry_at for row in await app.database.run(lambda tx: tx.all(select(LineRow)))} == {None}
    duties = {row.name: row.due_at for row in await app.database.run(lambda tx: tx.all(select(DutyRow)))}
    assert duties[Duty.CHECK] == NOON.replace(day=16, hour=2)  # three in London
    daily = select(AgendaRow).where(col(AgendaRow.kind) == "daily_line", col(AgendaRow.settled_at).is_(None))
    (line,) = await app.database.run(lambda tx: tx.all(daily))
    assert line.due_at == NOON.replace(day=16, hour=8)


async def test_g8_a_node_whose_clock_was_put_right_twice_believes_each_only_once_confirmed(
    app: App, machine: FakeMachine
) -> None:
    """What was confirmed two years ahead is no word about what happens today."""
    machine.steps(timedelta(days=730))
    await app.caretaker.watch_clock()
    machine.steps(-timedelta(days=730))
    await app.caretaker.watch_clock()
    await app.database.run(clockwatch.confirm)
    await app.caretaker.watch_database_clock()
    machine.passes(HOUR)
    machine.steps(-2 * HOUR)
    await app.caretaker.watch_clock()
    await app.caretaker.watch_database_clock()
    assert _clock(app).lead == 2 * HOUR


async def test_g8_a_start_after_that_goes_by_the_clock(app: App, machine: FakeMachine) -> None:
    """A node that is gone had said, ahead by two hours, that it lived."""
    machine.steps(2 * HOUR)
    await app.caretaker.watch_clock()
    await app.database.run(lambda tx: heartbeat.beat(tx, "gone", started=True))
    machine.steps(-2 * HOUR)
    await app.caretaker.watch_clock()
    await app.database.run(clockwatch.confirm)
    await app.caretaker.watch_database_clock()
    app.database.clock = again = SystemClock(machine=machine)
    await app.caretaker.begin()
    assert (again.lead, again.real()) == (timedelta(), machine.wall_time)


@pytest.mark.long
async def test_g8_of_two_nodes_each_goes_back_by_itself_and_neither_waits_for_the_other(
    databases: TestDatabases, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = databases.fresh("postgresql")
    key = SecretStr("a secret key only for tests, long enough")
    settings = Settings(database_url=url, secret_key=key, sms_per_second=1.0)
    ahead = timedelta()
    async with AsyncExitStack() as stack:
        apps = [build(settings, clock=SystemClock(machine=machine), works=False) for _ in range(2)]
        for app in apps:
            await stack.enter_async_context(app.asgi.router.lifespan_context(app.asgi))
            # The server's clock, which no test can turn.
            clock = _clock(app)
            monkeypatch.setattr(
                app.database, "clock_offset", lambda clock=clock, at=clock.offset: at + ahead - clock.offset
            )
        one, other = apps
        await one.database.run(lambda tx: load(tx, parse(SMALL_TOWN, "test.yaml")))
        for ahead in (2 * HOUR, timedelta()):  # noqa: B007 - `there` says it
            for app in apps:
                await app.caretaker.watch_database_clock()
            await _promise_runs(one)
            await _serves(apps, machine, 10)
        await one.database.run(clockwatch.confirm)
        await one.caretaker.watch_database_clock()
        assert (_clock(one).lead, _clock(other).lead) == (timedelta(), 2 * HOUR)
        await _promise_runs(other)  # two hours ahead still, and so is the pace that it keeps
        await _serves([other], machine, 5)

        await _next_report_is_texted([one], machine)
        await other.caretaker.watch_database_clock()
        assert _clock(other).lead == timedelta()
        await _next_report_is_texted(apps, machine)
    databases.drop(url)
