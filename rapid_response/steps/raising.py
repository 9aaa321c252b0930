"""What a case that is more urgent than it was is owed: a clock, an offer, a reason where it is late."""

from __future__ import annotations

from datetime import datetime, timedelta

from rapid_response.core.notices import NoticeKind
from rapid_response.core.safe_contact import is_overheard
from rapid_response.core.states import TaskState
from rapid_response.core.vocabulary import ContactRole
from rapid_response.sla import rules as sla
from rapid_response.steps import borders, clock, notices, offers, outbox
from rapid_response.steps.case import facts_of
from rapid_response.steps.desk import Desk
from rapid_response.steps.service import Service
from rapid_response.steps.tasks import TaskKind, finish, finish_kind, open_task, open_tasks, was_opened
from rapid_response.storage import work
from rapid_response.storage.tables import IncidentRow
from rapid_response.storage.tx import Tx

#: R09: while the suspect is in the computer or on the phone, somebody rings at once (domain.md 3.2).
REMOTE_WITHIN = timedelta(minutes=15)


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
        offers.search(tx, desk, service, incident)


def go_out(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """The review is over: the first offer goes now, the rest of the ladder keeps its distances."""
    incident.cycle += 1
    clock.disarm(tx, incident, [sla.Kind.RUNG, sla.Kind.ACCEPT_WITHIN], "reviewed")
    offers.search(tx, desk, service, incident)
    finish_kind(tx, incident, TaskKind.REVIEW_REPORT, TaskKind.CHECK_BACK)


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
