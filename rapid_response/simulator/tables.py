"""What the network remembers: texts, calls, the webhooks it still owes us, and what was made to fail.

All of it is rows, so that a restart loses no phone, and several nodes can each carry a part.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field

from rapid_response.storage.columns import AutoId, UtcDateTime, where, word

# It also sets how constraints are named, before ours are made.
from rapid_response.storage.tables import Row


class Direction(StrEnum):
    """As the service sees it, in the provider's words."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class PostKind(StrEnum):
    """What a webhook says."""

    TEXT_STATUS = "text_status"
    INBOUND_TEXT = "inbound_text"
    CALL_STATUS = "call_status"
    #: As CALL_STATUS, but said only when nothing else happened by then: rung out, or no key pressed.
    GIVE_UP = "give_up"
    #: Asks what to say next; the answer is a TwiML document that the call follows.
    TALK = "talk"
    TRANSCRIPTION = "transcription"


class SimTextRow(Row, table=True):
    """One text, either way."""

    __tablename__ = "sim_texts"

    id: int | None = Field(default=None, primary_key=True, sa_type=AutoId)
    sid: str = Field(unique=True, max_length=34)
    direction: Direction = word(Direction)
    from_number: str = Field(max_length=32, index=True)
    to_number: str = Field(max_length=32, index=True)
    body: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcDateTime)
    status: str = Field(max_length=20)
    error_code: str = Field(default="", max_length=20)
    token: str = Field(default="", max_length=64)


class SimCallRow(Row, table=True):
    """One call, either way, and how far it has come: whoever carries its next webhook can go on from here."""

    __tablename__ = "sim_calls"
    __table_args__ = (Index("ix_sim_calls_live", "to_number", **where("ended_at IS NULL")),)

    id: int | None = Field(default=None, primary_key=True, sa_type=AutoId)
    sid: str = Field(unique=True, max_length=34)
    direction: Direction = word(Direction)
    from_number: str = Field(max_length=32)
    to_number: str = Field(max_length=32)
    at: datetime = Field(sa_type=UtcDateTime)
    status: str = Field(max_length=20)
    token: str = Field(default="", max_length=64)
    #: Whether someone holds the handset and may press keys later; a machine and a scripted caller do not.
    attended: bool = False
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: The last thing the service said, and the document it said it in.
    prompt: str = Field(default="", sa_type=Text)
    document: str = Field(default="", sa_type=Text)
    document_path: str = Field(default="", sa_type=Text)
    waiting: bool = False
    turns: int = 0
    #: Keys pressed so far, and keys that wait for the next question.
    digits: str = Field(default="", max_length=200)
    keys: str = Field(default="", max_length=40)
    transcript: str | None = Field(default=None, sa_type=Text)
    hang_up_after: str = Field(default="", max_length=20)
    recording_sid: str = Field(default="", max_length=34)


class SimPostRow(Row, table=True):
    """One webhook, owed or told. Within a queue they are told in the order they were made."""

    __tablename__ = "sim_posts"
    __table_args__ = (
        Index("ix_sim_posts_owed", "due_at", **where("done_at IS NULL")),
        Index("ix_sim_posts_queue", "queue", "id", **where("done_at IS NULL")),
        Index("ix_sim_posts_sid", "sid"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=AutoId)
    sid: str = Field(max_length=34)
    queue: str = Field(max_length=40)
    kind: PostKind = word(PostKind)
    path: str = Field(sa_type=Text)
    form: dict[str, Any] = Field(sa_type=JSON)
    #: Real time, like every lease and back-off (design.md 3).
    due_at: datetime = Field(sa_type=UtcDateTime)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fence: int = 0
    attempts: int = 0
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: What our webhook answered; empty when it was never reached, or when there was nothing to tell.
    answer: int | None = None


class SimFaultRow(Row, table=True):
    """What was made to fail, for one number or (number `*`) for the whole network."""

    __tablename__ = "sim_faults"

    number: str = Field(primary_key=True, max_length=32)
    phone_off: bool = False
    no_receipts: bool = False
    outage: bool = False
