"""The caretaker: what looks after the service itself, beside the loops that do its work.

It holds the clock to the truth, has the auditor look each minute and puts right what it finds, gives the
sign of life, checks the database file and the log each night, and sees when the schema has become another
release's. One node of all does what only one need do (`storage.duties`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from functools import partial

import structlog

from rapid_response.audit.findings import Audit, Check
from rapid_response.audit.looking import Moment, audit
from rapid_response.audit.readiness import Node, last_seen, readiness
from rapid_response.core.clock import ClockStep, SystemClock, is_reached, speed_of
from rapid_response.core.events import SERVICE_STREAM, FileFoundDamaged
from rapid_response.messaging.signs_of_life import SignsOfLife
from rapid_response.steps import clockwatch, retention, taken_back
from rapid_response.steps.desk import Desk
from rapid_response.steps.mending import mend
from rapid_response.steps.service import LastKnown
from rapid_response.storage import duties, log
from rapid_response.storage.checking import damage, is_waited_for
from rapid_response.storage.database import Database
from rapid_response.storage.duties import Duty, Mine
from rapid_response.storage.failures import DatabaseDamaged
from rapid_response.storage.schema import SchemaBehind, SchemaNewer, check_schema
from rapid_response.storage.tx import Tx

logger = structlog.get_logger("caretaker")

AUDIT_EVERY = duties.EVERY[Duty.AUDIT]
#: After a fault the auditor looks again sooner, lest the alarm outlast what it is about.
AUDIT_AGAIN = timedelta(seconds=15)
#: When all times that were taken back are gone, no lease and no turn of the auditor's lies further ahead.
_NEAR = timedelta(minutes=1)
#: A file in which a check found nothing is not checked again sooner, whatever somebody read.
_SUSPECT_AGAIN = timedelta(minutes=10)
#: No service is without a node for so long: rather, the clock is wrong that it starts with.
_AWAY_TOO_LONG = timedelta(days=30)
#: When the file and the log are checked, local time.
_CHECK_AT = time(3)
#: When what was kept for long enough is erased: after the check, which would find a damaged file.
_RETAIN_AT = time(4)


class Caretaker:
    """Looks after one node, and with the others after the service."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        node: Node,
        known: LastKnown,
        *,
        signs_of_life: SignsOfLife | None = None,
        save_sheet: Callable[[], Awaitable[None]] | None = None,
        erases: bool = False,
    ) -> None:
        self._database = database
        self._desk = desk
        self._node = node
        self._known = known
        self._signs = signs_of_life
        self._save_sheet = save_sheet
        self._erases = erases
        #: When each duty may be ours again: asking the database for it each second would write each second.
        self._look_at: dict[Duty, datetime] = {}
        self._found_whole_at: datetime | None = None
        #: What is still to be done about what is stored, since our clock was put right; one step a look.
        self._to_bring_back: list[Callable[[Tx], None]] = []
        #: The file was too large to be checked before it was served.
        self._is_unchecked = False

    # the clock

    async def begin(self) -> None:
        """At the start: time goes on from the last that is on record, if that is ahead of the clock.

        And where people's data is erased when its time is over, a clock that is far ahead is not believed
        until a person has confirmed it. A file that was too large to be checked before the start is checked
        now.
        """
        self._is_unchecked = self._database.is_sqlite and not is_waited_for(self._database.path)
        clock = self._database.clock
        if isinstance(clock, SystemClock):
            seen = await self._database.look(last_seen)
            if seen is None:
                return
            step = clock.never_before(seen)
            if step is None and self._erases and clock.real() - seen > _AWAY_TOO_LONG:
                # Nobody can tell a month without a node from a clock that is ahead: a person is asked.
                step = ClockStep(clock.real() - seen)
            if step is not None:
                await self._jumped(step)

    async def watch_clock(self) -> None:
        """Each second: compare this machine's clock with the one that nobody can set."""
        clock = self._database.clock
        if not isinstance(clock, SystemClock):
            return
        if self._database.is_sqlite:
            step = clock.compare_with_wall()
            if step is not None:
                await self._jumped(step)

    async def watch_database_clock(self) -> None:
        """Each 15 seconds: compare ours with the database's; and go by the truth again where that is safe."""
        clock = self._database.clock
        if not isinstance(clock, SystemClock):
            return
        if not self._database.is_sqlite:
            ahead = await asyncio.to_thread(self._database.clock_offset)
            step = clock.compare_with(ahead + clock.offset)
            if step is not None:
                await self._jumped(step)
        if clock.lead_since is not None and await self._database.look(
            lambda c: clockwatch.may_take_truth(c, self._node.id, clock)
        ):
            self._go_back(clock)
        if self._to_bring_back:
            await self._database.run(self._to_bring_back[0], urgent=True)
            self._to_bring_back.pop(0)

    def _go_back(self, clock: SystemClock) -> None:
        """Go by the truth; nothing waits any more for the time that is taken back."""
        was = clock.now()
        clock.take_truth()
        logger.warning("clock_followed_back", node=self._node.id)
        by = max(timedelta(), was - clock.now())
        bring_back = partial(taken_back.bring_back, desk=self._desk)
        # Once more, for steps that were under way and were stored after it.
        self._to_bring_back = [
            partial(bring_back, by=by),
            partial(bring_back, by=timedelta(), beyond=_NEAR),
        ]
        self._look_at.clear()
        self._found_whole_at = None
        passed, real = self._node.pulse.passed_at, clock.real()
        passed.update({loop: min(at, real) for loop, at in passed.items()})

    async def _jumped(self, step: ClockStep) -> None:
        logger.error("clock_stepped", seconds=round(step.by.total_seconds(), 1), node=self._node.id)
        await self._database.run(partial(clockwatch.note, desk=self._desk, node=self._node.id, step=step))

    # the schema

    async def watch_schema(self) -> None:
        """Each minute: whether another release has migrated, or restored, the database under us."""
        pulse = self._node.pulse
        try:
            await asyncio.to_thread(check_schema, self._database)
        except (SchemaNewer, SchemaBehind) as misfit:
            if pulse.other_schema is None:
                logger.error("schema_does_not_fit", version=misfit.found)
            pulse.other_schema = misfit.found or "none"
        else:
            pulse.other_schema = None

    async def remember_service(self) -> None:
        """Each minute: the number to ring, which must be known when the database is gone."""
        await self._database.look(lambda c: self._known.read(c, self._desk.zone))

    # duties

    async def audit(self) -> int:
        """Look whether every open incident is cared for, when it is our turn; gives how often it was."""
        return await self._on_duty(Duty.AUDIT, self._audit)

    async def check(self) -> int:
        """Check the file and the log, when it is our turn: each night; and the file when it is suspected."""
        if self._is_unchecked or self._node.pulse.suspects_damage:
            await self._check_suspicion()
        if self._node.pulse.damage is not None:
            return 0  # nothing is written any more, not even whose turn it is
        return await self._on_duty(Duty.CHECK, self._check, first_at=self._tonight())

    async def retain(self) -> int:
        """Erase what was kept for long enough, or count it, when it is our turn: each night."""
        return await self._on_duty(Duty.RETENTION, self._retain, first_at=self._tonight(_RETAIN_AT))

    async def _on_duty(
        self, duty: Duty, do: Callable[[Mine], Awaitable[datetime]], first_at: datetime | None = None
    ) -> int:
        real = self._database.clock.real()
        look_at = self._look_at.get(duty)
        if look_at is not None and not is_reached(look_at, real, duties.EVERY[duty]):
            return 0
        mine = await self._database.run(partial(duties.claim, duty=duty, first_at=first_at))
        if isinstance(mine, datetime):
            self._look_at[duty] = mine
            return 0
        self._look_at[duty] = await do(mine)
        return 1

    async def _audit(self, mine: Mine) -> datetime:
        found = await self._database.look(lambda c: audit(c, self._moment()))
        for missing in found.missing:
            await self._mend(partial(mend, desk=self._desk, found=missing, speed=self._speed), missing.check)
        for late in found.late:
            logger.error(
                "audit_found",
                code=late.check.value,
                count=late.count,
                seconds=round(late.age.total_seconds()),
            )
        next_at = self._database.clock.real() + (AUDIT_EVERY if found.is_good else AUDIT_AGAIN)
        await self._database.run(partial(duties.done, mine=mine, next_at=next_at, found=dict(found.counts())))
        await self._say_alive(found)
        return next_at

    async def _mend(self, step: Callable[[Tx], bool], check: Check) -> None:
        """One finding that cannot be put right never keeps the others from it; it is found again."""
        try:
            mended = await self._database.run(step)
        except Exception as error:  # whatever it was, the next audit finds the same again
            logger.error("mending_failed", code=check.value, error=type(error).__name__)
        else:
            logger.error("audit_found", code=check.value, outcome="mended" if mended else "gone")

    async def _say_alive(self, found: Audit) -> None:
        """Only while all is well; whoever waits for it outside is told by silence."""
        if self._signs is None or not found.is_good:
            return
        standing = await self._database.look(lambda c: readiness(c, self._node))
        if not standing.is_ready:
            logger.warning("heartbeat_withheld", count=len(standing.reasons))
            return
        fault = await self._signs.give()
        if fault is not None:
            logger.warning("heartbeat_failed", error=fault)

    async def _check(self, mine: Mine) -> datetime:
        found: dict[str, int] = {}
        damaged = await self._damage() if self._database.is_sqlite else None
        if damaged is not None:
            await self._stop(damaged)
            return self._tonight()
        verdict = await self._database.look(log.verify)
        if verdict.broken is not None:
            found["log"] = 1
            logger.error("log_does_not_hold")
        next_at = self._tonight()

        def step(tx: Tx) -> None:
            if duties.done(tx, mine, next_at, found) and found:
                tx.record(SERVICE_STREAM, FileFoundDamaged("log"))

        await self._database.run(step)
        return next_at

    async def _retain(self, mine: Mine) -> datetime:
        """A case at a time, so that nobody waits for it; what is over for a night waits for the next."""
        erased = await self.erase_due() if self._erases else 0
        next_at = self._tonight(_RETAIN_AT)
        await self._database.run(partial(duties.done, mine=mine, next_at=next_at, found={}))
        if erased:
            logger.info("erased", count=erased)
        return next_at

    async def erase_due(self) -> int:
        """Erase what is due now, at most so much at once; gives how much."""
        database = self._database
        now = database.clock.now()
        erased = 0
        for one in await database.look(lambda c: retention.due(c, now)):
            erased += await database.run(partial(retention.erase, incident_id=one.incident_id)) is not None
        return erased + await database.run(retention.erase_the_rest)

    async def _check_suspicion(self) -> None:
        """Somebody read what made no sense, or nobody has looked since the start.

        Each report that is still written does more harm to a damaged file.
        """
        real, last = self._database.clock.real(), self._found_whole_at
        if last is None or real - last >= _SUSPECT_AGAIN:
            damaged = await self._damage()
            if damaged is not None:
                await self._stop(damaged)
            else:
                self._found_whole_at = real
        self._node.pulse.suspects_damage = self._is_unchecked = False

    async def _damage(self) -> str | None:
        try:
            return await self._database.look(damage)
        except DatabaseDamaged as error:
            return type(error).__name__

    async def _stop(self, damaged: str) -> None:
        """Nothing more is written to a damaged file; what can still be read is saved for the desk."""
        logger.error("database_damaged", reason=damaged)
        self._node.pulse.damage = damaged
        self._database.stop_writing()
        if self._save_sheet is not None:
            await self._save_sheet()

    def _tonight(self, hour: time = _CHECK_AT) -> datetime:
        real, zone = self._database.clock.real(), self._desk.zone
        today = real.astimezone(zone).date()
        at = datetime.combine(today, hour, zone)
        return at if at > real else datetime.combine(today + timedelta(days=1), hour, zone)

    @property
    def _speed(self) -> float:
        return speed_of(self._database.clock)

    def _moment(self) -> Moment:
        clock = self._database.clock
        return Moment(clock.now(), clock.real(), self._speed)
