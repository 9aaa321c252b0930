"""The service: its definition, its responders, its machines."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field

from rapid_response.core.states import AvailabilityKind, MessageChannel
from rapid_response.storage.columns import UtcDateTime, where, word
from rapid_response.storage.tables.row import Row


class DefinitionRow(Row, table=True):
    """A service definition as loaded; the highest version is in force."""

    __tablename__ = "definitions"

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    digest: str = Field(max_length=64)
    loaded_at: datetime = Field(sa_type=UtcDateTime)
    actor: str = Field(max_length=80)
    #: The last: to come to what stands behind it, SQLite would go through all of its pages, in every step.
    body: dict[str, Any] = Field(sa_type=JSON)


class ResponderRow(Row, table=True):
    """One row a responder, to be locked after the incident (design.md 3)."""

    __tablename__ = "responders"

    id: str = Field(primary_key=True, max_length=60)
    active: bool = True
    last_finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AvailabilityRow(Row, table=True):
    """A person off, or on beyond the rota, from a time until another or for good.

    `swap_with` is who takes her shift, or whose she takes. `releases` says that her jobs are given back.
    """

    __tablename__ = "availability"

    id: str = Field(primary_key=True, max_length=36)
    responder_id: str = Field(max_length=60, index=True)
    kind: AvailabilityKind = word(AvailabilityKind)
    from_at: datetime = Field(sa_type=UtcDateTime)
    until_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    swap_with: str | None = Field(default=None, max_length=60)
    releases: bool = True
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class EndpointRow(Row, table=True):
    """What we learnt of a number and a channel: confirmed, suspect, opted out. Absent means nothing yet."""

    __tablename__ = "endpoints"

    number: str = Field(primary_key=True, max_length=32)
    channel: MessageChannel = word(MessageChannel, primary_key=True)
    state: str = Field(max_length=20)
    since: datetime = Field(sa_type=UtcDateTime)
    #: The class of error, or the word, that brought it there.
    why: str | None = Field(default=None, max_length=20)
    #: When something last arrived there.
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class NumberProofRow(Row, table=True):
    """Whether a number is its owner's: the code that went there, and when one came back by another way.

    `responder_id` is whose it was then: a number that has passed to somebody else is not proved. The code
    is gone once it was used or worn out; the text with it stands in the outbox in any case.
    """

    __tablename__ = "number_proofs"

    number: str = Field(primary_key=True, max_length=32)
    responder_id: str = Field(max_length=60)
    code: str | None = Field(default=None, max_length=6)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    tries: int = 0
    #: The local date to which `sent_today` belongs.
    sent_on: str = Field(default="", max_length=10)
    sent_today: int = 0
    proved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    proved_by: str | None = Field(default=None, max_length=80)
    #: When its owner was last asked to prove it again, and since when somebody says that it is not hers.
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    denied_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ClockMarkRow(Row, table=True):
    """Where domain time stood when, so that a fast clock goes on where it stopped."""

    __tablename__ = "clock_mark"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    real_at: datetime = Field(sa_type=UtcDateTime)
    domain_at: datetime = Field(sa_type=UtcDateTime)
    speed: float


class NodeRow(Row, table=True):
    """A serving process and its last sweep, in real time."""

    __tablename__ = "nodes"

    id: str = Field(primary_key=True, max_length=64)
    started_at: datetime = Field(sa_type=UtcDateTime)
    swept_at: datetime = Field(sa_type=UtcDateTime)


class DutyRow(Row, table=True):
    """Something that one node of all does every so often: claimed under a lease, in real time."""

    __tablename__ = "duties"

    name: str = Field(primary_key=True, max_length=40)
    due_at: datetime = Field(sa_type=UtcDateTime)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fence: int = 0
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: When it last found nothing wrong.
    good_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: What was found the last time: a count for each thing that was wrong.
    found: dict[str, int] = Field(default_factory=dict, sa_type=JSON)


class HoldRow(Row, table=True):
    """One row while nothing is sent and no deadline rings: the database was restored, or a person said so."""

    __tablename__ = "holds"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    why: str = Field(max_length=20)
    #: In real time, like the next two.
    since: datetime = Field(sa_type=UtcDateTime)
    backup_made_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: A person has let go: what is overdue is done first, then sending begins.
    released_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ClockFaultRow(Row, table=True):
    """A clock that jumped; nothing is deleted by its time until a person has looked."""

    __tablename__ = "clock_faults"
    __table_args__ = (Index("ix_clock_faults_open", "at", **where("confirmed_at IS NULL")),)

    id: str = Field(primary_key=True, max_length=36)
    node: str = Field(max_length=64)
    at: datetime = Field(sa_type=UtcDateTime)
    #: Forwards is above 0.
    step_seconds: float
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    confirmed_by: str | None = Field(default=None, max_length=80)
