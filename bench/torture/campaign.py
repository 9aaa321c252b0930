"""One round of a campaign: a town whose nodes are struck again and again while people use it, then judged.

A seed decides where each life ends (which failpoint, at which passing, and how), how many reports come in it,
what the provider does with each request, and who answers what. What happens between two of those moments is
real, so that a seed repeats the plan, not every interleaving. On PostgreSQL each of several nodes lives its
own lives beside the others, so that none, one or all of them serve at a moment.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, and_, func, not_, select
from sqlmodel import SQLModel, col

from bench.torture import points
from bench.torture.carrier import Line, Unruly
from bench.torture.judging import Verdict, judge
from bench.torture.nodes import Nursery, Process
from bench.torture.onlookers import Onlookers
from bench.torture.people import WEBHOOK, People
from bench.torture.points import Blow
from bench.torture.towns import PHONES, SOON, TOWN
from rapid_response.core.states import MessageState
from rapid_response.steps.sending import HELD_BY_PERSON
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.tables import AgendaRow, DeliveryRow, InboundMessageRow, MessageRow
from tests.databases import TestDatabases
from tests.gateways.fake_twilio import ACCOUNT, NUMBER, TOKEN
from tests.nodes.running import Council, free_port, settings_of
from tests.nodes.serve import LEASE
from tests.postgres import PrivateServer

#: A life that does not come to its failpoint so long after it began to answer is ended from outside.
_LONGEST_LIFE = (3.0, 7.0)
_CALM_LIFE = (60.0, 60.0)
_ANSWERS_WITHIN = 60.0
#: How often what is unanswered is sent again; and how many seconds after one report the next one comes.
_EVERY, _NEXT_AFTER = 0.3, 2.0
#: A line that counts as down is tried again after two minutes at the latest.
_DRAINS_WITHIN = 600.0
_RUNG = ("call_busy", "call_no_answer")
_UNSETTLED = (MessageState.PENDING, MessageState.RETRY_WAIT, MessageState.SENDING, MessageState.UNKNOWN)
_AT_SOME_MOMENT = "at some moment"
#: How `serve` ends when there is no database to serve; whoever supervises it starts it again.
_REFUSED = 1


@dataclass(frozen=True, slots=True)
class Life:
    """How one process is to be struck, and to end."""

    point: str
    passing: int
    reports: int
    blow: Blow = Blow.KILL
    #: How long it lives on after what did not kill it.
    goes_on: float = 0.5


def lives(
    seed: int, points_: Sequence[str], kills: int, kind: str = "sqlite", blows: Sequence[Blow] = (Blow.KILL,)
) -> list[Life]:
    """The plan of a round: each point as often as the others, in an order by chance."""
    chance = random.Random(f"lives {seed}")
    first = chance.randrange(len(points_)) if kills < len(points_) else 0
    wanted = [points_[(first + n) % len(points_)] for n in range(kills)]
    chance.shuffle(wanted)
    return [
        Life(
            point,
            1 if point in points.RARE else chance.choice((1, 1, 1, 2, 3)),
            1 if point.startswith("intake") else chance.choice((0, 1)),
            chance.choice([blow for blow in blows if points.can(blow, point, kind)] or [Blow.KILL]),
            chance.uniform(0.1, 0.8),
        )
        for point in wanted
    ]


@dataclass
class Partner:
    """Sends reports, again where nobody answered, and keeps what was acknowledged."""

    council: Council
    count: int = 0
    unanswered: list[int] = field(default_factory=list)
    acknowledged: dict[int, str] = field(default_factory=dict)
    #: What else was answered, by node.
    answers: Counter[tuple[int, int]] = field(default_factory=Counter)

    async def sends(self, client: httpx.AsyncClient, port: int, new: int) -> None:
        """What is unanswered still, and so many new ones."""
        self.unanswered += range(self.count, self.count + new)
        self.count += new
        waiting, self.unanswered = self.unanswered, []
        await asyncio.gather(*(self._send(client, port, number) for number in waiting))

    async def _send(self, client: httpx.AsyncClient, port: int, number: int) -> None:
        is_answered = False
        try:
            answer = await client.post(
                f"http://127.0.0.1:{port}/api/v1/reports",
                **self.council.numbered_report(number),
            )
            is_answered = answer.status_code == 201
        except httpx.TransportError:
            return
        finally:
            # Also when we were told to stop waiting.
            if not is_answered:
                self.unanswered.append(number)
        self.answers[port, answer.status_code] += 1
        if is_answered:
            reference = answer.json()["reference"]
            if self.acknowledged.setdefault(number, reference) != reference:
                raise RuntimeError("one report became two incidents")


@dataclass(frozen=True, slots=True)
class Restarted:
    """A server that rounds stop and start; `up` is held by whoever needs it up, or takes it down."""

    server: PrivateServer
    up: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass
class Round:
    """One town, its nodes, its provider, its people and its reports."""

    council: Council
    nursery: Nursery
    seed: int
    nodes: int = 1
    #: The server of the database, when it is to be restarted now and then.
    server: Restarted | None = None
    restarts: int = 0
    #: For the test suite: nothing of the provider fails, and however busy the machine is, no time runs out.
    is_calm: bool = False
    carrier: Unruly = field(init=False)
    partner: Partner = field(init=False)
    onlookers: Onlookers = field(init=False)
    living: list[Process] = field(default_factory=list)
    #: Each process that was killed, by where; and what else was done to them.
    killed: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    _ports: list[int] = field(default_factory=list)
    _chance: random.Random = field(init=False)
    _is_over: bool = False

    def __post_init__(self) -> None:
        self._ports = [free_port() for _ in range(self.nodes)]
        self._chance = random.Random(f"round {self.seed}")
        self.carrier = Unruly(self.seed, Line(self._alive))
        self.carrier.is_calm = self.is_calm
        self.carrier.text_webhook = f"http://127.0.0.1:{self._ports[0]}{WEBHOOK}"
        self.partner = Partner(self.council)
        self.onlookers = Onlookers(self.council, self.seed)

    def _alive(self) -> list[int]:
        """The ports of those that live, in an order by chance."""
        ports = [process.port for process in self.living if process.lives]
        self._chance.shuffle(ports)
        return ports

    async def run(self, plan: Sequence[Life]) -> Verdict:
        """Live every life of the plan, let what is under way come to its end in peace, and judge."""
        limits = httpx.Limits(max_keepalive_connections=0)
        async with self.carrier.serving(), httpx.AsyncClient(timeout=4, limits=limits) as client:
            self.carrier.people = People(self.council, self.seed, client, self._alive, PHONES)
            waiting = list(reversed(plan))
            restarting = asyncio.create_task(self._restart_server(len(plan)))
            try:
                async with asyncio.TaskGroup() as slots:
                    for slot in range(self.nodes):
                        slots.create_task(self._lives(client, waiting, slot))
            finally:
                # Never in the middle of one: whoever comes next wants the server up.
                self._is_over = True
                await restarting
            self.carrier.is_calm = True
            await self._rest(client)
            async with self._server_up():
                seen = await self.onlookers.try_all(client, self._ports[0])
            await self.carrier.hang_up()
            for process in self.living:
                process.kill()
                await process.gone.wait()
            async with self._server_up():
                verdict = await asyncio.to_thread(
                    judge,
                    self.council,
                    self.carrier,
                    self.partner.acknowledged,
                    self.killed,
                    logs=[self.council.folder / f"node-{port}.log" for port in self._ports],
                )
                verdict.faults += [*seen, *self.onlookers.not_written_down()]
            verdict.struck = Counter(self.struck)
            self._hear_answers(verdict)
            return verdict

    def _server_up(self) -> AbstractAsyncContextManager[Any]:
        """While in it, no round restarts the server."""
        return self.server.up if self.server is not None else nullcontext()

    def _hear_answers(self, verdict: Verdict) -> None:
        for name, count in self.carrier.people.told.items() if self.carrier.people else ():
            verdict.counts[f"desk: {name}"] += count
        verdict.counts["looks by the desk"] += self.onlookers.shown.total()
        verdict.counts["looks tried at rest"] += self.onlookers.tried
        for (_, status), count in self.partner.answers.items():
            verdict.counts[f"reports answered {status}"] += count
        for _, path, status in self.carrier.line.failures:  # type: ignore[attr-defined]
            verdict.counts[f"webhooks answered {status}"] += 1
            del path

    # what happens to nodes

    async def _lives(self, client: httpx.AsyncClient, waiting: list[Life], slot: int) -> None:
        while waiting:
            life = waiting.pop()
            if not await self._live(client, life, slot):
                waiting.append(life)
                await asyncio.sleep(0.5)

    async def _live(self, client: httpx.AsyncClient, life: Life, slot: int) -> bool:
        """One life, in one place; False when it never began."""
        mark = self.council.folder / f"struck-{slot}"
        _remove(mark)
        faults = {**points.told(life.point, life.passing, life.blow), points.STRUCK: str(mark)}
        doomed = await self._start(slot, faults)
        feeding = asyncio.create_task(self._feed(client, doomed, life.reports))
        try:
            await self._until_struck(doomed, mark)
            if _stands(mark):
                self.struck[f"{life.blow} at {life.point}"] += 1
                await self._go_on(doomed, life)
            if doomed.lives:
                doomed.kill()
                await doomed.gone.wait()
                self.killed[_AT_SOME_MOMENT] += 1
            elif doomed.ended == _REFUSED and self.server is not None:
                self.struck["would not start while the database was away"] += 1
                return False
            elif doomed.ended != -signal.SIGKILL:
                raise RuntimeError(
                    f"a node ended by itself with {doomed.ended} ({life}): {self.said(doomed)}"
                )
            else:
                self.killed[life.point] += 1
            return True
        finally:
            feeding.cancel()
            with suppress(asyncio.CancelledError):
                await feeding

    async def _until_struck(self, doomed: Process, mark: Path) -> None:
        loop = asyncio.get_running_loop()
        await self._until_it_answers(doomed, loop.time() + _ANSWERS_WITHIN)
        longest = _CALM_LIFE if self.is_calm else _LONGEST_LIFE
        give_up_at = loop.time() + self._chance.uniform(*longest)
        while doomed.lives and not _stands(mark) and loop.time() < give_up_at:
            with suppress(TimeoutError):
                await asyncio.wait_for(doomed.gone.wait(), 0.05)

    async def _until_it_answers(self, doomed: Process, give_up_at: float) -> None:
        while doomed.lives and asyncio.get_running_loop().time() < give_up_at:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", doomed.port)
                writer.close()
                return
            await asyncio.sleep(0.1)

    async def _go_on(self, doomed: Process, life: Life) -> None:
        if life.blow is Blow.PAUSE:
            await asyncio.sleep(LEASE.total_seconds() + 0.6)
            with suppress(ProcessLookupError):
                os.kill(doomed.pid, signal.SIGCONT)
        await asyncio.sleep(life.goes_on)

    async def _feed(self, client: httpx.AsyncClient, doomed: Process, new: int) -> None:
        """Reports for as long as it lives: once it answers, more come one by one."""
        loop = asyncio.get_running_loop()
        next_at = loop.time() + _NEXT_AFTER
        while doomed.lives:
            await self.partner.sends(client, doomed.port, new)
            await self.onlookers.look(client, doomed.port, list(self.partner.acknowledged.values()))
            new = 1 if not self.partner.unanswered and loop.time() >= next_at else 0
            next_at += _NEXT_AFTER * new
            await asyncio.sleep(_EVERY)

    async def _restart_server(self, lives_: int) -> None:
        """The database is ended and started again now and then: at once as in a crash, or "fast"."""
        server = self.server
        if server is None:
            return
        for number in range(self.restarts):
            due = (number + 1) * lives_ // (self.restarts + 1)
            while self.killed.total() < due and not self._is_over:  # noqa: ASYNC110 - others count
                await asyncio.sleep(0.1)
            if self._is_over:
                return
            how = self._chance.choice((signal.SIGQUIT, signal.SIGINT))
            async with server.up:
                await asyncio.to_thread(server.server.stop, how)
                await asyncio.sleep(self._chance.uniform(0, 1.5))
                await asyncio.to_thread(server.server.start)
            self.struck[f"postgresql {'crashed' if how is signal.SIGQUIT else 'restarted'}"] += 1

    async def _lives_at(self, slot: int) -> None:
        port = self._ports[slot]
        if not any(process.lives and process.port == port for process in self.living):
            await self._start(slot, {})

    async def _start(self, slot: int, faults: Mapping[str, str]) -> Process:
        port = self._ports[slot]
        settings = settings_of(
            self.council.url,
            BASE_URL=f"http://127.0.0.1:{self._ports[0]}",
            MESSAGES="twilio",
            TWILIO_ACCOUNT_SID=ACCOUNT,
            TWILIO_AUTH_TOKEN=TOKEN,
            TWILIO_FROM=NUMBER,
            TWILIO_API_BASE_URL=self.carrier.base_url,
            TWILIO_CONNECT_TIMEOUT="1",
            TWILIO_READ_TIMEOUT="12" if self.is_calm else "2",
            SMS_PER_SECOND="500",
            SMS_DAILY_ALARM="100000",
            LOG_LEVEL="warning",
        )
        # By this name the server knows whose connections they are.
        named = {"PGAPPNAME": f"node-{slot}-{port}"}
        process = await self.nursery.start(port, self.council.folder, {**settings, **faults, **named})
        self.living = [p for p in self.living if p.lives] + [process]
        return process

    # the end

    async def _rest(self, client: httpx.AsyncClient) -> None:
        """Nodes that nobody kills, until nothing is left to do."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + _DRAINS_WITHIN
        while True:
            for slot in range(self.nodes):
                await self._lives_at(slot)
            await self.partner.sends(client, self._ports[0], 0)
            left = await self._left()
            if left is not None and not any(left.values()) and not self.partner.unanswered:
                return
            if loop.time() > give_up_at:
                raise RuntimeError(f"not at rest: {left}, unanswered {len(self.partner.unanswered)}")
            ended = [process for process in self.living if not process.lives]
            as_told = (-signal.SIGKILL, _REFUSED if self.server is not None else -signal.SIGKILL)
            if any(process.ended not in as_told for process in ended):
                raise RuntimeError("a node ended by itself: " + self.said(ended[0]))
            await asyncio.sleep(0.5)

    async def _left(self) -> dict[str, int] | None:
        sent = {text.sid for text in self.carrier.messages if text.direction == "inbound"}
        database = self.council.database
        try:
            return await database.look(lambda c: unfinished(c, database.clock.now(), sent))
        except DatabaseUnavailable:
            return None

    def said(self, process: Process) -> str:
        """The end of its log."""
        log = self.council.folder / f"node-{process.port}.log"
        return log.read_text(errors="replace")[-6000:] if log.exists() else ""


def _keep(council: Council, file: Path) -> None:
    """All rows of a round that had a fault, and what its nodes said, to find its cause by."""
    tables = SQLModel.metadata.sorted_tables
    rows = council.database.look_now(
        lambda c: {table.name: [dict(row._mapping) for row in c.execute(table.select())] for table in tables}
    )
    rows["logs"] = [{log.name: log.read_text(errors="replace")} for log in council.folder.glob("*.log")]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(rows, default=str, indent=1))


def _stands(mark: Path) -> bool:
    return mark.exists()


def _remove(mark: Path) -> None:
    mark.unlink(missing_ok=True)


def unfinished(connection: Connection, now: datetime, sent: set[str]) -> dict[str, int]:
    """What is due or soon will be and is not done; and texts to us that nobody has heard of."""
    waits = and_(col(AgendaRow.settled_at).is_(None), col(AgendaRow.parked_at).is_(None))
    counted = {
        # A second call to one person waits two minutes for the first, and one that was not picked up waits
        # too: that is no work left undone.
        "messages": select(func.count()).where(
            col(MessageRow.state).in_(_UNSETTLED),
            col(MessageRow.held).is_distinct_from(HELD_BY_PERSON),
            not_(and_(col(MessageRow.state) == MessageState.RETRY_WAIT, col(MessageRow.reason).in_(_RUNG))),
        ),
        "agenda": select(func.count()).where(waits, col(AgendaRow.due_at) <= now),
        "deadlines": select(func.count()).where(
            waits,
            col(AgendaRow.kind).in_(("rung", "warn", "breach", "accept_within", "inbound")),
            col(AgendaRow.due_at) <= now + SOON,
        ),
        "deliveries": select(func.count()).select_from(DeliveryRow),
    }
    left = {name: connection.execute(query).scalar_one() for name, query in counted.items()}
    heard = set(connection.execute(select(col(InboundMessageRow.provider_sid))).scalars())
    return {**left, "texts": len(sent - heard)}


async def torture(
    databases: TestDatabases,
    nursery: Nursery,
    folder: Path,
    *,
    kind: str,
    seed: int,
    kills: int,
    points_: Sequence[str] = points.NAMES,
    nodes: int = 1,
    killed: Counter[str] | None = None,
    blows: Sequence[Blow] = (Blow.KILL,),
    server: Restarted | None = None,
    restarts: int = 0,
    keep: Path | None = None,
    is_calm: bool = False,
) -> Verdict:
    """One round on a database of its own. `killed` counts as it goes, whatever becomes of the round."""
    up: AbstractAsyncContextManager[Any] = server.up if server is not None else nullcontext()
    async with up:
        council = Council.found(databases.fresh(kind), folder, TOWN)
    counting = killed if killed is not None else Counter()
    try:
        round_ = Round(council, nursery, seed, nodes, server, restarts, is_calm, killed=counting)
        verdict = None
        try:
            verdict = await round_.run(lives(seed, points_, kills, kind, blows))
        finally:
            if keep is not None and (verdict is None or verdict.faults):
                await asyncio.to_thread(_keep, council, keep / f"{kind}-{nodes}-{seed}.json")
        return verdict
    finally:
        async with up:
            council.close()
            databases.drop(council.url)
