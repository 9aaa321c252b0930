"""Where domain time goes on after a restart: as a rule, and as kept in either database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from rapid_response.core.clock import ManualClock, SystemClock
from rapid_response.core.ids import SystemIds
from rapid_response.storage.clock_mark import Mark, follow, is_apart, keep, restore, take_up, taken_up
from rapid_response.storage.database import Database
from rapid_response.storage.tables import ClockMarkRow
from rapid_response.storage.tx import Tx
from tests.cases import each

NOON = datetime(2026, 7, 15, 12, tzinfo=UTC)
TEN_HOURS_ON = Mark(NOON, NOON + timedelta(hours=10), 60)


def at(**after: float) -> datetime:
    return NOON + timedelta(**after)


# ---------------------------------------------------------------- the rule


@each("speed", [1, 60])
def test_the_first_start_is_now(speed: float) -> None:
    assert taken_up(None, NOON, speed) == NOON


@each("seconds", [0, 1, 5])
def test_a_node_that_joins_has_the_time_of_those_that_serve(seconds: float) -> None:
    assert taken_up(TEN_HOURS_ON, at(seconds=seconds), 60) == at(hours=10, minutes=seconds)


def test_while_nobody_serves_a_fast_clock_stands_still() -> None:
    assert taken_up(TEN_HOURS_ON, at(seconds=6), 60) == at(hours=10)
    assert taken_up(TEN_HOURS_ON, at(days=30), 60) == at(hours=10)


def test_a_lead_is_kept_at_normal_speed_while_it_lasts() -> None:
    assert taken_up(TEN_HOURS_ON, at(hours=1), 1) == at(hours=11)
    assert taken_up(TEN_HOURS_ON, at(hours=10), 1) == at(hours=10)
    assert taken_up(TEN_HOURS_ON, at(days=2), 1) == at(days=2)


def test_a_machine_clock_that_was_put_back_moves_nothing_back() -> None:
    assert taken_up(TEN_HOURS_ON, at(seconds=-2), 60) == at(hours=10)
    assert taken_up(TEN_HOURS_ON, at(hours=-2), 60) == at(hours=10)


# ---------------------------------------------------------------- as kept


class TwoTimes(ManualClock):
    """Real time by hand, domain time that runs faster."""

    def __init__(self, start: datetime, speed: float) -> None:
        super().__init__(start)
        self.speed = speed
        self.set_epoch(start, start)

    def set_epoch(self, real: datetime, domain: datetime) -> None:
        self.epoch = Mark(real, domain, self.speed)

    def now(self) -> datetime:
        return self.epoch.at(self.real())


@pytest.fixture
def clock() -> TwoTimes:
    return TwoTimes(NOON, 60)


@pytest.fixture
def database(database_url: str, clock: TwoTimes) -> Iterator[Database]:
    made = Database(database_url, clock=clock, ids=SystemIds())
    yield made
    made.close_now()


def start(database: Database, clock: TwoTimes, speed: float = 60) -> datetime:
    """A node starts; what its clock says."""
    clock.speed = speed
    clock.set_epoch(*database.run_now(lambda tx: take_up(tx, speed)))
    return clock.now()


def marks(database: Database) -> list[datetime]:
    return list(database.look_now(lambda c: c.execute(select(col(ClockMarkRow.domain_at))).scalars()))


@pytest.mark.long
def test_a_restart_goes_on_where_the_last_second_was_kept(database: Database, clock: TwoTimes) -> None:
    assert start(database, clock) == NOON
    clock.advance(timedelta(seconds=10))
    database.run_now(keep)
    clock.advance(timedelta(days=1))
    assert start(database, clock) == at(minutes=10)
    clock.advance(timedelta(seconds=1))
    assert clock.now() == at(minutes=11)


@pytest.mark.long
def test_two_nodes_that_start_at_once_agree(database: Database, clock: TwoTimes) -> None:
    start(database, clock)
    clock.advance(timedelta(seconds=2))
    first = clock.now()
    assert start(database, clock) == first


def test_the_mark_never_goes_back(database: Database, clock: TwoTimes) -> None:
    start(database, clock)
    clock.advance(timedelta(seconds=10))
    database.run_now(keep)
    clock.advance(timedelta(seconds=-5))
    database.run_now(keep)
    assert marks(database) == [at(minutes=10)]


def test_at_normal_speed_nothing_is_kept_that_could_send_a_later_clock_back(
    database: Database, clock: TwoTimes
) -> None:
    assert start(database, clock, speed=1) == NOON
    assert marks(database) == []
    start(database, clock, speed=60)
    clock.advance(timedelta(days=1))
    assert start(database, clock, speed=1) == at(days=1)
    assert marks(database) == []
    clock.advance(timedelta(days=7))
    assert start(database, clock, speed=60) == at(days=8)


def test_a_lead_at_normal_speed_lasts_over_restarts(database: Database, clock: TwoTimes) -> None:
    start(database, clock)
    clock.advance(timedelta(minutes=10))
    database.run_now(keep)
    for _ in range(2):
        clock.advance(timedelta(minutes=5))
        lead = start(database, clock, speed=1) - clock.real()
        assert lead == timedelta(minutes=590)
        assert is_apart(clock)
        clock.advance(timedelta(hours=11))
        database.run_now(keep)


async def test_a_real_clock_is_set_and_a_command_follows_it(database_url: str) -> None:
    ahead = timedelta(days=3)
    serving, following = SystemClock(60), SystemClock(60)
    database = Database(database_url, clock=serving, ids=SystemIds())
    try:
        await database.run(lambda tx: _mark(tx, ahead))
        await restore(database, serving)
        follow(database, following)
    finally:
        await database.close()
    assert ahead <= serving.now() - serving.real() < ahead + timedelta(minutes=30)
    assert abs(following.now() - serving.now()) < timedelta(minutes=1)
    assert not is_apart(ManualClock(NOON))


def _mark(tx: Tx, ahead: timedelta) -> None:
    tx.add(ClockMarkRow, id=1, real_at=tx.real, domain_at=tx.real + ahead, speed=60)
