"""Risk markers: set with evidence, looked at again before they end, and ended with a reason."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import ValidationError
from sqlalchemy import Connection
from sqlmodel import Session, col
from sqlmodel import select as typed_select

from rapid_response.access.permissions import Permission
from rapid_response.console import filling
from rapid_response.console.access_pages import ask_why, must_say_why
from rapid_response.console.form_pages import once, once_key
from rapid_response.console.forms.markers import MARKER_LINES, read_marker, read_marker_review, read_reason
from rapid_response.console.forms.posted import FieldError, Filled, Parsed, Posted
from rapid_response.console.public_pages import faults_of
from rapid_response.console.views.upkeep import MarkerLine, MarkersView
from rapid_response.console.visit_pages import NeedsAny, Visit
from rapid_response.core.vocabulary import RiskSubject
from rapid_response.safety.rules import MARKER_MONTHS
from rapid_response.steps import casefile, markers
from rapid_response.steps.errors import Invalid
from rapid_response.steps.markers import NewMarker
from rapid_response.storage.log import record_view
from rapid_response.storage.tables import IncidentRow, RiskMarkerRow
from rapid_response.storage.tx import Tx

router = APIRouter(include_in_schema=False)

InCharge = Annotated[Visit, Depends(NeedsAny(Permission.RISK_MARKERS))]

#: Said once after something was done, in the address as its own word.
_DONE = {
    "set": "The marker is set. Whoever is sent there is told not to go in alone",
    "review": "The marker stands on",
    "end": "The marker is ended",
}
_WHY_ENDS = "Write why the marker no longer holds"


@router.api_route("/markers", methods=["GET", "HEAD"])
async def get_markers(visit: InCharge) -> Response:
    """All that stand; with `incident`, the form is filled in from that case."""
    reference = visit.query.text("incident").upper()
    if reference and await must_say_why(visit, reference):
        return await ask_why(visit, reference)
    filled = await visit.look(lambda c: _from_case(c, reference)) if reference else Filled()
    if filled.values:
        await visit.run(partial(casefile.seen, reference=reference, what="page_markers"))
    done = _DONE.get(visit.query.text("done"), "")
    return await _page(visit, filled, reference=reference, done=done)


@router.post("/markers")
async def post_marker(visit: InCharge) -> Response:
    """Set a marker."""
    posted, parsed = await visit.filled_in(read_marker, "reason")
    if not parsed.ok:
        return await _page(visit, parsed.filled, status=422)
    try:
        new = NewMarker.model_validate(parsed.body)
    except ValidationError as error:
        subject = RiskSubject(parsed.body["subject"])
        faults = [
            fault if fault["field"] else {**fault, "field": MARKER_LINES[subject][0][0]}
            for fault in faults_of(error, parsed.labels)
        ]
        return await _page(visit, parsed.refused(faults).filled, status=422)
    return await _do(visit, posted, parsed, "set", lambda tx: _set(tx, new))


def _set(tx: Tx, new: NewMarker) -> None:
    markers.set_marker(tx, new)


@router.post("/markers/{marker_id}/review")
async def post_review(marker_id: str, visit: InCharge) -> Response:
    """It was looked at again, and stands on."""
    posted, parsed = await visit.filled_in(read_marker_review, "reason")
    if not parsed.ok:
        return await _page(visit, parsed.filled, failed=f"review-{marker_id}", status=422)
    reason, months = str(parsed.body["reason"]), int(parsed.body.get("months", MARKER_MONTHS))
    step = partial(markers.review, marker_id=marker_id, reason=reason, months=months)
    return await _do(visit, posted, parsed, "review", step)


@router.post("/markers/{marker_id}/end")
async def post_end(marker_id: str, visit: InCharge) -> Response:
    """It no longer holds."""
    posted, parsed = await visit.filled_in(partial(read_reason, missing=_WHY_ENDS), "reason")
    if not parsed.ok:
        return await _page(visit, parsed.filled, failed=f"end-{marker_id}", status=422)
    step = partial(markers.end, marker_id=marker_id, reason=str(parsed.body["reason"]))
    return await _do(visit, posted, parsed, "end", step)


async def _do(visit: Visit, posted: Posted, parsed: Parsed, done: str, step: Callable[[Tx], Any]) -> Response:
    """Once, however often the button is pressed; what the step refuses is said beside its field."""
    scope, key = f"{visit.principal.actor}:page:{visit.request.url.path}", once_key(posted)
    try:
        await visit.run(lambda tx: once(tx, scope, key, step))
    except Invalid as refused:
        fault = FieldError(refused.field or "reason", refused.detail)
        return await _page(visit, Filled(parsed.filled.values, (fault,)), status=422)
    return visit.go(f"/markers?done={done}")


async def _page(
    visit: Visit,
    filled: Filled,
    *,
    failed: str = "",
    reference: str = "",
    done: str = "",
    status: int = 200,
) -> Response:
    lines = await visit.look(lambda connection: _lines(connection, visit))
    await visit.run(lambda tx: record_view(tx, "page_markers", None))
    view = MarkersView(lines, filled, failed, reference, done)
    return await visit.page(view, status=status)


def _lines(connection: Connection, visit: Visit) -> tuple[MarkerLine, ...]:
    """Those to review first, then the ones that end soonest."""
    names = filling.read_names(connection, visit.pages.desk.zone)
    rows = Session(connection).exec(
        typed_select(RiskMarkerRow)
        .where(col(RiskMarkerRow.ended_at).is_(None))
        .order_by(col(RiskMarkerRow.expires_at), col(RiskMarkerRow.id))
    )
    lines = [
        MarkerLine(
            marker_id=row.id,
            subject=row.subject,
            kind=row.kind,
            about=", ".join(str(value) for value in row.about.values()),
            reason=row.reason,
            set_at=row.set_at,
            set_by=names.actor(row.set_by),
            expires_at=row.expires_at,
            reviewed_at=row.reviewed_at,
            reviewed_by=names.actor(row.reviewed_by) if row.reviewed_by else "",
            is_to_review=row.review_at <= visit.now,
        )
        for row in rows
    ]
    return tuple(sorted(lines, key=lambda line: not line.is_to_review))


def _from_case(connection: Connection, reference: str) -> Filled:
    """The parts of a case that a marker may be about."""
    incident = (
        Session(connection)
        .exec(typed_select(IncidentRow).where(col(IncidentRow.reference) == reference))
        .one_or_none()
    )
    if incident is None:
        return Filled()
    given = {**incident.suspect, **incident.location}
    names = [name for lines in MARKER_LINES.values() for name, _ in lines]
    return Filled({name: (str(given[name]),) for name in names if given.get(name)})
