"""Learns small adjustments to the officers' weights from labelled reports; pure Python, no chance in it.

    python -m rapid_response.intake.reading.training tests/reading/corpus/dev.jsonl

writes `data/combination.json`. Each adjustment is pulled towards zero, so that a phrase which an officer adds
works at once with the weight given, and one that the corpus never shows keeps it.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import exp, sqrt
from pathlib import Path
from typing import Any

from rapid_response.intake.reading.findings import WORD_PREFIX
from rapid_response.intake.reading.knowledge import DATA, FLAGS, KINDS_OF_MATTER, TIMES, Knowledge, load
from rapid_response.intake.reading.passage import Passage
from rapid_response.intake.reading.reader import LexiconReader

Weights = dict[str, dict[str, float]]
Example = tuple[list[str], dict[str, float]]

_ROUNDS = 120
_STEP = 0.25
#: How strongly adjustments are pulled to zero: plain words more than what an officer named.
_PULL_CONCEPT, _PULL_WORD = 0.6, 2.0
_WORD_IN_REPORTS = 4
_LEAST_KEPT = 0.05


def learn(rows: Sequence[Mapping[str, Any]], knowledge: Knowledge) -> dict[str, Any]:
    """The content of `combination.json` for these labelled rows."""
    reader = LexiconReader(knowledge)
    found = [reader.findings(row["text"]) for row in rows]
    plain = [word_features(findings.passage) for findings in found]
    counts = Counter(word for words in plain for word in words)
    kept = {word for word, count in counts.items() if count >= _WORD_IN_REPORTS}
    concepts = [sorted(findings.spans) for findings in found]
    features = [names + sorted(words & kept) for names, words in zip(concepts, plain, strict=True)]
    weights: Weights = {}
    biases = dict(knowledge.biases)
    _fit(_examples(features, rows, _matter), KINDS_OF_MATTER, knowledge, weights, biases, _softmax)
    crimes = [(names, row) for names, row in zip(features, rows, strict=True) if row["urgency"] != "none"]
    _fit(
        _examples([names for names, _ in crimes], [row for _, row in crimes], _time),
        TIMES, knowledge, weights, biases, _softmax,
    )  # fmt: skip
    for flag in FLAGS:
        _fit(_examples(concepts, rows, _FLAG_LABELS[flag]), (flag,), knowledge, weights, biases, _logistic)
    return {"biases": _rounded(biases), "weights": {name: kept for name in sorted(weights) if (kept := _rounded(weights[name]))}}


def word_features(passage: Passage) -> set[str]:
    """Plain words and pairs of neighbours, as features that may be learned."""
    words = [word for word in passage.words]
    singles = {WORD_PREFIX + word for word in words if not word.isdecimal()}
    pairs = {
        WORD_PREFIX + first + " " + second
        for first, second in zip(words, words[1:], strict=False)
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
    given = [
        {label: sum(knowledge.weights[name].get(label, 0.0) for name in names) for label in labels}
        for names, _ in examples
    ]
    adjustments: dict[tuple[str, str], float] = {}
    steepness: dict[tuple[str, str], float] = {}
    slope_bias = dict.fromkeys(labels, 0.0)
    for _ in range(_ROUNDS):
        slopes: dict[tuple[str, str], float] = {}
        bias_slopes = dict.fromkeys(labels, 0.0)
        for (names, said), base in zip(examples, given, strict=True):
            sums = {
                label: base[label] + biases.get(label, 0.0) + sum(adjustments.get((name, label), 0.0) for name in names)
                for label in labels
            }
            shares = likely(sums)
            for label in labels:
                error = shares[label] - said.get(label, 0.0)
                bias_slopes[label] += error
                if abs(error) > 0.01:
                    for name in names:
                        key = (name, label)
                        slopes[key] = slopes.get(key, 0.0) + error
        for key, slope in slopes.items():
            pull = _PULL_WORD if key[0].startswith(WORD_PREFIX) else _PULL_CONCEPT
            slope += pull * adjustments.get(key, 0.0)
            steepness[key] = steepness.get(key, 0.0) + slope * slope
            adjustments[key] = adjustments.get(key, 0.0) - _STEP * slope / (sqrt(steepness[key]) + 1e-6)
        for label in labels:
            slope_bias[label] += bias_slopes[label] ** 2
            biases[label] = biases.get(label, 0.0) - _STEP * bias_slopes[label] / (sqrt(slope_bias[label]) + 1e-6)
    for (name, label), value in adjustments.items():
        weights.setdefault(name, {})[label] = weights.get(name, {}).get(label, 0.0) + value


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
    """Learns from the given files of labelled JSON lines and writes the combination file."""
    rows = [json.loads(line) for path in paths for line in Path(path).read_text().splitlines()]
    learned = learn(rows, load(DATA, learned=False))
    target = DATA / "combination.json"
    target.write_text(json.dumps(learned, indent=0, sort_keys=True, ensure_ascii=False) + "\n")
    sys.stdout.write(f"{target}: {len(learned['weights'])} features from {len(rows)} reports\n")


if __name__ == "__main__":
    main(sys.argv[1:])
