"""The board's figures, derived from the event log and nothing else.

Two pure steps. :func:`fold` makes one :class:`CaseRecord` of an incident's events, as they stood at a
moment; :func:`figures` counts records into the report of contract.md 4. So any past report can be made
again "as at" its date, and a restart or another node changes no figure (domain.md 5, style.md 7.14).
docs/board-report.md defines each figure. Times are UTC; money is whole pence here, pounds in the report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from statistics import median
from typing import Any, NamedTuple

from rapid_response.core.vocabulary import (
    AgeTargeting,
    Category,
    Channel,
    ClockState,
    Disposition,
    EvidenceGrade,
    OutcomeCode,
    Priority,
    StoppedBy,
)
from rapid_response.reporting.period import Period

#: A ward's count below this is not shown (domain.md 9, scenario 55).
SMALL_NUMBER = 5
SMALL = f"<{SMALL_NUMBER}"
#: Shown for a larger ward whose figure would give a small one away by subtraction.
WITHHELD = f">={SMALL_NUMBER}"
UNKNOWN_WARD = "unknown"
HEADLINE_AGE_TARGETED = "potential_age_targeted"


class StoredEvent(NamedTuple):
    """One event as the log keeps it; `data` as core.events.event_data wrote it."""

    incident_id: str
    seq: int
    type: str
    at: datetime
    data: Mapping[str, Any]


# ---- what the board needs of one incident


@dataclass(frozen=True, slots=True)
class Contact:
    """One approach by any channel. `information_only`: told to us without asking us to act."""

    report_id: str
    channel: str
    received_at: datetime
    back_entry: bool = False
    information_only: bool = False


@dataclass(frozen=True, slots=True)
class ClockRecord:
    """One run of the two-hour clock; an incident opened again, or raised, has a second one.

    `due_at` moves with pauses, `due_unpaused_at` does not; `respond_seconds` is net of them. `missed` stays
    once the deadline passed unanswered, whatever came later. `ended_why`: it ceased to apply (lowered,
    cancelled) before it was due.
    """

    episode: int
    started_at: datetime
    due_at: datetime
    due_unpaused_at: datetime
    stopped_at: datetime | None = None
    stopped_by: str | None = None
    respond_seconds: int | None = None
    met: bool = False
    missed: bool = False
    paused: bool = False
    flagged: bool = False
    ended_why: str | None = None
    breach_reason: str | None = None

    def state(self, as_at: datetime) -> ClockState:
        """Where it stood; exactly at `due_at` is in time."""
        if self.missed or (self.stopped_at is not None and not self.met):
            return ClockState.BREACHED
        if self.stopped_at is not None:
            return ClockState.MET
        if self.ended_why is not None:
            return ClockState.NOT_APPLICABLE
        if self.paused:
            return ClockState.PAUSED
        return ClockState.BREACHED if as_at > self.due_at else ClockState.RUNNING

    def late_seconds(self, as_at: datetime) -> int:
        """How long after `due_at` the response came, or has not come yet; 0 where it did in time."""
        return max(0, int(((self.stopped_at or as_at) - self.due_at).total_seconds()))


@dataclass(frozen=True, slots=True)
class OutcomeRecord:
    """What changed for someone, as last recorded under its id. Pence."""

    outcome_id: str
    code: str
    amount_pence: int | None
    evidence_grade: str | None


@dataclass(frozen=True, slots=True)
class ReferralRecord:
    """One referral to a partner and every state it reached."""

    referral_id: str
    kind: str
    states: frozenset[str]


@dataclass(frozen=True, slots=True)
class Flag:
    """When somebody was first thought to be chosen for their age, by whom, and when a person first decided.

    `by`: `arrival` (the machine, as the report came), `reading` (the machine, as more was read), `person`.
    """

    at: datetime
    by: str
    loss: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """Something recorded was changed by a later record: which kind of thing, and when."""

    what: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One incident, as much of it as the board report needs."""

    contacts: tuple[Contact, ...] = ()
    category_first: str | None = None
    category: str | None = None
    subtype: str | None = None
    priority_first: str | None = None
    priority: str | None = None
    rule_id: str | None = None
    clocks: tuple[ClockRecord, ...] = ()
    no_clock_why: str | None = None
    outcomes: tuple[OutcomeRecord, ...] = ()
    disposition: str | None = None
    targeting: str = AgeTargeting.NONE.value
    targeting_ever: frozenset[str] = frozenset()
    statutory_strands: frozenset[str] = frozenset()
    flag: Flag | None = None
    victim_aged_60_plus: bool = False
    victim_lives_alone: bool = False
    repeat_victim: bool = False
    repeat_within_28_days: bool = False
    ward: str | None = None
    nobody_in: int = 0
    referrals: tuple[ReferralRecord, ...] = ()
    corrections: tuple[Correction, ...] = ()

    @property
    def received_at(self) -> datetime | None:
        """When the first contact was received; decides to which period the incident belongs."""
        return min((contact.received_at for contact in self.contacts), default=None)

    @property
    def headline_class(self) -> str:
        """The age flag where raised and not ruled out, else the category (as hatecrime.rules derives it)."""
        if self.targeting in (AgeTargeting.NONE, AgeTargeting.RULED_OUT):
            return self.category or Category.OTHER.value
        return HEADLINE_AGE_TARGETED


# ---- folding events into a record


@dataclass(slots=True)
class _Draft:
    """A record in the making; `values` are the record's plain fields so far."""

    values: dict[str, Any] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)
    clocks: list[ClockRecord] = field(default_factory=list)
    outcomes: dict[str, OutcomeRecord] = field(default_factory=dict)
    referrals: dict[str, ReferralRecord] = field(default_factory=dict)
    corrections: list[Correction] = field(default_factory=list)
    arrived_at: datetime | None = None

    def set_clock(self, **changes: Any) -> None:
        """Change the newest clock; events before any clock (none is expected) change nothing."""
        if self.clocks:
            self.clocks[-1] = replace(self.clocks[-1], **changes)

    def finish(self) -> CaseRecord:
        return CaseRecord(
            **self.values,
            contacts=tuple(sorted(self.contacts.values(), key=lambda c: (c.received_at, c.report_id))),
            clocks=tuple(self.clocks),
            outcomes=tuple(self.outcomes.values()),
            referrals=tuple(self.referrals.values()),
            corrections=tuple(self.corrections),
        )


def fold(stored_events: Iterable[StoredEvent], as_at: datetime | None = None) -> CaseRecord:
    """One incident's record from its events; with `as_at`, from those recorded until then.

    Types it does not know are left out, so that an older report reads a newer log.
    """
    draft = _Draft()
    for event in sorted(stored_events, key=lambda e: e.seq):
        if as_at is None or event.at <= as_at:
            hears = _HEARD.get(event.type)
            if hears is not None:
                hears(draft, event)
    return draft.finish()


def fold_each(
    stored_events: Iterable[StoredEvent], as_at: datetime | None = None
) -> Iterator[tuple[str, CaseRecord]]:
    """(incident id, record) for a stream in which each incident's events come together."""
    for incident_id, events in groupby(stored_events, key=lambda e: e.incident_id):
        yield incident_id, fold(events, as_at)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _report_received(draft: _Draft, event: StoredEvent) -> None:
    data = event.data
    draft.arrived_at = draft.arrived_at or event.at
    draft.contacts[data["report_id"]] = Contact(
        data["report_id"],
        data["channel"],
        _time(data["received_at"]),
        back_entry=bool(data.get("back_entry")),
        information_only=bool(data.get("information_only")),
    )


def _earlier_call_joined(draft: _Draft, event: StoredEvent) -> None:
    """A call that had dropped was the first contact of this case."""
    data = event.data
    draft.contacts[data["call_id"]] = Contact(data["call_id"], data["channel"], _time(data["received_at"]))


def _classified(draft: _Draft, event: StoredEvent) -> None:
    data, known = event.data, draft.values
    _note_change(draft, event, "category")
    known.setdefault("category_first", data["category"])
    known["category"] = data["category"]
    known["subtype"] = data.get("subtype")
    if data.get("ward"):
        known["ward"] = data["ward"]
    for flag in _VICTIM_FLAGS:
        # Known once, known: whoever corrects the category does not describe the victim again.
        if data.get(flag):
            known[flag] = True


_VICTIM_FLAGS = ("victim_aged_60_plus", "victim_lives_alone", "repeat_victim", "repeat_within_28_days")


def _priority_decided(draft: _Draft, event: StoredEvent) -> None:
    _note_change(draft, event, "priority")
    draft.values.setdefault("priority_first", event.data["priority"])
    draft.values["priority"] = event.data["priority"]
    draft.values["rule_id"] = event.data.get("rule_id")


def _note_change(draft: _Draft, event: StoredEvent, what: str) -> None:
    before = draft.values.get(what)
    if before is not None and before != event.data[what]:
        draft.corrections.append(Correction(what, event.at))


def _clock_started(draft: _Draft, event: StoredEvent) -> None:
    data = event.data
    _end_running_clock(draft, event.at, "replaced by a new clock")
    due_at = _time(data["due_at"])
    draft.clocks.append(ClockRecord(int(data["episode"]), _time(data["started_at"]), due_at, due_at))
    draft.values["no_clock_why"] = None


def _clock_not_applicable(draft: _Draft, event: StoredEvent) -> None:
    _end_running_clock(draft, event.at, event.data["why"])
    draft.values["no_clock_why"] = event.data["why"]


def _end_running_clock(draft: _Draft, at: datetime, why: str) -> None:
    """A clock that still runs ceases to apply, unless its two hours are over already."""
    if draft.clocks and draft.clocks[-1].state(at) in (ClockState.RUNNING, ClockState.PAUSED):
        draft.set_clock(ended_why=why)


def _clock_paused(draft: _Draft, event: StoredEvent) -> None:
    draft.set_clock(paused=True)


def _clock_resumed(draft: _Draft, event: StoredEvent) -> None:
    draft.set_clock(paused=False, due_at=_time(event.data["due_at"]))


def _clock_stopped(draft: _Draft, event: StoredEvent) -> None:
    data = event.data
    if not draft.clocks:
        return
    paused = timedelta(seconds=int(data["paused_seconds"]))
    draft.set_clock(
        # Stopped while paused, it has moved without a word of it: due - started - paused is the promise.
        due_at=draft.clocks[-1].due_unpaused_at + paused,
        stopped_at=_time(data["stopped_at"]),
        stopped_by=data["stopped_by"],
        respond_seconds=int(data["gross_seconds"]) - int(data["paused_seconds"]),
        met=bool(data["met"]),
        paused=False,
        flagged=bool(data.get("flagged")),
    )


def _no_contact_made(draft: _Draft, event: StoredEvent) -> None:
    draft.values["nobody_in"] = draft.values.get("nobody_in", 0) + 1
    if event.data["took_stop_back"]:
        draft.set_clock(stopped_at=None, stopped_by=None, respond_seconds=None, met=False, flagged=False)


def _clock_moved_back(draft: _Draft, event: StoredEvent) -> None:
    """An earlier report of the same incident was joined: a response is judged from that one's start."""
    if not draft.clocks:
        return
    clock = draft.clocks[-1]
    started_at, due_at = _time(event.data["started_at"]), _time(event.data["due_at"])
    earlier = clock.started_at - started_at
    draft.set_clock(
        started_at=started_at,
        due_at=due_at,
        due_unpaused_at=clock.due_unpaused_at - earlier,
        respond_seconds=None
        if clock.respond_seconds is None
        else clock.respond_seconds + int(earlier.total_seconds()),
        met=clock.met and clock.stopped_at is not None and clock.stopped_at <= due_at,
    )


def _deadline_missed(draft: _Draft, event: StoredEvent) -> None:
    draft.set_clock(missed=True)


def _breach_explained(draft: _Draft, event: StoredEvent) -> None:
    """The reason belongs to the newest clock that was late by then, which need not be the newest clock."""
    for index in reversed(range(len(draft.clocks))):
        if draft.clocks[index].state(event.at) is ClockState.BREACHED:
            draft.clocks[index] = replace(draft.clocks[index], breach_reason=event.data["code"])
            return


def _outcome_recorded(draft: _Draft, event: StoredEvent) -> None:
    data = event.data
    outcome = OutcomeRecord(
        data["outcome_id"], data["code"], data.get("amount_pence"), data.get("evidence_grade")
    )
    before = draft.outcomes.get(outcome.outcome_id)
    if before is not None and before != outcome:
        draft.corrections.append(Correction("outcome", event.at))
    draft.outcomes[outcome.outcome_id] = outcome


def _outcome_corrected(draft: _Draft, event: StoredEvent) -> None:
    """It was not so: what stands instead is recorded under an id of its own."""
    if draft.outcomes.pop(event.data["outcome_id"], None) is not None:
        draft.corrections.append(Correction("outcome", event.at))


def _amended(draft: _Draft, event: StoredEvent) -> None:
    """What was put right counts from then on; what a repeat is stays known once it is."""
    data, known = event.data, draft.values
    for flag in ("victim_aged_60_plus", "victim_lives_alone"):
        if known.get(flag, False) != bool(data.get(flag)):
            draft.corrections.append(Correction("victim", event.at))
        known[flag] = bool(data.get(flag))
    for flag in ("repeat_victim", "repeat_within_28_days"):
        known[flag] = known.get(flag, False) or bool(data.get(flag))
    if data.get("ward") and known.get("ward") != data["ward"]:
        if known.get("ward"):
            draft.corrections.append(Correction("ward", event.at))
        known["ward"] = data["ward"]


def _report_left(draft: _Draft, event: StoredEvent) -> None:
    draft.contacts.pop(event.data["report_id"], None)


def _closed(draft: _Draft, event: StoredEvent) -> None:
    draft.values["disposition"] = event.data["disposition"]


def _cancelled(draft: _Draft, event: StoredEvent) -> None:
    _end_running_clock(draft, event.at, "cancelled")
    draft.values["disposition"] = event.data["disposition"]


def _reopened(draft: _Draft, event: StoredEvent) -> None:
    draft.values["disposition"] = None


def _targeting_assessed(draft: _Draft, event: StoredEvent) -> None:
    data, known = event.data, draft.values
    nothing: frozenset[str] = frozenset()
    known["targeting"] = data["state"]
    known["targeting_ever"] = known.get("targeting_ever", nothing) | {data["state"]}
    known["statutory_strands"] = known.get("statutory_strands", nothing).union(
        data.get("statutory_strands", ())
    )
    known["flag"] = _flagged(known.get("flag"), draft.arrived_at, event)


#: Where no decision of a person stands yet.
_UNDECIDED = (AgeTargeting.NONE, AgeTargeting.POTENTIAL, AgeTargeting.UNDER_REVIEW)


def _flagged(flag: Flag | None, arrived_at: datetime | None, event: StoredEvent) -> Flag | None:
    data = event.data
    if flag is None and data["state"] != AgeTargeting.NONE:
        machine = "arrival" if event.at == arrived_at else "reading"
        flag = Flag(event.at, "person" if data.get("by_person") else machine, data.get("loss"))
    if flag is not None and flag.decided_at is None and data["state"] not in _UNDECIDED:
        flag = replace(flag, decided_at=event.at)
    return flag


def _referral_moved(draft: _Draft, event: StoredEvent) -> None:
    data = event.data
    before = draft.referrals.get(data["referral_id"])
    states = before.states if before else frozenset()
    draft.referrals[data["referral_id"]] = ReferralRecord(
        data["referral_id"], data["kind"], states | {data["state"]}
    )


_HEARD: Mapping[str, Callable[[_Draft, StoredEvent], None]] = {
    "report_received": _report_received,
    "incident_classified": _classified,
    "priority_decided": _priority_decided,
    "clock_started": _clock_started,
    "clock_not_applicable": _clock_not_applicable,
    "clock_paused": _clock_paused,
    "clock_resumed": _clock_resumed,
    "clock_stopped": _clock_stopped,
    "clock_moved_back": _clock_moved_back,
    "no_contact_made": _no_contact_made,
    "deadline_missed": _deadline_missed,
    "breach_explained": _breach_explained,
    "outcome_recorded": _outcome_recorded,
    "outcome_corrected": _outcome_corrected,
    # What was joined counts where it belongs now; the same report in two logs counts once (see _contacts_in).
    "report_joined": _report_received,
    "earlier_call_joined": _earlier_call_joined,
    "report_left": _report_left,
    "outcome_joined": _outcome_recorded,
    "incident_amended": _amended,
    "incident_closed": _closed,
    "incident_cancelled": _cancelled,
    "incident_reopened": _reopened,
    "targeting_assessed": _targeting_assessed,
    "referral_moved": _referral_moved,
}

#: The types of event that a record is made of; a query may leave out all others.
HEARD = tuple(_HEARD)


# ---- counting records into the report


class _Kind(StrEnum):
    """What became of a record; the four lines of the reconciliation."""

    INCIDENT = "became_incidents"
    JOINED = "joined_incidents"
    INFORMATION = "information_only"
    SPAM = "spam_or_test"


def _kind(case: CaseRecord) -> _Kind:
    if case.disposition == Disposition.DUPLICATE_OF:
        return _Kind.JOINED
    if case.disposition == Disposition.HOAX_OR_TEST:
        return _Kind.SPAM
    if case.contacts and all(contact.information_only for contact in case.contacts):
        return _Kind.INFORMATION
    return _Kind.INCIDENT


def _counted(values: Iterable[str | None], of: Iterable[str]) -> dict[str, int]:
    """How often each value of a closed list occurs; zeros are shown."""
    found = Counter(values)
    return {value: found[value] for value in of}


def figures(cases: Sequence[tuple[str, CaseRecord]], period: Period, as_at: datetime) -> dict[str, Any]:
    """The board report of contract.md 4 for a period, as the records stood at `as_at`.

    `cases`: (reference, record) of every incident with a contact in the period, folded as at `as_at`; others
    may be among them. An incident belongs to the period in which it was received, a contact to its own.
    """
    contacts = _contacts_in(cases, period)
    received = [(ref, case) for ref, case in cases if (at := case.received_at) is not None and at in period]
    incidents = [(ref, case) for ref, case in received if _kind(case) is _Kind.INCIDENT]
    records = [case for _, case in incidents]
    reconciliation = {"contacts": len(contacts)} | {
        kind.value: sum(1 for _, found in contacts if found is kind) for kind in _Kind
    }
    return {
        "period": _period(period, as_at),
        "contacts": {
            "total": len(contacts),
            "by_channel": _counted((c.channel for c, _ in contacts), (c.value for c in Channel)),
        },
        "incidents": _incidents(records),
        "two_hours": _two_hours(incidents, as_at),
        "outcomes": _counted((o.code for c in records for o in c.outcomes), (o.value for o in OutcomeCode)),
        "dispositions": _counted((c.disposition for _, c in received), (d.value for d in Disposition)),
        "money_gbp": _money(records),
        "victims": _victims(records),
        "age_targeting": _age_targeting(records),
        "referrals": _referrals(records),
        "wards": ward_rows(Counter(case.ward or UNKNOWN_WARD for case in records)),
        "reconciliation": reconciliation,
        "notes": _notes(received, incidents, period, as_at),
    }


def _period(period: Period, as_at: datetime) -> dict[str, Any]:
    return {
        "kind": period.kind.value,
        "label": period.label,
        "from": period.from_utc.astimezone(period.zone).isoformat(),
        "to": period.to_utc.astimezone(period.zone).isoformat(),
        "as_at": as_at.astimezone(period.zone).isoformat(),
        "closed": period.is_closed(as_at),
    }


def _contacts_in(cases: Sequence[tuple[str, CaseRecord]], period: Period) -> list[tuple[Contact, _Kind]]:
    """Each contact received in the period, once, with what it became.

    The first contact of an incident became it, the later ones joined it. A report moved to another incident
    is in two logs: it counts where the incident is its own, so those come first.
    """
    found: dict[str, tuple[Contact, _Kind]] = {}
    for _, case in sorted(cases, key=lambda pair: _kind(pair[1]) is not _Kind.INCIDENT):
        kind = _kind(case)
        for index, contact in enumerate(case.contacts):
            is_later = index > 0 and kind is _Kind.INCIDENT
            found.setdefault(contact.report_id, (contact, _Kind.JOINED if is_later else kind))
    return [(contact, kind) for contact, kind in found.values() if contact.received_at in period]


def _incidents(records: Sequence[CaseRecord]) -> dict[str, Any]:
    headlines = (Category.DOORSTEP_CRIME, Category.SCAM, HEADLINE_AGE_TARGETED, Category.OTHER)
    return {
        "total": len(records),
        "by_category": _counted((_category(c) for c in records), (c.value for c in Category)),
        "by_priority": _counted((c.priority for c in records), (p.value for p in Priority)),
        "by_headline_class": _counted((c.headline_class for c in records), (str(h) for h in headlines)),
    }


def _category(case: CaseRecord) -> str:
    return case.category or Category.OTHER.value


def _two_hours(incidents: Sequence[tuple[str, CaseRecord]], as_at: datetime) -> dict[str, Any]:
    """The promise (domain.md 3.4, 5.4), by clocks: a second episode is a second promise."""
    clocks = [(ref, clock, clock.state(as_at)) for ref, case in incidents for clock in case.clocks]
    met = [clock for _, clock, state in clocks if state is ClockState.MET]
    late = [(ref, clock) for ref, clock, state in clocks if state is ClockState.BREACHED]
    still = sum(1 for _, _, state in clocks if state in (ClockState.RUNNING, ClockState.PAUSED))
    due = len(met) + len(late)
    seconds = sorted(c.respond_seconds for _, c, _ in clocks if c.respond_seconds is not None)
    return {
        "due": due,
        "met": len(met),
        "breached": len(late),
        "open": still,
        "share": len(met) / due if due else None,
        "by_mode": _counted((c.stopped_by for c in met), (mode.value for mode in StoppedBy)),
        "median_seconds": int(median(seconds) + 0.5) if seconds else None,
        "p90_seconds": _nearest_rank(seconds, 90),
        "breaches": [
            {"reference": ref, "late_seconds": clock.late_seconds(as_at), "reason": clock.breach_reason}
            for ref, clock in sorted(late, key=lambda pair: (pair[1].due_at, pair[0]))
        ],
    }


def _nearest_rank(ordered: Sequence[int], percent: int) -> int | None:
    """The smallest value that at least `percent` of all do not exceed; a value that really occurred."""
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _money(records: Sequence[CaseRecord]) -> dict[str, dict[str, float]]:
    """Pounds by evidence grade, each pound once (domain.md 5.2, scenario 53)."""
    prevented: Counter[str] = Counter()
    recovered: Counter[str] = Counter()
    for case in records:
        prevented.update(_prevented(case))
        recovered.update(_pence(case, OutcomeCode.MONEY_RECOVERED))
    return {
        kind: {grade.value: pence[grade.value] / 100 for grade in EvidenceGrade}
        for kind, pence in (("prevented", prevented), ("recovered", recovered))
    }


def _prevented(case: CaseRecord) -> Counter[str]:
    """What was recorded as prevented; else the cancelled contract or the stopped payment, the larger.

    All three name the same pounds, so they are never added. A payment both stopped and got back is
    recovered.
    """
    stated = _pence(case, OutcomeCode.MONEY_PREVENTED)
    if stated:
        return stated
    cancelled = _pence(case, OutcomeCode.CONTRACT_CANCELLED)
    if _pence(case, OutcomeCode.MONEY_RECOVERED):
        return cancelled
    stopped = _pence(case, OutcomeCode.PAYMENT_STOPPED)
    return max(cancelled, stopped, key=lambda pence: pence.total())


def _pence(case: CaseRecord, code: OutcomeCode) -> Counter[str]:
    """The amounts of one code by grade; without a grade it is the victim's estimate, C."""
    pence: Counter[str] = Counter()
    for outcome in case.outcomes:
        if outcome.code == code and outcome.amount_pence:
            pence[outcome.evidence_grade or EvidenceGrade.C.value] += outcome.amount_pence
    return pence


#: Incidents that turned out to have no victim of a crime.
_NO_VICTIM = (Disposition.NO_OFFENCE_CONSUMER_DISPUTE, Disposition.OUT_OF_SCOPE)


def _victims(records: Sequence[CaseRecord]) -> dict[str, int]:
    """One victim an incident; what was no crime (R17, or closed as such) has none."""
    harmed = [c for c in records if c.rule_id != "R17" and c.disposition not in _NO_VICTIM]
    return {
        "total": len(harmed),
        "repeat": sum(c.repeat_victim for c in harmed),
        "repeat_28_days": sum(c.repeat_within_28_days for c in harmed),
        "aged_60_plus": sum(c.victim_aged_60_plus for c in harmed),
        "living_alone": sum(c.victim_lives_alone for c in harmed),
    }


def _age_targeting(records: Sequence[CaseRecord]) -> dict[str, Any]:
    """A funnel: how many incidents ever reached each state; every one that got further was raised once.

    Beside it, how early they were seen.
    """
    states = [state for state in AgeTargeting if state is not AgeTargeting.NONE]
    reached = {state.value: sum(state in c.targeting_ever for c in records) for state in states}
    raised = sum(any(state in c.targeting_ever for state in states) for c in records)
    return reached | {AgeTargeting.POTENTIAL.value: raised, "early": _early(records)}


def _early(records: Sequence[CaseRecord]) -> dict[str, Any]:
    """By whom and how soon; `before_loss` and its two neighbours add up to all that were raised."""
    raised = [(case, flag) for case in records if (flag := case.flag) is not None]
    by = Counter(flag.by for _, flag in raised)
    loss = Counter(flag.loss for _, flag in raised)
    to_flag = [flag.at - case.received_at for case, flag in raised if case.received_at is not None]
    to_decision = [flag.decided_at - flag.at for _, flag in raised if flag.decided_at is not None]
    return {
        "flagged_at_arrival": by["arrival"],
        "flagged_on_reading_again": by["reading"],
        "flagged_by_person": by["person"],
        "before_loss": loss["not_yet"],
        "after_loss": loss["lost"],
        "loss_not_known": loss.total() - loss["not_yet"] - loss["lost"],
        "decided": len(to_decision),
        "median_hours_to_flag": _median_hours(to_flag),
        "median_hours_to_decision": _median_hours(to_decision),
    }


def _median_hours(spans: Sequence[timedelta]) -> float | None:
    """In hours, to a tenth; None where there is nothing to measure."""
    return round(median(span.total_seconds() for span in spans) / 3600, 1) if spans else None


_REFERRAL_STATES = ("sent", "acknowledged", "accepted", "declined")


def _referrals(records: Sequence[CaseRecord]) -> dict[str, dict[str, int]]:
    """By kind, how many reached each state; whatever has a later state was sent."""
    counts: dict[str, dict[str, int]] = {}
    for referral in sorted((r for c in records for r in c.referrals), key=lambda r: r.kind):
        line = counts.setdefault(referral.kind, dict.fromkeys(_REFERRAL_STATES, 0))
        for state in _REFERRAL_STATES:
            line[state] += state == "sent" or state in referral.states
    return counts


# ---- small numbers


def ward_rows(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Incidents by ward, small counts not shown, nor any that would give one away (scenario 55).

    A count under 5 is `"<5"`. Where the total would still give a small count away, the next larger wards
    are withheld as well, as `">=5"`.
    """
    hidden = {ward for ward, count in counts.items() if count < SMALL_NUMBER}
    larger = sorted((count, ward) for ward, count in counts.items() if count >= SMALL_NUMBER)
    for _, ward in larger:
        if not _gives_away([counts[w] for w in hidden]):
            break
        hidden.add(ward)
    rows = []
    for ward in sorted(counts):
        shown = SMALL if counts[ward] < SMALL_NUMBER else WITHHELD
        rows.append({"ward": ward, "incidents": shown if ward in hidden else counts[ward]})
    return rows


def _gives_away(hidden: Sequence[int]) -> bool:
    """Whether the sum of the hidden counts (total less what is shown) fixes a small one of them."""
    small = sum(1 for count in hidden if count < SMALL_NUMBER)
    if not small:
        return False
    largest = SMALL_NUMBER - 1
    withheld = len(hidden) - small
    at_most = min(largest, sum(hidden) - (small - 1) - SMALL_NUMBER * withheld)
    at_least = 1 if withheld else max(1, sum(hidden) - largest * (small - 1))
    return at_least >= at_most


# ---- what a reader must know about the figures


def _notes(
    received: Sequence[tuple[str, CaseRecord]],
    incidents: Sequence[tuple[str, CaseRecord]],
    period: Period,
    as_at: datetime,
) -> list[str]:
    """Plain sentences on the quality of the data; nothing to say, no sentence."""
    records = [case for _, case in incidents]
    counted = (*_on_clocks(received, records, as_at), *_on_entries(records))
    notes = [text.format(n=n) for n, text in counted if n]
    if not period.is_closed(as_at):
        moment = as_at.astimezone(period.zone)
        notes.insert(
            0, f"The period is not over: these are its figures up to {moment.day} {moment:%B %Y, %H:%M}."
        )
    if late := _late_corrections(records, period):
        notes.append(late)
    if any(case.ward is None for case in records):
        notes.append(f"Some incidents have no known ward; they are in the row “{UNKNOWN_WARD}”.")
    shown = {row["incidents"] for row in ward_rows(Counter(c.ward or UNKNOWN_WARD for c in records))}
    if SMALL in shown:
        notes.append(f"Ward counts under {SMALL_NUMBER} are shown as “{SMALL}”, to protect people.")
    if WITHHELD in shown:
        notes.append(f"“{WITHHELD}” stands for a larger ward count that would give a small one away.")
    return notes


def _on_clocks(
    received: Sequence[tuple[str, CaseRecord]], records: Sequence[CaseRecord], as_at: datetime
) -> tuple[tuple[int, str], ...]:
    clocks = [clock for case in records for clock in case.clocks]
    states = Counter(clock.state(as_at) for clock in clocks)
    left_out = [clock for _, case in received if _kind(case) is not _Kind.INCIDENT for clock in case.clocks]
    late = sum(clock.state(as_at) is ClockState.BREACHED for clock in left_out)
    unexplained = [c for c in clocks if c.state(as_at) is ClockState.BREACHED and c.breach_reason is None]
    return (
        (states[ClockState.RUNNING], "Clocks still running, not yet due and not in the share: {n}."),
        (states[ClockState.PAUSED], "Clocks paused at that moment, not in the share: {n}."),
        (
            states[ClockState.NOT_APPLICABLE],
            "Clocks that ceased to apply before they were due (lowered, cancelled, passed on): {n}.",
        ),
        (
            len(left_out),
            f"Clocks left out, of reports that joined others or were hoaxes or tests: {{n}} ({late} late).",
        ),
        (len(unexplained), "Breaches without a recorded reason: {n}."),
        (
            sum(clock.missed and clock.met for clock in clocks),
            "Responses recorded as in time only after their deadline had passed, counted as breached: {n}.",
        ),
        (sum(clock.flagged for clock in clocks), "Responses flagged for a person to confirm: {n}."),
    )


def _on_entries(records: Sequence[CaseRecord]) -> tuple[tuple[int, str], ...]:
    without_grade = [
        o for case in records for o in case.outcomes if o.amount_pence and o.evidence_grade is None
    ]
    return (
        (
            sum(case.nobody_in for case in records),
            "Times a responder came and nobody answered, which is no response: {n}.",
        ),
        (
            sum(any(contact.back_entry for contact in case.contacts) for case in records),
            "Incidents entered later from paper: {n}.",
        ),
        (len(without_grade), "Amounts without an evidence grade, counted as grade C: {n}."),
    )


def _late_corrections(records: Sequence[CaseRecord], period: Period) -> str | None:
    late = Counter(c.what for case in records for c in case.corrections if c.at >= period.to_utc)
    if not late:
        return None
    kinds = ", ".join(f"{what} {late[what]}" for what in sorted(late))
    return f"Entries corrected after the period ended, so that an earlier report of it may differ: {kinds}."
