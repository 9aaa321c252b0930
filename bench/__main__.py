"""`python -m bench`: measure the shape beside the baselines, and print tables; `--quick` is a smoke test."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sqlite3
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.serving import Machine
from bench.shape import CASES, KINDS, QUICK, Plan, Results, late_case


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


def run(plan: Plan, only: str) -> Results:
    """All rounds of all cases."""
    machine, results = Machine(), Results()
    try:
        for round_ in range(plan.rounds):
            for name, case in CASES.items():
                if only and name not in only.split(","):
                    continue
                for kind in KINDS:
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


# ---------------------------------------------------------------- the table


def shown(value: float, digits: int = 3) -> str:
    """A figure to so many significant digits."""
    if math.isnan(value):
        return "-"
    if value >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{float(f'{value:.{digits}g}'):g}"


def table(rows: list[list[str]]) -> str:
    """Markdown, with the columns lined up."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "| " + " | ".join("-" * w for w in widths) + " |")
    return "\n".join(lines)


def intake_table(results: Results, plan: Plan) -> str:
    """Requests a second and the times of answers, with ratios to N."""
    rows = [["intake", "clients", "reports/s", "p50 ms", "p99 ms", "CPU ms each", "of N", "p99 of N's"]]
    names = {
        "T": "T: trivial POST, nothing stored",
        "N": "N: tutorial `def` + SQLModel Session, one row",
        "intake": "intake alone: all rows of a report",
        "whole": "whole service: its texts, receipts and counts too",
    }
    for kind in ("", *KINDS):
        for case, name in names.items():
            for clients in plan.clients:
                if (kind, f"{case} {clients}") not in results.seen:
                    continue
                rows.append(_intake_row(results, kind, case, name, clients))
    return table(rows)


def _intake_row(results: Results, kind: str, case: str, name: str, clients: int) -> list[str]:
    def figure(of: str, what: str) -> float:
        return results.median(kind, f"{of} {clients}", what)

    compared = case in ("intake", "whole")
    return [
        f"{kind or '-'}: {name}",
        f"{clients}",
        shown(figure(case, "rate")),
        shown(figure(case, "p50")),
        shown(figure(case, "p99")),
        shown(figure(case, "cpu")),
        shown(figure(case, "rate") / figure("N", "rate"), 2) if compared else "",
        shown(figure(case, "p99") / figure("N", "p99"), 2) if compared else "",
    ]


def times_table(results: Results, plan: Plan) -> str:
    """Report to text, and lateness."""
    rows = [["times in ms (medians of rounds)", "database", "p50", "p99", "most", "CPU ms each"]]
    cases = [(f"text {name}", f"report to text taken by the provider, {name}") for name, _, _ in plan.paces]
    cases += [
        (
            late_case(work, count, spread),
            f"lateness, {count:,} deadlines over {spread:g} s, each {_WORK[work]}",
        )
        for work, count, spread in plan.deadlines
    ]
    for case, name in cases:
        for kind in KINDS:
            if (kind, case) in results.seen:
                figures = [shown(results.median(kind, case, f)) for f in ("p50", "p99", "most", "cpu")]
                rows.append([name, kind, *figures])
    return table(rows)


_WORK = {"warning": "a warning with its text", "moot": "looked at and moot"}


def processes_table(results: Results) -> str:
    """Start and memory."""
    rows = [["process", "database", "start to first answer, s", "memory after the run, MiB"]]
    for case, name in (("N process", "N"), ("process", "the whole service")):
        for kind in KINDS:
            if (kind, case) in results.seen:
                rows.append([name, kind, *(shown(results.median(kind, case, f)) for f in ("start", "rss"))])
    return table(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke test: every case once, briefly")
    parser.add_argument("--rounds", type=int, help="how often each case is measured (3)")
    parser.add_argument("--only", default="", help=f"some of: {', '.join(CASES)}")
    parser.add_argument("--json", type=Path, help="also write every round's figures there")
    arguments = parser.parse_args()
    plan = QUICK if arguments.quick else Plan(rounds=arguments.rounds or Plan().rounds)
    before = machine_line()
    results = run(plan, arguments.only)
    print(f"Before: {before}\nAfter:  {machine_line()}\nRounds: {plan.rounds}, interleaved\n")
    for made in (intake_table(results, plan), times_table(results, plan), processes_table(results)):
        if made.count("\n") > 1:
            print(made + "\n")
    print("Every report answered with 201 was counted in the database; every deadline and text too.")
    if arguments.json:
        rounds = {f"{kind} {case}".strip(): seen for (kind, case), seen in results.seen.items()}
        arguments.json.write_text(json.dumps({"before": before, "rounds": rounds}, indent=1))


if __name__ == "__main__":
    main()
