"""A warm parent: it has imported everything once, and each process of ours is a fork of it.

`python -m bench.torture.nursery URL` gets warm on that database, then reads one order a line, starts
that command of ours for it, and says when that ended. It has no threads and keeps nothing open, so that a
fork of it is as good as a fresh start.
"""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
import gc
import json
import os
import random
import select
import signal
import sys
import threading
import traceback
from datetime import timedelta
from functools import cache
from importlib import import_module
from typing import Any

from rapid_response.core.clock import SystemClock

#: What serving imports only when it is needed.
_NEEDED = (
    "alembic.command",
    "apscheduler.executors.asyncio",
    "apscheduler.triggers.interval",
    "h11",
    "httpcore",
    "psycopg",
    "rapid_response.access.passphrases",
    "rapid_response.app",
    "rapid_response.cli.evaluation",
    "rapid_response.cli.opening",
    "rapid_response.cli.serve",
    "rapid_response.logs",
    "rapid_response.messaging.twilio_check",
    "rapid_response.messaging.twilio_gateway",
    "rapid_response.storage.migrate",
    "twilio.rest",
    "twilio.rest.api.v2010.account",
    "typer._adapters",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
    "websockets.server",
)
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_LOOK_EVERY = 0.01
_THREADS_END_WITHIN = 60.0


def warm(url: str) -> None:
    """Import all that serving needs, and shorten leases and look-ups."""
    for name in _NEEDED:
        import_module(name)
    from rapid_response.intake.reading import default_reader
    from tests.nodes.serve import hurry

    default_reader()
    asyncio.run(_live_once(url))
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            # Told to end with the loop that they worked for; on a busy machine that takes its moment.
            thread.join(_THREADS_END_WITHIN)
    if threading.active_count() > 1:
        raise RuntimeError(f"a fork would lose {threading.enumerate()}")
    hurry()
    _hurry_more()
    gc.collect()
    gc.freeze()


def _hurry_more() -> None:
    """What is done each minute is done every few seconds, so that a short life comes to it.

    But nobody says that she has seen a notice here: a round that takes its time would soon do nothing else
    than give them again.
    """
    from httpx._transports import default

    from rapid_response.steps import catch_up, notices
    from rapid_response.worker import worker

    worker._SEAL_SECONDS, worker._SWEEP_SECONDS = 3, 4
    catch_up.EVERY, catch_up.WHILE_ASKED = timedelta(seconds=12), timedelta(seconds=8)
    catch_up._LEASE = timedelta(seconds=5)
    notices.NOTICE_REPEAT = timedelta(hours=1)  # type: ignore[attr-defined]
    # Nobody speaks TLS here, and reading all certificates costs a third of a start.
    default.create_ssl_context = cache(default.create_ssl_context)  # type: ignore[attr-defined]


async def _live_once(url: str) -> None:
    """One report from its arrival to its receipts: what is made at first use is made before a fork."""
    from tests.builders import paid_today
    from tests.harness import Town

    async with Town(url, SystemClock().real()) as town:
        await town.takes(paid_today())


def main() -> None:
    """Take orders until nobody gives any; then nobody is left."""
    warm(sys.argv[1])
    _say(ready=True)
    children: dict[int, int] = {}
    waiting = b""
    while True:
        readable, _, _ = select.select([0], [], [], _LOOK_EVERY)
        if readable:
            said = os.read(0, 65536)
            if not said:
                break
            *orders, waiting = (waiting + said).split(b"\n")
            for order in orders:
                _start(json.loads(order), children)
        _bury(children)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _start(order: dict[str, Any], children: dict[int, int]) -> None:
    pid = os.fork()
    if pid == 0:
        _obey(order)
    children[pid] = order["id"]
    _say(id=order["id"], pid=pid)


def _bury(children: dict[int, int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        _say(id=children.pop(pid), ended=os.waitstatus_to_exitcode(status))


def _obey(order: dict[str, Any]) -> None:
    """The child: it never returns."""
    status = 70
    try:
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        output = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        faulthandler.enable()  # should it crash by itself, its log says where
        os.chdir(order["folder"])
        for name in [name for name in os.environ if name.startswith("RAPID_RESPONSE_")]:
            del os.environ[name]
        random.seed()  # each has its own jitter
        os.environ.update(order["environment"])
        from bench.torture import points
        from rapid_response.cli import run

        points.arm_as_told()
        status = run(order["arguments"])
    except BaseException:  # what went wrong stands in its log
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def _say(**what: Any) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main()
