"""Whose number is whose: a person has a code sent to it, and enters it here (delivery.md 9.5)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from rapid_response.access.permissions import Permission
from rapid_response.console.forms.posted import FieldError, Filled, Parsed
from rapid_response.console.views.upkeep import NumberLine, NumbersView
from rapid_response.console.visit_pages import MayNot, NeedsAny, Visit
from rapid_response.core.numbers import masked
from rapid_response.core.states import MessageChannel
from rapid_response.messaging.proof import Proof, Refused
from rapid_response.steps import proving
from rapid_response.steps.proving import Standing

router = APIRouter(include_in_schema=False)

Anybody = Annotated[Visit, Depends(NeedsAny(Permission.NUMBERS_OWN, Permission.NUMBERS_ANY))]

_STATES: Mapping[Proof, tuple[str, str]] = {
    Proof.NEVER: ("Not confirmed yet", "yellow"),
    Proof.PROVED: ("Confirmed", "green"),
    Proof.ENDING: ("To be confirmed again soon", "yellow"),
    Proof.OVER: ("Must be confirmed again", "red"),
    Proof.DENIED: ("Said to be a wrong number", "red"),
}
_SAY: Mapping[Refused, str] = {
    Refused.TOO_SOON: "A code was sent a moment ago. Wait two minutes before you send another",
    Refused.TOO_MANY: "Five codes were sent there today. Try again tomorrow",
    Refused.NOT_ASKED: "No code waits to be entered. Send a new one",
    Refused.TOO_LATE: "This code is older than 30 minutes. Send a new one",
    Refused.WRONG: "This is not the code. Check it and enter it again",
    Refused.WORN_OUT: "Five wrong codes were entered. Send a new one",
}
_SENDS = {MessageChannel.SMS: "Text a code there", MessageChannel.VOICE: "Ring there and say a code"}
#: Said once after something was done, in the address as its own word.
_DONE = {"sent": "A code is on its way", "confirmed": "The number is confirmed"}


@router.api_route("/numbers", methods=["GET", "HEAD"])
async def get_numbers(visit: Anybody) -> Response:
    """Everybody's numbers by their ends, or one's own."""
    return await _page(visit, done=_DONE.get(visit.query.text("done"), ""))


@router.post("/numbers/{responder_id}/{position}/send")
async def post_send(responder_id: str, position: int, visit: Anybody) -> Response:
    """Have a code sent there."""
    await visit.posted()
    _check(visit, responder_id)
    step = partial(proving.send_code, desk=visit.pages.desk, responder_id=responder_id, position=position)
    return await _answer(visit, await visit.run(step), "send", responder_id, position, "sent")


@router.post("/numbers/{responder_id}/{position}/enter")
async def post_enter(responder_id: str, position: int, visit: Anybody) -> Response:
    """Enter what was sent there."""
    _check(visit, responder_id)
    posted, parsed = await visit.filled_in(lambda posted: Parsed({}, Filled(posted.values)), "send")
    if not parsed.ok:
        return await _page(visit, parsed.filled, failed=_key(responder_id, position), status=422)
    step = partial(
        proving.enter_code,
        desk=visit.pages.desk,
        responder_id=responder_id,
        position=position,
        entered=posted.text("code")[:20],
    )
    return await _answer(visit, await visit.run(step), "code", responder_id, position, "confirmed")


async def _answer(
    visit: Visit, refused: Refused | None, name: str, responder_id: str, position: int, done: str
) -> Response:
    if refused is None:
        return visit.go(f"/numbers?done={done}")
    # With no code left to enter there is no field to point at.
    field = name if refused is Refused.WRONG else "send"
    filled = Filled({}, (FieldError(field, _SAY[refused]),))
    return await _page(visit, filled, failed=_key(responder_id, position), status=422)


def _check(visit: Visit, responder_id: str) -> None:
    """Of others only whoever may; raises MayNot."""
    if not visit.may(Permission.NUMBERS_ANY) and responder_id != visit.principal.responder_id:
        raise MayNot


async def _page(
    visit: Visit, filled: Filled | None = None, *, failed: str = "", done: str = "", status: int = 200
) -> Response:
    sees_all = visit.may(Permission.NUMBERS_ANY)
    only = None if sees_all else visit.principal.responder_id or ""
    found = await visit.look(lambda c: proving.standings(c, visit.service, visit.now, only))
    lines = tuple(_line(standing) for standing in found)
    return await visit.page(NumbersView(lines, sees_all, filled or Filled(), failed, done), status=status)


def _key(responder_id: str, position: int) -> str:
    return f"{responder_id}-{position}"


def _line(standing: Standing) -> NumberLine:
    state, shade = _STATES[standing.proof]
    return NumberLine(
        key=_key(standing.responder_id, standing.position),
        href=f"/numbers/{quote(standing.responder_id, safe='')}/{standing.position}",
        name=standing.name,
        number=masked(standing.number).removeprefix("…"),
        state=state,
        shade=shade,
        sends=_SENDS[standing.channel],
        until=standing.until if standing.proof in (Proof.PROVED, Proof.ENDING) else None,
        code_until=standing.code_until,
    )
