"""Counters fed by events, each exactly once: what /metrics reads, so that no scrape ever counts incidents.

A counter counts entries and never falls; what is taken back is counted in a series of its own (design.md 9).
A restart or another node changes nothing, because the counts are rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Executable, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.core.events import (
    CallerRangOff,
    CheckInAsked,
    CheckInMissed,
    ClockMovedBack,
    ClockStopped,
    DeadlineMissed,
    DeadlineWarned,
    IncidentAmended,
    IncidentClassified,
    MessageAccepted,
    MessageReconciled,
    MessageSettled,
    MessageTroubled,
    NextStepRestored,
    NoContactMade,
    NotificationKept,
    OfferAccepted,
    OfferDeclined,
    OtherWayTried,
    OutcomeCorrected,
    OutcomeRecorded,
    PriorityDecided,
    ReferralMoved,
    ReportReceived,
    RungReached,
    SecondReadingAnswered,
    SecondReadingRecorded,
    TargetingAssessed,
)
from rapid_response.core.vocabulary import Channel, OutcomeCode
from rapid_response.messaging.rules import is_known_code
from rapid_response.storage.once import Filled, once
from rapid_response.storage.tables import EventRow, InboundMessageRow, IncidentRow, ProviderEventRow, TallyRow
from rapid_response.storage.tx import Tx

#: Bounds of the histograms, in seconds.
ANSWER_BOUNDS = tuple(60.0 * m for m in (5, 15, 30, 45, 60, 75, 90, 105, 120, 150, 180, 240, 480))
LATENESS_BOUNDS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
HAND_OVER_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
REQUEST_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)
DELIVERY_BOUNDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)

#: A cancelled contract or a stopped payment may name the same pounds: those are told apart on the board.
_KINDS_OF_MONEY = {
    OutcomeCode.MONEY_PREVENTED: "prevented",
    OutcomeCode.MONEY_RECOVERED: "recovered",
}


def labels_key(labels: Mapping[str, str]) -> str:
    """Labels as the tally's key."""
    return json.dumps(dict(labels), sort_keys=True, separators=(",", ":"))


class _Sums:
    """What some events add to the tallies; written once a tally, in one order on every node."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        self._sums: dict[tuple[str, str], float] = {}

    def add(self, name: str, by: float = 1.0, **labels: str) -> None:
        self._add(name, by, labels)

    def _add(self, name: str, by: float, labels: Mapping[str, str]) -> None:
        key = (name, labels_key(labels))
        self._sums[key] = self._sums.get(key, 0.0) + by

    def observe(self, name: str, seconds: float, bounds: Sequence[float], **labels: str) -> None:
        """One observation: its own bucket and the sum; buckets are added up when they are shown."""
        bound = next((b for b in bounds if seconds <= b), None)
        self._add(f"{name}_bucket", 1.0, {**labels, "le": "+Inf" if bound is None else repr(bound)})
        self._add(f"{name}_sum", seconds, labels)

    def write(self) -> None:
        """Add the sums to their rows."""
        rows = [{"n": name, "l": labels, "v": value} for (name, labels), value in sorted(self._sums.items())]
        if rows:
            self.tx.execute_many(_ADD[self.tx.is_sqlite], rows)


def _adding(make: Any) -> Filled[Any]:
    row = make(TallyRow).values(name=bindparam("n"), labels=bindparam("l"), value=bindparam("v"))
    return Filled(
        row.on_conflict_do_update(
            index_elements=[col(TallyRow.name), col(TallyRow.labels)],
            set_={"value": col(TallyRow.value) + row.excluded.value},
        )
    )


_ADD = {True: _adding(sqlite.insert), False: _adding(postgresql.insert)}


def tally(tx: Tx, events: Sequence[EventRow]) -> None:
    """Count some events."""
    sums = _Sums(tx)
    for event in events:
        count = _COUNT.get(event.type)
        if count is not None:
            count(sums, event, json.loads(event.data))
    sums.write()


def _category(tx: Tx, event: EventRow) -> str:
    """What it was when this happened, by the log: what is said of it since moves no count."""
    return _category_at(tx, event.stream, event.seq)


def _category_at(tx: Tx, stream: str, seq: int) -> str:
    classified = _newest(tx, stream, seq, IncidentClassified.type)
    return str(classified[1].get("category", "other")) if classified else "other"


def _earlier(tx: Tx, event: EventRow, type_: str) -> Mapping[str, Any] | None:
    """The newest event of that type before this one."""
    found = _newest(tx, event.stream, event.seq, type_)
    return found[1] if found else None


def _newest(tx: Tx, stream: str, seq: int, type_: str) -> tuple[int, Mapping[str, Any]] | None:
    row = tx.execute(_newest_before(stream, seq, type_)).first()
    return None if row is None else (row.seq, json.loads(row.data))


@once
def _newest_before(stream: str, seq: int, type_: str) -> Executable:
    return (
        select(col(EventRow.seq), col(EventRow.data))
        .where(col(EventRow.stream) == stream, col(EventRow.seq) < seq, col(EventRow.type) == type_)
        .order_by(col(EventRow.seq).desc())
        .limit(1)
    )


def _contact(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    # A notification that a person raised to an incident was a contact before it was one, and so was the call
    # of somebody who seemed to have rung off.
    if not data.get("raised_from"):
        sums.add("contacts", channel=data["channel"])


def _silent_call(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    sums.add("contacts", channel=Channel.PHONE)


def _incident(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    """An incident counts once, as it was first decided: a correction must not look like a restart."""
    if _earlier(sums.tx, event, PriorityDecided.type) is not None:
        _found_repeat(sums, event)
        return
    classified = _earlier(sums.tx, event, IncidentClassified.type) or {}
    sums.add("incidents", category=classified.get("category", "other"), priority=data["priority"])
    if classified.get("repeat_victim"):
        sums.add("repeat_victims")


def _amended(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    _found_repeat(sums, event)


def _found_repeat(sums: _Sums, event: EventRow) -> None:
    """Once an incident, by the first decision or correction from which on it is known to be one."""
    told = sums.tx.execute(
        select(col(EventRow.seq), col(EventRow.type), col(EventRow.data))
        .where(
            col(EventRow.stream) == event.stream,
            col(EventRow.seq) <= event.seq,
            col(EventRow.type).in_((IncidentClassified.type, IncidentAmended.type, PriorityDecided.type)),
        )
        .order_by(col(EventRow.seq))
    )
    is_known = False
    for row in told:
        is_known = is_known or json.loads(row.data).get("repeat_victim") is True
        if is_known and row.type != IncidentClassified.type:
            if row.seq == event.seq:
                sums.add("repeat_victims")
            return


def _targeting(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    before = _earlier(sums.tx, event, TargetingAssessed.type) or {"state": "none"}
    if data["state"] != before["state"]:
        sums.add("age_targeting", state=data["state"])


def _stopped(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    category = _category(sums.tx, event)
    if data["met"]:
        sums.add("sla_met", category=category, mode=data["stopped_by"])
    if data.get("breach_taken_back"):
        missed = _newest(sums.tx, event.stream, event.seq, DeadlineMissed.type)
        if missed is not None:
            was = _category_at(sums.tx, event.stream, missed[0])
            sums.add("sla_breached_corrections", category=was)
    net = data["gross_seconds"] - data["paused_seconds"]
    sums.observe("time_to_respond_seconds", net, ANSWER_BOUNDS, category=category)


def _taken_back(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    if data["took_stop_back"]:
        _no_longer_met(sums, event)


def _moved_back(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    if data["no_longer_met"]:
        _no_longer_met(sums, event)


def _no_longer_met(sums: _Sums, event: EventRow) -> None:
    """The correction stands beside the count that it corrects, once: of the category that it was then."""
    stop = _newest(sums.tx, event.stream, event.seq, ClockStopped.type)
    moved = _newest(sums.tx, event.stream, event.seq, ClockMovedBack.type)
    is_corrected = bool(stop and moved and moved[0] > stop[0] and moved[1]["no_longer_met"])
    if stop is not None and stop[1]["met"] and not is_corrected:
        was = _category_at(sums.tx, event.stream, stop[0])
        sums.add("sla_met_corrections", category=was, mode=stop[1]["stopped_by"])


def _missed(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    sums.add("sla_breached", category=_category(sums.tx, event))
    _late(sums, event, data)


def _late(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    sums.observe("deadline_lateness_seconds", data["late_seconds"], LATENESS_BOUNDS)


def _answered(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    if data.get("seconds") is not None and data.get("priority"):
        sums.observe(
            "offer_to_answer_seconds",
            data["seconds"],
            DELIVERY_BOUNDS,
            priority=data["priority"],
            channel=_BY.get(data["source"], "desk"),
        )


#: The channel of an answer; what is not said by the responder herself was written down by the desk.
_BY = {"sms": "sms", "voice": "voice", "page": "page"}


def _accepted(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    _answered(sums, event, data)
    started = sums.tx.execute(
        select(col(IncidentRow.started_at), col(IncidentRow.category)).where(
            col(IncidentRow.id) == event.stream
        )
    ).first()
    if started is not None and started.started_at is not None:
        seconds = max(0.0, (event.at - started.started_at).total_seconds())
        sums.observe("time_to_accept_seconds", seconds, ANSWER_BOUNDS, category=started.category)


def _message_accepted(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    sums.add("messages", purpose=data["purpose"], channel=data["channel"], status="accepted")
    if data["seconds_since_report"] is not None:
        sums.observe("report_to_offer_seconds", data["seconds_since_report"], HAND_OVER_BOUNDS)
    _attempted(sums, data, "accepted", "none")
    for name, key in (("segments", "segments"), ("non_gsm_replaced", "replaced")):
        if data.get(key):
            sums.add(name, by=data[key])


_OPERATIONS = {"sms": "send_text", "voice": "place_call"}


def _attempted(sums: _Sums, data: Mapping[str, Any], outcome: str, error_class: str) -> None:
    provider = data.get("provider") or "unknown"
    sums.add(
        "message_attempts",
        provider=provider,
        channel=data["channel"],
        outcome=outcome,
        error_class=error_class,
    )
    if data.get("request_seconds") is not None:
        operation = _OPERATIONS[data["channel"]]
        sums.observe(
            "provider_request_seconds",
            data["request_seconds"],
            REQUEST_BOUNDS,
            provider=provider,
            operation=operation,
        )


def _troubled(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    """An attempt is counted by its answer; what failed on the way to the handset, by its code alone."""
    error_class = data.get("error_class") or "unclassified"
    if data["what"] == "refused":
        _attempted(sums, data, "rejected", error_class)
    if data["what"] == "unknown":
        _attempted(sums, data, "ambiguous", "ambiguous")
    code = data.get("error_code") or ""
    if code:
        known = code if is_known_code(code) else "other"
        sums.add("provider_errors", provider=data.get("provider") or "unknown", code=known)


def _reconciled(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    sums.add("reconciled", result=data["result"])


def _failed_over(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    sums.add("failover", from_rung=data["from_way"], to_rung=data["to_way"], reason=data["reason"])


#: What became of a call that was settled as failed.
_CALL_ENDS = {"call_busy": "busy", "call_no_answer": "no_answer"}


def _message_settled(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    sums.add("messages", purpose=data["purpose"], channel=data["channel"], status=data["state"])
    if data["channel"] == "voice":
        ended = "answered" if data["state"] == "delivered" else _CALL_ENDS.get(data["error_class"], "failed")
        sums.add("calls", direction="out", outcome=ended)
    elif data.get("accept_seconds") is not None:
        sums.observe(
            "message_accept_to_delivered_seconds",
            data["accept_seconds"],
            DELIVERY_BOUNDS,
            provider=data.get("provider") or "unknown",
        )
    if data.get("offer_seconds") is not None:
        sums.observe(
            "offer_to_first_delivery_seconds",
            data["offer_seconds"],
            DELIVERY_BOUNDS,
            priority=data["priority"],
            channel=data["channel"],
        )


def _restored(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    sums.add("next_steps_restored", check=data["check"])


def _outcome(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    _count_outcome(sums, data, "outcomes", "money_pounds")


def _outcome_corrected(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    _count_outcome(sums, data, "outcomes_corrections", "money_pounds_corrections")


def _count_outcome(sums: _Sums, data: Mapping[str, Any], outcomes: str, money: str) -> None:
    sums.add(outcomes, outcome=data["code"])
    kind = _KINDS_OF_MONEY.get(data["code"])
    if kind is not None and data["amount_pence"] is not None:
        sums.add(money, by=data["amount_pence"] / 100, kind=kind, grade=data["evidence_grade"])


def _referral(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    sums.add("referrals", kind=data["kind"], state=data["state"])


def _second_reading(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    result = "raises" if data["raises"] else "suggests" if data["suggested"] else "nothing"
    sums.add("second_readings", result=result)
    if data["dropped"]:
        sums.add("second_reading_claims_dropped", by=float(data["dropped"]))


def _second_answered(sums: _Sums, event: EventRow, data: Mapping[str, Any]) -> None:
    sums.add("second_reading_answers", answer="agree" if data["agrees"] else "disagree")


_COUNT: Mapping[str, Callable[[_Sums, EventRow, Mapping[str, Any]], None]] = {
    ReportReceived.type: _contact,
    NotificationKept.type: _contact,
    CallerRangOff.type: _silent_call,
    PriorityDecided.type: _incident,
    IncidentAmended.type: _amended,
    TargetingAssessed.type: _targeting,
    ClockStopped.type: _stopped,
    NoContactMade.type: _taken_back,
    ClockMovedBack.type: _moved_back,
    DeadlineMissed.type: _missed,
    DeadlineWarned.type: _late,
    RungReached.type: _late,
    CheckInAsked.type: _late,
    CheckInMissed.type: _late,
    OfferAccepted.type: _accepted,
    OfferDeclined.type: _answered,
    MessageAccepted.type: _message_accepted,
    MessageTroubled.type: _troubled,
    MessageReconciled.type: _reconciled,
    MessageSettled.type: _message_settled,
    OtherWayTried.type: _failed_over,
    OutcomeRecorded.type: _outcome,
    OutcomeCorrected.type: _outcome_corrected,
    ReferralMoved.type: _referral,
    NextStepRestored.type: _restored,
    SecondReadingRecorded.type: _second_reading,
    SecondReadingAnswered.type: _second_answered,
}

#: The events that are counted.
COUNTED = tuple(_COUNT)


# --- rows that no event tells of -------------------------------------------------------------------------

#: Counted from their rows, a few at a time, each once: what the provider told us, and what people texted.
FROM_ROWS = ("callbacks", "inbound_messages", "inbound_lag_seconds_bucket", "inbound_lag_seconds_sum")

_RESULTS = {
    "act": "acted",
    "check_in": "acted",
    "already": "idempotent",
    "list_jobs": "ambiguous",
    "clarify": "not_understood",
    "note": "not_understood",
    "denied": "not_understood",
    "new_report": "unknown_sender",
    "opt_out": "opt_out",
    "opt_in": "opt_out",
}


def count_rows(tx: Tx, limit: int = 500) -> int:
    """Count some receipts and replies that were not counted yet; returns how many rows."""
    sums = _Sums(tx)
    receipts = tx.all(
        typed_select(ProviderEventRow)
        .where(col(ProviderEventRow.to_count).is_not(None), col(ProviderEventRow.retry_until).is_(None))
        .order_by(col(ProviderEventRow.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    for receipt in receipts:
        _count_row(sums, receipt, "callbacks", {"kind": receipt.kind}, receipt.why)
    replies = tx.all(
        typed_select(InboundMessageRow)
        .where(col(InboundMessageRow.to_count).is_not(None), col(InboundMessageRow.effect).is_not(None))
        .order_by(col(InboundMessageRow.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    for reply in replies:
        if not reply.is_counted and reply.sent_at is not None:
            lag = (reply.received_at - reply.sent_at).total_seconds()
            sums.observe("inbound_lag_seconds", lag, DELIVERY_BOUNDS)
        result = _RESULTS.get(reply.effect or "", "ignored")
        _count_row(sums, reply, "inbound_messages", {"source": reply.source}, result)
    sums.write()
    return len(receipts) + len(replies)


def _count_row(
    sums: _Sums,
    row: ProviderEventRow | InboundMessageRow,
    name: str,
    labels: Mapping[str, str],
    result: str,
) -> None:
    """The first telling by what it came to, every other as a duplicate."""
    times = row.to_count or 0
    if not row.is_counted:
        sums.add(name, 1.0, result=result, **labels)
        times -= 1
    if times > 0:
        sums.add(name, times, result="duplicate", **labels)
    row.to_count, row.is_counted = None, True
