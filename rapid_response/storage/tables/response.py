"""What is done about a case: offers, notices, tasks, visits, referrals, transfers and outcomes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, Text, text
from sqlmodel import Field

from rapid_response.core.states import OfferState, TaskState
from rapid_response.core.vocabulary import (
    EvidenceGrade,
    OutcomeCode,
    ReferralKind,
    ReferralState,
    TransferMeans,
    TransferState,
)
from rapid_response.storage.columns import UtcDateTime, where, word
from rapid_response.storage.tables.row import Row

#: An offer that waits for its answer, or was accepted and is not done.
IS_LIVE = text("offers.state IN ('open', 'accepted')")


#: A referral that its partner has not answered.
IS_UNANSWERED = text("referrals.state IN ('sent', 'acknowledged')")


class OfferRow(Row, table=True):
    """One incident offered to one person. The accepted one is the owner: at most one an incident."""

    __tablename__ = "offers"
    __table_args__ = (
        Index("ix_offers_incident", "incident_id", "responder_id"),
        Index("uq_offers_owner", "incident_id", unique=True, **where("state = 'accepted'")),
        Index("ix_offers_responder_live", "responder_id", "state"),
        # Of the few that are live: asked at each report, so in the index's own words (IS_LIVE).
        Index("ix_offers_live", "responder_id", "state", **where("state IN ('open', 'accepted')")),
    )

    id: str = Field(primary_key=True, max_length=36)
    incident_id: str = Field(foreign_key="incidents.id", max_length=36)
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
