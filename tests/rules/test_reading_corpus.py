"""Floors a little below the figures on reports that nothing was learned from (docs/classifier.md)."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rapid_response.intake.reading import default_reader
from rapid_response.intake.reading.answering import read_line
from rapid_response.intake.reading.evaluate import Figures, evaluate
from tests.cases import each

CORPUS = Path(__file__).parent.parent / "reading" / "corpus"
LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 22, 13, 30, tzinfo=LONDON)

FLOORS = {
    "put_aside": {
        "macro_f1": 0.93,
        "urgency_accuracy": 0.92,
        "act_now": 0.95,
        "age": 0.9,
        "vulnerability": 0.9,
        "money": 0.9,
    },
    "validation": {
        "macro_f1": 0.92,
        "urgency_accuracy": 0.90,
        "act_now": 0.91,
        "age": 0.88,
        "vulnerability": 0.85,
        "money": 0.9,
    },
    "held_out": {
        "macro_f1": 0.91,
        "urgency_accuracy": 0.85,
        "act_now": 0.93,
        "age": 0.85,
        "vulnerability": 0.8,
        "money": 0.9,
    },
    "held_out_authors": {
        "macro_f1": 0.90,
        "urgency_accuracy": 0.87,
        "act_now": 0.93,
        "age": 0.88,
        "vulnerability": 0.7,
        "money": 0.9,
    },
}


def rows_of(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (CORPUS / f"{name}.jsonl").read_text().splitlines()]


@lru_cache
def figures(name: str) -> Figures:
    rows = rows_of(name)
    reader = default_reader()
    return evaluate(rows, [read_line(reader, row, now=NOW, zone=LONDON) for row in rows])


@pytest.mark.slow
@each("name", FLOORS)
def test_the_figures_stay_above_their_floors(name: str) -> None:
    found, floors = figures(name), FLOORS[name]

    assert found.macro_f1 >= floors["macro_f1"]
    assert found.urgency_accuracy >= floors["urgency_accuracy"]
    assert found.act_now.recall >= floors["act_now"]
    assert found.age_targeted.f1 >= floors["age"]
    assert found.other_vulnerability_targeted.f1 >= floors["vulnerability"]
    assert found.money_within_tolerance >= floors["money"]


@pytest.mark.slow
@each("name", FLOORS)
def test_every_span_is_exact_and_every_label_is_shown(name: str) -> None:
    assert figures(name).spans_exact == 1.0
    assert figures(name).labels_with_evidence >= 0.99


@pytest.mark.slow
def test_nothing_of_the_reports_that_measure_was_learned_from() -> None:
    learned = {row["text"] for path in CORPUS.glob("train_*.jsonl") for row in rows_of(path.stem)}
    measured = {row["text"] for name in FLOORS for row in rows_of(name)}

    assert len(measured) > 700
    assert not learned & measured
