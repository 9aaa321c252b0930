"""The responder's own pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from rapid_response.console.forms.posted import Filled
from rapid_response.console.views.case_parts import Person
from rapid_response.console.views.frame import View
from rapid_response.console.views.pieces import Clock, MarkerPart, Place, SafeContact, VisitPart
from rapid_response.core.vocabulary import ContactRoute, Priority


class Verb(StrEnum):
    """What a responder's page posts: `/j/{number}/{verb}`."""

    ACCEPT = "accept"
    DECLINE = "decline"
    GO = "en_route"
    HERE = "on_scene"
    NOBODY = "no_contact"
    RELEASE = "release"
    DONE = "done"
    OUTCOMES = "outcomes"
    SAFE = "check_in"
    NOT_ALONG = "release_companion"


class JobStage(StrEnum):
    """Where a responder stands with a job; decides the one large button."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    ON_THE_WAY = "on_the_way"
    THERE = "there"
    #: Goes along as the second officer; the job is another's.
    ALONG = "along"
    FINISHED = "finished"
    NOT_YOURS = "not_yours"


@dataclass(frozen=True, slots=True)
class JobReport:
    """What one report says, and since when we know it."""

    id: str
    received_at: datetime
    narrative: str


@dataclass(frozen=True, slots=True)
class JobView(View):
    """`GET /j/{number}`, behind sign-in. GET changes nothing; each verb posts to `/j/{number}/{verb}`."""

    template: ClassVar[str] = "job.html"
    number: int
    stage: JobStage
    #: A few words from a closed list: "Trader at the door".
    situation: str
    priority: Priority
    clock: Clock
    reference: str = ""
    joint: bool = False
    #: Who else goes: the second officer, or for her whoever has the job; and how to ring them.
    other: str = ""
    other_phone: str = ""
    visit: VisitPart | None = None
    markers: tuple[MarkerPart, ...] = ()
    #: The address only once the job is theirs or offered; else the area.
    place: Place | None = None
    area: str = ""
    dangers: tuple[str, ...] = ()
    #: What of danger and of reports the page shows, for the form that finishes the job.
    heard: str = ""
    victim: Person | None = None
    safe_contact: SafeContact | None = None
    #: By which help the caller speaks with us: whoever rings takes the same way.
    route: ContactRoute | None = None
    #: A decision on adult safeguarding is owed before it ends.
    at_risk: bool = False
    #: What was reported of this episode, newest first.
    reports: tuple[JobReport, ...] = ()
    suspect: Mapping[str, str] = field(default_factory=dict)
    answer_by: datetime | None = None
    #: Nobody answered the door: by when the duty officer has rung them.
    call_back_by: datetime | None = None
    desk: str = ""
    filled: Filled = field(default_factory=Filled)
    #: What was just recorded: "You are on your way."
    done: str = ""
    #: Why what was sent is not saved, where its form is no longer there; and what was written in it.
    problem: str = ""
    unsaved: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class JobLine:
    """One of the responder's open jobs."""

    number: int
    situation: str
    stage: JobStage
    clock: Clock
    area: str = ""


@dataclass(frozen=True, slots=True)
class JobsView(View):
    """`GET /j`: the responder's open jobs and offers."""

    template: ClassVar[str] = "jobs.html"
    jobs: tuple[JobLine, ...] = ()
