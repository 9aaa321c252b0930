"""The page of simulated phones. Its forms go to the addresses of the simulator's JSON calls: the kind of body
decides which of the two answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from fastapi import APIRouter
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import ValidationError
from sqlalchemy import Connection, select
from sqlmodel import col
from starlette.routing import Match

from rapid_response.console.assets import Scope
from rapid_response.console.forms.posted import FieldError, Filled, Posted
from rapid_response.console.public_pages import faults_of
from rapid_response.console.views.simulator import Phone, PhoneCall, PhoneMessage, SimulatorView
from rapid_response.console.visit_pages import AnyVisit, Visit
from rapid_response.console.words import plain
from rapid_response.core.definition import ServiceDefinition
from rapid_response.core.incident import Status
from rapid_response.core.states import OfferState
from rapid_response.messaging import gsm7
from rapid_response.simulator.api import AnswerIn, CallIn, ReplyIn
from rapid_response.simulator.forms import ANONYMOUS
from rapid_response.simulator.network import NoSuchCall
from rapid_response.simulator.views import Call, Thread
from rapid_response.storage.tables import IncidentRow, NoticeRow, OfferRow

_FORM = "simulator"
_HANG_UP = "hang-up"
_STALE = "This page was open for too long. Send it again"
_DONE: Mapping[str, str] = {"text": "The text is sent", "call": "The voicemail is left on the hotline"}


def is_form(scope: Scope) -> bool:
    """Whether a person's browser posts a form, rather than a program JSON."""
    kind: bytes = dict(scope["headers"]).get(b"content-type", b"").lower()
    return bool(scope["method"] == "POST") and kind.startswith(b"application/x-www-form-urlencoded")


class FormRoute(APIRoute):
    """A route for forms alone: anything else at the same address is somebody else's."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As any route, where a form is posted."""
        if scope["type"] == "http" and scope["path"].startswith("/simulator/") and not is_form(scope):
            return Match.NONE, {}
        return super().matches(scope)


router = APIRouter(route_class=FormRoute, include_in_schema=False)


@router.api_route("/simulator", methods=["GET", "HEAD"])
async def get_simulator(visit: AnyVisit) -> Response:
    """Every phone of the service, and whoever else rang or wrote."""
    return await _page(visit)


@router.post("/simulator/reply")
async def post_reply(visit: AnyVisit) -> Response:
    """A phone texts the service."""
    posted, is_ours = await visit.form(_FORM)
    body = (posted.all("body") or ("",))[-1]
    try:
        sent = ReplyIn.model_validate({"from": posted.text("from"), "body": body})
    except ValidationError as error:
        return await _refused(visit, posted, _faults(error, "unknown"))
    if not is_ours:
        return await _refused(visit, posted, [FieldError("unknown-body", _STALE)])
    await visit.pages.network.reply(sent.from_, sent.body)
    return visit.go("/simulator?done=text")


@router.post("/simulator/call")
async def post_call(visit: AnyVisit) -> Response:
    """A phone rings the hotline and leaves that voicemail; an empty number is withheld."""
    posted, is_ours = await visit.form(_FORM)
    caller = posted.text("from") or ANONYMOUS
    try:
        made = CallIn.model_validate({"from": caller, "transcript": posted.text("transcript")})
    except ValidationError as error:
        return await _refused(visit, posted, _faults(error, "hotline"))
    if not is_ours:
        return await _refused(visit, posted, [FieldError("transcript", _STALE)])
    await visit.pages.network.call_hotline(made.from_, made.transcript)
    return visit.go("/simulator?done=call")


@router.post("/simulator/answer-call")
async def post_answer(visit: AnyVisit) -> Response:
    """Somebody picks up, presses a key, or hangs up; a call that is over meanwhile needs nothing."""
    posted = await visit.posted(_FORM)
    keys = posted.text("digits")
    hangs_up = keys == _HANG_UP
    try:
        answered = AnswerIn.model_validate(
            {"to": posted.text("to"), "digits": "" if hangs_up else keys, "hang_up": hangs_up}
        )
    except ValidationError as error:
        return await _refused(visit, posted, _faults(error, "unknown"))
    network = visit.pages.network
    try:
        if answered.hang_up:
            await network.hang_up(answered.to)
        else:
            await network.answer_call(answered.to, answered.digits)
    except NoSuchCall:
        pass
    return visit.go("/simulator")


def _faults(error: ValidationError, form: str) -> list[FieldError]:
    """The faults, at the fields of that one of the page's forms."""
    ids = {"from": f"{form}-from", "body": "unknown-body", "transcript": "transcript"}
    return [FieldError(ids.get(f["field"], f["field"]), f["message"]) for f in faults_of(error)]


async def _refused(visit: Visit, posted: Posted, faults: Iterable[FieldError]) -> Response:
    return await _page(visit, Filled(posted.values, tuple(faults)), status=422)


async def _page(visit: Visit, filled: Filled | None = None, *, status: int = 200) -> Response:
    threads = await visit.pages.network.threads()
    numbers = {r.id: r.sms for r in visit.definition.responders if r.sms} if visit.definition else {}
    taps = await visit.look(lambda connection: _suggestions(connection, numbers))
    phones = _phones(visit.definition, threads, taps)
    view = SimulatorView(phones, _DONE.get(visit.query.text("done"), ""), filled or Filled())
    return await visit.page(view, status=status, form=_FORM)


# --- the phones -------------------------------------------------------------------------------------------


def _phones(
    definition: ServiceDefinition | None, threads: Sequence[Thread], taps: Mapping[str, Sequence[str]]
) -> tuple[Phone, ...]:
    """Those that had something first, each group in the definition's order: nothing jumps about."""
    by_number = {thread.number: thread for thread in threads if thread.number != ANONYMOUS}
    owners = _owners(definition)
    strangers = [number for number in by_number if number not in owners]
    busy = [number for number in owners if number in by_number]
    idle = [number for number in owners if number not in by_number]
    return tuple(
        _phone(number, owners.get(number, "Somebody else"), by_number.get(number), taps.get(number, ()))
        for number in (*busy, *strangers, *idle)
    )


def _owners(definition: ServiceDefinition | None) -> dict[str, str]:
    """Every number of the service, and whose it is."""
    if definition is None:
        return {}
    found = {number: r.name for r in definition.responders for number in (r.sms, r.voice) if number}
    for role, number in definition.contacts.items():
        found.setdefault(number, plain(role))
    return found


def _phone(number: str, owner: str, thread: Thread | None, taps: Sequence[str]) -> Phone:
    if thread is None:
        return Phone(number, owner, suggestions=tuple(taps))
    messages = tuple(
        PhoneMessage(t.body, t.at, t.to_phone, gsm7.segments(t.body) or 1, t.status) for t in thread.texts
    )
    call = next((c for c in thread.calls if c.to_phone and c.ended_at is None), None)
    return Phone(number, owner, messages, tuple(taps), _call(call) if call else None)


def _call(call: Call) -> PhoneCall:
    return PhoneCall(call.sid, call.at, call.prompt, is_answered=not call.ringing)


_NEXT_WORDS: Mapping[Status, tuple[str, ...]] = {
    Status.ASSIGNED: ("GO {}", "HERE {}", "NO {}"),
    Status.EN_ROUTE: ("HERE {}", "NOBODY {}"),
    Status.ON_SCENE: ("DONE {} HELPED", "NOBODY {}"),
}


def _suggestions(connection: Connection, numbers: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """What each phone might text next, from the open jobs; by number."""
    found: dict[str, list[str]] = defaultdict(list)
    asked = ((numbers.get(responder, ""), words) for responder, words in _from_offers(connection))
    for number, words in (*asked, *_from_notices(connection)):
        if words not in found[number]:
            found[number].append(words)
    return found


def _from_offers(connection: Connection) -> Iterable[tuple[str, str]]:
    rows = connection.execute(
        select(
            col(IncidentRow.job_number),
            col(IncidentRow.status),
            col(OfferRow.state),
            col(OfferRow.responder_id),
        )
        .join(OfferRow, col(OfferRow.incident_id) == col(IncidentRow.id))
        .where(
            col(IncidentRow.is_open),
            col(IncidentRow.job_number).is_not(None),
            col(OfferRow.state).in_((OfferState.OPEN, OfferState.ACCEPTED)),
        )
        .order_by(col(OfferRow.made_at))
    )
    for row in rows:
        asked = ("OK {}", "NO {}")
        words = asked if row.state is OfferState.OPEN else _NEXT_WORDS.get(row.status, ())
        yield from ((row.responder_id, text.format(row.job_number)) for text in words)


def _from_notices(connection: Connection) -> Iterable[tuple[str, str]]:
    rows = connection.execute(
        select(col(IncidentRow.job_number), col(NoticeRow.recipients))
        .join(NoticeRow, col(NoticeRow.incident_id) == col(IncidentRow.id))
        .where(col(NoticeRow.acknowledged_at).is_(None), col(IncidentRow.job_number).is_not(None))
        .order_by(col(NoticeRow.given_at))
    )
    for row in rows:
        for recipient in row.recipients:
            if recipient.get("sms"):
                yield recipient["sms"], f"OK {row.job_number}"
