"""Places: risk markers, wards of postcodes, and what was asked of a gazetteer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field

from rapid_response.core.states import LookupState
from rapid_response.core.vocabulary import RiskKind, RiskSubject
from rapid_response.storage.columns import UtcDateTime, where, word
from rapid_response.storage.tables.row import Row


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
