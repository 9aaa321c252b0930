"""What was put right in a case: the old value beside the new, who did it, when and why.

A correction is an addition. Reports stay as they came; an incident's row holds what is known now, and the
table of corrections how it came to be so. Its values are personal data; events name the fields alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select
from sqlmodel import col

from rapid_response.storage.once import Filled
from rapid_response.storage.records import table_of
from rapid_response.storage.tables import CorrectionRow, ReportRow
from rapid_response.storage.tx import Tx, read_from

#: Where a value came from when no person typed it: a joined report's own, or that of a new episode.
JOINED, NEW_EPISODE = "joined", "new_episode"


@dataclass(frozen=True, slots=True)
class Change:
    """One value as it was and as it is. `field` is a path as in the body of a report; None is not known."""

    field: str
    old: Any
    new: Any
    report_id: str | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A change that was made, with who, when and why."""

    at: datetime
    actor: str
    source: str
    field: str
    old: Any
    new: Any
    reason: str | None = None
    report_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As `corrections[]` of the incident."""
        return {
            "at": self.at.isoformat(),
            "actor": self.actor,
            "source": self.source,
            "field": self.field,
            "old": self.old,
            "new": self.new,
            "reason": self.reason,
            "report": self.report_id,
        }


def keep(tx: Tx, incident_id: str, changes: Iterable[Change], source: str, reason: str | None = None) -> None:
    """Keep what was changed, for good."""
    before = tx.execute(
        select(func.count())
        .select_from(table_of(CorrectionRow))
        .where(col(CorrectionRow.incident_id) == incident_id)
    ).scalar_one()
    for position, change in enumerate(changes, start=before):
        tx.add(
            CorrectionRow,
            id=tx.ids.uuid(),
            incident_id=incident_id,
            report_id=change.report_id,
            position=position,
            at=tx.now,
            actor=tx.actor,
            source=source,
            field=change.field,
            old=change.old,
            new=change.new,
            reason=reason,
        )


_OF_INCIDENT = Filled(
    select(table_of(CorrectionRow))
    .where(
        or_(
            col(CorrectionRow.incident_id) == bindparam("incident"),
            col(CorrectionRow.report_id).in_(
                select(col(ReportRow.id)).where(col(ReportRow.incident_id) == bindparam("incident"))
            ),
        )
    )
    .order_by(col(CorrectionRow.at), col(CorrectionRow.incident_id), col(CorrectionRow.position))
)


def corrections_of(source: Connection | Tx, incident_id: str) -> list[Correction]:
    """All corrections of an incident and of the reports that belong to it now, oldest first."""
    mine = _OF_INCIDENT.given({"incident": incident_id})
    # In a step with those that it has made itself.
    rows = source.execute(mine) if isinstance(source, Tx) else read_from(source, mine)
    return [Correction(r.at, r.actor, r.source, r.field, r.old, r.new, r.reason, r.report_id) for r in rows]


def caller_now(report: ReportRow, corrected: Sequence[Correction]) -> dict[str, Any]:
    """Who made a report, as far as it is known now; the report itself stays as it came."""
    caller = dict(report.caller)
    for correction in corrected:
        part, _, name = correction.field.partition(".")
        if correction.report_id == report.id and part == "caller":
            put(caller, name, correction.new)
    return caller


def put(values: dict[str, Any], name: str, value: Any) -> None:
    """Set a value, or take it away where nothing is known any more."""
    if is_nothing(value):
        values.pop(name, None)
    else:
        values[name] = value


def changed(part: str, stored: Mapping[str, Any], given: Mapping[str, Any]) -> list[Change]:
    """What `given` changes in the stored values of a part."""
    found = []
    for name, value in given.items():
        old, new = (None if is_nothing(v) else v for v in (stored.get(name), value))
        if old != new:
            found.append(Change(f"{part}.{name}", old, new))
    return found


def is_nothing(value: Any) -> bool:
    """Whether a stored value says nothing: not known, or an empty list or line."""
    return value in (None, [], "")
