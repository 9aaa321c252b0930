"""Made-up data for every page in several states. Fictional people, drama numbers, invented streets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, cast
from zoneinfo import ZoneInfo

from rapid_response.console import timeline
from rapid_response.console.forms.actions import read_action
from rapid_response.console.forms.handler import read_handler_report
from rapid_response.console.forms.posted import FieldError, Filled, Posted
from rapid_response.console.forms.public import Now
from rapid_response.console.views.access import AccessView, OpenedLine, ReasonView, RetentionView, ViewLine
from rapid_response.console.views.accounts import AccountView, SignInView
from rapid_response.console.views.agreement import AgreementLine, AgreementMonth, AgreementView
from rapid_response.console.views.board import BoardFilters, BoardRow, BoardView
from rapid_response.console.views.case import FailedAction, IncidentView
from rapid_response.console.views.case_parts import (
    AgeTargetingPart,
    AreaPart,
    CorrectionPart,
    EvidenceSpan,
    LinkPart,
    MessagePart,
    NotePart,
    NoticePart,
    OfferPart,
    OutcomePart,
    Person,
    ProposalPart,
    ReferralPart,
    ReportPart,
    SafeguardingPart,
    SecondReadingPart,
    StepPart,
    SuggestionPart,
    TaskPart,
    TimelinePart,
    ToldPart,
    Words,
)
from rapid_response.console.views.frame import ErrorView, Frame, Page, Site, View, Viewer
from rapid_response.console.views.intelligence import IntelligenceView, NotificationLine
from rapid_response.console.views.pieces import (
    AlarmPart,
    CheckIn,
    Choice,
    Clock,
    MarkerPart,
    NextStep,
    Place,
    SafeContact,
    VisitPart,
)
from rapid_response.console.views.reporting import (
    HandlerFormView,
    HandlerSentView,
    ReportFormView,
    ReportSentView,
    ReportStartView,
)
from rapid_response.console.views.responder import JobLine, JobReport, JobStage, JobsView, JobView
from rapid_response.console.views.reviews import ReferralLine, ReviewFilters, ReviewLine, ReviewsView
from rapid_response.console.views.rota import (
    AbsenceLine,
    GapLine,
    HandOverLine,
    PersonAsked,
    PersonTold,
    RotaView,
)
from rapid_response.console.views.sharing import (
    DisclosurePart,
    DisclosuresView,
    DisclosureView,
    TransferPart,
    TransferView,
)
from rapid_response.console.views.simulator import Phone, PhoneCall, PhoneMessage, SimulatorView
from rapid_response.console.views.upkeep import (
    AlarmView,
    CallToReturn,
    Check,
    ExceptionsView,
    MarkerLine,
    MarkersView,
    NumberLine,
    NumbersView,
    ParkedWork,
    StatusView,
    TextsView,
    TextToRead,
)
from rapid_response.core.facts import Facts
from rapid_response.core.incident import Action, ClockFacts, Status, allowed_actions
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
    PaymentMethod,
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

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 23, 14, 20, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WARDS = ("Bickley & Sundridge", "Bromley Town", "Chislehurst", "Penge & Cator", "St Mary Cray")

SITE = Site("Bromley rapid response", "+442079460018", NOW, LONDON, exit_url="/somewhere-dull")
SIMULATED = replace(SITE, simulated=True, speed=60)

HANDLER = Viewer("Rosa Lindqvist", Role.HANDLER, (Page.CONSOLE, Page.BOARD, Page.ACCOUNT))
DUTY_OFFICER = Viewer(
    "Dee Okoro",
    Role.DUTY_OFFICER,
    (Page.CONSOLE, Page.BOARD, Page.REVIEWS, Page.JOBS, Page.EXCEPTIONS, Page.STATUS, Page.ACCOUNT),
)
#: The longest navigation that there could be.
LEADER = Viewer("Olu Ade", Role.TEAM_LEADER, tuple(Page))
LEAD = Viewer("Hal Novak", Role.HATE_CRIME_LEAD, (Page.BOARD, Page.REVIEWS, Page.ACCOUNT))
RESPONDER = Viewer("Asha Patel", Role.RESPONDER, (Page.JOBS, Page.ACCOUNT))


def frame(viewer: Viewer | None = None, path: str = "", site: Site = SITE, nonce: str = "bm9uY2U") -> Frame:
    """The surroundings of a page."""
    return Frame(site, nonce, csrf_token="a-token", form_key="a-key", viewer=viewer, path=path)


def running(needed_in: float, due_in: float | None = None) -> Clock:
    """A running clock, by minutes from now."""
    due_at = NOW + (due_in if due_in is not None else needed_in) * MINUTE
    return Clock(ClockState.RUNNING, due_at - 120 * MINUTE, due_at, NOW + needed_in * MINUTE)


OVERDUE = replace(running(-12), state=ClockState.BREACHED, breached_at=NOW - 12 * MINUTE)
MET = replace(running(10), state=ClockState.MET, stopped_at=NOW - 5 * MINUTE, stopped_by=StoppedBy.ATTENDED)
NO_CLOCK = Clock(ClockState.NOT_APPLICABLE)

NARRATIVE = (
    "My nan is 84 and lives alone. Two men came about a loose tile, they said they were working next door.\n"
    "She has already given them 400 in cash and he is coming back at 3pm for the other 2,600. "
    "One said old dears never check."
)

SECOND_NARRATIVE = "The same two men are at number 14 again, and one of them shouts at her."


def span(words: str, label: str, why: str) -> EvidenceSpan:
    """The evidence that rests on these words of the narrative."""
    start = NARRATIVE.index(words)
    return EvidenceSpan(start, start + len(words), label, why)


EVIDENCE = (
    span("loose tile", "category", "a pretext that rogue traders use"),
    span("working next door", "category", "a pretext that rogue traders use"),
    span("coming back at 3pm", "urgency", "the suspect returns today"),
    span("at 3pm for the other 2,600", "money_at_risk_gbp", "a sum still asked for"),
    span("old dears never check", "age_targeted", "the suspect’s own words about age"),
)

PLACE = Place("14 Larkspur Way\nBromley", "BR1 3ZZ", "Bromley Town", 51.4064, 0.0212)
SAFE = SafeContact(voice=True, note="Before 3pm, ask for Jean. Code word: bluebell")

SCRIPT = (
    "Keep the door shut with the chain on.",
    "Do not pay anything more, do not sign anything, and do not go to the bank with them.",
    "This is not your fault, and you were right to tell us.",
)
_RULES = {"R10": "Money to be paid, or the suspect back, today"}
_RESPONDERS = {"asha": "Asha Patel", "ben": "Ben Carter", "dee": "Dee Okoro"}


def _timeline() -> tuple[TimelinePart, ...]:
    """A story told by events, as the log keeps them."""
    start = NOW - 42 * MINUTE

    def at(minutes: float) -> str:
        return (start + minutes * MINUTE).isoformat()

    story: list[tuple[float, str, str, dict[str, Any]]] = [
        (0, "report_received", "web form", {"channel": "web", "received_at": at(0)}),
        (
            0,
            "incident_classified",
            "the service",
            {"category": "doorstep_crime", "subtype": "rogue_trader", "model_version": "3f2a"},
        ),
        (
            0,
            "priority_decided",
            "the service",
            {"priority": "P1", "rule_id": "R10", "escalators": ["lives_alone"]},
        ),
        (
            0,
            "clock_started",
            "the service",
            {"due_at": at(120), "needed_by": at(67), "job_number": 4821, "started_at": at(0), "episode": 1},
        ),
        (0, "targeting_assessed", "the service", {"state": "potential", "by_person": False}),
        (0, "offer_made", "the service", {"responder": "ben", "answer_by": at(5), "joint": False}),
        (5, "offer_lapsed", "the service", {"responder": "ben"}),
        (5, "offer_made", "the service", {"responder": "asha", "answer_by": at(10), "joint": True}),
        (7, "offer_accepted", "Asha Patel, by text", {"responder": "asha", "eta_minutes": 25, "late": False}),
        (9, "set_off", "Asha Patel, by text", {"responder": "asha"}),
        (40, "note_added", "Dee Okoro", {}),
    ]
    return tuple(
        timeline.entry(
            kind, data, at=start + minutes * MINUTE, by=by, zone=LONDON, names=_RESPONDERS, rules=_RULES
        )
        for minutes, kind, by, data in story
    )


def amend_form(*more: tuple[str, str]) -> Filled:
    """The form to correct a case, as it is shown first."""
    values = {
        "location.address": "14 Larkspur Way",
        "location.postcode": "BR1 3ZZ",
        "location.ward": "Bromley Town",
        "victim.name": "Jean Whitlock",
        "victim.phone": "+447700900145",
        "answers.lives_alone": "yes",
        "safe": "voice",
        **dict(more),
    }
    return Filled({n: (v,) for name, v in values.items() for n in (name, f"was.{name}")})


MARKERS = (
    MarkerPart(
        RiskSubject.ADDRESS,
        RiskKind.DOG,
        "Two dogs loose.\nMeter reader bitten.",
        ("same house and postcode",),
    ),
    MarkerPart(RiskSubject.SUSPECT, RiskKind.VIOLENCE, "Pushed an officer in May."),
)
ON_THE_WAY = VisitPart(
    "Asha Patel", "BR1 3", "Duty officer", NOW + 70 * MINUTE, NOW - 5 * MINUTE, NOW + 25 * MINUTE
)
THERE = replace(
    ON_THE_WAY,
    arrived_at=NOW - 20 * MINUTE,
    check_in=CheckIn(NOW + 10 * MINUTE, NOW - 20 * MINUTE),
)
SILENT = replace(THERE, check_in=CheckIn(NOW - 12 * MINUTE, NOW - 42 * MINUTE))
ALARM = AlarmPart("a1", "Asha Patel", NOW - 3 * MINUTE, 4821, "RR-7K4M2QX", repeats=1)

HANDED_OVER = TransferPart(
    "t1",
    "Lewisham Trading Standards",
    TransferState.ACKNOWLEDGED,
    TransferMeans.PHONE,
    NOW - 20 * MINUTE,
    "Dee Okoro",
    handed_to="Sam Lee",
    answered_at=NOW - 5 * MINUTE,
    answered_by="Sam Lee",
    reference="LEW/77",
    may_read=True,
)

SHEET = DisclosurePart(
    "d1", "Police", "PC Lee", "Their request, 17", NOW - 9 * MINUTE, "Dee Okoro", may_read=True
)
OPENED = OpenedLine(
    "o1", NOW - 9 * MINUTE, "Olu Ade", "RR-7K4M2QX", ViewReason.COMPLAINT, words="Her son rang."
)
TOLD_ONLY = NotificationLine(
    "n1", "RR-8K4M2QX", Category.SCAM, "lottery", NOW - 90 * MINUTE, "A letter promises a prize.", "BR1 3UH"
)

INCIDENT = IncidentView(
    reference="RR-7K4M2QX",
    status=Status.EN_ROUTE,
    category=Category.DOORSTEP_CRIME,
    subtype="rogue_trader",
    urgency=Urgency.IMMINENT,
    priority=Priority.P1,
    rule_id="R10",
    why=_RULES["R10"],
    clock=running(25, 78),
    received_at=NOW - 42 * MINUTE,
    job_number=4821,
    responder="Asha Patel",
    joint=True,
    companion="Ben Carter",
    visit=ON_THE_WAY,
    markers=MARKERS,
    may_mark=True,
    next_step=NextStep("Arrive at the address", "Asha Patel", NOW + 14 * MINUTE),
    place=PLACE,
    victim=Person("Jean Whitlock", "+447700900145", "", "", "84"),
    safe_contact=SAFE,
    suspect={
        "description": "Two men, one tall with a red cap",
        "vehicle_registration": "AB12 CDE",
        "name": "",
    },
    facts=Facts(
        suspect_on_premises=False,
        suspect_returning=True,
        lives_alone=True,
        suspect_returning_at=NOW + 40 * MINUTE,
        amount_pence=300_000,
        payment_method=PaymentMethod.CASH,
    ),
    age_targeting=AgeTargetingPart(
        AgeTargeting.POTENTIAL,
        (
            Words("old dears never check", "words about age", AgeEvidence.OFFENDER_WORDS),
            Words("only the bungalows", "others were passed over", AgeEvidence.PATTERN),
        ),
        (HateStrand.DISABILITY,),
        (Words("called him names for his limp", "hostility about disability"),),
        offers_police=True,
        other_vulnerability=True,
        vulnerability_words=(Words("he cannot hear", "deafness"),),
        victims_own_perception=True,
        history=(
            StepPart("Strands: none, now disability", NOW - 30 * MINUTE, "Hal Novak"),
            StepPart("Proposed to rule it out", NOW - 20 * MINUTE, "Dee Okoro"),
        ),
    ),
    area=AreaPart(Area.OUTSIDE, "Lewisham", "Lewisham Trading Standards", "+442079460201"),
    transfers=(HANDED_OVER,),
    disclosures=(SHEET, replace(SHEET, disclosure_id="d2", is_erased=True)),
    safeguarding=SafeguardingPart(
        ("memory problems or confusion",), Safeguarding.REFERRED, NOW - 4 * MINUTE, "Dee Okoro"
    ),
    is_kept=True,
    hoax_said_by="Hana",
    source=ReferralSource.BANK_BANKING_PROTOCOL,
    referrals=(
        ReferralPart(
            "r1",
            ReferralKind.ASC_SAFEGUARDING,
            ReferralState.SENT,
            NOW - 26 * 60 * MINUTE,
            "Dee Okoro",
            chased=1,
            chased_at=NOW - 2 * 60 * MINUTE,
            chase_due_at=NOW - MINUTE,
            may_update=True,
        ),
        ReferralPart(
            "r2",
            ReferralKind.POLICE_HATE_CRIME,
            ReferralState.ACKNOWLEDGED,
            NOW - 40 * MINUTE,
            "Hal Novak",
            "CAD 4471",
            NOW - 20 * MINUTE,
            chase_due_at=NOW + 5000 * MINUTE,
            may_update=True,
        ),
        ReferralPart(
            "r3",
            ReferralKind.BANK,
            ReferralState.DECLINED,
            NOW - 50 * MINUTE,
            "Dee Okoro",
            settled_at=NOW - 10 * MINUTE,
            reason="Not their customer",
        ),
    ),
    actions=allowed_actions(Status.EN_ROUTE, ClockFacts(ClockState.RUNNING, False)),
    responders=(Choice("asha", "Asha Patel (asked)"), Choice("ben", "Ben Carter")),
    tasks=(
        TaskPart("t1", "Review age targeting", "Duty officer", NOW + 20 * 60 * MINUTE, may_finish=True),
        TaskPart("t2", "Ring the bank", "Duty officer", NOW - 3 * MINUTE, may_finish=True),
        TaskPart("t4", "Say why", "Team leader", NOW, may_finish=True, asks_breach_reason=True),
        TaskPart(
            "t3", "Call back", "Duty officer", NOW, TaskState.DONE, done_at=NOW - MINUTE, done_by="Dee Okoro"
        ),
    ),
    notices=(
        NoticePart(
            "n1",
            "Suspect expected: arrange police",
            "Duty officer",
            NOW - 41 * MINUTE,
            2,
            may_acknowledge=True,
        ),
        NoticePart(
            "n2",
            "Half of the time is used",
            "Duty officer",
            NOW - 10 * MINUTE,
            acknowledged_at=NOW - 9 * MINUTE,
            acknowledged_by="Dee Okoro",
        ),
    ),
    reports=(
        ReportPart(
            Channel.WEB,
            NOW - 42 * MINUTE,
            NOW - 42 * MINUTE,
            NARRATIVE,
            EVIDENCE,
            Person("Priya Shah", "+447700900160", "", "Family"),
            report_id="r1",
            amend=amend_form(("caller.name", "Priya Shah"), ("report", "r1")),
        ),
        ReportPart(
            Channel.EMAIL,
            NOW - 38 * MINUTE,
            NOW - 12 * MINUTE,
            "Two men at number 14 again, white van outside.",
            source="Adult social care",
            report_id="r2",
            may_be_told=MayBeTold.VERIFY_FIRST,
            amend=amend_form(("report", "r2")),
        ),
    ),
    second_readings=(
        SecondReadingPart(
            SecondReadingState.READ,
            (
                SuggestionPart(
                    "s1",
                    "Perhaps chosen for their age",
                    "old dears never check",
                    raises=True,
                    then="If you agree, decide on age targeting as well.",
                    may_answer=True,
                ),
                SuggestionPart(
                    "s2",
                    "Scam",
                    "the other 2,600",
                    agrees=False,
                    answered_by="Dee Okoro",
                    answered_at=NOW - 3 * MINUTE,
                ),
                SuggestionPart("s3", "Happening now", "he is coming back at 3pm"),
            ),
        ),
        SecondReadingPart(SecondReadingState.READ),
        SecondReadingPart(SecondReadingState.PARKED),
    ),
    offers=(
        OfferPart(
            "Asha Patel",
            OfferState.ACCEPTED,
            NOW - 37 * MINUTE,
            ("on duty", "same ward", "no open job"),
            answered_at=NOW - 35 * MINUTE,
            eta_minutes=25,
            joint=True,
        ),
        OfferPart("Ben Carter", OfferState.LAPSED, NOW - 42 * MINUTE, ("on duty", "last job longest ago")),
        OfferPart("Cai Morgan", OfferState.OPEN, NOW - MINUTE, answer_by=NOW + 4 * MINUTE),
    ),
    messages=(
        MessagePart(
            "Asha Patel",
            Purpose.OFFER,
            MessageChannel.SMS,
            MessageState.DELIVERED,
            NOW - 37 * MINUTE,
            "Bromley RR: job 4821, P1. Area BR1 3. Needed by 14:45. Reply OK 4821 or NO 4821.",
        ),
        MessagePart(
            "Duty officer",
            Purpose.NOTICE,
            MessageChannel.VOICE,
            MessageState.FAILED,
            NOW - 20 * MINUTE,
            reason="no_answer",
        ),
    ),
    notes=(NotePart(NOW - 2 * MINUTE, "Dee Okoro", "Police told.\nCAD 4471 of today."),),
    outcomes=(OutcomePart(OutcomeCode.MONEY_PREVENTED, 260_000, EvidenceGrade.B),),
    timeline=_timeline(),
    links=(
        LinkPart(
            "May be the same incident as",
            "RR-5D1XN8B",
            is_suggested=True,
            reasons=("same house and postcode",),
            confirm_as="duplicate_of",
            confirm_on="RR-7K4M2QX",
            confirm_to="RR-5D1XN8B",
            may_decide=True,
        ),
        LinkPart(
            "May be about the same person as",
            "RR-8H2WQ6V",
            is_suggested=True,
            reasons=("same name and phone",),
            confirm_as="related",
            confirm_on="RR-7K4M2QX",
            confirm_to="RR-8H2WQ6V",
            reopens="RR-8H2WQ6V",
            reopens_with="RR-7K4M2QX",
            may_decide=True,
            may_reopen=True,
        ),
        LinkPart(
            "The same suspect as in",
            "RR-2Z9QW4T",
            decided_by="Dee Okoro",
            decided_at=NOW - 5 * MINUTE,
            reason="The same van, both times.",
        ),
    ),
    series=("RR-2Z9QW4T", "RR-4J7TR1C"),
    corrections=(
        CorrectionPart(
            "Address",
            "41 Larkspur Way",
            "14 Larkspur Way",
            NOW - 8 * MINUTE,
            "Rosa Lindqvist",
            "The caller rang back",
        ),
        CorrectionPart("Victim’s age", "", "84", NOW - 9 * MINUTE, "Dee Okoro", how="from a joined report"),
    ),
    told=(
        ToldPart("Priya Shah (family)", MayBeTold.RECEIPT_ONLY),
        ToldPart("The person whom it happened to", MayBeTold.OWN_CASE),
    ),
    amend=amend_form(),
    wards=WARDS,
    stricter_elsewhere=("RR-5D1XN8B",),
)

DURESS = replace(
    INCIDENT,
    status=Status.ON_SCENE,
    clock=MET,
    visit=SILENT,
    duress=(ALARM, replace(ALARM, alarm_id="a2", acknowledged_at=NOW, acknowledged_by="Dee Okoro")),
    actions=allowed_actions(Status.ON_SCENE, ClockFacts(ClockState.MET, True, has_companion=True)),
)

CLOSED = replace(
    INCIDENT,
    status=Status.CLOSED,
    clock=MET,
    actions=allowed_actions(Status.CLOSED, ClockFacts(ClockState.MET, True)),
    disposition=Disposition.RESOLVED_ATTENDED,
    next_step=None,
    episode=2,
    done="The incident is closed",
)

EMERGENCY = replace(
    INCIDENT,
    status=Status.DISPATCHING,
    priority=Priority.P0,
    rule_id="R05",
    clock=OVERDUE,
    responder="",
    actions=allowed_actions(Status.DISPATCHING, ClockFacts(ClockState.BREACHED, False)),
    failed=FailedAction(
        Action.SET_PRIORITY,
        read_action(Action.SET_PRIORITY, Posted.from_pairs([("priority", "P3"), ("reason", "")])).filled,
    ),
)

NOT_CORRECTED = replace(
    INCIDENT,
    failed=FailedAction(
        Action.AMEND,
        read_action(
            Action.AMEND,
            Posted.from_pairs(
                [
                    ("victim.phone", "12"),
                    ("was.victim.phone", "+447700900145"),
                    ("answers.suspect_on_premises", "yes"),
                ]
            ),
            now=NOW,
            zone=LONDON,
        ).filled,
    ),
)

CALLER_NOT_CORRECTED = replace(
    INCIDENT,
    failed=FailedAction(
        Action.AMEND,
        read_action(
            Action.AMEND, Posted.from_pairs([("report", "r1"), ("caller.phone", "12")]), now=NOW, zone=LONDON
        ).filled,
    ),
)

JOINED = replace(
    INCIDENT,
    status=Status.CANCELLED,
    clock=NO_CLOCK,
    actions=allowed_actions(Status.CANCELLED, ClockFacts(ClockState.NOT_APPLICABLE, False)),
    disposition=Disposition.DUPLICATE_OF,
    next_step=None,
    reports=(),
    links=(LinkPart("Joined to", "RR-5D1XN8B", decided_by="Rosa Lindqvist", decided_at=NOW - MINUTE),),
    joined_to="RR-5D1XN8B",
    done="It is recorded how the two belong together",
)

REFUSED = replace(
    INCIDENT,
    failed=FailedAction(Action.ACCEPT, message="Asha Patel has this job already. Assign it to change that."),
)

PROPOSED = replace(
    INCIDENT,
    age_targeting=replace(
        INCIDENT.age_targeting,
        state=AgeTargeting.UNDER_REVIEW,
        proposal=ProposalPart("Dee Okoro", NOW - 20 * MINUTE),
    ),
    actions=allowed_actions(Status.EN_ROUTE, ClockFacts(ClockState.RUNNING, False, is_proposed=True)),
)
OWN_PROPOSAL = replace(
    PROPOSED,
    age_targeting=replace(
        PROPOSED.age_targeting, proposal=ProposalPart("Dee Okoro", NOW - 20 * MINUTE, is_own=True)
    ),
    actions=INCIDENT.actions,
)
RECOGNISED = replace(
    CLOSED,
    age_targeting=replace(
        INCIDENT.age_targeting,
        state=AgeTargeting.RECOGNISED_LOCAL,
        decided_by="Hal Novak",
        decided_at=NOW - 9 * MINUTE,
    ),
)


def failed(action: Action, **posted: str) -> IncidentView:
    """The page after a form that did not fit."""
    return replace(
        INCIDENT, failed=FailedAction(action, read_action(action, Posted.from_pairs(posted.items())).filled)
    )


BARE = IncidentView(
    reference="RR-0000000",
    status=Status.AWAITING_REVIEW,
    category=Category.OTHER,
    subtype="unclear",
    urgency=Urgency.NONE,
    priority=Priority.P4,
    rule_id="R17",
    clock=NO_CLOCK,
    received_at=NOW,
    actions=allowed_actions(Status.AWAITING_REVIEW, ClockFacts(ClockState.NOT_APPLICABLE, False)),
)

_LINE = ReviewLine(
    "RR-7K4M2QX",
    Category.DOORSTEP_CRIME,
    "rogue_trader",
    Status.EN_ROUTE,
    AgeTargeting.POTENTIAL,
    "Bromley Town",
    4821,
    (
        Words("old dears never check", "words about age", AgeEvidence.OFFENDER_WORDS),
        Words("only the bungalows for older people", "others passed over", AgeEvidence.PATTERN),
    ),
    raised_at=NOW - 26 * 60 * MINUTE,
    due_at=NOW - 5 * 60 * MINUTE,
)
_LATER = replace(
    _LINE,
    reference="RR-3C4D5E6",
    category=Category.SCAM,
    subtype="courier_fraud",
    status=Status.CLOSED,
    ward="",
    job_number=None,
    words=(Words("he picked me because I’m old", "age is the reason", AgeEvidence.STATED_REASON),),
    raised_at=NOW - 60 * MINUTE,
    due_at=NOW + 19 * 60 * MINUTE,
)
REVIEWS = ReviewsView(
    wards=WARDS,
    waiting=(_LINE, _LATER, replace(_LATER, reference="RR-8T7S6R5", words=())),
    under_review=(
        replace(
            _LATER,
            reference="RR-1Q2W3E4",
            state=AgeTargeting.UNDER_REVIEW,
            proposal=ProposalPart("Dee Okoro", NOW - 40 * MINUTE),
        ),
        replace(_LINE, reference="RR-9P8N7M6", state=AgeTargeting.UNDER_REVIEW, due_at=NOW + 60 * MINUTE),
    ),
    to_offer=(
        replace(
            _LATER,
            reference="RR-6Y7T8R9",
            words=(Words("called my uncle names", "hostility about sexual orientation"),),
            strands=(HateStrand.SEXUAL_ORIENTATION,),
        ),
    ),
    referrals=(
        ReferralLine(
            "RR-2Z9QW4T",
            ReferralKind.POLICE_HATE_CRIME,
            ReferralState.ACKNOWLEDGED,
            NOW - 4 * 24 * 60 * MINUTE,
            "CRIS 4821/26",
            chased=2,
            chase_due_at=NOW - 60 * MINUTE,
        ),
        ReferralLine(
            "RR-5N8Q0VC",
            ReferralKind.ASC_SAFEGUARDING,
            ReferralState.SENT,
            NOW - 60 * MINUTE,
            chase_due_at=NOW + 19 * 60 * MINUTE,
        ),
    ),
    decided=(
        replace(
            _LATER,
            reference="RR-4M5N6P7",
            state=AgeTargeting.RECOGNISED_LOCAL,
            decided_at=NOW - 26 * 60 * MINUTE,
            decided_by="Hal Novak",
        ),
    ),
    most=100,
)

BOARD_ROWS = (
    BoardRow(
        "RR-5N8Q0VC",
        Category.SCAM,
        "courier_fraud",
        Priority.P0,
        Status.ON_SCENE,
        running(88, 96),
        "Chislehurst",
        "BR7 5",
        "Ben Carter",
        "Ben checks in by 2:45pm",
        3904,
        joint=True,
    ),
    BoardRow(
        "RR-7K4M2QX",
        Category.DOORSTEP_CRIME,
        "rogue_trader",
        Priority.P1,
        Status.EN_ROUTE,
        running(25, 78),
        "Bromley Town",
        "BR1 3",
        "Asha Patel",
        "Asha arrives",
        4821,
        age_targeting=AgeTargeting.POTENTIAL,
    ),
    BoardRow(
        "RR-1B2C3D4",
        Category.SCAM,
        "remote_access",
        Priority.P1,
        Status.UNASSIGNED,
        OVERDUE,
        "Penge & Cator",
        "SE20 7",
        "",
        "Duty officer finds somebody",
        5530,
    ),
    BoardRow(
        "RR-9X8Y7Z6",
        Category.DOORSTEP_CRIME,
        "distraction_burglary",
        Priority.P2,
        Status.DISPATCHING,
        running(-4, 61),
        "St Mary Cray",
        "BR5 3",
        "",
        "Cai Morgan answers by 2:24pm",
        7204,
    ),
    BoardRow(
        "RR-4H5J6K7",
        Category.OTHER,
        "unclear",
        Priority.P3,
        Status.SCHEDULED,
        NO_CLOCK,
        "",
        "",
        "",
        "Ring back tomorrow",
    ),
    BoardRow(
        "RR-8S7R6Q5",
        Category.SCAM,
        "bank_impersonation",
        Priority.P2,
        Status.ASSIGNED,
        replace(running(60), state=ClockState.PAUSED),
        "Bickley & Sundridge",
        "BR1 2",
        "Cai Morgan",
        "The person asked for 4pm",
        6120,
    ),
)

BOARD = BoardView(
    rows=BOARD_ROWS,
    wards=WARDS,
    open_total=6,
    overdue_total=1,
    unassigned_total=1,
    review_total=0,
    responders_on_duty=3,
    parked=1,
)

JOB = JobView(
    number=4821,
    stage=JobStage.OFFERED,
    situation="Trader due back at the door",
    priority=Priority.P1,
    clock=running(25, 78),
    reference="RR-7K4M2QX",
    joint=True,
    markers=MARKERS,
    place=PLACE,
    dangers=("Suspect expected at 3pm", "Two men, one aggressive on the phone"),
    victim=Person("Jean Whitlock", "+447700900145", age="84"),
    safe_contact=SAFE,
    reports=(
        JobReport("r1", NOW - 5 * MINUTE, SECOND_NARRATIVE),
        JobReport("r2", NOW - 42 * MINUTE, NARRATIVE),
    ),
    route=ContactRoute.RELAY_UK,
    at_risk=True,
    suspect={"vehicle_registration": "AB12 CDE"},
    answer_by=NOW + 4 * MINUTE,
    desk="+442079460100",
)

_WATCHED = {JobStage.ON_THE_WAY: ON_THE_WAY, JobStage.THERE: THERE, JobStage.ALONG: THERE}

OFFER_TEXT = "Bromley RR: job 4821, P1. Area BR1 3. Needed by 14:45. Reply OK 4821 or NO 4821."
PHONES = SimulatorView(
    phones=(
        Phone(
            "+447700900101",
            "Asha Patel",
            (
                PhoneMessage(OFFER_TEXT, NOW - 5 * MINUTE, from_us=True, status="delivered"),
                PhoneMessage("ok 4821", NOW - 3 * MINUTE, from_us=False),
                PhoneMessage(
                    "Job 4821 is yours. Text GO 4821 when you set off, HERE 4821 on arrival.",
                    NOW - 3 * MINUTE,
                    from_us=True,
                    status="delivered",
                ),
            ),
            ("GO 4821", "HERE 4821", "NO 4821"),
        ),
        Phone("+447700900102", "Ben Carter"),
        Phone(
            "+447700900109",
            "Dee Okoro",
            (PhoneMessage("Notice: job 4821 has no answer. Reply OK and the job number.", NOW, True, 2),),
            ("OK 4821",),
            PhoneCall("c1", NOW, "Bromley duty dispatch. Press 1 to hear the job.", is_answered=True),
        ),
        Phone("+447700900110", "Cai Morgan", call=PhoneCall("c2", NOW)),
    )
)

HANDLER_FAULTS = read_handler_report(
    Posted.from_pairs(
        [
            ("narrative", ""),
            ("answers.suspect_on_premises", "yes"),
            ("answers.courier_expected", "yes"),
            ("answers.courier_expected_at", "sometime"),
            ("caller.phone", "12"),
            ("victim.age", "old"),
            ("answers.amount_gbp", "lots"),
            ("safe", "voice"),
            ("channel", "phone"),
            ("received_at", "2026-11-23T14:19"),
        ]
    ),
    now=NOW,
    zone=LONDON,
).filled

PUBLIC_FAULTS = Filled(
    {"caller.role": ("family",), "victim.age": ("old",), "safe": ("voice", "sms"), "caller.phone": ("12",)},
    (
        FieldError("narrative", "Tell us what has happened, in your own words"),
        FieldError(
            "caller.phone", "“Your phone number”: check the phone number. It should look like 020 7946 0018"
        ),
        FieldError("victim.age", "Write the age in years, like 82, or leave it empty"),
    ),
)

#: name -> (view, who looks at it, address, whether it is shown in a simulated service)
STATES: Mapping[str, tuple[View, Viewer | None, str, bool]] = {
    "report-start": (ReportStartView(), None, "/report", False),
    "report-start-unanswered": (ReportStartView(unanswered=True), None, "/report", False),
    **{
        f"report-form-{answer.name.lower()}": (ReportFormView(answer, NOW), None, "/report", False)
        for answer in Now
    },
    "report-form-faults": (ReportFormView(Now.HERE, NOW, PUBLIC_FAULTS), None, "/report", False),
    "report-sent": (
        ReportSentView("RR-7K4M2QX", advice=SCRIPT, may_ring=True),
        None,
        "/report",
        False,
    ),
    "report-sent-emergency": (ReportSentView("RR-7K4M2QX", True, SCRIPT), None, "/report", False),
    "console": (HandlerFormView(NOW, WARDS, SCRIPT), HANDLER, "/console", False),
    "console-faults": (HandlerFormView(NOW, WARDS, SCRIPT, HANDLER_FAULTS), HANDLER, "/console", False),
    "console-website-faults": (
        HandlerFormView(
            NOW,
            WARDS,
            SCRIPT,
            Filled(
                {
                    "narrative": ("A text with a link.",),
                    "suspect.website": ("https://pay.example/" + "x" * 200,),
                },
                (FieldError("suspect.website", "Make this 200 characters or fewer. It has 220"),),
            ),
        ),
        HANDLER,
        "/console",
        False,
    ),
    "console-sent-p0": (
        HandlerSentView(
            "RR-5N8Q0VC",
            Status.DISPATCHING,
            Category.SCAM,
            "courier_fraud",
            Priority.P0,
            "R04",
            running(25, 120),
            "Courier due within two hours",
            ("Please ring 999 now, or stay with me while I ring 999 for you.", *SCRIPT),
            3904,
            NextStep("Answer the offer", "Asha Patel", NOW + 5 * MINUTE),
        ),
        HANDLER,
        "/console",
        False,
    ),
    "console-sent-p4": (
        HandlerSentView(
            "RR-4H5J6K7",
            Status.SCHEDULED,
            Category.OTHER,
            "civil_dispute",
            Priority.P4,
            "R17",
            NO_CLOCK,
            nobody_to_send=True,
            may_be_told=MayBeTold.OWN_CASE,
            links=INCIDENT.links[:2],
        ),
        HANDLER,
        "/console",
        True,
    ),
    "board": (BOARD, DUTY_OFFICER, "/board", True),
    "board-alarm": (
        replace(
            BOARD,
            rows=(
                replace(BOARD_ROWS[0], check_in=SILENT.check_in),
                replace(BOARD_ROWS[1], check_in=THERE.check_in),
            ),
            duress=(ALARM, AlarmPart("a3", "Ben Carter", NOW)),
            may_see_duress=True,
            markers_to_review=2,
        ),
        DUTY_OFFICER,
        "/board",
        False,
    ),
    "alarm": (
        AlarmView(ALARM, PLACE, "BR1 3", "threats made", "Ben Carter", NOW, may_see=True, may_end=True),
        DUTY_OFFICER,
        "/alarms/a1",
        False,
    ),
    "alarm-faults": (
        AlarmView(
            replace(ALARM, job_number=None, reference=""),
            may_end=True,
            filled=Filled({}, (FieldError("reason", "Write how you know that the responder is safe"),)),
        ),
        DUTY_OFFICER,
        "/alarms/a1",
        False,
    ),
    "alarm-ended": (AlarmView(ALARM, ended_at=NOW), HANDLER, "/alarms/a1", False),
    "rota": (
        RotaView(
            NOW,
            Category.SCAM,
            Filled(),
            asked=(
                PersonAsked("Asha Patel", "Has the skill for scams; on duty."),
                PersonAsked("Cat Lewis", "On call.", True),
            ),
            not_asked=(PersonAsked("Ben Osei", "Off duty, and not on call."),),
            told=(PersonTold(15, ContactRole.DUTY_OFFICER, "Dee Okoro"),),
            opens_at=NOW + 60 * MINUTE,
            gaps=(
                GapLine("Scam", NOW + 600 * MINUTE, NOW + 700 * MINUTE),
                GapLine("Doorstep crime", NOW + 600 * MINUTE, NOW + 700 * MINUTE, "Cat Lewis"),
            ),
            absences=(
                AbsenceLine("a1", "Asha Patel", True, NOW, None),
                AbsenceLine("a2", "Ben Osei", False, NOW + 600 * MINUTE, NOW + 700 * MINUTE, "Asha Patel"),
            ),
            hand_over=(HandOverLine("RR-7K4M2QX", 4821, "Asha Patel", NOW + 30 * MINUTE),),
            wards=("Bromley Town",),
            may_change=True,
            people=(Choice("asha", "Asha Patel"), Choice("ben", "Ben Osei")),
            done="It is recorded, and holds as you said",
        ),
        DUTY_OFFICER,
        "/rota",
        False,
    ),
    "rota-nobody": (
        RotaView(
            NOW,
            Category.DOORSTEP_CRIME,
            Filled({"when": ("whenever",)}, (FieldError("when", "Write a time like 3pm"),)),
        ),
        HANDLER,
        "/rota",
        True,
    ),
    "transfer": (
        TransferView(
            "RR-7K4M2QX",
            HANDED_OVER,
            (
                ("Where", (("Address", "14 Larkspur Way"), ("Postcode", "SE13 6LG"))),
                (
                    "Report 1",
                    (("Caller’s name", "Jo Example"), ("What was said", "Two men on the roof.\nNow.")),
                ),
            ),
            "ab" * 32,
            "cd" * 32,
            holds=True,
        ),
        DUTY_OFFICER,
        "/incidents/RR-7K4M2QX/transfers/t1",
        False,
    ),
    "transfer-broken": (
        TransferView("RR-7K4M2QX", HANDED_OVER, (), "ab" * 32, "cd" * 32, holds=False),
        DUTY_OFFICER,
        "/incidents/RR-7K4M2QX/transfers/t1",
        True,
    ),
    "markers": (
        MarkersView(
            (
                MarkerLine(
                    "m1",
                    RiskSubject.ADDRESS,
                    RiskKind.DOG,
                    "14 Larkspur Way, BR1 3UH",
                    "Two dogs loose.",
                    NOW - 300 * 24 * 60 * MINUTE,
                    "Dee Okoro",
                    NOW + 20 * 24 * 60 * MINUTE,
                    is_to_review=True,
                ),
                MarkerLine(
                    "m2",
                    RiskSubject.SUSPECT,
                    RiskKind.VIOLENCE,
                    "Gary Stobbs, AB12 CDE",
                    "Pushed an officer in May.",
                    NOW - 30 * MINUTE,
                    "Dee Okoro",
                    NOW + 365 * 24 * 60 * MINUTE,
                    NOW,
                    "Dee Okoro",
                ),
            ),
            Filled({"address": ("14 Larkspur Way",)}),
            reference="RR-7K4M2QX",
            done="The marker is set",
        ),
        DUTY_OFFICER,
        "/markers",
        False,
    ),
    "markers-faults": (
        MarkersView(
            (
                MarkerLine(
                    "m1", RiskSubject.ADDRESS, RiskKind.DOG, "14 Larkspur Way", "A bite.", NOW, "Dee", NOW
                ),
            ),
            Filled({}, (FieldError("reason", "Write why the marker no longer holds"),)),
            failed="end-m1",
        ),
        DUTY_OFFICER,
        "/markers",
        False,
    ),
    "disclosure": (
        DisclosureView(
            SHEET,
            ((("Our reference", "RR-7K4M2QX"), ("What was said", "Two men on the roof.\nNow.")),),
            "ab" * 32,
            holds=True,
            reference="RR-7K4M2QX",
        ),
        DUTY_OFFICER,
        "/incidents/RR-7K4M2QX/disclosures/d1",
        False,
    ),
    "disclosure-broken": (
        DisclosureView(
            SHEET, ((("Ward", "A"),), (("Ward", "B"),)), "ab" * 32, holds=False, vehicle="AB12CDE"
        ),
        DUTY_OFFICER,
        "/disclosures/d1",
        True,
    ),
    "disclosure-erased": (
        DisclosureView(replace(SHEET, is_erased=True, to=""), (), "ab" * 32, holds=True),
        DUTY_OFFICER,
        "/disclosures/d1",
        False,
    ),
    "disclosures": (
        DisclosuresView((SHEET,), Filled({}, (FieldError("authority", "Write on what authority"),))),
        DUTY_OFFICER,
        "/disclosures",
        True,
    ),
    "disclosures-none": (DisclosuresView(), DUTY_OFFICER, "/disclosures", False),
    "reason": (ReasonView("RR-7K4M2QX"), DUTY_OFFICER, "/incidents/RR-7K4M2QX", False),
    "reason-missing": (
        ReasonView("RR-7K4M2QX", Filled({}, (FieldError("reason", "Choose why you need to see it"),))),
        DUTY_OFFICER,
        "/incidents/RR-7K4M2QX/reason",
        True,
    ),
    "access": (
        AccessView(
            unseen=(OPENED, replace(OPENED, row_id="o2", is_own=True)),
            opened=(replace(OPENED, row_id="o3", seen_at=NOW - MINUTE, seen_by="Lea Fox"),),
            views=(ViewLine(NOW - 9 * MINUTE, "Olu Ade", "user:1", "page", "RR-7K4M2QX"),),
            viewer="Olu Ade",
            reference="RR-7K4M2QX",
            done="It is recorded that you have looked at it",
        ),
        DUTY_OFFICER,
        "/access",
        False,
    ),
    "access-empty": (AccessView(), DUTY_OFFICER, "/access", False),
    "retention": (
        RetentionView(
            tuple((kind, "6 years", n) for n, kind in enumerate(RetentionClass)),
            notifications=2,
            texts=40,
            held=1,
            owed=0,
            is_on=False,
            holds=(("RR-7K4M2QX", NOW - 90 * MINUTE, "Lea Fox"),),
        ),
        DUTY_OFFICER,
        "/retention",
        False,
    ),
    "retention-on": (
        RetentionView((), notifications=0, texts=0, held=0, owed=0, is_on=True),
        DUTY_OFFICER,
        "/retention",
        False,
    ),
    "intelligence": (
        IntelligenceView(
            (TOLD_ONLY,),
            (
                replace(TOLD_ONLY, settled_at=NOW, settled_by="Dee Okoro"),
                replace(TOLD_ONLY, settled_at=NOW, settled_by="Dee Okoro", raised_to="RR-7K4M2QX"),
            ),
            done="It is filed as intelligence",
        ),
        DUTY_OFFICER,
        "/intelligence",
        False,
    ),
    "intelligence-empty": (IntelligenceView(), DUTY_OFFICER, "/intelligence", False),
    "markers-empty": (
        MarkersView(filled=Filled({}, (FieldError("kind", "Choose the kind of risk"),))),
        DUTY_OFFICER,
        "/markers",
        False,
    ),
    "board-empty": (BoardView(responders_on_duty=0), DUTY_OFFICER, "/board", False),
    "board-filtered-empty": (
        BoardView(filters=BoardFilters(Status.UNASSIGNED, Category.SCAM, "Bromley Town", True, False)),
        DUTY_OFFICER,
        "/board",
        False,
    ),
    "incident": (INCIDENT, DUTY_OFFICER, "/incidents/RR-7K4M2QX", False),
    "incident-duress": (DURESS, DUTY_OFFICER, "/incidents/RR-7K4M2QX", False),
    "incident-closed": (CLOSED, DUTY_OFFICER, "/incidents/RR-7K4M2QX", False),
    "incident-emergency-faults": (EMERGENCY, DUTY_OFFICER, "/incidents/RR-7K4M2QX", False),
    "incident-proposed": (PROPOSED, LEAD, "/incidents/RR-7K4M2QX", False),
    "incident-own-proposal": (OWN_PROPOSAL, DUTY_OFFICER, "/incidents/RR-7K4M2QX", False),
    "incident-recognised": (RECOGNISED, LEAD, "/incidents/RR-7K4M2QX", False),
    "incident-review-faults": (
        failed(Action.REVIEW_AGE_TARGETING, state="referred_partner"),
        LEAD,
        "/incidents/RR-7K4M2QX",
        False,
    ),
    "incident-correction-faults": (
        failed(Action.REVIEW_AGE_TARGETING, correction="yes"),
        LEAD,
        "/incidents/RR-7K4M2QX",
        False,
    ),
    "incident-referral-faults": (
        failed(Action.UPDATE_REFERRAL, referral="r1"),
        LEAD,
        "/incidents/RR-7K4M2QX",
        False,
    ),
    "reviews": (REVIEWS, LEAD, "/reviews", True),
    "reviews-empty": (ReviewsView(), LEAD, "/reviews", False),
    "reviews-filtered-empty": (
        ReviewsView(filters=ReviewFilters(Category.SCAM, "Bromley Town", True, False), wards=WARDS),
        LEAD,
        "/reviews",
        False,
    ),
    "incident-refused": (REFUSED, DUTY_OFFICER, "/incidents/RR-7K4M2QX", False),
    "incident-overtaken": (
        replace(
            CLOSED,
            done="",
            failed=FailedAction(Action.CLOSE, message="“Close the incident” cannot be done now."),
            unsaved=(("Note", "The son has the key.\nThe van was white."),),
        ),
        DUTY_OFFICER,
        "/incidents/RR-7K4M2QX",
        False,
    ),
    "incident-not-corrected": (NOT_CORRECTED, HANDLER, "/incidents/RR-7K4M2QX", False),
    "incident-caller-not-corrected": (CALLER_NOT_CORRECTED, HANDLER, "/incidents/RR-7K4M2QX", False),
    "incident-joined": (JOINED, HANDLER, "/incidents/RR-7K4M2QX", False),
    "incident-bare": (BARE, HANDLER, "/incidents/RR-0000000", False),
    **{
        f"job-{stage.value}": (
            replace(
                JOB, stage=stage, visit=_WATCHED.get(stage), other="Ben Carter" if stage in _WATCHED else ""
            ),
            RESPONDER,
            "/j/4821",
            False,
        )
        for stage in JobStage
    },
    "job-nobody-answered": (
        replace(JOB, stage=JobStage.ACCEPTED, call_back_by=NOW + 25 * MINUTE),
        RESPONDER,
        "/j/4821",
        False,
    ),
    "job-answered": (
        replace(JOB, stage=JobStage.ON_THE_WAY, clock=MET),
        RESPONDER,
        "/j/4821",
        False,
    ),
    "job-silent": (
        replace(JOB, stage=JobStage.THERE, visit=SILENT, other="Ben Carter", other_phone="+447700900102"),
        RESPONDER,
        "/j/4821",
        False,
    ),
    "job-faults": (
        replace(
            JOB,
            stage=JobStage.THERE,
            filled=Filled(
                {"code": ("POLICE",)}, (FieldError("cad_reference", "Write the police CAD reference"),)
            ),
        ),
        RESPONDER,
        "/j/4821",
        False,
    ),
    "job-pasted": (
        replace(JOB, stage=JobStage.ACCEPTED, place=Place("https://maps.example/" + "x" * 120)),
        RESPONDER,
        "/j/4821",
        False,
    ),
    "job-overtaken": (
        replace(
            JOB,
            stage=JobStage.FINISHED,
            problem="This is not saved: somebody ended the job before you. Add below what changed",
            unsaved=(("How did it end?", "Helped them there"), ("Note", "w" * 80)),
        ),
        RESPONDER,
        "/j/4821",
        False,
    ),
    "jobs": (
        JobsView(
            (
                JobLine(4821, "Trader due back at the door", JobStage.OFFERED, running(25, 78), "BR1 3"),
                JobLine(7204, "Caller at risk, no suspect near", JobStage.ACCEPTED, OVERDUE),
            )
        ),
        RESPONDER,
        "/j",
        False,
    ),
    "jobs-empty": (JobsView(), RESPONDER, "/j", False),
    "sign-in": (SignInView("/j/4821", evaluation_accounts=(("rosa", Role.HANDLER),)), None, "/sign-in", True),
    "sign-in-wrong": (
        SignInView(name="rosa", problem="The name or the password is not right. Check both and try again"),
        None,
        "/sign-in",
        False,
    ),
    "sign-in-out": (SignInView(signed_out=True), None, "/sign-in", False),
    "account": (
        AccountView("dee", Role.DUTY_OFFICER, NOW - 90 * MINUTE, may_change_password=True),
        DUTY_OFFICER,
        "/account",
        False,
    ),
    "simulator": (PHONES, None, "/simulator", True),
    "simulator-empty": (SimulatorView(), None, "/simulator", True),
    "exceptions": (
        ExceptionsView(
            (
                ParkedWork("12", "escalation", "OperationalError", NOW - 50 * MINUTE, 6, "RR-7K4M2QX"),
                ParkedWork("d-7", "metrics", "KeyError", NOW - 5 * MINUTE, 6),
            ),
            done="It is tried again now",
        ),
        DUTY_OFFICER,
        "/exceptions",
        False,
    ),
    "texts": (
        TextsView(
            (
                TextToRead(
                    "t1", "Asha Patel", "which house is it, the green door?", NOW - 4 * MINUTE, "RR-7K4M2QX"
                ),
                TextToRead("t2", "07700 900999", "is this the council", NOW - 2 * MINUTE, has_media=True),
            ),
            (
                CallToReturn("c1", "+447700900777", NOW - 9 * MINUTE, ("RR-7K4M2QX",)),
                CallToReturn("c2", "+442079460111", NOW - 3 * MINUTE),
                CallToReturn("c3", "+442079460112", NOW, is_on_the_line=True),
            ),
        ),
        HANDLER,
        "/texts",
        False,
    ),
    "texts-empty": (TextsView(), HANDLER, "/texts", False),
    "numbers": (
        NumbersView(
            (
                NumberLine(
                    "asha-0",
                    "/numbers/asha/0",
                    "Asha Patel",
                    "101",
                    "Confirmed",
                    "green",
                    "Text a code there",
                    until=NOW + 3000 * MINUTE,
                ),
                NumberLine(
                    "asha-1",
                    "/numbers/asha/1",
                    "Asha Patel",
                    "201",
                    "Not confirmed yet",
                    "yellow",
                    "Ring there and say a code",
                    code_until=NOW + 20 * MINUTE,
                ),
            ),
            is_everybodys=True,
            filled=Filled({}, (FieldError("code", "This is not the code. Check it and enter it again"),)),
            failed="asha-1",
        ),
        DUTY_OFFICER,
        "/numbers",
        False,
    ),
    "numbers-empty": (NumbersView(), RESPONDER, "/numbers", False),
    "exceptions-empty": (ExceptionsView(), DUTY_OFFICER, "/exceptions", False),
    "agreement": (
        AgreementView(
            (
                AgreementMonth(
                    "November 2026",
                    (
                        AgreementLine(
                            "This service",
                            "a1b2c3",
                            "41",
                            "39 of 41 (95%)",
                            "37 of 41 (90%)",
                            "40 of 41 (98%)",
                            "3 of 4 (75%)",
                            "–",
                        ),
                        AgreementLine(
                            "Second reader",
                            "council-model+1f2e",
                            "38",
                            "35 of 38 (92%)",
                            "36 of 38 (95%)",
                            "30 of 38 (79%)",
                            "4 of 4 (100%)",
                            "5 of 9 (56%)",
                        ),
                    ),
                ),
            ),
            hides_small=True,
        ),
        DUTY_OFFICER,
        "/agreement",
        False,
    ),
    "agreement-empty": (AgreementView(), DUTY_OFFICER, "/agreement", False),
    "status": (
        StatusView(
            (Check("Database", True, "answers in 2 ms"), Check("Rota", False, "gap on Sunday")), "0.1.0"
        ),
        LEADER,
        "/status",
        False,
    ),
    **{
        f"error-{status}": (ErrorView(status), viewer, "/nowhere", False)
        for status, viewer in ((403, HANDLER), (404, None), (500, None), (503, None))
    },
    "error-409": (
        ErrorView(409, "It is closed already.", (Action.REOPEN, Action.NOTE), "RR-7K4M2QX"),
        HANDLER,
        "/incidents/RR-7K4M2QX",
        False,
    ),
}


def frame_of(name: str, nonce: str = "bm9uY2U") -> Frame:
    """The surroundings of a state."""
    _, viewer, path, simulated = STATES[name]
    return frame(viewer, path, SIMULATED if simulated else SITE, nonce)


# --- hostile text everywhere ------------------------------------------------------------------------------

HOSTILE = (
    """<script>alert('x')</script>"' onmouseover="alert(1)" {{ 7*7 }} <img src=x onerror=alert(1)>&amp;"""
)


def poisoned(value: Any) -> Any:
    """The same with every text replaced by something that tries to break out."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, tuple):
        return tuple(poisoned(v) for v in value)
    if isinstance(value, dict):
        return {key: poisoned(v) for key, v in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        # Facts hold no text, and a filter's words come out of its own closed lists.
        changed = {f.name: poisoned(getattr(value, f.name)) for f in fields(value)}
        return replace(cast("Any", value), **changed)
    return value


def each_state() -> Iterator[str]:
    """The names of all states."""
    yield from STATES
