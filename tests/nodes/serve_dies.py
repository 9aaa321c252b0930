"""`serve` that is killed in the moment between handing a text over and writing that down (R7).

As a power cut would: the provider has the text, and no row says so. Leases are short, as in `serve.py`.
"""

from __future__ import annotations

import os
import signal
import sys

from rapid_response.cli import run
from rapid_response.messaging.gateway import SendOutcome, TextRequest
from rapid_response.messaging.simulated import SimulatorGateway
from tests.nodes.serve import hurry

_send_text = SimulatorGateway.send_text


async def _send_and_die(self: SimulatorGateway, request: TextRequest) -> SendOutcome:
    await _send_text(self, request)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


if __name__ == "__main__":
    hurry()
    SimulatorGateway.send_text = _send_and_die  # type: ignore[method-assign]  # this is the fault
    sys.exit(run(["serve", *sys.argv[1:]]))
