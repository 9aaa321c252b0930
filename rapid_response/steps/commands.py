"""What each action takes: one model an action, checked at the edge; unknown fields are refused.

The API, the pages and the replies all speak these.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, model_validator

from rapid_response.core.incident import Action
from rapid_response.core.text import storable
from rapid_response.core.vocabulary import (
    AgeTargeting,
    Category,
    Disposition,
    EvidenceGrade,
    HateStrand,
    Link,
    OutcomeCode,
    Priority,
    ProtectiveAct,
    ReferralKind,
    ReferralStep,
    Safeguarding,
    TransferMeans,
    Urgency,
)
from rapid_response.intake.report_in import Answers, Caller, Instant, Location, SafeContact, Suspect, Victim

Line = Annotated[str, AfterValidator(storable), Field(min_length=1, max_length=200)]
Words = Annotated[str, AfterValidator(storable), Field(min_length=1, max_length=5000)]
#: As much as is kept of which kind of a category it is.
SUBTYPE_LIMIT = 60
#: Whole pounds and pence, up to ten million.
Pounds = Annotated[Decimal, Field(ge=0, le=10_000_000, decimal_places=2)]


def pence(pounds: Decimal | None) -> int | None:
    """Whole pence of an amount in pounds."""
    return None if pounds is None else int(pounds * 100)


class PauseReason(StrEnum):
    """The only two reasons for which a clock may stand still (domain.md 3.4)."""

    VICTIM_REQUESTED_LATER_TIME = "victim_requested_later_time"
    POLICE_REQUESTED_HOLD = "police_requested_hold"


def _folded(reference: str) -> str:
    return reference.upper()


#: An incident's reference, however it was typed.
Reference = Annotated[Line, AfterValidator(_folded)]


class Command(BaseModel):
    """Base of all action bodies."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Command):
    """Actions that need no word; a note is kept."""

    note: Words | None = None


class Acknowledge(Command):
    """The ids of the notices and silent alarms that were seen; without them, all that there are."""

    seen: list[Line] | None = None
    note: Words | None = None


class ByResponder(Command):
    """Answers to an offer name whose offer it was."""

    responder: Line
    eta_minutes: int | None = Field(default=None, ge=0, le=600)
    reason: Line | None = None


class Assign(Command):
    """Gives the job to somebody; with `companion`, she goes along as the second officer instead."""

    responder: Line
    companion: bool = False
    reason: Line | None = None


class ByOwner(Command):
    """What the owner does; whoever names her names the right one."""

    responder: Line | None = None
    eta_minutes: int | None = Field(default=None, ge=0, le=600)
    reason: Line | None = None
    note: Words | None = None


class Release(ByOwner):
    """Of what is held for a joint visit: who goes along, or with a reason alone that one goes alone."""

    arranged: Literal["police", "second_officer"] | None = None


class CheckIn(Command):
    """A sign of life; whoever names the responder names the owner or the second officer."""

    responder: Line | None = None
    note: Words | None = None


class RemoteResponse(Command):
    protective_act: ProtectiveAct
    responder: Line | None = None
    note: Words | None = None


class PoliceHandover(Command):
    cad_reference: Line
    note: Words | None = None


class Outcome(Command):
    """One thing that changed. An amount of which nobody said how sure it is counts as an estimate (C)."""

    code: OutcomeCode
    amount_gbp: Pounds | None = None
    evidence_grade: EvidenceGrade | None = None


class Close(Command):
    """`safeguarding` is needed where an adult at risk is indicated (see `decide_safeguarding`)."""

    disposition: Disposition
    outcomes: tuple[Outcome, ...] = Field(default=(), max_length=50)
    safeguarding: Safeguarding | None = None
    safeguarding_reason: Line | None = None
    note: Words | None = None


class AddOutcomes(Command):
    """With `corrects`, the id of an outcome that was recorded: what is given stands instead of that one."""

    outcomes: tuple[Outcome, ...] = Field(min_length=1, max_length=50)
    corrects: Line | None = None
    reason: Line | None = None


def _without_response(disposition: Disposition) -> Disposition:
    if disposition in _RESPONSES:
        raise ValueError(
            "says that somebody was helped, and what is cancelled had no response: record the response and "
            "close it, or choose another"
        )
    return disposition


_RESPONSES = (
    Disposition.RESOLVED_ATTENDED,
    Disposition.RESOLVED_REMOTE,
    Disposition.ADVICE_ONLY,
    Disposition.HANDED_TO_POLICE,
)


class Cancel(Command):
    """It ends without a response."""

    reason: Line | None = None
    disposition: Annotated[Disposition, AfterValidator(_without_response)] = Disposition.WITHDRAWN


class NoContact(ByOwner):
    """Nobody was reached; `no_trace`: there is no such address, or nobody there who could be meant."""

    no_trace: bool = False


class Reopen(Command):
    """`reference`: the newer incident whose reports tell of the new episode; they are joined to this one."""

    reason: Line | None = None
    reference: Reference | None = None


class Amend(Command):
    """What is put right, in parts as in the body of a report; null takes a value away.

    A caller belongs to a report: `report` is its id, the first one's unless said.
    """

    answers: Answers = Field(default=Answers(), validation_alias=AliasChoices("answers", "facts"))
    location: Location = Location()
    victim: Victim = Victim()
    caller: Caller = Caller()
    safe_contact: SafeContact = SafeContact()
    suspect: Suspect = Suspect()
    report: Line | None = None
    reason: Line | None = None
    note: Words | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Amend:
        parts = (self.answers, self.location, self.victim, self.caller, self.safe_contact, self.suspect)
        if not any(part.model_fields_set for part in parts):
            raise ValueError("say what is to be put right: answers, location, victim, caller or another part")
        return self


class LinkTo(Command):
    """Another incident and how it belongs to this one; `dismiss` says that it does not."""

    kind: Link | None = None
    reference: Reference = Field(validation_alias=AliasChoices("reference", "other", "incident", "to"))
    reason: Line | None = None
    dismiss: bool = False

    @model_validator(mode="after")
    def _says_how(self) -> LinkTo:
        if self.kind is None and not self.dismiss:
            raise ValueError("say in kind how the two belong together: duplicate_of, same_suspect or related")
        return self


class Reclassify(Command):
    category: Category
    subtype: Annotated[Line, Field(max_length=SUBTYPE_LIMIT)] | None = None
    urgency: Urgency | None = None
    reason: Line | None = None


class SetPriority(Command):
    priority: Priority
    reason: Line | None = None


class Pause(Command):
    reason: PauseReason
    until: Instant | None = None


class Note(Command):
    body: Words = Field(validation_alias=AliasChoices("body", "text", "note"))


class BreachReason(StrEnum):
    """Why two hours were missed: what the board is told."""

    NOBODY_FREE = "nobody_free"
    NOBODY_ANSWERED = "nobody_answered"
    TRAVEL = "travel"
    LATE_TRIAGE = "late_triage"
    WRONG_ADDRESS = "wrong_address"
    MESSAGES_FAILED = "messages_failed"
    VICTIM_NOT_REACHED = "victim_not_reached"
    OTHER = "other"


class TaskIsDone(Command):
    task: Line = Field(validation_alias=AliasChoices("task", "task_id", "id"))
    note: Words | None = None
    reason: Line | None = None


class ReviewAgeTargeting(Command):
    """A decision (`state`), or a correction of what is kept beside it, or both."""

    state: AgeTargeting | None = None
    reason: Line | None = None
    second_reviewer: Line | None = None
    victims_own_perception: bool = False
    statutory_strands: tuple[HateStrand, ...] | None = Field(default=None, max_length=len(HateStrand))
    other_vulnerability: bool | None = None
    referral_kind: ReferralKind | None = None
    reference: Line | None = None
    police_hate_crime_ref: Line | None = None

    @model_validator(mode="after")
    def _says_something(self) -> ReviewAgeTargeting:
        said = (self.state, self.statutory_strands, self.other_vulnerability, self.police_hate_crime_ref)
        if all(value is None for value in said) and not self.victims_own_perception:
            raise ValueError("give the state that it moves to, or what is to be corrected")
        return self


class SecondReview(Command):
    """Whether a second reviewer agrees; `second_reviewer` names the person where a system answers."""

    agree: bool
    reason: Line | None = None
    second_reviewer: Line | None = None


class Refer(Command):
    kind: ReferralKind
    reference: Line | None = None
    police_hate_crime_ref: Line | None = None
    note: Words | None = None


class UpdateReferral(Command):
    referral: Line = Field(validation_alias=AliasChoices("referral", "referral_id", "id"))
    state: ReferralStep
    reference: Line | None = None
    reason: Line | None = None
    police_hate_crime_ref: Line | None = None
    note: Words | None = None


class AnswerSecondReading(Command):
    """Whether a person agrees with one suggestion of the second reader."""

    suggestion: Line
    agrees: bool
    note: Words | None = None


class Transfer(Command):
    """Hands a case over to another service: a neighbour's id or name, or any other name.

    Without `to` it goes to the neighbour whose area the address is in.
    """

    to: Line | None = Field(
        default=None, validation_alias=AliasChoices("to", "service", "authority", "neighbour")
    )
    means: TransferMeans = TransferMeans.PHONE
    handed_to: Line | None = None
    reason: Line | None = None
    note: Words | None = None


class TransferAcknowledged(Command):
    """Somebody there says that they have it; `by` is who."""

    by: Line = Field(validation_alias=AliasChoices("by", "acknowledged_by", "name"))
    reference: Line | None = None
    note: Words | None = None


class TransferDeclined(Command):
    """They do not take it, and why."""

    reason: Line
    by: Line | None = Field(default=None, validation_alias=AliasChoices("by", "declined_by", "name"))
    note: Words | None = None


class DecideSafeguarding(Command):
    """Whether adult social care is told (Care Act s.42); every decision but `referred` says why."""

    decision: Safeguarding
    reason: Line | None = None
    reference: Line | None = None
    note: Words | None = None


class Disclose(Command):
    """Makes the sheet that a partner is given: who gets it, and on what authority."""

    kind: ReferralKind
    to: Line
    authority: Line
    note: Words | None = None


class LegalHold(Command):
    """Nothing of the case is deleted while it is held; `on: false` lets it go again."""

    on: bool = True
    reason: Line


class MarkHoax(Command):
    """Somebody says that nothing of it is true; where danger was told of, a second person has to agree.

    `second_person` names that person where a system answers for people of its own.
    """

    reason: Line
    second_person: Line | None = None


COMMANDS: Mapping[Action, type[Command]] = {
    Action.ACCEPT: ByResponder,
    Action.DECLINE: ByResponder,
    Action.ASSIGN: Assign,
    Action.EN_ROUTE: ByOwner,
    Action.ON_SCENE: ByOwner,
    Action.NO_CONTACT: NoContact,
    Action.REMOTE_RESPONSE: RemoteResponse,
    Action.POLICE_HANDOVER: PoliceHandover,
    Action.RELEASE: Release,
    Action.CLOSE: Close,
    Action.CANCEL: Cancel,
    Action.REOPEN: Reopen,
    Action.ACKNOWLEDGE: Acknowledge,
    Action.RECLASSIFY: Reclassify,
    Action.SET_PRIORITY: SetPriority,
    Action.PAUSE: Pause,
    Action.RESUME: Nothing,
    Action.NOTE: Note,
    Action.TASK_DONE: TaskIsDone,
    Action.REVIEW_AGE_TARGETING: ReviewAgeTargeting,
    Action.ADD_OUTCOMES: AddOutcomes,
    Action.SECOND_REVIEW: SecondReview,
    Action.REFER: Refer,
    Action.UPDATE_REFERRAL: UpdateReferral,
    Action.ANSWER_SECOND_READING: AnswerSecondReading,
    Action.AMEND: Amend,
    Action.LINK: LinkTo,
    Action.CHECK_IN: CheckIn,
    Action.RELEASE_COMPANION: ByOwner,
    Action.TRANSFER: Transfer,
    Action.TRANSFER_ACKNOWLEDGED: TransferAcknowledged,
    Action.TRANSFER_DECLINED: TransferDeclined,
    Action.DECIDE_SAFEGUARDING: DecideSafeguarding,
    Action.DISCLOSE: Disclose,
    Action.LEGAL_HOLD: LegalHold,
    Action.MARK_HOAX: MarkHoax,
}
