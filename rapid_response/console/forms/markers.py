"""Alarms and risk markers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rapid_response.console.forms.posted import NOTE_LIMIT, Parsed, Posted
from rapid_response.console.forms.reading import Reading
from rapid_response.core.vocabulary import RiskKind, RiskSubject
from rapid_response.safety.rules import LONGEST_MARKER_MONTHS

#: The parts that say which address, or who.
MARKER_LINES: Mapping[RiskSubject, Sequence[tuple[str, str]]] = {
    RiskSubject.ADDRESS: (("address", "Address"), ("postcode", "Postcode")),
    RiskSubject.SUSPECT: (
        ("name", "Full name"),
        ("company", "Company or trading name"),
        ("phone", "Phone number"),
        ("vehicle_registration", "Vehicle registration"),
        ("website", "Website"),
    ),
}
#: The form's labels, by field.
MARKER_LABELS: Mapping[str, str] = {
    **{name: label for lines in MARKER_LINES.values() for name, label in lines},
    "reason": "Evidence",
}


def read_marker(posted: Posted) -> Parsed:
    """A new risk marker: about whom or where, what kind, on what evidence, for how long."""
    reading = Reading(posted, labels=MARKER_LABELS)
    reading.choice("subject", RiskSubject, "Choose what the marker warns of")
    reading.choice("kind", RiskKind, "Choose the kind of risk")
    subject = reading.body.get("subject")
    for name, _ in MARKER_LINES[RiskSubject(subject)] if subject else ():
        reading.text(name)
    _read_evidence(reading)
    return reading.done()


def read_marker_review(posted: Posted) -> Parsed:
    """A marker looked at again: the evidence as it stands now, and for how long."""
    reading = Reading(posted, labels=MARKER_LABELS)
    _read_evidence(reading)
    return reading.done()


def _read_evidence(reading: Reading) -> None:
    reading.text("reason", "Write the evidence: what happened, when, and how you know", NOTE_LIMIT)
    wrong = f"Write how many months, 1 to {LONGEST_MARKER_MONTHS}"
    reading.number("months", 1, LONGEST_MARKER_MONTHS, wrong)


def read_reason(posted: Posted, missing: str) -> Parsed:
    """A reason that must be given."""
    reading = Reading(posted)
    reading.text("reason", missing, NOTE_LIMIT)
    return reading.done()
