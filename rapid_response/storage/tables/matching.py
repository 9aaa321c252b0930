"""What is already known of people, by keys, and which cases may belong together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field

from rapid_response.storage.columns import UtcDateTime
from rapid_response.storage.tables.row import Row


class IdentifierRow(Row, table=True):
    """A key by which somebody of an incident is recognised again: personal data, redacted with it.

    The row at position 0 has no key: it holds all the incident's normalised values, to compare with, so that
    looking back reads one row a case.
    """

    __tablename__ = "identifiers"
    __table_args__ = (Index("ix_identifiers_key", "key", "at"),)

    incident_id: str = Field(primary_key=True, foreign_key="incidents.id", max_length=36)
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    key: str | None = Field(default=None, max_length=120)
    known: list[Any] | None = Field(default=None, sa_type=JSON)
    at: datetime = Field(sa_type=UtcDateTime)


class SuggestedLinkRow(Row, table=True):
    """A pair of incidents: suggested by the machine, or asserted by a person with a reason of her own.

    The earlier incident is named without a foreign key, which on PostgreSQL would lock its row: taking in a
    report never waits for another case.
    """

    __tablename__ = "suggested_links"

    from_incident_id: str = Field(primary_key=True, foreign_key="incidents.id", max_length=36)
    to_incident_id: str = Field(primary_key=True, index=True, max_length=36)
    kind: str = Field(max_length=20)
    confidence: float
    reasons: list[str] = Field(default_factory=list, sa_type=JSON)
    state: str = Field(default="suggested", max_length=20)
    suggested_at: datetime = Field(sa_type=UtcDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_by: str | None = Field(default=None, max_length=80)
    reason: str | None = Field(default=None, sa_type=Text)
