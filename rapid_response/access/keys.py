"""API keys: narrow, shown once, stored as a hash, dead within seconds of being revoked."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Executable, Row, Select, select, update
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.access.accounts import AccountProblem, account_name
from rapid_response.access.fingerprints import fingerprint
from rapid_response.access.principal import Kind, Principal
from rapid_response.core.events import SERVICE_STREAM, AccountChanged
from rapid_response.core.vocabulary import Scope
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.once import once
from rapid_response.storage.tables import ApiKeyRow
from rapid_response.storage.tx import Tx, read_from

#: So that scanners of code and logs know one when they see it.
PREFIX = "rr_"
_USED_EVERY = timedelta(minutes=1)
#: How long a node may believe a key that another has revoked meanwhile; the promise is five seconds.
_BELIEVED_FOR = timedelta(seconds=2)
_REMEMBERED = 1_000


class KeyProblem(ValueError):
    """What was asked of a key cannot be done; the sentence says what to do instead."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; its secret exists nowhere else."""

    id: str
    name: str
    scopes: frozenset[Scope]
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is listed."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None


def create_key(tx: Tx, name: str, scopes: Iterable[Scope] = ()) -> NewKey:
    """Make a key, for taking reports unless scopes are named; raises :class:`KeyProblem` for a taken name."""
    name = _key_name(name)
    found = _find(tx, name)
    if found is not None:
        raise _taken(name, revoked=found.revoked_at is not None)
    granted = frozenset(scopes) or frozenset({Scope.REPORT})
    key = NewKey(tx.ids.uuid(), name, granted, PREFIX + tx.ids.token())
    ordered = [scope.value for scope in Scope if scope in granted]
    tx.add(
        ApiKeyRow,
        id=key.id,
        name=name,
        secret_hash=fingerprint(key.secret),
        scopes=ordered,
        created_at=tx.real,
    )
    tx.record(SERVICE_STREAM, AccountChanged(key.id, f"key_made:{','.join(ordered)}"))
    return key


def list_keys(connection: Connection) -> list[Key]:
    """All keys by name, revoked ones too; no secrets, which nobody has any more."""
    rows = connection.execute(_select_keys().order_by(col(ApiKeyRow.name)))
    return [_key(row) for row in rows]


def revoke_key(tx: Tx, name: str) -> None:
    """End a key, on every node within seconds; harmless twice."""
    row = _find(tx, _key_name(name))
    if row is None:
        raise KeyProblem(
            f"There is no key called “{name}”. `rapid-response keys list` shows those there are."
        )
    if row.revoked_at is None:
        row.revoked_at = tx.real
        tx.record(SERVICE_STREAM, AccountChanged(row.id, "key_revoked"))


def bearer(authorization: str | None) -> str | None:
    """The secret in an `Authorization` header, or None when there is none."""
    scheme, _, secret = (authorization or "").strip().partition(" ")
    return secret.strip() or None if scheme.lower() == "bearer" else None


class KeyRing:
    """Says whose key a secret is; one for each process, used from its event loop."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._believed: dict[str, tuple[Principal, datetime]] = {}

    async def principal(self, secret: str | None) -> Principal | None:
        """The holder of a secret, or None when there is no such key or it was revoked."""
        if not secret:
            return None
        secret_hash = fingerprint(secret)
        asked_at = self._db.clock.real()
        known, read_at = self._believed.get(secret_hash, (None, asked_at))
        if known is not None and timedelta() <= asked_at - read_at < _BELIEVED_FOR:
            return known
        self._believed.pop(secret_hash, None)
        key = await self._db.look(lambda connection: _read(connection, secret_hash))
        if key is None:
            return None
        if key.used_at is None or asked_at - key.used_at >= _USED_EVERY:
            await self._say_used(key.id)
        if len(self._believed) >= _REMEMBERED:
            self._believed.clear()
        # From before the read: a key revoked while it ran is not believed any longer for it.
        principal = Principal(Kind.KEY, id=key.id, name=key.name, scopes=key.scopes)
        self._believed[secret_hash] = (principal, asked_at)
        return principal

    async def _say_used(self, key_id: str) -> None:
        # The call itself says so when nothing can be written, if it has to write.
        with suppress(DatabaseUnavailable):
            await self._db.run(lambda tx: _used(tx, key_id))


def _read(connection: Connection, secret_hash: str) -> Key | None:
    row = read_from(connection, _in_use(secret_hash)).first()
    return None if row is None else _key(row)


@once
def _in_use(secret_hash: str) -> Executable:
    return _select_keys().where(
        col(ApiKeyRow.secret_hash) == secret_hash, col(ApiKeyRow.revoked_at).is_(None)
    )


def _select_keys() -> Select[Any]:
    return select(*(getattr(ApiKeyRow, field.name) for field in fields(Key)))


def _key(row: Row[Any]) -> Key:
    scopes = frozenset(Scope(value) for value in row.scopes)
    return Key(row.id, row.name, scopes, row.created_at, row.revoked_at, row.used_at)


def _used(tx: Tx, key_id: str) -> None:
    tx.execute(update(ApiKeyRow).where(col(ApiKeyRow.id) == key_id).values(used_at=tx.real))


def _find(tx: Tx, name: str) -> ApiKeyRow | None:
    return tx.first(typed_select(ApiKeyRow).where(col(ApiKeyRow.name) == name).with_for_update())


def _key_name(given: str) -> str:
    try:
        return account_name(given)
    except AccountProblem:
        raise KeyProblem("A key's name has 1 to 60 printable characters: choose another name.") from None


def _taken(name: str, *, revoked: bool) -> KeyProblem:
    state = "a revoked key" if revoked else "a key"
    return KeyProblem(
        f"There is {state} called “{name}” already. Choose another name, such as “{name} 2”; "
        "two keys may be live while a partner changes over."
    )
