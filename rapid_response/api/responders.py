"""Responders over HTTP: off duty, back, a shift swapped."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from rapid_response.access.permissions import Permission
from rapid_response.access.principal import Principal
from rapid_response.api.context import Needs, Service
from rapid_response.api.incidents import who_is
from rapid_response.steps.availability import Availability, set_availability

router = APIRouter(prefix="/api/v1/responders")


@router.post("/{responder_id}/availability", summary="Off duty, or back; now or planned; a shift swapped")
async def post_availability(
    responder_id: str,
    wanted: Availability,
    context: Service,
    principal: Annotated[Principal, Depends(Needs(Permission.AVAILABILITY_ANY))],
) -> dict[str, Any]:
    """Takes effect at once; jobs held are given back, or kept as said."""
    await context.database.run(
        partial(
            set_availability,
            desk=context.desk,
            responder_id=responder_id,
            wanted=wanted,
            who=who_is(principal, "api"),
        ),
        actor=principal.actor,
    )
    answer = {
        "responder": responder_id,
        "state": wanted.state,
        "until": wanted.until.isoformat() if wanted.until else None,
    }
    if wanted.begins is not None:
        answer["from"] = wanted.begins.isoformat()
    if wanted.swap_with is not None:
        answer["swap_with"] = wanted.swap_with
    return answer
