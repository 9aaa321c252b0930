"""Speed from shape: urgent steps take turns, idle loops rest, and no large table is ever gone through."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, event

from rapid_response.audit.looking import Moment, audit
from rapid_response.core.states import Purpose
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import sending
from rapid_response.steps.outbox import queue
from rapid_response.storage import work
from rapid_response.storage.database import Database
from rapid_response.storage.jobs import Step
from rapid_response.storage.tables import AgendaRow, DeliveryRow, MessageRow
from rapid_response.storage.tx import Tx
from rapid_response.storage.waiting import glance
from tests.conftest import NOON
from tests.harness import ASHA, Town
from tests.journeys.browser import on_sqlite
from tests.spine.conftest import Open

#: Tables that grow with every report, and are never emptied.
LARGE = (
    *("incidents", "reports", "identifiers", "offers", "agenda", "messages", "attempts", "provider_events"),
    *("events", "chains", "outcomes", "notices", "visits", "calls", "inbound_messages", "access_log"),
    *("corrections", "sealed_heads"),
)
#: Indexes that hold only what is open, live or still to be done: these may be gone through.
SMALL = (
    *("ix_incidents_open", "ix_incidents_undecided", "ix_offers_live", "ix_chains_unsealed"),
    *("ix_provider_events_to_count", "ix_inbound_messages_to_count", "ix_access_log_unsealed"),
    *("ix_referrals_unanswered", "ix_agenda_due", "ix_messages_next", "ix_calls_inbound"),
)
_SCAN = re.compile(rf"SCAN (?:{'|'.join(LARGE)})\b(?: USING (?:COVERING )?INDEX (\w+))?")


@contextmanager
def statements() -> Iterator[dict[str, Any]]:
    """What is asked of the database meanwhile, each with the values of one time."""
    asked: dict[str, Any] = {}

    def keep(_connection: Any, _cursor: Any, words: str, values: Any, _context: Any, many: bool) -> None:
        if not many and words.startswith(("SELECT", "UPDATE", "DELETE")):
            asked.setdefault(words, values)

    event.listen(Engine, "before_cursor_execute", keep)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", keep)


def goes_through(town: Town, asked: dict[str, Any]) -> list[str]:
    """The statements for which SQLite would go through a table that only grows."""
    found = []
    with town.app.database.engine().connect() as connection:
        driver: Any = connection.connection.driver_connection
        for words, values in asked.items():
            plan = [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {words}", values)]
            scans = [scan.group(1) for step in plan for scan in _SCAN.finditer(step)]
            if any(index not in SMALL for index in scans):
                found.append(f"{words}\n  {plan}")
    return found


@on_sqlite
async def test_what_runs_by_itself_and_a_report_go_through_no_table_that_grows(town: Town) -> None:
    # SQLite chooses by the words of a query; PostgreSQL by what it counted in the tables.
    app = town.app
    await town.reports("There is a man at my mother's door who wants 3000 pounds for her roof.")
    with statements() as asked:
        await town.reports("Somebody rang and said he was from the bank; she has paid.")
        await town.pass_time(minutes=6)
        await app.worker.sweep()
        await app.worker.provided.catch_up()
        await app.worker.seal()
        await app.database.run(glance)
        await app.database.look(lambda c: audit(c, Moment(town.clock.now(), town.clock.real())))
        assert (await town.http.get("/metrics")).status_code == 200
        for filters in ("status=assigned", "overdue=true"):
            assert (await town.http.get(f"/api/v1/incidents?{filters}")).status_code == 200
    assert len(asked) > 100
    assert goes_through(town, asked) == []


def test_a_claim_looks_at_no_more_than_it_takes(opened: Open) -> None:
    database = opened()
    entries = [Deadline(Kind.RUNG, NOON, f"{n}") for n in range(2000)]
    database.run_now(lambda tx: work.arm(tx, "somebody's", 1, 1, entries))
    analyze(database)
    with statements() as asked:
        assert len(database.run_now(lambda tx: work.claim_due(tx, 10))) == 10
    # The last asks only of the cases of those ten whether another node has something earlier of them in hand.
    *claiming, _ = asked.items()
    assert len(claiming) == 2
    assert_by_index(database, dict(claiming), "agenda", "ix_agenda_due")


async def test_a_claim_of_messages_looks_at_no_more_than_it_takes(town: Town) -> None:
    database, desk = town.app.database, town.app.desk

    def write(tx: Tx) -> None:
        for _ in range(20):
            key = tx.ids.uuid()
            queue(tx, key=key, purpose=Purpose.TEST, to_number=ASHA, recipient="", body="", is_new=True)

    for _ in range(100):
        await database.run(write)
        town.clock.advance(timedelta(seconds=1))
    analyze(database)
    with statements() as asked:
        found = await database.run(lambda tx: sending.look_for_work(tx, desk, 8))
        await database.run(glance)
    assert len(found.claimed) == 8
    of_messages = {words: values for words, values in asked.items() if "messages.rank = " in words}
    assert len(of_messages) == 2
    assert_by_index(database, of_messages, "messages", "ix_messages_ready")
    at_a_glance = {words: values for words, values in asked.items() if "min(messages.next" in words}
    assert len(at_a_glance) == 1
    assert_by_index(database, at_a_glance, "messages", "ix_messages_next")


def analyze(database: Database) -> None:
    """Have PostgreSQL count: where most of a table is due, it would go through it for any one."""
    with database.engine().begin() as connection:
        connection.exec_driver_sql("ANALYZE")


def assert_by_index(database: Database, asked: dict[str, Any], table: str, index: str) -> None:
    """However much is due, of whatever degree: each is the beginning of one index, on PostgreSQL too."""
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    with database.engine().connect() as connection:
        for words, values in asked.items():
            plan = "\n".join(str(row) for row in connection.exec_driver_sql(f"{explain} {words}", values))
            # The rows of so few ids may be had in any way.
            looked = plan if words.startswith("SELECT") else plan[max(0, plan.find("Limit")) :]
            assert index in looked, plan
            assert not re.search(rf"Seq Scan on {table}|SCAN {table}|B-TREE FOR ORDER BY", looked), plan


async def test_a_glance_says_when_the_next_thing_falls_due(town: Town) -> None:
    assert (await town.app.database.run(glance)).send_at is None
    await town.post("/api/v1/reports", {"channel": "phone", "narrative": "A man is at the door now."})
    seen = await town.app.database.run(glance)
    assert seen.delivers
    assert seen.send_at == min(
        m.next_attempt_at for m in await town.rows(MessageRow) if m.next_attempt_at is not None
    )
    assert seen.ring_at == min(
        e.due_at for e in await town.rows(AgendaRow) if e.settled_at is None and e.parked_at is None
    )
    await town.settle()
    seen = await town.app.database.run(glance)
    assert not seen.delivers
    assert not await town.rows(DeliveryRow)


@on_sqlite
def test_urgent_steps_take_turns_with_what_waits(opened: Open) -> None:
    database = opened()
    # On PostgreSQL they have threads of their own.
    begun, may_go_on = threading.Event(), threading.Event()
    order: list[str] = []

    def first(_: Tx) -> None:
        begun.set()
        assert may_go_on.wait(10)

    def says(word: str) -> Step[None]:
        return lambda _: order.append(word)

    waiting = [database.submit(first)]
    assert begun.wait(10)
    waiting += [database.submit(says(f"report {n}")) for n in range(4)]
    waiting += [database.submit(says(f"text {n}"), urgent=True) for n in range(2)]
    may_go_on.set()
    for future in waiting:
        future.result(10)
    assert order == ["text 0", "report 0", "text 1", "report 1", "report 2", "report 3"]


def test_what_is_urgent_is_done_before_the_end(opened: Open) -> None:
    database = opened()
    begun, may_go_on = threading.Event(), threading.Event()

    def first(_: Tx) -> None:
        begun.set()
        assert may_go_on.wait(10)

    waiting = [database.submit(first)]
    assert begun.wait(10)
    waiting += [database.submit(lambda _: None, urgent=True) for _ in range(3)]
    closing = threading.Thread(target=database.close_now)
    closing.start()
    may_go_on.set()
    closing.join(10)
    assert not closing.is_alive()
    assert all(future.done() and future.exception() is None for future in waiting)
