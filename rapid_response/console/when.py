"""Reads the times that people type: “3pm”, “in 40 minutes”, “yesterday 16:30”, “22/11 9am”."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Side(StrEnum):
    """Which side of now a time is meant to lie on, when the words do not say."""

    PAST = "past"
    FUTURE = "future"


class NotATime(ValueError):
    """The words are no time; the sentence says what to write instead."""


_CLOCK = re.compile(r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?\s*(?P<half>am|pm)?")
_SPAN = re.compile(
    r"(?P<lead>in\s+)?(?P<count>\d{1,3}|an?|half an)\s*(?P<unit>min(?:ute)?s?|m|h(?:ou)?rs?|h|days?)"
    r"\s*(?P<tail>ago|from now|time)?"
)
_DATE = re.compile(r"(?P<day>\d{1,2})/(?P<month>\d{1,2})(?:/(?P<year>\d{4}|\d{2}))?")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = re.compile(r"\b(?:on |this )?(mon|tue|wed|thu|fri|sat|sun)(?:s|rs|nes|ur|urs)?(?:day)?\b")
_DAYS = {"today": 0, "tonight": 0, "this morning": 0, "this afternoon": 0, "this evening": 0}
_DAYS |= {"tomorrow": 1, "yesterday": -1, "last night": -1}
#: A night has two dates: “tonight 1am” is said of tomorrow's, “last night 1am” of today's.
_NIGHTS = ("tonight", "last night")
_NIGHT_ENDS = time(6)
_NAMED_TIMES = {"noon": time(12), "midday": time(12), "midnight": time(0)}

#: A bare time that has just passed still means today: “he is due at 3pm”, written at ten past.
_JUST_PASSED = timedelta(hours=2)

_HINT = "Write a time like 3pm, 15:30, in 40 minutes, or tomorrow 9am"


def read_when(text: str, *, now: datetime, zone: ZoneInfo, side: Side) -> datetime:
    """The moment that is meant, in local time; raises :class:`NotATime`."""
    local = now.astimezone(zone)
    words = " ".join(text.lower().replace("’", "'").split()).strip(" .")
    if words in ("now", "just now", "right now"):
        return local
    if (span := _SPAN.fullmatch(words)) is not None:
        return _from_span(span, local, side)
    try:
        written = datetime.fromisoformat(text.strip().upper())
    except ValueError:
        return _from_words(words, local, side)
    return written.replace(tzinfo=zone) if written.tzinfo is None else written.astimezone(zone)


def _from_span(span: re.Match[str], local: datetime, side: Side) -> datetime:
    count = {"a": 1.0, "an": 1.0, "half an": 0.5}.get(span["count"]) or float(span["count"])
    unit = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[span["unit"][0]]
    ago = span["tail"] == "ago" or (span["lead"] is None and span["tail"] is None and side is Side.PAST)
    # Elapsed time, not wall time: forty minutes are forty minutes on the night the clocks change.
    moment = local.timestamp() + (-1 if ago else 1) * (count * unit).total_seconds()
    return datetime.fromtimestamp(moment, local.tzinfo)


def _from_words(words: str, local: datetime, side: Side) -> datetime:
    if (weekday := _WEEKDAY.search(words)) is not None:
        rest = (words[: weekday.start()] + words[weekday.end() :]).strip(" ,")
        return _on_weekday(_WEEKDAYS.index(weekday[1]), rest, local, side)
    day, rest = _take_day(words, local.date(), side)
    clock = _read_clock(rest)
    if clock is None:
        raise NotATime(_HINT)
    night = next((name for name in _NIGHTS if words.startswith(name) or words.endswith(name)), "")
    if (night and clock < _NIGHT_ENDS) or words == "midnight":
        return _in_the_night(clock, local, Side.PAST if night == "last night" else side)
    if day is not None:
        return datetime.combine(day, clock, local.tzinfo)
    moment = datetime.combine(local.date(), clock, local.tzinfo)
    if side is Side.PAST and moment > local + timedelta(minutes=1):
        return moment - timedelta(days=1)
    if side is Side.FUTURE and moment < local - _JUST_PASSED:
        raise NotATime(f"{rest} has passed. Write today {rest} or tomorrow {rest}")
    return moment


def _in_the_night(clock: time, local: datetime, side: Side) -> datetime:
    """The nearest such time on that side of now."""
    moment = datetime.combine(local.date(), clock, local.tzinfo)
    if side is Side.PAST:
        is_near, days = moment <= local + timedelta(minutes=1), -1
    else:
        is_near, days = moment >= local - _JUST_PASSED, 1
    return moment if is_near else moment + timedelta(days=days)


def _on_weekday(day: int, rest: str, local: datetime, side: Side) -> datetime:
    """The next such day at that time, or the last one; today counts while the time fits."""
    clock = _read_clock(rest)
    if clock is None:
        raise NotATime(_HINT)
    ahead = (day - local.weekday()) % 7
    moment = datetime.combine(local.date() + timedelta(days=ahead), clock, local.tzinfo)
    if side is Side.PAST:
        return moment if moment <= local else moment - timedelta(days=7)
    return moment if moment >= local - _JUST_PASSED else moment + timedelta(days=7)


def _take_day(words: str, today: date, side: Side) -> tuple[date | None, str]:
    """The day that is named, and the words that are left."""
    for name, shift in _DAYS.items():
        if words.startswith(name) or words.endswith(name):
            return today + timedelta(days=shift), words.replace(name, "").strip(" ,")
    if (named := _DATE.search(words)) is not None:
        return _read_date(named, today, side), (words[: named.start()] + words[named.end() :]).strip(" ,")
    return None, words


def _read_date(named: re.Match[str], today: date, side: Side) -> date:
    year = named["year"]
    try:
        if year is not None:
            return date(
                int(year) if len(year) == 4 else 2000 + int(year), int(named["month"]), int(named["day"])
            )
        found = date(today.year, int(named["month"]), int(named["day"]))
        if side is Side.PAST and found > today:
            return found.replace(year=today.year - 1)
        if side is Side.FUTURE and found < today:
            return found.replace(year=today.year + 1)
    except ValueError:
        raise NotATime("That date does not exist") from None
    return found


def _read_clock(text: str) -> time | None:
    text = text.removeprefix("at ").removesuffix(" at").strip()
    if text in _NAMED_TIMES:
        return _NAMED_TIMES[text]
    found = _CLOCK.fullmatch(text)
    if found is None or (found["minute"] is None and found["half"] is None):
        return None  # a bare “3” may be night or afternoon
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    if found["half"] is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"] == "pm" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None
