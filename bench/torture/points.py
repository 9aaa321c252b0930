"""What happens at a failpoint, as the environment of a process says: killed, the n-th time it comes there.

`RAPID_RESPONSE_TEST_FAILPOINT=msg.claimed:3` kills at the third passing. Other actions go here as well.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping

from rapid_response.core import failpoints

VARIABLE = "RAPID_RESPONSE_TEST_FAILPOINT"


def told(point: str, passing: int) -> Mapping[str, str]:
    """The environment of a process that is killed there."""
    return {failpoints.PROFILE: failpoints.FOR_FAULTS, VARIABLE: f"{point}:{passing}"}


def arm_as_told() -> None:
    """Arm what the environment names; nothing where it names none."""
    spec = os.environ.get(VARIABLE)
    if not spec:
        return
    name, _, passing = spec.partition(":")
    if name not in failpoints.NAMES:
        raise LookupError(f"there is no failpoint {name}")
    left = int(passing)

    def act(reached: str) -> None:
        nonlocal left
        if reached != name:
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.arm(act)
