"""How often people left standing what a reader said, by month and model version: ours, and the second reader.

Taken from the log: what each reader said of an incident, and what stood when a person had finished with it.
Only incidents that a person has closed or cancelled count, because only those has somebody looked at to the
end. A reading nobody corrected counts as agreed: that is a limit, and is said on the page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select
from sqlmodel import col

from rapid_response.core.events import (
    IncidentCancelled,
    IncidentClassified,
    IncidentClosed,
    PriorityDecided,
    SecondReadingAnswered,
    SecondReadingRecorded,
    TargetingAssessed,
)
from rapid_response.core.vocabulary import AgeTargeting, Priority
from rapid_response.reporting.logged import events_of
from rapid_response.reporting.record import StoredEvent
from rapid_response.storage.tables import EventRow

_ENDED = (IncidentClosed.type, IncidentCancelled.type)
#: States of a review that say: yes, she was chosen for her age.
_UPHELD = frozenset(
    {
        AgeTargeting.RECOGNISED_LOCAL.value,
        AgeTargeting.REFERRED_POLICE.value,
        AgeTargeting.REFERRED_PARTNER.value,
    }
)
_DECIDED = _UPHELD | {AgeTargeting.RULED_OUT.value}


class Reader(StrEnum):
    """Whose words are held against people's."""

    OURS = "ours"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    agreed: int = 0
    of: int = 0

    def plus(self, agreed: bool | None) -> Share:
        """One more case; None where it said nothing, or nobody decided."""
        return self if agreed is None else Share(self.agreed + agreed, self.of + 1)

    @property
    def percent(self) -> int | None:
        """Rounded; None where there was nothing to agree on."""
        return round(100 * self.agreed / self.of) if self.of else None


@dataclass(frozen=True, slots=True)
class Line:
    """One reader's version in one month."""

    month: str
    reader: Reader
    model: str
    cases: int = 0
    category: Share = Share()
    priority: Share = Share()
    urgency: Share = Share()
    targeting: Share = Share()
    #: Of the second reader's suggestions that people answered, those they agreed with.
    suggestions: Share = Share()


@dataclass(slots=True)
class _Case:
    """What was said of one incident, and what became of it."""

    ended_at: datetime | None = None
    machine: Mapping[str, Any] | None = None
    second: Mapping[str, Any] | None = None
    category: str | None = None
    urgency: str | None = None
    first_priority: str | None = None
    priority_by_person: bool = False
    raised_by_person: bool = False
    flagged: bool = False
    reviewed: str | None = None
    answers: list[bool] = field(default_factory=list)
    agreed_on_danger: bool = False

    def hear(self, event: StoredEvent) -> None:
        data = event.data
        if event.type == IncidentClassified.type:
            if data.get("model_version"):
                self.machine = data
            self.category, self.urgency = data["category"], data.get("urgency")
        elif event.type == PriorityDecided.type:
            self._hear_priority(data)
        elif event.type == TargetingAssessed.type:
            if data["by_person"]:
                self.reviewed = data["state"]
            else:
                self.flagged = data["state"] != AgeTargeting.NONE.value
        elif event.type == SecondReadingRecorded.type:
            self.second = data
        elif event.type == SecondReadingAnswered.type:
            self.answers.append(data["agrees"])
            self.agreed_on_danger = self.agreed_on_danger or (data["agrees"] and data["label"] == "danger")
        elif event.type in _ENDED:
            self.ended_at = event.at

    def _hear_priority(self, data: Mapping[str, Any]) -> None:
        by_person = data["rule_id"] == "person"
        self.priority_by_person = self.priority_by_person or by_person
        if self.first_priority is None:
            self.first_priority = data.get("priority")
        elif by_person and data.get("priority") is not None:
            higher = Priority(data["priority"]).rank < Priority(self.first_priority).rank
            self.raised_by_person = self.raised_by_person or higher

    def chosen_for_age(self) -> bool | None:
        """What a person decided; None where nobody did."""
        return self.reviewed in _UPHELD if self.reviewed in _DECIDED else None

    def with_ours(self, line: Line, said: Mapping[str, Any]) -> Line:
        chosen = self.chosen_for_age()
        return replace(
            line,
            cases=line.cases + 1,
            category=line.category.plus(said["category"] == self.category),
            priority=line.priority.plus(not self.priority_by_person),
            urgency=line.urgency.plus(_same(said.get("urgency"), self.urgency)),
            targeting=line.targeting.plus(None if chosen is None else self.flagged == chosen),
        )

    def with_second(self, line: Line, said: Mapping[str, Any]) -> Line:
        chosen = self.chosen_for_age()
        saw_danger = said["raises"] and bool({"danger", "urgency"} & set(said["suggested"]))
        suggestions = line.suggestions
        for agrees in self.answers:
            suggestions = suggestions.plus(agrees)
        return replace(
            line,
            cases=line.cases + 1,
            category=line.category.plus(_same(said["category"], self.category)),
            priority=line.priority.plus(saw_danger == (self.raised_by_person or self.agreed_on_danger)),
            urgency=line.urgency.plus(_same(said["urgency"], self.urgency)),
            targeting=line.targeting.plus(None if chosen is None else said["age_targeted"] == chosen),
            suggestions=suggestions,
        )


def _same(said: str | None, stood: str | None) -> bool | None:
    return None if said is None or stood is None else said == stood


def by_month(events: Iterable[StoredEvent], zone: ZoneInfo) -> list[Line]:
    """Agreement by the local month in which the case ended: newest first, then ours, then by version."""
    cases: dict[str, _Case] = defaultdict(_Case)
    for event in events:
        cases[event.incident_id].hear(event)
    lines: dict[tuple[str, Reader, str], Line] = {}
    for case in cases.values():
        for reader, said in _readings(case):
            if case.ended_at is None:
                continue
            key = (f"{case.ended_at.astimezone(zone):%Y-%m}", reader, str(said["model_version"]))
            line = lines.get(key) or Line(*key)
            lines[key] = case.with_ours(line, said) if reader is Reader.OURS else case.with_second(line, said)
    in_month = sorted(lines.values(), key=lambda line: (list(Reader).index(line.reader), line.model))
    return sorted(in_month, key=lambda line: line.month, reverse=True)


def _readings(case: _Case) -> Iterator[tuple[Reader, Mapping[str, Any]]]:
    if case.machine is not None:
        yield Reader.OURS, case.machine
    if case.second is not None:
        yield Reader.SECOND, case.second


_HEARD = (
    IncidentClassified.type,
    PriorityDecided.type,
    TargetingAssessed.type,
    SecondReadingRecorded.type,
    SecondReadingAnswered.type,
    *_ENDED,
)


def read_agreement(connection: Connection, zone: ZoneInfo, since: datetime) -> Sequence[Line]:
    """Agreement on the cases that ended since then."""
    ended = select(col(EventRow.stream)).where(col(EventRow.type).in_(_ENDED), col(EventRow.at) >= since)
    return by_month(events_of(connection, connection.execute(ended).scalars(), _HEARD), zone)
