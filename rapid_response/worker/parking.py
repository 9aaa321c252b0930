"""Work that failed: it waits for its back-off, or is parked and shown, never in the way of other work."""

from __future__ import annotations

import structlog

from rapid_response.core.events import WorkParked
from rapid_response.storage import work
from rapid_response.storage.database import Database
from rapid_response.storage.tx import Tx
from rapid_response.storage.work import Due, Waiting

logger = structlog.get_logger("worker")


async def failed(database: Database, entry: Due | Waiting, stream: str, kind: str, error: Exception) -> None:
    """Say so, in the log of `stream` too once it is parked."""
    name = type(error).__name__

    def step(tx: Tx) -> None:
        if work.failed(tx, entry, name):
            tx.record(stream, WorkParked(kind, name))

    logger.error("work_failed", kind=kind, error=name, attempts=entry.attempts)
    await database.run(step)
