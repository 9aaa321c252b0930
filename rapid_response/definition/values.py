"""The kinds of value a service definition is made of, as pydantic types.

Each reads the spelling of the file (and passes what is already read), writes one canonical spelling,
and names itself in the JSON Schema. What they refuse, they refuse in a sentence that says what to write.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from rapid_response.core import duress
from rapid_response.core.definition import RungAction
from rapid_response.core.vocabulary import ContactRole
from rapid_response.definition import durations, phones, wallclock
from rapid_response.definition.faults import shown

SLUG_PATTERN = r"^[a-z0-9]+([_-][a-z0-9]+)*$"
PERCENT_PATTERN = r"^[0-9]{1,2}(\.[0-9]{1,2})?%$"
AUTHORITY_PATTERN = r"^[ENSW][0-9]{8}$"
DISTRICT_PATTERN = r"^[A-Z]{1,2}[0-9][0-9A-Z]?$"
LINE_PATTERN = r"^\S(.{0,118}\S)?$"

OFFER_TO = ("best_responder", "next_responder")
NOTIFY_TO = tuple(role.value for role in ContactRole)
RECIPIENTS = {RungAction.OFFER: OFFER_TO, RungAction.NOTIFY: NOTIFY_TO}


class Weekday(StrEnum):
    """Days as the file writes them, Monday first."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"

    @property
    def number(self) -> int:
        """0 for Monday, as `date.weekday` counts."""
        return list(Weekday).index(self)


def parse_share(value: object) -> float:
    """A share between 0 and 1; ValueError says how to write one."""
    if isinstance(value, float):
        return value
    if not isinstance(value, str) or not re.fullmatch(PERCENT_PATTERN, value) or float(value[:-1]) == 0:
        raise ValueError(f"{shown(value)} is not a share between 0% and 100%. Write one such as 50%")
    return float(value[:-1]) / 100


def _slug(value: str) -> str:
    if not re.fullmatch(SLUG_PATTERN, value) or len(value) > 40:
        raise ValueError(
            f"{shown(value)} cannot be an id. Use up to 40 small letters, digits, “-” and “_”, such as asha"
        )
    return value


def one_line(value: str) -> str:
    """The text without doubled, odd or outer spaces; ValueError when that cannot be a name."""
    text = " ".join(value.split())
    if not text or len(text) > 120:
        raise ValueError("Write 1 to 120 characters")
    if not text.isprintable():
        raise ValueError("has a character that cannot be seen. Type it anew instead of pasting it")
    return text


def _district(value: str) -> str:
    if not re.fullmatch(DISTRICT_PATTERN, value):
        raise ValueError(f"{shown(value)} is not a postcode district. Write one in capitals, such as BR1")
    return value


def _authority(value: str) -> str:
    if not re.fullmatch(AUTHORITY_PATTERN, value):
        raise ValueError(
            f"{shown(value)} is not the ONS code of a local authority. Write one such as E09000006"
        )
    return value


def _duress_word(value: object) -> str:
    """Whatever it is, it is never quoted back: the fault may be one letter."""
    if not isinstance(value, str):
        raise ValueError(duress.why_not("") or "")
    if (why := duress.why_not(value)) is not None:
        raise ValueError(why)
    return duress.tidy(value)


def _recipient(value: str) -> str:
    if value not in OFFER_TO + NOTIFY_TO:
        raise ValueError(
            f"{shown(value)} cannot be asked or told. Offers go to {' or '.join(OFFER_TO)}; "
            f"notices to {', '.join(NOTIFY_TO)}"
        )
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(durations.parse_duration),
    PlainSerializer(durations.duration_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": durations.ISO_PATTERN, "examples": ["PT2H", "PT10S"]}),
]
SomeTime = Annotated[Duration, AfterValidator(durations.longer_than_nothing)]
"""A duration above zero."""

Months = Annotated[
    int,
    BeforeValidator(durations.parse_months),
    PlainSerializer(durations.months_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": durations.MONTHS_PATTERN, "examples": ["P6Y", "P6M"]}),
]
"""A time in years and months."""

Days = Annotated[Duration, AfterValidator(durations.days_to_a_year)]
"""A duration of whole days."""

Share = Annotated[
    float,
    BeforeValidator(parse_share),
    PlainSerializer(lambda share: f"{share * 100:g}%", return_type=str),
    WithJsonSchema({"type": "string", "pattern": PERCENT_PATTERN, "examples": ["50%"]}),
]
StartTime = Annotated[
    time,
    BeforeValidator(wallclock.parse_start),
    PlainSerializer(wallclock.time_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": wallclock.START_PATTERN, "examples": ["09:00"]}),
]
EndTime = Annotated[
    time,
    BeforeValidator(wallclock.parse_end),
    PlainSerializer(wallclock.time_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": wallclock.END_PATTERN, "examples": ["17:00", "24:00"]}),
]
Moment = Annotated[
    datetime,
    BeforeValidator(wallclock.parse_moment),
    PlainSerializer(wallclock.moment_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": wallclock.MOMENT_PATTERN, "examples": ["2026-12-24T09:00"]}),
]
MomentEnd = Annotated[
    datetime,
    BeforeValidator(wallclock.parse_moment_end),
    PlainSerializer(wallclock.moment_text, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": wallclock.MOMENT_END_PATTERN, "examples": ["2026-12-24T17:00"]}
    ),
]
Day = Annotated[
    date,
    BeforeValidator(wallclock.parse_date),
    PlainSerializer(lambda day: day.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "pattern": wallclock.DATE_PATTERN, "examples": ["2026-12-25"]}),
]
Hours = Annotated[
    tuple[time, time],
    BeforeValidator(wallclock.parse_hours),
    PlainSerializer(wallclock.hours_text, return_type=str),
]
_HOURS_SCHEMA = {"type": "string", "pattern": wallclock.HOURS_PATTERN, "examples": ["09:00-17:00"]}
DayHours = Annotated[
    tuple[Hours, ...],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    WithJsonSchema({"anyOf": [_HOURS_SCHEMA, {"type": "array", "items": _HOURS_SCHEMA}]}),
]
"""All hours of one day; the brackets can be left out when there is one pair."""

Phone = Annotated[
    str,
    BeforeValidator(phones.parse_phone),
    WithJsonSchema({"type": "string", "pattern": phones.PHONE_PATTERN, "examples": ["+442079460100"]}),
]
Mobile = Annotated[
    str,
    BeforeValidator(phones.parse_mobile),
    WithJsonSchema({"type": "string", "pattern": phones.MOBILE_PATTERN, "examples": ["+447700900101"]}),
]
Slug = Annotated[
    str,
    AfterValidator(_slug),
    WithJsonSchema({"type": "string", "pattern": SLUG_PATTERN, "maxLength": 40, "examples": ["asha"]}),
]
Line = Annotated[
    str,
    AfterValidator(one_line),
    WithJsonSchema({"type": "string", "pattern": LINE_PATTERN}),
]
District = Annotated[
    str,
    AfterValidator(_district),
    WithJsonSchema({"type": "string", "pattern": DISTRICT_PATTERN, "examples": ["BR1"]}),
]
Authority = Annotated[
    str,
    AfterValidator(_authority),
    WithJsonSchema({"type": "string", "pattern": AUTHORITY_PATTERN, "examples": ["E09000006"]}),
]
DuressWord = Annotated[
    str,
    BeforeValidator(_duress_word),
    WithJsonSchema({"type": "string", "pattern": duress.PATTERN}),
]
"""Small letters; what is refused is not quoted."""
Recipient = Annotated[
    str,
    AfterValidator(_recipient),
    WithJsonSchema({"type": "string", "enum": [*OFFER_TO, *NOTIFY_TO]}),
]
