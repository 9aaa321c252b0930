"""That an open case always has a next step."""

from __future__ import annotations

from datetime import timedelta

from rapid_response.core.vocabulary import ClockState, ContactRole
from rapid_response.steps import retention
from rapid_response.steps.service import Service
from rapid_response.steps.tasks import TaskKind, open_task
from rapid_response.storage import work
from rapid_response.storage.tables import IncidentRow
from rapid_response.storage.tx import Tx

#: After a response the owner finishes the case; later than this the duty officer asks why it is still open.
FINISH_WITHIN = timedelta(hours=2)


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
