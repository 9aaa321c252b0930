"""Deliveries: what an event leads to happens once, however often it is delivered (G15, G23)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import psycopg
import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from rapid_response.core.clock import ManualClock
from rapid_response.core.events import NoteAdded, TaskDone, WorkParked
from rapid_response.storage import work
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.log import verify
from rapid_response.storage.sqlite import SqliteFile
from rapid_response.storage.tables import DeliveryRow, EventRow, TallyRow
from rapid_response.storage.tx import Tx
from rapid_response.storage.wire import Wire
from rapid_response.storage.work import LEASE, Waiting
from rapid_response.wiring import Handler
from tests.harness import Town
from tests.spine.conftest import Open

SUBSCRIPTIONS = {NoteAdded.type: ("count", "list"), TaskDone.type: ("count",)}


def note(database: Database, *ids: str, stream: str = "a") -> None:
    def step(tx: Tx) -> None:
        for note_id in ids:
            tx.record(stream, NoteAdded(note_id, "desk"))

    database.run_now(step)


def count(tx: Tx, rows: Sequence[EventRow]) -> None:
    """A handler whose effect shows how often it happened."""
    for heard in rows:
        row = tx.get(TallyRow, ("heard", heard.type), lock=True)
        if row is None:
            tx.add(TallyRow, name="heard", labels=heard.type, value=1)
        else:
            row.value += 1


def claim(database: Database, limit: int = 100) -> list[Waiting]:
    return database.run_now(lambda tx: work.claim_deliveries(tx, limit))


def deliver(database: Database, *waiting: Waiting, handler: Handler = count) -> None:
    """To each subscription its own, as the worker does."""
    for name in sorted({one.subscription for one in waiting}):
        mine = [one for one in waiting if one.subscription == name]
        database.run_now(partial(work.deliver, waiting=mine, handler=handler))


def heard(database: Database) -> float:
    """How many effects there were."""
    found = database.look_now(lambda c: c.execute(select(col(TallyRow.value))).scalars().all())
    return sum(found)


def left(database: Database) -> Sequence[str]:
    """The subscriptions that have something to hear yet, oldest first."""
    query = select(col(DeliveryRow.subscription)).order_by(col(DeliveryRow.id))
    return database.look_now(lambda c: c.execute(query).scalars().all())


@pytest.fixture
def database(opened: Open) -> Database:
    """With two who hear of notes, and one who hears of tasks."""
    return opened(SUBSCRIPTIONS)


# --- what is delivered ------------------------------------------------------------------------------------


def test_an_event_is_owed_to_each_that_subscribed_and_to_nobody_else(database: Database) -> None:
    def step(tx: Tx) -> None:
        tx.record("a", NoteAdded("1", "desk"))
        tx.record("a", WorkParked("ring", "KeyError"))
        tx.record("b", TaskDone("1", "check_back"))

    database.run_now(step)
    assert [(w.stream, w.seq, w.subscription) for w in claim(database)] == [
        ("a", 1, "count"),
        ("a", 1, "list"),
        ("b", 1, "count"),
    ]


def test_of_a_refused_step_nobody_hears(database: Database) -> None:
    def refused(tx: Tx) -> None:
        tx.record("a", NoteAdded("1", "desk"))
        tx.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.run_now(refused)
    assert left(database) == []


def test_a_handler_hears_its_events_as_they_were_recorded_in_the_order_of_each_stream(
    database: Database,
) -> None:
    note(database, "17", "18", stream="b")
    note(database, "19", stream="a")
    mine = [waiting for waiting in claim(database) if waiting.subscription == "count"]
    seen: list[tuple[str, int, str, str]] = []

    def hear(_: Tx, rows: Sequence[EventRow]) -> None:
        seen.extend((row.stream, row.seq, row.type, row.data) for row in rows)

    deliver(database, *reversed(mine), handler=hear)
    assert seen == [
        ("a", 1, "note_added", '{"note_id":"19","source":"desk"}'),
        ("b", 1, "note_added", '{"note_id":"17","source":"desk"}'),
        ("b", 2, "note_added", '{"note_id":"18","source":"desk"}'),
    ]
    assert left(database) == ["list"] * 3


def test_the_oldest_are_delivered_first_and_no_more_than_asked_for(database: Database) -> None:
    note(database, *"12345")
    assert [(w.seq, w.subscription) for w in claim(database, 3)] == [(1, "count"), (1, "list"), (2, "count")]
    assert len(claim(database)) == 7


# --- exactly once -----------------------------------------------------------------------------------------


def test_a_handler_that_fails_leaves_nothing_and_is_called_again(
    database: Database, clock: ManualClock
) -> None:
    note(database, "1")
    (waiting, _) = claim(database)
    calls: list[int] = []

    def fails_at_first(tx: Tx, rows: Sequence[EventRow]) -> None:
        calls.append(1)
        count(tx, rows)
        tx.flush()
        if len(calls) == 1:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        deliver(database, waiting, handler=fails_at_first)
    assert (heard(database), left(database)) == (0, ["count", "list"])
    assert not database.run_now(lambda tx: work.failed(tx, waiting, "ZeroDivisionError"))
    clock.advance(timedelta(seconds=1))
    (again,) = claim(database)
    deliver(database, again, handler=fails_at_first)
    assert (heard(database), left(database)) == (1, ["list"])


def test_a_commit_that_fails_undoes_the_effect_and_keeps_the_delivery(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handler was called, all was written, and then the commit was not to be had."""
    note(database, "1")
    (waiting, _) = claim(database)
    commit, commit_of_sqlite = Wire.commit, SqliteFile._commit
    failing = [True]

    def refuse(connection: Connection) -> None:
        if failing[0]:
            raise OperationalError("COMMIT", {}, Exception("disk I/O error"))
        commit_of_sqlite(connection)

    def refuse_on_the_wire(wire: Wire) -> None:
        if failing[0]:
            raise psycopg.errors.DiskFull("could not write")
        commit(wire)

    monkeypatch.setattr(SqliteFile, "_commit", staticmethod(refuse))
    monkeypatch.setattr(Wire, "commit", refuse_on_the_wire)
    with pytest.raises((DatabaseUnavailable, OperationalError)):
        deliver(database, waiting)
    failing[0] = False
    assert (heard(database), left(database)) == (0, ["count", "list"])
    deliver(database, waiting)
    assert (heard(database), left(database)) == (1, ["list"])


def test_a_node_that_dies_with_a_delivery_costs_a_lease_and_nothing_more(
    opened: Open, clock: ManualClock
) -> None:
    dying, living = opened(SUBSCRIPTIONS), opened(SUBSCRIPTIONS)
    note(dying, "1")
    assert len(claim(dying)) == 2
    dying.close_now()
    assert claim(living) == []
    clock.advance(LEASE)
    deliver(living, *claim(living))
    assert (heard(living), left(living)) == (2, [])


def test_a_node_that_slept_past_its_lease_changes_nothing(opened: Open, clock: ManualClock) -> None:
    sleeping, awake = opened(SUBSCRIPTIONS), opened(SUBSCRIPTIONS)
    note(awake, "1")
    (old, _) = claim(sleeping)
    clock.advance(LEASE)
    (new, _) = claim(awake)
    deliver(sleeping, old)
    assert heard(awake) == 0
    deliver(awake, new)
    deliver(sleeping, old)
    assert not sleeping.run_now(lambda tx: work.failed(tx, old, "late"))
    assert (heard(awake), left(awake)) == (1, ["list"])


def test_of_several_only_those_that_are_still_ones_own_are_heard(opened: Open, clock: ManualClock) -> None:
    sleeping, awake = opened(SUBSCRIPTIONS), opened(SUBSCRIPTIONS)
    note(awake, "1", "2")
    old = claim(sleeping)
    clock.advance(LEASE)
    deliver(awake, *claim(awake, 2))
    deliver(sleeping, *old)
    assert (heard(awake), left(awake)) == (4, [])


def test_two_nodes_that_deliver_the_same_at_once_have_one_effect(opened: Open) -> None:
    nodes = [opened(SUBSCRIPTIONS) for _ in range(3)]
    for n in range(8):
        note(nodes[0], f"{n}")
    for waiting in claim(nodes[0]):
        step = partial(work.deliver, waiting=[waiting], handler=count)
        for future in [node.submit(step) for node in nodes]:
            future.result(10)
    assert (heard(nodes[0]), left(nodes[0])) == (16, [])


def test_g15_four_nodes_deliver_everything_once(opened: Open) -> None:
    nodes = [opened(SUBSCRIPTIONS) for _ in range(4)]
    for n in range(30):
        note(nodes[0], "x", "y", stream=f"{n}")
    together = threading.Barrier(4)

    def keep_delivering(node: Database) -> None:
        together.wait(10)
        while found := claim(node, 9):
            deliver(node, *found)

    threads = [threading.Thread(target=keep_delivering, args=(node,)) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    deliver(nodes[0], *claim(nodes[0], 500))
    assert (heard(nodes[0]), left(nodes[0])) == (120, [])
    assert nodes[0].look_now(verify).broken is None


# --- what cannot be delivered -----------------------------------------------------------------------------


def test_g14_a_delivery_that_keeps_failing_is_parked_and_kept(database: Database, clock: ManualClock) -> None:
    note(database, "1")
    parked: list[bool] = []
    while not any(parked):
        (waiting, *others) = claim(database)
        deliver(database, *others)
        parked.append(database.run_now(lambda tx, w=waiting: work.failed(tx, w, "KeyError")))  # type: ignore[misc]
        clock.advance(timedelta(minutes=1))
    assert len(parked) == 5
    assert (claim(database), left(database), heard(database)) == ([], ["count"], 1)
    assert database.run_now(lambda tx: work.release_parked(tx, DeliveryRow, waiting.id))
    deliver(database, *claim(database))
    assert (heard(database), left(database)) == (2, [])


async def test_g14_what_no_handler_hears_is_parked_shown_and_in_nobodys_way(town: Town) -> None:
    """A subscription whose handler was renamed: kept until a person looks, while all else is counted."""
    incidents = select(col(EventRow.stream)).where(col(EventRow.type) == "report_received")
    report = await town.reports("A man at my mother's door says her roof is loose, he wants cash now.")
    incident_id = await town.app.database.look(lambda c: c.execute(incidents).scalar_one())

    def orphan(tx: Tx) -> None:
        tx.add(DeliveryRow, stream=incident_id, seq=1, subscription="nobody.hears")

    await town.app.database.run(orphan)
    for seconds in (0, 1, 5, 20, 60):
        town.clock.advance(timedelta(seconds=seconds))
        await town.settle()
    await town.reports("Somebody rang my father and wants his bank card.")
    assert await town.metric("contacts_total", channel="phone") == 2
    assert await town.metric("work_parked") == 1
    events = await town.events(report["reference"])
    assert [event["data"] for event in events if event["type"] == "work_parked"] == [
        {"kind": "delivery", "error": "LookupError"}
    ]
