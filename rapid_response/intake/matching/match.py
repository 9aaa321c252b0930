"""What a comparison answers: how sure, and why in plain words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What two reports may have in common."""

    VICTIM = "victim"
    ADDRESS = "address"
    CALLER = "caller"
    SUSPECT = "suspect"


@dataclass(frozen=True, slots=True)
class Match:
    """`confidence` is 0 to 1; the reasons never hold what was compared, so they may be shown and kept."""

    kind: Kind
    confidence: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two values of one kind are."""

    confidence: float
    reason: str


def together(kind: Kind, found: Iterable[Likeness]) -> Match | None:
    """Independent signs of one thing strengthen each other; the strongest is named first."""
    signs = sorted((s for s in found if s.confidence > 0), key=lambda s: -s.confidence)
    if not signs:
        return None
    doubt = 1.0
    for sign in signs:
        doubt *= 1 - sign.confidence
    reasons = tuple(dict.fromkeys(s.reason for s in signs))
    return Match(kind, round(min(1 - doubt, 0.99), 2), reasons)


def best(found: Iterable[Likeness | None]) -> Likeness | None:
    """The surest of several comparisons of the same kind."""
    return max((s for s in found if s is not None), key=lambda s: s.confidence, default=None)
