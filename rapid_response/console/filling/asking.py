"""Whom we asked, and what reached them; and what happened when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rapid_response.console import timeline
from rapid_response.console.filling.looking import Looking
from rapid_response.console.filling.names import Names
from rapid_response.console.filling.pieces import RULE_TITLES
from rapid_response.console.views.case_parts import MessagePart, OfferPart, ReachPart, TimelinePart
from rapid_response.dispatch.rules import explain
from rapid_response.messaging.explaining import Verdict
from rapid_response.steps.deliveries import Chain
from rapid_response.storage.tables import OfferRow


def offer_part(offer: OfferRow, names: Names) -> OfferPart:
    return OfferPart(
        responder=names.responder(offer.responder_id),
        state=offer.state,
        made_at=offer.made_at,
        reasons=tuple(explain([reason]).rstrip(".").lower() for reason in offer.reasons),
        answer_by=offer.answer_by,
        answered_at=offer.answered_at,
        eta_minutes=offer.eta_minutes,
        joint=offer.joint,
    )


def messages_of(looking: Looking) -> tuple[MessagePart, ...]:
    return tuple(
        MessagePart(
            to=looking.names.actor(m.recipient),
            purpose=m.purpose,
            channel=m.channel,
            state=m.state,
            at=m.created_at,
            body=m.body,
            reason=m.reason or "",
        )
        for m in looking.case.messages
        if m.purpose not in looking.unseen_purposes
    )


_REACHED = (Verdict.ANSWERED, Verdict.ARRIVED)


def reach_part(chain: Chain) -> ReachPart:
    return ReachPart(
        chain.name,
        chain.summary,
        chain.verdict in _REACHED,
        tuple((step.at, step.sentence) for step in chain.steps),
    )


#: Told in "Did it reach them?", in better order.
_TOLD_THERE = frozenset({"message_troubled", "message_reconciled", "other_way_tried", "way_not_tried"})


def timeline_of(looking: Looking, events: Iterable[Mapping[str, Any]]) -> tuple[TimelinePart, ...]:
    return tuple(
        timeline.entry(
            e["type"],
            e["data"],
            at=datetime.fromisoformat(e["at"]),
            by=looking.names.actor("system" if _is_automatic(e) else e["actor"]),
            zone=looking.zone,
            names=looking.names.responders,
            rules=RULE_TITLES,
        )
        for e in events
        if e["type"] not in _TOLD_THERE
    )


#: What the service did by itself, in the commit of whoever gave cause.
_AUTOMATIC = frozenset(
    {
        "clock_started",
        "clock_not_applicable",
        "held_for_review",
        "scheduled",
        "offer_made",
        "offer_withdrawn",
        "nobody_left",
        "notice_given",
        "task_opened",
        "second_reading_recorded",
    }
)


def _is_automatic(event: Mapping[str, Any]) -> bool:
    data = event["data"]
    match event["type"]:
        case "incident_classified":
            return bool(data.get("model_version"))
        case "priority_decided":
            return bool(data.get("rule_id") != "person")
        case "targeting_assessed":
            return not data.get("by_person")
    return event["type"] in _AUTOMATIC
