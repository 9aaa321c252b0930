"""Uvicorn's server, as one process of ours needs it, and what it serves.

The server says when it serves, and wakes when it has to; the service is at work before its web side is there.
"""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn

from rapid_response.assembly import Parts, living

#: So many new objects are made before it is looked which of them are gone: Python's own 700 is for small
#: programs.
_YOUNG_OBJECTS = 10_000
_LOOKS_EVERY_SECONDS = 1


def config(served: Any, **more: Any) -> uvicorn.Config:
    """How each process of ours is served: our log is the log, and nobody is told what answers."""
    return uvicorn.Config(
        served, lifespan="on", log_config=None, access_log=False, server_header=False, **more
    )


class Server(uvicorn.Server):
    """`began` is called once it serves; `refused` makes an error of ours of a port that is taken."""

    def __init__(
        self, config: uvicorn.Config, began: Callable[[], None], refused: Callable[[OSError], Exception]
    ) -> None:
        super().__init__(config)
        self._began, self._refused = began, refused
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ends = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            await super().startup(sockets)
        except OSError as error:
            raise self._refused(error) from None
        gc.set_threshold(_YOUNG_OBJECTS)
        gc.enable()
        if self.started:
            self._began()

    async def main_loop(self) -> None:
        """As Uvicorn's own, which wakes ten times a second to see whether it is to end."""
        tenths = 0
        while not await self.on_tick(tenths):
            tenths += 10 * _LOOKS_EVERY_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOKS_EVERY_SECONDS):
                    await self._ends.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ends.set)


class Served:
    """An ASGI application that sets the service to work at its start, and loads its web side beside that.

    `error` is what kept it from starting, or from ending well: the server would only log it.
    """

    def __init__(self, parts: Parts, load: Callable[[], Any]) -> None:
        self._parts, self._load = parts, load
        self._web: Any = None
        self.error: BaseException | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self._web(scope, receive, send)
            return
        try:
            await receive()  # "startup"
            async with living(self._parts):
                self._web = await asyncio.to_thread(self._load)
                self._parts.carrier.connect(self._web)
                await send({"type": "lifespan.startup.complete"})
                await receive()  # "shutdown"
        except Exception as error:
            self.error = error
            raise
        await send({"type": "lifespan.shutdown.complete"})
