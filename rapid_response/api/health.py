"""Health: whether this node lives, and whether it could keep the promise now."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from rapid_response.api.context import Service
from rapid_response.audit.readiness import Readiness, readiness, without_database
from rapid_response.storage.failures import DatabaseUnavailable, suspect_damage

router = APIRouter()


@router.head("/health/live", include_in_schema=False)
@router.get("/health/live", summary="This process answers")
async def live() -> dict[str, str]:
    """Nothing is asked of anybody else."""
    return {"status": "ok"}


@router.head("/health/ready", include_in_schema=False)
@router.get("/health/ready", summary="This node could keep the promise")
async def ready(context: Service) -> JSONResponse:
    """503 with reasons when it could not; `warnings` say what soon will stand in the way."""
    found: Readiness
    try:
        found = await context.database.look(lambda c: readiness(c, context.node))
    except DatabaseUnavailable as error:
        suspect_damage(context.node.pulse, error)
        found = without_database(context.node)
    return JSONResponse(
        {
            "status": "ready" if found.is_ready else "not_ready",
            "reasons": list(found.reasons),
            "warnings": list(found.warnings),
        },
        status_code=200 if found.is_ready else 503,
    )
