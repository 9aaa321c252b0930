"""(c) Lateness of deadlines, and (d) what fell due while nobody served, after `kill -9`."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, func, insert, select, update
from sqlmodel import col

from bench import filling, serving
from bench.serving import Machine, Product, Server
from bench.shape import (
    Deadlines,
    Plan,
    Results,
    idles,
    naive_reports,
    none_lost,
    reports,
    settled,
    times,
    wait_until,
    warm,
    written,
)
from rapid_response.core.incident import Status
from rapid_response.sla.rules import Kind
from rapid_response.storage.records import table_of
from rapid_response.storage.tables import AgendaRow, EventRow, IncidentRow
from rapid_response.storage.tx import Tx

#: A warning is the first of its case; what is moot has a subject that nothing else has.
_SUBJECT_OF = {"warning": "0", "moot": "bench"}
_KIND_OF = {"warning": Kind.WARN, "moot": Kind.RETRY}
#: What stood on the agenda before.
_BEFORE = "bench"
#: By this, in a column that says nothing else of work that succeeds, overdue work is known.
_OVERDUE = "overdue"


# ---------------------------------------------------------------- (c) lateness


def lateness(machine: Machine, kind: str, plan: Plan, results: Results, folder: Path) -> None:
    """How long after its time a deadline's own step runs, as the product itself keeps it."""
    _lateness(machine, kind, plan.deadlines, results, folder)


def more_lateness(machine: Machine, kind: str, plan: Plan, results: Results, folder: Path) -> None:
    """The same, with more deadlines than a round has time for."""
    _lateness(machine, kind, plan.more_deadlines, results, folder)


def _lateness(
    machine: Machine, kind: str, plans: Sequence[Deadlines], results: Results, folder: Path
) -> None:
    bodies = written(folder, "reports.jsonl", reports())
    for plan in plans:
        with serving.product_database(machine, kind) as of, serving.product(of) as found:
            warm(of, found, bodies, 3)
            incidents = multiply(of, plan.count)
            before = serving.cpu_seconds([found.pid], of.url)
            first_in = 2.0 + plan.count / 10_000
            arm(of, plan.work, incidents, plan.spread, first_in)
            with _saturated(of, found, bodies, plan.clients, plan.spread + first_in):
                time.sleep(plan.spread)
                to_come = partial(_to_come, work=plan.work)
                every = 0.2 + plan.count / 50_000
                wait_until(lambda of=of, to_come=to_come: not of.database.look_now(to_come), 900, every)  # type: ignore[misc]
            cpu = serving.cpu_seconds([found.pid], of.url) - before
            late = of.database.look_now(partial(_late, work=plan.work))
            none_lost("deadlines", plan.count, len(late))
            if plan.work == "warning":
                none_lost("warnings", plan.count, of.database.look_now(_warnings))
            figures = {**times(late), "most": max(late) * 1e3}
            if not plan.clients:
                figures["cpu"] = cpu / plan.count * 1e3
            results.add(kind, plan.case, figures)


@contextmanager
def _saturated(of: Product, found: Server, bodies: Path, clients: int, seconds: float) -> Iterator[None]:
    """With so many clients posting as fast as they are answered."""
    if not clients:
        yield
        return
    url = f"{found.url}/api/v1/reports"
    posting = serving.posting(url, bodies, clients=clients, seconds=seconds, most=1_000_000, key=of.key)
    try:
        yield
        posting.communicate(timeout=seconds + 120)
    finally:
        if posting.poll() is None:
            posting.kill()
            posting.communicate()


def multiply(of: Product, count: int) -> list[str]:
    """So many running incidents, each with an owner: copies of one that was reported.

    Their two hours are armed with them: else the auditor would do so, or make a task of each.
    """

    def step(tx: Tx) -> list[str]:
        incidents = table_of(IncidentRow)
        template = dict(tx.execute(select(incidents).limit(1)).mappings().one())
        of_cases = update(AgendaRow).where(col(AgendaRow.incident_id) != "")
        tx.execute(of_cases.values(settled_at=tx.now, outcome=_BEFORE))
        template |= {"status": Status.ASSIGNED, "owner": "asha", "accepted_at": tx.now, "job_number": None}
        ids = [tx.ids.uuid() for _ in range(count)]
        rows = [{**template, "id": i, "reference": f"B{n:07}"} for n, i in enumerate(ids)]
        for at in range(0, count, 500):
            tx.execute(insert(incidents).values(rows[at : at + 500]))
        ends = tx.now + timedelta(hours=2)
        for incident in ids:
            tx.add(AgendaRow, incident_id=incident, kind=Kind.BREACH.value, due_at=ends, rank=1)
        return ids

    return of.database.run_now(step)


def arm(of: Product, work: str, incidents: Sequence[str], spread: float, first_in: float) -> None:
    """One deadline an incident, evenly over `spread` seconds from `first_in` seconds hence; see Deadlines."""

    def step(tx: Tx) -> None:
        first = tx.now + timedelta(seconds=first_in)
        for n, incident in enumerate(incidents):
            tx.add(
                AgendaRow,
                incident_id=incident,
                kind=_KIND_OF[work].value,
                subject=_SUBJECT_OF[work],
                due_at=first + timedelta(seconds=spread * n / len(incidents)),
                rank=1,
            )

    of.database.run_now(step)
    filling.leave_as_it_would_be(of)


def _ours(work: str) -> tuple[ColumnElement[bool], ...]:
    """What was armed here, and not before or by reports that came meanwhile."""
    return (
        col(AgendaRow.kind) == _KIND_OF[work].value,
        col(AgendaRow.subject) == _SUBJECT_OF[work],
        col(AgendaRow.outcome).is_distinct_from(_BEFORE),
    )


def _to_come(connection: Connection, work: str) -> int:
    waiting = select(func.count()).where(*_ours(work), col(AgendaRow.settled_at).is_(None))
    return connection.execute(waiting).scalar_one()


def _late(connection: Connection, work: str) -> list[float]:
    rows = connection.execute(select(col(AgendaRow.late_seconds)).where(*_ours(work)))
    return [late for late in rows.scalars() if late is not None]


def _warnings(connection: Connection) -> int:
    return connection.execute(
        select(func.count()).where(col(EventRow.type) == "deadline_warned")
    ).scalar_one()


# ---------------------------------------------------------------- (d) restart


def restart(machine: Machine, kind: str, plan: Plan, results: Results, folder: Path) -> None:
    """From the start of the process until what fell due meanwhile is done: its first, and all of it."""
    bodies = written(folder, "reports.jsonl", reports())
    with serving.baseline(machine, "async", kind) as (found, _):
        serving.post(f"{found.url}/reports", written(folder, "naive.jsonl", naive_reports()), seconds=0.5)
        results.add(kind, "N start", {"start": found.started_in})
    with serving.product_database(machine, kind) as of:
        with serving.product(of) as found:
            _, (_, assigned) = filling.worked(of, found, lambda: settled(of))
            warm(of, found, bodies, 3)
            each = of.database.look_now(partial(_armed_of, incident_id=assigned))
            copies = max(plan.armed // each, plan.overdue)
            filling.grow(of, range(copies), copies, (), (assigned,), open_one_in=1)
            time.sleep(2.0)
            os.kill(found.pid, signal.SIGKILL)
        _fall_due(of, of.database.look_now(_owned)[: plan.overdue])
        began = time.time()
        with serving.product(of) as found:
            wait_until(lambda: of.database.look_now(_overdue_done) == plan.overdue, 300)
            settled_at = of.database.look_now(_settled_overdue)
            settled(of)
            none_lost("warnings", plan.overdue, of.database.look_now(_warnings))
            idle = idles(of, found, plan.idle / 2)
            results.add(
                kind,
                "restart",
                {
                    "start": found.started_in,
                    "first": settled_at[0][0] - began,
                    "all": settled_at[-1][0] - began,
                    "before more urgent": _out_of_order(settled_at),
                    "idle": idle * 100,
                    "rss": serving.rss_mib(found.pid),
                },
            )


def _armed_of(connection: Connection, incident_id: str) -> int:
    armed = select(func.count()).where(
        col(AgendaRow.incident_id) == incident_id, col(AgendaRow.settled_at).is_(None)
    )
    return connection.execute(armed).scalar_one()


def _owned(connection: Connection) -> list[str]:
    chosen = select(col(IncidentRow.id)).where(col(IncidentRow.status) == Status.ASSIGNED)
    return list(connection.execute(chosen.order_by(col(IncidentRow.id))).scalars())


def _fall_due(of: Product, incidents: Sequence[str]) -> None:
    """Their first warnings fell due in the last minute, of three degrees of danger."""

    def step(tx: Tx) -> None:
        for n, incident in enumerate(incidents):
            first = (
                col(AgendaRow.incident_id) == incident,
                col(AgendaRow.kind) == Kind.WARN.value,
                col(AgendaRow.subject) == "0",
            )
            due_at = tx.now - timedelta(seconds=60 - 50 * n / len(incidents))
            tx.execute(update(AgendaRow).where(*first).values(due_at=due_at, rank=1 + n % 3, error=_OVERDUE))

    of.database.run_now(step)


def _overdue_done(connection: Connection) -> int:
    done = select(func.count()).where(
        col(AgendaRow.error) == _OVERDUE, col(AgendaRow.settled_at).is_not(None)
    )
    return connection.execute(done).scalar_one()


def _settled_overdue(connection: Connection) -> list[tuple[float, int]]:
    rows = connection.execute(
        select(col(AgendaRow.settled_at), col(AgendaRow.rank))
        .where(col(AgendaRow.error) == _OVERDUE)
        .order_by(col(AgendaRow.settled_at))
    )
    return [(row.settled_at.timestamp(), row.rank) for row in rows]


def _out_of_order(done: Sequence[tuple[float, int]], together: int = 50) -> int:
    """How many were done before more urgent ones, beyond the batch in which they were claimed."""
    return sum(any(later < rank for _, later in done[n + together :]) for n, (_, rank) in enumerate(done))
