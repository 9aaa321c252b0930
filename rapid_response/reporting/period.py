"""The months, quarters and years of a report: local calendar, UTC limits.

A council that runs April to March sets `year_start_month` to 4 (`reporting_year_start_month`, domain.md
5.4, default 1): then `2026` is April 2026 to March 2027, and `2026-Q4` is January to March 2027.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


class PeriodKind(StrEnum):
    """How long a report's period is."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_MONTHS_OF = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.YEAR: 12}


class PeriodError(ValueError):
    """A period nobody can make sense of; the message says how to write one."""


#: How far the clocks of two machines may be apart.
_CLOCKS_APART = timedelta(minutes=5)


def known_at(as_at: datetime | None, now: datetime) -> datetime:
    """As of when a report is made: now, unless said. Raises PeriodError for a moment that is to come."""
    if as_at is None:
        return now
    if as_at > now + _CLOCKS_APART:
        raise PeriodError("Give a time that has been: what is to come is not known yet.")
    return min(as_at, now)


@dataclass(frozen=True, slots=True)
class Period:
    """From `from_utc` up to, but not with, `to_utc`. `label` is how it is asked for: `2026-10`."""

    kind: PeriodKind
    label: str
    from_utc: datetime
    to_utc: datetime
    zone: ZoneInfo = LONDON

    def __contains__(self, moment: datetime) -> bool:
        return self.from_utc <= moment < self.to_utc

    def is_closed(self, as_at: datetime) -> bool:
        """Whether it is over at that moment."""
        return self.to_utc <= as_at

    @property
    def title(self) -> str:
        """For a heading: `October 2026`, `October to December 2026`, `April 2026 to March 2027`."""
        first = self.from_utc.astimezone(self.zone)
        last = _months_on(first, _MONTHS_OF[self.kind] - 1)
        if self.kind is PeriodKind.MONTH:
            return f"{first:%B %Y}"
        if first.year == last.year:
            return f"{first:%B} to {last:%B %Y}"
        return f"{first:%B %Y} to {last:%B %Y}"

    def earlier(self, by: int = 1) -> Period:
        """The period of the same length that many before: the month before, the same month last year (12)."""
        first = self.from_utc.astimezone(self.zone)
        start = _months_on(first, -by * _MONTHS_OF[self.kind])
        in_year = 12 // _MONTHS_OF[self.kind]
        head, _, tail = self.label.partition("-")
        year_number, index = divmod(int(head) * in_year + int(tail.lstrip("Q") or 1) - 1 - by, in_year)
        return _between(self.kind, _label(self.kind, year_number, index + 1), start, self.zone)


def month(text: str, zone: ZoneInfo = LONDON) -> Period:
    """`2026-10`: a calendar month, whenever the reporting year starts."""
    found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text)
    if found is None:
        raise PeriodError("Write a month as 2026-10.")
    start = _first_of(found[1], int(found[2]), zone)
    return _between(PeriodKind.MONTH, text, start, zone)


def quarter(text: str, zone: ZoneInfo = LONDON, year_start_month: int = 1) -> Period:
    """`2026-Q4`: a quarter of the reporting year that starts in 2026."""
    found = re.fullmatch(r"([0-9]{4})-[Qq]([1-4])", text)
    if found is None:
        raise PeriodError("Write a quarter as 2026-Q4.")
    start = _months_on(_first_of(found[1], year_start_month, zone), 3 * (int(found[2]) - 1))
    return _between(PeriodKind.QUARTER, text.upper(), start, zone)


def year(text: str, zone: ZoneInfo = LONDON, year_start_month: int = 1) -> Period:
    """`2026`: the reporting year that starts in 2026."""
    if re.fullmatch(r"[0-9]{4}", text) is None:
        raise PeriodError("Write a year as 2026.")
    return _between(PeriodKind.YEAR, text, _first_of(text, year_start_month, zone), zone)


def parse(text: str, zone: ZoneInfo = LONDON, year_start_month: int = 1) -> Period:
    """A month, a quarter or a year, told apart by how it is written."""
    if "Q" in text.upper():
        return quarter(text, zone, year_start_month)
    if "-" in text:
        return month(text, zone)
    if len(text) == 4:
        return year(text, zone, year_start_month)
    raise PeriodError("Write a month as 2026-10, a quarter as 2026-Q4 or a year as 2026.")


def _label(kind: PeriodKind, year_number: int, number: int) -> str:
    match kind:
        case PeriodKind.MONTH:
            return f"{year_number:04}-{number:02}"
        case PeriodKind.QUARTER:
            return f"{year_number:04}-Q{number}"
        case PeriodKind.YEAR:
            return f"{year_number:04}"


def _first_of(year_text: str, month_number: int, zone: ZoneInfo) -> datetime:
    # Outside these years calendars and time zones mean little, and a typing slip is likelier.
    if not 2000 <= int(year_text) <= 2999:
        raise PeriodError(f"{year_text} is not a year of this service; write one from 2000 on.")
    return datetime(int(year_text), month_number, 1, tzinfo=zone)


def _months_on(first: datetime, months: int) -> datetime:
    """The first of the month that many months later, at local midnight."""
    year_number, index = divmod(first.year * 12 + first.month - 1 + months, 12)
    return first.replace(year=year_number, month=index + 1)


def _between(kind: PeriodKind, label: str, start: datetime, zone: ZoneInfo) -> Period:
    end = _months_on(start, _MONTHS_OF[kind])
    return Period(kind, label, start.astimezone(UTC), end.astimezone(UTC), zone)
