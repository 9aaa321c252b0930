"""The schema: one class a table, ending in `Row`.

Rows are typed records. Steps write them with Core statements through :class:`~rapid_response.storage.tx.Tx`;
nothing here validates (SQLModel does not validate tables), so input is checked at the edge. Names, numbers,
addresses and narratives live only in the tables of the first section, where they can be redacted; events,
agenda and tallies hold ids, codes, times and numbers.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field, MetaData, SQLModel

from rapid_response.core.incident import Status
from rapid_response.core.states import (
    AvailabilityKind,
    LookupState,
    MailState,
    MessageChannel,
    MessageState,
    OfferState,
    Purpose,
    SecondReadingState,
    TaskState,
)
from rapid_response.core.vocabulary import (
    AgeTargeting,
    Area,
    Category,
    Channel,
    ClockState,
    Disposition,
    EvidenceGrade,
    OutcomeCode,
    Priority,
    ReferralKind,
    ReferralSource,
    ReferralState,
    RetentionClass,
    RiskKind,
    RiskSubject,
    Role,
    Safeguarding,
    StoppedBy,
    TransferMeans,
    TransferState,
    Urgency,
    ViewReason,
)
from rapid_response.storage.columns import AutoId, UtcDateTime, where, word

# Named constraints, so that a migration can alter them on both databases.
SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention


class Row(SQLModel):
    """A row of a table. Pydantic never validates one, and need not get ready to, which took its time."""

    model_config = {"defer_build": True}


# --- what we know of people and cases ---------------------------------------------------------------------


# Where an index holds only a few rows of many, SQLite takes it for a query that says so in the same words,
# values included: such a query takes its words from here.

#: Somebody was perhaps chosen for their age, and nobody has decided.
IS_UNDECIDED = text("age_state IN ('potential', 'under_review')")
#: An offer that waits for its answer, or was accepted and is not done.
IS_LIVE = text("offers.state IN ('open', 'accepted')")
#: A referral that its partner has not answered.
IS_UNANSWERED = text("referrals.state IN ('sent', 'acknowledged')")


class IncidentRow(Row, table=True):
    """What happened, or is happening, at one place to one victim; has one or more reports."""

    __tablename__ = "incidents"
    __table_args__ = (
        CheckConstraint("paused_seconds >= 0", name="paused_not_negative"),
        # SQLite takes it only where a query says the very same, and a query says `is_open = 1`.
        Index(
            "ix_incidents_open",
            "received_at",
            sqlite_where=text("is_open = 1"),
            postgresql_where=text("is_open"),
        ),
        Index("ix_incidents_received_at", "received_at"),
        # For a ward that has had none for years, too.
        Index("ix_incidents_ward", "ward", "received_at"),
        Index("ix_incidents_duplicate_of", "duplicate_of", **where("duplicate_of IS NOT NULL")),
        # As IS_UNDECIDED says it.
        Index("ix_incidents_undecided", "received_at", **where("age_state IN ('potential', 'under_review')")),
        Index("ix_incidents_reviewed", "review_decided_at", **where("review_decided_at IS NOT NULL")),
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
        Index("ix_inbound_messages_incident", "incident_id", **where("incident_id IS NOT NULL")),
        Index("ix_inbound_messages_to_count", "id", **where("to_count IS NOT NULL")),
        Index("ix_inbound_messages_unblanked", "received_at", **where("blanked_at IS NULL")),
    )

    id: str = Field(primary_key=True, max_length=36)
    provider: str = Field(max_length=20)
    provider_sid: str = Field(max_length=64)
    from_number: str = Field(max_length=32, index=True)
    to_number: str = Field(max_length=32)
    body: str = Field(sa_type=Text)
    received_at: datetime = Field(sa_type=UtcDateTime)
    #: When it was written, where the provider's list says so: this decides whether it came in time.
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    source: str = Field(default="webhook", max_length=12)
    #: What the carrier made of it by itself: `STOP`, `START` or `HELP`.
    opt_out_type: str = Field(default="", max_length=10)
    sender: str | None = Field(default=None, max_length=80)
    verb: str | None = Field(default=None, max_length=20)
    effect: str | None = Field(default=None, max_length=40)
    incident_id: str | None = Field(default=None, max_length=36)
    needs_person: bool = False
    #: Since when the provider keeps no words of it.
    blanked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
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
        Index(
            "ix_calls_inbound",
            "outcome",
            sqlite_where=text("inbound = 1 AND outcome IS NOT NULL"),
            postgresql_where=text("inbound AND outcome IS NOT NULL"),
        ),
        Index("ix_calls_to_erase", "words_at", **where("words_at IS NOT NULL AND erased_at IS NULL")),
        # Who rang off without a message, for when that number rings again.
        Index(
            "ix_calls_rang_off",
            "from_number",
            "created_at",
            **where("outcome = 'rang_off' AND incident_id IS NULL"),
        ),
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


class RiskMarkerRow(Row, table=True):
    """A warning about an address or a suspect: evidence, an end, and somebody who answers for it.

    `about` is what it was set for, `known` the same normalised, to compare a case with.
    """

    __tablename__ = "risk_markers"

    id: str = Field(primary_key=True, max_length=36)
    subject: RiskSubject = word(RiskSubject)
    kind: RiskKind = word(RiskKind)
    reason: str = Field(sa_type=Text)
    about: dict[str, Any] = Field(sa_type=JSON)
    known: list[Any] = Field(sa_type=JSON)
    #: Counts how often it was set or reviewed; part of its agenda entries' key.
    round: int = 1
    set_at: datetime = Field(sa_type=UtcDateTime)
    set_by: str = Field(max_length=80)
    review_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    reviewed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reviewed_by: str | None = Field(default=None, max_length=80)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_by: str | None = Field(default=None, max_length=80)
    ended_reason: str | None = Field(default=None, sa_type=Text)


class RiskMarkerKeyRow(Row, table=True):
    """A key under which a live marker is found; gone when the marker ends."""

    __tablename__ = "risk_marker_keys"

    marker_id: str = Field(primary_key=True, foreign_key="risk_markers.id", max_length=36)
    key: str = Field(primary_key=True, index=True, max_length=120)


class PostcodeWardRow(Row, table=True):
    """The ward of a postcode, from a council's own extract of the ONS directory (`load-wards`)."""

    __tablename__ = "postcode_wards"

    postcode: str = Field(primary_key=True, max_length=8)
    ward: str = Field(max_length=80)


class PlaceLookupRow(Row, table=True):
    """A postcode that postcodes.io is asked about, where that is switched on; what it said is kept."""

    __tablename__ = "place_lookups"
    __table_args__ = (Index("ix_place_lookups_waiting", "due_at", **where("state = 'waiting'")),)

    postcode: str = Field(primary_key=True, max_length=8)
    state: LookupState = word(LookupState, default=LookupState.WAITING)
    due_at: datetime = Field(sa_type=UtcDateTime)
    attempts: int = 0
    authority: str | None = Field(default=None, max_length=9)
    ward: str | None = Field(default=None, max_length=80)
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class MailRow(Row, table=True):
    """An e-mail to the desk. It names a reference and what to do, so that nothing of it has to be erased."""

    __tablename__ = "mails"
    __table_args__ = (Index("ix_mails_waiting", "due_at", **where("state = 'waiting'")),)

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


# --- what we do about them --------------------------------------------------------------------------------


class OfferRow(Row, table=True):
    """One incident offered to one person. The accepted one is the owner: at most one an incident."""

    __tablename__ = "offers"
    __table_args__ = (
        Index("uq_offers_owner", "incident_id", unique=True, **where("state = 'accepted'")),
        Index("ix_offers_responder_live", "responder_id", "state"),
        # Of the few that are live: asked at each report, so in the index's own words (IS_LIVE).
        Index("ix_offers_live", "responder_id", "state", **where("state IN ('open', 'accepted')")),
    )

    id: str = Field(primary_key=True, max_length=36)
    incident_id: str = Field(foreign_key="incidents.id", index=True, max_length=36)
    responder_id: str = Field(max_length=60)
    episode: int
    cycle: int
    rung: int
    state: OfferState = word(OfferState)
    reasons: list[str] = Field(default_factory=list, sa_type=JSON)
    joint: bool = False
    made_at: datetime = Field(sa_type=UtcDateTime)
    answer_by: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    source: str | None = Field(default=None, max_length=20)
    eta_minutes: int | None = None
    #: Since when nothing arrives of it, and when the next person was asked because of that.
    failing_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    passed_on_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class NoticeRow(Row, table=True):
    """Something a role holder must see; repeated until a person says that she has."""

    __tablename__ = "notices"

    id: str = Field(primary_key=True, max_length=36)
    incident_id: str = Field(foreign_key="incidents.id", index=True, max_length=36)
    kind: str = Field(max_length=40)
    role: str = Field(max_length=40)
    recipients: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    by: list[str] = Field(default_factory=list, sa_type=JSON)
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    given_at: datetime = Field(sa_type=UtcDateTime)
    repeats: int = 0
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_by: str | None = Field(default=None, max_length=80)


class TaskRow(Row, table=True):
    """Something a named role owes an incident by a time."""

    __tablename__ = "tasks"
    __table_args__ = (Index("ix_tasks_open", "state", "due_at"),)

    id: str = Field(primary_key=True, max_length=36)
    incident_id: str = Field(foreign_key="incidents.id", index=True, max_length=36)
    kind: str = Field(max_length=40)
    #: What it is about where the kind alone does not say: a referral's id.
    subject: str = Field(default="", max_length=36)
    owner: str = Field(max_length=60)
    state: TaskState = word(TaskState, default=TaskState.OPEN)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    done_by: str | None = Field(default=None, max_length=80)


class ReferralRow(Row, table=True):
    """A case passed on to a partner, and what became of it there. `reference` is whoever's was given."""

    __tablename__ = "referrals"
    __table_args__ = (
        Index("ix_referrals_unanswered", "sent_at", **where("state IN ('sent', 'acknowledged')")),
    )

    id: str = Field(primary_key=True, max_length=36)
    incident_id: str = Field(foreign_key="incidents.id", index=True, max_length=36)
    kind: ReferralKind = word(ReferralKind)
    state: ReferralState = word(ReferralState)
    reference: str | None = Field(default=None, max_length=200)
    #: Why it was declined, in the partner's words.
    reason: str | None = Field(default=None, max_length=200)
    sent_at: datetime = Field(sa_type=UtcDateTime)
    sent_by: str = Field(max_length=80)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: How often it was asked after, and when last.
    chased: int = 0
    chased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    moved_by: str = Field(max_length=80)


class TransferRow(Row, table=True):
    """A case handed over to another authority's service: what they were given, by whom, and their answer.

    `document` is kept as it was handed over, with its digest (which is in the log) and our signature. At most
    one of an incident waits for its answer.
    """

    __tablename__ = "transfers"
    __table_args__ = (Index("uq_transfers_waiting", "incident_id", unique=True, **where("state = 'sent'")),)

    id: str = Field(primary_key=True, max_length=36)
    incident_id: str = Field(foreign_key="incidents.id", index=True, max_length=36)
    #: The neighbour's id in the service definition; empty for a service that is not in it.
    neighbour: str = Field(default="", max_length=40)
    to_name: str = Field(max_length=200)
    state: TransferState = word(TransferState)
    #: How it was handed over, and who took it there.
    means: TransferMeans = word(TransferMeans)
    handed_to: str | None = Field(default=None, max_length=200)
    document: str = Field(sa_type=Text)
    digest: str = Field(max_length=64)
    signature: str = Field(max_length=64)
    sent_at: datetime = Field(sa_type=UtcDateTime)
    sent_by: str = Field(max_length=80)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answered_by: str | None = Field(default=None, max_length=200)
    #: Theirs, for the case.
    reference: str | None = Field(default=None, max_length=200)
    reason: str | None = Field(default=None, max_length=200)
    moved_by: str = Field(max_length=80)


class DisclosureRow(Row, table=True):
    """What somebody outside was shown: the sheet as it was, to whom, on what authority, by whom.

    Of one case, or of all that tell of one vehicle (`incident_id` is then empty).
    """

    __tablename__ = "disclosures"
    __table_args__ = (Index("ix_disclosures_made_at", "made_at"),)

    id: str = Field(primary_key=True, max_length=36)
    incident_id: str | None = Field(default=None, foreign_key="incidents.id", index=True, max_length=36)
    kind: str = Field(max_length=40)
    to_name: str = Field(max_length=200)
    authority: str = Field(max_length=200)
    fields: list[str] = Field(default_factory=list, sa_type=JSON)
    document: str = Field(sa_type=Text)
    digest: str = Field(max_length=64)
    made_at: datetime = Field(sa_type=UtcDateTime)
    made_by: str = Field(max_length=80)
    #: Since when its words are gone, with those of its case.
    erased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class VisitRow(Row, table=True):
    """A responder on her way to an incident, or there: when she is expected, and when last heard from.

    At most one of an incident is live. With `check_in_by` she is asked whether she is safe from then on.
    """

    __tablename__ = "visits"
    __table_args__ = (
        Index("uq_visits_live", "incident_id", unique=True, **where("ended_at IS NULL")),
        Index("ix_visits_responder_live", "responder_id", **where("ended_at IS NULL")),
    )

    id: str = Field(primary_key=True, max_length=36)
    incident_id: str = Field(foreign_key="incidents.id", index=True, max_length=36)
    responder_id: str = Field(max_length=60)
    set_off_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    expected_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    arrived_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finish_at: datetime = Field(sa_type=UtcDateTime)
    heard_at: datetime = Field(sa_type=UtcDateTime)
    check_in_by: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AlarmRow(Row, table=True):
    """A responder's silent alarm; of no incident where she had none. Live until a person ends it.

    It has a life of its own: no closing of a case ends it, and nothing of it shows on her own phone or page.
    """

    __tablename__ = "alarms"
    __table_args__ = (Index("ix_alarms_live", "raised_at", **where("ended_at IS NULL")),)

    id: str = Field(primary_key=True, max_length=36)
    incident_id: str | None = Field(default=None, foreign_key="incidents.id", index=True, max_length=36)
    responder_id: str = Field(max_length=60)
    source: str = Field(max_length=20)
    recipients: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    raised_at: datetime = Field(sa_type=UtcDateTime)
    repeats: int = 0
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_by: str | None = Field(default=None, max_length=80)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_by: str | None = Field(default=None, max_length=80)
    ended_reason: str | None = Field(default=None, sa_type=Text)


class OutcomeRow(Row, table=True):
    """What changed for someone."""

    __tablename__ = "outcomes"
    __table_args__ = (
        CheckConstraint("amount_pence IS NULL OR amount_pence >= 0", name="amount_not_negative"),
    )

    id: str = Field(primary_key=True, max_length=36)
    incident_id: str = Field(foreign_key="incidents.id", index=True, max_length=36)
    code: OutcomeCode = word(OutcomeCode)
    amount_pence: int | None = Field(default=None, sa_type=BigInteger)
    evidence_grade: EvidenceGrade | None = word(EvidenceGrade, default=None, nullable=True)
    #: The outcome that it stands instead of: a correction is an addition, and what was said stays.
    corrects: str | None = Field(default=None, max_length=36)
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str = Field(max_length=80)


class JobNumberRow(Row, table=True):
    """A job number in use, or resting after use; free again from `free_from`."""

    __tablename__ = "job_numbers"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    incident_id: str = Field(max_length=36, index=True)
    issued_at: datetime = Field(sa_type=UtcDateTime)
    free_from: datetime | None = Field(default=None, sa_type=UtcDateTime)


# --- messages ---------------------------------------------------------------------------------------------


class MessageRow(Row, table=True):
    """The outbox: written in the commit of its cause, sent by the worker with no transaction open."""

    __tablename__ = "messages"
    __table_args__ = (
        # The newest first: a duty phone gets thousands.
        Index("ix_messages_to_number", "to_number", "created_at"),
        # Only what is still to be looked at is in it, whatever the number of settled messages.
        # For the auditor, which does not go by when the worker means to look next.
        Index("ix_messages_unsettled", "state", **where("settled_at IS NULL")),
        Index("ix_messages_next", "next_attempt_at", **where("next_attempt_at IS NOT NULL")),
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
    #: 0 goes first: the rank of the incident's priority.
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
    """Up to when the texts to one of our numbers were listed, whole; and who lists them now."""

    __tablename__ = "watermarks"

    number: str = Field(primary_key=True, max_length=32)
    listed_to: datetime = Field(sa_type=UtcDateTime)
    #: Real time.
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fence: int = 0


# --- the log, and work that falls due ---------------------------------------------------------------------


class EventRow(Row, table=True):
    """Append-only; `seq` counts within its stream (an incident, or the service)."""

    __tablename__ = "events"

    stream: str = Field(primary_key=True, max_length=36)
    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    type: str = Field(max_length=40, index=True)
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


class AgendaRow(Row, table=True):
    """Something that will happen at `due_at` by itself: a promise is a row, not a timer in memory."""

    __tablename__ = "agenda"
    __table_args__ = (
        UniqueConstraint("incident_id", "kind", "subject", "cycle"),
        # Work is claimed degree by degree: of one that nobody knows, nothing would ever be done.
        CheckConstraint(f"rank BETWEEN 0 AND {len(Priority) - 1}", name="rank_known"),
        Index("ix_agenda_due", "due_at", **where("settled_at IS NULL AND parked_at IS NULL")),
        Index("ix_agenda_danger", "rank", "due_at", **where("settled_at IS NULL AND parked_at IS NULL")),
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


# --- the service, its people and its machines -------------------------------------------------------------


class DefinitionRow(Row, table=True):
    """A service definition as loaded; the highest version is in force."""

    __tablename__ = "definitions"

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    body: dict[str, Any] = Field(sa_type=JSON)
    digest: str = Field(max_length=64)
    loaded_at: datetime = Field(sa_type=UtcDateTime)
    actor: str = Field(max_length=80)


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


class UserRow(Row, table=True):
    """A local account."""

    __tablename__ = "users"

    id: str = Field(primary_key=True, max_length=36)
    name: str = Field(unique=True, max_length=60)
    role: Role = word(Role)
    responder_id: str | None = Field(default=None, max_length=60)
    password_hash: str = Field(max_length=200)
    created_at: datetime = Field(sa_type=UtcDateTime)
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failures: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SessionRow(Row, table=True):
    """A signed-in browser; the cookie's value is stored only as a hash."""

    __tablename__ = "sessions"

    id_hash: str = Field(primary_key=True, max_length=64)
    user_id: str = Field(foreign_key="users.id", index=True, max_length=36)
    csrf: str = Field(max_length=64)
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ApiKeyRow(Row, table=True):
    """A partner system's key; the secret is stored only as a hash."""

    __tablename__ = "api_keys"

    id: str = Field(primary_key=True, max_length=36)
    name: str = Field(unique=True, max_length=60)
    secret_hash: str = Field(unique=True, max_length=64)
    scopes: list[str] = Field(sa_type=JSON)
    created_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class IdempotencyRow(Row, table=True):
    """The first answer to a keyed request, given again to its repeats."""

    __tablename__ = "idempotency_keys"

    scope: str = Field(primary_key=True, max_length=160)
    key: str = Field(primary_key=True, max_length=255)
    body_digest: str = Field(max_length=64)
    status: int
    answer: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)


class AccessRow(Row, table=True):
    """Who saw which case, when, why. Says that it was seen, not what it said."""

    __tablename__ = "access_log"
    __table_args__ = (Index("ix_access_log_unsealed", "id", **where("sealed_by IS NULL")),)

    id: int | None = Field(default=None, primary_key=True, sa_type=AutoId)
    at: datetime = Field(sa_type=UtcDateTime)
    viewer: str = Field(max_length=80, index=True)
    what: str = Field(max_length=40)
    incident_id: str | None = Field(default=None, max_length=36, index=True)
    sealed_by: int | None = Field(default=None)


class ViewReasonRow(Row, table=True):
    """Why somebody opened a case that is not theirs; a supervisor looks at each."""

    __tablename__ = "view_reasons"
    __table_args__ = (
        Index("ix_view_reasons_viewer", "viewer", "incident_id"),
        Index("ix_view_reasons_unseen", "at", **where("seen_at IS NULL")),
    )

    id: str = Field(primary_key=True, max_length=36)
    at: datetime = Field(sa_type=UtcDateTime)
    viewer: str = Field(max_length=80)
    incident_id: str = Field(foreign_key="incidents.id", index=True, max_length=36)
    reason: ViewReason = word(ViewReason)
    words: str | None = Field(default=None, sa_type=Text)
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    seen_by: str | None = Field(default=None, max_length=80)


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


# --- what we already know ---------------------------------------------------------------------------------


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


# --- the second reader ------------------------------------------------------------------------------------


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
