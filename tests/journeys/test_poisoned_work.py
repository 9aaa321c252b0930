"""Work that keeps failing is parked where a person sees it, and stands in nobody's way."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import select

from rapid_response.storage.tables import AgendaRow, DeliveryRow
from rapid_response.storage.tx import Tx
from rapid_response.storage.work import release_parked
from tests.builders import paid_today
from tests.harness import ASHA, BEN, Case, Town


async def poison(town: Town, case: Case) -> None:
    """An agenda entry that no handler can do: the kind is not known."""
    incident_id = {row.incident_id for row in await town.rows(AgendaRow) if row.incident_id}.pop()
    due = town.clock.now() + timedelta(minutes=1)

    def add(tx: Tx) -> None:
        tx.add(AgendaRow, incident_id=incident_id, kind="poison", subject="x", cycle=1, due_at=due, rank=0)

    await town.app.database.run(add)


async def test_a_poisoned_entry_is_parked_and_shown_while_other_work_goes_on(town: Town) -> None:
    case = await town.takes(paid_today())
    await poison(town, case)
    assert await town.metric("work_parked") == 0

    await town.pass_time(minutes=4)

    (entry,) = [row for row in await town.rows(AgendaRow) if row.kind == "poison"]
    assert (entry.attempts, entry.settled_at, entry.error) == (5, None, "KeyError")
    assert entry.parked_at is not None
    assert await town.metric("work_parked") == 1
    assert [(p["kind"], p["error"]) for p in await case.happened("work_parked")] == [("poison", "KeyError")]

    await town.pass_time(minutes=1)
    assert await case.asked() == ["asha", "ben"]
    await case.hears(BEN, "OK {n}")
    await town.pass_time(minutes=56)
    assert "50% of the time is gone" in await town.last_text(BEN)
    (entry,) = [row for row in await town.rows(AgendaRow) if row.kind == "poison"]
    assert entry.attempts == 5


async def test_what_falls_due_in_the_same_second_is_not_held_up(town: Town) -> None:
    case = await town.takes(paid_today())
    await poison(town, case)
    await town.pass_time(minutes=1)
    other = await town.takes(paid_today())
    await other.hears(BEN, "OK {n}")
    await case.hears(ASHA, "OK {n}")
    assert (await case.now())["responder"] == "asha"
    assert (await other.now())["responder"] == "ben"
    lateness = await town.metric("deadline_lateness_seconds_sum")
    assert lateness == 0


async def test_of_many_that_fall_due_together_the_others_are_done(town: Town) -> None:
    """Many are done in one transaction: when one of them fails, each is done by itself."""
    cases = [await town.takes(paid_today()) for _ in range(6)]
    await poison(town, cases[0])
    await town.pass_time(minutes=1)
    # Nobody answered: of each case the first offer lapses, and the next person is asked.
    await town.pass_time(minutes=4)
    for case in cases:
        assert len(await case.asked()) == 2
    rang = [row for row in await town.rows(AgendaRow) if row.settled_at and row.kind == "answer"]
    assert len(rang) == 6
    assert {row.late_seconds for row in rang} == {0}
    (poisoned,) = [row for row in await town.rows(AgendaRow) if row.kind == "poison"]
    assert (poisoned.error, poisoned.settled_at) == ("KeyError", None)


async def test_a_person_may_have_it_tried_again(town: Town) -> None:
    case = await town.takes(paid_today())
    await poison(town, case)
    await town.pass_time(minutes=4)
    (entry,) = [row for row in await town.rows(AgendaRow) if row.kind == "poison"]
    assert entry.id is not None
    assert await town.app.database.run(lambda tx: release_parked(tx, AgendaRow, entry.id or 0))
    assert await town.metric("work_parked") == 0
    await town.pass_time(minutes=4)
    assert await town.metric("work_parked") == 1
    assert len(await case.happened("work_parked")) == 2


async def test_parked_work_that_a_case_no_longer_needs_waits_for_nobody(town: Town) -> None:
    """The rung whose offer failed again and again; then somebody takes the job without it."""
    case = await town.takes(paid_today())

    def spoil(tx: Tx) -> None:
        (rung,) = [row for row in tx.all(select(AgendaRow)) if (row.kind, row.subject) == ("rung", "2")]
        rung.subject, rung.due_at = "second", tx.now

    await town.app.database.run(spoil)
    await town.pass_time(minutes=4)
    assert await town.metric("work_parked") == 1
    await case.hears(ASHA, "OK {n}")
    assert await town.metric("work_parked") == 0


async def test_a_poisoned_text_is_kept_and_parked_and_the_next_is_read(town: Town) -> None:
    case = await town.takes(paid_today())

    def lose(tx: Tx) -> None:
        tx.add(
            AgendaRow, incident_id="", kind="inbound", subject="no such text", cycle=1, due_at=tx.now, rank=0
        )

    await town.app.database.run(lose)
    await case.hears(ASHA, "OK {n}")
    assert (await case.now())["responder"] == "asha"
    await town.pass_time(minutes=2)
    assert await town.metric("work_parked") == 1


async def test_a_poisoned_delivery_is_parked_and_the_figures_go_on(town: Town) -> None:
    case = await town.takes(paid_today())

    def spoil(tx: Tx) -> None:
        tx.add(DeliveryRow, stream=case.reference, seq=999, subscription="nobody.hears")

    await town.app.database.run(spoil)
    await town.pass_time(minutes=2)
    assert await town.metric("work_parked") == 1
    await town.takes(paid_today())
    assert await town.metric("contacts_total", channel="phone") == 2
