"""Statements made once: what each call gives is that call's alone, and the statement is the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Executable, Update, select, tuple_, update
from sqlmodel import col
from sqlmodel import select as typed_select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core.states import EndpointState
from rapid_response.storage.database import Database
from rapid_response.storage.once import once
from rapid_response.storage.tables import EndpointRow
from rapid_response.storage.tx import Tx
from tests.conftest import NOON

ONE, TWO = "+447700900001", "+447700900002"


@pytest.fixture
def endpoints(database: Database) -> Database:
    """Two numbers, of which one works since noon, the other since an hour later."""

    def two(tx: Tx) -> None:
        for number, since in ((ONE, NOON), (TWO, NOON + timedelta(hours=1))):
            tx.add(EndpointRow, number=number, channel="sms", state="active", since=since)

    database.run_now(two)
    return database


@once
def since(at: datetime) -> SelectOfScalar[EndpointRow]:
    return typed_select(EndpointRow).where(col(EndpointRow.since) >= at).order_by(col(EndpointRow.number))


@once
def among(numbers: Sequence[str], limit: int) -> Executable:
    return (
        select(col(EndpointRow.number))
        .where(col(EndpointRow.number).in_(numbers))
        .order_by(col(EndpointRow.number))
        .limit(limit)
    )


@once
def at_places(places: Sequence[tuple[str, str]]) -> Executable:
    return select(col(EndpointRow.number)).where(
        tuple_(col(EndpointRow.number), col(EndpointRow.channel)).in_(places)
    )


@once
def becomes(number: str, state: str) -> Update:
    return update(EndpointRow).where(col(EndpointRow.number) == number).values(state=state)


def test_a_statement_is_made_once_and_each_call_has_its_own_values(endpoints: Database) -> None:
    assert since(NOON).statement is since(NOON + timedelta(minutes=1)).statement

    def read(tx: Tx) -> None:
        assert [row.number for row in tx.all(since(NOON))] == [ONE, TWO]
        assert [row.number for row in tx.all(since(NOON + timedelta(minutes=1)))] == [TWO]
        assert tx.first(since(NOON + timedelta(days=1))) is None

    endpoints.run_now(read)


def test_lists_places_and_limits_may_be_given(endpoints: Database) -> None:
    def read(tx: Tx) -> None:
        assert tx.read(among([ONE, TWO], 5)).scalars().all() == [ONE, TWO]
        assert tx.read(among([ONE, TWO], 1)).scalars().all() == [ONE]
        assert tx.read(among([], 5)).scalars().all() == []
        assert tx.read(at_places([(TWO, "sms"), (ONE, "voice")])).scalars().all() == [TWO]
        assert tx.read(at_places([])).scalars().all() == []

    endpoints.run_now(read)


def test_an_update_writes_what_it_is_given(endpoints: Database) -> None:
    def write(tx: Tx) -> None:
        assert tx.execute(becomes(ONE, "suspect")).rowcount == 1
        assert tx.execute(becomes("+447700900003", "suspect")).rowcount == 0

    endpoints.run_now(write)

    def read(tx: Tx) -> None:
        states = {row.number: row.state for row in tx.all(since(NOON))}
        assert states == {ONE: EndpointState.SUSPECT, TWO: EndpointState.ACTIVE}

    endpoints.run_now(read)


def test_a_naive_moment_is_refused_as_anywhere(endpoints: Database) -> None:
    with pytest.raises(Exception, match="must have a time zone"):
        endpoints.run_now(lambda tx: tx.all(since(NOON.replace(tzinfo=None))))


def test_what_hangs_on_a_value_is_refused_when_it_is_made(endpoints: Database) -> None:
    @once
    def only_sometimes(number: str) -> SelectOfScalar[EndpointRow]:
        query = typed_select(EndpointRow)
        return query.where(col(EndpointRow.number) == number) if number else query

    with pytest.raises(TypeError):
        only_sometimes(ONE)


def test_arguments_that_are_named_or_too_few_are_refused() -> None:
    with pytest.raises(TypeError):
        once(lambda *, number: select(col(EndpointRow.number)).where(col(EndpointRow.number) == number))
    with pytest.raises(ValueError, match="zip"):
        among([ONE])  # type: ignore[call-arg]


def test_a_row_that_was_changed_is_read_anew_and_so_is_one_that_is_locked(endpoints: Database) -> None:
    def step(tx: Tx) -> None:
        row = tx.need(EndpointRow, (ONE, "sms"))
        tx.execute(becomes(ONE, "suspect"))
        assert row.state == EndpointState.ACTIVE
        assert tx.need(EndpointRow, (ONE, "sms")) is row
        assert row.state == EndpointState.SUSPECT
        assert tx.need(EndpointRow, (ONE, "sms"), lock=True) is row
        assert row.state == EndpointState.SUSPECT
        assert tx.get(EndpointRow, (ONE, "voice")) is None

    endpoints.run_now(step)
