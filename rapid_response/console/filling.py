"""From rows to views: what of a case its page shows, and to whom.

What the viewer may not see is left out here, so that no template has to know who looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select
from sqlmodel import col

from rapid_response.access.permissions import Permission, may, may_act
from rapid_response.access.principal import Principal
from rapid_response.console import related, timeline
from rapid_response.console.forms.public import CALLER_ROLES
from rapid_response.console.views.case import FailedAction, IncidentView
from rapid_response.console.views.case_parts import (
    AgeTargetingPart,
    AreaPart,
    EvidenceSpan,
    MessagePart,
    NotePart,
    NoticePart,
    OfferPart,
    OutcomePart,
    Person,
    ProposalPart,
    ReachPart,
    ReferralPart,
    ReportPart,
    SafeguardingPart,
    SecondReadingPart,
    StepPart,
    SuggestionPart,
    TaskPart,
    TimelinePart,
    Words,
)
from rapid_response.console.views.pieces import (
    AlarmPart,
    CheckIn,
    Choice,
    Clock,
    MarkerPart,
    NextStep,
    Place,
    SafeContact,
    VisitPart,
)
from rapid_response.console.views.sharing import DisclosurePart, TransferPart
from rapid_response.console.words import QUESTIONS, plain
from rapid_response.core.definition import ServiceDefinition
from rapid_response.core.facts import Facts
from rapid_response.core.incident import Action
from rapid_response.core.notices import NoticeKind
from rapid_response.core.safe_contact import may_be_told
from rapid_response.core.states import OfferState, Purpose, TaskState
from rapid_response.core.vocabulary import (
    AgeEvidence,
    AgeTargeting,
    Area,
    Category,
    ContactRole,
    ContactRoute,
    HateStrand,
    Priority,
    ReferralKind,
    Urgency,
)
from rapid_response.dispatch.rules import explain
from rapid_response.hatecrime.referrals import STEPS
from rapid_response.hatecrime.rules import DECISIONS, UNDECIDED, is_own_perception
from rapid_response.intake.rules import RULEBOOK, rows_of
from rapid_response.intake.second.answering import Label
from rapid_response.messaging import wording
from rapid_response.messaging.explaining import Verdict
from rapid_response.places.rules import neighbour_of
from rapid_response.steps import borders, casefile, safeguarding
from rapid_response.steps.case import facts_of
from rapid_response.steps.casefile import CaseFile
from rapid_response.steps.deliveries import Chain
from rapid_response.steps.markers import Found
from rapid_response.steps.service import stored_definition
from rapid_response.steps.tasks import TaskKind
from rapid_response.storage.tables import (
    AlarmRow,
    ApiKeyRow,
    DisclosureRow,
    IncidentRow,
    NoticeRow,
    OfferRow,
    OutcomeRow,
    ReferralRow,
    ReportRow,
    SecondReadingRow,
    SuggestionRow,
    TaskRow,
    TransferRow,
    UserRow,
    VisitRow,
)

# --- who is who -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Names:
    """The names behind the ids of the record."""

    responders: Mapping[str, str]
    accounts: Mapping[str, str]
    keys: Mapping[str, str]

    def responder(self, responder_id: str | None) -> str:
        """A responder's name, or the id of one who is gone."""
        return self.responders.get(responder_id, responder_id) if responder_id else ""

    def actor(self, actor: str) -> str:
        """Whoever did something, as the record spells it: `user:…`, `responder:asha`, `public`."""
        kind, _, key = actor.partition(":")
        match kind:
            case "user":
                return self.accounts.get(key, "an account that is gone")
            case "responder":
                return self.responder(key)
            case "contact":
                return _role(key)
            case "key":
                return f"{self.keys[key]} (API)" if key in self.keys else "an API key that is gone"
        return _NOBODY.get(kind) or self.responder(kind)

    def owner(self, owner: str) -> str:
        """Whoever owes something: a role, a responder, or the service itself."""
        return _role(owner) if owner in set(ContactRole) else _NOBODY.get(owner) or self.responder(owner)


_NOBODY = {
    "system": "the service",
    "service": "the service, by itself",
    "provider": "the phone network",
    "public": "the public form",
}


def _role(role: str) -> str:
    return plain(ContactRole(role)) if role in set(ContactRole) else plain(role)


def read_names(connection: Connection, zone: ZoneInfo) -> Names:
    """Who is who now."""
    definition = stored_definition(connection, zone)
    responders = {r.id: r.name for r in definition.responders} if definition else {}
    users = connection.execute(select(col(UserRow.id), col(UserRow.name), col(UserRow.responder_id)))
    keys = connection.execute(select(col(ApiKeyRow.id), col(ApiKeyRow.name)))
    return Names(
        responders,
        {u.id: responders.get(u.responder_id, u.name) for u in users},
        {k.id: k.name for k in keys},
    )


def read(connection: Connection, reference: str, zone: ZoneInfo) -> tuple[CaseFile, Names] | None:
    """A case and the names in it; None when there is none of that reference."""
    case = casefile.read_case(connection, reference)
    return (case, read_names(connection, zone)) if case else None


# --- pieces that several pages show -----------------------------------------------------------------------


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
_TASK_WORDS: Mapping[str, str] = {
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
    TaskKind.REMOTE_RESPONSE: "Ring now: somebody is in the computer or on the phone; get them cut off",
    TaskKind.TRANSFER: "Hand it over to the other service, and get their answer",
}

_NOTICE_WORDS: Mapping[str, str] = {
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
    return _STEP_WORDS.get(what) or _TASK_WORDS.get(what) or plain(what)


def next_step(step: casefile.NextStep | None, names: Names) -> NextStep | None:
    """What comes next, who does it, and by when."""
    return NextStep(step_words(step.what), names.owner(step.who), step.due_at) if step else None


_BY_PERSON = "Decided by a person"


def rule_title(rule_id: str, priority: Priority) -> str:
    """Why this priority: the title of the rule that decided, if a rule did."""
    rows = rows_of(rule_id)
    return next((r.title for r in rows if r.priority is priority), rows[0].title if rows else "")


_RULE_TITLES = {rule.id: rule.title for rule in reversed(RULEBOOK.rules)}


# --- one incident, whole ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Looking:
    """Who looks at a case, at what, and what is known of those in it."""

    principal: Principal
    case: CaseFile
    names: Names
    definition: ServiceDefinition | None
    zone: ZoneInfo
    now: datetime
    reach: Sequence[Chain] = ()

    @property
    def sees_people(self) -> bool:
        """Whether more than ids, codes and times may be shown."""
        return may(self.principal, Permission.CASE_VIEW)

    @property
    def sees_special_category(self) -> bool:
        """Whether hate strands may be shown."""
        return self.sees_people and may(self.principal, Permission.SPECIAL_CATEGORY)

    def sees(self, alarm: AlarmRow) -> bool:
        """Whether a silent alarm may be shown; never to whoever raised it, who may not be alone."""
        is_own = alarm.responder_id == self.principal.responder_id
        return may(self.principal, Permission.ALARM_SEE) and not is_own

    def without_own_alarms(self, events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The log as the viewer may see it on her own screen."""
        mine = self.principal.responder_id
        own = {
            e["data"]["alarm_id"]
            for e in events
            if e["type"] == "duress_raised" and mine is not None and e["data"]["responder"] == mine
        }
        return [e for e in events if e["data"].get("alarm_id") not in own]

    @property
    def owns_job(self) -> bool:
        """Whether it is the viewer's own job, or offered to her, or one that she goes along to."""
        mine = self.principal.responder_id
        return mine is not None and (
            mine in (self.case.incident.owner, self.case.incident.companion)
            or any(o.responder_id == mine and o.state is OfferState.OPEN for o in self.case.offers)
        )

    @property
    def actions(self) -> tuple[Action, ...]:
        """What the state allows and the viewer may do."""
        if not self.sees_people:
            return ()
        owns = self.owns_job
        return tuple(
            a
            for a in self.case.allowed
            if may_act(self.principal, a, owns_job=owns)
            # Nobody confirms a proposal of their own: it is not even offered.
            and not (a is Action.SECOND_REVIEW and self.has_proposed)
        )

    @property
    def has_proposed(self) -> bool:
        """Whether the viewer is who would rule it out."""
        return self.case.incident.review_proposed_by == self.principal.actor


def incident_view(
    looking: Looking,
    events: Sequence[Mapping[str, Any]],
    *,
    failed: FailedAction | None = None,
    done: str = "",
) -> IncidentView:
    """The page of a case, for whoever looks."""
    case, names, whole = looking.case, looking.names, looking.sees_people
    events = looking.without_own_alarms(events)
    incident, actions = case.incident, looking.actions
    return IncidentView(
        reference=incident.reference,
        status=incident.status,
        category=incident.category,
        subtype=incident.subtype,
        urgency=incident.urgency,
        priority=incident.priority,
        rule_id=incident.rule_id,
        clock=clock(incident),
        received_at=incident.received_at,
        why=_BY_PERSON if incident.rule_id == "person" else rule_title(incident.rule_id, incident.priority),
        job_number=incident.job_number,
        episode=incident.episode,
        responder=names.responder(incident.owner or _who_finished(case)),
        joint=incident.joint,
        companion=names.responder(incident.companion),
        visit=visit(incident, case.visit, names),
        markers=markers(case.markers, whole=may(looking.principal, Permission.SUSPECT_HISTORY))
        if whole
        else (),
        may_mark=whole and may(looking.principal, Permission.RISK_MARKERS),
        duress=tuple(alarm(a, incident, names) for a in case.alarms if looking.sees(a)),
        back_entry=incident.back_entry and incident.is_held,
        next_step=next_step(case.next_step, names),
        place=place(incident) if whole else None,
        area=_area(looking),
        transfers=tuple(transfer(t, looking) for t in case.transfers) if whole else (),
        victim=victim(incident) if whole else None,
        safe_contact=safe_contact(case.safe_contact) if whole else None,
        suspect=suspect(incident) if whole else {},
        facts=facts_of(incident) if whole else Facts(),
        age_targeting=_age_targeting(looking, events),
        referrals=tuple(_referral(r, looking, actions) for r in case.referrals) if whole else (),
        disclosures=tuple(disclosure(d, looking.names, looking.principal) for d in case.disclosures)
        if whole
        else (),
        safeguarding=_safeguarding(looking) if whole else None,
        is_kept=incident.legal_hold_at is not None,
        is_erased=incident.erased_at is not None,
        hoax_said_by=names.actor(incident.hoax_marked_by or ""),
        source=incident.referral_source,
        actions=actions,
        responders=_choices(looking) if actions else (),
        failed=failed,
        tasks=tuple(_task(t, looking, actions) for t in case.tasks),
        notices=tuple(_notice(n, names, actions) for n in case.notices),
        reports=tuple(_report(r, looking) for r in case.reports) if whole else (),
        second_readings=(
            tuple(_second_reading(s, looking, actions) for s in case.second_readings) if whole else ()
        ),
        offers=tuple(_offer(o, names) for o in case.offers),
        messages=_messages(looking) if whole else (),
        reach=tuple(_reach(chain) for chain in looking.reach),
        notes=tuple(NotePart(n.at, names.actor(n.actor), n.body) for n in case.notes) if whole else (),
        outcomes=tuple(_outcome(o, case) for o in case.outcomes_now),
        disposition=incident.disposition,
        timeline=_timeline(looking, events),
        joined_to=case.joined_to or "",
        links=related.links(looking) if whole else (),
        series=related.series(looking) if whole else (),
        corrections=related.corrected(looking, looking.now) if whole else (),
        told=related.told(looking) if whole else (),
        amend=related.amend_form(looking) if Action.AMEND in actions else None,
        wards=looking.definition.wards if looking.definition else (),
        stricter_elsewhere=related.stricter_elsewhere(looking) if whole else (),
        done=done,
    )


def _outcome(outcome: OutcomeRow, case: CaseFile) -> OutcomePart:
    was = next((o for o in case.outcomes if o.id == outcome.corrects), None)
    before = ""
    if was is not None:
        before = plain(was.code).lower()
        before += f", {timeline.pounds(was.amount_pence)}" if was.amount_pence is not None else ""
    return OutcomePart(outcome.code, outcome.amount_pence, outcome.evidence_grade, outcome.id, before)


def _who_finished(case: CaseFile) -> str | None:
    """Who had the job at the end: a closed case has no owner any more."""
    done = (o for o in reversed(case.offers) if o.state is OfferState.DONE)
    return next((o.responder_id for o in done if o.episode == case.incident.episode), None)


def _age_targeting(looking: Looking, events: Iterable[Mapping[str, Any]]) -> AgeTargetingPart:
    incident, case, whole = looking.case.incident, looking.case, looking.sees_people
    special = looking.sees_special_category
    strands = tuple(HateStrand(s) for s in incident.statutory_strands if s in set(HateStrand))
    is_decided = incident.age_state in DECISIONS and incident.review_decided_by is not None
    return AgeTargetingPart(
        state=incident.age_state,
        evidence=words_of(case.age_evidence()) if whole else (),
        strands=strands if special else (),
        strand_words=words_of(case.evidence("hate_strand")) if special else (),
        offers_police=all(r.kind is not ReferralKind.POLICE_HATE_CRIME for r in case.referrals),
        police_reference=(incident.police_hate_crime_ref or "") if special else "",
        other_vulnerability=incident.other_vulnerability and whole,
        vulnerability_words=words_of(case.evidence("other_vulnerability_targeted")) if whole else (),
        victims_own_perception=whole
        and is_own_perception(incident.victims_own_perception, incident.age_kinds),
        proposal=proposal(incident, looking.names, looking.principal),
        history=tuple(_steps(looking, events)) if special else (),
        decided_by=looking.names.actor(incident.review_decided_by or "") if is_decided else "",
        decided_at=incident.review_decided_at if is_decided else None,
    )


def words_of(evidence: Sequence[Mapping[str, Any]]) -> tuple[Words, ...]:
    """Evidence as a page shows it: the same words once a kind, and no piece of what is shown whole."""
    kinds = {kind.value: kind for kind in AgeEvidence}
    shown: dict[tuple[str, str | None], Words] = {}
    for span in evidence:
        if not any(_is_inside(span, other) for other in evidence):
            words = Words(span["text"], span["why"], kinds.get(span.get("kind", "")))
            shown.setdefault((words.text.casefold(), words.kind), words)
    return tuple(shown.values())


def _is_inside(span: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether it is a piece of the other, which speaks for the same."""
    longer = other["end"] - other["start"] > span["end"] - span["start"]
    within = other["start"] <= span["start"] and span["end"] <= other["end"]
    return longer and within and all(span.get(key) == other.get(key) for key in ("report", "kind", "label"))


def proposal(incident: IncidentRow, names: Names, viewer: Principal) -> ProposalPart | None:
    """Who would rule it out, while a second reviewer is awaited."""
    by, at = incident.review_proposed_by, incident.review_proposed_at
    if by is None or at is None:
        return None
    return ProposalPart(names.actor(by), at, is_own=by == viewer.actor)


def _steps(looking: Looking, events: Iterable[Mapping[str, Any]]) -> Iterable[StepPart]:
    """What people said of it, one after the other."""
    for event in events:
        data = event["data"]
        match event["type"]:
            case "targeting_assessed" if data.get("by_person"):
                said = plain(AgeTargeting(data["state"]))
            case "targeting_corrected":
                said = _corrected(data)
            case "review_proposed":
                said = "Proposed to rule it out"
            case "review_proposal_settled":
                said = timeline.PROPOSAL_WORDS[data["outcome"]]
            case "police_hate_crime_recorded":
                said = "Police hate crime reference recorded"
            case _:
                continue
        yield StepPart(said, datetime.fromisoformat(event["at"]), looking.names.actor(event["actor"]))


def _corrected(data: Mapping[str, Any]) -> str:
    """What was corrected, from what to what."""
    said = []
    before, now = data["strands_before"], data["statutory_strands"]
    if sorted(before) != sorted(now):
        said.append(f"Strands: {_strand_words(before)}, now {_strand_words(now)}")
    if data["other_vulnerability"] != data["other_vulnerability_before"]:
        said.append("Another vulnerability: " + ("yes" if data["other_vulnerability"] else "no"))
    return "; ".join(said) or "The person says so themselves"


def _strand_words(strands: Iterable[str]) -> str:
    return ", ".join(plain(HateStrand(s)).lower() for s in strands) or "none"


def _referral(referral: ReferralRow, looking: Looking, actions: Sequence[Action]) -> ReferralPart:
    chase = (t.due_at for t in looking.case.tasks if t.subject == referral.id and t.state is TaskState.OPEN)
    return ReferralPart(
        referral_id=referral.id,
        kind=referral.kind,
        state=referral.state,
        sent_at=referral.sent_at,
        sent_by=looking.names.actor(referral.sent_by),
        reference=referral.reference or "",
        acknowledged_at=referral.acknowledged_at,
        settled_at=referral.settled_at,
        reason=referral.reason or "",
        chased=referral.chased,
        chased_at=referral.chased_at,
        chase_due_at=next(chase, None),
        may_update=Action.UPDATE_REFERRAL in actions and bool(STEPS[referral.state]),
    )


def disclosure(row: DisclosureRow, names: Names, viewer: Principal) -> DisclosurePart:
    """A sheet that was made for somebody outside."""
    kind = plain(ReferralKind(row.kind)) if row.kind in set(ReferralKind) else "All reports of one vehicle"
    return DisclosurePart(
        disclosure_id=row.id,
        kind=kind,
        to=row.to_name,
        authority=row.authority,
        made_at=row.made_at,
        made_by=names.actor(row.made_by),
        is_erased=row.erased_at is not None,
        may_read=may(viewer, Permission.DISCLOSURE_READ),
    )


def _safeguarding(looking: Looking) -> SafeguardingPart | None:
    """What was decided, or that somebody has to; None where nothing indicates an adult at risk."""
    incident = looking.case.incident
    because = tuple(BECAUSE[code] for code in safeguarding.because(incident))
    if not because and incident.safeguarding is None:
        return None
    return SafeguardingPart(
        because=because,
        decision=incident.safeguarding,
        decided_at=incident.safeguarding_at,
        decided_by=looking.names.actor(incident.safeguarding_by or ""),
    )


#: What indicates an adult at risk, in words.
BECAUSE: Mapping[str, str] = {
    "cognitive_impairment": "memory problems or confusion",
    "carer_dependent": "depends on a carer",
    "disability": "a disability or long illness",
    "vulnerabilities": "said to be vulnerable: read what was said",
}


def _area(looking: Looking) -> AreaPart:
    """Whose the home is, and who comes there."""
    incident = looking.case.incident
    neighbour = neighbour_of(looking.definition, incident.authority) if looking.definition else None
    return AreaPart(
        area=incident.area,
        authority=borders.authority_name(incident.authority) or incident.authority or "",
        neighbour=neighbour.name if neighbour else "",
        neighbour_phone=(neighbour.phone or "") if neighbour else "",
        did_you_mean=borders.suggestions(incident.location) if incident.area is Area.UNKNOWN else (),
    )


def transfer(row: TransferRow, looking: Looking) -> TransferPart:
    """A hand-over, as its case and its sheet show it."""
    return TransferPart(
        transfer_id=row.id,
        to=row.to_name,
        state=row.state,
        means=row.means,
        sent_at=row.sent_at,
        sent_by=looking.names.actor(row.sent_by),
        handed_to=row.handed_to or "",
        answered_at=row.answered_at,
        answered_by=row.answered_by or "",
        reference=row.reference or "",
        reason=row.reason or "",
        may_read=may(looking.principal, Permission.TRANSFER_READ),
    )


def _choices(looking: Looking) -> tuple[Choice, ...]:
    """Whom an action may name; those who were asked come first."""
    if looking.definition is None:
        return ()
    asked = {o.responder_id for o in looking.case.offers}
    people = [r for r in looking.definition.responders if r.skills or r.id in asked]
    people.sort(key=lambda r: r.id not in asked)
    return tuple(Choice(r.id, f"{r.name} (asked)" if r.id in asked else r.name) for r in people)


def _task(task: TaskRow, looking: Looking, actions: Sequence[Action]) -> TaskPart:
    is_open, explains = task.state is TaskState.OPEN, task.kind == TaskKind.BREACH_REASON
    # Nobody below a team leader settles a breach: it may have been of their own shift.
    may_settle = not explains or may(looking.principal, Permission.BREACH_REVIEW)
    # A decision ends the one, what became of the referral the other: each has its own form.
    has_form = task.kind in (TaskKind.CHASE_REFERRAL, TaskKind.TRANSFER, TaskKind.SAFEGUARDING) or (
        task.kind == TaskKind.REVIEW_AGE_TARGETING and looking.case.incident.age_state in UNDECIDED
    )
    return TaskPart(
        task_id=task.id,
        words=_task_words(task, looking.case),
        owner=looking.names.owner(task.owner),
        due_at=task.due_at,
        state=task.state,
        done_at=task.done_at,
        done_by=looking.names.actor(task.done_by) if task.done_by else "",
        may_finish=is_open and may_settle and not has_form and Action.TASK_DONE in actions,
        asks_breach_reason=explains,
    )


def _task_words(task: TaskRow, case: CaseFile) -> str:
    said = _TASK_WORDS.get(task.kind) or plain(task.kind)
    referral = next((r for r in case.referrals if r.id == task.subject), None)
    return f"{said}: {plain(referral.kind)}" if referral else said


#: What stands for a person in `acknowledged_by` where the case had moved on.
_OVERTAKEN = "overtaken"


def _notice(notice: NoticeRow, names: Names, actions: Sequence[Action]) -> NoticePart:
    seen_by = notice.acknowledged_by
    words = _NOTICE_WORDS.get(notice.kind) or plain(notice.kind)
    if notice.kind == NoticeKind.WARNING and "share" in notice.detail:
        words = f"{round(float(notice.detail['share']) * 100)}% of the time is used"
    return NoticePart(
        words=words,
        role=_role(notice.role),
        given_at=notice.given_at,
        repeats=notice.repeats,
        acknowledged_at=notice.acknowledged_at,
        acknowledged_by=names.actor(seen_by) if seen_by and seen_by != _OVERTAKEN else "",
        is_overtaken=seen_by == _OVERTAKEN,
        may_acknowledge=notice.acknowledged_at is None and Action.ACKNOWLEDGE in actions,
    )


def _report(report: ReportRow, looking: Looking) -> ReportPart:
    caller = looking.case.caller(report)
    role = str(caller.get("role", ""))
    spans = [
        EvidenceSpan(s["start"], s["end"], s["label"], s["why"])
        for s in report.reading.get("evidence", [])
        if s["label"] != "hate_strand" or looking.sees_special_category
    ]
    took_it = report.source.startswith(("user:", "key:"))
    return ReportPart(
        channel=report.channel,
        received_at=report.received_at,
        recorded_at=report.recorded_at,
        narrative=report.narrative,
        evidence=tuple(spans),
        caller=Person(
            str(caller.get("name", "")),
            str(caller.get("phone", "")),
            str(caller.get("email", "")),
            dict(CALLER_ROLES).get(role) or plain(role),
        ),
        route=ContactRoute(caller["route"]) if caller.get("route") in set(ContactRoute) else None,
        source=looking.names.actor(report.source) if took_it else "",
        back_entry=report.back_entry,
        report_id=report.id,
        may_be_told=may_be_told(role),
        amend=related.amend_caller_form(report, caller) if Action.AMEND in looking.actions else None,
    )


#: What agreeing leaves to be done, by what is suggested.
_THEN = {
    Label.CATEGORY: "If you agree, it is reclassified in your name.",
    Label.URGENCY: "If you agree, it is reclassified in your name. The priority stays.",
    Label.AGE_TARGETED: "If you agree, decide on age targeting as well.",
    Label.OTHER_VULNERABILITY_TARGETED: "If you agree, say so in a note to whoever reviews the targeting.",
    Label.DANGER: "If you agree, change the priority as well, and tell the responder.",
}


def _second_reading(
    reading: SecondReadingRow, looking: Looking, actions: Sequence[Action]
) -> SecondReadingPart:
    mine = [s for s in looking.case.suggestions if s.report_id == reading.report_id]
    return SecondReadingPart(reading.state, tuple(_suggestion(s, looking, actions) for s in mine))


def _suggestion(suggestion: SuggestionRow, looking: Looking, actions: Sequence[Action]) -> SuggestionPart:
    label, by = Label(suggestion.label), suggestion.answered_by
    return SuggestionPart(
        suggestion_id=suggestion.id,
        words=_suggested_words(label, suggestion.value),
        quote=looking.case.words_of(suggestion),
        raises=suggestion.raises,
        then=_THEN[label],
        agrees=suggestion.agrees,
        answered_by=looking.names.actor(by) if by else "",
        answered_at=suggestion.answered_at,
        may_answer=suggestion.agrees is None and Action.ANSWER_SECOND_READING in actions,
    )


def _suggested_words(label: Label, value: str) -> str:
    """`Scam`, `Happening now`, `Concern: is the person there now?`"""
    match label:
        case Label.CATEGORY:
            return plain(Category(value))
        case Label.URGENCY:
            return plain(Urgency(value))
        case Label.AGE_TARGETED:
            return "Perhaps chosen for their age"
        case Label.OTHER_VULNERABILITY_TARGETED:
            return "Perhaps chosen for another vulnerability"
        case Label.DANGER:
            return f"Yes to the question: {QUESTIONS[value]}"


def _offer(offer: OfferRow, names: Names) -> OfferPart:
    return OfferPart(
        responder=names.responder(offer.responder_id),
        state=offer.state,
        made_at=offer.made_at,
        reasons=tuple(explain([reason]).rstrip(".").lower() for reason in offer.reasons),
        answer_by=offer.answer_by,
        answered_at=offer.answered_at,
        eta_minutes=offer.eta_minutes,
        joint=offer.joint,
    )


def _messages(looking: Looking) -> tuple[MessagePart, ...]:
    return tuple(
        MessagePart(
            to=looking.names.actor(m.recipient),
            purpose=m.purpose,
            channel=m.channel,
            state=m.state,
            at=m.created_at,
            body=m.body,
            reason=m.reason or "",
        )
        for m in looking.case.messages
        if m.purpose is not Purpose.ALARM or all(looking.sees(a) for a in looking.case.alarms)
    )


_REACHED = (Verdict.ANSWERED, Verdict.ARRIVED)


def _reach(chain: Chain) -> ReachPart:
    return ReachPart(
        chain.name,
        chain.summary,
        chain.verdict in _REACHED,
        tuple((step.at, step.sentence) for step in chain.steps),
    )


#: Told in "Did it reach them?", in better order.
_TOLD_THERE = frozenset({"message_troubled", "message_reconciled", "other_way_tried", "way_not_tried"})


def _timeline(looking: Looking, events: Iterable[Mapping[str, Any]]) -> tuple[TimelinePart, ...]:
    return tuple(
        timeline.entry(
            e["type"],
            e["data"],
            at=datetime.fromisoformat(e["at"]),
            by=looking.names.actor("system" if _is_automatic(e) else e["actor"]),
            zone=looking.zone,
            names=looking.names.responders,
            rules=_RULE_TITLES,
        )
        for e in events
        if e["type"] not in _TOLD_THERE
    )


#: What the service did by itself, in the commit of whoever gave cause.
_AUTOMATIC = frozenset(
    {
        "clock_started",
        "clock_not_applicable",
        "held_for_review",
        "scheduled",
        "offer_made",
        "offer_withdrawn",
        "nobody_left",
        "notice_given",
        "task_opened",
        "second_reading_recorded",
    }
)


def _is_automatic(event: Mapping[str, Any]) -> bool:
    data = event["data"]
    match event["type"]:
        case "incident_classified":
            return bool(data.get("model_version"))
        case "priority_decided":
            return bool(data.get("rule_id") != "person")
        case "targeting_assessed":
            return not data.get("by_person")
    return event["type"] in _AUTOMATIC
