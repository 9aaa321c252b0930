"""What nobody knows the fate of is looked up, never sent again blindly (delivery.md 8).

An unknown text is settled by a callback's token, or by the provider's list; when neither knows it after a
minute it counts as never sent. What is in the network and never got its receipt is fetched by its id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core import events as happened
from rapid_response.core.states import PERHAPS_GONE, MessageChannel, MessageState
from rapid_response.messaging import lives, retries
from rapid_response.messaging.gateway import SentRecord
from rapid_response.messaging.lives import Move
from rapid_response.messaging.rules import AttemptState, failure_class, word
from rapid_response.steps import messages, receipts
from rapid_response.steps.desk import Desk
from rapid_response.storage.once import once
from rapid_response.storage.tables import AttemptRow, MessageRow
from rapid_response.storage.tx import Tx

#: States in which the provider is asked what became of a message.
LOOKED_AT = (MessageState.UNKNOWN, MessageState.IN_NETWORK)
#: The provider's clock may be a little behind ours.
_CLOCKS_DIFFER = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message nobody knows the fate of, to be looked up now. `since` is the service's time."""

    message_id: str
    attempt_id: str
    fence: int
    to_number: str
    body: str
    since: datetime
    can_be_listed: bool


@dataclass(frozen=True, slots=True)
class Fetching:
    """A message in the network without a final receipt, to be fetched now."""

    message_id: str
    attempt_id: str
    fence: int
    sid: str
    kind: str


def claim(tx: Tx, lease: timedelta, limit: int = 20) -> tuple[list[Unknown], list[Fetching], int]:
    """Lease what is to be looked up or fetched; and how many were given up for lost."""
    due = tx.all(_due(tx.real, limit))
    unknown: list[Unknown] = []
    fetching: list[Fetching] = []
    lost = 0
    for message in due:
        attempts = messages.attempts_of(tx, message)
        if message.state is MessageState.UNKNOWN:
            unknown += [_look_up(tx, message, a, lease) for a in _unknown(attempts)[-1:]]
        elif tx.real - messages.taken_at(tx, attempts) >= retries.NO_RECEIPT_AFTER:
            messages.go(tx, message, Move("M17", MessageState.FAILED, lives.NO_RECEIPT), attempts)
            lost += 1
        else:
            fetching += [_fetch(tx, message, a, lease) for a in _in_network(attempts)[-1:]]
    return unknown, fetching, lost


@once
def _due(real: datetime, limit: int) -> SelectOfScalar[MessageRow]:
    return (
        select(MessageRow)
        .where(
            col(MessageRow.next_attempt_at) <= real,
            col(MessageRow.state).in_(LOOKED_AT),
            or_(col(MessageRow.leased_until).is_(None), col(MessageRow.leased_until) <= real),
        )
        .order_by(col(MessageRow.rank), col(MessageRow.created_at), col(MessageRow.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def _unknown(attempts: Sequence[AttemptRow]) -> list[AttemptRow]:
    return [a for a in attempts if a.state == AttemptState.UNKNOWN]


def _in_network(attempts: Sequence[AttemptRow]) -> list[AttemptRow]:
    return [a for a in attempts if a.state in (AttemptState.ACCEPTED, AttemptState.SENT) and a.provider_sid]


def _take(tx: Tx, message: MessageRow, lease: timedelta) -> int:
    message.fence += 1
    message.leased_until = message.next_attempt_at = tx.real + lease
    return message.fence


def _look_up(tx: Tx, message: MessageRow, attempt: AttemptRow, lease: timedelta) -> Unknown:
    return Unknown(
        message.id,
        attempt.id,
        _take(tx, message, lease),
        message.to_number,
        message.body,
        attempt.at - _CLOCKS_DIFFER,
        can_be_listed=message.channel is MessageChannel.SMS,
    )


def _fetch(tx: Tx, message: MessageRow, attempt: AttemptRow, lease: timedelta) -> Fetching:
    kind = "text" if message.channel is MessageChannel.SMS else "call"
    return Fetching(message.id, attempt.id, _take(tx, message, lease), attempt.provider_sid, kind)


def record_look_up(tx: Tx, desk: Desk, unknown: Unknown, sent: Sequence[SentRecord] | None) -> None:
    """What the provider's own list says of an unknown message; `sent` is None when it could not be asked."""
    is_listed = sent is not None and unknown.can_be_listed
    # All that say the same to the same person, in one order: two of them never take one entry of the list.
    others = len(tx.all(_alike(unknown.to_number, unknown.body))) - 1 if is_listed else 0
    message = tx.get(MessageRow, unknown.message_id, lock=True)
    if message is None or message.state is not MessageState.UNKNOWN or message.fence != unknown.fence:
        return
    attempt = tx.need(AttemptRow, unknown.attempt_id)
    message.leased_until = None
    if is_listed:
        found = _candidates(tx, unknown, sent or ())
        # Fewer than may have gone: whose they are is told by the answers and receipts that still come.
        if len(found) > others or (found and retries.is_last_look_up(attempt.claimed_at, tx.real)):
            _adopt(tx, desk, message, attempt, found[0], duplicates=max(0, len(found) - 1 - others))
            return
        if not found:
            attempt.look_ups += 1
    _not_found(tx, desk, message, attempt)


@once
def _alike(to_number: str, body: str) -> SelectOfScalar[MessageRow]:
    return (
        select(MessageRow)
        .where(
            col(MessageRow.state).in_(PERHAPS_GONE),
            col(MessageRow.settled_at).is_(None),
            col(MessageRow.to_number) == to_number,
            col(MessageRow.body) == body,
        )
        .order_by(col(MessageRow.id))
        .with_for_update()
    )


def _candidates(tx: Tx, unknown: Unknown, sent: Sequence[SentRecord]) -> list[SentRecord]:
    """What may be it, oldest first: same number, same words, not before it was asked for, nobody else's."""
    owned = {
        a.provider_sid
        for a in tx.all(select(AttemptRow).where(col(AttemptRow.provider_sid).in_([s.sid for s in sent])))
    }
    fitting = [
        s
        for s in sent
        if s.sid not in owned
        and s.body == unknown.body
        and s.to_number == unknown.to_number
        and s.created_at >= unknown.since.replace(microsecond=0)
    ]
    return sorted(fitting, key=lambda s: (s.created_at, s.sid))


def _adopt(
    tx: Tx, desk: Desk, message: MessageRow, attempt: AttemptRow, first: SentRecord, duplicates: int
) -> None:
    """It went: the oldest of those that are equal is ours; those that no other message is for are counted."""
    stream = messages.stream_of(message)
    attempt.provider_sid = first.sid
    for result in ("adopted", *["duplicate"] * duplicates):
        tx.record(stream, happened.MessageReconciled(message.id, message.channel, result))
    messages.give_evidence(
        tx,
        desk,
        message,
        attempt,
        word(first.status) or AttemptState.ACCEPTED,
        by="look_up",
        error_class=failure_class(first.status, first.error_code),
        error_code=first.error_code,
    )
    receipts.hear_early(tx, desk, first.sid)


def _not_found(tx: Tx, desk: Desk, message: MessageRow, attempt: AttemptRow) -> None:
    listed = message.channel is MessageChannel.SMS
    unknown_at = attempt.unknown_at or attempt.claimed_at
    if retries.is_absent(attempt.claimed_at, unknown_at, attempt.look_ups, tx.real, can_be_listed=listed):
        messages.absent(tx, attempt)
        result = "absent" if attempt.look_ups >= retries.LOOK_UPS_NEEDED else "unresolved"
        tx.record(
            messages.stream_of(message), happened.MessageReconciled(message.id, message.channel, result)
        )
        messages.settle(tx, desk, message)
        return
    message.next_attempt_at = retries.next_look_up(attempt.claimed_at, tx.real)


def record_fetch(tx: Tx, desk: Desk, fetching: Fetching, found: SentRecord | None) -> None:
    """What the provider says of one message of ours; None when it has none or could not be asked."""
    message = tx.get(MessageRow, fetching.message_id, lock=True)
    if message is None or message.fence != fetching.fence or message.state is not MessageState.IN_NETWORK:
        return
    message.leased_until = None
    message.next_attempt_at = None
    if found is not None:
        receipts.record(
            tx,
            desk,
            receipts.Told(
                token="",
                sid=fetching.sid,
                status=found.status,
                error_code=found.error_code,
                kind=fetching.kind,
                source="fetch",
            ),
        )
    messages.settle(tx, desk, message)
