"""The throttle: so many tries from one place in so long, and no more memory than it was given."""

from datetime import timedelta

import pytest

from rapid_response.access.throttle import Throttle, address_prefix
from rapid_response.core.clock import ManualClock

MINUTE = timedelta(minutes=1)


@pytest.fixture
def throttle(clock: ManualClock) -> Throttle:
    return Throttle(clock, limit=3, window=MINUTE)


def test_so_many_and_no_more(throttle: Throttle, clock: ManualClock) -> None:
    assert [throttle.take("here") for _ in range(3)] == [None] * 3
    clock.advance(timedelta(seconds=10))
    assert throttle.take("here") == timedelta(seconds=50)
    assert throttle.take("there") is None


def test_waiting_as_long_as_said_is_enough(throttle: Throttle, clock: ManualClock) -> None:
    for _ in range(3):
        throttle.take("here")
        clock.advance(timedelta(seconds=7))
    wait = throttle.take("here")
    assert wait is not None
    clock.advance(wait)
    assert throttle.take("here") is None


def test_g8_tries_of_a_time_that_was_taken_back_lock_nobody_out(
    throttle: Throttle, clock: ManualClock
) -> None:
    for _ in range(3):
        throttle.take("here")
    clock.advance(timedelta(hours=-2))
    assert [throttle.take("here") is None for _ in range(4)] == [True, True, True, False]


def test_refused_tries_do_not_count(throttle: Throttle, clock: ManualClock) -> None:
    for _ in range(100):
        throttle.take("here")
    clock.advance(MINUTE)
    assert throttle.take("here") is None


def test_a_good_try_is_given_back(throttle: Throttle) -> None:
    for _ in range(10):
        assert throttle.take("here") is None
        throttle.give_back("here")
    throttle.give_back("never seen")


def test_it_remembers_a_bounded_number_of_places(clock: ManualClock) -> None:
    throttle = Throttle(clock, limit=1, window=MINUTE, places=2)
    for place in ("one", "two", "three"):
        assert throttle.take(place) is None
    assert throttle.take("three") == throttle.take("two") == MINUTE
    assert throttle.take("one") is None  # forgotten for the sake of a newer one


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("testclient", "unknown"),
        ("", "unknown"),
    ],
)
def test_where_an_address_belongs(address: str, prefix: str) -> None:
    assert address_prefix(address) == prefix
