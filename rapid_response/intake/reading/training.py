"""Learns what phrases and plain words weigh from labelled reports; pure Python, no chance in it.

    python -m rapid_response.intake.reading.training tests/reading/corpus/train_*.jsonl

writes `data/learned.tsv`. A phrase that the reports hardly show keeps the weight that an officer gave it, so
that one which is added works at once; one that they show often weighs what they teach.

It is two regressions of several labels (what it is, when it is) and one for each flag, over concepts and
plain words, with a pull towards where each weight began. Words count by how rare they are, and less the more
there are (:func:`share_of_words`): by that, and by a strong pull, it errs less on writers it never met.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from pathlib import Path
from typing import Any

from rapid_response.intake.reading.knowledge import (
    DATA,
    KINDS_OF_MATTER,
    LABELS,
    LEARNED,
    NO_COLUMN,
    TIMES,
    WORD_PREFIX,
    Knowledge,
    load,
)
from rapid_response.intake.reading.learned import Learned
from rapid_response.intake.reading.passage import Passage
from rapid_response.intake.reading.reader import LexiconReader
from rapid_response.intake.reading.regression import NOT, Example, Lesson, logistic, softmax
from rapid_response.intake.reading.weighing import share_of_words

Row = Mapping[str, Any]
#: How strongly a weight is pulled to where it began: a concept's, and a plain word's in units of its rarity.
_PULL_CONCEPT, _PULL_WORD = 40.0, 10.0
_WORD_IN_REPORTS, _PAIR_IN_REPORTS = 4, 5
#: Once so many reports have shown a phrase, they alone say what it weighs.
_SHOWN_OFTEN = 5
#: Weights under this are left out: a concept's, and a word's, which counts for a part of it.
_LEAST_CONCEPT, _LEAST_WORD = 0.02, 0.08


@dataclass(frozen=True, slots=True)
class _Features:
    """What one report shows: concepts, and plain words that count for `share` each, times their rarity."""

    concepts: Sequence[str]
    words: Sequence[str]
    share: float


def learn(rows: Sequence[Row], knowledge: Knowledge) -> Learned:
    """The content of `learned.tsv` for these labelled rows."""
    reader = LexiconReader(knowledge)
    found = [reader.findings(row["text"]) for row in rows]
    plain = [word_features(findings.passage) for findings in found]
    rarities = _rarities(plain)
    features = []
    for findings, spoken in zip(found, plain, strict=True):
        words = sorted(spoken & rarities.keys())
        share = share_of_words(rarities[word] for word in words)
        features.append(_Features(sorted(findings.spans), words, share))
    weights: dict[str, dict[str, float]] = {}
    biases = dict(knowledge.biases)
    for labels, said in _LESSONS:
        taught = [
            (f, label) for f, row in zip(features, rows, strict=True) if (label := said(row)) is not None
        ]
        lesson, names = _lesson(taught, labels, knowledge, rarities)
        for label, (column, bias) in lesson.learn().items():
            biases[label], at = bias, LABELS.index(label)
            for name, weight in zip(names, column, strict=True):
                # The file adds to what an officer said.
                weights.setdefault(name, {})[label] = weight - knowledge.columns[name][at]
    return Learned(
        biases={label: round(bias, 2) for label, bias in sorted(biases.items())},
        weights={name: small for name in sorted(weights) if (small := _rounded(name, weights[name]))},
        rarities=rarities,
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


def _rarities(plain: Sequence[set[str]]) -> dict[str, float]:
    """The words and pairs that reports show often enough, each with its inverse document frequency."""
    counts = Counter(word for words in plain for word in words)
    return {
        word: round(log((1 + len(plain)) / (1 + count)) + 1, 2)
        for word, count in sorted(counts.items())
        if count >= (_PAIR_IN_REPORTS if " " in word else _WORD_IN_REPORTS)
    }


def _matter(row: Row) -> str:
    if row["category"] == "other":
        return "no_crime" if row["urgency"] == "none" else "other_crime"
    return "doorstep" if row["category"] == "doorstep_crime" else "scam"


def _time(row: Row) -> str | None:
    return None if row["urgency"] == "none" else str(row["urgency"])


def _age(row: Row) -> str:
    return "age" if row["age_targeted"] else NOT


def _vulnerability(row: Row) -> str:
    return "vulnerability" if row["other_vulnerability_targeted"] else NOT


#: Labels that are learned together, and what a report says of them; nothing where it teaches nothing.
_LESSONS: Sequence[tuple[Sequence[str], Callable[[Row], str | None]]] = (
    (KINDS_OF_MATTER, _matter),
    (TIMES, _time),
    (("age",), _age),
    (("vulnerability",), _vulnerability),
)


def _lesson(
    taught: Sequence[tuple[_Features, str]],
    labels: Sequence[str],
    knowledge: Knowledge,
    rarities: Mapping[str, float],
) -> tuple[Lesson, Sequence[str]]:
    """What these reports teach of these labels, and the names of the features in their order."""
    shown = Counter(name for features, _ in taught for name in features.concepts)
    names = (*sorted(shown), *rarities)
    place = {name: at for at, name in enumerate(names)}
    examples = [
        Example([place[n] for n in f.concepts], [place[n] for n in f.words], f.share, label)
        for f, label in taught
    ]
    known = [knowledge.columns[name] if shown[name] < _SHOWN_OFTEN else NO_COLUMN for name in names]
    begin = {
        label: ([column[LABELS.index(label)] for column in known], knowledge.biases.get(label, 0.0))
        for label in labels
    }
    reach = [rarities[n] / sqrt(_PULL_WORD) if n in rarities else 1 / sqrt(_PULL_CONCEPT) for n in names]
    return Lesson(examples, begin, reach, softmax if len(labels) > 1 else logistic), names


def _rounded(name: str, weights: Mapping[str, float]) -> dict[str, float]:
    least = _LEAST_WORD if name.startswith(WORD_PREFIX) else _LEAST_CONCEPT
    return {label: round(value, 2) for label, value in sorted(weights.items()) if abs(value) >= least}


def main(paths: Iterable[str]) -> None:
    """Learns from the given files of labelled JSON lines and writes what was learned."""
    rows = [json.loads(line) for path in paths for line in Path(path).read_text().splitlines()]
    learned = learn(rows, load(DATA, trained=Learned({}, {})))
    target = DATA / LEARNED
    target.write_text(learned.as_text())
    sys.stdout.write(f"{target}: {len(learned.rarities)} words from {len(rows)} reports\n")


if __name__ == "__main__":
    main(sys.argv[1:])
