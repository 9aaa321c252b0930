"""Processes of ours by order of the nursery, and what became of each."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.nodes.running import ROOT

_WARM_WITHIN = 120.0


class Process:
    """One process: one that serves has a port."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.pid = 0
        #: Its exit status, less than zero for the signal that killed it; None while it lives.
        self.ended: int | None = None
        self.gone = asyncio.Event()

    @property
    def lives(self) -> bool:
        return self.ended is None

    def kill(self) -> None:
        """As a power cut would."""
        if self.lives and self.pid:
            # It may have died in this moment, and nobody has told us yet.
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


class Nursery:
    """The warm parent, as an async context; it gets warm on a migrated database of its own."""

    def __init__(self, warm_on: str) -> None:
        self._warm_on = warm_on
        self._children: dict[int, Process] = {}
        self._count = 0
        self._parent: asyncio.subprocess.Process
        self._listening: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        environment = {n: v for n, v in os.environ.items() if not n.startswith("RAPID_RESPONSE_")}
        self._parent = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.torture.nursery",
            self._warm_on,
            cwd=ROOT,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._parent.stdout is not None
        async with asyncio.timeout(_WARM_WITHIN):
            said = await self._parent.stdout.readline()
        if json.loads(said or b"{}") != {"ready": True}:
            raise RuntimeError("the nursery did not start")
        self._listening = asyncio.create_task(self._listen(self._parent.stdout))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._parent.stdin is not None
        self._parent.stdin.close()
        try:
            async with asyncio.timeout(10):
                await self._parent.wait()
        except TimeoutError:
            self._parent.kill()
            await self._parent.wait()
        await self._listening

    async def _listen(self, output: asyncio.StreamReader) -> None:
        while line := await output.readline():
            said = json.loads(line)
            child = self._children[said["id"]]
            if "pid" in said:
                child.pid = said["pid"]
            else:
                child.ended = said["ended"]
                child.gone.set()

    async def start(self, port: int, folder: Path, environment: Mapping[str, str]) -> Process:
        """Start one that serves; it may not answer yet."""
        arguments = ("serve", "--port", str(port))
        return await self._order(Process(port), arguments, folder, f"node-{port}.log", environment)

    async def command(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> Process:
        """Start a command; what it says is in `commands.log`."""
        return await self._order(Process(), arguments, folder, "commands.log", environment)

    async def _order(
        self,
        process: Process,
        arguments: Sequence[str],
        folder: Path,
        log: str,
        environment: Mapping[str, str],
    ) -> Process:
        assert self._parent.stdin is not None
        self._count += 1
        self._children[self._count] = process
        order = {
            "id": self._count,
            "arguments": arguments,
            "folder": str(folder),
            "log": str(folder / log),
            "environment": dict(environment),
        }
        self._parent.stdin.write(json.dumps(order).encode() + b"\n")
        await self._parent.stdin.drain()
        return process
