"""Every event: what happened, in the past tense, frozen.

Events go into an append-only, chained log that can never be redacted: their data holds ids, codes, times
and numbers, never a name, number, address or word of a narrative (design.md 4). Adding a field is
compatible; changing what one means needs a new event.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; `type` is the stored name and never changes."""

    type: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class ReportReceived(Event):
    type: ClassVar[str] = "report_received"
    report_id: str
    channel: str
    received_at: datetime
    back_entry: bool = False
    #: The notification of which a person made it; its contact is counted already.
    raised_from: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentClassified(Event):
    """By the machine at first (`model_version` set), later by a person."""

    type: ClassVar[str] = "incident_classified"
    category: str
    subtype: str
    urgency: str
    model_version: str | None = None
    victim_aged_60_plus: bool = False
    victim_lives_alone: bool = False
    repeat_victim: bool = False
    repeat_within_28_days: bool = False
    ward: str | None = None


@dataclass(frozen=True, slots=True)
class PriorityDecided(Event):
    type: ClassVar[str] = "priority_decided"
    priority: str
    rule_id: str
    rules_version: str
    facts_used: tuple[str, ...]
    escalators: tuple[str, ...] = ()
    reason_given: bool = False


@dataclass(frozen=True, slots=True)
class ClockStarted(Event):
    type: ClassVar[str] = "clock_started"
    started_at: datetime
    due_at: datetime
    needed_by: datetime
    job_number: int
    episode: int


@dataclass(frozen=True, slots=True)
class ClockNotApplicable(Event):
    """No two-hour clock: P3, P4, out of area, or a person cancelled it."""

    type: ClassVar[str] = "clock_not_applicable"
    why: str


@dataclass(frozen=True, slots=True)
class HeldForReview(Event):
    type: ClassVar[str] = "held_for_review"
    why: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Scheduled(Event):
    type: ClassVar[str] = "scheduled"
    why: str
    task_id: str | None = None


@dataclass(frozen=True, slots=True)
class TargetingAssessed(Event):
    """Where it stands. `loss` stands with the first flag: whether money or goods had gone by then."""

    type: ClassVar[str] = "targeting_assessed"
    state: str
    kinds: tuple[str, ...] = ()
    other_vulnerability: bool = False
    statutory_strands: tuple[str, ...] = ()
    by_person: bool = False
    loss: str | None = None


@dataclass(frozen=True, slots=True)
class TargetingCorrected(Event):
    """A person said which strands and vulnerability it is about, or that the victim says so; no decision."""

    type: ClassVar[str] = "targeting_corrected"
    statutory_strands: tuple[str, ...]
    other_vulnerability: bool
    strands_before: tuple[str, ...] = ()
    other_vulnerability_before: bool = False
    victims_own_perception: bool = False


@dataclass(frozen=True, slots=True)
class ReviewProposed(Event):
    """One reviewer would rule out what the victim says; somebody else has to agree."""

    type: ClassVar[str] = "review_proposed"
    state: str


@dataclass(frozen=True, slots=True)
class ReviewProposalSettled(Event):
    """What became of it: `confirmed`, `rejected`, or `withdrawn` by the proposer or another decision."""

    type: ClassVar[str] = "review_proposal_settled"
    state: str
    outcome: str


@dataclass(frozen=True, slots=True)
class PoliceHateCrimeRecorded(Event):
    """The police gave a reference of their own: from here on it may be called recorded by them."""

    type: ClassVar[str] = "police_hate_crime_recorded"


@dataclass(frozen=True, slots=True)
class ReferralMoved(Event):
    """A referral was sent (its first state), or something became of it; `chased` moves nothing."""

    type: ClassVar[str] = "referral_moved"
    referral_id: str
    kind: str
    state: str


@dataclass(frozen=True, slots=True)
class OfferMade(Event):
    type: ClassVar[str] = "offer_made"
    offer_id: str
    responder: str
    rung: int
    answer_by: datetime
    reasons: tuple[str, ...]
    joint: bool = False


@dataclass(frozen=True, slots=True)
class OfferDeclined(Event):
    type: ClassVar[str] = "offer_declined"
    offer_id: str
    responder: str
    source: str
    seconds: float | None = None
    priority: str = ""


@dataclass(frozen=True, slots=True)
class OfferLapsed(Event):
    type: ClassVar[str] = "offer_lapsed"
    offer_id: str
    responder: str


@dataclass(frozen=True, slots=True)
class OfferWithdrawn(Event):
    type: ClassVar[str] = "offer_withdrawn"
    offer_id: str
    responder: str
    why: str


@dataclass(frozen=True, slots=True)
class OfferAccepted(Event):
    type: ClassVar[str] = "offer_accepted"
    offer_id: str
    responder: str
    source: str
    late: bool = False
    eta_minutes: int | None = None
    #: From the making of the offer.
    seconds: float | None = None
    priority: str = ""


@dataclass(frozen=True, slots=True)
class Assigned(Event):
    """By a person at the desk, not by an answer to an offer."""

    type: ClassVar[str] = "assigned"
    responder: str


@dataclass(frozen=True, slots=True)
class Released(Event):
    type: ClassVar[str] = "released"
    responder: str
    why: str


@dataclass(frozen=True, slots=True)
class NobodyLeft(Event):
    type: ClassVar[str] = "nobody_left"
    asked: int


@dataclass(frozen=True, slots=True)
class CompanionNamed(Event):
    """A second officer goes along; the job stays its owner's."""

    type: ClassVar[str] = "companion_named"
    responder: str


@dataclass(frozen=True, slots=True)
class CompanionReleased(Event):
    type: ClassVar[str] = "companion_released"
    responder: str
    why: str


@dataclass(frozen=True, slots=True)
class JointArranged(Event):
    """Who goes along to a joint visit, or that one goes alone; `goes_out`: it was held for that."""

    type: ClassVar[str] = "joint_arranged"
    how: str
    goes_out: bool = False


@dataclass(frozen=True, slots=True)
class SetOff(Event):
    """The visit plan goes with it: when she is expected there, and when to be done."""

    type: ClassVar[str] = "set_off"
    responder: str
    source: str
    expected_at: datetime | None = None
    finish_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ArrivedOnScene(Event):
    type: ClassVar[str] = "arrived_on_scene"
    responder: str
    source: str
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class VisitEnded(Event):
    """Nobody watches for her there any more, though the job is not over: she went elsewhere."""

    type: ClassVar[str] = "visit_ended"
    responder: str
    why: str


@dataclass(frozen=True, slots=True)
class CheckedIn(Event):
    type: ClassVar[str] = "checked_in"
    responder: str
    source: str
    next_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class CheckInAsked(Event):
    """A lone worker is asked whether she is safe (on scene), or where she is (on her way)."""

    type: ClassVar[str] = "check_in_asked"
    responder: str
    by: str
    on_scene: bool
    late_seconds: float


@dataclass(frozen=True, slots=True)
class CheckInMissed(Event):
    """She has not answered, so somebody else is told."""

    type: ClassVar[str] = "check_in_missed"
    responder: str
    role: str
    silent_minutes: int
    on_scene: bool
    late_seconds: float


@dataclass(frozen=True, slots=True)
class DuressRaised(Event):
    """A silent alarm. By which word is nowhere in the log."""

    type: ClassVar[str] = "duress_raised"
    alarm_id: str
    responder: str
    source: str


@dataclass(frozen=True, slots=True)
class DuressAcknowledged(Event):
    type: ClassVar[str] = "duress_acknowledged"
    alarm_id: str
    source: str


@dataclass(frozen=True, slots=True)
class DuressEnded(Event):
    """A person says that the responder is safe, or that it was no alarm; the reason is kept with it."""

    type: ClassVar[str] = "duress_ended"
    alarm_id: str


@dataclass(frozen=True, slots=True)
class RiskMarkerFound(Event):
    """A live marker warns of this address or suspect."""

    type: ClassVar[str] = "risk_marker_found"
    marker_id: str
    subject: str


@dataclass(frozen=True, slots=True)
class RiskMarkerSet(Event):
    type: ClassVar[str] = "risk_marker_set"
    marker_id: str
    subject: str
    kind: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RiskMarkerReviewed(Event):
    """A person looked again, and it stands on."""

    type: ClassVar[str] = "risk_marker_reviewed"
    marker_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RiskMarkerEnded(Event):
    type: ClassVar[str] = "risk_marker_ended"
    marker_id: str
    why: str


@dataclass(frozen=True, slots=True)
class NoContactMade(Event):
    """Attended, nobody answered; takes the stop of the clock back where there was one."""

    type: ClassVar[str] = "no_contact_made"
    responder: str
    source: str
    took_stop_back: bool
    #: The address, or anybody who could be her, was not found there.
    no_trace: bool = False


@dataclass(frozen=True, slots=True)
class ClockStopped(Event):
    type: ClassVar[str] = "clock_stopped"
    stopped_by: str
    stopped_at: datetime
    gross_seconds: int
    paused_seconds: int
    met: bool
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class ClockPaused(Event):
    type: ClassVar[str] = "clock_paused"
    why: str


@dataclass(frozen=True, slots=True)
class ClockResumed(Event):
    type: ClassVar[str] = "clock_resumed"
    paused_seconds: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ClockMovedBack(Event):
    """An earlier report of the same incident was joined: the promise counts from that one.

    `no_longer_met`: the response that was in time is late by this.
    """

    type: ClassVar[str] = "clock_moved_back"
    started_at: datetime
    due_at: datetime
    needed_by: datetime
    paused_seconds: int
    no_longer_met: bool = False


@dataclass(frozen=True, slots=True)
class DeadlineWarned(Event):
    type: ClassVar[str] = "deadline_warned"
    share: float
    told: tuple[str, ...]
    late_seconds: float


@dataclass(frozen=True, slots=True)
class DeadlineMissed(Event):
    """The two hours passed without a response; nothing later erases it."""

    type: ClassVar[str] = "deadline_missed"
    due_at: datetime
    late_seconds: float


@dataclass(frozen=True, slots=True)
class RungReached(Event):
    type: ClassVar[str] = "rung_reached"
    rung: int
    action: str
    to: str
    late_seconds: float


@dataclass(frozen=True, slots=True)
class NoticeGiven(Event):
    type: ClassVar[str] = "notice_given"
    notice_id: str
    kind: str
    role: str
    by: tuple[str, ...]
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class NoticeAcknowledged(Event):
    type: ClassVar[str] = "notice_acknowledged"
    notice_id: str
    role: str
    source: str


@dataclass(frozen=True, slots=True)
class MessageAccepted(Event):
    """The provider took it. Says nothing of a person. `request_seconds`: how long the provider took."""

    type: ClassVar[str] = "message_accepted"
    message_id: str
    purpose: str
    channel: str
    seconds_since_report: float | None = None
    attempt: int = 1
    provider: str = ""
    request_seconds: float | None = None
    segments: int = 0
    replaced: int = 0


@dataclass(frozen=True, slots=True)
class MessageTroubled(Event):
    """An attempt came to nothing: `refused`, `unknown`, `undelivered`, `absent`; `then` says what follows."""

    type: ClassVar[str] = "message_troubled"
    message_id: str
    purpose: str
    channel: str
    what: str
    then: str
    attempt: int
    provider: str
    error_class: str | None = None
    error_code: str = ""
    request_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class MessageReconciled(Event):
    """What looking it up came to: `adopted`, `absent`, `duplicate`, `unresolved`."""

    type: ClassVar[str] = "message_reconciled"
    message_id: str
    channel: str
    result: str


@dataclass(frozen=True, slots=True)
class MessageSettled(Event):
    """Delivered, failed or expired, as far as we know. `late`: proof came after it had been given up."""

    type: ClassVar[str] = "message_settled"
    message_id: str
    purpose: str
    channel: str
    state: str
    error_class: str | None = None
    late: bool = False
    provider: str = ""
    accept_seconds: float | None = None
    offer_seconds: float | None = None
    priority: str = ""


@dataclass(frozen=True, slots=True)
class OtherWayTried(Event):
    """The ladder inside an offer or a stand-down went on; `to_way` is `next` when another person is asked."""

    type: ClassVar[str] = "other_way_tried"
    offer_id: str
    purpose: str
    from_way: str
    to_way: str
    reason: str


@dataclass(frozen=True, slots=True)
class WayNotTried(Event):
    """A rung of the ladder was not needed, or cannot be."""

    type: ClassVar[str] = "way_not_tried"
    offer_id: str
    way: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReplyUnderstood(Event):
    type: ClassVar[str] = "reply_understood"
    inbound_id: str
    responder: str
    verb: str
    effect: str


@dataclass(frozen=True, slots=True)
class PoliceHandedOver(Event):
    type: ClassVar[str] = "police_handed_over"
    by: str


@dataclass(frozen=True, slots=True)
class ResponseMadeRemotely(Event):
    type: ClassVar[str] = "response_made_remotely"
    responder: str | None
    protective_act: str
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class TaskOpened(Event):
    type: ClassVar[str] = "task_opened"
    task_id: str
    kind: str
    owner: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class TaskDone(Event):
    type: ClassVar[str] = "task_done"
    task_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class OutcomeRecorded(Event):
    type: ClassVar[str] = "outcome_recorded"
    outcome_id: str
    code: str
    amount_pence: int | None = None
    evidence_grade: str | None = None


@dataclass(frozen=True, slots=True)
class OutcomeCorrected(Event):
    """What was recorded is put right: it counts no more from now on. What stands instead follows."""

    type: ClassVar[str] = "outcome_corrected"
    outcome_id: str
    code: str
    amount_pence: int | None = None
    evidence_grade: str | None = None


@dataclass(frozen=True, slots=True)
class SafeguardingDecided(Event):
    """A person decided on an adult safeguarding concern; `because` are the codes that indicated one."""

    type: ClassVar[str] = "safeguarding_decided"
    decision: str
    because: tuple[str, ...]
    source: str
    reason_given: bool = False


@dataclass(frozen=True, slots=True)
class DisclosureMade(Event):
    """What was shown to somebody outside: which parts of the case, never what they said."""

    type: ClassVar[str] = "disclosure_made"
    disclosure_id: str
    kind: str
    fields: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class LegalHoldChanged(Event):
    type: ClassVar[str] = "legal_hold_changed"
    on: bool


@dataclass(frozen=True, slots=True)
class HoaxMarked(Event):
    """One person calls it a hoax although danger was told of; somebody else has to agree."""

    type: ClassVar[str] = "hoax_marked"
    confirmed: bool


@dataclass(frozen=True, slots=True)
class PersonalDataErased(Event):
    """The time for which its people may be kept is over: they are gone, the counts stay."""

    type: ClassVar[str] = "personal_data_erased"
    retention_class: str
    rows: int


@dataclass(frozen=True, slots=True)
class NotificationKept(Event):
    """A partner told us something and asked for nothing: kept as intelligence, no incident (scenario 13)."""

    type: ClassVar[str] = "notification_kept"
    notification_id: str
    channel: str
    received_at: datetime
    category: str


@dataclass(frozen=True, slots=True)
class NotificationSettled(Event):
    """What became of it: `raised` to an incident, or `filed`."""

    type: ClassVar[str] = "notification_settled"
    notification_id: str
    outcome: str


@dataclass(frozen=True, slots=True)
class CaseOpenedUnassigned(Event):
    """Somebody opened a case that is not theirs, and said why."""

    type: ClassVar[str] = "case_opened_unassigned"
    viewer: str
    reason: str


@dataclass(frozen=True, slots=True)
class IncidentClosed(Event):
    type: ClassVar[str] = "incident_closed"
    disposition: str
    episode: int


@dataclass(frozen=True, slots=True)
class IncidentCancelled(Event):
    type: ClassVar[str] = "incident_cancelled"
    disposition: str
    episode: int


@dataclass(frozen=True, slots=True)
class IncidentReopened(Event):
    type: ClassVar[str] = "incident_reopened"
    episode: int


@dataclass(frozen=True, slots=True)
class BackEntryReleased(Event):
    type: ClassVar[str] = "back_entry_released"


@dataclass(frozen=True, slots=True)
class BreachExplained(Event):
    type: ClassVar[str] = "breach_explained"
    code: str


@dataclass(frozen=True, slots=True)
class NoteAdded(Event):
    type: ClassVar[str] = "note_added"
    note_id: str
    source: str


@dataclass(frozen=True, slots=True)
class SecondReadingRecorded(Event):
    """What a second reader made of one report: labels of closed lists. It changed nothing by itself."""

    type: ClassVar[str] = "second_reading_recorded"
    report_id: str
    model_version: str
    category: str | None
    urgency: str | None
    age_targeted: bool
    other_vulnerability: bool
    dangers: tuple[str, ...] = ()
    #: The labels shown to a person, and whether one says more danger or targeting than we had.
    suggested: tuple[str, ...] = ()
    raises: bool = False
    #: Claims that were not believed: outside the lists, or without words that stand in the text.
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class SecondReadingAnswered(Event):
    """A person agreed with a suggestion of the second reader, or did not."""

    type: ClassVar[str] = "second_reading_answered"
    suggestion_id: str
    label: str
    value: str
    agrees: bool
    source: str


@dataclass(frozen=True, slots=True)
class IncidentAmended(Event):
    """Something known of it was put right, or added: which fields, never what they hold.

    The rest says how the case counts now. `rules_say`: the priority that the rules give it; what is less
    urgent than the priority it has lowers nothing.
    """

    type: ClassVar[str] = "incident_amended"
    fields: tuple[str, ...]
    source: str
    victim_aged_60_plus: bool = False
    victim_lives_alone: bool = False
    repeat_victim: bool = False
    repeat_within_28_days: bool = False
    ward: str | None = None
    reason_given: bool = False
    rules_say: str | None = None


@dataclass(frozen=True, slots=True)
class LinkDecided(Event):
    """A person said how another incident belongs to this one, or that it does not."""

    type: ClassVar[str] = "link_decided"
    kind: str
    other_id: str
    state: str
    reason_given: bool = False


@dataclass(frozen=True, slots=True)
class ReportJoined(Event):
    """A report that raised another incident belongs to this one."""

    type: ClassVar[str] = "report_joined"
    report_id: str
    channel: str
    received_at: datetime
    from_id: str
    back_entry: bool = False


@dataclass(frozen=True, slots=True)
class ReportLeft(Event):
    """A report that had been joined by mistake went back to the incident that it raised."""

    type: ClassVar[str] = "report_left"
    report_id: str
    to_id: str


@dataclass(frozen=True, slots=True)
class OutcomeJoined(Event):
    """An outcome recorded on an incident that was then joined to this one."""

    type: ClassVar[str] = "outcome_joined"
    outcome_id: str
    code: str
    amount_pence: int | None = None
    evidence_grade: str | None = None


@dataclass(frozen=True, slots=True)
class AreaFound(Event):
    """Whose the victim's home is, by its postcode, which is not here: `inside`, `outside` or `unknown`."""

    type: ClassVar[str] = "area_found"
    area: str
    authority: str | None
    source: str


@dataclass(frozen=True, slots=True)
class TransferMoved(Event):
    """A case was handed over to another service (`sent`), and they took it, or did not.

    `digest` is of the very words that were handed over; `neighbour` is an id of the service definition.
    """

    type: ClassVar[str] = "transfer_moved"
    transfer_id: str
    neighbour: str
    state: str
    means: str
    digest: str
    reason_given: bool = False


@dataclass(frozen=True, slots=True)
class TransferChased(Event):
    """Nobody across the border has it yet, so somebody else here is told."""

    type: ClassVar[str] = "transfer_chased"
    role: str
    is_sent: bool
    late_seconds: float


@dataclass(frozen=True, slots=True)
class WorkParked(Event):
    """A step failed too often and waits for a person; nothing else waits for it."""

    type: ClassVar[str] = "work_parked"
    kind: str
    error: str


@dataclass(frozen=True, slots=True)
class ServiceLoaded(Event):
    type: ClassVar[str] = "service_loaded"
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class AvailabilityChanged(Event):
    type: ClassVar[str] = "availability_changed"
    responder: str
    state: str
    until: datetime | None = None
    #: Later than the event where it was planned.
    begins: datetime | None = None
    swap_with: str | None = None


@dataclass(frozen=True, slots=True)
class RotaGapTold(Event):
    """Nobody with a skill is on duty or on call for a while still to come: the team leader is told."""

    type: ClassVar[str] = "rota_gap_told"
    skill: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class EndpointChanged(Event):
    """What is known of a number changed; whose it is stands here, the number does not."""

    type: ClassVar[str] = "endpoint_changed"
    whose: str
    channel: str
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class NumberCodeSent(Event):
    """A one-time code goes to a number of this person; neither of the two stands here."""

    type: ClassVar[str] = "number_code_sent"
    responder: str
    channel: str


@dataclass(frozen=True, slots=True)
class NumberProved(Event):
    """The code came back by another way: the number is this person's until then."""

    type: ClassVar[str] = "number_proved"
    responder: str
    until: datetime


@dataclass(frozen=True, slots=True)
class NumberNotProved(Event):
    """What was entered was not the code, or came too late."""

    type: ClassVar[str] = "number_not_proved"
    responder: str
    why: str


@dataclass(frozen=True, slots=True)
class NumberDenied(Event):
    """Whoever has the phone says that it is a wrong number."""

    type: ClassVar[str] = "number_denied"
    responder: str


@dataclass(frozen=True, slots=True)
class LineDown(Event):
    """Nothing goes over a provider's texts, or calls, until it is mended."""

    type: ClassVar[str] = "line_down"
    provider: str
    channel: str
    why: str


@dataclass(frozen=True, slots=True)
class LineMended(Event):
    type: ClassVar[str] = "line_mended"
    provider: str
    channel: str


@dataclass(frozen=True, slots=True)
class TextsOverCap(Event):
    """More texts went out today than a day should need; none was held back for it."""

    type: ClassVar[str] = "texts_over_cap"
    provider: str
    cap: int


@dataclass(frozen=True, slots=True)
class CallerRangOff(Event):
    """Somebody rang the hotline and left no message: to be rung back, unless the number was withheld."""

    type: ClassVar[str] = "caller_rang_off"
    call_id: str
    may_be_rung: bool
    received_at: datetime


@dataclass(frozen=True, slots=True)
class EarlierCallJoined(Event):
    """The same number had rung before and left no message: that call was the first contact of this case."""

    type: ClassVar[str] = "earlier_call_joined"
    call_id: str
    channel: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class MailParked(Event):
    """An e-mail to the desk could not be handed in for a day; the texts beside it went their own way."""

    type: ClassVar[str] = "mail_parked"
    mail_id: str
    error: str


@dataclass(frozen=True, slots=True)
class AccountChanged(Event):
    type: ClassVar[str] = "account_changed"
    account_id: str
    change: str


@dataclass(frozen=True, slots=True)
class NextStepRestored(Event):
    """Something that must be on the agenda was not; the auditor saw it, and it is there again.

    Of a responder's alarm it names that alarm, so that it never shows on her own page.
    """

    type: ClassVar[str] = "next_step_restored"
    check: str
    alarm_id: str | None = None


@dataclass(frozen=True, slots=True)
class ParkedWorkTaken(Event):
    """A role was told of parked work, or a person took it on."""

    type: ClassVar[str] = "parked_work_taken"
    kind: str
    by: str


@dataclass(frozen=True, slots=True)
class DatabaseRestored(Event):
    """From a copy; what happened between the copy and now is not in it."""

    type: ClassVar[str] = "database_restored"
    backup_made_at: datetime | None
    backup_digest: str


@dataclass(frozen=True, slots=True)
class BackupMade(Event):
    type: ClassVar[str] = "backup_made"
    digest: str


@dataclass(frozen=True, slots=True)
class SendingHeld(Event):
    """Nothing is sent and no deadline rings, until a person lets go."""

    type: ClassVar[str] = "sending_held"
    why: str


@dataclass(frozen=True, slots=True)
class SendingReleased(Event):
    type: ClassVar[str] = "sending_released"
    will_go: int
    dropped: int
    overdue: int


@dataclass(frozen=True, slots=True)
class ClockStepped(Event):
    """The clock jumped: forwards (seconds above 0), and we with it, or backwards, and we count on."""

    type: ClassVar[str] = "clock_stepped"
    fault_id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ClockConfirmed(Event):
    """A person has looked at the clock."""

    type: ClassVar[str] = "clock_confirmed"
    faults: int


@dataclass(frozen=True, slots=True)
class FileFoundDamaged(Event):
    """A check of the database or of the log failed."""

    type: ClassVar[str] = "file_found_damaged"
    what: str


#: The stream of events that belong to no incident.
SERVICE_STREAM = "service"

EVENT_TYPES: dict[str, type[Event]] = {
    cls.type: cls
    for cls in list(globals().values())
    if isinstance(cls, type) and issubclass(cls, Event) and cls.type
}


def event_data(event: Event) -> dict[str, Any]:
    """The event's fields as plain JSON values; times as RFC 3339 in UTC."""
    return {name: _plain(getattr(event, name)) for name in _names(event.type)}


@cache
def _names(type_: str) -> tuple[str, ...]:
    return tuple(f.name for f in fields(EVENT_TYPES[type_]))


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case StrEnum():
            return value.value
        case tuple():
            return [_plain(v) for v in value]
        case _:
            return value
