"""What each page shows: one plain dataclass a template, made by whoever reads the database.

A view holds only what its page may show: whoever fills it leaves out (None, empty) what the viewer may not
see. Times are aware and in UTC; the page shows them in the service's zone. Money is pence. Nothing here
asks for the time: `Site.now` says it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from rapid_response.console.forms import CORRECTION, Filled, Now
from rapid_response.core.facts import Facts
from rapid_response.core.incident import Action, Status
from rapid_response.core.safe_contact import MayBeTold
from rapid_response.core.states import (
    MessageChannel,
    MessageState,
    OfferState,
    Purpose,
    SecondReadingState,
    TaskState,
)
from rapid_response.core.vocabulary import (
    AgeEvidence,
    AgeTargeting,
    Area,
    Category,
    Channel,
    ClockState,
    ContactRole,
    ContactRoute,
    Disposition,
    EvidenceGrade,
    HateStrand,
    OutcomeCode,
    Priority,
    ReferralKind,
    ReferralSource,
    ReferralState,
    RetentionClass,
    RiskKind,
    RiskSubject,
    Role,
    Safeguarding,
    StoppedBy,
    TransferMeans,
    TransferState,
    Urgency,
    ViewReason,
)
from rapid_response.safety import rules as safety
from rapid_response.safety.rules import Watch

# --- around every page ------------------------------------------------------------------------------------


class Page(StrEnum):
    """Where the navigation leads; the value is the address."""

    CONSOLE = "/console"
    BOARD = "/board"
    REVIEWS = "/reviews"
    JOBS = "/j"
    TEXTS = "/texts"
    MARKERS = "/markers"
    ROTA = "/rota"
    INTELLIGENCE = "/intelligence"
    DISCLOSURES = "/disclosures"
    ACCESS = "/access"
    RETENTION = "/retention"
    EXCEPTIONS = "/exceptions"
    SIMULATOR = "/simulator"
    STATUS = "/status"
    AGREEMENT = "/agreement"
    NUMBERS = "/numbers"
    ACCOUNT = "/account"


PAGE_WORDS: Mapping[Page, str] = {
    Page.CONSOLE: "Take a call",
    Page.BOARD: "Open incidents",
    Page.REVIEWS: "Reviews",
    Page.JOBS: "My jobs",
    Page.TEXTS: "Texts and calls",
    Page.MARKERS: "Risk markers",
    Page.ROTA: "Rota",
    Page.INTELLIGENCE: "Intelligence",
    Page.DISCLOSURES: "Disclosures",
    Page.ACCESS: "Access",
    Page.RETENTION: "Retention",
    Page.EXCEPTIONS: "Parked work",
    Page.SIMULATOR: "Phones",
    Page.STATUS: "Service status",
    Page.AGREEMENT: "Agreement",
    Page.NUMBERS: "Phone numbers",
    Page.ACCOUNT: "My account",
}


@dataclass(frozen=True, slots=True)
class Site:
    """The service as every page shows it. `hotline` is E.164 and may be empty."""

    name: str
    hotline: str
    now: datetime
    zone: ZoneInfo
    #: No message leaves this computer: a ribbon says so, and at which time the town stands.
    simulated: bool = False
    speed: float = 1.0
    #: No message is sent and no deadline rings until somebody lets go: every page of the desk says so.
    is_held: bool = False
    #: Where “Exit this page” leads: somewhere dull that anybody might be reading.
    exit_url: str = "https://www.bbc.co.uk/weather"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is signed in. `pages`: what the permission table lets them see, in the order of the navigation."""

    name: str
    role: Role
    pages: tuple[Page, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page needs beside its own view.

    `form_key` is new for each page shown and comes back hidden in each of its forms: with the form's
    address it makes a good Idempotency-Key, so that a double click does a thing once.
    """

    site: Site
    nonce: str
    csrf_token: str = ""
    form_key: str = ""
    viewer: Viewer | None = None
    path: str = ""


class View:
    """Base of all views: names the template that shows it."""

    __slots__ = ()
    template: ClassVar[str]


# --- shared pieces ----------------------------------------------------------------------------------------


class Shade(StrEnum):
    """The colour of a tag; the words beside it always say the same."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"
    GREY = "grey"
    BLUE = "blue"


#: From here on the time left is marked.
SOON = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Clock:
    """The two-hour clock of an incident."""

    state: ClockState
    started_at: datetime | None = None
    due_at: datetime | None = None
    needed_by: datetime | None = None
    accepted_at: datetime | None = None
    stopped_at: datetime | None = None
    stopped_by: StoppedBy | None = None
    breached_at: datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether time is running out."""
        return self.stopped_at is None and self.state in (ClockState.RUNNING, ClockState.BREACHED)

    @property
    def is_needed_sooner(self) -> bool:
        """Whether help is needed before the two hours are up."""
        return self.needed_by is not None and self.due_at is not None and self.needed_by < self.due_at

    @property
    def goal(self) -> datetime | None:
        """What people work towards: the earlier of needed-by and due."""
        return self.needed_by if self.is_needed_sooner else self.due_at

    def words(self, now: datetime) -> str:
        """How it stands, in words that need no colour."""
        if self.state is ClockState.NOT_APPLICABLE:
            return "No two-hour clock"
        if self.state is ClockState.PAUSED:
            return "Clock paused"
        if self.state is ClockState.MET:
            return "Responded in time"
        if not self.counts or self.due_at is None:
            return "Responded late"
        if now > self.due_at:
            return f"Overdue by {minutes_words(now - self.due_at)}"
        if self.is_needed_sooner and self.needed_by is not None and now > self.needed_by:
            return f"Needed {minutes_words(now - self.needed_by)} ago"
        return f"{minutes_words((self.goal or self.due_at) - now)} left"

    def shade(self, now: datetime) -> Shade | None:
        """The tag's colour; None where all is on time and no tag is wanted."""
        if self.state is ClockState.PAUSED:
            return Shade.GREY
        if self.state is ClockState.MET:
            return Shade.GREEN
        if self.state is ClockState.BREACHED:
            return Shade.RED
        if self.goal is None or not self.counts:
            return None
        if now > self.goal:
            return Shade.RED
        return Shade.YELLOW if self.goal - now <= SOON else None


def minutes_words(span: timedelta) -> str:
    """A length of time as people on a desk say it: `12 min`, `1 h 5 min`, `3 days`."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return "less than 1 min"
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days"
    if hours == 0:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a list to choose from."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class NextStep:
    """What happens next, who does it, and by when."""

    what: str
    who: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where it happened."""

    address: str = ""
    postcode: str = ""
    ward: str = ""
    latitude: float | None = None
    longitude: float | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """The address as written on an envelope."""
        parts = [part.strip() for part in self.address.replace(",", "\n").splitlines()]
        return (*(part for part in parts if part), *((self.postcode,) if self.postcode else ()))

    @property
    def geo(self) -> str | None:
        """An address that opens the phone's own map; nobody else is told where the victim lives."""
        label = quote(", ".join(self.lines))
        if self.latitude is not None and self.longitude is not None:
            point = f"{self.latitude:.6f},{self.longitude:.6f}"
            return f"geo:{point}?q={point}({label})"
        return f"geo:0,0?q={label}" if label else None


@dataclass(frozen=True, slots=True)
class SafeContact:
    """Whether and how the person may be contacted; silence means no."""

    sms: bool = False
    voice: bool = False
    voicemail: bool = False
    note: str = ""

    @property
    def words(self) -> str:
        """One sentence for whoever is about to ring."""
        means = (("ring", self.voice), ("text", self.sms), ("leave a voicemail", self.voicemail))
        ways = [word for word, is_safe in means if is_safe]
        never = [word for word, is_safe in means if not is_safe]
        if not ways:
            return "Do not ring, text or leave a voicemail"
        said = "Safe to " + " and ".join(ways)
        return f"{said}. Do not {' or '.join(never)}" if never else said


@dataclass(frozen=True, slots=True)
class CheckIn:
    """When a responder on scene is next to say that they are safe."""

    by: datetime
    heard_at: datetime

    def words(self, now: datetime) -> str:
        """How it stands, without the time of the next, which the page gives beside it."""
        match safety.watch(self.by, now):
            case Watch.IN_TIME:
                return "Safe when last heard"
            case Watch.ASKED:
                return "Asked whether safe, no answer yet"
            case Watch.OVERDUE:
                return f"No check-in for {minutes_words(now - self.heard_at)}"

    def shade(self, now: datetime) -> Shade | None:
        """The tag's colour; none while all is in time."""
        return {Watch.ASKED: Shade.YELLOW, Watch.OVERDUE: Shade.RED}.get(safety.watch(self.by, now))

    def is_due(self, now: datetime) -> bool:
        """Whether an answer is awaited."""
        return safety.watch(self.by, now) is not Watch.IN_TIME


@dataclass(frozen=True, slots=True)
class VisitPart:
    """Where a responder is, when they are expected to be done, and who holds that plan."""

    responder: str
    area: str
    holder: str
    finish_at: datetime
    set_off_at: datetime | None = None
    expected_at: datetime | None = None
    arrived_at: datetime | None = None
    check_in: CheckIn | None = None


@dataclass(frozen=True, slots=True)
class MarkerPart:
    """A warning about the address or the suspect; without a kind it says only that there is one."""

    subject: RiskSubject
    kind: RiskKind | None = None
    reason: str = ""
    #: What agreed with the marker; holds nothing of it.
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlarmPart:
    """A responder's silent alarm; where they are stands on the page that it leads to."""

    alarm_id: str
    responder: str
    raised_at: datetime
    job_number: int | None = None
    reference: str = ""
    repeats: int = 0
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""


# --- the public report ------------------------------------------------------------------------------------


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


# --- the call handler -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HandlerFormView(View):
    """`GET /console`, and again (422) with faults. Posts to `/console`."""

    template: ClassVar[str] = "console.html"
    #: When the page was opened, which is when the call began; kept when the form is shown again.
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


# --- the rota ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonAsked:
    """Somebody who would be asked, or would not, and why."""

    name: str
    why: str
    is_on_call: bool = False


@dataclass(frozen=True, slots=True)
class PersonTold:
    """A step of the ladder: after how many minutes, which role, and who that would be."""

    minutes: int
    role: ContactRole
    who: str


@dataclass(frozen=True, slots=True)
class GapLine:
    """When nobody with a skill is on duty; `on_call` are those who would still be asked."""

    what: str
    begins: datetime
    ends: datetime
    on_call: str = ""


@dataclass(frozen=True, slots=True)
class AbsenceLine:
    """Something beside the rota: an absence, duty beyond it, or a side of a swap."""

    row_id: str
    name: str
    is_off: bool
    begins: datetime
    until: datetime | None
    swap_with: str = ""


@dataclass(frozen=True, slots=True)
class HandOverLine:
    """A job of somebody whose shift ends; without `ends_at` it is over."""

    reference: str
    job_number: int | None
    responder: str
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RotaView(View):
    """`GET /rota?when=&category=&ward=`: who would be asked then, and why; gaps; who is off.

    Whoever may change it posts to `/rota/absence` and `/rota/{id}/back`.
    """

    template: ClassVar[str] = "rota.html"
    at: datetime
    category: Category
    question: Filled
    asked: tuple[PersonAsked, ...] = ()
    not_asked: tuple[PersonAsked, ...] = ()
    told: tuple[PersonTold, ...] = ()
    opens_at: datetime | None = None
    gaps: tuple[GapLine, ...] = ()
    absences: tuple[AbsenceLine, ...] = ()
    hand_over: tuple[HandOverLine, ...] = ()
    wards: tuple[str, ...] = ()
    may_change: bool = False
    people: tuple[Choice, ...] = ()
    filled: Filled = field(default_factory=Filled)
    done: str = ""


# --- the board --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One open incident, without a name, number or address."""

    reference: str
    category: Category
    subtype: str
    priority: Priority
    status: Status
    clock: Clock
    ward: str = ""
    #: As in the texts to responders: `BR1 3`, never a whole postcode.
    sector: str = ""
    responder: str = ""
    next_step: str = ""
    job_number: int | None = None
    joint: bool = False
    age_targeting: AgeTargeting = AgeTargeting.NONE
    #: Of a responder who is there now.
    check_in: CheckIn | None = None


@dataclass(frozen=True, slots=True)
class BoardFilters:
    """What the board is narrowed to; each filter is a link with the others kept."""

    status: Status | None = None
    category: Category | None = None
    ward: str = ""
    overdue: bool = False
    #: False where the reader has paused the updates.
    live: bool = True

    def url(self) -> str:
        """The board's address with these filters."""
        pairs = [("status", self.status), ("category", self.category), ("ward", self.ward)]
        query = [(name, value) for name, value in pairs if value]
        query += [("overdue", "1")] * self.overdue + [("live", "0")] * (not self.live)
        return Page.BOARD + ("?" + urlencode(query) if query else "")

    def with_status(self, status: Status | None) -> BoardFilters:
        """The same, for one status or all."""
        return replace(self, status=status)

    def with_category(self, category: Category | None) -> BoardFilters:
        """The same, for one category or all."""
        return replace(self, category=category)

    def with_ward(self, ward: str) -> BoardFilters:
        """The same, for one ward or all."""
        return replace(self, ward=ward)

    def with_overdue(self, overdue: bool) -> BoardFilters:
        """The same, for the overdue ones or all."""
        return replace(self, overdue=overdue)

    def with_live(self, live: bool) -> BoardFilters:
        """The same, with or without updates."""
        return replace(self, live=live)

    @property
    def narrows(self) -> bool:
        """Whether any filter is set."""
        return bool(self.status or self.category or self.ward or self.overdue)


@dataclass(frozen=True, slots=True)
class BoardView(View):
    """`GET /board`: open incidents by when help is needed."""

    template: ClassVar[str] = "board.html"
    rows: tuple[BoardRow, ...] = ()
    filters: BoardFilters = field(default_factory=BoardFilters)
    wards: tuple[str, ...] = ()
    #: Of all open incidents, whatever the filters.
    open_total: int = 0
    overdue_total: int = 0
    unassigned_total: int = 0
    review_total: int = 0
    #: Decisions on age targeting that are owed; None for who may not see the reviews.
    age_reviews: int | None = None
    responders_on_duty: int | None = None
    #: Work that failed too often and waits for a person.
    parked: int = 0
    may_print: bool = False
    shows_agreement: bool = False
    #: What keeps people from being reached, each a sentence; the first ones stop everything.
    alarms: tuple[str, ...] = ()
    #: Numbers that do not take our texts or calls, each a sentence.
    unreachable: tuple[str, ...] = ()
    #: Silent alarms of responders, before everything else.
    duress: tuple[AlarmPart, ...] = ()
    may_see_duress: bool = False
    #: Risk markers to look at again, for those who may.
    markers_to_review: int = 0

    @property
    def ordered(self) -> tuple[BoardRow, ...]:
        """Soonest need first; those without a clock last, by priority."""
        never = datetime.max.replace(tzinfo=UTC)
        return tuple(
            sorted(
                self.rows,
                key=lambda row: (
                    not row.clock.counts,
                    row.clock.goal or never,
                    row.priority.rank,
                    row.reference,
                ),
            )
        )


# --- one incident -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """A caller or victim; fields that are not known, or not to be seen, are empty."""

    name: str = ""
    phone: str = ""
    email: str = ""
    role: str = ""
    age: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there is anything to show."""
        return any((self.name, self.phone, self.email, self.role, self.age))


@dataclass(frozen=True, slots=True)
class EvidenceSpan:
    """Words of a narrative that support something: `narrative[start:end]`, and why."""

    start: int
    end: int
    label: str
    why: str


@dataclass(frozen=True, slots=True)
class ReportPart:
    """One report of the incident; the narrative is the reporter's own words."""

    channel: Channel
    received_at: datetime
    recorded_at: datetime
    narrative: str
    evidence: tuple[EvidenceSpan, ...] = ()
    caller: Person | None = None
    source: str = ""
    back_entry: bool = False
    report_id: str = ""
    #: By which help the caller speaks with us.
    route: ContactRoute | None = None
    #: What this caller may hear of the case.
    may_be_told: MayBeTold = MayBeTold.RECEIPT_ONLY
    #: The form to correct who the caller is, filled in; None for who may not.
    amend: Filled | None = None

    @property
    def is_read_late(self) -> bool:
        """Whether it lay unread for longer than five minutes."""
        return self.recorded_at - self.received_at > timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Words:
    """Words of a report that support something, and why; of age targeting also which kind of evidence."""

    text: str
    why: str
    kind: AgeEvidence | None = None


@dataclass(frozen=True, slots=True)
class ProposalPart:
    """One reviewer would rule out what the person says; `is_own` where the viewer proposed it."""

    by: str
    at: datetime
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class StepPart:
    """One thing that a person said of it, and when."""

    words: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class AgeTargetingPart:
    """Whether the victim was chosen for their age; past `potential` only a person moves it.

    Another vulnerability and the statutory strands stand apart from it.
    """

    state: AgeTargeting = AgeTargeting.NONE
    evidence: tuple[Words, ...] = ()
    strands: tuple[HateStrand, ...] = ()
    strand_words: tuple[Words, ...] = ()
    #: No referral to the police as a hate crime was sent yet.
    offers_police: bool = False
    #: What the police gave, if they recorded it.
    police_reference: str = ""
    other_vulnerability: bool = False
    vulnerability_words: tuple[Words, ...] = ()
    victims_own_perception: bool = False
    proposal: ProposalPart | None = None
    #: What people said of it, oldest first.
    history: tuple[StepPart, ...] = ()
    decided_by: str = ""
    decided_at: datetime | None = None

    @property
    def by_kind(self) -> tuple[tuple[AgeEvidence | None, tuple[Words, ...]], ...]:
        """The evidence, kind by kind, in the order of the six."""
        kinds = (*AgeEvidence, None)
        grouped = ((kind, tuple(w for w in self.evidence if w.kind is kind)) for kind in kinds)
        return tuple((kind, words) for kind, words in grouped if words)

    @property
    def filled(self) -> Filled:
        """What a form that corrects it shows at first."""
        shown = {
            "statutory_strands": self.strands,
            "other_vulnerability": ("yes",) * self.other_vulnerability,
        }
        return Filled({name: tuple(str(v) for v in values) for name, values in shown.items()})


@dataclass(frozen=True, slots=True)
class ReferralPart:
    """A referral and what became of it; `may_update` gives the viewer a form."""

    referral_id: str
    kind: ReferralKind
    state: ReferralState
    sent_at: datetime
    sent_by: str
    reference: str = ""
    acknowledged_at: datetime | None = None
    settled_at: datetime | None = None
    reason: str = ""
    chased: int = 0
    chased_at: datetime | None = None
    chase_due_at: datetime | None = None
    may_update: bool = False


@dataclass(frozen=True, slots=True)
class AreaPart:
    """Whose the victim's home is; the neighbour is the service that comes there, if it is known."""

    area: Area = Area.UNKNOWN
    authority: str = ""
    neighbour: str = ""
    neighbour_phone: str = ""
    #: Postcodes that may have been meant.
    did_you_mean: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TransferPart:
    """A hand-over to another service, and their answer; `may_read` leads to what they were given."""

    transfer_id: str
    to: str
    state: TransferState
    means: TransferMeans
    sent_at: datetime
    sent_by: str
    handed_to: str = ""
    answered_at: datetime | None = None
    answered_by: str = ""
    reference: str = ""
    reason: str = ""
    may_read: bool = False


@dataclass(frozen=True, slots=True)
class TransferView(View):
    """`GET /incidents/{reference}/transfers/{id}`: the sheet that goes with a hand-over; it prints."""

    template: ClassVar[str] = "transfer.html"
    reference: str
    transfer: TransferPart
    #: The words as they were handed over: headings, and what stood beneath.
    parts: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    digest: str
    signature: str
    #: Whether the words kept are still those that were signed.
    holds: bool


@dataclass(frozen=True, slots=True)
class DisclosurePart:
    """A sheet that somebody outside was shown; `may_read` leads to it."""

    disclosure_id: str
    kind: str
    to: str
    authority: str
    made_at: datetime
    made_by: str
    is_erased: bool = False
    may_read: bool = False


@dataclass(frozen=True, slots=True)
class DisclosureView(View):
    """`GET /incidents/{reference}/disclosures/{id}` and `/disclosures/{id}`: the sheet; it prints."""

    template: ClassVar[str] = "disclosure.html"
    disclosure: DisclosurePart
    #: One a case: its lines, heading and value.
    cases: tuple[tuple[tuple[str, str], ...], ...]
    digest: str
    #: Whether the words kept are still those that were shown.
    holds: bool
    #: Empty where the sheet is of more than one case.
    reference: str = ""


@dataclass(frozen=True, slots=True)
class DisclosuresView(View):
    """`GET /disclosures`: all reports of one vehicle for whoever may ask, and what was made of it before."""

    template: ClassVar[str] = "disclosures.html"
    made: tuple[DisclosurePart, ...] = ()
    filled: Filled = field(default_factory=Filled)


@dataclass(frozen=True, slots=True)
class SafeguardingPart:
    """What indicates an adult at risk, and what a person decided."""

    because: tuple[str, ...] = ()
    decision: Safeguarding | None = None
    decided_at: datetime | None = None
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class ReasonView(View):
    """Before a case that is not the viewer's: why? Posts to `/incidents/{reference}/reason`."""

    template: ClassVar[str] = "reason.html"
    reference: str
    filled: Filled = field(default_factory=Filled)


@dataclass(frozen=True, slots=True)
class OpenedLine:
    """A case opened by somebody whose it is not."""

    row_id: str
    at: datetime
    viewer: str
    reference: str
    reason: ViewReason
    words: str = ""
    seen_at: datetime | None = None
    seen_by: str = ""
    #: Nobody settles their own.
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class ViewLine:
    """One entry of the access log."""

    at: datetime
    viewer: str
    viewer_id: str
    what: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class AccessView(View):
    """`GET /access`: who looked at what, and why at cases that were not theirs."""

    template: ClassVar[str] = "access.html"
    unseen: tuple[OpenedLine, ...] = ()
    opened: tuple[OpenedLine, ...] = ()
    views: tuple[ViewLine, ...] = ()
    #: What the log is narrowed to.
    viewer: str = ""
    reference: str = ""
    done: str = ""


@dataclass(frozen=True, slots=True)
class RetentionView(View):
    """`GET /retention`: a dry run of what the nightly round would erase, and what stops it."""

    template: ClassVar[str] = "retention.html"
    #: Each class, how long it is kept, and how much of it is over.
    cases: tuple[tuple[RetentionClass, str, int], ...]
    notifications: int
    texts: int
    held: int
    owed: int
    #: Whether the round erases, or only counts.
    is_on: bool
    notifications_kept: str = "1 year"
    texts_kept: str = "90 days"
    holds: tuple[tuple[str, datetime, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NotificationLine:
    """Something a partner told us."""

    row_id: str
    reference: str
    category: Category
    subtype: str
    received_at: datetime
    words: str
    where: str = ""
    settled_at: datetime | None = None
    settled_by: str = ""
    #: The incident it was raised to.
    raised_to: str = ""


@dataclass(frozen=True, slots=True)
class IntelligenceView(View):
    """`GET /intelligence`: what partners told us without asking us to act."""

    template: ClassVar[str] = "intelligence.html"
    waiting: tuple[NotificationLine, ...] = ()
    settled: tuple[NotificationLine, ...] = ()
    done: str = ""


@dataclass(frozen=True, slots=True)
class SuggestionPart:
    """One thing that the second reader suggests; `quote` are the report's own words, and may be long."""

    suggestion_id: str
    words: str
    quote: str
    raises: bool = False
    #: What agreeing does, or leaves to be done.
    then: str = ""
    agrees: bool | None = None
    answered_by: str = ""
    answered_at: datetime | None = None
    may_answer: bool = False


@dataclass(frozen=True, slots=True)
class SecondReadingPart:
    """What a second reader made of one report; absent where there is none."""

    state: SecondReadingState
    suggestions: tuple[SuggestionPart, ...] = ()


@dataclass(frozen=True, slots=True)
class OfferPart:
    """One person asked, and in words the reasons why she was."""

    responder: str
    state: OfferState
    made_at: datetime
    reasons: tuple[str, ...] = ()
    answer_by: datetime | None = None
    answered_at: datetime | None = None
    eta_minutes: int | None = None
    joint: bool = False


@dataclass(frozen=True, slots=True)
class ReachPart:
    """Why something did, or did not, reach one person: the whole in a line, and each step in a sentence."""

    name: str
    summary: str
    reached: bool
    steps: tuple[tuple[datetime, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NoticePart:
    """Something a role holder must see; `may_acknowledge` gives a button for all that are unseen."""

    words: str
    role: str
    given_at: datetime
    repeats: int = 0
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    #: Ended by the case itself, not by anybody who saw it.
    is_overtaken: bool = False
    may_acknowledge: bool = False


@dataclass(frozen=True, slots=True)
class MessagePart:
    """A message and where it stands; `to` is a person or role, never a number."""

    to: str
    purpose: Purpose
    channel: MessageChannel
    state: MessageState
    at: datetime
    body: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TaskPart:
    """Something a role owes the incident by a time; `may_finish` gives the viewer a button."""

    task_id: str
    words: str
    owner: str
    due_at: datetime
    state: TaskState = TaskState.OPEN
    done_at: datetime | None = None
    done_by: str = ""
    may_finish: bool = False
    #: The task is to say why the two hours were missed: its button comes with the reasons.
    asks_breach_reason: bool = False


@dataclass(frozen=True, slots=True)
class OutcomePart:
    """What changed for someone."""

    code: OutcomeCode
    amount_pence: int | None = None
    evidence_grade: EvidenceGrade | None = None
    id: str = ""
    #: What had been recorded before it was put right, in words.
    was: str = ""


@dataclass(frozen=True, slots=True)
class NotePart:
    """Words that a person added."""

    at: datetime
    by: str
    body: str


@dataclass(frozen=True, slots=True)
class TimelinePart:
    """One thing that happened: see timeline.entry, which makes it from an event."""

    title: str
    at: datetime
    by: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class LinkPart:
    """Another incident that may belong to this one, or does, as a person said.

    A suggestion gives its viewer buttons: to confirm as `confirm_as` (on the incident `confirm_on`, to
    `confirm_to`), to dismiss, or to open the earlier case again with the newer report.
    """

    words: str
    reference: str
    is_suggested: bool = False
    reasons: tuple[str, ...] = ()
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: str = ""
    confirm_as: str = ""
    confirm_on: str = ""
    confirm_to: str = ""
    #: The earlier case, which is over, and the newer report that may tell of a new episode of it.
    reopens: str = ""
    reopens_with: str = ""
    may_decide: bool = False
    may_reopen: bool = False


@dataclass(frozen=True, slots=True)
class CorrectionPart:
    """One value that was put right; `old` and `new` are in words, empty for not known."""

    words: str
    old: str
    new: str
    at: datetime
    by: str = ""
    reason: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True)
class ToldPart:
    """Somebody who may ask, and what she may be told."""

    who: str
    may_be_told: MayBeTold


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
    #: What was just done, said once at the top: "Assigned to Asha Patel".
    done: str = ""

    @property
    def is_emergency(self) -> bool:
        """Whether 999 belongs at the top: P0, and nobody has reached the person yet."""
        return self.priority is Priority.P0 and self.clock.counts


# --- the reviews ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReviewFilters:
    """What the reviews are narrowed to; each filter is a link with the others kept."""

    category: Category | None = None
    ward: str = ""
    overdue: bool = False
    #: True for cases that are open, False for those that have ended, None for both.
    is_open: bool | None = None

    def url(self) -> str:
        """The address of the reviews with these filters."""
        query = [(name, value) for name, value in (("category", self.category), ("ward", self.ward)) if value]
        query += [("overdue", "1")] * self.overdue
        query += [("case", "open" if self.is_open else "ended")] * (self.is_open is not None)
        return Page.REVIEWS + ("?" + urlencode(query) if query else "")

    def with_category(self, category: Category | None) -> ReviewFilters:
        """The same, for one category or all."""
        return replace(self, category=category)

    def with_ward(self, ward: str) -> ReviewFilters:
        """The same, for one ward or all."""
        return replace(self, ward=ward)

    def with_overdue(self, overdue: bool) -> ReviewFilters:
        """The same, for the overdue ones or all."""
        return replace(self, overdue=overdue)

    def with_open(self, is_open: bool | None) -> ReviewFilters:
        """The same, for open or ended cases or both."""
        return replace(self, is_open=is_open)

    @property
    def narrows(self) -> bool:
        """Whether any filter is set."""
        return bool(self.category or self.ward or self.overdue or self.is_open is not None)


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """One case in the queue: the words that led to it, but no name, number or address."""

    reference: str
    category: Category
    subtype: str
    status: Status
    state: AgeTargeting
    ward: str = ""
    job_number: int | None = None
    words: tuple[Words, ...] = ()
    strands: tuple[HateStrand, ...] = ()
    raised_at: datetime | None = None
    due_at: datetime | None = None
    proposal: ProposalPart | None = None
    decided_at: datetime | None = None
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class ReferralLine:
    """One referral that waits for an answer."""

    reference: str
    kind: ReferralKind
    state: ReferralState
    sent_at: datetime
    their_reference: str = ""
    chased: int = 0
    chase_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReviewsView(View):
    """`GET /reviews`: what waits for a decision on age targeting, and what was referred."""

    template: ClassVar[str] = "reviews.html"
    filters: ReviewFilters = field(default_factory=ReviewFilters)
    wards: tuple[str, ...] = ()
    waiting: tuple[ReviewLine, ...] = ()
    under_review: tuple[ReviewLine, ...] = ()
    #: A strand was found, and no referral to the police offered yet.
    to_offer: tuple[ReviewLine, ...] = ()
    referrals: tuple[ReferralLine, ...] = ()
    decided: tuple[ReviewLine, ...] = ()
    #: No more than this are shown of each list.
    most: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing at all to show."""
        return not (self.waiting or self.under_review or self.to_offer or self.referrals or self.decided)


# --- the responder ----------------------------------------------------------------------------------------


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
    victim: Person | None = None
    safe_contact: SafeContact | None = None
    #: By which help the caller speaks with us: whoever rings takes the same way.
    route: ContactRoute | None = None
    #: A decision on adult safeguarding is owed before it ends.
    at_risk: bool = False
    narrative: str = ""
    suspect: Mapping[str, str] = field(default_factory=dict)
    answer_by: datetime | None = None
    desk: str = ""
    filled: Filled = field(default_factory=Filled)
    #: What was just recorded: "You are on your way."
    done: str = ""


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


# --- sign-in ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignInView(View):
    """`GET /sign-in?next=…`; posts `name`, `password`, `next` to `/sign-in`."""

    template: ClassVar[str] = "sign_in.html"
    #: A path of this site, already checked.
    next: str = ""
    name: str = ""
    #: One sentence that does not say which of the two was wrong.
    problem: str = ""
    signed_out: bool = False
    #: (name, role) of the accounts of an evaluation, or empty.
    evaluation_accounts: tuple[tuple[str, Role], ...] = ()


@dataclass(frozen=True, slots=True)
class AccountView(View):
    """`GET /account`; its forms post to `/account/password` (when shown) and `/sign-out`."""

    template: ClassVar[str] = "account.html"
    name: str
    role: Role
    signed_in_at: datetime | None = None
    may_change_password: bool = False
    #: Whether they have phone numbers of their own to confirm.
    has_numbers: bool = False
    filled: Filled = field(default_factory=Filled)
    done: str = ""


# --- the simulator ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PhoneMessage:
    """A text on a simulated phone; `from_us` are those the service sent."""

    body: str
    at: datetime
    from_us: bool
    segments: int = 1
    status: str = ""


@dataclass(frozen=True, slots=True)
class PhoneCall:
    """A call that rings on a simulated phone; answered, it speaks and waits for a key."""

    call_id: str
    at: datetime
    spoken: str = ""
    is_answered: bool = False


@dataclass(frozen=True, slots=True)
class Phone:
    """One simulated phone."""

    number: str
    owner: str
    messages: tuple[PhoneMessage, ...] = ()
    #: Replies to send with one tap, from the open jobs: "OK 4821".
    suggestions: tuple[str, ...] = ()
    call: PhoneCall | None = None


@dataclass(frozen=True, slots=True)
class SimulatorView(View):
    """`GET /simulator`. Posts `from`+`body` to `/simulator/reply`, `from`+`transcript` to `/simulator/call`,
    `to`+`call_id`+`digits` to `/simulator/answer-call` (`digits` empty: pick up; `hang-up`: hang up)."""

    template: ClassVar[str] = "simulator.html"
    phones: tuple[Phone, ...] = ()
    done: str = ""
    filled: Filled = field(default_factory=Filled)


# --- looking after the service ----------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """One reader's month: each figure in words, as `9 of 10 (90%)`."""

    reader: str
    model: str
    cases: str
    category: str
    priority: str
    urgency: str
    targeting: str
    #: Of the second reader: how many of its suggestions that people answered were agreed with.
    suggestions: str = ""


@dataclass(frozen=True, slots=True)
class AgreementMonth:
    """A month, `October 2026`, and the readers of it."""

    label: str
    lines: tuple[AgreementLine, ...]


@dataclass(frozen=True, slots=True)
class AgreementView(View):
    """`GET /agreement`: how often people left standing what the readers of reports said."""

    template: ClassVar[str] = "agreement.html"
    months: tuple[AgreementMonth, ...] = ()
    #: Whether counts under five are not told: the viewer may see no case.
    hides_small: bool = False


@dataclass(frozen=True, slots=True)
class ErrorView(View):
    """Any error, in words, with the phone number. `detail` never repeats what was sent."""

    template: ClassVar[str] = "error.html"
    status: int
    detail: str = ""
    #: For 409: what the incident's state does allow.
    allowed: tuple[Action, ...] = ()
    reference: str = ""
