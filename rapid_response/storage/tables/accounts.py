"""Accounts, keys, and who looked at what."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field

from rapid_response.core.vocabulary import Role, ViewReason
from rapid_response.storage.columns import AutoId, UtcDateTime, where, word
from rapid_response.storage.tables.row import Row


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
    __table_args__ = (
        Index("ix_access_log_unsealed", "id", **where("sealed_by IS NULL")),
        # Who saw a case, and whether she did: a handler opens thousands.
        Index("ix_access_log_incident", "incident_id", "viewer"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=AutoId)
    at: datetime = Field(sa_type=UtcDateTime)
    viewer: str = Field(max_length=80, index=True)
    what: str = Field(max_length=40)
    incident_id: str | None = Field(default=None, max_length=36)
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
