"""One SQLite file: one process serves it, commands write beside it, a restart goes on (G1, G15, T16)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from rapid_response.storage.tables import ClockMarkRow
from rapid_response.storage.tx import Tx
from tests.builders import SMALL_TOWN, paid_today
from tests.nodes import audit
from tests.nodes.conftest import Found
from tests.nodes.running import command

SPEED = 60
#: The mark of where domain time stands moves on each real second; on a busy machine, later.
MARKED_WITHIN = timedelta(seconds=20) * SPEED


@pytest.mark.long
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

    # Killed, and started again an hour later, it goes on where domain time stopped.
    council.nodes[0].kill()
    stopped_at = council.database.run_now(an_hour_passes)
    assert stopped_at > before - MARKED_WITHIN
    real_again = clock.real()
    await council.serve(1, CLOCK_SPEED=f"{SPEED}")
    async with council.client(council.nodes[1]) as client:
        after = await started_at(client)
    assert stopped_at <= after <= stopped_at + (clock.real() - real_again) * SPEED
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


def an_hour_passes(tx: Tx) -> datetime:
    """Nobody has served for an hour; gives the domain time at which it stopped."""
    mark = tx.need(ClockMarkRow, 1)
    mark.real_at -= timedelta(hours=1)
    return mark.domain_at


async def started_at(client: httpx.AsyncClient) -> datetime:
    """Domain time, as a new report's clock says it."""
    answer: dict[str, Any] = (await client.post("/api/v1/reports", json=paid_today())).json()
    return datetime.fromisoformat(answer["clock"]["started_at"])
