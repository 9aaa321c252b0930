"""Responders over HTTP: off duty, back, a shift swapped."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from rapid_response.access.permissions import Permission
from rapid_response.access.principal import Principal
from rapid_response.api.context import REPLAYED, IdempotencyKey, Needs, Service
from rapid_response.api.incidents import who_is
from rapid_response.steps.availability import Availability, set_availability
from rapid_response.steps.keyed import key_of, once

router = APIRouter(prefix="/api/v1/responders")


@router.post("/{responder_id}/availability", summary="Off duty, or back; now or planned; a shift swapped")
async def post_availability(
    responder_id: str,
    wanted: Availability,
    context: Service,
    principal: Annotated[Principal, Depends(Needs(Permission.AVAILABILITY_ANY))],
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> dict[str, Any]:
    """Takes effect at once; jobs held are given back, or kept as said."""
    step = partial(
        set_availability,
        desk=context.desk,
        responder_id=responder_id,
        wanted=wanted,
        who=who_is(principal, "api"),
    )
    said = f"{responder_id} {wanted.model_dump_json(exclude_unset=True)}"
    key = key_of(f"{principal.actor}:availability", idempotency_key, said)
    is_done = await context.database.run(partial(once, key=key, step=step), actor=principal.actor)
    if not is_done:
        response.headers.update(REPLAYED)
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
