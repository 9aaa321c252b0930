"""Health: whether this node lives, and whether it could keep the promise now."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy import Connection, func, select
from sqlmodel import col

from rapid_response.api.context import Context, Service
from rapid_response.core.clock import SystemClock
from rapid_response.steps.service import stored_definition
from rapid_response.storage.database import DatabaseUnavailable
from rapid_response.storage.tables import AgendaRow, NodeRow

router = APIRouter()

#: The worker looks each second; this long without a look is a fault.
_STALE = timedelta(seconds=15)
#: Work may be this late before it is said: a burst is worked off in seconds.
_LATE = timedelta(seconds=60)


@router.get("/health/live", summary="This process answers")
async def live() -> dict[str, str]:
    """Nothing is asked of anybody else."""
    return {"status": "ok"}


@router.get("/health/ready", summary="This node could keep the promise")
async def ready(context: Service) -> JSONResponse:
    """503 with reasons when it could not."""
    reasons = await reasons_not_ready(context)
    if reasons:
        return JSONResponse({"status": "not_ready", "reasons": reasons}, status_code=503)
    return JSONResponse({"status": "ready", "reasons": []})


async def reasons_not_ready(context: Context) -> list[str]:
    """What stands in the way, in plain words; nothing when all is well."""
    try:
        return await context.database.look(lambda c: _reasons(c, context))
    except DatabaseUnavailable:
        return ["The database cannot be reached."]


def _reasons(connection: Connection, context: Context) -> list[str]:
    reasons = []
    clock = context.database.clock
    if stored_definition(connection, context.desk.zone) is None:
        reasons.append("No service definition is loaded.")
    swept = connection.execute(select(col(NodeRow.swept_at)).where(col(NodeRow.id) == context.node)).scalar()
    if swept is None or clock.real() - swept > _STALE:
        reasons.append("The worker of this node has not looked for due work lately.")
    oldest = connection.execute(
        select(func.min(col(AgendaRow.due_at))).where(
            col(AgendaRow.settled_at).is_(None), col(AgendaRow.parked_at).is_(None)
        )
    ).scalar()
    speed = clock.speed if isinstance(clock, SystemClock) else 1.0
    if oldest is not None and clock.now() - oldest > _LATE * speed:
        reasons.append("Work on the agenda is more than a minute overdue.")
    return reasons
