"""Reasons to look, and what partners are shown."""

from __future__ import annotations

from collections.abc import Mapping

from rapid_response.console.forms.posted import LINE_LIMIT, Parsed, Posted
from rapid_response.console.forms.reading import Reading
from rapid_response.core.vocabulary import ViewReason

WORDS_LABEL = "In a few words, if it is another reason"
#: The labels of the form for a vehicle.
VEHICLE_LABELS: Mapping[str, str] = {
    "registration": "Registration",
    "to": "Name of who gets it",
    "authority": "On what authority?",
}


def read_view_reason(posted: Posted) -> Parsed:
    """Why somebody opens a case that is not theirs."""
    reading = Reading(posted, labels={"words": WORDS_LABEL})
    reading.choice("reason", ViewReason, "Choose why you need to see it")
    reading.text("words", limit=LINE_LIMIT)
    return reading.done()


def read_vehicle(posted: Posted) -> Parsed:
    """Who asks for all reports of one vehicle, and on what authority."""
    reading = Reading(posted, labels=VEHICLE_LABELS)
    reading.text("registration", "Write the registration")
    reading.text("to", "Write who gets it")
    reading.text("authority", "Write on what authority they get it")
    return reading.done()
