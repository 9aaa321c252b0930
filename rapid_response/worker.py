"""The worker: loops that look for what is due, and do it in steps.

APScheduler is the alarm clock alone (`wakeups`): once a second it says "look now", each minute it says
"seal" (its job stores are unfit for deadlines, reliability.md 2). What is due stands in the database. One
glance a second says which loops have anything to do, and when the next thing falls due; the others rest.
After a commit the loops it woke look at once, so that nobody waits for the tick; a lost nudge costs one tick.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

import structlog

from rapid_response.caretaker import Caretaker
from rapid_response.core import backoff, failpoints
from rapid_response.core.clock import SystemClock, speed_of
from rapid_response.core.events import SERVICE_STREAM, WorkParked
from rapid_response.core.pulse import Pulse
from rapid_response.core.states import MessageChannel
from rapid_response.intake.second.answering import Told, question, read_answer, version_of
from rapid_response.intake.second.breaker import Breaker
from rapid_response.intake.second.endpoint import AT_ONCE
from rapid_response.intake.second.masking import Masked, mask
from rapid_response.intake.second.port import Fault, ReaderFailed, SecondReader
from rapid_response.messaging.gateway import (
    Ambiguous,
    CallRequest,
    CannotAsk,
    Gateway,
    SendOutcome,
    SentRecord,
    TextRequest,
)
from rapid_response.messaging.mail import Mailer, MailFailed
from rapid_response.places.online import AT_ONCE as ASKED_AT_ONCE
from rapid_response.places.online import LookupFailed, Online
from rapid_response.reporting import tallies
from rapid_response.steps import (
    blanking,
    catch_up,
    heartbeat,
    holding,
    mailing,
    placing,
    receipts,
    second,
    sending,
    unknowns,
)
from rapid_response.steps.blanking import Where, Words
from rapid_response.steps.catch_up import Listing
from rapid_response.steps.desk import Desk
from rapid_response.steps.ring import arm_standing, ring, ring_all, together
from rapid_response.steps.sending import Claimed
from rapid_response.steps.unknowns import Fetching, Unknown
from rapid_response.storage import clock_mark, log, work
from rapid_response.storage.database import Database, DatabaseUnavailable, suspect_damage
from rapid_response.storage.tx import Tx
from rapid_response.storage.waiting import Waiting as WaitingNow
from rapid_response.storage.waiting import glance
from rapid_response.storage.work import Due, Waiting
from rapid_response.wakeups import Wakeups
from rapid_response.wiring import Handler

logger = structlog.get_logger("worker")

T = TypeVar("T")

#: A text or call that the provider does not answer in this time is unknown (its own time-outs are shorter).
_PROVIDER_SECONDS = 20.0
#: So long a minute may be spent on words that the provider need not keep.
_BLANKING_SECONDS = 20.0
_TICK_SECONDS = 1
_SWEEP_SECONDS = 15
_SEAL_SECONDS = 60
#: Of what falls due together so many entries are done in one step; a few are done one by one, side by side.
_RING_AT_ONCE = 30
_RING_ALONE = 3
#: So long a message waits for others to go with it, where there is room for it but not for many.
_ROOM_SECONDS = 0.05
#: Work that falls due closer together than this is looked for together.
_TOGETHER_SECONDS = 0.02
#: Events of so long are counted together, and so long's receipts of the simulated network are told together.
_DELIVER_TOGETHER_SECONDS = 0.2
_PUMP_TOGETHER_SECONDS = 0.1
#: So often looks what comes each minute or quarter, or at night, or is woken when it has something to do.
_SELDOM_TICKS = 5
#: How often a node says that it is alive; it is missed after fifteen seconds.
_BEAT_TICKS = 5
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
    #: A glance has shown that there is nothing for it, and nobody has woken it since.
    rests: bool = False
    #: How often it has failed in a row for want of the database, and until when it waits for it.
    failures: int = 0
    waits_until: datetime | None = None


class Line(Protocol):
    """A simulated network, which tells by itself what becomes of texts and calls."""

    async def pump(self) -> int:
        """Tell what is due; gives how much that was."""

    async def next_due(self) -> datetime | None:
        """When, in real time, there is something to tell."""


@dataclass(frozen=True, slots=True)
class Second:
    """The second reader, and how often it may be asked. Its lease is longer than any call of it."""

    reader: SecondReader
    per_day: int
    lease: timedelta
    breaker: Breaker = field(default_factory=Breaker)


class Worker:
    """Rings what is due, sends what is queued, delivers events, seals the log.

    `line` is what the simulator does by itself, being a party of its own; None with a real provider. `second`
    is the second reader, in a loop of its own: however slow it is, no other loop waits for it.
    `in_flight` messages are with the provider at once. `blank_after` so long the provider keeps no words of
    texts, `erase_after` so long no voicemails.
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
        self._blank_after, self._erase_after = blank_after, erase_after
        self._in_flight = in_flight
        self._database = database
        self._desk = desk
        self._gateway = gateway
        self._handlers = handlers
        self._node = node
        self._pulse = pulse or Pulse()
        self._caretaker = caretaker
        loops = [
            Loop("ring", self.ring_due),
            Loop("send", self.send_more),
            Loop("deliver", self.deliver_events, gathers=_DELIVER_TOGETHER_SECONDS),
            Loop("catch_up", self.catch_up, every=_SELDOM_TICKS),
        ]
        if caretaker is not None:
            loops += [
                Loop("audit", caretaker.audit, every=_SELDOM_TICKS),
                Loop("check", caretaker.check, every=_SELDOM_TICKS),
                Loop("retain", caretaker.retain, every=_SELDOM_TICKS),
            ]
        self._line = line
        if line is not None:
            loops.append(Loop("pump", self.pump, every=_SELDOM_TICKS, gathers=_PUMP_TOGETHER_SECONDS))
        self._second = second_reader
        if second_reader is not None:
            loops.append(Loop("second", self.ask_second_reader))
        self._online = online
        self._online_breaker = Breaker()
        if online is not None:
            loops.append(Loop("places", self.ask_places))
        self._mailer = mailer
        if mailer is not None:
            loops.append(Loop("mail", self.send_mail))
        #: Nothing is overdue any more of what fell due before the start.
        self.has_caught_up = asyncio.Event()
        #: What is with the provider now, and why the last of it could not be written down.
        self._flying: set[asyncio.Task[None]] = set()
        self._fault: BaseException | None = None
        self._loops = {loop.name: loop for loop in loops}
        self._bells: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._scheduler: Wakeups | None = None
        self._main: asyncio.AbstractEventLoop | None = None
        #: When loops look again before the next tick, by name.
        self._next_looks: dict[str, asyncio.TimerHandle] = {}
        #: Loops that were woken, and wait for what comes close together.
        self._gathering: dict[str, asyncio.TimerHandle] = {}
        self._ticks = 0
        #: Whether the last glance was answered.
        self._glances = False

    # life

    async def start(self) -> None:
        """Begin; what was due while nobody served is done now, most dangerous first."""
        failpoints.reach(failpoints.WORKER_STARTS)
        self._main = asyncio.get_running_loop()
        self._bells = {name: asyncio.Event() for name in self._loops}
        self._database.on_commit = self._on_commit
        if self._caretaker is not None:
            await self._caretaker.begin()
        await self._database.run(lambda tx: heartbeat.beat(tx, self._node, started=True))
        for name in self._loops:
            self._pulse.passed(name, self._real())
        await self._arm_standing()
        self._tasks = [
            asyncio.create_task(self._forever(loop), name=f"loop-{loop.name}")
            for loop in self._loops.values()
        ]
        scheduler = Wakeups()
        scheduler.add_job(self._tick, "interval", seconds=_TICK_SECONDS)
        scheduler.add_job(self._each_quarter, "interval", seconds=_SWEEP_SECONDS)
        scheduler.add_job(self._each_minute, "interval", seconds=_SEAL_SECONDS)
        scheduler.start()
        self._scheduler = scheduler
        self.nudge(set(self._loops))
        failpoints.reach(failpoints.WORKER_STARTED)

    async def stop(self) -> None:
        """End; each step is one transaction, so nothing is left half done."""
        self._database.on_commit = lambda _: None
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
        for look in (*self._next_looks.values(), *self._gathering.values()):
            look.cancel()
        tasks = [*self._tasks, *self._flying]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks = []

    async def close(self) -> None:
        """Let go of what was opened before the start, whether or not it was ever started."""
        if self._second is not None:
            await self._second.reader.close()
        if self._online is not None:
            await self._online.close()
        if self._mailer is not None:
            await self._mailer.close()

    def nudge(self, names: set[str]) -> None:
        """Wake loops; from the event loop's own thread. One that waits for the database is left to wait."""
        for name in names:
            if (bell := self._bells.get(name)) and not self._waits(self._loops[name]):
                self._loops[name].rests = False
                self._ring_bell(self._loops[name], bell)

    def _ring_bell(self, loop: Loop, bell: asyncio.Event) -> None:
        if not loop.gathers or self._main is None:
            bell.set()
        elif loop.name not in self._gathering:
            self._gathering[loop.name] = self._main.call_later(loop.gathers, self._gathered, loop.name)

    def _gathered(self, name: str) -> None:
        self._gathering.pop(name, None)
        self._bells[name].set()

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
        return loop.waits_until is not None and self._real() < loop.waits_until

    def _on_commit(self, names: set[str]) -> None:
        if self._main is not None and not self._main.is_closed():
            self._main.call_soon_threadsafe(self.nudge, names)

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
        """After a pass that did something: whether to look for more, which costs more than a glance."""
        if loop.name not in _SEEN_AT_A_GLANCE:
            return True
        return loop.name in self._due(await self._database.look(glance))

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
            logger.error("loop_failed", loop=loop.name, error=name, **_why(error))

    async def _tick(self) -> None:
        self._ticks += 1
        by_themselves = {name for name, loop in self._loops.items() if self._ticks % loop.every == 0}
        self.nudge(by_themselves - _SEEN_AT_A_GLANCE if self._glances else by_themselves)
        if self._pulse.other_schema is None:
            await self._try("tick", self._beat)
        if self._caretaker is not None:
            await self._try("clock", self._caretaker.watch_clock)

    async def _beat(self) -> None:
        """Say that this node is alive; and see what there is to do."""

        # A commit is what an idle second costs most: what is only said for others is said less often.
        says_so = self._ticks % _BEAT_TICKS == 0 or not self._glances

        def step(tx: Tx) -> WaitingNow:
            if says_so:
                heartbeat.beat(tx, self._node)
            return glance(tx)

        self._glances = False
        waiting = await self._database.run(step, urgent=True)
        self._glances = True
        self._follow(waiting)
        if clock_mark.is_apart(self._database.clock):
            await self._database.run(clock_mark.keep)

    def _follow(self, waiting: WaitingNow) -> None:
        """Wake the loops for which there is something now; the others rest."""
        due = self._due(waiting)
        self.nudge(due)
        self._let_rest(set(_SEEN_AT_A_GLANCE) - due)

    def _due(self, waiting: WaitingNow) -> set[str]:
        """The loops for which there is something now; they look again when the next thing falls due."""
        clock = self._database.clock
        due = {"deliver"} if waiting.delivers else set()
        if waiting.ring_at is not None:
            if waiting.ring_at <= clock.now():
                due.add("ring")
            else:
                self._look_again_at(waiting.ring_at)
        if waiting.send_at is not None:
            if waiting.send_at <= clock.real():
                due.add("send")
            else:
                self._look_again_in("send", (waiting.send_at - clock.real()).total_seconds())
        if waiting.lets_go:
            # The hold ends with the next look for messages, be there any or none.
            due.add("send")
        return due

    async def _each_quarter(self) -> None:
        if self._caretaker is not None:
            # Not each minute: the alarm is promised within one.
            await self._try("database_clock", self._caretaker.watch_database_clock)
        if self._pulse.other_schema is None:
            await self._try("sweep", self.sweep)

    async def _each_minute(self) -> None:
        if self._caretaker is not None:
            await self._try("schema", self._caretaker.watch_schema)
            await self._try("service", self._caretaker.remember_service)
        if self._pulse.other_schema is None:
            await self._try("seal", self.seal)
            # A definition that was loaded meanwhile may want its shifts tested.
            await self._try("standing", self._arm_standing)
            await self._try("blanking", self.blank_old_words)

    async def _arm_standing(self) -> None:
        await self._database.run(partial(arm_standing, desk=self._desk))

    async def _try(self, what: str, do: Callable[[], Awaitable[object]]) -> None:
        """Do one thing of a tick; what fails is said once, and tried again at the next tick."""
        try:
            await do()
        except Exception as error:  # the next tick tries again
            suspect_damage(self._pulse, error)
            if self._pulse.failed(what, type(error).__name__):
                logger.error("tick_failed", step=what, error=type(error).__name__, **_why(error))
        else:
            self._pulse.failing.pop(what, None)

    async def settle(self) -> int:
        """Pass after pass until nothing is left to do: for tests and commands. Returns how much was done."""
        done = 0
        while True:
            found = 0
            for loop in self._loops.values():
                found += await loop.pass_()
                await self._landed()
            if not found:
                return done
            done += found

    # what is due

    async def ring_due(self) -> int:
        """Do what has fallen due; when nothing has, see that the next entry is looked for in time."""
        due, next_at = await self._database.run(holding.look_for_due, urgent=True)
        if next_at is not None:
            self._look_again_at(next_at)
        if due:
            failpoints.reach(failpoints.AGENDA_CLAIMED)
        else:
            self.has_caught_up.set()
        parts = together(due, _RING_AT_ONCE if len(due) > _RING_ALONE else 1)
        await asyncio.gather(*(self._ring_all(part) for part in parts))
        return len(due)

    def _look_again_at(self, due_at: datetime) -> None:
        """Ring the bell then, if that is sooner than the tick: a second late is a second too late."""
        clock = self._database.clock
        self._look_again_in("ring", (due_at - clock.now()).total_seconds() / speed_of(clock))

    def _look_again_in(self, loop: str, seconds: float) -> None:
        if self._main is None:
            return
        if (look := self._next_looks.pop(loop, None)) is not None:
            look.cancel()
        if seconds < _TICK_SECONDS * self._loops[loop].every:
            wait = max(_TOGETHER_SECONDS, seconds)
            self._next_looks[loop] = self._main.call_later(wait, self.nudge, {loop})

    async def _ring_all(self, entries: Sequence[Due]) -> None:
        if len(entries) > 1:
            try:
                await self._database.run(partial(ring_all, desk=self._desk, entries=entries), urgent=True)
            except DatabaseUnavailable:
                raise
            except Exception:  # one of them is poisoned, and nothing of the others was done
                logger.warning("ringing_one_by_one", entries=len(entries))
            else:
                return
        for entry in entries:
            await self._ring(entry)

    async def _ring(self, due: Due) -> None:
        try:
            await self._database.run(partial(ring, desk=self._desk, due=due), urgent=True)
        except DatabaseUnavailable:  # not this work's fault: its lease ends, and it is done then
            raise
        except Exception as error:  # poisoned work is parked and shown, and never in the way of other work
            await self._failed(due, due.incident_id or SERVICE_STREAM, due.kind, error)

    async def _failed(self, entry: Due | Waiting, stream: str, kind: str, error: Exception) -> None:
        name = type(error).__name__

        def step(tx: Tx) -> None:
            if work.failed(tx, entry, name):
                tx.record(stream, WorkParked(kind, name))

        logger.error("work_failed", kind=kind, error=name, attempts=entry.attempts)
        await self._database.run(step)

    # what is queued

    async def send_queued(self) -> int:
        """As :meth:`send_more`, and wait for all of it: for tests and commands."""
        found = await self.send_more()
        await self._landed()
        return found

    async def send_more(self) -> int:
        """Hand queued messages to the provider, and ask about what nobody knows the fate of.

        What the provider is slow to answer is not waited for while there is room for more.
        """
        self._tell_fault()
        found = await self._database.run(
            partial(
                holding.unless_held,
                look=partial(sending.look_for_work, desk=self._desk, limit=await self._room()),
                nothing=sending.Work(),
            ),
            urgent=True,
        )
        if found.claimed:
            failpoints.reach(failpoints.MSG_CLAIMED)
        for each in (
            *(self._send(one) for one in found.claimed),
            *(self._look_up(one) for one in found.unknown),
            *(self._fetch(one) for one in found.fetching),
        ):
            task = asyncio.create_task(each)
            self._flying.add(task)
            task.add_done_callback(self._has_landed)
        return len(found)

    async def _room(self) -> int:
        """How many more may go; waits until there are some, as several are claimed more cheaply than one."""
        while len(self._flying) > self._in_flight // 2:
            landed, _ = await asyncio.wait(
                self._flying, timeout=_ROOM_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if not landed and len(self._flying) < self._in_flight:
                break
        return self._in_flight - len(self._flying)

    async def _landed(self) -> None:
        while self._flying:
            await asyncio.wait(self._flying)
        self._tell_fault()

    def _has_landed(self, task: asyncio.Task[None]) -> None:
        self._flying.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._fault = fault
            self.nudge({"send"})

    def _tell_fault(self) -> None:
        """Raise what kept an answer from being written down; the message is looked up when its lease ends."""
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault

    async def _send(self, claimed: Claimed) -> None:
        failpoints.reach(failpoints.MSG_BEFORE_HTTP)
        outcome = await self._hand_over(claimed)
        failpoints.reach(failpoints.MSG_AFTER_HTTP)
        await self._database.run(
            partial(sending.record_answer, desk=self._desk, claimed=claimed, outcome=outcome),
            urgent=True,
            together="answers",
        )
        failpoints.reach(failpoints.MSG_RECORDED)

    async def _hand_over(self, claimed: Claimed) -> SendOutcome:
        try:
            async with asyncio.timeout(_PROVIDER_SECONDS):
                if claimed.channel is MessageChannel.VOICE:
                    return await self._gateway.place_call(
                        CallRequest(claimed.token, claimed.to_number, claimed.ring_for)
                    )
                return await self._gateway.send_text(
                    TextRequest(claimed.token, claimed.to_number, claimed.body, claimed.validity)
                )
        except Exception as error:  # whatever it was, it may have gone: nobody knows
            return Ambiguous(type(error).__name__)

    async def _look_up(self, unknown: Unknown) -> None:
        found: list[SentRecord] | None = []
        if unknown.can_be_listed:
            failpoints.reach(failpoints.LOOKUP_BEFORE)
            found = await self._ask(self._gateway.find_sent(unknown.to_number, unknown.since))
            failpoints.reach(failpoints.LOOKUP_AFTER)
        await self._database.run(
            partial(unknowns.record_look_up, desk=self._desk, unknown=unknown, sent=found)
        )

    async def _fetch(self, fetching: Fetching) -> None:
        found = await self._ask(self._gateway.fetch(fetching.sid))
        await self._database.run(
            partial(unknowns.record_fetch, desk=self._desk, fetching=fetching, found=found)
        )

    async def _ask(self, question: Awaitable[T]) -> T | None:
        """The provider's answer; None when it could not be asked, which is not "there is none"."""
        try:
            async with asyncio.timeout(_PROVIDER_SECONDS):
                return await question
        except Exception as error:  # it is asked again
            why = error.error_class if isinstance(error, CannotAsk) else type(error).__name__
            logger.warning("provider_not_asked", why=why)
            return None

    async def pump(self) -> int:
        """Let the simulated network tell what is due; when nothing is, see that it is asked again in time."""
        if self._line is None:
            return 0
        told = await self._line.pump()
        if not told and (due := await self._line.next_due()) is not None:
            self._look_again_in("pump", (due - self._real()).total_seconds())
        return told

    # what was said, and came to nothing yet

    async def sweep(self) -> int:
        """Receipts that fitted nothing when they came are tried once more; rows are counted for figures."""
        settled = await self._database.run(partial(receipts.sweep, desk=self._desk))
        while await self._database.run(tallies.count_rows):
            pass
        return settled

    async def catch_up(self) -> int:
        """Look for texts whose webhook was lost; gives how many were found."""
        numbers = self._gateway.our_numbers
        due = await self._database.run(partial(catch_up.claim, desk=self._desk, numbers=numbers))
        found = await asyncio.gather(*(self._list(listing) for listing in due))
        return sum(found)

    async def _list(self, listing: Listing) -> int:
        texts = await self._ask(self._gateway.list_inbound(listing.number, listing.since))
        new = await self._database.run(
            partial(catch_up.record, desk=self._desk, listing=listing, found=texts)
        )
        if new:
            logger.warning("lost_webhooks", texts=new)
        return new

    # what the provider need not keep

    async def blank_old_words(self) -> int:
        """See that the provider keeps no old words; gives of how many texts and voicemails.

        The rest goes next time.
        """
        if self._blank_after is None and self._erase_after is None:
            return 0
        look = partial(
            blanking.due, desk=self._desk, blank_after=self._blank_after, erase_after=self._erase_after
        )
        blanked: list[Words] = []
        nothing: list[Words] = []
        began = asyncio.get_running_loop().time()
        for words in await self._database.run(partial(holding.unless_held, look=look, nothing=nothing)):
            if asyncio.get_running_loop().time() - began > _BLANKING_SECONDS:
                break
            try:
                async with asyncio.timeout(_PROVIDER_SECONDS):
                    await self._let_go(words)
            except Exception as error:  # it is tried again in a minute
                why = error.error_class if isinstance(error, CannotAsk) else type(error).__name__
                logger.warning("words_not_blanked", why=why)
                break
            blanked.append(words)
        await self._database.run(partial(blanking.done, gone=blanked))
        return len(blanked)

    async def _let_go(self, words: Words) -> None:
        for sid in words.sids:
            if words.where is Where.VOICEMAIL:
                await self._gateway.erase(sid)
            else:
                await self._gateway.blank(sid)

    # what happened

    async def deliver_events(self) -> int:
        """Let subscriptions hear what they have not heard yet: many at once, one by one where that fails."""
        waiting = await self._database.run(work.claim_deliveries)
        if waiting:
            failpoints.reach(failpoints.EVENTS_CLAIMED)
        by_name: dict[str, list[Waiting]] = {}
        for one in waiting:
            by_name.setdefault(one.subscription, []).append(one)
        for name, its in by_name.items():
            try:
                await self._deliver(name, its)
            except DatabaseUnavailable:
                raise
            except Exception:  # one poisoned delivery never stops the others
                await asyncio.gather(*(self._deliver_alone(name, one) for one in its))
        return len(waiting)

    async def _deliver(self, name: str, waiting: Sequence[Waiting]) -> None:
        handler = self._handlers.get(name)
        if handler is None:
            raise LookupError(name)
        await self._database.run(partial(work.deliver, waiting=waiting, handler=handler))

    async def _deliver_alone(self, name: str, waiting: Waiting) -> None:
        try:
            await self._deliver(name, [waiting])
        except DatabaseUnavailable:
            raise
        except Exception as error:  # it waits for its back-off, or is parked
            await self._failed(waiting, waiting.stream, "delivery", error)

    # the second reader

    async def ask_second_reader(self) -> int:
        """Have waiting reports read a second time; no transaction is open while it is asked."""
        if self._second is None:
            return 0
        room = self._second.breaker.room(self._database.clock.real(), AT_ONCE)
        if not room:
            return 0
        claimed = await self._database.run(
            partial(
                second.claim,
                zone=self._desk.zone,
                per_day=self._second.per_day,
                at_once=AT_ONCE,
                limit=room,
                lease=self._second.lease,
            )
        )
        await asyncio.gather(*(self._have_read(self._second, one) for one in claimed))
        return len(claimed)

    async def _have_read(self, with_: Second, claimed: second.Claimed) -> None:
        real = self._database.clock.real
        try:
            told = await self._second_opinion(with_.reader, claimed)
        except Exception as error:  # whatever it was, only the second reading is without an answer
            fault = error.fault if isinstance(error, ReaderFailed) else Fault.NOT_UNDERSTOOD
            with_.breaker.failed(real())
            logger.warning("second_reading_failed", error=fault.value, attempts=claimed.attempts)
            await self._database.run(partial(second.failed, claimed=claimed, fault=fault))
            return
        with_.breaker.succeeded()
        version = version_of(with_.reader.model)
        await self._database.run(
            partial(second.record, desk=self._desk, claimed=claimed, told=told, model_version=version)
        )

    async def _second_opinion(self, reader: SecondReader, claimed: second.Claimed) -> Told:
        """Only what :func:`mask` leaves of the report goes out; the way back stays in this call's memory."""
        received_at = claimed.received_at.astimezone(self._desk.zone)
        masked: Masked = await asyncio.to_thread(mask, claimed.narrative, claimed.known, received_at.year)
        words = await reader.ask(question(masked, claimed.channel, received_at))
        return await asyncio.to_thread(read_answer, words, masked)

    # postcodes.io

    async def ask_places(self) -> int:
        """Ask for postcodes that the table does not know; nothing waits for the answers."""
        if self._online is None:
            return 0
        room = self._online_breaker.room(self._database.clock.real(), ASKED_AT_ONCE)
        if not room:
            return 0
        claimed = await self._database.run(partial(placing.claim, limit=room))
        await asyncio.gather(*(self._ask_place(self._online, postcode) for postcode in claimed))
        return len(claimed)

    async def _ask_place(self, online: Online, postcode: str) -> None:
        try:
            answer = await online.ask(postcode)
        except LookupFailed as error:
            self._online_breaker.failed(self._database.clock.real())
            logger.warning("place_lookup_failed", error=str(error))
            await self._database.run(partial(placing.failed, postcode=postcode))
            return
        self._online_breaker.succeeded()
        await self._database.run(partial(placing.answered, desk=self._desk, postcode=postcode, answer=answer))

    async def send_mail(self) -> int:
        """Hand in what the desk's mailbox is to get, one at a time; no other loop waits for it."""
        if self._mailer is None:
            return 0
        claimed = await self._database.run(partial(holding.unless_held, look=mailing.claim, nothing=None))
        if claimed is None:
            return 0
        try:
            await self._mailer.send(claimed.mail)
        except MailFailed as error:
            said = str(error)
            logger.warning("mail_failed", error=said)
            if await self._database.run(partial(mailing.failed, claimed=claimed, error=said)):
                logger.error("mail_parked", error=said)
            return 1
        await self._database.run(partial(mailing.sent, claimed=claimed))
        return 1

    async def seal(self) -> None:
        """Seal the log, and say the root where others keep it."""
        sealed = await self._database.run(log.seal)
        if sealed is not None:
            logger.info("log_sealed", seal=sealed[0], root=sealed[1])


def _why(error: Exception) -> Mapping[str, str | None]:
    return error.for_log() if isinstance(error, DatabaseUnavailable) else {}


def clock_offset(database: Database, clock: SystemClock) -> timedelta:
    """How far the database's clock is ahead of the machine's own; nothing on SQLite."""
    return database.clock_offset() + clock.offset
