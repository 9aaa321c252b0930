"""How often people left standing what the readers of reports said, by month: counts, never a case."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from rapid_response.access.permissions import Permission
from rapid_response.console.views.agreement import AgreementLine, AgreementMonth, AgreementView
from rapid_response.console.visit_pages import NeedsAny, Visit
from rapid_response.reporting.agreement import Line, Reader, Share, read_agreement

router = APIRouter(include_in_schema=False)

Judge = Annotated[Visit, Depends(NeedsAny(Permission.AGREEMENT_VIEW))]

#: This month and the twelve before it; the first may be shown in part.
_SHOWN = timedelta(days=396)
#: A count under this may point to somebody, where the viewer may see no case.
_FEWEST = 5
_READERS = {Reader.OURS: "This service", Reader.SECOND: "Second reader"}


@router.api_route("/agreement", methods=["GET", "HEAD"])
async def get_agreement(visit: Judge) -> Response:
    """The last 13 months, newest first."""
    zone, since = visit.pages.desk.zone, visit.now - _SHOWN
    lines = await visit.look(lambda connection: read_agreement(connection, zone, since))
    hides_small = not visit.may(Permission.CASE_VIEW)
    months = tuple(
        AgreementMonth(_month_words(month), tuple(_line(line, hides_small) for line in its))
        for month, its in groupby(lines, key=lambda line: line.month)
    )
    return await visit.page(AgreementView(months, hides_small))


def _month_words(month: str) -> str:
    return f"{date.fromisoformat(f'{month}-01'):%B %Y}"


def _line(line: Line, hides_small: bool) -> AgreementLine:
    def words(share: Share) -> str:
        if not share.of:
            return "–"
        if hides_small and share.of < _FEWEST:
            return "fewer than 5"
        return f"{share.agreed} of {share.of} ({share.percent}%)"

    few = hides_small and line.cases < _FEWEST
    return AgreementLine(
        _READERS[line.reader],
        line.model,
        "fewer than 5" if few else str(line.cases),
        words(line.category),
        words(line.priority),
        words(line.urgency),
        words(line.targeting),
        words(line.suggestions),
    )
