"""Referrals: what may become of one that was sent, and when it is asked after again.

Sources: domain.md 4 (to whom), 5.4 ("early identification … through referrals"). A referral has a life of its
own: it goes on after the case is closed, and a partner who does not answer is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping

from rapid_response.core.vocabulary import AgeTargeting, HateStrand, ReferralKind, ReferralState, ReferralStep

#: Working days after which a partner is asked what became of it; where none is named, it is not asked after.
CHASE_AFTER: Mapping[ReferralState, int] = {ReferralState.SENT: 1, ReferralState.ACKNOWLEDGED: 5}

#: What may happen to a referral in each state. Who changes their mind is sent a new one.
STEPS: Mapping[ReferralState, tuple[ReferralStep, ...]] = {
    ReferralState.SENT: tuple(ReferralStep),
    ReferralState.ACKNOWLEDGED: (ReferralStep.ACCEPTED, ReferralStep.DECLINED, ReferralStep.CHASED),
    ReferralState.ACCEPTED: (),
    ReferralState.DECLINED: (),
}

POLICE = frozenset({ReferralKind.POLICE_HATE_CRIME, ReferralKind.POLICE})


class ReferralRefused(Exception):
    """What was said of a referral cannot be recorded; the message says what to do instead."""


class NoSuchReferralStep(ReferralRefused):
    """The state does not lead there; `allowed` lists where it leads."""

    def __init__(self, state: ReferralState, step: ReferralStep) -> None:
        self.allowed = STEPS[state]
        onward = ", ".join(a.value for a in self.allowed)
        then = f"choose one of: {onward}" if onward else "send a new referral instead"
        super().__init__(f"A referral that is {state.value} cannot be {step.value}; {then}.")


class DeclineReasonMissing(ReferralRefused):
    """A partner said no, and nobody wrote down why."""


def after(state: ReferralState, step: ReferralStep, reason: str | None = None) -> ReferralState:
    """The state that follows; raises :class:`ReferralRefused` with a sentence."""
    if step not in STEPS[state]:
        raise NoSuchReferralStep(state, step)
    if step is ReferralStep.DECLINED and not (reason and reason.strip()):
        raise DeclineReasonMissing("Say why it was declined, as far as they told you.")
    return state if step is ReferralStep.CHASED else ReferralState(step.value)


def kind_for(
    decision: AgeTargeting, strands: tuple[HateStrand, ...], named: ReferralKind | None
) -> ReferralKind:
    """To whom a decision of a review refers, unless that is named.

    To the police as a hate crime only where a statutory strand is: age is none. Raises
    :class:`ReferralRefused` where the kind that was named does not fit the decision.
    """
    to_police = decision is AgeTargeting.REFERRED_POLICE
    if named is None:
        if not to_police:
            return ReferralKind.OTHER
        return ReferralKind.POLICE_HATE_CRIME if strands else ReferralKind.POLICE
    if (named in POLICE) is not to_police:
        wanted = "the police" if to_police else "a partner other than the police"
        raise ReferralRefused(f"The decision refers it to {wanted}: name a referral of that kind.")
    return named
