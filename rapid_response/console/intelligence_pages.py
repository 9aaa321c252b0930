"""What partners told us without asking us to act: looked at, filed, or raised to an incident by a person."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import Connection, select
from sqlmodel import col

from rapid_response.access.permissions import Permission
from rapid_response.console import filling
from rapid_response.console.views.intelligence import IntelligenceView, NotificationLine
from rapid_response.console.visit_pages import NeedsAny, Visit
from rapid_response.steps import notifying
from rapid_response.steps.errors import NotFound
from rapid_response.steps.receive import Received, receive
from rapid_response.storage.log import record_view
from rapid_response.storage.tables import IncidentRow, NotificationRow
from rapid_response.storage.tx import Tx

router = APIRouter(include_in_schema=False)

Analyst = Annotated[Visit, Depends(NeedsAny(Permission.INTELLIGENCE))]

_DONE = {"file": "It is filed as intelligence"}


@router.api_route("/intelligence", methods=["GET", "HEAD"])
async def get_intelligence(visit: Analyst) -> Response:
    """What nobody has looked at, oldest first; then what was settled. That it was read is kept."""
    view = await visit.look(lambda connection: _view(connection, visit))
    await visit.run(lambda tx: record_view(tx, "page_intelligence", None))
    return await visit.page(view)


@router.post("/intelligence/{row_id}/file")
async def post_file(row_id: str, visit: Analyst) -> Response:
    """A person has looked: it stays intelligence."""
    await visit.posted()
    await visit.run(partial(notifying.settle, row_id=row_id, outcome=notifying.FILED))
    return visit.go("/intelligence?done=file")


@router.post("/intelligence/{row_id}/raise")
async def post_raise(row_id: str, visit: Analyst) -> Response:
    """A person says that we must act: it becomes an incident, and its clock counts from now."""
    await visit.posted()
    row = await visit.look(partial(notifying.find, row_id=row_id))
    if row is None or not row.report:
        raise NotFound("There is no notification with this id.")
    raised = await visit.run(_Raise(visit, row))
    return visit.go(f"/incidents/{json.loads(raised.answer)['reference']}")


@dataclass(frozen=True, slots=True)
class _Raise:
    """One step: the incident, and that the notification is settled by it."""

    visit: Visit
    row: NotificationRow

    def __call__(self, tx: Tx) -> Received:
        desk = self.visit.pages.desk
        row = notifying.hold(tx, self.row.id)
        # Received now: nobody was asked to act before.
        report = notifying.report_of(row).model_copy(update={"received_at": None})
        reading = desk.reader.read(
            report.narrative, channel=report.channel, received_at=tx.now, zone=desk.zone
        )
        received = receive(tx, desk, report, reading, tx.actor, raised_from=row.id)
        notifying.settle(tx, row.id, notifying.RAISED, received.incident_id)
        return received


def _view(connection: Connection, visit: Visit) -> IntelligenceView:
    names = filling.read_names(connection, visit.pages.desk.zone)
    waiting, settled = notifying.unsettled(connection), notifying.settled(connection)
    ids = [row.incident_id for row in settled if row.incident_id]
    references = {
        r.id: r.reference
        for r in connection.execute(
            select(col(IncidentRow.id), col(IncidentRow.reference)).where(col(IncidentRow.id).in_(ids))
        )
    }

    def line(row: NotificationRow) -> NotificationLine:
        report = row.report
        place = report.get("location", {})
        where = (place.get("address"), place.get("postcode"))
        return NotificationLine(
            row_id=row.id,
            reference=row.reference,
            category=row.category,
            subtype=row.subtype,
            received_at=row.received_at,
            words=str(report.get("narrative", "")),
            where=", ".join(str(part) for part in where if part),
            settled_at=row.settled_at,
            settled_by=names.actor(row.settled_by or ""),
            raised_to=references.get(row.incident_id or "", ""),
        )

    return IntelligenceView(
        waiting=tuple(line(row) for row in waiting),
        settled=tuple(line(row) for row in settled),
        done=_DONE.get(visit.query.text("done"), ""),
    )
