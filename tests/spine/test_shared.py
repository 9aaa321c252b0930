"""PostgreSQL: small steps of one kind that come quicker than they are done share a transaction."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.core.events import NoteAdded
from rapid_response.storage import log
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable, InDoubt
from rapid_response.storage.jobs import looks_itself
from rapid_response.storage.once import Filled
from rapid_response.storage.tables import EventRow, TallyRow
from rapid_response.storage.tx import Tx, rows_of
from rapid_response.storage.wire import Wire
from tests.spine.test_database import put, stored

_WAIT = 20.0


def transaction(tx: Tx) -> str:
    """Which one it is."""
    return str(tx.connection.execute(text("SELECT pg_current_xact_id()::text")).scalar_one())


def putting(name: str) -> Callable[[Tx], str]:
    def step(tx: Tx) -> str:
        put(tx, name)
        return transaction(tx)

    return step


@contextmanager
def held_up(database: Database, kind: str = "kind") -> Iterator[None]:
    """What is submitted meanwhile waits for a step of its kind that is being run."""
    begun, goes_on = threading.Event(), threading.Event()

    def first(_: Tx) -> None:
        begun.set()
        assert goes_on.wait(_WAIT)

    running = database.submit(first, together=kind)
    assert begun.wait(_WAIT)
    yield
    goes_on.set()
    running.result(_WAIT)


def submit(
    database: Database, *steps: Callable[[Tx], Any], kind: str = "kind", **more: Any
) -> list[Future[Any]]:
    with held_up(database, kind):
        return [database.submit(step, together=kind, **more) for step in steps]


def test_they_share_it_in_their_order_and_each_hears_its_own_result(postgres: Database) -> None:
    names = [f"{n:02}" for n in range(20)]
    answers = [one.result(_WAIT) for one in submit(postgres, *(putting(name) for name in names))]
    assert len(set(answers[:16])) == 1
    assert len(set(answers[16:])) == 1
    assert len(set(answers)) == 2
    assert stored(postgres) == names


def test_another_kind_and_what_has_none_are_by_themselves(postgres: Database) -> None:
    with held_up(postgres, "one"):
        alone = postgres.run_now(putting("alone"))
        (other,) = submit(postgres, putting("other"), kind="other")
        assert other.result(_WAIT) != alone
    assert stored(postgres) == ["alone", "other"]


def test_one_that_fails_is_in_nobodys_way(postgres: Database) -> None:
    postgres.run_now(lambda tx: put(tx, "there"))

    def fails(tx: Tx) -> None:
        put(tx, "never")
        raise ZeroDivisionError

    first, broken, twice, last = submit(postgres, putting("a"), fails, putting("there"), putting("b"))
    with pytest.raises(ZeroDivisionError):
        broken.result(_WAIT)
    with pytest.raises(IntegrityError):
        twice.result(_WAIT)
    assert first.result(_WAIT) != last.result(_WAIT)
    assert stored(postgres) == ["a", "b", "there"]


def test_one_that_nobody_waits_for_any_more_is_not_begun(postgres: Database) -> None:
    with held_up(postgres):
        given_up = postgres.submit(putting("given up"), together="kind")
        wanted = postgres.submit(putting("wanted"), together="kind")
        assert given_up.cancel()
    wanted.result(_WAIT)
    assert stored(postgres) == ["wanted"]


def test_what_waits_is_done_before_the_database_is_closed(postgres: Database) -> None:
    waiting = submit(postgres, putting("a"), putting("b"))
    postgres.close_now()
    assert len({one.result(0) for one in waiting}) == 1
    with pytest.raises(DatabaseUnavailable):
        postgres.submit(putting("c"), together="kind")


async def test_nobody_waits_for_long_behind_one_that_does_not_get_on(postgres: Database) -> None:
    with held_up(postgres):
        waiting = [postgres.run(putting(name), together="kind") for name in "ab"]
        assert len(await asyncio.wait_for(asyncio.gather(*waiting), _WAIT)) == 2
    assert stored(postgres) == ["a", "b"]


def test_what_they_record_in_one_stream_is_one_chain(postgres: Database) -> None:
    def recording(stream: str, note: str) -> Callable[[Tx], None]:
        return lambda tx: tx.record(stream, NoteAdded(note, "desk"))

    steps = [recording("s", "1"), recording("r", "2"), recording("s", "3")]
    for one in submit(postgres, *steps):
        one.result(_WAIT)
    assert postgres.look_now(log.verify).broken is None
    events = postgres.look_now(lambda c: rows_of(c, _EVENTS))
    assert [(e.stream, e.seq) for e in events] == [("r", 1), ("s", 1), ("s", 2)]
    assert '"3"' in events[2].data


_EVENTS = Filled(typed_select(EventRow).order_by(col(EventRow.stream), col(EventRow.seq)))


def test_the_worker_hears_what_they_woke(postgres: Database) -> None:
    heard: list[set[str]] = []
    postgres.on_commit = heard.append
    for one in submit(postgres, lambda tx: tx.wake("send"), lambda tx: tx.wake("ring")):
        one.result(_WAIT)
    assert heard == [{"send", "ring"}]


@pytest.mark.parametrize("was_stored", [True, False], ids=["stored", "not stored"])
def test_g16_where_their_commit_is_lost_each_finds_out_by_itself(
    postgres: Database, monkeypatch: pytest.MonkeyPatch, was_stored: bool
) -> None:
    commit = Wire.commit
    losing = [True]

    def lose(wire: Wire) -> None:
        is_first = losing.pop() if losing and wire._waiting else False
        if not is_first or was_stored:
            commit(wire)
        if is_first:
            wire._driver.close()
            raise psycopg.OperationalError("the connection was lost")

    def finds_itself(tx: Tx) -> str:
        if tx.get(TallyRow, ("mine", "")) is not None:
            return "known already"
        put(tx, "mine")
        return "done"

    def by_its_id(tx: Tx) -> str:
        put(tx, "yours")
        return "done"

    def was_it(tx: Tx) -> str | None:
        return "found" if tx.get(TallyRow, ("yours", "")) is not None else None

    def nobodys(tx: Tx) -> str:
        put(tx, "nobody's")
        return "done"

    with held_up(postgres):
        monkeypatch.setattr(Wire, "commit", lose)
        mine = postgres.submit(finds_itself, stored=looks_itself, together="kind")
        yours = postgres.submit(by_its_id, stored=was_it, together="kind")
        nobody = postgres.submit(nobodys, together="kind")
    with pytest.raises(InDoubt):
        nobody.result(_WAIT)
    expected = ("known already", "found") if was_stored else ("done", "done")
    assert (mine.result(_WAIT), yours.result(_WAIT)) == expected
    assert stored(postgres) == ["mine", *(["nobody's"] if was_stored else []), "yours"]
