"""Whether a victim was chosen for age-related vulnerability: what the machine may say, and who decides.

Sources: domain.md 2.4 (states, reviewers, strands), labels.md (what counts as evidence; it wins over
domain.md 2.4), design.md 6. Age is not a hate-crime strand in the law of England and Wales: police and
CPS monitor race, religion, sexual orientation, disability and transgender identity (Sentencing Code s.66).
So the machine says *potential* at most, and the statutory strands are kept apart from the age flag.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rapid_response.core.facts import Facts
from rapid_response.core.vocabulary import AgeEvidence, AgeTargeting, Category, HateStrand, Role


@dataclass(frozen=True, slots=True)
class Targeting:
    """What the report's evidence says; a statutory strand offers a police referral, whatever the age flag."""

    state: AgeTargeting
    kinds: tuple[str, ...]
    other_vulnerability: bool
    statutory_strands: tuple[HateStrand, ...]
    offer_police_referral: bool


def assess(
    reading_age_targeted: bool,
    kinds: Sequence[str],
    other_vulnerability: bool,
    hate_strand: HateStrand | None,
) -> Targeting:
    """The machine's assessment: `none` or `potential`, never more. A victim's age is no argument of it."""
    strands = (hate_strand,) if hate_strand is not None else ()
    return Targeting(
        state=AgeTargeting.POTENTIAL if reading_age_targeted else AgeTargeting.NONE,
        kinds=tuple(dict.fromkeys(kinds)) if reading_age_targeted else (),
        other_vulnerability=other_vulnerability,
        statutory_strands=strands,
        offer_police_referral=bool(strands),
    )


def after_assessment(current: AgeTargeting, assessed: AgeTargeting) -> AgeTargeting:
    """The state when the machine reads again: it may raise `none` to `potential` and nothing else."""
    return assessed if current is AgeTargeting.NONE else current


def is_in_doubt(decided: AgeTargeting, joining: AgeTargeting) -> bool:
    """Whether a decision against it is to be looked at again, since a report that speaks for it joined."""
    return decided is AgeTargeting.RULED_OUT and joining not in (AgeTargeting.NONE, AgeTargeting.RULED_OUT)


#: Those who may review (domain.md 2.4: duty officer or above; contract.md 3: the hate-crime lead).
REVIEWERS = frozenset((Role.DUTY_OFFICER, Role.HATE_CRIME_LEAD, Role.TEAM_LEADER, Role.HEAD_OF_SERVICE))

#: Decisions of a person; each needs a reason.
DECISIONS = (
    AgeTargeting.REFERRED_POLICE,
    AgeTargeting.REFERRED_PARTNER,
    AgeTargeting.RECOGNISED_LOCAL,
    AgeTargeting.RULED_OUT,
)

#: Where a reviewer may go from each state. A referral may follow another, a decision may be looked at again;
#: nothing goes back to `none` or, once a person has looked, to `potential`.
REVIEW: Mapping[AgeTargeting, tuple[AgeTargeting, ...]] = {
    AgeTargeting.NONE: (AgeTargeting.POTENTIAL, AgeTargeting.UNDER_REVIEW),
    AgeTargeting.POTENTIAL: (AgeTargeting.UNDER_REVIEW, *DECISIONS),
    AgeTargeting.UNDER_REVIEW: DECISIONS,
    AgeTargeting.REFERRED_POLICE: (
        AgeTargeting.UNDER_REVIEW,
        AgeTargeting.REFERRED_PARTNER,
        AgeTargeting.RECOGNISED_LOCAL,
    ),
    AgeTargeting.REFERRED_PARTNER: (
        AgeTargeting.UNDER_REVIEW,
        AgeTargeting.REFERRED_POLICE,
        AgeTargeting.RECOGNISED_LOCAL,
    ),
    AgeTargeting.RECOGNISED_LOCAL: (
        AgeTargeting.UNDER_REVIEW,
        AgeTargeting.REFERRED_POLICE,
        AgeTargeting.REFERRED_PARTNER,
    ),
    AgeTargeting.RULED_OUT: (AgeTargeting.UNDER_REVIEW,),
}


#: Where a person has yet to decide: a task says who, and by when.
UNDECIDED = (AgeTargeting.POTENTIAL, AgeTargeting.UNDER_REVIEW)


class ReviewRefused(Exception):
    """A review that may not be recorded; the message says what to do instead."""


class NotAReviewer(ReviewRefused):
    """The person's role may not review."""


class NoSuchStep(ReviewRefused):
    """The state does not lead there; `allowed` lists where it leads."""

    def __init__(self, current: AgeTargeting, to: AgeTargeting) -> None:
        self.allowed = REVIEW[current]
        choices = ", ".join(state.value for state in self.allowed)
        super().__init__(f"From {current.value} it cannot become {to.value}; choose one of: {choices}.")


class ReasonMissing(ReviewRefused):
    """A decision without a reason."""


class SecondReviewerMissing(ReviewRefused):
    """A victim's own perception is not ruled out by one person."""


class AlreadyProposed(ReviewRefused):
    """To rule it out is proposed; what is wanted is a second opinion, not a second proposal."""


class NotASecond(ReviewRefused):
    """The second pair of eyes is the first."""


def is_own_perception(said: bool, kinds: Collection[str]) -> bool:
    """Whether it counts as what the victim says: a person said so, or the words state it as the reason.

    Who stated it, victim or professional, the machine cannot tell; in doubt it was the victim.
    """
    return said or AgeEvidence.STATED_REASON in kinds


def review(
    current: AgeTargeting,
    to: AgeTargeting,
    reviewer_role: Role,
    reason: str | None,
    victims_own_perception: bool,
    second_reviewer: str | None,
    *,
    reviewer: str | None = None,
) -> AgeTargeting:
    """The state after a person's review, or :class:`ReviewRefused` with a sentence.

    `second_reviewer` (and `reviewer`, where given) are account ids; they must differ. Scenario 23.
    """
    if reviewer_role not in REVIEWERS:
        raise NotAReviewer(
            "Only a duty officer, hate-crime lead, team leader or head of service may review this."
        )
    if to not in REVIEW[current]:
        raise NoSuchStep(current, to)
    has_reason = bool(reason and reason.strip())
    if not has_reason and (to in DECISIONS or current in DECISIONS):
        raise ReasonMissing("Say in a sentence why, so that the decision can be understood later.")
    if to is AgeTargeting.RULED_OUT and victims_own_perception:
        if not second_reviewer:
            raise SecondReviewerMissing(
                "The victim says so: name a second reviewer who agrees before you rule it out."
            )
        if second_reviewer == reviewer:
            raise SecondReviewerMissing("The second reviewer must be somebody other than you.")
    return to


@dataclass(frozen=True, slots=True)
class Reviewer:
    """One account that reviews, and what tells that two accounts are one person's."""

    actor: str
    role: Role
    name: str = ""
    responder: str | None = None

    def is_also(self, other: Reviewer) -> bool:
        """Whether both are the same person, as far as accounts show."""
        if self.actor == other.actor:
            return True
        if self.responder is not None and self.responder == other.responder:
            return True
        return bool(self.name) and self.name.casefold() == other.name.casefold()


def propose(current: AgeTargeting, reviewer: Reviewer, reason: str | None, *, is_open: bool) -> AgeTargeting:
    """One reviewer would rule out what the victim says: until another agrees, it is under review.

    Raises :class:`ReviewRefused` as :func:`review` does, and where a proposal waits already.
    """
    if is_open:
        raise AlreadyProposed(
            "It has been proposed to rule this out. A second reviewer says whether they agree."
        )
    review(current, AgeTargeting.RULED_OUT, reviewer.role, reason, False, None)
    return AgeTargeting.UNDER_REVIEW


class Settled(StrEnum):
    """What became of a proposal."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    #: Its case was joined to another: what is decided is decided there.
    JOINED = "joined"


def second_opinion(proposed_by: Reviewer, asked: Reviewer, *, agrees: bool, reason: str | None) -> Settled:
    """What a second reviewer makes of a proposal to rule out; raises :class:`ReviewRefused`.

    Nobody confirms a proposal of their own; they may take it back.
    """
    if asked.role not in REVIEWERS:
        raise NotAReviewer(
            "Only a duty officer, hate-crime lead, team leader or head of service may review this."
        )
    if asked.is_also(proposed_by):
        if agrees:
            raise NotASecond("You proposed this, or somebody with your name did: another person must agree.")
        return Settled.WITHDRAWN
    if agrees:
        return Settled.CONFIRMED
    if not (reason and reason.strip()):
        raise ReasonMissing("Say in a sentence why you do not agree.")
    return Settled.REJECTED


class Loss(StrEnum):
    """Whether money or goods had gone when somebody was first thought to be chosen for their age."""

    LOST = "lost"
    NOT_YET = "not_yet"
    NOT_KNOWN = "not_known"


def loss_so_far(facts: Facts, now: datetime) -> Loss:
    """What the facts say of that: lost where they say so, not yet where they say that, else not known."""
    has_paid = facts.paid_within_24h or (facts.paid_at is not None and facts.paid_at <= now)
    if has_paid or facts.property_taken:
        return Loss.LOST
    is_to_come = facts.payment_pending or facts.courier_expected or facts.being_taken_to_bank
    # “Not in the last day” alone leaves open what went before.
    is_denied = facts.payment_pending is False and facts.paid_within_24h is False
    if is_to_come or facts.demands_money_now or is_denied:
        return Loss.NOT_YET
    return Loss.NOT_KNOWN


class HeadlineClass(StrEnum):
    """The three-way view of the product's promise, and the rest (domain.md 2.4)."""

    DOORSTEP_CRIME = "doorstep_crime"
    SCAM = "scam"
    OTHER = "other"
    POTENTIAL_AGE_TARGETED = "potential_age_targeted"


def headline_class(category: Category, state: AgeTargeting) -> HeadlineClass:
    """Derived, never stored: the flag where it was raised and not ruled out, else the category."""
    if state in (AgeTargeting.NONE, AgeTargeting.RULED_OUT):
        return HeadlineClass(category.value)
    return HeadlineClass.POTENTIAL_AGE_TARGETED
