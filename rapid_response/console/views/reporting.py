"""Reporting: the public form, and the handler's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from rapid_response.console.forms.posted import Filled
from rapid_response.console.forms.public import Now
from rapid_response.console.views.case_parts import LinkPart
from rapid_response.console.views.frame import View
from rapid_response.console.views.pieces import Clock, NextStep
from rapid_response.core.incident import Status
from rapid_response.core.safe_contact import MayBeTold
from rapid_response.core.vocabulary import Category, Priority


@dataclass(frozen=True, slots=True)
class ReportStartView(View):
    """`GET /report` without `now`: 999 first, then the one question that decides what comes next.

    The form leads to `GET /report?now=…`.
    """

    template: ClassVar[str] = "report_start.html"
    #: The question was sent without an answer.
    unanswered: bool = False


@dataclass(frozen=True, slots=True)
class ReportFormView(View):
    """`GET /report?now=…`, and again (422) when the posted form has a fault. Posts to `/report`."""

    template: ClassVar[str] = "report_form.html"
    now_answer: Now
    shown_at: datetime
    filled: Filled = field(default_factory=Filled)


@dataclass(frozen=True, slots=True)
class ReportSentView(View):
    """The answer to a posted public report: what happens next, and no promise of a visit."""

    template: ClassVar[str] = "report_sent.html"
    reference: str
    is_emergency: bool = False
    #: Sentences to act on now.
    advice: tuple[str, ...] = ()
    #: Of place and hours, where the case does not take its usual way.
    say: tuple[str, ...] = ()
    #: True where the reporter said that ringing is safe.
    may_ring: bool = False


@dataclass(frozen=True, slots=True)
class HandlerFormView(View):
    """`GET /console`, and again (422) with faults. Posts to `/console`."""

    template: ClassVar[str] = "console.html"
    #: When the page was opened: the call began then, or with the first word; kept when it is shown again.
    opened_at: datetime
    wards: tuple[str, ...] = ()
    #: Sentences to say first, whatever it is; shown beside the form.
    script: tuple[str, ...] = ()
    filled: Filled = field(default_factory=Filled)


@dataclass(frozen=True, slots=True)
class HandlerSentView(View):
    """The answer to the handler's form: 999 first when it is P0, then what to tell the caller."""

    template: ClassVar[str] = "console_sent.html"
    reference: str
    status: Status
    category: Category
    subtype: str
    priority: Priority
    rule_id: str
    clock: Clock
    #: The rule's title: why this priority.
    why: str = ""
    #: Sentences for the caller, 999 first.
    advice: tuple[str, ...] = ()
    job_number: int | None = None
    next_step: NextStep | None = None
    #: What the caller is told of place and hours, where the case does not take its usual way.
    say: tuple[str, ...] = ()
    #: Nobody on duty or on call could be asked: the caller is to be told so.
    nobody_to_send: bool = False
    #: What the caller may hear, now and whenever she rings again.
    may_be_told: MayBeTold = MayBeTold.RECEIPT_ONLY
    #: Other incidents that this may belong to; decided on the incident's own page.
    links: tuple[LinkPart, ...] = ()
