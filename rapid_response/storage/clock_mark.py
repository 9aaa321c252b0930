"""Where the simulated epoch is kept, so that a fast clock goes on where it stopped (design.md 3).

Domain time is a function of real time: it was `domain_at` at `real_at`, and runs `speed` times as fast. One
row holds that. A node that starts takes it up in the same step that it writes it, so that two nodes that
start at once agree; while they serve, each second moves the mark on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col

from rapid_response.core.clock import Clock, SystemClock
from rapid_response.storage.database import Database
from rapid_response.storage.tables import ClockMarkRow
from rapid_response.storage.tx import Tx

#: A mark younger than this is kept by a node that serves now: its clock runs on meanwhile.
ALIVE_WITHIN = timedelta(seconds=5)
#: Domain and real time that differ by less are one time, measured twice.
_SAME = timedelta(seconds=1)
_ONLY = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """Domain time was `domain_at` at `real_at`, running `speed` times as fast."""

    real_at: datetime
    domain_at: datetime
    speed: float

    def at(self, real: datetime) -> datetime:
        """Domain time at that real time, never before the mark's own."""
        return self.domain_at + max(timedelta(), real - self.real_at) * self.speed


def taken_up(mark: Mark | None, real: datetime, speed: float) -> datetime:
    """Domain time for a node that starts at `real` with that speed.

    No mark: real time. Another node is alive: its time. Nobody is: where domain time stopped. At speed 1 a
    lead over real time is kept, since going back would unmake what has happened, but it does not outlast its
    use: once real time is past the mark, real time holds.
    """
    if mark is None:
        return real
    if abs(real - mark.real_at) <= ALIVE_WITHIN:
        return mark.at(real)
    if speed != 1:
        return mark.domain_at
    return real + (mark.domain_at - mark.real_at) if mark.domain_at > real else real


async def restore(database: Database, clock: SystemClock) -> None:
    """Set the clock to where domain time stands; after the clock was set to the database's."""
    epoch = await database.run(partial(take_up, speed=clock.speed))
    clock.set_epoch(*epoch)


def follow(database: Database, clock: SystemClock) -> None:
    """Set a command's clock to what the serving nodes' is; writes nothing."""
    clock.set_offset(database.clock_offset() + clock.offset)
    mark, real = database.look_now(_standing), clock.real()
    clock.set_epoch(real, taken_up(mark, real, clock.speed))


def _standing(connection: Connection) -> Mark | None:
    row = connection.execute(
        select(col(ClockMarkRow.real_at), col(ClockMarkRow.domain_at), col(ClockMarkRow.speed))
    ).first()
    return Mark(row.real_at, row.domain_at, row.speed) if row else None


def take_up(tx: Tx, speed: float) -> tuple[datetime, datetime]:
    """Real and domain time of now; on record from now on where the two differ or will."""
    if speed != 1:
        make = sqlite.insert if tx.is_sqlite else postgresql.insert
        first = make(ClockMarkRow).values(id=_ONLY, real_at=tx.real, domain_at=tx.real, speed=speed)
        tx.execute(first.on_conflict_do_nothing())
    row = tx.get(ClockMarkRow, _ONLY, lock=True)
    if row is None:
        return tx.real, tx.real
    domain = taken_up(Mark(row.real_at, row.domain_at, row.speed), tx.real, speed)
    if speed == 1 and domain - tx.real < _SAME:
        # A mark that nobody moves on would one day send a fast clock back to today.
        tx.execute(delete(ClockMarkRow).where(col(ClockMarkRow.id) == _ONLY))
        return tx.real, tx.real
    row.real_at, row.domain_at, row.speed = tx.real, domain, speed
    return tx.real, domain


def is_apart(clock: Clock) -> bool:
    """Whether domain time is another than real time, so that the mark must be kept."""
    return abs(clock.now() - clock.real()) >= _SAME


def keep(tx: Tx) -> None:
    """Move the mark on to now, never back: each second, while the clock :func:`is_apart`."""
    tx.execute(
        update(ClockMarkRow)
        .where(col(ClockMarkRow.id) == _ONLY, col(ClockMarkRow.domain_at) < tx.now)
        .values(real_at=tx.real, domain_at=tx.now)
    )
