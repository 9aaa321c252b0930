"""One incident told twice: its reports move to the other, and the earliest start stays (design.md 8).

The joined one is over: its offers are stood down, it leaves the count of promises, its page leads to the
other. What it told is not lost: facts are OR-ed, gaps are filled, the stricter safe contact holds, the more
urgent priority stays, and whoever is on her way goes on. Both incidents are locked by whoever calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rapid_response.core import events as happened
from rapid_response.core.facts import Facts
from rapid_response.core.incident import Action, Move, NotAllowed, Status
from rapid_response.core.safe_contact import strictest
from rapid_response.core.states import OfferState, Purpose
from rapid_response.core.vocabulary import Category, Disposition, Link
from rapid_response.hatecrime.rules import Settled
from rapid_response.intake.rules import Decision, decide, either
from rapid_response.messaging import wording
from rapid_response.sla.rules import Kind
from rapid_response.steps import (
    amending,
    borders,
    clock,
    companions,
    corrections,
    earlier_calls,
    jobnumbers,
    knowing,
    leading,
    markers,
    news,
    offers,
    outcomes,
    raising,
    reaching,
    retention,
    retriage,
    reviewing,
    second,
    transferring,
    visits,
)
from rapid_response.steps.case import (
    allowed,
    facts_of,
    has_clock,
    is_aged_60_plus,
    move,
    offers_of,
    reports_of,
)
from rapid_response.steps.corrections import Change
from rapid_response.steps.desk import Desk, Who
from rapid_response.steps.errors import Invalid
from rapid_response.steps.receive import ward_of
from rapid_response.steps.service import Service
from rapid_response.steps.tasks import TaskKind, finish_kind
from rapid_response.storage.tables import IncidentRow, VisitRow
from rapid_response.storage.tx import Tx

_LIVE = (OfferState.OPEN, OfferState.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Told:
    """What the joined incident had, before it ended."""

    started_at: datetime | None
    owner: str | None
    visit: VisitRow | None
    was_waiting: bool


def join(
    tx: Tx,
    desk: Desk,
    service: Service,
    incident: IncidentRow,
    into: IncidentRow,
    who: Who,
    reason: str | None = None,
) -> None:
    """`incident` is `into` told again. Raises NotAllowed or Invalid; then nothing has happened."""
    if not incident.is_open:
        raise NotAllowed(Action.LINK, incident.status, allowed(incident))
    if into.duplicate_of is not None:
        raise Invalid("That incident was joined to another itself. Join this one to that other.", "reference")
    if not into.is_open:
        raise Invalid(
            "That incident is over. Open it again with this report as a new episode, or link the two as "
            "related.",
            "reference",
        )
    if into.is_held and not incident.is_held:
        raise Invalid("That incident is held back. Release it first, or join it to this one.", "reference")
    reached = incident.stopped_at is not None or incident.status is Status.ON_SCENE
    if reached and into.stopped_at is None:
        raise Invalid(
            "Somebody has reached the person by this incident. Join the other one to it instead.",
            "reference",
        )
    told = end(tx, service, desk, incident, into, reason)
    brings_category = into.category is Category.OTHER and incident.category is not Category.OTHER
    facts = either(facts_of(into), facts_of(incident))
    changes = _what_fills_gaps(incident, into)
    had_it = into.owner
    taken = take(tx, service, into, incident, facts, changes, corrections.JOINED)
    into.received_at = min(into.received_at, incident.received_at)
    reports = reports_of(tx, into)
    known = knowing.learn(tx, into, reports, desk.zone)
    markers.look_again(tx, desk, service, into, known.profile)
    if changes:
        amending.record(tx, into, changes, corrections.JOINED, known)
    if brings_category:
        take_category(tx, incident, into)
    reviewing.brought(tx, desk, service, incident, into)
    if told.started_at is not None and has_clock(into) and clock.count_from(tx, into, told.started_at):
        raising.owe_breach_reason(tx, service, into)
    carry_owner(tx, desk, service, into, told, who)
    decision = _more_urgent(incident, into, decide(retriage.triage_case(tx, desk, into, reports, known)))
    is_told = retriage.settle_on(tx, desk, service, into, decision, taken, started_at=told.started_at)
    _tell_of_another(tx, service, into, had_it, told, is_told)
    amending.come_home(tx, desk, service, into, corrections.JOINED)
    waits = into.status is Status.AWAITING_REVIEW and not into.is_held
    if waits and not told.was_waiting and borders.is_promised(into) and into.stopped_at is None:
        raising.go_out(tx, desk, service, into)


def _tell_of_another(
    tx: Tx, service: Service, into: IncidentRow, had_it: str | None, told: Told, is_told: bool
) -> None:
    """Who has the job hears that there are more words to read, unless she was told of this report."""
    if had_it is not None and had_it != told.owner and not is_told:
        news.tell(tx, service, into, (had_it,), wording.another_report(into.job_number or 0))


def _more_urgent(incident: IncidentRow, into: IncidentRow, by_rules: Decision) -> Decision:
    """What the rules say of both together; or what was decided of the joined one, where that is more urgent.

    Joining is no way to lower: a person's or an unclear report's priority goes with it.
    """
    to_beat = into.priority.rank if by_rules.provisional else min(into.priority.rank, by_rules.priority.rank)
    return as_decided(incident) if incident.priority.rank < to_beat else by_rules


def as_decided(incident: IncidentRow) -> Decision:
    """The priority that an incident has, whoever decided it."""
    return Decision(
        priority=incident.priority,
        rule_id=incident.rule_id,
        rules_version=incident.rules_version,
        facts_used=(),
        escalators=(),
        provisional=False,
        from_text_alone=False,
        needed_event_at=None,
    )


# --- the joined one ends ----------------------------------------------------------------------------------


def end(
    tx: Tx, service: Service, desk: Desk, incident: IncidentRow, into: IncidentRow, reason: str | None
) -> Told:
    """Its reports and outcomes move, its promise ends, whoever was asked is stood down."""
    told = Told(
        incident.started_at if has_clock(incident) else None,
        incident.owner,
        visits.live(tx, incident),
        incident.status is Status.AWAITING_REVIEW,
    )
    _move_reports(tx, incident, into)
    second.move(tx, incident, into)
    earlier_calls.move(tx, incident, into)
    outcomes.move(tx, incident, into)
    move(incident, Move.JOIN)
    incident.disposition, incident.closed_at = Disposition.DUPLICATE_OF, tx.now
    incident.duplicate_of = into.id
    in_play = incident.stopped_at is None and has_clock(incident)
    if in_play and clock.not_applicable(tx, incident, "joined"):
        raising.owe_breach_reason(tx, service, incident)
    _tell_who_goes_on(tx, desk, service, incident, into)
    offers.job_done(tx, desk, service, incident, "joined")
    companions.joined(tx, desk, service, incident, into)
    # Whom it was referred to answers here.
    finish_kind(tx, incident, *(kind for kind in TaskKind if kind is not TaskKind.CHASE_REFERRAL))
    leading.seen_to(tx, incident)
    transferring.withdraw(tx, incident)
    # Nobody answers here any more what waited for a second person: it is decided anew, of both together.
    reviewing.settle_proposal(tx, incident, Settled.JOINED)
    incident.hoax_marked_by = None
    clock.disarm(tx, incident, [Kind.BORDER], "joined")
    incident.owner, incident.is_held = None, False
    tx.record(incident.id, happened.IncidentCancelled(Disposition.DUPLICATE_OF, incident.episode))
    retention.classify(tx, incident)
    knowing.unlearn(tx, incident.id)
    knowing.decide(tx, incident.id, into.id, accepted=True, kind=Link.DUPLICATE_OF.value, reason=reason)
    return told


def _move_reports(tx: Tx, incident: IncidentRow, into: IncidentRow) -> None:
    for report in reports_of(tx, incident):
        report.incident_id = into.id
        tx.record(
            into.id,
            happened.ReportJoined(
                report.id, report.channel, report.received_at, incident.id, report.back_entry
            ),
        )


def _tell_who_goes_on(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, into: IncidentRow) -> None:
    """Whoever has, gets, goes along to or is asked about the other job must not hear that she is called off.

    This text takes the place of the stand-down of the same offer, which the outbox then knows already.
    """
    going_on = {o.responder_id for o in offers_of(tx, into) if o.state in _LIVE} | {into.companion}
    if into.owner is None and incident.owner is not None and service.definition.responder(incident.owner):
        going_on.add(incident.owner)
        if into.job_number is None:
            into.job_number = jobnumbers.issue(tx, into.id)
    if into.job_number is None or incident.job_number is None:
        return
    # Once each: the offer by which she holds the job before others that she need not answer any more.
    live = sorted(
        (o for o in offers_of(tx, incident) if o.state in _LIVE and o.responder_id in going_on),
        key=lambda o: o.state is not OfferState.ACCEPTED,
    )
    for offer in {o.responder_id: o for o in reversed(live)}.values():
        responder = service.definition.responder(offer.responder_id)
        if responder:
            body = wording.joined(incident.job_number, into.job_number)
            reaching.begin(tx, desk, incident, responder, Purpose.STAND_DOWN, offer.id, body, is_new=True)


# --- the other one takes what it told ---------------------------------------------------------------------


def _what_fills_gaps(incident: IncidentRow, into: IncidentRow) -> list[Change]:
    found: list[Change] = []
    for part in ("location", "victim", "suspect"):
        mine, theirs = getattr(into, part), getattr(incident, part)
        gaps = {n: v for n, v in theirs.items() if corrections.is_nothing(mine.get(n))}
        found += corrections.changed(part, mine, gaps)
    return found


def take(
    tx: Tx,
    service: Service,
    into: IncidentRow,
    incident: IncidentRow,
    facts: Facts,
    changes: list[Change],
    source: str,
) -> retriage.Taken:
    """Write what the other one told, every change kept as a correction.

    `changes` grows by what the facts and the stricter safe contact change.
    """
    changes += amending.fact_changes(facts_of(into), facts)
    if into.safe_contact or incident.safe_contact:
        stricter = strictest(into.safe_contact, incident.safe_contact)
        changes += corrections.changed("safe_contact", into.safe_contact, stricter)
    was_ward = into.ward
    amending.apply(into, changes, ward=lambda said: ward_of(service, said) or was_ward)
    corrections.keep(tx, into.id, changes, source)
    # That nobody is there by one report does not undo why two go for the other.
    return retriage.take_facts(tx, into, facts, joint=incident.joint)


def take_category(
    tx: Tx, incident: IncidentRow, into: IncidentRow, *, repeat: bool = False, within_28_days: bool = False
) -> None:
    """What the other report says that it is."""
    into.category, into.subtype = incident.category, incident.subtype
    into.urgency, into.reading = incident.urgency, incident.reading
    tx.record(
        into.id,
        happened.IncidentClassified(
            into.category,
            into.subtype,
            into.urgency,
            model_version=into.reading.get("model_version"),
            victim_aged_60_plus=is_aged_60_plus(into.victim),
            victim_lives_alone=facts_of(into).lives_alone is True,
            repeat_victim=repeat,
            repeat_within_28_days=within_28_days,
            ward=into.ward,
        ),
    )


def carry_owner(tx: Tx, desk: Desk, service: Service, into: IncidentRow, told: Told, who: Who) -> None:
    """Somebody has the joined job: she goes on, with the other one's number; who is there, is there."""
    known = service.definition.responder(told.owner) if told.owner else None
    if known is None or into.owner is not None or Action.ASSIGN not in allowed(into):
        return
    offers.assign(tx, desk, service, into, known.id, who)
    if told.visit is not None and told.visit.arrived_at is not None:
        move(into, Action.ON_SCENE)
        visits.arrived(tx, service, into, known.id)
        tx.record(into.id, happened.ArrivedOnScene(known.id, who.source))
    elif told.visit is not None:
        move(into, Action.EN_ROUTE)
        visit = visits.carry_on(tx, into, told.visit)
        tx.record(into.id, happened.SetOff(known.id, who.source, visit.expected_at, visit.finish_at))
