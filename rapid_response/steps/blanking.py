"""What lies at the provider goes there after a while: the words of texts, and voicemails.

They are personal data in somebody else's keeping, and nothing needs them any more: what we know of a text
stands here, and look-ups by its words are over minutes after it was sent (delivery.md 2.1 and 8). Of a
voicemail the words stand here too, once they have come; one whose words never came stays where it can be
heard, as it is all that there is of it (delivery.md 11.1); and so does one of a case on legal hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, select, update
from sqlmodel import col

from rapid_response.core.clock import latest
from rapid_response.core.states import MessageChannel
from rapid_response.steps.desk import Desk
from rapid_response.steps.retention import is_of_held
from rapid_response.storage.columns import is_over, not_by
from rapid_response.storage.tables import AttemptRow, CallRow, InboundMessageRow, MessageRow
from rapid_response.storage.tx import Tx

#: So many of each kind a minute: a borough's day of texts in a few.
_AT_ONCE = 25
#: What the provider does not let go is asked for again after so long, and in nobody's way meanwhile.
_ASK_AGAIN_AFTER = timedelta(hours=1)


class Where(StrEnum):
    """In which of our tables it is known."""

    OURS = "ours"
    THEIRS = "theirs"
    VOICEMAIL = "voicemail"


@dataclass(frozen=True, slots=True)
class Words:
    """One text or voicemail at the provider that is to go, by our id and the provider's."""

    id: str
    where: Where
    sids: tuple[str, ...]


def due(tx: Tx, desk: Desk, blank_after: timedelta | None, erase_after: timedelta | None) -> list[Words]:
    """What is so old that nobody needs it at the provider, oldest first; None lets it lie there."""
    found: list[Words] = []
    if blank_after is not None:
        found += [*_ours(tx, desk, blank_after), *_theirs(tx, desk, blank_after)]
    if erase_after is not None:
        found += _voicemails(tx, desk, erase_after)
    return found


def _ours(tx: Tx, desk: Desk, after: timedelta) -> list[Words]:
    rows = tx.execute(
        select(col(AttemptRow.id), col(AttemptRow.provider_sid))
        .join(MessageRow, col(MessageRow.id) == col(AttemptRow.message_id))
        .where(
            col(AttemptRow.blanked_at).is_(None),
            _may_be_asked(tx, AttemptRow),
            col(AttemptRow.provider_sid) != "",
            col(AttemptRow.provider) == desk.provider,
            col(AttemptRow.claimed_at) <= tx.real - after,
            col(MessageRow.channel) == MessageChannel.SMS,
        )
        .order_by(col(AttemptRow.claimed_at))
        .limit(_AT_ONCE)
    )
    return [Words(row.id, Where.OURS, (row.provider_sid,)) for row in rows]


def _theirs(tx: Tx, desk: Desk, after: timedelta) -> list[Words]:
    rows = tx.execute(
        select(col(InboundMessageRow.id), col(InboundMessageRow.provider_sid))
        .where(
            col(InboundMessageRow.blanked_at).is_(None),
            _may_be_asked(tx, InboundMessageRow),
            not_by(col(InboundMessageRow.provider)) == desk.provider,
            col(InboundMessageRow.received_at) <= tx.now - after,
        )
        .order_by(col(InboundMessageRow.received_at))
        .limit(_AT_ONCE)
    )
    return [Words(row.id, Where.THEIRS, (row.provider_sid,)) for row in rows]


def _voicemails(tx: Tx, desk: Desk, after: timedelta) -> list[Words]:
    rows = tx.execute(
        select(col(CallRow.id), col(CallRow.recording_sid), col(CallRow.transcription_sid))
        .where(
            col(CallRow.erased_at).is_(None),
            _may_be_asked(tx, CallRow),
            col(CallRow.words_at) <= tx.now - after,
            not_by(col(CallRow.provider)) == desk.provider,
            # How it was said may be evidence, and stands nowhere else.
            ~is_of_held(col(CallRow.incident_id)),
        )
        .order_by(col(CallRow.words_at))
        .limit(_AT_ONCE)
    )
    # The sound last: where only one of the two can be deleted, it can still be heard what was said.
    return [
        Words(row.id, Where.VOICEMAIL, tuple(s for s in (row.transcription_sid, row.recording_sid) if s))
        for row in rows
    ]


def _may_be_asked(tx: Tx, row: type[AttemptRow | InboundMessageRow | CallRow]) -> ColumnElement[bool]:
    return is_over(col(row.ask_again_at), tx.real, latest(tx.real, _ASK_AGAIN_AFTER))


def done(tx: Tx, gone: Sequence[Words], refused: Sequence[Words]) -> None:
    """The provider keeps nothing any more of what is gone; what it refused waits."""
    for row, column, where in (
        (AttemptRow, "blanked_at", Where.OURS),
        (InboundMessageRow, "blanked_at", Where.THEIRS),
        (CallRow, "erased_at", Where.VOICEMAIL),
    ):
        for some, changes in (
            (gone, {column: tx.now}),
            (refused, {"ask_again_at": tx.real + _ASK_AGAIN_AFTER}),
        ):
            ids = [words.id for words in some if words.where is where]
            if ids:
                tx.execute(update(row).where(col(row.id).in_(ids)).values(changes))
