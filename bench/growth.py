"""(e) What a report, a scrape, a list and an idle minute cost with 1,000 and with 1,000,000 incidents.

The same service before and after its database has grown; memory is compared with N's in the same run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, create_engine, func, select, text, update
from sqlmodel import col

from bench import filling, serving
from bench.serving import ROOT, Machine, Product, Server
from bench.shape import (
    Plan,
    Results,
    idles,
    naive_reports,
    reports,
    settled,
    share,
    times,
    wait_until,
    warm,
    written,
)
from rapid_response.core.events import SERVICE_STREAM
from rapid_response.storage.engines import sync_url
from rapid_response.storage.tables import AgendaRow, ChainRow, DeliveryRow
from rapid_response.storage.tx import Tx

#: As people, partners and machines ask, by name.
QUERIES = {
    "/metrics": "/metrics",
    "readiness": "/health/ready",
    "list, newest": "/api/v1/incidents",
    "list, overdue": "/api/v1/incidents?overdue=true",
    "list, assigned": "/api/v1/incidents?status=assigned",
    "list, one ward": "/api/v1/incidents?ward=Bromley%20Town",
    "list, closed scams": "/api/v1/incidents?status=closed&category=scam",
    "one case": "/api/v1/incidents/{reference}",
    "board, this month": "/api/v1/reports/board?month={month}",
}
#: Asked once, with their own start.
COMMANDS = {"doctor": ["doctor"], "open-sheet": ["open-sheet"]}
_ASKED = 20
#: A share of a core: above it, what a start does beside its work (a large file is checked) is still going on.
_BUSY = 0.03


def growth(machine: Machine, kind: str, plan: Plan, results: Results, folder: Path) -> None:
    """Measure at each size, in one database that grows."""
    bodies = written(folder, "reports.jsonl", reports())
    naive = written(folder, "naive.jsonl", naive_reports())
    with serving.baseline(machine, "async", kind) as (found, _):
        serving.post(f"{found.url}/reports", naive, clients=8, seconds=plan.seconds)
        results.add(kind, "N grown", {"rss": serving.rss_mib(found.pid), "start": found.started_in})
    with serving.product_database(machine, kind) as of:
        with serving.product(of) as found:
            closed, still_open = filling.worked(of, found, lambda: settled(of))
            wait_until(lambda: not of.database.look_now(partial(_unfinished, closed=closed)), 300, 1.0)
        there, count = 0, max(plan.sizes)
        for size in plan.sizes:
            began = time.perf_counter()
            filling.grow(of, range(count - size, count - there), count, closed, still_open)
            of.database.run_now(_put_off)
            there, filled = size, time.perf_counter() - began
            with serving.product(of) as found:
                figures = _measured(of, found, plan, bodies)
                for name, took in _asked(of, found).items():
                    results.add(kind, f"at {size}: {name}", times(took))
                for name, command in COMMANDS.items():
                    results.add(kind, f"at {size}: {name}", times([_run(of, command)]))
                rss = serving.rss_mib(found.pid)
            about = {"filled": filled, "start": found.started_in, "disk": _disk(of), "rss": rss}
            results.add(kind, f"at {size}", figures | about)


def _unfinished(connection: Connection, closed: Sequence[str]) -> int:
    """What is left to do of closed cases, to hear or to seal of any: each copy would have it to be done."""
    left = select(func.count()).where(
        col(AgendaRow.incident_id).in_(closed), col(AgendaRow.settled_at).is_(None)
    )
    unheard = select(func.count()).select_from(DeliveryRow)
    unsealed = select(func.count()).where(
        col(ChainRow.stream) != SERVICE_STREAM, col(ChainRow.sealed_seq) < col(ChainRow.seq)
    )
    return sum(connection.execute(count).scalar_one() for count in (left, unheard, unsealed))


def _put_off(tx: Tx) -> None:
    """What is still to come of open cases comes later than any of this: an idle service has nothing to do."""
    waiting = update(AgendaRow).where(col(AgendaRow.settled_at).is_(None))
    tx.execute(waiting.values(due_at=tx.now + timedelta(hours=3)))


def _measured(of: Product, found: Server, plan: Plan, bodies: Path) -> dict[str, float]:
    """Idle first, then reports one after the other, and from eight clients; their texts are in the cost."""
    settled(of)
    wait_until(lambda: idles(of, found, 15.0) < _BUSY, 1800)
    idle = idles(of, found, plan.idle)
    warm(of, found, bodies, 20)
    url = f"{found.url}/api/v1/reports"
    before = serving.cpu_seconds([found.pid], of.url)
    seen = serving.post(url, bodies, rate=10, seconds=3 * plan.seconds, key=of.key)
    settled(of)
    cpu = serving.cpu_seconds([found.pid], of.url) - before
    eight = serving.post(url, bodies, clients=8, seconds=plan.seconds, key=of.key)
    settled(of)
    return {
        "idle": idle * 100,
        "cpu": cpu / max(1, seen["answered"]) * 1e3,
        "answer p50": share(seen["took"], 50) * 1e3,
        "rate 8": eight["answered"] / eight["seconds"],
    }


def _asked(of: Product, found: Server) -> dict[str, list[float]]:
    newest = json.loads(serving.fetch(f"{found.url}/api/v1/incidents?limit=1", of.key))
    names = {"reference": newest["items"][0]["reference"], "month": f"{datetime.now(UTC):%Y-%m}"}
    took: dict[str, list[float]] = {}
    for name, path in QUERIES.items():
        for n in range(_ASKED + 2):
            began = time.perf_counter()
            serving.fetch(found.url + path.format(**names), of.key)
            if n >= 2:
                took.setdefault(name, []).append(time.perf_counter() - began)
    return took


def _run(of: Product, command: list[str]) -> float:
    """How long a command takes, its own start included; what it finds is not judged here."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "rapid_response", *command],
        cwd=ROOT,
        env={**os.environ, **serving.environment(of)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=600,
        check=False,
    )
    return time.perf_counter() - began


def _disk(of: Product) -> float:
    """Size of the database in MiB."""
    engine = create_engine(sync_url(of.url))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            size = os.stat(of.database.path).st_size
        else:
            size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    engine.dispose()
    return size / 2**20
