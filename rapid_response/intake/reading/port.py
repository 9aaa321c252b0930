"""What a reader of reports gives back; the rest of the product knows no more of how it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from rapid_response.core.facts import Facts
from rapid_response.core.vocabulary import Category, Channel, HateStrand, Urgency


class Matter(StrEnum):
    """Whether the text reports a crime at all. Unclear is never taken for harmless."""

    CRIME = "crime"
    NOT_CRIME = "not_crime"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words of the report that support one field: `text` is exactly `report[start:end]`.

    `kind`: of what supports `age_targeted`, which of the six kinds of labels.md it is.
    """

    label: str
    start: int
    end: int
    text: str
    why: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What the text says at the moment of the report (labels.md). Money is whole pence."""

    category: Category
    subtype: str
    urgency: Urgency
    matter: Matter
    age_targeted: bool
    age_kinds: tuple[str, ...]
    other_vulnerability_targeted: bool
    hate_strand: HateStrand | None
    money_at_risk_pence: int | None
    facts: Facts
    scores: Mapping[str, float]
    evidence: tuple[Evidence, ...]
    model_version: str
    question: str | None = None
    suggested: tuple[tuple[Category, float], ...] = field(default=())


class Reader(Protocol):
    """Reads one report. Pure: the same text at the same moment gives the same reading."""

    def read(
        self, text: str, *, channel: Channel | None, received_at: datetime, zone: ZoneInfo
    ) -> Reading: ...
