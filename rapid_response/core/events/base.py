"""What every event is, and its data as the log keeps them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar

#: The stream of events that belong to no incident.
SERVICE_STREAM = "service"


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; `type` is the stored name and never changes."""

    type: ClassVar[str] = ""


def event_data(event: Event) -> dict[str, Any]:
    """The event's fields as plain JSON values; times as RFC 3339 in UTC."""
    kind: Any = type(event)
    return {name: _plain(getattr(event, name)) for name in _names(kind)}


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case StrEnum():
            return value.value
        case tuple():
            return [_plain(v) for v in value]
        case _:
            return value
