"""A hand that runs commands of ours, and kills some of them."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.torture import points
from bench.torture.nodes import Nursery, Process
from tests.databases import TestDatabases
from tests.nodes.running import settings_of

AT_SOME_MOMENT = "at some moment"
#: One kill in so many is at some moment.
_BY_CHANCE = 3
_ENDS_WITHIN = 120.0
#: With what the names of a command's moments begin, where it is not the command's own.
_MOMENTS_OF = {"retention": "erase"}


@dataclass
class Hand:
    """Runs commands of ours, and kills them; keeps count, and every fault that was found."""

    nursery: Nursery
    databases: TestDatabases
    folder: Path
    seed: int
    killed: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _chance: random.Random = field(init=False)
    #: How long a command takes that nobody kills, in seconds.
    _took: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"commands {self.seed}")

    async def runs(self, url: str, *arguments: str) -> None:
        """To its end, which must be a good one."""
        began = time.monotonic()
        process = await self._start(url, {}, arguments)
        await asyncio.wait_for(process.gone.wait(), _ENDS_WITHIN)
        self._took[arguments[0]] = time.monotonic() - began
        self.finds(process.ended == 0, f"{arguments[0]} ended with {process.ended}: {self.said()}")

    async def kills(self, url: str, number: int, most: int, *arguments: str) -> None:
        """Killed at one of its moments, at a passing up to `most`; or at some moment."""
        name = arguments[0]
        if number % _BY_CHANCE == _BY_CHANCE - 1:
            process = await self._start(url, {}, arguments)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.gone.wait(), self._chance.uniform(0, self._took[name]))
            process.kill()
            where = AT_SOME_MOMENT
        else:
            own = [
                point
                for point in points.OF_COMMANDS
                if point.partition(".")[0] == _MOMENTS_OF.get(name, name)
            ]
            where = self._chance.choice(own)
            told = points.told(where, self._chance.randint(1, most))
            process = await self._start(url, told, arguments)
        await asyncio.wait_for(process.gone.wait(), _ENDS_WITHIN)
        if process.ended != 0:
            self.finds(process.ended == -9, f"{name} ended with {process.ended}: {self.said()}")
            self.killed[f"{name}: {where}"] += 1

    async def _start(self, url: str, more: Mapping[str, str], arguments: Sequence[str]) -> Process:
        return await self.nursery.command(arguments, self.folder, {**settings_of(url), **more})

    def finds(self, holds_: bool, otherwise: str) -> None:
        """A promise: kept, or a fault."""
        if not holds_:
            self.faults.append(otherwise)

    def said(self) -> str:
        """The end of what commands said."""
        return (self.folder / "commands.log").read_text(errors="replace")[-1500:]
