"""Statements run on the driver itself: they answer as SQLAlchemy's engine does, and fail as it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    Connection,
    Executable,
    Insert,
    Update,
    delete,
    event,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DatabaseError, IntegrityError, StatementError
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import col
from sqlmodel import select as typed_select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core.states import MessageChannel
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.once import Filled, once
from rapid_response.storage.prepared import prepared
from rapid_response.storage.tables import LineRow, TallyRow
from rapid_response.storage.tx import Tx, read_from
from tests.conftest import NOON

TABLES = (LineRow, TallyRow)


@once
def lines_called(names: Sequence[str]) -> SelectOfScalar[LineRow]:
    return typed_select(LineRow).where(col(LineRow.name).in_(names)).order_by(col(LineRow.name))


@once
def opened_since(at: datetime, channel: str) -> Executable:
    return (
        select(col(LineRow.name), col(LineRow.opened_at), col(LineRow.delays), func.count().over().label("n"))
        .where(col(LineRow.opened_at) >= at, col(LineRow.channel) == channel)
        .order_by(col(LineRow.name))
    )


@once
def opens(name: str, at: datetime, delays: list[float]) -> Update:
    return (
        update(LineRow)
        .where(col(LineRow.name) == name)
        .values(opened_at=at, delays=delays)
        .returning(col(LineRow.name), col(LineRow.opened_at), col(LineRow.delays), col(LineRow.channel))
    )


@once
def adds(name: str, value: float) -> Insert:
    return insert(TallyRow).values(name=name, labels="", value=value)


def put(tx: Tx, name: str, opened_at: datetime | None = None, delays: Sequence[float] = ()) -> None:
    tx.add(
        LineRow,
        name=name,
        provider="here",
        channel=MessageChannel.SMS,
        opened_at=opened_at,
        delays=list(delays),
    )


def fresh(tx: Tx) -> None:
    for row in TABLES:
        tx.execute(delete(row))


times = st.datetimes(
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=1)), timezone(timedelta(hours=-5))]),
)
names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=10)
delays = st.lists(st.floats(min_value=0, max_value=1e6, allow_nan=False), max_size=3)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.dictionaries(names, st.tuples(st.none() | times, delays), max_size=4), asked=st.lists(names))
def test_it_answers_as_the_engine_does(
    database: Database, rows: dict[str, tuple[datetime | None, list[float]]], asked: list[str]
) -> None:
    def write(tx: Tx) -> None:
        fresh(tx)
        for name, (opened_at, its) in rows.items():
            put(tx, name, opened_at, its)

    database.run_now(write)
    wanted = [*asked, *list(rows)[:2]]

    def both(connection: Connection) -> None:
        for filled in (lines_called(wanted), opened_since(NOON, "sms"), lines_called([])):
            assert prepared(filled, connection) is not None
            ours = read_from(connection, filled)
            theirs = connection.execute(filled.statement, filled.values)
            assert list(ours.keys()) == list(theirs.keys())
            assert ours.all() == theirs.all()

    database.look_now(both)
    kept = database.run_now(lambda tx: {row.name: (row.opened_at, row.delays) for row in tx.all(_ALL)})
    assert kept == rows


_ALL = Filled(typed_select(LineRow))


def test_what_an_update_answers_is_read_like_a_row(database: Database) -> None:
    database.run_now(lambda tx: put(tx, "one"))
    answer = database.run_now(lambda tx: tx.execute(opens("one", NOON, [1.5])).one())
    assert tuple(answer) == ("one", NOON, [1.5], MessageChannel.SMS)
    assert database.run_now(lambda tx: tx.execute(opens("two", NOON, [])).rowcount) == 0


@pytest.mark.parametrize("value", [NOON.replace(tzinfo=None), "sms"])
def test_what_a_column_cannot_hold_is_refused(database: Database, value: Any) -> None:
    with pytest.raises((ValueError, AttributeError, StatementError)):
        database.run_now(lambda tx: tx.execute(opens("one", value, [])))
    with pytest.raises(KeyError):
        database.run_now(lambda tx: tx.execute(Filled(opens("one", NOON, []).statement)))


def test_it_fails_as_the_engine_does_and_says_nothing_of_what_was_to_be_stored(database: Database) -> None:
    database.run_now(lambda tx: tx.execute(adds("secret", 1.0)))
    with pytest.raises(IntegrityError) as told:
        database.run_now(lambda tx: tx.execute(adds("secret", 2.0)))
    assert told.value.orig is not None
    assert told.value.params is None
    assert "VALUES" in str(told.value.statement)
    with pytest.raises((DatabaseError, DatabaseUnavailable)):
        database.run_now(lambda tx: tx.execute(_NO_SUCH_TABLE))
    assert database.run_now(lambda tx: tx.execute(adds("third", 1.0)).rowcount) == 1


_NO_SUCH_TABLE = Filled(select(text("1")).select_from(text("nowhere")))


def test_who_listens_to_the_engine_hears_everything(database: Database) -> None:
    heard: list[str] = []

    def listen(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        heard.append(sql.split()[0])

    def step(tx: Tx) -> None:
        put(tx, "one")
        (row,) = tx.all(lines_called(["one"]))
        row.why = "down"
        tx.execute(opens("one", NOON, []))

    event.listen(database.engine(), "before_cursor_execute", listen)
    database.run_now(step)
    assert [word for word in heard if word != "SAVEPOINT"] == ["INSERT", "SELECT", "UPDATE", "UPDATE"]


# --- typed rows -------------------------------------------------------------------------------------------


def test_a_row_is_one_record_however_it_was_found(database: Database) -> None:
    def step(tx: Tx) -> None:
        put(tx, "one")
        first = tx.need(LineRow, "one")
        assert tx.need(LineRow, "one", lock=True) is first
        assert tx.all(lines_called(["one"])) == [first]
        assert tx.first(typed_select(LineRow)) is first

    database.run_now(step)


def test_a_new_row_is_the_record_that_is_found_later(database: Database) -> None:
    def step(tx: Tx) -> None:
        row = tx.new(TallyRow, name="n", labels="", value=1.0)
        row.value = 2.0
        assert tx.need(TallyRow, ("n", "")) is row
        row.value = 3.0

    database.run_now(step)
    assert database.run_now(lambda tx: tx.need(TallyRow, ("n", "")).value) == 3.0


def test_what_a_statement_changed_is_read_again(database: Database) -> None:
    def step(tx: Tx) -> None:
        put(tx, "one")
        row = tx.need(LineRow, "one")
        tx.execute(opens("one", NOON, [2.0]))
        assert row.delays == []
        assert tx.need(LineRow, "one") is row
        assert [row.opened_at, *row.delays] == [NOON, 2.0]

    database.run_now(step)


def test_only_what_changed_is_written(database: Database) -> None:
    written: list[str] = []

    def listen(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        written.extend([sql] if sql.startswith("UPDATE") else [])

    def step(tx: Tx) -> None:
        for name in ("two", "one"):
            put(tx, name)
        two, one = tx.need(LineRow, "two"), tx.need(LineRow, "one")
        one.why, one.why = "down", None
        one.delays = []
        two.trips = 1
        tx.flush()
        two.trips = 1
        one.sent_today = 5
        two.failures = 2

    event.listen(database.engine(), "before_cursor_execute", listen)
    database.run_now(step)
    sets = [sql.split("SET ")[1].split("=")[0] for sql in written]
    # Two steps that change the same rows write them in the same order.
    assert sets == ["trips", "sent_today", "failures"]


def test_a_row_that_is_gone_cannot_be_changed(database: Database) -> None:
    def step(tx: Tx) -> None:
        put(tx, "one")
        row = tx.need(LineRow, "one")
        fresh(tx)
        row.trips = 1

    with pytest.raises(StaleDataError):
        database.run_now(step)


# --- connections ------------------------------------------------------------------------------------------

_END_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.mark.parametrize(
    "use",
    [
        lambda database: database.run_now(lambda tx: tx.execute(adds(tx.ids.uuid(), 1.0)).rowcount),
        lambda database: database.look_now(lambda c: c.execute(select(1)).scalar_one()),
    ],
    ids=["a step", "a read"],
)
def test_a_connection_that_was_cut_just_now_costs_nobody_anything(
    postgres: Database, use: Callable[[Database], int]
) -> None:
    def cut(tx: Tx) -> None:
        tx.execute(_END_OTHERS)

    # Two connections, of which one ends the other just after that was used.
    held = postgres.submit(lambda _: postgres.look_now(lambda c: c.execute(select(1)).scalar_one()))
    assert held.result() == 1
    postgres.run_now(cut)
    assert [use(postgres), use(postgres)] == [1, 1]
