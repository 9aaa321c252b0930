"""Sums the lines of JSON of several campaigns: `python -m bench.torture.summing FILE…` prints tables.

One table of kills by database, nodes and place, one of what else was counted, and every round with a fault.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

Where = tuple[str, int]


def rounds(files: Iterable[Path]) -> Iterator[Mapping[str, Any]]:
    """Every round that stands in those files."""
    for file in files:
        for line in file.read_text().splitlines():
            if line.startswith("{"):
                yield json.loads(line)


def tables(found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What is printed."""
    kills: dict[Where, Counter[str]] = defaultdict(Counter)
    counts: dict[Where, Counter[str]] = defaultdict(Counter)
    struck: Counter[str] = Counter()
    unjudged: Counter[str] = Counter()
    faults: list[str] = []
    for one in found:
        where = (one["on"], one["nodes"])
        if one["faults"] or not one["ended"]:
            faults.append(f"{where} seed {one['seed']}: {one['faults'] or 'broken off'}"[:300])
        if not one["counts"]:
            unjudged += Counter(one["kills"])
            continue
        kills[where] += Counter(one["kills"])
        counts[where] += Counter(
            {name: n for name, n in one["counts"].items() if not name.startswith("seconds")} | {"rounds": 1}
        )
        struck += Counter({name: n for name, n in one["struck"].items()})
    columns = sorted(kills, key=lambda where: (where[0] != "sqlite", where[1]))
    yield from _table("killed at", columns, kills)
    yield ""
    yield from _table("counted", columns, counts)
    yield ""
    yield from (f"{name}: {count}" for name, count in sorted(struck.items()))
    yield f"\nKills in rounds that were not judged, and are not counted: {unjudged.total()}"
    yield f"Rounds with faults: {len(faults)}"
    yield from faults


def _table(title: str, columns: list[Where], cells: Mapping[Where, Counter[str]]) -> Iterator[str]:
    heads = [f"{on}, {nodes} node{'s' * (nodes > 1)}" for on, nodes in columns]
    yield f"| {title} | {' | '.join(heads)} | all |"
    yield "| --- " * (len(columns) + 2) + "|"
    names = sorted({name for counter in cells.values() for name in counter})
    for name in names:
        row = [cells[where][name] for where in columns]
        yield f"| {name} | {' | '.join(map(str, row))} | {sum(row)} |"
    if title == "killed at":
        row = [cells[where].total() for where in columns]
        yield f"| all | {' | '.join(map(str, row))} | {sum(row)} |"


if __name__ == "__main__":
    print("\n".join(tables(rounds(map(Path, sys.argv[1:])))))
