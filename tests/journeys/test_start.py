"""What a service does at its start, beside the work."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest
from pydantic import SecretStr

from rapid_response import assembly as composition
from rapid_response.app import build
from rapid_response.assembly import assemble
from rapid_response.cli.server import Served
from rapid_response.settings import Settings
from rapid_response.storage.failures import DatabaseUnavailable
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
    made = build(settings(databases))
    async with made.asgi.router.lifespan_context(made.asgi):
        assert await asyncio.to_thread(stays.wait, _WAIT)
    assert loaded == ["shipped_knowledge", "shipped_table"]
    databases.drop(made.database.url)


async def test_what_is_overdue_is_done_while_the_web_side_is_loaded(databases: TestDatabases) -> None:
    parts = assemble(settings(databases))
    loop = asyncio.get_running_loop()

    def load() -> Recorder:
        done = asyncio.run_coroutine_threadsafe(parts.worker.ringer.has_caught_up.wait(), loop)
        assert done.result(_WAIT)
        return web

    web = Recorder()
    served = Served(parts, load)
    told: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    asked: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    serving = asyncio.create_task(served({"type": "lifespan"}, asked.get, told.put))
    asked.put_nowait({"type": "lifespan.startup"})
    async with asyncio.timeout(_WAIT):
        assert (await told.get())["type"] == "lifespan.startup.complete"
        await served({"type": "http", "path": "/"}, asked.get, told.put)
        asked.put_nowait({"type": "lifespan.shutdown"})
        assert (await told.get())["type"] == "lifespan.shutdown.complete"
        await serving
    assert web.paths == ["/"]
    assert served.error is None
    databases.drop(parts.database.url)


async def test_what_keeps_the_web_side_from_loading_ends_the_work_and_is_told(
    databases: TestDatabases,
) -> None:
    parts = assemble(settings(databases))

    def load() -> Recorder:
        raise ImportError("a page is broken")

    async def ask() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def tell(_: dict[str, str]) -> None:
        raise AssertionError("it has not started")

    served = Served(parts, load)
    with pytest.raises(ImportError):
        await served({"type": "lifespan"}, ask, tell)
    assert isinstance(served.error, ImportError)
    with pytest.raises(DatabaseUnavailable):
        await parts.database.look(lambda connection: None)
    databases.drop(parts.database.url)


class Recorder:
    """A web side that only notes what it is asked."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    async def __call__(self, scope: dict[str, str], receive: object, send: object) -> None:
        self.paths.append(scope["path"])


def settings(databases: TestDatabases) -> Settings:
    """Of a service on a fresh SQLite file."""
    return Settings(
        database_url=databases.fresh("sqlite"),
        evaluation=True,
        secret_key=SecretStr("a secret key only for tests, long enough"),
    )
