"""One incident, whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from rapid_response.console.forms.actions import CORRECTION
from rapid_response.console.forms.posted import Filled
from rapid_response.console.views.case_parts import (
    AgeTargetingPart,
    AreaPart,
    CorrectionPart,
    LinkPart,
    MessagePart,
    NotePart,
    NoticePart,
    OfferPart,
    OutcomePart,
    Person,
    ReachPart,
    ReferralPart,
    ReportPart,
    SafeguardingPart,
    SecondReadingPart,
    TaskPart,
    TimelinePart,
    ToldPart,
)
from rapid_response.console.views.frame import View
from rapid_response.console.views.pieces import (
    AlarmPart,
    Choice,
    Clock,
    MarkerPart,
    NextStep,
    Place,
    SafeContact,
    VisitPart,
)
from rapid_response.console.views.sharing import DisclosurePart, TransferPart
from rapid_response.core.facts import Facts
from rapid_response.core.incident import OPEN_STATUSES, Action, Status
from rapid_response.core.vocabulary import Category, Disposition, Priority, ReferralSource, Urgency


@dataclass(frozen=True, slots=True)
class FailedAction:
    """An action form that came back with faults (422), or was refused (409, with `message`)."""

    action: Action
    filled: Filled = field(default_factory=Filled)
    message: str = ""

    @property
    def is_correction(self) -> bool:
        """Whether it is the form beside a review that corrects and decides nothing."""
        return bool(self.filled.value(CORRECTION))

    @property
    def prefix(self) -> str:
        """What the ids of the form's fields begin with."""
        return CORRECTION if self.is_correction else self.action.value


@dataclass(frozen=True, slots=True)
class IncidentView(View):
    """`GET /incidents/{reference}`. Each action's form posts to `/incidents/{reference}/actions/{action}`."""

    template: ClassVar[str] = "incident.html"
    reference: str
    status: Status
    category: Category
    subtype: str
    urgency: Urgency
    priority: Priority
    rule_id: str
    clock: Clock
    received_at: datetime
    #: The rule's title, and what raised it: why this priority.
    why: str = ""
    job_number: int | None = None
    episode: int = 1
    responder: str = ""
    #: The id of who has the job now: a form that gives it to somebody else says whom it was shown.
    owner: str = ""
    joint: bool = False
    companion: str = ""
    visit: VisitPart | None = None
    markers: tuple[MarkerPart, ...] = ()
    #: Whether the viewer may set a marker on this address or suspect.
    may_mark: bool = False
    duress: tuple[AlarmPart, ...] = ()
    back_entry: bool = False
    next_step: NextStep | None = None
    place: Place | None = None
    area: AreaPart = field(default_factory=AreaPart)
    transfers: tuple[TransferPart, ...] = ()
    victim: Person | None = None
    safe_contact: SafeContact | None = None
    suspect: Mapping[str, str] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    #: What the page shows of danger and of reports, for the forms that end the case; empty if nothing.
    heard: str = ""
    age_targeting: AgeTargetingPart = field(default_factory=AgeTargetingPart)
    referrals: tuple[ReferralPart, ...] = ()
    disclosures: tuple[DisclosurePart, ...] = ()
    safeguarding: SafeguardingPart | None = None
    #: Held for a court or the like: nothing of it is deleted.
    is_kept: bool = False
    #: The time for which its people may be kept is over.
    is_erased: bool = False
    #: Who calls it a hoax, while somebody else has yet to agree.
    hoax_said_by: str = ""
    source: ReferralSource | None = None
    #: What the state allows and this viewer may do; others are absent, not disabled.
    actions: tuple[Action, ...] = ()
    #: Whom an action may name; those who were asked come first.
    responders: tuple[Choice, ...] = ()
    #: Those that the viewer may set: to lower it is not for everybody.
    priorities: tuple[Priority, ...] = tuple(Priority)
    failed: FailedAction | None = None
    tasks: tuple[TaskPart, ...] = ()
    notices: tuple[NoticePart, ...] = ()
    reports: tuple[ReportPart, ...] = ()
    #: One a report that the second reader was, or is to be, asked about.
    second_readings: tuple[SecondReadingPart, ...] = ()
    offers: tuple[OfferPart, ...] = ()
    messages: tuple[MessagePart, ...] = ()
    reach: tuple[ReachPart, ...] = ()
    notes: tuple[NotePart, ...] = ()
    outcomes: tuple[OutcomePart, ...] = ()
    disposition: Disposition | None = None
    #: Newest last, as the log keeps it.
    timeline: tuple[TimelinePart, ...] = ()
    links: tuple[LinkPart, ...] = ()
    #: The incident that this one was joined to: its page leads there.
    joined_to: str = ""
    #: The references of a series that people have made, this one's among them.
    series: tuple[str, ...] = ()
    corrections: tuple[CorrectionPart, ...] = ()
    told: tuple[ToldPart, ...] = ()
    #: The form to correct what is known, filled in with it; None for who may not.
    amend: Filled | None = None
    wards: tuple[str, ...] = ()
    #: Linked incidents of the same people, where less is safe than was said here.
    stricter_elsewhere: tuple[str, ...] = ()
    #: What was written in a form that the state no longer allows: name and words.
    unsaved: tuple[tuple[str, str], ...] = ()
    #: What was just done, said once at the top: "Assigned to Asha Patel".
    done: str = ""

    @property
    def unseen(self) -> tuple[str, ...]:
        """The ids of what the page shows and nobody has seen: notices, and silent alarms."""
        notices = (n.notice_id for n in self.notices if n.acknowledged_at is None)
        return (*notices, *(a.alarm_id for a in self.duress if a.acknowledged_at is None))

    @property
    def is_when_unclear(self) -> bool:
        """Whether the words alone would be no crime report, and the facts send somebody all the same."""
        return self.urgency is Urgency.NONE and self.priority.has_clock

    @property
    def is_emergency(self) -> bool:
        """Whether 999 belongs at the top: P0, and nobody has reached the person yet.

        Outside our area no clock of ours says who was reached: it stands there until somebody is at the door.
        """
        is_reached = self.clock.stopped_at is not None or self.status is Status.ON_SCENE
        return self.priority is Priority.P0 and self.status in OPEN_STATUSES and not is_reached
