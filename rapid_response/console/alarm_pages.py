"""A responder's silent alarm, for whoever acts on it: who, where, seen, over."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import Connection
from sqlmodel import Session, col
from sqlmodel import select as typed_select

from rapid_response.access.permissions import Permission
from rapid_response.console import filling
from rapid_response.console.access_pages import ask_why, must_say_why
from rapid_response.console.forms.markers import read_reason
from rapid_response.console.forms.posted import Filled
from rapid_response.console.views.upkeep import AlarmView
from rapid_response.console.visit_pages import NeedsAny, Visit
from rapid_response.steps import alarms, texts
from rapid_response.steps.errors import NotFound
from rapid_response.storage.log import record_view
from rapid_response.storage.tables import AlarmRow, IncidentRow, VisitRow

router = APIRouter(include_in_schema=False)

Desk = Annotated[Visit, Depends(NeedsAny(Permission.ALARM_SEE))]
InCharge = Annotated[Visit, Depends(NeedsAny(Permission.ALARM_END))]

_NO_ALARM = "There is no such alarm."
_HOW_SAFE = "Write how you know that the responder is safe, or why it was no alarm"


@router.api_route("/alarms/{alarm_id}", methods=["GET", "HEAD"])
async def get_alarm(alarm_id: str, visit: Desk) -> Response:
    """Who raised it, where they are, and what to do."""
    return await _page(visit, alarm_id)


@router.post("/alarms/{alarm_id}/seen")
async def post_seen(alarm_id: str, visit: Desk) -> Response:
    """Somebody at the desk acts on it: nobody is rung again."""
    await visit.posted()
    await _shown(visit, alarm_id)
    await visit.run(partial(alarms.seen, alarm_id=alarm_id))
    return visit.go(f"/alarms/{alarm_id}")


@router.post("/alarms/{alarm_id}/end")
async def post_end(alarm_id: str, visit: InCharge) -> Response:
    """It is over, and how that is known."""
    await _shown(visit, alarm_id)
    _, parsed = await visit.filled_in(partial(read_reason, missing=_HOW_SAFE), "reason")
    if not parsed.ok:
        return await _page(visit, alarm_id, parsed.filled, status=422)
    reason = str(parsed.body["reason"])
    await visit.run(partial(alarms.end, alarm_id=alarm_id, reason=reason))
    return visit.go(f"/alarms/{alarm_id}")


async def _page(visit: Visit, alarm_id: str, filled: Filled | None = None, *, status: int = 200) -> Response:
    view, incident_id = await _shown(visit, alarm_id, filled or Filled())
    reference = view.alarm.reference
    # While it lasts, nothing stands before whoever acts on it.
    if view.ended_at and reference and await must_say_why(visit, reference):
        return await ask_why(visit, reference)
    await visit.run(lambda tx: record_view(tx, "page_alarm", incident_id))
    return await visit.page(view, status=status)


async def _shown(visit: Visit, alarm_id: str, filled: Filled | None = None) -> tuple[AlarmView, str | None]:
    """The alarm; raises NotFound, also for whoever raised it: her own screen says nothing of it."""
    shown = await visit.look(lambda connection: _read(connection, visit, alarm_id, filled or Filled()))
    if shown is None:
        raise NotFound(_NO_ALARM)
    return shown


def _read(
    connection: Connection, visit: Visit, alarm_id: str, filled: Filled
) -> tuple[AlarmView, str | None] | None:
    session = Session(connection)
    row = session.get(AlarmRow, alarm_id)
    if row is None or row.responder_id == visit.principal.responder_id:
        return None
    names = filling.read_names(connection, visit.pages.desk.zone)
    incident = session.get(IncidentRow, row.incident_id) if row.incident_id else None
    live = typed_select(VisitRow).where(
        col(VisitRow.responder_id) == row.responder_id, col(VisitRow.ended_at).is_(None)
    )
    last = session.exec(live.order_by(col(VisitRow.heard_at).desc())).first()
    view = AlarmView(
        alarm=filling.alarm(row, incident, names),
        place=filling.place(incident) if incident else None,
        area=filling.area(incident, visit.service.wards) if incident else "",
        situation=texts.situation(incident, visit.now) if incident else "",
        other=names.responder(_other(row, incident)),
        last_heard_at=last.heard_at if last else None,
        may_see=row.acknowledged_at is None,
        may_end=row.ended_at is None and visit.may(Permission.ALARM_END),
        filled=filled,
        ended_at=row.ended_at,
    )
    return view, row.incident_id


def _other(row: AlarmRow, incident: IncidentRow | None) -> str | None:
    """Who else is there, or on the way there."""
    if incident is None:
        return None
    return incident.companion if incident.owner == row.responder_id else incident.owner
