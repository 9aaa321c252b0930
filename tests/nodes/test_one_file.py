"""One SQLite file: one process serves it, commands write beside it, a restart goes on (G1, G15, T16)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select
from sqlmodel import col

from rapid_response.storage.tables import NodeRow
from tests.builders import SMALL_TOWN, paid_today
from tests.nodes import audit
from tests.nodes.conftest import Found
from tests.nodes.running import command

SPEED = 60


async def test_one_process_serves_a_file_commands_write_beside_it_and_a_restart_goes_on(
    found: Found, tmp_path: Path
) -> None:
    council = found("sqlite", SMALL_TOWN)
    clock = council.database.clock
    await council.serve(1, CLOCK_SPEED=f"{SPEED}")
    async with council.client(council.nodes[0]) as client:
        # A second one is refused.
        second = await asyncio.to_thread(command, council.url, tmp_path, "serve", "--port", "0")
        assert (second.returncode, second.stdout) == (2, "")
        (sentence,) = second.stderr.splitlines()
        assert sentence.startswith("Another process already serves ")
        assert "stop it first" in sentence

        # A command that writes takes turns with it.
        (tmp_path / "town.yaml").write_text(SMALL_TOWN.replace("Small town", "Larger town"))
        reporting = asyncio.create_task(keep_reporting(client))
        loaded = await asyncio.to_thread(command, council.url, tmp_path, "load", "town.yaml")
        reporting.cancel()
        acknowledged = await reporting
        assert loaded.returncode == 0, loaded.stderr
        assert "Loaded as version 2." in loaded.stdout
        before = await started_at(client)
    real_before = clock.real()

    # Killed and started again, it goes on where domain time stopped.
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
    # The mark moves on each second: what passed since the last one is done again, what passed away never was.
    slack = timedelta(seconds=3) * SPEED
    assert before - slack <= after <= before + served * SPEED + slack
    assert away > timedelta(seconds=0.2)
    stored = [reference for _, reference in council.database.look_now(audit.stored_reports)]
    assert set(acknowledged) < set(stored)
    assert len(stored) == len(set(stored))
    audit.check_log(council.database)


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


async def started_at(client: httpx.AsyncClient) -> datetime:
    """Domain time, as a new report's clock says it."""
    answer: dict[str, Any] = (await client.post("/api/v1/reports", json=paid_today())).json()
    return datetime.fromisoformat(answer["clock"]["started_at"])
