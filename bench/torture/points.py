"""Where the campaign strikes, and what happens there: killed, paused, raised, delayed, or cut off.

The moments are those of reliability.md 7, by its names. The product knows few of its own: most are steps that
begin, are written, or are durable, and which step it is stands beside (`rapid_response/core/failpoints.py`).

`RAPID_RESPONSE_TEST_FAILPOINT=intake.committed:3:kill` strikes at the third passing, once.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path

from rapid_response.core import failpoints as fp

VARIABLE = "RAPID_RESPONSE_TEST_FAILPOINT"
#: A file that is made when it strikes, for what leaves the process alive.
STRUCK = "RAPID_RESPONSE_TEST_STRUCK"

_REPORTS, _INCIDENTS, _HOOKS = "/api/v1/reports", "/api/v1/incidents", "/webhooks/twilio"

#: By name: a moment of the product, and the step or the path that it is a moment of (any, where empty).
#: Classifying, planning and the idempotency key are of the report's one commit (design.md 1).
POINTS: Mapping[str, tuple[str, str]] = {
    "boot.begins": (fp.WORKER_STARTS, ""),
    "boot.ends": (fp.WORKER_STARTED, ""),
    "intake.received": (fp.STEP_BEGINS, "receive.receive"),
    "intake.written": (fp.STEP_WRITTEN, "receive.receive"),
    "intake.committed": (fp.STEP_COMMITTED, "receive.receive"),
    "intake.replied": (fp.HTTP_REPLIED, _REPORTS),
    "timer.claimed": (fp.AGENDA_CLAIMED, ""),
    "timer.written": (fp.STEP_WRITTEN, "ring.ring"),
    "timer.committed": (fp.STEP_COMMITTED, "ring.ring"),
    "escalate.written": (fp.STEP_WRITTEN, "ring.ring rung"),
    "escalate.committed": (fp.STEP_COMMITTED, "ring.ring rung"),
    "breach.committed": (fp.STEP_COMMITTED, "ring.ring breach"),
    "fail_over.written": (fp.STEP_WRITTEN, "ring.ring fail_over"),
    "fail_over.committed": (fp.STEP_COMMITTED, "ring.ring fail_over"),
    "msg.looked": (fp.STEP_WRITTEN, "sending.look_for_work"),
    "msg.claimed": (fp.MSG_CLAIMED, ""),
    "msg.before_http": (fp.MSG_BEFORE_HTTP, ""),
    "msg.after_http": (fp.MSG_AFTER_HTTP, ""),
    "msg.written": (fp.STEP_WRITTEN, "sending.record_answer"),
    "msg.recorded": (fp.MSG_RECORDED, ""),
    "lookup.before": (fp.LOOKUP_BEFORE, ""),
    "lookup.after": (fp.LOOKUP_AFTER, ""),
    "lookup.committed": (fp.STEP_COMMITTED, "unknowns.record_look_up"),
    "callback.received": (fp.STEP_BEGINS, "receipts.record"),
    "callback.committed": (fp.STEP_COMMITTED, "receipts.record"),
    "callback.replied": (fp.HTTP_REPLIED, f"{_HOOKS}/sms/status"),
    "text.received": (fp.STEP_BEGINS, "inbound.take_text"),
    "text.committed": (fp.STEP_COMMITTED, "inbound.take_text"),
    "text.replied": (fp.HTTP_REPLIED, f"{_HOOKS}/sms"),
    "ack.read": (fp.STEP_WRITTEN, "ring.ring inbound"),
    "ack.committed": (fp.STEP_COMMITTED, "ring.ring inbound"),
    "action.written": (fp.STEP_WRITTEN, "actions.act"),
    "action.committed": (fp.STEP_COMMITTED, "actions.act"),
    "action.replied": (fp.HTTP_REPLIED, _INCIDENTS),
    "close.committed": (fp.STEP_COMMITTED, "actions.act close"),
    "events.claimed": (fp.EVENTS_CLAIMED, ""),
    "events.written": (fp.STEP_WRITTEN, "work.deliver"),
    "events.committed": (fp.STEP_COMMITTED, "work.deliver"),
    "audit.appended": (fp.STEP_WRITTEN, "log.seal"),
    "audit.anchored": (fp.STEP_COMMITTED, "log.seal"),
}
NAMES = tuple(POINTS)
#: The same of commands (`bench/torture/commands.py`), which pass each of them once or a few times.
OF_COMMANDS: Mapping[str, tuple[str, str]] = {
    "backup.copied": (fp.BACKUP_COPIED, ""),
    "backup.named": (fp.BACKUP_NAMED, ""),
    "restore.marked": (fp.STEP_COMMITTED, "holding.mark_restored"),
    "restore.ready": (fp.RESTORE_READY, ""),
    "restore.kept": (fp.RESTORE_KEPT, ""),
    "migrate.step": (fp.MIGRATE_STEP, ""),
    "erase.written": (fp.STEP_WRITTEN, "retention.erase"),
    "erase.committed": (fp.STEP_COMMITTED, "retention.erase"),
}
_RARE = ("boot", "breach", "fail_over", "lookup", "ack", "text", "action", "close", "audit")
#: What comes once in some seconds: there is no waiting for the third passing.
RARE = frozenset(name for name in POINTS if name.partition(".")[0] in _RARE)


class Blow(StrEnum):
    """What happens there."""

    KILL = "kill"
    #: Stopped for longer than any lease, and then woken.
    PAUSE = "pause"
    RAISE = "raise"
    DELAY = "delay"
    #: All its connections to PostgreSQL are cut.
    DROP = "drop"


#: A step that is durable has come to its end: nothing that could raise an error is left of it.
_ENDS = (fp.STEP_COMMITTED, fp.HTTP_REPLIED, fp.WORKER_STARTS, fp.WORKER_STARTED)
DELAY_SECONDS = 0.7


def can(blow: Blow, point: str, kind: str) -> bool:
    """Whether that can happen there in real life."""
    match blow:
        case Blow.RAISE:
            return POINTS[point][0] not in _ENDS
        case Blow.DROP:
            return kind == "postgresql"
        case _:
            return True


class Injected(Exception):
    """The error that a failpoint was told to raise."""


def told(point: str, passing: int, blow: Blow = Blow.KILL) -> Mapping[str, str]:
    """The environment of a process that is struck there."""
    return {fp.PROFILE: fp.FOR_FAULTS, VARIABLE: f"{point}:{passing}:{blow}"}


def name_of(what: object) -> str:
    """A step by its module and name, and what tells several of its kind apart; a path is its own name."""
    more = ""
    while isinstance(what, partial):
        if "look" in what.keywords:
            return name_of(what.keywords["look"])
        if "due" in what.keywords:
            more = f" {what.keywords['due'].kind}"
        elif "action" in what.keywords:
            more = f" {what.keywords['action']}"
        what = what.func
    if what is None or isinstance(what, str):
        return what or ""
    return f"{str(getattr(what, '__module__', '')).rpartition('.')[2]}.{getattr(what, '__name__', '')}{more}"


def arm_as_told() -> None:
    """Arm what the environment names; nothing where it names none."""
    spec = os.environ.get(VARIABLE)
    if not spec:
        return
    name, passing, blow = (*spec.split(":"), Blow.KILL)[:3]
    known = {**POINTS, **OF_COMMANDS}
    if name not in known:
        raise LookupError(f"there is no failpoint {name}")
    at, of = known[name]
    strike = Blow(blow)
    left = int(passing)
    counting = threading.Lock()

    def act(reached: str, what: object) -> None:
        nonlocal left
        if reached != at or not name_of(what).startswith(of):
            return
        with counting:
            left -= 1
            if left != 0:
                return
        _strike(strike)

    fp.arm(act)


def _strike(blow: Blow) -> None:
    if blow is not Blow.KILL and (mark := os.environ.get(STRUCK)):
        Path(mark).touch()
    match blow:
        case Blow.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        case Blow.PAUSE:
            os.kill(os.getpid(), signal.SIGSTOP)
        case Blow.DELAY:
            time.sleep(DELAY_SECONDS)
        case Blow.RAISE:
            raise Injected
        case Blow.DROP:
            _cut_off()


def _cut_off() -> None:
    """As a network that fails: the server ends all this process's connections."""
    import psycopg

    url = os.environ["RAPID_RESPONSE_DATABASE_URL"].replace("postgresql+psycopg:", "postgresql:")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = %s AND pid <> pg_backend_pid()",
            (os.environ["PGAPPNAME"],),
        )
