"""Judgement: what it is, how urgent, and whether its clock runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from rapid_response.core import events as happened
from rapid_response.core.incident import Action, Status
from rapid_response.core.kinds import kind_named
from rapid_response.core.vocabulary import Category
from rapid_response.sla import rules as sla
from rapid_response.steps import (
    alarms,
    clock,
    commands,
    news,
    notices,
    offers,
    raising,
)
from rapid_response.steps.actions.doing import Doing, Handlers
from rapid_response.steps.case import check, facts_of, is_aged_60_plus, move
from rapid_response.steps.desk import Desk
from rapid_response.steps.errors import Forbidden, Invalid
from rapid_response.steps.notekeeping import add_note
from rapid_response.steps.service import Service
from rapid_response.storage import work
from rapid_response.storage.tables import AgendaRow, IncidentRow
from rapid_response.storage.tx import Tx

#: What became of a step of the ladder that a pause has held up.
_PAUSED = "paused"
#: How long a clock stands still when nobody said until when.
DEFAULT_PAUSE = timedelta(hours=24)


def _acknowledge(doing: Doing, command: commands.Acknowledge) -> None:
    check(doing.incident, Action.ACKNOWLEDGE)
    notices.acknowledge(doing.tx, doing.incident, doing.who.source, only=command.seen)
    alarms.acknowledge_of(doing.tx, doing.incident, doing.who, only=command.seen)


#: The kind of a category that a person chose without saying which kind it is.
_NOT_SAID = {
    Category.DOORSTEP_CRIME: "other_doorstep",
    Category.SCAM: "other_scam",
    Category.OTHER: "other",
}


def reclassify(doing: Doing, command: commands.Reclassify) -> None:
    """A person corrects what it is. What it is describes; how urgent it is stays as the facts say.

    A kind that we have no name for is kept in her words as a note: the log and lists hold nobody's words.
    """
    incident = doing.incident
    move(incident, Action.RECLASSIFY)
    if command.subtype is not None or command.category is not incident.category:
        named = kind_named(command.subtype or "")
        incident.subtype = named or _NOT_SAID[command.category]
        if command.subtype is not None and named is None:
            add_note(doing.tx, incident, f"What it is: {command.subtype}", doing.who)
    incident.category, incident.urgency = command.category, command.urgency or incident.urgency
    victim = incident.victim
    doing.record(
        happened.IncidentClassified(
            incident.category,
            incident.subtype,
            incident.urgency,
            victim_aged_60_plus=is_aged_60_plus(victim),
            victim_lives_alone=facts_of(incident).lives_alone is True,
            ward=incident.ward,
        )
    )
    if command.reason:
        add_note(doing.tx, incident, command.reason, doing.who)
    reviewed = incident.status is Status.AWAITING_REVIEW and not incident.is_held
    if reviewed and incident.priority.has_clock and incident.category is not Category.OTHER:
        raising.go_out(doing.tx, doing.desk, doing.service, incident)


def _set_priority(doing: Doing, command: commands.SetPriority) -> None:
    """Anybody at the desk may raise; only a duty officer or above lowers, with a reason (scenario 25)."""
    incident, tx = doing.incident, doing.tx
    check(incident, Action.SET_PRIORITY)
    new, old = command.priority, incident.priority
    if new.rank > old.rank:
        if not doing.who.may_lower:
            raise Forbidden("Only a duty officer or above may lower the priority. Ask the duty officer.")
        if not command.reason:
            raise Invalid("Say why the priority is lowered.", "reason")
    going = news.going(tx, incident)
    incident.priority, incident.rule_id = new, "person"
    raising.rerank(tx, incident)
    doing.record(
        happened.PriorityDecided(
            new, "person", incident.rules_version, (), reason_given=command.reason is not None
        )
    )
    if command.reason:
        add_note(tx, incident, command.reason, doing.who)
    had_clock, has_clock = old.has_clock, new.has_clock
    if has_clock and not had_clock:
        raising.start_second_clock(tx, doing.desk, doing.service, incident)
    elif had_clock and not has_clock:
        _give_up_clock(doing)
    elif incident.status is Status.AWAITING_REVIEW and not incident.is_held:
        if has_clock:
            raising.go_out(doing.tx, doing.desk, doing.service, incident)
        else:
            doing.schedule("reviewed")
    if new.rank < old.rank:
        news.more_dangerous(tx, doing.service, incident, going)
        raising.look_at_once(tx, incident)


def _give_up_clock(doing: Doing) -> None:
    incident = doing.incident
    if incident.stopped_at is None:
        doing.end_promise("priority_lowered")
    if incident.owner is None:
        offers.call_off(doing.tx, doing.desk, doing.service, incident, "priority_lowered")
        doing.schedule("priority_lowered")


def _pause(doing: Doing, command: commands.Pause) -> None:
    tx, incident = doing.tx, doing.incident
    check(incident, Action.PAUSE)
    until = command.until or tx.now + DEFAULT_PAUSE
    if until <= tx.now:
        raise Invalid("Give a time that is still to come.", "until")
    clock.pause(tx, incident, command.reason, until)
    notices.overtaken(tx, incident, notices.PROGRESS)
    if incident.owner is None:
        offers.end_search(tx, doing.desk, doing.service, incident, _PAUSED)
    else:
        clock.disarm(tx, incident, [sla.Kind.RUNG], _PAUSED)


def _resume(doing: Doing, _: commands.Nothing) -> None:
    check(doing.incident, Action.RESUME)
    resume(doing.tx, doing.desk, doing.service, doing.incident)


def resume(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """The clock goes on; so do the search where nobody has the job, and the notices where somebody has.

    What is held back is searched for by nobody yet; but who is told that it waits is told in time.
    """
    held_up, stood_before = _held_up(tx, incident), incident.paused_seconds
    clock.resume(tx, service, incident)
    stood = timedelta(seconds=incident.paused_seconds - stood_before)
    if incident.owner is not None or incident.is_held:
        moved = [sla.Deadline(sla.Kind(e.kind), e.due_at + stood, e.subject) for e in held_up]
        clock.arm(tx, incident, moved)
    elif incident.status is not Status.SCHEDULED:
        offers.search(tx, desk, service, incident)


def _held_up(tx: Tx, incident: IncidentRow) -> Sequence[AgendaRow]:
    """The notices that were still to come when its clock was paused: of an owned case those that no_contact
    arms, of one that is held back all of its ladder.

    Who has taken the job since then has ended them.
    """
    paused_at, accepted_at = incident.paused_at, incident.accepted_at
    if paused_at is None:
        return ()
    if incident.owner is not None and (accepted_at is None or accepted_at > paused_at):
        return ()
    kinds = [sla.Kind.RUNG.value, sla.Kind.ACCEPT_WITHIN.value]
    return work.disarmed(tx, incident.id, kinds, _PAUSED, paused_at)


DO: Handlers = {
    Action.ACKNOWLEDGE: _acknowledge,
    Action.RECLASSIFY: reclassify,
    Action.SET_PRIORITY: _set_priority,
    Action.PAUSE: _pause,
    Action.RESUME: _resume,
}
