"""One incident as the board report needs it: a pure fold of its events, as they stood at a moment.

So any past report can be made again "as at" its date, and a restart or another node changes no figure
(domain.md 5, style.md 7.14). Times are UTC; money is whole pence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from rapid_response.core.vocabulary import AgeTargeting, Category, ClockState

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
    once the deadline passed unanswered, whatever came later, unless word of a response had been sent in time
    and was found only then: that is `breach_taken_back`. `ended_why`: it ceased to apply (lowered, cancelled)
    before it was due.
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
    breach_taken_back: bool = False

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
    if data.get("breach_taken_back"):
        draft.set_clock(missed=False, breach_taken_back=True)
        draft.corrections.append(Correction("breach", event.at))
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


def _outcome_left(draft: _Draft, event: StoredEvent) -> None:
    draft.outcomes.pop(event.data["outcome_id"], None)


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
    "outcome_left": _outcome_left,
    "incident_amended": _amended,
    "incident_closed": _closed,
    "incident_cancelled": _cancelled,
    "incident_reopened": _reopened,
    "targeting_assessed": _targeting_assessed,
    "referral_moved": _referral_moved,
}

#: The types of event that a record is made of; a query may leave out all others.
HEARD = tuple(_HEARD)
