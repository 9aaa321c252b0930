"""A regression with a pull: which weights make what people said of reports likely, without going far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from operator import mul

from rapid_response.intake.reading.descent import least

#: What is said of an example that has not the one label there is.
NOT = ""
#: From the labels' sums to the chance of each thing that may be said.
Likely = Callable[[Mapping[str, float]], Mapping[str, float]]

_ROUNDS = 60
_NEGLIGIBLE, _LEAST_CHANCE = 1e-4, 1e-12


@dataclass(frozen=True, slots=True)
class Example:
    """One report by the places of its features, and the label that people gave it."""

    concepts: Sequence[int]
    words: Sequence[int]
    #: What each word counts for.
    share: float
    said: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is to be learned.

    A point is, label by label, how far each weight has gone in units of its `reach`, and then the bias; in
    these units all are pulled alike, so that the descent is short.
    """

    examples: Sequence[Example]
    #: Where each label's weights begin, and its bias.
    begin: Mapping[str, tuple[Sequence[float], float]]
    #: How far each weight goes for the same pull.
    reach: Sequence[float]
    likely: Likely

    def learn(self) -> dict[str, tuple[list[float], float]]:
        """Each label's weights, and its bias."""
        nowhere = [0.0] * len(self.reach)
        start = [x for _, bias in self.begin.values() for x in (*nowhere, bias)]
        return self._at(least(self._measure, start, _ROUNDS))

    def _at(self, point: Sequence[float]) -> dict[str, tuple[list[float], float]]:
        width, found = len(self.reach), {}
        for number, (label, (begin, _)) in enumerate(self.begin.items()):
            gone = point[number * (width + 1) : (number + 1) * (width + 1)]
            weights = [b + r * g for b, r, g in zip(begin, self.reach, gone[:width], strict=True)]
            found[label] = weights, gone[width]
        return found

    def _measure(self, point: list[float]) -> tuple[float, list[float]]:
        """How unlikely what was said is at a point, with the pull; and the slope there."""
        columns = self._at(point)
        weighing = [(label, weights.__getitem__, bias) for label, (weights, bias) in columns.items()]
        slopes = {label: [0.0] * len(self.reach) for label in columns}
        bias_slopes, value = dict.fromkeys(columns, 0.0), 0.0
        for example in self.examples:
            concepts, words, share = example.concepts, example.words, example.share
            found = self.likely(
                {
                    label: bias + sum(map(weigh, concepts)) + share * sum(map(weigh, words))
                    for label, weigh, bias in weighing
                }
            )
            value -= log(max(_LEAST_CHANCE, found[example.said]))
            for label, slope in slopes.items():
                error = found[label] - (label == example.said)
                bias_slopes[label] += error
                if abs(error) > _NEGLIGIBLE:
                    shared = error * share
                    for spot in concepts:
                        slope[spot] += error
                    for spot in words:
                        slope[spot] += shared
        return self._with_pull(point, value, slopes, bias_slopes)

    def _with_pull(
        self,
        point: Sequence[float],
        value: float,
        slopes: Mapping[str, list[float]],
        biases: Mapping[str, float],
    ) -> tuple[float, list[float]]:
        """The bias is free; each weight is pulled to where it began."""
        steep: list[float] = []
        for label, slope in slopes.items():
            gone = point[len(steep) : len(steep) + len(slope)]
            value += sum(map(mul, gone, gone)) / 2
            steep += (s * r + g for s, r, g in zip(slope, self.reach, gone, strict=True))
            steep.append(biases[label])
        return value, steep


def softmax(sums: Mapping[str, float]) -> Mapping[str, float]:
    """One of several labels holds."""
    top = max(sums.values())
    raised = {label: exp(value - top) for label, value in sums.items()}
    total = sum(raised.values())
    return {label: value / total for label, value in raised.items()}


def logistic(sums: Mapping[str, float]) -> Mapping[str, float]:
    """The one label holds, or not."""
    ((label, value),) = sums.items()
    chance = 1 / (1 + exp(-max(-30.0, min(30.0, value))))
    return {label: chance, NOT: 1 - chance}
