"""On PostgreSQL what a step writes goes out with its next question, and its COMMIT with the last of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import Select, delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.storage.database import Database
from rapid_response.storage.once import Filled, once
from rapid_response.storage.tables import ChainRow, EventRow, TallyRow
from rapid_response.storage.tx import Tx, read_from
from rapid_response.storage.wire import Wire
from tests.conftest import NOON


@once
def how_many(name: str) -> Select[int]:
    return select(func.count()).select_from(TallyRow).where(col(TallyRow.name) == name)


@once
def values_of(name: str) -> Select[float]:
    return select(col(TallyRow.value)).where(col(TallyRow.name) == name).order_by(col(TallyRow.labels))


def put(tx: Tx, name: str, labels: str = "", value: float = 1.0) -> None:
    tx.add(TallyRow, name=name, labels=labels, value=value)


def count(database: Database, name: str) -> int:
    found: int = database.run_now(lambda tx: tx.execute(how_many(name)).scalar_one())
    return found


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """The statements of each round trip, by their first words."""
    made: list[Sequence[str]] = []
    send = Wire._send

    def heard(self: Wire) -> object:
        begins = ["BEGIN"] if self._is_idle() else []
        made.append([*begins, *(one.sql.split()[0] for one in self._waiting)])
        return send(self)

    monkeypatch.setattr(Wire, "_send", heard)
    return made


def test_a_step_that_only_writes_finds_its_connection_alive_before_it_commits(
    postgres: Database, trips: list[Sequence[str]]
) -> None:
    def step(tx: Tx) -> None:
        put(tx, "one")
        tx.add(ChainRow, stream="s", seq=1, digest="d", sealed_seq=0)

    postgres.run_now(step)
    assert trips == [["BEGIN", "INSERT", "INSERT"], ["COMMIT"]]
    assert count(postgres, "one") == 1


def test_the_last_that_is_written_goes_with_the_commit(
    postgres: Database, trips: list[Sequence[str]]
) -> None:
    def step(tx: Tx) -> None:
        tx.execute(how_many("one"))
        put(tx, "one")
        tx.add(ChainRow, stream="s", seq=1, digest="d", sealed_seq=0)

    postgres.run_now(step)
    assert trips == [["BEGIN", "SELECT"], ["INSERT", "INSERT", "COMMIT"]]


def test_what_was_written_is_there_for_the_next_question(
    postgres: Database, trips: list[Sequence[str]]
) -> None:
    def step(tx: Tx) -> int:
        put(tx, "one")
        first = tx.execute(how_many("one")).scalar_one()
        put(tx, "one", "b")
        # A statement that is not made once goes the engine's way.
        second = tx.connection.execute(select(func.count()).select_from(TallyRow)).scalar_one()
        return int(first * 10 + second)

    assert postgres.run_now(step) == 12
    assert trips == [["BEGIN", "INSERT", "SELECT"], ["INSERT"], ["COMMIT"]]


def test_a_step_that_asks_nothing_sends_nothing(postgres: Database, trips: list[Sequence[str]]) -> None:
    assert postgres.run_now(lambda _: 7) == 7
    assert trips == []


def test_a_read_begins_with_its_question_and_sees_one_moment(
    postgres: Database, trips: list[Sequence[str]]
) -> None:
    level = text("SHOW transaction_isolation")
    seen = postgres.look_now(
        lambda c: (read_from(c, how_many("one")).scalar_one(), c.execute(level).scalar_one())
    )
    assert seen == (0, "repeatable read")
    assert trips == [["BEGIN", "SELECT"], ["COMMIT"]]


@pytest.mark.parametrize("rows", [1, 2, 15, 16, 17, 33])
def test_rows_of_one_table_go_together(postgres: Database, rows: int) -> None:
    def step(tx: Tx) -> None:
        for n in range(rows):
            put(tx, "many", f"{n:03}", float(n))

    postgres.run_now(step)
    found = postgres.run_now(lambda tx: list(tx.execute(values_of("many")).scalars()))
    assert found == [float(n) for n in range(rows)]


def test_more_than_a_socket_takes_arrives(postgres: Database) -> None:
    large = "x" * 200_000

    def step(tx: Tx) -> list[int]:
        for n in range(60):
            put(tx, f"{n}")
            event = EventRow(
                stream="s", seq=n, type="t", version=1, at=NOON, actor="a", data=large, previous="", digest=""
            )
            tx.add(EventRow, **event.model_dump())
        return [len(row.data) for row in tx.all(_EVENTS)]

    assert postgres.run_now(step) == [200_000] * 60


_EVENTS = Filled(typed_select(EventRow))


def test_a_write_that_fails_at_the_commit_stores_nothing_of_its_step(postgres: Database) -> None:
    postgres.run_now(lambda tx: put(tx, "kept"))

    def step(tx: Tx) -> None:
        tx.execute(how_many("kept"))
        put(tx, "lost")
        tx.add(ChainRow, stream="s", seq=1, digest="d", sealed_seq=0)
        tx.flush()
        put(tx, "kept")

    with pytest.raises(IntegrityError) as told:
        postgres.run_now(step)
    assert str(told.value.statement).startswith("INSERT INTO tallies")
    assert told.value.params is None
    assert [count(postgres, "lost"), count(postgres, "kept")] == [0, 1]


def test_a_write_that_fails_in_the_middle_stores_nothing_of_its_step(postgres: Database) -> None:
    def step(tx: Tx) -> None:
        put(tx, "lost")
        tx.execute(Filled(insert(TallyRow).values(name="x", labels=None, value=1.0)))

    with pytest.raises(IntegrityError):
        postgres.run_now(step)
    assert count(postgres, "lost") == 0


def test_what_a_step_that_gave_up_had_written_is_not_sent_with_the_next(postgres: Database) -> None:
    def step(tx: Tx) -> None:
        put(tx, "lost")
        tx.flush()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        postgres.run_now(step)
    assert count(postgres, "lost") == 0


def test_a_text_that_postgresql_cannot_hold_is_refused_and_the_next_step_goes_on(postgres: Database) -> None:
    with pytest.raises(DBAPIError):
        postgres.run_now(lambda tx: put(tx, "no\x00"))
    postgres.run_now(lambda tx: put(tx, "yes"))
    assert count(postgres, "yes") == 1


def test_a_row_that_is_gone_forbids_the_commit(postgres: Database) -> None:
    postgres.run_now(lambda tx: put(tx, "one"))

    def step(tx: Tx) -> None:
        row = tx.need(TallyRow, ("one", ""))
        put(tx, "lost")
        tx.connection.execute(delete(TallyRow).where(col(TallyRow.name) == "one"))
        row.value = 2.0

    with pytest.raises(StaleDataError):
        postgres.run_now(step)
    assert [count(postgres, "lost"), count(postgres, "one")] == [0, 1]


@pytest.mark.parametrize(
    "change",
    ["DEALLOCATE ALL", "ALTER TABLE tallies ALTER COLUMN value TYPE numeric USING value::numeric"],
    ids=["forgotten", "another table than it was"],
)
def test_a_prepared_statement_that_is_gone_is_made_again(postgres: Database, change: str) -> None:
    # One thread, so that all of this is one connection.
    postgres.run_now(lambda tx: put(tx, "one", value=2.0))
    read = lambda tx: tx.need(TallyRow, ("one", "")).value  # noqa: E731
    assert postgres.run_now(read) == 2.0
    postgres.run_now(lambda tx: tx.connection.execute(text(change)))
    assert [postgres.run_now(read), postgres.run_now(read)] == [2.0, 2.0]
    look = lambda c: c.execute(select(col(TallyRow.value))).scalar_one()  # noqa: E731
    assert postgres.look_now(look) == 2.0
