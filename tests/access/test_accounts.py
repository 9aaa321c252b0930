"""Accounts: added once, listed, changed, closed; each change in the service's chain, by id."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlmodel import col

from rapid_response.access.accounts import (
    Account,
    AccountProblem,
    add_user,
    disable_user,
    enable_user,
    list_users,
    set_password,
    set_role,
)
from rapid_response.access.passwords import Passwords
from rapid_response.access.sessions import load_session, start_session
from rapid_response.core.clock import ManualClock
from rapid_response.core.vocabulary import Role
from rapid_response.storage.database import Database
from rapid_response.storage.log import verify
from rapid_response.storage.tables import EventRow, ResponderRow, UserRow
from rapid_response.storage.tx import Tx
from tests.access.conftest import meet

Add = Callable[..., Account]


def changes(db: Database) -> list[tuple[str, str, str]]:
    """Who changed which account, and how."""
    events = db.look_now(
        lambda c: c.execute(
            select(col(EventRow.actor), col(EventRow.data))
            .where(col(EventRow.type) == "account_changed")
            .order_by(col(EventRow.seq))
        ).all()
    )
    said = [(e.actor, json.loads(e.data)) for e in events]
    return [(actor, data["account_id"], data["change"]) for actor, data in said]


def add_responders(db: Database) -> None:
    def step(tx: Tx) -> None:
        for name in ("asha", "ben"):
            tx.add(ResponderRow, id=name)

    db.run_now(step)


def session_of(db: Database, account: Account) -> str:
    return db.run_now(lambda tx: start_session(tx, account.id)).cookie


@pytest.mark.long
def test_an_account_is_added_and_listed(db: Database, add: Add, clock: ManualClock) -> None:
    ben, asha = add("ben", Role.DUTY_OFFICER), add("asha")
    assert db.look_now(list_users) == [asha, ben]
    assert (ben.role, ben.created_at, ben.disabled_at) == (Role.DUTY_OFFICER, clock.real(), None)
    assert changes(db) == [
        ("user:admin", ben.id, "added:duty_officer"),
        ("user:admin", asha.id, "added:handler"),
    ]


def test_the_chain_holds_no_name(db: Database, add: Add) -> None:
    add("Asha Patel")
    stored = db.look_now(lambda c: c.execute(select(EventRow.__table__)).all())  # type: ignore[attr-defined]
    assert "Asha" not in repr(stored)
    assert db.look_now(verify).broken is None


@pytest.mark.parametrize("again", ["asha", "Asha", "ASHA", "  asha "])
def test_a_name_is_given_once(db: Database, add: Add, again: str) -> None:
    add("asha")
    with pytest.raises(AccountProblem, match=r"an account called “asha” already\. Choose another name"):
        add(again)


def test_the_name_of_a_disabled_account_is_not_given_again(db: Database, add: Add) -> None:
    add("asha")
    db.run_now(lambda tx: disable_user(tx, "asha"))
    with pytest.raises(AccountProblem, match="a disabled account"):
        add("asha")


def test_two_nodes_that_add_one_name_at_once(db: Database, other_node: Database) -> None:
    meet(db, other_node)

    def add_on(node: Database) -> bool:
        try:
            node.run_now(lambda tx: add_user(tx, "asha", Role.HANDLER, "hash"))
        except AccountProblem:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(add_on, [db, other_node])) == [False, True]
    assert len(db.look_now(list_users)) == 1


@pytest.mark.parametrize("name", ["", "   ", "a\x00b", "a\ud800b", "line\x1bfeed", "x" * 61])
def test_a_name_that_nobody_can_type_is_refused(add: Add, name: str) -> None:
    with pytest.raises(AccountProblem, match="printable characters"):
        add(name)


@pytest.mark.parametrize("name", ["Élise O’Neill", "asha@bromley.gov.uk", "ﬁona"])
def test_names_as_people_have_them(db: Database, add: Add, name: str) -> None:
    account = add(name)
    assert db.run_now(lambda tx: disable_user(tx, name)).id == account.id


def test_a_responder_gets_the_responder_of_that_name(db: Database, add: Add) -> None:
    add_responders(db)
    assert add("Asha", Role.RESPONDER).responder_id == "asha"
    assert add("benjamin", Role.RESPONDER, responder_id="ben").responder_id == "ben"
    assert add("ben", Role.HANDLER).responder_id is None
    assert add("somebody", Role.RESPONDER).responder_id is None
    with pytest.raises(AccountProblem, match="no responder “nobody”"):
        add("cara", Role.RESPONDER, responder_id="nobody")


def test_disabling_ends_the_sessions_and_is_harmless_twice(
    db: Database, add: Add, clock: ManualClock
) -> None:
    asha = add()
    session_of(db, asha)
    first = db.run_now(lambda tx: disable_user(tx, "asha"))
    again = db.run_now(lambda tx: disable_user(tx, "asha"))
    assert first.disabled_at == again.disabled_at == clock.real()
    assert [change for *_, change in changes(db)] == ["added:handler", "disabled"]


async def test_a_disabled_account_has_no_session_even_when_it_is_enabled_again(
    db: Database, add: Add
) -> None:
    cookie = session_of(db, add())
    await db.run(lambda tx: disable_user(tx, "asha"))
    assert await load_session(db, cookie) is None
    account = await db.run(lambda tx: enable_user(tx, "asha"))
    await db.run(lambda tx: enable_user(tx, "asha"))
    assert account.disabled_at is None
    assert await load_session(db, cookie) is None
    assert [change for *_, change in changes(db)] == ["added:handler", "disabled", "enabled"]


async def test_a_session_begun_while_the_account_was_being_disabled(db: Database, add: Add) -> None:
    asha = add()
    await db.run(lambda tx: disable_user(tx, "asha"))
    assert await load_session(db, session_of(db, asha)) is None


async def test_a_new_role_ends_the_sessions_of_the_old_one(
    db: Database, other_node: Database, add: Add
) -> None:
    cookie = session_of(db, add())
    account = await db.run(lambda tx: set_role(tx, "asha", Role.ANALYST))
    assert account.role is Role.ANALYST
    assert await load_session(other_node, cookie) is None
    assert changes(db)[-1][2] == "role:analyst"


async def test_the_same_role_changes_nothing(db: Database, add: Add) -> None:
    cookie = session_of(db, add())
    await db.run(lambda tx: set_role(tx, "asha", Role.HANDLER))
    assert await load_session(db, cookie) is not None
    assert len(changes(db)) == 1


def test_a_role_keeps_the_responder_unless_another_is_named(db: Database, add: Add) -> None:
    add_responders(db)
    add("anna", Role.RESPONDER, responder_id="asha")
    assert db.run_now(lambda tx: set_role(tx, "anna", Role.DUTY_OFFICER)).responder_id == "asha"
    moved = db.run_now(lambda tx: set_role(tx, "anna", Role.RESPONDER, responder_id="ben"))
    assert moved.responder_id == "ben"


async def test_a_new_password_ends_the_sessions_and_the_lock(
    db: Database, add: Add, passwords: Passwords
) -> None:
    asha = add()
    cookie = session_of(db, asha)
    await db.run(lambda tx: setattr(tx.need(UserRow, asha.id), "locked_until", tx.real))
    account = await db.run(lambda tx: set_password(tx, "asha", passwords.hash("another one")))
    assert account.locked_until is None
    assert await load_session(db, cookie) is None
    assert changes(db)[-1][2] == "password"


@pytest.mark.parametrize("step", [disable_user, enable_user])
def test_an_unknown_name_says_where_the_names_are(db: Database, step: Callable[[Tx, str], Account]) -> None:
    with pytest.raises(AccountProblem, match="users list"):
        db.run_now(lambda tx: step(tx, "nobody"))
