"""What partners tell us without asking us to act: intelligence, no incident and no clock (scenario 13).

A notification that tells of danger now, or of a payment that can still be stopped, is taken in as a report
all the same (P0, P1): what a partner calls it never makes it less urgent.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection
from sqlmodel import Session, col
from sqlmodel import select as typed_select

from rapid_response.core.events import SERVICE_STREAM, NotificationKept, NotificationSettled
from rapid_response.core.vocabulary import ClockState, ImportKind, Priority
from rapid_response.intake.reading.port import Reading
from rapid_response.intake.report_in import ReportIn
from rapid_response.intake.rules import Decision
from rapid_response.steps.errors import Invalid, NotFound
from rapid_response.storage.tables import NotificationRow
from rapid_response.storage.tx import Tx

#: Told of as less, and taken in all the same.
_TOO_URGENT = (Priority.P0, Priority.P1)
#: Where an answer to a report has an incident's status.
INFORMATION_ONLY = "information_only"

RAISED, FILED = "raised", "filed"


def is_intelligence(report: ReportIn, decision: Decision) -> bool:
    """Whether it is kept as intelligence."""
    return report.import_kind is ImportKind.NOTIFICATION and decision.priority not in _TOO_URGENT


def keep(
    tx: Tx,
    report: ReportIn,
    reading: Reading,
    decision: Decision,
    *,
    row_id: str,
    source: str,
    ward: str | None,
    said: list[str],
) -> dict[str, Any]:
    """Keep it; the answer has the shape of a report's, without an incident."""
    reference, received_at = tx.ids.reference(), report.received_at or tx.now
    tx.add(
        NotificationRow,
        id=row_id,
        reference=reference,
        channel=report.channel,
        source=source,
        category=reading.category,
        subtype=reading.subtype,
        ward=ward,
        received_at=received_at,
        recorded_at=tx.now,
        report=report.model_dump(mode="json", exclude_unset=True),
    )
    tx.record(SERVICE_STREAM, NotificationKept(row_id, report.channel, received_at, reading.category))
    times = ("started_at", "due_at", "needed_by", "accepted_at", "stopped_at", "stopped_by", "breached_at")
    return {
        "reference": reference,
        "status": INFORMATION_ONLY,
        "import_kind": ImportKind.NOTIFICATION,
        "category": reading.category,
        "urgency": reading.urgency,
        "priority": decision.priority,
        "rule_id": decision.rule_id,
        "clock": {**dict.fromkeys(times), "state": ClockState.NOT_APPLICABLE},
        "advice": said,
        "place": None,
        "say": [],
    }


def stored(tx: Tx, row_id: str) -> str | None:
    """The answer to one that an earlier run kept after all."""
    row = tx.get(NotificationRow, row_id)
    if row is None:
        return None
    said = {"reference": row.reference, "status": INFORMATION_ONLY, "import_kind": ImportKind.NOTIFICATION}
    return json.dumps({**said, "category": row.category}, separators=(",", ":"))


def settle(tx: Tx, row_id: str, outcome: str, incident_id: str | None = None) -> None:
    """A person has looked: filed as it is, or raised to an incident."""
    row = hold(tx, row_id)
    row.settled_at, row.settled_by, row.outcome = tx.now, tx.actor, outcome
    row.incident_id = incident_id
    tx.record(SERVICE_STREAM, NotificationSettled(row_id, outcome))


def hold(tx: Tx, row_id: str) -> NotificationRow:
    """One that nobody has settled yet, locked; raises NotFound or Invalid."""
    row = tx.get(NotificationRow, row_id, lock=True)
    if row is None:
        raise NotFound("There is no notification with this id.")
    if row.settled_at is not None:
        raise Invalid("Somebody has settled it already.")
    return row


def report_of(row: NotificationRow) -> ReportIn:
    """As it reached us, as a report that asks us to act."""
    return ReportIn.model_validate({**row.report, "import_kind": ImportKind.REFERRAL})


def unsettled(connection: Connection, limit: int = 200) -> list[NotificationRow]:
    """What nobody has looked at, oldest first."""
    return _list(
        connection, col(NotificationRow.settled_at).is_(None), col(NotificationRow.received_at), limit
    )


def settled(connection: Connection, limit: int = 50) -> list[NotificationRow]:
    """What was looked at, newest first."""
    newest = col(NotificationRow.settled_at).desc()
    return _list(connection, col(NotificationRow.settled_at).is_not(None), newest, limit)


def _list(connection: Connection, wanted: Any, order: Any, limit: int) -> list[NotificationRow]:
    query = typed_select(NotificationRow).where(wanted).order_by(order, col(NotificationRow.id)).limit(limit)
    return list(Session(connection).exec(query))


def find(connection: Connection, row_id: str) -> NotificationRow | None:
    """One of them."""
    return Session(connection).get(NotificationRow, row_id)
