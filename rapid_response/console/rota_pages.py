"""The rota: who would be asked at a moment, and why; gaps; who is off; what is handed over."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import ValidationError
from sqlalchemy import Connection

from rapid_response.access.permissions import Permission
from rapid_response.console.form_pages import once, once_key
from rapid_response.console.forms.posted import FieldError, Filled, Parsed, Posted
from rapid_response.console.views.pieces import Choice
from rapid_response.console.views.rota import (
    AbsenceLine,
    GapLine,
    HandOverLine,
    PersonAsked,
    PersonTold,
    RotaView,
)
from rapid_response.console.visit_pages import NeedsAny, Visit
from rapid_response.console.when import NotATime, Side, read_when
from rapid_response.console.words import plain
from rapid_response.core.definition import ServiceDefinition
from rapid_response.core.states import AvailabilityKind
from rapid_response.core.vocabulary import Category
from rapid_response.steps import availability, cover
from rapid_response.steps.availability import Availability, HeldJobs
from rapid_response.steps.errors import Invalid
from rapid_response.steps.service import service_for

router = APIRouter(include_in_schema=False)

Viewer = Annotated[Visit, Depends(NeedsAny(Permission.ROTA_VIEW))]
Changer = Annotated[Visit, Depends(NeedsAny(Permission.AVAILABILITY_ANY))]

_DONE = {
    "absence": "It is recorded, and holds as you said",
    "back": "It is taken back: the rota holds again",
}


@router.api_route("/rota", methods=["GET", "HEAD"])
async def get_rota(visit: Viewer) -> Response:
    """Who would be asked now, or at the time that is asked about."""
    return await _page(visit, done=_DONE.get(visit.query.text("done"), ""))


@router.post("/rota/absence")
async def post_absence(visit: Changer) -> Response:
    """Somebody is off, or on, or swaps a shift: at once or from a time on."""
    posted, parsed = await visit.filled_in(partial(_read, visit), "responder")
    if not parsed.ok:
        return await _page(visit, filled=parsed.filled, status=422)
    step = partial(
        availability.set_availability,
        desk=visit.pages.desk,
        responder_id=posted.text("responder"),
        wanted=parsed.body["wanted"],
        who=visit.who(),
    )
    try:
        await visit.run(lambda tx: once(tx, f"{visit.principal.actor}:page:rota", once_key(posted), step))
    except Invalid as refused:
        fault = FieldError(refused.field or "responder", refused.detail)
        return await _page(visit, filled=Filled(posted.values, (fault,)), status=422)
    return visit.go("/rota?done=absence")


@router.post("/rota/{row_id}/back")
async def post_back(row_id: str, visit: Changer) -> Response:
    """It does not happen after all, or is over early."""
    await visit.posted()
    await visit.run(partial(availability.take_back, desk=visit.pages.desk, row_id=row_id))
    return visit.go("/rota?done=back")


def _read(visit: Visit, posted: Posted) -> Parsed:
    """What is to be recorded, as `wanted`."""
    faults: list[FieldError] = []
    people = {r.id for r in visit.definition.responders} if visit.definition else set()
    if posted.text("responder") not in people:
        faults.append(FieldError("responder", "Choose who it is about"))
    body: dict[str, object] = {
        "state": AvailabilityKind.ON if posted.text("state") == "on" else AvailabilityKind.OFF,
        "held_jobs": HeldJobs.KEEP if posted.text("held_jobs") == "keep" else HeldJobs.RELEASE,
    }
    for name in ("from", "until"):
        if posted.text(name):
            try:
                body[name] = read_when(
                    posted.text(name), now=visit.now, zone=visit.pages.desk.zone, side=Side.FUTURE
                )
            except (NotATime, OverflowError) as problem:
                faults.append(FieldError(name, str(problem)))
    if posted.text("swap_with"):
        body["swap_with"] = posted.text("swap_with")
        if "until" not in body and not faults:
            faults.append(FieldError("until", "Write until when they swap"))
        if body["state"] is AvailabilityKind.ON:
            faults.append(FieldError("swap_with", "Choose “is off” for whoever gives the shift away"))
    wanted = None
    if not faults:
        try:
            wanted = Availability.model_validate(body)
        except ValidationError:
            faults.append(FieldError("until", "Check the times"))
    return Parsed({"wanted": wanted}, Filled(posted.values, tuple(faults)))


async def _page(visit: Visit, *, filled: Filled | None = None, done: str = "", status: int = 200) -> Response:
    question, faults = visit.query, []
    at = visit.now
    if question.text("when"):
        try:
            at = read_when(question.text("when"), now=at, zone=visit.pages.desk.zone, side=Side.FUTURE)
        except (NotATime, OverflowError) as problem:
            faults.append(FieldError("when", str(problem)))
    wanted = question.text("category")
    category = Category(wanted) if wanted in set(Category) else Category.DOORSTEP_CRIME
    ward = question.text("ward") or None
    zone = visit.pages.desk.zone

    def read(connection: Connection) -> RotaView:
        service = service_for(connection, zone, visit.now)
        definition = service.definition
        name = partial(_name, definition)
        found = cover.cover(connection, service, at, category, ward)
        return RotaView(
            at=at,
            category=category,
            question=Filled(question.values, tuple(faults)),
            asked=tuple(PersonAsked(a.responder.name, a.why, a.is_on_call) for a in found.asked),
            not_asked=tuple(PersonAsked(r.name, why) for r, why in found.not_asked),
            told=tuple(
                PersonTold(int(t.after.total_seconds() // 60), t.role, ", ".join(t.who) or "Nobody")
                for t in found.told
            ),
            opens_at=found.opens_at,
            gaps=tuple(
                GapLine(plain(g.skill), g.begins, g.ends, ", ".join(name(one) for one in g.on_call))
                for g in cover.gaps(service, visit.now, visit.now + cover.SHOWN)
            ),
            absences=tuple(
                AbsenceLine(
                    row.id,
                    name(row.responder_id),
                    row.kind is AvailabilityKind.OFF,
                    row.from_at,
                    row.until_at,
                    name(row.swap_with) if row.swap_with else "",
                )
                for row in cover.exceptions(connection, visit.now)
            ),
            hand_over=tuple(
                HandOverLine(job.reference, job.job_number, name(job.responder), job.ends_at)
                for job in cover.to_hand_over(connection, service, visit.now)
            ),
            wards=definition.wards,
            may_change=visit.may(Permission.AVAILABILITY_ANY),
            people=tuple(Choice(r.id, r.name) for r in definition.responders),
            filled=filled or Filled(),
            done=done,
        )

    return await visit.page(await visit.look(read), status=422 if faults else status)


def _name(definition: ServiceDefinition, responder_id: str) -> str:
    responder = definition.responder(responder_id)
    return responder.name if responder else responder_id
