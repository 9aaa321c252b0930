"""Looking again at a case when more is known: facts may raise it at once, never lower it (design.md 6)."""

from __future__ import annotations

from rapid_response.core import events as happened
from rapid_response.core.definition import JointAttendance
from rapid_response.core.facts import facts_to_json
from rapid_response.core.incident import Status
from rapid_response.core.notices import NoticeKind
from rapid_response.core.vocabulary import ContactRole
from rapid_response.hatecrime.rules import after_assessment, assess
from rapid_response.intake.reading.port import Reading
from rapid_response.intake.rules import TriageCase, decide, either
from rapid_response.steps import actions, clock, knowing, markers, notices
from rapid_response.steps.case import facts_of, is_counting
from rapid_response.steps.desk import Desk
from rapid_response.steps.receive import hold_for_joint
from rapid_response.steps.service import Service
from rapid_response.steps.tasks import TaskKind, finish_kind
from rapid_response.storage.tables import IncidentRow, ReportRow
from rapid_response.storage.tx import Tx


def read_again(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, reading: Reading, report: ReportRow
) -> None:
    """Take what new words say into the case: what it is, its facts, and a priority that can only rise."""
    facts = either(facts_of(incident), reading.facts)
    incident.facts = facts_to_json(facts)
    incident.category, incident.subtype, incident.urgency = reading.category, reading.subtype, reading.urgency
    is_newly_joint = not incident.joint and actions.needs_two(facts)
    incident.joint = incident.joint or is_newly_joint
    known = knowing.learn(tx, incident, report, desk.zone)
    markers.look_again(tx, desk, service, incident, known.profile)
    tx.record(
        incident.id,
        happened.IncidentClassified(
            reading.category,
            reading.subtype,
            reading.urgency,
            model_version=reading.model_version,
            victim_aged_60_plus=actions.is_aged_60_plus(incident.victim),
            victim_lives_alone=facts.lives_alone is True,
            repeat_victim=known.judgement.repeat_victim,
            repeat_within_28_days=known.judgement.repeat_within_28_days,
            ward=incident.ward,
        ),
    )
    _target(tx, incident, reading)
    clock.set_needed_by(incident)
    decision = decide(
        TriageCase(
            facts=facts,
            category=reading.category,
            subtype=reading.subtype,
            matter=reading.matter,
            answered=frozenset(report.answers),
            channel=report.channel,
            received_at=report.received_at,
            now=tx.now,
            **known.flags(),
            loss_pence=facts.amount_pence or reading.money_at_risk_pence,
            zone=desk.zone,
        )
    )
    if decision.provisional or decision.priority.rank > incident.priority.rank:
        return
    before, incident.priority = incident.priority, decision.priority
    incident.rule_id, incident.rules_version = decision.rule_id, decision.rules_version
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
    is_waiting = before.has_clock and incident.status is Status.AWAITING_REVIEW and not incident.is_held
    if is_waiting and incident.joint and service.definition.sla.joint_attendance is JointAttendance.HOLD:
        notices.overtaken(tx, incident, (NoticeKind.REVIEW,))
        finish_kind(tx, incident, TaskKind.REVIEW_REPORT)
        hold_for_joint(tx, incident)
    elif is_waiting:
        actions.go_out(tx, desk, service, incident)
    elif not before.has_clock and decision.priority.has_clock:
        actions.start_second_clock(tx, desk, service, incident)
    if is_newly_joint and is_counting(incident):
        notices.give(tx, desk, service, incident, NoticeKind.JOINT, ContactRole.DUTY_OFFICER)


def _target(tx: Tx, incident: IncidentRow, reading: Reading) -> None:
    found = assess(
        reading.age_targeted, reading.age_kinds, reading.other_vulnerability_targeted, reading.hate_strand
    )
    state = after_assessment(incident.age_state, found.state)
    if state is incident.age_state and not found.statutory_strands and not found.other_vulnerability:
        return
    incident.age_state = state
    incident.age_kinds = sorted({*incident.age_kinds, *found.kinds})
    incident.other_vulnerability = incident.other_vulnerability or found.other_vulnerability
    incident.statutory_strands = sorted({*incident.statutory_strands, *found.statutory_strands})
    tx.record(
        incident.id,
        happened.TargetingAssessed(
            state,
            tuple(incident.age_kinds),
            incident.other_vulnerability,
            tuple(incident.statutory_strands),
        ),
    )
