"""The call handler's page: what the caller says goes in, what to tell the caller comes out."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from rapid_response.access.permissions import Permission
from rapid_response.console import filling, related
from rapid_response.console.forms.handler import read_handler_report
from rapid_response.console.forms.posted import Posted
from rapid_response.console.public_pages import take_in
from rapid_response.console.views.reporting import HandlerFormView, HandlerSentView
from rapid_response.console.visit_pages import NeedsAny, Visit
from rapid_response.core.incident import Status
from rapid_response.core.safe_contact import MayBeTold, may_be_told
from rapid_response.core.vocabulary import Priority
from rapid_response.intake.advice import script
from rapid_response.steps import casefile
from rapid_response.steps.errors import NotFound

router = APIRouter(include_in_schema=False)

Handler = Annotated[Visit, Depends(NeedsAny(Permission.REPORT_TAKE))]

#: Of a report that was joined elsewhere in the same moment.
_NOTHING_MORE = MayBeTold.RECEIPT_ONLY
#: Right for every caller, whatever it turns out to be.
_SAID_FIRST = ("dont_pay", "not_your_fault", "we_will_not_ask")


@router.api_route("/console", methods=["GET", "HEAD"])
async def get_console(visit: Handler) -> Response:
    """An empty form, which notes when the call begins."""
    return await visit.page(_form(visit, visit.now))


@router.post("/console")
async def post_console(visit: Handler) -> Response:
    """The call is saved; the answer says what to tell the caller, 999 first."""
    read = partial(read_handler_report, now=visit.now, zone=visit.pages.desk.zone)
    posted, parsed = await visit.filled_in(read, "narrative")
    parsed, taken = await take_in(visit, parsed, posted)
    if taken is None:
        view = _form(visit, _opened_at(posted, visit.now))
        return await visit.page(
            HandlerFormView(view.opened_at, view.wards, view.script, parsed.filled), status=422
        )
    return await visit.page(await _sent(visit, taken.received.answer))


def _form(visit: Visit, opened_at: datetime) -> HandlerFormView:
    return HandlerFormView(opened_at, visit.service.wards, tuple(script(key) for key in _SAID_FIRST))


def _opened_at(posted: Posted, now: datetime) -> datetime:
    try:
        opened = datetime.fromisoformat(posted.text("opened_at"))
    except ValueError:
        return now
    return opened if opened.tzinfo else now


async def _sent(visit: Visit, answer: str) -> HandlerSentView:
    said = json.loads(answer)
    reference = said["reference"]
    found = await visit.look(partial(filling.read, reference=reference, zone=visit.pages.desk.zone))
    if found is None:
        raise NotFound("This report is no longer there.")
    await visit.run(partial(casefile.seen, reference=reference, what="page_sent"))
    case, names = found
    incident = case.incident
    looking = filling.Looking(
        visit.principal, case, names, visit.definition, visit.pages.desk.zone, visit.now
    )
    return HandlerSentView(
        reference=reference,
        status=incident.status,
        category=incident.category,
        subtype=incident.subtype,
        priority=incident.priority,
        rule_id=incident.rule_id,
        clock=filling.clock(incident),
        why=filling.rule_title(incident.rule_id, Priority(said["priority"])),
        advice=tuple(script(key) for key in said["advice"]),
        say=tuple(said.get("say", ())),
        job_number=incident.job_number,
        next_step=filling.next_step(case.next_step, names),
        nobody_to_send=incident.status is Status.UNASSIGNED,
        may_be_told=may_be_told(case.caller(case.reports[0]).get("role")) if case.reports else _NOTHING_MORE,
        links=related.links(looking),
    )
