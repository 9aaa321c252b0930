"""A clock that was ahead is right again: what was stored in the time that is taken back waits for it no more.

Paces, leases, back-offs and the turns of duties are moments of real time. Those that were written while the
clock was ahead lie in the future once it is right, and for as long as it was wrong no text would leave and
nobody would look. So all that lies later than now is set to now, in one step: a clock may make us early,
never late (docs/adr/0013). What the service does day by day is armed anew. Promises, and the log, stay as
they are: which reports have odd times is found by the auditor and shown to a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, update
from sqlmodel import SQLModel, col, select

from rapid_response.messaging.rules import AttemptState
from rapid_response.simulator.posts import LOOP as PUMP
from rapid_response.simulator.tables import SimPostRow
from rapid_response.steps.desk import Desk
from rapid_response.steps.ring import arm_standing_anew
from rapid_response.storage.due import is_pending
from rapid_response.storage.duties import Duty
from rapid_response.storage.tables import (
    AgendaRow,
    ApiKeyRow,
    AttemptRow,
    ClockFaultRow,
    ClockMarkRow,
    DeliveryRow,
    DutyRow,
    HoldRow,
    LineRow,
    MailRow,
    MessageRow,
    NodeRow,
    PlaceLookupRow,
    ProviderEventRow,
    SecondReadingRow,
    SessionRow,
    UserRow,
    WatermarkRow,
)
from rapid_response.storage.tx import Tx

#: The columns that hold real time; others are in the service's own time, or a provider's.
REAL_TIMES: Mapping[type[SQLModel], tuple[str, ...]] = {
    AgendaRow: ("leased_until",),
    DeliveryRow: ("leased_until",),
    MessageRow: ("next_attempt_at", "leased_until"),
    AttemptRow: ("claimed_at", "finished_at", "unknown_at"),
    ProviderEventRow: ("retry_until",),
    LineRow: ("filled_at", "opened_at", "retry_at"),
    WatermarkRow: ("asked_at", "leased_until"),
    # When they are due is told by how often they come: what comes each night keeps its hour.
    DutyRow: ("leased_until", "done_at", "good_at"),
    NodeRow: ("started_at", "swept_at"),
    ClockMarkRow: ("real_at",),
    ClockFaultRow: ("at", "confirmed_at"),
    HoldRow: ("since", "backup_made_at", "released_at"),
    MailRow: ("queued_at", "due_at", "leased_until"),
    SecondReadingRow: ("queued_at", "next_at", "leased_until", "read_at"),
    PlaceLookupRow: ("due_at",),
    UserRow: ("created_at", "disabled_at", "locked_until"),
    SessionRow: ("created_at", "seen_at", "ended_at"),
    ApiKeyRow: ("created_at", "revoked_at", "used_at"),
    SimPostRow: ("due_at", "leased_until", "done_at"),
}


#: From the claim of an attempt to whatever is known of it last.
_LONGEST_TRY = timedelta(days=3)


def _only(row: type[SQLModel], real: datetime) -> Iterable[ColumnElement[bool]]:
    """Of tables that grow for years, what may still be waited for, each by an index of its own."""
    if row is AgendaRow:
        return is_pending()
    if row is MessageRow:
        return (col(MessageRow.settled_at).is_(None),)
    if row is AttemptRow:
        return (col(AttemptRow.claimed_at) > real - _LONGEST_TRY,)
    return ()


def bring_back(tx: Tx, desk: Desk, by: timedelta, beyond: timedelta = timedelta()) -> None:
    """Let nothing wait for real times further ahead than `beyond`, once domain time has gone back `by`.

    Every node does so when it has put its own clock right: what others wrote meanwhile is among it.
    """
    _look_from_the_right_time(tx, by)
    for row, names in REAL_TIMES.items():
        for name in names:
            moment = col(getattr(row, name))
            waits = (*_only(row, tx.real), moment > tx.real + beyond)
            tx.execute(update(row).where(*waits).values({name: tx.real}))
    of_audit = update(DutyRow).where(col(DutyRow.name) == Duty.AUDIT.value, col(DutyRow.due_at) > tx.real)
    tx.execute(of_audit.values(due_at=tx.real))
    # The simulated network's time is ours; and so is that from which a new number is looked at.
    tx.execute(update(WatermarkRow).where(col(WatermarkRow.listed_to) > tx.now).values(listed_to=tx.now))
    arm_standing_anew(tx, desk)
    tx.wake("ring", "send", "deliver", "catch_up", "audit", "mail", "second", "places", PUMP)


def _look_from_the_right_time(tx: Tx, by: timedelta) -> None:
    """A text of unknown fate is looked for since it was handed over: else it would be sent once more."""
    unknown = select(AttemptRow).where(
        col(AttemptRow.claimed_at) > tx.real,
        col(AttemptRow.state).in_([AttemptState.CLAIMED.value, AttemptState.UNKNOWN.value]),
    )
    for attempt in tx.all(unknown) if by else ():
        attempt.at -= by
