"""When a loop looks: what it gathers, who hurries it, and when it looks again after a pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from rapid_response.core.pulse import Pulse
from rapid_response.storage.database import Database
from rapid_response.worker.loops import Loop, Loops
from tests.spine.conftest import Open

#: Longer than any test runs.
_FOR_EVER = 3600.0


class Counted:
    """A loop's pass that finds so much, then nothing, and is counted."""

    def __init__(self, *finds: int) -> None:
        self.finds = list(finds)
        self.passes = 0

    async def __call__(self) -> int:
        self.passes += 1
        return self.finds.pop(0) if self.finds else 0


@pytest.fixture
def database(opened: Open) -> Database:
    return opened({})


@asynccontextmanager
async def running(database: Database, pulse: Pulse, *loops: Loop) -> AsyncIterator[Loops]:
    """Loops that have begun; each is nudged once by that."""
    made = Loops(database, pulse)
    made.add(*loops)
    made.listen()
    made.begin()
    try:
        yield made
    finally:
        await asyncio.gather(*made.stop(), return_exceptions=True)


async def test_whoever_waits_for_a_loop_has_it_look_at_once(database: Database) -> None:
    pulse, seen = Pulse(), Counted()
    async with running(database, pulse, Loop("mail", seen, gathers=_FOR_EVER)) as loops:
        assert seen.passes == 0
        assert await pulse.comes_round("mail", 5)
        assert seen.passes == 1
        # What comes next is gathered again.
        loops.nudge({"mail"})
        assert not await pulse.comes_round("second", 0)
        assert seen.passes == 1
        assert await pulse.comes_round("mail", 5)
        assert seen.passes == 2


@pytest.mark.parametrize(
    ("leaves_some", "passes"),
    [pytest.param(lambda: True, 3, id="it may"), pytest.param(lambda: False, 1, id="it does not")],
)
async def test_it_looks_again_at_once_where_a_pass_may_have_left_some(
    database: Database, leaves_some: Callable[[], bool], passes: int
) -> None:
    pulse, seen = Pulse(), Counted(2, 1)
    async with running(database, pulse, Loop("mail", seen, leaves_some=leaves_some)):
        while not await pulse.comes_round("mail", 5) or (seen.finds and leaves_some()):
            pass
        assert seen.passes == passes
