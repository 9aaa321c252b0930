"""Local accounts: who may sign in, and as what.

Every change that takes something away ends the account's sessions, and all go into the service's event chain
by id. Times are real, as for everything that guards the door: people do not sign in on a fast clock.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, or_, select
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.access.sessions import end_all_sessions
from rapid_response.core.events import SERVICE_STREAM, AccountChanged
from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import ResponderRow, UserRow
from rapid_response.storage.tx import Tx

_LONGEST_NAME = 60


class AccountProblem(ValueError):
    """What was asked of an account cannot be done; the sentence says what to do instead."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it is listed."""

    id: str
    name: str
    role: Role
    responder_id: str | None
    created_at: datetime
    disabled_at: datetime | None
    locked_until: datetime | None


_LISTED = tuple(field.name for field in fields(Account))


def account_name(given: str) -> str:
    """The name as stored: composed, single spaces; :class:`AccountProblem` for what nobody can type."""
    name = " ".join(unicodedata.normalize("NFKC", given).split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise AccountProblem(
            f"An account's name has 1 to {_LONGEST_NAME} printable characters: choose another name."
        )
    return name


def add_user(
    tx: Tx, name: str, role: Role, password_hash: str, *, responder_id: str | None = None
) -> Account:
    """Add an account; raises :class:`AccountProblem` where the name is taken, by a disabled account too.

    A responder's account belongs to the responder named, else to the one whose id is the account's name.
    """
    name = account_name(name)
    found = _find(tx, name)
    if found is not None:
        raise _taken(found.name, disabled=found.disabled_at is not None)
    user_id = tx.ids.uuid()
    tx.add(
        UserRow,
        id=user_id,
        name=name,
        role=role,
        responder_id=_responder(tx, name, role, responder_id),
        password_hash=password_hash,
        created_at=tx.real,
    )
    _record(tx, user_id, f"added:{role.value}")
    return _account(_need(tx, name))


def list_users(connection: Connection) -> list[Account]:
    """All accounts by name, disabled ones too."""
    columns = (getattr(UserRow, name) for name in _LISTED)
    return [Account(*row) for row in connection.execute(select(*columns).order_by(col(UserRow.name)))]


def disable_user(tx: Tx, name: str) -> Account:
    """Close an account and end its sessions, on every node at once; harmless twice."""
    user = _need(tx, name)
    if user.disabled_at is None:
        user.disabled_at = tx.real
        end_all_sessions(tx, user.id)
        _record(tx, user.id, "disabled")
    return _account(user)


def enable_user(tx: Tx, name: str) -> Account:
    """Open a disabled account again, with the password it had; harmless twice."""
    user = _need(tx, name)
    if user.disabled_at is not None:
        user.disabled_at = None
        _unlock(user)
        _record(tx, user.id, "enabled")
    return _account(user)


def set_role(tx: Tx, name: str, role: Role, *, responder_id: str | None = None) -> Account:
    """Give an account another role and end its sessions, so that nothing goes on under the old one.

    It goes on belonging to the responder it belonged to, unless another is named.
    """
    user = _need(tx, name)
    linked = user.responder_id
    if linked is None or responder_id is not None:
        linked = _responder(tx, user.name, role, responder_id)
    if (user.role, user.responder_id) != (role, linked):
        user.role, user.responder_id = role, linked
        end_all_sessions(tx, user.id)
        _record(tx, user.id, f"role:{role.value}")
    return _account(user)


def set_password(tx: Tx, name: str, password_hash: str) -> Account:
    """Replace a password, lift the lock and end the sessions that the old one opened."""
    user = _need(tx, name)
    user.password_hash = password_hash
    _unlock(user)
    end_all_sessions(tx, user.id)
    _record(tx, user.id, "password")
    return _account(user)


def named(name: str) -> ColumnElement[bool]:
    """Rows of that name, however its letters are capitalised: phones like to begin with a capital.

    Exactly as given as well, because SQLite folds only the letters of English.
    """
    return or_(col(UserRow.name) == name, func.lower(col(UserRow.name)) == name.lower())


def _find(tx: Tx, name: str) -> UserRow | None:
    found = tx.all(typed_select(UserRow).where(named(name)).with_for_update())
    return next((user for user in found if user.name == name), found[0] if found else None)


def _need(tx: Tx, name: str) -> UserRow:
    user = _find(tx, account_name(name))
    if user is None:
        raise AccountProblem(
            f"There is no account called “{name}”. `rapid-response users list` shows those there are."
        )
    return user


def _responder(tx: Tx, name: str, role: Role, responder_id: str | None) -> str | None:
    if responder_id is not None:
        if tx.get(ResponderRow, responder_id) is None:
            raise AccountProblem(
                f"There is no responder “{responder_id}” in the service definition. "
                "Load a definition that has them, or give the id of one that it has."
            )
        return responder_id
    if role is Role.RESPONDER and tx.get(ResponderRow, name.lower()) is not None:
        return name.lower()
    return None


def _taken(name: str, *, disabled: bool) -> AccountProblem:
    state = "a disabled account" if disabled else "an account"
    return AccountProblem(
        f"There is {state} called “{name}” already. Choose another name: "
        "one name stands for one person for good, so that the audit stays clear."
    )


def _unlock(user: UserRow) -> None:
    user.failures, user.locked_until = 0, None


def _record(tx: Tx, account_id: str, change: str) -> None:
    tx.record(SERVICE_STREAM, AccountChanged(account_id, change))


def _account(user: UserRow) -> Account:
    return Account(*(getattr(user, name) for name in _LISTED))
