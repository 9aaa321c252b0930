"""The machine's clock steps, and no promise is late for it (reliability.md G8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapid_response.core.clock import TOLERANCE, SystemClock, is_reached

NOON = datetime(2026, 7, 15, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TWO_YEARS = timedelta(days=730)


class FakeMachine:
    """A machine whose two clocks we turn."""

    def __init__(self) -> None:
        self.wall_time = NOON
        self.up_for = timedelta(days=3)

    def wall(self) -> float:
        return self.wall_time.timestamp()

    def boot(self) -> float:
        return self.up_for.total_seconds()

    def passes(self, time: timedelta) -> None:
        """Time passes, as it does."""
        self.wall_time += time
        self.up_for += time

    def steps(self, by: timedelta) -> None:
        """Somebody, or something, sets the clock."""
        self.wall_time += by


@pytest.fixture
def machine() -> FakeMachine:
    return FakeMachine()


@pytest.fixture
def clock(machine: FakeMachine) -> SystemClock:
    return SystemClock(machine=machine)


def test_time_that_passes_evenly_is_no_step(machine: FakeMachine, clock: SystemClock) -> None:
    for _ in range(100):
        machine.passes(SECOND)
        assert clock.compare_with_wall() is None
    assert clock.real() == clock.now() == NOON + 100 * SECOND
    assert (clock.lead, clock.lead_since) == (timedelta(), None)


def test_g8_suspend_counts(machine: FakeMachine, clock: SystemClock) -> None:
    """The clock since start counts it, and so do we: an hour asleep is an hour gone."""
    machine.passes(timedelta(hours=1))
    assert clock.compare_with_wall() is None
    assert clock.now() == NOON + timedelta(hours=1)


@pytest.mark.parametrize("by", [timedelta(minutes=5), timedelta(hours=2), TWO_YEARS])
def test_g8_a_step_forwards_is_followed_at_once_and_reported_once(
    machine: FakeMachine, clock: SystemClock, by: timedelta
) -> None:
    machine.steps(by)
    machine.passes(SECOND)
    step = clock.compare_with_wall()
    assert step is not None
    assert step.is_forward
    assert abs(step.by - by) < SECOND
    assert clock.now() == NOON + SECOND + by
    machine.passes(SECOND)
    assert clock.compare_with_wall() is None


@pytest.mark.parametrize("by", [timedelta(minutes=5), timedelta(hours=2), TWO_YEARS])
def test_g8_a_step_backwards_delays_nothing_and_is_reported_once(
    machine: FakeMachine, clock: SystemClock, by: timedelta
) -> None:
    due = NOON + timedelta(hours=2)
    machine.steps(-by)
    machine.passes(SECOND)
    step = clock.compare_with_wall()
    assert step is not None
    assert not step.is_forward
    assert clock.now() == NOON + SECOND
    assert (clock.lead, clock.lead_since) == (by, NOON + SECOND)
    machine.passes(timedelta(hours=2) - SECOND)
    assert clock.compare_with_wall() is None
    assert clock.now() == due  # exactly in time
    clock.take_truth()
    assert clock.real() == machine.wall_time
    assert clock.lead_since is None


def test_g8_a_clock_that_is_put_right_again_is_right(machine: FakeMachine, clock: SystemClock) -> None:
    machine.steps(-timedelta(hours=2))
    assert clock.compare_with_wall() is not None
    machine.passes(timedelta(minutes=1))
    machine.steps(timedelta(hours=2))
    assert clock.compare_with_wall() is None
    assert (clock.lead, clock.real()) == (timedelta(), NOON + timedelta(minutes=1))


def test_g8_forwards_and_back_again_never_turns_time_back(machine: FakeMachine, clock: SystemClock) -> None:
    machine.steps(timedelta(hours=2))
    clock.compare_with_wall()
    machine.passes(SECOND)
    before = clock.now()
    machine.steps(-timedelta(hours=2))
    step = clock.compare_with_wall()
    assert step is not None
    assert not step.is_forward
    assert clock.now() >= before


@pytest.mark.parametrize("seconds", [-1, 1])
def test_what_synchronisation_does_is_no_alarm(
    machine: FakeMachine, clock: SystemClock, seconds: int
) -> None:
    before = clock.now()
    machine.steps(seconds * SECOND)
    assert clock.compare_with_wall() is None
    assert timedelta() <= clock.now() - before <= SECOND


@given(st.lists(st.tuples(st.integers(-7200, 7200), st.integers(0, 600)), max_size=20))
def test_g8_time_never_runs_backwards_and_never_slower_than_it_passes(
    steps: list[tuple[int, int]],
) -> None:
    """Whatever is done to the wall clock: what is due in two hours of elapsed time rings then, or before."""
    machine = FakeMachine()
    clock = SystemClock(machine=machine)
    passed = timedelta()
    for by, seconds in steps:
        machine.steps(timedelta(seconds=by))
        clock.compare_with_wall()
        before = clock.now()
        machine.passes(timedelta(seconds=seconds))
        clock.compare_with_wall()
        passed += timedelta(seconds=seconds)
        assert clock.now() >= before + timedelta(seconds=seconds)
        assert clock.now() >= NOON + passed
        assert clock.lead >= timedelta()


def test_g8_nodes_go_by_the_database_and_not_by_their_machine(
    machine: FakeMachine, clock: SystemClock
) -> None:
    clock.set_offset(timedelta(seconds=90))
    machine.steps(timedelta(hours=2))  # the wall clock means nothing here
    machine.passes(SECOND)
    assert clock.compare_with(timedelta(seconds=90)) is None
    assert clock.real() == NOON + timedelta(seconds=91)
    assert clock.compare_with(timedelta(seconds=89)) is None  # both ways, so that nodes agree
    assert clock.real() == NOON + timedelta(seconds=90)


def test_g8_a_database_clock_that_is_set_back_is_counted_over(
    machine: FakeMachine, clock: SystemClock
) -> None:
    clock.set_offset(timedelta())
    step = clock.compare_with(-timedelta(hours=1))
    assert step is not None
    assert not step.is_forward
    machine.passes(timedelta(minutes=1))
    assert clock.compare_with(-timedelta(hours=1)) is None
    assert clock.real() == NOON + timedelta(minutes=1)


def test_g8_a_start_with_a_clock_behind_the_record_goes_on_from_the_record(
    machine: FakeMachine, clock: SystemClock
) -> None:
    recorded = NOON + timedelta(hours=3)
    step = clock.never_before(recorded)
    assert step is not None
    assert step.by == -timedelta(hours=3)
    assert clock.real() == recorded
    assert clock.never_before(recorded) is None
    machine.passes(SECOND)
    assert clock.compare_with_wall() is None
    assert clock.real() == recorded + SECOND
    assert clock.never_before(clock.real() + TOLERANCE) is None


@pytest.mark.parametrize(
    ("seconds", "reached"),
    [(-1, True), (0, True), (1, False), (60, False), (69, False), (71, True), (7200, True)],
)
def test_g8_a_wait_that_lies_further_ahead_than_any_lasts_is_over(seconds: int, reached: bool) -> None:
    """Sixty seconds at most, and a little more: another node's clock may be a little ahead of ours."""
    assert is_reached(NOON + seconds * SECOND, NOON, 60 * SECOND) is reached


def test_a_fast_clock_is_not_hurled_ahead_by_a_step(machine: FakeMachine) -> None:
    """Domain time runs sixty times as fast, but a step is of real time only."""
    clock = SystemClock(60, machine)
    machine.passes(SECOND)
    assert clock.now() == NOON + timedelta(minutes=1)
    machine.steps(timedelta(hours=2))
    clock.compare_with_wall()
    assert clock.now() == NOON + timedelta(minutes=1)
    assert clock.real() == NOON + SECOND + timedelta(hours=2)
