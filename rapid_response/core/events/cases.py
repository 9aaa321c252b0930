"""What was done about a case, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rapid_response.core.events.base import Event


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
class NoteAdded(Event):
    type: ClassVar[str] = "note_added"
    note_id: str
    source: str
