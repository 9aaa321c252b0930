"""The database: what an answer means, on SQLite and on PostgreSQL (reliability.md G1, G16, G21)."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.core.clock import ManualClock
from rapid_response.core.events import SERVICE_STREAM, AccountChanged
from rapid_response.core.ids import SystemIds
from rapid_response.storage import sqlite as sqlite_module
from rapid_response.storage.checking import damage
from rapid_response.storage.database import Database
from rapid_response.storage.failures import AlreadyServed, DatabaseUnavailable
from rapid_response.storage.jobs import Step
from rapid_response.storage.log import verify
from rapid_response.storage.sqlite import SqliteFile
from rapid_response.storage.tables import NodeRow, NoteRow, TallyRow
from rapid_response.storage.tx import Tx
from rapid_response.storage.wire import Wire
from tests.databases import TestDatabases
from tests.spine.conftest import Open

_WAIT = 10.0


class Refusal(Exception):
    """What a step says no with."""


def put(tx: Tx, name: str, value: float = 1.0) -> str:
    """Write one row."""
    tx.add(TallyRow, name=name, labels="", value=value)
    return name


def putting(name: str) -> Step[str]:
    return lambda tx: put(tx, name)


def names(connection: Connection) -> list[str]:
    return list(connection.execute(select(col(TallyRow.name)).order_by(col(TallyRow.name))).scalars())


def stored(database: Database) -> list[str]:
    return database.look_now(names)


@contextmanager
def writer_held(database: Database) -> Iterator[None]:
    """Meanwhile the writer is busy with one step, so that what is submitted waits, and is then one group."""
    begun, may_end = threading.Event(), threading.Event()

    def busy(_: Tx) -> None:
        begun.set()
        assert may_end.wait(_WAIT)

    holding = database.submit(busy)
    assert begun.wait(_WAIT)
    try:
        yield
    finally:
        may_end.set()
        holding.result(_WAIT)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups take everything that waits, however slow this machine is."""
    monkeypatch.setattr(sqlite_module, "GROUP_SECONDS", _WAIT)


def at_each_commit(database: Database, patch: pytest.MonkeyPatch, look: Callable[[], None]) -> None:
    """Have `look` called just before each commit, in the thread that commits."""
    of: type = SqliteFile if database.is_sqlite else Wire
    name = "_commit" if database.is_sqlite else "commit"
    commit = getattr(of, name)

    def looked_at(*args: Any) -> None:
        look()
        commit(*args)

    patch.setattr(of, name, staticmethod(looked_at) if database.is_sqlite else looked_at)


# --- what an answer means ---------------------------------------------------------------------------------


async def test_a_step_is_answered_with_its_result_once_others_can_see_it(database: Database) -> None:
    assert await database.run(putting("kept")) == "kept"
    assert await database.look(names) == ["kept"]


def test_g1_nobody_is_answered_before_the_commit(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    answered_early: list[bool] = []
    waiting: list[Future[str]] = []
    may_run = threading.Event()

    def step(tx: Tx) -> str:
        assert may_run.wait(_WAIT)
        return put(tx, "kept")

    at_each_commit(database, monkeypatch, lambda: answered_early.append(any(f.done() for f in waiting)))
    waiting.append(database.submit(step))
    may_run.set()
    assert waiting[0].result(_WAIT) == "kept"
    assert answered_early == [False]


def test_a_refusal_is_the_callers_and_nothing_of_its_step_remains(database: Database) -> None:
    def refused(tx: Tx) -> None:
        put(tx, "queued")
        tx.new(TallyRow, name="typed", labels="", value=1)
        tx.flush()
        tx.execute(insert(TallyRow).values(name="at once", labels="", value=1))
        tx.record(SERVICE_STREAM, AccountChanged("a", "b"))
        tx.wake("ring")
        raise Refusal("no")

    heard: list[set[str]] = []
    database.on_commit = heard.append
    with pytest.raises(Refusal, match="no"):
        database.run_now(refused)
    assert stored(database) == []
    assert database.look_now(verify).events == 0
    assert heard == []


def test_loops_are_woken_after_the_commit(database: Database) -> None:
    seen: SimpleQueue[tuple[set[str], list[str]]] = SimpleQueue()
    database.on_commit = lambda loops: seen.put((loops, stored(database)))

    def step(tx: Tx) -> None:
        put(tx, "kept")
        tx.wake("ring", "send")

    database.run_now(step)
    assert seen.get(timeout=_WAIT) == ({"ring", "send"}, ["kept"])


async def test_the_step_of_a_caller_who_went_away_runs_to_its_end(database: Database) -> None:
    begun, may_go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        put(tx, "kept")
        begun.set()
        assert may_go_on.wait(_WAIT)

    caller = asyncio.create_task(database.run(slow))
    await asyncio.to_thread(begun.wait, _WAIT)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    waiting = asyncio.create_task(database.run(putting("also kept")))
    await asyncio.wait([waiting], timeout=0)
    waiting.cancel()
    may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await database.close()
    assert sorted(reopened(database)) == ["also kept", "kept"]


def reopened(closed: Database) -> list[str]:
    """What stands in the database of one that is closed."""
    again = Database(closed.url, clock=closed.clock, ids=closed.ids)
    try:
        return stored(again)
    finally:
        again.close_now()


def test_closing_finishes_what_waits(database: Database) -> None:
    waiting = [database.submit(putting(f"{n:03}")) for n in range(120)]
    database.close_now()
    assert [f.result(0) for f in waiting] == [f"{n:03}" for n in range(120)]
    assert len(reopened(database)) == 120


async def test_what_is_still_being_read_does_not_keep_a_file_from_closing(sqlite: Database) -> None:
    """As the check of a large file, which takes minutes."""
    has_begun = threading.Event()

    def read(connection: Connection) -> int:
        driver: Any = connection.connection.driver_connection
        driver.create_function("has_begun", 0, has_begun.set)
        endless = text(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT max(i) FROM n WHERE has_begun() IS NULL"
        )
        return int(connection.execute(endless).scalar_one())

    reading = asyncio.create_task(sqlite.look(read))
    assert await asyncio.to_thread(has_begun.wait, 20)
    await sqlite.close()
    with pytest.raises(DatabaseUnavailable):
        await reading


def test_a_check_that_is_broken_off_has_found_no_damage(sqlite: Database) -> None:
    def broken_off(connection: Connection) -> str | None:
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(lambda: 1, 1)
        return damage(connection)

    with pytest.raises(DatabaseUnavailable):
        sqlite.look_now(broken_off)


async def test_a_closed_database_says_so(database: Database) -> None:
    await database.close()
    await database.close()
    with pytest.raises(DatabaseUnavailable):
        await database.run(putting("late"))
    with pytest.raises(DatabaseUnavailable):
        await database.look(names)


def test_who_submits_while_it_closes_is_answered(database: Database) -> None:
    """Done or refused, but never left waiting for ever."""
    start = threading.Barrier(5)
    outcomes: list[str] = []

    def submit(number: int) -> None:
        start.wait(_WAIT)
        for n in range(50):
            try:
                outcomes.append(database.submit(putting(f"{number}-{n}")).result(_WAIT))
            except DatabaseUnavailable:
                outcomes.append("")

    threads = [threading.Thread(target=submit, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    start.wait(_WAIT)
    database.close_now()
    for thread in threads:
        thread.join(_WAIT)
    assert len(outcomes) == 200
    assert sorted(filter(None, outcomes)) == sorted(reopened(database))


# --- reading ----------------------------------------------------------------------------------------------


async def test_a_read_cannot_write(database: Database) -> None:
    row = insert(TallyRow).values(name="x", labels="", value=1)
    with pytest.raises((DatabaseUnavailable, DBAPIError)):
        await database.look(lambda connection: connection.execute(row))
    assert await database.look(names) == []


async def test_a_read_goes_through_while_a_step_is_open_and_sees_what_is_committed(
    database: Database,
) -> None:
    await database.run(putting("before"))
    written, may_end = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        put(tx, "meanwhile")
        tx.flush()
        written.set()
        assert may_end.wait(_WAIT)

    running = asyncio.create_task(database.run(slow))
    await asyncio.to_thread(written.wait, _WAIT)
    assert await database.look(names) == ["before"]
    may_end.set()
    await running
    assert await database.look(names) == ["before", "meanwhile"]


async def test_a_read_sees_one_moment(database: Database) -> None:
    """Two queries of one read agree, though a step commits between them."""
    between, may_go_on = threading.Event(), threading.Event()

    def twice(connection: Connection) -> tuple[list[str], list[str]]:
        first = names(connection)
        between.set()
        assert may_go_on.wait(_WAIT)
        return first, names(connection)

    reading = asyncio.create_task(database.look(twice))
    await asyncio.to_thread(between.wait, _WAIT)
    await database.run(putting("meanwhile"))
    may_go_on.set()
    first, second = await reading
    assert first == second == []


def test_a_stored_time_needs_a_time_zone(database: Database) -> None:
    naive = datetime(2026, 7, 1, 12, 0)  # noqa: DTZ001 - what must be refused

    def queued(tx: Tx) -> None:
        tx.add(NodeRow, id="n", started_at=naive, swept_at=tx.now)

    def asked(tx: Tx) -> None:
        tx.execute(update(NodeRow).where(col(NodeRow.swept_at) <= naive).values(swept_at=tx.now))

    for step in (queued, asked):
        with pytest.raises((ValueError, StatementError), match="time zone"):
            database.run_now(step)


def test_an_instant_comes_back_as_it_was(database: Database) -> None:
    tokyo = datetime(2026, 10, 25, 10, 30, 0, 123456, tzinfo=UTC).astimezone(tz=None)

    def write(tx: Tx) -> None:
        tx.add(NodeRow, id="n", started_at=tokyo, swept_at=tokyo)

    database.run_now(write)
    (row,) = database.run_now(lambda tx: tx.all(typed_select(NodeRow)))
    assert (row.started_at, row.started_at.tzinfo) == (tokyo, UTC)


def test_a_row_must_refer_to_what_is_there(database: Database) -> None:
    orphan = {"id": "n", "incident_id": "nowhere", "actor": "a", "body": "b"}
    with pytest.raises(IntegrityError):
        database.run_now(lambda tx: tx.add(NoteRow, at=tx.now, **orphan))


# --- SQLite: groups ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("patient")
def test_steps_that_wait_share_a_commit_and_all_are_answered_after_it(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[Future[Any]] = []
    answered: list[int] = []

    def refused(_: Tx) -> None:
        raise Refusal

    with writer_held(sqlite):
        at_each_commit(sqlite, monkeypatch, lambda: answered.append(sum(f.done() for f in waiting)))
        waiting += [sqlite.submit(putting(f"{n:02}")) for n in range(10)]
        waiting.append(sqlite.submit(refused))
        waiting += [sqlite.submit(putting(f"{n:02}")) for n in range(10, 20)]
    assert len([f for f in waiting if f.exception(_WAIT) is None]) == 20
    assert answered == [0]
    assert stored(sqlite) == [f"{n:02}" for n in range(20)]


@pytest.mark.usefixtures("patient")
def test_a_group_has_at_most_fifty_steps(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[int] = []
    with writer_held(sqlite):
        waiting = [sqlite.submit(putting(f"{n:03}")) for n in range(120)]
        at_each_commit(sqlite, monkeypatch, lambda: commits.append(1))
    for future in waiting:
        future.result(_WAIT)
    # With the step that held the writer they are 121.
    assert len(commits) == 3
    assert len(stored(sqlite)) == 120


def fails_in_core(tx: Tx) -> None:
    put(tx, "half")
    tx.flush()
    tx.execute(insert(TallyRow).values(name="taken", labels="", value=1))


def fails_in_a_typed_record(tx: Tx) -> None:
    put(tx, "half")
    tx.new(TallyRow, name="taken", labels="", value=1)
    tx.flush()


def fails_in_a_changed_record(tx: Tx) -> None:
    put(tx, "half")
    tx.need(TallyRow, ("taken", "")).name = "half"
    tx.flush()


def fails_at_its_end(tx: Tx) -> None:
    put(tx, "half")
    put(tx, "taken")


def fails_by_itself(tx: Tx) -> None:
    put(tx, "half")
    tx.record(SERVICE_STREAM, AccountChanged("a", "b"))
    tx.flush()
    raise Refusal


def fails_and_carries_on(tx: Tx) -> None:
    """The step catches the error: what it did before stays, as one step."""
    put(tx, "half")
    tx.flush()
    with pytest.raises(IntegrityError):
        tx.execute(insert(TallyRow).values(name="taken", labels="", value=1))


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    "failing",
    [
        fails_in_core,
        fails_in_a_typed_record,
        fails_in_a_changed_record,
        fails_at_its_end,
        fails_by_itself,
    ],
)
def test_a_failing_step_does_not_disturb_its_group(sqlite: Database, failing: Step[None]) -> None:
    sqlite.run_now(putting("taken"))
    with writer_held(sqlite):
        before = sqlite.submit(putting("before"))
        failed = sqlite.submit(failing)
        after = sqlite.submit(putting("next"))
    assert (before.result(_WAIT), after.result(_WAIT)) == ("before", "next")
    with pytest.raises((IntegrityError, Refusal)):
        failed.result(_WAIT)
    assert stored(sqlite) == ["before", "next", "taken"]
    assert sqlite.look_now(verify).events == 0


def test_a_step_may_recover_from_a_refused_insert(sqlite: Database) -> None:
    sqlite.run_now(putting("taken"))
    sqlite.run_now(fails_and_carries_on)
    assert stored(sqlite) == ["half", "taken"]


def test_the_writer_outlives_whatever_a_step_throws(sqlite: Database) -> None:
    def leaves(_: Tx) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        sqlite.submit(leaves).result(_WAIT)
    assert sqlite.submit(putting("alive")).result(_WAIT) == "alive"


def test_a_waiting_step_that_its_submitter_takes_back_does_not_run(sqlite: Database) -> None:
    with writer_held(sqlite):
        taken_back = sqlite.submit(putting("taken back"))
        kept = sqlite.submit(putting("kept"))
        assert taken_back.cancel()
    assert kept.result(_WAIT) == "kept"
    assert stored(sqlite) == ["kept"]


@contextmanager
def full_disk(database: Database, room: int = 0) -> Iterator[None]:
    """Meanwhile the file can grow by `room` pages only, as on a disk that is full."""
    with database.engine().connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    _hold_to(database, pages + room)
    try:
        yield
    finally:
        _hold_to(database, 1073741823)


def _hold_to(database: Database, pages: int) -> None:
    """On the connection that the writer keeps, and on the one that it would take after an error."""
    pragma = f"PRAGMA max_page_count={pages}"
    database.run_now(lambda tx: tx.execute(text(pragma)))
    with database.engine().connect() as connection:
        connection.exec_driver_sql(pragma)


def big(name: str, pages: int) -> Step[str]:
    def step(tx: Tx) -> str:
        put(tx, name)
        tx.add(NodeRow, id=name + "x" * 4096 * pages, started_at=tx.now, swept_at=tx.now)
        return name

    return step


@pytest.mark.usefixtures("patient")
def test_g21_a_full_disk_refuses_what_does_not_fit_and_loses_nothing_that_was_answered(
    sqlite: Database,
) -> None:
    with full_disk(sqlite, room=3):
        with writer_held(sqlite):
            waiting = [
                sqlite.submit(step)
                for step in (putting("small 1"), big("too big", 40), putting("small 2"), big("big 2", 90))
            ]
        outcomes = [future.exception(_WAIT) for future in waiting]
        assert [type(outcome) for outcome in outcomes] == [
            type(None), DatabaseUnavailable, type(None), DatabaseUnavailable,
        ]  # fmt: skip
        assert stored(sqlite) == ["small 1", "small 2"]
        with pytest.raises(DatabaseUnavailable):
            sqlite.run_now(big("too big", 40))
    # With room again it goes on by itself.
    assert sqlite.run_now(big("too big", 40)) == "too big"
    assert stored(sqlite) == ["small 1", "small 2", "too big"]


def test_g21_what_is_answered_while_the_disk_fills_is_exactly_what_is_stored(sqlite: Database) -> None:
    with full_disk(sqlite, room=60):
        waiting = [(f"{n:03}", sqlite.submit(big(f"{n:03}", 1 + n % 3))) for n in range(150)]
        outcomes = {name: future.exception(_WAIT) for name, future in waiting}
    answered = [name for name, error in outcomes.items() if error is None]
    assert 0 < len(answered) < 150
    assert {type(e) for e in outcomes.values() if e is not None} == {DatabaseUnavailable}
    assert stored(sqlite) == answered


@pytest.mark.usefixtures("patient")
def test_a_failed_commit_is_told_to_nobody_as_done(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The group's commit fails: its steps run again, one by one, each with a commit of its own."""
    failures = iter([OperationalError("COMMIT", {}, Exception("disk I/O error"))])
    runs: list[str] = []

    def noting(name: str) -> Step[str]:
        def step(tx: Tx) -> str:
            runs.append(name)
            return put(tx, name)

        return step

    def fail_once() -> None:
        error = next(failures, None)
        if error is not None:
            raise error

    at_each_commit(sqlite, monkeypatch, fail_once)
    with writer_held(sqlite):
        waiting = [sqlite.submit(noting(f"{n}")) for n in range(3)]
    assert [future.result(_WAIT) for future in waiting] == ["0", "1", "2"]
    assert runs == ["0", "1", "2"] * 2
    assert stored(sqlite) == ["0", "1", "2"]


def test_a_writer_that_cannot_begin_says_that_nothing_was_stored(sqlite: Database) -> None:
    """Another program holds the file for longer than is waited: no fault of the step, and not for ever."""
    event.listen(sqlite.engine(), "checkout", lambda driver, *_: driver.execute("PRAGMA busy_timeout=0"))
    sqlite.run_now(lambda tx: tx.connection.exec_driver_sql("PRAGMA busy_timeout=0"))
    with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable):
            sqlite.run_now(putting("kept out"))
    sqlite.run_now(putting("let in"))
    assert stored(sqlite) == ["let in"]


def test_a_commit_that_is_refused_is_told_in_the_words_of_any_statement(sqlite: Database) -> None:
    def orphan(tx: Tx) -> None:
        tx.connection.connection.cursor().execute("PRAGMA defer_foreign_keys=ON")
        tx.add(NoteRow, id="n", incident_id="nowhere", actor="a", body="b", at=tx.now)

    with pytest.raises(IntegrityError):
        sqlite.run_now(orphan)
    sqlite.run_now(putting("next"))
    assert stored(sqlite) == ["next"]


def test_a_checkpoint_that_fails_makes_no_step_run_twice(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes after the commit: what was stored then must neither be done again nor be refused."""
    runs: list[int] = []

    def step(tx: Tx) -> None:
        runs.append(1)
        tx.add(NodeRow, id=f"{len(runs)}", started_at=tx.now, swept_at=tx.now)

    def broken(_: SqliteFile, connection: Connection) -> None:
        raise OperationalError("PRAGMA wal_checkpoint", {}, Exception("database or disk is full"))

    sqlite.claim_serving()
    monkeypatch.setattr(SqliteFile, "_checkpoint", broken)
    sqlite.run_now(step)
    assert len(runs) == 1


def many(name: str) -> Step[None]:
    """A step of a thousand rows."""

    def step(tx: Tx) -> None:
        for n in range(1000):
            tx.add(NodeRow, id=f"{name} {n} " + "x" * 1000, started_at=tx.now, swept_at=tx.now)

    return step


@pytest.mark.long
def test_the_write_ahead_log_is_worked_off_and_not_at_every_commit(sqlite: Database) -> None:
    """Only by the process that serves; the log keeps its size, but not every commit pays for that."""
    checkpoints: list[str] = []
    with sqlite.engine().connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(lambda sql: checkpoints.append(sql) if "checkpoint" in sql else None)
    log = sqlite.path.with_name(sqlite.path.name + "-wal")
    for n in range(5):
        sqlite.run_now(many(f"before {n}"))
    assert checkpoints == []
    sqlite.claim_serving()
    for n in range(20):
        sqlite.run_now(many(f"serving {n}"))
    full = log.stat().st_size
    assert 4 <= len(checkpoints) <= 20
    del checkpoints[:]
    for n in range(100):
        sqlite.run_now(putting(f"small {n}"))
    assert len(checkpoints) <= 1
    for n in range(20):
        sqlite.run_now(many(f"later {n}"))
    assert log.stat().st_size == full


# --- SQLite: connections and processes --------------------------------------------------------------------

_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,
    "busy_timeout": 10000,
    "foreign_keys": 1,
    "secure_delete": 1,
    "trusted_schema": 0,
    "wal_autocheckpoint": 0,
}


def pragmas(connection: Connection) -> dict[str, Any]:
    return {
        name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in (*_PRAGMAS, "query_only")
    }


def test_every_connection_is_durable_and_strict(sqlite: Database) -> None:
    assert sqlite.run_now(lambda tx: pragmas(tx.connection)) == {**_PRAGMAS, "query_only": 0}
    together = threading.Barrier(4)

    def read(connection: Connection) -> tuple[int, dict[str, Any]]:
        together.wait(_WAIT)  # four at once are four connections
        return id(connection.connection.driver_connection), pragmas(connection)

    async def four() -> list[tuple[int, dict[str, Any]]]:
        return await asyncio.gather(*(sqlite.look(read) for _ in range(4)))

    found = asyncio.run(four())
    assert len({connection for connection, _ in found}) == 4
    assert all(seen == {**_PRAGMAS, "query_only": 1} for _, seen in found)


def test_only_one_process_serves_a_file_and_the_others_are_told_in_a_sentence(
    databases: TestDatabases, clock: ManualClock
) -> None:
    url = databases.fresh("sqlite")
    first, second = (Database(url, clock=clock, ids=SystemIds()) for _ in range(2))
    first.claim_serving()
    first.claim_serving()
    with pytest.raises(AlreadyServed, match=r"another process already serves .*; stop it first"):
        second.claim_serving()
    first.close_now()
    second.claim_serving()
    second.close_now()


def test_a_command_and_the_serving_process_take_turns(opened: Open) -> None:
    """Neither loses an update, nor fails for the other's sake; on PostgreSQL too."""
    processes = [opened() for _ in range(3)]
    processes[0].run_now(lambda tx: put(tx, "count", 0))
    processes[0].claim_serving()

    def add(tx: Tx) -> None:
        row = tx.need(TallyRow, ("count", ""), lock=True)
        row.value += 1

    waiting = [process.submit(add) for _ in range(40) for process in processes]
    for future in waiting:
        future.result(_WAIT)
    value = processes[1].look_now(lambda c: c.execute(select(col(TallyRow.value))).scalar_one())
    assert value == 120


# --- PostgreSQL -------------------------------------------------------------------------------------------


@pytest.mark.long
def test_steps_that_deadlock_are_run_again(postgres: Database) -> None:
    for name in ("a", "b"):
        postgres.run_now(putting(name))
    both_hold_one = threading.Barrier(2)
    runs: list[str] = []

    def lock_both(first: str, second: str) -> Step[None]:
        def step(tx: Tx) -> None:
            runs.append(first)
            tx.need(TallyRow, (first, ""), lock=True)
            if runs.count(first) == 1:
                both_hold_one.wait(_WAIT)
            row = tx.need(TallyRow, (second, ""), lock=True)
            row.value += 1

        return step

    waiting = [postgres.submit(lock_both("a", "b")), postgres.submit(lock_both("b", "a"))]
    for future in waiting:
        future.result(_WAIT)
    assert len(runs) == 3
    assert postgres.look_now(lambda c: c.execute(select(func.sum(col(TallyRow.value)))).scalar()) == 4


def test_who_was_slower_to_insert_runs_again_and_sees_the_winner(postgres: Database) -> None:
    nobody_yet = threading.Barrier(2)
    runs: list[int] = []

    def once(tx: Tx) -> str:
        runs.append(1)
        if tx.get(TallyRow, ("one", "")) is not None:
            return "second"
        if len(runs) <= 2:
            nobody_yet.wait(_WAIT)
        put(tx, "one")
        return "first"

    waiting = [postgres.submit(once), postgres.submit(once)]
    assert sorted(future.result(_WAIT) for future in waiting) == ["first", "second"]
    assert stored(postgres) == ["one"]


@pytest.mark.parametrize("state", ["40001", "40P01", "23505"])
def test_what_may_pass_is_tried_again_and_leaves_nothing_of_the_first_try(
    postgres: Database, state: str
) -> None:
    runs: list[int] = []

    def step(tx: Tx) -> str:
        runs.append(1)
        put(tx, f"try {len(runs)}")
        tx.flush()
        if len(runs) < 3:
            tx.execute(text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"))
        return "done"

    assert postgres.run_now(step) == "done"
    assert stored(postgres) == ["try 3"]


def test_what_does_not_pass_is_given_up_after_five_tries(postgres: Database) -> None:
    runs: list[int] = []

    def step(tx: Tx) -> None:
        runs.append(1)
        tx.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"))

    with pytest.raises(DBAPIError):
        postgres.run_now(step)
    assert len(runs) == 5
    assert postgres.run_now(putting("goes on")) == "goes on"


def test_a_fault_of_the_step_itself_is_not_tried_again(postgres: Database) -> None:
    runs: list[int] = []

    def step(tx: Tx) -> None:
        runs.append(1)
        tx.execute(text("SELECT 1/0"))

    with pytest.raises(DBAPIError):
        postgres.run_now(step)
    assert len(runs) == 1


def test_a_lost_connection_is_told_and_the_next_step_has_a_new_one(postgres: Database) -> None:
    def cut(tx: Tx) -> None:
        put(tx, "lost")
        tx.flush()
        tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(DatabaseUnavailable):
        postgres.run_now(cut)
    assert postgres.run_now(putting("goes on")) == "goes on"
    assert stored(postgres) == ["goes on"]


def test_connections_that_the_server_ended_while_idle_cost_nobody_a_step(postgres: Database) -> None:
    async def use_all() -> None:
        await asyncio.gather(
            *(postgres.look(lambda c: c.execute(text("SELECT pg_sleep(0.02)"))) for _ in "123456")
        )

    asyncio.run(use_all())
    end_others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    postgres.run_now(lambda tx: tx.execute(end_others))
    waiting = [postgres.submit(putting(f"{n}")) for n in range(12)]
    assert [future.result(_WAIT) for future in waiting] == [f"{n}" for n in range(12)]


def test_sessions_are_durable_bounded_and_in_utc(postgres: Database) -> None:
    wanted = {
        "synchronous_commit": "on",
        "TimeZone": "UTC",
        "statement_timeout": "10s",
        "lock_timeout": "8s",
        "idle_in_transaction_session_timeout": "10s",
    }

    def read(tx: Tx) -> dict[str, str]:
        return {name: tx.execute(text(f"SHOW {name}")).scalar_one() for name in wanted}

    assert postgres.run_now(read) == wanted


def test_the_clocks_distance_to_the_server_is_measured(postgres: Database, clock: ManualClock) -> None:
    there: datetime = postgres.look_now(lambda c: c.execute(text("SELECT clock_timestamp()")).scalar_one())
    assert abs(postgres.clock_offset() - (there - clock.real())) < timedelta(seconds=5)
