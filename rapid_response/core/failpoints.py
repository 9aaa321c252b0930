"""Named moments at which a test may kill, stop or delay the process (reliability.md 7).

In a live service they do nothing: no setting arms them, nothing in this package does, and arming is refused
unless the process was started for a test. They stand where a crash would hurt most: between a decision
and its record, and between a request and what is written down about it.
"""

from __future__ import annotations

import os
from collections.abc import Callable

#: A message was leased and that is durable; just before the provider is asked; just after it answered; and
#: once its answer is durable.
MSG_CLAIMED, MSG_BEFORE_HTTP = "msg.claimed", "msg.before_http"
MSG_AFTER_HTTP, MSG_RECORDED = "msg.after_http", "msg.recorded"
NAMES = (MSG_CLAIMED, MSG_BEFORE_HTTP, MSG_AFTER_HTTP, MSG_RECORDED)

#: What a process must be started with for these to be armed at all, and its value.
PROFILE, FOR_FAULTS = "RAPID_RESPONSE_TEST_PROFILE", "faults"

_act: Callable[[str], None] | None = None


class NotForTests(Exception):
    """Somebody tried to arm a failpoint in a process that was not started for tests."""


def reach(name: str) -> None:
    """The process is at that moment: nothing happens, unless a test armed it."""
    if _act is not None:
        _act(name)


def arm(act: Callable[[str], None]) -> None:
    """From now on `act` hears each moment by its name. Raises :class:`NotForTests` in a live service."""
    if os.environ.get(PROFILE) != FOR_FAULTS:
        raise NotForTests(f"failpoints are for tests: {PROFILE} is not {FOR_FAULTS}")
    global _act
    _act = act


def disarm() -> None:
    """Nothing happens any more."""
    global _act
    _act = None
