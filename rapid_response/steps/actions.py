"""What a person does to an incident: one function an action, the same for API, pages, texts and calls.

Each checks the one table of statuses first, so that what the state does not allow changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from rapid_response.core import events as happened
from rapid_response.core.incident import Action, Move, Status
from rapid_response.core.notices import NoticeKind
from rapid_response.core.vocabulary import (
    Area,
    Category,
    ClockState,
    ContactRole,
    Disposition,
    EvidenceGrade,
    JointArrangement,
    Priority,
    ReferralKind,
    StoppedBy,
    Urgency,
)
from rapid_response.hatecrime.rules import UNDECIDED
from rapid_response.intake.second.answering import Label
from rapid_response.sla import rules as sla
from rapid_response.steps import (
    alarms,
    amending,
    borders,
    clock,
    commands,
    companions,
    disclosing,
    episodes,
    hoaxes,
    joining,
    leading,
    linking,
    notices,
    offers,
    outcomes,
    raising,
    referring,
    retention,
    reviewing,
    safeguarding,
    second,
    transferring,
    visits,
)
from rapid_response.steps.case import (
    check,
    facts_of,
    find,
    find_with,
    hold,
    is_aged_60_plus,
    is_counting,
    move,
)
from rapid_response.steps.desk import Desk, Who
from rapid_response.steps.errors import Forbidden, Invalid
from rapid_response.steps.notekeeping import add_note
from rapid_response.steps.service import Service, service_now
from rapid_response.steps.tasks import TaskKind, finish, finish_kind, open_task
from rapid_response.storage import work
from rapid_response.storage.tables import (
    IncidentRow,
    OutcomeRow,
    TaskRow,
)
from rapid_response.storage.tx import Tx

#: How long a clock stands still when nobody said until when.
DEFAULT_PAUSE = timedelta(hours=24)
#: How soon somebody rings again after nobody answered the door.
CALL_BACK_WITHIN = timedelta(minutes=30)
#: After a response the owner finishes the case; later than this the duty officer asks why it is still open.
FINISH_WITHIN = timedelta(hours=2)


def act(tx: Tx, desk: Desk, reference: str, action: Action, command: commands.Command, who: Who) -> str:
    """Do one action to the incident of that reference; returns its id.

    Raises NotAllowed (409), NotFound (404), Invalid (422) or Forbidden (403); then nothing has happened.
    """
    incident = _find(tx, reference, action, command)
    perform(tx, desk, service_now(tx, desk.zone), incident, action, command, who)
    return incident.id


def _find(tx: Tx, reference: str, action: Action, command: commands.Command) -> IncidentRow:
    """The incident, locked; what concerns two locks both, in the order of their ids (design.md 3)."""
    if action not in (Action.LINK, Action.REOPEN):
        return find(tx, reference)
    named = getattr(command, "reference", None)
    return find_with(tx, reference, [named] if named else [], parts=action is Action.REOPEN)


def act_on(tx: Tx, desk: Desk, incident_id: str, action: Action, command: commands.Command, who: Who) -> None:
    """As :func:`act`, for who knows the id."""
    perform(tx, desk, service_now(tx, desk.zone), hold(tx, incident_id), action, command, who)


def perform(
    tx: Tx,
    desk: Desk,
    service: Service,
    incident: IncidentRow,
    action: Action,
    command: commands.Command,
    who: Who,
) -> None:
    """Do one action to a locked incident."""
    visits.sign_of_life(tx, desk, service, incident, action, who)
    _DO[action](_Doing(tx, desk, service, incident, who), command)
    note = getattr(command, "note", None)
    if note:
        add_note(tx, incident, note, who)
    keep_in_view(tx, service, incident)


def keep_in_view(tx: Tx, service: Service, *incidents: IncidentRow) -> None:
    """An open case always has a next step: where nothing is left to come, the duty officer looks again."""
    for incident in incidents:
        retention.classify(tx, incident)
    still_open = [incident for incident in incidents if incident.is_open]
    if not still_open:
        return
    awaited = work.awaited(tx, [incident.id for incident in still_open])
    for incident in still_open:
        if incident.id not in awaited:
            _look_again(tx, service, incident)


def _look_again(tx: Tx, service: Service, incident: IncidentRow) -> None:
    answered_or_late = incident.owner is not None and incident.clock_state is not ClockState.NOT_APPLICABLE
    kind = TaskKind.FINISH_JOB if answered_or_late else TaskKind.CHECK_BACK
    due = tx.now + FINISH_WITHIN if answered_or_late else service.next_working_day(tx.now)
    open_task(tx, incident, kind, ContactRole.DUTY_OFFICER, due)


class _Doing:
    """One action under way."""

    __slots__ = ("desk", "incident", "service", "tx", "who")

    def __init__(self, tx: Tx, desk: Desk, service: Service, incident: IncidentRow, who: Who) -> None:
        self.tx, self.desk, self.service, self.incident, self.who = tx, desk, service, incident, who

    @property
    def owner_or_actor(self) -> str:
        return self.incident.owner or self.who.responder or "desk"

    def record(self, event: happened.Event) -> None:
        self.tx.record(self.incident.id, event)

    def next_working_day_task(self, kind: TaskKind, owner: str = ContactRole.DUTY_OFFICER) -> str:
        due = self.service.next_working_day(self.tx.now)
        return open_task(self.tx, self.incident, kind, owner, due)


# --- answers and movement --------------------------------------------------------------------------------


def _accept(doing: _Doing, command: commands.ByResponder) -> None:
    offers.accept(
        doing.tx, doing.desk, doing.service, doing.incident, command.responder, doing.who, command.eta_minutes
    )


def _decline(doing: _Doing, command: commands.ByResponder) -> None:
    offers.decline(doing.tx, doing.desk, doing.service, doing.incident, command.responder, doing.who)
    if command.reason:
        add_note(doing.tx, doing.incident, command.reason, doing.who)


def _assign(doing: _Doing, command: commands.Assign) -> None:
    tx, desk, service, incident = doing.tx, doing.desk, doing.service, doing.incident
    check(incident, Action.ASSIGN)
    if command.companion:
        companions.name(tx, desk, service, incident, command.responder)
    else:
        if companions.must_be_arranged(service, incident):
            companions.arranged(tx, incident, _how(None, command.reason, companions.ALONE))
        offers.assign(tx, desk, service, incident, command.responder, doing.who)
        if incident.area is Area.OUTSIDE and not incident.is_handed_over:
            # One of ours goes across the border by agreement: there is nothing to hand over.
            borders.stand_easy(tx, incident)
    if command.reason:
        add_note(doing.tx, doing.incident, command.reason, doing.who)


def _check_owner(doing: _Doing, action: Action, command: commands.ByOwner) -> None:
    """Legal now, and whoever names a responder means the one who has the job."""
    check(doing.incident, action)
    named, owner = command.responder, doing.incident.owner
    if named is not None and owner is not None and named != owner:
        raise Invalid("Another responder has this job. Name the owner, or assign it first.", "responder")


def _how(arranged: str | None, reason: str | None, otherwise: str) -> JointArrangement:
    """How it was seen to that nobody goes in alone; raises Invalid with what to do otherwise."""
    if arranged is not None:
        return JointArrangement(arranged)
    if not reason:
        raise Invalid(otherwise, "reason")
    return JointArrangement.OVERRIDE


def _release_companion(doing: _Doing, command: commands.ByOwner) -> None:
    check(doing.incident, Action.RELEASE_COMPANION)
    companions.release(doing.tx, doing.desk, doing.service, doing.incident, "released", doing.who)
    if command.reason:
        add_note(doing.tx, doing.incident, command.reason, doing.who)


def _release(doing: _Doing, command: commands.Release) -> None:
    _check_owner(doing, Action.RELEASE, command)
    was_held = doing.incident.is_held
    if companions.must_be_arranged(doing.service, doing.incident):
        how = _how(command.arranged, command.reason, companions.WHO_GOES)
        companions.arranged(doing.tx, doing.incident, how, goes_out=True)
    offers.release(doing.tx, doing.desk, doing.service, doing.incident, "released")
    if was_held and doing.incident.back_entry:
        doing.record(happened.BackEntryReleased())
        _tell_if_joint(doing)
        raising.owe_remote_response(doing.tx, doing.incident)
        leading.tell_of_what_waits(doing.tx, doing.desk, doing.service, doing.incident)
    if command.reason:
        add_note(doing.tx, doing.incident, command.reason, doing.who)


def _tell_if_joint(doing: _Doing) -> None:
    """As at the arrival of any other report: the offer is out, so a second pair of eyes is needed now."""
    if doing.incident.joint:
        notices.give(
            doing.tx, doing.desk, doing.service, doing.incident, NoticeKind.JOINT, ContactRole.DUTY_OFFICER
        )


def _en_route(doing: _Doing, command: commands.ByOwner) -> None:
    _check_owner(doing, Action.EN_ROUTE, command)
    move(doing.incident, Action.EN_ROUTE)
    tx, incident = doing.tx, doing.incident
    eta = command.eta_minutes if command.eta_minutes is not None else offers.eta_of(tx, incident)
    visit = visits.set_off(tx, incident, doing.owner_or_actor, eta)
    doing.record(happened.SetOff(doing.owner_or_actor, doing.who.source, visit.expected_at, visit.finish_at))


def _on_scene(doing: _Doing, command: commands.ByOwner) -> None:
    _check_owner(doing, Action.ON_SCENE, command)
    move(doing.incident, Action.ON_SCENE)
    visits.arrived(doing.tx, doing.desk, doing.service, doing.incident, doing.owner_or_actor)
    doing.record(happened.ArrivedOnScene(doing.owner_or_actor, doing.who.source))
    if clock.stop(doing.tx, doing.incident, StoppedBy.ATTENDED, at=_arrived_at(doing)):
        raising.owe_breach_reason(doing.tx, doing.service, doing.incident)
    finish_kind(doing.tx, doing.incident, TaskKind.REMOTE_RESPONSE)
    _to_be_finished(doing)


def _arrived_at(doing: _Doing) -> datetime:
    """When she was there: as her text says, where it was held up; never before the clock began."""
    said_at, incident = doing.who.said_at, doing.incident
    counts = incident.clock_state is ClockState.RUNNING and incident.started_at is not None
    if said_at is None or not counts or incident.started_at is None:
        return doing.tx.now
    return min(doing.tx.now, max(said_at, incident.started_at))


def _no_contact(doing: _Doing, command: commands.NoContact) -> None:
    """Attended, nobody answered: not a success. Warnings and the ladder's notices are armed again."""
    _check_owner(doing, Action.NO_CONTACT, command)
    tx, incident, service = doing.tx, doing.incident, doing.service
    move(incident, Action.NO_CONTACT)
    visits.end(tx, incident, "no_contact")
    taken_back = clock.take_stop_back(tx, service, incident)
    finish_kind(tx, incident, TaskKind.FINISH_JOB)
    doing.record(
        happened.NoContactMade(doing.owner_or_actor, doing.who.source, taken_back, no_trace=command.no_trace)
    )
    if is_counting(incident):
        if not taken_back:
            incident.cycle += 1
        clock.disarm(tx, incident, [sla.Kind.RUNG], "no_contact")
        clock.arm(tx, incident, sla.notices_only(service.definition.escalation, tx.now))
    open_task(tx, incident, TaskKind.CALL_BACK, ContactRole.DUTY_OFFICER, tx.now + CALL_BACK_WITHIN)


def _remote_response(doing: _Doing, command: commands.RemoteResponse) -> None:
    """A responder spoke with the victim and did one protective act (domain.md 3.4 b)."""
    check(doing.incident, Action.REMOTE_RESPONSE)
    by = command.responder or doing.incident.owner or doing.who.responder
    if by is not None and doing.service.definition.responder(by) is None:
        raise Invalid(
            "There is no responder with this id. Choose one from the service definition.", "responder"
        )
    flagged = doing.who.source in ("sms", "voice")
    _answered(doing, Action.REMOTE_RESPONSE, StoppedBy.REMOTE_RESPONSE, flagged)
    doing.record(happened.ResponseMadeRemotely(by, command.protective_act, flagged))
    if flagged:
        doing.incident.unconfirmed = [*doing.incident.unconfirmed, Action.REMOTE_RESPONSE.value]
        doing.next_working_day_task(TaskKind.CONFIRM_REMOTE)
    finish_kind(doing.tx, doing.incident, TaskKind.CALL_BACK)


def _police_handover(doing: _Doing, command: commands.PoliceHandover) -> None:
    _answered(doing, Action.POLICE_HANDOVER, StoppedBy.POLICE_HANDOVER, flagged=False)
    doing.record(happened.PoliceHandedOver(doing.who.source))
    add_note(doing.tx, doing.incident, f"Police reference: {command.cad_reference}", doing.who)
    doing.next_working_day_task(TaskKind.WELFARE_CHECK)


def _answered(doing: _Doing, action: Action, by: StoppedBy, flagged: bool) -> None:
    """A response other than at the door: ends the search; without an owner a welfare check remains."""
    unowned = doing.incident.owner is None
    move(doing.incident, action)
    if clock.stop(doing.tx, doing.incident, by, flagged=flagged):
        raising.owe_breach_reason(doing.tx, doing.service, doing.incident)
    finish_kind(doing.tx, doing.incident, TaskKind.REMOTE_RESPONSE)
    if not unowned:
        _to_be_finished(doing)
    else:
        doing.incident.is_held = False
        offers.end_search(doing.tx, doing.desk, doing.service, doing.incident, by)
        task = doing.next_working_day_task(TaskKind.WELFARE_CHECK)
        doing.record(happened.Scheduled(by, task))


def _to_be_finished(doing: _Doing) -> None:
    open_task(
        doing.tx,
        doing.incident,
        TaskKind.FINISH_JOB,
        ContactRole.DUTY_OFFICER,
        doing.tx.now + FINISH_WITHIN,
    )


# --- the end ---------------------------------------------------------------------------------------------


def _close(doing: _Doing, command: commands.Close) -> None:
    tx, incident = doing.tx, doing.incident
    move(incident, Action.CLOSE)
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
    _end(doing, "closed")
    doing.record(happened.IncidentClosed(command.disposition, incident.episode))


def _add_outcomes(doing: _Doing, command: commands.AddOutcomes) -> None:
    check(doing.incident, Action.ADD_OUTCOMES)
    if command.corrects is not None:
        _take_back(doing, command.corrects, command.reason)
    for outcome in command.outcomes:
        _record_outcome(doing, outcome, command.corrects)
    if command.reason:
        add_note(doing.tx, doing.incident, command.reason, doing.who)


def _take_back(doing: _Doing, outcome_id: str, reason: str | None) -> None:
    """What was recorded was not so: it stays on record, and counts no more (scenario 54)."""
    known = {row.id: row for row in outcomes.of(doing.tx, doing.incident.id)}
    if outcome_id not in known:
        raise Invalid("This incident has no outcome with this id that still holds.", "corrects")
    if not reason:
        raise Invalid("Say why it is put right.", "reason")
    was = known[outcome_id]
    doing.record(happened.OutcomeCorrected(was.id, was.code, was.amount_pence, was.evidence_grade))


def _record_outcome(doing: _Doing, outcome: commands.Outcome, corrects: str | None = None) -> None:
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


def _cancel(doing: _Doing, command: commands.Cancel) -> None:
    check(doing.incident, Action.CANCEL)
    if command.disposition is Disposition.HOAX_OR_TEST:
        hoaxes.check(doing.tx, doing.incident)
    _cancelled(doing, command)


def _mark_hoax(doing: _Doing, command: commands.MarkHoax) -> None:
    """Nothing of it is true: it ends at once, or when a second person says the same."""
    check(doing.incident, Action.MARK_HOAX)
    if hoaxes.agreed(doing.tx, doing.incident, doing.who, command.second_person):
        ends = commands.Cancel(reason=command.reason, disposition=Disposition.HOAX_OR_TEST)
        _cancelled(doing, ends)
    else:
        add_note(doing.tx, doing.incident, command.reason, doing.who)


def _cancelled(doing: _Doing, command: commands.Cancel) -> None:
    incident = doing.incident
    move(incident, Action.CANCEL)
    incident.disposition, incident.closed_at = command.disposition, doing.tx.now
    if incident.stopped_at is None and incident.clock_state is not ClockState.NOT_APPLICABLE:
        _end_promise(doing, "cancelled")
    _end(doing, "cancelled")
    safeguarding.after_the_end(doing.tx, doing.service, incident)
    if command.reason:
        add_note(doing.tx, incident, command.reason, doing.who)
    doing.record(happened.IncidentCancelled(command.disposition, incident.episode))


def _end_promise(doing: _Doing, why: str) -> None:
    if clock.not_applicable(doing.tx, doing.incident, why):
        raising.owe_breach_reason(doing.tx, doing.service, doing.incident)


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


def _check_in(doing: _Doing, command: commands.CheckIn) -> None:
    """She is safe: by her own word, or by that of whoever spoke with her."""
    incident = doing.incident
    check(incident, Action.CHECK_IN)
    there = (incident.owner, incident.companion)
    if command.responder is not None and command.responder not in there:
        raise Invalid("Another responder has this job. Name the one who is there.", "responder")
    who = command.responder or incident.owner or "desk"
    visits.check_in(doing.tx, doing.desk, doing.service, incident, who, doing.who.source)


def _end(doing: _Doing, why: str) -> None:
    offers.job_done(doing.tx, doing.desk, doing.service, doing.incident, why)
    companions.job_done(doing.tx, doing.desk, doing.service, doing.incident, why)
    finish_kind(doing.tx, doing.incident, *(k for k in TaskKind if k not in _OUTLIVES))
    transferring.withdraw(doing.tx, doing.incident)
    clock.disarm(doing.tx, doing.incident, [sla.Kind.BORDER], why)
    doing.incident.owner = None
    doing.incident.is_held = False
    doing.incident.hoax_marked_by = None


def _reopen(doing: _Doing, command: commands.Reopen) -> None:
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
    incident.stopped_at = incident.stopped_by = incident.breached_at = None
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


def _set_going_again(doing: _Doing, told: joining.Told | None, started_at: datetime | None) -> None:
    """The new episode's clock, and its search; or the task of somebody, where there is no clock."""
    tx, incident = doing.tx, doing.incident
    promised = borders.is_promised(incident)
    if not promised:
        incident.clock_state = ClockState.NOT_APPLICABLE
        if incident.priority.has_clock:
            doing.record(happened.ClockNotApplicable("out_of_area"))
            borders.take_in(tx, doing.desk, doing.service, incident, "out_of_area")
        else:
            _schedule(doing, "reopened")
    else:
        clock.start(tx, doing.service, incident, started_at or tx.now)
    if told is not None:
        joining.carry_owner(tx, doing.desk, doing.service, incident, told, doing.who)
        _tell_if_joint(doing)
    if promised and incident.owner is None:
        offers.search(tx, doing.desk, doing.service, incident)


# --- judgement -------------------------------------------------------------------------------------------


def _acknowledge(doing: _Doing, _: commands.Nothing) -> None:
    check(doing.incident, Action.ACKNOWLEDGE)
    notices.acknowledge(doing.tx, doing.incident, doing.who.source)
    alarms.acknowledge_of(doing.tx, doing.incident, doing.who.source)


#: The kind of a category that a person chose without saying which kind it is.
_NOT_SAID = {
    Category.DOORSTEP_CRIME: "other_doorstep",
    Category.SCAM: "other_scam",
    Category.OTHER: "other",
}


def _reclassify(doing: _Doing, command: commands.Reclassify) -> None:
    """A person corrects what it is. What it is describes; how urgent it is stays as the facts say."""
    incident = doing.incident
    move(incident, Action.RECLASSIFY)
    if command.subtype is not None or command.category is not incident.category:
        incident.subtype = command.subtype or _NOT_SAID[command.category]
    incident.category, incident.urgency = command.category, command.urgency or incident.urgency
    victim = incident.victim
    doing.record(
        happened.IncidentClassified(
            incident.category,
            incident.subtype,
            incident.urgency,
            victim_aged_60_plus=is_aged_60_plus(victim),
            victim_lives_alone=facts_of(incident).lives_alone is True,
            ward=incident.ward,
        )
    )
    if command.reason:
        add_note(doing.tx, incident, command.reason, doing.who)
    reviewed = incident.status is Status.AWAITING_REVIEW and not incident.is_held
    if reviewed and incident.priority.has_clock and incident.category is not Category.OTHER:
        raising.go_out(doing.tx, doing.desk, doing.service, incident)


def _set_priority(doing: _Doing, command: commands.SetPriority) -> None:
    """Anybody at the desk may raise; only a duty officer or above lowers, with a reason (scenario 25)."""
    incident, tx = doing.incident, doing.tx
    check(incident, Action.SET_PRIORITY)
    new, old = command.priority, incident.priority
    if new.rank > old.rank:
        if not doing.who.may_lower:
            raise Forbidden("Only a duty officer or above may lower the priority. Ask the duty officer.")
        if not command.reason:
            raise Invalid("Say why the priority is lowered.", "reason")
    incident.priority, incident.rule_id = new, "person"
    doing.record(
        happened.PriorityDecided(
            new, "person", incident.rules_version, (), reason_given=command.reason is not None
        )
    )
    if command.reason:
        add_note(tx, incident, command.reason, doing.who)
    had_clock, has_clock = old.has_clock, new.has_clock
    if has_clock and not had_clock:
        raising.start_second_clock(tx, doing.desk, doing.service, incident)
    elif had_clock and not has_clock:
        _give_up_clock(doing)
    elif incident.status is Status.AWAITING_REVIEW and not incident.is_held:
        if has_clock:
            raising.go_out(doing.tx, doing.desk, doing.service, incident)
        else:
            _schedule(doing, "reviewed")


def _give_up_clock(doing: _Doing) -> None:
    incident = doing.incident
    if incident.stopped_at is None:
        _end_promise(doing, "priority_lowered")
    if incident.owner is None:
        offers.end_search(doing.tx, doing.desk, doing.service, incident, "priority_lowered")
        incident.is_held = False
        _schedule(doing, "priority_lowered")


def _schedule(doing: _Doing, why: str) -> None:
    if doing.incident.status is not Status.SCHEDULED:
        move(doing.incident, Move.SCHEDULE)
    kind = TaskKind.FOLLOW_UP if doing.incident.priority is Priority.P3 else TaskKind.CHECK_BACK
    task = doing.next_working_day_task(kind)
    doing.record(happened.Scheduled(why, task))


def _pause(doing: _Doing, command: commands.Pause) -> None:
    tx, incident = doing.tx, doing.incident
    check(incident, Action.PAUSE)
    until = command.until or tx.now + DEFAULT_PAUSE
    if until <= tx.now:
        raise Invalid("Give a time that is still to come.", "until")
    clock.pause(tx, incident, command.reason, until)
    if incident.owner is None:
        offers.end_search(tx, doing.desk, doing.service, incident, "paused")
    else:
        clock.disarm(tx, incident, [sla.Kind.RUNG], "paused")


def _resume(doing: _Doing, _: commands.Nothing) -> None:
    check(doing.incident, Action.RESUME)
    resume(doing.tx, doing.desk, doing.service, doing.incident)


def resume(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """The clock goes on, and so does the search where nobody has the job."""
    clock.resume(tx, service, incident)
    if incident.owner is None and not incident.is_held and incident.status is not Status.SCHEDULED:
        offers.search(tx, desk, service, incident)


# --- notes, tasks, targeting -----------------------------------------------------------------------------


def _note(doing: _Doing, command: commands.Note) -> None:
    check(doing.incident, Action.NOTE)
    add_note(doing.tx, doing.incident, command.body, doing.who)


#: Tasks that end with a decision of their own, and how.
_ENDS_WITH = {
    TaskKind.REVIEW_AGE_TARGETING: "This task ends with a decision: use review_age_targeting.",
    TaskKind.TRANSFER: "This task ends with the hand-over: use transfer, or correct the address.",
    TaskKind.SAFEGUARDING: "This task ends with a decision: use decide_safeguarding.",
}


def _must_be_decided(incident: IncidentRow, task: TaskRow) -> bool:
    match task.kind:
        case TaskKind.REVIEW_AGE_TARGETING:
            return incident.age_state in UNDECIDED
        case TaskKind.TRANSFER:
            return incident.area is Area.OUTSIDE
    return task.kind == TaskKind.SAFEGUARDING


def _task_done(doing: _Doing, command: commands.TaskIsDone) -> None:
    check(doing.incident, Action.TASK_DONE)
    task = doing.tx.get(TaskRow, command.task)
    if task is None or task.incident_id != doing.incident.id or task.done_at is not None:
        raise Invalid("This incident has no open task with this id. Its tasks are listed with it.", "task")
    if _must_be_decided(doing.incident, task):
        raise Invalid(_ENDS_WITH[TaskKind(task.kind)], "task")
    if task.kind == TaskKind.CONFIRM_HOAX:
        # Whoever looked does not agree: it is a report like any other again.
        doing.incident.hoax_marked_by = None
    if task.kind == TaskKind.BREACH_REASON:
        if not command.reason:
            raise Invalid("Say why the two hours were missed.", "reason")
        known = {code.value for code in commands.BreachReason}
        code = command.reason if command.reason in known else commands.BreachReason.OTHER
        doing.record(happened.BreachExplained(code))
    if task.kind == TaskKind.CONFIRM_REMOTE:
        doing.incident.unconfirmed = [
            u for u in doing.incident.unconfirmed if u != Action.REMOTE_RESPONSE.value
        ]
    if command.reason:
        add_note(doing.tx, doing.incident, command.reason, doing.who)
    if task.kind == TaskKind.CHASE_REFERRAL:
        referring.chased(doing.tx, doing.service, doing.incident, task.subject)
    else:
        finish(doing.tx, task)
    if task.kind in leading.LEADS_TASKS:
        leading.seen_to(doing.tx, doing.incident)
    _keep_cared_for(doing)


def _keep_cared_for(doing: _Doing) -> None:
    """An open case nobody has, and whose last task is done, gets the next look by itself."""
    incident = doing.incident
    if incident.is_open and incident.status is Status.SCHEDULED:
        doing.next_working_day_task(TaskKind.CHECK_BACK)


def _amend(doing: _Doing, command: commands.Amend) -> None:
    amending.amend(doing.tx, doing.desk, doing.service, doing.incident, command, doing.who)
    if not doing.incident.is_open:
        safeguarding.after_the_end(doing.tx, doing.service, doing.incident)


def _link(doing: _Doing, command: commands.LinkTo) -> None:
    other = linking.link(doing.tx, doing.desk, doing.service, doing.incident, command, doing.who)
    # What joins a case that has ended may say more of its victim than was known.
    for incident in (doing.incident, other):
        if not incident.is_open:
            safeguarding.after_the_end(doing.tx, doing.service, incident)
    keep_in_view(doing.tx, doing.service, other)


def _review_age_targeting(doing: _Doing, command: commands.ReviewAgeTargeting) -> None:
    reviewing.review(doing.tx, doing.desk, doing.service, doing.incident, command, doing.who)


def _second_review(doing: _Doing, command: commands.SecondReview) -> None:
    reviewing.second_review(doing.tx, doing.desk, doing.service, doing.incident, command, doing.who)


def _refer(doing: _Doing, command: commands.Refer) -> None:
    check(doing.incident, Action.REFER)
    referring.refer(doing.tx, doing.service, doing.incident, command)
    if command.kind is ReferralKind.ASC_SAFEGUARDING:
        safeguarding.was_referred(doing.tx, doing.incident, doing.who)


def _update_referral(doing: _Doing, command: commands.UpdateReferral) -> None:
    check(doing.incident, Action.UPDATE_REFERRAL)
    referring.update(doing.tx, doing.service, doing.incident, command)


def _answer_second_reading(doing: _Doing, command: commands.AnswerSecondReading) -> None:
    """A person's word on a suggestion. Where she agrees on what it is, she reclassifies by that."""
    incident = doing.incident
    check(incident, Action.ANSWER_SECOND_READING)
    suggestion = second.answer(doing.tx, incident, command.suggestion, command.agrees, doing.who.source)
    if not command.agrees:
        return
    if suggestion.label == Label.CATEGORY:
        _reclassify(doing, commands.Reclassify(category=Category(suggestion.value)))
    elif suggestion.label == Label.URGENCY:
        urgency = Urgency(suggestion.value)
        _reclassify(doing, commands.Reclassify(category=incident.category, urgency=urgency))


def _transfer(doing: _Doing, command: commands.Transfer) -> None:
    transferring.send(doing.tx, doing.desk, doing.service, doing.incident, command)
    if command.reason:
        add_note(doing.tx, doing.incident, command.reason, doing.who)


def _transfer_acknowledged(doing: _Doing, command: commands.TransferAcknowledged) -> None:
    """They have it: it is over here, and a promise that still counted is theirs now."""
    tx, incident = doing.tx, doing.incident
    move(incident, Action.TRANSFER_ACKNOWLEDGED)
    transferring.acknowledge(tx, incident, command)
    incident.disposition, incident.closed_at = Disposition.TRANSFERRED_OTHER_AUTHORITY, tx.now
    if incident.stopped_at is None and incident.clock_state is not ClockState.NOT_APPLICABLE:
        _end_promise(doing, "transferred")
    _end(doing, "transferred")
    doing.record(happened.IncidentClosed(Disposition.TRANSFERRED_OTHER_AUTHORITY, incident.episode))


def _transfer_declined(doing: _Doing, command: commands.TransferDeclined) -> None:
    transferring.decline(doing.tx, doing.desk, doing.service, doing.incident, command)


def _decide_safeguarding(doing: _Doing, command: commands.DecideSafeguarding) -> None:
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


def _disclose(doing: _Doing, command: commands.Disclose) -> None:
    check(doing.incident, Action.DISCLOSE)
    disclosing.disclose(doing.tx, doing.incident, command)


def _legal_hold(doing: _Doing, command: commands.LegalHold) -> None:
    """A court, the police or an inspector may want it: until somebody lets go, nothing of it is deleted."""
    incident = doing.incident
    check(incident, Action.LEGAL_HOLD)
    if command.on == (incident.legal_hold_at is not None):
        raise Invalid("It stands so already.", "on")
    incident.legal_hold_at = doing.tx.now if command.on else None
    incident.legal_hold_by = doing.tx.actor if command.on else None
    doing.record(happened.LegalHoldChanged(command.on))
    add_note(doing.tx, incident, command.reason, doing.who)


_DO: Mapping[Action, Callable[[_Doing, Any], None]] = {
    Action.ACCEPT: _accept,
    Action.DECLINE: _decline,
    Action.ASSIGN: _assign,
    Action.EN_ROUTE: _en_route,
    Action.ON_SCENE: _on_scene,
    Action.NO_CONTACT: _no_contact,
    Action.REMOTE_RESPONSE: _remote_response,
    Action.POLICE_HANDOVER: _police_handover,
    Action.RELEASE: _release,
    Action.CLOSE: _close,
    Action.CANCEL: _cancel,
    Action.REOPEN: _reopen,
    Action.ACKNOWLEDGE: _acknowledge,
    Action.RECLASSIFY: _reclassify,
    Action.SET_PRIORITY: _set_priority,
    Action.PAUSE: _pause,
    Action.RESUME: _resume,
    Action.NOTE: _note,
    Action.TASK_DONE: _task_done,
    Action.REVIEW_AGE_TARGETING: _review_age_targeting,
    Action.ADD_OUTCOMES: _add_outcomes,
    Action.SECOND_REVIEW: _second_review,
    Action.REFER: _refer,
    Action.UPDATE_REFERRAL: _update_referral,
    Action.ANSWER_SECOND_READING: _answer_second_reading,
    Action.AMEND: _amend,
    Action.LINK: _link,
    Action.CHECK_IN: _check_in,
    Action.RELEASE_COMPANION: _release_companion,
    Action.TRANSFER: _transfer,
    Action.TRANSFER_ACKNOWLEDGED: _transfer_acknowledged,
    Action.TRANSFER_DECLINED: _transfer_declined,
    Action.DECIDE_SAFEGUARDING: _decide_safeguarding,
    Action.DISCLOSE: _disclose,
    Action.LEGAL_HOLD: _legal_hold,
    Action.MARK_HOAX: _mark_hoax,
}
