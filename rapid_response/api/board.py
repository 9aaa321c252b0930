"""The board report's figures over HTTP: counts only, never a person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from rapid_response.access.permissions import Permission
from rapid_response.access.principal import Principal
from rapid_response.api.asked import Asked, Moment
from rapid_response.api.context import Needs, Service
from rapid_response.reporting.cases import board_figures
from rapid_response.reporting.period import PeriodError, known_at, parse
from rapid_response.steps.errors import Invalid

router = APIRouter(prefix="/api/v1/reports")

Label = Annotated[str, Field(max_length=10)]


class Board(Asked):
    """One month, quarter or year, as it was known at `as_at` (now, unless said)."""

    month: Label | None = None
    quarter: Label | None = None
    year: Label | None = None
    as_at: Moment | None = None


@router.get("/board", summary="The board report's figures")
async def get_board(
    context: Service,
    _principal: Annotated[Principal, Depends(Needs(Permission.BOARD_VIEW))],
    asked: Annotated[Board, Query()],
) -> dict[str, Any]:
    """One month, quarter or year, as it was known at `as_at` (now, unless said)."""
    periods = {"month": asked.month, "quarter": asked.quarter, "year": asked.year}
    given = [(kind, label) for kind, label in periods.items() if label]
    if len(given) != 1:
        raise Invalid("Ask for one month (2026-10), quarter (2026-Q4) or year (2026).", "month")
    ((kind, label),) = given
    try:
        period = parse(label, context.desk.zone)
        is_of_kind = period.kind == kind
    except ValueError:
        is_of_kind = False
    if not is_of_kind:
        raise Invalid("Write a month as 2026-10, a quarter as 2026-Q4, a year as 2026.", kind)
    try:
        moment = known_at(asked.as_at, context.database.clock.now())
    except PeriodError as error:
        raise Invalid(str(error), "as_at") from error
    return await context.database.look(lambda c: board_figures(c, period, moment))
