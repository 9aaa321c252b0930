"""Counters fed by events, each exactly once: what /metrics reads, so that no scrape ever counts incidents.

A counter counts entries and never falls; what is taken back is counted in a series of its own (design.md 9).
A restart or another node changes nothing, because the counts are rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col

from rapid_response.core.events import (
    ClockStopped,
    DeadlineMissed,
    DeadlineWarned,
    IncidentClassified,
    MessageAccepted,
    MessageSettled,
    NoContactMade,
    OfferAccepted,
    OutcomeRecorded,
    PriorityDecided,
    ReportReceived,
    RungReached,
    TargetingAssessed,
)
from rapid_response.core.vocabulary import OutcomeCode
from rapid_response.storage.tables import EventRow, IncidentRow, TallyRow
from rapid_response.storage.tx import Tx

#: Bounds of the histograms, in seconds.
ANSWER_BOUNDS = tuple(60.0 * m for m in (5, 15, 30, 45, 60, 75, 90, 105, 120, 150, 180, 240, 480))
LATENESS_BOUNDS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
HAND_OVER_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

#: A cancelled contract or a stopped payment may name the same pounds: those are told apart on the board.
_KINDS_OF_MONEY = {
    OutcomeCode.MONEY_PREVENTED: "prevented",
    OutcomeCode.MONEY_RECOVERED: "recovered",
}


def labels_key(labels: Mapping[str, str]) -> str:
    """Labels as the tally's key."""
    return json.dumps(dict(labels), sort_keys=True, separators=(",", ":"))


def tally(tx: Tx, event: EventRow) -> None:
    """Count one event."""
    count = _COUNT.get(event.type)
    if count is not None:
        count(tx, event, json.loads(event.data))


def _add(tx: Tx, name: str, by: float = 1.0, **labels: str) -> None:
    make = sqlite.insert if tx.is_sqlite else postgresql.insert
    row = make(TallyRow).values(name=name, labels=labels_key(labels), value=by)
    tx.execute(
        row.on_conflict_do_update(
            index_elements=[col(TallyRow.name), col(TallyRow.labels)],
            set_={"value": col(TallyRow.value) + row.excluded.value},
        )
    )


def _observe(tx: Tx, name: str, seconds: float, bounds: Sequence[float], **labels: str) -> None:
    """One observation: its own bucket, the count and the sum; buckets are added up when they are shown."""
    bound = next((b for b in bounds if seconds <= b), None)
    _add(tx, f"{name}_bucket", **labels, le="+Inf" if bound is None else repr(bound))
    _add(tx, f"{name}_sum", by=seconds, **labels)


def _category(tx: Tx, event: EventRow) -> str:
    found = tx.execute(select(col(IncidentRow.category)).where(col(IncidentRow.id) == event.stream)).scalar()
    return str(found or "other")


def _earlier(tx: Tx, event: EventRow, type_: str) -> Mapping[str, Any] | None:
    """The newest event of that type before this one."""
    data = tx.execute(
        select(col(EventRow.data))
        .where(
            col(EventRow.stream) == event.stream, col(EventRow.seq) < event.seq, col(EventRow.type) == type_
        )
        .order_by(col(EventRow.seq).desc())
        .limit(1)
    ).scalar()
    return None if data is None else json.loads(data)


def _contact(tx: Tx, event: EventRow, data: Mapping[str, Any]) -> None:
    _add(tx, "contacts", channel=data["channel"])


def _incident(tx: Tx, event: EventRow, data: Mapping[str, Any]) -> None:
    """An incident counts once, as it was first decided: a correction must not look like a restart."""
    if _earlier(tx, event, PriorityDecided.type) is not None:
        return
    classified = _earlier(tx, event, IncidentClassified.type) or {}
    _add(tx, "incidents", category=classified.get("category", "other"), priority=data["priority"])
    if classified.get("repeat_victim"):
        _add(tx, "repeat_victims")


def _targeting(tx: Tx, event: EventRow, data: Mapping[str, Any]) -> None:
    before = _earlier(tx, event, TargetingAssessed.type) or {"state": "none"}
    if data["state"] != before["state"]:
        _add(tx, "age_targeting", state=data["state"])


def _stopped(tx: Tx, event: EventRow, data: Mapping[str, Any]) -> None:
    category = _category(tx, event)
    if data["met"]:
        _add(tx, "sla_met", category=category, mode=data["stopped_by"])
    net = data["gross_seconds"] - data["paused_seconds"]
    _observe(tx, "time_to_respond_seconds", net, ANSWER_BOUNDS, category=category)


def _taken_back(tx: Tx, event: EventRow, data: Mapping[str, Any]) -> None:
    before = _earlier(tx, event, ClockStopped.type)
    if data["took_stop_back"] and before is not None and before["met"]:
        _add(tx, "sla_met_corrections", category=_category(tx, event), mode=before["stopped_by"])


def _missed(tx: Tx, event: EventRow, data: Mapping[str, Any]) -> None:
    _add(tx, "sla_breached", category=_category(tx, event))
    _late(tx, event, data)


def _late(tx: Tx, event: EventRow, data: Mapping[str, Any]) -> None:
    _observe(tx, "deadline_lateness_seconds", data["late_seconds"], LATENESS_BOUNDS)


def _accepted(tx: Tx, event: EventRow, data: Mapping[str, Any]) -> None:
    started = tx.execute(
        select(col(IncidentRow.started_at), col(IncidentRow.category)).where(
            col(IncidentRow.id) == event.stream
        )
    ).first()
    if started is not None and started.started_at is not None:
        seconds = max(0.0, (event.at - started.started_at).total_seconds())
        _observe(tx, "time_to_accept_seconds", seconds, ANSWER_BOUNDS, category=started.category)


def _message_accepted(tx: Tx, event: EventRow, data: Mapping[str, Any]) -> None:
    _add(tx, "messages", purpose=data["purpose"], channel=data["channel"], status="accepted")
    if data["seconds_since_report"] is not None:
        _observe(tx, "report_to_offer_seconds", data["seconds_since_report"], HAND_OVER_BOUNDS)


def _message_settled(tx: Tx, event: EventRow, data: Mapping[str, Any]) -> None:
    _add(tx, "messages", purpose=data["purpose"], channel=data["channel"], status=data["state"])


def _outcome(tx: Tx, event: EventRow, data: Mapping[str, Any]) -> None:
    _add(tx, "outcomes", outcome=data["code"])
    kind = _KINDS_OF_MONEY.get(data["code"])
    if kind is not None and data["amount_pence"] is not None:
        _add(tx, "money_pounds", by=data["amount_pence"] / 100, kind=kind, grade=data["evidence_grade"])


_COUNT: Mapping[str, Callable[[Tx, EventRow, Mapping[str, Any]], None]] = {
    ReportReceived.type: _contact,
    PriorityDecided.type: _incident,
    TargetingAssessed.type: _targeting,
    ClockStopped.type: _stopped,
    NoContactMade.type: _taken_back,
    DeadlineMissed.type: _missed,
    DeadlineWarned.type: _late,
    RungReached.type: _late,
    OfferAccepted.type: _accepted,
    MessageAccepted.type: _message_accepted,
    MessageSettled.type: _message_settled,
    OutcomeRecorded.type: _outcome,
}

#: The events that are counted.
COUNTED = tuple(_COUNT)
