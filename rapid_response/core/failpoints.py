"""Named moments at which a test may kill, stop, delay or disturb the process (reliability.md 7).

In a live service they do nothing: no setting arms them, nothing in this package does, and arming is refused
unless the process was started for a test. They stand where a crash would hurt most: around each commit,
between a lease and the work it is for, and between a request and what is written down about it. Which step,
or which address, it is at is told beside the name, so that each step of the service is a moment of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable

#: The worker begins (all that was left behind is still to be found), and runs.
WORKER_STARTS, WORKER_STARTED = "worker.starts", "worker.started"
#: A step begins; all it writes is written, and its commit comes next; it is durable, and nobody knows yet.
STEP_BEGINS, STEP_WRITTEN, STEP_COMMITTED = "step.begins", "step.written", "step.committed"
#: An answer has left; `what` is the path it was asked at.
HTTP_REPLIED = "http.replied"
#: Entries of the agenda, and deliveries of events, were leased, which is durable; none of them is done yet.
AGENDA_CLAIMED, EVENTS_CLAIMED = "agenda.claimed", "events.claimed"
#: A message was leased and that is durable; just before the provider is asked; just after it answered; and
#: once its answer is durable.
MSG_CLAIMED, MSG_BEFORE_HTTP = "msg.claimed", "msg.before_http"
MSG_AFTER_HTTP, MSG_RECORDED = "msg.after_http", "msg.recorded"
#: The provider is asked what became of a message, and has answered.
LOOKUP_BEFORE, LOOKUP_AFTER = "lookup.before", "lookup.after"
#: A copy is written and not yet checked; it has its name, but no manifest yet.
BACKUP_COPIED, BACKUP_NAMED = "backup.copied", "backup.named"
#: What is to be put back is ready; the old database has its second name, and still its own.
RESTORE_READY, RESTORE_KEPT = "restore.ready", "restore.kept"
#: A revision of the schema is applied, and not committed.
MIGRATE_STEP = "migrate.step"
NAMES = (
    WORKER_STARTS,
    WORKER_STARTED,
    STEP_BEGINS,
    STEP_WRITTEN,
    STEP_COMMITTED,
    HTTP_REPLIED,
    AGENDA_CLAIMED,
    EVENTS_CLAIMED,
    MSG_CLAIMED,
    MSG_BEFORE_HTTP,
    MSG_AFTER_HTTP,
    MSG_RECORDED,
    LOOKUP_BEFORE,
    LOOKUP_AFTER,
    BACKUP_COPIED,
    BACKUP_NAMED,
    RESTORE_READY,
    RESTORE_KEPT,
    MIGRATE_STEP,
)

#: What a process must be started with for these to be armed at all, and its value.
PROFILE, FOR_FAULTS = "RAPID_RESPONSE_TEST_PROFILE", "faults"

#: Hears the name of a moment, and what it is a moment of: a step, a path, or nothing.
Act = Callable[[str, object], None]

_act: Act | None = None


class NotForTests(Exception):
    """Somebody tried to arm a failpoint in a process that was not started for tests."""


def reach(name: str, what: object = None) -> None:
    """The process is at that moment: nothing happens, unless a test armed it."""
    if _act is not None:
        _act(name, what)


def arm(act: Act) -> None:
    """From now on `act` hears each moment. Raises :class:`NotForTests` in a live service."""
    if os.environ.get(PROFILE) != FOR_FAULTS:
        raise NotForTests(f"failpoints are for tests: {PROFILE} is not {FOR_FAULTS}")
    global _act
    _act = act


def disarm() -> None:
    """Nothing happens any more."""
    global _act
    _act = None
