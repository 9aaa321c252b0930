"""A breaker: a reader that keeps failing is left alone for a while, then tried with a single question."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rapid_response.core.clock import is_reached

_SHORTEST, _LONGEST = timedelta(seconds=30), timedelta(minutes=15)


@dataclass(slots=True)
class Breaker:
    """Opens after `limit` failures in a row; each failed try afterwards doubles the wait."""

    limit: int = 3
    failures: int = 0
    wait: timedelta = _SHORTEST
    rests_until: datetime | None = None

    def room(self, now: datetime, most: int) -> int:
        """How many may be asked now: `most` while all is well, none while it rests, then one to try."""
        if self.rests_until is None:
            return most
        return 1 if self._has_rested(now) else 0

    def succeeded(self) -> None:
        """It answered: all is well again."""
        self.failures, self.wait, self.rests_until = 0, _SHORTEST, None

    def failed(self, now: datetime) -> None:
        """It did not."""
        self.failures += 1
        if self.failures < self.limit:
            return
        if self._has_rested(now):
            self.wait = min(self.wait * 2, _LONGEST)
        self.rests_until = now + self.wait

    def _has_rested(self, now: datetime) -> bool:
        return self.rests_until is not None and is_reached(self.rests_until, now, _LONGEST)
