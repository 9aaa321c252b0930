"""One incident: the whole case on a page, and what is done to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import ValidationError
from sqlalchemy import Connection

from rapid_response.access.permissions import Permission, may_act
from rapid_response.console import filling, given_back, meanwhile
from rapid_response.console.access_pages import ask_why, must_say_why
from rapid_response.console.filling import Looking
from rapid_response.console.form_pages import STALE, once, once_key
from rapid_response.console.forms.actions import read_action
from rapid_response.console.forms.posted import FieldError, Filled, Parsed, Posted
from rapid_response.console.meanwhile import ChangedMeanwhile
from rapid_response.console.public_pages import faults_of
from rapid_response.console.views.case import FailedAction, IncidentView
from rapid_response.console.visit_pages import MayNot, NeedsAny, Visit
from rapid_response.console.words import plain
from rapid_response.core.incident import Action, NotAllowed
from rapid_response.steps import casefile, deliveries
from rapid_response.steps.actions import act
from rapid_response.steps.commands import COMMANDS, Command
from rapid_response.steps.errors import Forbidden, NotFound, NothingOffered, Refusal
from rapid_response.storage.tx import Tx

router = APIRouter(include_in_schema=False)

Reader = Annotated[Visit, Depends(NeedsAny(Permission.CASE_VIEW, Permission.TIMELINE_VIEW))]
Desk = Annotated[Visit, Depends(NeedsAny(Permission.CASE_VIEW))]

_NO_INCIDENT = "There is no incident with this reference."

#: After `assign` with the mark of a second officer.
_GOES_ALONG = "companion"
#: Said once after an action, in the address as the action's own word.
_DONE: Mapping[str, str] = {
    Action.ACCEPT: "{responder} has the job",
    Action.DECLINE: "The refusal is recorded",
    Action.ASSIGN: "Assigned to {responder}",
    Action.EN_ROUTE: "{responder} is on the way",
    Action.ON_SCENE: "{responder} is there. The clock is stopped",
    Action.NO_CONTACT: "Recorded: nobody answered. The clock goes on",
    Action.REMOTE_RESPONSE: "The help by phone is recorded",
    Action.POLICE_HANDOVER: "The handover to the police is recorded",
    Action.RELEASE: "The job is taken back",
    Action.CLOSE: "The incident is closed",
    Action.CANCEL: "The incident is cancelled",
    Action.REOPEN: "The incident is open again",
    Action.ACKNOWLEDGE: "It is recorded that you have seen the notices",
    Action.RECLASSIFY: "It is recorded what it is",
    Action.SET_PRIORITY: "The priority is set",
    Action.PAUSE: "The clock is paused",
    Action.RESUME: "The clock runs again",
    Action.NOTE: "The note is added",
    Action.TASK_DONE: "The task is done",
    Action.ADD_OUTCOMES: "It is recorded what changed",
    Action.REVIEW_AGE_TARGETING: "What you say about age targeting is recorded",
    Action.SECOND_REVIEW: "What you say as second reviewer is recorded",
    Action.REFER: "The referral is recorded. Somebody will be reminded to ask after it",
    Action.UPDATE_REFERRAL: "It is recorded what became of the referral",
    Action.ANSWER_SECOND_READING: "Your answer is recorded",
    Action.AMEND: "The corrections are kept, and it was looked at again",
    Action.LINK: "It is recorded how the two belong together",
    Action.CHECK_IN: "It is recorded that {responder} is safe",
    Action.RELEASE_COMPANION: "The second officer does not go along any more",
    Action.TRANSFER: "The hand-over is recorded and signed. It stays ours until they say that they have it",
    Action.TRANSFER_ACKNOWLEDGED: "They have it: it is over here",
    Action.TRANSFER_DECLINED: "It is recorded that they do not take it. It is ours as before",
    Action.DECIDE_SAFEGUARDING: "The safeguarding decision is recorded",
    Action.DISCLOSE: "The sheet is made, and stands under Shown to partners",
    Action.LEGAL_HOLD: "It is recorded whether it is held",
    Action.MARK_HOAX: "It is recorded. Where danger was told of, somebody else has to say the same",
    _GOES_ALONG: "A second officer goes along, and is told",
}
_SEEN_IN_PART = "It is recorded that you have seen what your page showed. There is a newer notice: look below"
#: What a form carries unseen: no fault can stand beside it.
_CARRIED = frozenset({"task", "referral", "suggestion", "report"})


@router.api_route("/incidents/{reference}", methods=["GET", "HEAD"])
async def get_incident(reference: str, visit: Reader) -> Response:
    """The case. That it was looked at is kept, before anything of it is shown."""
    if await must_say_why(visit, reference):
        return await ask_why(visit, reference)
    return await visit.page(await _view(visit, reference, done=visit.query.text("done")))


@router.post("/incidents/{reference}/actions/{action}")
async def post_action(reference: str, action: str, visit: Desk) -> Response:
    """Do one action; what is wrong is said on the page of the case, with the form as it was filled in."""
    wanted = next((a for a in Action if a.value == action), None)
    if wanted is None:
        raise NotFound("There is no such action.")
    posted, is_ours = await visit.form()
    if await must_say_why(visit, reference):
        return await ask_why(visit, reference)
    if not is_ours:
        return await _not_done(visit, reference, FailedAction(wanted, Filled(posted.values), STALE), 403)
    if not may_act(visit.principal, wanted, owns_job=await _owns_job(visit, reference)):
        raise MayNot
    parsed, command = _command(visit, wanted, posted)
    if command is None:
        return await _not_done(visit, reference, FailedAction(wanted, parsed.filled), 422)
    desk, who = visit.pages.desk, visit.who()

    def step(tx: Tx) -> None:
        meanwhile.check(tx, reference.upper(), wanted, posted, desk.zone)
        act(tx, desk, reference.upper(), wanted, command, who)

    scope = f"{visit.principal.actor}:page:{visit.request.url.path}"
    key = once_key(posted)
    try:
        await visit.run(lambda tx: once(tx, scope, key, step))
    except NotFound:
        raise
    except ChangedMeanwhile as changed:
        return await _not_done(visit, reference, FailedAction(wanted, changed.filled, changed.message), 409)
    except (NotAllowed, Refusal) as refused:
        failed, status = _refusal(wanted, parsed, refused)
        return await _not_done(visit, reference, failed, status)
    done = _GOES_ALONG if parsed.body.get("companion") else wanted.value
    return visit.go(f"/incidents/{reference.upper()}?done={done}")


def _command(visit: Visit, action: Action, posted: Posted) -> tuple[Parsed, Command | None]:
    """The action's body, or the form with its faults."""
    parsed = read_action(action, posted, now=visit.now, zone=visit.pages.desk.zone)
    if not parsed.ok:
        return parsed, None
    try:
        return parsed, COMMANDS[action].model_validate(parsed.body)
    except ValidationError as error:
        return parsed.refused(faults_of(error, parsed.labels)), None


def _refusal(action: Action, parsed: Parsed, refused: NotAllowed | Refusal) -> tuple[FailedAction, int]:
    """What the step said, beside the field it belongs to, or above the page."""
    if isinstance(refused, NotAllowed):
        said = (
            f"“{plain(action)}” cannot be done now: the incident is “{plain(refused.status).lower()}”. "
            "Somebody may have been quicker. What can be done stands below."
        )
        return FailedAction(action, parsed.filled, said), 409
    fields = COMMANDS[action].model_fields.keys() - _CARRIED
    if refused.field in fields and not isinstance(refused, Forbidden | NothingOffered):
        fault = FieldError(refused.field or "", refused.detail)
        return FailedAction(action, Filled(parsed.filled.values, (fault,))), 422
    status = {Forbidden: 403, NothingOffered: 409}.get(type(refused), 422)
    return FailedAction(action, parsed.filled, refused.detail), status


async def _not_done(visit: Visit, reference: str, failed: FailedAction, status: int) -> Response:
    return await visit.page(await _view(visit, reference, failed=failed), status=status)


async def _owns_job(visit: Visit, reference: str) -> bool:
    if visit.principal.responder_id is None:
        return False
    looking, _ = await _look(visit, reference)
    return looking.owns_job


async def _view(
    visit: Visit, reference: str, *, failed: FailedAction | None = None, done: str = ""
) -> IncidentView:
    looking, events = await _look(visit, reference)
    seen = partial(casefile.seen, reference=looking.case.incident.reference, what="page")
    await visit.run(seen)
    owner = looking.names.responder(looking.case.incident.owner) or "The responder"
    said = _DONE.get(done, "")
    if done == Action.ACKNOWLEDGE and any(n.acknowledged_at is None for n in looking.case.notices):
        said = _SEEN_IN_PART
    if done == Action.RELEASE:
        said = given_back.sentence(said, looking.case.incident)
    return filling.incident_view(looking, events, failed=failed, done=said.format(responder=owner))


async def _look(visit: Visit, reference: str) -> tuple[Looking, Sequence[Mapping[str, Any]]]:
    """The case and its log in one snapshot; raises NotFound."""
    zone = visit.pages.desk.zone

    def read(connection: Connection) -> tuple[Looking, Sequence[Mapping[str, Any]]] | None:
        found = filling.read(connection, reference.upper(), zone)
        if found is None:
            return None
        case, names = found
        events = casefile.events_of(connection, case.incident.id)
        looking = Looking(visit.principal, case, names, visit.definition, zone, visit.now)
        unseen = looking.unseen_purposes
        reach = deliveries.chains(connection, case.incident, visit.definition, zone, without=unseen)
        return replace(looking, reach=reach), events

    looked = await visit.look(read)
    if looked is None:
        raise NotFound(_NO_INCIDENT)
    return looked
