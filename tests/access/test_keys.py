"""API keys: shown once, narrow, listed without secrets, and dead within seconds of being revoked."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from rapid_response.access.keys import (
    KeyProblem,
    KeyRing,
    NewKey,
    bearer,
    create_key,
    list_keys,
    revoke_key,
)
from rapid_response.access.principal import Kind
from rapid_response.core.clock import ManualClock
from rapid_response.core.vocabulary import Scope
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.tables import ApiKeyRow
from tests.access.conftest import meet
from tests.access.test_accounts import changes


def make(db: Database, name: str = "bank", *scopes: Scope) -> NewKey:
    return db.run_now(lambda tx: create_key(tx, name, scopes), actor="user:admin")


async def test_a_key_stands_for_the_partner(db: Database) -> None:
    key = make(db, "bank", Scope.REPORT, Scope.READ)
    principal = await KeyRing(db).principal(key.secret)
    assert principal is not None
    assert (principal.kind, principal.name, principal.actor) == (Kind.KEY, "bank", f"key:{key.id}")
    assert principal.scopes == {Scope.REPORT, Scope.READ}
    assert principal.role is None


def test_without_scopes_it_takes_reports_only(db: Database) -> None:
    assert make(db).scopes == {Scope.REPORT}


def test_the_secret_is_shown_once(db: Database) -> None:
    key = make(db)
    stored = db.look_now(lambda c: c.execute(select(ApiKeyRow.__table__)).all())  # type: ignore[attr-defined]
    assert key.secret.startswith("rr_")
    assert len(key.secret) == 35
    assert key.secret not in repr(stored)
    assert key.secret not in repr(db.look_now(list_keys))
    assert key.secret not in repr(key)


def test_keys_are_listed_by_name(db: Database, clock: ManualClock) -> None:
    make(db, "police", Scope.BOARD)
    make(db, "bank", Scope.ACT, Scope.READ)
    bank, police = db.look_now(list_keys)
    assert (bank.name, bank.scopes) == ("bank", frozenset({Scope.READ, Scope.ACT}))
    assert (police.name, police.created_at) == ("police", clock.real())
    assert (police.revoked_at, police.used_at) == (None, None)


def test_a_name_is_given_once(db: Database) -> None:
    make(db)
    with pytest.raises(KeyProblem, match="a key called “bank” already"):
        make(db)
    db.run_now(lambda tx: revoke_key(tx, "bank"))
    with pytest.raises(KeyProblem, match="a revoked key called “bank” already"):
        make(db)
    with pytest.raises(KeyProblem, match="printable"):
        make(db, "\x00")


def test_two_nodes_that_make_one_name_at_once(db: Database, other_node: Database) -> None:
    meet(db, other_node)

    def make_on(node: Database) -> bool:
        try:
            make(node)
        except KeyProblem:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(make_on, [db, other_node])) == [False, True]


def test_making_and_revoking_are_in_the_audit_by_id(db: Database) -> None:
    key = make(db, "bank", Scope.ACT, Scope.REPORT)
    for _ in range(2):
        db.run_now(lambda tx: revoke_key(tx, "bank"), actor="user:admin")
    assert changes(db) == [
        ("user:admin", key.id, "key_made:report,act"),
        ("user:admin", key.id, "key_revoked"),
    ]


def test_revoking_an_unknown_key_says_where_the_keys_are(db: Database) -> None:
    with pytest.raises(KeyProblem, match="keys list"):
        db.run_now(lambda tx: revoke_key(tx, "nobody"))


@pytest.mark.parametrize("secret", [None, "", "rr_made_up", "\x00", "\ud800", "é" * 5000])
async def test_other_secrets_stand_for_nobody(db: Database, secret: str | None) -> None:
    make(db)
    assert await KeyRing(db).principal(secret) is None


async def test_a_revoked_key_is_dead_within_five_seconds_on_every_node(
    db: Database, other_node: Database, clock: ManualClock
) -> None:
    key = make(db)
    rings = [KeyRing(db), KeyRing(other_node)]
    assert all([await ring.principal(key.secret) for ring in rings])
    await db.run(lambda tx: revoke_key(tx, "bank"))
    clock.advance(timedelta(seconds=4.9))
    assert [await ring.principal(key.secret) for ring in rings] == [None, None]


async def test_a_revoked_key_is_dead_at_once_for_who_has_not_used_it(db: Database) -> None:
    key = make(db)
    await db.run(lambda tx: revoke_key(tx, "bank"))
    assert await KeyRing(db).principal(key.secret) is None


async def test_a_key_in_steady_use_is_dead_within_five_seconds_too(db: Database, clock: ManualClock) -> None:
    key, ring = make(db), KeyRing(db)
    await ring.principal(key.secret)
    await db.run(lambda tx: revoke_key(tx, "bank"))
    answers = []
    for _ in range(10):
        answers.append(await ring.principal(key.secret))
        clock.advance(timedelta(seconds=0.5))
    assert answers[-1] is None


async def test_a_clock_that_steps_back_believes_nobody_longer(db: Database, clock: ManualClock) -> None:
    key, ring = make(db), KeyRing(db)
    await ring.principal(key.secret)
    await db.run(lambda tx: revoke_key(tx, "bank"))
    clock.advance(-timedelta(seconds=1))
    assert await ring.principal(key.secret) is None


async def test_its_use_is_noted_at_most_once_a_minute(db: Database, clock: ManualClock) -> None:
    async def used_at() -> object:
        return await db.look(lambda c: c.execute(select(col(ApiKeyRow.used_at))).scalar_one())

    key, ring, began = make(db), KeyRing(db), clock.real()
    await ring.principal(key.secret)
    assert await used_at() == began
    clock.advance(timedelta(seconds=59))
    await ring.principal(key.secret)
    assert await used_at() == began
    clock.advance(timedelta(seconds=1))
    assert await ring.principal(key.secret) is not None
    assert await used_at() == began  # believed still, from a second ago
    clock.advance(timedelta(seconds=1))
    await ring.principal(key.secret)
    assert await used_at() == clock.real()


async def test_a_key_is_known_when_nothing_can_be_written(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full_disk(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("full")

    key = make(db)
    monkeypatch.setattr(db, "run", full_disk)
    assert await KeyRing(db).principal(key.secret) is not None


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        (None, None),
        ("", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic dXNlcjpwYXNz", None),
        ("rr_abc", None),
        ("Bearer rr_abc", "rr_abc"),
        ("bearer  rr_abc ", "rr_abc"),
    ],
)
def test_the_header(header: str | None, secret: str | None) -> None:
    assert bearer(header) == secret
