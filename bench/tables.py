"""The tables, in Markdown, ready for docs: what was measured, and beside each goal whether it is met."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.growth import COMMANDS, QUERIES
from bench.shape import KINDS, Plan, Results

Rows = list[list[str]]
_WORK = {"warning": "a warning with its text", "moot": "looked at and moot"}


def shown(value: float, digits: int = 3) -> str:
    """A figure to so many significant digits."""
    if math.isnan(value):
        return "-"
    if value >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{float(f'{value:.{digits}g}'):g}"


def table(rows: Rows) -> str:
    """Markdown, with the columns lined up; nothing where there is only a head."""
    if len(rows) < 2:
        return ""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "| " + " | ".join("-" * w for w in widths) + " |")
    return "\n".join(lines)


def all_tables(results: Results, plan: Plan) -> Iterator[str]:
    """Every table that has something in it; the goals last."""
    made = (intake, texts, saturated, lateness, restarts, nodes, growth, queries, processes, goals)
    for make in made:
        if text := table(make(results, plan)):
            yield text


# ---------------------------------------------------------------- what was measured


def intake(results: Results, plan: Plan) -> Rows:
    """Requests a second and the times of answers, with ratios to N."""
    rows = [
        ["intake", "clients", "reports/s", "p50 ms", "p99 ms", "CPU ms each", "of N", "p99 of N's", "of D"]
    ]
    names = {
        "T": "T: trivial POST, nothing stored",
        "N": "N: `async def`, SQLModel and AsyncSession, one row",
        "D": "D: the tutorial's `def` and Session, one row",
        "F": "F: read, and all rows of a report, nothing decided",
        "intake": "intake alone: all rows of a report",
        "whole": "whole service: its texts, receipts and counts too",
    }
    for kind in ("", *KINDS):
        for case, name in names.items():
            for clients in plan.clients:
                if results.has(kind, f"{case} {clients}"):
                    rows.append(_intake_row(results, kind, case, name, clients))
    return rows


def _intake_row(results: Results, kind: str, case: str, name: str, clients: int) -> list[str]:
    def figure(of: str, what: str) -> float:
        return results.median(kind, f"{of} {clients}", what)

    compared = case in ("F", "intake", "whole")
    return [
        f"{kind or '-'}: {name}",
        f"{clients}",
        *(shown(figure(case, what)) for what in ("rate", "p50", "p99", "cpu")),
        shown(figure(case, "rate") / figure("N", "rate"), 2) if compared else "",
        shown(figure(case, "p99") / figure("N", "p99"), 2) if compared else "",
        shown(figure(case, "rate") / figure("D", "rate"), 2) if compared else "",
    ]


def texts(results: Results, plan: Plan) -> Rows:
    """Report to text."""
    head = ["report to its first text taken, ms", "database", "p50", "p99", "most"]
    rows = [[*head, "CPU ms a report", "with receipts"]]
    for name, _, _ in plan.paces:
        for kind in KINDS:
            if results.has(kind, f"text {name}"):
                figures = [results.median(kind, f"text {name}", f) for f in ("p50", "p99", "most", "cpu")]
                figures.insert(3, results.median(kind, f"text {name}, no receipts", "cpu"))
                rows.append([name, kind, *map(shown, figures)])
    return rows


def saturated(results: Results, plan: Plan) -> Rows:
    """Texts while intake takes all that it can."""
    rows = [
        [
            f"32 clients for {plan.saturated:g} s",
            "database",
            "reports/s",
            "first texts/s",
            "first text, s",
            "most dangerous: p50 ms",
            "p99 ms",
            "share texted",
            "others: share texted",
        ]
    ]
    figures = ("rate", "texts", "first", "p50", "p99", "urgent texted", "others texted")
    return rows + _each(results, "report to text, saturated", "saturated", figures)


def lateness(results: Results, plan: Plan) -> Rows:
    """How late deadlines ring."""
    rows = [["lateness, ms", "database", "p50", "p99", "most", "CPU ms each"]]
    for one in (*plan.deadlines, *plan.more_deadlines):
        when = f"over {one.spread:g} s" if one.spread else "at once"
        beside = f", beside {one.clients} clients" if one.clients else ""
        name = f"{one.count:,} {when}, each {_WORK[one.work]}{beside}"
        rows += _each(results, name, one.case, ("p50", "p99", "most", "cpu"))
    return rows


def restarts(results: Results, plan: Plan) -> Rows:
    """After kill -9."""
    head = [
        f"restart, {plan.armed:,} armed, {plan.overdue:,} overdue",
        "database",
        "ready, s",
        "first overdue done, s",
        "all done, s",
        "before more urgent",
        "N's start, s",
        "idle CPU, %",
        "memory, MiB",
    ]
    rows = [head]
    for kind in KINDS:
        if results.has(kind, "restart"):
            figures = [results.median(kind, "restart", f) for f in ("start", "first", "all")]
            figures += [results.median(kind, "restart", "before more urgent")]
            figures += [results.median(kind, "N start", "start")]
            figures += [results.median(kind, "restart", f) for f in ("idle", "rss")]
            rows.append(["from the start of the process", kind, *map(shown, figures)])
    return rows


def nodes(results: Results, plan: Plan) -> Rows:
    """Several nodes on one PostgreSQL."""
    rows = [["nodes, 32 clients", "reports/s", "of one", "p50 ms", "p99 ms", "CPU ms a report", "sent twice"]]
    for count in plan.nodes:
        if results.has("postgresql", f"nodes {count}"):
            figures = [results.median("postgresql", f"nodes {count}", f) for f in ("rate", "p50", "p99")]
            figures.insert(1, figures[0] / results.median("postgresql", f"nodes {plan.nodes[0]}", "rate"))
            figures += [results.median("postgresql", f"nodes {count}", f) for f in ("cpu", "twice")]
            rows.append([f"{count}", *map(shown, figures)])
    return rows


def growth(results: Results, plan: Plan) -> Rows:
    """The same service, grown."""
    head = ["incidents", "database", "CPU ms a report, 10/s", "answer p50 ms", "reports/s, 8 clients"]
    rows = [[*head, "idle CPU, %", "memory, MiB", "N's memory, MiB", "on disk, MiB"]]
    for size in plan.sizes:
        for kind in KINDS:
            if results.has(kind, f"at {size}"):
                figures = [
                    results.median(kind, f"at {size}", f)
                    for f in ("cpu", "answer p50", "rate 8", "idle", "rss")
                ]
                figures.append(results.median(kind, "N grown", "rss"))
                figures.append(results.median(kind, f"at {size}", "disk"))
                rows.append([f"{size:,}", kind, *map(shown, figures)])
    return rows


def queries(results: Results, plan: Plan) -> Rows:
    """What is asked of it, grown."""
    rows = [["asked 20 times, ms", "database"]]
    for size in plan.sizes:
        rows[0] += [f"p50 at {size:,}", f"p99 at {size:,}"]
    for name in (*QUERIES, *COMMANDS):
        for kind in KINDS:
            if results.has(kind, f"at {plan.sizes[0]}: {name}"):
                figures = [
                    results.median(kind, f"at {size}: {name}", f)
                    for size in plan.sizes
                    for f in ("p50", "p99")
                ]
                called = f"`{name}`, once, with its own start" if name in COMMANDS else name
                rows.append([called, kind, *map(shown, figures)])
    return rows


def processes(results: Results, plan: Plan) -> Rows:
    """Start and memory."""
    rows = [["process", "database", "start to first answer, s", "memory after the run, MiB"]]
    for case, name in (("N process", "N"), ("D process", "D"), ("process", "the whole service")):
        rows += _each(results, name, case, ("start", "rss"))
    return rows


def _each(results: Results, name: str, case: str, figures: tuple[str, ...]) -> Rows:
    return [
        [name, kind, *(shown(results.median(kind, case, figure)) for figure in figures)]
        for kind in KINDS
        if results.has(kind, case)
    ]


# ---------------------------------------------------------------- beside the goals


@dataclass(frozen=True, slots=True)
class Goal:
    """What must come out of it: at least, or at most, so much, on each database or on one."""

    name: str
    figure: Callable[[Results, str], float]
    sqlite: float | None
    postgresql: float | None
    at_least: bool = False
    unit: str = ""


def goals(results: Results, plan: Plan) -> Rows:
    """Each goal of which there is a figure."""
    rows = [["goal", "database", "wanted", "measured", "met"]]
    for goal in _goals(plan):
        for kind, wanted in zip(KINDS, (goal.sqlite, goal.postgresql), strict=True):
            measured = goal.figure(results, kind)
            if wanted is None or math.isnan(measured):
                continue
            met = measured >= wanted if goal.at_least else measured <= wanted
            sign = "≥" if goal.at_least else "≤"
            rows.append(
                [
                    goal.name,
                    kind,
                    f"{sign} {wanted:g}{goal.unit}",
                    f"{shown(measured)}{goal.unit}",
                    "yes" if met else "**no**",
                ]
            )
    return rows


def _goals(plan: Plan) -> list[Goal]:
    most = max(plan.clients)
    small, big = plan.sizes[0], plan.sizes[-1]
    of_n = _ratio(f"intake {most}", "rate", f"N {most}", "rate")
    p99_of_n = _ratio(f"intake {most}", "p99", f"N {most}", "p99")
    made = [
        Goal(f"full intake, {most} clients, times N", of_n, 2, 1, at_least=True),
        Goal("the same, its p99 as a share of N's", p99_of_n, 0.5, 1),
        Goal("two nodes, times one", _ratio("nodes 2", "rate", "nodes 1", "rate"), None, 0.9, at_least=True),
        Goal("texts sent twice unmarked, three nodes", _one("nodes 3", "twice"), None, 0),
    ]
    for name, _, _ in plan.paces[1:]:
        made += [
            Goal(f"report to text, {name}, p50", _one(f"text {name}", "p50"), 50, 50, unit=" ms"),
            Goal(f"report to text, {name}, p99", _one(f"text {name}", "p99"), 250, 250, unit=" ms"),
            Goal(
                f"CPU a report until its texts are handed over, all processes, {name}",
                _one(f"text {name}, no receipts", "cpu"),
                12,
                20,
                unit=" ms",
            ),
        ]
    made += [
        Goal("saturated: first text after", _one("saturated", "first"), 1, 1, unit=" s"),
        Goal("saturated: most dangerous to text, p99", _one("saturated", "p99"), 5_000, 5_000, unit=" ms"),
    ]
    wanted = {(10_000, 60.0, 0): 100.0, (10_000, 0.0, 0): 500.0, (100_000, 0.0, 0): 4_000.0}
    for one in (*plan.deadlines, *plan.more_deadlines):
        limit = wanted.get((one.count, one.spread, one.clients), 1_000.0 if one.clients else None)
        if limit is not None:
            when = f"over {one.spread:g} s" if one.spread else "in one second"
            beside = ", intake saturated" if one.clients else ""
            name = f"{one.count:,} deadlines {when} ({_WORK[one.work]}){beside}, lateness p99"
            made.append(Goal(name, _one(one.case, "p99"), limit, limit, unit=" ms"))
    made += [
        Goal("restart: first overdue step, after N's start", _first_after_n, 1, 1, unit=" s"),
        Goal("restart: all overdue done within", _one("restart", "all"), 60, 60, unit=" s"),
        Goal("restart: done before more urgent ones", _one("restart", "before more urgent"), 0, 0),
        Goal(
            f"memory at {big:,} incidents, times N's", _ratio(f"at {big}", "rss", "N grown", "rss"), 1.6, 1.6
        ),
        Goal(f"idle CPU at {big:,}, of a core", _one(f"at {big}", "idle"), 0.5, 1, unit=" %"),
        Goal(
            f"CPU a report at {big:,}, times that at {small:,}",
            _ratio(f"at {big}", "cpu", f"at {small}", "cpu"),
            1.3,
            1.3,
        ),
        Goal(f"/metrics at {big:,}", _one(f"at {big}: /metrics", "p50"), 60, 60, unit=" ms"),
    ]
    return made


def _one(case: str, figure: str) -> Callable[[Results, str], float]:
    return lambda results, kind: results.median(kind, case, figure)


def _ratio(case: str, figure: str, by: str, by_figure: str) -> Callable[[Results, str], float]:
    return lambda results, kind: results.median(kind, case, figure) / results.median(kind, by, by_figure)


def _first_after_n(results: Results, kind: str) -> float:
    return results.median(kind, "restart", "first") - results.median(kind, "N start", "start")
