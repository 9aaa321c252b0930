"""What Prometheus scrapes: counters from the tallies, gauges from small indexed queries (contract.md 6).

No label holds a reference, a name, a number, a place with a person, or free text: all come from closed lists.
Every combination that can be known beforehand is shown from zero, so that its first event is an increase.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from sqlalchemy import Connection, Select, exists, func, or_, select
from sqlmodel import col

from rapid_response.audit.findings import Check
from rapid_response.core.incident import OPEN_STATUSES
from rapid_response.core.states import READY, EndpointState, MessageChannel, MessageState, Purpose
from rapid_response.core.vocabulary import (
    AgeTargeting,
    Category,
    Channel,
    ClockState,
    EvidenceGrade,
    OutcomeCode,
    Priority,
    ReferralKind,
    ReferralState,
    ReferralStep,
    StoppedBy,
)
from rapid_response.reporting.tallies import (
    ANSWER_BOUNDS,
    DELIVERY_BOUNDS,
    HAND_OVER_BOUNDS,
    LATENESS_BOUNDS,
    REQUEST_BOUNDS,
    labels_key,
)
from rapid_response.storage import holds
from rapid_response.storage.due import due
from rapid_response.storage.duties import Duty
from rapid_response.storage.tables import (
    AgendaRow,
    CallRow,
    ClockFaultRow,
    DeliveryRow,
    DutyRow,
    EndpointRow,
    IncidentRow,
    LineRow,
    MessageRow,
    NodeRow,
    TallyRow,
)

PREFIX = "rapid_response_"
#: Later than this is overdue: the worker looks each second.
_OVERDUE_AFTER = timedelta(seconds=5)

_Labels = Mapping[str, str]


def _values(enum: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(v) for v in enum)


#: Counters: name, help, and the closed list of each label.
_COUNTERS: Sequence[tuple[str, str, Mapping[str, Sequence[str]]]] = (
    ("contacts", "Reports received, by channel", {"channel": _values(Channel)}),
    (
        "incidents",
        "Incidents, as they were first decided",
        {"category": _values(Category), "priority": _values(Priority)},
    ),
    ("age_targeting", "Entries into each state of age targeting", {"state": _values(AgeTargeting)[1:]}),
    (
        "sla_met",
        "Responses within two hours, by how",
        {"category": _values(Category), "mode": _values(StoppedBy)},
    ),
    (
        "sla_met_corrections",
        "Responses in time that were taken back: nobody was reached",
        {"category": _values(Category), "mode": _values(StoppedBy)},
    ),
    ("sla_breached", "Two-hour promises missed", {"category": _values(Category)}),
    (
        "sla_breached_corrections",
        "Missed promises that were taken back: word of the response had been sent in time",
        {"category": _values(Category)},
    ),
    (
        "messages",
        "Messages, by what became of them",
        {
            "purpose": _values(Purpose),
            "channel": _values(MessageChannel),
            "status": (
                "accepted",
                MessageState.DELIVERED.value,
                MessageState.FAILED.value,
                MessageState.EXPIRED.value,
            ),
        },
    ),
    ("outcomes", "Outcomes recorded", {"outcome": _values(OutcomeCode)}),
    (
        "money_pounds",
        "Pounds kept from suspects or got back, by how sure the sum is",
        {"kind": ("prevented", "recovered"), "grade": _values(EvidenceGrade)},
    ),
    (
        "outcomes_corrections",
        "Outcomes that were put right, as they had been recorded",
        {"outcome": _values(OutcomeCode)},
    ),
    (
        "money_pounds_corrections",
        "Pounds of outcomes that were put right, as they had been recorded",
        {"kind": ("prevented", "recovered"), "grade": _values(EvidenceGrade)},
    ),
    (
        "next_steps_restored",
        "What the auditor found missing and set again",
        {"check": _values(Check)},
    ),
    (
        "referrals",
        "Referrals, by what became of them; chased is asking again",
        {
            "kind": _values(ReferralKind),
            "state": (*_values(ReferralState), ReferralStep.CHASED.value),
        },
    ),
    ("repeat_victims", "Incidents of somebody who was a victim within the year before", {}),
    (
        "second_readings",
        "Reports read by the second reader, by what came of it",
        {"result": ("nothing", "suggests", "raises")},
    ),
    ("second_reading_claims_dropped", "Claims of the second reader that were not believed", {}),
    (
        "second_reading_answers",
        "What people said to its suggestions",
        {"answer": ("agree", "disagree")},
    ),
    ("segments", "Parts of texts that the provider took", {}),
    ("non_gsm_replaced", "Characters of texts that became a question mark", {}),
    (
        "reconciled",
        "What looking up unknown messages came to",
        {"result": ("adopted", "absent", "duplicate", "unresolved")},
    ),
)

#: Counters whose labels are of closed lists too long to be shown whole: what has happened is shown.
_SPARSE_COUNTERS: Sequence[tuple[str, str, Sequence[str]]] = (
    (
        "message_attempts",
        "Requests to the provider, by how it answered",
        ("provider", "channel", "outcome", "error_class"),
    ),
    ("provider_errors", "Error codes of the provider; unlisted ones as other", ("provider", "code")),
    (
        "failover",
        "Steps of the ladder inside an offer, and why they were taken",
        ("from_rung", "to_rung", "reason"),
    ),
    ("callbacks", "Receipts of texts and calls, by what they came to", ("kind", "result")),
    ("inbound_messages", "Texts to us, by how they came and what they did", ("source", "result")),
)
_SPARSE_HISTOGRAMS: Sequence[tuple[str, str, Sequence[float], Sequence[str]]] = (
    (
        "provider_request_seconds",
        "How long the provider took to answer",
        REQUEST_BOUNDS,
        ("provider", "operation"),
    ),
    (
        "message_accept_to_delivered_seconds",
        "From a text's acceptance to its delivery",
        DELIVERY_BOUNDS,
        ("provider",),
    ),
    (
        "offer_to_first_delivery_seconds",
        "From an offer to the first thing that arrived of it",
        DELIVERY_BOUNDS,
        ("priority", "channel"),
    ),
    (
        "offer_to_answer_seconds",
        "From an offer to its answer, by the channel of the answer",
        DELIVERY_BOUNDS,
        ("priority", "channel"),
    ),
    ("inbound_lag_seconds", "From a text's own time to ours, where the list found it", DELIVERY_BOUNDS, ()),
)

#: Histograms: name, help, bounds, and whether there is one a category.
_HISTOGRAMS: Sequence[tuple[str, str, Sequence[float], bool]] = (
    ("time_to_accept_seconds", "From the clock's start to an acceptance", ANSWER_BOUNDS, True),
    (
        "time_to_respond_seconds",
        "From the clock's start to the response, pauses left out",
        ANSWER_BOUNDS,
        True,
    ),
    (
        "deadline_lateness_seconds",
        "How late warnings, rungs, breaches and check-ins fired",
        LATENESS_BOUNDS,
        False,
    ),
    (
        "report_to_offer_seconds",
        "From a durable report to its offer at the provider",
        HAND_OVER_BOUNDS,
        False,
    ),
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The figures of one moment, read in one transaction."""

    tallies: Mapping[tuple[str, str], float]
    open: Mapping[tuple[str, str], int]
    gauges: Mapping[str, float] = field(default_factory=dict)
    #: Gauges with labels: by name, each with its labels and value.
    labelled: Mapping[str, Sequence[tuple[_Labels, float]]] = field(default_factory=dict)
    calls: Mapping[tuple[str, str], float] = field(default_factory=dict)
    #: What the last audit found, by check.
    audited: Mapping[str, int] = field(default_factory=dict)


def read_snapshot(connection: Connection, now: datetime, cover: Mapping[str, float]) -> Snapshot:
    """Read the figures. `cover` is what the rota and the opening hours come to, empty with none loaded."""
    tallies = {
        (row.name, row.labels): row.value
        for row in connection.execute(select(col(TallyRow.name), col(TallyRow.labels), col(TallyRow.value)))
    }
    return Snapshot(
        tallies,
        _open(connection),
        {**dict(_gauges(connection, now)), **cover},
        {
            "message_state": _message_states(connection),
            "provider_breaker_open": _breakers(connection),
            "endpoints": _endpoints(connection),
        },
        _calls_in(connection),
        _audited(connection),
    )


_LIVE = (*READY, MessageState.UNKNOWN, MessageState.IN_NETWORK)


def _message_states(connection: Connection) -> list[tuple[_Labels, float]]:
    """How many messages stand where; only what is still to be looked at is read."""
    rows = connection.execute(
        select(col(MessageRow.state), func.count().label("many"))
        .where(col(MessageRow.next_attempt_at).is_not(None))
        .group_by(col(MessageRow.state))
    )
    found = {row.state: row.many for row in rows}
    return [({"state": state.value}, found.get(state, 0)) for state in _LIVE]


def _breakers(connection: Connection) -> list[tuple[_Labels, float]]:
    rows = connection.execute(select(col(LineRow.provider), col(LineRow.channel), col(LineRow.opened_at)))
    return [
        ({"provider": row.provider, "channel": row.channel.value}, float(row.opened_at is not None))
        for row in rows
    ]


def _endpoints(connection: Connection) -> list[tuple[_Labels, float]]:
    rows = connection.execute(
        select(col(EndpointRow.channel), col(EndpointRow.state), func.count().label("many")).group_by(
            col(EndpointRow.channel), col(EndpointRow.state)
        )
    )
    found = {(row.channel, row.state): row.many for row in rows}
    return [
        ({"kind": channel.value, "state": state.value}, found.get((channel, state.value), 0))
        for channel in MessageChannel
        for state in EndpointState
    ]


def _calls_in(connection: Connection) -> dict[tuple[str, str], float]:
    """Calls to the hotline that left a message, were taken at the desk, or came to neither."""
    rows = connection.execute(
        select(col(CallRow.outcome), func.count().label("many"))
        .where(col(CallRow.inbound), col(CallRow.outcome).is_not(None))
        .group_by(col(CallRow.outcome))
    )
    found = {row.outcome: row.many for row in rows}
    answered = {("in", outcome): float(found.get(outcome, 0)) for outcome in ("voicemail", "desk")}
    return {**answered, ("in", "no_message"): float(sum(found.values())) - sum(answered.values())}


def _open(connection: Connection) -> dict[tuple[str, str], int]:
    rows = connection.execute(
        select(col(IncidentRow.category), col(IncidentRow.status), func.count().label("many"))
        .where(col(IncidentRow.is_open))
        .group_by(col(IncidentRow.category), col(IncidentRow.status))
    )
    return {(row.category.value, row.status.value): row.many for row in rows}


def _gauges(connection: Connection, now: datetime) -> Iterator[tuple[str, float]]:
    counting = (
        col(IncidentRow.is_open),
        col(IncidentRow.stopped_at).is_(None),
        or_(
            col(IncidentRow.clock_state) == ClockState.RUNNING,
            col(IncidentRow.clock_state) == ClockState.BREACHED,
        ),
    )
    oldest = connection.execute(
        select(func.min(col(IncidentRow.started_at))).where(*counting, col(IncidentRow.owner).is_(None))
    ).scalar()
    yield "oldest_unassigned_seconds", max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    next_due = connection.execute(select(func.min(col(IncidentRow.due_at))).where(*counting)).scalar()
    if next_due is not None:
        yield "next_due_seconds", (next_due - now).total_seconds()
    yield (
        "agenda_overdue",
        connection.execute(
            select(func.count()).select_from(AgendaRow).where(*due(now - _OVERDUE_AFTER))
        ).scalar_one(),
    )
    yield "work_parked", sum(_parked(connection))
    yield (
        "message_unknown",
        connection.execute(
            select(func.count())
            .select_from(MessageRow)
            .where(
                col(MessageRow.next_attempt_at).is_not(None), col(MessageRow.state) == MessageState.UNKNOWN
            )
        ).scalar_one(),
    )
    waits = connection.execute(
        select(func.min(col(MessageRow.created_at))).where(
            col(MessageRow.next_attempt_at).is_not(None),
            col(MessageRow.state).in_(READY),
        )
    ).scalar()
    yield "oldest_pending_message_seconds", max(0.0, (now - waits).total_seconds()) if waits else 0.0
    yield "open_without_next_step", connection.execute(_without_next_step()).scalar_one()
    swept = connection.execute(select(func.max(col(NodeRow.swept_at)))).scalar()
    yield "last_sweep_timestamp_seconds", swept.timestamp() if swept else 0.0
    yield from _upkeep(connection)


def _upkeep(connection: Connection) -> Iterator[tuple[str, float]]:
    """How the service looks after itself: when each duty was last done well, and what stands in the way."""
    done = {
        row.name: row
        for row in connection.execute(select(col(DutyRow.name), col(DutyRow.done_at), col(DutyRow.good_at)))
    }
    for duty, name in _DUTIES.items():
        row = done.get(duty.value)
        good_at = row.good_at if row is not None else None
        yield name, good_at.timestamp() if good_at else 0.0
    yield "messages_held", float(holds.standing(connection) is not None)
    jumped = connection.execute(
        select(func.max(func.abs(col(ClockFaultRow.step_seconds)))).where(
            col(ClockFaultRow.confirmed_at).is_(None)
        )
    ).scalar()
    yield "clock_step_seconds", jumped or 0.0


_DUTIES = {
    Duty.AUDIT: "audit_good_timestamp_seconds",
    Duty.CHECK: "database_checked_timestamp_seconds",
    Duty.BACKUP: "backup_timestamp_seconds",
}


def _audited(connection: Connection) -> dict[str, int]:
    """What the last audit found, by check."""
    found = connection.execute(
        select(col(DutyRow.found)).where(col(DutyRow.name) == Duty.AUDIT.value)
    ).scalar()
    return dict(found or {})


def _parked(connection: Connection) -> Iterator[int]:
    for table in (AgendaRow, DeliveryRow):
        yield connection.execute(
            select(func.count()).select_from(table).where(col(table.parked_at).is_not(None))
        ).scalar_one()


def _without_next_step() -> Select[int]:
    """Open incidents for which nothing is on the agenda: there must be none, ever."""
    awaited = exists().where(
        col(AgendaRow.incident_id) == col(IncidentRow.id),
        col(AgendaRow.settled_at).is_(None),
        col(AgendaRow.parked_at).is_(None),
    )
    return select(func.count()).select_from(IncidentRow).where(col(IncidentRow.is_open), ~awaited)


_GAUGE_HELP = {
    "oldest_unassigned_seconds": "Age of the oldest running clock that nobody has taken",
    "next_due_seconds": "Seconds until the next promise is due; negative when one is overdue",
    "agenda_overdue": "Agenda entries more than five seconds overdue",
    "work_parked": "Work that failed too often and waits for a person",
    "message_unknown": "Messages of which nobody knows whether they went",
    "oldest_pending_message_seconds": "Age of the oldest message that waits to be sent",
    "open_without_next_step": "Open incidents without a next step; must be 0",
    "last_sweep_timestamp_seconds": "When a node last looked for due work",
    "responders_on_duty": "Responders on duty now",
    "coverage_open": "1 while the service is open, so that a report's clock starts at once",
    "audit_good_timestamp_seconds": "When the auditor last found every open incident cared for",
    "database_checked_timestamp_seconds": "When the database and its log were last checked and found whole",
    "backup_timestamp_seconds": "When the backup command last made a copy",
    "messages_held": "1 while messages and deadlines are held",
    "clock_step_seconds": "By how much the clock has jumped, until a person confirms it",
    "disk_free_ratio": "Free share of the disk that the SQLite file is on",
    "disk_free_bytes": "Room left on the disk that the SQLite file is on",
    "loop_age_seconds": "For how long the slowest loop of this node has not come round",
}


_LABELLED_HELP = {
    "message_state": "Messages that are not settled, by where they stand",
    "provider_breaker_open": "1 while nothing is sent over a provider's texts, or calls",
    "endpoints": "Numbers of which something is known, by what",
}
_CALL_OUTCOMES = ("answered", "busy", "no_answer", "failed")


class _NodeCollector(Collector):
    """What a node knows by itself as metric families."""

    def __init__(self, gauges: Mapping[str, float]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        yield from _gauge_families(self._gauges)


class _Collector(Collector):
    """One snapshot as metric families."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        for name, text, labels in _COUNTERS:
            yield self._counter(name, text, labels)
        for name, text, bounds, by_category in _HISTOGRAMS:
            yield self._histogram(name, text, bounds, by_category)
        for name, text, names in _SPARSE_COUNTERS:
            yield self._sparse_counter(name, text, names)
        for name, text, bounds, names in _SPARSE_HISTOGRAMS:
            yield self._sparse_histogram(name, text, bounds, names)
        yield self._calls()
        for name, samples in self._snapshot.labelled.items():
            yield _labelled(name, samples)
        yield self._open()
        yield self._audited()
        yield from _gauge_families(self._snapshot.gauges)

    def _audited(self) -> Metric:
        family = GaugeMetricFamily(f"{PREFIX}audit_findings", "What the last audit found", labels=["check"])
        for check in Check:
            family.add_metric([check.value], self._snapshot.audited.get(check.value, 0))
        return family

    def _counter(self, name: str, text: str, labels: Mapping[str, Sequence[str]]) -> Metric:
        family = CounterMetricFamily(PREFIX + name, text, labels=list(labels))
        for values in _combinations(list(labels.values())):
            key = labels_key(dict(zip(labels, values, strict=True)))
            family.add_metric(list(values), self._snapshot.tallies.get((name, key), 0.0))
        return family

    def _histogram(self, name: str, text: str, bounds: Sequence[float], by_category: bool) -> Metric:
        names = ["category"] if by_category else []
        family = HistogramMetricFamily(PREFIX + name, text, labels=names)
        for category in _values(Category) if by_category else ("",):
            labels: _Labels = {"category": category} if by_category else {}
            buckets, summed = self._buckets(name, bounds, labels)
            family.add_metric([category] if by_category else [], buckets, summed)
        return family

    def _observed(self, tally: str) -> list[dict[str, str]]:
        """The labels under which something was counted."""
        return [json.loads(labels) for name, labels in sorted(self._snapshot.tallies) if name == tally]

    def _sparse_counter(self, name: str, text: str, names: Sequence[str]) -> Metric:
        family = CounterMetricFamily(PREFIX + name, text, labels=list(names))
        for labels in self._observed(name):
            value = self._snapshot.tallies[name, labels_key(labels)]
            family.add_metric([labels[n] for n in names], value)
        return family

    def _sparse_histogram(
        self, name: str, text: str, bounds: Sequence[float], names: Sequence[str]
    ) -> Metric:
        family = HistogramMetricFamily(PREFIX + name, text, labels=list(names))
        for labels in self._observed(f"{name}_sum"):
            buckets, summed = self._buckets(name, bounds, labels)
            family.add_metric([labels[n] for n in names], buckets, summed)
        return family

    def _buckets(
        self, name: str, bounds: Sequence[float], labels: _Labels
    ) -> tuple[list[tuple[str, float]], float]:
        total, buckets = 0.0, []
        for bound in (*map(repr, bounds), "+Inf"):
            key = labels_key({**labels, "le": bound})
            total += self._snapshot.tallies.get((f"{name}_bucket", key), 0.0)
            shown = bound if bound == "+Inf" else floatToGoString(float(bound))  # type: ignore[no-untyped-call]  # it has no types
            buckets.append((shown, total))
        return buckets, self._snapshot.tallies.get((f"{name}_sum", labels_key(labels)), 0.0)

    def _calls(self) -> Metric:
        """Calls out from the tallies, calls in from their rows."""
        family = CounterMetricFamily(
            f"{PREFIX}calls", "Calls, by direction and end", labels=["direction", "outcome"]
        )
        for outcome in _CALL_OUTCOMES:
            key = labels_key({"direction": "out", "outcome": outcome})
            family.add_metric(["out", outcome], self._snapshot.tallies.get(("calls", key), 0.0))
        for (direction, outcome), many in self._snapshot.calls.items():
            family.add_metric([direction, outcome], many)
        return family

    def _open(self) -> Metric:
        family = GaugeMetricFamily(f"{PREFIX}incidents_open", "Open incidents", labels=["category", "status"])
        for category in _values(Category):
            for status in OPEN_STATUSES:
                family.add_metric(
                    [category, status.value], self._snapshot.open.get((category, status.value), 0)
                )
        return family


def _gauge_families(gauges: Mapping[str, float]) -> Iterator[Metric]:
    for name, value in gauges.items():
        family = GaugeMetricFamily(PREFIX + name, _GAUGE_HELP[name])
        family.add_metric([], value)
        yield family


def _labelled(name: str, samples: Sequence[tuple[_Labels, float]]) -> Metric:
    names = list(samples[0][0]) if samples else []
    family = GaugeMetricFamily(PREFIX + name, _LABELLED_HELP[name], labels=names)
    for labels, value in samples:
        family.add_metric(list(labels.values()), value)
    return family


def _combinations(lists: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    combined: list[tuple[str, ...]] = [()]
    for values in lists:
        combined = [(*head, value) for head in combined for value in values]
    return combined


def exposition(snapshot: Snapshot | None, of_this_node: Mapping[str, float]) -> bytes:
    """The figures in Prometheus' text format. What the database could not be asked is left out, never 0."""
    registry = CollectorRegistry()
    if snapshot is not None:
        registry.register(_Collector(snapshot))
    registry.register(_NodeCollector(of_this_node))
    return generate_latest(registry)
