"""The board report's figures over HTTP: counts only, never a person."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BeforeValidator

from rapid_response.access.permissions import Permission
from rapid_response.access.principal import Principal
from rapid_response.api.context import Needs, Service
from rapid_response.reporting.cases import board_figures
from rapid_response.reporting.period import PeriodError, known_at, parse
from rapid_response.steps.errors import Invalid

router = APIRouter(prefix="/api/v1/reports")


def _with_its_plus(moment: Any) -> Any:
    """In an address that was not encoded, the plus before an offset reads as a space."""
    return moment.replace(" ", "+") if isinstance(moment, str) and "T" in moment else moment


@router.get("/board", summary="The board report's figures")
async def get_board(
    context: Service,
    _principal: Annotated[Principal, Depends(Needs(Permission.BOARD_VIEW))],
    month: Annotated[str | None, Query(max_length=10)] = None,
    quarter: Annotated[str | None, Query(max_length=10)] = None,
    year: Annotated[str | None, Query(max_length=10)] = None,
    as_at: Annotated[datetime | None, BeforeValidator(_with_its_plus)] = None,
) -> dict[str, Any]:
    """One month, quarter or year, as it was known at `as_at` (now, unless said)."""
    asked = [text for text in (month, quarter, year) if text]
    if len(asked) != 1:
        raise Invalid("Ask for one month (2026-10), quarter (2026-Q4) or year (2026).", "month")
    if as_at is not None and as_at.tzinfo is None:
        raise Invalid("Give as_at with its offset, for example 2026-11-01T00:00:00+00:00.", "as_at")
    try:
        period = parse(asked[0], context.desk.zone)
    except ValueError as error:
        raise Invalid("Write a month as 2026-10, a quarter as 2026-Q4, a year as 2026.", "month") from error
    try:
        moment = known_at(as_at, context.database.clock.now())
    except PeriodError as error:
        raise Invalid(str(error), "as_at") from error
    return await context.database.look(lambda c: board_figures(c, period, moment))
