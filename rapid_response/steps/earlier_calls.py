"""A call that dropped with nothing said, and the same number ringing again (scenario 6, domain.md 3.4).

Nobody could know what it was about, so it is a contact and no incident. Once a report comes from that number
within the hour, it was the first contact of that case: the two hours count from it, so that a line that
dropped at our end buys us no time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core.events import EarlierCallJoined, ReportLeft
from rapid_response.core.vocabulary import Channel
from rapid_response.messaging.numbers import normalise_number
from rapid_response.storage import log
from rapid_response.storage.once import once
from rapid_response.storage.tables import RANG_OFF, CallRow, IncidentRow
from rapid_response.storage.tx import Tx

#: For so long a call and a report of the same number are one story.
RINGS_AGAIN_WITHIN = timedelta(minutes=60)


def before(tx: Tx, phone: str | None, reported_at: datetime) -> Sequence[CallRow]:
    """The calls of that number within the hour before a report, that belong to no case; oldest first."""
    number = normalise_number(phone) if phone else None
    if number is None:
        return ()
    return tx.all(_dropped(number, reported_at - RINGS_AGAIN_WITHIN, reported_at))


@once
def _dropped(number: str, since: datetime, until: datetime) -> SelectOfScalar[CallRow]:
    return (
        select(CallRow)
        .where(
            col(CallRow.from_number) == number,
            col(CallRow.outcome) == RANG_OFF,
            col(CallRow.incident_id).is_(None),
            col(CallRow.created_at) >= since,
            col(CallRow.created_at) <= until,
        )
        .order_by(col(CallRow.created_at), col(CallRow.id))
        .with_for_update()
    )


def join(tx: Tx, incident: IncidentRow, calls: Sequence[CallRow]) -> None:
    """They are of this case now; nobody need ring back whom we have spoken with."""
    for call in calls:
        call.incident_id, call.needs_person = incident.id, False
        tx.record(incident.id, EarlierCallJoined(call.id, Channel.PHONE, call.created_at))


def move(tx: Tx, incident: IncidentRow, into: IncidentRow) -> None:
    """The first contact of a case that is joined is one of the other case, as its reports are."""
    for call in _of(tx, incident):
        call.incident_id = into.id
        tx.record(into.id, EarlierCallJoined(call.id, Channel.PHONE, call.created_at))


def come_back(tx: Tx, incident: IncidentRow, parts: Collection[str], holders: Iterable[IncidentRow]) -> None:
    """What was joined by mistake has its first contact back."""
    mine = {told["call_id"] for told in log.said(tx, parts, EarlierCallJoined.type)}
    for holder in holders if mine else ():
        for call in _of(tx, holder):
            if call.id in mine:
                call.incident_id = incident.id
                tx.record(holder.id, ReportLeft(call.id, incident.id))


def _of(tx: Tx, incident: IncidentRow) -> Sequence[CallRow]:
    """The dropped calls that are of this case."""
    return tx.all(
        select(CallRow)
        .where(col(CallRow.incident_id) == incident.id, col(CallRow.outcome) == RANG_OFF)
        .order_by(col(CallRow.created_at), col(CallRow.id))
    )
