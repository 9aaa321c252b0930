"""A serving node says each second that it looks: what readiness and metrics call the last sweep."""

from __future__ import annotations

from sqlalchemy import bindparam, update
from sqlmodel import col

from rapid_response.storage.once import Filled
from rapid_response.storage.tables import NodeRow
from rapid_response.storage.tx import Tx

_OF_NODE = update(NodeRow).where(col(NodeRow.id) == bindparam("node"))
_BEAT = Filled(_OF_NODE.values(swept_at=bindparam("at")))
_START = Filled(_OF_NODE.values(swept_at=bindparam("at"), started_at=bindparam("at")))


def beat(tx: Tx, node: str, *, started: bool = False) -> None:
    """This node is alive now, in real time."""
    known = tx.execute((_START if started else _BEAT).given({"node": node, "at": tx.real}))
    if known.rowcount == 0:
        tx.add(NodeRow, id=node, started_at=tx.real, swept_at=tx.real)
