"""What a service does at its start, beside the work."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest
from pydantic import SecretStr

from rapid_response import app as composition
from rapid_response.app import build
from rapid_response.settings import Settings
from tests.databases import TestDatabases

_WAIT = 20.0


async def test_what_the_first_report_would_wait_for_is_loaded_once_the_worker_is_at_work(
    databases: TestDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    stays = threading.Event()
    for name in ("shipped_knowledge", "shipped_table"):
        monkeypatch.setattr(composition, name, lambda name=name: loaded.append(name))
    monkeypatch.setattr(gc, "freeze", stays.set)
    url = databases.fresh("sqlite")
    made = build(
        Settings(
            database_url=url,
            evaluation=True,
            secret_key=SecretStr("a secret key only for tests, long enough"),
        )
    )
    async with made.asgi.router.lifespan_context(made.asgi):
        assert await asyncio.to_thread(stays.wait, _WAIT)
    assert loaded == ["shipped_knowledge", "shipped_table"]
    databases.drop(url)
