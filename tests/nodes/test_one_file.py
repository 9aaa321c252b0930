"""One SQLite file: one process serves it, commands write beside it, a restart goes on (G1, G15, T16)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select
from sqlmodel import col

from rapid_response.storage.database import Database
from rapid_response.storage.tables import EventRow, NodeRow, UserRow
from tests.builders import SMALL_TOWN, paid_today
from tests.nodes import audit
from tests.nodes.conftest import Found
from tests.nodes.running import Council, command

SPEED = 600


async def test_a_second_serve_is_refused_and_commands_write_beside_the_first(
    found: Found, tmp_path: Path
) -> None:
    council = found("sqlite", SMALL_TOWN)
    await council.serve(1)
    second = await asyncio.to_thread(command, council.url, tmp_path, "serve", "--port", "0")
    assert (second.returncode, second.stdout) == (2, "")
    (sentence,) = second.stderr.splitlines()
    assert sentence.startswith("Another process already serves ")
    assert "stop it first" in sentence
    (tmp_path / "town.yaml").write_text(SMALL_TOWN.replace("Small town", "Larger town"))
    async with council.client(council.nodes[0]) as client:
        reporting = asyncio.create_task(keep_reporting(client))
        added, loaded = await asyncio.gather(
            asyncio.to_thread(command, council.url, tmp_path, "users", "add", "hana", "--role", "handler"),
            asyncio.to_thread(command, council.url, tmp_path, "load", "town.yaml"),
        )
        reporting.cancel()
        acknowledged = await reporting
        assert (added.returncode, loaded.returncode) == (0, 0), added.stderr + loaded.stderr
        assert len(acknowledged) > 1
        # The serving process is neither held up nor left with the old service.
        assert (await client.post("/api/v1/reports", json=paid_today())).status_code == 201
    council.close()
    council = reopened(council)
    users = council.database.look_now(lambda c: c.execute(select(col(UserRow.name))).scalars().all())
    stored = [reference for _, reference in council.database.look_now(audit.stored_reports)]
    assert users == ["hana"]
    assert set(acknowledged) < set(stored)
    audit.check_log(council.database)
    council.database.close_now()


async def keep_reporting(client: httpx.AsyncClient) -> list[str]:
    """Reports until told to stop; gives the references of what was acknowledged."""
    acknowledged: list[str] = []
    posting: asyncio.Task[httpx.Response] | None = None
    try:
        while len(acknowledged) < 200:
            posting = asyncio.create_task(client.post("/api/v1/reports", json=paid_today()))
            acknowledged.append((await asyncio.shield(posting)).json()["reference"])
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        if posting is not None:
            await asyncio.wait([posting])
    return acknowledged


def reopened(council: Council) -> Council:
    """The council's database after all is ended."""
    database = Database(council.url, clock=council.database.clock, ids=council.database.ids)
    return Council(council.url, council.folder, database, council.key, [])


async def test_t16_a_restart_goes_on_where_domain_time_stopped(found: Found) -> None:
    """Ten minutes a second: what passes while nobody serves is no time at all."""
    council = found("sqlite", SMALL_TOWN)
    clock = council.database.clock
    await council.serve(1, CLOCK_SPEED=f"{SPEED}")
    async with council.client(council.nodes[0]) as client:
        before = await started_at(client)
    real_before = clock.real()
    council.nodes[0].kill()
    real_killed = clock.real()
    await council.serve(1, CLOCK_SPEED=f"{SPEED}")
    async with council.client(council.nodes[1]) as client:
        after = await started_at(client)
    real_after = clock.real()
    restarted = council.database.look_now(
        lambda c: c.execute(select(func.max(col(NodeRow.started_at)))).scalar_one()
    )
    away = restarted - real_killed
    served = (real_killed - real_before) + (real_after - restarted)
    assert away > timedelta(seconds=0.3), "too quick to tell"
    # The mark moves on each second, and a killed node may lose what passed since.
    assert before - timedelta(seconds=2 * SPEED) <= after <= before + (served + timedelta(seconds=3)) * SPEED
    assert after < before + (served + away) * SPEED + timedelta(seconds=3 * SPEED)
    # What was promised before is not broken by the time that did not pass.
    missed = select(func.count()).where(col(EventRow.type) == "deadline_missed")
    if after < before + timedelta(hours=2):
        assert council.database.look_now(lambda c: c.execute(missed).scalar_one()) == 0


async def started_at(client: httpx.AsyncClient) -> datetime:
    """Domain time, as a new report's clock says it."""
    answer: dict[str, Any] = (await client.post("/api/v1/reports", json=paid_today())).json()
    return datetime.fromisoformat(answer["clock"]["started_at"])
