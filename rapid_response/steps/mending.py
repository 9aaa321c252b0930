"""Putting right what the auditor found: one finding, one step, which looks again before it does anything.

What is armed again rings at its own time, or now where that has passed; and a person is told, since what was
lost once may have lost more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import col

from rapid_response.audit.findings import Check, Missing
from rapid_response.audit.looking import Moment, alarms_unrepeated, missing
from rapid_response.core.events import SERVICE_STREAM, NextStepRestored, ParkedWorkTaken
from rapid_response.core.incident import Status
from rapid_response.core.notices import NoticeKind
from rapid_response.core.vocabulary import ContactRole, Role
from rapid_response.messaging import wording
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import notices, offers, raising, referring, reviewing, visits
from rapid_response.steps.actions import keep_in_view
from rapid_response.steps.desk import Desk
from rapid_response.steps.service import Service, service_now
from rapid_response.steps.tasks import TaskKind, open_task
from rapid_response.steps.telling import tell_duty_officer
from rapid_response.storage import work
from rapid_response.storage.tables import (
    AgendaRow,
    AlarmRow,
    DeliveryRow,
    IncidentRow,
    NoticeRow,
    ReferralRow,
)
from rapid_response.storage.tx import Tx

#: By when the duty officer looks at a case of which nobody knows what comes next.
_LOOK_WITHIN = timedelta(minutes=5)


def mend(tx: Tx, desk: Desk, found: Missing, speed: float = 1.0) -> bool:
    """Put one finding right; False when it has been, meanwhile."""
    if found.check is Check.PARKED_WITHOUT_OWNER:
        return _give_owner(tx, desk, found)
    if found.check is Check.ALARM_WITHOUT_REPEAT:
        return _give_again(tx, found)
    incident = tx.need(IncidentRow, found.incident_id, lock=True)
    moment = Moment(tx.now, tx.real, speed)
    still = missing(tx.connection, moment, incident.id)
    if not any(m.check is found.check and m.subject == found.subject for m in still):
        return False
    service = service_now(tx, desk.zone)
    _MEND[found.check](tx, desk, service, incident, found)
    tx.record(incident.id, NextStepRestored(found.check))
    _tell(tx, desk, service, incident, NoticeKind.MENDED)
    return True


def _tell(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, kind: NoticeKind) -> None:
    """Once until somebody has seen it, however much was lost."""
    if not any(notice.kind == kind for notice in notices.unseen(tx, incident.id)):
        notices.give(tx, desk, service, incident, kind, ContactRole.DUTY_OFFICER)


# --- one for each finding ---------------------------------------------------------------------------------

_Mend = Callable[[Tx, Desk, Service, IncidentRow, Missing], None]


def _arm(tx: Tx, incident: IncidentRow, kind: Kind, due_at: datetime | None, subject: str = "") -> None:
    """On the agenda, in a cycle of its own: the entry that was lost may still hold its place."""
    entry = Deadline(kind, due_at or tx.now, subject)
    cycle = max(work.next_cycle(tx, incident.id, entry), incident.cycle)
    work.arm(tx, incident.id, cycle, incident.priority.rank, [entry])


def _arms(kind: Kind) -> _Mend:
    def mend_(tx: Tx, _desk: Desk, _service: Service, incident: IncidentRow, found: Missing) -> None:
        _arm(tx, incident, kind, found.due_at, found.subject)

    return mend_


def _end_pause(tx: Tx, _desk: Desk, _service: Service, incident: IncidentRow, _: Missing) -> None:
    """Until when it was to stand is lost: it goes on now, early rather than late."""
    _arm(tx, incident, Kind.RESUME, tx.now, tx.ids.uuid())


def _search(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, _: Missing) -> None:
    if incident.status is Status.AWAITING_REVIEW:
        raising.go_out(tx, desk, service, incident)
        return
    incident.cycle += 1
    offers.search(tx, desk, service, incident)


def _retry(tx: Tx, _desk: Desk, _service: Service, incident: IncidentRow, _: Missing) -> None:
    _arm(tx, incident, Kind.RETRY, tx.now, tx.ids.uuid())


def _repeat(tx: Tx, _desk: Desk, _service: Service, incident: IncidentRow, found: Missing) -> None:
    notice = tx.need(NoticeRow, found.subject)
    _arm(tx, incident, Kind.NOTICE, tx.now, f"{notice.id}:{notice.repeats}")


def _watch(tx: Tx, _desk: Desk, service: Service, incident: IncidentRow, _: Missing) -> None:
    visits.watch_again(tx, service, incident)


def _owe_review(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, _: Missing) -> None:
    reviewing.owe_decision(tx, desk, service, incident)


def _chase(tx: Tx, _desk: Desk, service: Service, incident: IncidentRow, found: Missing) -> None:
    referring.chase_later(tx, service, incident, tx.need(ReferralRow, found.subject))


def _look_again(tx: Tx, _desk: Desk, service: Service, incident: IncidentRow, _: Missing) -> None:
    """A person looks within minutes where the promise runs, else as with any case that rests."""
    if incident.stopped_at is None and incident.priority.has_clock:
        open_task(tx, incident, TaskKind.CHECK_BACK, ContactRole.DUTY_OFFICER, tx.now + _LOOK_WITHIN)
    else:
        keep_in_view(tx, service, incident)


_MEND: Mapping[Check, _Mend] = {
    Check.CLOCK_WITHOUT_DEADLINE: _arms(Kind.BREACH),
    Check.PAUSE_WITHOUT_END: _end_pause,
    Check.SEARCH_STOPPED: _search,
    Check.OFFER_WITHOUT_END: _arms(Kind.ANSWER),
    Check.UNASSIGNED_WITHOUT_RETRY: _retry,
    Check.TASK_WITHOUT_REMINDER: _arms(Kind.TASK),
    Check.NOTICE_WITHOUT_REPEAT: _repeat,
    Check.RECEIVED_IN_FUTURE: _look_again,
    Check.VISIT_UNWATCHED: _watch,
    Check.REVIEW_WITHOUT_TASK: _owe_review,
    Check.REFERRAL_WITHOUT_CHASE: _chase,
    Check.NO_NEXT_STEP: _look_again,
}


# --- alarms -----------------------------------------------------------------------------------------------


def _give_again(tx: Tx, found: Missing) -> bool:
    """Now, to everybody who is to hear: that is louder than any word of ours about what was lost."""
    if found.incident_id:
        tx.need(IncidentRow, found.incident_id, lock=True)
    alarm = tx.get(AlarmRow, found.subject, lock=True)
    if alarm is None or not any(m.subject == alarm.id for m in alarms_unrepeated(tx.connection)):
        return False
    entry = Deadline(
        Kind.ALARM if alarm.incident_id else Kind.ALARM_OF_NO_JOB, tx.now, f"{alarm.id}:{alarm.repeats}"
    )
    work.arm(tx, found.incident_id, work.next_cycle(tx, found.incident_id, entry), 0, [entry])
    tx.record(found.incident_id or SERVICE_STREAM, NextStepRestored(found.check, alarm.id))
    return True


# --- parked work ------------------------------------------------------------------------------------------


def _give_owner(tx: Tx, desk: Desk, found: Missing) -> bool:
    """Parked work is somebody's: a figure's is IT's, all else is the duty officer's, who is told."""
    letter, _, number = found.subject.partition("-")
    table = AgendaRow if letter == "a" else DeliveryRow
    incident = tx.get(IncidentRow, found.incident_id, lock=True) if letter == "a" else None
    owner = ContactRole.DUTY_OFFICER.value if letter == "a" else Role.ADMIN.value
    kind = take_on(tx, table, int(number), owner, only_if_free=True)
    if kind is None:
        return False
    if incident is not None:
        _tell(tx, desk, service_now(tx, desk.zone), incident, NoticeKind.WORK_PARKED)
    elif letter == "a":
        tell_duty_officer(tx, desk, f"parked:{found.subject}:{found.due_at}", wording.work_parked(None))
    return True


def take_on(
    tx: Tx,
    table: type[AgendaRow] | type[DeliveryRow],
    row_id: int,
    by: str,
    *,
    only_if_free: bool = False,
) -> str | None:
    """Say who sees to parked work; its kind, or None when it is not parked any more, or taken."""
    of_agenda = table is AgendaRow
    kind: Any = (col(AgendaRow.kind) if of_agenda else col(DeliveryRow.subscription)).label("kind")
    stream: Any = (col(AgendaRow.incident_id) if of_agenda else col(DeliveryRow.stream)).label("stream")
    wanted = [col(table.id) == row_id, col(table.parked_at).is_not(None)]
    if only_if_free:
        wanted.append(col(table.seen_to_by).is_(None))
    taken = tx.execute(update(table).where(*wanted).values(seen_to_by=by).returning(kind, stream)).first()
    if taken is None:
        return None
    name: str = taken.kind
    tx.record(taken.stream or SERVICE_STREAM, ParkedWorkTaken(name, by if only_if_free else "person"))
    return name
