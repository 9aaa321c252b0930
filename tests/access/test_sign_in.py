"""Signing in: slow for who guesses, never shut for who is at home, and telling nobody which names exist."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select
from sqlmodel import col

from rapid_response.access.accounts import Account, disable_user, list_users, set_password
from rapid_response.access.passwords import Passwords
from rapid_response.access.sessions import load_session
from rapid_response.access.sign_in import FREE_FAILURES, SignedIn, SignIn, SignInRefused, Why, wait_after
from rapid_response.access.signing import Signer
from rapid_response.core.clock import ManualClock
from rapid_response.core.vocabulary import Role
from rapid_response.storage.database import Database
from rapid_response.storage.tables import SessionRow, UserRow
from tests.access.test_accounts import changes

Add = Callable[..., Account]
HOME = "203.0.113.7"


async def enter(
    door: SignIn, password: str = "right password", *, name: str = "asha", **options: str
) -> SignedIn:
    return await door.with_password(name, password, **{"address": HOME, **options})


async def refused(door: SignIn, password: str = "wrong", **options: str) -> Why:
    with pytest.raises(SignInRefused) as error:
        await enter(door, password, **options)
    return error.value.why


async def lock(door: SignIn, failures: int = FREE_FAILURES + 1) -> None:
    """Strangers guess, each from an address of their own."""
    for n in range(failures):
        await refused(door, address=f"198.51.100.{n}")


def locked_until(db: Database) -> object:
    (account,) = db.look_now(list_users)
    return account.locked_until


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (4, 0), (5, 5), (6, 10), (7, 20), (8, 40), (9, 80), (10, 160), (11, 300), (10_000, 300)],
)
def test_the_wait_doubles_up_to_five_minutes(failures: int, seconds: int) -> None:
    assert wait_after(failures) == timedelta(seconds=seconds)


async def test_the_right_password_begins_a_session(db: Database, door: SignIn, add: Add) -> None:
    asha = add("asha", Role.DUTY_OFFICER)
    entered = await enter(door)
    live = await load_session(db, entered.session_cookie)
    assert live is not None
    assert live.principal == entered.principal
    assert entered.principal.actor == f"user:{asha.id}"
    assert entered.session_cookie not in repr(entered)


@pytest.mark.parametrize("name", ["Asha", " asha ", "ASHA"])
async def test_a_phone_that_begins_with_a_capital(door: SignIn, add: Add, name: str) -> None:
    add("asha")
    assert (await enter(door, name=name)).principal.name == "asha"


async def test_a_name_with_an_accent(door: SignIn, add: Add) -> None:
    add("Élise")
    assert (await enter(door, name="E\u0301lise")).principal.name == "Élise"


async def test_the_browsers_last_session_ends(db: Database, door: SignIn, add: Add) -> None:
    add()
    first = await enter(door)
    second = await enter(door, session_cookie=first.session_cookie)
    assert await load_session(db, first.session_cookie) is None
    assert await load_session(db, second.session_cookie) is not None


async def test_refusals_say_the_same_whatever_was_wrong(
    db: Database, door: SignIn, add: Add, clock: ManualClock
) -> None:
    add()
    add("gone")
    await db.run(lambda tx: disable_user(tx, "gone"))
    said = set()
    for name in ("asha", "gone", "nobody", "", "a\x00b", "a\ud800b", "x" * 5000):
        for password in ("wrong", "", "\ud800", "x" * 5000):
            with pytest.raises(SignInRefused) as error:
                await enter(door, password, name=name, address=name.encode(errors="replace").hex() + "::")
            said.add(str(error.value))
            clock.advance(timedelta(minutes=5))
    assert len(said) == 1


async def test_every_refusal_costs_one_hash(db: Database, add: Add, signer: Signer) -> None:
    """What tells known names from unknown ones is the fifth of a second; it must be spent on both."""

    class Counted(PasswordHasher):
        spent = 0

        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            self.spent += 1
            return super().hash(password, salt=salt)

        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
            self.spent += 1
            return super().verify(hash, password)

    counted = Counted(time_cost=1, memory_cost=8, parallelism=1)
    passwords = Passwords(counted)
    door = SignIn(db, passwords, signer)
    add()
    add("gone")
    await db.run(lambda tx: disable_user(tx, "gone"))
    await lock(door)
    counted.spent = 0
    for n, name in enumerate(("asha", "gone", "nobody", "")):
        await refused(door, name=name)
        assert counted.spent == n + 1, name
    passwords.close()


async def test_a_lock_comes_after_several_wrong_ones_and_goes_by_itself(
    db: Database, door: SignIn, add: Add, clock: ManualClock
) -> None:
    add()
    await lock(door, FREE_FAILURES)
    assert locked_until(db) is None
    assert await refused(door) is Why.WRONG
    assert locked_until(db) == clock.real() + timedelta(seconds=5)
    assert await refused(door, "right password") is Why.LOCKED
    clock.advance(timedelta(seconds=5))
    await enter(door)
    assert locked_until(db) is None


async def test_guessing_on_does_not_make_the_wait_longer(
    db: Database, door: SignIn, add: Add, clock: ManualClock
) -> None:
    add()
    await lock(door)
    until = locked_until(db)
    clock.advance(timedelta(seconds=4))
    assert await refused(door) is Why.LOCKED
    assert locked_until(db) == until


async def test_guesses_at_once_see_each_other(db: Database, door: SignIn, add: Add) -> None:
    add()
    whys = await asyncio.gather(*(refused(door, address=f"198.51.100.{n}") for n in range(30)))
    assert sorted(whys).count(Why.WRONG) == FREE_FAILURES + 1
    assert sorted(whys).count(Why.LOCKED) == 30 - FREE_FAILURES - 1


async def test_a_success_starts_counting_anew(
    db: Database, door: SignIn, add: Add, clock: ManualClock
) -> None:
    add()
    await lock(door)
    clock.advance(timedelta(minutes=5))
    await enter(door)
    await lock(door, FREE_FAILURES)
    assert locked_until(db) is None


async def test_a_lock_is_in_the_audit_by_id(db: Database, door: SignIn, add: Add) -> None:
    asha = add()
    await lock(door)
    assert changes(db)[-1] == ("public", asha.id, "locked")


async def test_the_lock_holds_on_every_node(
    other_node: Database, door: SignIn, add: Add, passwords: Passwords, signer: Signer
) -> None:
    add()
    await lock(door)
    assert await refused(SignIn(other_node, passwords, signer), "right password") is Why.LOCKED


async def test_a_stranger_cannot_keep_the_owner_out(door: SignIn, add: Add, clock: ManualClock) -> None:
    add()
    known = (await enter(door)).device_cookie
    clock.advance(timedelta(days=30))
    await lock(door)
    assert await refused(door, "right password") is Why.LOCKED
    again = await enter(door, device_cookie=known)
    assert again.device_cookie == known


async def test_a_known_browser_that_guesses_becomes_a_stranger(
    door: SignIn, add: Add, clock: ManualClock
) -> None:
    add()
    known = (await enter(door)).device_cookie
    await lock(door)
    for _ in range(10):
        assert await refused(door, device_cookie=known) is Why.WRONG
    assert await refused(door, "right password", device_cookie=known) is Why.LOCKED
    clock.advance(timedelta(minutes=5))
    await enter(door, device_cookie=known)


async def test_wrong_ones_from_a_known_browser_do_not_lock_the_account(
    db: Database, door: SignIn, add: Add
) -> None:
    add()
    known = (await enter(door)).device_cookie
    for _ in range(FREE_FAILURES + 2):
        await refused(door, device_cookie=known)
    assert locked_until(db) is None


async def test_a_browser_known_to_one_account_is_a_stranger_to_others(door: SignIn, add: Add) -> None:
    add()
    add("ben")
    of_ben = (await enter(door, name="ben")).device_cookie
    await lock(door)
    assert await refused(door, "right password", device_cookie=of_ben) is Why.LOCKED
    for forged in ("", ".", "x.y", of_ben[:-1], of_ben + "0", "\ud800." + "0" * 64):
        assert await refused(door, "right password", device_cookie=forged) is Why.LOCKED


async def test_one_address_cannot_try_name_after_name(door: SignIn, add: Add, clock: ManualClock) -> None:
    add()
    for n in range(20):
        assert await refused(door, name=f"name{n}") is Why.UNKNOWN
    with pytest.raises(SignInRefused) as error:
        await enter(door)
    assert (error.value.why, error.value.wait) == (Why.THROTTLED, timedelta(minutes=5))
    await enter(door, address="203.0.113.8")
    clock.advance(timedelta(minutes=5))
    await enter(door)


async def test_an_office_behind_one_address_signs_in_on_monday(door: SignIn, add: Add) -> None:
    add()
    for _ in range(60):
        await enter(door)


async def test_a_disabled_account_does_not_get_in(db: Database, door: SignIn, add: Add) -> None:
    add()
    known = (await enter(door)).device_cookie
    await db.run(lambda tx: disable_user(tx, "asha"))
    assert await refused(door, "right password") is Why.DISABLED
    assert await refused(door, "right password", device_cookie=known) is Why.DISABLED


async def test_a_password_changed_while_it_was_being_checked(
    db: Database, add: Add, passwords: Passwords, signer: Signer
) -> None:
    class Slow(Passwords):
        async def verified(self, password: str, stored: str | None) -> bool:
            is_right = await super().verified(password, stored)
            await db.run(lambda tx: set_password(tx, "asha", passwords.hash("another one")))
            return is_right

    add()
    slow = Slow(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    assert await refused(SignIn(db, slow, signer), "right password") is Why.WRONG
    slow.close()


async def test_a_hash_of_other_costs_is_made_anew(db: Database, add: Add, signer: Signer) -> None:
    add()
    dearer = Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    await enter(SignIn(db, dearer, signer))
    stored = db.look_now(lambda c: c.execute(select(col(UserRow.password_hash))).scalar_one())
    assert "t=2" in stored
    await enter(SignIn(db, dearer, signer))
    dearer.close()


async def test_a_refusal_begins_no_session(db: Database, door: SignIn, add: Add) -> None:
    add()
    await refused(door)
    assert db.look_now(lambda c: c.execute(select(func.count()).select_from(SessionRow)).scalar_one()) == 0
