"""Messages, each attempt at one, and what the provider said of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from rapid_response.core.states import MessageChannel, MessageState, Purpose
from rapid_response.core.vocabulary import Priority
from rapid_response.storage.columns import UtcDateTime, where, word
from rapid_response.storage.tables.row import Row

#: What has not left yet, in the words of its index (:data:`rapid_response.core.states.READY`).
IS_READY = text("messages.state IN ('pending', 'retry_wait')")


class MessageRow(Row, table=True):
    """The outbox: written in the commit of its cause, sent by the worker with no transaction open."""

    __tablename__ = "messages"
    __table_args__ = (
        # The newest first: a duty phone gets thousands.
        Index("ix_messages_to_number", "to_number", "created_at"),
        # Only what is still to be looked at is in these, whatever the number of settled messages.
        # For the auditor, which does not go by when the worker means to look next.
        Index("ix_messages_unsettled", "state", **where("settled_at IS NULL")),
        Index("ix_messages_next", "state", "next_attempt_at", **where("next_attempt_at IS NOT NULL")),
        # Claimed degree by degree, so that however much waits, no more of it is read than is sent now.
        Index(
            "ix_messages_ready",
            "channel",
            "rank",
            "created_at",
            "next_attempt_at",
            **where("state IN ('pending', 'retry_wait')"),
        ),
        # Of a degree that nobody knows, none would ever be sent. The last is behind every priority.
        CheckConstraint(f"rank BETWEEN 0 AND {len(Priority)}", name="rank_known"),
    )

    id: str = Field(primary_key=True, max_length=36)
    dedupe_key: str = Field(unique=True, max_length=160)
    incident_id: str | None = Field(default=None, index=True, max_length=36)
    offer_id: str | None = Field(default=None, index=True, max_length=36)
    #: What it tells of: a notice, or with the purpose `alarm` an alarm.
    notice_id: str | None = Field(default=None, max_length=36)
    purpose: Purpose = word(Purpose)
    channel: MessageChannel = word(MessageChannel)
    #: Which way to the person this is: `sms1`, `voice2` … (messaging.ladder); empty where there is no ladder.
    way: str = Field(default="", max_length=10)
    to_number: str = Field(max_length=32)
    recipient: str = Field(max_length=80)
    body: str = Field(sa_type=Text)
    #: 0 goes first: the rank of the incident's priority, or behind all of them.
    rank: int = 4
    state: MessageState = word(MessageState, default=MessageState.PENDING)
    reason: str | None = Field(default=None, max_length=60)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: When it is next to be tried, looked up or fetched; None once it is settled. Real time, like every
    #: lease and back-off (design.md 3).
    next_attempt_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fence: int = 0
    attempts: int = 0
    #: Characters that the alphabet of texts does not have, and that became `?`.
    replaced: int = 0
    #: How often it was sent once more without knowing whether it had gone.
    repeats: int = 0
    #: Why it waits although it is due: `line` (the provider is down), `person` (just rung).
    held: str | None = Field(default=None, max_length=10)
    #: It may have gone when it was no longer wanted: should it turn out that it did, the person is told.
    cancel_requested: str | None = Field(default=None, max_length=20)
    #: Proof that it went came after it had been given up.
    late: bool = False
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failing_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    report_recorded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AttemptRow(Row, table=True):
    """One call to the provider; its token is in the callback's address.

    `at` and `settled_at` are the service's time; the others, from which waits are counted, real time.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("message_id", "seq"),
        Index("ix_attempts_provider_sid", "provider_sid"),
        Index("ix_attempts_claimed_at", "claimed_at"),
        Index("ix_attempts_unblanked", "claimed_at", **where("blanked_at IS NULL")),
    )

    id: str = Field(primary_key=True, max_length=36)
    message_id: str = Field(foreign_key="messages.id", index=True, max_length=36)
    seq: int
    token: str = Field(unique=True, max_length=64)
    provider: str = Field(max_length=20)
    provider_sid: str = Field(default="", max_length=64)
    state: str = Field(max_length=20)
    error_code: str | None = Field(default=None, max_length=20)
    error_class: str | None = Field(default=None, max_length=20)
    #: Keys pressed in a call so far: the first proves a person.
    keys: str = Field(default="", max_length=20)
    at: datetime = Field(sa_type=UtcDateTime)
    claimed_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    unknown_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: Look-ups that were answered and did not find it.
    look_ups: int = 0
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: What settled it: `response`, `callback`, `look_up`, `fetch`.
    settled_by: str | None = Field(default=None, max_length=10)
    #: Since when the provider keeps no words of it.
    blanked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: When it is asked once more to let go of them, having refused.
    ask_again_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ProviderEventRow(Row, table=True):
    """What a provider told us of a message or call, applied or not; unique, so a replay changes nothing."""

    __tablename__ = "provider_events"
    __table_args__ = (
        UniqueConstraint("provider", "sid", "status", "error_code", "sequence_no"),
        Index("ix_provider_events_early", "retry_until", **where("retry_until IS NOT NULL")),
        Index("ix_provider_events_to_count", "id", **where("to_count IS NOT NULL")),
    )

    id: str = Field(primary_key=True, max_length=36)
    provider: str = Field(max_length=20)
    sid: str = Field(max_length=64)
    status: str = Field(max_length=30)
    error_code: str = Field(default="", max_length=20)
    sequence_no: int = -1
    token: str = Field(default="", max_length=64, index=True)
    #: `text` or `call`, and who said it: `callback` or `fetch`.
    kind: str = Field(default="text", max_length=10)
    source: str = Field(default="callback", max_length=10)
    attempt_id: str | None = Field(default=None, index=True, max_length=36)
    received_at: datetime = Field(sa_type=UtcDateTime)
    applied: bool = False
    #: What became of it: `applied`, `stale`, `conflict`, `unknown_word`, `other_sid`, `early`, `orphan`.
    why: str = Field(default="", max_length=20)
    #: Told before the attempt was known: tried again until then. Real time.
    retry_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: How often it was told since the figures last counted; and whether they have counted what it came to.
    to_count: int | None = 1
    is_counted: bool = False


class LineRow(Row, table=True):
    """A way out: one provider's texts, or its calls. What every node must agree on about it; real times."""

    __tablename__ = "lines"

    name: str = Field(primary_key=True, max_length=40)
    provider: str = Field(max_length=20)
    channel: MessageChannel = word(MessageChannel)
    #: The pace: texts that may go now, as counted then.
    tokens: float = 0.0
    filled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: The breaker (messaging.breaker).
    failures: int = 0
    why: str | None = Field(default=None, max_length=20)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    retry_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    trips: int = 0
    #: Seconds from acceptance to delivery of the last offers.
    delays: list[float] = Field(default_factory=list, sa_type=JSON)
    #: How many texts went out on which local day, and for which day an alarm was raised.
    day: str = Field(default="", max_length=10)
    sent_today: int = 0
    alarmed_for: str = Field(default="", max_length=10)


class WatermarkRow(Row, table=True):
    """Up to which text those to one of our numbers were listed, whole; and who lists them now."""

    __tablename__ = "watermarks"

    number: str = Field(primary_key=True, max_length=32)
    #: When the newest was written, by the provider's clock; at first, when the number was first seen.
    listed_to: datetime = Field(sa_type=UtcDateTime)
    #: Real time.
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fence: int = 0
