"""When something is looked up, fetched or tried again: from stored times, so a restart changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapid_response.core.states import Purpose
from rapid_response.messaging import breaker, pace, retries
from rapid_response.messaging.breaker import Breaker, Gate, Heard
from rapid_response.messaging.gateway import Accepted, Ambiguous, Rejected
from tests.cases import each

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


# --- looking up -------------------------------------------------------------------------------------------


def test_an_unknown_answer_is_looked_up_after_3_10_30_and_60_seconds() -> None:
    def looks(unknown_after: float) -> list[float]:
        now, times = retries.first_look_up(NOON, at(unknown_after)), []
        while True:
            times.append((now - NOON).total_seconds())
            if retries.is_absent(NOON, at(unknown_after), len(times), now):
                return times
            now = retries.next_look_up(NOON, now)

    assert looks(0) == [3, 10, 30, 60]
    assert looks(10) == [10, 30, 60]  # a provider that never answered
    assert looks(25) == [25, 30, 60]  # a sender that died
    assert looks(500) == [500, 510]  # everybody was away


@each(
    ("looked", "seconds", "can_be_listed", "absent"),
    [
        (2, 60, True, True),
        (4, 60, True, True),
        (1, 60, True, False),
        (4, 59, True, False),
        (0, 119, True, False),
        (0, 60, False, True),
        (0, 59, False, False),
    ],
)
def test_only_two_looks_and_a_minute_say_that_it_never_went(
    looked: int, seconds: int, can_be_listed: bool, absent: bool
) -> None:
    found = retries.is_absent(NOON, NOON, looked, at(seconds), can_be_listed=can_be_listed)
    assert found is absent


def test_a_provider_that_cannot_be_asked_is_asked_again_and_at_last_not_waited_for() -> None:
    assert retries.next_look_up(NOON, at(3)) == at(10)
    assert retries.next_look_up(NOON, at(70)) == at(80)
    assert not retries.is_absent(NOON, at(25), 0, at(144))
    assert retries.is_absent(NOON, at(25), 0, at(145))


# --- fetching ---------------------------------------------------------------------------------------------


def test_offers_without_a_receipt_are_fetched_after_90_seconds_and_at_last_given_up() -> None:
    times, now = [], NOON
    while now < NOON + retries.NO_RECEIPT_AFTER:
        now = retries.next_fetch(Purpose.OFFER, NOON, now)
        times.append((now - NOON).total_seconds())
    assert times[0] == 90
    assert times[-1] == 24 * 3600
    assert retries.next_fetch(Purpose.OFFER, NOON, now + SECOND) == now + SECOND
    assert retries.next_fetch(Purpose.CONFIRM, NOON, NOON) == NOON + timedelta(hours=1)


@each(("left", "validity"), [(None, 900), (2, 30), (300, 300), (5000, 900)])
def test_no_carrier_may_hold_an_offer_much_longer_than_its_answer_is_awaited(
    left: int | None, validity: int
) -> None:
    given_ = None if left is None else timedelta(seconds=left)
    assert retries.validity(given_).total_seconds() == validity


# --- the breaker ------------------------------------------------------------------------------------------


def fold(*outcomes: tuple[float, Heard]) -> Breaker:
    state = Breaker()
    for seconds, what in outcomes:
        state = breaker.after(state, what, at(seconds), at(seconds))
    return state


def test_r8_five_failures_in_a_row_open_it_and_one_success_closes_it() -> None:
    four = fold(*((n, Heard.DOWN) for n in range(4)))
    assert four.gate(at(4)) is Gate.CLOSED
    five = breaker.after(four, Heard.DOWN, at(4), at(4))
    assert (five.gate(at(5)), five.gate(at(19))) == (Gate.OPEN, Gate.HALF_OPEN)
    assert breaker.after(five, Heard.TAKEN, at(19), at(20)) == Breaker()


def test_r8_an_answer_between_failures_shows_that_somebody_is_there() -> None:
    state = fold(*((n, Heard.DOWN) for n in range(4)), (4, Heard.ANSWERED), (5, Heard.DOWN))
    assert (state.gate(at(6)), state.failures) == (Gate.CLOSED, 1)
    assert fold((0, Heard.DOWN), (1, Heard.BUSY)).failures == 1


def test_r8_the_wait_doubles_to_two_minutes() -> None:
    state = fold(*((n, Heard.DOWN) for n in range(5)))
    now, waits = 4.0, []
    for _ in range(6):
        assert state.retry_at is not None
        waits.append((state.retry_at - at(now)).total_seconds())
        now += waits[-1]
        state = breaker.after(state, Heard.DOWN, at(now), at(now))
    assert waits == [15, 30, 60, 120, 120, 120]


@given(st.integers(1, 10_000_000))
def test_r8_however_long_it_is_down_it_is_tried_every_two_minutes(trips: int) -> None:
    down = Breaker(5, Heard.DOWN, NOON, at(120), trips)
    still = breaker.after(down, Heard.DOWN, at(120), at(120))
    assert still.retry_at is not None
    assert at(120) < still.retry_at <= at(240)
    assert still.trips == trips + 1


def test_g8_a_line_that_went_down_in_a_time_that_was_taken_back_is_tried() -> None:
    opened = fold(*((n, Heard.DOWN) for n in range(5)))
    assert opened.gate(at(-60)) is Gate.OPEN
    assert opened.gate(at(-7200)) is Gate.HALF_OPEN


def test_r8_what_was_under_way_when_it_opened_does_not_double_its_wait() -> None:
    opened = fold(*((n, Heard.DOWN) for n in range(5)))
    assert breaker.after(opened, Heard.DOWN, at(3), at(6)) == opened


@each("what", [Heard.ACCOUNT, Heard.SENDER])
def test_r8_a_refused_account_or_sender_opens_it_at_once_and_odd_numbers_never_do(what: Heard) -> None:
    assert fold((0, what)).gate(at(1)) is Gate.OPEN
    assert fold((0, what), (20, Heard.ANSWERED)).why is what
    assert fold(*((n, Heard.ANSWERED) for n in range(50))) == Breaker()


def test_r8_half_open_lets_one_real_message_through() -> None:
    opened = fold(*((n, Heard.DOWN) for n in range(5)))
    trying = opened.trying(at(45))
    assert (trying.gate(at(20)), trying.gate(at(45))) == (Gate.OPEN, Gate.HALF_OPEN)


@each(
    ("outcome", "heard"),
    [
        (Accepted("SM1"), Heard.TAKEN),
        (Ambiguous("ReadTimeout"), Heard.DOWN),
        (Rejected("not_sent"), Heard.DOWN),
        (Rejected("throttled"), Heard.BUSY),
        (Rejected("account"), Heard.ACCOUNT),
        (Rejected("sender"), Heard.SENDER),
        (Rejected("request"), Heard.ANSWERED),
        (Rejected("opted_out"), Heard.ANSWERED),
    ],
)
def test_what_an_outcome_says_of_the_provider(outcome: Accepted | Ambiguous | Rejected, heard: Heard) -> None:
    assert breaker.heard(outcome) is heard


@given(st.lists(st.sampled_from(list(Heard)), max_size=40))
def test_an_open_breaker_is_always_tried_again(said: list[Heard]) -> None:
    state = fold(*((n * 20.0, what) for n, what in enumerate(said)))
    assert (state.opened_at is None) is (state.retry_at is None) is (state.why is None)
    if state.retry_at is not None:
        assert state.retry_at <= at(len(said) * 20 + 120)


def test_slow_is_the_median_of_the_last_ten() -> None:
    assert not breaker.is_slow([300.0] * 9)
    assert breaker.is_slow([61.0] * 10)
    assert not breaker.is_slow([600.0] * 4 + [2.0] * 6)
    assert not breaker.is_slow([600.0] * 10 + [2.0] * 10)


def test_one_quick_text_after_ten_quick_ones_says_nothing_new() -> None:
    assert breaker.stays_quick([60.0] * 10, 60.0)
    assert not breaker.stays_quick([2.0] * 10, 60.1)
    assert not breaker.stays_quick([2.0] * 9 + [60.1], 2.0)
    assert not breaker.stays_quick([2.0] * 9, 2.0)  # ten are needed to say anything


# --- the pace ---------------------------------------------------------------------------------------------


def test_the_bucket_gives_one_text_a_second_however_it_is_asked() -> None:
    tokens, filled_at, sent = 0.0, NOON, 0
    for tick in range(1, 601):
        now = at(tick / 10)
        tokens = pace.filled(tokens, filled_at, 1.0, now)
        filled_at = now
        if tokens >= pace.ONE:
            tokens -= 1
            sent += 1
    assert sent == pytest.approx(60, abs=1)


@pytest.mark.parametrize("per_second", [0.1, 1.0, 40.0])
def test_g8_a_bucket_that_was_filled_in_a_time_that_was_taken_back_is_full(per_second: float) -> None:
    """Another node's clock may be a little ahead: what it has sent counts."""
    most = max(1.0, per_second)
    assert pace.filled(0.0, at(3), per_second, at(0)) == 0.0
    assert pace.filled(0.0, at(7200), per_second, at(0)) == most
    assert pace.free_at(0.0, at(7200), per_second, at(0)) == at(0)


@given(st.floats(0, 5), st.floats(0.1, 50), st.floats(0, 100))
def test_when_the_next_may_go_it_may_go(tokens: float, rate: float, since: float) -> None:
    now = at(since)
    free = pace.free_at(tokens, NOON, rate, now)
    assert free >= now
    assert pace.filled(tokens, NOON, rate, free) >= pace.ONE


def test_an_hour_of_rest_does_not_buy_a_burst() -> None:
    assert pace.filled(0.0, NOON, 1.0, at(3600)) == 1.0
    assert pace.filled(0.0, None, 4.0, NOON) == 4.0
