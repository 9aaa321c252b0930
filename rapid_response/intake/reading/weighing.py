"""Adds up what speaks for each label and turns the sums into shares between 0 and 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import exp

from rapid_response.intake.reading.knowledge import KINDS_OF_MATTER, LABELS, TIMES

Column = tuple[float, ...]


def add_up(
    concepts: Iterable[Column], words: Iterable[Column], share: float, biases: Column
) -> dict[str, float]:
    """Each label's sum over the weights (in the order of LABELS) of all features present.

    Plain words count for `share` of their weights (:func:`share_of_words`), whatever their number.
    """
    said = map(sum, zip(biases, *concepts, strict=True))
    spoken = map(sum, zip(_NOTHING, *words, strict=True))
    return {label: s + share * w for label, s, w in zip(LABELS, said, spoken, strict=True)}


_NOTHING = (0.0,) * len(LABELS)


def share_of_words(rarities: Iterable[float]) -> float:
    """What each of a report's plain words counts for: less, the more of them it has and the rarer they are.

    One over the root of the length of their vector: between counting each whole, where long reports are too
    sure of themselves, and comparing texts by their angle alone. It errs least on writers it never met. Very
    few words never count for more.
    """
    return float(max(_FEW, sum(rarity * rarity for rarity in rarities)) ** -0.25)


#: About eight words.
_FEW = 300.0


def shares(sums: Mapping[str, float], labels: tuple[str, ...]) -> dict[str, float]:
    """The softmax of the sums of `labels`."""
    top = max(sums[label] for label in labels)
    raised = {label: exp(sums[label] - top) for label in labels}
    total = sum(raised.values())
    return {label: value / total for label, value in raised.items()}


def chance(total: float) -> float:
    """The logistic of a sum, safe for sums of any size."""
    if total < -30:
        return 0.0
    if total > 30:
        return 1.0
    return 1.0 / (1.0 + exp(-total))


def matter_shares(sums: Mapping[str, float]) -> dict[str, float]:
    """How the four kinds of matter compare."""
    return shares(sums, KINDS_OF_MATTER)


def time_shares(sums: Mapping[str, float]) -> dict[str, float]:
    """How the four times compare, given that it is a crime."""
    return shares(sums, TIMES)
