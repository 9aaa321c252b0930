"""The parts of an incident's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rapid_response.console.forms.posted import Filled
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
    Channel,
    ContactRoute,
    EvidenceGrade,
    HateStrand,
    OutcomeCode,
    ReferralKind,
    ReferralState,
    Safeguarding,
)


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
class SafeguardingPart:
    """What indicates an adult at risk, and what a person decided."""

    because: tuple[str, ...] = ()
    decision: Safeguarding | None = None
    decided_at: datetime | None = None
    decided_by: str = ""


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
    """Something a role holder must see; `may_acknowledge` gives a button for all that the page shows."""

    notice_id: str
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
