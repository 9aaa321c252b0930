"""A town that real processes serve: who reports to it, who looks at it, and what was seen when.

Everything is timed by this process's own clock, which no fault moves.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import SQLModel, col

from rapid_response.access.accounts import add_user
from rapid_response.access.passwords import Passwords
from rapid_response.core.vocabulary import Role
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.tables import AgendaRow, IncidentRow, MessageRow, ReportRow
from tests.journeys.browser import PASSWORD, Shown
from tests.nodes.running import Council, Node

#: The kinds of deadline whose lateness is looked at.
DEADLINES = ("rung", "warn", "breach", "accept_within")
_ANSWERS_WITHIN = 30.0
_LOOK_EVERY = 0.25
_HOTLINE = "+442079460001"
_WATCHER = "watcher"
#: Rows that are gone once what they stand for is done; and what counts, not tells.
QUEUES = frozenset({"deliveries", "duties", "clock_mark", "alembic_version"})


@dataclass(frozen=True, slots=True)
class Sent:
    """One report, and what its sender was told."""

    number: int
    at: float
    took: float
    status: int
    reference: str = ""
    #: What stood in the answer of whoever was refused.
    said: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at a node showed: whether it is ready, and why not; a page's words; a log's event."""

    at: float
    where: str
    words: str
    is_good: bool


@dataclass(slots=True)
class Deadline:
    """When it was to ring, by our own clock, and when it was first seen to have rung."""

    kind: str
    #: Counted from when its report was sent; it was taken in up to so many seconds later.
    due: float
    rang: float | None = None
    or_later: float = 0.0


@dataclass
class Site:
    """One town, its nodes, its partner and its onlooker."""

    council: Council
    #: How many reports a second.
    rate: float = 2.0
    sent: list[Sent] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    deadlines: dict[int, Deadline] = field(default_factory=dict)
    #: When the duty officer was first texted that a clock is wrong.
    texted_at: float | None = None
    #: References of what was there before anybody counted.
    before: set[str] = field(default_factory=set)
    _number: int = 0
    _in_doubt: list[int] = field(default_factory=list)
    _logs: dict[Path, int] = field(default_factory=dict)

    def add_watcher(self) -> None:
        """Somebody who may open the page Service status."""
        hashed = Passwords().hash(PASSWORD)
        self.council.database.run_now(lambda tx: add_user(tx, _WATCHER, Role.ADMIN, hashed))

    # reports

    async def report(self, seconds: float) -> None:
        """Reports at a steady pace, each to the next node, whatever the answers are."""
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(timeout=_ANSWERS_WITHIN, limits=limits) as client:
            began, first = time.monotonic(), self._number
            async with asyncio.TaskGroup() as posting:
                while (at := (self._number - first) / self.rate) < seconds:
                    await asyncio.sleep(max(0.0, began + at - time.monotonic()))
                    posting.create_task(self._post(client, self._number))
                    self._number += 1

    async def settle_doubts(self) -> None:
        """What was answered with neither yes nor no is sent once more, as its sender would."""
        async with httpx.AsyncClient(timeout=_ANSWERS_WITHIN) as client:
            waiting, self._in_doubt = self._in_doubt, []
            for number in waiting:
                await self._post(client, number)

    async def _post(self, client: httpx.AsyncClient, number: int) -> None:
        living = [node for node in self.council.nodes if node.lives]
        if not living:
            return
        at = time.monotonic()
        try:
            answer = await client.post(
                f"{living[number % len(living)].url}/api/v1/reports",
                **self.council.numbered_report(number),
            )
        except httpx.TransportError:
            self._in_doubt.append(number)
            self.sent.append(Sent(number, at, time.monotonic() - at, 0))
            return
        told = answer.json()
        took, said = time.monotonic() - at, str(told.get("detail", ""))
        if answer.status_code == 503 and "Nothing was stored" not in said:
            self._in_doubt.append(number)
        self.sent.append(Sent(number, at, took, answer.status_code, told.get("reference", ""), said))

    def answered(self, status: int, since: float = 0.0, until: float = float("inf")) -> list[Sent]:
        """The reports that were so answered, of those sent in that time."""
        return [one for one in self.sent if one.status == status and since <= one.at < until]

    @property
    def acknowledged(self) -> set[str]:
        """The references that somebody was given."""
        return {one.reference for one in self.sent if one.status == 201}

    # looking

    @asynccontextmanager
    async def watched(self) -> Any:
        """Meanwhile nodes are asked how they are, logs read, the status page opened, rows looked at."""
        over = asyncio.Event()
        watching = [
            asyncio.create_task(self._each(over, _LOOK_EVERY, self._ask_ready)),
            asyncio.create_task(self._each(over, 1.0, self._open_status)),
            asyncio.create_task(self._each(over, _LOOK_EVERY, self._read_rows)),
        ]
        try:
            yield
        finally:
            over.set()
            for task in watching:
                await task

    async def _each(self, over: asyncio.Event, seconds: float, look: Any) -> None:
        async with httpx.AsyncClient(timeout=_ANSWERS_WITHIN) as client:
            while not over.is_set():
                await look(client)
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), seconds)

    async def _ask_ready(self, client: httpx.AsyncClient) -> None:
        """All nodes at once: good is what is good at each of them."""
        self.read_logs()
        words, is_good = [], True
        for node in [node for node in self.council.nodes if node.lives]:
            try:
                answer = await client.get(f"{node.url}/health/ready")
            except httpx.TransportError:
                is_good = False
                continue
            words += answer.json()["reasons"]
            is_good = is_good and answer.status_code == 200
        self.seen.append(Seen(time.monotonic(), "ready", " ".join(words), is_good))

    async def _open_status(self, client: httpx.AsyncClient) -> None:
        for node in [node for node in self.council.nodes[:1] if node.lives]:
            with suppress(httpx.TransportError, StopIteration):
                answer = await client.get(f"{node.url}/status")
                if answer.status_code in (302, 303, 401, 403):
                    await self._sign_in(client, node)
                    answer = await client.get(f"{node.url}/status")
                words = _text_of(answer.text)
                is_good = answer.status_code == 200 and "The service is working" in words
                self.seen.append(Seen(time.monotonic(), "page", words, is_good))

    async def _sign_in(self, client: httpx.AsyncClient, node: Node) -> None:
        page = Shown(await client.get(f"{node.url}/sign-in"))
        form = page.form("/sign-in")
        await client.post(
            f"{node.url}/sign-in",
            data={**form.fields, "name": _WATCHER, "password": PASSWORD},
            headers={"sec-fetch-site": "same-origin"},
        )

    def read_logs(self) -> None:
        """What nodes have written since the last look."""
        for path in self.council.folder.glob("node-*.log"):
            with path.open("rb") as file:
                file.seek(self._logs.get(path, 0))
                *lines, _ = file.read().split(b"\n")
                self._logs[path] = self._logs.get(path, 0) + sum(len(line) + 1 for line in lines)
            for line in lines:
                self.seen.append(Seen(time.monotonic(), "log", _event_of(line), False))

    async def _read_rows(self, _: httpx.AsyncClient) -> None:
        try:
            found = await self.council.database.look(_rows)
        except (DatabaseUnavailable, SQLAlchemyError):
            return
        now = time.monotonic()
        if found.clock_texts and self.texted_at is None:
            self.texted_at = now
        began = {one.reference: one for one in self.sent if one.reference}
        for row in found.agenda:
            known = self.deadlines.get(row.id)
            if known is None:
                if row.reference not in began or row.started_at is None:
                    continue  # its sender has no answer yet, or it is one that was there before
                # Both are of one step and so of one clock: what lies between them no fault has moved.
                after = (row.due_at - row.started_at).total_seconds()
                sent = began[row.reference]
                known = self.deadlines[row.id] = Deadline(row.kind, sent.at + after, or_later=sent.took)
            if row.settled_at is not None and known.rang is None:
                known.rang = now

    def first(self, where: str, words: str, since: float) -> float | None:
        """How many seconds after that moment it was first seen to say so."""
        for one in self.seen:
            if one.at >= since and one.where == where and re.search(words, one.words):
                return one.at - since
        return None

    def good_again(self, where: str, since: float) -> float | None:
        """How many seconds after that moment it was good, and stayed good."""
        looks = [one for one in self.seen if one.where == where and one.at >= since]
        bad = [one.at for one in looks if not one.is_good]
        after = bad[-1] if bad else since
        return next((one.at - since for one in looks if one.is_good and one.at >= after), None)

    def refusals_say(self, since: float) -> bool:
        """Whether everybody who was refused was told that nothing was stored, and what number to ring."""
        told = [one.said for one in self.answered(503, since)]
        return all(_HOTLINE in said for said in told)


@dataclass(frozen=True, slots=True)
class _Found:
    agenda: Sequence[Any]
    clock_texts: int


def _rows(connection: Connection) -> _Found:
    agenda = connection.execute(
        select(
            col(AgendaRow.id),
            col(AgendaRow.kind),
            col(AgendaRow.due_at),
            col(AgendaRow.settled_at),
            col(IncidentRow.reference),
            col(IncidentRow.started_at),
        )
        .join_from(AgendaRow, IncidentRow, col(AgendaRow.incident_id) == col(IncidentRow.id))
        .where(col(AgendaRow.kind).in_(DEADLINES))
    ).all()
    texts = select(func.count()).where(col(MessageRow.body).contains("clock has jumped"))
    return _Found(agenda, connection.execute(texts).scalar_one())


def stored(connection: Connection) -> Counter[str]:
    """How often each report is stored, by its reference."""
    return Counter(
        connection.execute(
            select(col(IncidentRow.reference)).join_from(
                ReportRow, IncidentRow, col(ReportRow.incident_id) == col(IncidentRow.id)
            )
        ).scalars()
    )


Keys = dict[str, set[tuple[Any, ...]]]


def keys_of_rows(connection: Connection) -> Keys:
    """Every row of every table that keeps something, by its key."""
    return {
        name: {tuple(row) for row in connection.execute(select(*table.primary_key.columns))}
        for name, table in SQLModel.metadata.tables.items()
        if name not in QUEUES
    }


def words_kept(connection: Connection) -> int:
    """How many reports still have the words that somebody said."""
    return connection.execute(select(func.count()).where(col(ReportRow.narrative) != "")).scalar_one()


def gone(before: Keys, after: Keys) -> dict[str, int]:
    """How many rows of which table are no longer there."""
    return {name: len(rows - after[name]) for name, rows in before.items() if rows - after[name]}


def ledger(site: Site, database: Any = None) -> Iterator[str]:
    """What was acknowledged against what is stored: the same reports, each once."""
    rows = (database or site.council.database).look_now(stored)
    acknowledged = site.acknowledged
    lost = acknowledged - set(rows)
    if lost:
        yield f"{len(lost)} acknowledged reports are not stored"
    twice = [reference for reference, count in rows.items() if count != 1]
    if twice:
        yield f"{len(twice)} reports are stored more than once"
    if extra := set(rows) - acknowledged - site.before:
        yield f"{len(extra)} reports are stored whose senders were told that they are not"


def _event_of(line: bytes) -> str:
    try:
        told = json.loads(line)
        return " ".join(f"{told.get(key, '')}" for key in ("event", "error", "reason", "code"))
    except ValueError:
        return line.decode(errors="replace")


def _text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
