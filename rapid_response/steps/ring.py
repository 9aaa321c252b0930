"""What happens when something on the agenda falls due: one step, which settles the entry with its effect.

Each kind has one function. It finds the incident locked and the entry settled, looks at what is true now,
and does nothing where the case has moved on (most of that is `sla.is_moot`): an entry that fires late, or
twice, changes nothing wrongly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import func, select
from sqlmodel import col

from rapid_response.core import events as happened
from rapid_response.core.definition import Means, RungAction
from rapid_response.core.incident import Status
from rapid_response.core.notices import NoticeKind
from rapid_response.core.states import MessageChannel, Purpose, TaskState
from rapid_response.core.vocabulary import ContactRole, Priority
from rapid_response.dispatch.rules import who_hears
from rapid_response.messaging import wording
from rapid_response.sla import rules as sla
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import (
    actions,
    alarms,
    availability,
    borders,
    clock,
    companions,
    cover,
    failing,
    hotline,
    inbound,
    leading,
    markers,
    notices,
    offers,
    proving,
    raising,
    reaching,
    readiness,
    shifts,
    texts,
    visits,
)
from rapid_response.steps.case import paused_for
from rapid_response.steps.desk import Desk
from rapid_response.steps.outbox import queue
from rapid_response.steps.service import Service, service_now, stored_definition
from rapid_response.steps.tasks import TaskKind
from rapid_response.storage import work
from rapid_response.storage.tables import IncidentRow, NoticeRow, OfferRow, TaskRow
from rapid_response.storage.tx import Tx
from rapid_response.storage.work import Due

#: When the duty officer's line about scheduled cases goes out, local time.
_DAILY_LINE_AT = time(9)


@dataclass(slots=True)
class _Ringing:
    """One entry going off."""

    tx: Tx
    desk: Desk
    service: Service
    incident: IncidentRow
    due: Due

    @property
    def at(self) -> datetime:
        """Now, but never before its own time: a clock may have been put back a little since it was claimed,
        and what was judged to be too early then would be settled, and never ring."""
        return max(self.tx.now, self.due.due_at)

    @property
    def late(self) -> float:
        return (self.at - self.due.due_at).total_seconds()

    def record(self, event: happened.Event) -> None:
        self.tx.record(self.incident.id, event)

    def tell(
        self, kind: NoticeKind, role: ContactRole, by: tuple[Means, ...] = (Means.SMS,), **detail: object
    ) -> None:
        notices.give(self.tx, self.desk, self.service, self.incident, kind, role, by, detail)


def together(entries: Sequence[Due], most: int) -> list[list[Due]]:
    """What is done in one step each, in their order: no two of one case, and what is of no case by itself.

    What is done for one entry may settle another of its case.
    """
    parts: list[list[Due]] = []
    last: dict[str, int] = {}
    for due in entries:
        first = last.get(due.incident_id, -1) + 1 if due.incident_id else len(parts)
        at = next((n for n in range(first, len(parts)) if _has_room(parts[n], most)), len(parts))
        if at == len(parts):
            parts.append([])
        parts[at].append(due)
        last[due.incident_id] = at
    return parts


def _has_room(part: Sequence[Due], most: int) -> bool:
    return len(part) < most and bool(part[0].incident_id)


def ring_all(tx: Tx, desk: Desk, entries: Sequence[Due]) -> int:
    """Do what has fallen due of several cases, all or none: far quicker than one by one.

    Gives how much of it was moot.
    """
    # The incidents first, then the entries: the other order deadlocks when a reply meets a timer.
    tx.lock_all(IncidentRow, (due.incident_id for due in entries))
    return _go_off(tx, desk, work.settle_all(tx, entries, "done"))


def _go_off(tx: Tx, desk: Desk, settled: Sequence[Due]) -> int:
    """Do what each entry stands for, unless it is moot: their incidents are locked, and they are ours."""
    service = service_now(tx, desk.zone)
    rung = [
        _Ringing(tx, desk, service, tx.need(IncidentRow, due.incident_id, lock=True), due) for due in settled
    ]
    moot = 0
    for ringing in rung:
        if sla.is_moot(ringing.due.kind, ringing.incident, ringing.at):
            moot += 1
        else:
            _DO[ringing.due.kind](ringing)
    actions.keep_in_view(tx, service, *(ringing.incident for ringing in rung))
    return moot


def ring(tx: Tx, desk: Desk, due: Due) -> bool:
    """Do what has fallen due; False when it was settled meanwhile."""
    if due.kind in _SERVICE_WIDE:
        if not work.settle(tx, due, "done"):
            return False
        _SERVICE_WIDE[due.kind](tx, desk, due)
        return True
    # As above: the incident first.
    tx.need(IncidentRow, due.incident_id, lock=True)
    if not work.settle(tx, due, "done"):
        return False
    _go_off(tx, desk, [due])
    return True


# --- the ladder and its offers ---------------------------------------------------------------------------


def _rung(ringing: _Ringing) -> None:
    incident, ladder = ringing.incident, ringing.service.definition.escalation
    index = int(ringing.due.subject)
    if index >= len(ladder):
        return
    rung = ladder[index]
    if rung.action is RungAction.OFFER:
        if not sla.may_be_offered(incident):
            return
        ringing.record(happened.RungReached(index, rung.action, rung.to, ringing.late))
        offers.offer_next(ringing.tx, ringing.desk, ringing.service, incident, index)
        return
    if not sla.is_counting(incident):
        return
    ringing.record(happened.RungReached(index, rung.action, rung.to, ringing.late))
    ringing.tell(NoticeKind.RUNG, ContactRole(rung.to), rung.by)


def _accept_within(ringing: _Ringing) -> None:
    """Not accepted in time: the duty officer is told whatever else happens."""
    ringing.tell(NoticeKind.NOT_ACCEPTED, ContactRole.DUTY_OFFICER)


def _answer(ringing: _Ringing) -> None:
    offer = ringing.tx.get(OfferRow, ringing.due.subject)
    if offer is not None:
        offers.lapse(ringing.tx, ringing.desk, ringing.service, ringing.incident, offer)


def _retry(ringing: _Ringing) -> None:
    """Unassigned still: try again, and if it stays so, in five minutes once more."""
    offers.try_again(ringing.tx, ringing.desk, ringing.service, ringing.incident)


def _fail_over(ringing: _Ringing) -> None:
    failing.fail_over(ringing.tx, ringing.desk, ringing.service, ringing.incident, ringing.due.subject)


def _reach(ringing: _Ringing) -> None:
    """No answer so far, or nothing delivered: the next way to the same person."""
    reaching.climb(
        ringing.tx, ringing.desk, ringing.service, ringing.incident, ringing.due.subject, "no_answer"
    )


def _went_out(ringing: _Ringing) -> None:
    failing.went_out(ringing.tx, ringing.desk, ringing.service, ringing.incident, ringing.due.subject)


# --- the promise -----------------------------------------------------------------------------------------


def _warn(ringing: _Ringing) -> None:
    index, incident = int(ringing.due.subject), ringing.incident
    if incident.started_at is None or incident.due_at is None:  # for the type alone: it were moot
        return
    # Not by the definition of now, whose warnings come at other times.
    paused = paused_for(incident)
    share = sla.share_gone(incident.started_at, incident.due_at, paused, ringing.due.due_at)
    warned = sla.who_is_warned(index, owner_hears=_warn_owner(ringing, index, share))
    told = [*(role.value for role in warned.roles), *(["owner"] if warned.owner else [])]
    ringing.record(happened.DeadlineWarned(share, tuple(told), ringing.late))
    for role in warned.roles:
        by = (Means.SMS, Means.VOICE) if role in warned.by_voice else (Means.SMS,)
        ringing.tell(NoticeKind.WARNING, role, by, share=share)


def _warn_owner(ringing: _Ringing, index: int, share: float) -> bool:
    """Text whoever has the job, or ring her where no text reaches her; False where nothing does."""
    incident, tx = ringing.incident, ringing.tx
    owner = ringing.service.definition.responder(incident.owner) if incident.owner else None
    address = reaching.best_way(tx, owner) if owner else None
    if owner is None or address is None:
        return False
    queue(
        tx,
        key=f"warn:{incident.id}:{incident.cycle}:{index}",
        purpose=Purpose.REMINDER,
        channel=address.channel,
        way=address.way,
        to_number=address.number,
        recipient=f"responder:{owner.id}",
        body=texts.warning_to_owner(
            ringing.desk, incident, share, tx.now, by_voice=address.channel is MessageChannel.VOICE
        ),
        incident=incident,
    )
    return True


def _breach(ringing: _Ringing) -> None:
    """The two hours are over: a fact that nothing later erases, told at once, and a reason is owed."""
    incident, tx = ringing.incident, ringing.tx
    clock.miss(tx, incident, ringing.at)
    for role in (ContactRole.DUTY_OFFICER, ContactRole.TEAM_LEADER):
        ringing.tell(NoticeKind.BREACH, role, (Means.SMS, Means.VOICE))
    raising.owe_breach_reason(tx, ringing.service, incident)


def _resume(ringing: _Ringing) -> None:
    actions.resume(ringing.tx, ringing.desk, ringing.service, ringing.incident)


# --- people ----------------------------------------------------------------------------------------------


def _notice(ringing: _Ringing) -> None:
    notice = ringing.tx.get(NoticeRow, ringing.due.subject.split(":")[0])
    if notice is not None and notice.acknowledged_at is None:
        notices.repeat(ringing.tx, ringing.desk, ringing.service, ringing.incident, notice)


def _shift_end(ringing: _Ringing) -> None:
    shifts.ring(ringing.tx, ringing.desk, ringing.service, ringing.incident, ringing.due)


def _task(ringing: _Ringing) -> None:
    """A task is due: its owner is reminded, then the duty officer. A review of a report ends by itself."""
    task = ringing.tx.get(TaskRow, ringing.due.subject)
    if task is None or task.state is not TaskState.OPEN or task.kind == TaskKind.REVIEW_REPORT:
        return
    told = _reminded(ringing, task)
    for role in told:
        ringing.tell(NoticeKind.TASK_OVERDUE, role, task=task.kind)
    if task.kind in leading.LEADS_TASKS:
        leading.tell_overdue(ringing.tx, ringing.desk, ringing.service, ringing.incident)
    # Until it is done: nothing that is owed is ever forgotten (reliability.md, rule 3).
    now = ringing.tx.now
    climbs = ContactRole.DUTY_OFFICER not in told
    again_at = now + sla.TASK_CLIMBS_AFTER if climbs else ringing.service.next_working_day(now)
    again = Deadline(Kind.TASK, again_at, task.id)
    work.arm(ringing.tx, ringing.incident.id, ringing.due.cycle + 1, ringing.incident.priority.rank, [again])


def _reminded(ringing: _Ringing, task: TaskRow) -> tuple[ContactRole, ...]:
    """Who hears of an overdue task: at first whoever owes it, where there is such a person."""
    owner = ContactRole(task.owner) if task.owner in set(ContactRole) else ContactRole.DUTY_OFFICER
    if owner is ContactRole.DUTY_OFFICER or not notices.hearers(ringing.tx, ringing.service, owner):
        return (ContactRole.DUTY_OFFICER,)
    return (owner,) if ringing.due.cycle == 1 else (owner, ContactRole.DUTY_OFFICER)


# --- the responder's own safety --------------------------------------------------------------------------


def _silence(ringing: _Ringing) -> visits.Silence:
    question, _, step = ringing.due.subject.partition(":")
    return visits.Silence(question, int(step), ringing.late)


def _check_in(ringing: _Ringing) -> None:
    visits.ring_check_in(ringing.tx, ringing.desk, ringing.service, ringing.incident, _silence(ringing))


def _travel(ringing: _Ringing) -> None:
    visits.ring_travel(ringing.tx, ringing.desk, ringing.service, ringing.incident, _silence(ringing))


def _sign_of_life(ringing: _Ringing) -> None:
    visits.ring_sign_of_life(ringing.tx, ringing.service, ringing.incident, ringing.due.subject)


def _alarm(ringing: _Ringing) -> None:
    alarms.ring_alarm(ringing.tx, ringing.service, ringing.due.subject, ringing.incident)


def _border(ringing: _Ringing) -> None:
    borders.ring(
        ringing.tx, ringing.desk, ringing.service, ringing.incident, ringing.due.subject, ringing.late
    )


# --- of the service, not of an incident ------------------------------------------------------------------


def _alarm_of_no_job(tx: Tx, desk: Desk, due: Due) -> None:
    alarms.ring_alarm(tx, service_now(tx, desk.zone), due.subject, None)


def _inbound(tx: Tx, desk: Desk, due: Due) -> None:
    inbound.act_on_text(tx, desk, due.subject)


def _daily_line(tx: Tx, desk: Desk, due: Due) -> None:
    """Once a day: how many scheduled cases wait for their follow-up."""
    service = service_now(tx, desk.zone)
    waiting = tx.execute(
        select(func.count())
        .select_from(IncidentRow)
        .where(
            col(IncidentRow.is_open),
            col(IncidentRow.status) == Status.SCHEDULED,
            col(IncidentRow.priority) == Priority.P3,
        )
    ).scalar_one()
    role = ContactRole.DUTY_OFFICER
    if waiting:
        for hears in who_hears(role, service.holders(role, tx.now), service.definition.contacts):
            if hears.sms:
                queue(
                    tx,
                    key=f"daily_line:{due.subject}:{hears.id}",
                    purpose=Purpose.REMINDER,
                    to_number=hears.sms,
                    recipient=hears.id,
                    body=wording.daily_line(waiting),
                )
    readiness.morning(tx, desk, service, due.subject)
    proving.ask_again(tx, service)
    cover.tell_of_gaps(tx, desk, service)
    arm_daily_line(tx, desk)


def _absence(tx: Tx, desk: Desk, due: Due) -> None:
    if due.subject.startswith(companions.LEFT):
        companions.ring_left(tx, desk, service_now(tx, desk.zone))
    else:
        availability.begin(tx, desk, due.subject)


def _shift_test(tx: Tx, desk: Desk, due: Due) -> None:
    readiness.shift_test(tx, desk, due.due_at)


def arm_daily_line(tx: Tx, desk: Desk) -> None:
    """See that the next daily line is on the agenda; one a local date."""
    local = tx.now.astimezone(desk.zone)
    day = local.date() if local.time() < _DAILY_LINE_AT else local.date() + timedelta(days=1)
    at = datetime.combine(day, _DAILY_LINE_AT, desk.zone)
    if not work.pending(tx, "", [Kind.DAILY_LINE.value]):
        line = Deadline(Kind.DAILY_LINE, at, day.isoformat())
        # A clock that was ahead may have come to this day before.
        work.arm(tx, "", work.next_cycle(tx, "", line), 4, [line])


def arm_standing(tx: Tx, desk: Desk) -> None:
    """What the service does by itself day by day, whatever comes in."""
    arm_daily_line(tx, desk)
    if stored_definition(tx, desk.zone) is not None:
        readiness.arm_shift_test(tx, desk)


def arm_standing_anew(tx: Tx, desk: Desk) -> None:
    """As :func:`arm_standing`, whatever was armed: it may be for a day that is years away again."""
    work.take_off(tx, "", [Kind.DAILY_LINE, Kind.SHIFT_TEST])
    arm_standing(tx, desk)


_DO: Mapping[str, Callable[[_Ringing], None]] = {
    Kind.RUNG: _rung,
    Kind.ACCEPT_WITHIN: _accept_within,
    Kind.ANSWER: _answer,
    Kind.RETRY: _retry,
    Kind.WARN: _warn,
    Kind.BREACH: _breach,
    Kind.RESUME: _resume,
    Kind.NOTICE: _notice,
    Kind.SHIFT_END: _shift_end,
    Kind.TASK: _task,
    Kind.FAIL_OVER: _fail_over,
    Kind.REACH: _reach,
    Kind.WENT_OUT: _went_out,
    Kind.CHECK_IN: _check_in,
    Kind.TRAVEL: _travel,
    Kind.SIGN_OF_LIFE: _sign_of_life,
    Kind.ALARM: _alarm,
    Kind.BORDER: _border,
}

_SERVICE_WIDE: Mapping[str, Callable[[Tx, Desk, Due], None]] = {
    Kind.INBOUND: _inbound,
    Kind.DAILY_LINE: _daily_line,
    Kind.SHIFT_TEST: _shift_test,
    Kind.RANG_OFF: hotline.rang_off,
    Kind.ABSENCE: _absence,
    Kind.ALARM_OF_NO_JOB: _alarm_of_no_job,
    Kind.MARKER_APPLY: markers.ring_apply,
    Kind.MARKER_REVIEW: markers.ring_review,
    Kind.MARKER_END: markers.ring_end,
}
