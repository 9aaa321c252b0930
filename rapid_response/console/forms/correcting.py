"""Correcting a case, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rapid_response.console.forms.handler import FUTURE_TIMES, HANDLER_PARAGRAPHS, PAST_TIMES
from rapid_response.console.forms.posted import LINES_LIMIT, OUTCOME_ROWS, UNKNOWN, Parsed
from rapid_response.console.forms.reading import Reading, read_pounds
from rapid_response.console.when import Side
from rapid_response.core.facts import BOOLEAN_FACTS
from rapid_response.core.vocabulary import EvidenceGrade, OutcomeCode, PaymentMethod

#: Under this name a form says what a field held when it was shown, so that what somebody else has put right
#: meanwhile is not put back.
WAS = "was."
_AMENDED_LINES = (
    *("location.postcode", "location.ward", "victim.name"),
    *("caller.name", "caller.email", "caller.role"),
    *("suspect.name", "suspect.company", "suspect.vehicle_registration", "suspect.website"),
)
_AMENDED_PHONES = ("caller.phone", "victim.phone", "suspect.phone")
#: Beside the words for what is known of a case.
AMEND_LABELS = {"reason": "Why is it changed?"}
_MEANS = ("voice", "sms", "voicemail")


def read_amendment(reading: Reading) -> Parsed:
    """What is different from what the page showed; an emptied field takes its value away."""
    for path in _AMENDED_LINES:
        _amended(reading, path, reading.text)
    for path in HANDLER_PARAGRAPHS:
        _amended(reading, path, lambda path: reading.text(path, limit=LINES_LIMIT))
    for path in _AMENDED_PHONES:
        _amended(reading, path, reading.phone)
    wrong_age = "Write the age in years, like 82, or leave it empty"
    _amended(reading, "victim.age", lambda path: reading.number(path, 0, 120, wrong_age))
    for name in BOOLEAN_FACTS:
        _amended(reading, f"answers.{name}", reading.yes_no)
    for names, side in ((PAST_TIMES, Side.PAST), (FUTURE_TIMES, Side.FUTURE)):
        for name in names:
            _amended(reading, f"answers.{name}", lambda path, side=side: reading.when(path, side))  # type: ignore[misc]
    _amended(reading, "answers.amount_gbp", reading.pounds)
    _amended(reading, "answers.payment_method", lambda path: reading.choice(path, PaymentMethod))
    safe, was_safe = (set(reading.posted.all(name)) for name in ("safe", f"{WAS}safe"))
    for means in _MEANS:
        if (means in safe) != (means in was_safe):
            reading.put(f"safe_contact.{means}", means in safe)
    if not reading.body and not reading.errors:
        reading.fail("reason", "Nothing is different yet. Change what is wrong, then save")
    reading.text("reason")
    reading.text("report")
    return reading.done()


def _amended(reading: Reading, path: str, read: Callable[[str], None]) -> None:
    value = reading.posted.text(path)
    if value == reading.posted.text(WAS + path):
        return
    if value in ("", UNKNOWN):
        reading.put(path, None)
    else:
        read(path)


def outcome_field(row: int, part: str) -> str:
    """The name of one cell of the outcome rows."""
    return f"outcomes.{row}.{part}"


def read_outcome_rows(reading: Reading) -> None:
    outcomes: list[dict[str, Any]] = []
    for row in range(OUTCOME_ROWS):
        outcome = _read_outcome(reading, row)
        if outcome:
            outcomes.append(outcome)
    reading.put("outcomes", outcomes)


def _read_outcome(reading: Reading, row: int) -> dict[str, Any]:
    posted = reading.posted
    code, amount, grade = (
        posted.text(outcome_field(row, part)) for part in ("code", "amount_gbp", "evidence_grade")
    )
    if not code:
        if amount:
            reading.fail(outcome_field(row, "code"), "Choose what the sum is for")
        return {}
    if code not in set(OutcomeCode):
        reading.fail(outcome_field(row, "code"), "Choose one of the list")
        return {}
    outcome: dict[str, Any] = {"code": code}
    if amount:
        try:
            outcome["amount_gbp"] = read_pounds(amount)
        except ValueError as problem:
            reading.fail(outcome_field(row, "amount_gbp"), str(problem))
        if grade not in set(EvidenceGrade):
            reading.fail(outcome_field(row, "evidence_grade"), "Choose how sure the sum is")
        else:
            outcome["evidence_grade"] = grade
    return outcome
