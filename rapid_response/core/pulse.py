"""What a process knows of itself: when each of its loops last came round, and what stands in its way.

Kept in memory, for this process alone: `/health/ready` reads it, and it must be readable with the database
gone. What all nodes must know stands in rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Pulse:
    """One process's pulse; written by its worker, in the event loop's thread."""

    #: When each loop last ended a pass without a fault, in real time.
    passed_at: dict[str, datetime] = field(default_factory=dict)
    #: The class of the error with which a loop fails now.
    failing: dict[str, str] = field(default_factory=dict)
    #: The database's schema, where it is not this release's (any more): no more work is taken.
    other_schema: str | None = None
    #: What a check of the database's file found: nothing is written any more.
    damage: str | None = None
    #: Something that was read from the file made no sense: it is to be checked now, not tonight.
    suspects_damage: bool = False
    #: Has a loop look now, whatever else it would wait for: for whoever waits for it.
    hurry: Callable[[str], None] = lambda _: None
    #: Those who wait for a loop to come round.
    _awaited: dict[str, asyncio.Future[None]] = field(default_factory=dict)

    @property
    def is_damaged(self) -> bool:
        """Whether the file is damaged, or seems to be."""
        return self.suspects_damage or self.damage is not None

    def passed(self, loop: str, at: datetime) -> None:
        """A loop came round."""
        self.passed_at[loop] = at
        self.failing.pop(loop, None)
        if (awaited := self._awaited.pop(loop, None)) is not None and not awaited.done():
            awaited.set_result(None)

    async def comes_round(self, loop: str, within: float) -> bool:
        """Have a loop look, and wait for it to end a pass, for so many seconds; False where it did not."""
        self.hurry(loop)
        if loop not in self._awaited:
            self._awaited[loop] = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(asyncio.shield(self._awaited[loop]), within)
        except TimeoutError:
            return False
        return True

    def failed(self, loop: str, error: str) -> bool:
        """A loop came round with an error; True when that is news."""
        is_news = self.failing.get(loop) != error
        self.failing[loop] = error
        return is_news

    def oldest(self) -> tuple[str, datetime] | None:
        """The loop that has not come round for the longest; None before the worker has begun."""
        return min(self.passed_at.items(), key=lambda item: item[1], default=None)

    @property
    def faults(self) -> Mapping[str, str]:
        """The loops that fail now, each with the class of its error."""
        return self.failing
