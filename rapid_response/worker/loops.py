"""When loops look: at their ticks, when something of theirs is due, and when they are woken.

What is due stands in the database. One glance a second says which loops have anything to do, and when the
next thing falls due; the others rest. After a commit the loops it woke look at once, so that nobody waits for
the tick; a lost nudge costs one tick.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from rapid_response.core import backoff
from rapid_response.core.clock import is_reached, speed_of
from rapid_response.core.pulse import Pulse
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable, suspect_damage
from rapid_response.storage.waiting import Waiting, glance

logger = structlog.get_logger("worker")

TICK_SECONDS = 1
#: Work that falls due closer together than this is looked for together.
_TOGETHER_SECONDS = 0.02
#: Loops whose work a glance shows.
_SEEN_AT_A_GLANCE = frozenset({"ring", "send", "deliver"})


@dataclass(slots=True)
class Loop:
    """One loop: does one pass, and says how much it found to do."""

    name: str
    pass_: Callable[[], Awaitable[int]]
    #: Every how many ticks it looks by itself.
    every: int = 1
    #: How long it waits when it is woken, so that what comes close together is done together: for what
    #: nobody waits for.
    gathers: float = 0.0
    #: Whether its last pass may have left something that was there when it looked; without it, it may.
    leaves_some: Callable[[], bool] = lambda: True
    #: A glance has shown that there is nothing for it, and nobody has woken it since.
    rests: bool = False
    #: How often it has failed in a row for want of the database, and until when it waits for it.
    failures: int = 0
    waits_until: datetime | None = None


class Loops:
    """All loops of one process."""

    def __init__(self, database: Database, pulse: Pulse) -> None:
        self._database = database
        self._pulse = pulse
        self._loops: dict[str, Loop] = {}
        self._bells: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._main: asyncio.AbstractEventLoop | None = None
        #: When loops look again before the next tick, by name.
        self._next_looks: dict[str, asyncio.TimerHandle] = {}
        #: Loops that were woken, and wait for what comes close together.
        self._gathering: dict[str, asyncio.TimerHandle] = {}
        #: How many seconds there were.
        self.ticks = 0

    def add(self, *loops: Loop) -> None:
        """Have these too; before the start."""
        self._loops |= {loop.name: loop for loop in loops}

    @property
    def names(self) -> frozenset[str]:
        """Which there are."""
        return frozenset(self._loops)

    @property
    def passes(self) -> Mapping[str, Callable[[], Awaitable[int]]]:
        """What each does, by its name: for tests and commands, which let them do it without the clock."""
        return {name: loop.pass_ for name, loop in self._loops.items()}

    # life

    def listen(self) -> None:
        """From now on whoever commits work can wake them."""
        self._main = asyncio.get_running_loop()
        self._bells = {name: asyncio.Event() for name in self._loops}
        self._database.on_commit = self._on_commit
        self._pulse.hurry = self._hurry

    def begin(self) -> None:
        """Let each look for the first time, and then go on."""
        self._tasks = [
            asyncio.create_task(self._forever(loop), name=f"loop-{loop.name}")
            for loop in self._loops.values()
        ]
        self.nudge(self._loops)

    def stop(self) -> list[asyncio.Task[None]]:
        """End all of them; gives what is to be waited for."""
        self._database.on_commit = lambda _: None
        for look in (*self._next_looks.values(), *self._gathering.values()):
            look.cancel()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        return tasks

    async def _forever(self, loop: Loop) -> None:
        """Pass after pass; an error is logged and the next tick tries again: a loop never dies."""
        bell = self._bells[loop.name]
        while True:
            await bell.wait()
            bell.clear()
            rests, loop.rests = loop.rests, False
            if self._pulse.other_schema is not None:
                continue  # another release's database: its own nodes do what is due
            if rests:
                self._passed(loop)
                continue
            try:
                while await loop.pass_() and await self._has_more(loop):
                    self._passed(loop)
                self._passed(loop)
            except Exception as error:  # a loop that died would be a deadline missed
                self._failed_pass(loop, error)

    async def _has_more(self, loop: Loop) -> bool:
        """After a pass that did something: whether to look for more, which costs more than a glance.

        What has come since wakes the loop by itself.
        """
        if not loop.leaves_some():
            return False
        if loop.name not in _SEEN_AT_A_GLANCE:
            return True
        return loop.name in self.due(await self._database.look(glance))

    def say_they_pass(self) -> None:
        """They are about to begin, and not late yet."""
        for name in self._loops:
            self._pulse.passed(name, self._real())

    def _passed(self, loop: Loop) -> None:
        if loop.failures:
            logger.info("loop_resumed", loop=loop.name, attempts=loop.failures)
        loop.failures, loop.waits_until = 0, None
        self._pulse.passed(loop.name, self._real())

    def _failed_pass(self, loop: Loop, error: Exception) -> None:
        """Without its database a loop asks again, less and less often, and each node in its own time."""
        name = type(error).__name__
        if isinstance(error, DatabaseUnavailable):
            loop.failures += 1
            chance = self._database.ids.below(backoff.CHANCES)
            loop.waits_until = self._real() + backoff.wait(loop.failures, chance)
        suspect_damage(self._pulse, error)
        if self._pulse.failed(loop.name, name) or not loop.failures:
            logger.error("loop_failed", loop=loop.name, error=name, **why(error))

    async def attempt(self, what: str, do: Callable[[], Awaitable[object]]) -> None:
        """Do one thing of a tick; what fails is said once, and tried again at the next tick."""
        try:
            await do()
        except Exception as error:  # the next tick tries again
            suspect_damage(self._pulse, error)
            if self._pulse.failed(what, type(error).__name__):
                logger.error("tick_failed", step=what, error=type(error).__name__, **why(error))
        else:
            self._pulse.failing.pop(what, None)

    # who looks now

    def tick(self, *, glances: bool) -> None:
        """A second has passed: wake whose turn it is; `glances` where a glance tells those it can tell."""
        self.ticks += 1
        by_themselves = {name for name, loop in self._loops.items() if self.ticks % loop.every == 0}
        self.nudge(by_themselves - _SEEN_AT_A_GLANCE if glances else by_themselves)

    def nudge(self, names: Iterable[str]) -> None:
        """Wake loops; from the event loop's own thread. One that waits for the database is left to wait."""
        for name in names:
            if (bell := self._bells.get(name)) and not self._waits(self._loops[name]):
                self._loops[name].rests = False
                self._ring_bell(self._loops[name], bell)

    def follow(self, waiting: Waiting) -> None:
        """Wake the loops for which there is something now; the others rest."""
        due = self.due(waiting)
        self.nudge(due)
        self._let_rest(set(_SEEN_AT_A_GLANCE) - due)

    def due(self, waiting: Waiting) -> set[str]:
        """The loops for which there is something now; they look again when the next thing falls due."""
        clock = self._database.clock
        due = {"deliver"} if waiting.delivers else set()
        if waiting.ring_at is not None:
            if waiting.ring_at <= clock.now():
                due.add("ring")
            else:
                self.ring_again_at(waiting.ring_at)
        if waiting.send_at is not None:
            if waiting.send_at <= clock.real():
                due.add("send")
            else:
                self.look_again_in("send", (waiting.send_at - clock.real()).total_seconds())
        if waiting.lets_go:
            # The hold ends with the next look for messages, be there any or none.
            due.add("send")
        return due

    def ring_again_at(self, due_at: datetime) -> None:
        """Ring then, if that is sooner than the tick: a second late is a second too late."""
        clock = self._database.clock
        self.look_again_in("ring", (due_at - clock.now()).total_seconds() / speed_of(clock))

    def look_again_in(self, name: str, seconds: float) -> None:
        """Have that loop look so long from now, if that is sooner than its tick."""
        if self._main is None:
            return
        if (look := self._next_looks.pop(name, None)) is not None:
            look.cancel()
        if seconds < TICK_SECONDS * self._loops[name].every:
            wait = max(_TOGETHER_SECONDS, seconds)
            self._next_looks[name] = self._main.call_later(wait, self.nudge, {name})

    def _ring_bell(self, loop: Loop, bell: asyncio.Event) -> None:
        if not loop.gathers or self._main is None:
            bell.set()
        elif loop.name not in self._gathering:
            self._gathering[loop.name] = self._main.call_later(loop.gathers, self._gathered, loop.name)

    def _gathered(self, name: str) -> None:
        self._gathering.pop(name, None)
        self._bells[name].set()

    def _hurry(self, name: str) -> None:
        """Somebody waits for that loop: it gathers no longer."""
        if (gathering := self._gathering.get(name)) is not None:
            gathering.cancel()
            self._gathered(name)

    def _let_rest(self, names: set[str]) -> None:
        """There is nothing for these loops: they only say that they come round."""
        for name in names:
            loop, bell = self._loops[name], self._bells[name]
            if loop.failures:
                self.nudge({name})
            elif not bell.is_set() and name not in self._gathering:
                loop.rests = True
                bell.set()

    def _real(self) -> datetime:
        return self._database.clock.real()

    def _waits(self, loop: Loop) -> bool:
        until = loop.waits_until
        return until is not None and not is_reached(until, self._real(), backoff.LONGEST)

    def _on_commit(self, names: set[str]) -> None:
        if self._main is not None and not self._main.is_closed():
            self._main.call_soon_threadsafe(self.nudge, names)


def why(error: Exception) -> Mapping[str, str | None]:
    """Of a database that cannot be reached, what may be said in the log."""
    return error.for_log() if isinstance(error, DatabaseUnavailable) else {}
