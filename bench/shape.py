"""The spine's shape: intake, report to text, lateness; on SQLite and PostgreSQL, beside two baselines.

Every round measures every case once, so that neighbours' load meets all alike; medians of the rounds are
printed. Reports that were answered with 201 are counted against the rows: one that is missing fails the run.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, func, insert, select, text, update
from sqlmodel import col

from bench import serving
from bench.serving import Machine, Product
from rapid_response.core.incident import Status
from rapid_response.sla.rules import Kind
from rapid_response.storage.tables import (
    AgendaRow,
    EventRow,
    IncidentRow,
    MessageRow,
    ReportRow,
)
from rapid_response.storage.tx import Tx, table_of

KINDS = ("sqlite", "postgresql")
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rounds: int = 3
    seconds: float = 4.0
    warm_up: float = 1.0
    clients: tuple[int, ...] = (1, 8, 32)
    #: Report to text: reports a second, and for how many seconds.
    paces: tuple[tuple[str, float, float], ...] = (("idle (1/s)", 1.0, 12.0), ("5/s", 5.0, 20.0))
    #: Deadlines: their kind of work, how many, over how many seconds.
    deadlines: tuple[tuple[str, int, float], ...] = (
        ("warning", 1_000, 20.0),
        ("moot", 1_000, 20.0),
        ("moot", 10_000, 60.0),
    )


QUICK = Plan(
    rounds=1,
    seconds=1.0,
    warm_up=0.3,
    clients=(8,),
    paces=(("5/s", 5.0, 2.0),),
    deadlines=(("warning", 50, 2.0),),
)

# ---------------------------------------------------------------- what is posted

_SAID = (
    "Two men are on my mother's roof now. They say the tiles are loose and want 3000 pounds in cash today. ",
    "My mother paid a man who knocked and said her gutters were loose. He has gone, she is upset. ",
    "She sent money by bank transfer to somebody who rang and said he was from her bank this morning. ",
)
_ANSWERS: tuple[dict[str, bool], ...] = (
    {"suspect_on_premises": True, "demands_money_now": True},
    {"paid_within_24h": True, "suspect_on_premises": False},
    {"paid_within_24h": True},
)


def reports() -> Iterator[dict[str, Any]]:
    """Reports as they come: three stories, each of about 500 bytes."""
    for said, answers in zip(_SAID, _ANSWERS, strict=True):
        yield {
            "channel": "phone",
            "narrative": (said * 5)[:330],
            "location": {"ward": "Bromley Town", "postcode": "BR1 3UH"},
            "victim": {"age": 81, "lives_alone": True},
            "answers": answers,
        }


def naive_reports() -> Iterator[dict[str, Any]]:
    """The same words, in the baselines' own shape and of the same size."""
    for said in _SAID:
        yield {
            "channel": "phone",
            "narrative": (said * 5)[:380],
            "ward": "Bromley Town",
            "postcode": "BR1 3UH",
            "loss_pence": 120000,
            "vulnerable": True,
        }


def written(folder: Path, name: str, bodies: Iterator[dict[str, Any]]) -> Path:
    """The bodies in a file, one a line."""
    path = folder / name
    path.write_text("".join(json.dumps(body) + "\n" for body in bodies))
    return path


# ---------------------------------------------------------------- figures


def share(values: Sequence[float], percent: float) -> float:
    """Nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(percent) // 100) - 1)] if ordered else float("nan")


def times(seconds: Sequence[float]) -> Figures:
    """Percentiles in milliseconds."""
    return {"p50": share(seconds, 50) * 1e3, "p99": share(seconds, 99) * 1e3}


@dataclass(slots=True)
class Results:
    """All rounds of all cases."""

    seen: dict[tuple[str, str], list[Figures]] = field(default_factory=dict)

    def add(self, kind: str, case: str, figures: Figures) -> None:
        """Keep one round of one case."""
        self.seen.setdefault((kind, case), []).append(figures)

    def median(self, kind: str, case: str, figure: str) -> float:
        """The median of a figure over the rounds; nothing where the case was not run."""
        rounds = self.seen.get((kind, case), [])
        return statistics.median(r[figure] for r in rounds) if rounds else float("nan")


# ---------------------------------------------------------------- (a) intake

_COUNT: dict[str, Callable[[Connection], int]] = {
    "product": lambda c: c.execute(select(func.count()).select_from(table_of(ReportRow))).scalar_one(),
    "naive": lambda c: c.execute(text("SELECT count(*) FROM naive_incidents")).scalar_one(),
}


def saturate(
    url: str, pid: int, bodies: Path, clients: int, plan: Plan, database_url: str, key: str = ""
) -> tuple[Figures, int]:
    """Post as fast as is answered; the figures, and how many were acknowledged in all."""
    warm = serving.post(url, bodies, clients=clients, seconds=plan.warm_up, key=key)
    before = serving.cpu_seconds(pid, database_url)
    seen = serving.post(url, bodies, clients=clients, seconds=plan.seconds, key=key)
    cpu = serving.cpu_seconds(pid, database_url) - before
    figures = {
        "rate": seen["answered"] / seen["seconds"],
        "cpu": cpu / max(1, seen["answered"]) * 1e3,
        **times(seen["took"]),
    }
    return figures, seen["answered"] + warm["answered"]


def baselines(machine: Machine, kind: str, plan: Plan, results: Results, folder: Path) -> None:
    """T once a round, and N on this kind of database."""
    bodies = written(folder, "naive.jsonl", naive_reports())
    if kind == KINDS[0]:
        with serving.baseline(machine, "trivial") as (found, _):
            for clients in plan.clients:
                figures, _ = saturate(f"{found.url}/reports", found.pid, bodies, clients, plan, "")
                results.add("", f"T {clients}", figures)
    with serving.baseline(machine, "naive", kind) as (found, url):
        acknowledged = 0
        for clients in plan.clients:
            figures, answered = saturate(f"{found.url}/reports", found.pid, bodies, clients, plan, url)
            results.add(kind, f"N {clients}", figures)
            acknowledged += answered
        results.add(kind, "N process", {"start": found.started_in, "rss": serving.rss_mib(found.pid)})
        engine = create_engine(url)
        with engine.connect() as connection:
            none_lost("N", acknowledged, _COUNT["naive"](connection))
        engine.dispose()


def intake(machine: Machine, kind: str, plan: Plan, results: Results, folder: Path) -> None:
    """The product: everything of a report in one durable commit; without its worker, and whole."""
    bodies = written(folder, "reports.jsonl", reports())
    for works in (False, True):
        with serving.product_database(machine, kind) as of, serving.product(of, works=works) as found:
            acknowledged = 0
            for clients in plan.clients:
                url = f"{found.url}/api/v1/reports"
                figures, answered = saturate(url, found.pid, bodies, clients, plan, of.url, of.key)
                results.add(kind, f"{'whole' if works else 'intake'} {clients}", figures)
                acknowledged += answered
            if works:
                memory = serving.rss_mib(found.pid)
                results.add(kind, "process", {"start": found.started_in, "rss": memory})
            none_lost("intake", acknowledged, of.database.look_now(_COUNT["product"]))


def none_lost(what: str, acknowledged: int, stored: int) -> None:
    """A fast number with a lost report is a failure."""
    if stored != acknowledged:
        raise SystemExit(f"{what}: {acknowledged} reports were acknowledged and {stored} are stored")


# ---------------------------------------------------------------- (b) report to text


def report_to_text(machine: Machine, kind: str, plan: Plan, results: Results, folder: Path) -> None:
    """From before a report is sent until the provider's answer to its first text is on record."""
    bodies = written(folder, "reports.jsonl", reports())
    for name, rate, seconds in plan.paces:
        with serving.product_database(machine, kind) as of, serving.product(of) as found:
            url = f"{found.url}/api/v1/reports"
            serving.post(url, bodies, clients=1, seconds=10, most=6, key=of.key)
            wait_until(lambda of=of: not of.database.look_now(_unsent), 60)  # type: ignore[misc]
            before = serving.cpu_seconds(found.pid, of.url)
            seen = serving.post(url, bodies, rate=rate, seconds=seconds, key=of.key)
            sent_at = dict(seen["acknowledged"])
            wait_until(lambda of=of: not of.database.look_now(_unsent), 120)  # type: ignore[misc]
            handed = of.database.look_now(_handed_over)
            cpu = serving.cpu_seconds(found.pid, of.url) - before
            took = [handed[reference] - wall for reference, wall in sent_at.items() if reference in handed]
            none_lost("texts", len(sent_at), len(took))
            figures = {**times(took), "answer p50": share(seen["took"], 50) * 1e3, "most": max(took) * 1e3}
            results.add(kind, f"text {name}", {**figures, "cpu": cpu / len(took) * 1e3})


def _unsent(connection: Connection) -> int:
    waiting = select(func.count()).where(
        col(MessageRow.state).in_(("pending", "retry_wait", "sending", "unknown"))
    )
    return connection.execute(waiting).scalar_one()


def _handed_over(connection: Connection) -> dict[str, float]:
    """By reference: when the first offer was taken by the provider, in wall-clock seconds."""
    rows = connection.execute(
        select(col(IncidentRow.reference), col(EventRow.at), col(EventRow.data))
        .join_from(EventRow, IncidentRow, col(IncidentRow.id) == col(EventRow.stream))
        .where(col(EventRow.type) == "message_accepted")
        .order_by(col(EventRow.stream), col(EventRow.seq))
    )
    found: dict[str, float] = {}
    for row in rows:
        if json.loads(row.data)["purpose"] == "offer":
            found.setdefault(row.reference, row.at.timestamp())
    return found


def wait_until(check: Callable[[], bool], within: float) -> None:
    """Ask until it is so."""
    give_up_at = time.monotonic() + within
    while not check():
        if time.monotonic() > give_up_at:
            raise SystemExit(f"not done within {within:g} seconds")
        time.sleep(0.1)


# ---------------------------------------------------------------- (c) lateness


def lateness(machine: Machine, kind: str, plan: Plan, results: Results, folder: Path) -> None:
    """How long after its time a deadline's own step runs, as the product itself keeps it."""
    bodies = written(folder, "reports.jsonl", reports())
    for work, count, spread in plan.deadlines:
        with serving.product_database(machine, kind) as of, serving.product(of) as found:
            url = f"{found.url}/api/v1/reports"
            serving.post(url, bodies, clients=1, seconds=10, most=3, key=of.key)
            wait_until(lambda of=of: not of.database.look_now(_unsent), 60)  # type: ignore[misc]
            incidents = multiply(of, count)
            before = serving.cpu_seconds(found.pid, of.url)
            arm(of, work, incidents, spread)
            time.sleep(spread)
            wait_until(lambda of=of, work=work: not of.database.look_now(_to_come), 180)  # type: ignore[misc]
            cpu = serving.cpu_seconds(found.pid, of.url) - before
            late = of.database.look_now(_late)
            none_lost("deadlines", count, len(late))
            if work == "warning":
                none_lost("warnings", count, of.database.look_now(_warnings))
            figures = {**times(late), "most": max(late) * 1e3, "cpu": cpu / count * 1e3}
            results.add(kind, late_case(work, count, spread), figures)


def late_case(work: str, count: int, spread: float) -> str:
    """The name of a case of lateness."""
    return f"late {work} {count} in {spread:g} s"


def multiply(of: Product, count: int) -> list[str]:
    """So many running incidents, each with an owner: copies of one that was reported."""

    def step(tx: Tx) -> list[str]:
        incidents = table_of(IncidentRow)
        template = dict(tx.execute(select(incidents).limit(1)).mappings().one())
        tx.execute(update(AgendaRow).values(settled_at=tx.now, outcome="bench"))
        template |= {"status": Status.ASSIGNED, "owner": "asha", "accepted_at": tx.now}
        ids = [tx.ids.uuid() for _ in range(count)]
        rows = [{**template, "id": i, "reference": f"B{n:07}", "job_number": None} for n, i in enumerate(ids)]
        for at in range(0, count, 500):
            tx.execute(insert(incidents).values(rows[at : at + 500]))
        return ids

    return of.database.run_now(step)


def arm(of: Product, work: str, incidents: Sequence[str], spread: float) -> None:
    """One deadline an incident, evenly over `spread` seconds from two seconds hence.

    `warning`: the owner is texted and it is recorded. `moot`: the case has moved on, so that the entry is
    claimed, its incident locked and looked at, and the entry settled.
    """

    def step(tx: Tx) -> None:
        first = tx.now + timedelta(seconds=2)
        for n, incident in enumerate(incidents):
            at: datetime = first + timedelta(seconds=spread * n / len(incidents))
            tx.add(AgendaRow, incident_id=incident, kind=_KIND_OF[work].value, subject="0", due_at=at, rank=1)

    of.database.run_now(step)


_KIND_OF = {"warning": Kind.WARN, "moot": Kind.RETRY}
#: What was armed here, and not by the reports from which the incidents were copied.
_ARMED = (
    col(AgendaRow.kind).in_([kind.value for kind in _KIND_OF.values()]),
    col(AgendaRow.outcome).is_distinct_from("bench"),
)


def _to_come(connection: Connection) -> int:
    waiting = select(func.count()).where(*_ARMED, col(AgendaRow.settled_at).is_(None))
    return connection.execute(waiting).scalar_one()


def _late(connection: Connection) -> list[float]:
    rows = connection.execute(select(col(AgendaRow.late_seconds)).where(*_ARMED))
    return [late for late in rows.scalars() if late is not None]


def _warnings(connection: Connection) -> int:
    return connection.execute(
        select(func.count()).where(col(EventRow.type) == "deadline_warned")
    ).scalar_one()


CASES = {"baselines": baselines, "intake": intake, "text": report_to_text, "late": lateness}
