"""The facts that a text proposes (domain.md 2.3), true or unknown: a text can raise, never lower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rapid_response.core.facts import Facts
from rapid_response.core.vocabulary import Category, PaymentMethod, Urgency
from rapid_response.intake.reading.clocktimes import coming_moment, past_moment
from rapid_response.intake.reading.exposure import Exposure
from rapid_response.intake.reading.findings import Findings
from rapid_response.intake.reading.knowledge import Concept, Knowledge

#: Facts about this very moment: proposed only where the time of the whole report agrees.
_ABOUT_NOW = frozenset(
    {
        "suspect_on_premises",
        "refuses_to_leave",
        "demands_money_now",
        "being_taken_to_bank",
        "remote_access_on",
        "on_phone_with_suspect",
    }
)
_ABOUT_SOON = frozenset({"courier_expected", "suspect_returning", "payment_pending"})
_ABOUT_LATELY = frozenset({"suspect_just_left", "threat_or_fear", "line_went_dead"})
#: Grammar alone ("is standing", "tomorrow") proposes a fact only where the whole report was judged so.
_BROAD = frozenset({"going_on", "present_state", "to_come", "tomorrow", "deadline"})
#: What the same words mean where the offender is at the other end of a line.
_AT_A_DISTANCE: Mapping[str, str | None] = {
    "suspect_on_premises": "on_phone_with_suspect",
    "suspect_returning": "payment_pending",
    "suspect_just_left": None,
    "cold_called": None,
}
#: Who comes to collect is a courier where the lie was told by telephone; at a door it is the trader himself.
_AT_THE_DOOR: Mapping[str, str] = {"courier_expected": "suspect_returning"}
_LEFT_WITHIN = timedelta(minutes=30)
_METHODS = {
    "cash": PaymentMethod.CASH, "card": PaymentMethod.CARD, "transfer": PaymentMethod.TRANSFER,
    "transferred": PaymentMethod.TRANSFER, "cheque": PaymentMethod.CHEQUE, "crypto": PaymentMethod.CRYPTO,
    "bitcoin": PaymentMethod.CRYPTO, "vouchers": PaymentMethod.GIFT_CARD, "voucher": PaymentMethod.GIFT_CARD,
    "itunes": PaymentMethod.GIFT_CARD, "steam": PaymentMethod.GIFT_CARD, "notes": PaymentMethod.CASH,
}  # fmt: skip
_GIFT = frozenset({"gift", "itunes", "steam", "google", "apple", "amazon"})


@dataclass(frozen=True, slots=True)
class Proposal:
    """The facts, and for each the word spans that propose it."""

    facts: Facts
    spans: Mapping[str, tuple[tuple[int, int], ...]]
    whys: Mapping[str, str]


def propose(
    findings: Findings,
    knowledge: Knowledge,
    category: Category,
    shares: Mapping[str, float],
    urgency: Urgency,
    exposure: Exposure | None,
    received_at: datetime,
    zone: ZoneInfo,
) -> Proposal:
    """Facts with their words; nothing is proposed that the text denies or only asks about."""
    spans: dict[str, tuple[tuple[int, int], ...]] = {}
    whys: dict[str, str] = {}
    for concept in knowledge.facts:
        if not findings.has(concept.name):
            continue
        fact = _fact_of(concept, category, urgency)
        if fact is not None and _timely(fact, shares, urgency):
            spans.setdefault(fact, tuple(findings.spans[concept.name][:3]))
            whys.setdefault(fact, concept.why)
    left_at = past_moment(findings.passage, received_at, zone)
    if left_at is not None and received_at - left_at > _LEFT_WITHIN:
        spans.pop("suspect_just_left", None)
    if findings.has("paid") and urgency is not Urgency.NONE and findings.has("today_past"):
        spans["paid_within_24h"] = tuple(findings.spans["paid"][:2] + findings.spans["today_past"][:1])
        whys["paid_within_24h"] = "Money was paid, and today is named."
    facts = Facts(**_values(findings, spans, exposure, received_at, zone))
    return Proposal(facts, spans, whys)


def _fact_of(concept: Concept, category: Category, urgency: Urgency) -> str | None:
    """The fact that a concept proposes in a report of this kind; None where it says nothing there."""
    fact = concept.fact
    if concept.name in _BROAD and urgency is not (
        Urgency.IN_PROGRESS if fact in _ABOUT_NOW else Urgency.IMMINENT
    ):
        return None
    if category is Category.SCAM and fact is not None:
        return _AT_A_DISTANCE.get(fact, fact)
    if category is Category.DOORSTEP_CRIME and fact is not None:
        return _AT_THE_DOOR.get(fact, fact)
    return None if fact == "cold_called" else fact


def _timely(fact: str, shares: Mapping[str, float], urgency: Urgency) -> bool:
    if urgency is Urgency.NONE:
        return fact not in _ABOUT_NOW | _ABOUT_SOON | _ABOUT_LATELY
    if fact in _ABOUT_NOW:
        return shares["in_progress"] >= 0.25
    if fact in _ABOUT_SOON:
        return shares["in_progress"] + shares["imminent"] >= 0.25
    return not (fact in _ABOUT_LATELY and urgency is Urgency.HISTORIC)


def _values(
    findings: Findings, spans: Mapping[str, tuple[tuple[int, int], ...]], exposure: Exposure | None,
    received_at: datetime, zone: ZoneInfo,
) -> dict[str, Any]:  # fmt: skip
    values: dict[str, Any] = dict.fromkeys(spans, True)
    passage = findings.passage
    for fact, moment in (
        ("suspect_returning", "suspect_returning_at"),
        ("courier_expected", "courier_expected_at"),
    ):
        for start, end in spans.get(fact, ()):
            found = coming_moment(passage, start, end, received_at, zone)
            if found is not None:
                values[moment] = found
                break
    values["happened_at"] = past_moment(passage, received_at, zone)
    if values.get("suspect_just_left") and values["happened_at"] is not None:
        values["suspect_left_at"] = values["happened_at"]
    if values.get("paid_within_24h") and values["happened_at"] is not None:
        values["paid_at"] = values["happened_at"]
    if exposure is not None:
        values["amount_pence"] = exposure.pence
    values["payment_method"] = _method(findings)
    return values


def _method(findings: Findings) -> PaymentMethod | None:
    if findings.has("gift_cards"):
        return PaymentMethod.GIFT_CARD
    words = findings.passage.words
    for word in words:
        method = _METHODS.get(word)
        if method is not None and (method is not PaymentMethod.CARD or findings.has("money_named")):
            return method
    return None
