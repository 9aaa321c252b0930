"""(f) One, two and three nodes on one PostgreSQL: together as fast as one, none lost, nobody texted twice."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlmodel import col

from bench import serving
from bench.serving import Machine
from bench.shape import Plan, Results, none_lost, reports, settled, times, written
from rapid_response.simulator.tables import SimTextRow
from rapid_response.storage.tables import AttemptRow, MessageRow, ReportRow


def nodes(machine: Machine, kind: str, plan: Plan, results: Results, folder: Path) -> None:
    """32 clients, evenly over the nodes; afterwards every text is awaited and counted."""
    if kind == "sqlite":
        return
    bodies = written(folder, "reports.jsonl", reports())
    for count in plan.nodes:
        with serving.product_database(machine, kind) as of, ExitStack() as stack:
            found = [stack.enter_context(serving.product(of)) for _ in range(count)]
            pids = [node.pid for node in found]
            urls = ",".join(f"{node.url}/api/v1/reports" for node in found)
            warm_up = serving.post(urls, bodies, clients=32, seconds=plan.warm_up, key=of.key)
            before = serving.cpu_seconds(pids, of.url)
            seen = serving.post(urls, bodies, clients=32, seconds=plan.seconds, key=of.key)
            settled(of, 600)
            cpu = serving.cpu_seconds(pids, of.url) - before
            none_lost("intake", seen["answered"] + warm_up["answered"], of.database.look_now(_reports))
            results.add(
                kind,
                f"nodes {count}",
                {
                    "rate": seen["answered"] / seen["seconds"],
                    **times(seen["took"]),
                    "cpu": cpu / max(1, seen["answered"]) * 1e3,
                    "twice": of.database.look_now(_twice),
                },
            )


def _reports(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(ReportRow)).scalar_one()


def _twice(connection: Connection) -> int:
    """Messages that the provider has more than once, and that do not say so."""
    taken = (
        select(col(AttemptRow.message_id))
        .join(SimTextRow, col(SimTextRow.token) == col(AttemptRow.token))
        .join(MessageRow, col(MessageRow.id) == col(AttemptRow.message_id))
        .where(col(MessageRow.repeats) == 0)
        .group_by(col(AttemptRow.message_id))
        .having(func.count() > 1)
    )
    return connection.execute(select(func.count()).select_from(taken.subquery())).scalar_one()
