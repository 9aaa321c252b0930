"""/health/ready tells the truth, with reasons; the heartbeat is given only while all is well (G19, G20)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, text, update
from sqlmodel import col

from rapid_response.audit.readiness import Node
from rapid_response.core.clock import ClockStep
from rapid_response.steps import clockwatch, heartbeat, holding
from rapid_response.storage.duties import Duty
from rapid_response.storage.tables import AgendaRow, DefinitionRow, DutyRow
from rapid_response.storage.tx import Tx
from tests.builders import paid_today
from tests.harness import Town
from tests.journeys.browser import on_sqlite

GB = 1024**3


async def lives(town: Town) -> None:
    """Its worker looks, each of its loops comes round, and the auditor has found all well."""
    node = town.app.asgi.state.context.node
    await town.app.database.run(lambda tx: heartbeat.beat(tx, node.id, started=True))
    for loop in ("ring", "send"):
        node.pulse.passed(loop, town.clock.real())
    await town.app.caretaker.audit()


async def reasons(town: Town) -> str:
    return " ".join((await town.ready())["reasons"])


async def test_g20_all_is_well(town: Town) -> None:
    await lives(town)
    assert await town.ready() == {"status": "ready", "reasons": [], "warnings": []}
    assert (await town.http.get("/health/live")).json() == {"status": "ok"}


async def _silent_worker(town: Town) -> None:
    town.clock.advance(timedelta(seconds=16))


async def _silent_loop(town: Town) -> None:
    town.clock.advance(timedelta(seconds=16))
    node = town.app.asgi.state.context.node
    await town.app.database.run(lambda tx: heartbeat.beat(tx, node.id))
    node.pulse.passed("send", town.clock.real())
    node.pulse.failed("ring", "DatabaseUnavailable")


async def _overdue(town: Town) -> None:
    await town.takes(paid_today())
    late = town.clock.now() - timedelta(seconds=90)
    await town.app.database.run(
        lambda tx: tx.execute(update(AgendaRow).where(col(AgendaRow.kind) == "breach").values(due_at=late))
    )


async def _unsent(town: Town) -> None:
    await town.post("/api/v1/reports", paid_today())
    town.clock.advance(timedelta(seconds=125))
    await lives(town)


async def _held(town: Town) -> None:
    await town.app.database.run(holding.hold)


async def _jumped(town: Town) -> None:
    step = ClockStep(timedelta(hours=2))
    await town.app.database.run(lambda tx: clockwatch.note(tx, town.app.desk, "node", step))


async def _nothing_loaded(town: Town) -> None:
    await town.app.database.run(lambda tx: tx.execute(delete(DefinitionRow)))


async def _newer_schema(town: Town) -> None:
    await town.app.database.run(
        lambda tx: tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    )


async def _auditor_silent(town: Town) -> None:
    town.clock.advance(timedelta(minutes=4))
    node = town.app.asgi.state.context.node
    await town.app.database.run(lambda tx: heartbeat.beat(tx, node.id))
    for loop in ("ring", "send"):
        node.pulse.passed(loop, town.clock.real())


async def _ahead(town: Town) -> None:
    town.clock.advance(timedelta(hours=-2))


async def _auditor_unhappy(town: Town) -> None:
    await _auditor_silent(town)

    def step(tx: Tx) -> None:
        row = tx.need(DutyRow, Duty.AUDIT.value)
        row.done_at, row.found = tx.real, {"no_next_step": 2}

    await town.app.database.run(step)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_silent_worker, "has not looked for due work for 16 s"),
        (_silent_loop, "The loop “ring” has not come round for 16 s (DatabaseUnavailable)"),
        (_overdue, "overdue by 90 s"),
        (_unsent, "waited for its turn for 2 min"),
        (_held, "held"),
        (_jumped, "jumped by up to 2 h"),
        (_nothing_loaded, "No service definition"),
        (_newer_schema, "at schema 9999"),
        (_ahead, "marked 2 h later than the clock says"),
        (_auditor_silent, "The auditor has not looked for 4 min"),
        (_auditor_unhappy, "The auditor has found fault for 4 min: no next step 2"),
    ],
)
async def test_g20_each_fault_is_said(
    town: Town, spoil: Callable[[Town], Awaitable[None]], words: str
) -> None:
    await lives(town)
    await spoil(town)
    assert words in await reasons(town)


@dataclass(frozen=True)
class Full:
    """A disk of that size, with so much free."""

    total: int
    free: int


@on_sqlite
@pytest.mark.parametrize(
    ("disk", "reason", "warning"),
    [
        (Full(100 * GB, 30 * GB), False, False),
        (Full(100 * GB, 15 * GB), False, False),  # little of it, but plenty
        (Full(20 * GB, 3 * GB), False, True),
        (Full(20 * GB, GB), True, True),
    ],
)
async def test_g21_the_disk_is_watched(town: Town, disk: Full, reason: bool, warning: bool) -> None:
    await lives(town)
    context = town.app.asgi.state.context
    node = Node(context.node.id, town.clock, context.node.pulse, Path("."), lambda _: disk)
    object.__setattr__(context, "node", node)
    said = await town.ready()
    assert any("disk" in sentence for sentence in said["reasons"]) is reason
    assert any("disk" in sentence for sentence in said["warnings"]) is warning
    assert await town.metric("disk_free_ratio") == disk.free / disk.total


@on_sqlite
async def test_g19_a_node_under_another_releases_schema_takes_no_work_and_recovers(town: Town) -> None:
    """A newer release migrates: this node claims nothing any more. Its own schema comes back: it goes on."""
    await lives(town)
    pulse = town.app.asgi.state.context.node.pulse
    await _newer_schema(town)
    await town.app.caretaker.watch_schema()
    assert pulse.other_schema == "9999"
    await town.app.database.run(
        lambda tx: tx.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    )
    await town.app.caretaker.watch_schema()
    assert pulse.other_schema is None
    assert (await town.ready())["status"] == "ready"


# --- the heartbeat ----------------------------------------------------------------------------------------


@dataclass
class Outside:
    """Somebody who raises the alarm when the calls stop; keeps what was said to them."""

    requests: list[str] = field(default_factory=list)
    answer: bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(self.answer)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def outside() -> AsyncIterator[tuple[Outside, str]]:
    heard = Outside()
    server = await asyncio.start_server(heard.hear, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield heard, f"http://127.0.0.1:{port}/ping/a-secret"


@on_sqlite
async def test_g20_the_heartbeat_is_given_each_minute_while_all_is_well(
    database_url: str, start: datetime
) -> None:
    async with outside() as (heard, url), Town(database_url, start, heartbeat_url=SecretStr(url)) as town:
        await town.takes(paid_today())
        await lives(town)
        assert len(heard.requests) == 1
        request = heard.requests[0]
        assert request.startswith("GET /ping/a-secret HTTP/1.1")
        assert "content-length" not in request.lower()
        await lives(town)
        assert len(heard.requests) == 1  # not its turn yet
        await town.pass_time(seconds=60)
        await lives(town)
        assert len(heard.requests) == 2

        # An open incident is without its deadline: the minute in which that is found is a silent one.
        await town.app.database.run(
            lambda tx: tx.execute(delete(AgendaRow).where(col(AgendaRow.kind) == "breach"))
        )
        await town.pass_time(seconds=60)
        await lives(town)
        assert len(heard.requests) == 2
        await town.pass_time(seconds=60)
        await lives(town)
        assert len(heard.requests) == 3

        await town.app.database.run(holding.hold)
        await town.pass_time(seconds=60)
        await lives(town)
        assert len(heard.requests) == 3


@on_sqlite
async def test_g20_a_heartbeat_follows_nobody_elsewhere_and_its_failure_harms_nothing(
    database_url: str, start: datetime
) -> None:
    async with outside() as (heard, url), outside() as (elsewhere, other):
        heard.answer = f"HTTP/1.1 302 Found\r\nlocation: {other}\r\ncontent-length: 0\r\n\r\n".encode()
        async with Town(database_url, start, heartbeat_url=SecretStr(url)) as town:
            await lives(town)
            assert len(heard.requests) == 1
            assert elsewhere.requests == []
            heard.answer = b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n"
            await town.pass_time(seconds=60)
            await lives(town)
            assert len(heard.requests) == 2
            assert await town.metric("audit_good_timestamp_seconds") == town.clock.real().timestamp()
