"""Learns what phrases and plain words weigh from labelled reports; pure Python, no chance in it.

    python -m rapid_response.intake.reading.training tests/reading/corpus/train_*.jsonl

writes `data/learned.tsv`. A phrase that the reports hardly show keeps the weight that an officer gave it, so
that one which is added works at once; one that they show often begins with a share of it and learns the rest.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import exp, sqrt
from pathlib import Path
from typing import Any

from rapid_response.intake.reading.knowledge import (
    DATA,
    FLAGS,
    KINDS_OF_MATTER,
    LABELS,
    LEARNED,
    TIMES,
    WORD_PREFIX,
    Knowledge,
    load,
)
from rapid_response.intake.reading.learned import Learned
from rapid_response.intake.reading.passage import Passage
from rapid_response.intake.reading.reader import LexiconReader

Weights = dict[str, dict[str, float]]
Example = tuple[list[str], dict[str, float]]

_ROUNDS = 80
_STEP = 0.25
_NEGLIGIBLE = 0.01
#: How strongly adjustments are pulled to zero: plain words more than what an officer named.
_PULL_CONCEPT, _PULL_WORD = 1.0, 2.0
_WORD_IN_REPORTS = 4
_PAIR_IN_REPORTS = 5
_LEAST_KEPT = 0.06
#: What an officer's weight still counts for, once so many reports have shown the phrase.
_TRUST, _SHOWN_OFTEN = 0.3, 5


def learn(rows: Sequence[Mapping[str, Any]], knowledge: Knowledge) -> Learned:
    """The content of `learned.tsv` for these labelled rows."""
    reader = LexiconReader(knowledge)
    found = [reader.findings(row["text"]) for row in rows]
    plain = [word_features(findings.passage) for findings in found]
    counts = Counter(word for words in plain for word in words)
    kept = {
        word
        for word, count in counts.items()
        if count >= (_PAIR_IN_REPORTS if " " in word else _WORD_IN_REPORTS)
    }
    features = [
        sorted(findings.spans) + sorted(words & kept) for findings, words in zip(found, plain, strict=True)
    ]
    weights: Weights = {}
    biases = dict(knowledge.biases)
    _fit(_examples(features, rows, _matter), KINDS_OF_MATTER, knowledge, weights, biases, _softmax)
    crimes = [(names, row) for names, row in zip(features, rows, strict=True) if row["urgency"] != "none"]
    _fit(
        _examples([names for names, _ in crimes], [row for _, row in crimes], _time),
        TIMES, knowledge, weights, biases, _softmax,
    )  # fmt: skip
    for flag in FLAGS:
        _fit(_examples(features, rows, _FLAG_LABELS[flag]), (flag,), knowledge, weights, biases, _logistic)
    return Learned(
        biases=_rounded(biases),
        weights={name: small for name in sorted(weights) if (small := _rounded(weights[name]))},
    )


def word_features(passage: Passage) -> set[str]:
    """Plain words and pairs of neighbours, as features that may be learned."""
    words = [word for word in passage.words]
    singles = {WORD_PREFIX + word for word in words if not word.isdecimal()}
    pairs = {
        WORD_PREFIX + first + " " + second
        for first, second in itertools.pairwise(words)
        if not (first.isdecimal() or second.isdecimal())
    }
    return singles | pairs


def _matter(row: Mapping[str, Any]) -> dict[str, float]:
    if row["category"] == "other":
        return {"no_crime" if row["urgency"] == "none" else "other_crime": 1.0}
    return {"doorstep" if row["category"] == "doorstep_crime" else "scam": 1.0}


def _time(row: Mapping[str, Any]) -> dict[str, float]:
    return {row["urgency"]: 1.0}


_FLAG_LABELS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, float]]] = {
    "age": lambda row: {"age": float(row["age_targeted"])},
    "vulnerability": lambda row: {"vulnerability": float(row["other_vulnerability_targeted"])},
}


def _examples(
    features: Sequence[list[str]],
    rows: Sequence[Mapping[str, Any]],
    label: Callable[[Mapping[str, Any]], dict[str, float]],
) -> list[Example]:
    return [(names, label(row)) for names, row in zip(features, rows, strict=True)]


def _fit(
    examples: Sequence[Example], labels: tuple[str, ...], knowledge: Knowledge, weights: Weights,
    biases: dict[str, float], likely: Callable[[Mapping[str, float]], Mapping[str, float]],
) -> None:  # fmt: skip
    """Gradient steps of shrinking size over all examples at once, with a pull towards zero."""
    names = sorted({name for features, _ in examples for name in features})
    place = {name: at for at, name in enumerate(names)}
    placed = [[place[name] for name in features] for features, _ in examples]
    pulls = [_PULL_WORD if name.startswith(WORD_PREFIX) else _PULL_CONCEPT for name in names]
    shown = Counter(name for features, _ in examples for name in features)
    trust = [_TRUST if shown[name] >= _SHOWN_OFTEN else 1.0 for name in names]
    columns = {
        label: _Column([knowledge.columns[n][LABELS.index(label)] for n in names], trust) for label in labels
    }
    for label in labels:
        columns[label].bias = biases.get(label, 0.0)
    for _ in range(_ROUNDS):
        slopes, bias_slopes = _slopes(placed, examples, columns, likely)
        for label in labels:
            columns[label].step(slopes[label], bias_slopes[label], pulls)
    for label, column in columns.items():
        biases[label] = column.bias
        for name, start, end in zip(names, column.given, column.weights, strict=True):
            if start != end:
                weights.setdefault(name, {})[label] = end - start


def _slopes(
    placed: Sequence[Sequence[int]],
    examples: Sequence[Example],
    columns: Mapping[str, _Column],
    likely: Callable[[Mapping[str, float]], Mapping[str, float]],
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """How wrong each weight is, over all examples."""
    width = len(next(iter(columns.values())).weights)
    slopes = {label: [0.0] * width for label in columns}
    bias_slopes = dict.fromkeys(columns, 0.0)
    for spots, (_, said) in zip(placed, examples, strict=True):
        found = likely({label: column.total(spots) for label, column in columns.items()})
        for label, slope in slopes.items():
            error = found[label] - said.get(label, 0.0)
            bias_slopes[label] += error
            if abs(error) > _NEGLIGIBLE:
                for spot in spots:
                    slope[spot] += error
    return slopes, bias_slopes


class _Column:
    """The weights of one label over all features, and how steeply each has been moved."""

    def __init__(self, given: list[float], trust: Sequence[float]) -> None:
        self.given, self.bias = given, 0.0
        self._base = [weight * share for weight, share in zip(given, trust, strict=True)]
        self.weights = list(self._base)
        self._steepness, self._bias_steepness = [0.0] * len(given), 0.0

    def total(self, spots: Sequence[int]) -> float:
        return self.bias + sum(map(self.weights.__getitem__, spots))

    def step(self, slopes: Sequence[float], bias_slope: float, pulls: Sequence[float]) -> None:
        """One step downhill; what was moved much moves less."""
        for spot, slope in enumerate(slopes):
            slope += pulls[spot] * (self.weights[spot] - self._base[spot])
            if slope:
                self._steepness[spot] += slope * slope
                self.weights[spot] -= _STEP * slope / (sqrt(self._steepness[spot]) + 1e-6)
        self._bias_steepness += bias_slope * bias_slope
        self.bias -= _STEP * bias_slope / (sqrt(self._bias_steepness) + 1e-6)


def _softmax(sums: Mapping[str, float]) -> Mapping[str, float]:
    top = max(sums.values())
    raised = {label: exp(value - top) for label, value in sums.items()}
    total = sum(raised.values())
    return {label: value / total for label, value in raised.items()}


def _logistic(sums: Mapping[str, float]) -> Mapping[str, float]:
    return {label: 1 / (1 + exp(-max(-30.0, min(30.0, value)))) for label, value in sums.items()}


def _rounded(weights: Mapping[str, float]) -> dict[str, float]:
    return {label: round(value, 2) for label, value in sorted(weights.items()) if abs(value) >= _LEAST_KEPT}


def main(paths: Iterable[str]) -> None:
    """Learns from the given files of labelled JSON lines and writes what was learned."""
    rows = [json.loads(line) for path in paths for line in Path(path).read_text().splitlines()]
    learned = learn(rows, load(DATA, trained=Learned({}, {})))
    target = DATA / LEARNED
    target.write_text(learned.as_text())
    sys.stdout.write(f"{target}: {len(learned.weights)} features from {len(rows)} reports\n")


if __name__ == "__main__":
    main(sys.argv[1:])
