"""Months, quarters and years in local time, with UTC limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapid_response.reporting.period import (
    LONDON,
    Period,
    PeriodError,
    PeriodKind,
    month,
    parse,
    quarter,
    year,
)
from tests.cases import each


def limits(period: Period) -> tuple[str, str]:
    return period.from_utc.isoformat()[:16], period.to_utc.isoformat()[:16]


def test_a_month_begins_at_local_midnight() -> None:
    period = parse("2026-10")
    assert (period.kind, period.label, period.title) == (PeriodKind.MONTH, "2026-10", "October 2026")
    assert limits(period) == ("2026-09-30T23:00", "2026-11-01T00:00")  # begins in BST, ends in GMT


def test_the_month_of_the_march_change_is_an_hour_short() -> None:
    period = parse("2026-03")
    assert period.to_utc - period.from_utc == timedelta(days=31) - timedelta(hours=1)


def test_a_quarter() -> None:
    period = parse("2026-q4")
    assert (period.label, period.title) == ("2026-Q4", "October to December 2026")
    assert limits(period) == ("2026-09-30T23:00", "2027-01-01T00:00")


def test_a_year() -> None:
    period = parse("2026")
    assert (period.kind, period.title) == (PeriodKind.YEAR, "January to December 2026")
    assert limits(period) == ("2026-01-01T00:00", "2027-01-01T00:00")


def test_a_reporting_year_from_april() -> None:
    assert limits(parse("2026", year_start_month=4)) == ("2026-03-31T23:00", "2027-03-31T23:00")
    last = parse("2026-Q4", year_start_month=4)
    assert (limits(last), last.title) == (("2027-01-01T00:00", "2027-03-31T23:00"), "January to March 2027")
    assert parse("2026", year_start_month=4).title == "April 2026 to March 2027"
    assert limits(parse("2026-10", year_start_month=4)) == limits(parse("2026-10"))


def test_the_end_belongs_to_the_next() -> None:
    october, november = month("2026-10"), month("2026-11")
    assert october.to_utc not in october
    assert october.to_utc in november
    assert october.from_utc in october


def test_it_is_closed_once_it_is_over() -> None:
    october = month("2026-10")
    assert not october.is_closed(october.to_utc - timedelta(seconds=1))
    assert october.is_closed(october.to_utc)


@each(
    ("text", "by", "label"),
    [
        ("2026-01", 1, "2025-12"),
        ("2026-10", 12, "2025-10"),
        ("2026-Q1", 1, "2025-Q4"),
        ("2026", 1, "2025"),
        ("2026", 3, "2023"),
    ],
)
@each("start", [1, 4])
def test_the_one_before(text: str, by: int, label: str, start: int) -> None:
    earlier = parse(text, year_start_month=start).earlier(by)
    assert earlier == parse(label, year_start_month=start)


@each(
    "text",
    [
        "",
        "2026-13",
        "2026-00",
        "2026-1",
        "26-10",
        "2026-Q5",
        "2026-Q0",
        "Q4",
        "0000",
        "1999",
        "20261",
        "٢٠٢٦",
    ],
)
def test_what_is_no_period_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(PeriodError, match=r"\.$"):
        parse(text)


@each("read", [month, quarter, year])
def test_each_reader_takes_its_own_form_only(read: object) -> None:
    assert callable(read)
    with pytest.raises(PeriodError):
        read("2026-W07")


@settings(max_examples=50)
@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2090, 1, 1)).map(lambda d: d.replace(tzinfo=UTC)),  # noqa: DTZ001
    st.integers(1, 12),
)
def test_every_moment_is_in_one_month_one_quarter_and_one_year(moment: datetime, start: int) -> None:
    years = range(moment.year - 1, moment.year + 2)
    labels = [f"{y}-{m:02}" for y in years for m in range(1, 13)]
    assert sum(moment in month(label) for label in labels) == 1
    assert sum(moment in quarter(f"{y}-Q{q}", LONDON, start) for y in years for q in (1, 2, 3, 4)) == 1
    assert sum(moment in year(str(y), LONDON, start) for y in years) == 1
