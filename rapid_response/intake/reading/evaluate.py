"""Figures of readings against labelled reports: pure arithmetic, the same for every reader and file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapid_response.intake.reading.port import Reading

_CATEGORIES = ("doorstep_crime", "scam", "other")
_ACT_NOW = ("in_progress", "imminent")
_MONEY_TOLERANCE = 0.10


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and their harmonic mean over counted cases."""

    precision: float
    recall: float
    f1: float
    cases: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The table of figures of one labelled file."""

    rows: int
    categories: Mapping[str, Score]
    macro_f1: float
    act_now: Score
    urgency_accuracy: float
    age_targeted: Score
    other_vulnerability_targeted: Score
    hate_strand_accuracy: float
    hate_strand: Score
    money_within_tolerance: float
    money_cases: int
    spans_exact: float
    labels_with_evidence: float

    def as_table(self) -> str:
        """The figures as lines of text."""
        lines = [f"reports                     {self.rows}"]
        lines += [f"{name:27} {_line(score)}" for name, score in self.categories.items()]
        lines += [
            f"category macro-F1           {self.macro_f1:.3f}",
            f"act now                     {_line(self.act_now)}",
            f"urgency accuracy            {self.urgency_accuracy:.3f}",
            f"age_targeted                {_line(self.age_targeted)}",
            f"other_vulnerability         {_line(self.other_vulnerability_targeted)}",
            f"hate_strand                 {_line(self.hate_strand)}",
            f"hate_strand accuracy        {self.hate_strand_accuracy:.3f}",
            f"money within 10 %           {self.money_within_tolerance:.3f}  ({self.money_cases} sums)",
            f"spans exact                 {self.spans_exact:.3f}",
            f"labels with evidence        {self.labels_with_evidence:.3f}",
        ]
        return "\n".join(lines)


def evaluate(rows: Sequence[Mapping[str, Any]], readings: Sequence[Reading]) -> Figures:
    """Compares each labelled row with the reading of its text."""
    pairs = list(zip(rows, readings, strict=True))
    categories = {
        name: score([(row["category"] == name, reading.category.value == name) for row, reading in pairs])
        for name in _CATEGORIES
    }
    strands = [
        (row.get("hate_strand"), reading.hate_strand and reading.hate_strand.value) for row, reading in pairs
    ]
    money = [(row["money_at_risk_gbp"], reading.money_at_risk_pence) for row, reading in pairs]
    return Figures(
        rows=len(pairs),
        categories=categories,
        macro_f1=sum(found.f1 for found in categories.values()) / len(categories),
        act_now=score(
            [(row["urgency"] in _ACT_NOW, reading.urgency.value in _ACT_NOW) for row, reading in pairs]
        ),
        urgency_accuracy=_share([row["urgency"] == reading.urgency.value for row, reading in pairs]),
        age_targeted=score([(bool(row["age_targeted"]), reading.age_targeted) for row, reading in pairs]),
        other_vulnerability_targeted=score(
            [
                (bool(row["other_vulnerability_targeted"]), reading.other_vulnerability_targeted)
                for row, reading in pairs
            ]
        ),
        hate_strand_accuracy=_share([said == found for said, found in strands]),
        hate_strand=Score(*_strand_score(strands)),
        money_within_tolerance=_share([money_agrees(said, pence) for said, pence in money]),
        money_cases=sum(said is not None for said, _ in money),
        spans_exact=_share(
            [row["text"][e.start : e.end] == e.text and bool(e.text) for row, r in pairs for e in r.evidence]
        ),
        labels_with_evidence=_share([_evidenced(reading) for row, reading in pairs if row["text"].strip()]),
    )


def money_agrees(pounds: float | None, pence: int | None) -> bool:
    """Both silent, or within a tenth of what the label says."""
    if pounds is None or pence is None:
        return pounds is None and pence is None
    return abs(pence / 100 - pounds) <= _MONEY_TOLERANCE * pounds


def score(pairs: Sequence[tuple[bool, bool]]) -> Score:
    """Score of (labelled, found) pairs."""
    right = sum(said and found for said, found in pairs)
    found_all, said_all = sum(found for _, found in pairs), sum(said for said, _ in pairs)
    precision = right / found_all if found_all else 1.0
    recall = right / said_all if said_all else 1.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return Score(precision, recall, f1, said_all)


def _strand_score(strands: Sequence[tuple[Any, Any]]) -> tuple[float, float, float, int]:
    right = sum(said is not None and said == found for said, found in strands)
    found_all = sum(found is not None for _, found in strands)
    said_all = sum(said is not None for said, _ in strands)
    precision = right / found_all if found_all else 1.0
    recall = right / said_all if said_all else 1.0
    return precision, recall, 2 * precision * recall / (precision + recall or 1.0), said_all


def _evidenced(reading: Reading) -> bool:
    """Whether every label given has words shown for it."""
    labels = {shown.label for shown in reading.evidence}
    needed = {"category", "urgency"}
    needed |= {"age_targeted"} if reading.age_targeted else set()
    needed |= {"other_vulnerability_targeted"} if reading.other_vulnerability_targeted else set()
    needed |= {"hate_strand"} if reading.hate_strand else set()
    needed |= {"money_at_risk_gbp"} if reading.money_at_risk_pence is not None else set()
    return needed <= labels


def _share(held: Sequence[bool]) -> float:
    return sum(held) / len(held) if held else 1.0


def _line(found: Score) -> str:
    return f"P {found.precision:.3f}  R {found.recall:.3f}  F1 {found.f1:.3f}  ({found.cases})"
