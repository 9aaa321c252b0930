"""Time, from one injected object. Nothing else in the product may ask what time it is.

Two times run side by side (design.md 3): *real* time, by which leases, time-outs, back-off and the
sending pace are measured, and *domain* time, in which the promise is kept. They differ only where
`CLOCK_SPEED` is above 1 (evaluation and demonstrations).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

#: Two clocks that differ by less agree: what synchronisation does all the time.
TOLERANCE = timedelta(seconds=2)
#: Nodes' clocks differ by less, each of them held to the database's every so often.
NODES_DIFFER = timedelta(seconds=10)


class Clock(Protocol):
    """What time it is; both answers are aware and in UTC."""

    def now(self) -> datetime:
        """Domain time: received, due, needed by."""

    def real(self) -> datetime:
        """Real time: leases, time-outs, back-off, pace."""


class Machine(Protocol):
    """The two clocks of a machine, in seconds."""

    def wall(self) -> float:
        """Since 1970: what people and time synchronisation set, and may set wrongly."""

    def boot(self) -> float:
        """Since the machine started, suspend included: nobody can set it."""


class ThisMachine:
    """The machine that this process runs on."""

    def wall(self) -> float:
        return time.time()

    def boot(self) -> float:
        # Where there is none (not Linux), time stands still while the machine sleeps.
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The clock we go by has jumped: forwards, and we with it, or backwards, and we count on without it."""

    by: timedelta

    @property
    def is_forward(self) -> bool:
        """Whether we have jumped, too."""
        return self.by > timedelta()


class SystemClock:
    """Real time counted on a clock that nobody can set, and held to one that people and machines agree on.

    That one is the database's on PostgreSQL, so that several nodes agree, and this machine's on SQLite. The
    worker compares the two (:meth:`compare_with_wall`, :meth:`compare_with`). A fault may make us early,
    never late: a step forwards is followed at once, a step backwards is not, we count on until somebody says
    :meth:`take_truth` (reliability.md 3).

    Domain time starts at `domain_start` and runs `speed` times as fast as real time.
    """

    def __init__(self, speed: float = 1.0, machine: Machine | None = None) -> None:
        self.speed = speed
        self._machine = machine or ThisMachine()
        self._lock = threading.Lock()
        self._offset = timedelta()
        self._lead = timedelta()
        self._lead_since: datetime | None = None
        self._wall_start = self._machine.wall()
        self._boot_start = self._machine.boot()
        self._epoch_real = self._counted()
        self._epoch_domain = self._epoch_real

    def _counted(self) -> datetime:
        counted = self._wall_start + (self._machine.boot() - self._boot_start)
        return datetime.fromtimestamp(counted, UTC)

    def real(self) -> datetime:
        return self._counted() + self._offset

    def now(self) -> datetime:
        with self._lock:
            return self._epoch_domain + (self.real() - self._epoch_real) * self.speed

    @property
    def offset(self) -> timedelta:
        """What is added to what we count: how far the clock we go by was last found to be ahead."""
        return self._offset

    def set_offset(self, offset: timedelta) -> None:
        """Go by a clock that is so far ahead of what we count, whatever we went by before."""
        with self._lock:
            self._shift(offset - self._offset)
            self._lead, self._lead_since = timedelta(), None

    def set_epoch(self, real: datetime, domain: datetime) -> None:
        """From now on domain time was `domain` when real time was `real`."""
        with self._lock:
            self._epoch_real, self._epoch_domain = real, domain

    def _shift(self, by: timedelta) -> None:
        """Real time jumps, and domain time with it where they are one."""
        self._offset += by
        self._epoch_real += by
        if self.speed == 1.0:
            self._epoch_domain += by

    # held to the truth

    @property
    def lead(self) -> timedelta:
        """How far we are ahead of the clock we should go by, since it was set back."""
        return self._lead

    @property
    def lead_since(self) -> datetime | None:
        """Since when we count on without it, in real time."""
        return self._lead_since

    def compare_with_wall(self) -> ClockStep | None:
        """Hold us to this machine's clock; the step, when it has jumped since the last look."""
        return self._compare(datetime.fromtimestamp(self._machine.wall(), UTC) - self.real(), back=False)

    def compare_with(self, offset: timedelta) -> ClockStep | None:
        """As :meth:`compare_with_wall`, with a clock that is so far ahead of what we count ourselves."""
        return self._compare(offset - self._offset, back=True)

    def _compare(self, drift: timedelta, *, back: bool) -> ClockStep | None:
        """`back`: whether small corrections are followed backwards, so that several nodes agree."""
        with self._lock:
            if drift < -TOLERANCE:
                was, self._lead = self._lead, -drift
                self._lead_since = self._lead_since or self.real()
                return ClockStep(drift) if abs(self._lead - was) > TOLERANCE else None
            self._lead, self._lead_since = timedelta(), None
            if drift > timedelta() or back:
                self._shift(drift)
            return ClockStep(drift) if drift > TOLERANCE else None

    def never_before(self, recorded: datetime) -> ClockStep | None:
        """At the start: go on from a time that is on record, if our clock is behind it."""
        behind = recorded - self.real()
        if behind <= TOLERANCE:
            return None
        with self._lock:
            self._shift(behind)
            self._lead, self._lead_since = behind, self.real()
        return ClockStep(-behind)

    def take_truth(self) -> None:
        """Go back to the clock we should go by."""
        with self._lock:
            self._shift(-self._lead)
            self._lead, self._lead_since = timedelta(), None


class ManualClock:
    """A clock that moves only when told to; domain and real time move together."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def real(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move forward (or, to imitate a fault, backward)."""
        self._now += by

    def set(self, to: datetime) -> None:
        """Jump to a moment."""
        self._now = to.astimezone(UTC)


def is_reached(at: datetime, now: datetime, longest: timedelta) -> bool:
    """Whether a wait is over that never lasts longer than that.

    One that lies further ahead is of a time that was taken back: nobody waits for that to come once more.
    """
    return at <= now or at > latest(now, longest)


def latest(now: datetime, longest: timedelta) -> datetime:
    """No wait that begins now, on any node, ends later; `longest` is what it lasts at most."""
    return now + longest + NODES_DIFFER


def lead_of(clock: Clock) -> timedelta:
    """How far it is known to be ahead of the clock it should go by."""
    return clock.lead if isinstance(clock, SystemClock) else timedelta()


def speed_of(clock: Clock) -> float:
    """How many times as fast as real time domain time runs."""
    return clock.speed if isinstance(clock, SystemClock) else 1.0
