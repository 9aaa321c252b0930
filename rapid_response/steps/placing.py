"""What postcodes.io is asked, and what becomes of its answers: kept, so that each postcode is asked once."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.core.states import LookupState
from rapid_response.places.online import TIMEOUT_SECONDS, Answer
from rapid_response.steps import amending
from rapid_response.steps.case import hold
from rapid_response.steps.desk import Desk
from rapid_response.steps.service import service_now
from rapid_response.storage.tables import IncidentRow, PlaceLookupRow
from rapid_response.storage.tx import Tx

SOURCE = "postcodes.io"
_LEASE = timedelta(seconds=TIMEOUT_SECONDS * 5)
_BACK_OFF = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
#: After so many tries, about a day, it is left alone: the case has long been dealt with.
MOST_ATTEMPTS = 24


def claim(tx: Tx, limit: int) -> list[str]:
    """The postcodes to ask about now, each leased so that no other node asks too."""
    rows = tx.all(
        typed_select(PlaceLookupRow)
        .where(col(PlaceLookupRow.state) == LookupState.WAITING, col(PlaceLookupRow.due_at) <= tx.real)
        .order_by(col(PlaceLookupRow.due_at), col(PlaceLookupRow.postcode))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    for row in rows:
        row.due_at = tx.real + _LEASE
        row.attempts += 1
    return [row.postcode for row in rows]


def answered(tx: Tx, desk: Desk, postcode: str, answer: Answer | None) -> None:
    """Keep the answer, and look again at the open cases there. It never lowers or ends anything."""
    # Incidents before anything else: the order of locks that cannot deadlock (design.md 3).
    waiting = [hold(tx, incident_id) for incident_id in _open_there(tx, postcode)]
    row = tx.get(PlaceLookupRow, postcode, lock=True)
    if row is None or row.state is not LookupState.WAITING:
        return
    row.asked_at = tx.now
    if answer is None:
        row.state = LookupState.MISSING
        return
    row.state, row.authority, row.ward = LookupState.FOUND, answer.authority, answer.ward
    tx.flush()
    service = service_now(tx, desk.zone)
    for incident in waiting:
        amending.come_home(tx, desk, service, incident, SOURCE)


def failed(tx: Tx, postcode: str) -> None:
    """No answer: once more after a while, and in the end not at all."""
    row = tx.get(PlaceLookupRow, postcode, lock=True)
    if row is None or row.state is not LookupState.WAITING:
        return
    if row.attempts >= MOST_ATTEMPTS:
        row.state = LookupState.GIVEN_UP
        return
    row.due_at = tx.real + _BACK_OFF[min(row.attempts, len(_BACK_OFF)) - 1]


def _open_there(tx: Tx, postcode: str) -> list[str]:
    found = tx.execute(
        select(col(IncidentRow.id)).where(
            col(IncidentRow.is_open), col(IncidentRow.location)["postcode"].as_string() == postcode
        )
    )
    # In the order in which everybody locks; asked for it, SQLite would go through closed ones too.
    return sorted(found.scalars())
