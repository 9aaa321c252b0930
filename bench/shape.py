"""The spine's shape, (a) intake and (b) report to text: on SQLite and PostgreSQL, beside two baselines.

Every round measures every case once, so that neighbours' load meets all alike; medians of the rounds are
printed. Reports that were answered with 201 are counted against the rows: one that is missing fails the run.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, func, select, text
from sqlmodel import SQLModel, col

from bench import serving
from bench.floor import new_rows, rows_of
from bench.provider import RECEIPTS_WITHIN, provider
from bench.serving import Machine, Product, Server
from rapid_response.storage.records import table_of
from rapid_response.storage.tables import (
    EventRow,
    IncidentRow,
    MessageRow,
    ReportRow,
)

KINDS = ("sqlite", "postgresql")
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """So many deadlines over so many seconds, while so many clients post as fast as they are answered.

    `warning`: the owner is texted and it is recorded. `moot`: the case has moved on, so that the entry is
    claimed, its incident locked and looked at, and the entry settled.
    """

    work: str
    count: int
    spread: float
    clients: int = 0

    @property
    def case(self) -> str:
        """Its name among the results."""
        return f"late {self.work} {self.count} in {self.spread:g} s beside {self.clients}"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rounds: int = 3
    seconds: float = 3.0
    warm_up: float = 1.0
    clients: tuple[int, ...] = (1, 8, 32)
    #: Report to text: reports a second, and for how many seconds.
    paces: tuple[tuple[str, float, float], ...] = (
        ("idle (1/s)", 1.0, 10.0),
        ("5/s", 5.0, 15.0),
        ("50/s", 50.0, 12.0),
    )
    #: For how long intake is saturated while texts go out.
    saturated: float = 60.0
    deadlines: tuple[Deadlines, ...] = (
        Deadlines("warning", 1_000, 10.0),
        Deadlines("moot", 10_000, 60.0),
        Deadlines("moot", 1_000, 0.0),
        Deadlines("moot", 10_000, 0.0),
        Deadlines("moot", 1_000, 10.0, clients=32),
    )
    #: Measured only when asked for: each takes minutes.
    more_deadlines: tuple[Deadlines, ...] = (
        Deadlines("warning", 10_000, 60.0),
        Deadlines("moot", 10_000, 60.0, clients=32),
        Deadlines("moot", 100_000, 60.0),
        Deadlines("moot", 100_000, 0.0),
    )
    #: The restart: how much is armed for later, and how much fell due while nobody served.
    armed: int = 100_000
    overdue: int = 1_000
    nodes: tuple[int, ...] = (1, 2, 3)
    #: Growth: how many incidents there are, and for how long an idle service is watched.
    sizes: tuple[int, ...] = (1_000, 1_000_000)
    idle: float = 60.0


QUICK = Plan(
    rounds=1,
    seconds=1.0,
    warm_up=0.3,
    clients=(8,),
    paces=(("5/s", 5.0, 2.0),),
    saturated=3.0,
    deadlines=(
        Deadlines("warning", 50, 2.0),
        Deadlines("moot", 100, 0.0),
        Deadlines("moot", 50, 1.0, clients=8),
    ),
    more_deadlines=(Deadlines("moot", 500, 0.0),),
    armed=500,
    overdue=20,
    nodes=(1, 2),
    sizes=(100, 2_000),
    idle=5.0,
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

    def has(self, kind: str, case: str) -> bool:
        """Whether that was measured."""
        return (kind, case) in self.seen

    def median(self, kind: str, case: str, figure: str) -> float:
        """The median of a figure over the rounds; nothing where the case was not run."""
        rounds = self.seen.get((kind, case), [])
        return statistics.median(r.get(figure, float("nan")) for r in rounds) if rounds else float("nan")


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
    before = serving.cpu_seconds([pid], database_url)
    seen = serving.post(url, bodies, clients=clients, seconds=plan.seconds, key=key)
    cpu = serving.cpu_seconds([pid], database_url) - before
    figures = {
        "rate": seen["answered"] / seen["seconds"],
        "cpu": cpu / max(1, seen["answered"]) * 1e3,
        **times(seen["took"]),
    }
    return figures, seen["answered"] + warm["answered"]


def baselines(machine: Machine, kind: str, plan: Plan, results: Results, folder: Path) -> None:
    """T once a round, and N and D on this kind of database."""
    bodies = written(folder, "naive.jsonl", naive_reports())
    if kind == KINDS[0]:
        with serving.baseline(machine, "trivial") as (found, _):
            for clients in plan.clients:
                figures, _ = saturate(f"{found.url}/reports", found.pid, bodies, clients, plan, "")
                results.add("", f"T {clients}", figures)
    for name, mode in (("N", "async"), ("D", "def")):
        with serving.baseline(machine, mode, kind) as (found, url):
            acknowledged = 0
            for clients in plan.clients:
                figures, answered = saturate(f"{found.url}/reports", found.pid, bodies, clients, plan, url)
                results.add(kind, f"{name} {clients}", figures)
                acknowledged += answered
            memory = serving.rss_mib(found.pid)
            results.add(kind, f"{name} process", {"start": found.started_in, "rss": memory})
            engine = create_engine(url)
            with engine.connect() as connection:
                none_lost(name, acknowledged, _COUNT["naive"](connection))
            engine.dispose()


def floor(machine: Machine, kind: str, plan: Plan, results: Results, folder: Path) -> None:
    """F: the same rows, and nothing decided (:mod:`bench.floor`)."""
    bodies = written(folder, "reports.jsonl", reports())
    with serving.product_database(machine, kind) as of:
        rows = folder / "rows.json"
        with serving.product(of, works=False) as found:
            before = of.database.look_now(_all_rows)
            serving.post(f"{found.url}/api/v1/reports", bodies, clients=1, seconds=5, most=1, key=of.key)
            rows.write_text(json.dumps(new_rows(before, of.database.look_now(_all_rows))))
        arguments = ["-m", "uvicorn", "bench.floor:app", "--no-access-log", "--log-level", "warning"]
        settings = {"BENCH_URL": of.url, "BENCH_ROWS": str(rows)}
        with serving.server(arguments, "/", **settings) as found:
            acknowledged = 1
            for clients in plan.clients:
                figures, answered = saturate(f"{found.url}/reports", found.pid, bodies, clients, plan, of.url)
                results.add(kind, f"F {clients}", figures)
                acknowledged += answered
            none_lost("F", acknowledged, of.database.look_now(_COUNT["product"]))


def _all_rows(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    return rows_of(connection, [table.name for table in SQLModel.metadata.sorted_tables])


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
    """From before a report is sent until the provider's answer to its first text is on record.

    Processor time is taken twice: until the texts are handed over, with a provider that sends no receipts;
    and with all that its receipts make.
    """
    bodies = written(folder, "reports.jsonl", reports())
    for name, rate, seconds in plan.paces:
        for tells in (False, True):
            with (
                provider(tells=tells) as network,
                serving.product_database(machine, kind) as of,
                serving.product(of, texts_by=network) as found,
            ):
                url = f"{found.url}/api/v1/reports"
                warm(of, found, bodies, 6)
                before = serving.cpu_seconds([found.pid], of.url)
                seen = serving.post(url, bodies, rate=rate, seconds=seconds, key=of.key)
                sent_at = dict(seen["acknowledged"])
                settled(of)
                if tells:
                    time.sleep(RECEIPTS_WITHIN)
                cpu = serving.cpu_seconds([found.pid], of.url) - before
                handed = {reference: at for reference, _, at in of.database.look_now(handed_over)}
                took = [
                    handed[reference] - wall for reference, wall in sent_at.items() if reference in handed
                ]
                none_lost("texts", len(sent_at), len(took))
                figures = {"cpu": cpu / len(took) * 1e3}
                if tells:
                    figures |= {**times(took), "most": max(took) * 1e3}
                results.add(kind, f"text {name}" if tells else f"text {name}, no receipts", figures)


def saturated(machine: Machine, kind: str, plan: Plan, results: Results, folder: Path) -> None:
    """Texts while 32 clients post as fast as they are answered: the first, the most dangerous, the others.

    One report in ten is of the most dangerous kind.
    """
    dangerous, *others = reports()
    mixed = [dangerous, *(others[n % len(others)] for n in range(9))]
    bodies = written(folder, "mixed.jsonl", iter(mixed))
    with (
        provider() as network,
        serving.product_database(machine, kind) as of,
        serving.product(of, texts_by=network) as found,
    ):
        url = f"{found.url}/api/v1/reports"
        warm(of, found, bodies, 10)
        before = {reference for reference, _, _ in of.database.look_now(handed_over)}
        began = time.time()
        seen = serving.post(url, bodies, clients=32, seconds=plan.saturated, most=1_000_000, key=of.key)
        ended = began + seen["seconds"]
        sent_at = dict(seen["acknowledged"])
        time.sleep(1.0)  # the last reports of the minute
        handed = [h for h in of.database.look_now(handed_over) if h[0] not in before]
        ranks = of.database.look_now(_ranks)
        first = min((at for _, _, at in handed), default=float("nan"))
        top = min(ranks[reference] for reference in sent_at)
        urgent = {reference for reference in sent_at if ranks[reference] == top}
        took = [at - sent_at[reference] for reference, _, at in handed if reference in urgent]
        none_lost("intake", seen["answered"], of.database.look_now(_COUNT["product"]) - 10)
        results.add(
            kind,
            "saturated",
            {
                **times(took),
                "rate": seen["answered"] / seen["seconds"],
                "first": first - began,
                "texts": sum(began <= at <= ended for _, _, at in handed) / seen["seconds"],
                "urgent": len(urgent),
                "urgent texted": len(took) / max(1, len(urgent)),
                "others texted": (len(handed) - len(took)) / max(1, len(sent_at) - len(urgent)),
            },
        )


def warm(of: Product, found: serving.Server, bodies: Path, count: int) -> None:
    """A few reports first, and their texts: what is loaded or compiled once is not measured."""
    url = f"{found.url}/api/v1/reports"
    serving.post(url, bodies, clients=1, seconds=10, most=count, key=of.key)
    settled(of)


def settled(of: Product, within: float = 180) -> None:
    """Wait until every text has been taken."""
    wait_until(lambda: not of.database.look_now(unsent), within)


def idles(of: Product, found: Server, seconds: float) -> float:
    """The share of a core that it takes while nobody asks for anything."""
    before = serving.cpu_seconds([found.pid], of.url)
    time.sleep(seconds)
    return (serving.cpu_seconds([found.pid], of.url) - before) / seconds


def unsent(connection: Connection) -> int:
    waiting = select(func.count()).where(
        col(MessageRow.state).in_(("pending", "retry_wait", "sending", "unknown"))
    )
    return connection.execute(waiting).scalar_one()


def handed_over(connection: Connection) -> list[tuple[str, str, float]]:
    """Reference, priority and when its first offer was taken by the provider, in wall-clock seconds."""
    rows = connection.execute(
        select(col(IncidentRow.reference), col(IncidentRow.priority), col(EventRow.at), col(EventRow.data))
        .join_from(EventRow, IncidentRow, col(IncidentRow.id) == col(EventRow.stream))
        .where(col(EventRow.type) == "message_accepted")
        .order_by(col(EventRow.stream), col(EventRow.seq))
    )
    found: dict[str, tuple[str, str, float]] = {}
    for row in rows:
        if json.loads(row.data)["purpose"] == "offer":
            found.setdefault(row.reference, (row.reference, row.priority.value, row.at.timestamp()))
    return list(found.values())


def _ranks(connection: Connection) -> dict[str, int]:
    rows = connection.execute(select(col(IncidentRow.reference), col(IncidentRow.priority)))
    return {row.reference: row.priority.rank for row in rows}


def wait_until(check: Callable[[], bool], within: float, every: float = 0.1) -> None:
    """Ask until it is so; seldom, where the question itself is work for the machine."""
    give_up_at = time.monotonic() + within
    while not check():
        if time.monotonic() > give_up_at:
            raise SystemExit(f"not done within {within:g} seconds")
        time.sleep(every)
