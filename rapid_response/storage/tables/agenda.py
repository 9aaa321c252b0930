"""Work that falls due, events still to be heard, and what is counted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from rapid_response.core.vocabulary import Priority
from rapid_response.storage.columns import AutoId, UtcDateTime, where
from rapid_response.storage.tables.row import Row


class AgendaRow(Row, table=True):
    """Something that will happen at `due_at` by itself: a promise is a row, not a timer in memory."""

    __tablename__ = "agenda"
    __table_args__ = (
        UniqueConstraint("incident_id", "kind", "subject", "cycle"),
        # Work is claimed degree by degree: of one that nobody knows, nothing would ever be done.
        CheckConstraint(f"rank BETWEEN 0 AND {len(Priority) - 1}", name="rank_known"),
        Index("ix_agenda_due", "rank", "due_at", **where("settled_at IS NULL AND parked_at IS NULL")),
        Index("ix_agenda_parked", "parked_at", **where("parked_at IS NOT NULL")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=AutoId)
    incident_id: str = Field(max_length=36)
    kind: str = Field(max_length=30)
    subject: str = Field(default="", max_length=60)
    cycle: int = 1
    due_at: datetime = Field(sa_type=UtcDateTime)
    rank: int = 4
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str | None = Field(default=None, max_length=30)
    late_seconds: float | None = None
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fence: int = 0
    attempts: int = 0
    parked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: Who sees to parked work: a role that was told, or a person who took it on.
    seen_to_by: str | None = Field(default=None, max_length=80)
    error: str | None = Field(default=None, max_length=80)


class DeliveryRow(Row, table=True):
    """An event a subscription has not heard yet; gone once it has."""

    __tablename__ = "deliveries"
    __table_args__ = (Index("ix_deliveries_waiting", "id", **where("parked_at IS NULL")),)

    id: int | None = Field(default=None, primary_key=True, sa_type=AutoId)
    stream: str = Field(max_length=36)
    seq: int
    subscription: str = Field(max_length=40)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fence: int = 0
    attempts: int = 0
    parked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: Who sees to parked work: a role that was told, or a person who took it on.
    seen_to_by: str | None = Field(default=None, max_length=80)
    error: str | None = Field(default=None, max_length=80)


class TallyRow(Row, table=True):
    """A counter fed by a subscription, once an event: what /metrics reads instead of counting rows."""

    __tablename__ = "tallies"

    name: str = Field(primary_key=True, max_length=60)
    labels: str = Field(primary_key=True, max_length=200)
    value: float
