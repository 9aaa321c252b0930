"""Signed-in browsers: rows in the database, so that sign-out, a disabled account and a changed role bite at
once on every node. The cookie holds a random id, the row only its hash. Measured in real time.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Executable, select, update
from sqlmodel import col

from rapid_response.access.fingerprints import fingerprint
from rapid_response.access.principal import Kind, Principal
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.once import once
from rapid_response.storage.tables import SessionRow, UserRow
from rapid_response.storage.tx import Tx, read_from

IDLE_AFTER = timedelta(minutes=30)
ENDS_AFTER = timedelta(hours=12)
#: Looking at a page must not be a write each time.
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just begun; the cookie's value exists nowhere else."""

    cookie: str = field(repr=False)
    csrf: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LiveSession:
    """Who is signed in; they are signed out at `idle_at` unless they go on, at `ends_at` whatever they do."""

    principal: Principal
    idle_at: datetime
    ends_at: datetime


def start_session(tx: Tx, user_id: str, *, replacing: str | None = None) -> NewSession:
    """Begin a session under a new id; the browser's cookie so far, if it has one, is worth nothing after."""
    if replacing:
        end_session(tx, replacing)
    # Two tokens: one has 192 bits at the most, and 256 are asked for.
    session = NewSession(cookie=tx.ids.token() + tx.ids.token(), csrf=tx.ids.token())
    tx.add(
        SessionRow,
        id_hash=fingerprint(session.cookie),
        user_id=user_id,
        csrf=session.csrf,
        created_at=tx.real,
        seen_at=tx.real,
    )
    return session


async def load_session(db: Database, cookie: str | None, *, touch: bool = True) -> LiveSession | None:
    """The session of a cookie, or None when there is none or it has ended.

    `touch=False` for what a page asks by itself (streams, polling): only a person keeps a session alive.
    """
    if not cookie:
        return None
    id_hash = fingerprint(cookie)
    row = await db.look(lambda connection: _read(connection, id_hash))
    real = db.clock.real()
    if row is None or real - row.seen_at >= IDLE_AFTER or real - row.created_at >= ENDS_AFTER:
        return None
    seen_at = row.seen_at
    if touch and real - seen_at >= SEEN_EVERY:
        seen_at = real
        # With a full disk the open cases can still be read, which is what matters then.
        with suppress(DatabaseUnavailable):
            await db.run(lambda tx: _seen(tx, id_hash))
    return LiveSession(_principal(row), seen_at + IDLE_AFTER, row.created_at + ENDS_AFTER)


async def idle_principal(db: Database, cookie: str | None) -> Principal | None:
    """Whose session a cookie was that has done nothing for too long, but was not signed out and is not over.

    Lets nobody in: for the one thing that must not fail because a page lay open (the silent alarm).
    """
    if not cookie:
        return None
    row = await db.look(lambda connection: _read(connection, fingerprint(cookie)))
    if row is None or db.clock.real() - row.created_at >= ENDS_AFTER:
        return None
    return _principal(row)


def end_session(tx: Tx, cookie: str) -> None:
    """Sign out that browser; harmless twice."""
    _end(tx, col(SessionRow.id_hash) == fingerprint(cookie))


def end_all_sessions(tx: Tx, user_id: str) -> int:
    """Sign out an account everywhere; how many sessions that ended."""
    return _end(tx, col(SessionRow.user_id) == user_id)


def _end(tx: Tx, which: Any) -> int:
    open_ones = update(SessionRow).where(which, col(SessionRow.ended_at).is_(None))
    return tx.execute(open_ones.values(ended_at=tx.real)).rowcount


def _read(connection: Connection, id_hash: str) -> Any:
    return read_from(connection, _alive(id_hash)).first()


@once
def _alive(id_hash: str) -> Executable:
    return (
        select(
            col(SessionRow.csrf),
            col(SessionRow.created_at),
            col(SessionRow.seen_at),
            col(UserRow.id),
            col(UserRow.name),
            col(UserRow.role),
            col(UserRow.responder_id),
        )
        .join(UserRow, col(UserRow.id) == col(SessionRow.user_id))
        .where(
            col(SessionRow.id_hash) == id_hash,
            col(SessionRow.ended_at).is_(None),
            col(UserRow.disabled_at).is_(None),
        )
    )


def _seen(tx: Tx, id_hash: str) -> None:
    tx.execute(
        update(SessionRow)
        .where(col(SessionRow.id_hash) == id_hash, col(SessionRow.ended_at).is_(None))
        .values(seen_at=tx.real)
    )


def _principal(row: Any) -> Principal:
    return Principal(
        Kind.USER,
        id=row.id,
        name=row.name,
        role=row.role,
        responder_id=row.responder_id,
        session_csrf=row.csrf,
    )
