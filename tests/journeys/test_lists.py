"""A list of incidents is read by an index, whatever it is narrowed to and however many there were."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, event

from rapid_response.core.incident import Status
from rapid_response.steps.lists import Filters, list_incidents, list_open
from tests.builders import paid_today
from tests.harness import ASHA, Town


def plan_of(
    town: Town,
    connection: Connection,
    filters: Filters,
    listing: Callable[[Connection, Filters, datetime, int], object] = list_incidents,
) -> str:
    """How the database goes about it; on PostgreSQL as if the table were large."""
    asked: list[tuple[str, Any]] = []
    heard = event.listens_for(connection, "before_cursor_execute")
    heard(lambda _connection, _cursor, sql, values, *_: asked.append((sql, values)))
    listing(connection, filters, town.clock.now(), 50)
    (sql, values), *_ = asked
    if town.app.database.is_sqlite:
        return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all())
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    return str(connection.exec_driver_sql(f"EXPLAIN {sql}", values).all())


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(ward="Nowhere"), "ix_incidents_ward"),
        (Filters(ward="Nowhere", overdue=False), "ix_incidents_ward"),
        # The board: of what is open there is little, of what a ward had in ten years there is much.
        (Filters(ward="Nowhere", open_only=True), "ix_incidents_open"),
        (Filters(ward="Nowhere", overdue=True), "ix_incidents_open"),
    ],
)
async def test_a_ward_without_cases_is_not_looked_for_among_all_others(
    town: Town, filters: Filters, index: str
) -> None:
    await town.takes(paid_today())
    plan = await town.app.database.look(lambda c: plan_of(town, c, filters))
    assert index in plan
    assert "SCAN incidents'" not in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize(
    "filters", [Filters(), Filters(ward="Nowhere"), Filters(status=Status.UNASSIGNED), Filters(overdue=True)]
)
async def test_the_board_goes_through_what_is_open_alone(town: Town, filters: Filters) -> None:
    await town.takes(paid_today())
    plan = await town.app.database.look(lambda c: plan_of(town, c, filters, list_open))
    assert "ix_incidents_open" in plan
    assert "SCAN incidents'" not in plan
    assert "Seq Scan" not in plan


async def test_a_list_of_a_ward_holds_its_cases_alone(town: Town) -> None:
    case = await town.takes(paid_today())
    for open_only in (False, True):
        for ward, there in (("Bromley Town", [case.reference]), ("Nowhere", [])):
            filters = Filters(ward=ward, open_only=open_only)
            now = town.clock.now()
            found, _ = await town.app.database.look(
                lambda c, filters=filters, now=now: list_incidents(c, filters, now, 50)  # type: ignore[misc]
            )
            assert [row.reference for row in found] == there


async def test_what_is_over_still_says_who_had_it_and_since_when(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    taken = (await case.clock())["accepted_at"]
    await case.hears(ASHA, "HERE {n}")
    closed = await case.act("close", disposition="resolved_attended")
    for shown in (closed, await case.now()):
        assert (shown["status"], shown["responder"]) == ("closed", "asha")
        assert shown["clock"]["accepted_at"] == taken is not None
    (listed,) = (await town.http.get("/api/v1/incidents")).json()["items"]
    assert (listed["responder"], listed["clock"]["accepted_at"]) == ("asha", taken)

    # A new episode is nobody's yet.
    again = await case.act("reopen", reason="they came back")
    assert (again["responder"], again["clock"]["accepted_at"]) == (None, None)
    await case.act("cancel", reason="a mistake")
    assert (await case.now())["responder"] is None
