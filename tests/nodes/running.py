"""Real processes to test with: serving nodes that start, answer, die and are always ended."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from rapid_response.access.keys import create_key
from rapid_response.core.clock import SystemClock
from rapid_response.core.ids import SystemIds
from rapid_response.core.vocabulary import Scope
from rapid_response.definition.load import parse
from rapid_response.steps.load_service import load
from rapid_response.storage.database import Database
from rapid_response.wiring import SUBSCRIPTIONS
from tests.builders import paid_today

T = TypeVar("T")

ROOT = Path(__file__).parent.parent.parent
#: A process that is not up by then never will be; the machine may be busy.
STARTS_WITHIN = 90.0
_SECRET = "one secret key for every node of the test"


def settings_of(database_url: str, **settings: str) -> dict[str, str]:
    """The settings of a process of ours, by the names of their variables."""
    ours = {"DATABASE_URL": database_url, "SECRET_KEY": _SECRET, "LOG_FORMAT": "json", **settings}
    return {f"RAPID_RESPONSE_{name}": value for name, value in ours.items()}


def environment(database_url: str, **settings: str) -> dict[str, str]:
    """What a process of ours is started with: nothing of this process's own settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RAPID_RESPONSE_")}
    return {**inherited, "PYTHONPATH": str(ROOT), **settings_of(database_url, **settings)}


def command(
    database_url: str, folder: Path, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run one command of ours to its end."""
    return subprocess.run(
        [sys.executable, "-m", "rapid_response", *arguments],
        env=environment(database_url, **settings),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN,
        check=False,
    )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Node:
    """One `rapid-response serve`."""

    def __init__(
        self,
        database_url: str,
        folder: Path,
        *,
        program: Sequence[str] = ("-m", "rapid_response", "serve"),
        **settings: str,
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / f"node-{port}.log"
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, *program, "--port", str(port)],
                env=environment(database_url, BASE_URL=self.url, **settings),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    async def ready(self) -> None:
        """Wait until it could keep the promise."""
        async with httpx.AsyncClient(base_url=self.url) as http:

            async def is_ready() -> bool:
                assert self.lives, f"the node ended: {self.said()}"
                try:
                    return (await http.get("/health/ready")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(is_ready, "the node is ready", within=STARTS_WITHIN)

    @property
    def lives(self) -> bool:
        """Whether its process is there."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def said(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-2000:]

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def ask_to_stop(self) -> None:
        """Ask it to end; harmless twice."""
        if self.lives:
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """See that it ends."""
        self.ask_to_stop()
        if self.lives:
            try:
                self._process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.kill()


async def until(check: Callable[[], Awaitable[T]], what: str, *, within: float, every: float = 0.1) -> T:
    """Ask until the answer is true, and give it; fails when it is not within that many seconds."""
    give_up_at = time.monotonic() + within
    while not (found := await check()):
        assert time.monotonic() < give_up_at, f"not within {within:g} seconds: {what}"
        await asyncio.sleep(every)
    return found


@dataclass(slots=True)
class Council:
    """One council's database, its nodes, and what an onlooker can read."""

    url: str
    folder: Path
    database: Database
    key: str
    nodes: list[Node]

    @classmethod
    def found(cls, url: str, folder: Path, definition: str) -> Council:
        """A council with a service and a key, and no node yet."""
        database = Database(url, clock=SystemClock(), ids=SystemIds(), subscriptions=SUBSCRIPTIONS)
        key = database.run_now(lambda tx: create_key(tx, "tests", tuple(Scope))).secret
        council = cls(url, folder, database, key, [])
        council.load(definition)
        return council

    @property
    def authorization(self) -> dict[str, str]:
        """The header of whoever has the key."""
        return {"authorization": f"Bearer {self.key}"}

    def numbered_report(self, number: int) -> dict[str, Any]:
        """What a partner posts, and posts again under the same key while nobody answers."""
        headers = {**self.authorization, "idempotency-key": f"report-{number}"}
        return {"json": paid_today(), "headers": headers}

    def load(self, definition: str) -> None:
        """Load a service definition, as a command would beside the serving nodes."""
        service = parse(definition, "nodes.yaml")
        self.database.run_now(lambda tx: load(tx, service))

    async def serve(self, count: int, **options: Any) -> None:
        """Start nodes, and wait until all are ready."""
        started = [Node(self.url, self.folder, **options) for _ in range(count)]
        self.nodes += started
        await asyncio.gather(*(node.ready() for node in started))

    def close(self) -> None:
        """End everything."""
        for node in self.nodes:
            node.ask_to_stop()
        for node in self.nodes:
            node.stop()
        self.database.close_now()

    def client(self, node: Node) -> httpx.AsyncClient:
        """Somebody with a key, at one node."""
        return httpx.AsyncClient(
            base_url=node.url,
            headers=self.authorization,
            timeout=60,
            # Well before a node closes an idle connection, or a request could meet that moment.
            limits=httpx.Limits(max_connections=60, keepalive_expiry=1.0),
        )
