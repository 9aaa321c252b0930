"""The worker's alarm clock goes on at its pace when somebody sets the time of day (reliability.md G8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from apscheduler.schedulers import base

from rapid_response.wakeups import Wakeups
from tests.rules.test_clock_guard import FakeMachine

TWO_YEARS = timedelta(days=730)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    """A machine whose clock we turn, for APScheduler as well, which asks for the time of day by itself."""
    made = FakeMachine()

    class Turned(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # a plain one will do
            return datetime.fromtimestamp(made.wall(), tz or UTC)

    monkeypatch.setattr(base, "datetime", Turned)
    return made


@pytest.fixture
async def wakeups(machine: FakeMachine) -> AsyncIterator[Wakeups]:
    made = Wakeups(machine)
    made.start()
    yield made
    made.shutdown(wait=False)
    await asyncio.wait([asyncio.ensure_future(_turn())])  # it ends in the loop


async def _turn() -> None:
    """Whatever is ready to run in the loop runs."""
    for _ in range(5):
        await asyncio.wait([asyncio.ensure_future(_nothing())])


async def _nothing() -> None:
    pass


@pytest.mark.parametrize("by", [timedelta(hours=2), timedelta(hours=-2), TWO_YEARS, -TWO_YEARS, timedelta()])
async def test_g8_each_alarm_goes_off_once_at_the_next_look_and_then_at_its_interval(
    machine: FakeMachine, wakeups: Wakeups, by: timedelta
) -> None:
    heard: list[str] = []

    async def hear(what: str) -> None:
        heard.append(what)

    wakeups.add_job(hear, "interval", ["second"], seconds=1, start_date=machine.wall_time)
    wakeups.add_job(hear, "interval", ["minute"], seconds=60, start_date=machine.wall_time)
    await _turn()
    heard.clear()

    machine.passes(timedelta(seconds=1))
    machine.steps(by)
    wait = wakeups._process_jobs()
    assert wait is not None
    assert wait <= 1  # however far the next alarm is, it looks again in a second
    await _turn()
    assert sorted(heard) == (["minute", "second"] if by else ["second"])

    heard.clear()
    for _ in range(60):
        machine.passes(timedelta(seconds=1))
        wakeups._process_jobs()
        await _turn()
    assert heard.count("second") == 60
    assert heard.count("minute") == 1
