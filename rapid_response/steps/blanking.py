"""Words that lie at the provider are blanked there after a while: ours, and those that people texted to us.

They are personal data in somebody else's keeping, and nothing needs them any more: what we know of a text
stands here, and look-ups by its words are over minutes after it was sent (delivery.md 2.1 and 8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update
from sqlmodel import col

from rapid_response.core.states import MessageChannel
from rapid_response.steps.desk import Desk
from rapid_response.storage.tables import AttemptRow, InboundMessageRow, MessageRow
from rapid_response.storage.tx import Tx

#: So many of each kind a minute: a borough's day of texts in a few.
_AT_ONCE = 25


@dataclass(frozen=True, slots=True)
class Words:
    """One text at the provider, ours or to us, whose words are to go."""

    id: str
    sid: str
    is_inbound: bool


def due(tx: Tx, desk: Desk, after: timedelta) -> list[Words]:
    """Texts so old that nobody needs their words at the provider, oldest first."""
    ours = tx.execute(
        select(col(AttemptRow.id), col(AttemptRow.provider_sid))
        .join(MessageRow, col(MessageRow.id) == col(AttemptRow.message_id))
        .where(
            col(AttemptRow.blanked_at).is_(None),
            col(AttemptRow.provider_sid) != "",
            col(AttemptRow.provider) == desk.provider,
            col(AttemptRow.claimed_at) <= tx.real - after,
            col(MessageRow.channel) == MessageChannel.SMS,
        )
        .order_by(col(AttemptRow.claimed_at))
        .limit(_AT_ONCE)
    )
    theirs = tx.execute(
        select(col(InboundMessageRow.id), col(InboundMessageRow.provider_sid))
        .where(
            col(InboundMessageRow.blanked_at).is_(None),
            col(InboundMessageRow.provider) == desk.provider,
            col(InboundMessageRow.received_at) <= tx.now - after,
        )
        .order_by(col(InboundMessageRow.received_at))
        .limit(_AT_ONCE)
    )
    return [
        *(Words(row.id, row.provider_sid, is_inbound=False) for row in ours),
        *(Words(row.id, row.provider_sid, is_inbound=True) for row in theirs),
    ]


def done(tx: Tx, blanked: Sequence[Words]) -> None:
    """Their words are gone at the provider."""
    for row, is_inbound in ((AttemptRow, False), (InboundMessageRow, True)):
        ids = [words.id for words in blanked if words.is_inbound is is_inbound]
        if ids:
            tx.execute(update(row).where(col(row.id).in_(ids)).values(blanked_at=tx.now))
