"""How well the reader reads writers that it never met: each file of reports read by what the others teach.

    python -m bench.unseen [FILE …]

FILEs are those of tests/reading/corpus to leave out, one at a time; all `train_*.jsonl` unless named. Each
takes about two minutes. The phrases were written with some of these reports in view, which flatters a bit;
what `rapid-response evaluate tests/reading/corpus/put_aside.jsonl` prints is not flattered.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rapid_response.intake.reading.evaluate import evaluate
from rapid_response.intake.reading.knowledge import DATA, load
from rapid_response.intake.reading.learned import Learned
from rapid_response.intake.reading.port import Reading
from rapid_response.intake.reading.reader import LexiconReader
from rapid_response.intake.reading.training import learn

CORPUS = Path(__file__).parent.parent / "tests" / "reading" / "corpus"
ZONE = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 22, 13, 30, tzinfo=ZONE)

Row = dict[str, Any]


def unseen(name: str, reports: dict[str, list[Row]]) -> list[Reading]:
    """One writer's reports, read by what all the others teach."""
    others = [row for other, rows in reports.items() if other != name for row in rows]
    reader = LexiconReader(load(DATA, trained=learn(others, load(DATA, trained=Learned({}, {})))))
    return [reader.read(row["text"], channel=None, received_at=NOW, zone=ZONE) for row in reports[name]]


def main(names: list[str]) -> None:
    """A table of all that was left out together."""
    files = sorted(CORPUS.glob("train_*.jsonl"))
    reports = {file.name: [json.loads(line) for line in file.read_text().splitlines()] for file in files}
    rows: list[Row] = []
    readings: list[Reading] = []
    for name in names or reports:
        rows += reports[name]
        readings += unseen(name, reports)
        print(f"{name} done", file=sys.stderr)
    print(evaluate(rows, readings).as_table())


if __name__ == "__main__":
    main(sys.argv[1:])
