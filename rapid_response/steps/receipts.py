"""Receipts: what a provider tells us of a text or call, applied once, whenever and however it comes.

Told before its attempt is known (the callback overtook our own record of the answer) it is kept, and tried
again; a receipt that fits nothing for ten minutes is an orphan, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import Executable, Update, func, or_, update
from sqlalchemy import select as core_select
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.messaging import retries
from rapid_response.messaging.rules import failure_class, word
from rapid_response.steps import messages
from rapid_response.steps.desk import Desk
from rapid_response.storage.once import once
from rapid_response.storage.tables import AttemptRow, MessageRow, ProviderEventRow
from rapid_response.storage.tx import Tx

logger = structlog.get_logger("receipts")


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that was told. A token or an id says of what; `kind` is `text` or `call`."""

    token: str
    sid: str
    status: str
    error_code: str = ""
    sequence_no: int = -1
    kind: str = "text"
    source: str = "callback"


def record(tx: Tx, desk: Desk, told: Told) -> bool:
    """Keep what was told and apply it; False when it was known already. Late proof always wins."""
    again = _told_again(desk.provider, told.sid, told.status, told.error_code, told.sequence_no)
    if tx.execute(again).rowcount:
        return False
    attempt_id, why = _apply(tx, desk, told)
    tx.add(
        ProviderEventRow,
        id=tx.ids.uuid(),
        provider=desk.provider,
        sid=told.sid,
        status=told.status,
        error_code=told.error_code,
        sequence_no=told.sequence_no,
        token=told.token,
        kind=told.kind,
        source=told.source,
        attempt_id=attempt_id,
        received_at=tx.now,
        applied=why == "applied",
        why=why,
        retry_until=tx.real + retries.EARLY_FOR if why == EARLY else None,
    )
    return True


@once
def _told_again(provider: str, sid: str, status: str, error_code: str, sequence_no: int) -> Update:
    return (
        update(ProviderEventRow)
        .where(
            col(ProviderEventRow.provider) == provider,
            col(ProviderEventRow.sid) == sid,
            col(ProviderEventRow.status) == status,
            col(ProviderEventRow.error_code) == error_code,
            col(ProviderEventRow.sequence_no) == sequence_no,
        )
        .values(to_count=func.coalesce(col(ProviderEventRow.to_count), 0) + 1)
    )


EARLY, ORPHAN = "early", "orphan"


def _apply(tx: Tx, desk: Desk, told: Told) -> tuple[str | None, str]:
    """The attempt it is about, and what it came to."""
    found = tx.execute(_attempt_of(told.token, told.sid, desk.provider)).first()
    if found is None:
        return None, EARLY
    evidence = word(told.status)
    if evidence is None:
        return found.id, "unknown_word"
    # The message first, then its attempts as they are under that lock.
    message = tx.need(MessageRow, found.message_id, lock=True)
    attempts = messages.attempts_of(tx, message)
    attempt = next(one for one in attempts if one.id == found.id)
    if attempt.provider_sid and told.sid and attempt.provider_sid != told.sid:
        if attempt.settled_by != "look_up":
            # Two messages of one request, or a forgery nobody could sign: said aloud, and changes nothing.
            logger.error("receipt_of_another_id", attempt=attempt.id)
            return attempt.id, "other_sid"
        # The list had two that say the same, and the wrong one was taken; only ours carries our token.
        attempt.provider_sid = told.sid
    attempt.provider_sid = attempt.provider_sid or told.sid
    why = messages.give_evidence(
        tx,
        desk,
        message,
        attempt,
        evidence,
        by=told.source,
        error_class=failure_class(told.status, told.error_code),
        error_code=told.error_code,
        attempts=attempts,
    )
    return attempt.id, why


@once
def _attempt_of(token: str, sid: str, provider: str) -> Executable:
    has_token = (col(AttemptRow.token) == token) & (col(AttemptRow.token) != "")
    has_sid = (
        (col(AttemptRow.provider_sid) == sid)
        & (col(AttemptRow.provider_sid) != "")
        & (col(AttemptRow.provider) == provider)
    )
    # What our token says comes before what the list seemed to say.
    return (
        core_select(col(AttemptRow.id), col(AttemptRow.message_id))
        .where(or_(has_token, has_sid))
        .order_by(has_token.desc())
    )


def hear_early(tx: Tx, desk: Desk, sid: str) -> None:
    """The id of an attempt is known now: what was told of it before is applied, in the order it came."""
    for event in tx.all(_told_early(desk.provider, sid)):
        _try_again(tx, desk, event)


@once
def _told_early(provider: str, sid: str) -> SelectOfScalar[ProviderEventRow]:
    return (
        select(ProviderEventRow)
        .where(
            col(ProviderEventRow.provider) == provider,
            col(ProviderEventRow.sid) == sid,
            col(ProviderEventRow.retry_until).is_not(None),
        )
        .order_by(col(ProviderEventRow.received_at), col(ProviderEventRow.id))
    )


def sweep(tx: Tx, desk: Desk, limit: int = 100) -> int:
    """Try once more what fitted nothing when it was told; after ten minutes it is an orphan."""
    waiting = tx.all(
        # Whose they are is no condition here: SQLite would go through all receipts of a provider for it.
        select(ProviderEventRow)
        .where(col(ProviderEventRow.retry_until).is_not(None))
        .order_by(col(ProviderEventRow.retry_until), col(ProviderEventRow.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    settled = 0
    for event in waiting:
        if event.provider == desk.provider:
            _try_again(tx, desk, event)
        if event.retry_until is not None and event.retry_until <= tx.real:
            event.retry_until, event.why = None, ORPHAN
        settled += event.retry_until is None
    return settled


def _try_again(tx: Tx, desk: Desk, event: ProviderEventRow) -> None:
    told = Told(
        event.token, event.sid, event.status, event.error_code, event.sequence_no, event.kind, event.source
    )
    attempt_id, why = _apply(tx, desk, told)
    if why != EARLY:
        event.attempt_id, event.why, event.applied, event.retry_until = (
            attempt_id,
            why,
            why == "applied",
            None,
        )
