"""The report as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from rapid_response.reporting.board import to_csv, to_json
from tests.cases import each

FIGURES: dict[str, Any] = {
    "period": {"kind": "month", "closed": True},
    "two_hours": {
        "share": None,
        "by_mode": {"attended": 3},
        "breaches": [{"reference": "RR-7K4M2Q", "late_seconds": 300, "reason": None}],
    },
    "money_gbp": {"prevented": {"A": 3000.5}},
    "wards": [{"ward": "St Paul’s Cray", "incidents": "<5"}],
    "notes": ["Clocks, still running: 2."],
}


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_csv_is_long_form_and_opens_as_utf8() -> None:
    text = to_csv(FIGURES)
    assert text.encode().startswith(b"\xef\xbb\xbfsection,key,value\r\n")
    assert rows(text)[1:] == [
        ["period", "kind", "month"],
        ["period", "closed", "true"],
        ["two_hours", "share", ""],
        ["two_hours", "by_mode.attended", "3"],
        ["two_hours", "breaches.RR-7K4M2Q.late_seconds", "300"],
        ["two_hours", "breaches.RR-7K4M2Q.reason", ""],
        ["money_gbp", "prevented.A", "3000.5"],
        ["wards", "St Paul’s Cray", "<5"],
        ["notes", "1", "Clocks, still running: 2."],
    ]


def test_csv_tells_two_breaches_of_one_case_apart() -> None:
    """It was opened again, and missed again: a second promise."""
    breaches = [
        {"reference": "RR-7K4M2Q", "late_seconds": 300, "reason": "travel"},
        {"reference": "RR-9XT3BC", "late_seconds": 60, "reason": None},
        {"reference": "RR-7K4M2Q", "late_seconds": 900, "reason": None},
    ]
    keys = [key for _, key, _ in rows(to_csv({"two_hours": {"breaches": breaches}}))[1:]]
    assert keys == [
        f"breaches.{name}.{figure}"
        for name in ("RR-7K4M2Q", "RR-9XT3BC", "RR-7K4M2Q (2)")
        for figure in ("late_seconds", "reason")
    ]


@each("evil", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1"])
def test_csv_never_holds_a_formula(evil: str) -> None:
    text = to_csv({"wards": [{"ward": evil, "incidents": 7}], "notes": [evil], evil: {"a": 1}})
    for row in rows(text):
        for cell in row:
            assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_csv_leaves_numbers_alone() -> None:
    assert rows(to_csv({"x": {"n": -3}}))[1] == ["x", "n", "-3"]


def test_json_is_the_figures() -> None:
    assert json.loads(to_json(FIGURES)) == FIGURES
    assert "St Paul’s Cray" in to_json(FIGURES)
