"""The log and its seals."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field

from rapid_response.storage.columns import UtcDateTime, where
from rapid_response.storage.tables.row import Row


class EventRow(Row, table=True):
    """Append-only; `seq` counts within its stream (an incident, or the service)."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_type", "type", "at"),)

    stream: str = Field(primary_key=True, max_length=36)
    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    type: str = Field(max_length=40)
    version: int = 1
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str = Field(max_length=80)
    #: Canonical JSON text, not a JSON column: the digest is over these very characters.
    data: str = Field(sa_type=Text)
    previous: str = Field(max_length=64)
    digest: str = Field(max_length=64)


class ChainRow(Row, table=True):
    """The newest link of each stream's chain, and how far it has been sealed."""

    __tablename__ = "chains"
    __table_args__ = (Index("ix_chains_unsealed", "stream", **where("sealed_seq < seq")),)

    stream: str = Field(primary_key=True, max_length=36)
    seq: int
    digest: str = Field(max_length=64)
    sealed_seq: int = 0


class SealRow(Row, table=True):
    """Each minute: one root over the heads that moved, chained to the seal before."""

    __tablename__ = "seals"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=UtcDateTime)
    heads: int
    previous: str = Field(max_length=64)
    root: str = Field(max_length=64)


class SealedHeadRow(Row, table=True):
    """A chain's head as a seal saw it."""

    __tablename__ = "sealed_heads"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    stream: str = Field(primary_key=True, max_length=36)
    seq: int
    digest: str = Field(max_length=64)
