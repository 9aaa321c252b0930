"""The worker: which loops there are, and what each tick says.

APScheduler is the alarm clock alone (`wakeups`): once a second it says "look now", each minute it says
"seal" (its job stores are unfit for deadlines, reliability.md 2).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog

from rapid_response.caretaker import Caretaker
from rapid_response.core import failpoints
from rapid_response.core.pulse import Pulse
from rapid_response.messaging.gateway import Gateway
from rapid_response.messaging.mail import Mailer
from rapid_response.places.online import Online
from rapid_response.reporting import tallies
from rapid_response.steps import heartbeat, receipts
from rapid_response.steps.desk import Desk
from rapid_response.steps.ring import arm_standing
from rapid_response.storage import clock_mark, log
from rapid_response.storage.database import Database
from rapid_response.storage.tx import Tx
from rapid_response.storage.waiting import Waiting, glance
from rapid_response.wakeups import Wakeups
from rapid_response.wiring import Handler
from rapid_response.worker.delivering import Deliverer
from rapid_response.worker.loops import TICK_SECONDS, Loop, Loops
from rapid_response.worker.places import Places
from rapid_response.worker.post import Post
from rapid_response.worker.provided import Provided
from rapid_response.worker.ringing import Ringer
from rapid_response.worker.second import Second, SecondReadings
from rapid_response.worker.sending import Sender

logger = structlog.get_logger("worker")

_SWEEP_SECONDS = 15
_SEAL_SECONDS = 60
#: Events of so long are counted together (whoever scrapes has them counted first), and so long's receipts of
#: the simulated network are told together.
_DELIVER_TOGETHER_SECONDS = 1.0
_PUMP_TOGETHER_SECONDS = 0.1
#: So often looks what comes each minute or quarter, or at night, or is woken when it has something to do.
_SELDOM_TICKS = 5
#: How often a node says that it is alive; it is missed after fifteen seconds.
_BEAT_TICKS = 5


class Line(Protocol):
    """A simulated network, which tells by itself what becomes of texts and calls."""

    async def pump(self) -> int:
        """Tell what is due; gives how much that was."""

    async def next_due(self) -> datetime | None:
        """When, in real time, there is something to tell."""


class Worker:
    """Rings what is due, sends what is queued, delivers events, seals the log.

    `line` is what the simulator does by itself, being a party of its own; None with a real provider.
    """

    def __init__(
        self,
        database: Database,
        desk: Desk,
        gateway: Gateway,
        handlers: Mapping[str, Handler],
        *,
        node: str,
        pulse: Pulse | None = None,
        caretaker: Caretaker | None = None,
        line: Line | None = None,
        second_reader: Second | None = None,
        online: Online | None = None,
        mailer: Mailer | None = None,
        in_flight: int = 8,
        blank_after: timedelta | None = None,
        erase_after: timedelta | None = None,
    ) -> None:
        self._database = database
        self._desk = desk
        self._node = node
        self._pulse = pulse or Pulse()
        self._caretaker = caretaker
        self._line = line
        self.loops = Loops(database, self._pulse)
        self.ringer = Ringer(database, desk, self.loops.ring_again_at)
        self.sender = Sender(
            database, desk, gateway, in_flight=in_flight, look_again=lambda: self.loops.nudge({"send"})
        )
        self.deliverer = Deliverer(database, handlers)
        self.provided = Provided(database, desk, gateway, blank_after=blank_after, erase_after=erase_after)
        self.second = SecondReadings(database, desk, second_reader) if second_reader is not None else None
        self.places = Places(database, desk, online) if online is not None else None
        self.post = Post(database, mailer) if mailer is not None else None
        self._add_loops()
        self._scheduler: Wakeups | None = None
        #: Whether the last glance was answered.
        self._glances = False

    def _add_loops(self) -> None:
        add = self.loops.add
        add(
            Loop("ring", self.ringer.ring_due),
            Loop("send", self.sender.send_more, leaves_some=lambda: self.sender.leaves_some),
            Loop(
                "deliver",
                self.deliverer.deliver_events,
                gathers=_DELIVER_TOGETHER_SECONDS,
                leaves_some=lambda: self.deliverer.leaves_some,
            ),
            Loop("catch_up", self.provided.catch_up, every=_SELDOM_TICKS),
        )
        if self._caretaker is not None:
            add(
                Loop("audit", self._caretaker.audit, every=_SELDOM_TICKS),
                Loop("check", self._caretaker.check, every=_SELDOM_TICKS),
                Loop("retain", self._caretaker.retain, every=_SELDOM_TICKS),
            )
        if self._line is not None:
            pump = partial(self._pump, self._line)
            add(Loop("pump", pump, every=_SELDOM_TICKS, gathers=_PUMP_TOGETHER_SECONDS))
        # However slow each of these is, no other loop waits for it.
        if self.second is not None:
            add(Loop("second", self.second.ask))
        if self.places is not None:
            add(Loop("places", self.places.ask))
        if self.post is not None:
            add(Loop("mail", self.post.send))

    # life

    async def start(self) -> None:
        """Begin; what was due while nobody served is done now, most dangerous first."""
        failpoints.reach(failpoints.WORKER_STARTS)
        self.loops.listen()
        if self._caretaker is not None:
            await self._caretaker.begin()
        await self._database.run(lambda tx: heartbeat.beat(tx, self._node, started=True))
        self.loops.say_they_pass()
        await self._arm_standing()
        scheduler = Wakeups()
        scheduler.add_job(self._tick, "interval", seconds=TICK_SECONDS)
        scheduler.add_job(self._each_quarter, "interval", seconds=_SWEEP_SECONDS)
        scheduler.add_job(self._each_minute, "interval", seconds=_SEAL_SECONDS)
        scheduler.start()
        self._scheduler = scheduler
        self.loops.begin()
        failpoints.reach(failpoints.WORKER_STARTED)

    async def stop(self) -> None:
        """End; each step is one transaction, so nothing is left half done."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
        await asyncio.gather(*self.loops.stop(), *self.sender.stop(), return_exceptions=True)

    async def close(self) -> None:
        """Let go of what was opened before the start, whether or not it was ever started."""
        for opened in (self.second, self.places, self.post):
            if opened is not None:
                await opened.close()

    async def settle(self) -> int:
        """Pass after pass until nothing is left to do: for tests and commands. Returns how much was done."""
        passes = {**self.loops.passes, "send": self.sender.send_queued}
        done = 0
        while found := sum([await do() for do in passes.values()]):
            done += found
        return done

    # what each tick says

    async def _tick(self) -> None:
        self.loops.tick(glances=self._glances)
        if self._pulse.other_schema is None:
            await self.loops.attempt("tick", self._beat)
        if self._caretaker is not None:
            await self.loops.attempt("clock", self._caretaker.watch_clock)

    async def _beat(self) -> None:
        """Say that this node is alive; and see what there is to do."""

        # A commit is what an idle second costs most: what is only said for others is said less often.
        says_so = self.loops.ticks % _BEAT_TICKS == 0 or not self._glances

        def step(tx: Tx) -> Waiting:
            if says_so:
                heartbeat.beat(tx, self._node)
            return glance(tx)

        self._glances = False
        waiting = await self._database.run(step, urgent=True)
        self._glances = True
        self.loops.follow(waiting)
        if clock_mark.is_apart(self._database.clock):
            await self._database.run(clock_mark.keep)

    async def _each_quarter(self) -> None:
        if self._caretaker is not None:
            # Not each minute: the alarm is promised within one.
            await self.loops.attempt("database_clock", self._caretaker.watch_database_clock)
        if self._pulse.other_schema is None:
            await self.loops.attempt("sweep", self.sweep)

    async def _each_minute(self) -> None:
        attempt = self.loops.attempt
        if self._caretaker is not None:
            await attempt("schema", self._caretaker.watch_schema)
            await attempt("service", self._caretaker.remember_service)
        if self._pulse.other_schema is None:
            await attempt("seal", self.seal)
            # A definition that was loaded meanwhile may want its shifts tested.
            await attempt("standing", self._arm_standing)
            await attempt("blanking", self.provided.blank_old_words)

    async def _arm_standing(self) -> None:
        await self._database.run(partial(arm_standing, desk=self._desk))

    async def _pump(self, line: Line) -> int:
        """Let the simulated network tell what is due; when nothing is, see that it is asked again in time."""
        told = await line.pump()
        if not told and (due := await line.next_due()) is not None:
            self.loops.look_again_in("pump", (due - self._database.clock.real()).total_seconds())
        return told

    async def sweep(self) -> int:
        """Receipts that fitted nothing when they came are tried once more; rows are counted for figures."""
        settled = await self._database.run(partial(receipts.sweep, desk=self._desk))
        while await self._database.run(tallies.count_rows):
            pass
        return settled

    async def seal(self) -> None:
        """Seal the log, and say the root where others keep it."""
        sealed = await self._database.run(log.seal)
        if sealed is not None:
            logger.info("log_sealed", seal=sealed[0], root=sealed[1])
