"""A referral's life: what may become of it, when it is asked after, and to whom a decision refers."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapid_response.core.vocabulary import AgeTargeting, HateStrand, ReferralKind, ReferralState, ReferralStep
from rapid_response.hatecrime.referrals import (
    CHASE_AFTER,
    POLICE,
    STEPS,
    DeclineReasonMissing,
    NoSuchReferralStep,
    ReferralRefused,
    after,
    kind_for,
)
from tests.cases import each

S, T, K = ReferralState, ReferralStep, ReferralKind
A = AgeTargeting

LIFE = {
    (S.SENT, T.ACKNOWLEDGED): S.ACKNOWLEDGED,
    (S.SENT, T.ACCEPTED): S.ACCEPTED,
    (S.SENT, T.DECLINED): S.DECLINED,
    (S.SENT, T.CHASED): S.SENT,
    (S.ACKNOWLEDGED, T.ACCEPTED): S.ACCEPTED,
    (S.ACKNOWLEDGED, T.DECLINED): S.DECLINED,
    (S.ACKNOWLEDGED, T.CHASED): S.ACKNOWLEDGED,
}


@each(("state", "step"), list(product(S, T)))
def test_only_these_steps_are_taken(state: ReferralState, step: ReferralStep) -> None:
    if (state, step) in LIFE:
        assert after(state, step, "They have no capacity.") is LIFE[state, step]
        return
    with pytest.raises(NoSuchReferralStep, match=r"^[A-Z].*\.$") as refused:
        after(state, step, "They have no capacity.")
    assert refused.value.allowed == STEPS[state]


@each("reason", [None, "", "  "])
def test_a_decline_has_a_reason(reason: str | None) -> None:
    for state in (S.SENT, S.ACKNOWLEDGED):
        with pytest.raises(DeclineReasonMissing):
            after(state, T.DECLINED, reason)


@given(st.lists(st.sampled_from(T)))
def test_what_is_answered_stays_answered(steps: list[ReferralStep]) -> None:
    state = S.SENT
    answers: list[ReferralState] = []
    for step in steps:
        try:
            state = after(state, step, "A reason.")
        except NoSuchReferralStep:
            assert state in (S.ACCEPTED, S.DECLINED) or (state, step) == (S.ACKNOWLEDGED, T.ACKNOWLEDGED)
            continue
        answers += [state] if state in (S.ACCEPTED, S.DECLINED) else []
    assert len(answers) <= 1
    assert not answers or state is answers[0]


def test_what_waits_for_an_answer_is_asked_after_and_nothing_else() -> None:
    assert set(CHASE_AFTER) == {state for state in S if STEPS[state]}
    assert all(days >= 1 for days in CHASE_AFTER.values())


@each(
    ("decision", "strands", "named", "kind"),
    [
        # Age is no strand: without one it is no hate crime referral.
        (A.REFERRED_POLICE, (), None, K.POLICE),
        (A.REFERRED_POLICE, (HateStrand.DISABILITY,), None, K.POLICE_HATE_CRIME),
        (A.REFERRED_POLICE, (), K.POLICE_HATE_CRIME, K.POLICE_HATE_CRIME),
        (A.REFERRED_PARTNER, (), None, K.OTHER),
        (A.REFERRED_PARTNER, (HateStrand.RACE,), K.ASC_SAFEGUARDING, K.ASC_SAFEGUARDING),
    ],
)
def test_to_whom_a_decision_refers(
    decision: AgeTargeting,
    strands: tuple[HateStrand, ...],
    named: ReferralKind | None,
    kind: ReferralKind,
) -> None:
    assert kind_for(decision, strands, named) is kind


@each("named", list(K))
def test_a_kind_that_does_not_fit_the_decision_is_refused(named: ReferralKind) -> None:
    unfit = A.REFERRED_PARTNER if named in POLICE else A.REFERRED_POLICE
    with pytest.raises(ReferralRefused, match=r"^[A-Z].*\.$"):
        kind_for(unfit, (), named)
