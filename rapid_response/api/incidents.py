"""Incidents over HTTP: lists, one whole, its timeline, and what is done to it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError
from sqlalchemy import Connection

from rapid_response.access.permissions import Permission, may, may_act
from rapid_response.access.principal import Principal
from rapid_response.api.asked import Asked
from rapid_response.api.context import REPLAYED, Context, IdempotencyKey, MayNot, Needs, Service
from rapid_response.core.incident import Action, Status
from rapid_response.core.vocabulary import Category, Role
from rapid_response.steps import casefile, lists
from rapid_response.steps.actions import act
from rapid_response.steps.casefile import CaseFile
from rapid_response.steps.commands import COMMANDS, Command
from rapid_response.steps.deliveries import Chain, chains
from rapid_response.steps.desk import Who
from rapid_response.steps.errors import NotFound
from rapid_response.steps.keyed import key_of
from rapid_response.steps.lists import Filters
from rapid_response.steps.service import stored_definition

router = APIRouter(prefix="/api/v1/incidents")

_NO_INCIDENT = "There is no incident with this reference. Check it against the answer to the report."


async def open_case(context: Context, reference: str, principal: Principal, what: str) -> CaseFile:
    """Read a case for somebody, and keep that she saw it; raises NotFound."""
    found = await _read(context, reference)
    await context.database.run(partial(casefile.seen, reference=reference, what=what), actor=principal.actor)
    return found


async def _read(context: Context, reference: str) -> CaseFile:
    found = await context.database.look(partial(casefile.read_case, reference=reference))
    if found is None:
        raise NotFound(_NO_INCIDENT)
    return found


class Listing(Asked):
    """What a list is narrowed to."""

    status: Status | None = None
    category: Category | None = None
    ward: Annotated[str, Field(max_length=80)] | None = None
    overdue: bool | None = None
    cursor: Annotated[str, Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@router.get("", summary="Incidents, newest first")
async def list_incidents(
    context: Service,
    principal: Annotated[Principal, Depends(Needs(Permission.CASE_LIST))],
    asked: Annotated[Listing, Query()],
) -> dict[str, Any]:
    """A page of incidents without names, numbers or addresses."""
    filters = Filters(status=asked.status, category=asked.category, ward=asked.ward, overdue=asked.overdue)
    now = context.database.clock.now()

    def read(connection: Connection) -> dict[str, Any]:
        rows, after = lists.list_incidents(connection, filters, now, asked.limit, asked.cursor)
        had = lists.who_had(connection, rows)
        return {"items": [casefile.summary_json(r, had.get(r.id)) for r in rows], "next_cursor": after}

    return await context.database.look(read)


@router.get("/{reference}", summary="One incident")
async def get_incident(
    reference: str,
    context: Service,
    principal: Annotated[Principal, Depends(Needs(Permission.CASE_VIEW))],
) -> dict[str, Any]:
    """Everything of one incident; that it was looked at is kept."""
    return (await open_case(context, reference, principal, "api")).to_json()


@router.get("/{reference}/events", summary="Its timeline, oldest first")
async def get_events(
    reference: str,
    context: Service,
    principal: Annotated[Principal, Depends(Needs(Permission.TIMELINE_VIEW))],
    cursor: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> dict[str, Any]:
    """What happened to it, in order; the cursor is the `seq` after which to go on."""
    case = await open_case(context, reference, principal, "api_events")
    events = await context.database.look(
        partial(casefile.events_of, incident_id=case.incident.id, after=cursor, limit=limit + 1)
    )
    page = events[:limit]
    return {"items": page, "next_cursor": str(page[-1]["seq"]) if len(events) > limit else None}


@router.get("/{reference}/deliveries", summary="Why did, or didn't, this reach them")
async def get_deliveries(
    reference: str,
    context: Service,
    principal: Annotated[Principal, Depends(Needs(Permission.TIMELINE_VIEW))],
) -> dict[str, Any]:
    """One chain for everybody who was asked or told: each step in plain English, numbers by their ends."""
    case = await open_case(context, reference, principal, "api_deliveries")
    zone = context.desk.zone

    def read(connection: Connection) -> list[Chain]:
        return chains(connection, case.incident, stored_definition(connection, zone), zone)

    people = await context.database.look(read)
    return {
        "reference": case.incident.reference,
        "job_number": case.incident.job_number,
        "people": [chain.to_json() for chain in people],
    }


@router.post("/{reference}/actions/{action}", summary="Do something to it")
async def post_action(
    reference: str,
    action: str,
    request: Request,
    context: Service,
    principal: Annotated[Principal, Depends(Needs(Permission.CASE_ACT))],
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> dict[str, Any]:
    """Do one action; answers with the incident then, or with how it stands where the asker may only act.

    With an `Idempotency-Key` a repeat does nothing, and is answered with the incident as it stands now.
    """
    wanted = next((a for a in Action if a.value == action), None)
    if wanted is None:
        known = ", ".join(a.value for a in Action)
        raise NotFound(f"There is no such action. The actions are: {known}.")
    if not may_act(principal, wanted):
        raise MayNot
    body = await request.body()
    command = read_command(wanted, body)
    who = who_is(principal, "api")
    # What was left out is not what was said to be nothing.
    said = f"{reference} {wanted} {command.model_dump_json(exclude_unset=True)}"
    key = key_of(f"{principal.actor}:actions", idempotency_key, said)
    is_done = await context.database.run(
        partial(
            act, desk=context.desk, reference=reference, action=wanted, command=command, who=who, key=key
        ),
        actor=principal.actor,
    )
    if not is_done:
        response.headers.update(REPLAYED)
    if may(principal, Permission.CASE_VIEW):
        return (await open_case(context, reference, principal, "api_action")).to_json()
    return (await _read(context, reference)).standing_json()


def read_command(action: Action, body: bytes) -> Command:
    """The action's body; raises RequestValidationError with a message a field."""
    try:
        return COMMANDS[action].model_validate_json(body if body.strip() else b"{}")
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False, include_context=False)) from None


def who_is(principal: Principal, source: str) -> Who:
    """The asker as steps know her. A key that may act acts for the desk, as a duty officer."""
    return Who(
        actor=principal.actor,
        source=source,
        may_lower=may(principal, Permission.PRIORITY_LOWER),
        may_explain_breaches=may(principal, Permission.BREACH_REVIEW),
        responder=principal.responder_id,
        role=principal.role or Role.DUTY_OFFICER,
    )
