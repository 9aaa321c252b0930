"""What changed for someone, as it holds now: a correction is a new row, and what was said stays on record."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from rapid_response.storage.tables import OutcomeRow
from rapid_response.storage.tx import Tx


def of(tx: Tx, incident_id: str) -> list[OutcomeRow]:
    """The outcomes of a case that hold, oldest first."""
    mine = select(OutcomeRow).where(col(OutcomeRow.incident_id) == incident_id)
    return that_hold(tx.all(mine.order_by(col(OutcomeRow.at), col(OutcomeRow.id))))


def that_hold(rows: Sequence[OutcomeRow]) -> list[OutcomeRow]:
    """Without those of which another says that it stands instead."""
    put_right = {row.corrects for row in rows}
    return [row for row in rows if row.id not in put_right]
