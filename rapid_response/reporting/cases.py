"""Reading what the board report counts: the log of the incidents that concern a period.

Figures come from the append-only log, so the same month as at the same moment gives the same figures
(domain.md, decision 8). An incident belongs to a period by when a report of it was received.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, union
from sqlmodel import col

from rapid_response.core.events import SERVICE_STREAM, NotificationKept, NotificationSettled, ReportReceived
from rapid_response.reporting.period import Period
from rapid_response.reporting.rules import CaseRecord, StoredEvent, figures, fold_each
from rapid_response.storage.tables import EventRow, IncidentRow, ReportRow


def board_figures(connection: Connection, period: Period, as_at: datetime) -> dict[str, Any]:
    """The board report's figures of a period, as they were known at a moment."""
    references = _references(connection, period)
    folded = fold_each(_events(connection, period), as_at)
    told = fold_each(_notifications(connection, period, as_at), as_at)
    cases: list[tuple[str, CaseRecord]] = [
        (references[incident_id], record) for incident_id, record in folded if incident_id in references
    ]
    cases += [(notification_id, record) for notification_id, record in told]
    return figures(cases, period, as_at)


def _notifications(connection: Connection, period: Period, as_at: datetime) -> Iterator[StoredEvent]:
    """What partners only told us: a contact each, until a person raised it to an incident."""
    rows = connection.execute(
        select(col(EventRow.type), col(EventRow.at), col(EventRow.data))
        .where(
            col(EventRow.stream) == SERVICE_STREAM,
            col(EventRow.type).in_((NotificationKept.type, NotificationSettled.type)),
        )
        .order_by(col(EventRow.seq))
    )
    told: dict[str, StoredEvent] = {}
    for row in rows:
        data = json.loads(row.data)
        notification_id = data["notification_id"]
        if row.type == NotificationSettled.type:
            if data["outcome"] == "raised" and row.at <= as_at:
                told.pop(notification_id, None)
        elif datetime.fromisoformat(data["received_at"]) in period:
            contact = {**data, "report_id": notification_id, "information_only": True}
            told[notification_id] = StoredEvent(notification_id, 1, ReportReceived.type, row.at, contact)
    yield from told.values()


def _concerned(period: Period) -> Any:
    """The incidents to which a report of the period belongs, and those that it raised at first."""
    in_period = (col(ReportRow.received_at) >= period.from_utc, col(ReportRow.received_at) < period.to_utc)
    return union(
        select(col(ReportRow.incident_id)).where(*in_period),
        select(col(ReportRow.first_incident_id)).where(*in_period),
    )


def _references(connection: Connection, period: Period) -> dict[str, str]:
    rows = connection.execute(
        select(col(IncidentRow.id), col(IncidentRow.reference)).where(
            col(IncidentRow.id).in_(_concerned(period))
        )
    )
    return {row.id: row.reference for row in rows}


def _events(connection: Connection, period: Period) -> Iterator[StoredEvent]:
    rows = connection.execute(
        select(
            col(EventRow.stream), col(EventRow.seq), col(EventRow.type), col(EventRow.at), col(EventRow.data)
        )
        .where(col(EventRow.stream).in_(_concerned(period)))
        .order_by(col(EventRow.stream), col(EventRow.seq))
    )
    for row in rows:
        yield StoredEvent(row.stream, row.seq, row.type, row.at, json.loads(row.data))
