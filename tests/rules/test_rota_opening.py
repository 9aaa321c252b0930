"""When the service is open, when a clock starts, and which day is the next working day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from rapid_response.core import rota
from rapid_response.core.definition import OpeningHours, SlaPolicy
from tests.cases import each

LONDON = ZoneInfo("Europe/London")
NINE_TO_FIVE = {day: (OpeningHours(time(9), time(17)),) for day in range(5)}
LATE = {
    4: (OpeningHours(time(9), time(12)), OpeningHours(time(13), None)),
    5: (OpeningHours(time(), time(2)),),
}
HOLIDAYS = frozenset({date(2026, 12, 25), date(2026, 12, 28)})


def a_policy(hours: Mapping[int, tuple[OpeningHours, ...]] | None) -> SlaPolicy:
    """Two hours, with these opening hours."""
    return SlaPolicy(timedelta(hours=2), timedelta(minutes=15), (0.5,), hours, HOLIDAYS)


def utc(text: str) -> datetime:
    """An instant, written in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@each(
    ("received", "starts"),
    [
        ("2026-12-01T16:50", "2026-12-01T16:50"),  # ten minutes before closing: stays on the started clock
        ("2026-12-01T17:00", "2026-12-02T09:00"),
        ("2026-12-01T17:10", "2026-12-02T09:00"),
        ("2026-12-01T08:59", "2026-12-01T09:00"),
        ("2026-12-01T09:00", "2026-12-01T09:00"),
        ("2026-06-01T16:10", "2026-06-02T08:00"),  # summer: 17:10 and 09:00 by the wall
        ("2026-12-04T18:00", "2026-12-07T09:00"),  # Friday evening
        ("2026-12-24T18:00", "2026-12-29T09:00"),  # Christmas, the weekend and a bank holiday
        ("2026-12-25T10:00", "2026-12-29T09:00"),
        ("2026-03-27T18:00", "2026-03-30T08:00"),  # the clocks change on the way
        ("2026-10-23T17:00", "2026-10-26T09:00"),
    ],
)
def test_a_clock_starts_at_once_or_at_the_next_opening(received: str, starts: str) -> None:
    assert rota.clock_start(a_policy(NINE_TO_FIVE), LONDON, utc(received)) == utc(starts)


@each("received", ["2026-12-25T03:00", "2026-03-29T01:30", "2026-06-06T23:59"])
def test_coverage_always_starts_at_once_even_on_holidays(received: str) -> None:
    assert rota.is_open(a_policy(None), LONDON, utc(received))
    assert rota.clock_start(a_policy(None), LONDON, utc(received)) == utc(received)


@each(
    ("at", "is_open"),
    [
        ("2026-12-04T12:30", False),  # lunch
        ("2026-12-04T13:00", True),
        ("2026-12-04T23:59", True),
        ("2026-12-05T00:00", True),  # goes on after midnight
        ("2026-12-05T02:00", False),
        ("2026-12-25T14:00", False),  # a holiday, though a Friday
        ("2026-12-26T01:00", True),  # the day after is none
    ],
)
def test_hours_with_a_break_and_past_midnight(at: str, is_open: bool) -> None:
    assert rota.is_open(a_policy(LATE), LONDON, utc(at)) is is_open


def test_adjoining_hours_are_one_span() -> None:
    spans = rota.open_between(a_policy(LATE), LONDON, utc("2026-12-04T10:00"), utc("2026-12-06T00:00"))
    assert spans == [
        (utc("2026-12-04T10:00"), utc("2026-12-04T12:00")),
        (utc("2026-12-04T13:00"), utc("2026-12-05T02:00")),
    ]


def test_a_service_that_never_opens_starts_the_clock_at_once() -> None:
    received = utc("2026-12-01T10:00")
    assert rota.clock_start(a_policy({}), LONDON, received) == received


@given(st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
@settings(max_examples=60, deadline=None)
def test_a_clock_starts_open_and_never_sooner_than_needed(received: datetime) -> None:
    policy = a_policy(LATE)
    starts = rota.clock_start(policy, LONDON, received)
    assert starts >= received
    assert rota.is_open(policy, LONDON, starts)
    assert (starts == received) == rota.is_open(policy, LONDON, received)
    assert rota.open_between(policy, LONDON, received, starts) == []


@each(
    ("hours", "at", "days", "due"),
    [
        (None, "2026-12-01T10:00", 1, "2026-12-02T09:00"),
        (None, "2026-12-01T00:30", 1, "2026-12-02T09:00"),
        (None, "2026-12-04T10:00", 1, "2026-12-07T09:00"),  # Friday
        (None, "2026-12-24T10:00", 1, "2026-12-29T09:00"),
        (None, "2026-12-23T10:00", 3, "2026-12-30T09:00"),
        (None, "2026-06-01T23:30", 1, "2026-06-03T08:00"),  # already the 2nd by the wall
        (None, "2026-03-27T10:00", 1, "2026-03-30T08:00"),
        (LATE, "2026-12-03T10:00", 1, "2026-12-04T09:00"),
        ({2: (OpeningHours(time(10, 30), None),)}, "2026-12-01T10:00", 1, "2026-12-02T10:30"),
    ],
)
def test_the_next_working_day(
    hours: Mapping[int, tuple[OpeningHours, ...]] | None, at: str, days: int, due: str
) -> None:
    assert rota.working_day_after(a_policy(hours), LONDON, utc(at), days) == utc(due)
