"""Uvicorn's server, as one process of ours needs it: it says when it serves, and wakes when it has to."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import uvicorn

#: So many new objects are made before it is looked which of them are gone: Python's own 700 is for small
#: programs.
_YOUNG_OBJECTS = 10_000
_LOOKS_EVERY_SECONDS = 1


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
