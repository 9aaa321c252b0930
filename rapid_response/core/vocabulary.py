"""Every closed list of the product: one enum each, values as the contract spells them."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """How a report reached us."""

    PHONE = "phone"
    VOICEMAIL = "voicemail"
    WEB = "web"
    SMS = "sms"
    EMAIL = "email"
    PARTNER = "partner"


class Category(StrEnum):
    """What the report describes (labels.md); there is no fourth value."""

    DOORSTEP_CRIME = "doorstep_crime"
    SCAM = "scam"
    OTHER = "other"


class Urgency(StrEnum):
    """How near the harm is in time. Describes only; :class:`Priority` decides."""

    IN_PROGRESS = "in_progress"
    IMMINENT = "imminent"
    RECENT = "recent"
    HISTORIC = "historic"
    NONE = "none"


class HateStrand(StrEnum):
    """The five strands that police and CPS monitor. Age is not one of them in England and Wales."""

    RACE = "race"
    RELIGION = "religion"
    SEXUAL_ORIENTATION = "sexual_orientation"
    DISABILITY = "disability"
    TRANSGENDER = "transgender"


class Priority(StrEnum):
    """Set by rules R01 to R18. P0 to P2 carry the two-hour clock."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"

    @property
    def rank(self) -> int:
        """0 for the most urgent."""
        return int(self.value[1])

    @property
    def has_clock(self) -> bool:
        """Whether the two-hour promise covers it."""
        return self.rank <= 2


class AgeTargeting(StrEnum):
    """Whether the victim was chosen for age-related vulnerability; past POTENTIAL only a person moves it."""

    NONE = "none"
    POTENTIAL = "potential"
    UNDER_REVIEW = "under_review"
    REFERRED_POLICE = "referred_police"
    REFERRED_PARTNER = "referred_partner"
    RECOGNISED_LOCAL = "recognised_local"
    RULED_OUT = "ruled_out"


class AgeEvidence(StrEnum):
    """The six kinds of evidence that somebody was chosen for age-related vulnerability (labels.md)."""

    OFFENDER_WORDS = "offender_words"
    PATTERN = "pattern"
    IMPAIRMENT_USED = "impairment_used"
    KNOWN_PAYER = "known_payer"
    HOSTILITY = "hostility"
    STATED_REASON = "stated_reason"


class ReferralKind(StrEnum):
    """To whom a case is referred (domain.md 4). To the police as a hate crime is a kind of its own."""

    POLICE_HATE_CRIME = "police_hate_crime"
    POLICE = "police"
    ASC_SAFEGUARDING = "asc_safeguarding"
    BANK = "bank"
    REPORT_FRAUD = "report_fraud"
    CITIZENS_ADVICE = "citizens_advice"
    TRADING_STANDARDS = "trading_standards"
    NTS_SCAMS_TEAM = "nts_scams_team"
    IMLT = "imlt"
    VICTIM_SUPPORT = "victim_support"
    AGE_UK = "age_uk"
    FIRE_SERVICE = "fire_service"
    HOUSING = "housing"
    OTHER = "other"


class ReferralState(StrEnum):
    """Where a referral stands; accepted and declined are its ends."""

    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class ReferralStep(StrEnum):
    """What happens to a referral that was sent. Chasing asks again, and moves nothing."""

    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CHASED = "chased"


class ClockState(StrEnum):
    """Where the two-hour clock of an incident stands."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    NOT_APPLICABLE = "not_applicable"


class StoppedBy(StrEnum):
    """The only three ways a clock stops: a person reached the victim."""

    ATTENDED = "attended"
    REMOTE_RESPONSE = "remote_response"
    POLICE_HANDOVER = "police_handover"


class Area(StrEnum):
    """Whether the victim's home is ours to come to. Unknown is served like ours."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"


class TransferState(StrEnum):
    """Where a hand-over to a neighbouring service stands; it stays ours until they acknowledge it."""

    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    DECLINED = "declined"
    #: The case was over before they answered.
    WITHDRAWN = "withdrawn"


class TransferMeans(StrEnum):
    """How a case is handed over. By phone a person is spoken with: that is the safest."""

    PHONE = "phone"
    SECURE_EMAIL = "secure_email"
    PORTAL = "portal"


class Role(StrEnum):
    """Who a signed-in person is (domain.md 4)."""

    HANDLER = "handler"
    DUTY_OFFICER = "duty_officer"
    RESPONDER = "responder"
    TEAM_LEADER = "team_leader"
    HEAD_OF_SERVICE = "head_of_service"
    HATE_CRIME_LEAD = "hate_crime_lead"
    ANALYST = "analyst"
    BOARD_VIEWER = "board_viewer"
    AUDITOR = "auditor"
    ADMIN = "admin"


class ContactRole(StrEnum):
    """Whom notices go to; looked up on the rota first, then in `contacts`."""

    DUTY_OFFICER = "duty_officer"
    TEAM_LEADER = "team_leader"
    HEAD_OF_SERVICE = "head_of_service"
    HATE_CRIME_LEAD = "hate_crime_lead"
    DESK = "desk"


class Skill(StrEnum):
    """What a responder may be sent to."""

    DOORSTEP_CRIME = "doorstep_crime"
    SCAM = "scam"


class Scope(StrEnum):
    """What an API key may do."""

    REPORT = "report"
    READ = "read"
    ACT = "act"
    BOARD = "board"


class Link(StrEnum):
    """How a person says that another incident belongs to this one."""

    DUPLICATE_OF = "duplicate_of"
    SAME_SUSPECT = "same_suspect"
    RELATED = "related"


class PaymentMethod(StrEnum):
    """How money was, or is to be, paid."""

    CASH = "cash"
    CARD = "card"
    TRANSFER = "transfer"
    CHEQUE = "cheque"
    CRYPTO = "crypto"
    GIFT_CARD = "gift_card"
    OTHER = "other"


class Disposition(StrEnum):
    """The one administrative way in which an incident ended (domain.md 5.1)."""

    RESOLVED_ATTENDED = "resolved_attended"
    RESOLVED_REMOTE = "resolved_remote"
    ADVICE_ONLY = "advice_only"
    HANDED_TO_POLICE = "handed_to_police"
    TRANSFERRED_OTHER_AUTHORITY = "transferred_other_authority"
    REFERRED_PARTNER_ONLY = "referred_partner_only"
    NO_TRACE = "no_trace"
    NO_CONTACT = "no_contact"
    DECLINED_BY_VICTIM = "declined_by_victim"
    WITHDRAWN = "withdrawn"
    DUPLICATE_OF = "duplicate_of"
    NO_OFFENCE_CONSUMER_DISPUTE = "no_offence_consumer_dispute"
    OUT_OF_SCOPE = "out_of_scope"
    HOAX_OR_TEST = "hoax_or_test"


class OutcomeCode(StrEnum):
    """What changed for someone; none to many an incident (domain.md 5.2)."""

    MONEY_PREVENTED = "money_prevented"
    MONEY_RECOVERED = "money_recovered"
    CONTRACT_CANCELLED = "contract_cancelled"
    PAYMENT_STOPPED = "payment_stopped"
    ACCOUNT_BLOCKED = "account_blocked"
    TRADER_LEFT = "trader_left"
    TRADER_DISRUPTED = "trader_disrupted"
    ARREST = "arrest"
    SEIZURE = "seizure"
    NOTICE_RECORDED = "notice_recorded"
    INVESTIGATION_OPENED = "investigation_opened"
    WARNING_LETTER = "warning_letter"
    EVIDENCE_SECURED = "evidence_secured"
    INTELLIGENCE_LOGGED = "intelligence_logged"
    CALL_BLOCKER_FITTED = "call_blocker_fitted"
    TARGET_HARDENING = "target_hardening"
    NCCZ_STARTED = "nccz_started"
    MAIL_INTERCEPTED = "mail_intercepted"
    NUMBER_CHANGED = "number_changed"
    TRUSTED_CONTACT_ADVICE = "trusted_contact_advice"
    SAFEGUARDING_ACCEPTED = "safeguarding_accepted"
    POLICE_REPORT_MADE = "police_report_made"
    REPORT_FRAUD_MADE = "report_fraud_made"
    HEALTH_SOCIAL_REFERRAL = "health_social_referral"
    VICTIM_REASSURED = "victim_reassured"
    AWARENESS_GIVEN = "awareness_given"
    NO_CHANGE = "no_change"


class EvidenceGrade(StrEnum):
    """How sure an amount is: A document or bank confirmed, B officer assessed, C victim's estimate."""

    A = "A"
    B = "B"
    C = "C"


class ProtectiveAct(StrEnum):
    """What a responder did from afar that makes a call a remote response."""

    BANK_TOLD = "bank_told"
    PAYMENT_STOPPED = "payment_stopped"
    CARD_BLOCKED = "card_blocked"
    CONNECTION_CUT = "connection_cut"
    TRADER_REFUSED = "trader_refused"
    SAFE_WITH_SOMEONE = "safe_with_someone"
    POLICE_TOLD = "police_told"
    OTHER = "other"


class RiskSubject(StrEnum):
    """What a risk marker warns of."""

    ADDRESS = "address"
    SUSPECT = "suspect"


class RiskKind(StrEnum):
    """Why nobody should go alone; there is no other kind than these."""

    VIOLENCE = "violence"
    WEAPON = "weapon"
    DOG = "dog"
    THREATS_TO_STAFF = "threats_to_staff"
    INFECTION = "infection"
    OTHER = "other"


class JointArrangement(StrEnum):
    """How it was seen to that nobody goes in alone; the last is a person's decision that somebody may."""

    SECOND_OFFICER = "second_officer"
    POLICE = "police"
    OVERRIDE = "override"


class ShortDisposition(StrEnum):
    """The outcome words of `DONE 4821 CODE`."""

    HELPED = "HELPED"
    PHONE = "PHONE"
    ADVICE = "ADVICE"
    POLICE = "POLICE"
    NOTRACE = "NOTRACE"
    NOCONTACT = "NOCONTACT"
    DECLINED = "DECLINED"
    NOCRIME = "NOCRIME"
