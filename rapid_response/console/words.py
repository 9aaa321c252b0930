"""Plain words for every closed list: what a person reads where the code holds a value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

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
    AgeTargeting,
    Category,
    Channel,
    ClockState,
    ContactRole,
    Disposition,
    EvidenceGrade,
    HateStrand,
    Link,
    OutcomeCode,
    PaymentMethod,
    Priority,
    ProtectiveAct,
    Role,
    ShortDisposition,
    StoppedBy,
    Urgency,
)
from rapid_response.steps.commands import BreachReason, PauseReason

#: One dictionary a list, so that two lists may give the same value different words.
ENUM_WORDS: Mapping[type[StrEnum], Mapping[StrEnum, str]] = {
    Category: {
        Category.DOORSTEP_CRIME: "Doorstep crime",
        Category.SCAM: "Scam",
        Category.OTHER: "Something else",
    },
    Channel: {
        Channel.PHONE: "Phone call",
        Channel.VOICEMAIL: "Voicemail",
        Channel.WEB: "Web form",
        Channel.SMS: "Text message",
        Channel.EMAIL: "Email",
        Channel.PARTNER: "Partner organisation",
    },
    Urgency: {
        Urgency.IN_PROGRESS: "Happening now",
        Urgency.IMMINENT: "About to happen",
        Urgency.RECENT: "Recent",
        Urgency.HISTORIC: "In the past",
        Urgency.NONE: "Not a crime report",
    },
    Priority: {
        Priority.P0: "P0: emergency, ring 999 and send someone",
        Priority.P1: "P1: urgent, send someone now",
        Priority.P2: "P2: respond within two hours",
        Priority.P3: "P3: follow up within a working day",
        Priority.P4: "P4: advice and signposting",
    },
    HateStrand: {
        HateStrand.RACE: "Race",
        HateStrand.RELIGION: "Religion",
        HateStrand.SEXUAL_ORIENTATION: "Sexual orientation",
        HateStrand.DISABILITY: "Disability",
        HateStrand.TRANSGENDER: "Transgender identity",
    },
    AgeTargeting: {
        AgeTargeting.NONE: "No sign of age targeting",
        AgeTargeting.POTENTIAL: "Potential: a person has yet to decide",
        AgeTargeting.UNDER_REVIEW: "Being reviewed",
        AgeTargeting.REFERRED_POLICE: "Referred to the police",
        AgeTargeting.REFERRED_PARTNER: "Referred to a partner",
        AgeTargeting.RECOGNISED_LOCAL: "Recognised locally as age targeting",
        AgeTargeting.RULED_OUT: "Ruled out",
    },
    ClockState: {
        ClockState.RUNNING: "Running",
        ClockState.PAUSED: "Paused",
        ClockState.MET: "Responded in time",
        ClockState.BREACHED: "Two hours missed",
        ClockState.NOT_APPLICABLE: "No two-hour clock",
    },
    StoppedBy: {
        StoppedBy.ATTENDED: "a responder attended",
        StoppedBy.REMOTE_RESPONSE: "a responder helped by phone",
        StoppedBy.POLICE_HANDOVER: "the police attended",
    },
    Role: {
        Role.HANDLER: "Call handler",
        Role.DUTY_OFFICER: "Duty officer",
        Role.RESPONDER: "Responder",
        Role.TEAM_LEADER: "Team leader",
        Role.HEAD_OF_SERVICE: "Head of service",
        Role.HATE_CRIME_LEAD: "Hate crime lead",
        Role.ANALYST: "Analyst",
        Role.BOARD_VIEWER: "Board viewer",
        Role.AUDITOR: "Auditor",
        Role.ADMIN: "System administrator",
    },
    ContactRole: {
        ContactRole.DUTY_OFFICER: "Duty officer",
        ContactRole.TEAM_LEADER: "Team leader",
        ContactRole.HEAD_OF_SERVICE: "Head of service",
        ContactRole.HATE_CRIME_LEAD: "Hate crime lead",
        ContactRole.DESK: "Duty desk",
    },
    Link: {
        Link.DUPLICATE_OF: "The same incident, told twice",
        Link.SAME_SUSPECT: "The same suspect",
        Link.RELATED: "Related in another way",
    },
    MayBeTold: {
        MayBeTold.OWN_CASE: "Their own case; first make sure that it is they, without saying what it is",
        MayBeTold.RECEIPT_ONLY: "Confirm receipt only",
        MayBeTold.VERIFY_FIRST: "Ring them back on a number that you know, keep their reference, then what "
        "they need for their task",
    },
    PaymentMethod: {
        PaymentMethod.CASH: "Cash",
        PaymentMethod.CARD: "Card",
        PaymentMethod.TRANSFER: "Bank transfer",
        PaymentMethod.CHEQUE: "Cheque",
        PaymentMethod.CRYPTO: "Cryptocurrency",
        PaymentMethod.GIFT_CARD: "Gift cards",
        PaymentMethod.OTHER: "Another way",
    },
    Disposition: {
        Disposition.RESOLVED_ATTENDED: "Helped at the address",
        Disposition.RESOLVED_REMOTE: "Helped by phone",
        Disposition.ADVICE_ONLY: "Advice given, nothing more needed",
        Disposition.HANDED_TO_POLICE: "Handed to the police",
        Disposition.TRANSFERRED_OTHER_AUTHORITY: "Passed to another council",
        Disposition.REFERRED_PARTNER_ONLY: "Referred to a partner only",
        Disposition.NO_TRACE: "Address or person not found",
        Disposition.NO_CONTACT: "No answer after several tries",
        Disposition.DECLINED_BY_VICTIM: "The person did not want help",
        Disposition.WITHDRAWN: "Report withdrawn",
        Disposition.DUPLICATE_OF: "The same incident as another report",
        Disposition.NO_OFFENCE_CONSUMER_DISPUTE: "No offence: a consumer matter",
        Disposition.OUT_OF_SCOPE: "Not something this service handles",
        Disposition.HOAX_OR_TEST: "Hoax or test",
    },
    OutcomeCode: {
        OutcomeCode.MONEY_PREVENTED: "Money not paid because of us",
        OutcomeCode.MONEY_RECOVERED: "Money or goods returned",
        OutcomeCode.CONTRACT_CANCELLED: "Contract cancelled",
        OutcomeCode.PAYMENT_STOPPED: "Bank payment stopped",
        OutcomeCode.ACCOUNT_BLOCKED: "Card or account blocked",
        OutcomeCode.TRADER_LEFT: "Trader challenged and left",
        OutcomeCode.TRADER_DISRUPTED: "Trader disrupted",
        OutcomeCode.ARREST: "Arrest",
        OutcomeCode.SEIZURE: "Goods or vehicle seized",
        OutcomeCode.NOTICE_RECORDED: "Missing cancellation notice recorded",
        OutcomeCode.INVESTIGATION_OPENED: "Investigation opened",
        OutcomeCode.WARNING_LETTER: "Warning letter sent",
        OutcomeCode.EVIDENCE_SECURED: "Statement or evidence secured",
        OutcomeCode.INTELLIGENCE_LOGGED: "Intelligence logged",
        OutcomeCode.CALL_BLOCKER_FITTED: "Call blocker fitted",
        OutcomeCode.TARGET_HARDENING: "Home made safer (door chain, camera, alarm)",
        OutcomeCode.NCCZ_STARTED: "No Cold Calling Zone started",
        OutcomeCode.MAIL_INTERCEPTED: "Scam post intercepted",
        OutcomeCode.NUMBER_CHANGED: "Phone number changed",
        OutcomeCode.TRUSTED_CONTACT_ADVICE: "Advice on a trusted contact",
        OutcomeCode.SAFEGUARDING_ACCEPTED: "Safeguarding referral accepted",
        OutcomeCode.POLICE_REPORT_MADE: "Police report made",
        OutcomeCode.REPORT_FRAUD_MADE: "Report Fraud report made",
        OutcomeCode.HEALTH_SOCIAL_REFERRAL: "Health or social care referral",
        OutcomeCode.VICTIM_REASSURED: "The person was reassured",
        OutcomeCode.AWARENESS_GIVEN: "Scam awareness advice given",
        OutcomeCode.NO_CHANGE: "No change",
    },
    EvidenceGrade: {
        EvidenceGrade.A: "A: confirmed by a document or bank",
        EvidenceGrade.B: "B: assessed by an officer",
        EvidenceGrade.C: "C: the person’s own estimate",
    },
    ProtectiveAct: {
        ProtectiveAct.BANK_TOLD: "Bank told",
        ProtectiveAct.PAYMENT_STOPPED: "Payment stopped",
        ProtectiveAct.CARD_BLOCKED: "Card blocked",
        ProtectiveAct.CONNECTION_CUT: "Computer or phone disconnected",
        ProtectiveAct.TRADER_REFUSED: "Trader sent away",
        ProtectiveAct.SAFE_WITH_SOMEONE: "Safe with someone they trust",
        ProtectiveAct.POLICE_TOLD: "Police told",
        ProtectiveAct.OTHER: "Something else",
    },
    ShortDisposition: {
        ShortDisposition.HELPED: "Helped at the address",
        ShortDisposition.PHONE: "Helped by phone",
        ShortDisposition.ADVICE: "Advice only",
        ShortDisposition.POLICE: "Handed to the police",
        ShortDisposition.NOTRACE: "Could not find the address",
        ShortDisposition.NOCONTACT: "Nobody answered",
        ShortDisposition.DECLINED: "They did not want help",
        ShortDisposition.NOCRIME: "No crime: a consumer matter",
    },
    Status: {
        Status.RECEIVED: "Received",
        Status.AWAITING_REVIEW: "Waiting for a person to review",
        Status.DISPATCHING: "Finding a responder",
        Status.UNASSIGNED: "Nobody has taken it",
        Status.SCHEDULED: "Follow-up scheduled",
        Status.ASSIGNED: "Assigned",
        Status.EN_ROUTE: "Responder on the way",
        Status.ON_SCENE: "Responder there",
        Status.CLOSED: "Closed",
        Status.CANCELLED: "Cancelled",
    },
    Action: {
        Action.ACCEPT: "Record that a responder accepts",
        Action.DECLINE: "Record that a responder declines",
        Action.ASSIGN: "Assign a responder",
        Action.EN_ROUTE: "Responder is on the way",
        Action.ON_SCENE: "Responder has arrived",
        Action.NO_CONTACT: "Nobody answered at the address",
        Action.REMOTE_RESPONSE: "Record help by phone",
        Action.POLICE_HANDOVER: "Record that police attended",
        Action.RELEASE: "Take the job back from the responder",
        Action.CLOSE: "Close the incident",
        Action.CANCEL: "Cancel the incident",
        Action.REOPEN: "Open it again",
        Action.ACKNOWLEDGE: "I have seen this notice",
        Action.RECLASSIFY: "Change what it is",
        Action.SET_PRIORITY: "Change the priority",
        Action.PAUSE: "Pause the clock",
        Action.RESUME: "Start the clock again",
        Action.NOTE: "Add a note",
        Action.TASK_DONE: "Mark a task as done",
        Action.ADD_OUTCOMES: "Add what changed for someone",
        Action.REVIEW_AGE_TARGETING: "Decide on age targeting",
        Action.ANSWER_SECOND_READING: "Answer the second reader",
        Action.AMEND: "Correct what we know",
        Action.LINK: "Link to another incident",
    },
    OfferState: {
        OfferState.OPEN: "Waiting for an answer",
        OfferState.ACCEPTED: "Accepted",
        OfferState.DECLINED: "Declined",
        OfferState.LAPSED: "No answer in time",
        OfferState.WITHDRAWN: "Withdrawn",
        OfferState.RELEASED: "Given back",
        OfferState.DONE: "Finished",
    },
    MessageChannel: {
        MessageChannel.SMS: "Text",
        MessageChannel.VOICE: "Call",
    },
    Purpose: {
        Purpose.OFFER: "Job offer",
        Purpose.REMINDER: "Reminder",
        Purpose.STAND_DOWN: "Stand down",
        Purpose.NOTICE: "Notice",
        Purpose.CONFIRM: "Confirmation",
        Purpose.CLARIFY: "Question about a reply",
        Purpose.TEST: "Test at the start of a shift",
    },
    MessageState: {
        MessageState.PENDING: "Waiting to be sent",
        MessageState.SENDING: "Being sent",
        MessageState.RETRY_WAIT: "Not sent yet, will be tried again",
        MessageState.UNKNOWN: "Sent, but the provider has not confirmed it",
        MessageState.IN_NETWORK: "With the phone network",
        MessageState.DELIVERED: "Delivered",
        MessageState.FAILED: "Not delivered",
        MessageState.CANCELLED: "Not sent: no longer needed",
        MessageState.EXPIRED: "Not sent: too late",
    },
    SecondReadingState: {
        SecondReadingState.WAITING: "Not read yet",
        SecondReadingState.READ: "Read",
        SecondReadingState.PARKED: "It did not answer",
        SecondReadingState.SKIPPED: "Not read: too many were waiting",
    },
    PauseReason: {
        PauseReason.VICTIM_REQUESTED_LATER_TIME: "The person asked for a later time",
        PauseReason.POLICE_REQUESTED_HOLD: "The police asked us to wait",
    },
    BreachReason: {
        BreachReason.NOBODY_FREE: "Nobody was free",
        BreachReason.NOBODY_ANSWERED: "Nobody answered",
        BreachReason.TRAVEL: "Travel took too long",
        BreachReason.LATE_TRIAGE: "It was looked at too late",
        BreachReason.WRONG_ADDRESS: "The address was wrong",
        BreachReason.MESSAGES_FAILED: "Messages did not arrive",
        BreachReason.VICTIM_NOT_REACHED: "The person could not be reached",
        BreachReason.OTHER: "Another reason",
    },
    TaskState: {
        TaskState.OPEN: "To do",
        TaskState.DONE: "Done",
        TaskState.DROPPED: "No longer needed",
    },
}


def plain(value: str | None) -> str:
    """A code in words; one that is not listed keeps its letters, with spaces."""
    if value is None:
        return ""
    for enum, words in ENUM_WORDS.items():
        if isinstance(value, enum):
            return words[value]
    text = SUBTYPES.get(value) or value.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def field_words(path: str) -> str:
    """A field of a report in words: `location.address`, `answers.lives_alone`."""
    part, _, name = path.partition(".")
    if part == "answers":
        return QUESTIONS.get(name, plain(name))
    return FIELDS.get(path) or plain(path.replace(".", " "))


def choices(enum: type[StrEnum]) -> list[tuple[str, str]]:
    """Every value of a list with its words, in the list's own order."""
    return [(value.value, ENUM_WORDS[enum][value]) for value in enum]


#: Slugs whose letters alone do not read well.
SUBTYPES: Mapping[str, str] = {
    "age_hostility": "hostility about age",
    "carer_theft": "theft by a carer",
    "cold_call_nuisance": "cold calling",
    "doorstep_buyer": "buying valuables at the door",
    "doorstep_goods": "overpriced goods at the door",
    "elder_abuse_family": "abuse by family",
    "family_message": "message claiming to be family",
    "family_impersonation": "message claiming to be family",
    "hate_incident": "hate incident",
    "home_energy_offer": "home energy offer",
    "invoice_redirect": "redirected invoice",
    "other_doorstep": "other doorstep crime",
    "other_scam": "other scam",
    "phishing_qr": "false link or QR code",
    "remote_access": "someone in the computer",
    "unlicensed_pedlar": "door-to-door seller without a certificate",
}

#: The facts as questions a call handler asks (domain.md 2.3).
QUESTIONS: Mapping[str, str] = {
    "suspect_on_premises": "Is the suspect there now, inside or outside?",
    "refuses_to_leave": "Are they refusing to leave?",
    "demands_money_now": "Are they demanding money now?",
    "threat_or_fear": "Has anyone threatened, pushed or frightened them?",
    "distress_or_self_harm": "Are they very distressed, or talking of ending their life?",
    "line_went_dead": "Did the line go dead, or could they not speak?",
    "being_taken_to_bank": "Are they being taken to get cash?",
    "courier_expected": "Is someone coming to collect a card, cash or parcel?",
    "suspect_just_left": "Has the suspect just left?",
    "suspect_returning": "Is the suspect coming back?",
    "property_taken": "Was anything taken?",
    "payment_pending": "Have they agreed to pay, or are about to?",
    "paid_within_24h": "Have they paid in the last 24 hours?",
    "remote_access_on": "Is someone in their computer or phone now?",
    "on_phone_with_suspect": "Are they on another line, or told to stay on?",
    "safe_to_talk": "Can the caller talk freely?",
    "lives_alone": "Do they live alone?",
    "cognitive_impairment": "Memory problems or confusion?",
    "recent_bereavement": "Recently bereaved?",
    "disability": "A disability or long illness?",
    "carer_dependent": "Do they depend on a carer?",
    "communication_need": "Hard to communicate (Deaf, language, speech)?",
    "cold_called": "Did the suspect call without being asked?",
    "price_changed": "Did the price change?",
    "cancellation_notice_given": "Did they get a written notice of the right to cancel?",
    "urgent_visit_requested": "Does a partner ask for an urgent visit?",
    "courier_expected_at": "When is the courier coming?",
    "suspect_left_at": "When did the suspect leave?",
    "suspect_returning_at": "When is the suspect coming back?",
    "paid_at": "When was it paid?",
    "happened_at": "When did it happen?",
    "amount_gbp": "How much money, in pounds?",
    "payment_method": "How?",
}

#: The other fields of a report, as the page of an incident names them.
FIELDS: Mapping[str, str] = {
    "location.address": "Address",
    "location.postcode": "Postcode",
    "location.ward": "Ward",
    "location.latitude": "Point on the map, latitude",
    "location.longitude": "Point on the map, longitude",
    "victim.name": "Victim’s name",
    "victim.phone": "Victim’s number",
    "victim.age": "Victim’s age",
    "victim.lives_alone": "Victim lives alone",
    "victim.vulnerabilities": "What makes the victim vulnerable",
    "caller.name": "Caller’s name",
    "caller.phone": "Caller’s number",
    "caller.email": "Caller’s email",
    "caller.role": "Who the caller is",
    "safe_contact.sms": "Safe to text",
    "safe_contact.voice": "Safe to ring",
    "safe_contact.voicemail": "Safe to leave a voicemail",
    "safe_contact.note": "Safe contact: when, who, code word",
    "suspect.name": "Suspect’s name",
    "suspect.company": "Suspect’s company",
    "suspect.phone": "Suspect’s number",
    "suspect.vehicle_registration": "Suspect’s vehicle registration",
    "suspect.website": "Suspect’s website",
    "suspect.description": "Suspect’s looks",
}
