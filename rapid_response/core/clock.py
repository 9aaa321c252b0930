"""Time, from one injected object. Nothing else in the product may ask what time it is.

Two times run side by side (design.md 3): *real* time, by which leases, time-outs, back-off and the
sending pace are measured, and *domain* time, in which the promise is kept. They differ only where
`CLOCK_SPEED` is above 1 (evaluation and demonstrations).
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What time it is; both answers are aware and in UTC."""

    def now(self) -> datetime:
        """Domain time: received, due, needed by."""

    def real(self) -> datetime:
        """Real time: leases, time-outs, back-off, pace."""


class SystemClock:
    """The machine's clock, held to the database's and never running backwards.

    Real time is the wall clock, guarded by a clock that also counts suspend: when the wall clock is
    stepped back, time goes on from where it was (reliability.md 3: a clock fault may escalate early,
    never late). `set_offset` moves it onto the database's clock, so that several nodes agree.

    Domain time starts at `domain_start` and runs `speed` times as fast as real time.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._lock = threading.Lock()
        self._offset = timedelta()
        self._wall_start = time.time()
        self._boot_start = _boottime()
        self._epoch_real = self._wall()
        self._epoch_domain = self._epoch_real

    def _wall(self) -> datetime:
        counted = self._wall_start + (_boottime() - self._boot_start)
        return datetime.fromtimestamp(max(time.time(), counted), UTC)

    @property
    def offset(self) -> timedelta:
        """How far the database's clock was last found to be ahead."""
        return self._offset

    def set_offset(self, offset: timedelta) -> None:
        """How far the database's clock is ahead of this machine's."""
        with self._lock:
            shift = offset - self._offset
            self._offset = offset
            self._epoch_real += shift
            if self.speed == 1.0:
                self._epoch_domain += shift

    def set_epoch(self, real: datetime, domain: datetime) -> None:
        """From now on domain time was `domain` when real time was `real`."""
        with self._lock:
            self._epoch_real, self._epoch_domain = real, domain

    def real(self) -> datetime:
        return self._wall() + self._offset

    def now(self) -> datetime:
        with self._lock:
            return self._epoch_domain + (self.real() - self._epoch_real) * self.speed


def _boottime() -> float:
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


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
