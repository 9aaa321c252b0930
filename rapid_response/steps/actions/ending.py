"""The end: closed, cancelled, opened again, and what came of it."""

from __future__ import annotations

from datetime import datetime

from rapid_response.core import events as happened
from rapid_response.core.incident import Action
from rapid_response.core.vocabulary import ClockState, Disposition, EvidenceGrade, StoppedBy
from rapid_response.sla import rules as sla
from rapid_response.steps import (
    borders,
    clock,
    commands,
    companions,
    episodes,
    hoaxes,
    joining,
    leading,
    linking,
    offers,
    outcomes,
    raising,
    reviewing,
    safeguarding,
    transferring,
    visits,
)
from rapid_response.steps.actions.doing import Doing, Handlers
from rapid_response.steps.case import check, move
from rapid_response.steps.errors import Invalid
from rapid_response.steps.notekeeping import add_note
from rapid_response.steps.tasks import TaskKind, finish_kind
from rapid_response.storage.tables import OutcomeRow

#: A visit without contact is not a response (domain.md 3.4).
_NOBODY_REACHED = (Disposition.NO_CONTACT, Disposition.NO_TRACE)
_JOIN_INSTEAD = (
    "Say which incident it repeats: use link with kind duplicate_of and the reference of the other. "
    "Its reports then go there, and the earlier of the two clocks runs on."
)


def _close(doing: Doing, command: commands.Close) -> None:
    tx, incident = doing.tx, doing.incident
    move(incident, Action.CLOSE)
    if command.disposition in _NOBODY_REACHED and incident.stopped_by is StoppedBy.ATTENDED:
        raise Invalid(
            "The clock was stopped by an arrival. If nobody was reached, use no_contact first: "
            "the clock then counts on, and the visit is no success.",
            "disposition",
        )
    if command.disposition is Disposition.HOAX_OR_TEST:
        hoaxes.check(tx, incident)
    if command.safeguarding is not None:
        safeguarding.decide(
            tx,
            doing.service,
            incident,
            command.safeguarding,
            doing.who,
            reason=command.safeguarding_reason,
            field="safeguarding_reason",
        )
    safeguarding.before_closing(tx, doing.service, incident, command.disposition, doing.who)
    for outcome in command.outcomes:
        _record_outcome(doing, outcome)
    incident.disposition, incident.closed_at = command.disposition, tx.now
    end_case(doing, "closed")
    doing.record(happened.IncidentClosed(command.disposition, incident.episode))


def _add_outcomes(doing: Doing, command: commands.AddOutcomes) -> None:
    check(doing.incident, Action.ADD_OUTCOMES)
    if command.corrects is not None:
        _take_back(doing, command.corrects, command.reason)
    for outcome in command.outcomes:
        _record_outcome(doing, outcome, command.corrects)
    if command.reason:
        add_note(doing.tx, doing.incident, command.reason, doing.who)


def _take_back(doing: Doing, outcome_id: str, reason: str | None) -> None:
    """What was recorded was not so: it stays on record, and counts no more (scenario 54)."""
    known = {row.id: row for row in outcomes.of(doing.tx, doing.incident.id)}
    if outcome_id not in known:
        raise Invalid("This incident has no outcome with this id that still holds.", "corrects")
    if not reason:
        raise Invalid("Say why it is put right.", "reason")
    was = known[outcome_id]
    doing.record(happened.OutcomeCorrected(was.id, was.code, was.amount_pence, was.evidence_grade))


def _record_outcome(doing: Doing, outcome: commands.Outcome, corrects: str | None = None) -> None:
    amount = commands.pence(outcome.amount_gbp)
    grade = None if amount is None else outcome.evidence_grade or EvidenceGrade.C
    outcome_id = doing.tx.ids.uuid()
    doing.tx.add(
        OutcomeRow,
        id=outcome_id,
        incident_id=doing.incident.id,
        code=outcome.code,
        amount_pence=amount,
        evidence_grade=grade,
        corrects=corrects,
        at=doing.tx.now,
        actor=doing.tx.actor,
    )
    doing.record(happened.OutcomeRecorded(outcome_id, outcome.code, amount, grade))


def _cancel(doing: Doing, command: commands.Cancel) -> None:
    check(doing.incident, Action.CANCEL)
    if command.disposition is Disposition.DUPLICATE_OF:
        raise Invalid(_JOIN_INSTEAD, "disposition")
    if command.disposition is Disposition.HOAX_OR_TEST:
        hoaxes.check(doing.tx, doing.incident)
    _cancelled(doing, command)


def _mark_hoax(doing: Doing, command: commands.MarkHoax) -> None:
    """Nothing of it is true: it ends at once, or when a second person says the same."""
    check(doing.incident, Action.MARK_HOAX)
    if hoaxes.agreed(doing.tx, doing.incident, doing.who, command.second_person):
        ends = commands.Cancel(reason=command.reason, disposition=Disposition.HOAX_OR_TEST)
        _cancelled(doing, ends)
    else:
        add_note(doing.tx, doing.incident, command.reason, doing.who)


def _cancelled(doing: Doing, command: commands.Cancel) -> None:
    incident = doing.incident
    move(incident, Action.CANCEL)
    incident.disposition, incident.closed_at = command.disposition, doing.tx.now
    if incident.stopped_at is None and incident.clock_state is not ClockState.NOT_APPLICABLE:
        doing.end_promise("cancelled")
    end_case(doing, "cancelled")
    safeguarding.after_the_end(doing.tx, doing.service, incident)
    if command.reason:
        add_note(doing.tx, incident, command.reason, doing.who)
    doing.record(happened.IncidentCancelled(command.disposition, incident.episode))


#: What is still owed after the end.
_OUTLIVES = frozenset(
    {
        TaskKind.BREACH_REASON,
        TaskKind.REVIEW_AGE_TARGETING,
        TaskKind.OFFER_POLICE_HATE_REFERRAL,
        TaskKind.CHASE_REFERRAL,
        TaskKind.WELFARE_CHECK,
        TaskKind.CONFIRM_REMOTE,
        TaskKind.SAFEGUARDING,
    }
)


def _check_in(doing: Doing, command: commands.CheckIn) -> None:
    """She is safe: by her own word, or by that of whoever spoke with her."""
    incident = doing.incident
    check(incident, Action.CHECK_IN)
    there = (incident.owner, incident.companion)
    if command.responder is not None and command.responder not in there:
        raise Invalid("Another responder has this job. Name the one who is there.", "responder")
    who = command.responder or incident.owner or "desk"
    visits.check_in(doing.tx, doing.service, incident, who, doing.who)


def end_case(doing: Doing, why: str) -> None:
    offers.job_done(doing.tx, doing.desk, doing.service, doing.incident, why)
    companions.job_done(doing.tx, doing.desk, doing.service, doing.incident, why)
    finish_kind(doing.tx, doing.incident, *(k for k in TaskKind if k not in _OUTLIVES))
    leading.seen_to(doing.tx, doing.incident)
    transferring.withdraw(doing.tx, doing.incident)
    clock.disarm(doing.tx, doing.incident, [sla.Kind.BORDER], why)
    doing.incident.owner = None
    doing.incident.is_held = False
    doing.incident.hoax_marked_by = None


def _reopen(doing: Doing, command: commands.Reopen) -> None:
    """A new episode with its own clock; the first disposition stays in the record.

    With a newer report, which tells of it, the clock counts from that one. What had been joined to another by
    mistake takes its reports back, and its clock counts from its own first start.
    """
    tx, incident = doing.tx, doing.incident
    check(incident, Action.REOPEN)
    by = linking.other_of(tx, incident, command.reference) if command.reference else None
    if by is not None:
        episodes.check(incident, by)
    was_joined, helped_at = incident.duplicate_of is not None, incident.stopped_at or incident.closed_at
    started_at = incident.started_at if was_joined else None
    move(incident, Action.REOPEN)
    incident.episode += 1
    incident.cycle += 1
    incident.disposition = incident.closed_at = None
    incident.job_number = None
    incident.accepted_at = incident.stopped_at = incident.stopped_by = incident.breached_at = None
    doing.record(happened.IncidentReopened(incident.episode))
    safeguarding.begin_again(tx, incident)
    if command.reason:
        add_note(tx, incident, command.reason, doing.who)
    if was_joined:
        episodes.take_apart(tx, doing.desk, incident)
        reviewing.owe_decision(tx, doing.desk, doing.service, incident)
    told = None
    if by is not None:
        told = episodes.begin(tx, doing.desk, doing.service, incident, by, helped_at, command.reason)
        started_at = told.started_at
    _set_going_again(doing, told, started_at)


def _set_going_again(doing: Doing, told: joining.Told | None, started_at: datetime | None) -> None:
    """The new episode's clock, and its search; or the task of somebody, where there is no clock."""
    tx, incident = doing.tx, doing.incident
    promised = borders.is_promised(incident)
    if not promised:
        incident.clock_state = ClockState.NOT_APPLICABLE
        if incident.priority.has_clock:
            doing.record(happened.ClockNotApplicable("out_of_area"))
            borders.take_in(tx, doing.desk, doing.service, incident, "out_of_area")
        else:
            doing.schedule("reopened")
    else:
        clock.start(tx, doing.service, incident, started_at or tx.now)
    if told is not None:
        joining.carry_owner(tx, doing.desk, doing.service, incident, told, doing.who)
    if promised and incident.owner is None:
        raising.seek(tx, doing.desk, doing.service, incident)
    if promised or told is not None:
        raising.tell_if_joint(tx, doing.desk, doing.service, incident)


DO: Handlers = {
    Action.CLOSE: _close,
    Action.CANCEL: _cancel,
    Action.REOPEN: _reopen,
    Action.ADD_OUTCOMES: _add_outcomes,
    Action.CHECK_IN: _check_in,
    Action.MARK_HOAX: _mark_hoax,
}
