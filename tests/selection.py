"""Which tests `make test` leaves to `make test-full`, so that it is over while its change is still in mind.

Left out of a run of the whole folder: tests marked `long`, and of a test that is run on each kind of
database one of the two, by turns. CI and `make test-full` run everything on both. Whoever names files or
tests on the command line gets all of them.
"""

from __future__ import annotations

import os
from zlib import crc32

#: `quick` (as said above), `full` (all there is), `large` (all, and long random histories: nightly).
PROFILE = os.environ.get("RAPID_RESPONSE_TEST_PROFILE", "quick")
KINDS = ("sqlite", "postgresql")


def is_left_out(node_id: str, kind: str | None, *, is_long: bool) -> bool:
    """Whether a quick run leaves this test out; `kind` is its database where it is run on each."""
    if is_long:
        return True
    if kind is None:
        return False
    both = node_id.replace(f"[{kind}", "[").encode()
    return KINDS[crc32(both) % len(KINDS)] != kind
