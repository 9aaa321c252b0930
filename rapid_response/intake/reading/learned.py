"""What training learned, as a file: a line a feature, its weights in hundredths, named by the first line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

_BIAS = "(bias)"
_NONE = "."


@dataclass(frozen=True, slots=True)
class Learned:
    """What is added to each label's bias, and to the weights that officers gave each feature."""

    biases: Mapping[str, float]
    weights: Mapping[str, Mapping[str, float]]

    def as_text(self) -> str:
        """The file's content."""
        labels = sorted({label for row in (self.biases, *self.weights.values()) for label in row})
        rows = [("feature", *labels), _row(_BIAS, self.biases, labels)]
        rows += [_row(name, weights, labels) for name, weights in self.weights.items()]
        return "".join("\t".join(row) + "\n" for row in rows)


def read(text: str) -> Learned:
    """The other way round of :meth:`Learned.as_text`."""
    head, *lines = text.splitlines()
    labels = head.split("\t")[1:]
    weigh = cache(_weight)  # a thousand weights are given to tens of thousands: one object each
    rows = {}
    for line in lines:
        name, *numbers = line.split("\t")
        given = zip(labels, numbers, strict=True)
        rows[name] = {label: weigh(number) for label, number in given if number != _NONE}
    return Learned(biases=rows.pop(_BIAS, {}), weights=rows)


def _weight(number: str) -> float:
    return int(number) / 100


def _row(name: str, weights: Mapping[str, float], labels: list[str]) -> tuple[str, ...]:
    return (name, *(str(round(weights[at] * 100)) if at in weights else _NONE for at in labels))
