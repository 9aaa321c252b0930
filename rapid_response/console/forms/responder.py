"""The responder's page."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from rapid_response.console.forms.actions import ActionField, Kind
from rapid_response.console.forms.correcting import read_outcome_rows
from rapid_response.console.forms.posted import NOTE_LIMIT, Parsed, Posted
from rapid_response.console.forms.reading import Reading
from rapid_response.console.words import choices
from rapid_response.core.vocabulary import ProtectiveAct, Safeguarding, ShortDisposition


class CannotGo(StrEnum):
    """Why a responder cannot take or keep a job: one tap each."""

    BUSY = "busy"
    TOO_FAR = "too_far"
    NOT_SAFE = "not_safe"
    OTHER = "other"


CANNOT_GO_WORDS: Mapping[CannotGo, str] = {
    CannotGo.BUSY: "I am on another job",
    CannotGo.TOO_FAR: "I cannot get there in time",
    CannotGo.NOT_SAFE: "It is not safe for me to go",
    CannotGo.OTHER: "Another reason",
}

OUTCOMES = ActionField("outcomes", "What changed: money, trader, safety", Kind.OUTCOMES)
#: The form to finish a job, also as it is told again where it is no longer there.
FINISH_FIELDS = (
    ActionField("code", "How did it end?", Kind.RADIOS, choices(ShortDisposition)),
    ActionField("cad_reference", "Police CAD reference, if handed to the police", Kind.LINE),
    ActionField(
        "protective_act",
        "If by phone: what you did to protect them",
        Kind.SELECT,
        choices(ProtectiveAct),
    ),
    OUTCOMES,
    ActionField(
        "safeguarding",
        "An adult may be at risk: what about safeguarding?",
        Kind.SELECT,
        choices(Safeguarding),
    ),
    ActionField("safeguarding_reason", "Why, unless adult social care is told", Kind.LINE),
    ActionField("note", "Note", Kind.TEXT, limit=NOTE_LIMIT),
)
#: Their labels, by name.
FINISH_LABELS: Mapping[str, str] = {asked.name: asked.label for asked in FINISH_FIELDS}


def read_cannot_go(posted: Posted) -> Parsed:
    """The body of `decline`, or of `release` after acceptance; the reason is wanted, never demanded."""
    reading = Reading(posted)
    value = posted.text("reason")
    reading.put("reason", value if value in set(CannotGo) else CannotGo.OTHER.value)
    return reading.done()


def read_outcomes(posted: Posted) -> Parsed:
    """What changed for someone, added after the end; at least one thing."""
    reading = Reading(posted)
    read_outcome_rows(reading)
    if not reading.body.get("outcomes"):
        reading.fail("outcomes.0.code", "Choose what changed")
    return reading.done()


def read_finish(posted: Posted) -> Parsed:
    """`code` as in `DONE 4821 CODE`, with `outcomes`, `note`, and what its code needs beside it."""
    reading = Reading(posted, labels=FINISH_LABELS)
    reading.choice("code", ShortDisposition, "Choose how it ended")
    code = reading.body.get("code")
    if code == ShortDisposition.POLICE:
        reading.text("cad_reference", "Write the police CAD reference")
    if code == ShortDisposition.PHONE:
        reading.choice("protective_act", ProtectiveAct, "Choose what you did to protect them")
    reading.choice("safeguarding", Safeguarding)
    reading.text("safeguarding_reason")
    reading.text("note", limit=NOTE_LIMIT)
    read_outcome_rows(reading)
    return reading.done()
