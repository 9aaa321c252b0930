"""Adds up what speaks for each label and turns the sums into shares between 0 and 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import exp

from rapid_response.intake.reading.knowledge import KINDS_OF_MATTER, LABELS, TIMES


def add_up(columns: Iterable[tuple[float, ...]], biases: tuple[float, ...]) -> dict[str, float]:
    """Each label's sum over the weights (in the order of LABELS) of all features present."""
    return dict(zip(LABELS, map(sum, zip(biases, *columns, strict=True)), strict=True))


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
