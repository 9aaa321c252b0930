"""What is due and no longer matters is put away many at a time, and hides nothing that does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlmodel import col

from rapid_response.core.vocabulary import Priority
from rapid_response.sla.rules import Kind
from rapid_response.steps import moot
from rapid_response.storage.records import table_of
from rapid_response.storage.tables import AgendaRow, IncidentRow, TaskRow
from rapid_response.storage.tx import Tx
from tests.builders import paid_today
from tests.harness import Town

SOON = timedelta(seconds=10)


async def copies(town: Town, count: int) -> list[str]:
    """So many running cases with an owner, like one that was reported and taken; with nothing to come."""
    case = await town.takes(paid_today())
    await case.act("assign", responder="asha")

    def step(tx: Tx) -> list[str]:
        table = table_of(IncidentRow)
        (template,) = tx.execute(select(table)).mappings()
        ids = [tx.ids.uuid() for _ in range(count)]
        rows = [{**template, "id": i, "reference": f"C{n:06}", "job_number": None} for n, i in enumerate(ids)]
        tx.execute(insert(table).values(rows))
        return ids

    return await town.app.database.run(step)


async def arm(town: Town, incidents: Sequence[str], kind: Kind, subject: str = "0", **more: Any) -> None:
    """That kind of entry soon, for each."""

    def step(tx: Tx) -> None:
        for incident in incidents:
            values = {"due_at": tx.now + SOON, "rank": Priority.P1.rank, **more}
            tx.add(AgendaRow, incident_id=incident, kind=kind.value, subject=subject, **values)

    await town.app.database.run(step)


async def entries(town: Town, kind: Kind) -> list[Any]:
    """Those entries of copies, in the order in which they were armed."""
    query = select(table_of(AgendaRow)).where(col(AgendaRow.kind) == kind.value).order_by(col(AgendaRow.id))
    return await town.app.database.look(lambda c: list(c.execute(query).all()))


async def put_away(town: Town, at_once: int = moot.AT_ONCE) -> int:
    return await town.app.database.run(partial(moot.put_away, desk=town.app.desk, at_once=at_once))


async def test_much_that_is_moot_holds_up_nothing_that_matters(town: Town) -> None:
    # Forty that look for nobody, behind which the two hours of one case end.
    cases = await copies(town, 41)
    await arm(town, cases, Kind.TASK, "later", due_at=town.clock.now() + timedelta(days=1))
    await arm(town, cases[:40], Kind.RETRY)

    def ends(tx: Tx) -> None:
        its = col(IncidentRow.id) == cases[40]
        tx.execute(update(IncidentRow).where(its).values(due_at=tx.now + timedelta(seconds=5)))

    await town.app.database.run(ends)
    await arm(town, cases[40:], Kind.BREACH, "")
    town.clock.advance(SOON + timedelta(seconds=2))
    assert await town.app.worker.ringer.ring_due() >= 41

    retries = await entries(town, Kind.RETRY)
    assert len(retries) == 40
    assert all(entry.settled_at is not None for entry in retries)
    missed = await town.app.database.look(
        lambda c: c.execute(select(col(IncidentRow.breached_at)).where(col(IncidentRow.id) == cases[40]))
    )
    assert missed.scalar_one() is not None


async def test_what_is_put_away_says_how_late_that_was_and_what_matters_stays(town: Town) -> None:
    cases = await copies(town, 3)
    await arm(town, cases, Kind.RETRY)
    await arm(town, cases, Kind.WARN)
    town.clock.advance(SOON + timedelta(seconds=2))

    assert await put_away(town) == 3
    assert await put_away(town) == 0

    for entry in await entries(town, Kind.RETRY):
        assert entry.outcome == moot.MOOT
        assert entry.late_seconds == pytest.approx(2.0, abs=0.001)
        assert entry.attempts == 0
    warnings = [entry for entry in await entries(town, Kind.WARN) if entry.incident_id in cases]
    assert [entry.settled_at for entry in warnings] == [None] * 3
    # Nor is what is not due yet.
    await arm(town, cases, Kind.RESUME)
    assert await put_away(town) == 0


async def test_what_somebody_has_claimed_is_left_to_her(town: Town) -> None:
    cases = await copies(town, 2)
    await arm(town, cases[:1], Kind.RETRY, leased_until=town.clock.real() + timedelta(seconds=30))
    await arm(town, cases[1:], Kind.RETRY)
    town.clock.advance(SOON)
    assert await put_away(town) == 1
    claimed, other = await entries(town, Kind.RETRY)
    assert claimed.settled_at is None
    assert other.settled_at is not None


async def test_a_case_of_which_nothing_is_left_to_come_is_looked_at_again(town: Town) -> None:
    cases = await copies(town, 3)
    await arm(town, cases, Kind.RETRY)
    await arm(town, cases[:1], Kind.BREACH, "", due_at=town.clock.now() + timedelta(hours=2))
    town.clock.advance(SOON)
    assert await put_away(town) == 3
    query = select(col(TaskRow.incident_id)).where(col(TaskRow.incident_id).in_(cases))
    tasks = await town.app.database.look(lambda c: set(c.execute(query).scalars()))
    assert tasks == set(cases[1:])


async def test_the_most_dangerous_are_looked_at_first(town: Town) -> None:
    cases = await copies(town, 4)
    for incident, priority in zip(cases, (Priority.P3, Priority.P0, Priority.P2, Priority.P1), strict=True):
        await arm(town, [incident], Kind.RETRY, rank=priority.rank)
    town.clock.advance(SOON)
    order = []
    for _ in cases:
        assert await put_away(town, at_once=1) == 1
        settled = {entry.rank for entry in await entries(town, Kind.RETRY) if entry.settled_at is not None}
        order.append(max(settled))
    assert order == sorted(order)
    assert len(set(order)) == 4
