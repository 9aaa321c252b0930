"""`python -m bench`: measure the shape beside the baselines, and print tables; `--quick` is a smoke test."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.due import lateness, more_lateness, restart
from bench.growth import growth
from bench.nodes import nodes
from bench.serving import Machine
from bench.shape import KINDS, QUICK, Plan, Results, baselines, floor, intake, report_to_text, saturated
from bench.tables import all_tables

Case = Callable[[Machine, str, Plan, Results, Path], None]

#: In the order in which they are measured.
USUAL: dict[str, Case] = {
    "baselines": baselines,
    "floor": floor,
    "intake": intake,
    "text": report_to_text,
    "saturated": saturated,
    "late": lateness,
    "restart": restart,
    "nodes": nodes,
}
#: These take minutes each.
ONLY_WHEN_ASKED: dict[str, Case] = {"late-more": more_lateness, "growth": growth}
_MORE = ", ".join(ONLY_WHEN_ASKED)


def cpu_share(seconds: float = 0.5) -> float:
    """Processor time that one busy thread gets in each second: 1 on a quiet machine."""
    wall, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        sum(range(1000))
    return (time.process_time() - cpu) / (time.perf_counter() - wall)


def machine_line() -> str:
    """What it runs on, and how busy that is."""
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {os.cpu_count()} cores; load average {load:.1f}; a busy "
        f"thread gets {cpu_share():.2f} of a core; Python {platform.python_version()}; "
        f"SQLite {sqlite3.sqlite_version}"
    )


def run(plan: Plan, only: str, kinds: Sequence[str]) -> Results:
    """All rounds of all cases."""
    machine, results = Machine(), Results()
    try:
        for round_ in range(plan.rounds):
            for name, case in _cases(only).items():
                for kind in kinds:
                    began = time.perf_counter()
                    case(machine, kind, plan, results, machine.folder)
                    took = time.perf_counter() - began
                    say(
                        f"  round {round_ + 1}: {name} on {kind}, {took:.0f} s, load {os.getloadavg()[0]:.1f}"
                    )
    finally:
        machine.close()
    return results


def say(line: str) -> None:
    """Progress, beside what is printed."""
    print(line, file=sys.stderr, flush=True)


def _cases(only: str) -> dict[str, Case]:
    """Those that were asked for by name, or the usual ones."""
    if not only:
        return USUAL
    known = USUAL | ONLY_WHEN_ASKED
    wanted = only.split(",")
    if unknown := set(wanted) - known.keys():
        raise SystemExit(f"there is no case {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return {name: case for name, case in known.items() if name in wanted}


def main() -> None:
    """Measure and print."""
    # Ended from outside, it still ends the servers that it started, and leaves no files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke test: every case once, briefly")
    parser.add_argument("--rounds", type=int, help="how often each case is measured (3)")
    every = ", ".join(USUAL)
    parser.add_argument("--only", default="", help=f"some of: {every}; and, not usually: {_MORE}")
    parser.add_argument("--database", choices=KINDS, help="on one database alone")
    parser.add_argument("--incidents", type=int, help="how far growth goes (1,000,000)")
    parser.add_argument("--json", type=Path, help="also write every round's figures there")
    arguments = parser.parse_args()
    plan = QUICK if arguments.quick else Plan(rounds=arguments.rounds or Plan().rounds)
    if arguments.incidents:
        plan = replace(plan, sizes=(*plan.sizes[:-1], arguments.incidents))
    before = machine_line()
    kinds = (arguments.database,) if arguments.database else KINDS
    results = run(plan, arguments.only, kinds)
    print(f"Before: {before}\nAfter:  {machine_line()}\nRounds: {plan.rounds}, interleaved\n")
    for made in all_tables(results, plan):
        print(made + "\n")
    print("Every report answered with 201 was counted in the database; every deadline and text too.")
    if arguments.json:
        rounds = {f"{kind} {case}".strip(): seen for (kind, case), seen in results.seen.items()}
        arguments.json.write_text(json.dumps({"before": before, "rounds": rounds}, indent=1))


if __name__ == "__main__":
    main()
