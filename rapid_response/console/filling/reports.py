"""What reached us, as it was said and as it was read."""

from __future__ import annotations

from collections.abc import Sequence

from rapid_response.console import related
from rapid_response.console.filling.looking import Looking
from rapid_response.console.forms.public import CALLER_ROLES
from rapid_response.console.views.case_parts import (
    EvidenceSpan,
    Person,
    ReportPart,
    SecondReadingPart,
    SuggestionPart,
)
from rapid_response.console.words import QUESTIONS, plain
from rapid_response.core.incident import Action
from rapid_response.core.safe_contact import may_be_told
from rapid_response.core.vocabulary import Category, ContactRoute, Urgency
from rapid_response.intake.second.answering import Label
from rapid_response.storage.tables import ReportRow, SecondReadingRow, SuggestionRow


def report_part(report: ReportRow, looking: Looking) -> ReportPart:
    caller = looking.case.caller(report)
    role = str(caller.get("role", ""))
    spans = [
        EvidenceSpan(s["start"], s["end"], s["label"], s["why"])
        for s in report.reading.get("evidence", [])
        if s["label"] != "hate_strand" or looking.sees_special_category
    ]
    took_it = report.source.startswith(("user:", "key:"))
    return ReportPart(
        channel=report.channel,
        received_at=report.received_at,
        recorded_at=report.recorded_at,
        narrative=report.narrative,
        evidence=tuple(spans),
        caller=Person(
            str(caller.get("name", "")),
            str(caller.get("phone", "")),
            str(caller.get("email", "")),
            dict(CALLER_ROLES).get(role) or plain(role),
        ),
        route=ContactRoute(caller["route"]) if caller.get("route") in set(ContactRoute) else None,
        source=looking.names.actor(report.source) if took_it else "",
        back_entry=report.back_entry,
        report_id=report.id,
        may_be_told=may_be_told(role),
        amend=related.amend_caller_form(report, caller) if Action.AMEND in looking.actions else None,
    )


#: What agreeing leaves to be done, by what is suggested.
_THEN = {
    Label.CATEGORY: "If you agree, it is reclassified in your name.",
    Label.URGENCY: "If you agree, it is reclassified in your name. The priority stays.",
    Label.AGE_TARGETED: "If you agree, decide on age targeting as well.",
    Label.OTHER_VULNERABILITY_TARGETED: "If you agree, say so in a note to whoever reviews the targeting.",
    Label.DANGER: "If you agree, change the priority as well, and tell the responder.",
}


def second_reading_part(
    reading: SecondReadingRow, looking: Looking, actions: Sequence[Action]
) -> SecondReadingPart:
    mine = [s for s in looking.case.suggestions if s.report_id == reading.report_id]
    return SecondReadingPart(reading.state, tuple(_suggestion(s, looking, actions) for s in mine))


def _suggestion(suggestion: SuggestionRow, looking: Looking, actions: Sequence[Action]) -> SuggestionPart:
    label, by = Label(suggestion.label), suggestion.answered_by
    return SuggestionPart(
        suggestion_id=suggestion.id,
        words=_suggested_words(label, suggestion.value),
        quote=looking.case.words_of(suggestion),
        raises=suggestion.raises,
        then=_THEN[label],
        agrees=suggestion.agrees,
        answered_by=looking.names.actor(by) if by else "",
        answered_at=suggestion.answered_at,
        may_answer=suggestion.agrees is None and Action.ANSWER_SECOND_READING in actions,
    )


def _suggested_words(label: Label, value: str) -> str:
    """`Scam`, `Happening now`, `Concern: is the person there now?`"""
    match label:
        case Label.CATEGORY:
            return plain(Category(value))
        case Label.URGENCY:
            return plain(Urgency(value))
        case Label.AGE_TARGETED:
            return "Perhaps chosen for their age"
        case Label.OTHER_VULNERABILITY_TARGETED:
            return "Perhaps chosen for another vulnerability"
        case Label.DANGER:
            return f"Yes to the question: {QUESTIONS[value]}"
