"""The second reader."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from rapid_response.core.states import SecondReadingState
from rapid_response.storage.columns import UtcDateTime, where, word
from rapid_response.storage.tables.row import Row


class SecondReadingRow(Row, table=True):
    """A report that a second reader reads, or has read. Times are real: nobody's promise hangs on them.

    What left the house, and what came back, are not kept: suggestions are codes and places in the report.
    """

    __tablename__ = "second_readings"
    __table_args__ = (Index("ix_second_readings_waiting", "next_at", **where("state = 'waiting'")),)

    report_id: str = Field(primary_key=True, foreign_key="reports.id", max_length=36)
    state: SecondReadingState = word(SecondReadingState, default=SecondReadingState.WAITING)
    queued_at: datetime = Field(sa_type=UtcDateTime)
    next_at: datetime = Field(sa_type=UtcDateTime)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fence: int = 0
    attempts: int = 0
    error: str | None = Field(default=None, max_length=40)
    read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    model_version: str | None = Field(default=None, max_length=120)
    dropped: int = 0


class SuggestionRow(Row, table=True):
    """Something a second reader suggests to a person, and the characters of the report that it rests on."""

    __tablename__ = "suggestions"

    id: str = Field(primary_key=True, max_length=36)
    report_id: str = Field(foreign_key="reports.id", index=True, max_length=36)
    position: int
    label: str = Field(max_length=40)
    value: str = Field(max_length=40)
    start_char: int
    end_char: int
    raises: bool = False
    agrees: bool | None = None
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answered_by: str | None = Field(default=None, max_length=80)


class SecondReaderDayRow(Row, table=True):
    """How often the second reader was asked on a day: its budget, the same for every node."""

    __tablename__ = "second_reader_days"

    day: str = Field(primary_key=True, max_length=10)
    asked: int = 0
