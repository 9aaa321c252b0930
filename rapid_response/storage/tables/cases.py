"""Cases, and what is known of their people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from rapid_response.core.incident import Status
from rapid_response.core.states import MailState
from rapid_response.core.vocabulary import (
    AgeTargeting,
    Area,
    Category,
    Channel,
    ClockState,
    Disposition,
    Priority,
    ReferralSource,
    RetentionClass,
    Safeguarding,
    StoppedBy,
    Urgency,
)
from rapid_response.storage.columns import UtcDateTime, if_true, where, word
from rapid_response.storage.tables.row import Row

#: Somebody was perhaps chosen for their age, and nobody has decided.
IS_UNDECIDED = text("age_state IN ('potential', 'under_review')")


class IncidentRow(Row, table=True):
    """What happened, or is happening, at one place to one victim; has one or more reports."""

    __tablename__ = "incidents"
    __table_args__ = (
        CheckConstraint("paused_seconds >= 0", name="paused_not_negative"),
        # SQLite takes it only where a query says the very same, and a query says `is_open = 1`.
        Index("ix_incidents_open", "received_at", **if_true("is_open")),
        Index("ix_incidents_received_at", "received_at"),
        # For a ward that has had none for years, too.
        Index("ix_incidents_ward", "ward", "received_at"),
        Index("ix_incidents_duplicate_of", "duplicate_of", **where("duplicate_of IS NOT NULL")),
        # As IS_UNDECIDED says it.
        Index("ix_incidents_undecided", "received_at", **where("age_state IN ('potential', 'under_review')")),
        Index("ix_incidents_reviewed", "review_decided_at", **where("review_decided_at IS NOT NULL")),
        Index("ix_incidents_held", "legal_hold_at", **where("legal_hold_at IS NOT NULL")),
        Index("ix_incidents_to_erase", "retention_class", "closed_at", **where("erased_at IS NULL")),
    )

    id: str = Field(primary_key=True, max_length=36)
    reference: str = Field(unique=True, max_length=16)
    status: Status = word(Status)
    #: Kept beside the status so that "open" is one small index, whatever the number of closed incidents.
    is_open: bool = True
    category: Category = word(Category)
    subtype: str = Field(max_length=60)
    urgency: Urgency = word(Urgency)
    priority: Priority = word(Priority)
    rule_id: str = Field(max_length=8)
    rules_version: str = Field(max_length=40)
    facts: dict[str, Any] = Field(sa_type=JSON)
    #: Of the reading that it is decided by, the few values that later steps want; all of it is the report's.
    reading: dict[str, Any] = Field(sa_type=JSON)
    age_state: AgeTargeting = word(AgeTargeting, default=AgeTargeting.NONE)
    age_kinds: list[str] = Field(default_factory=list, sa_type=JSON)
    other_vulnerability: bool = False
    statutory_strands: list[str] = Field(default_factory=list, sa_type=JSON)
    #: A person has said which strands and vulnerability it is about: reading again changes neither.
    targeting_corrected: bool = False
    #: The victim says so herself. Once known it stays: one person alone cannot rule it out.
    victims_own_perception: bool = False
    #: Given by the police. Without it nothing here is a hate crime that they have recorded.
    police_hate_crime_ref: str | None = Field(default=None, max_length=200)
    #: Who would rule it out, while a second reviewer has yet to agree.
    review_proposed_by: str | None = Field(default=None, max_length=80)
    review_proposed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    review_decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    review_decided_by: str | None = Field(default=None, max_length=80)
    victim: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    location: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    safe_contact: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    suspect: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    ward: str | None = Field(default=None, max_length=80)
    #: Whose the victim's home is, and the ONS code of that authority where it is known.
    area: Area = word(Area, default=Area.UNKNOWN)
    authority: str | None = Field(default=None, max_length=9)
    #: Handed over to another service, whose answer is waited for.
    is_handed_over: bool = False
    joint: bool = False
    back_entry: bool = False
    #: Nothing is sent until a person releases it: paper from an outage, or joint attendance on hold.
    is_held: bool = False
    received_at: datetime = Field(sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    clock_state: ClockState = word(ClockState)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    needed_by: datetime | None = Field(default=None, sa_type=UtcDateTime)
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    stopped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    stopped_by: StoppedBy | None = word(StoppedBy, default=None, nullable=True)
    breached_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    paused_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    paused_seconds: int = 0
    owner: str | None = Field(default=None, max_length=60)
    #: The second officer of a joint visit; the job is the owner's.
    companion: str | None = Field(default=None, max_length=60)
    job_number: int | None = None
    episode: int = 1
    #: Counts how often ladder and warnings were armed; part of the agenda's unique key.
    cycle: int = 1
    unconfirmed: list[str] = Field(default_factory=list, sa_type=JSON)
    disposition: Disposition | None = word(Disposition, default=None, nullable=True)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: Once it has ended: how long its people are kept, as the daily round looks for it.
    retention_class: RetentionClass | None = word(RetentionClass, default=None, nullable=True)
    #: The incident that this one's reports were joined to. Named without a foreign key, as links are.
    duplicate_of: str | None = Field(default=None, max_length=36)
    referral_source: ReferralSource | None = word(ReferralSource, default=None, nullable=True)
    #: What a person decided about adult safeguarding in this episode.
    safeguarding: Safeguarding | None = word(Safeguarding, default=None, nullable=True)
    safeguarding_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    safeguarding_by: str | None = Field(default=None, max_length=80)
    #: Who would call it a hoax, while a second person has yet to agree.
    hoax_marked_by: str | None = Field(default=None, max_length=80)
    #: Since when, and by whom, nothing of it may be deleted.
    legal_hold_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    legal_hold_by: str | None = Field(default=None, max_length=80)
    #: Since when its people are gone: a tombstone, which is still counted.
    erased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ReportRow(Row, table=True):
    """The content of one contact: immutable; corrections are added beside it.

    `first_incident_id` is the incident that it raised when it came; `incident_id` the one it belongs to now.
    """

    __tablename__ = "reports"
    __table_args__ = (Index("ix_reports_received_at", "received_at"),)

    id: str = Field(primary_key=True, max_length=36)
    incident_id: str = Field(foreign_key="incidents.id", index=True, max_length=36)
    first_incident_id: str = Field(index=True, max_length=36)
    channel: Channel = word(Channel)
    source: str = Field(max_length=80)
    external_reference: str | None = Field(default=None, max_length=200)
    received_at: datetime = Field(sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    narrative: str = Field(sa_type=Text)
    caller: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    answers: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    reading: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    back_entry: bool = False


class CorrectionRow(Row, table=True):
    """One value that a person put right, or a joined report added: the old beside the new, for good.

    `field` is a path as in the body of a report (`location.address`); `report_id` says whose caller it was.
    """

    __tablename__ = "corrections"

    id: str = Field(primary_key=True, max_length=36)
    incident_id: str = Field(foreign_key="incidents.id", index=True, max_length=36)
    report_id: str | None = Field(default=None, index=True, max_length=36)
    #: Counts within the incident, so that what was done in one moment keeps its order.
    position: int
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str = Field(max_length=80)
    source: str = Field(max_length=20)
    field: str = Field(max_length=60)
    old: Any = Field(default=None, sa_type=JSON, nullable=True)
    new: Any = Field(default=None, sa_type=JSON, nullable=True)
    reason: str | None = Field(default=None, sa_type=Text)


class NoteRow(Row, table=True):
    """Words a person added to an incident, or a text of theirs that was not a command."""

    __tablename__ = "notes"

    id: str = Field(primary_key=True, max_length=36)
    incident_id: str = Field(foreign_key="incidents.id", index=True, max_length=36)
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str = Field(max_length=80)
    body: str = Field(sa_type=Text)


class NotificationRow(Row, table=True):
    """Something a partner told us without asking us to act: intelligence, no incident and no clock."""

    __tablename__ = "notifications"
    __table_args__ = (
        Index("ix_notifications_received_at", "received_at"),
        Index("ix_notifications_new", "received_at", **where("settled_at IS NULL")),
    )

    id: str = Field(primary_key=True, max_length=36)
    reference: str = Field(unique=True, max_length=16)
    channel: Channel = word(Channel)
    source: str = Field(max_length=80)
    category: Category = word(Category)
    subtype: str = Field(max_length=60)
    ward: str | None = Field(default=None, max_length=80)
    received_at: datetime = Field(sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    #: The report as it reached us, to be raised to an incident by a person.
    report: dict[str, Any] = Field(sa_type=JSON)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_by: str | None = Field(default=None, max_length=80)
    outcome: str | None = Field(default=None, max_length=20)
    #: The incident that a person raised it to.
    incident_id: str | None = Field(default=None, max_length=36)
    erased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class InboundMessageRow(Row, table=True):
    """A text that reached us, stored before anything is done with it; unique, so twice is once."""

    __tablename__ = "inbound_messages"
    __table_args__ = (
        UniqueConstraint("provider", "provider_sid"),
        # The newest first: a responder sends thousands.
        Index("ix_inbound_messages_from_number", "from_number", "received_at"),
        Index("ix_inbound_messages_incident", "incident_id", **where("incident_id IS NOT NULL")),
        Index("ix_inbound_messages_to_count", "id", **where("to_count IS NOT NULL")),
        Index("ix_inbound_messages_unblanked", "received_at", **where("blanked_at IS NULL")),
        Index("ix_inbound_messages_unread", "received_at", **if_true("needs_person")),
    )

    id: str = Field(primary_key=True, max_length=36)
    provider: str = Field(max_length=20)
    provider_sid: str = Field(max_length=64)
    from_number: str = Field(max_length=32)
    to_number: str = Field(max_length=32)
    body: str = Field(sa_type=Text)
    received_at: datetime = Field(sa_type=UtcDateTime)
    #: When it was written, where the provider's list says so: this decides whether it came in time.
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    source: str = Field(default="webhook", max_length=12)
    #: What the carrier made of it by itself: `STOP`, `START` or `HELP`.
    opt_out_type: str = Field(default="", max_length=10)
    #: A picture or a video came with it, which is not fetched.
    has_media: bool = False
    sender: str | None = Field(default=None, max_length=80)
    verb: str | None = Field(default=None, max_length=20)
    effect: str | None = Field(default=None, max_length=40)
    incident_id: str | None = Field(default=None, max_length=36)
    needs_person: bool = False
    #: Since when the provider keeps no words of it.
    blanked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: When it is asked once more to let go of them, having refused. Real time.
    ask_again_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: How often it came since the figures last counted; and whether they have counted what it did.
    to_count: int | None = 1
    is_counted: bool = False


#: What became of a call (`CallRow.outcome`) that dropped, or ended, without a message.
RANG_OFF = "rang_off"


class CallRow(Row, table=True):
    """A telephone call, in or out; an incoming one has its row before any menu is spoken."""

    __tablename__ = "calls"
    __table_args__ = (
        UniqueConstraint("provider", "provider_sid"),
        Index("ix_calls_inbound", "outcome", **if_true("inbound", more="outcome IS NOT NULL")),
        Index("ix_calls_to_erase", "words_at", **where("words_at IS NOT NULL AND erased_at IS NULL")),
        # Who rang off without a message, for when that number rings again.
        Index(
            "ix_calls_rang_off",
            "from_number",
            "created_at",
            **where("outcome = 'rang_off' AND incident_id IS NULL"),
        ),
        Index("ix_calls_to_return", "created_at", **if_true("needs_person")),
        Index("ix_calls_incident", "incident_id", **where("incident_id IS NOT NULL")),
        Index("ix_calls_on_the_line", "created_at", **if_true("inbound", more="outcome IS NULL")),
        # Calls that turned out to be the first contact of a case, for the board.
        Index("ix_calls_joined", "created_at", **where("outcome = 'rang_off' AND incident_id IS NOT NULL")),
    )

    id: str = Field(primary_key=True, max_length=36)
    provider: str = Field(max_length=20)
    provider_sid: str = Field(max_length=64)
    inbound: bool
    from_number: str = Field(max_length=32)
    to_number: str = Field(max_length=32)
    status: str = Field(max_length=20)
    digits: str = Field(default="", max_length=20)
    outcome: str | None = Field(default=None, max_length=40)
    message_id: str | None = Field(default=None, max_length=36)
    incident_id: str | None = Field(default=None, max_length=36)
    #: She rang off without a message: a person rings back, or says that nobody need.
    needs_person: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)
    #: Her message as the provider keeps it: its sound and its words, by the provider's ids.
    recording_sid: str = Field(default="", max_length=34)
    transcription_sid: str = Field(default="", max_length=34)
    #: Since when its words stand here, and since when the provider keeps nothing of it.
    words_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    erased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: When the provider is asked once more to let go of it, having refused. Real time.
    ask_again_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


#: A mail that the server has not taken yet, and one that it never took.
IS_UNSENT, IS_PARKED = text("mails.state = 'waiting'"), text("mails.state = 'parked'")


class MailRow(Row, table=True):
    """An e-mail to the desk. It names a reference and what to do, so that nothing of it has to be erased."""

    __tablename__ = "mails"
    __table_args__ = (
        Index("ix_mails_waiting", "due_at", **where("state = 'waiting'")),
        Index("ix_mails_parked", "settled_at", **where("state = 'parked'")),
    )

    id: str = Field(primary_key=True, max_length=36)
    dedupe_key: str = Field(unique=True, max_length=80)
    #: The notice that it tells of; none where it is about no case.
    notice_id: str | None = Field(default=None, max_length=36)
    subject: str = Field(max_length=200)
    body: str = Field(max_length=1000)
    state: MailState = word(MailState, default=MailState.WAITING)
    created_at: datetime = Field(sa_type=UtcDateTime)
    #: Real times, like all leases and time-outs.
    queued_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fence: int = 0
    attempts: int = 0
    error: str | None = Field(default=None, max_length=40)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
