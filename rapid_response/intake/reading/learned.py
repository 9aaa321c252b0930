"""What training learned, as a file: a line a feature, its weights in hundredths, named by the first line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

_BIAS = "(bias)"
_RARITY = "rarity"
_NONE = "."


@dataclass(frozen=True, slots=True)
class Learned:
    """What is added to each label's bias, and to the weights that officers gave each feature."""

    biases: Mapping[str, float]
    weights: Mapping[str, Mapping[str, float]]
    #: How rare each plain word is among the reports (its inverse document frequency).
    rarities: Mapping[str, float] = field(default_factory=dict)

    def as_text(self) -> str:
        """The file's content."""
        labels = sorted({label for row in (self.biases, *self.weights.values()) for label in row})
        labels.append(_RARITY)
        rows = [("feature", *labels), _row(_BIAS, self.biases, labels)]
        for name in sorted({*self.weights, *self.rarities}):
            row = dict(self.weights.get(name, {}))
            if name in self.rarities:
                row[_RARITY] = self.rarities[name]
            rows.append(_row(name, row, labels))
        return "".join("\t".join(row) + "\n" for row in rows)


def read(text: str) -> Learned:
    """The other way round of :meth:`Learned.as_text`."""
    head, *lines = text.splitlines()
    labels = head.split("\t")[1:]
    weigh = cache(_weight)  # a thousand weights are given to tens of thousands: one object each
    rows, rarities = {}, {}
    for line in lines:
        name, *numbers = line.split("\t")
        given = zip(labels, numbers, strict=True)
        row = rows[name] = {label: weigh(number) for label, number in given if number != _NONE}
        if _RARITY in row:
            rarities[name] = row.pop(_RARITY)
    return Learned(biases=rows.pop(_BIAS, {}), weights=rows, rarities=rarities)


def _weight(number: str) -> float:
    return int(number) / 100


def _row(name: str, weights: Mapping[str, float], labels: list[str]) -> tuple[str, ...]:
    return (name, *(str(round(weights[at] * 100)) if at in weights else _NONE for at in labels))
