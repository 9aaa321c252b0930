"""Waiting for a loop to come round, in memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from rapid_response.core.pulse import Pulse

NOON = datetime(2026, 7, 15, 11, 0, tzinfo=UTC)


async def test_all_who_wait_for_a_loop_are_told_when_it_comes_round() -> None:
    pulse = Pulse()
    waiting = [asyncio.ensure_future(pulse.comes_round("deliver", 5.0)) for _ in range(3)]
    other = asyncio.ensure_future(pulse.comes_round("ring", 0.0))
    assert not await other
    pulse.passed("deliver", NOON)
    assert await asyncio.gather(*waiting) == [True, True, True]
    # The next pass is another one.
    assert not await pulse.comes_round("deliver", 0.0)


async def test_a_pass_that_nobody_waits_for_any_more_tells_nobody() -> None:
    pulse = Pulse()
    gone = asyncio.ensure_future(pulse.comes_round("deliver", 5.0))
    await asyncio.wait([gone], timeout=0)
    gone.cancel()
    pulse.passed("deliver", NOON)
    assert not await pulse.comes_round("deliver", 0.0)
