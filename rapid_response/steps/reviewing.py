"""Whether somebody was chosen for their age: what the words raise, what people decide, and by when.

The machine says *potential* at most; from then on a decision is owed, and only people move it. What the
victim says is ruled out by two: on the pages two accounts, one after the other; a system that holds a key
answers for the second person whom it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rapid_response.core import events as happened
from rapid_response.core.incident import Action
from rapid_response.core.vocabulary import AgeTargeting, ContactRole, HateStrand, ReferralKind, Role
from rapid_response.hatecrime import referrals
from rapid_response.hatecrime import rules as targeting
from rapid_response.hatecrime.rules import Loss, Reviewer, Settled, Targeting
from rapid_response.steps import commands, leading, referring
from rapid_response.steps.case import check, facts_of
from rapid_response.steps.desk import Desk, Who
from rapid_response.steps.errors import Forbidden, Invalid
from rapid_response.steps.notekeeping import add_note
from rapid_response.steps.service import Service
from rapid_response.steps.tasks import TaskKind, find_open, finish, finish_kind, open_first_task, open_task
from rapid_response.storage.tables import ApiKeyRow, IncidentRow, UserRow
from rapid_response.storage.tx import Tx

_REVIEW, _OFFER = TaskKind.REVIEW_AGE_TARGETING, TaskKind.OFFER_POLICE_HATE_REFERRAL
#: Decisions that pass the case on, and so send a referral in the same step.
_REFERS = (AgeTargeting.REFERRED_POLICE, AgeTargeting.REFERRED_PARTNER)


# --- what the words raise --------------------------------------------------------------------------------


def found_at_arrival(tx: Tx, service: Service, incident: IncidentRow, found: Targeting) -> datetime | None:
    """Record what the report's words point to, and open what it owes; when that is due, if it owes anything.

    A named person reviews within one working day (domain.md 2.4).
    """
    if not found.kinds and not found.statutory_strands and not found.other_vulnerability:
        return None
    is_raised = found.state is AgeTargeting.POTENTIAL
    _record(tx, incident, loss=_loss(tx, incident) if is_raised else None)
    due = service.next_working_day(tx.now)
    for kind, is_owed in ((_REVIEW, is_raised), (_OFFER, found.offer_police_referral)):
        if is_owed:
            open_first_task(tx, incident, kind, ContactRole.DUTY_OFFICER, due)
    return due if is_raised or found.offer_police_referral else None


def found_later(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, found: Targeting) -> None:
    """More was read: it may raise the flag, and adds strands where no person has said which they are."""
    before = _standing(incident)
    is_raised = incident.age_state is AgeTargeting.NONE and found.state is AgeTargeting.POTENTIAL
    incident.age_state = targeting.after_assessment(incident.age_state, found.state)
    incident.age_kinds = sorted({*incident.age_kinds, *found.kinds})
    if not incident.targeting_corrected:
        incident.other_vulnerability = incident.other_vulnerability or found.other_vulnerability
        incident.statutory_strands = sorted({*incident.statutory_strands, *found.statutory_strands})
    if _standing(incident) == before:
        return
    _record(tx, incident, loss=_loss(tx, incident) if is_raised else None)
    if is_raised:
        _owe(tx, desk, service, incident, _REVIEW)
    if incident.statutory_strands and not before[2]:
        _owe(tx, desk, service, incident, _OFFER)


def brought(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, into: IncidentRow) -> None:
    """What pointed to age or to a strand in a report that joins another case points to it there.

    A person decides: of what was ruled out before this report was heard as well. That the victim says so
    stays said, wherever her report goes.
    """
    before, was = _standing(into), into.age_state
    theirs = incident.age_state if incident.age_state is AgeTargeting.NONE else AgeTargeting.POTENTIAL
    into.age_state = targeting.after_assessment(was, theirs)
    into.age_kinds = sorted({*into.age_kinds, *incident.age_kinds})
    into.statutory_strands = sorted({*into.statutory_strands, *incident.statutory_strands})
    into.other_vulnerability = into.other_vulnerability or incident.other_vulnerability
    if incident.victims_own_perception and not into.victims_own_perception:
        into.victims_own_perception = True
        _record_kept_beside(tx, into, before)
    if _standing(into) != before:
        is_raised = was is AgeTargeting.NONE and theirs is AgeTargeting.POTENTIAL
        _record(tx, into, loss=_loss(tx, into) if is_raised else None)
    if into.age_state is AgeTargeting.POTENTIAL or targeting.is_in_doubt(was, incident.age_state):
        _owe(tx, desk, service, into, _REVIEW)
    if set(into.statutory_strands) - set(before[2]):
        _owe(tx, desk, service, into, _OFFER)


def _record_kept_beside(
    tx: Tx, incident: IncidentRow, before: tuple[AgeTargeting, tuple[str, ...], tuple[str, ...], bool]
) -> None:
    tx.record(
        incident.id,
        happened.TargetingCorrected(
            tuple(incident.statutory_strands),
            incident.other_vulnerability,
            strands_before=before[2],
            other_vulnerability_before=before[3],
            victims_own_perception=incident.victims_own_perception,
        ),
    )


def _standing(incident: IncidentRow) -> tuple[AgeTargeting, tuple[str, ...], tuple[str, ...], bool]:
    return (
        incident.age_state,
        tuple(incident.age_kinds),
        tuple(incident.statutory_strands),
        incident.other_vulnerability,
    )


def _record(tx: Tx, incident: IncidentRow, *, by_person: bool = False, loss: Loss | None = None) -> None:
    tx.record(
        incident.id,
        happened.TargetingAssessed(
            incident.age_state,
            tuple(incident.age_kinds),
            incident.other_vulnerability,
            tuple(incident.statutory_strands),
            by_person=by_person,
            loss=loss,
        ),
    )


def _loss(tx: Tx, incident: IncidentRow) -> Loss:
    return targeting.loss_so_far(facts_of(incident), tx.now)


def _owe(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, kind: TaskKind) -> None:
    """A person owes this by the next working day; the lead is told when it is new."""
    if find_open(tx, incident, kind) is not None:
        return
    due = service.next_working_day(tx.now)
    open_task(tx, incident, kind, ContactRole.DUTY_OFFICER, due)
    leading.tell(tx, desk, service, incident, due)


def owe_decision(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """While it is undecided, a decision is on somebody's list: again, where it had gone from there."""
    if incident.age_state in targeting.UNDECIDED:
        _owe(tx, desk, service, incident, _REVIEW)


# --- what a person says ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reviewing:
    """One reviewer at one case."""

    tx: Tx
    desk: Desk
    service: Service
    incident: IncidentRow
    who: Who
    role: Role

    @property
    def is_person(self) -> bool:
        """Whether an account acts, which is one person's; a key acts for a system, and all its people."""
        return self.who.actor.startswith("user:")

    @property
    def is_own_perception(self) -> bool:
        """Whether it is what the victim says."""
        incident = self.incident
        return targeting.is_own_perception(incident.victims_own_perception, incident.age_kinds)

    def record(self, event: happened.Event) -> None:
        self.tx.record(self.incident.id, event)

    def owe(self, kind: TaskKind) -> None:
        _owe(self.tx, self.desk, self.service, self.incident, kind)

    def note(self, words: str | None) -> None:
        if words:
            add_note(self.tx, self.incident, words, self.who)

    def note_second(self, name: str | None) -> None:
        self.note(f"Second reviewer: {name}" if name else None)


def review(
    tx: Tx,
    desk: Desk,
    service: Service,
    incident: IncidentRow,
    command: commands.ReviewAgeTargeting,
    who: Who,
) -> None:
    """A reviewer decides, or corrects what is kept beside the decision; both may come in one."""
    check(incident, Action.REVIEW_AGE_TARGETING)
    at = _Reviewing(tx, desk, service, incident, who, _reviewer_role(who))
    is_decided_against = incident.age_state is AgeTargeting.RULED_OUT
    if command.victims_own_perception and command.state is None and is_decided_against:
        raise Invalid("It is ruled out. Look at it again first: set it to under_review.", "state")
    _correct(at, command)
    referring.keep_police_reference(tx, incident, command.police_hate_crime_ref)
    if command.state is not None:
        _decide(at, command.state, command)
    elif command.referral_kind is not None or command.reference is not None:
        raise Invalid("A referral goes with a decision that refers it, or by the action refer.", "state")
    elif command.victims_own_perception and incident.age_state is AgeTargeting.NONE:
        # As a report that says so does: a person is to look at it.
        _move(at, AgeTargeting.POTENTIAL)
    at.note(command.reason)


def _reviewer_role(who: Who) -> Role:
    if who.role is None:
        raise Forbidden("Sign in as a duty officer or the hate-crime lead to review this.")
    if who.role not in targeting.REVIEWERS:
        raise Forbidden(
            "Only a duty officer, hate-crime lead, team leader or head of service may review this."
        )
    return who.role


def _correct(at: _Reviewing, command: commands.ReviewAgeTargeting) -> None:
    """A person says which strands and vulnerability it is about; what was there before stays in the log."""
    incident, before = at.incident, _standing(at.incident)
    strands, vulnerable = incident.statutory_strands, incident.other_vulnerability
    if command.statutory_strands is not None:
        incident.statutory_strands = sorted({s.value for s in command.statutory_strands})
    if command.other_vulnerability is not None:
        incident.other_vulnerability = command.other_vulnerability
    is_corrected = (incident.statutory_strands, incident.other_vulnerability) != (sorted(strands), vulnerable)
    is_first_said = command.victims_own_perception and not incident.victims_own_perception
    if is_corrected and not command.reason:
        raise Invalid("Say why the strands or the vulnerability are corrected.", "reason")
    if not is_corrected and not is_first_said:
        return
    incident.targeting_corrected = incident.targeting_corrected or is_corrected
    incident.victims_own_perception = incident.victims_own_perception or is_first_said
    _record_kept_beside(at.tx, incident, before)
    if incident.statutory_strands and not strands:
        at.owe(_OFFER)
    elif strands and not incident.statutory_strands:
        finish_kind(at.tx, incident, _OFFER)
        leading.seen_to(at.tx, incident)


def _decide(at: _Reviewing, to: AgeTargeting, command: commands.ReviewAgeTargeting) -> None:
    if to is AgeTargeting.RULED_OUT and at.is_own_perception and at.is_person:
        _propose(at, command)
        return
    incident, second = at.incident, command.second_reviewer
    try:
        state = targeting.review(
            current=incident.age_state,
            to=to,
            reviewer_role=at.role,
            reason=command.reason,
            victims_own_perception=at.is_own_perception,
            second_reviewer=second,
            reviewer=_own_name(at, second),
        )
        kind = _referral_kind(incident, command, state)
    except (targeting.ReviewRefused, referrals.ReferralRefused) as refused:
        raise Invalid(str(refused), _field_of(refused)) from None
    settle_proposal(at.tx, incident, Settled.WITHDRAWN)
    _move(at, state)
    if kind is not None:
        referring.refer_as_decided(at.tx, at.service, incident, kind, command.reference)
    at.note_second(second)


def _field_of(refused: Exception) -> str:
    """The field of the body that a refusal is about."""
    match refused:
        case targeting.ReasonMissing():
            return "reason"
        case targeting.SecondReviewerMissing():
            return "second_reviewer"
        case referrals.ReferralRefused():
            return "referral_kind"
    return "state"


def _referral_kind(
    incident: IncidentRow, command: commands.ReviewAgeTargeting, state: AgeTargeting
) -> ReferralKind | None:
    if state in _REFERS:
        strands = tuple(HateStrand(s) for s in incident.statutory_strands)
        return referrals.kind_for(state, strands, command.referral_kind)
    if command.referral_kind is not None or command.reference is not None:
        raise referrals.ReferralRefused("Only a decision that refers it takes a referral and its reference.")
    return None


def _move(at: _Reviewing, state: AgeTargeting) -> None:
    """A person has moved it: what is undecided owes a decision, what is decided owes none."""
    tx, incident = at.tx, at.incident
    is_raised = incident.age_state is AgeTargeting.NONE
    incident.age_state = state
    _record(tx, incident, by_person=True, loss=_loss(tx, incident) if is_raised else None)
    if state in targeting.UNDECIDED:
        at.owe(_REVIEW)
        return
    incident.review_decided_at, incident.review_decided_by = tx.now, tx.actor
    task = find_open(tx, incident, _REVIEW)
    if task is not None:
        finish(tx, task)
    leading.seen_to(tx, incident)


# --- the second pair of eyes -----------------------------------------------------------------------------


def _propose(at: _Reviewing, command: commands.ReviewAgeTargeting) -> None:
    """One person would rule out what the victim says; until another agrees it stays under review."""
    incident = at.incident
    if command.second_reviewer:
        raise Invalid(
            "A name is not enough here: the second reviewer signs in and agrees.", "second_reviewer"
        )
    waits = incident.review_proposed_by is not None
    try:
        state = targeting.propose(
            incident.age_state, Reviewer(at.who.actor, at.role), command.reason, is_open=waits
        )
    except targeting.ReviewRefused as refused:
        raise Invalid(str(refused), _field_of(refused)) from None
    if incident.age_state is not state:
        _move(at, state)
    incident.review_proposed_by, incident.review_proposed_at = at.who.actor, at.tx.now
    at.record(happened.ReviewProposed(AgeTargeting.RULED_OUT))


def second_review(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, command: commands.SecondReview, who: Who
) -> None:
    """Another reviewer agrees, and it is ruled out; or does not, and it stays under review."""
    check(incident, Action.SECOND_REVIEW)
    at = _Reviewing(tx, desk, service, incident, who, _reviewer_role(who))
    named = command.second_reviewer
    if not at.is_person and not named:
        raise Invalid("Name the person who has looked at it.", "second_reviewer")
    if at.is_person and named:
        raise Invalid("You are the second reviewer yourself: leave this out.", "second_reviewer")
    proposer = _known_reviewer(at, incident.review_proposed_by or "")
    asked = _known_reviewer(at, who.actor, named)
    try:
        settled = targeting.second_opinion(proposer, asked, agrees=command.agree, reason=command.reason)
    except targeting.ReasonMissing as refused:
        raise Invalid(str(refused), "reason") from None
    except targeting.ReviewRefused as refused:
        raise Forbidden(str(refused)) from None
    settle_proposal(tx, incident, settled)
    if settled is Settled.CONFIRMED:
        _move(at, AgeTargeting.RULED_OUT)
    at.note_second(named)
    at.note(command.reason)


def settle_proposal(tx: Tx, incident: IncidentRow, settled: Settled) -> None:
    """What became of the proposal to rule it out, where one waits for an answer."""
    if incident.review_proposed_by is None:
        return
    incident.review_proposed_by = incident.review_proposed_at = None
    tx.record(incident.id, happened.ReviewProposalSettled(AgeTargeting.RULED_OUT, settled))


def _known_reviewer(at: _Reviewing, actor: str, named: str | None = None) -> Reviewer:
    own = _own(at.tx, actor)
    responder = own.responder_id if isinstance(own, UserRow) else None
    return Reviewer(actor, at.role, named or (own.name if own else ""), responder)


def _own_name(at: _Reviewing, named: str | None) -> str | None:
    """`named` itself where it is the asker's own account or key: nobody is her own second pair of eyes."""
    own = _own(at.tx, at.who.actor)
    is_own = own is not None and named is not None and named.casefold() in (own.name.casefold(), own.id)
    return named if is_own else None


def _own(tx: Tx, actor: str) -> UserRow | ApiKeyRow | None:
    kind, _, own_id = actor.partition(":")
    if kind == "user":
        return tx.get(UserRow, own_id)
    return tx.get(ApiKeyRow, own_id) if kind == "key" else None
