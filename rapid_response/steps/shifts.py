"""The end of the owner's shift: a job that is not over is handed over by a person, never orphaned.

When it ends is asked again once it has come, and whenever a service with another rota is loaded: that may end
a shift sooner than was known when the job was taken, or end one that had no end.
"""

from __future__ import annotations

from datetime import timedelta

from rapid_response.core.notices import NoticeKind
from rapid_response.core.states import Purpose
from rapid_response.core.vocabulary import ContactRole
from rapid_response.messaging import wording
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import clock, notices
from rapid_response.steps.desk import Desk
from rapid_response.steps.outbox import queue
from rapid_response.steps.service import Service, definition_before
from rapid_response.steps.tasks import TaskKind, open_task
from rapid_response.storage import work
from rapid_response.storage.tables import IncidentRow
from rapid_response.storage.tx import Tx
from rapid_response.storage.work import Due

_HAND_OVER_WITHIN = timedelta(minutes=15)
#: The subject of an entry that is there because a service was loaded: that version of it.
_LOADED = "loaded"


def look_again(tx: Tx, incident: IncidentRow, version: int) -> None:
    """That version of the service is in force from now on: does the owner's shift end at another time?"""
    clock.arm(tx, incident, [Deadline(Kind.SHIFT_END, tx.now, f"{_LOADED}:{version}")])


def leave(tx: Tx, incident: IncidentRow) -> None:
    """The owner is not listed any more."""
    clock.arm(tx, incident, [Deadline(Kind.SHIFT_END, tx.now, f"left:{tx.ids.uuid()}")])


def ring(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, due: Due) -> None:
    """The owner's shift may be over: where it is, the duty officer hands the job over."""
    owner = incident.owner
    if owner is None:  # for the type alone: it were moot
        return
    is_on = owner in service.on_duty(tx.now)
    if not is_on and not _was_on(tx, service, incident, owner, due):
        return
    clock.disarm(tx, incident, [Kind.SHIFT_END], "asked_again")
    if not is_on:
        _hand_over(tx, desk, service, incident, owner, due)
        return
    ends = service.shift_end(owner, tx.now)
    if ends is not None:
        clock.arm(tx, incident, [Deadline(Kind.SHIFT_END, ends, tx.ids.uuid())])


def _was_on(tx: Tx, service: Service, incident: IncidentRow, owner: str, due: Due) -> bool:
    """Whether she was on duty until now: who took it off duty does not hear that her shift is over."""
    loaded, _, version = due.subject.partition(":")
    if loaded != _LOADED or work.pending(tx, incident.id, [Kind.SHIFT_END.value]):
        return True
    before = definition_before(tx, int(version), service.definition.zone)
    return before is not None and owner in Service(before, service.away, service.extra).on_duty(tx.now)


def _hand_over(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, owner: str, due: Due) -> None:
    open_task(tx, incident, TaskKind.HAND_OVER, ContactRole.DUTY_OFFICER, tx.now + _HAND_OVER_WITHIN)
    ends = {"ends": due.due_at.isoformat()}
    notices.give(tx, desk, service, incident, NoticeKind.HAND_OVER, ContactRole.DUTY_OFFICER, detail=ends)
    responder = service.definition.responder(owner)
    if responder is not None and responder.sms:
        queue(
            tx,
            key=f"shift_end:{due.id}",
            purpose=Purpose.REMINDER,
            to_number=responder.sms,
            recipient=f"responder:{owner}",
            body=wording.shift_ending_to_owner(incident.job_number or 0, due.due_at, desk.zone, tx.now),
            incident=incident,
        )
