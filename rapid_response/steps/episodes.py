"""A case begins again: a new episode with the newer report's facts, rules and clock (scenario 49); and what
was joined by mistake is taken apart again.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session, col, select

from rapid_response.core import events as happened
from rapid_response.core.facts import with_the_person
from rapid_response.core.incident import Action, NotAllowed, Status
from rapid_response.core.vocabulary import Link
from rapid_response.intake.matching.judging import SOON_AGAIN
from rapid_response.intake.rules import decide
from rapid_response.steps import (
    amending,
    borders,
    corrections,
    earlier_calls,
    joining,
    knowing,
    outcomes,
    retriage,
    reviewing,
    second,
)
from rapid_response.steps.case import allowed, facts_of, hold, holders_of, parts_of, reports_of
from rapid_response.steps.corrections import Change
from rapid_response.steps.desk import Desk
from rapid_response.steps.errors import Invalid
from rapid_response.steps.joining import Told
from rapid_response.steps.service import Service
from rapid_response.storage.tables import EventRow, IncidentRow, ReportRow
from rapid_response.storage.tx import Tx


def check(incident: IncidentRow, by: IncidentRow) -> None:
    """Whether the newer report may tell of a new episode of that incident; a sentence where it may not."""
    if incident.duplicate_of is not None:
        raise Invalid("This incident was joined to another. Open that one again.", "reference")
    if not by.is_open:
        raise NotAllowed(Action.LINK, by.status, allowed(by))
    if by.is_held:
        raise Invalid("The newer report is held back. Release it first.", "reference")
    if by.stopped_at is not None or by.status is Status.ON_SCENE:
        raise Invalid(
            "Somebody has reached the person by the newer report already. Link the two as related.",
            "reference",
        )


def begin(
    tx: Tx,
    desk: Desk,
    service: Service,
    incident: IncidentRow,
    by: IncidentRow,
    helped_at: datetime | None,
    reason: str | None,
) -> Told:
    """`incident`, just opened again, goes on with what the newer report tells.

    What was true of the episode before is not carried over, but for what is known of the person; it stays
    readable among the corrections. Returns what the newer incident had, for its clock and its owner to go on
    here.
    """
    newest = reports_of(tx, by)
    told = joining.end(tx, service, desk, by, incident, reason)
    place = amending.with_its_point(incident.location, by.location)
    changes: list[Change] = corrections.changed("location", incident.location, place)
    for part in ("victim", "suspect"):
        changes += corrections.changed(part, getattr(incident, part), getattr(by, part))
    facts = with_the_person(facts_of(by), facts_of(incident))
    joining.take(tx, service, incident, by, facts, changes, corrections.NEW_EPISODE)
    incident.joint, incident.ward = by.joint, by.ward or incident.ward
    borders.settle(tx, desk, service, incident, corrections.NEW_EPISODE)
    known = knowing.learn(tx, incident, reports_of(tx, incident), desk.zone)
    amending.record(tx, incident, changes, corrections.NEW_EPISODE, known)
    soon = helped_at is not None and by.received_at - helped_at <= SOON_AGAIN
    joining.take_category(tx, by, incident, repeat=True, within_28_days=soon)
    reviewing.brought(tx, desk, service, by, incident)
    case = retriage.triage_case(tx, desk, incident, newest, known)
    decision = decide(replace(case, repeat_victim=True, received_at=by.received_at))
    if decision.provisional or by.priority.rank < decision.priority.rank:
        decision = joining.as_decided(by)
    incident.priority, incident.rule_id = decision.priority, decision.rule_id
    incident.rules_version = decision.rules_version
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
    return told


_OF_EPISODE = (happened.ReportReceived.type, happened.ReportJoined.type, happened.IncidentReopened.type)


def reports_of_now(session: Session, incident: IncidentRow) -> list[ReportRow]:
    """The reports that tell of this episode, newest first; all that there are, where none of them does."""
    log = session.exec(
        select(EventRow)
        .where(col(EventRow.stream) == incident.id, col(EventRow.type).in_(_OF_EPISODE))
        .order_by(col(EventRow.seq))
    )
    told: set[str] = set()
    for event in log:
        if event.type == happened.IncidentReopened.type:
            told.clear()
        else:
            told.add(json.loads(event.data)["report_id"])
    reports = session.exec(
        select(ReportRow)
        .where(col(ReportRow.incident_id) == incident.id)
        .order_by(col(ReportRow.received_at).desc(), col(ReportRow.recorded_at).desc(), col(ReportRow.id))
    ).all()
    return [r for r in reports if r.id in told] or list(reports)


def take_apart(tx: Tx, desk: Desk, incident: IncidentRow) -> None:
    """It was joined by mistake: what it and those joined to it had told comes back to it.

    What the other one learnt by them stays there; a person puts that right.
    """
    holders = [hold(tx, incident_id) for incident_id in holders_of(tx, incident.id)]
    mine = parts_of(tx, incident.id)
    was_part_of, incident.duplicate_of = incident.duplicate_of, None
    for holder in holders:
        for report in reports_of(tx, holder):
            if report.first_incident_id in mine:
                report.incident_id = incident.id
                tx.record(holder.id, happened.ReportLeft(report.id, incident.id))
        second.move(tx, holder, incident)
    earlier_calls.come_back(tx, incident, mine, holders)
    outcomes.come_back(tx, incident, mine, holders)
    for changed in (incident, *holders):
        knowing.learn(tx, changed, reports_of(tx, changed), desk.zone)
    if was_part_of is not None:
        knowing.decide(tx, incident.id, was_part_of, accepted=False, kind=Link.DUPLICATE_OF.value)
