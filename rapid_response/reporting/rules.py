"""The board's figures, counted from incidents' records and nothing else: the report of contract.md 4.

A record is folded from the event log (:mod:`.record`). docs/board-report.md defines each figure. Times are
UTC; money is whole pence here, pounds in the report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Any

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
from rapid_response.reporting.record import (
    HEADLINE_AGE_TARGETED,
    CaseRecord,
    Contact,
)

#: A ward's count below this is not shown (domain.md 9, scenario 55).
SMALL_NUMBER = 5
SMALL = f"<{SMALL_NUMBER}"
#: Shown for a larger ward whose figure would give a small one away by subtraction.
WITHHELD = f">={SMALL_NUMBER}"
UNKNOWN_WARD = "unknown"


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
        # A referral stays with the case that it was made of, and was sent, whatever that one was joined to.
        "referrals": _referrals([c for _, c in received if _kind(c) in (_Kind.INCIDENT, _Kind.JOINED)]),
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


_COUNTS_IN_TURN = (_Kind.INCIDENT, _Kind.SPAM, _Kind.INFORMATION, _Kind.JOINED)


def _contacts_in(cases: Sequence[tuple[str, CaseRecord]], period: Period) -> list[tuple[Contact, _Kind]]:
    """Each contact received in the period, once, with what it became.

    The first contact of an incident became it, the later ones joined it. A report moved to another case is
    in two logs: it counts as what that one turned out to be, so those come last whose reports moved.
    """
    found: dict[str, tuple[Contact, _Kind]] = {}
    for _, case in sorted(cases, key=lambda pair: _COUNTS_IN_TURN.index(_kind(pair[1]))):
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
        (
            sum(clock.breach_taken_back for clock in clocks),
            "Breaches taken back, because word of the response had been sent in time: {n}.",
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
