"""Looking again at a case when more is known: facts may raise it at once, never lower it (design.md 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rapid_response.core import events as happened
from rapid_response.core.facts import Facts, awaiting, facts_to_json, needs_two
from rapid_response.core.incident import Status
from rapid_response.core.vocabulary import Category, Priority
from rapid_response.hatecrime.rules import assess
from rapid_response.intake.reading.port import Matter, Reading
from rapid_response.intake.rules import Decision, TriageCase, decide, either, is_news
from rapid_response.sla import rules as sla
from rapid_response.steps import clock, knowing, markers, news, raising, reviewing
from rapid_response.steps.case import facts_of, is_aged_60_plus
from rapid_response.steps.desk import Desk
from rapid_response.steps.knowing import Known
from rapid_response.steps.service import Service
from rapid_response.storage import log
from rapid_response.storage.tables import IncidentRow, ReportRow
from rapid_response.storage.tx import Tx

#: Stands for a rule's id where a person decided.
BY_PERSON = "person"


def read_again(
    tx: Tx,
    desk: Desk,
    service: Service,
    incident: IncidentRow,
    reading: Reading,
    report: ReportRow,
    reports: Sequence[ReportRow],
) -> None:
    """Take what the words of one report say into the case: what it is, facts, a priority that can only rise.

    What it is was said by the report that raised it, or by a person since: neither one that was joined later
    nor words that come later change that.
    """
    is_said_by_person = _is_said_by_person(tx, incident)
    if report.first_incident_id == incident.id and not is_said_by_person:
        incident.category, incident.subtype = reading.category, reading.subtype
        incident.urgency = reading.urgency
    taken = take_facts(tx, incident, either(facts_of(incident), reading.facts))
    known = knowing.learn(tx, incident, reports, desk.zone)
    markers.look_again(tx, desk, service, incident, known.profile)
    tx.record(
        incident.id,
        happened.IncidentClassified(
            incident.category,
            incident.subtype,
            incident.urgency,
            model_version=None if is_said_by_person else reading.model_version,
            victim_aged_60_plus=is_aged_60_plus(incident.victim),
            victim_lives_alone=facts_of(incident).lives_alone is True,
            repeat_victim=known.judgement.repeat_victim,
            repeat_within_28_days=known.judgement.repeat_within_28_days,
            ward=incident.ward,
        ),
    )
    found = assess(
        reading.age_targeted, reading.age_kinds, reading.other_vulnerability_targeted, reading.hate_strand
    )
    reviewing.found_later(tx, desk, service, incident, found)
    decision = decide(triage_case(tx, desk, incident, reports, known))
    settle_on(tx, desk, service, incident, decision, taken)


def _is_said_by_person(tx: Tx, incident: IncidentRow) -> bool:
    """Whether a person has said what it is: no reader did."""
    said = log.said(tx, [incident.id], happened.IncidentClassified.type)
    return any(told.get("model_version") is None for told in said)


@dataclass(frozen=True, slots=True)
class Taken:
    """What facts that were taken in say beyond what was known, and what those who go then had been told."""

    newly_joint: bool
    new_danger: bool
    going: tuple[str, ...]
    priority: Priority


def take_facts(tx: Tx, incident: IncidentRow, facts: Facts, *, joint: bool = False) -> Taken:
    """Keep the facts that hold now, and by when help is needed. `joint`: two must go whatever they say."""
    before = awaiting(facts_of(incident), tx.now)
    is_newly_joint = not incident.joint and (joint or needs_two(facts, tx.now))
    taken = Taken(
        newly_joint=is_newly_joint,
        new_danger=not set(awaiting(facts, tx.now)) <= set(before),
        going=news.going(tx, incident),
        priority=incident.priority,
    )
    incident.facts = facts_to_json(facts)
    incident.joint = incident.joint or is_newly_joint
    clock.set_needed_by(incident)
    return taken


def triage_case(
    tx: Tx,
    desk: Desk,
    incident: IncidentRow,
    reports: Sequence[ReportRow],
    known: Known,
    *,
    facts: Facts | None = None,
    answered: frozenset[str] = frozenset(),
) -> TriageCase:
    """A case as the rules see it now; `facts` for another set of them than it has."""
    facts = facts or facts_of(incident)
    matter = Matter(incident.reading.get("matter", Matter.UNCLEAR))
    if matter is Matter.NOT_CRIME and incident.category is not Category.OTHER:
        matter = Matter.UNCLEAR  # a person has said what it is
    return TriageCase(
        facts=facts,
        category=incident.category,
        subtype=incident.subtype,
        matter=matter,
        answered=answered.union(*(report.answers for report in reports)),
        channel=reports[0].channel if reports else None,
        vulnerability_known=bool(incident.victim.get("vulnerabilities")),
        received_at=incident.received_at,
        now=tx.now,
        **known.flags(),
        loss_pence=facts.amount_pence or incident.reading.get("money_at_risk_pence"),
        zone=desk.zone,
    )


def settle_on(
    tx: Tx,
    desk: Desk,
    service: Service,
    incident: IncidentRow,
    decision: Decision,
    taken: Taken,
    *,
    before: Decision | None = None,
    started_at: datetime | None = None,
) -> bool:
    """A decision made anew: it may raise an open case or end its review, and never lowers it.

    `before`: what the same rules said of what was known before. `started_at`: when a clock that begins by
    this is to have started. True where those who go were told that it is worse than they knew.
    """
    if incident.is_open and is_news(
        decision, incident.priority, incident.rule_id, before, by_person=BY_PERSON
    ):
        _raise(tx, desk, service, incident, decision, started_at)
    if not (incident.is_held and incident.back_entry):
        raising.owe_remote_response(tx, incident)
    if taken.newly_joint:
        raising.hold_if_joint(tx, service, incident)
    if taken.newly_joint and sla.is_counting(incident):
        raising.tell_if_joint(tx, desk, service, incident)
    is_worse = taken.newly_joint or taken.new_danger or incident.priority.rank < taken.priority.rank
    if is_worse:
        raising.look_at_once(tx, incident)
    if not (is_worse and incident.is_open and taken.going):
        return False
    news.more_dangerous(tx, service, incident, taken.going)
    return True


def _raise(
    tx: Tx,
    desk: Desk,
    service: Service,
    incident: IncidentRow,
    decision: Decision,
    started_at: datetime | None,
) -> None:
    before, incident.priority = incident.priority, decision.priority
    incident.rule_id, incident.rules_version = decision.rule_id, decision.rules_version
    raising.rerank(tx, incident)
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
    if is_waiting:
        raising.go_out(tx, desk, service, incident)
    elif not before.has_clock and decision.priority.has_clock:
        raising.start_second_clock(tx, desk, service, incident, started_at)
