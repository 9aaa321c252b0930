"""What anybody may see: the way in, and the public report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import ValidationError

from rapid_response.access.csrf import is_same_origin
from rapid_response.access.throttle import address_prefix
from rapid_response.console.form_pages import digest, once_key
from rapid_response.console.forms.posted import FieldError, Parsed, Posted
from rapid_response.console.forms.public import Now, read_now, read_public_report
from rapid_response.console.forms.reading import NO_LABELS, too_long
from rapid_response.console.views.reporting import ReportFormView, ReportSentView, ReportStartView
from rapid_response.console.visit_pages import AnyVisit, Visit, home_of
from rapid_response.core.vocabulary import Priority
from rapid_response.intake.advice import script
from rapid_response.intake.report_in import ReportIn
from rapid_response.places.saying import place_not_known
from rapid_response.steps.errors import Invalid
from rapid_response.steps.keyed import Key
from rapid_response.steps.notekeeping import add_note
from rapid_response.steps.receive import Received, receive, stored
from rapid_response.storage.tables import IncidentRow
from rapid_response.storage.tx import Tx

router = APIRouter(include_in_schema=False)

_FORM = "report"
#: Lines for whoever is on the phone with somebody, and what the public page says in their place.
_NOT_FOR_PAPER = frozenset({"yes_no_questions"})
_ON_PAPER = {
    "call_999": "Ring 999 now if they are there, or if you are in danger.",
    # Nobody is there to whom a password could be told.
    "we_will_not_ask": "Our officers show a photo card and never ask for money, a PIN or your bank card.",
}
_BY_MACHINE = "Check first: the public form was filled in by a machine, or faster than a person can write."
_MANY = "Check first: more than five reports came from one address within the hour."


@router.api_route("/", methods=["GET", "HEAD"])
async def get_start(visit: AnyVisit) -> Response:
    """The public report; for who is signed in, the page where their work is."""
    return visit.go(home_of(visit.principal) if visit.live else "/report")


@router.api_route("/report", methods=["GET", "HEAD"])
async def get_report(visit: AnyVisit) -> Response:
    """First the one question that decides what comes next, then the form."""
    now_answer = read_now(visit.query)
    if now_answer is None:
        view = ReportStartView(unanswered=bool(visit.query.values))
        return await visit.page(view, anonymous=True)
    return await visit.page(ReportFormView(now_answer, visit.now), form=_FORM, anonymous=True)


@router.post("/report")
async def post_report(visit: AnyVisit) -> Response:
    """A resident's report: taken whatever else is odd about it, as long as it says what happened."""
    posted, parsed = await _filled_in(visit)
    parsed, taken = await take_in(visit, parsed, posted, doubts=_doubts(visit, parsed))
    if taken is None:
        shown = ReportFormView(read_now(posted) or Now.NOT_SURE, _shown_at(posted, visit.now), parsed.filled)
        return await visit.page(shown, status=422, form=_FORM, anonymous=True)
    return await visit.page(_sent(taken, posted), anonymous=True)


async def _filled_in(visit: Visit) -> tuple[Posted, Parsed]:
    """As :meth:`Visit.filled_in`. Where the browser keeps no cookies no token can hold, and its word that one
    of our own pages sent the form is enough: it would be shown again for ever.
    """
    read, request = partial(read_public_report, now=visit.now), visit.request
    if request.cookies or not is_same_origin(request.headers):
        return await visit.filled_in(read, "narrative", _FORM)
    posted, _ = await visit.form(_FORM)
    return posted, read(posted)


def _shown_at(posted: Posted, now: datetime) -> datetime:
    """When the form was first shown; kept, so that correcting it quickly does not look like a machine."""
    try:
        shown = datetime.fromisoformat(posted.text("shown_at"))
    except ValueError:
        return now
    return shown if shown.tzinfo else now


def _doubts(visit: Visit, parsed: Parsed) -> tuple[str, ...]:
    """What a person should look at twice. A report is never lost to a limit, only marked."""
    if not parsed.ok:
        return ()
    too_many = visit.pages.reports.take(address_prefix(visit.address)) is not None
    return (_BY_MACHINE,) * parsed.looks_automated + (_MANY,) * too_many


def _sent(taken: Taken, posted: Posted) -> ReportSentView:
    answer = json.loads(taken.received.answer)
    now_answer = read_now(posted)
    says_so = now_answer is not None and now_answer.is_emergency
    return ReportSentView(
        reference=answer["reference"],
        is_emergency=says_so or answer["priority"] == Priority.P0,
        advice=tuple(_ON_PAPER.get(k) or script(k) for k in answer["advice"] if k not in _NOT_FOR_PAPER),
        say=tuple(_said(answer)),
        may_ring=taken.report.safe_contact.voice,
    )


def _said(answer: Mapping[str, Any]) -> Iterator[str]:
    """A handler asks what postcode was meant, and hears the answer; here there is nobody to hear it."""
    asked = place_not_known(answer.get("place", {}).get("did_you_mean", ()))
    for sentence in answer.get("say", ()):
        yield f"{sentence} If so, ring us and say so." if sentence in asked else sentence


# --- for both forms that take a report --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taken:
    """A report that is durable, and the answer to it."""

    report: ReportIn
    received: Received


def with_fault(parsed: Parsed, fault: FieldError) -> Parsed:
    """The same form with one fault more."""
    return parsed.refused([{"field": fault.field, "message": fault.message}])


async def take_in(
    visit: Visit, parsed: Parsed, posted: Posted, doubts: Iterable[str] = ()
) -> tuple[Parsed, Taken | None]:
    """Take in the report that a form holds, once for each form shown; or the form with its faults."""
    if not parsed.ok:
        return parsed, None
    try:
        report = ReportIn.model_validate(parsed.body)
        return parsed, Taken(report, await _receive(visit, report, posted, doubts))
    except ValidationError as error:
        return parsed.refused(faults_of(error, parsed.labels)), None
    except Invalid as refused:
        return with_fault(parsed, FieldError(refused.field or "narrative", refused.detail)), None


async def _receive(visit: Visit, report: ReportIn, posted: Posted, doubts: Iterable[str]) -> Received:
    """Read the words, then take the report in: one step, one commit."""
    desk = visit.pages.desk
    reading = desk.reader.read(
        report.narrative,
        channel=report.channel,
        received_at=report.received_at or visit.now,
        zone=desk.zone,
    )
    actor, who = visit.principal.actor, visit.who()
    key = once_key(posted)
    held = Key(f"{actor}:page:{visit.request.url.path}", key, digest(posted)) if key else None
    report_id = visit.pages.database.ids.uuid()

    def step(tx: Tx) -> Received:
        received = receive(tx, desk, report, reading, actor, held, report_id)
        if received.incident_id is not None:
            for doubt in doubts:
                add_note(tx, tx.need(IncidentRow, received.incident_id), doubt, who)
        return received

    return await visit.run(step, stored=lambda tx: stored(tx, desk, report_id, reading, held))


def faults_of(error: ValidationError, labels: Mapping[str, str] = NO_LABELS) -> list[dict[str, str]]:
    """What the models found, beside the fields of the form and in words for whoever fills it in."""
    faults = error.errors(include_url=False, include_input=False)
    fields = [".".join(str(part) for part in fault["loc"]) for fault in faults]
    return [
        {"field": field, "message": _message(field, fault, labels)}
        for field, fault in zip(fields, faults, strict=True)
    ]


def _message(field: str, fault: Any, labels: Mapping[str, str]) -> str:
    limit = fault.get("ctx", {})
    match fault["type"]:
        case "string_too_long":
            return too_long(field, limit["max_length"], labels)
        case "missing" | "string_too_short":
            return "Fill this in"
        case "enum":
            return "Choose one of the list"
        case "less_than_equal":
            return f"This can be {limit['le']:,} at the most"
        case "greater_than_equal":
            return f"This must be at least {limit['ge']:,}"
        case "value_error":
            said = str(fault["msg"]).removeprefix("Value error, ")
            return said[:1].upper() + said[1:]
    return "Check this"
