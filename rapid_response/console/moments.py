"""Times in words, in the service's zone: “2:14pm, 6 minutes ago”; in full for what leaves the screen."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


def clock_time(moment: datetime, zone: ZoneInfo) -> str:
    """`2:14pm`; on a day when the clocks change also `GMT` or `BST`, as an hour comes twice or not at all."""
    local = moment.astimezone(zone)
    return f"{_hour(local)} {local.tzname()}" if _clocks_change_on(local) else _hour(local)


def full_words(moment: datetime, zone: ZoneInfo) -> str:
    """`Friday 27 November 2026, 3:11am GMT`: right whenever and wherever it is read."""
    local = moment.astimezone(zone)
    return f"{local:%A} {local.day} {local:%B %Y}, {_hour(local)} {local.tzname()}"


def _hour(local: datetime) -> str:
    half = "am" if local.hour < 12 else "pm"
    return f"{local.hour % 12 or 12}:{local.minute:02d}{half}"


def _clocks_change_on(local: datetime) -> bool:
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return midnight.utcoffset() != (midnight + _DAY).utcoffset()


def day_words(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Nothing for today; else `yesterday`, `tomorrow`, or the date."""
    day, today = moment.astimezone(zone).date(), now.astimezone(zone).date()
    near = {-1: "yesterday", 0: "", 1: "tomorrow"}
    apart = (day - today).days
    if apart in near:
        return near[apart]
    return f"{day.day} {day:%B}" + (f" {day.year}" if day.year != today.year else "")


def at_words(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`2:14pm` today, `2:14pm yesterday`, `2:14pm on 3 October`."""
    day, time = day_words(moment, now, zone), clock_time(moment, zone)
    if not day:
        return time
    return f"{time} {day}" if day in ("yesterday", "tomorrow") else f"{time} on {day}"


def ago_words(moment: datetime, now: datetime) -> str:
    """`6 minutes ago`, `in 1 h 59 min`; nothing beyond a day, where the date says more.

    Rounded down to a minute: it never says that more time is left than there is.
    """
    apart = now - moment
    span = abs(apart)
    if span >= _DAY:
        return ""
    minutes = int(span.total_seconds() // 60)
    if minutes == 0:
        return "just now" if apart >= timedelta(0) else "in less than a minute"
    words = _span_words(minutes)
    return f"{words} ago" if apart > timedelta(0) else f"in {words}"


def _span_words(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if hours and rest:
        return f"{hours} h {rest} min"
    count, unit = (hours, "hour") if hours else (minutes, "minute")
    return f"{count} {unit}" + ("" if count == 1 else "s")


def moment_words(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`2:14pm, 6 minutes ago`."""
    ago = ago_words(moment, now)
    return at_words(moment, now, zone) + (f", {ago}" if ago else "")
