"""Whether a node could keep the promise now, and why not, in plain words.

What is said first is what stands in the way; a warning is what will, if nobody sees to it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, func, select
from sqlmodel import col

from rapid_response.core.clock import TOLERANCE, Clock, SystemClock, speed_of
from rapid_response.core.pulse import Pulse
from rapid_response.core.states import MessageState
from rapid_response.storage import holds
from rapid_response.storage.due import first_due
from rapid_response.storage.duties import Duty
from rapid_response.storage.schema import current, newest
from rapid_response.storage.tables import (
    ClockFaultRow,
    DefinitionRow,
    DutyRow,
    MessageRow,
    NodeRow,
)

#: The worker looks each second; this long without a look is a fault.
STALE = timedelta(seconds=15)
#: These loops wait for others: the provider, or every page of a large file.
_PATIENT = {
    "send": timedelta(minutes=1),
    "pump": timedelta(minutes=1),
    "audit": timedelta(minutes=1),
    "check": timedelta(minutes=15),
    "retain": timedelta(minutes=15),
}
#: Work may be this late before it is said: a burst is worked off in seconds.
LATE = timedelta(seconds=60)
#: A message may wait this long for its turn: the pace is a text a second.
UNSENT = timedelta(minutes=2)
#: The audit is made each minute.
UNAUDITED = timedelta(minutes=3)
#: Less than this share of a disk is little, and almost nothing. A large disk has room all the same.
LITTLE_SHARE, HARDLY_SHARE = 0.20, 0.10
LITTLE_ROOM, HARDLY_ROOM = 10 * 1024**3, 2 * 1024**3
_WAITING = (MessageState.PENDING, MessageState.RETRY_WAIT)


class Disk(Protocol):
    """How full a disk is, in bytes."""

    @property
    def total(self) -> int: ...

    @property
    def free(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Node:
    """One serving process, as it can be asked about itself."""

    id: str
    clock: Clock
    pulse: Pulse
    #: The SQLite file; None on PostgreSQL, whose disk only the server knows.
    database_file: Path | None = None
    usage: Callable[[Path], Disk] = field(default=shutil.disk_usage)

    def disk(self) -> Disk | None:
        """The database's disk, where it is this machine's."""
        if self.database_file is None:
            return None
        try:
            return self.usage(self.database_file.parent)
        except OSError:
            return None


@dataclass(frozen=True, slots=True)
class Readiness:
    """What stands in the way, and what soon will."""

    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether this node could keep the promise."""
        return not self.reasons


UNREACHABLE = "The database cannot be reached."


def without_database(node: Node) -> Readiness:
    """What can be said with the database gone."""
    own = tuple(_own_reasons(node))
    # A damaged file can be reached: whoever reads this is sent the right way.
    return Readiness(own if node.pulse.is_damaged else (UNREACHABLE, *own))


def readiness(connection: Connection, node: Node) -> Readiness:
    """What a node can say of itself and its database."""
    found = current(connection)
    if found != newest():
        # What else there is may be told by columns that are not ours to read.
        return Readiness((_schema(found), *_own_reasons(node)))
    said = sections(connection, node)
    reasons = tuple(sentence for section in said for sentence in section.reasons)
    return Readiness(reasons, tuple(sentence for section in said for sentence in section.warnings))


@dataclass(frozen=True, slots=True)
class Section:
    """One thing the promise depends on: what is wrong with it, and what soon will be."""

    name: str
    good: str
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def sections(connection: Connection, node: Node) -> list[Section]:
    """Everything the promise depends on, at the database of this release's schema."""
    clock = node.clock
    return [
        Section("Database", "It answers.", tuple(_own_reasons(node)), tuple(_checked(connection))),
        Section("Disk", "It has room.", warnings=tuple(_disk(node))),
        Section("Messages and deadlines", "They are not held.", tuple(_held(connection))),
        Section("Service definition", "One is loaded.", tuple(_definition(connection))),
        Section("Worker", "It looks for due work each second.", tuple(_worker(connection, node))),
        Section("Deadlines", "All that is due is done.", tuple(_agenda(connection, clock))),
        Section("Waiting texts and calls", "None waits too long.", tuple(_sender(connection, clock))),
        Section("Auditor", "Every open incident is cared for.", tuple(_auditor(connection, node))),
        Section("Clock", "It runs evenly.", tuple(_clock(connection, node)), tuple(_clock_warnings(clock))),
    ]


def _own_reasons(node: Node) -> Iterator[str]:
    if node.pulse.damage is not None:
        yield (
            "The database file is damaged, and nothing is written any more: "
            "see “Database damaged” in the runbook."
        )
    elif node.pulse.suspects_damage:
        yield "What was read from the database file makes no sense: it is being checked."
    if node.pulse.other_schema is not None:
        yield _misfit(node.pulse.other_schema)
    disk = node.disk()
    if disk is not None and disk.free < HARDLY_SHARE * disk.total and disk.free < HARDLY_ROOM:
        yield f"The database's disk is almost full: {disk.free // 1024**2:,} MB are free. Make room."


def _schema(found: str | None) -> str:
    if found is None:
        return "The database has no tables yet: run `rapid-response migrate`."
    return _misfit(found)


def _misfit(found: str) -> str:
    return (
        f"The database is at schema {found}, and this node's release at {newest()}: "
        "it takes no more work. Restart it with the release that fits."
    )


def _held(connection: Connection) -> Iterator[str]:
    hold = holds.standing(connection)
    if hold is not None:
        why = "The database was restored" if hold.is_restored else "A person has said so"
        yield f"{why}: messages and deadlines are held. `rapid-response release` lets go."


def _definition(connection: Connection) -> Iterator[str]:
    if connection.execute(select(col(DefinitionRow.version)).limit(1)).first() is None:
        yield "No service definition is loaded."


def _worker(connection: Connection, node: Node) -> Iterator[str]:
    """What it wrote each second says that it lives and can write; its pulse, that each loop comes round."""
    real = node.clock.real()
    swept = connection.execute(select(col(NodeRow.swept_at)).where(col(NodeRow.id) == node.id)).scalar()
    if swept is None:
        yield "The worker of this node has not looked for due work lately."
        return
    if real - swept > STALE:
        yield (
            f"The worker of this node has not looked for due work for {_seconds(real - swept)}, "
            "or the database cannot be written."
        )
    for loop, at in sorted(node.pulse.passed_at.items()):
        if real - at > _PATIENT.get(loop, STALE):
            error = node.pulse.failing.get(loop)
            why = f" ({error})" if error else ""
            yield f"The loop “{loop}” has not come round for {_seconds(real - at)}{why}."


def _agenda(connection: Connection, clock: Clock) -> Iterator[str]:
    oldest: datetime | None = connection.execute(select(first_due())).scalar()
    speed = speed_of(clock)
    if oldest is not None and clock.now() - oldest > LATE * speed and holds.standing(connection) is None:
        yield f"Work on the agenda is overdue by {_seconds((clock.now() - oldest) / speed)}."


def _sender(connection: Connection, clock: Clock) -> Iterator[str]:
    oldest = connection.execute(
        select(func.min(col(MessageRow.next_attempt_at))).where(
            # Said for SQLite, which would go through every message there ever was.
            col(MessageRow.next_attempt_at).is_not(None),
            col(MessageRow.state).in_(_WAITING),
        )
    ).scalar()
    if oldest is not None and clock.real() - oldest > UNSENT and holds.standing(connection) is None:
        yield f"A message has waited for its turn for {_seconds(clock.real() - oldest)}."


def _auditor(connection: Connection, node: Node) -> Iterator[str]:
    """A node that has just begun is given its first minutes, in which what was overdue is worked off."""
    started = connection.execute(select(col(NodeRow.started_at)).where(col(NodeRow.id) == node.id)).scalar()
    if started is None or holds.standing(connection) is not None:
        return
    row = connection.execute(
        select(col(DutyRow.good_at), col(DutyRow.done_at), col(DutyRow.found)).where(
            col(DutyRow.name) == Duty.AUDIT.value
        )
    ).first()
    real = node.clock.real()
    done_at = max(started, (row and row.done_at) or started)
    good_at = max(started, (row and row.good_at) or started)
    if real - done_at > UNAUDITED:
        yield f"The auditor has not looked for {_seconds(real - done_at)}."
    elif row is not None and real - good_at > UNAUDITED:
        found = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(row.found.items()))
        yield f"The auditor has found fault for {_seconds(real - good_at)}: {found}."


def _clock(connection: Connection, node: Node) -> Iterator[str]:
    clock = node.clock
    if isinstance(clock, SystemClock) and clock.lead > TOLERANCE:
        yield (
            f"The clock was set back by {_seconds(clock.lead)}; this node counts on without it. "
            "Put it right, then run `rapid-response clock --confirm`."
        )
    steps = connection.execute(
        select(func.count(), func.max(func.abs(col(ClockFaultRow.step_seconds)))).where(
            col(ClockFaultRow.confirmed_at).is_(None)
        )
    ).one()
    if steps[0]:
        yield (
            f"The clock has jumped by up to {_seconds(timedelta(seconds=steps[1]))}, and nobody has "
            "confirmed it: look at it, then run `rapid-response clock --confirm`."
        )
    ahead = _last_mark(connection, node) - clock.real()
    if ahead > STALE:
        yield (
            f"What was done last is marked {_seconds(ahead)} later than the clock says: it was ahead, or is "
            "behind now. Look at it: see “Clock stepped” in the runbook."
        )


def _last_mark(connection: Connection, node: Node) -> datetime:
    """When this node or the auditor looked last, as they say themselves."""
    swept = connection.execute(select(col(NodeRow.swept_at)).where(col(NodeRow.id) == node.id)).scalar()
    audited = connection.execute(
        select(col(DutyRow.done_at)).where(col(DutyRow.name) == Duty.AUDIT.value)
    ).scalar()
    marks = [at for at in (swept, audited, *node.pulse.passed_at.values()) if at is not None]
    return max(marks, default=node.clock.real())


def _clock_warnings(clock: Clock) -> Iterator[str]:
    if isinstance(clock, SystemClock) and abs(clock.offset) > TOLERANCE:
        yield (
            f"This machine's clock is {_seconds(abs(clock.offset))} off the one that counts: "
            "switch on time synchronisation."
        )


def _disk(node: Node) -> Iterator[str]:
    disk = node.disk()
    if disk is not None and disk.free < LITTLE_SHARE * disk.total and disk.free < LITTLE_ROOM:
        yield f"The database's disk has {disk.free // 1024**2:,} MB free: make room before it is full."


def _checked(connection: Connection) -> Iterator[str]:
    found = connection.execute(
        select(col(DutyRow.found)).where(col(DutyRow.name) == Duty.CHECK.value)
    ).scalar()
    if found:
        yield f"The nightly check found fault with the {', '.join(sorted(found))}: see the runbook."


def _seconds(age: timedelta) -> str:
    seconds = round(age.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def last_seen(connection: Connection) -> datetime | None:
    """The latest time at which any node was alive, as the rows say."""
    seen: datetime | None = connection.execute(select(func.max(col(NodeRow.swept_at)))).scalar()
    return seen
