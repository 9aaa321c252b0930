"""Turns what a text says of time into moments: back at 3, in half an hour, tomorrow morning, an hour ago."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rapid_response.intake.reading.passage import CLOCK, NUMBER, Passage

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PARTS = {
    "morning": 9.0, "breakfast": 8.0, "noon": 12.0, "midday": 12.0, "lunchtime": 12.5, "dinnertime": 12.5,
    "lunch": 12.5, "afternoon": 14.0, "teatime": 17.0, "evening": 18.0, "tonight": 19.0, "night": 20.0,
}  # fmt: skip
_BEFORE_AN_HOUR = frozenset(
    ["at", "by", "around", "about", "for", "til", "till", "until", "before", "from", "after", "back"]
)
_FIRST_SENSIBLE_HOUR = 7.0
_UNITS = {"minutes": 1, "minute": 1, "hour": 60, "hours": 60}
_SMALL = {"a": 1.0, "an": 1.0, "half": 0.5, "couple": 2.0, "few": 3.0}


def coming_moment(
    passage: Passage, start: int, end: int, received_at: datetime, zone: ZoneInfo
) -> datetime | None:
    """The next moment that the words round `start`..`end` name, seen from when the report came."""
    begin, finish = passage.sentence_bounds(start)
    low, high = max(begin, start - 6), min(finish, end + 8)
    local = received_at.astimezone(zone)
    ahead = _span_ahead(passage, low, high)
    if ahead is not None:
        return received_at + timedelta(minutes=ahead)
    hour, spoken_fully = _hour(passage, low, high)
    words = passage.words[low:high]
    days = _days_ahead(words, local)
    if hour is None:
        hour = next((_PARTS[word] for word in words if word in _PARTS), None)
        spoken_fully = True
    if hour is None and days is None:
        return None
    return _next(local, 9.0 if hour is None else hour, days, spoken_fully)


def past_moment(passage: Passage, received_at: datetime, zone: ZoneInfo) -> datetime | None:
    """When it happened, where the text says "40 minutes ago", "this morning", "yesterday", "last night"."""
    words = passage.words
    for at, word in enumerate(words):
        if word == "ago" and at >= 2 and words[at - 1] in _UNITS:
            amount = _amount(passage, at - 2)
            if amount is not None:
                return received_at - timedelta(minutes=amount * _UNITS[words[at - 1]])
    local = received_at.astimezone(zone)
    for at, word in enumerate(words):
        if word == "yesterday":
            return local - timedelta(days=1)
        if word in ("night", "evening") and at and words[at - 1] == "last":
            return (local - timedelta(days=1)).replace(hour=20, minute=0, second=0, microsecond=0)
        if word == "morning" and at and words[at - 1] == "this" and local.hour >= 9:
            return local.replace(hour=9, minute=0, second=0, microsecond=0)
    return None


def _span_ahead(passage: Passage, low: int, high: int) -> float | None:
    """Minutes in "in 40 minutes", "in half an hour", "within the hour"."""
    words = passage.words
    for at in range(low, high):
        if words[at] in _UNITS and not (at + 1 < len(words) and words[at + 1] in ("ago", "after", "before")):
            start = max(low, at - 3)
            if not any(word in ("in", "within", "be", "about", "like") for word in words[start:at]):
                continue
            amount = _amount(passage, at - 1)
            if amount is None and words[at - 1] == "the":
                amount = 1.0
            if amount is not None:
                return amount * _UNITS[words[at]]
    return None


def _amount(passage: Passage, at: int) -> float | None:
    if at < 0:
        return None
    word = passage.words[at]
    if passage.kinds[at] == NUMBER:
        return min(passage.values[at], 10_000)
    if word in ("an", "a") and at and passage.words[at - 1] == "half":
        return 0.5
    if word == "of" and at:
        return _SMALL.get(passage.words[at - 1])
    return _SMALL.get(word)


def _hour(passage: Passage, low: int, high: int) -> tuple[float | None, bool]:
    """The hour of day named, and whether am/pm was said or it is written on a 24-hour clock."""
    words, kinds, values, ends = passage.words, passage.kinds, passage.values, passage.ends
    for at in range(low, high):
        if kinds[at] == CLOCK:
            return values[at], values[at] >= 12 or ends[at] - passage.starts[at] > 5 or values[at] >= 7
        if words[at] in ("past", "to") and at > low and at + 1 < high and 1 <= values[at + 1] <= 12:
            offset = {"half": 30.0, "quarter": 15.0}.get(words[at - 1], values[at - 1])
            if kinds[at + 1] == NUMBER and 0 < offset < 60:
                return values[at + 1] + (offset if words[at] == "past" else -offset) / 60, False
        if words[at] == "half" and at + 1 < high and kinds[at + 1] == NUMBER and 1 <= values[at + 1] <= 12:
            return values[at + 1] + 0.5, False
        if kinds[at] == NUMBER and 1 <= values[at] <= 12 and values[at] == int(values[at]):
            after = words[at + 1] if at + 1 < len(words) else ""
            if after in ("oclock", "o'clock", "o") or (
                at > low
                and words[at - 1] in _BEFORE_AN_HOUR
                and after not in _UNITS
                and after not in ("men", "days", "weeks")
            ):
                return values[at], False
    return None, False


def _days_ahead(words: list[str], local: datetime) -> int | None:
    for at, word in enumerate(words):
        if word == "tomorrow":
            return 1
        if word == "tonight" or (word == "today"):
            return 0
        if word == "morning" and at and words[at - 1] == "the" and local.hour >= 9:
            return 1
        if word in _DAYS:
            return (_DAYS.index(word) - local.weekday()) % 7 or 7
    return None


def _next(local: datetime, hour: float, days: int | None, spoken_fully: bool) -> datetime:
    """The next such hour: by day if said, else today if still to come, else tomorrow."""
    if not spoken_fully and hour < _FIRST_SENSIBLE_HOUR:
        hour += 12
    hour %= 24
    moment = local.replace(hour=int(hour), minute=int(hour % 1 * 60 + 0.5) % 60, second=0, microsecond=0)
    if days is not None:
        moment += timedelta(days=days)
        return moment if days or moment >= local - timedelta(hours=1) else moment + timedelta(days=1)
    if moment <= local and not spoken_fully and hour < 12 and moment + timedelta(hours=12) > local:
        return moment + timedelta(hours=12)
    return moment if moment > local else moment + timedelta(days=1)
