"""The alarm clock of the worker: APScheduler, kept from standing still when somebody sets the clock.

APScheduler counts by the time of day. Set back by two hours, it would not look again for two hours; set ahead
by two years, it would first count every second of them (`python -m bench.faults` saw the first, and no alarm
with it). So it looks at least once a second by a clock that nobody can set, and an alarm that lies further
from now than its own interval, before or after, is one of another time: it goes off now.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from rapid_response.core.clock import Machine, ThisMachine

_LOOK_EVERY = 1.0


class Wakeups(AsyncIOScheduler):  # type: ignore[misc]  # APScheduler has no types
    """Calls each of a few functions at its interval, whatever becomes of the time of day."""

    def __init__(self, machine: Machine | None = None) -> None:
        self._machine = machine or ThisMachine()
        super().__init__(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def _process_jobs(self) -> float | None:
        now = datetime.fromtimestamp(self._machine.wall(), UTC)
        for job in self.get_jobs():
            if abs(job.next_run_time - now) > job.trigger.interval + timedelta(seconds=_LOOK_EVERY):
                self.modify_job(job.id, next_run_time=now)
        wait: float | None = super()._process_jobs()
        return None if wait is None else min(wait, _LOOK_EVERY)
