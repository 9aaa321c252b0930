"""The hate-crime lead is told, in neutral words, that a case waits for her, and again when it is overdue.

Told once each time, not every five minutes: a decision is due within a working day, and nobody is in danger
meanwhile. The duty officer's reminder goes on beside it.
"""

from __future__ import annotations

from datetime import datetime

from rapid_response.core.notices import LEADS, NoticeKind
from rapid_response.core.vocabulary import ContactRole
from rapid_response.steps import notices
from rapid_response.steps.desk import Desk
from rapid_response.steps.service import Service
from rapid_response.steps.tasks import TaskKind, find_open
from rapid_response.storage.tables import IncidentRow
from rapid_response.storage.tx import Tx

#: What the lead has to see to, whoever else may do it.
LEADS_TASKS = (TaskKind.REVIEW_AGE_TARGETING, TaskKind.OFFER_POLICE_HATE_REFERRAL)


def tell(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, due_at: datetime) -> None:
    """A case waits for her, by then."""
    _give(tx, desk, service, incident, NoticeKind.LEAD_REVIEW, by=due_at.isoformat())


def tell_overdue(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """Its time is over."""
    _give(tx, desk, service, incident, NoticeKind.LEAD_OVERDUE)


def tell_of_what_waits(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """As :func:`tell`, for what was opened while nobody could be told."""
    for kind in LEADS_TASKS:
        task = find_open(tx, incident, kind)
        if task is not None:
            tell(tx, desk, service, incident, task.due_at)
            return


def seen_to(tx: Tx, incident: IncidentRow) -> None:
    """Nothing of it waits for her any more, so no notice of it stands."""
    if not any(find_open(tx, incident, kind) for kind in LEADS_TASKS):
        notices.overtaken(tx, incident, LEADS)


def _give(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, kind: NoticeKind, **detail: str
) -> None:
    notices.give(tx, desk, service, incident, kind, ContactRole.HATE_CRIME_LEAD, detail=detail)
