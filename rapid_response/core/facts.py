"""The facts that change the response (domain.md 2.3): what dispatch decides on.

Each is true, false or unknown (`None`). Text proposes facts, a handler's answers beat the text, and two
sources of one fact are OR-ed; unknown never lowers anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
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


def merge(proposed: Facts, answered: Facts) -> Facts:
    """What holds when `answered` (a person) speaks beside `proposed` (the text): answers win where given."""
    given = {name: v for name in FACT_NAMES if (v := getattr(answered, name)) is not None}
    return replace(proposed, **given)


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
