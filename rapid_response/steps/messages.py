"""Where states of messages and attempts are written down, and nowhere else (delivery.md 5).

What they become is decided by `messaging.lives`; here it is applied to the rows and recorded. What follows
for the case is put on its agenda: it needs the incident's lock, which comes before a message's (design.md 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Executable, exists
from sqlalchemy import select as core_select
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core import events as happened
from rapid_response.core.states import MessageChannel, MessageState, Purpose
from rapid_response.messaging import breaker, gsm7, lives, retries
from rapid_response.messaging.breaker import Heard
from rapid_response.messaging.lives import Move, Standing, Try
from rapid_response.messaging.rules import RANK, AttemptState
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import endpoints, lines
from rapid_response.steps.desk import Desk
from rapid_response.steps.outbox import ABOUT_COMPANION
from rapid_response.storage import work
from rapid_response.storage.due import RANKS
from rapid_response.storage.once import once
from rapid_response.storage.tables import AttemptRow, IncidentRow, MessageRow, OfferRow
from rapid_response.storage.tx import Tx

#: What the ladder inside an offer, a stand-down or a notice is for: a person must be reached.
_LADDERED = (Purpose.OFFER, Purpose.STAND_DOWN, Purpose.NOTICE)


def attempts_of(tx: Tx, message: MessageRow) -> list[AttemptRow]:
    """All attempts at a message, oldest first."""
    return list(tx.all(_attempts(message.id)))


@once
def _attempts(message_id: str) -> SelectOfScalar[AttemptRow]:
    return select(AttemptRow).where(col(AttemptRow.message_id) == message_id).order_by(col(AttemptRow.seq))


def standing(tx: Tx, message: MessageRow, attempts: Sequence[AttemptRow]) -> Standing:
    """The message as the rule sees it."""
    return Standing(
        message.state,
        message.purpose,
        tuple(Try(AttemptState(a.state), a.error_class) for a in attempts),
        message.reason,
        message.repeats,
        is_over=is_over(tx, message),
    )


def is_over(tx: Tx, message: MessageRow) -> bool:
    """Whether it would come too late, or is no longer wanted."""
    expired = message.expires_at is not None and tx.now >= message.expires_at
    return expired or message.cancel_requested is not None


# --- evidence --------------------------------------------------------------------------------------------


def give_evidence(
    tx: Tx,
    desk: Desk,
    message: MessageRow,
    attempt: AttemptRow,
    evidence: AttemptState,
    *,
    by: str,
    error_class: str | None = None,
    error_code: str = "",
    attempts: Sequence[AttemptRow] | None = None,
) -> str:
    """The provider says what became of an attempt (its message is locked); gives what that came to.

    `attempts`: all of the message, from whoever has read them under that lock.
    """
    current = AttemptState(attempt.state)
    if error_code and not attempt.error_code:
        # A failure told twice keeps its code, whichever of the two had one.
        attempt.error_code = error_code[:20]
        if current is AttemptState.UNDELIVERED:
            attempt.error_class = error_class
    if not lives.advances(current, evidence):
        return "conflict" if lives.conflicts(current, evidence) else "stale"
    attempt.state = lives.check_attempt(current, evidence).value
    attempt.settled_at, attempt.settled_by = tx.now, by
    went_out = RANK[current] == 0 and evidence is not AttemptState.UNDELIVERED
    if went_out:
        attempt.error_class = attempt.error_code = None
        _record_accepted(tx, message, attempt)
    if evidence is AttemptState.DELIVERED:
        _arrived(tx, desk, message, attempt)
    if evidence is AttemptState.UNDELIVERED:
        attempt.error_class = error_class or "unclassified"
        _not_arrived(tx, desk, message, attempt)
    settle(tx, desk, message, attempts=attempts)
    if went_out and message.cancel_requested is not None and message.purpose is Purpose.OFFER:
        _arm_once(tx, message, Kind.WENT_OUT, message.offer_id or "", tx.now)
    return "applied"


def _record_accepted(tx: Tx, message: MessageRow, attempt: AttemptRow) -> None:
    since = (
        (tx.now - message.report_recorded_at).total_seconds()
        if message.report_recorded_at is not None and message.accepted_at is None
        else None
    )
    message.accepted_at = message.accepted_at or tx.now
    is_text = message.channel is MessageChannel.SMS
    tx.record(
        stream_of(message),
        happened.MessageAccepted(
            message.id,
            message.purpose,
            message.channel,
            since,
            attempt=attempt.seq,
            provider=attempt.provider,
            request_seconds=request_seconds(attempt),
            segments=gsm7.segments(message.body) if is_text else 0,
            replaced=message.replaced,
        ),
    )


def request_seconds(attempt: AttemptRow) -> float | None:
    """How long the provider took to answer, where it answered."""
    if attempt.finished_at is None:
        return None
    return round((attempt.finished_at - attempt.claimed_at).total_seconds(), 3)


def _arrived(tx: Tx, desk: Desk, message: MessageRow, attempt: AttemptRow) -> None:
    endpoints.arrived(tx, message)
    if message.purpose is Purpose.OFFER and message.channel is MessageChannel.SMS:
        took = accept_seconds(tx, attempt)
        if took is not None:
            lines.took(tx, desk, message.channel, took)


def accept_seconds(tx: Tx, attempt: AttemptRow) -> float | None:
    """Real seconds since the provider took it, where that moment is known."""
    if attempt.finished_at is None:
        return None
    return round(max(0.0, (tx.real - attempt.finished_at).total_seconds()), 3)


def _not_arrived(tx: Tx, desk: Desk, message: MessageRow, attempt: AttemptRow) -> None:
    error_class = attempt.error_class or "unclassified"
    endpoints.failed(tx, message, error_class)
    said = breaker.of_class(error_class)
    if said in (Heard.ACCOUNT, Heard.SENDER):
        lines.hear(tx, desk, message.channel, said, attempt.claimed_at)


def refused(tx: Tx, desk: Desk, message: MessageRow, attempt: AttemptRow, error_class: str) -> None:
    """It certainly did not go."""
    if attempt.state != AttemptState.CLAIMED:  # its lease had ended: only proof that it went counts now
        return
    attempt.state = lives.check_attempt(AttemptState.CLAIMED, AttemptState.REJECTED).value
    attempt.error_class, attempt.settled_at, attempt.settled_by = error_class[:20], tx.now, "response"
    endpoints.failed(tx, message, error_class)


def unknown(tx: Tx, attempt: AttemptRow) -> None:
    """Nobody knows whether it went."""
    if attempt.state == AttemptState.CLAIMED:
        attempt.state = lives.check_attempt(AttemptState.CLAIMED, AttemptState.UNKNOWN).value
        attempt.unknown_at = tx.real


def absent(tx: Tx, attempt: AttemptRow) -> None:
    """It was looked for and never found: it counts as never sent, until proof comes late."""
    attempt.state = lives.check_attempt(AttemptState(attempt.state), AttemptState.ABSENT).value
    attempt.settled_at, attempt.settled_by = tx.now, "look_up"


# --- the message that follows from it --------------------------------------------------------------------


def settle(
    tx: Tx,
    desk: Desk,
    message: MessageRow,
    retry_after: timedelta | None = None,
    attempts: Sequence[AttemptRow] | None = None,
) -> Move | None:
    """Let the message become what its attempts make of it; they are read, unless the caller has them."""
    attempts = attempts_of(tx, message) if attempts is None else attempts
    move = lives.following(standing(tx, message, attempts))
    if move is None:
        if message.state is MessageState.IN_NETWORK:
            _record_nothing_new(tx, message, attempts)
        return None
    go(tx, message, move, attempts, retry_after)
    return move


def _record_nothing_new(tx: Tx, message: MessageRow, attempts: Sequence[AttemptRow]) -> None:
    """It stays in the network: should no receipt come, it is fetched in time."""
    if message.next_attempt_at is None:
        message.next_attempt_at = _next_fetch(tx, message, attempts)


def go(
    tx: Tx,
    message: MessageRow,
    move: Move,
    attempts: Sequence[AttemptRow],
    retry_after: timedelta | None = None,
) -> None:
    """Write a transition down with all that hangs on it."""
    message.state = lives.check_message(message.state, move.to)
    message.reason, message.leased_until, message.held = move.reason, None, None
    message.late = message.late or move.late
    message.repeats += move.name == "M12"
    message.next_attempt_at = _next(tx, message, move, attempts, retry_after)
    if message.next_attempt_at is None:
        message.settled_at = tx.now
    if message.next_attempt_at is not None and message.next_attempt_at <= tx.real:
        tx.wake("send")
    _record(tx, message, move, attempts)
    _consequences(tx, message, move, attempts)


def _next(
    tx: Tx, message: MessageRow, move: Move, attempts: Sequence[AttemptRow], retry_after: timedelta | None
) -> datetime | None:
    """When to look at it next; None once it is settled."""
    match move.to:
        case MessageState.RETRY_WAIT:
            return tx.real + (retry_after or _jittered(tx, move))
        case MessageState.UNKNOWN:
            return retries.first_look_up(attempts[-1].claimed_at, tx.real)
        case MessageState.IN_NETWORK:
            return _next_fetch(tx, message, attempts)
        case _:
            return None


def _jittered(tx: Tx, move: Move) -> timedelta:
    """A provider that asks for patience gets it from each node at another moment."""
    wait = move.wait or timedelta()
    if move.reason != "throttled":
        return wait
    return wait * (0.8 + tx.ids.below(401) / 1000)


def _next_fetch(tx: Tx, message: MessageRow, attempts: Sequence[AttemptRow]) -> datetime:
    return retries.next_fetch(message.purpose, taken_at(tx, attempts), tx.real)


def taken_at(tx: Tx, attempts: Sequence[AttemptRow]) -> datetime:
    """Since when, in real time, the newest attempt that was taken is in the network."""
    taken = [a for a in attempts if a.state in (AttemptState.ACCEPTED, AttemptState.SENT)]
    return (taken[-1].finished_at or taken[-1].claimed_at) if taken else tx.real


_WHAT = {
    AttemptState.REJECTED: "refused",
    AttemptState.UNKNOWN: "unknown",
    AttemptState.UNDELIVERED: "undelivered",
    AttemptState.ABSENT: "absent",
}


def _record(tx: Tx, message: MessageRow, move: Move, attempts: Sequence[AttemptRow]) -> None:
    last = attempts[-1] if attempts else None
    what = _WHAT.get(AttemptState(last.state)) if last is not None else None
    if last is not None and what is not None and not move.late:
        tx.record(
            stream_of(message),
            happened.MessageTroubled(
                message.id,
                message.purpose,
                message.channel,
                what,
                message.state,
                attempt=last.seq,
                provider=last.provider,
                error_class=last.error_class,
                error_code=last.error_code or "",
                request_seconds=request_seconds(last),
            ),
        )
    if message.state in (MessageState.DELIVERED, MessageState.FAILED, MessageState.EXPIRED):
        _record_settled(tx, message, attempts)


def _record_settled(tx: Tx, message: MessageRow, attempts: Sequence[AttemptRow]) -> None:
    delivered = next((a for a in attempts if a.state == AttemptState.DELIVERED), None)
    is_offer = message.purpose is Purpose.OFFER and delivered is not None
    made_at, priority = _offer_and_priority(tx, message) if is_offer else (None, "")
    tx.record(
        stream_of(message),
        happened.MessageSettled(
            message.id,
            message.purpose,
            message.channel,
            message.state,
            message.reason,
            late=message.late,
            provider=attempts[-1].provider if attempts else "",
            accept_seconds=accept_seconds(tx, delivered) if delivered is not None else None,
            offer_seconds=round((tx.now - made_at).total_seconds(), 3) if made_at is not None else None,
            priority=priority,
        ),
    )


def _offer_and_priority(tx: Tx, message: MessageRow) -> tuple[datetime | None, str]:
    """When the offer was made, and how urgent its case is; nothing if it had arrived another way before."""
    found = tx.execute(_made_for(message.offer_id, message.id)).first()
    return (found.made_at, found.priority.value) if found is not None else (None, "")


@once
def _made_for(offer_id: str | None, message_id: str) -> Executable:
    arrived_before = exists().where(
        col(MessageRow.offer_id) == offer_id,
        col(MessageRow.purpose) == Purpose.OFFER,
        col(MessageRow.state) == MessageState.DELIVERED,
        col(MessageRow.id) != message_id,
    )
    return (
        core_select(col(OfferRow.made_at), col(IncidentRow.priority))
        .join(IncidentRow, col(IncidentRow.id) == col(OfferRow.incident_id))
        .where(col(OfferRow.id) == offer_id, ~arrived_before)
    )


def stream_of(message: MessageRow) -> str:
    """Whose log hears of it."""
    return message.incident_id or happened.SERVICE_STREAM


def must_arrive(message: MessageRow) -> bool:
    """Whether somebody is reached otherwise, or a person told, where it does not arrive.

    Of reminders only what tells somebody that a job is hers now, for nobody else is asked for it any more; or
    who goes along, for nobody is to go in alone.
    """
    is_of_weight = message.offer_id is not None or message.dedupe_key.startswith(ABOUT_COMPANION)
    return message.purpose in _LADDERED or (message.purpose is Purpose.REMINDER and is_of_weight)


# --- what follows for the case ---------------------------------------------------------------------------

#: Why the ladder is asked to go on; part of the agenda entry's subject.
FAILED, WAITING, UNKNOWN, LINE_DOWN = "failed", "waiting", "unknown", "line_down"


def _consequences(tx: Tx, message: MessageRow, move: Move, attempts: Sequence[AttemptRow]) -> None:
    """A person who certainly is not reached this way must not cost the resident her answer time."""
    if not must_arrive(message) or message.incident_id is None:
        return
    failed = message.state is MessageState.FAILED or (
        message.state is MessageState.RETRY_WAIT
        and move.name != "M12"
        and retries.is_definite(message.reason)
    )
    unsent = message.state is MessageState.EXPIRED and message.accepted_at is None
    if failed or unsent or (message.state is MessageState.EXPIRED and message.reason == lives.STALE):
        message.failing_at = message.failing_at or tx.now
        goes_on(tx, message, FAILED, tx.now)
    elif message.state is MessageState.RETRY_WAIT and move.name != "M12":
        message.failing_at = message.failing_at or tx.now
        goes_on(tx, message, WAITING, tx.now + _patience(tx, message))
    elif message.state is MessageState.UNKNOWN:
        asked_at = attempts[-1].at if attempts else tx.now
        goes_on(tx, message, UNKNOWN, max(tx.now, asked_at + _patience(tx, message, unknown=True)))


def _patience(tx: Tx, message: MessageRow, *, unknown: bool = False) -> timedelta:
    """How long a provider that cannot be reached is waited for: not at all once another way has failed."""
    failing_at = tx.execute(
        core_select(col(OfferRow.failing_at)).where(col(OfferRow.id) == message.offer_id)
    ).scalar()
    if failing_at is not None:
        return timedelta()
    return retries.UNKNOWN_COUNTS_AFTER if unknown else retries.WAITING_COUNTS_AFTER


def goes_on(tx: Tx, message: MessageRow, why: str, at: datetime) -> None:
    """See that the ladder goes on then, if the message still does not arrive."""
    _arm_once(tx, message, Kind.FAIL_OVER, f"{message.id}:{why}", at)


def _arm_once(tx: Tx, message: MessageRow, kind: Kind, subject: str, at: datetime) -> None:
    if message.incident_id is None or work.stands(tx, message.incident_id, kind, subject):
        return
    # Messages have one degree more than danger has: what goes after all others.
    rank = min(message.rank, RANKS[-1])
    work.arm(tx, message.incident_id, 1, rank, [Deadline(kind, at, subject)])
