"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware on the way in, stored as UTC, aware on the way out.

    SQLite would give naive values back and compare text; PostgreSQL would not. Naive values are refused,
    because a local time taken for UTC is an hour of somebody's two hours.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time must have a time zone")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


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
