"""`make torture`: kill serving processes at named moments, hundreds of times, and count what was lost.

Prints each round as one line of JSON when it ends, its seed in it; `--seed N --rounds 1` runs one again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from bench.__main__ import machine_line
from bench.torture import points
from bench.torture.campaign import Restarted, torture
from bench.torture.judging import Verdict
from bench.torture.nodes import Nursery
from bench.torture.points import Blow
from tests.databases import TestDatabases, quick_folder
from tests.postgres import private_server

KINDS = ("sqlite", "postgresql")


async def one(
    arguments: argparse.Namespace,
    databases: TestDatabases,
    nursery: Nursery,
    place: Path,
    kind: str,
    seed: int,
    server: Restarted | None = None,
) -> Verdict:
    """One round; one that cannot be brought to its end is a fault of it, and no other's.

    Its line is printed however it ends, so that a run that is broken off keeps what it has counted.
    """
    began = time.perf_counter()
    killed: Counter[str] = Counter()
    verdict: Verdict | None = None
    try:
        verdict = await torture(
            databases,
            nursery,
            place,
            kind=kind,
            seed=seed,
            kills=arguments.kills,
            points_=arguments.points.split(","),
            nodes=nodes_of(arguments, kind, seed),
            killed=killed,
            blows=[Blow(blow) for blow in arguments.blows.split(",")],
            server=server if kind == "postgresql" else None,
            restarts=arguments.restarts,
            keep=arguments.keep,
        )
    except* RuntimeError as errors:
        verdict = Verdict(kills=killed, faults=[str(error) for error in errors.exceptions])
    finally:
        tell(arguments, kind, seed, killed, verdict, time.perf_counter() - began)
    return verdict


def nodes_of(arguments: argparse.Namespace, kind: str, seed: int) -> int:
    """How many nodes serve in that round."""
    counts = [int(count) for count in str(arguments.nodes).split(",")]
    return counts[seed % len(counts)] if kind == "postgresql" else 1


def tell(
    arguments: argparse.Namespace,
    kind: str,
    seed: int,
    killed: Counter[str],
    verdict: Verdict | None,
    seconds: float,
) -> None:
    """One round as one line of JSON, at once; `verdict` is None for one that was broken off."""
    line = {
        "seed": seed,
        "on": kind,
        "nodes": nodes_of(arguments, kind, seed),
        "ended": verdict is not None,
        "kills": dict(sorted(killed.items())),
        "struck": dict(sorted(verdict.struck.items())) if verdict else {},
        "counts": dict(sorted(verdict.counts.items())) if verdict else {},
        "faults": verdict.faults if verdict else [],
        "seconds": round(seconds),
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(line), flush=True)


async def run(arguments: argparse.Namespace, folder: Path) -> Verdict:
    """All rounds, some of them beside each other, each on a database of its own."""
    total = Verdict()
    with ExitStack() as held:
        server = held.enter_context(private_server()) if "postgresql" in arguments.on else None
        databases = TestDatabases(quick_folder() or folder, server.handle if server else None)
        held.callback(databases.close)
        async with Nursery(databases.fresh("sqlite")) as nursery:
            restarted = Restarted(server) if server else None
            room = asyncio.Semaphore(arguments.at_once)
            last_at = time.monotonic() + 60 * arguments.minutes

            async def round_(kind: str, seed: int) -> None:
                async with room:
                    if time.monotonic() > last_at:
                        return
                    place = await asyncio.to_thread(made, folder / f"{kind}-{seed}")
                    total.add(await one(arguments, databases, nursery, place, kind, seed, restarted))

            seeds = range(arguments.seed, arguments.seed + arguments.rounds)
            async with asyncio.TaskGroup() as rounds:
                for seed in seeds:
                    for kind in arguments.on.split(","):
                        rounds.create_task(round_(kind, seed))
    return total


def made(place: Path) -> Path:
    """A folder that was not there."""
    place.mkdir()
    return place


def main() -> int:
    """Run, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first round; each next has the next one")
    parser.add_argument("--rounds", type=int, default=5, help="on each kind of database")
    parser.add_argument("--kills", type=int, default=25, help="in each round")
    parser.add_argument("--nodes", default="1,2,3", help="how many serve at once on PostgreSQL, by turns")
    parser.add_argument("--on", default=",".join(KINDS), help="which databases")
    parser.add_argument("--points", default=",".join(points.NAMES), help="where to strike")
    parser.add_argument("--blows", default="kill", help="what happens there: " + ", ".join(Blow))
    parser.add_argument("--minutes", type=float, default=1e6, help="after so many no round begins")
    parser.add_argument("--at-once", type=int, default=1, help="rounds beside each other")
    parser.add_argument("--keep", type=Path, help="where the rows of a round with faults are written")
    parser.add_argument("--restarts", type=int, default=0, help="of PostgreSQL in each round")
    arguments = parser.parse_args()
    before = machine_line()
    with tempfile.TemporaryDirectory(prefix="rr-torture-") as folder:
        total = asyncio.run(run(arguments, Path(folder)))
    print(f"Before: {before}\nAfter:  {machine_line()}")
    last = arguments.seed + arguments.rounds - 1
    print(f"Seeds {arguments.seed} to {last}, on {arguments.on}, {arguments.nodes} nodes on PostgreSQL\n")
    told = {"Kills": total.kills, "Struck": total.struck, "Counts": total.counts, "Requests": total.moods}
    for title, counter in told.items():
        print(f"{title} ({counter.total()}):" if title != "Counts" else f"{title}:")
        for name, count in sorted(counter.items()):
            print(f"  {name}: {count}")
    print(f"\nFaults: {len(total.faults)}")
    for fault in sorted(set(total.faults)):
        print(f"  {total.faults.count(fault)} x {fault}")
    return 1 if total.faults else 0


if __name__ == "__main__":
    sys.exit(main())
