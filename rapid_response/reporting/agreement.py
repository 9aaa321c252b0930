"""How often people left standing what the machine read, by month and model version.

Taken from the log: what the machine first said of an incident, and what stood when a person had finished with
it. Only incidents that a person has closed or cancelled count, because only those has somebody looked at to
the end. A reading nobody corrected counts as agreed: that is a limit, and is said on the page.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select
from sqlmodel import col

from rapid_response.core.events import (
    IncidentCancelled,
    IncidentClassified,
    IncidentClosed,
    PriorityDecided,
    TargetingAssessed,
)
from rapid_response.core.vocabulary import AgeTargeting
from rapid_response.reporting.rules import StoredEvent
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


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    agreed: int = 0
    of: int = 0

    def plus(self, agreed: bool) -> Share:
        """One more case."""
        return Share(self.agreed + agreed, self.of + 1)

    @property
    def percent(self) -> int | None:
        """Rounded; None where there was nothing to agree on."""
        return round(100 * self.agreed / self.of) if self.of else None


@dataclass(frozen=True, slots=True)
class Month:
    """One month's agreement; `models` are the versions that read."""

    label: str
    category: Share = Share()
    priority: Share = Share()
    age_targeting: Share = Share()
    models: tuple[str, ...] = ()


@dataclass(slots=True)
class _Case:
    ended_at: datetime | None = None
    machine: Mapping[str, Any] | None = None
    category: str | None = None
    priority_by_person: bool = False
    flagged: bool = False
    reviewed: str | None = None

    def hear(self, event: StoredEvent) -> None:
        data = event.data
        if event.type == IncidentClassified.type:
            if data.get("model_version"):
                self.machine = data
            self.category = data["category"]
        elif event.type == PriorityDecided.type:
            self.priority_by_person = self.priority_by_person or data["rule_id"] == "person"
        elif event.type == TargetingAssessed.type:
            if data["by_person"]:
                self.reviewed = data["state"]
            else:
                self.flagged = data["state"] != AgeTargeting.NONE.value
        elif event.type in _ENDED:
            self.ended_at = event.at


def by_month(events: Iterable[StoredEvent], zone: ZoneInfo) -> list[Month]:
    """Agreement by the local month in which the case ended, newest first."""
    cases: dict[str, _Case] = defaultdict(_Case)
    for event in events:
        cases[event.incident_id].hear(event)
    months: dict[str, Month] = {}
    for case in cases.values():
        if case.ended_at is None or case.machine is None:
            continue
        label = f"{case.ended_at.astimezone(zone):%Y-%m}"
        months[label] = _with(months.get(label, Month(label)), case, case.machine)
    return [months[label] for label in sorted(months, reverse=True)]


def _with(month: Month, case: _Case, machine: Mapping[str, Any]) -> Month:
    decided = case.reviewed in _UPHELD or case.reviewed == AgeTargeting.RULED_OUT.value
    targeting = month.age_targeting
    if decided:
        targeting = targeting.plus(case.flagged == (case.reviewed in _UPHELD))
    return Month(
        month.label,
        month.category.plus(machine["category"] == case.category),
        month.priority.plus(not case.priority_by_person),
        targeting,
        tuple(sorted({*month.models, str(machine["model_version"])})),
    )


_HEARD = (IncidentClassified.type, PriorityDecided.type, TargetingAssessed.type, *_ENDED)


def read_agreement(connection: Connection, zone: ZoneInfo) -> Sequence[Month]:
    """Agreement of all months so far."""
    rows = connection.execute(
        select(
            col(EventRow.stream), col(EventRow.seq), col(EventRow.type), col(EventRow.at), col(EventRow.data)
        )
        .where(col(EventRow.type).in_(_HEARD))
        .order_by(col(EventRow.stream), col(EventRow.seq))
    )
    return by_month((StoredEvent(r.stream, r.seq, r.type, r.at, json.loads(r.data)) for r in rows), zone)
