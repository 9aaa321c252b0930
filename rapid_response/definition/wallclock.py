"""Local times as the file writes them: "09:00", "24:00", "2026-12-24T09:00", "09:00-17:00"."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from rapid_response.definition.faults import shown

END_OF_DAY = time.max
"""Stands for 24:00, which the standard library cannot write; it sorts after every other time."""

START_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
END_PATTERN = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
MOMENT_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:00)?$"
MOMENT_END_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](([01][0-9]|2[0-3]):[0-5][0-9]|24:00)(:00)?$"
HOURS_PATTERN = (
    r"^([01][0-9]|2[0-3]):[0-5][0-9] ?[-–] ?(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"  # a dash is meant well
)
DATE_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

OpenHours = tuple[time, time]
"""Opening and closing time of one day; closing may be :data:`END_OF_DAY`."""

_HOURS = re.compile(HOURS_PATTERN)
_MOMENT = re.compile(MOMENT_PATTERN)
_MOMENT_END = re.compile(MOMENT_END_PATTERN)


def parse_start(value: object) -> time:
    """A time of day; ValueError says how to write one (24:00 is only ever an end)."""
    if isinstance(value, time):
        return value
    if value == "24:00":
        raise ValueError("24:00 can only end a shift. Write 00:00 and the next day")
    if not isinstance(value, str) or not re.fullmatch(START_PATTERN, value):
        raise ValueError(f"{shown(value)} is not a time of day. Write hours and minutes, such as “09:00”")
    return time.fromisoformat(value)


def parse_end(value: object) -> time:
    """A time of day at which something ends; midnight is END_OF_DAY, written 24:00 or 00:00."""
    if isinstance(value, time):
        return value
    if value in ("24:00", "00:00"):
        return END_OF_DAY
    if not isinstance(value, str) or not re.fullmatch(START_PATTERN, value):
        raise ValueError(
            f"{shown(value)} is not a time of day. Write hours and minutes, such as “17:00”, or “24:00”"
        )
    return time.fromisoformat(value)


def time_text(value: time) -> str:
    """HH:MM, or 24:00."""
    return "24:00" if value == END_OF_DAY else value.strftime("%H:%M")


def parse_moment(value: object) -> datetime:
    """A local date and time (naive); ValueError says how to write one."""
    return _moment(value, _MOMENT)


def parse_moment_end(value: object) -> datetime:
    """As :func:`parse_moment`; T24:00 is the midnight that ends the day."""
    return _moment(value, _MOMENT_END)


def _moment(value: object, pattern: re.Pattern[str]) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(
            f"{shown(value)} is not a local date and time. Write it without seconds and without an offset, "
            "such as “2026-12-24T09:00”"
        )
    midnight = value[11:16] == "24:00"
    try:
        moment = datetime.fromisoformat(value[:10] + ("T00:00" if midnight else "T" + value[11:16]))
    except ValueError:
        raise ValueError(f"{shown(value[:10])} is not in the calendar. Check the day and the month") from None
    return moment + timedelta(days=1) if midnight else moment


def moment_text(value: datetime) -> str:
    """YYYY-MM-DDTHH:MM."""
    return value.isoformat(timespec="minutes")


def parse_date(value: object) -> date:
    """A calendar day; ValueError says how to write one."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not re.fullmatch(DATE_PATTERN, value):
        raise ValueError(f"{shown(value)} is not a date. Write year, month and day, such as 2026-12-25")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{shown(value)} is not in the calendar. Check the day and the month") from None


def parse_hours(value: object) -> OpenHours:
    """Opening hours within one day; ValueError says how to write them."""
    if isinstance(value, tuple) and len(value) == 2:
        return parse_start(value[0]), parse_end(value[1])
    if not isinstance(value, str) or not _HOURS.fullmatch(value):
        raise ValueError(f"{shown(value)} is not opening hours. Write them as “09:00-17:00”")
    opens, closes = parse_start(value[:5]), parse_end(value[-5:])
    if closes <= opens:
        raise ValueError(
            f"{shown(value)} closes before it opens. Hours past midnight are written in two parts: "
            f"“{value[:5]}-24:00”, and “00:00-{value[-5:]}” on the next day"
        )
    return opens, closes


def hours_text(hours: OpenHours) -> str:
    """HH:MM-HH:MM."""
    return f"{time_text(hours[0])}-{time_text(hours[1])}"
