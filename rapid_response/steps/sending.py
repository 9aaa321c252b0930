"""The sender's steps: claim a message, record what the provider answered.

No transaction is open while the provider is asked. A claim is a committed lease with a fence and an attempt
whose token travels in the callback's address, so that a crash at any point leaves a row that says what may
have happened, and the answer is looked up before anything is sent again (reliability.md 3).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import compress

import structlog
from sqlalchemy import ColumnElement, Executable, TextClause, or_
from sqlalchemy import select as core_select
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core import events as happened
from rapid_response.core.clock import NODES_DIFFER
from rapid_response.core.states import MessageChannel, MessageState, OfferState, Purpose
from rapid_response.messaging import breaker, ladder, lives, pace, retries, wording
from rapid_response.messaging.gateway import Accepted, Ambiguous, Rejected, SendOutcome
from rapid_response.messaging.lives import Move
from rapid_response.messaging.rules import AttemptState, word
from rapid_response.steps import endpoints, lines, messages, news, reaching, receipts, unknowns
from rapid_response.steps.desk import Desk
from rapid_response.steps.lines import Allowance
from rapid_response.steps.outbox import RANKS
from rapid_response.steps.unknowns import Fetching, Unknown
from rapid_response.storage.columns import not_by
from rapid_response.storage.due import first_id
from rapid_response.storage.once import once
from rapid_response.storage.tables import (
    IS_READY,
    AlarmRow,
    AttemptRow,
    IncidentRow,
    LineRow,
    MessageRow,
    NoticeRow,
    OfferRow,
    VisitRow,
)
from rapid_response.storage.tx import Tx

logger = structlog.get_logger("sending")

#: Longer than the provider's time-outs together: a lease that ends means that the sender died.
LEASE = timedelta(seconds=25)
#: Why a call waits: the person was rung a moment ago.
HELD_BY_PERSON = "person"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is ours to send now."""

    message_id: str
    fence: int
    token: str
    channel: MessageChannel
    to_number: str
    body: str
    validity: timedelta
    ring_for: timedelta = ladder.RINGS_FOR


@dataclass(frozen=True, slots=True)
class Work:
    """What the sender has to do now; `settled` counts what was done in looking for it."""

    settled: int = 0
    claimed: list[Claimed] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)
    fetching: list[Fetching] = field(default_factory=list)

    def __len__(self) -> int:
        return self.settled + len(self.claimed) + len(self.unknown) + len(self.fetching)


def look_for_work(tx: Tx, desk: Desk, limit: int) -> Work:
    """Everything the sender has to do, claimed in one step."""
    due = _look(tx)
    dead = settle_dead_leases(tx, desk) if MessageState.SENDING in due.asked else 0
    asked_after = not due.asked.isdisjoint(unknowns.LOOKED_AT)
    unknown, fetching, lost = unknowns.claim(tx, LEASE) if asked_after else ([], [], 0)
    # What a dead lease or a lost text leaves ready is claimed in the next pass, which comes at once.
    claimed, moved = _claim(tx, desk, limit, due.ready)
    return Work(dead + lost + moved, claimed, unknown, fetching)


#: A way out, and a degree of danger.
_Degree = tuple[MessageChannel, int]
_ASKED = (MessageState.SENDING, *unknowns.LOOKED_AT)
_DEGREES: tuple[_Degree, ...] = tuple((channel, rank) for channel in MessageChannel for rank in RANKS)


@dataclass(frozen=True, slots=True)
class _Due:
    """Of what anything is due: states of messages that were handed over, and degrees of what is ready."""

    asked: frozenset[MessageState]
    ready: frozenset[_Degree]


def _look(tx: Tx) -> _Due:
    """One question, each part of which is the beginning of an index."""
    firsts: Sequence[str | None] = tx.execute(_firsts(tx.real)).one()
    there = [first is not None for first in firsts]
    return _Due(
        frozenset(compress(_ASKED, there)),
        frozenset(compress(_DEGREES, there[len(_ASKED) :])),
    )


@once
def _firsts(real: datetime) -> Executable:
    next_at = MessageRow.next_attempt_at
    return core_select(
        *(
            first_id(MessageRow, next_at, col(MessageRow.state) == state, col(next_at) <= real)
            for state in _ASKED
        ),
        *(first_id(MessageRow, MessageRow.created_at, *_is_ready(real, *degree)) for degree in _DEGREES),
    )


def _is_ready(
    real: datetime, channel: MessageChannel, rank: int
) -> tuple[ColumnElement[bool] | TextClause, ...]:
    """Found by danger and age, so that the first are the first to go, and not by when they may."""
    may_go_from = not_by(col(MessageRow.next_attempt_at), col(MessageRow.created_at))
    return (IS_READY, col(MessageRow.channel) == channel, col(MessageRow.rank) == rank, may_go_from <= real)


# --- claiming --------------------------------------------------------------------------------------------


def claim(tx: Tx, desk: Desk, limit: int = 8) -> list[Claimed]:
    """Lease what is due: most dangerous first. What is no longer wanted is cancelled instead."""
    return _claim(tx, desk, limit, _look(tx).ready)[0]


def _claim(tx: Tx, desk: Desk, limit: int, ready: Collection[_Degree]) -> tuple[list[Claimed], int]:
    """What is ours to send now, and how many others were settled or made to wait.

    The line's row is locked before any message is looked at, and until the commit: of two calls to one
    person that two nodes claim at once, the second node looks only when the first call can be seen.
    """
    claimed: list[Claimed] = []
    moved = 0
    for channel in MessageChannel:
        due = _due(tx, channel, [rank for rank in RANKS if (channel, rank) in ready], limit)
        left = lines.allowance(tx, desk, channel) if due else None
        for message in due:
            # One after the other: of two calls to one person the second must see the first.
            if left is None or not _is_still_to_go(tx, message) or _is_held_by(tx, left, message):
                moved += 1
            elif left.may_send:
                lines.spend(tx, desk, left, LEASE)
                claimed.append(_lease(tx, desk, message))
    return claimed, moved


def _due(tx: Tx, channel: MessageChannel, ranks: Iterable[int], limit: int) -> Sequence[MessageRow]:
    """Most dangerous first, then oldest; not ordered from all that is ready, as there may be much of it."""
    due: list[MessageRow] = []
    for rank in ranks:
        if len(due) < limit:
            due += tx.all(_ready(tx.real, channel, rank, limit - len(due)))
    return due


@once
def _ready(real: datetime, channel: MessageChannel, rank: int, limit: int) -> SelectOfScalar[MessageRow]:
    return (
        select(MessageRow)
        .where(*_is_ready(real, channel, rank))
        # Two rungs of one ladder may be written in the same moment: the earlier way goes first.
        .order_by(col(MessageRow.created_at), col(MessageRow.way), col(MessageRow.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def _is_held_by(tx: Tx, left: Allowance, message: MessageRow) -> bool:
    """A line that is down: whoever is to be reached is reached another way."""
    if left.blocked_until is None:
        return False
    _hold(message, lines.HELD_BY_LINE, left.blocked_until)
    if messages.must_arrive(message):
        message.failing_at = message.failing_at or tx.now
        messages.goes_on(tx, message, messages.LINE_DOWN, tx.now)
    return True


def _hold(message: MessageRow, why: str, until: datetime) -> None:
    message.held, message.next_attempt_at = why, until


def _is_still_to_go(tx: Tx, message: MessageRow) -> bool:
    """Looked at again just before sending: the case may have moved on since it was written (G13)."""
    move = _no_longer(tx, message)
    if move is not None:
        messages.go(tx, message, move, messages.attempts_of(tx, message))
        if move.to is MessageState.CANCELLED:
            message.cancel_requested = message.cancel_requested or (move.reason or "")[:20]
        return False
    if message.channel is MessageChannel.VOICE:
        rung_until = _rung_until(tx, message)
        if rung_until is not None and rung_until > tx.real:
            _hold(message, HELD_BY_PERSON, rung_until)
            return False
    return True


def _no_longer(tx: Tx, message: MessageRow) -> Move | None:
    if message.expires_at is not None and tx.now >= message.expires_at:
        return Move("M4", MessageState.EXPIRED, "expired")
    why = _overtaken(tx, message)
    if why is not None:
        return Move("M3", MessageState.CANCELLED, why)
    if message.channel is MessageChannel.SMS and endpoints.has_opted_out(tx, message.to_number):
        return Move("M5", MessageState.FAILED, "opted_out")
    return None


def _overtaken(tx: Tx, message: MessageRow) -> str | None:
    if message.cancel_requested is not None:
        return message.cancel_requested
    look = _OVERTAKEN.get(message.purpose)
    return look(tx, message) if look is not None else None


def _offer_is_over(tx: Tx, message: MessageRow) -> str | None:
    offer = tx.get(OfferRow, message.offer_id) if message.offer_id is not None else None
    is_over = message.offer_id is not None and (offer is None or offer.state is not OfferState.OPEN)
    return "offer_over" if is_over else None


def _is_closed(tx: Tx, message: MessageRow) -> str | None:
    incident = tx.get(IncidentRow, message.incident_id) if message.incident_id is not None else None
    is_over = message.incident_id is not None and (incident is None or not incident.is_open)
    return "closed" if is_over else None


def _is_no_more_hers(tx: Tx, message: MessageRow) -> str | None:
    """What is told of a job that is another's by now would send two people there."""
    incident = tx.get(IncidentRow, message.incident_id) if message.incident_id is not None else None
    if incident is None or not incident.is_open:
        return _is_closed(tx, message)
    offer = tx.get(OfferRow, message.offer_id) if message.offer_id is not None else None
    if offer is not None and offer.state is not OfferState.ACCEPTED:
        return "offer_over"
    who, _, her = message.recipient.partition(":")
    return "not_hers" if who == "responder" and her not in news.going(tx, incident) else None


def _goes_after_all(tx: Tx, message: MessageRow) -> str | None:
    """Who has the job since, goes along, or is asked again, must not hear any more that she is not to go."""
    incident = tx.get(IncidentRow, message.incident_id) if message.incident_id is not None else None
    if incident is None:
        return None
    offer = tx.get(OfferRow, message.offer_id) if message.offer_id is not None else None
    if offer is not None:
        is_wanted = reaching.is_wanted(tx, incident, offer, Purpose.STAND_DOWN)
    else:
        is_wanted = message.recipient.partition(":")[2] not in (incident.owner, incident.companion)
    return None if is_wanted else "goes_after_all"


def _is_seen(tx: Tx, message: MessageRow) -> str | None:
    if message.notice_id is None:
        return None
    given = tx.get(NoticeRow, message.notice_id)
    return "seen" if given is None or given.acknowledged_at is not None else None


def _alarm_is_seen(tx: Tx, message: MessageRow) -> str | None:
    alarm = tx.get(AlarmRow, message.notice_id or "")
    return "seen" if alarm is None or alarm.acknowledged_at is not None else None


def _was_heard_from(tx: Tx, message: MessageRow) -> str | None:
    """Whoever was to be asked whether she is safe has been heard since, or is not out there any more."""
    visit = tx.first(
        select(VisitRow).where(
            col(VisitRow.incident_id) == message.incident_id, col(VisitRow.ended_at).is_(None)
        )
    )
    return "heard" if visit is None or visit.heard_at >= message.created_at else None


#: How it is known, just before it leaves, that a message says nothing true any more.
_OVERTAKEN = {
    Purpose.OFFER: _offer_is_over,
    Purpose.REMINDER: _is_no_more_hers,
    Purpose.STAND_DOWN: _goes_after_all,
    Purpose.NOTICE: _is_seen,
    Purpose.ALARM: _alarm_is_seen,
    Purpose.CHECK_IN: _was_heard_from,
}


#: A call that never rang at her end disturbed nobody.
_RANG = (AttemptState.ACCEPTED, AttemptState.SENT, AttemptState.DELIVERED, AttemptState.UNKNOWN)
_RANG_OUT = ("call_busy", "call_no_answer")


def _rung_until(tx: Tx, message: MessageRow) -> datetime | None:
    """Until when this person is not rung again: nobody gets two calls at once, nor two in two minutes."""
    since = tx.real - ladder.CALLS_APART
    # Whoever was rung later than now was rung in a time that was taken back.
    rung = _rung_between(message.recipient, message.to_number, since, tx.real + NODES_DIFFER)
    last: datetime | None = tx.execute(rung).scalar()
    return last + ladder.CALLS_APART if last is not None else None


@once
def _rung_between(recipient: str, number: str, since: datetime, until: datetime) -> Executable:
    return (
        core_select(col(AttemptRow.claimed_at))
        .join(MessageRow, col(MessageRow.id) == col(AttemptRow.message_id))
        .where(
            or_(col(MessageRow.recipient) == recipient, col(MessageRow.to_number) == number),
            col(MessageRow.channel) == MessageChannel.VOICE,
            col(AttemptRow.claimed_at) > since,
            col(AttemptRow.claimed_at) <= until,
            or_(
                col(AttemptRow.state).in_([s.value for s in (*_RANG, AttemptState.CLAIMED)]),
                col(AttemptRow.error_class).in_(_RANG_OUT),
            ),
        )
        .order_by(col(AttemptRow.claimed_at).desc())
        .limit(1)
    )


def _lease(tx: Tx, desk: Desk, message: MessageRow) -> Claimed:
    lives.check_message(message.state, MessageState.SENDING)
    if message.reason == lives.REPEAT and message.channel is MessageChannel.SMS:
        message.body = wording.repeat_of(message.body)
    message.state, message.reason, message.held = MessageState.SENDING, None, None
    message.fence += 1
    message.attempts += 1
    message.leased_until = message.next_attempt_at = tx.real + LEASE
    token = tx.ids.token()
    tx.add(
        AttemptRow,
        id=tx.ids.uuid(),
        message_id=message.id,
        seq=message.attempts,
        token=token,
        provider=desk.provider,
        state=AttemptState.CLAIMED.value,
        at=tx.now,
        claimed_at=tx.real,
    )
    left = message.expires_at - tx.now if message.expires_at else None
    return Claimed(
        message.id,
        message.fence,
        token,
        message.channel,
        message.to_number,
        message.body,
        validity=retries.validity(left),
    )


def sends_from(tx: Tx, desk: Desk) -> datetime:
    """When the pace lets the next text go, in real time."""
    row = tx.execute(
        core_select(col(LineRow.tokens), col(LineRow.filled_at)).where(
            col(LineRow.name) == lines.name_of(desk.provider, MessageChannel.SMS)
        )
    ).first()
    if row is None:
        return tx.real
    return pace.free_at(row.tokens, row.filled_at, desk.texts_per_second, tx.real)


# --- what the provider answered --------------------------------------------------------------------------


def record_answer(tx: Tx, desk: Desk, claimed: Claimed, outcome: SendOutcome) -> None:
    """Write down what the provider said; what is settled meanwhile stays settled."""
    message = tx.get(MessageRow, claimed.message_id, lock=True)
    attempts = messages.attempts_of(tx, message) if message is not None else []
    attempt = next((one for one in attempts if one.token == claimed.token), None)
    if message is None or attempt is None:
        return
    attempt.finished_at = attempt.finished_at or tx.real
    lines.hear(tx, desk, message.channel, breaker.heard(outcome), attempt.claimed_at)
    match outcome:
        case Accepted():
            _taken(tx, desk, message, attempts, attempt, outcome)
        case Rejected():
            attempt.error_code = outcome.code[:20] or attempt.error_code
            messages.refused(tx, desk, message, attempt, outcome.error_class)
            _settle(tx, desk, message, outcome.retry_after)
        case Ambiguous():
            messages.unknown(tx, attempt)
            _settle(tx, desk, message)


def _settle(tx: Tx, desk: Desk, message: MessageRow, retry_after: timedelta | None = None) -> None:
    # A receipt can win the race against our own record, and a lease can end before it.
    if message.state is MessageState.SENDING:
        messages.settle(tx, desk, message, retry_after)


def _taken(
    tx: Tx,
    desk: Desk,
    message: MessageRow,
    attempts: Sequence[AttemptRow],
    attempt: AttemptRow,
    outcome: Accepted,
) -> None:
    if attempt.provider_sid and attempt.provider_sid != outcome.sid:
        # One request, two messages: nothing we did, and somebody should know.
        logger.error("two_ids_for_one_attempt", attempt=attempt.id)
        tx.record(
            messages.stream_of(message), happened.MessageReconciled(message.id, message.channel, "duplicate")
        )
        return
    attempt.provider_sid = outcome.sid
    evidence = word(outcome.status) or AttemptState.ACCEPTED
    messages.give_evidence(tx, desk, message, attempt, evidence, by="response", attempts=attempts)
    receipts.hear_early(tx, desk, outcome.sid)


# --- senders that died -----------------------------------------------------------------------------------


def settle_dead_leases(tx: Tx, desk: Desk) -> int:
    """Messages whose sender died while asking: nobody knows whether they went."""
    dead = tx.all(_dead_leases(tx.real))
    for message in dead:
        message.fence += 1
        for attempt in messages.attempts_of(tx, message):
            messages.unknown(tx, attempt)
        messages.settle(tx, desk, message)
    return len(dead)


@once
def _dead_leases(real: datetime) -> SelectOfScalar[MessageRow]:
    return (
        select(MessageRow)
        .where(
            col(MessageRow.next_attempt_at) <= real,
            col(MessageRow.state) == MessageState.SENDING,
            col(MessageRow.leased_until) <= real,
        )
        .limit(100)
        .with_for_update(skip_locked=True)
    )
