"""What a case that is more urgent than it was is owed: a clock, an offer, a reason where it is late."""

from __future__ import annotations

from datetime import datetime, timedelta

from rapid_response.core.definition import JointAttendance
from rapid_response.core.events import HeldForReview
from rapid_response.core.incident import Move, Status
from rapid_response.core.notices import NoticeKind
from rapid_response.core.safe_contact import is_overheard
from rapid_response.core.states import OfferState, TaskState
from rapid_response.core.vocabulary import ClockState, ContactRole
from rapid_response.safety.rules import must_be_arranged
from rapid_response.sla import rules as sla
from rapid_response.steps import borders, clock, notices, offers, outbox
from rapid_response.steps.case import facts_of, move, offers_of
from rapid_response.steps.desk import Desk
from rapid_response.steps.service import Service
from rapid_response.steps.tasks import TaskKind, finish, finish_kind, open_task, open_tasks, was_opened
from rapid_response.storage import work
from rapid_response.storage.tables import IncidentRow
from rapid_response.storage.tx import Tx

#: R09: while the suspect is in the computer or on the phone, somebody rings at once (domain.md 3.2).
REMOTE_WITHIN = timedelta(minutes=15)
#: By when a person decides on what was held back.
HELD_WITHIN = timedelta(hours=1)


def rerank(tx: Tx, incident: IncidentRow) -> None:
    """What is still to come of it, and what waits to be sent, goes before what is less urgent."""
    work.rerank(tx, incident.id, incident.priority.rank)
    outbox.rerank(tx, incident.id, incident.priority.rank)


def start_second_clock(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, started_at: datetime | None = None
) -> None:
    """Raised late: a clock from now; that it was not seen before stays in the record (scenario 26).

    `started_at` where another report of the same incident had its clock already.
    """
    if incident.stopped_at is not None:
        return
    if not borders.is_promised(incident):
        # Another council's: what grows urgent is its hand-over.
        borders.raised(tx, desk, service, incident)
        return
    incident.cycle += 1
    clock.start(tx, service, incident, started_at or tx.now)
    if incident.owner is None:
        finish_kind(tx, incident, TaskKind.FOLLOW_UP, TaskKind.CHECK_BACK)
        seek(tx, desk, service, incident)
    tell_if_joint(tx, desk, service, incident)


def seek(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """Somebody is looked for from now on; where the council holds a joint visit, once it is arranged.

    Of paper from an outage nobody is told while it is held (design.md 7), so it is not held once more.
    """
    policy = service.definition.sla
    waits = incident.status is not Status.UNASSIGNED and not incident.back_entry
    if not (waits and _must_be_arranged(policy.joint_attendance, incident)) or _is_asked_about(tx, incident):
        offers.search(tx, desk, service, incident)
        return
    hold_for_joint(tx, incident)
    begins_at = clock.search_begins(tx, incident)
    steps = sla.ladder(service.definition.escalation, begins_at, begins_at, policy)
    clock.arm(tx, incident, [d for d in steps if not offers.is_offer_step(service, d)])


def _must_be_arranged(policy: JointAttendance, incident: IncidentRow) -> bool:
    return must_be_arranged(policy, joint=incident.joint, has_companion=incident.companion is not None)


def _is_asked_about(tx: Tx, incident: IncidentRow) -> bool:
    return any(offer.state is OfferState.OPEN for offer in offers_of(tx, incident))


def hold_if_joint(tx: Tx, service: Service, incident: IncidentRow) -> bool:
    """Whether it waits for a joint visit from now on: nobody is being asked yet, so nobody is before that."""
    is_promised = sla.is_counting(incident) or incident.clock_state is ClockState.PAUSED
    waits = incident.status in (Status.AWAITING_REVIEW, Status.DISPATCHING) and not incident.is_held
    policy = service.definition.sla.joint_attendance
    if not (is_promised and waits and _must_be_arranged(policy, incident)) or _is_asked_about(tx, incident):
        return False
    notices.overtaken(tx, incident, (NoticeKind.REVIEW,))
    finish_kind(tx, incident, TaskKind.REVIEW_REPORT)
    hold_for_joint(tx, incident)
    return True


def hold_for_joint(tx: Tx, incident: IncidentRow) -> None:
    """The council wants police or a second officer arranged before anybody is asked (design.md 5)."""
    incident.is_held = True
    move(incident, Move.HOLD_FOR_REVIEW)
    tx.record(incident.id, HeldForReview("joint_attendance", None))
    due = tx.now + HELD_WITHIN
    open_task(tx, incident, TaskKind.RELEASE_HELD, ContactRole.DUTY_OFFICER, due)


def tell_if_joint(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """Two are to go: the duty officer arranges it, unless it is, or she is being told already."""
    if not incident.joint or incident.companion is not None:
        return
    if not any(notice.kind == NoticeKind.JOINT for notice in notices.unseen(tx, incident.id)):
        notices.give(tx, desk, service, incident, NoticeKind.JOINT, ContactRole.DUTY_OFFICER)


def go_out(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """The review is over: the first offer goes now, the rest of the ladder keeps its distances."""
    if hold_if_joint(tx, service, incident):
        tell_if_joint(tx, desk, service, incident)
        return
    incident.cycle += 1
    clock.disarm(tx, incident, [sla.Kind.RUNG, sla.Kind.ACCEPT_WITHIN], "reviewed")
    offers.search(tx, desk, service, incident)
    finish_kind(tx, incident, TaskKind.REVIEW_REPORT, TaskKind.CHECK_BACK)


def look_at_once(tx: Tx, incident: IncidentRow) -> None:
    """Worse than it was, and nobody goes: it was answered, so no clock and no search begins by itself.

    Whether somebody goes again is decided by a person, and now, not at the welfare check of tomorrow.
    """
    if incident.is_open and incident.owner is None and incident.stopped_at is not None:
        finish_kind(tx, incident, TaskKind.CHECK_BACK)
        open_task(tx, incident, TaskKind.CHECK_BACK, ContactRole.DUTY_OFFICER, tx.now)


def owe_breach_reason(tx: Tx, service: Service, incident: IncidentRow) -> None:
    """A promise was missed: somebody says why."""
    by = service.next_working_day(tx.now)
    open_task(tx, incident, TaskKind.BREACH_REASON, ContactRole.TEAM_LEADER, by)


def breach_taken_back(tx: Tx, incident: IncidentRow) -> None:
    """The response had been in time: nobody owes a reason for this clock, or hears of it again."""
    for task in open_tasks(tx, incident.id):
        # One that was open before is about an earlier clock.
        if task.kind == TaskKind.BREACH_REASON and incident.due_at and task.opened_at > incident.due_at:
            finish(tx, task, TaskState.DROPPED)
    notices.overtaken(tx, incident, (NoticeKind.BREACH,))


def owe_remote_response(tx: Tx, incident: IncidentRow) -> None:
    """Someone is in her computer or on her phone: that is ended by telephone, long before anybody is there.

    Once an episode, whatever else makes the case urgent; who stays silent for it is reminded (scenario 3).
    Who is listened to must not be rung (scenario 20).
    """
    facts, episode = facts_of(incident), str(incident.episode)
    if not (facts.remote_access_on or facts.on_phone_with_suspect) or is_overheard(facts):
        return
    if not sla.is_counting(incident):
        return
    if incident.stopped_at is None and not was_opened(tx, incident, TaskKind.REMOTE_RESPONSE, episode):
        due = max(tx.now, incident.started_at or tx.now) + REMOTE_WITHIN
        open_task(tx, incident, TaskKind.REMOTE_RESPONSE, ContactRole.DUTY_OFFICER, due, episode)
