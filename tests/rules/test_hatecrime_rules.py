"""The age flag and the statutory strands: what the machine says, what only a person decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapid_response.core.facts import Facts
from rapid_response.core.vocabulary import AgeEvidence, AgeTargeting, Category, HateStrand, Role
from rapid_response.hatecrime.rules import (
    DECISIONS,
    REVIEW,
    REVIEWERS,
    AlreadyProposed,
    HeadlineClass,
    Loss,
    NoSuchStep,
    NotAReviewer,
    NotASecond,
    ReasonMissing,
    Reviewer,
    ReviewRefused,
    SecondReviewerMissing,
    Settled,
    after_assessment,
    assess,
    headline_class,
    is_own_perception,
    loss_so_far,
    propose,
    review,
    second_opinion,
)
from tests.cases import each

A = AgeTargeting


def reviewed(
    current: AgeTargeting,
    to: AgeTargeting,
    *,
    by: Role = Role.DUTY_OFFICER,
    reason: str | None = "Bungalows for older people only were called at.",
    own_perception: bool = False,
    second: str | None = None,
    first: str | None = None,
) -> AgeTargeting:
    return review(current, to, by, reason, own_perception, second, reviewer=first)


# ---- the machine


def test_scenario_21_an_age_and_nothing_else_is_no_flag() -> None:
    targeting = assess(False, (), False, None)
    assert (targeting.state, targeting.statutory_strands, targeting.offer_police_referral) == (
        A.NONE,
        (),
        False,
    )


def test_scenario_22_words_about_age_make_it_potential_and_leave_the_category() -> None:
    targeting = assess(True, ("offender_words", "pattern", "offender_words"), False, None)
    assert targeting.state is A.POTENTIAL
    assert targeting.kinds == ("offender_words", "pattern")
    assert headline_class(Category.DOORSTEP_CRIME, targeting.state) is HeadlineClass.POTENTIAL_AGE_TARGETED


def test_scenario_24_a_strand_offers_the_police_whatever_the_age_flag() -> None:
    for is_age_targeted in (False, True):
        targeting = assess(is_age_targeted, (), False, HateStrand.SEXUAL_ORIENTATION)
        assert targeting.statutory_strands == (HateStrand.SEXUAL_ORIENTATION,)
        assert targeting.offer_police_referral
    assert assess(False, (), False, HateStrand.RACE).state is A.NONE


def test_another_vulnerability_is_kept_beside_the_flag_and_does_not_raise_it() -> None:
    targeting = assess(False, ("pattern",), True, None)
    assert (targeting.state, targeting.other_vulnerability, targeting.kinds) == (A.NONE, True, ())


@given(st.booleans(), st.booleans(), st.none() | st.sampled_from(HateStrand))
def test_the_machine_never_says_more_than_potential(
    age: bool, other: bool, strand: HateStrand | None
) -> None:
    assert assess(age, (), other, strand).state in (A.NONE, A.POTENTIAL)


@each("current", list(A))
def test_reading_again_raises_none_and_moves_nothing_else(current: AgeTargeting) -> None:
    assert after_assessment(current, A.POTENTIAL) is (A.POTENTIAL if current is A.NONE else current)
    assert after_assessment(current, A.NONE) is current


# ---- the person


def test_the_usual_way() -> None:
    assert reviewed(A.POTENTIAL, A.UNDER_REVIEW, reason=None) is A.UNDER_REVIEW
    for decision in DECISIONS:
        assert reviewed(A.UNDER_REVIEW, decision) is decision
        assert reviewed(A.POTENTIAL, decision) is decision


@each(("current", "to"), list(product(A, A)))
def test_only_steps_of_the_table_are_taken(current: AgeTargeting, to: AgeTargeting) -> None:
    if to in REVIEW[current]:
        assert reviewed(current, to) is to
        return
    with pytest.raises(NoSuchStep) as refused:
        reviewed(current, to)
    assert refused.value.allowed == REVIEW[current]
    assert to.value in str(refused.value)


def test_no_review_ends_in_none_and_every_state_can_be_left() -> None:
    assert all(A.NONE not in onward and onward for onward in REVIEW.values())
    assert set(REVIEW) == set(A)


@each("role", list(Role))
def test_only_a_reviewer_reviews(role: Role) -> None:
    if role in REVIEWERS:
        assert reviewed(A.POTENTIAL, A.UNDER_REVIEW, by=role) is A.UNDER_REVIEW
        return
    with pytest.raises(NotAReviewer):
        reviewed(A.POTENTIAL, A.UNDER_REVIEW, by=role)


def test_the_reviewers_are_those_of_the_domain() -> None:
    assert {role.value for role in REVIEWERS} == {
        "duty_officer",
        "hate_crime_lead",
        "team_leader",
        "head_of_service",
    }


@each("reason", [None, "", "   "])
def test_a_decision_and_its_reopening_need_a_reason(reason: str | None) -> None:
    for current, to in ((A.UNDER_REVIEW, A.REFERRED_POLICE), (A.RULED_OUT, A.UNDER_REVIEW)):
        with pytest.raises(ReasonMissing):
            reviewed(current, to, reason=reason)


def test_scenario_23_a_victims_own_perception_needs_two_to_rule_out() -> None:
    with pytest.raises(SecondReviewerMissing):
        reviewed(A.UNDER_REVIEW, A.RULED_OUT, own_perception=True)
    with pytest.raises(SecondReviewerMissing):
        reviewed(A.UNDER_REVIEW, A.RULED_OUT, own_perception=True, first="dee", second="dee")
    with pytest.raises(ReasonMissing):
        reviewed(A.UNDER_REVIEW, A.RULED_OUT, own_perception=True, second="lena", reason=None)
    assert (
        reviewed(A.UNDER_REVIEW, A.RULED_OUT, own_perception=True, first="dee", second="lena") is A.RULED_OUT
    )
    assert reviewed(A.UNDER_REVIEW, A.RULED_OUT) is A.RULED_OUT


@each(
    "refusal",
    [
        lambda: reviewed(A.POTENTIAL, A.UNDER_REVIEW, by=Role.HANDLER),
        lambda: reviewed(A.RULED_OUT, A.REFERRED_POLICE),
        lambda: reviewed(A.POTENTIAL, A.RULED_OUT, reason=""),
        lambda: reviewed(A.POTENTIAL, A.RULED_OUT, own_perception=True),
    ],
)
def test_a_refusal_is_a_sentence(refusal: object) -> None:
    assert callable(refusal)
    with pytest.raises(ReviewRefused, match=r"^[A-Z].*\.$"):
        refusal()


# ---- two pairs of eyes

DEE = Reviewer("user:1", Role.DUTY_OFFICER, "dee", "dee")
HAL = Reviewer("user:2", Role.HATE_CRIME_LEAD, "hal")


@each("current", list(A))
@each("is_open", [False, True])
def test_one_reviewer_can_only_propose_and_never_rules_out(current: AgeTargeting, is_open: bool) -> None:
    if is_open:
        with pytest.raises(AlreadyProposed):
            propose(current, DEE, "No sign of it.", is_open=True)
    elif A.RULED_OUT in REVIEW[current]:
        assert propose(current, DEE, "No sign of it.", is_open=False) is A.UNDER_REVIEW
        with pytest.raises(ReasonMissing):
            propose(current, DEE, " ", is_open=False)
    else:
        with pytest.raises(NoSuchStep):
            propose(current, DEE, "No sign of it.", is_open=False)


@each(
    ("asked", "agrees", "reason", "becomes"),
    [
        (HAL, True, None, Settled.CONFIRMED),
        (HAL, False, "She was the only one called on.", Settled.REJECTED),
        (HAL, False, " ", ReasonMissing),
        (DEE, True, "I am sure.", NotASecond),
        (DEE, False, None, Settled.WITHDRAWN),
        # Another account of the same responder, or of the same name, is the same person.
        (Reviewer("user:3", Role.TEAM_LEADER, "dee.o", "dee"), True, None, NotASecond),
        (Reviewer("user:4", Role.TEAM_LEADER, "Dee"), True, None, NotASecond),
        (Reviewer("user:5", Role.HANDLER, "hana"), True, None, NotAReviewer),
    ],
)
def test_what_a_second_reviewer_makes_of_it(
    asked: Reviewer, agrees: bool, reason: str | None, becomes: Any
) -> None:
    if isinstance(becomes, Settled):
        assert second_opinion(DEE, asked, agrees=agrees, reason=reason) is becomes
        return
    with pytest.raises(becomes, match=r"^[A-Z].*\.$"):
        second_opinion(DEE, asked, agrees=agrees, reason=reason)


def test_what_states_the_reason_counts_as_the_victims_own_word() -> None:
    assert is_own_perception(True, ())
    assert is_own_perception(False, (AgeEvidence.PATTERN, AgeEvidence.STATED_REASON))
    assert not is_own_perception(False, tuple(set(AgeEvidence) - {AgeEvidence.STATED_REASON}))


# ---- before or after the loss

NOW = datetime(2026, 7, 15, 11, 0, tzinfo=UTC)


@each(
    ("facts", "loss"),
    [
        ({}, Loss.NOT_KNOWN),
        ({"paid_within_24h": True}, Loss.LOST),
        ({"property_taken": True}, Loss.LOST),
        ({"paid_at": NOW - timedelta(days=3)}, Loss.LOST),
        ({"paid_at": NOW + timedelta(hours=1), "payment_pending": True}, Loss.NOT_YET),
        ({"payment_pending": True}, Loss.NOT_YET),
        ({"payment_pending": True, "paid_within_24h": True}, Loss.LOST),
        ({"courier_expected": True}, Loss.NOT_YET),
        ({"demands_money_now": True}, Loss.NOT_YET),
        ({"being_taken_to_bank": True}, Loss.NOT_YET),
        ({"paid_within_24h": False, "payment_pending": False}, Loss.NOT_YET),
        # Paid longer ago answers the same question with no.
        ({"paid_within_24h": False}, Loss.NOT_KNOWN),
        ({"property_taken": False}, Loss.NOT_KNOWN),
    ],
)
def test_whether_money_had_gone_by_then(facts: dict[str, Any], loss: Loss) -> None:
    assert loss_so_far(Facts(**facts), NOW) is loss


# ---- the headline


@each(("category", "state"), list(product(Category, A)))
def test_the_headline_is_the_flag_unless_none_or_ruled_out(category: Category, state: AgeTargeting) -> None:
    headline = headline_class(category, state)
    if state in (A.NONE, A.RULED_OUT):
        assert headline.value == category.value
    else:
        assert headline is HeadlineClass.POTENTIAL_AGE_TARGETED
