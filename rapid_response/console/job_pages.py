"""The responder's page: for one thumb at a kerb. Looking changes nothing; every verb is a form.

Only the responder whose offer or job it is sees it; the desk is sent on to the incident itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import Connection, or_, select
from sqlmodel import Session, col
from sqlmodel import select as typed_select
from starlette.exceptions import HTTPException

from rapid_response.access.csrf import check_same_origin
from rapid_response.access.permissions import Permission, may, may_act
from rapid_response.access.principal import Principal
from rapid_response.access.sessions import idle_principal
from rapid_response.console import filling, given_back, meanwhile
from rapid_response.console.form_pages import STALE, once, once_key
from rapid_response.console.forms.posted import FieldError, Filled, Posted
from rapid_response.console.forms.responder import (
    CANNOT_GO_WORDS,
    FINISH_FIELDS,
    OUTCOMES,
    CannotGo,
    read_cannot_go,
    read_finish,
    read_outcomes,
)
from rapid_response.console.forms.unsaved import written
from rapid_response.console.meanwhile import ChangedMeanwhile
from rapid_response.console.moments import at_words
from rapid_response.console.views.responder import JobLine, JobReport, JobStage, JobsView, JobView, Verb
from rapid_response.console.visit_pages import AnyVisit, MayNot, NeedsAny, NotSignedIn, SignedIn, Visit
from rapid_response.console.words import DANGERS
from rapid_response.core.definition import Responder, ServiceDefinition
from rapid_response.core.facts import awaiting
from rapid_response.core.incident import SEEKING_STATUSES, Action, NotAllowed, Status
from rapid_response.core.states import OfferState, TaskState
from rapid_response.core.vocabulary import ContactRole, ContactRoute, ShortDisposition
from rapid_response.dispatch.reply_decision import DISPOSITIONS
from rapid_response.messaging import wording
from rapid_response.steps import casefile, episodes, safeguarding, texts
from rapid_response.steps.actions import act_on
from rapid_response.steps.alarms import raise_alarm
from rapid_response.steps.case import allowed, facts_of, hold
from rapid_response.steps.commands import COMMANDS
from rapid_response.steps.corrections import caller_now, corrections_of
from rapid_response.steps.errors import Invalid, NotFound, NothingOffered, Refusal
from rapid_response.steps.knowing import links_of, safe_contact_of
from rapid_response.steps.markers import Found
from rapid_response.steps.markers import of_incident as markers_of
from rapid_response.steps.service import service_now
from rapid_response.steps.tasks import TaskKind
from rapid_response.storage.tables import IncidentRow, JobNumberRow, OfferRow, TaskRow, VisitRow
from rapid_response.storage.tx import Tx

router = APIRouter(include_in_schema=False)

Worker = Annotated[Visit, Depends(NeedsAny(Permission.OWN_JOBS))]

_NO_JOB = "There is no job with this number for you."

#: What the form to finish asks for, and the step may miss.
_ON_FINISH = ("safeguarding", "safeguarding_reason")

#: An action and its body, as the API takes it.
Deed = tuple[Action, Mapping[str, Any]]

_STAGES: Mapping[Status, JobStage] = {
    Status.ASSIGNED: JobStage.ACCEPTED,
    Status.EN_ROUTE: JobStage.ON_THE_WAY,
    Status.ON_SCENE: JobStage.THERE,
}

#: Said once after a verb, in the address as the verb's own word.
_DONE: Mapping[str, str] = {
    Verb.ACCEPT: "The job is yours",
    Verb.DECLINE: "Thank you for telling us",
    Verb.GO: "You are on your way",
    Verb.HERE: "You are there. The clock is stopped",
    Verb.NOBODY: "Recorded: nobody answered. The duty officer rings them; the job stays yours",
    Verb.RELEASE: "The job is no longer yours",
    Verb.DONE: "The job is closed",
    Verb.OUTCOMES: "It is recorded what changed. Thank you",
    Verb.SAFE: "You are safe, noted",
    Verb.NOT_ALONG: "You do not go along. The duty officer finds somebody else",
}

#: What would end a promise that nobody has kept yet (design.md 7).
_HERE_FIRST = "Nobody was helped yet: say first that you are there, or choose that you helped by phone"

#: Somebody else did something first that leaves no room for it.
_OVERTAKEN = "This is not saved: somebody changed the job meanwhile. Look how it stands now"
_ENDED_FIRST = "This is not saved: somebody ended the job before you. Add below what changed"


@router.api_route("/j", methods=["GET", "HEAD"])
async def get_jobs(visit: Worker) -> Response:
    """One's own open jobs and offers."""
    mine = visit.principal.responder_id
    wards, now = visit.service.wards, visit.now
    jobs = await visit.look(lambda c: _lines(c, mine, wards, now)) if mine else ()
    return await visit.page(JobsView(jobs))


@router.api_route("/j/{number}", methods=["GET", "HEAD"])
async def get_job(number: str, visit: SignedIn) -> Response:
    """The job, as far as it is one's own; the desk goes on to the whole incident."""
    job = await _job(visit, number)
    if job.stage is None:
        return visit.go(f"/incidents/{job.incident.reference}")
    if job.goes_on_as is not None:
        return visit.go(f"/j/{job.goes_on_as}")
    done = visit.query.text("done")
    said = _DONE.get(done, "")
    if done in (Verb.DECLINE, Verb.RELEASE):
        said = given_back.sentence(said, job.incident)
    return await _page(visit, job, done=said)


@router.post("/j/code-9")
async def post_code_9(visit: AnyVisit) -> Response:
    """A silent alarm: the page comes back as it was, and says nothing.

    An alarm too many costs less than one missed: her page may be older than her session, and at a door it
    lies open for longer than a session waits. Then nothing is answered, so that the browser leaves it there.
    """
    principal = visit.principal if visit.live else await _idle(visit)
    if not may(principal, Permission.OWN_JOBS):
        raise MayNot
    posted, is_ours = await visit.form()
    if not is_ours:
        check_same_origin(visit.request.headers)
    mine, zone, number = principal.responder_id, visit.pages.desk.zone, posted.text("number")
    job = int(number) if number.isascii() and number.isdigit() and len(number) <= 6 else None
    if mine is not None:
        await visit.pages.database.run(
            lambda tx: raise_alarm(tx, service_now(tx, zone), mine, "page", job), actor=principal.actor
        )
    if visit.live is None:
        return Response(status_code=204)
    return visit.go(f"/j/{job}" if job else "/j")


async def _idle(visit: Visit) -> Principal:
    """Who was signed in here until nothing was done for too long; raises NotSignedIn."""
    cookie = visit.request.cookies.get(visit.pages.cookies.session)
    principal = await idle_principal(visit.pages.database, cookie)
    if principal is None:
        raise NotSignedIn
    return principal


@router.post("/j/{number}/{verb}")
async def post_verb(number: str, verb: str, visit: Worker) -> Response:
    """Answer, set off, arrive, finish: once, however often the button is pressed."""
    wanted = next((v for v in Verb if v.value == verb), None)
    if wanted is None:
        raise NotFound("There is no such button.")
    posted, is_ours = await visit.form()
    job = await _job(visit, number)
    if job.stage is None:
        raise MayNot
    if not is_ours:
        stale = Filled(posted.values, (FieldError("code", STALE),)) if wanted is Verb.DONE else Filled()
        return await _page(visit, job, stale, status=403)
    parsed, deeds = _deeds(wanted, posted, job)
    if parsed.errors:
        return await _page(visit, job, parsed, status=422)
    if not all(may_act(visit.principal, action, owns_job=True) for action, _ in deeds):
        raise MayNot
    scope, key = f"{visit.principal.actor}:page:{visit.request.url.path}", once_key(posted)
    try:
        await visit.run(lambda tx: once(tx, scope, key, _doing(visit, job, deeds, posted)))
    except ChangedMeanwhile as changed:
        kept = Filled(changed.filled.values, (FieldError("code", changed.message),))
        return await _page(visit, await _job(visit, number), kept, status=409)
    except Invalid as refused:
        if refused.field not in _ON_FINISH:
            return await _overtaken(visit, await _job(visit, number), wanted, posted)
        # What is missing is said on the form, with what was written in it.
        fault = FieldError(refused.field or "", refused.detail)
        return await _page(visit, await _job(visit, number), Filled(posted.values, (fault,)), status=422)
    except (NotAllowed, Refusal):
        # Somebody was quicker, or the desk was: the page as it is now says what that means.
        return await _overtaken(visit, await _job(visit, number), wanted, posted)
    said = Verb.NOBODY if deeds[-1][0] is Action.NO_CONTACT else wanted
    return visit.go(f"/j/{job.number}?done={said.value}")


async def _overtaken(visit: Visit, job: _Job, verb: Verb, posted: Posted) -> Response:
    """The page as it is now; what somebody wrote in a form is kept there, or said to be lost."""
    if verb not in (Verb.DONE, Verb.OUTCOMES):
        return await _page(visit, job, status=409)
    if job.stage in _STAGES.values():
        kept = Filled(posted.values, (FieldError("code", _OVERTAKEN),))
        return await _page(visit, job, kept, status=409)
    # After the end there is a form for what changed, and for nothing else.
    is_over = job.stage is JobStage.FINISHED
    kept, asked = Filled(posted.values), [f for f in FINISH_FIELDS if not (is_over and f is OUTCOMES)]
    said: dict[str, Any] = {
        "problem": _ENDED_FIRST if is_over else _OVERTAKEN,
        "unsaved": written(asked, kept),
    }
    return await _page(visit, job, kept, status=409, **said)


def _doing(visit: Visit, job: _Job, deeds: Sequence[Deed], posted: Posted) -> Callable[[Tx], None]:
    """One step that does them all, or none. Whether the job is hers is asked with the incident locked."""
    closes = any(action is Action.CLOSE for action, _ in deeds)
    desk, who, incident_id = visit.pages.desk, visit.who(), job.incident.id

    def step(tx: Tx) -> None:
        if not _is_hers(tx, job, deeds[0][0]):
            raise NothingOffered("This job is not yours.")
        if closes:
            incident = tx.need(IncidentRow, incident_id)
            meanwhile.check_shown(tx, incident, Action.CLOSE, posted, desk.zone)
        for action, body in deeds:
            act_on(tx, desk, incident_id, action, COMMANDS[action].model_validate(body), who)

    return step


def _is_hers(tx: Tx, job: _Job, action: Action) -> bool:
    """Whether she may do that to this job now; an answer is checked against her offer by its own step."""
    incident = hold(tx, job.incident.id)
    if action in (Action.CHECK_IN, Action.RELEASE_COMPANION) and incident.companion == job.responder_id:
        return True
    if action is Action.ADD_OUTCOMES:
        offer = tx.get(OfferRow, job.offer.id) if job.offer else None
        return offer is not None and offer.state is OfferState.DONE and not incident.is_open
    return action in (Action.ACCEPT, Action.DECLINE) or incident.owner == job.responder_id


# --- what a verb does -------------------------------------------------------------------------------------


def _deeds(verb: Verb, posted: Posted, job: _Job) -> tuple[Filled, Sequence[Deed]]:
    me = {"responder": job.responder_id}
    match verb:
        case Verb.ACCEPT:
            return Filled(), [(Action.ACCEPT, me)]
        case Verb.GO:
            return Filled(), [(Action.EN_ROUTE, me)]
        case Verb.HERE:
            return Filled(), [(Action.ON_SCENE, me)]
        case Verb.NOBODY:
            return Filled(), [(Action.NO_CONTACT, me)]
        case Verb.SAFE:
            return Filled(), [(Action.CHECK_IN, me)]
        case Verb.NOT_ALONG:
            return Filled(), [(Action.RELEASE_COMPANION, {})]
        case Verb.DECLINE | Verb.RELEASE:
            why = CANNOT_GO_WORDS[CannotGo(read_cannot_go(posted).body["reason"])]
            action = Action.DECLINE if verb is Verb.DECLINE else Action.RELEASE
            return Filled(), [(action, {**me, "reason": f"Cannot go: {why[:1].lower()}{why[1:]}"})]
        case Verb.DONE:
            return _finishing(posted, job)
        case Verb.OUTCOMES:
            parsed = read_outcomes(posted)
            return parsed.filled if not parsed.ok else Filled(), [(Action.ADD_OUTCOMES, parsed.body)]


def _finishing(posted: Posted, job: _Job) -> tuple[Filled, Sequence[Deed]]:
    """As `DONE 4821 CODE` does it (design.md 7), with what a text has no room for."""
    parsed = read_finish(posted)
    if not parsed.ok:
        return parsed.filled, ()
    body = parsed.body
    code = ShortDisposition(body["code"])
    note = {"note": body["note"]} if "note" in body else {}
    if code in (ShortDisposition.NOTRACE, ShortDisposition.NOCONTACT):
        found = {"responder": job.responder_id, "no_trace": code is ShortDisposition.NOTRACE}
        return Filled(), [(Action.NO_CONTACT, {**found, **note})]
    first: list[Deed] = []
    if not job.incident.stopped_at and code is ShortDisposition.POLICE:
        first = [(Action.POLICE_HANDOVER, {"cad_reference": body["cad_reference"]})]
    elif not job.incident.stopped_at and code is ShortDisposition.PHONE:
        first = [(Action.REMOTE_RESPONSE, {"protective_act": body["protective_act"]})]
    elif job.stage is not JobStage.THERE and code is ShortDisposition.HELPED:
        first = [(Action.ON_SCENE, {"responder": job.responder_id})]
    elif code is ShortDisposition.POLICE:
        first = [(Action.NOTE, {"note": f"Police reference: {body['cad_reference']}"})]
    if not first and Action.CLOSE not in allowed(job.incident):
        return Filled(posted.values, (FieldError("code", _HERE_FIRST),)), ()
    decided: dict[str, Any] = {
        name: body[name] for name in ("safeguarding", "safeguarding_reason") if name in body
    }
    closing: dict[str, Any] = {
        "disposition": DISPOSITIONS[code],
        "outcomes": body.get("outcomes", []),
        **decided,
        **note,
    }
    return Filled(), [*first, (Action.CLOSE, closing)]


# --- whose job it is --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Job:
    """A job as one person sees it; `stage` None is the desk's view, which is the incident."""

    number: int
    incident: IncidentRow
    stage: JobStage | None
    responder_id: str = ""
    offer: OfferRow | None = None
    reports: Sequence[JobReport] = ()
    #: What is safe, linked incidents of the same people considered.
    safe_contact: Mapping[str, Any] = field(default_factory=dict)
    #: The number under which this person goes on, where this job was joined to another of hers.
    goes_on_as: int | None = None
    visit: VisitRow | None = None
    call_back_by: datetime | None = None
    markers: Sequence[Found] = ()
    #: By which help the caller speaks with us, as the newest report says that does.
    route: str = ""

    @property
    def is_mine(self) -> bool:
        """Whether it is offered to, or held by, this person: then the address is shown."""
        return self.stage in (JobStage.OFFERED, JobStage.ALONG, *_STAGES.values())


async def _job(visit: Visit, number: str) -> _Job:
    """The job of that number for this person; raises NotFound where it is not hers to know of."""
    if not (visit.may(Permission.OWN_JOBS) or visit.may(Permission.CASE_VIEW)):
        raise MayNot
    if not (number.isascii() and number.isdigit() and len(number) <= 6):
        raise HTTPException(404)
    mine = visit.principal.responder_id if visit.may(Permission.OWN_JOBS) else None
    job = await visit.look(lambda connection: _read(connection, int(number), mine))
    if job is None or (job.stage is None and not visit.may(Permission.CASE_VIEW)):
        raise NotFound(_NO_JOB)
    return job


def _read(connection: Connection, number: int, mine: str | None) -> _Job | None:
    session = Session(connection)
    issued = session.get(JobNumberRow, number)
    incident = session.get(IncidentRow, issued.incident_id) if issued else None
    if incident is None:
        return None
    offers = session.exec(
        typed_select(OfferRow)
        .where(col(OfferRow.incident_id) == incident.id, col(OfferRow.responder_id) == mine)
        .order_by(col(OfferRow.made_at), col(OfferRow.id))
    ).all()
    goes_along = mine is not None and incident.is_open and incident.companion == mine
    if mine is None or not (offers or goes_along):
        return _Job(number, incident, None)
    stage = JobStage.ALONG if goes_along else _stage(incident, offers[-1], number, mine)
    reports = episodes.reports_of_now(session, incident)
    corrected = corrections_of(connection, incident.id)
    routes = [str(caller_now(report, corrected).get("route", "")) for report in reports]
    visit = session.exec(
        typed_select(VisitRow).where(
            col(VisitRow.incident_id) == incident.id, col(VisitRow.ended_at).is_(None)
        )
    ).first()
    call_back = select(col(TaskRow.due_at)).where(
        col(TaskRow.incident_id) == incident.id,
        col(TaskRow.kind) == TaskKind.CALL_BACK.value,
        col(TaskRow.state) == TaskState.OPEN,
    )
    return _Job(
        number,
        incident,
        stage,
        mine,
        offers[-1] if offers else None,
        [JobReport(report.id, report.received_at, report.narrative) for report in reports],
        safe_contact_of(incident, links_of(connection, incident.id)),
        _goes_on_as(session, incident, mine),
        visit,
        connection.execute(call_back).scalar(),
        markers_of(connection, incident.id),
        route=next(filter(None, routes), ""),
    )


def _goes_on_as(session: Session, incident: IncidentRow, mine: str) -> int | None:
    joined_to = session.get(IncidentRow, incident.duplicate_of) if incident.duplicate_of else None
    return joined_to.job_number if joined_to is not None and joined_to.owner == mine else None


def _stage(incident: IncidentRow, offer: OfferRow, number: int, mine: str) -> JobStage:
    """Where this person stands with it, by her newest offer."""
    if offer.state is OfferState.DONE:
        return JobStage.FINISHED
    if incident.job_number != number or not incident.is_open:
        return JobStage.NOT_YOURS
    if incident.owner == mine:
        return _STAGES.get(incident.status, JobStage.ACCEPTED)
    # A late OK is welcome while nobody else has it.
    may_answer = offer.state in (OfferState.OPEN, OfferState.LAPSED) and offer.episode == incident.episode
    return JobStage.OFFERED if may_answer and incident.status in SEEKING_STATUSES else JobStage.NOT_YOURS


# --- showing it -------------------------------------------------------------------------------------------


async def _page(
    visit: Visit, job: _Job, filled: Filled | None = None, *, status: int = 200, done: str = "", **said: Any
) -> Response:
    """The page; what it shows of a case is kept in the access log first."""
    if job.is_mine:
        seen = partial(casefile.seen, reference=job.incident.reference, what="page_job")
        await visit.run(seen)
    view = _view(visit, job, filled or Filled(), done)
    return await visit.page(replace(view, **said), status=status)


def _view(visit: Visit, job: _Job, filled: Filled, done: str) -> JobView:
    incident, service = job.incident, visit.service
    stage = job.stage or JobStage.NOT_YOURS
    shown = JobView(
        number=job.number,
        stage=stage,
        situation=_situation(incident, visit.now),
        priority=incident.priority,
        clock=filling.clock(incident),
        area=wording.area(incident.location.get("postcode"), incident.ward, wards=service.wards),
        desk=_desk(service),
        filled=filled,
        done=done,
    )
    if not job.is_mine:
        return shown
    other = _other(service, job)
    return JobView(
        **{name: getattr(shown, name) for name in _OF_ALL},
        reference=incident.reference,
        joint=incident.joint,
        other=other.name if other else "",
        other_phone=(other.voice or other.sms or "") if other else "",
        visit=filling.visit(incident, job.visit, _names(service)),
        markers=filling.markers(job.markers, whole=True),
        place=filling.place(incident),
        dangers=_dangers(visit, incident),
        heard=filling.heard(incident, job.reports),
        victim=filling.victim(incident),
        safe_contact=filling.safe_contact(job.safe_contact),
        route=ContactRoute(job.route) if job.route in set(ContactRoute) else None,
        at_risk=incident.safeguarding is None and bool(safeguarding.because(incident)),
        reports=tuple(job.reports),
        suspect=filling.suspect(incident),
        call_back_by=job.call_back_by,
        answer_by=job.offer.answer_by if job.offer and stage is JobStage.OFFERED else None,
    )


def _names(service: ServiceDefinition) -> filling.Names:
    return filling.Names({r.id: r.name for r in service.responders}, {}, {})


def _other(service: ServiceDefinition, job: _Job) -> Responder | None:
    """Who else goes there: shown to both, so that they can ring each other."""
    incident = job.incident
    other = incident.owner if job.stage is JobStage.ALONG else incident.companion
    return service.responder(other) if other else None


_OF_ALL = ("number", "stage", "situation", "priority", "clock", "area", "desk", "filled", "done")


def _situation(incident: IncidentRow, now: datetime) -> str:
    said = texts.situation(incident, now)
    return said[:1].upper() + said[1:]


def _desk(service: ServiceDefinition) -> str:
    contacts = service.contacts
    return contacts.get(ContactRole.DESK) or contacts.get(ContactRole.DUTY_OFFICER, "")


def _dangers(visit: Visit, incident: IncidentRow) -> tuple[str, ...]:
    facts, zone = facts_of(incident), visit.pages.desk.zone
    found = []
    for name in awaiting(facts, visit.now):
        words, at = DANGERS[name]
        when = getattr(facts, at) if at else None
        found.append(f"{words}, {at_words(when, visit.now, zone)}" if when else words)
    return tuple(found)


def _lines(connection: Connection, mine: str, wards: Sequence[str], now: datetime) -> tuple[JobLine, ...]:
    """One's open jobs, the soonest need first."""
    offers = (
        select(col(OfferRow.incident_id))
        .where(
            col(OfferRow.responder_id) == mine,
            col(OfferRow.state).in_((OfferState.OPEN, OfferState.ACCEPTED)),
        )
        .distinct()
    )
    incidents = (
        Session(connection)
        .exec(
            typed_select(IncidentRow)
            .where(
                or_(col(IncidentRow.id).in_(offers), col(IncidentRow.companion) == mine),
                col(IncidentRow.is_open),
            )
            .order_by(col(IncidentRow.needed_by), col(IncidentRow.id))
        )
        .all()
    )
    return tuple(
        JobLine(
            number=incident.job_number,
            situation=_situation(incident, now),
            stage=_line_stage(incident, mine),
            clock=filling.clock(incident),
            area=wording.area(incident.location.get("postcode"), incident.ward, wards=wards),
        )
        for incident in incidents
        if incident.job_number is not None
    )


def _line_stage(incident: IncidentRow, mine: str) -> JobStage:
    if incident.owner == mine:
        return _STAGES.get(incident.status, JobStage.OFFERED)
    return JobStage.ALONG if incident.companion == mine else JobStage.OFFERED
