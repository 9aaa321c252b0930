"""A report arrives: one commit takes it in, decides, starts its clock, arms its deadlines and asks somebody.

Only after that commit is anything acknowledged (design.md 1). Nothing that keeps the promise waits for an
event to be delivered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from rapid_response.core import events as happened
from rapid_response.core import rota
from rapid_response.core.definition import JointAttendance
from rapid_response.core.facts import Facts, facts_from_json, facts_to_json, merge, needs_two
from rapid_response.core.incident import Move, Status
from rapid_response.core.notices import NoticeKind
from rapid_response.core.vocabulary import (
    AgeEvidence,
    Area,
    ClockState,
    ContactRole,
    ContactRoute,
    Priority,
    ReferralSource,
)
from rapid_response.hatecrime.rules import Targeting, assess
from rapid_response.intake.advice import advice
from rapid_response.intake.reading.port import Evidence, Reading
from rapid_response.intake.report_in import ReportIn
from rapid_response.intake.rules import Decision, TriageCase, decide
from rapid_response.sla import rules as sla
from rapid_response.sla.rules import Deadline
from rapid_response.steps import (
    borders,
    clock,
    earlier_calls,
    knowing,
    leading,
    markers,
    notices,
    notifying,
    offers,
    raising,
    reviewing,
)
from rapid_response.steps.case import is_aged_60_plus, move
from rapid_response.steps.clock import arm
from rapid_response.steps.desk import Desk
from rapid_response.steps.errors import Invalid
from rapid_response.steps.keyed import Key, first_answer, keep
from rapid_response.steps.knowing import Known
from rapid_response.steps.service import Service, service_now
from rapid_response.steps.tasks import TaskKind, open_first_task
from rapid_response.storage.tables import IncidentRow, ReportRow
from rapid_response.storage.tx import Tx

#: How soon the police are told of a bank's call, and the branch is rung back on its published number.
_BANK_WITHIN = timedelta(minutes=15)
_OF_BANKS = (
    "Ring 999 and say “Banking Protocol”, if you have not: the police come to the branch. "
    "Keep the customer with you.",
    "We ring you back on the branch’s published number before anybody acts on this call.",
)
#: For whoever does not hear or does not speak: every number in the advice in a way that they can use.
_OF_ROUTE: Mapping[ContactRoute, tuple[str, ...]] = {
    ContactRoute.RELAY_UK: (
        "In an emergency use 18000 by text relay or the Relay UK app, or text 999 if you have registered.",
        "For every other number put 18001 in front: 18001 159 is your bank. We ring you the same way.",
    ),
    ContactRoute.SIGN_VIDEO: (
        "In an emergency use 999 BSL, by video, or text 999 if you have registered.",
        "We reach you with a sign language interpreter, by video.",
    ),
    ContactRoute.INTERPRETER: ("We ring you with an interpreter.",),
}


@dataclass(frozen=True, slots=True)
class Received:
    """The answer to a report: JSON as it goes out, and the incident it became."""

    answer: str
    incident_id: str | None = None
    is_replay: bool = False


def receive(
    tx: Tx,
    desk: Desk,
    report: ReportIn,
    reading: Reading,
    source: str,
    key: Key | None = None,
    report_id: str | None = None,
    raised_from: str | None = None,
) -> Received:
    """Take in a report; raises Invalid or KeyReused, and then nothing is stored.

    `report_id` is its row's id, where the caller must be able to ask by it whether it was :func:`stored`;
    `raised_from` what it was before and counted as a contact: a notification, or a call without a message.
    """
    if key is not None and (first := first_answer(tx, key)) is not None:
        return Received(first, is_replay=True)
    reported_at = report.received_at or tx.now
    if not sla.is_plausible_receipt(reported_at, tx.now):
        raise Invalid(
            "Give the time at which the report reached you; it cannot be in the future.", "received_at"
        )
    service = service_now(tx, desk.zone)
    answered = report.facts()
    facts = merge(reading.facts, answered)
    known = knowing.known(tx, report, reported_at, desk.zone)
    marked = markers.found(tx, known.profile)
    decision = decide(_triage_case(report, reading, facts, answered, known, reported_at, tx.now, desk))
    report_id = report_id or tx.ids.uuid()
    if notifying.is_intelligence(report, decision):
        told = notifying.keep(
            tx,
            report,
            reading,
            decision,
            row_id=report_id,
            source=source,
            ward=ward_of(service, report.location.ward),
            said=list(advice(facts, reading.category, reading.subtype, decision.priority, reading.matter)),
        )
        return _answered(tx, key, json.dumps(told, separators=(",", ":")), None)
    if report.victims_own_perception:
        reading = _with_own_perception(reading)
    targeted = assess(
        reading.age_targeted, reading.age_kinds, reading.other_vulnerability_targeted, reading.hate_strand
    )
    rang_before = earlier_calls.before(tx, report.caller.phone, reported_at)
    received_at = min([reported_at, *(call.created_at for call in rang_before)])
    incident = _new_incident(tx, service, report, reading, facts, decision, targeted, received_at)
    _keep_report(tx, report_id, incident, report, reading, source, reported_at)
    area_is_known = borders.placed(tx, desk, service, incident)
    knowing.remember(tx, incident, known)
    incident.joint = incident.joint or bool(marked)
    _record_intake(tx, incident, report, report_id, reported_at, reading, decision, facts, known, raised_from)
    earlier_calls.join(tx, incident, rang_before)
    if area_is_known:
        borders.record(tx, incident, "report")
    markers.warn(tx, incident, marked)
    to_review_by = reviewing.found_at_arrival(tx, service, incident, targeted)
    _set_going(tx, desk, service, incident, report, decision)
    if to_review_by is not None:
        # After the clock has started, so that the notice can name the job.
        leading.tell(tx, desk, service, incident, to_review_by)
    if incident.referral_source is ReferralSource.BANK_BANKING_PROTOCOL:
        _banking_protocol(tx, incident)
    said = _answer(service, incident, facts, reading, report.caller.route)
    return _answered(tx, key, json.dumps(said, separators=(",", ":")), incident.id)


#: Beside the words that the reader found; it quotes none, because the handler heard it.
_SAID = Evidence(
    label="age_targeted",
    start=0,
    end=0,
    text="",
    why="Said by the caller, recorded by the handler.",
    kind=AgeEvidence.STATED_REASON,
)


def _with_own_perception(reading: Reading) -> Reading:
    """What was read, and that the victim was chosen for their age as they say themselves."""
    return replace(
        reading,
        age_targeted=True,
        age_kinds=(*reading.age_kinds, AgeEvidence.STATED_REASON),
        evidence=(*reading.evidence, _SAID),
    )


def _answered(tx: Tx, key: Key | None, answer: str, incident_id: str | None) -> Received:
    if key is not None:
        keep(tx, key, answer, 201)
    return Received(answer, incident_id)


def _banking_protocol(tx: Tx, incident: IncidentRow) -> None:
    """A bank branch has the customer there: the police are told, and the call is checked (scenario 11)."""
    due = tx.now + _BANK_WITHIN
    open_first_task(tx, incident, TaskKind.TELL_POLICE, ContactRole.DUTY_OFFICER, due)
    open_first_task(tx, incident, TaskKind.VERIFY_CALLER, ContactRole.DESK, due)


def stored(tx: Tx, desk: Desk, report_id: str, reading: Reading, key: Key | None = None) -> Received | None:
    """The answer to a report that an earlier run took in after all, with the case as it stands now."""
    row = tx.get(ReportRow, report_id)
    if row is None:
        kept = notifying.stored(tx, report_id)
        return Received(kept) if kept is not None else None
    if key is not None and (first := first_answer(tx, key)) is not None:
        return Received(first, row.incident_id)
    incident = tx.need(IncidentRow, row.incident_id)
    service = service_now(tx, desk.zone)
    route = ContactRoute(row.caller["route"]) if row.caller.get("route") else None
    answer = _answer(service, incident, facts_from_json(incident.facts), reading, route)
    return Received(json.dumps(answer, separators=(",", ":")), incident.id)


def _triage_case(
    report: ReportIn,
    reading: Reading,
    facts: Facts,
    answered: Facts,
    known: Known,
    received_at: datetime,
    now: datetime,
    desk: Desk,
) -> TriageCase:
    return TriageCase(
        facts=facts,
        category=reading.category,
        subtype=reading.subtype,
        matter=reading.matter,
        channel=report.channel,
        answered=frozenset(facts_to_json(answered)),
        vulnerability_known=bool(report.victim.vulnerabilities),
        **known.flags(),
        loss_pence=facts.amount_pence or reading.money_at_risk_pence,
        received_at=received_at,
        now=now,
        zone=desk.zone,
    )


def _new_incident(
    tx: Tx,
    service: Service,
    report: ReportIn,
    reading: Reading,
    facts: Facts,
    decision: Decision,
    targeted: Targeting,
    received_at: datetime,
) -> IncidentRow:
    incident_id = tx.ids.uuid()
    tx.opens(incident_id)
    return tx.new(
        IncidentRow,
        id=incident_id,
        reference=tx.ids.reference(),
        status=Status.RECEIVED,
        category=reading.category,
        subtype=reading.subtype,
        urgency=reading.urgency,
        priority=decision.priority,
        rule_id=decision.rule_id,
        rules_version=decision.rules_version,
        facts=facts_to_json(facts),
        reading=reading_in_brief(reading),
        age_state=targeted.state,
        age_kinds=list(targeted.kinds),
        other_vulnerability=targeted.other_vulnerability,
        statutory_strands=[s.value for s in targeted.statutory_strands],
        victim=report.victim.given(),
        location=report.location.given(),
        # Nobody having been asked is not the same as a no: it opens no way, and closes none of another's.
        safe_contact=report.safe_contact.given() if "safe_contact" in report.model_fields_set else {},
        suspect=report.suspect.given(),
        ward=ward_of(service, report.location.ward),
        joint=needs_two(facts, tx.now),
        victims_own_perception=report.victims_own_perception,
        back_entry=report.back_entry,
        referral_source=report.referral_source,
        # Without a clock nothing is sent by itself, so there is nothing to hold back, or to release.
        is_held=report.back_entry and decision.priority.has_clock,
        received_at=received_at,
        recorded_at=tx.now,
        clock_state=ClockState.NOT_APPLICABLE,
    )


def ward_of(service: Service, said: str | None) -> str | None:
    """The service's own name of the ward that was said; any other words stay with the report alone.

    Wards are shown in texts, lists and figures, where free text of a report must never come.
    """
    return borders.own_ward(service.definition, said)


def reading_in_brief(reading: Reading) -> dict[str, Any]:
    """What an incident keeps of a reading. A case is loaded in every step of it, so this is little."""
    return {
        "matter": reading.matter.value,
        "model_version": reading.model_version,
        "money_at_risk_pence": reading.money_at_risk_pence,
    }


def reading_json(reading: Reading) -> dict[str, Any]:
    """What a report keeps of its reading: spans point into the report, its words are not copied."""
    return reading_in_brief(reading) | {
        "scores": {k: round(v, 4) for k, v in reading.scores.items()},
        "evidence": [
            {"label": e.label, "start": e.start, "end": e.end, "why": e.why}
            | ({"kind": e.kind} if e.kind else {})
            for e in reading.evidence
        ],
        "question": reading.question,
    }


def _keep_report(
    tx: Tx,
    report_id: str,
    incident: IncidentRow,
    report: ReportIn,
    reading: Reading,
    source: str,
    received_at: datetime,
) -> None:
    tx.add(
        ReportRow,
        id=report_id,
        incident_id=incident.id,
        first_incident_id=incident.id,
        channel=report.channel,
        source=source,
        external_reference=report.external_reference,
        received_at=received_at,
        recorded_at=tx.now,
        narrative=report.narrative,
        caller=report.caller.given(),
        answers=report.answers.given(),
        reading=reading_json(reading),
        back_entry=report.back_entry,
    )


def _record_intake(
    tx: Tx,
    incident: IncidentRow,
    report: ReportIn,
    report_id: str,
    reported_at: datetime,
    reading: Reading,
    decision: Decision,
    facts: Facts,
    known: Known,
    raised_from: str | None,
) -> None:
    tx.record(
        incident.id,
        happened.ReportReceived(report_id, report.channel, reported_at, report.back_entry, raised_from),
    )
    tx.record(
        incident.id,
        happened.IncidentClassified(
            reading.category,
            reading.subtype,
            reading.urgency,
            model_version=reading.model_version,
            victim_aged_60_plus=is_aged_60_plus(incident.victim),
            victim_lives_alone=facts.lives_alone is True,
            repeat_victim=known.judgement.repeat_victim,
            repeat_within_28_days=known.judgement.repeat_within_28_days,
            ward=incident.ward,
        ),
    )
    tx.record(
        incident.id,
        happened.PriorityDecided(
            decision.priority,
            decision.rule_id,
            decision.rules_version,
            decision.facts_used,
            decision.escalators,
        ),
    )


def _set_going(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, report: ReportIn, decision: Decision
) -> None:
    """Start what keeps the promise: the clock and the ladder, or a task with an owner and a time."""
    policy, zone = service.definition.sla, service.definition.zone
    if incident.area is Area.OUTSIDE and decision.priority is not Priority.P4:
        # Its clock is another council's (scenario 15); what is no crime is answered in the same contact.
        incident.is_held = False
        tx.record(incident.id, happened.ClockNotApplicable("out_of_area"))
        borders.take_in(tx, desk, service, incident, "out_of_area")
        return
    if not decision.priority.has_clock:
        tx.record(incident.id, happened.ClockNotApplicable("priority"))
        _without_clock(tx, service, incident, decision)
        return
    started_at = rota.clock_start(policy, zone, incident.received_at)
    clock.start(tx, service, incident, started_at)
    if report.back_entry:
        _hold(tx, incident, "back_entry", None)
        return
    raising.owe_remote_response(tx, incident)
    if incident.joint and policy.joint_attendance is JointAttendance.HOLD:
        raising.hold_for_joint(tx, incident)
        _arm_ladder(tx, service, incident, started_at, None)
    elif decision.provisional:
        until = max(tx.now, started_at) + sla.REVIEW_WITHIN
        _hold(tx, incident, "unclear", until)
        _arm_ladder(tx, service, incident, started_at, until)
        notices.give(
            tx,
            desk,
            service,
            incident,
            NoticeKind.REVIEW,
            ContactRole.DUTY_OFFICER,
            detail={"until": until.isoformat()},
        )
    else:
        _ask(tx, desk, service, incident, started_at)
    if incident.joint:
        notices.give(tx, desk, service, incident, NoticeKind.JOINT, ContactRole.DUTY_OFFICER)


def _ask(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, started_at: datetime) -> None:
    """The first offer in this commit; when the service opens later, with its opening."""
    move(incident, Move.DISPATCH)
    from_ = max(tx.now, started_at)
    steps = sla.ladder(service.definition.escalation, started_at, from_, service.definition.sla)
    first = next((d for d in steps if offers.is_offer_step(service, d)), None)
    if first is None or first.due_at > tx.now:
        arm(tx, incident, steps)
        return
    arm(tx, incident, [d for d in steps if d is not first])
    offers.offer_next(tx, desk, service, incident, int(first.subject))


def _arm_ladder(
    tx: Tx, service: Service, incident: IncidentRow, started_at: datetime, offers_from: datetime | None
) -> None:
    """Notices run at once; offers wait for `offers_from`, or for a person."""
    steps = sla.ladder(
        service.definition.escalation, started_at, offers_from or tx.now, service.definition.sla
    )
    wanted: list[Deadline] = [
        d for d in steps if offers_from is not None or not offers.is_offer_step(service, d)
    ]
    arm(tx, incident, wanted)


def _hold(tx: Tx, incident: IncidentRow, why: str, until: datetime | None) -> None:
    move(incident, Move.HOLD_FOR_REVIEW)
    tx.record(incident.id, happened.HeldForReview(why, until))
    kind = TaskKind.REVIEW_REPORT if until else TaskKind.RELEASE_HELD
    open_first_task(tx, incident, kind, ContactRole.DUTY_OFFICER, until or tx.now + raising.HELD_WITHIN)


def _without_clock(tx: Tx, service: Service, incident: IncidentRow, decision: Decision) -> None:
    """P3 is followed up within a working day; P4 read from text alone first waits for a person's look."""
    next_day = service.next_working_day(tx.now)
    if decision.from_text_alone:
        move(incident, Move.HOLD_FOR_REVIEW)
        tx.record(incident.id, happened.HeldForReview("from_text_alone", None))
        open_first_task(tx, incident, TaskKind.CHECK_BACK, ContactRole.DUTY_OFFICER, next_day)
        return
    move(incident, Move.SCHEDULE)
    kind = TaskKind.FOLLOW_UP if decision.priority is Priority.P3 else TaskKind.CHECK_BACK
    task = open_first_task(tx, incident, kind, ContactRole.DUTY_OFFICER, next_day)
    tx.record(incident.id, happened.Scheduled("priority", task))


def clock_json(incident: IncidentRow) -> dict[str, Any]:
    """The clock as the contract shows it."""
    return {
        "started_at": _time(incident.started_at),
        "due_at": _time(incident.due_at),
        "needed_by": _time(incident.needed_by),
        "accepted_at": _time(incident.accepted_at),
        "stopped_at": _time(incident.stopped_at),
        "stopped_by": incident.stopped_by,
        "breached_at": _time(incident.breached_at),
        "state": incident.clock_state,
    }


def _say_first(incident: IncidentRow, route: ContactRoute | None) -> list[str]:
    """What this caller needs to hear before anything of place and hours."""
    said = list(_OF_ROUTE.get(route, ())) if route is not None else []
    if incident.referral_source is ReferralSource.BANK_BANKING_PROTOCOL:
        said += _OF_BANKS
    return said


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _answer(
    service: Service, incident: IncidentRow, facts: Facts, reading: Reading, route: ContactRoute | None
) -> dict[str, Any]:
    return {
        "reference": incident.reference,
        "status": incident.status,
        "category": incident.category,
        "urgency": incident.urgency,
        "priority": incident.priority,
        "rule_id": incident.rule_id,
        "clock": clock_json(incident),
        "advice": list(
            advice(
                facts,
                incident.category,
                incident.subtype,
                incident.priority,
                reading.matter,
                others_come=incident.area is Area.OUTSIDE,
            )
        ),
        "place": borders.place_json(service.definition, incident),
        "say": [*_say_first(incident, route), *borders.say(service, incident)],
    }
