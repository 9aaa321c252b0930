"""`serve` whose leases and look-ups are shorter, so that a test need not wait half a minute for a dead node.

Nothing else differs: it is the program itself, in a process that can be killed.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from rapid_response.cli import run
from rapid_response.messaging import retries
from rapid_response.simulator import posts
from rapid_response.steps import sending
from rapid_response.storage import work

LEASE = timedelta(seconds=3)


def hurry() -> None:
    """Shorten leases and look-ups."""
    sending.LEASE = work.LEASE = posts.LEASE = LEASE
    retries.LOOK_UP_AFTER = (
        timedelta(seconds=0.2),
        timedelta(seconds=3.2),
        timedelta(seconds=3.6),
        timedelta(seconds=4),
    )


if __name__ == "__main__":
    hurry()
    sys.exit(run(["serve", *sys.argv[1:]]))
