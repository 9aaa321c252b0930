"""ISO 8601 durations: PT2H and P1DT12H in the file, timedelta inside, "2 hours" to people.

What is kept for years is written in years and months (P6Y, P6M): how many days those are depends on when
they begin.
"""

from __future__ import annotations

import re
from datetime import timedelta

from rapid_response.definition.faults import shown

ISO_PATTERN = (
    r"^P(?=.)([0-9]{1,3}W|([0-9]{1,3}D)?(T(?=.)([0-9]{1,5}H)?([0-9]{1,6}M)?([0-9]{1,8}(\.[0-9]{1,3})?S)?)?)$"
)
LONGEST = timedelta(days=366)

_ISO = re.compile(ISO_PATTERN)
_PARTS = re.compile(r"(\d+(?:\.\d+)?)([WDHMS])")
_UNITS = {"W": "weeks", "D": "days", "H": "hours", "M": "minutes", "S": "seconds"}


def parse_duration(value: object) -> timedelta:
    """The length of an ISO 8601 duration; ValueError says how to write one."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not _ISO.fullmatch(value):
        raise ValueError(
            f"{shown(value)} is not a duration. Write an ISO 8601 one, such as PT2H, PT15M, PT1H30M or PT10S"
        )
    length = timedelta(**_units(value))
    if length > LONGEST:
        raise ValueError(f"{value} is longer than a year. Write a shorter duration, such as PT2H")
    return length


def _units(text: str) -> dict[str, float]:
    return {_UNITS[unit]: float(number) for number, unit in _PARTS.findall(text)}


def longer_than_nothing(length: timedelta) -> timedelta:
    """The length itself; ValueError when it is not above zero."""
    if length <= timedelta():
        raise ValueError("must be longer than zero, such as PT5M")
    return length


def duration_text(length: timedelta) -> str:
    """ISO 8601 in its one canonical spelling: PT90M is PT1H30M."""
    days, hours, minutes, seconds = _split(length)
    clock = "".join(f"{n:g}{u}" for n, u in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    if not clock:
        return f"P{days}D" if days else "PT0M"
    return f"P{days}DT{clock}" if days else f"PT{clock}"


def in_words(length: timedelta) -> str:
    """For people: "1 hour 30 minutes"."""
    names = ("day", "hour", "minute", "second")
    words = [
        f"{n:g} {name}{'' if n == 1 else 's'}" for n, name in zip(_split(length), names, strict=True) if n
    ]
    return " ".join(words) or "0 minutes"


def _split(length: timedelta) -> tuple[int, int, int, float]:
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return length.days, hours, minutes, seconds + length.microseconds / 1_000_000


# ---------------------------------------------------------------- years and months

MONTHS_PATTERN = r"^P(?=.)([0-9]{1,2}Y)?([0-9]{1,3}M)?$"
_MONTHS = re.compile(MONTHS_PATTERN)
LONGEST_MONTHS = 30 * 12


def parse_months(value: object) -> int:
    """How many months an ISO 8601 duration of years and months has; ValueError says how to write one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _MONTHS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{shown(value)} is not a time in years and months. Write one such as P6Y or P6M")
    years, months = (int(part[:-1]) if part else 0 for part in found.groups())
    total = years * 12 + months
    if not 1 <= total <= LONGEST_MONTHS:
        raise ValueError(f"{value} cannot be kept to. Write at least P1M, and at most P30Y")
    return total


def months_text(months: int) -> str:
    """ISO 8601 in its one canonical spelling: P12M is P1Y."""
    years, rest = divmod(months, 12)
    return "P" + (f"{years}Y" if years else "") + (f"{rest}M" if rest else "")


def months_in_words(months: int) -> str:
    """For people: "1 year 6 months"."""
    parts = zip(divmod(months, 12), ("year", "month"), strict=True)
    return " ".join(f"{n} {name}{'' if n == 1 else 's'}" for n, name in parts if n)


def days_to_a_year(length: timedelta) -> timedelta:
    """Whole days, at least one; ValueError when it is not."""
    if length < timedelta(days=1) or length % timedelta(days=1):
        raise ValueError("must be whole days, from P1D to P366D")
    return length
