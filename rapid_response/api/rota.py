"""The rota as questions: who would be asked at a moment and why, and when nobody would be."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection

from rapid_response.access.permissions import Permission
from rapid_response.access.principal import Principal
from rapid_response.api.asked import Moment
from rapid_response.api.context import Needs, Service
from rapid_response.core.vocabulary import Category
from rapid_response.steps import cover
from rapid_response.steps.errors import Invalid
from rapid_response.steps.service import service_for

router = APIRouter(prefix="/api/v1/rota")

Viewer = Annotated[Principal, Depends(Needs(Permission.ROTA_VIEW))]
_FURTHEST = timedelta(days=366)


@router.get("/asked", summary="Who would be asked at a moment, and why")
async def get_asked(
    context: Service,
    principal: Viewer,
    at: Annotated[Moment | None, Query()] = None,
    category: Category = Category.DOORSTEP_CRIME,
    ward: Annotated[str | None, Query(max_length=80)] = None,
) -> dict[str, Any]:
    """In the order in which they would be asked, with the reasons; who would not; and who would be told."""
    now = context.database.clock.now()
    moment = _moment(at, now)

    def read(connection: Connection) -> dict[str, Any]:
        service = service_for(connection, context.desk.zone, now)
        return cover.cover(connection, service, moment, category, ward).to_json()

    return await context.database.look(read)


@router.get("/gaps", summary="When nobody with a skill is on duty")
async def get_gaps(
    context: Service, principal: Viewer, days: Annotated[int, Query(ge=1, le=31)] = 7
) -> dict[str, Any]:
    """From now on; `on_call` are those who would still be asked."""
    now = context.database.clock.now()

    def read(connection: Connection) -> list[cover.Gap]:
        service = service_for(connection, context.desk.zone, now)
        return cover.gaps(service, now, now + timedelta(days=days))

    found = await context.database.look(read)
    return {
        "items": [
            {
                "skill": gap.skill,
                "from": gap.begins.isoformat(),
                "to": gap.ends.isoformat(),
                "on_call": list(gap.on_call),
            }
            for gap in found
        ],
        "next_cursor": None,
    }


def _moment(at: datetime | None, now: datetime) -> datetime:
    if at is None:
        return now
    if abs(at - now) > _FURTHEST:
        raise Invalid("Give a time within a year.", "at")
    return at
