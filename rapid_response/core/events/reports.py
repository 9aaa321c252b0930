"""What reached us, and what was decided of it on arrival."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rapid_response.core.events.base import Event


@dataclass(frozen=True, slots=True)
class ReportReceived(Event):
    type: ClassVar[str] = "report_received"
    report_id: str
    channel: str
    received_at: datetime
    back_entry: bool = False
    #: What it was before, a notification or a call that seemed to have no message: counted as a contact then.
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
class BackEntryReleased(Event):
    type: ClassVar[str] = "back_entry_released"


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
class OutcomeLeft(Event):
    """An outcome counts here no more: it is that incident's, or was put right while it stood there."""

    type: ClassVar[str] = "outcome_left"
    outcome_id: str
    to_id: str


@dataclass(frozen=True, slots=True)
class CallerRangOff(Event):
    """Somebody rang the hotline and left no message: to be rung back, unless the number was withheld."""

    type: ClassVar[str] = "caller_rang_off"
    call_id: str
    may_be_rung: bool
    received_at: datetime


@dataclass(frozen=True, slots=True)
class MessageFoundLate(Event):
    """A caller who seemed to have rung off had left a message: her call is a contact by that, and once."""

    type: ClassVar[str] = "message_found_late"
    call_id: str


@dataclass(frozen=True, slots=True)
class EarlierCallJoined(Event):
    """The same number had rung before and left no message: that call was the first contact of this case."""

    type: ClassVar[str] = "earlier_call_joined"
    call_id: str
    channel: str
    received_at: datetime
