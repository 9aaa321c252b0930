"""A person puts right what is known of a case: facts, place, people, what is safe (contract.md 4, `amend`).

The rules look again at once. What is known now may raise the case, start its clock and wake its offers; that
it would be less urgent is shown, and a person of the right rank lowers it by `set_priority` with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from rapid_response.core import events as happened
from rapid_response.core import rota
from rapid_response.core.facts import FACT_NAMES, Facts, time_stands
from rapid_response.core.incident import Action
from rapid_response.intake.report_in import Part
from rapid_response.intake.rules import Decision, decide
from rapid_response.messaging import wording
from rapid_response.steps import borders, corrections, knowing, markers, news, raising, retriage
from rapid_response.steps.case import check, facts_of, is_aged_60_plus, reports_of
from rapid_response.steps.commands import Amend
from rapid_response.steps.corrections import Change
from rapid_response.steps.desk import Desk, Who
from rapid_response.steps.errors import Invalid
from rapid_response.steps.knowing import Known
from rapid_response.steps.receive import ward_of
from rapid_response.steps.service import Service
from rapid_response.storage.tables import IncidentRow, ReportRow
from rapid_response.storage.tx import Tx

#: The parts of a case that its row holds, each as in the body of a report.
PARTS = ("location", "victim", "safe_contact", "suspect")
#: A change of these is told to whoever is on the way.
_ADDRESS = frozenset({"location.address", "location.postcode"})
#: A point on the map belongs to the address that it was given with.
_POINT = ("latitude", "longitude")


def amend(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, command: Amend, who: Who) -> None:
    """Keep what is put right beside what was known, and look at the case again.

    What is given as it stands already changes nothing, and leaves no trace.
    """
    check(incident, Action.AMEND)
    reports = reports_of(tx, incident)
    before = facts_of(incident)
    after, changes = _amended_facts(before, incident, command)
    changes += _amended_parts(incident, command)
    changes += _amended_caller(tx, incident, reports, command)
    if not changes:
        return
    apply(incident, changes, ward=lambda said: ward_of(service, said))
    corrections.keep(tx, incident.id, changes, who.source, command.reason)
    taken = retriage.take_facts(tx, incident, after)
    known = knowing.learn(tx, incident, reports, desk.zone)
    markers.look_again(tx, desk, service, incident, known.profile)
    decision, decided_before = _decide(tx, desk, incident, reports, known, before)
    record(tx, incident, changes, who.source, known, reason=command.reason, decision=decision)
    retriage.settle_on(tx, desk, service, incident, decision, taken, before=decided_before)
    names = {change.field for change in changes}
    if not incident.is_open:
        if names & _ADDRESS:
            borders.settle(tx, desk, service, incident, who.source)
        return
    if names & _ADDRESS:
        come_home(tx, desk, service, incident, who.source)
        moved = wording.address_changed(incident.job_number or 0)
        news.tell(tx, service, incident, news.going(tx, incident), moved)


def _decide(
    tx: Tx,
    desk: Desk,
    incident: IncidentRow,
    reports: Sequence[ReportRow],
    known: Known,
    before: Facts,
) -> tuple[Decision, Decision]:
    """What the rules say of what is known now, and what they say of what was."""
    answered = frozenset(
        correction.field.removeprefix("answers.")
        for correction in corrections.corrections_of(tx, incident.id)
        if correction.field.startswith("answers.")
    )

    def by_the_rules(facts: Facts) -> Decision:
        return decide(
            retriage.triage_case(tx, desk, incident, reports, known, facts=facts, answered=answered)
        )

    return by_the_rules(facts_of(incident)), by_the_rules(before)


def come_home(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, source: str) -> None:
    """The address is another. One that turns out to be ours is owed what it would have had from the start."""
    if borders.look_again(tx, desk, service, incident, source):
        count_from_report(tx, desk, service, incident)


def count_from_report(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """It is ours after all: our mistake about the address must not buy us time."""
    started_at = rota.clock_start(service.definition.sla, service.definition.zone, incident.received_at)
    raising.start_second_clock(tx, desk, service, incident, started_at)


# --- what is changed --------------------------------------------------------------------------------------


def _amended_facts(before: Facts, incident: IncidentRow, command: Amend) -> tuple[Facts, list[Change]]:
    """The facts as a person says them now: her answers beat the text and what was answered before."""
    said = {name: getattr(command.answers, name) for name in command.answers.model_fields_set}
    if "amount_gbp" in said:
        pounds = said.pop("amount_gbp")
        said["amount_pence"] = None if pounds is None else int(pounds * 100)
    if "lives_alone" in command.victim.model_fields_set:
        said.setdefault("lives_alone", command.victim.lives_alone)
    after = time_stands(replace(before, **said), said)
    return after, fact_changes(before, after)


def fact_changes(before: Facts, after: Facts) -> list[Change]:
    """What differs between two sets of facts, as answers in the body of a report."""
    found = []
    for fact in FACT_NAMES:
        old, new = getattr(before, fact), getattr(after, fact)
        if old != new:
            name = "amount_gbp" if fact == "amount_pence" else fact
            found.append(Change(f"answers.{name}", _plain(name, old), _plain(name, new)))
    return found


def _plain(name: str, value: object) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case StrEnum():
            return value.value
        case int() if name == "amount_gbp":
            return value / 100
        case _:
            return value


def _amended_parts(incident: IncidentRow, command: Amend) -> list[Change]:
    found: list[Change] = []
    for part in PARTS:
        stored: Mapping[str, Any] = getattr(incident, part)
        given = _given(getattr(command, part))
        if part == "location":
            given = with_its_point(stored, given)
        if part == "victim" and "lives_alone" in command.answers.model_fields_set and "lives_alone" in stored:
            given.setdefault("lives_alone", getattr(command.answers, "lives_alone", None))
        found += corrections.changed(part, stored, given)
    return found


def with_its_point(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A place as given; where its address is another, the point on the map of the old one goes too."""
    moves = any(name in given and given[name] != stored.get(name) for name in ("address", "postcode"))
    stale = {name: None for name in _POINT if moves and name in stored}
    return {**stale, **given}


def _amended_caller(
    tx: Tx, incident: IncidentRow, reports: Sequence[ReportRow], command: Amend
) -> list[Change]:
    given = _given(command.caller)
    if not given:
        return []
    named = command.report
    report = next((r for r in reports if named in (None, r.id)), None)
    if report is None:
        raise Invalid("This incident has no report with this id. Its reports are listed with it.", "report")
    corrected = corrections.corrections_of(tx, incident.id)
    caller = corrections.caller_now(report, corrected)
    return [replace(change, report_id=report.id) for change in corrections.changed("caller", caller, given)]


def _given(part: Part) -> dict[str, Any]:
    """What was said of a part, null where it is to be taken away; as plain JSON values."""
    return part.model_dump(mode="json", include=part.model_fields_set)


def apply(incident: IncidentRow, changes: Iterable[Change], ward: Any) -> None:
    """Write the changes of its parts into the row; `ward` names the service's own of a ward that was said."""
    parts = {part: dict(getattr(incident, part)) for part in PARTS}
    for change in changes:
        part, _, name = change.field.partition(".")
        if part in parts:
            corrections.put(parts[part], name, change.new)
        if change.field == "location.ward":
            incident.ward = ward(change.new)
    for part, values in parts.items():
        if values != getattr(incident, part):
            setattr(incident, part, values)


def record(
    tx: Tx,
    incident: IncidentRow,
    changes: Iterable[Change],
    source: str,
    known: Known,
    *,
    reason: str | None = None,
    decision: Decision | None = None,
) -> None:
    """Say in the log which fields were put right, and how the case counts now."""
    rules_say = decision.priority.value if decision and not decision.provisional else None
    tx.record(
        incident.id,
        happened.IncidentAmended(
            tuple(sorted({change.field for change in changes})),
            source,
            victim_aged_60_plus=is_aged_60_plus(incident.victim),
            victim_lives_alone=facts_of(incident).lives_alone is True,
            repeat_victim=known.judgement.repeat_victim or incident.episode > 1,
            repeat_within_28_days=known.judgement.repeat_within_28_days,
            ward=incident.ward,
            reason_given=reason is not None,
            rules_say=rules_say,
        ),
    )
