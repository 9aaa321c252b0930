"""A clock that jumped: kept on record, told to the duty officer, and nothing deleted by it until confirmed.

A fault of a clock may make us early, never late, and never deletes anything (reliability.md G8). Forwards:
deadlines ring early, and whatever deletes by age asks :func:`may_delete` first. Backwards: the node counts on
without its clock (:class:`~rapid_response.core.clock.SystemClock`), for a quarter of an hour at least, and
then for as long as a promise runs that would be late by it, to a resident or to a responder who is out there;
after that, or as soon as a person has confirmed it, it goes by its clock again.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, exists, or_, select, update
from sqlmodel import col

from rapid_response.core.clock import ClockStep, SystemClock
from rapid_response.core.events import SERVICE_STREAM, ClockConfirmed, ClockStepped
from rapid_response.core.vocabulary import ClockState
from rapid_response.messaging import wording
from rapid_response.steps.desk import Desk
from rapid_response.steps.telling import tell_duty_officer
from rapid_response.storage.tables import AlarmRow, ClockFaultRow, IncidentRow, VisitRow
from rapid_response.storage.tx import Tx, read_from

#: How long a node counts on without a clock that was set back, whether or not anything depends on it.
COUNT_ON_FOR = timedelta(minutes=15)


def note(tx: Tx, desk: Desk, node: str, step: ClockStep) -> str:
    """Keep that the clock of a node jumped, and tell the duty officer; returns the fault's id."""
    fault_id = tx.ids.uuid()
    seconds = round(step.by.total_seconds(), 3)
    tx.add(ClockFaultRow, id=fault_id, node=node, at=tx.real, step_seconds=seconds)
    tx.record(SERVICE_STREAM, ClockStepped(fault_id, seconds))
    # Several nodes see the clock of one database jump at once: one text within ten minutes is enough.
    slot = int(tx.real.timestamp() // 600)
    tell_duty_officer(tx, desk, f"clock:{slot}", wording.clock_is_wrong())
    return fault_id


def open_faults(connection: Connection | Tx) -> list[float]:
    """By how many seconds clocks have jumped, of those jumps that nobody has confirmed; oldest first."""
    unconfirmed = (
        select(col(ClockFaultRow.step_seconds))
        .where(col(ClockFaultRow.confirmed_at).is_(None))
        .order_by(col(ClockFaultRow.at))
    )
    return [row.step_seconds for row in read_from(connection, unconfirmed)]


def may_delete(tx: Tx) -> bool:
    """Whether anything may be deleted for its age: not while a clock has jumped and nobody has looked."""
    return not open_faults(tx)


def confirm(tx: Tx) -> int:
    """A person has looked at the clock; returns how many jumps were waiting for that."""
    confirmed = tx.execute(
        update(ClockFaultRow)
        .where(col(ClockFaultRow.confirmed_at).is_(None))
        .values(confirmed_at=tx.real, confirmed_by=tx.actor)
    ).rowcount
    if confirmed:
        tx.record(SERVICE_STREAM, ClockConfirmed(confirmed))
    return confirmed


def may_take_truth(connection: Connection, node: str, clock: SystemClock) -> bool:
    """Whether a node that counts on without its clock may go by it again."""
    since = clock.lead_since
    if since is None:
        return False
    confirmed = connection.execute(
        select(col(ClockFaultRow.confirmed_at))
        .where(col(ClockFaultRow.node) == node, col(ClockFaultRow.step_seconds) < 0)
        .order_by(col(ClockFaultRow.at).desc())
        .limit(1)
    ).first()
    if confirmed is not None and confirmed.confirmed_at is not None:
        return True
    if clock.real() - since < COUNT_ON_FOR:
        return False
    return not _is_anything_promised(connection)


def _is_anything_promised(connection: Connection) -> bool:
    """Whether anything would be late by as much: a case's clock, the watch over a responder, her alarm."""
    running = exists().where(
        col(IncidentRow.is_open),
        or_(
            col(IncidentRow.clock_state) == ClockState.RUNNING,
            col(IncidentRow.clock_state) == ClockState.PAUSED,
        ),
    )
    watched = exists().where(col(VisitRow.ended_at).is_(None))
    unseen = exists().where(col(AlarmRow.ended_at).is_(None), col(AlarmRow.acknowledged_at).is_(None))
    return bool(connection.execute(select(or_(running, watched, unseen))).scalar_one())
