"""Pieces that several pages show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rapid_response.console.filling.names import Names
from rapid_response.console.views.case_parts import Person
from rapid_response.console.views.pieces import (
    AlarmPart,
    CheckIn,
    Clock,
    MarkerPart,
    NextStep,
    Place,
    SafeContact,
    VisitPart,
)
from rapid_response.console.views.responder import JobReport
from rapid_response.console.words import plain
from rapid_response.core.facts import awaiting
from rapid_response.core.notices import NoticeKind
from rapid_response.core.vocabulary import ContactRole, Priority
from rapid_response.intake.rules import RULEBOOK, rows_of
from rapid_response.messaging import wording
from rapid_response.steps import casefile
from rapid_response.steps.case import facts_of
from rapid_response.steps.markers import Found
from rapid_response.steps.tasks import TaskKind
from rapid_response.storage.tables import AlarmRow, IncidentRow, ReportRow, VisitRow


def clock(incident: IncidentRow) -> Clock:
    """The two-hour clock of a case."""
    return Clock(
        state=incident.clock_state,
        started_at=incident.started_at,
        due_at=incident.due_at,
        needed_by=incident.needed_by,
        accepted_at=incident.accepted_at,
        stopped_at=incident.stopped_at,
        stopped_by=incident.stopped_by,
        breached_at=incident.breached_at,
    )


def place(incident: IncidentRow) -> Place:
    """Where it happened, whole."""
    location = incident.location
    return Place(
        address=str(location.get("address", "")),
        postcode=str(location.get("postcode", "")),
        ward=incident.ward or "",
        latitude=location.get("latitude"),
        longitude=location.get("longitude"),
    )


def victim(incident: IncidentRow) -> Person:
    """The person it happened to."""
    known = incident.victim
    age = known.get("age")
    return Person(
        name=str(known.get("name", "")),
        phone=str(known.get("phone", "")),
        age="" if age is None else str(age),
    )


def safe_contact(said: Mapping[str, Any]) -> SafeContact:
    """What is safe, all links considered (core.safe_contact.reach); silence means no."""
    return SafeContact(
        sms=said.get("sms") is True,
        voice=said.get("voice") is True,
        voicemail=said.get("voicemail") is True,
        note=str(said.get("note", "")),
    )


def heard(incident: IncidentRow, reports: Iterable[ReportRow | JobReport]) -> str:
    """What was told of a case, as a form carries it: the names of its dangers, the ids of its reports."""
    return " ".join((*awaiting(facts_of(incident)), *(report.id for report in reports)))


def suspect(incident: IncidentRow) -> Mapping[str, str]:
    """What was said of the suspect."""
    return {key: str(value) for key, value in incident.suspect.items()}


def area(incident: IncidentRow, wards: Sequence[str] = ()) -> str:
    """Where, no finer than a text may say it."""
    return wording.area(incident.location.get("postcode"), incident.ward, wards=wards)


def check_in(visit: VisitRow | None) -> CheckIn | None:
    """How the check-ins of a visit stand; None where none are asked."""
    if visit is None or visit.check_in_by is None:
        return None
    return CheckIn(visit.check_in_by, visit.heard_at)


def visit(incident: IncidentRow, live: VisitRow | None, names: Names) -> VisitPart | None:
    """The plan of a visit that is under way."""
    if live is None:
        return None
    return VisitPart(
        responder=names.responder(live.responder_id),
        area=area(incident, (incident.ward or "",)),
        holder=plain(ContactRole.DUTY_OFFICER),
        finish_at=live.finish_at,
        set_off_at=live.set_off_at,
        expected_at=live.expected_at,
        arrived_at=live.arrived_at,
        check_in=check_in(live),
    )


def markers(found: Iterable[Found], *, whole: bool) -> tuple[MarkerPart, ...]:
    """What warns of a case; not `whole`: only that something does."""
    if not whole:
        return tuple(MarkerPart(subject) for subject in dict.fromkeys(m.subject for m in found))
    return tuple(MarkerPart(m.subject, m.kind, m.reason, m.why) for m in found)


def alarm(row: AlarmRow, incident: IncidentRow | None, names: Names) -> AlarmPart:
    """A responder's silent alarm."""
    return AlarmPart(
        alarm_id=row.id,
        responder=names.responder(row.responder_id),
        raised_at=row.raised_at,
        job_number=incident.job_number if incident else None,
        reference=incident.reference if incident else "",
        repeats=row.repeats,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=names.actor(row.acknowledged_by) if row.acknowledged_by else "",
    )


_STEP_WORDS: Mapping[str, str] = {
    "set_off": "Set off",
    "arrive": "Arrive at the address",
    "finish": "Finish the job",
    "answer_offer": "Answer the offer",
    "assign": "Find somebody to go",
    "rung": "Next step of the escalation",
    "retry": "Ask again",
    "resume": "The clock goes on",
}
#: What a role is asked to do.
TASK_WORDS: Mapping[str, str] = {
    TaskKind.FOLLOW_UP: "Follow up with the person",
    TaskKind.CHECK_BACK: "Look at it again",
    TaskKind.WELFARE_CHECK: "Check that the person is all right",
    TaskKind.CALL_BACK: "Ring back in a safe way: nobody was reached at the address",
    TaskKind.CONFIRM_REMOTE: "Confirm the help by phone",
    TaskKind.BREACH_REASON: "Say why the two hours were missed",
    TaskKind.HAND_OVER: "Hand the job over: the shift ends",
    TaskKind.REVIEW_AGE_TARGETING: "Decide on age targeting",
    TaskKind.OFFER_POLICE_HATE_REFERRAL: "Offer a police hate crime referral",
    TaskKind.RELEASE_HELD: "Decide whether it may go out",
    TaskKind.REVIEW_REPORT: "Read the report and decide",
    TaskKind.FINISH_JOB: "See that the job is finished",
    TaskKind.CHASE_REFERRAL: "Ask what became of the referral",
    TaskKind.SECOND_READING: "Look at what the second reader suggests",
    TaskKind.SAFEGUARDING: "Decide about adult safeguarding",
    TaskKind.CONFIRM_HOAX: "Somebody says that it is a hoax: look, and say whether you agree",
    TaskKind.VERIFY_CALLER: "Ring the branch back on its published number: is the call real?",
    TaskKind.TELL_POLICE: "Tell the police (Banking Protocol), and write down their reference",
    TaskKind.REMOTE_RESPONSE: "Get them cut off: somebody is in the computer or on the phone",
    TaskKind.TRANSFER: "Hand it over to the other service, and get their answer",
}
NOTICE_WORDS: Mapping[str, str] = {
    NoticeKind.RUNG: "Nobody has taken this yet",
    NoticeKind.NOT_ACCEPTED: "Not accepted in the promised time",
    NoticeKind.NOBODY_LEFT: "Nobody is left to ask: find somebody",
    NoticeKind.JOINT: "Suspect there or expected: arrange police or a second officer",
    NoticeKind.WARNING: "Time is running out",
    NoticeKind.BREACH: "The two hours have passed without a response",
    NoticeKind.HAND_OVER: "The responder's shift ends: arrange a handover",
    NoticeKind.DELIVERY_FAILING: "Messages do not arrive: ring instead",
    NoticeKind.TEXTS_STOPPED: "The responder's phone has stopped our texts: ring instead",
    NoticeKind.TASK_OVERDUE: "A task is overdue",
    NoticeKind.REVIEW: "A report is waiting to be read",
    NoticeKind.LEAD_REVIEW: "A case waits for the hate crime lead",
    NoticeKind.LEAD_OVERDUE: "The hate crime lead’s review is overdue",
    NoticeKind.CHECK_IN_MISSED: "The responder has not checked in: ring them",
    NoticeKind.TRAVEL_OVERDUE: "The responder set off and has not arrived: ring them",
    NoticeKind.OUT_OF_AREA: "The address is outside our area: hand it over",
    NoticeKind.HANDED_OVER: "Handed over, and not acknowledged: ring them",
    NoticeKind.NOT_SAFE: "The responder may need help: ring them",
    NoticeKind.MENDED: "Its next step was lost and is set again: check it",
    NoticeKind.WORK_PARKED: "A step keeps failing: do it by hand, see Parked work",
}


def step_words(what: str) -> str:
    """What comes next, in words."""
    return _STEP_WORDS.get(what) or TASK_WORDS.get(what) or plain(what)


def next_step(step: casefile.NextStep | None, names: Names) -> NextStep | None:
    """What comes next, who does it, and by when."""
    return NextStep(step_words(step.what), names.owner(step.who), step.due_at) if step else None


BY_PERSON = "Decided by a person"


def rule_title(rule_id: str, priority: Priority) -> str:
    """Why this priority: the title of the rule that decided, if a rule did."""
    rows = rows_of(rule_id)
    return next((r.title for r in rows if r.priority is priority), rows[0].title if rows else "")


RULE_TITLES = {rule.id: rule.title for rule in reversed(RULEBOOK.rules)}
