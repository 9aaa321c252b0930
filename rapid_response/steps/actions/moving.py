"""Answers and movement: who takes a job, sets off, arrives, and how it was answered."""

from __future__ import annotations

from datetime import datetime, timedelta

from rapid_response.core import events as happened
from rapid_response.core.incident import Action
from rapid_response.core.notices import NoticeKind
from rapid_response.core.vocabulary import (
    Area,
    ContactRole,
    JointArrangement,
    StoppedBy,
)
from rapid_response.sla import rules as sla
from rapid_response.steps import (
    borders,
    clock,
    commands,
    companions,
    leading,
    notices,
    offers,
    raising,
    visits,
)
from rapid_response.steps.actions.doing import Doing, Handlers
from rapid_response.steps.actions.next_step import FINISH_WITHIN
from rapid_response.steps.case import check, move
from rapid_response.steps.errors import Invalid
from rapid_response.steps.notekeeping import add_note
from rapid_response.steps.service import responder_named
from rapid_response.steps.tasks import TaskKind, finish_kind, open_task

#: How soon somebody rings again after nobody answered the door.
CALL_BACK_WITHIN = timedelta(minutes=30)


def _accept(doing: Doing, command: commands.ByResponder) -> None:
    offers.accept(
        doing.tx, doing.desk, doing.service, doing.incident, command.responder, doing.who, command.eta_minutes
    )


def _decline(doing: Doing, command: commands.ByResponder) -> None:
    offers.decline(doing.tx, doing.desk, doing.service, doing.incident, command.responder, doing.who)
    if command.reason:
        add_note(doing.tx, doing.incident, command.reason, doing.who)


def _assign(doing: Doing, command: commands.Assign) -> None:
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


def _check_owner(doing: Doing, action: Action, command: commands.ByOwner) -> None:
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


def _release_companion(doing: Doing, command: commands.ByOwner) -> None:
    check(doing.incident, Action.RELEASE_COMPANION)
    companions.release(doing.tx, doing.desk, doing.service, doing.incident, "released", doing.who)
    if command.reason:
        add_note(doing.tx, doing.incident, command.reason, doing.who)


def _release(doing: Doing, command: commands.Release) -> None:
    _check_owner(doing, Action.RELEASE, command)
    was_held = doing.incident.is_held
    if companions.must_be_arranged(doing.service, doing.incident):
        how = _how(command.arranged, command.reason, companions.WHO_GOES)
        companions.arranged(doing.tx, doing.incident, how, goes_out=True)
    offers.release(doing.tx, doing.desk, doing.service, doing.incident, "released", doing.who)
    if was_held and doing.incident.back_entry:
        doing.record(happened.BackEntryReleased())
        raising.tell_if_joint(doing.tx, doing.desk, doing.service, doing.incident)
        raising.owe_remote_response(doing.tx, doing.incident)
        leading.tell_of_what_waits(doing.tx, doing.desk, doing.service, doing.incident)
    if command.reason:
        add_note(doing.tx, doing.incident, command.reason, doing.who)


def _en_route(doing: Doing, command: commands.ByOwner) -> None:
    _check_owner(doing, Action.EN_ROUTE, command)
    move(doing.incident, Action.EN_ROUTE)
    tx, incident = doing.tx, doing.incident
    eta = command.eta_minutes if command.eta_minutes is not None else offers.eta_of(tx, incident)
    visit = visits.set_off(tx, incident, doing.owner_or_actor, eta)
    doing.record(happened.SetOff(doing.owner_or_actor, doing.who.source, visit.expected_at, visit.finish_at))
    # Whether or not our texts arrive, she knows.
    notices.overtaken(tx, incident, (NoticeKind.DELIVERY_FAILING,))


def _on_scene(doing: Doing, command: commands.ByOwner) -> None:
    _check_owner(doing, Action.ON_SCENE, command)
    move(doing.incident, Action.ON_SCENE)
    visits.arrived(doing.tx, doing.service, doing.incident, doing.owner_or_actor, doing.who.said_at)
    doing.record(happened.ArrivedOnScene(doing.owner_or_actor, doing.who.source))
    notices.overtaken(doing.tx, doing.incident, (NoticeKind.DELIVERY_FAILING,))
    _stop_clock(doing, StoppedBy.ATTENDED)
    finish_kind(doing.tx, doing.incident, TaskKind.REMOTE_RESPONSE)
    _to_be_finished(doing)


def _stop_clock(doing: Doing, by: StoppedBy, *, flagged: bool = False) -> None:
    """A response: who was told that it is owed is told no more, and whoever owes a reason for a late one, or
    owes none after all, is told."""
    tx, incident = doing.tx, doing.incident
    was_missed = incident.breached_at is not None
    if clock.stop(tx, incident, by, at=_responded_at(doing), flagged=flagged):
        raising.owe_breach_reason(tx, doing.service, incident)
    elif was_missed and incident.breached_at is None:
        raising.breach_taken_back(tx, incident)
    notices.overtaken(tx, incident, notices.PROGRESS)


def _responded_at(doing: Doing) -> datetime:
    """When the victim was reached: as a text says, where it was held up; never before the clock began."""
    said_at, incident = doing.who.said_at, doing.incident
    if said_at is None or not sla.is_counting(incident) or incident.started_at is None:
        return doing.tx.now
    return min(doing.tx.now, max(said_at, incident.started_at))


def _no_contact(doing: Doing, command: commands.NoContact) -> None:
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
    if not incident.priority.has_clock:
        # It was lowered after the arrival: there is no promise to count on.
        if taken_back:
            doing.end_promise("priority_lowered")
    elif sla.is_counting(incident):
        if not taken_back:
            incident.cycle += 1
        clock.disarm(tx, incident, [sla.Kind.RUNG], "no_contact")
        counted_from = clock.search_begins(tx, incident)
        clock.arm(tx, incident, sla.notices_only(service.definition.escalation, counted_from))
    open_task(tx, incident, TaskKind.CALL_BACK, ContactRole.DUTY_OFFICER, tx.now + CALL_BACK_WITHIN)


def _remote_response(doing: Doing, command: commands.RemoteResponse) -> None:
    """A responder spoke with the victim and did one protective act (domain.md 3.4 b)."""
    check(doing.incident, Action.REMOTE_RESPONSE)
    by = command.responder or doing.incident.owner or doing.who.responder
    if by is not None:
        responder_named(doing.service, by)
    flagged = doing.who.source in ("sms", "voice")
    _answered(doing, Action.REMOTE_RESPONSE, StoppedBy.REMOTE_RESPONSE, flagged)
    doing.record(happened.ResponseMadeRemotely(by, command.protective_act, flagged))
    if flagged:
        doing.incident.unconfirmed = [*doing.incident.unconfirmed, Action.REMOTE_RESPONSE.value]
        doing.next_working_day_task(TaskKind.CONFIRM_REMOTE)
    finish_kind(doing.tx, doing.incident, TaskKind.CALL_BACK)


def _police_handover(doing: Doing, command: commands.PoliceHandover) -> None:
    _answered(doing, Action.POLICE_HANDOVER, StoppedBy.POLICE_HANDOVER, flagged=False)
    doing.record(happened.PoliceHandedOver(doing.who.source))
    add_note(doing.tx, doing.incident, f"Police reference: {command.cad_reference}", doing.who)
    doing.next_working_day_task(TaskKind.WELFARE_CHECK)


def _answered(doing: Doing, action: Action, by: StoppedBy, flagged: bool) -> None:
    """A response other than at the door: ends the search; without an owner a welfare check remains."""
    unowned = doing.incident.owner is None
    move(doing.incident, action)
    _stop_clock(doing, by, flagged=flagged)
    finish_kind(doing.tx, doing.incident, TaskKind.REMOTE_RESPONSE)
    if not unowned:
        _to_be_finished(doing)
    else:
        offers.call_off(doing.tx, doing.desk, doing.service, doing.incident, by)
        offers.await_welfare_check(doing.tx, doing.service, doing.incident, by)


def _to_be_finished(doing: Doing) -> None:
    open_task(
        doing.tx,
        doing.incident,
        TaskKind.FINISH_JOB,
        ContactRole.DUTY_OFFICER,
        doing.tx.now + FINISH_WITHIN,
    )


DO: Handlers = {
    Action.ACCEPT: _accept,
    Action.DECLINE: _decline,
    Action.ASSIGN: _assign,
    Action.EN_ROUTE: _en_route,
    Action.ON_SCENE: _on_scene,
    Action.NO_CONTACT: _no_contact,
    Action.REMOTE_RESPONSE: _remote_response,
    Action.POLICE_HANDOVER: _police_handover,
    Action.RELEASE: _release,
    Action.RELEASE_COMPANION: _release_companion,
}
