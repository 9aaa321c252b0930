"""The facts that change the response (domain.md 2.3): what dispatch decides on.

Each is true, false or unknown (`None`). Text proposes facts, a handler's answers beat the text, and two
sources of one fact are OR-ed; unknown never lowers anything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from rapid_response.core.vocabulary import PaymentMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One value a fact; names are the contract's `answers`. Times are aware; money is pence."""

    suspect_on_premises: bool | None = None
    refuses_to_leave: bool | None = None
    demands_money_now: bool | None = None
    threat_or_fear: bool | None = None
    distress_or_self_harm: bool | None = None
    line_went_dead: bool | None = None
    being_taken_to_bank: bool | None = None
    courier_expected: bool | None = None
    suspect_just_left: bool | None = None
    suspect_returning: bool | None = None
    property_taken: bool | None = None
    payment_pending: bool | None = None
    paid_within_24h: bool | None = None
    remote_access_on: bool | None = None
    on_phone_with_suspect: bool | None = None
    safe_to_talk: bool | None = None
    lives_alone: bool | None = None
    cognitive_impairment: bool | None = None
    recent_bereavement: bool | None = None
    disability: bool | None = None
    carer_dependent: bool | None = None
    communication_need: bool | None = None
    cold_called: bool | None = None
    price_changed: bool | None = None
    cancellation_notice_given: bool | None = None
    urgent_visit_requested: bool | None = None
    courier_expected_at: datetime | None = None
    suspect_left_at: datetime | None = None
    suspect_returning_at: datetime | None = None
    paid_at: datetime | None = None
    happened_at: datetime | None = None
    amount_pence: int | None = None
    payment_method: PaymentMethod | None = None


FACT_NAMES = tuple(f.name for f in fields(Facts))
_KNOWN = frozenset(FACT_NAMES)
BOOLEAN_FACTS = tuple(f.name for f in fields(Facts) if str(f.type).startswith("bool"))
TIME_FACTS = tuple(f.name for f in fields(Facts) if str(f.type).startswith("datetime"))
#: The facts that say a person is more easily harmed (rules R05 and R12).
VULNERABILITY_FACTS = (
    "lives_alone",
    "cognitive_impairment",
    "recent_bereavement",
    "disability",
    "carer_dependent",
    "communication_need",
)
#: The facts of the rules that say 999 (R01 to R07): who has told of one was in danger, or said so.
DANGER_FACTS = (
    "threat_or_fear",
    "distress_or_self_harm",
    "line_went_dead",
    "being_taken_to_bank",
    "courier_expected",
    "suspect_on_premises",
    "refuses_to_leave",
    "demands_money_now",
    "suspect_just_left",
    "suspect_returning",
    "property_taken",
)

#: Who is expected, by the time at which: such a time alone says that somebody comes.
COMING = {"courier_expected": "courier_expected_at", "suspect_returning": "suspect_returning_at"}
#: What each fact is implied by, where nobody said yes or no to it.
IMPLIED_BY = {**COMING, "suspect_on_premises": "refuses_to_leave"}
#: An expected event whose time has passed by more is taken to be over, not still to come.
STALE_AFTER = timedelta(hours=12)
#: A suspect who is there or expected: nobody goes in alone (design.md 5).
_NOT_ALONE = (
    "suspect_on_premises",
    "suspect_returning",
    "courier_expected",
    "being_taken_to_bank",
    "threat_or_fear",
)
#: What awaits whoever goes, most dangerous first; of `safe_to_talk` it is the "no".
_AWAITING = (
    "threat_or_fear",
    "suspect_on_premises",
    "refuses_to_leave",
    "demands_money_now",
    "being_taken_to_bank",
    "courier_expected",
    "suspect_returning",
    "line_went_dead",
    "safe_to_talk",
    "distress_or_self_harm",
)


def merge(proposed: Facts, answered: Facts) -> Facts:
    """What holds when `answered` (a person) speaks beside `proposed` (the text): answers win where given."""
    given = {name: v for name in FACT_NAMES if (v := getattr(answered, name)) is not None}
    return time_stands(replace(proposed, **given), given)


def with_the_person(told: Facts, known: Facts) -> Facts:
    """`told`, with what was known of the person where it says nothing of that: it outlives what happened."""
    lasts = {name: getattr(known, name) for name in VULNERABILITY_FACTS if getattr(told, name) is None}
    return replace(told, **lasts)


def time_stands(facts: Facts, answered: Collection[str]) -> Facts:
    """An answered time stands even against a "no": that is not known then, and the time says the rest."""
    stands: dict[str, Any] = {
        fact: None
        for fact, at in COMING.items()
        if at in answered and getattr(facts, at) and getattr(facts, fact) is False
    }
    return replace(facts, **stands) if stands else facts


def implied(facts: Facts, now: datetime | None = None) -> Facts:
    """`facts` with what follows from them; whatever looks for danger looks at these.

    A time at which somebody comes says that he comes, unless it is long past `now`; who refuses to leave is
    there, even if nobody ticked it. A "no" stands.
    """
    follows: dict[str, Any] = {}
    for fact, by in IMPLIED_BY.items():
        because = getattr(facts, by)
        is_over = isinstance(because, datetime) and now is not None and is_stale(because, now)
        if getattr(facts, fact) is None and because and not is_over:
            follows[fact] = True
    return replace(facts, **follows) if follows else facts


def is_stale(at: datetime, now: datetime) -> bool:
    """Whether what was expected then is taken to be over."""
    return now - at > STALE_AFTER


def needs_two(facts: Facts, now: datetime | None = None) -> bool:
    """Whether a suspect is present or expected, or may well be: then nobody goes in alone (design.md 5)."""
    known = implied(facts, now)
    return any(getattr(known, name) for name in _NOT_ALONE) or may_be_there(known)


def may_be_there(facts: Facts) -> bool:
    """Whether something is told that somebody near would do, and nobody said yes or no to his being there.

    Who demands money by telephone, or in a computer, is known to be somewhere else.
    """
    is_elsewhere = facts.on_phone_with_suspect or facts.remote_access_on
    demands = facts.demands_money_now and not is_elsewhere
    is_near = facts.line_went_dead or facts.safe_to_talk is False or demands
    return facts.suspect_on_premises is None and bool(is_near)


def awaiting(facts: Facts, now: datetime | None = None) -> tuple[str, ...]:
    """The names of the facts that await whoever goes, most dangerous first."""
    known = implied(facts, now)
    return tuple(name for name in _AWAITING if getattr(known, name) is (name != "safe_to_talk"))


def facts_to_json(facts: Facts) -> dict[str, Any]:
    """The known facts, ready to store; times as RFC 3339."""
    out: dict[str, Any] = {}
    for name in FACT_NAMES:
        value = getattr(facts, name)
        if value is not None:
            out[name] = value.isoformat() if isinstance(value, datetime) else value
    return out


def facts_from_json(stored: Mapping[str, Any]) -> Facts:
    """The inverse of :func:`facts_to_json`; unknown keys of a newer version are left out."""
    known: dict[str, Any] = {}
    for name, value in stored.items():
        if value is None or name not in _KNOWN:
            continue
        if name in TIME_FACTS:
            value = datetime.fromisoformat(value)
        elif name == "payment_method":
            value = PaymentMethod(value)
        known[name] = value
    return Facts(**known)
