"""The sender's steps: claim a message, record what the provider answered, settle what nobody knows.

No transaction is open while the provider is asked. A claim is a committed lease with a fence and an attempt
whose token travels in the callback's address, so that a crash at any point leaves a row that says what may
have happened, and the answer is looked up before anything is sent again (reliability.md 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select

from rapid_response.core import events as happened
from rapid_response.core.definition import Means
from rapid_response.core.incident import SEEKING_STATUSES
from rapid_response.core.notices import NoticeKind
from rapid_response.core.states import MessageChannel, MessageState, OfferState, Purpose
from rapid_response.core.vocabulary import ContactRole
from rapid_response.messaging import rules, wording
from rapid_response.messaging.gateway import Accepted, Rejected, SendOutcome, SentRecord
from rapid_response.messaging.rules import AttemptState
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import notices, offers
from rapid_response.steps.desk import Desk
from rapid_response.steps.service import Service
from rapid_response.storage import work
from rapid_response.storage.tables import (
    AttemptRow,
    EndpointRow,
    IncidentRow,
    MessageRow,
    NoticeRow,
    OfferRow,
    ProviderEventRow,
)
from rapid_response.storage.tx import Tx

#: Longer than the provider's time-outs together: a lease that ends means that the sender died.
LEASE = timedelta(seconds=25)
_READY = (MessageState.PENDING, MessageState.RETRY_WAIT)
_RING_FOR = timedelta(seconds=25)
#: Offers live as long as their answer is awaited; a carrier must not deliver them much later.
_SHORTEST, _LONGEST = timedelta(seconds=30), timedelta(minutes=15)


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
    ring_for: timedelta = _RING_FOR


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message nobody knows the fate of, to be looked up now."""

    message_id: str
    fence: int
    to_number: str
    body: str
    since: timedelta


@dataclass(frozen=True, slots=True)
class Work:
    """What the sender has to do now."""

    dead: int
    claimed: list[Claimed]
    unknown: list[Unknown]

    def __len__(self) -> int:
        return self.dead + len(self.claimed) + len(self.unknown)


def look_for_work(tx: Tx, desk: Desk, limit: int) -> Work:
    """Everything the sender has to do, claimed in one step."""
    return Work(settle_dead_leases(tx), claim(tx, desk, limit), claim_unknown(tx))


def claim(tx: Tx, desk: Desk, limit: int = 8) -> list[Claimed]:
    """Lease what is due: most dangerous first. What is no longer wanted is cancelled instead."""
    due = tx.all(
        select(MessageRow)
        .where(
            col(MessageRow.state).in_(_READY),
            col(MessageRow.next_attempt_at) <= tx.real,
        )
        .order_by(col(MessageRow.rank), col(MessageRow.created_at), col(MessageRow.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [claimed for message in due if (claimed := _claim_one(tx, desk, message)) is not None]


def _claim_one(tx: Tx, desk: Desk, message: MessageRow) -> Claimed | None:
    if message.expires_at is not None and tx.now >= message.expires_at:
        message.state, message.reason = MessageState.EXPIRED, "expired"
        return None
    why = _no_longer_wanted(tx, message)
    if why == "opted_out":
        message.state, message.reason = MessageState.FAILED, why
        _consequences(tx, desk, message)
        return None
    if why is not None:
        message.state, message.reason = MessageState.CANCELLED, why
        return None
    message.state = MessageState.SENDING
    message.fence += 1
    message.attempts += 1
    message.leased_until = tx.real + LEASE
    if message.reason == "repeat" and message.channel is MessageChannel.SMS:
        message.body = wording.repeat_of(message.body)
    token = tx.ids.token()
    tx.add(
        AttemptRow,
        id=tx.ids.uuid(),
        message_id=message.id,
        seq=message.attempts,
        token=token,
        provider=desk.provider,
        state=AttemptState.CLAIMED.value,
        claimed_at=tx.real,
    )
    left = message.expires_at - tx.now if message.expires_at else _LONGEST
    return Claimed(
        message.id,
        message.fence,
        token,
        message.channel,
        message.to_number,
        message.body,
        validity=max(_SHORTEST, min(left, _LONGEST)),
    )


def _no_longer_wanted(tx: Tx, message: MessageRow) -> str | None:
    """Looked at again just before sending: the case may have moved on since it was written."""
    endpoint = tx.get(EndpointRow, message.to_number)
    if endpoint is not None and endpoint.state == "opted_out" and message.channel is MessageChannel.SMS:
        return "opted_out"
    if message.purpose is Purpose.OFFER and message.offer_id is not None:
        offer = tx.get(OfferRow, message.offer_id)
        if offer is None or offer.state is not OfferState.OPEN:
            return "offer_over"
    if message.purpose is Purpose.REMINDER and message.incident_id is not None:
        incident = tx.get(IncidentRow, message.incident_id)
        if incident is None or not incident.is_open:
            return "closed"
    if message.purpose is Purpose.NOTICE and message.notice_id is not None:
        notice = tx.get(NoticeRow, message.notice_id)
        if notice is None or notice.acknowledged_at is not None:
            return "seen"
    return None


def record_answer(tx: Tx, desk: Desk, claimed: Claimed, outcome: SendOutcome) -> None:
    """Write down what the provider said, unless the message was taken from us meanwhile."""
    message = tx.get(MessageRow, claimed.message_id, lock=True)
    attempt = tx.first(select(AttemptRow).where(col(AttemptRow.token) == claimed.token))
    if message is None or attempt is None:
        return
    after = rules.after_answer(outcome, message.attempts)
    # A look-up can be quicker than a sender that slept past its lease: what it found is on record.
    is_known = attempt.finished_at is not None
    if isinstance(outcome, Accepted):
        attempt.provider_sid = outcome.sid
    if isinstance(outcome, Rejected):
        attempt.error_class, attempt.error_code = outcome.error_class, outcome.code[:20]
    attempt.finished_at = tx.real
    if rules.advances(AttemptState(attempt.state), after.attempt) or attempt.state == AttemptState.CLAIMED:
        attempt.state = after.attempt.value
    # A receipt can win the race against our own record: what is settled stays settled.
    if message.state is MessageState.SENDING and message.fence == claimed.fence:
        _go(tx, message, after)
    if isinstance(outcome, Accepted) and not is_known:
        _record_accepted(tx, message)
    if isinstance(outcome, Rejected):
        _consequences(tx, desk, message)


def _go(tx: Tx, message: MessageRow, after: rules.Next) -> None:
    message.state, message.reason, message.leased_until = after.message, after.reason, None
    if after.wait is not None:
        message.next_attempt_at = tx.real + after.wait
        tx.wake("send")


def _record_accepted(tx: Tx, message: MessageRow) -> None:
    since = (
        (tx.now - message.report_recorded_at).total_seconds()
        if message.report_recorded_at is not None
        else None
    )
    if message.incident_id is not None:
        tx.record(
            message.incident_id, happened.MessageAccepted(message.id, message.purpose, message.channel, since)
        )


def record_receipt(
    tx: Tx, desk: Desk, *, token: str, sid: str, status: str, error_code: str, sequence_no: int
) -> bool:
    """Apply a signed callback; False when it was known already. Late proof always wins."""
    known = tx.first(
        select(ProviderEventRow).where(
            col(ProviderEventRow.provider) == desk.provider,
            col(ProviderEventRow.sid) == sid,
            col(ProviderEventRow.status) == status,
            col(ProviderEventRow.error_code) == error_code,
            col(ProviderEventRow.sequence_no) == sequence_no,
        )
    )
    if known is not None:
        return False
    attempt = tx.first(select(AttemptRow).where(or_(col(AttemptRow.token) == token, _is_sid(sid))))
    evidence = rules.word(status)
    applied = False
    if attempt is not None and evidence is not None:
        attempt.provider_sid = attempt.provider_sid or sid
        applied = rules.advances(AttemptState(attempt.state), evidence)
        if applied:
            attempt.state = evidence.value
            if error_code:
                attempt.error_code, attempt.error_class = error_code, rules.error_class(error_code)
            _apply(tx, desk, attempt, evidence)
    tx.add(
        ProviderEventRow,
        id=tx.ids.uuid(),
        provider=desk.provider,
        sid=sid,
        status=status,
        error_code=error_code,
        sequence_no=sequence_no,
        token=token,
        received_at=tx.now,
        applied=applied,
    )
    return True


def _is_sid(sid: str) -> ColumnElement[bool]:
    return (col(AttemptRow.provider_sid) == sid) & (col(AttemptRow.provider_sid) != "")


_SETTLED = (MessageState.DELIVERED, MessageState.CANCELLED, MessageState.EXPIRED)


def _apply(tx: Tx, desk: Desk, attempt: AttemptRow, evidence: AttemptState) -> None:
    message = tx.need(MessageRow, attempt.message_id, lock=True)
    if message.state in _SETTLED:
        return
    state, why = rules.after_receipt(evidence, attempt.error_class)
    message.state, message.reason, message.leased_until = state, why, None
    if state in (MessageState.DELIVERED, MessageState.FAILED) and message.incident_id is not None:
        tx.record(
            message.incident_id,
            happened.MessageSettled(message.id, message.purpose, message.channel, state, why),
        )
    _consequences(tx, desk, message)


def _consequences(tx: Tx, desk: Desk, message: MessageRow) -> None:
    """An offer that certainly does not arrive must not cost the resident its whole answer time.

    The next offer is brought forward and the desk is told to use the telephone; the clock runs on
    (scenario 33). The first offer stays open: a voice may still reach her.
    """
    failing = message.state is MessageState.FAILED or (
        message.state is MessageState.RETRY_WAIT and message.attempts == rules.TELL_AFTER_ATTEMPTS
    )
    if not failing or message.channel is not MessageChannel.SMS or message.purpose is not Purpose.OFFER:
        return
    if message.incident_id is None:
        return
    # On the agenda, because it needs the incident's lock, which comes before a message's (design.md 3).
    if not work.stands(tx, message.incident_id, Kind.FAIL_OVER, message.id):
        work.arm(tx, message.incident_id, 1, message.rank, [Deadline(Kind.FAIL_OVER, tx.now, message.id)])


def settle_dead_leases(tx: Tx) -> int:
    """Messages whose sender died while asking: nobody knows whether they went."""
    dead = tx.all(
        select(MessageRow)
        .where(col(MessageRow.state) == MessageState.SENDING, col(MessageRow.leased_until) <= tx.real)
        .limit(100)
        .with_for_update(skip_locked=True)
    )
    for message in dead:
        message.fence += 1
        message.state, message.leased_until = MessageState.UNKNOWN, None
        message.next_attempt_at = tx.real
        for attempt in _open_attempts(tx, message.id):
            attempt.state = AttemptState.UNKNOWN.value
    return len(dead)


def _open_attempts(tx: Tx, message_id: str) -> list[AttemptRow]:
    return list(
        tx.all(
            select(AttemptRow).where(
                col(AttemptRow.message_id) == message_id,
                col(AttemptRow.state).in_((AttemptState.CLAIMED.value, AttemptState.UNKNOWN.value)),
            )
        )
    )


def claim_unknown(tx: Tx, limit: int = 20) -> list[Unknown]:
    """Lease unknown messages whose look-up is due."""
    due = tx.all(
        select(MessageRow)
        .where(
            col(MessageRow.state) == MessageState.UNKNOWN,
            col(MessageRow.next_attempt_at) <= tx.real,
            or_(col(MessageRow.leased_until).is_(None), col(MessageRow.leased_until) <= tx.real),
        )
        .order_by(col(MessageRow.rank), col(MessageRow.created_at), col(MessageRow.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = []
    for message in due:
        message.fence += 1
        message.leased_until = tx.real + LEASE
        found.append(
            Unknown(message.id, message.fence, message.to_number, message.body, tx.now - message.created_at)
        )
    return found


def record_look_up(tx: Tx, desk: Desk, unknown: Unknown, sent: list[SentRecord]) -> None:
    """What the provider's own list says of an unknown message; not found after a minute, it is repeated."""
    message = tx.get(MessageRow, unknown.message_id, lock=True)
    if message is None or message.state is not MessageState.UNKNOWN or message.fence != unknown.fence:
        return
    message.leased_until = None
    attempts = _open_attempts(tx, message.id)
    owned = {
        a.provider_sid
        for a in tx.all(select(AttemptRow).where(col(AttemptRow.provider_sid).in_([s.sid for s in sent])))
    }
    match = next((s for s in sent if s.body == unknown.body and s.sid not in owned), None)
    if match is not None and attempts:
        attempt = attempts[-1]
        evidence = rules.word(match.status) or AttemptState.ACCEPTED
        attempt.provider_sid, attempt.state, attempt.finished_at = match.sid, evidence.value, tx.real
        message.state, message.reason = rules.after_receipt(evidence, None)
        _record_accepted(tx, message)
        return
    looked = _count_look_ups(message)
    after = rules.after_look_up(looked, message.purpose, repeats=int(message.body.startswith(wording.REPEAT)))
    _go(tx, message, after)
    if after.message is MessageState.UNKNOWN:
        message.reason = f"looked {looked}"
        return
    for attempt in attempts:
        attempt.state = after.attempt.value
    _consequences(tx, desk, message)


def _count_look_ups(message: MessageRow) -> int:
    seen = (message.reason or "").removeprefix("looked ")
    return int(seen) + 1 if seen.isdigit() else 1


def fail_over(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, message_id: str) -> None:
    """Bring the next offer forward, and tell the desk to use the telephone (design.md 5)."""
    message = tx.need(MessageRow, message_id)
    if message.offer_id is None or incident.status not in SEEKING_STATUSES:
        return
    if message.state not in (MessageState.FAILED, MessageState.RETRY_WAIT):
        return
    told = any(n.kind == NoticeKind.DELIVERY_FAILING for n in notices.unseen(tx, incident.id))
    if not told:
        notices.give(
            tx,
            desk,
            service,
            incident,
            NoticeKind.DELIVERY_FAILING,
            ContactRole.DESK,
            by=(Means.SMS, Means.VOICE),
        )
    offers.advance(tx, desk, service, incident)
