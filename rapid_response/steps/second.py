"""The second reader's queue: a row a report, asked with no transaction open, recorded once.

Nothing that keeps the promise waits for any of this. A report gets its row by a subscription, after its
commit; a reader that is slow, down or wrong leaves rows waiting or parked, and everything else as it was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, update
from sqlalchemy import select as core_select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select

from rapid_response.core import events as happened
from rapid_response.core.states import SecondReadingState, TaskState
from rapid_response.core.vocabulary import Channel, ContactRole
from rapid_response.intake.second import rules
from rapid_response.intake.second.answering import Label, Told
from rapid_response.intake.second.masking import Known
from rapid_response.intake.second.port import Fault
from rapid_response.intake.second.rules import Standing
from rapid_response.messaging.hotline import NO_WORDS_YET
from rapid_response.steps.case import facts_of, hold
from rapid_response.steps.desk import Desk
from rapid_response.steps.errors import Invalid
from rapid_response.steps.service import service_now
from rapid_response.steps.tasks import TaskKind, find_open, finish, open_task, open_tasks
from rapid_response.storage.once import Filled
from rapid_response.storage.records import table_of
from rapid_response.storage.tables import (
    EventRow,
    IncidentRow,
    ReportRow,
    SecondReaderDayRow,
    SecondReadingRow,
    SuggestionRow,
)
from rapid_response.storage.tx import Tx

_WAITING = SecondReadingState.WAITING
#: Waits before the second, third … attempt; after the last the row is parked.
_BACK_OFF = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
_MOST_ATTEMPTS = len(_BACK_OFF) + 1
#: What has waited for longer is skipped: the case has been dealt with, and new reports come first.
WAITS_AT_MOST = timedelta(hours=24)
#: How soon somebody looks at more danger than we had seen.
LOOK_WITHIN = timedelta(minutes=15)


# --- queueing --------------------------------------------------------------------------------------------


def queue(tx: Tx, events: Sequence[EventRow]) -> None:
    """A subscription: every report of these incidents whose words are known gets its row, once."""
    streams = {event.stream for event in events if _is_of_words(event)}
    if not streams:
        return
    new = tx.execute(
        core_select(col(ReportRow.id))
        .outerjoin(SecondReadingRow, col(SecondReadingRow.report_id) == col(ReportRow.id))
        .where(
            col(ReportRow.incident_id).in_(streams),
            col(ReportRow.narrative) != NO_WORDS_YET,
            col(SecondReadingRow.report_id).is_(None),
        )
    ).scalars()
    for report_id in sorted(new):
        values = {"report_id": report_id, "state": _WAITING, "queued_at": tx.real, "next_at": tx.real}
        tx.execute(_once(SecondReadingRow, tx.is_sqlite).given(values))
    tx.wake("second")


def _is_of_words(event: EventRow) -> bool:
    """A report came in, or the words of one became known and were read."""
    if event.type == happened.ReportReceived.type:
        return True
    return json.loads(event.data).get("model_version") is not None


@cache
def _once(row: Any, is_sqlite: bool) -> Filled[Any]:
    """Insert unless another node was quicker."""
    table = table_of(row)
    make = sqlite.insert if is_sqlite else postgresql.insert
    defaults = {"fence": 0, "attempts": 0, "dropped": 0} if row is SecondReadingRow else {"asked": 0}
    return Filled(make(table).values(**defaults).on_conflict_do_nothing())


# --- asking ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claimed:
    """A report that is ours to have read now."""

    report_id: str
    fence: int
    attempts: int
    narrative: str
    known: Known
    channel: Channel
    received_at: datetime


def claim(
    tx: Tx, zone: ZoneInfo, *, per_day: int, at_once: int, limit: int, lease: timedelta
) -> list[Claimed]:
    """Lease reports to be read, newest first, within the day's budget and no more at once than all may."""
    if not _any_due(tx):
        return []
    day = _today(tx, zone)
    _give_up(tx)
    busy = tx.execute(
        core_select(func.count())
        .select_from(SecondReadingRow)
        .where(col(SecondReadingRow.state) == _WAITING, col(SecondReadingRow.leased_until) > tx.real)
    ).scalar_one()
    limit = min(limit, at_once - busy, per_day - day.asked)
    if limit <= 0:
        return []
    due = tx.all(
        select(SecondReadingRow)
        .where(*_due(tx))
        .order_by(col(SecondReadingRow.queued_at).desc(), col(SecondReadingRow.report_id))
        .limit(limit)
    )
    for row in due:
        row.fence += 1
        row.attempts += 1
        row.leased_until = tx.real + lease
    # Counted when asked, not when answered: a process that dies in between has spent it all the same.
    day.asked += len(due)
    return [_claimed(tx, row) for row in due]


def _due(tx: Tx) -> tuple[Any, ...]:
    free = or_(col(SecondReadingRow.leased_until).is_(None), col(SecondReadingRow.leased_until) <= tx.real)
    return (col(SecondReadingRow.state) == _WAITING, col(SecondReadingRow.next_at) <= tx.real, free)


def _any_due(tx: Tx) -> bool:
    return tx.read(core_select(col(SecondReadingRow.report_id)).where(*_due(tx)).limit(1)).first() is not None


def _today(tx: Tx, zone: ZoneInfo) -> SecondReaderDayRow:
    """The day's row, locked: whoever holds it alone counts and claims."""
    today = tx.real.astimezone(zone).date().isoformat()
    tx.execute(_once(SecondReaderDayRow, tx.is_sqlite).given({"day": today}))
    return tx.need(SecondReaderDayRow, today, lock=True)


def _give_up(tx: Tx) -> None:
    """What waited for too long, or was left unanswered by process after process."""
    for state, error, which in (
        (SecondReadingState.SKIPPED, None, col(SecondReadingRow.queued_at) < tx.real - WAITS_AT_MOST),
        (
            SecondReadingState.PARKED,
            Fault.LEASE_ENDED.value,
            col(SecondReadingRow.attempts) >= _MOST_ATTEMPTS,
        ),
    ):
        tx.execute(
            update(SecondReadingRow)
            .where(*_due(tx), which)
            .values(state=state, error=error, leased_until=None, fence=col(SecondReadingRow.fence) + 1)
        )


def _claimed(tx: Tx, row: SecondReadingRow) -> Claimed:
    report = tx.need(ReportRow, row.report_id)
    incident = tx.need(IncidentRow, report.incident_id)
    return Claimed(
        row.report_id,
        row.fence,
        row.attempts,
        report.narrative,
        _known(report, incident),
        report.channel,
        report.received_at,
    )


def _known(report: ReportRow, incident: IncidentRow) -> Known:
    """All that the forms hold of people and places."""
    caller, victim, suspect, location = report.caller, incident.victim, incident.suspect, incident.location

    def said(*pairs: tuple[dict[str, Any], str]) -> tuple[str, ...]:
        return tuple(str(part[name]) for part, name in pairs if part.get(name))

    return Known(
        names=said((caller, "name"), (victim, "name"), (suspect, "name")),
        companies=said((suspect, "company")),
        phones=said((caller, "phone"), (victim, "phone"), (suspect, "phone")),
        emails=said((caller, "email")),
        websites=said((suspect, "website")),
        plates=said((suspect, "vehicle_registration")),
        addresses=said((location, "address")),
        postcodes=said((location, "postcode")),
        other=(
            *said((incident.safe_contact, "note")),
            *((report.external_reference,) if report.external_reference else ()),
        ),
    )


def failed(tx: Tx, claimed: Claimed, fault: Fault) -> None:
    """There is no answer: the row waits for its next attempt, or is parked. No person is owed anything."""
    parked = claimed.attempts >= _MOST_ATTEMPTS
    values: dict[str, Any] = {"error": fault.value, "leased_until": None}
    if parked:
        values["state"] = SecondReadingState.PARKED
    else:
        values["next_at"] = tx.real + _BACK_OFF[claimed.attempts - 1]
    tx.execute(update(SecondReadingRow).where(*_mine(claimed)).values(**values))


def _mine(claimed: Claimed) -> tuple[Any, ...]:
    return (
        col(SecondReadingRow.report_id) == claimed.report_id,
        col(SecondReadingRow.fence) == claimed.fence,
        col(SecondReadingRow.state) == _WAITING,
    )


# --- recording -------------------------------------------------------------------------------------------


def record(tx: Tx, desk: Desk, claimed: Claimed, told: Told, model_version: str) -> bool:
    """Keep what it suggests, once; False where the row was taken from us meanwhile.

    Category, urgency, priority and targeting of the case stay as they are, whatever it says.
    """
    incident = hold(tx, tx.need(ReportRow, claimed.report_id).incident_id)
    done = tx.execute(
        update(SecondReadingRow)
        .where(*_mine(claimed))
        .values(
            state=SecondReadingState.READ,
            leased_until=None,
            error=None,
            read_at=tx.real,
            model_version=model_version,
            dropped=told.dropped,
        )
    )
    if done.rowcount != 1:
        return False
    found = _news(tx, incident, told) if incident.is_open else []
    for position, suggestion in enumerate(found):
        claim_ = suggestion.claim
        tx.add(
            SuggestionRow,
            id=tx.ids.uuid(),
            report_id=claimed.report_id,
            position=position,
            label=claim_.label.value,
            value=claim_.value,
            start_char=claim_.start,
            end_char=claim_.end,
            raises=suggestion.raises,
        )
    tx.record(
        incident.id,
        happened.SecondReadingRecorded(
            claimed.report_id,
            model_version,
            told.value(Label.CATEGORY),
            told.value(Label.URGENCY),
            told.value(Label.AGE_TARGETED) is not None,
            told.value(Label.OTHER_VULNERABILITY_TARGETED) is not None,
            told.dangers,
            tuple(s.claim.label.value for s in found),
            any(s.raises for s in found),
            told.dropped,
        ),
    )
    _ask_for_a_look(tx, desk, incident, found)
    return True


def _news(tx: Tx, incident: IncidentRow, told: Told) -> list[rules.Suggestion]:
    """What goes beyond the case, and was not suggested of it before."""
    standing = Standing(
        incident.category,
        incident.urgency,
        incident.priority,
        incident.age_state,
        incident.other_vulnerability,
        facts_of(incident),
        incident.joint,
    )
    before = {(row.label, row.value) for row in suggestions_of(tx, incident.id)}
    found = rules.suggestions(told, standing)
    return [s for s in found if (s.claim.label.value, s.claim.value) not in before]


def _ask_for_a_look(tx: Tx, desk: Desk, incident: IncidentRow, found: Sequence[rules.Suggestion]) -> None:
    if rules.asks_for_danger(found):
        by = tx.now + LOOK_WITHIN
    elif rules.asks_for_targeting(found):
        by = service_now(tx, desk.zone).next_working_day(tx.now)
    else:
        return
    open_task(tx, incident, TaskKind.SECOND_READING, ContactRole.DUTY_OFFICER, by)


def move(tx: Tx, incident: IncidentRow, to: IncidentRow) -> None:
    """Reports have gone from one case to another: the look that somebody owes them is owed there, by then."""
    owed = find_open(tx, incident, TaskKind.SECOND_READING)
    if owed is None:
        return
    if _is_owed(tx, to):
        waiting = find_open(tx, to, TaskKind.SECOND_READING)
        if waiting is not None and waiting.due_at > owed.due_at:
            finish(tx, waiting, TaskState.DROPPED)
        open_task(tx, to, TaskKind.SECOND_READING, owed.owner, owed.due_at)
    if not _is_owed(tx, incident):
        finish(tx, owed, TaskState.DROPPED)


def _is_owed(tx: Tx, incident: IncidentRow) -> bool:
    """Whether more danger, or more of a person's age, was suggested than anybody has answered."""
    return any(row.raises and row.agrees is None for row in suggestions_of(tx, incident.id))


def suggestions_of(tx: Tx, incident_id: str) -> Sequence[SuggestionRow]:
    """All that was suggested of an incident."""
    reports = core_select(col(ReportRow.id)).where(col(ReportRow.incident_id) == incident_id)
    return tx.all(
        select(SuggestionRow)
        .where(col(SuggestionRow.report_id).in_(reports))
        .order_by(col(SuggestionRow.report_id), col(SuggestionRow.position))
    )


def answer(tx: Tx, incident: IncidentRow, suggestion_id: str, agrees: bool, source: str) -> SuggestionRow:
    """Keep a person's answer to a suggestion, and end the task once all are answered. Raises Invalid."""
    known = suggestions_of(tx, incident.id)
    suggestion = next((row for row in known if row.id == suggestion_id and row.agrees is None), None)
    if suggestion is None:
        raise Invalid(
            "This incident has no suggestion with this id that waits for an answer. They are listed with it.",
            "suggestion",
        )
    suggestion.agrees, suggestion.answered_at, suggestion.answered_by = agrees, tx.now, tx.actor
    tx.record(
        incident.id,
        happened.SecondReadingAnswered(suggestion.id, suggestion.label, suggestion.value, agrees, source),
    )
    if all(row.agrees is not None for row in known):
        for task in open_tasks(tx, incident.id):
            if task.kind == TaskKind.SECOND_READING:
                finish(tx, task, TaskState.DONE)
    return suggestion
