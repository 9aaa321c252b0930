"""The two-hour clock of an incident: started, warned of, paused, stopped, missed (design.md 7).

Only a response stops it: attendance, a remote response with a protective act, or the police with their
reference. Invariant of every running clock: due - started - paused = `respond_within`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from rapid_response.core.events import (
    ClockMovedBack,
    ClockNotApplicable,
    ClockPaused,
    ClockResumed,
    ClockStarted,
    ClockStopped,
    DeadlineMissed,
)
from rapid_response.core.vocabulary import ClockState, StoppedBy
from rapid_response.intake.rules import needed_by
from rapid_response.sla import rules as sla
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import jobnumbers
from rapid_response.steps.case import facts_of, paused_for
from rapid_response.steps.service import Service
from rapid_response.storage import work
from rapid_response.storage.tables import IncidentRow
from rapid_response.storage.tx import Tx

#: What belongs to the promise itself, apart from the ladder.
PROMISE = (Kind.WARN, Kind.BREACH)


def arm(tx: Tx, incident: IncidentRow, deadlines: Sequence[Deadline]) -> None:
    """Put deadlines of this incident on the agenda, in its present cycle."""
    work.arm(tx, incident.id, incident.cycle, incident.priority.rank, deadlines)


def disarm(
    tx: Tx, incident: IncidentRow, kinds: Sequence[Kind], why: str, subject: str | None = None
) -> None:
    """Take what is pending of those kinds off the agenda."""
    work.disarm(tx, incident.id, [k.value for k in kinds], why, subject)


def start(tx: Tx, service: Service, incident: IncidentRow, started_at: datetime) -> None:
    """Start a clock; its own deadlines are armed, the ladder is not."""
    policy = service.definition.sla
    incident.clock_state = ClockState.RUNNING
    incident.started_at = started_at
    incident.due_at = sla.due_at(started_at, policy)
    incident.stopped_at = incident.stopped_by = incident.breached_at = incident.paused_at = None
    incident.paused_seconds = 0
    set_needed_by(incident)
    if incident.job_number is None:
        incident.job_number = jobnumbers.issue(tx, incident.id)
    arm(tx, incident, sla.promise(started_at, incident.due_at, policy))
    tx.record(
        incident.id,
        ClockStarted(
            started_at,
            incident.due_at,
            incident.needed_by or incident.due_at,
            incident.job_number,
            incident.episode,
        ),
    )


def search_begins(tx: Tx, incident: IncidentRow) -> datetime:
    """From when somebody is looked for: now, or when the service opens, where its clock begins only then."""
    if incident.clock_state is not ClockState.RUNNING or incident.started_at is None:
        return tx.now
    return max(tx.now, incident.started_at)


def set_needed_by(incident: IncidentRow) -> None:
    """When help must be there: the due time, or earlier when the suspect is known to be coming back."""
    if incident.due_at is not None and incident.started_at is not None:
        incident.needed_by = needed_by(incident.due_at, facts_of(incident), incident.started_at)


def not_applicable(tx: Tx, incident: IncidentRow, why: str) -> bool:
    """No two-hour clock, or no longer: a breach that has happened stays on record.

    True when it is only by this that the deadline is found to be missed.
    """
    if incident.paused_at is not None:
        # It may have been late before it was paused, and nobody had looked yet.
        _end_pause(incident, tx.now)
        incident.clock_state = ClockState.RUNNING
    is_news = miss(tx, incident, tx.now)
    disarm(tx, incident, (*PROMISE, Kind.RESUME), why)
    if incident.clock_state is not ClockState.BREACHED:
        incident.clock_state = ClockState.NOT_APPLICABLE
    tx.record(incident.id, ClockNotApplicable(why))
    return is_news


def stop(
    tx: Tx, incident: IncidentRow, by: StoppedBy, *, at: datetime | None = None, flagged: bool = False
) -> bool:
    """A response reached the victim: the clock stops, once, and is judged on `due_at`.

    One that was in time, and that we heard of only later, takes the breach back: it stays in the log.
    True when it is only by this that the deadline is found to be missed.
    """
    if not sla.is_counting(incident) and incident.clock_state is not ClockState.PAUSED:
        return False
    if incident.started_at is None or incident.due_at is None:
        return False
    if incident.paused_at is not None:
        _end_pause(incident, tx.now)
    moment = at or tx.now
    result = sla.stop(incident.started_at, incident.due_at, paused_for(incident), moment)
    incident.stopped_at, incident.stopped_by = moment, by
    was_missed = incident.breached_at is not None
    is_news = not result.met and not was_missed
    if is_news:
        _miss(tx, incident)
    elif result.met:
        incident.breached_at = None
    incident.clock_state = ClockState.MET if result.met else ClockState.BREACHED
    disarm(tx, incident, (*PROMISE, Kind.RESUME), "answered")
    tx.record(
        incident.id,
        ClockStopped(
            by,
            moment,
            result.gross_seconds,
            result.paused_seconds,
            result.met,
            flagged,
            breach_taken_back=was_missed and result.met,
        ),
    )
    return is_news


def take_stop_back(tx: Tx, service: Service, incident: IncidentRow) -> bool:
    """Nobody was reached after all: the clock counts on as if it had never stopped. False if it had not.

    What the police or a call achieved stands, whoever then finds nobody at home (contract.md 4).
    """
    if incident.stopped_at is None or incident.due_at is None or incident.started_at is None:
        return False
    if incident.stopped_by is not StoppedBy.ATTENDED:
        return False
    incident.stopped_at = incident.stopped_by = None
    incident.clock_state = ClockState.BREACHED if incident.breached_at else ClockState.RUNNING
    incident.cycle += 1
    coming = sla.promise(incident.started_at, incident.due_at, service.definition.sla)
    arm(tx, incident, [d for d in coming if d.due_at > tx.now or d.kind is Kind.BREACH])
    return True


def count_from(tx: Tx, incident: IncidentRow, started_at: datetime) -> bool:
    """The same incident was told of earlier: its promise counts from then (design.md 8).

    A response that is late by this is judged anew. True when it is only by this that the deadline is found
    to be missed; one that nobody has answered yet is found by its own entry on the agenda.
    """
    if incident.started_at is None or incident.due_at is None or started_at >= incident.started_at:
        return False
    moved = incident.started_at - started_at
    incident.started_at, incident.due_at = started_at, incident.due_at - moved
    if incident.breached_at is not None:
        incident.breached_at = incident.due_at
    set_needed_by(incident)
    is_late = (
        incident.clock_state is ClockState.MET
        and incident.stopped_at is not None
        and incident.stopped_at > incident.due_at
    )
    tx.record(
        incident.id,
        ClockMovedBack(
            started_at,
            incident.due_at,
            incident.needed_by or incident.due_at,
            incident.paused_seconds,
            no_longer_met=is_late,
        ),
    )
    _bring_forward(tx, incident, moved)
    if is_late:
        _miss(tx, incident)
        incident.clock_state = ClockState.BREACHED
    return is_late


def _bring_forward(tx: Tx, incident: IncidentRow, by: timedelta) -> None:
    """Warnings and the deadline itself come earlier; of those that are past by now only the last is given."""
    coming = work.pending(tx, incident.id, [k.value for k in PROMISE])
    for entry in coming:
        entry.due_at = max(entry.due_at - by, tx.now)
    overdue = [entry for entry in coming if entry.kind == Kind.WARN and entry.due_at <= tx.now]
    for entry in overdue[:-1]:
        entry.settled_at, entry.outcome = tx.now, "overtaken"
    if any(entry.due_at <= tx.now for entry in coming):
        tx.wake("ring")


def miss(tx: Tx, incident: IncidentRow, at: datetime) -> bool:
    """The two hours are over without a response. False when there is nothing to miss any more."""
    if not sla.is_late(incident, at):
        return False
    _miss(tx, incident)
    incident.clock_state = ClockState.BREACHED
    return True


def _miss(tx: Tx, incident: IncidentRow) -> None:
    due = incident.due_at or tx.now
    incident.breached_at = due
    tx.record(incident.id, DeadlineMissed(due, max(0.0, (tx.now - due).total_seconds())))


def pause(tx: Tx, incident: IncidentRow, why: str, until: datetime) -> None:
    """The clock stands still at the victim's or the police's wish; it goes on by itself at `until`."""
    incident.paused_at = tx.now
    incident.clock_state = ClockState.PAUSED
    disarm(tx, incident, PROMISE, "paused")
    arm(tx, incident, [Deadline(Kind.RESUME, until, tx.ids.uuid())])
    tx.record(incident.id, ClockPaused(why))


def resume(tx: Tx, service: Service, incident: IncidentRow) -> None:
    """The clock goes on; what was still to come moves by the time it stood."""
    if incident.paused_at is None or incident.started_at is None or incident.due_at is None:
        return
    _end_pause(incident, tx.now)
    incident.clock_state = ClockState.RUNNING
    incident.cycle += 1
    disarm(tx, incident, [Kind.RESUME], "resumed")
    coming = sla.promise(incident.started_at, incident.due_at, service.definition.sla)
    arm(tx, incident, [d for d in coming if d.due_at > tx.now or d.kind is Kind.BREACH])
    tx.record(incident.id, ClockResumed(incident.paused_seconds, incident.due_at))


def _end_pause(incident: IncidentRow, now: datetime) -> None:
    """Whole seconds, so that due - started - paused stays exactly what was promised.

    A clock that begins with the next opening did not count before that, and so did not stand still either.
    """
    assert incident.paused_at is not None  # noqa: S101 - callers have looked
    stood_since = max(incident.paused_at, incident.started_at or incident.paused_at)
    stood = max(0, int((now - stood_since).total_seconds()))
    incident.paused_seconds += stood
    if incident.due_at is not None:
        incident.due_at += timedelta(seconds=stood)
    # Not moved with it: whoever is known to be coming back does not wait for our clock.
    set_needed_by(incident)
    incident.paused_at = None
