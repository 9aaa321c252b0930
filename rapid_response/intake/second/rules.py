"""What a second reader's words come to: suggestions to a person, where they go beyond what we have.

Nothing here changes a case. A concern is shown where it would raise the danger or the targeting; a lower
urgency is not even shown. Another category may be suggested either way, because it only describes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rapid_response.core.facts import Facts, needs_two
from rapid_response.core.vocabulary import AgeTargeting, Category, Priority, Urgency
from rapid_response.intake.second.answering import Claim, Label, Told


@dataclass(frozen=True, slots=True)
class Standing:
    """What the case is taken for now."""

    category: Category
    urgency: Urgency
    priority: Priority
    age_state: AgeTargeting
    other_vulnerability: bool
    facts: Facts
    #: Nobody goes in alone already.
    joint: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A claim that a person should see; `raises` where it says more danger or targeting than we have."""

    claim: Claim
    raises: bool


_NEARNESS = tuple(reversed(Urgency))


def _nearer(one: Urgency, other: Urgency) -> bool:
    return _NEARNESS.index(one) > _NEARNESS.index(other)


def suggestions(told: Told, standing: Standing) -> Sequence[Suggestion]:
    """What of an answer is worth a person's look."""
    return [s for claim in told.claims if (s := _suggestion(claim, standing)) is not None]


def _suggestion(claim: Claim, standing: Standing) -> Suggestion | None:
    match claim.label:
        case Label.CATEGORY:
            return None if claim.value == standing.category else Suggestion(claim, raises=False)
        case Label.URGENCY:
            urgency = Urgency(claim.value)
            if not _nearer(urgency, standing.urgency):
                return None
            return Suggestion(claim, urgency is not Urgency.HISTORIC and _could_be_sooner(standing))
        case Label.AGE_TARGETED:
            # Whatever its state, a person has it before her, or has had.
            return Suggestion(claim, raises=True) if standing.age_state is AgeTargeting.NONE else None
        case Label.OTHER_VULNERABILITY_TARGETED:
            return None if standing.other_vulnerability else Suggestion(claim, raises=True)
        case Label.DANGER:
            # False is a person's answer: it beats what any reader makes of the words.
            if getattr(standing.facts, claim.value) is not None:
                return None
            # That nobody may go in alone is news even where somebody is on the way.
            danger: dict[str, Any] = {claim.value: True}
            is_news = not standing.joint and needs_two(replace(standing.facts, **danger))
            return Suggestion(claim, _could_be_sooner(standing) or is_news)


def _could_be_sooner(standing: Standing) -> bool:
    """P0 and P1 send somebody now: nearer danger could not be met sooner."""
    return standing.priority.rank > Priority.P1.rank


def asks_for_danger(found: Sequence[Suggestion]) -> bool:
    """Whether somebody should look soon: more danger than we have."""
    return any(s.raises and s.claim.label in (Label.URGENCY, Label.DANGER) for s in found)


def asks_for_targeting(found: Sequence[Suggestion]) -> bool:
    """Whether somebody should look at why this person was chosen."""
    targeting = (Label.AGE_TARGETED, Label.OTHER_VULNERABILITY_TARGETED)
    return any(s.raises and s.claim.label in targeting for s in found)
