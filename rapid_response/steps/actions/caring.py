"""Notes, tasks, targeting, and whom it is handed on to."""

from __future__ import annotations

from rapid_response.core import events as happened
from rapid_response.core.incident import Action, Status
from rapid_response.core.vocabulary import (
    Area,
    Category,
    ClockState,
    Disposition,
    ReferralKind,
    Urgency,
)
from rapid_response.intake.second.answering import Label
from rapid_response.steps import (
    amending,
    borders,
    commands,
    disclosing,
    leading,
    linking,
    referring,
    reviewing,
    safeguarding,
    second,
    transferring,
)
from rapid_response.steps.actions.doing import Doing, Handlers
from rapid_response.steps.actions.ending import end_case
from rapid_response.steps.actions.judging import reclassify
from rapid_response.steps.actions.next_step import keep_in_view
from rapid_response.steps.case import check, move
from rapid_response.steps.errors import Forbidden, Invalid
from rapid_response.steps.notekeeping import add_note
from rapid_response.steps.tasks import TaskKind, finish
from rapid_response.storage.tables import IncidentRow, TaskRow


def _note(doing: Doing, command: commands.Note) -> None:
    check(doing.incident, Action.NOTE)
    add_note(doing.tx, doing.incident, command.body, doing.who)


_NOT_OPEN = (
    "This task is not open any more: somebody has done it, or it is another incident's. "
    "The tasks are listed with the incident."
)
#: Tasks that end with a decision of their own, and how.
_ENDS_WITH = {
    TaskKind.REVIEW_AGE_TARGETING: "This task ends with a decision: use review_age_targeting.",
    TaskKind.TRANSFER: "This task ends with the hand-over: use transfer, or correct the address.",
    TaskKind.SAFEGUARDING: "This task ends with a decision: use decide_safeguarding.",
}


def _must_be_decided(incident: IncidentRow, task: TaskRow) -> bool:
    match task.kind:
        case TaskKind.TRANSFER:
            return incident.area is Area.OUTSIDE
    return task.kind in (TaskKind.REVIEW_AGE_TARGETING, TaskKind.SAFEGUARDING)


def _task_done(doing: Doing, command: commands.TaskIsDone) -> None:
    check(doing.incident, Action.TASK_DONE)
    task = doing.tx.get(TaskRow, command.task)
    if task is None or task.incident_id != doing.incident.id or task.done_at is not None:
        raise Invalid(_NOT_OPEN, "task")
    if _must_be_decided(doing.incident, task):
        raise Invalid(_ENDS_WITH[TaskKind(task.kind)], "task")
    if task.kind == TaskKind.CONFIRM_HOAX:
        # Whoever looked does not agree: it is a report like any other again.
        doing.incident.hoax_marked_by = None
    words = command.reason
    if task.kind == TaskKind.BREACH_REASON:
        words = _explain_breach(doing, command.reason)
    if task.kind == TaskKind.CONFIRM_REMOTE:
        doing.incident.unconfirmed = [
            u for u in doing.incident.unconfirmed if u != Action.REMOTE_RESPONSE.value
        ]
    if words:
        add_note(doing.tx, doing.incident, words, doing.who)
    if task.kind == TaskKind.CHASE_REFERRAL:
        referring.chased(doing.tx, doing.service, doing.incident, task.subject)
    else:
        finish(doing.tx, task)
    if task.kind in leading.LEADS_TASKS:
        leading.seen_to(doing.tx, doing.incident)
    _keep_cared_for(doing)


def _explain_breach(doing: Doing, reason: str | None) -> str | None:
    """Record why the two hours were missed; returns what a person said in words of their own, for a note."""
    if not doing.who.may_explain_breaches:
        raise Forbidden("It may have been a breach of your own shift. Ask a team leader to explain it.")
    if not reason:
        raise Invalid("Say why the two hours were missed.", "reason")
    known = next((code for code in commands.BreachReason if code == reason), None)
    doing.record(happened.BreachExplained(known or commands.BreachReason.OTHER))
    return reason if known is None else None


def _keep_cared_for(doing: Doing) -> None:
    """An open case nobody has, and whose last task is done, gets the next look by itself."""
    incident = doing.incident
    if incident.is_open and incident.status is Status.SCHEDULED:
        doing.next_working_day_task(TaskKind.CHECK_BACK)


def _amend(doing: Doing, command: commands.Amend) -> None:
    amending.amend(doing.tx, doing.desk, doing.service, doing.incident, command, doing.who)
    if not doing.incident.is_open:
        safeguarding.after_the_end(doing.tx, doing.service, doing.incident)


def _link(doing: Doing, command: commands.LinkTo) -> None:
    other = linking.link(doing.tx, doing.desk, doing.service, doing.incident, command, doing.who)
    # What joins a case that has ended may say more of its victim than was known.
    for incident in (doing.incident, other):
        if not incident.is_open:
            safeguarding.after_the_end(doing.tx, doing.service, incident)
    keep_in_view(doing.tx, doing.service, other)


def _review_age_targeting(doing: Doing, command: commands.ReviewAgeTargeting) -> None:
    reviewing.review(doing.tx, doing.desk, doing.service, doing.incident, command, doing.who)


def _second_review(doing: Doing, command: commands.SecondReview) -> None:
    reviewing.second_review(doing.tx, doing.desk, doing.service, doing.incident, command, doing.who)


def _refer(doing: Doing, command: commands.Refer) -> None:
    check(doing.incident, Action.REFER)
    referring.refer(doing.tx, doing.service, doing.incident, command)
    if command.kind is ReferralKind.ASC_SAFEGUARDING:
        safeguarding.was_referred(doing.tx, doing.incident, doing.who)


def _update_referral(doing: Doing, command: commands.UpdateReferral) -> None:
    check(doing.incident, Action.UPDATE_REFERRAL)
    referring.update(doing.tx, doing.service, doing.incident, command)


def _answer_second_reading(doing: Doing, command: commands.AnswerSecondReading) -> None:
    """A person's word on a suggestion. Where she agrees on what it is, she reclassifies by that."""
    incident = doing.incident
    check(incident, Action.ANSWER_SECOND_READING)
    suggestion = second.answer(doing.tx, incident, command.suggestion, command.agrees, doing.who.source)
    if not command.agrees:
        return
    if suggestion.label == Label.CATEGORY:
        reclassify(doing, commands.Reclassify(category=Category(suggestion.value)))
    elif suggestion.label == Label.URGENCY:
        urgency = Urgency(suggestion.value)
        reclassify(doing, commands.Reclassify(category=incident.category, urgency=urgency))


def _transfer(doing: Doing, command: commands.Transfer) -> None:
    transferring.send(doing.tx, doing.desk, doing.service, doing.incident, command)
    if command.reason:
        add_note(doing.tx, doing.incident, command.reason, doing.who)


def _transfer_acknowledged(doing: Doing, command: commands.TransferAcknowledged) -> None:
    """They have it: it is over here, and a promise that still counted is theirs now."""
    tx, incident = doing.tx, doing.incident
    move(incident, Action.TRANSFER_ACKNOWLEDGED)
    transferring.acknowledge(tx, incident, command)
    incident.disposition, incident.closed_at = Disposition.TRANSFERRED_OTHER_AUTHORITY, tx.now
    if incident.stopped_at is None and incident.clock_state is not ClockState.NOT_APPLICABLE:
        doing.end_promise("transferred")
    end_case(doing, "transferred")
    doing.record(happened.IncidentClosed(Disposition.TRANSFERRED_OTHER_AUTHORITY, incident.episode))


def _transfer_declined(doing: Doing, command: commands.TransferDeclined) -> None:
    transferring.decline(doing.tx, doing.desk, doing.service, doing.incident, command)
    if borders.is_owed_a_clock(doing.incident):
        # Meanwhile its address was found to be ours: nobody else has it.
        amending.count_from_report(doing.tx, doing.desk, doing.service, doing.incident)


def _decide_safeguarding(doing: Doing, command: commands.DecideSafeguarding) -> None:
    check(doing.incident, Action.DECIDE_SAFEGUARDING)
    safeguarding.decide(
        doing.tx,
        doing.service,
        doing.incident,
        command.decision,
        doing.who,
        reason=command.reason,
        reference=command.reference,
    )


def _disclose(doing: Doing, command: commands.Disclose) -> None:
    check(doing.incident, Action.DISCLOSE)
    disclosing.disclose(doing.tx, doing.incident, command)


def _legal_hold(doing: Doing, command: commands.LegalHold) -> None:
    """A court, the police or an inspector may want it: until somebody lets go, nothing of it is deleted."""
    incident = doing.incident
    check(incident, Action.LEGAL_HOLD)
    if command.on == (incident.legal_hold_at is not None):
        raise Invalid("It stands so already.", "on")
    incident.legal_hold_at = doing.tx.now if command.on else None
    incident.legal_hold_by = doing.tx.actor if command.on else None
    doing.record(happened.LegalHoldChanged(command.on))
    add_note(doing.tx, incident, command.reason, doing.who)


DO: Handlers = {
    Action.NOTE: _note,
    Action.TASK_DONE: _task_done,
    Action.REVIEW_AGE_TARGETING: _review_age_targeting,
    Action.SECOND_REVIEW: _second_review,
    Action.REFER: _refer,
    Action.UPDATE_REFERRAL: _update_referral,
    Action.ANSWER_SECOND_READING: _answer_second_reading,
    Action.AMEND: _amend,
    Action.LINK: _link,
    Action.TRANSFER: _transfer,
    Action.TRANSFER_ACKNOWLEDGED: _transfer_acknowledged,
    Action.TRANSFER_DECLINED: _transfer_declined,
    Action.DECIDE_SAFEGUARDING: _decide_safeguarding,
    Action.DISCLOSE: _disclose,
    Action.LEGAL_HOLD: _legal_hold,
}
