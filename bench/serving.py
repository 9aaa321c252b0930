"""Servers and databases to measure: started fresh, on a real disk, and ended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.provider import Provider
from rapid_response.access.keys import create_key
from rapid_response.core.clock import SystemClock
from rapid_response.core.ids import SystemIds
from rapid_response.core.vocabulary import Scope
from rapid_response.definition import read
from rapid_response.steps.load_service import load
from rapid_response.storage.database import Database
from rapid_response.storage.migrate import migrate
from rapid_response.wiring import SUBSCRIPTIONS
from tests.postgres import ServerHandle, start_server

ROOT = Path(__file__).parent.parent
_STARTS_WITHIN = 120.0
_SECRET = "a secret key for what is only measured"


class Machine:
    """Where databases are made: a folder on a disk, and one durable PostgreSQL."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rr-bench-", dir=os.environ.get("BENCH_TMP")))
        self._server: ServerHandle | None = None
        self._count = 0

    def close(self) -> None:
        """Leave nothing behind."""
        if self._server is not None:
            self._server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def database_url(self, kind: str) -> str:
        """An empty database."""
        self._count += 1
        if kind == "sqlite":
            return f"sqlite+aiosqlite:///{self.folder}/{self._count}.db"
        if self._server is None:
            self._server = start_server(durable=True)
        return self._server.create_database()

    def drop(self, url: str) -> None:
        """Let go of a database."""
        if url.startswith("sqlite"):
            for file in self.folder.glob(f"{Path(url).name}*"):
                file.unlink()
        elif self._server is not None:
            self._server.drop_database(url)


@dataclass(frozen=True, slots=True)
class Product:
    """A database of the product with the sample service and a key."""

    url: str
    database: Database
    key: str


@contextmanager
def product_database(machine: Machine, kind: str) -> Iterator[Product]:
    """A fresh one, migrated and loaded."""
    url = machine.database_url(kind)
    database = Database(url, clock=SystemClock(), ids=SystemIds(), subscriptions=SUBSCRIPTIONS)
    try:
        migrate(database)
        service = read(ROOT / "deploy" / "bromley.yaml")
        database.run_now(lambda tx: load(tx, service))
        yield Product(
            url, database, database.run_now(lambda tx: create_key(tx, "bench", tuple(Scope))).secret
        )
    finally:
        database.close_now()
        machine.drop(url)


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers."""

    url: str
    pid: int
    started_in: float


@contextmanager
def server(arguments: Sequence[str], ready: str, **environment: str) -> Iterator[Server]:
    """Start one, wait until it answers at `ready`, and end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    # Compiled modules are kept, as where it is installed.
    left_out = ("RAPID_RESPONSE_", "PYTHONDONTWRITEBYTECODE")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments, "--port", str(port)],
        cwd=ROOT,
        env={**inherited, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(process, url + ready, began)
        yield Server(url, process.pid, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, began: float) -> None:
    while True:
        try:
            urllib.request.urlopen(url, timeout=10).close()
            return
        except OSError as error:
            if getattr(error, "code", 0) in (404, 405):  # it answers
                return
            if process.poll() is not None or time.perf_counter() - began > _STARTS_WITHIN:
                raise SystemExit(f"{url} does not answer") from None
        time.sleep(0.02)


@contextmanager
def product(of: Product, *, works: bool = True, texts_by: Provider | None = None) -> Iterator[Server]:
    """The product: `rapid-response serve`, or the same without its worker.

    `texts_by` is the provider it hands texts to; without one they go to the simulated phones.
    """
    arguments = ["-m", "rapid_response", "serve"] if works else ["-m", "bench.product"]
    settings = environment(of) | (texts_by.settings() if texts_by else {})
    with server(arguments, "/health/ready" if works else "/health/live", **settings) as found:
        if texts_by is not None:
            texts_by.tells(found.url)
        yield found


def environment(of: Product) -> dict[str, str]:
    """The settings under which this database is served."""
    return {
        "RAPID_RESPONSE_DATABASE_URL": of.url,
        "RAPID_RESPONSE_SECRET_KEY": _SECRET,
        "RAPID_RESPONSE_LOG_LEVEL": "warning",
    }


@contextmanager
def baseline(machine: Machine, mode: str, kind: str | None = None) -> Iterator[tuple[Server, str]]:
    """T, N or D (:mod:`bench.naive`), and the address of its database."""
    url = machine.database_url(kind) if kind else ""
    driver_url = url.replace("+aiosqlite", "")
    arguments = ["-m", "uvicorn", "bench.naive:app", "--no-access-log", "--log-level", "warning"]
    try:
        with server(arguments, "/", BENCH_MODE=mode, BENCH_URL=driver_url) as found:
            yield found, driver_url
    finally:
        if url:
            machine.drop(url)


# ---------------------------------------------------------------- what a run cost


def cpu_seconds(server_pids: Sequence[int], database_url: str = "") -> float:
    """Processor time of servers so far, with PostgreSQL's where they have one; neighbours hardly move it."""
    pids = [*server_pids]
    if database_url.startswith("postgresql"):
        pids += _postgres_pids(database_url)
    return sum(_cpu(pid) for pid in pids)


def _postgres_pids(url: str) -> list[int]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        main = _stat(connection.info.backend_pid)[1]
    return [
        int(pid) for pid in os.listdir("/proc") if pid.isdigit() and main in (int(pid), _parent(int(pid)))
    ]


def _parent(pid: int) -> int:
    try:
        return int(_stat(pid)[1])
    except OSError:
        return 0


def _cpu(pid: int) -> float:
    try:
        fields = _stat(pid)
    except OSError:
        return 0.0
    # Own time, and that of children who have ended.
    return sum(fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[int]:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return [int(field) if field.lstrip("-").isdigit() else 0 for field in fields]


def rss_mib(pid: int) -> float:
    """Memory in use."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


# ---------------------------------------------------------------- load


def post(url: str, bodies: Path, **options: Any) -> dict[str, Any]:
    """Run the load client; gives what it saw."""
    done = posting(url, bodies, **options)
    told, complaint = done.communicate(timeout=600)
    if done.returncode != 0:
        raise SystemExit(f"the load client failed: {complaint[-1500:]}")
    seen: dict[str, Any] = json.loads(told)
    if seen["refused"]:
        raise SystemExit(f"reports were refused: {seen['refused']}")
    return seen


def posting(url: str, bodies: Path, **options: Any) -> subprocess.Popen[str]:
    """The load client, running."""
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return subprocess.Popen(
        [sys.executable, "-m", "bench.load", url, str(bodies), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def fetch(url: str, key: str = "") -> bytes:
    """One GET."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=120) as answer:
        told: bytes = answer.read()
    return told
