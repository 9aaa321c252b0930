"""Duties: what one node of all does every so often, under a lease in a row.

A node that dies at it loses its lease, and the next one does it. Times are real (design.md 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col

from rapid_response.core.clock import is_reached, latest
from rapid_response.storage.columns import is_over
from rapid_response.storage.tables import DutyRow
from rapid_response.storage.tx import Tx

LEASE = timedelta(seconds=30)


class Duty(StrEnum):
    """All there are; the value is the row's key."""

    #: Is every open incident cared for?
    AUDIT = "audit"
    #: Is the database file whole, and does the log hold?
    CHECK = "check"
    #: Is the time for which people's data is kept over? Then it is erased, or only counted.
    RETENTION = "retention"
    #: A copy, made by a command; kept here so that its age can be watched.
    BACKUP = "backup"


#: So often each comes round at least; no turn of it lies further ahead. When clocks go back, a night lies 25
#: hours after the last.
EVERY = {
    Duty.AUDIT: timedelta(minutes=1),
    Duty.CHECK: timedelta(hours=25),
    Duty.RETENTION: timedelta(hours=25),
}


@dataclass(frozen=True, slots=True)
class Mine:
    """A duty that is ours to do now."""

    duty: Duty
    fence: int


def claim(tx: Tx, duty: Duty, first_at: datetime | None = None) -> Mine | datetime:
    """The duty, when it is due and nobody is at it; else the time to look again.

    One that was never done is due now, or at `first_at`.
    """
    if tx.get(DutyRow, duty.value) is None:
        make = sqlite.insert if tx.is_sqlite else postgresql.insert
        first = make(DutyRow).values(name=duty.value, due_at=first_at or tx.real, fence=0, found={})
        tx.execute(first.on_conflict_do_nothing())
    row = tx.need(DutyRow, duty.value)
    if not is_reached(row.due_at, tx.real, EVERY[duty]):
        return row.due_at
    taken = tx.execute(
        update(DutyRow)
        .where(
            col(DutyRow.name) == duty.value,
            col(DutyRow.due_at) == row.due_at,
            is_over(col(DutyRow.leased_until), tx.real, latest(tx.real, LEASE)),
        )
        .values(leased_until=tx.real + LEASE, fence=col(DutyRow.fence) + 1)
        .returning(col(DutyRow.fence))
    ).first()
    return Mine(duty, taken.fence) if taken is not None else tx.real + LEASE


def done(tx: Tx, mine: Mine, next_at: datetime, found: Mapping[str, int]) -> bool:
    """Say that it was done, what was wrong, and when it is due again; False when it was taken from us."""
    changed = {"due_at": next_at, "leased_until": None, "done_at": tx.real, "found": dict(found)}
    if not found:
        changed["good_at"] = tx.real
    settled = tx.execute(
        update(DutyRow)
        .where(col(DutyRow.name) == mine.duty.value, col(DutyRow.fence) == mine.fence)
        .values(**changed)
    )
    return settled.rowcount == 1


def note(tx: Tx, duty: Duty, found: Mapping[str, int]) -> None:
    """As :func:`done`, for what is not claimed: a person's command did it."""
    row = tx.get(DutyRow, duty.value, lock=True)
    good_at = tx.real if not found else None
    if row is None:
        tx.add(
            DutyRow,
            name=duty.value,
            due_at=tx.real,
            done_at=tx.real,
            good_at=good_at,
            found=dict(found),
        )
        return
    row.done_at, row.found, row.good_at = tx.real, dict(found), good_at or row.good_at
