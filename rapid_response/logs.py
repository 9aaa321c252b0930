"""What goes to the log: ids, codes, counts and durations, by a list of what may pass.

A name, a number or a narrative gets in only by accident, so nothing gets in that is not listed: keys by
name, values by kind, errors by their class and place (a database's message quotes what was being stored).
What other libraries log is held to its first line, unfilled.
"""

from __future__ import annotations

import logging
import sys
import traceback
from asyncio import CancelledError
from collections.abc import Mapping, MutableMapping
from datetime import datetime
from enum import Enum
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor

_KEYS = """
event level logger timestamp error where
action attempt attempts code count cycle due_at duration event_type incident incident_id kind late_seconds
loop message_id method node offer_id outcome port priority purpose reason reference role root route rule_id
seal seconds seq status step stream subscription task version waiting
"""
#: The keys that may be logged. Each is an id, a code, a count, a time or a duration.
ALLOWED = frozenset(_KEYS.split())
_LONGEST = 200
_QUIET = (
    "uvicorn",
    "apscheduler",
    "httpx",
    "httpcore",
    "aiohttp",
    "twilio",
    "asyncio",
    "multipart",
    "alembic",
)
_FRAMES = 4

LogFormat = Literal["console", "json"]


def set_up(log_format: LogFormat | None = None, level: str = "info", stream: TextIO | None = None) -> None:
    """Log to standard error (or `stream`): readable on a terminal, else JSON, one object a line."""
    out = stream or sys.stderr
    chosen = log_format or ("console" if out.isatty() else "json")
    stamp: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: Processor = (
        structlog.dev.ConsoleRenderer(colors=out.isatty())
        if chosen == "console"
        else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(out)
    handler.addFilter(_is_no_cancellation)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_first_line_of_others, *stamp],
            processors=[_without_meta, error_by_class, only_allowed, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *stamp,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """The alarm clock calls a tick that a stop cut short an error; its step runs to its end all the same."""
    return not (record.exc_info and isinstance(record.exc_info[1], CancelledError))


def only_allowed(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Drop every key that is not listed and every value that could hold more than a code."""
    return {key: _plain(value) for key, value in event.items() if key in ALLOWED and _is_code(value)}


def error_by_class(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """An exception as its class and the places it came through; never its message."""
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    if isinstance(found, tuple):
        found = found[1]
    if isinstance(found, BaseException):
        event["error"] = type(found).__name__
        event["where"] = " < ".join(_places(found.__traceback__))
    return event


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_FRAMES:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames)]


def _is_code(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool | datetime | Enum)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        # One entry, one line: what came from outside must not look like an entry of ours.
        return "".join(c if c.isprintable() else " " for c in value[:_LONGEST])
    return value


def _first_line_of_others(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Of a record that is not ours: the first line of its template, without what it was filled with."""
    record: logging.LogRecord | None = event.get("_record")
    if record is not None:
        event["event"] = str(record.msg).partition("\n")[0]
    return event


def _without_meta(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(None, "", event)
