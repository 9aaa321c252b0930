"""Looking after the service: work that failed, texts, numbers, alarms, markers and its state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from rapid_response.console.forms.posted import Filled
from rapid_response.console.views.frame import View
from rapid_response.console.views.pieces import AlarmPart, Place
from rapid_response.core.vocabulary import RiskKind, RiskSubject


@dataclass(frozen=True, slots=True)
class ParkedWork:
    """Work that failed too often and waits for a person; `error` is a class of errors, never its text.

    `parked_at` is None while it is still being tried; `owner` is who sees to it.
    """

    id: str
    kind: str
    error: str
    parked_at: datetime | None
    attempts: int
    reference: str = ""
    owner: str = ""
    #: How dangerous it is that it waits: the case's priority, 0 first.
    rank: int = 4


@dataclass(frozen=True, slots=True)
class ExceptionsView(View):
    """`GET /exceptions`; each retry posts to `/exceptions/{id}/retry`, taking it on to `…/take`.

    The list is bounded: `more` counts what is not shown.
    """

    template: ClassVar[str] = "exceptions.html"
    parked: tuple[ParkedWork, ...] = ()
    may_retry: bool = True
    done: str = ""
    failing: tuple[ParkedWork, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class TextToRead:
    """A text that waits for a person; `sender` is a name, a role or a number."""

    text_id: str
    sender: str
    body: str
    at: datetime
    reference: str = ""
    has_media: bool = False


@dataclass(frozen=True, slots=True)
class CallToReturn:
    """Somebody who is on the line, or rang and left no message, with the earlier incidents of that number."""

    call_id: str
    number: str
    at: datetime
    earlier: tuple[str, ...] = ()
    is_on_the_line: bool = False


@dataclass(frozen=True, slots=True)
class TextsView(View):
    """`GET /texts`. Put away by a post to `/texts/{id}/done` and `/texts/calls/{id}/done`."""

    template: ClassVar[str] = "texts.html"
    texts: tuple[TextToRead, ...] = ()
    calls: tuple[CallToReturn, ...] = ()
    done: str = ""


@dataclass(frozen=True, slots=True)
class NumberLine:
    """One number of one person, named by its end; `key` names its forms, and `href` where they post to."""

    key: str
    href: str
    name: str
    number: str
    state: str
    shade: str
    sends: str
    until: datetime | None = None
    #: Until when a code that was sent can be entered.
    code_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class NumbersView(View):
    """`GET /numbers`. Each line posts to `/numbers/{id}/{n}/send` and, once a code is out, to `…/enter`.

    `failed`: the line whose form came back.
    """

    template: ClassVar[str] = "numbers.html"
    numbers: tuple[NumberLine, ...] = ()
    #: Whether the viewer sees everybody's, or only their own.
    is_everybodys: bool = False
    filled: Filled = field(default_factory=Filled)
    failed: str = ""
    done: str = ""


@dataclass(frozen=True, slots=True)
class AlarmView(View):
    """`GET /alarms/{id}`: who, where, and what to do. Posts to `/alarms/{id}/seen` and `/alarms/{id}/end`."""

    template: ClassVar[str] = "alarm.html"
    alarm: AlarmPart
    place: Place | None = None
    area: str = ""
    situation: str = ""
    other: str = ""
    last_heard_at: datetime | None = None
    may_see: bool = False
    may_end: bool = False
    filled: Filled = field(default_factory=Filled)
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MarkerLine:
    """One risk marker of the list."""

    marker_id: str
    subject: RiskSubject
    kind: RiskKind
    about: str
    reason: str
    set_at: datetime
    set_by: str
    expires_at: datetime
    reviewed_at: datetime | None = None
    reviewed_by: str = ""
    is_to_review: bool = False


@dataclass(frozen=True, slots=True)
class MarkersView(View):
    """`GET /markers`: those that stand, the ones to review first, and a form for a new one.

    Posts to `/markers`, `/markers/{id}/review` and `/markers/{id}/end`; `failed` names the form that came
    back: `review-…` or `end-…` with the marker's id.
    """

    template: ClassVar[str] = "markers.html"
    markers: tuple[MarkerLine, ...] = ()
    filled: Filled = field(default_factory=Filled)
    failed: str = ""
    #: The incident from which the form was filled in.
    reference: str = ""
    done: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the promise depends on."""

    name: str
    is_good: bool
    words: str = ""


@dataclass(frozen=True, slots=True)
class StatusView(View):
    """`GET /status`: whether the service can keep its promise."""

    template: ClassVar[str] = "status.html"
    checks: tuple[Check, ...] = ()
    version: str = ""

    @property
    def is_good(self) -> bool:
        """Whether every check passes."""
        return all(check.is_good for check in self.checks)
