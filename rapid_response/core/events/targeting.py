"""Whether somebody was chosen for her age: assessed, reviewed, referred."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rapid_response.core.events.base import Event


@dataclass(frozen=True, slots=True)
class TargetingAssessed(Event):
    """Where it stands. `loss` stands with the first flag: whether money or goods had gone by then."""

    type: ClassVar[str] = "targeting_assessed"
    state: str
    kinds: tuple[str, ...] = ()
    other_vulnerability: bool = False
    statutory_strands: tuple[str, ...] = ()
    by_person: bool = False
    loss: str | None = None


@dataclass(frozen=True, slots=True)
class TargetingCorrected(Event):
    """A person said which strands and vulnerability it is about, or that the victim says so; no decision."""

    type: ClassVar[str] = "targeting_corrected"
    statutory_strands: tuple[str, ...]
    other_vulnerability: bool
    strands_before: tuple[str, ...] = ()
    other_vulnerability_before: bool = False
    victims_own_perception: bool = False


@dataclass(frozen=True, slots=True)
class ReviewProposed(Event):
    """One reviewer would rule out what the victim says; somebody else has to agree."""

    type: ClassVar[str] = "review_proposed"
    state: str


@dataclass(frozen=True, slots=True)
class ReviewProposalSettled(Event):
    """What became of it: `confirmed`, `rejected`, `withdrawn` (by another decision too) or `joined`."""

    type: ClassVar[str] = "review_proposal_settled"
    state: str
    outcome: str


@dataclass(frozen=True, slots=True)
class PoliceHateCrimeRecorded(Event):
    """The police gave a reference of their own: from here on it may be called recorded by them."""

    type: ClassVar[str] = "police_hate_crime_recorded"


@dataclass(frozen=True, slots=True)
class ReferralMoved(Event):
    """A referral was sent (its first state), or something became of it; `chased` moves nothing."""

    type: ClassVar[str] = "referral_moved"
    referral_id: str
    kind: str
    state: str
