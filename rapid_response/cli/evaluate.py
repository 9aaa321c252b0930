"""`evaluate`: how well the reader reads a file of labelled reports; no database, no network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from rapid_response.cli.refusals import usage

#: What every labelled line must hold (labels.md).
_LABELS = ("category", "age_targeted", "other_vulnerability_targeted", "urgency", "money_at_risk_gbp")


def evaluate(
    file: Annotated[
        Path, typer.Argument(help='JSON lines with "text" and the labels of docs/classifier.md.')
    ],
) -> None:
    """Print the table of figures on a labelled file."""
    from rapid_response.core.clock import SystemClock
    from rapid_response.intake.reading import default_reader
    from rapid_response.intake.reading.evaluate import evaluate as figures_of
    from rapid_response.settings import read_settings

    rows = _rows(file)
    zone, now = read_settings().time_zone, SystemClock().now()
    reader = default_reader()
    readings = [reader.read(row["text"], channel=None, received_at=now, zone=zone) for row in rows]
    print(f"model                       {readings[0].model_version}")
    print(figures_of(rows, readings).as_table())


def _rows(file: Path) -> list[dict[str, Any]]:
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise usage(f"{file} cannot be read ({error.strerror}): check its name and permissions.") from None
    except UnicodeDecodeError:
        raise usage(f"{file} is not UTF-8 text: save it as UTF-8.") from None
    rows = [_row(line, number) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise usage(f"{file} holds no reports: write one JSON object a line.")
    return rows


def _row(line: str, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise usage(f"Line {number} is not JSON: write one object a line.") from None
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise usage(f"Line {number} has no text: write an object with text and labels.")
    missing = [name for name in _LABELS if name not in row]
    if missing:
        raise usage(f"Line {number} lacks {', '.join(missing)}: label it as docs/classifier.md says.")
    return row
