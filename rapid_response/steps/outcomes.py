"""What changed for someone, as it holds now: a correction is a new row, and what was said stays on record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlmodel import col, select

from rapid_response.core.events import OutcomeJoined, OutcomeLeft, OutcomeRecorded
from rapid_response.storage import log
from rapid_response.storage.tables import IncidentRow, OutcomeRow
from rapid_response.storage.tx import Tx


def of(tx: Tx, incident_id: str) -> list[OutcomeRow]:
    """The outcomes of a case that hold, oldest first."""
    return that_hold(_all_of(tx, incident_id))


def _all_of(tx: Tx, incident_id: str) -> Sequence[OutcomeRow]:
    mine = select(OutcomeRow).where(col(OutcomeRow.incident_id) == incident_id)
    return tx.all(mine.order_by(col(OutcomeRow.at), col(OutcomeRow.id)))


def that_hold(rows: Sequence[OutcomeRow]) -> list[OutcomeRow]:
    """Without those of which another says that it stands instead."""
    put_right = {row.corrects for row in rows}
    return [row for row in rows if row.id not in put_right]


def move(tx: Tx, incident: IncidentRow, into: IncidentRow) -> None:
    """What was recorded of a joined incident counts with the other one."""
    rows = _all_of(tx, incident.id)
    for row in rows:
        row.incident_id = into.id
    for row in that_hold(rows):
        tx.record(into.id, OutcomeJoined(row.id, row.code, row.amount_pence, row.evidence_grade))


def come_back(tx: Tx, incident: IncidentRow, parts: Collection[str], holders: Iterable[IncidentRow]) -> None:
    """What was recorded of an incident, or of one joined to it, counts with it again, and nowhere else.

    So does what has put it right meanwhile.
    """
    recorded = _recorded(tx, parts)
    for holder in holders:
        rows = _all_of(tx, holder.id)
        put_right = {row.corrects: row.id for row in rows}
        mine = set(recorded)
        for row in rows:
            if row.id not in mine and row.corrects not in mine:
                continue
            mine.add(row.id)
            row.incident_id = incident.id
            if row.id not in put_right:
                tx.record(holder.id, OutcomeLeft(row.id, incident.id))
                tx.record(incident.id, OutcomeJoined(row.id, row.code, row.amount_pence, row.evidence_grade))
            elif row.id in recorded and put_right[row.id] not in recorded:
                # It was put right while it stood there, of which the log here does not know.
                tx.record(incident.id, OutcomeLeft(row.id, holder.id))


def _recorded(tx: Tx, incident_ids: Collection[str]) -> set[str]:
    """The ids of the outcomes that the logs of these incidents began with."""
    return {told["outcome_id"] for told in log.said(tx, incident_ids, OutcomeRecorded.type)}
