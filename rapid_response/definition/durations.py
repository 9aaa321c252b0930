"""ISO 8601 durations: PT2H and P1DT12H in the file, timedelta inside, "2 hours" to people."""

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
