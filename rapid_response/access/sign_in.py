"""Signing in with a password: slow for who guesses, never shut for who is at home.

Three brakes, all in real time. The throttle counts tries from one address. The lock makes an account wait
after several wrong passwords, longer each time, five minutes at the most. A browser that has signed in to the
account before passes the lock and is counted by itself, so that a stranger's guessing cannot keep the owner
out. Unknown, disabled and locked accounts take as long as others and are refused in the same words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import Connection, select
from sqlmodel import col

from rapid_response.access.accounts import AccountProblem, account_name, named
from rapid_response.access.devices import Device, Devices
from rapid_response.access.passwords import Passwords
from rapid_response.access.principal import PUBLIC, Kind, Principal
from rapid_response.access.sessions import start_session
from rapid_response.access.signing import Signer
from rapid_response.access.throttle import Throttle, address_prefix
from rapid_response.core.events import SERVICE_STREAM, AccountChanged
from rapid_response.storage.database import Database
from rapid_response.storage.tables import UserRow
from rapid_response.storage.tx import Tx

#: Wrong passwords before the first wait.
FREE_FAILURES = 4
_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(minutes=5)
_WINDOW = timedelta(minutes=5)
#: A council's people often share one address.
_TRIES_PER_ADDRESS = 20
_TRIES_PER_DEVICE = 10


class Why(StrEnum):
    """Why a sign-in was refused: for logs and counters, never for the screen."""

    UNKNOWN = "unknown"
    DISABLED = "disabled"
    LOCKED = "locked"
    WRONG = "wrong"
    THROTTLED = "throttled"


class SignInRefused(Exception):
    """Not signed in. One sentence, whatever was wrong; `wait` is set where an address tried too often."""

    def __init__(self, why: Why, wait: timedelta | None = None) -> None:
        self.why = why
        self.wait = wait
        super().__init__(
            "The name or the password is not right. Check both and try again; "
            "after several tries, wait five minutes first."
        )


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, and the values of the two cookies to set."""

    principal: Principal
    session_cookie: str = field(repr=False)
    device_cookie: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Stored:
    """What is known of the account before its password is checked."""

    id: str
    password_hash: str


def wait_after(failures: int) -> timedelta:
    """How long an account waits after that many wrong passwords in a row."""
    over = failures - FREE_FAILURES
    if over <= 0:
        return timedelta()
    doubled: int = 2 ** min(over - 1, 10)
    return min(_FIRST_WAIT * doubled, _LONGEST_WAIT)


class SignIn:
    """The way in for a name and a password; one for each process."""

    def __init__(self, db: Database, passwords: Passwords, signer: Signer) -> None:
        self._db = db
        self._passwords = passwords
        self._devices = Devices(signer, db.ids)
        self._by_address = Throttle(db.clock, limit=_TRIES_PER_ADDRESS, window=_WINDOW)
        self._by_device = Throttle(db.clock, limit=_TRIES_PER_DEVICE, window=_WINDOW)

    async def with_password(
        self,
        name: str,
        password: str,
        *,
        address: str,
        device_cookie: str | None = None,
        session_cookie: str | None = None,
    ) -> SignedIn:
        """Begin a session, ending the browser's last one; raises :class:`SignInRefused`."""
        stored = await self._stored(name)
        device = self._devices.known(device_cookie, stored.id) if stored else None
        throttle, place = self._by_address, address_prefix(address)
        if device is not None and self._by_device.take(device.id) is None:
            throttle, place = self._by_device, device.id
        else:
            device = None  # one that guesses is a stranger
            wait = throttle.take(place)
            if wait is not None:
                raise SignInRefused(Why.THROTTLED, wait)
        is_right = await self._passwords.verified(password, stored.password_hash if stored else None)
        better_hash = None
        if is_right and stored and self._passwords.is_outdated(stored.password_hash):
            better_hash = await self._passwords.hashed(password)
        outcome = await self._db.run(
            lambda tx: self._decide(tx, stored, is_right, device, session_cookie, better_hash),
            actor=PUBLIC.actor,
        )
        if isinstance(outcome, Why):
            raise SignInRefused(outcome)
        throttle.give_back(place)
        return outcome

    async def _stored(self, name: str) -> _Stored | None:
        try:
            name = account_name(name)
        except AccountProblem:
            return None
        return await self._db.look(lambda connection: _read(connection, name))

    def _decide(
        self,
        tx: Tx,
        stored: _Stored | None,
        is_right: bool,
        device: Device | None,
        session_cookie: str | None,
        better_hash: str | None,
    ) -> SignedIn | Why:
        """What the password check means now, with the account locked: tries at once see each other here.

        Returns a refusal rather than raising it, so that what it counted is kept.
        """
        if stored is None:
            return Why.UNKNOWN
        user = tx.need(UserRow, stored.id, lock=True)
        refusal = _refusal(tx, user, is_right and user.password_hash == stored.password_hash, device)
        if refusal is not None:
            return refusal
        user.failures, user.locked_until = 0, None
        if better_hash is not None:
            user.password_hash = better_hash
        session = start_session(tx, user.id, replacing=session_cookie)
        principal = Principal(
            Kind.USER,
            id=user.id,
            name=user.name,
            role=user.role,
            responder_id=user.responder_id,
            session_csrf=session.csrf,
        )
        mark = device.mark if device else self._devices.new_mark(user.id)
        return SignedIn(principal, session.cookie, mark)


def _refusal(tx: Tx, user: UserRow, is_right: bool, device: Device | None) -> Why | None:
    if user.disabled_at is not None:
        return Why.DISABLED
    if device is None and user.locked_until is not None and tx.real < user.locked_until:
        # Not counted: guessing on must not make the wait longer.
        return Why.LOCKED
    if is_right:
        return None
    if device is None:
        user.failures += 1
        wait = wait_after(user.failures)
        if wait:
            user.locked_until = tx.real + wait
            tx.record(SERVICE_STREAM, AccountChanged(user.id, "locked"))
    return Why.WRONG


def _read(connection: Connection, name: str) -> _Stored | None:
    rows = connection.execute(
        select(col(UserRow.id), col(UserRow.name), col(UserRow.password_hash)).where(named(name))
    ).all()
    exact = [row for row in rows if row.name == name]
    found = next(iter(exact or rows), None)
    return None if found is None else _Stored(found.id, found.password_hash)
