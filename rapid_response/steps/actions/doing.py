"""One action under way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rapid_response.core import events as happened
from rapid_response.core.incident import Action, Move, Status
from rapid_response.core.vocabulary import ContactRole, Priority
from rapid_response.steps import clock, notices, raising
from rapid_response.steps.case import move
from rapid_response.steps.desk import Desk, Who
from rapid_response.steps.service import Service
from rapid_response.steps.tasks import TaskKind, open_task
from rapid_response.storage.tables import IncidentRow
from rapid_response.storage.tx import Tx


class Doing:
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

    def schedule(self, why: str) -> None:
        """No clock runs: a person looks at it again on the next working day."""
        if self.incident.status is not Status.SCHEDULED:
            move(self.incident, Move.SCHEDULE)
        kind = TaskKind.FOLLOW_UP if self.incident.priority is Priority.P3 else TaskKind.CHECK_BACK
        task = self.next_working_day_task(kind)
        self.record(happened.Scheduled(why, task))

    def end_promise(self, why: str) -> None:
        """The clock does not apply any more; a breach that it had is still to be explained."""
        if clock.not_applicable(self.tx, self.incident, why):
            raising.owe_breach_reason(self.tx, self.service, self.incident)
        notices.overtaken(self.tx, self.incident, notices.PROGRESS)


#: What does each action.
Handlers = Mapping[Action, Callable[[Doing, Any], None]]
