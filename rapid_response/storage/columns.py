"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    Float,
    Integer,
    func,
    or_,
    text,
    type_coerce,
)
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field

#: As SQLAlchemy writes a time for SQLite: 2026-07-15 11:00:00.000000.
_WITHOUT_ZONE = 26
_ZONE = "+00:00"


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware on the way in, stored as UTC, aware on the way out.

    SQLite would give naive values back and compare text; PostgreSQL would not. Naive values are refused,
    because a local time taken for UTC is an hour of somebody's two hours.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _in_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _in_utc(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        return _to_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError("a stored time must have a time zone")
    return value.astimezone(UTC)


def _to_text(value: datetime | None) -> str | None:
    return None if value is None else _text_of(_in_utc(value))


@lru_cache(maxsize=1024)
def _text_of(moment: datetime) -> str:
    """Kept, as a step writes the same few moments some hundred times. Of UTC alone: in a local time zone the
    two half past ones of the night in which clocks go back are equal."""
    return moment.isoformat(" ", "microseconds")[:_WITHOUT_ZONE]


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + _ZONE)


class _SecondsBetween(FunctionElement[float]):
    """From one instant to another; said as each database reckons with times."""

    name = "seconds_between"
    type = Float()
    inherit_cache = True


def seconds_between(begin: Any, end: Any) -> ColumnElement[float]:
    """How long it is from `begin` to `end`, in seconds (SQLite: to some 50 µs)."""
    return _SecondsBetween(type_coerce(begin, UtcDateTime), type_coerce(end, UtcDateTime))


@compiles(_SecondsBetween, "sqlite")
def _by_days(element: _SecondsBetween, compiler: SQLCompiler, **how: Any) -> str:
    begin, end = (compiler.process(moment, **how) for moment in element.clauses)
    return f"(julianday({end}) - julianday({begin})) * 86400.0"


@compiles(_SecondsBetween, "postgresql")
def _by_epoch(element: _SecondsBetween, compiler: SQLCompiler, **how: Any) -> str:
    begin, end = (compiler.process(moment, **how) for moment in element.clauses)
    return f"CAST(EXTRACT(EPOCH FROM {end} - {begin}) AS DOUBLE PRECISION)"


#: Auto-numbered keys: SQLite numbers only INTEGER keys by itself.
AutoId = BigInteger().with_variant(Integer, "sqlite")


def word(members: type[StrEnum], **options: Any) -> Any:
    """A closed list, stored by value as text, so that a new member needs no type migration."""
    kind = SqlEnum(
        members,
        native_enum=False,
        length=40,
        validate_strings=True,
        values_callable=lambda enum: [m.value for m in enum],
    )
    return Field(sa_type=kind, **options)


def if_true(column: str, *, more: str = "") -> dict[str, Any]:
    """As :func:`where`, of rows where that is true, and `more`: said as each database says it in a query."""
    also = f" AND {more}" if more else ""
    return {"sqlite_where": text(f"{column} = 1{also}"), "postgresql_where": text(f"{column}{also}")}


def not_by(column: Any, otherwise: Any = "") -> ColumnElement[Any]:
    """What stands in a column, to compare with it and not to look for rows by it; `otherwise` for NULL.

    SQLite has no statistics, and takes the index of whatever is compared, also where that is the same in
    nearly every row of years, or where another index has the rows in the order in which they are wanted.
    """
    return func.coalesce(column, otherwise)


def is_over(until: Any, now: Any, beyond: Any) -> ColumnElement[bool]:
    """As :func:`rapid_response.core.clock.is_reached`, of a column, where NULL is no wait at all.

    `beyond`: the latest at which such a wait may end.
    """
    return or_(until.is_(None), until <= now, until > beyond)


def where(words: str) -> dict[str, Any]:
    """The condition of an index that holds only some rows, the same on both databases."""
    return {"sqlite_where": text(words), "postgresql_where": text(words)}
