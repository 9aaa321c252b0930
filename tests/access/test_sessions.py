"""Sessions begin, live while somebody is there, and end when they should; on every node."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from rapid_response.access.accounts import Account, set_role
from rapid_response.access.principal import Kind
from rapid_response.access.sessions import (
    ENDS_AFTER,
    IDLE_AFTER,
    SEEN_EVERY,
    NewSession,
    end_all_sessions,
    end_session,
    load_session,
    start_session,
)
from rapid_response.core.clock import ManualClock
from rapid_response.core.ids import SystemIds
from rapid_response.core.vocabulary import Role
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.tables import SessionRow

Add = Callable[..., Account]
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def asha(add: Add) -> Account:
    return add("asha", Role.DUTY_OFFICER)


@pytest.fixture
def session(db: Database, asha: Account) -> NewSession:
    return db.run_now(lambda tx: start_session(tx, asha.id))


def rows(db: Database) -> list[SessionRow]:
    found = db.look_now(lambda c: c.execute(select(SessionRow.__table__)).all())  # type: ignore[attr-defined]
    return [SessionRow(**row._mapping) for row in found]


async def test_the_cookie_stands_for_the_person(db: Database, asha: Account, session: NewSession) -> None:
    live = await load_session(db, session.cookie)
    assert live is not None
    assert live.principal.kind is Kind.USER
    assert live.principal.actor == f"user:{asha.id}"
    assert (live.principal.name, live.principal.role) == ("asha", Role.DUTY_OFFICER)
    assert live.principal.session_csrf == session.csrf
    assert live.idle_at == db.clock.real() + IDLE_AFTER
    assert live.ends_at == db.clock.real() + ENDS_AFTER


def test_the_cookie_is_random_and_stored_only_as_a_hash(db: Database, session: NewSession) -> None:
    (row,) = rows(db)
    assert len(row.id_hash) == 64
    assert session.cookie not in repr(row)
    assert session.cookie not in repr(session)
    # 192 bits in each of its two halves.
    assert len(SystemIds().token()) == 32
    assert len(session.cookie) == 64


@pytest.mark.parametrize("cookie", [None, "", "made-up", "\x00", "\ud800", "é" * 5000])
async def test_other_cookies_stand_for_nobody(db: Database, session: NewSession, cookie: str | None) -> None:
    assert await load_session(db, cookie) is None


async def test_it_ends_when_nobody_is_there(db: Database, clock: ManualClock, session: NewSession) -> None:
    clock.advance(IDLE_AFTER - MOMENT)
    assert await load_session(db, session.cookie) is not None
    clock.advance(IDLE_AFTER)
    assert await load_session(db, session.cookie) is None


async def test_it_ends_after_a_shift_whatever_is_done(
    db: Database, clock: ManualClock, session: NewSession
) -> None:
    for _ in range(36):
        assert await load_session(db, session.cookie) is not None
        clock.advance(timedelta(minutes=20))
    assert await load_session(db, session.cookie) is None


async def test_what_a_page_asks_by_itself_keeps_nobody_signed_in(
    db: Database, clock: ManualClock, session: NewSession
) -> None:
    for _ in range(29):
        clock.advance(timedelta(minutes=1))
        assert await load_session(db, session.cookie, touch=False) is not None
    clock.advance(timedelta(minutes=1))
    assert await load_session(db, session.cookie, touch=False) is None


async def test_looking_writes_at_most_once_a_minute(
    db: Database, clock: ManualClock, session: NewSession
) -> None:
    began = clock.real()
    clock.advance(SEEN_EVERY - MOMENT)
    live = await load_session(db, session.cookie)
    assert live is not None
    assert live.idle_at == began + IDLE_AFTER
    assert rows(db)[0].seen_at == began
    clock.advance(MOMENT)
    live = await load_session(db, session.cookie)
    assert live is not None
    assert live.idle_at == clock.real() + IDLE_AFTER
    assert rows(db)[0].seen_at == clock.real()


async def test_cases_can_be_read_when_nothing_can_be_written(
    db: Database, clock: ManualClock, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full_disk(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("full")

    monkeypatch.setattr(db, "run", full_disk)
    clock.advance(timedelta(minutes=5))
    assert await load_session(db, session.cookie) is not None


async def test_a_clock_that_steps_back_ends_no_session(
    db: Database, clock: ManualClock, session: NewSession
) -> None:
    clock.advance(-timedelta(hours=1))
    assert await load_session(db, session.cookie) is not None


async def test_signing_out_ends_that_one_on_every_node(
    db: Database, other_node: Database, asha: Account, session: NewSession
) -> None:
    second = await db.run(lambda tx: start_session(tx, asha.id))
    await db.run(lambda tx: end_session(tx, session.cookie))
    await db.run(lambda tx: end_session(tx, session.cookie))
    assert await load_session(other_node, session.cookie) is None
    assert await load_session(other_node, second.cookie) is not None


async def test_signing_in_again_makes_the_old_cookie_worthless(
    db: Database, asha: Account, session: NewSession
) -> None:
    renewed = await db.run(lambda tx: start_session(tx, asha.id, replacing=session.cookie))
    assert await load_session(db, session.cookie) is None
    assert await load_session(db, renewed.cookie) is not None


async def test_all_of_one_account_can_be_ended(db: Database, add: Add, session: NewSession) -> None:
    ben = add("ben")
    of_ben = [await db.run(lambda tx: start_session(tx, ben.id)) for _ in range(2)]
    assert await db.run(lambda tx: end_all_sessions(tx, ben.id)) == 2
    assert await db.run(lambda tx: end_all_sessions(tx, ben.id)) == 0
    assert [await load_session(db, s.cookie) for s in of_ben] == [None, None]
    assert await load_session(db, session.cookie) is not None


async def test_a_role_is_read_anew_each_time(db: Database, session: NewSession, asha: Account) -> None:
    await db.run(lambda tx: set_role(tx, "asha", Role.HANDLER))
    again = await db.run(lambda tx: start_session(tx, asha.id))
    live = await load_session(db, again.cookie)
    assert live is not None
    assert live.principal.role is Role.HANDLER


async def test_ended_and_idle_sessions_are_not_brought_back_by_looking(
    db: Database, clock: ManualClock, session: NewSession
) -> None:
    clock.advance(IDLE_AFTER)
    for _ in range(2):
        assert await load_session(db, session.cookie) is None
    assert rows(db)[0].seen_at == clock.real() - IDLE_AFTER
