"""Both databases with empty tables, a clock that stands still, and passwords that are cheap to hash."""

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlmodel import SQLModel

from rapid_response.access.accounts import Account, add_user
from rapid_response.access.passwords import Passwords
from rapid_response.access.sign_in import SignIn
from rapid_response.access.signing import Signer
from rapid_response.core.clock import ManualClock
from rapid_response.core.ids import SeededIds
from rapid_response.core.vocabulary import Role
from rapid_response.storage.database import Database
from tests.databases import TestDatabases
from tests.selection import KINDS

#: Makes the address of a new, empty database.
Fresh = Callable[[Path], str]


class MeetingIds(SeededIds):
    """Whoever makes an id waits for the other to make one: both have then found a name to be free."""

    def __init__(self, seed: int, meeting: threading.Barrier) -> None:
        super().__init__(seed)
        self._meeting = meeting

    def uuid(self) -> str:
        self._meeting.wait(timeout=10)
        return super().uuid()


def meet(one: Database, other: Database) -> None:
    """Let the next steps of two nodes overlap. On SQLite they never do: the file has one writer at a time."""
    if not one.is_sqlite:
        meeting = threading.Barrier(2)
        one.ids, other.ids = MeetingIds(3, meeting), MeetingIds(4, meeting)


def _database(url: str, clock: ManualClock, seed: int = 1) -> Database:
    return Database(url, clock=clock, ids=SeededIds(seed), threads=2)


def _with_tables(url: str) -> str:
    db = _database(url, ManualClock(datetime(2026, 11, 1, tzinfo=UTC)))
    SQLModel.metadata.create_all(db.engine())
    db.close_now()
    return url


@pytest.fixture(scope="session", params=KINDS)
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """The tables are made once; each test gets a copy."""
    if request.param == "sqlite":
        made = tmp_path_factory.mktemp("access") / "made.db"
        _with_tables(f"sqlite+aiosqlite:///{made}")
        return lambda folder: f"sqlite+aiosqlite:///{shutil.copy(made, folder / 'test.db')}"
    databases: TestDatabases = request.getfixturevalue("databases")
    template = _with_tables(databases.server.create_database())
    return lambda _: databases.server.create_database(template)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 23, 9, 0, tzinfo=UTC))


@pytest.fixture
def url(fresh: Fresh, tmp_path: Path) -> str:
    return fresh(tmp_path)


@pytest.fixture
def db(url: str, clock: ManualClock) -> Iterator[Database]:
    database = _database(url, clock)
    yield database
    database.close_now()


@pytest.fixture
def other_node(db: Database, url: str, clock: ManualClock) -> Iterator[Database]:
    """Another process on the same database."""
    database = _database(url, clock, seed=2)
    yield database
    database.close_now()


@pytest.fixture(scope="session")
def passwords() -> Iterator[Passwords]:
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield cheap
    cheap.close()


@pytest.fixture
def signer() -> Signer:
    return Signer("a key for tests")


@pytest.fixture
def door(db: Database, passwords: Passwords, signer: Signer) -> SignIn:
    return SignIn(db, passwords, signer)


@pytest.fixture
def add(db: Database, passwords: Passwords) -> Callable[..., Account]:
    """Adds an account whose password is `right password`."""

    def add_account(name: str = "asha", role: Role = Role.HANDLER, **options: str) -> Account:
        stored = passwords.hash("right password")
        return db.run_now(lambda tx: add_user(tx, name, role, stored, **options), actor="user:admin")

    return add_account
