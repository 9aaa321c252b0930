"""Reading what the board report counts: the log of the incidents that concern a period.

Figures come from the append-only log, so the same month as at the same moment gives the same figures
(domain.md, decision 8). An incident belongs to a period by when a report of it was received.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, or_, select, union
from sqlmodel import col

from rapid_response.core.events import (
    SERVICE_STREAM,
    CallerRangOff,
    EarlierCallJoined,
    MessageFoundLate,
    NotificationKept,
    NotificationSettled,
    ReportJoined,
    ReportReceived,
)
from rapid_response.core.vocabulary import Channel
from rapid_response.reporting.logged import events_of
from rapid_response.reporting.period import Period
from rapid_response.reporting.record import HEARD, CaseRecord, StoredEvent, fold_each
from rapid_response.reporting.rules import figures
from rapid_response.storage.tables import RANG_OFF, CallRow, EventRow, IncidentRow, ReportRow


def board_figures(connection: Connection, period: Period, as_at: datetime) -> dict[str, Any]:
    """The board report's figures of a period, as they were known at a moment."""
    references = _references(connection, period, as_at)
    folded = fold_each(events_of(connection, references, HEARD), as_at)
    told = fold_each(_notifications(connection, period, as_at), as_at)
    cases: list[tuple[str, CaseRecord]] = [(references[id_], record) for id_, record in folded]
    cases += [(notification_id, record) for notification_id, record in told]
    cases += list(fold_each(_silent_calls(connection, period, as_at), as_at))
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


def _silent_calls(connection: Connection, period: Period, as_at: datetime) -> Iterator[StoredEvent]:
    """Calls that dropped with nothing said: a contact each, and of no case until that number rang again."""
    rang_again = connection.execute(_rang_again(period)).scalars()
    joined = {
        event.data["call_id"]
        for event in events_of(connection, rang_again, (EarlierCallJoined.type,))
        if event.at <= as_at
    }
    rows = connection.execute(
        select(col(EventRow.type), col(EventRow.at), col(EventRow.data))
        .where(
            col(EventRow.stream) == SERVICE_STREAM,
            col(EventRow.type).in_((CallerRangOff.type, MessageFoundLate.type)),
        )
        .order_by(col(EventRow.seq))
    )
    silent: dict[str, tuple[datetime, str]] = {}
    for row in rows:
        data = json.loads(row.data)
        if row.type == CallerRangOff.type:
            silent[data["call_id"]] = row.at, data["received_at"]
        elif row.at <= as_at:
            silent.pop(data["call_id"], None)
    for call_id, (at, received_at) in silent.items():
        if call_id not in joined and datetime.fromisoformat(received_at) in period:
            contact = {"report_id": call_id, "channel": Channel.PHONE.value, "received_at": received_at}
            yield StoredEvent(call_id, 1, ReportReceived.type, at, {**contact, "information_only": True})


def _rang_again(period: Period) -> Any:
    """The incidents whose first contact was a call of the period that had dropped."""
    return select(col(CallRow.incident_id)).where(
        col(CallRow.outcome) == RANG_OFF,
        col(CallRow.incident_id).is_not(None),
        col(CallRow.created_at) >= period.from_utc,
        col(CallRow.created_at) < period.to_utc,
    )


def _concerned(period: Period) -> Any:
    """The incidents to which a report of the period belongs, and those that it raised at first."""
    in_period = (col(ReportRow.received_at) >= period.from_utc, col(ReportRow.received_at) < period.to_utc)
    return union(
        select(col(ReportRow.incident_id)).where(*in_period),
        select(col(ReportRow.first_incident_id)).where(*in_period),
        _rang_again(period),
    )


#: A report is joined after it came, whatever the clocks of two machines say.
_CLOCKS_APART = timedelta(days=1)


def _joined_by_then(connection: Connection, period: Period, as_at: datetime) -> set[str]:
    """The incidents that had a report or a dropped call of the period by then, wherever it is now."""
    rows = connection.execute(
        select(col(EventRow.stream), col(EventRow.data)).where(
            col(EventRow.type).in_((ReportJoined.type, EarlierCallJoined.type)),
            col(EventRow.at) >= period.from_utc - _CLOCKS_APART,
            col(EventRow.at) <= as_at,
        )
    )
    return {
        row.stream for row in rows if datetime.fromisoformat(json.loads(row.data)["received_at"]) in period
    }


def _references(connection: Connection, period: Period, as_at: datetime) -> dict[str, str]:
    row, joined = IncidentRow, _joined_by_then(connection, period, as_at)
    rows = connection.execute(
        select(col(row.id), col(row.reference)).where(
            or_(col(row.id).in_(_concerned(period)), col(row.id).in_(joined))
        )
    )
    return {found.id: found.reference for found in rows}
