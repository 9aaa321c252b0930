"""`POST /api/v1/reports`: answered with 201 only once the report is durable."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from rapid_response.access.permissions import Permission
from rapid_response.access.principal import Principal
from rapid_response.api.context import REPLAYED, Context, IdempotencyKey, Needs, Service
from rapid_response.intake.report_in import ReportIn
from rapid_response.steps.keyed import key_of
from rapid_response.steps.receive import Received, receive, stored

router = APIRouter(prefix="/api/v1")


async def take_in(
    context: Context, report: ReportIn, principal: Principal, key: str | None = None
) -> Received:
    """Read the words, then take the report in: one step, one commit."""
    database, desk = context.database, context.desk
    received_at = report.received_at or database.clock.now()
    reading = desk.reader.read(
        report.narrative, channel=report.channel, received_at=received_at, zone=desk.zone
    )
    held = key_of(f"{principal.actor}:reports", key, report.model_dump_json())
    # Made here, so that after a lost connection we can ask by it whether the report was stored.
    report_id = database.ids.uuid()
    step = partial(
        receive,
        desk=desk,
        report=report,
        reading=reading,
        source=principal.actor,
        key=held,
        report_id=report_id,
    )
    was_stored = partial(stored, desk=context.desk, report_id=report_id, reading=reading, key=held)
    # Together: in a flood, reports leave room for the texts that they lead to.
    return await database.run(step, actor=principal.actor, stored=was_stored, together="reports")


@router.post("/reports", status_code=201, summary="Take in a report")
async def post_report(
    report: ReportIn,
    context: Service,
    principal: Annotated[Principal, Depends(Needs(Permission.REPORT_TAKE))],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """The report becomes an incident, its clock starts, and somebody is asked, all in one commit."""
    received = await take_in(context, report, principal, idempotency_key)
    headers = REPLAYED if received.is_replay else {}
    return Response(received.answer, status_code=201, media_type="application/json", headers=headers)
