"""What waits, at a glance: one small read a second tells the worker's loops whether there is anything to do.

It says too much rather than too little: work that another node has leased counts, and the loop then finds
nothing. A loop that is not told by it is woken by whoever commits work for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, ScalarSelect, exists, select
from sqlmodel import col

from rapid_response.core.states import ON_THE_WAY, READY
from rapid_response.storage.due import earliest, first_due
from rapid_response.storage.once import Filled
from rapid_response.storage.tables import DeliveryRow, HoldRow, MessageRow
from rapid_response.storage.tx import Tx, read_from


@dataclass(frozen=True, slots=True)
class Waiting:
    """When the first of each falls due; None where there is none."""

    #: Deadlines, in domain time.
    ring_at: datetime | None
    #: Messages to send or to ask about, in real time.
    send_at: datetime | None
    #: Whether any event is still to be heard.
    delivers: bool
    #: Whether a person has let go of what was held, and no node has taken that up yet.
    lets_go: bool


def _first_to_go() -> ScalarSelect[datetime]:
    """When the first message is to be sent or asked about; NULL where there is none."""
    next_at = col(MessageRow.next_attempt_at)
    each = ((col(MessageRow.state) == state, next_at.is_not(None)) for state in (*READY, *ON_THE_WAY))
    return earliest(next_at, each)


_GLANCE = Filled(
    select(
        first_due().label("ring_at"),
        _first_to_go().label("send_at"),
        exists().where(col(DeliveryRow.parked_at).is_(None)).label("delivers"),
        exists().where(col(HoldRow.released_at).is_not(None)).label("lets_go"),
    )
)


def glance(source: Connection | Tx) -> Waiting:
    """Look; each part is ends of one index."""
    row = read_from(source, _GLANCE).one()
    return Waiting(row.ring_at, row.send_at, bool(row.delivers), bool(row.lets_go))
