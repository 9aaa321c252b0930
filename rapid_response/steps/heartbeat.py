"""A serving node says each second that it looks: what readiness and metrics call the last sweep."""

from __future__ import annotations

from rapid_response.storage.tables import NodeRow
from rapid_response.storage.tx import Tx


def beat(tx: Tx, node: str, *, started: bool = False) -> None:
    """This node is alive now, in real time."""
    row = tx.get(NodeRow, node)
    if row is None:
        tx.add(NodeRow, id=node, started_at=tx.real, swept_at=tx.real)
        return
    row.swept_at = tx.real
    if started:
        row.started_at = tx.real
