"""One round of a campaign: a town whose nodes are killed again and again while reports come in, then judged.

A seed decides where each life ends (which failpoint, at which passing), how many reports come in it, and
what the provider does with each request. What happens between two of those moments is real, so that a seed
repeats the plan, not every interleaving.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
from sqlalchemy import Connection, and_, func, not_, select
from sqlmodel import col

from bench.torture import points
from bench.torture.carrier import Line, Unruly
from bench.torture.judging import Verdict, judge
from bench.torture.nodes import Nursery, Process
from rapid_response.core import failpoints
from rapid_response.core.states import MessageState
from rapid_response.steps.sending import HELD_BY_PERSON
from rapid_response.storage.tables import AgendaRow, DeliveryRow, MessageRow
from tests.builders import PATIENT_OFFER, paid_today, small_town
from tests.databases import TestDatabases
from tests.gateways.fake_twilio import ACCOUNT, NUMBER, TOKEN
from tests.nodes.running import Council, environment, free_port

_TOWN = small_town(escalation=[PATIENT_OFFER])
#: A life that does not come to its failpoint by then is ended from outside.
_LONGEST_LIFE = 8.0
#: While a line counts as down nothing is sent, and no failpoint is reached: reports must not pile up then.
_MOST_REPORTS = 10
#: Such a line is tried again after two minutes at the latest.
_DRAINS_WITHIN = 300.0
_RUNG = ("call_busy", "call_no_answer")
_UNSETTLED = (MessageState.PENDING, MessageState.RETRY_WAIT, MessageState.SENDING, MessageState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Life:
    """How one process is to end."""

    point: str
    passing: int
    reports: int


def lives(seed: int, points_: Sequence[str], kills: int) -> list[Life]:
    """The plan of a round: each point as often as the others, in an order by chance."""
    chance = random.Random(f"lives {seed}")
    wanted = [points_[n % len(points_)] for n in range(kills)]
    chance.shuffle(wanted)
    return [Life(point, chance.choice((1, 1, 2, 3, 5)), chance.randint(1, 5)) for point in wanted]


@dataclass
class Partner:
    """Sends reports, again where nobody answered, and keeps what was acknowledged."""

    council: Council
    count: int = 0
    unanswered: list[int] = field(default_factory=list)
    acknowledged: dict[int, str] = field(default_factory=dict)

    async def sends(self, client: httpx.AsyncClient, port: int, new: int) -> None:
        """What is unanswered still, and so many new ones."""
        self.unanswered += range(self.count, self.count + new)
        self.count += new
        waiting, self.unanswered = self.unanswered, []
        await asyncio.gather(*(self._send(client, port, number) for number in waiting))

    async def _send(self, client: httpx.AsyncClient, port: int, number: int) -> None:
        try:
            answer = await client.post(
                f"http://127.0.0.1:{port}/api/v1/reports",
                json=paid_today(),
                headers={
                    "authorization": f"Bearer {self.council.key}",
                    "idempotency-key": f"report-{number}",
                },
            )
        except httpx.TransportError:
            self.unanswered.append(number)
            return
        if answer.status_code != 201:
            self.unanswered.append(number)
            return
        reference = answer.json()["reference"]
        if self.acknowledged.setdefault(number, reference) != reference:
            raise RuntimeError("one report became two incidents")


@dataclass
class Round:
    """One town, its nodes, its provider and its reports."""

    council: Council
    nursery: Nursery
    seed: int
    nodes: int = 1
    carrier: Unruly = field(init=False)
    partner: Partner = field(init=False)
    living: list[Process] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)
    _ports: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ports = [free_port() for _ in range(self.nodes)]
        self.carrier = Unruly(self.seed, Line(lambda: [p.port for p in self.living if p.lives]))
        self.partner = Partner(self.council)

    async def run(self, plan: Sequence[Life]) -> Verdict:
        """Live every life of the plan, let what is under way come to its end in peace, and judge."""
        limits = httpx.Limits(max_keepalive_connections=0)
        async with self.carrier.serving(), httpx.AsyncClient(timeout=15, limits=limits) as client:
            for number, life in enumerate(plan):
                await self._live(client, life, number % self.nodes)
            self.carrier.is_calm = True
            await self._rest(client)
            await self.carrier.hang_up()
            for process in self.living:
                process.kill()
                await process.gone.wait()
            return judge(self.council.database, self.carrier, self.partner.acknowledged.values(), self.killed)

    async def _live(self, client: httpx.AsyncClient, life: Life, slot: int) -> None:
        """One life, in one place; the nodes in the other places go on meanwhile."""
        for other in range(self.nodes):
            if other != slot:
                await self._lives_at(other)
        doomed = await self._start(slot, points.told(life.point, life.passing))
        sent, new, give_up_at = 0, life.reports, asyncio.get_running_loop().time() + _LONGEST_LIFE
        while doomed.lives:
            await self.partner.sends(client, doomed.port, new)
            # Once it answers, more comes one by one until it dies.
            sent += new
            new = 1 if not self.partner.unanswered and sent < _MOST_REPORTS else 0
            if asyncio.get_running_loop().time() > give_up_at:
                doomed.kill()
                await doomed.gone.wait()
                self.killed["at some moment"] += 1
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(doomed.gone.wait(), 0.05)
        if doomed.ended != -9:
            raise RuntimeError(f"a node ended by itself with {doomed.ended}: {self.said(doomed)}")
        self.killed[life.point] += 1

    async def _lives_at(self, slot: int) -> None:
        port = self._ports[slot]
        if not any(process.lives and process.port == port for process in self.living):
            await self._start(slot, {})

    async def _start(self, slot: int, faults: Mapping[str, str]) -> Process:
        port = self._ports[slot]
        for process in self.living:
            if process.port == port and process.lives:
                process.kill()
                await process.gone.wait()
        settings = environment(
            self.council.url,
            BASE_URL=f"http://127.0.0.1:{self._ports[0]}",
            MESSAGES="twilio",
            TWILIO_ACCOUNT_SID=ACCOUNT,
            TWILIO_AUTH_TOKEN=TOKEN,
            TWILIO_FROM=NUMBER,
            TWILIO_API_BASE_URL=self.carrier.base_url,
            TWILIO_CONNECT_TIMEOUT="1",
            TWILIO_READ_TIMEOUT="1",
            SMS_PER_SECOND="500",
            SMS_DAILY_ALARM="100000",
            LOG_LEVEL="error",
        )
        ours = {name: value for name, value in settings.items() if name.startswith("RAPID_RESPONSE_")}
        process = await self.nursery.start(port, self.council.folder, {**ours, **faults})
        self.living = [p for p in self.living if p.lives] + [process]
        return process

    async def _rest(self, client: httpx.AsyncClient) -> None:
        """Nodes that nobody kills, until nothing is left to do."""
        for slot in range(self.nodes):
            await self._lives_at(slot)
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + _DRAINS_WITHIN
        while True:
            await self.partner.sends(client, self._ports[0], 0)
            left = self.council.database.look_now(lambda c: unfinished(c, self.council.database.clock.now()))
            if not any(left.values()) and not self.partner.unanswered:
                return
            if loop.time() > give_up_at:
                raise RuntimeError(f"not at rest: {left}, unanswered {len(self.partner.unanswered)}")
            if not all(process.lives for process in self.living):
                raise RuntimeError("a node ended by itself: " + self.said(self.living[0]))
            await asyncio.sleep(0.25)

    def said(self, process: Process) -> str:
        """The end of its log."""
        log = self.council.folder / f"node-{process.port}.log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else ""


def unfinished(connection: Connection, now: datetime) -> dict[str, int]:
    """What is due and not done."""
    counted = {
        # A second call to one person waits two minutes for the first, and one that was not picked up waits
        # too: that is no work left undone.
        "messages": select(func.count()).where(
            col(MessageRow.state).in_(_UNSETTLED),
            col(MessageRow.held).is_distinct_from(HELD_BY_PERSON),
            not_(and_(col(MessageRow.state) == MessageState.RETRY_WAIT, col(MessageRow.reason).in_(_RUNG))),
        ),
        "agenda": select(func.count()).where(
            col(AgendaRow.settled_at).is_(None),
            col(AgendaRow.parked_at).is_(None),
            col(AgendaRow.due_at) <= now,
        ),
        "deliveries": select(func.count()).select_from(DeliveryRow),
    }
    return {name: connection.execute(query).scalar_one() for name, query in counted.items()}


async def torture(
    databases: TestDatabases,
    nursery: Nursery,
    folder: Path,
    *,
    kind: str,
    seed: int,
    kills: int,
    points_: Sequence[str] = failpoints.NAMES,
    nodes: int = 1,
    killed: Counter[str] | None = None,
) -> Verdict:
    """One round on a database of its own. `killed` counts as it goes, whatever becomes of the round."""
    council = Council.found(databases.fresh(kind), folder, _TOWN)
    counting = killed if killed is not None else Counter()
    try:
        return await Round(council, nursery, seed, nodes, killed=counting).run(lives(seed, points_, kills))
    finally:
        council.close()
        databases.drop(council.url)
