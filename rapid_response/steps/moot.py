"""What has fallen due and no longer matters, put away many at a time, without being claimed.

As a rule what a case no longer needs is taken off the agenda when that is known. What is left there all the
same is seen when it rings; but there may be much of it, and what does matter waits behind it.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Executable, select
from sqlmodel import col

from rapid_response.core.incident import Status
from rapid_response.core.vocabulary import ClockState
from rapid_response.sla.rules import is_moot
from rapid_response.steps import actions
from rapid_response.steps.desk import Desk
from rapid_response.steps.service import service_now
from rapid_response.storage import work
from rapid_response.storage.once import once
from rapid_response.storage.tables import AgendaRow, IncidentRow
from rapid_response.storage.tx import Tx

MOOT = "moot"
#: Looked at in one step: less than one that rings, so that a reply to one of these cases hardly waits.
AT_ONCE = 500


class _Entry(NamedTuple):
    """An entry of the agenda, and where its case stands."""

    id: int
    kind: str
    incident_id: str
    is_open: bool
    status: Status
    owner: str | None
    is_held: bool
    clock_state: ClockState
    due_at: datetime | None
    stopped_at: datetime | None


def put_away(tx: Tx, desk: Desk, at_once: int = AT_ONCE) -> int:
    """Look at what comes first of all that is due, and put away what is moot; gives how much that was."""
    moot = [entry for entry in _first(tx, at_once) if is_moot(entry.kind, entry, tx.now)]
    if moot:
        work.put_away(tx, [entry.id for entry in moot], MOOT)
        _keep_in_view(tx, desk, {entry.incident_id for entry in moot if entry.is_open})
    return len(moot)


def _keep_in_view(tx: Tx, desk: Desk, still_open: set[str]) -> None:
    """What was put away may have been the last that was to come of an open case."""
    if still_open and (alone := still_open - work.awaited(tx, sorted(still_open))):
        incidents = [tx.need(IncidentRow, incident_id, lock=True) for incident_id in sorted(alone)]
        actions.keep_in_view(tx, service_now(tx, desk.zone), *incidents)


def _first(tx: Tx, limit: int) -> list[_Entry]:
    """Most dangerous first, then longest overdue; their cases are locked, and nobody is waited for."""
    found: list[_Entry] = []
    for rank in work.due_ranks(tx):
        rows = tx.execute(_due(tx.now, tx.real, work.last_lease_ends(tx), rank, limit - len(found)))
        found += [_Entry(*tuple(row)) for row in rows.all()]
        if len(found) >= limit:
            break
    return found


@once
def _due(now: datetime, real: datetime, beyond: datetime, rank: int, limit: int) -> Executable:
    standing = (col(getattr(IncidentRow, name)) for name in _Entry._fields[3:])
    return (
        select(col(AgendaRow.id), col(AgendaRow.kind), col(AgendaRow.incident_id), *standing)
        .join(IncidentRow, col(IncidentRow.id) == col(AgendaRow.incident_id))
        .where(*work.free(now, real, beyond, rank))
        .order_by(col(AgendaRow.due_at))
        .limit(limit)
        # The incidents first, as everywhere; the entries themselves when they are settled.
        .with_for_update(of=IncidentRow, skip_locked=True)
    )
