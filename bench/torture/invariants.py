"""What must be true of a database at rest, whatever was killed: I1 to I9 and I11 of reliability.md 7.

I10 (what each role may see) is asked over HTTP (onlookers.py). I12 (both databases end alike after one
history) is not of a campaign in which no two histories are alike: tests/torture holds it. That what was said
to have been sent was sent, and once (I4), is judged by the provider's ledger (judging.py).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlmodel import col

from bench.torture.towns import NOTICES, PHONES, RESPOND_WITHIN
from rapid_response.audit import looking
from rapid_response.core.states import MessageState, OfferState
from rapid_response.storage.database import Database
from rapid_response.storage.tables import (
    AgendaRow,
    AttemptRow,
    EventRow,
    InboundMessageRow,
    IncidentRow,
    MessageRow,
    NoticeRow,
    OfferRow,
    ReportRow,
)
from tests.builders import paid_today
from tests.nodes import audit

_OVER = ("incident_closed", "incident_cancelled")
#: What never happens to a closed case.
_NOT_AFTER = ("offer_made", "offer_accepted", "rung_reached", "deadline_warned", "deadline_missed")
#: Each once in a cycle, and by what several of one type are told apart.
_ONCE = {"rung_reached": "rung", "deadline_warned": "share", "deadline_missed": "due_at"}
#: What an agenda entry of that kind says when it was done and had an effect.
_DEADLINES = ("rung", "warn", "breach", "accept_within")
#: Of these something is still to come.
_LIVE = (
    MessageState.PENDING,
    MessageState.RETRY_WAIT,
    MessageState.SENDING,
    MessageState.UNKNOWN,
    MessageState.IN_NETWORK,
)

Happened = Mapping[str, Sequence[Any]]


def faults(database: Database, acknowledged: Mapping[int, str], logs: Sequence[Path]) -> Iterator[str]:
    """Everything that is not as it must be."""
    found = database.look_now(lambda c: list(_of_rows(c, database, acknowledged)))
    yield from found
    yield from _canaries(database, logs)
    try:
        audit.check_tallies(database)
    except AssertionError as error:
        yield f"I8: counters and a recount differ: {error}"[:300]
    try:
        audit.check_log(database)
    except AssertionError as error:
        yield f"I6: verify-log: {error}"[:300]


def _of_rows(connection: Connection, database: Database, acknowledged: Mapping[int, str]) -> Iterator[str]:
    happened = _events(connection)
    incidents = connection.execute(select(IncidentRow.__table__)).all()  # type: ignore[attr-defined]
    yield from _reports(connection, incidents, acknowledged)
    clock = database.clock
    looked = looking.audit(connection, looking.Moment(clock.now(), clock.real()))
    yield from (f"I2: {lack.check} {lack.subject}" for lack in looked.missing)
    yield from (f"I2: {late.check} {late.count}" for late in looked.late)
    for incident in incidents:
        events = happened.get(incident.id, ())
        yield from _owners(incident, events)
        yield from _once(events)
        yield from _after_closure(events)
        yield from _clock(incident)
        for event in events:
            if event.type == "next_step_restored":
                yield f"I2: the auditor had to put right: {event.data}"
    yield from _offers(connection, happened)
    yield from _messages(connection, happened)
    yield from _agenda(connection, incidents, happened)
    yield from _one_entry_each(connection, happened)


def _events(connection: Connection) -> Happened:
    rows: dict[str, list[Any]] = defaultdict(list)
    query = select(col(EventRow.stream), col(EventRow.seq), col(EventRow.type), col(EventRow.data))
    for row in connection.execute(query.order_by(col(EventRow.stream), col(EventRow.seq))):
        rows[row.stream].append(row)
    return rows


def _data(event: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event.data)
    return found


# I1


def _reports(
    connection: Connection, incidents: Sequence[Any], acknowledged: Mapping[int, str]
) -> Iterator[str]:
    stored = Counter(
        connection.execute(
            select(col(IncidentRow.reference)).join_from(
                ReportRow, IncidentRow, col(ReportRow.incident_id) == col(IncidentRow.id)
            )
        ).scalars()
    )
    reports = connection.execute(select(func.count()).select_from(ReportRow)).scalar_one()
    if not len(acknowledged) == reports == len(incidents):
        yield f"I1: {len(acknowledged)} acknowledged, {reports} reports, {len(incidents)} incidents"
    for reference in acknowledged.values():
        if stored[reference] != 1:
            yield f"I1: an acknowledged report is stored {stored[reference]} times"


# I3


def _owners(incident: Any, events: Sequence[Any]) -> Iterator[str]:
    owner: str | None = None
    for event in events:
        if event.type in ("offer_accepted", "assigned"):
            new = _data(event)["responder"]
            if owner is not None and owner != new:
                yield f"I3: two owners: {event.type} while it had one"
            owner = new
        elif event.type == "released":
            owner = None
    if incident.owner is not None and incident.owner != owner:
        yield "I3: the owner is not who the log says"


def _offers(connection: Connection, happened: Happened) -> Iterator[str]:
    accepted: Counter[str] = Counter()
    rows = connection.execute(select(OfferRow.__table__)).all()  # type: ignore[attr-defined]
    said = Counter(
        (event.type, _data(event)["offer_id"])
        for events in happened.values()
        for event in events
        if event.type in ("offer_made", "offer_accepted")
    )
    for offer in rows:
        if said["offer_made", offer.id] != 1:
            yield f"I6: an offer was said to be made {said['offer_made', offer.id]} times"
        if said["offer_accepted", offer.id] > 1:
            yield "I3: one offer was accepted twice"
        if offer.state is OfferState.ACCEPTED:
            accepted[offer.incident_id] += 1
            if said["offer_accepted", offer.id] != 1:
                yield "I6: an accepted offer of which the log does not say so"
    yield from (f"I3: {count} accepted offers" for count in accepted.values() if count > 1)


# I5


def _messages(connection: Connection, happened: Happened) -> Iterator[str]:
    settled = select(func.count()).where(
        col(MessageRow.state).not_in(_LIVE), col(MessageRow.next_attempt_at).is_not(None)
    )
    if count := connection.execute(settled).scalar_one():
        yield f"I5: {count} messages that are over wait for something"
    best = defaultdict(set)
    query: Select[*tuple[Any, ...]] = select(
        col(MessageRow.id), col(MessageRow.state), col(MessageRow.purpose), col(AttemptRow.state).label("got")
    ).join_from(MessageRow, AttemptRow, col(AttemptRow.message_id) == col(MessageRow.id))
    states = {}
    for row in connection.execute(query):
        states[row.id] = (row.state, row.purpose)
        best[row.id].add(row.got)
    for message, got in best.items():
        state, purpose = states[message]
        if "delivered" in got and state is not MessageState.DELIVERED:
            yield f"I5: a {purpose} that was delivered stands as {state}"
    last: dict[str, str] = {}
    for events in happened.values():
        for event in events:
            if event.type == "message_settled":
                told = _data(event)
                if last.get(told["message_id"]) == MessageState.DELIVERED:
                    yield f"I5: delivered, and then {told['state']}"
                last[told["message_id"]] = told["state"]


# I6


def _one_entry_each(connection: Connection, happened: Happened) -> Iterator[str]:
    for incident, events in happened.items():
        types = Counter(event.type for event in events)
        if types["incident_classified"] and (types["report_received"], types["clock_started"]) != (1, 1):
            yield f"I6: {incident}: {types['report_received']} arrivals, {types['clock_started']} clocks"
    given = Counter(
        (told["notice_id"], told["repeat"])
        for events in happened.values()
        for event in events
        if event.type == "notice_given"
        for told in [_data(event)]
    )
    yield from (f"I6: a notice was given {count} times" for count in given.values() if count > 1)
    for notice in connection.execute(select(col(NoticeRow.id))).scalars():
        if given[notice, 0] != 1:
            yield "I6: a notice of which the log does not tell"
    heard = Counter(
        _data(event)["inbound_id"]
        for events in happened.values()
        for event in events
        if event.type == "reply_understood"
    )
    yield from (f"I6: one text was understood {count} times" for count in heard.values() if count > 1)
    sid = col(InboundMessageRow.provider_sid)
    twice = select(sid).group_by(sid).having(func.count() > 1)
    if connection.execute(twice).first() is not None:
        yield "I6: one text of theirs stands twice"


# escalations, I7, I9


def _once(events: Iterable[Any]) -> Iterator[str]:
    cycle, seen = 0, Counter[tuple[int, str, str]]()
    for event in events:
        if event.type in ("released", "incident_reopened", "no_contact_made"):
            cycle += 1
        if (by := _ONCE.get(event.type)) is not None:
            seen[cycle, event.type, str(_data(event)[by])] += 1
    yield from (f"fired twice: {what} {which}" for (_, what, which), n in seen.items() if n > 1)


def _after_closure(events: Iterable[Any]) -> Iterator[str]:
    over = False
    for event in events:
        if event.type in _OVER:
            over = True
        elif event.type == "incident_reopened":
            over = False
        elif over and event.type in _NOT_AFTER:
            yield f"I7: {event.type} after the end"


def _clock(incident: Any) -> Iterator[str]:
    if incident.started_at is None:
        yield "I9: an incident without a clock"
        return
    counted = (incident.due_at - incident.started_at).total_seconds() - incident.paused_seconds
    if abs(counted - RESPOND_WITHIN.total_seconds()) > 1e-6:
        yield f"I9: {counted} seconds were given"


def _agenda(connection: Connection, incidents: Sequence[Any], happened: Happened) -> Iterator[str]:
    entries: dict[str, dict[tuple[str, str], Any]] = defaultdict(dict)
    for entry in connection.execute(select(AgendaRow.__table__)):  # type: ignore[attr-defined]
        entries[entry.incident_id][entry.kind, entry.subject] = entry
    for incident in incidents:
        mine, events = entries[incident.id], happened[incident.id]
        fired = Counter((event.type, str(_data(event).get("rung", ""))) for event in events)
        types = {event.type for event in events}
        if not incident.is_open:
            left = [k for (k, _), e in mine.items() if e.settled_at is None and k in (*_DEADLINES, "answer")]
            yield from (f"I7: {kind} still stands after the end" for kind in left)
            continue
        if incident.stopped_at is not None or types & {"offer_accepted", "assigned"}:
            continue
        # Nobody ever took it: each step of its ladder, and the end of its time, must have come.
        for rung in NOTICES:
            if fired["rung_reached", str(rung)] != 1:
                yield f"missed: rung {rung} of an incident that nobody took ({_told(mine, 'rung', rung)})"
        if fired["deadline_missed", ""] != 1:
            yield f"missed: the end of its time ({_told(mine, 'breach', '')})"
        for kind in _DEADLINES:
            yield from (
                f"missed: {kind} {subject} is not settled"
                for (k, subject), entry in mine.items()
                if k == kind and entry.settled_at is None
            )


def _told(entries: Mapping[tuple[str, str], Any], kind: str, subject: object) -> str:
    entry = entries.get((kind, str(subject)))
    return "never armed" if entry is None else f"{entry.outcome}, {entry.attempts} attempts"


def lateness(database: Database) -> float:
    """How late the latest deadline was, in seconds; killed nodes included."""
    query = select(func.max(col(AgendaRow.late_seconds))).where(col(AgendaRow.kind).in_(_DEADLINES))
    found: float | None = database.look_now(lambda c: c.execute(query).scalar())
    return found or 0.0


# I11


def _canaries(database: Database, logs: Sequence[Path]) -> Iterator[str]:
    """Words of reports, phone numbers and texts of ours stand neither in the log of events nor in logs."""
    words = (str(paid_today()["narrative"])[:40], *PHONES)
    data = database.look_now(lambda c: list(c.execute(select(col(EventRow.data))).scalars()))
    for word in words:
        if any(word in one for one in data):
            yield "I11: personal data in an event"
    for path in logs:
        said = path.read_text(errors="replace") if path.exists() else ""
        if any(word in said for word in words):
            yield "I11: personal data in a node's log"
