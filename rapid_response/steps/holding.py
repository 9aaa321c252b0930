"""Holding everything, and letting go: what a restored database needs before a text may leave it.

While it is held, no message is handed over and no deadline rings; replies that come in are still read. On
release what is stale is dropped; then all that is overdue rings, most dangerous first, and looks at what is
true now; only when that is done are messages sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import delete, func, select
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.core.events import SERVICE_STREAM, DatabaseRestored, SendingHeld, SendingReleased
from rapid_response.core.states import PERHAPS_GONE, READY, MessageState, OfferState, Purpose
from rapid_response.messaging.lives import REPEAT, STALE, Move
from rapid_response.sla.rules import Kind
from rapid_response.steps import messages
from rapid_response.storage import holds, work
from rapid_response.storage.due import due
from rapid_response.storage.holds import ONLY, Hold
from rapid_response.storage.tables import (
    AgendaRow,
    AlarmRow,
    HoldRow,
    IncidentRow,
    MessageRow,
    NoticeRow,
    OfferRow,
    SessionRow,
)
from rapid_response.storage.tx import Tx
from rapid_response.storage.work import Due

T = TypeVar("T")

#: A message that says nothing of its own worth is stale after this.
_WORTH = timedelta(hours=1)
#: What asks or tells nobody, and is done while all is held: reading what came in.
_MAY_RING = (Kind.INBOUND.value,)
#: If what is overdue cannot be done in this time, sending begins all the same: silence is the worse fault.
_DRAINED_WITHIN = timedelta(minutes=2)


class NotHeld(Exception):
    """There is nothing to let go."""

    def __init__(self) -> None:
        super().__init__("Nothing is held: messages go out as they fall due.")


class HeldAlready(Exception):
    """Everything is held already."""

    def __init__(self) -> None:
        super().__init__("Everything is held already: `rapid-response release` lets go.")


# --- holding ----------------------------------------------------------------------------------------------


def hold(tx: Tx) -> None:
    """Hold everything until a person lets go. Raises :class:`HeldAlready`."""
    row = tx.get(HoldRow, ONLY, lock=True)
    if row is None:
        tx.add(HoldRow, id=ONLY, why=holds.BY_HAND, since=tx.real)
    elif row.released_at is None:
        raise HeldAlready
    else:  # let go a moment ago, and not yet taken up by any node
        row.released_at = None
    tx.record(SERVICE_STREAM, SendingHeld(holds.BY_HAND))


def mark_restored(tx: Tx, backup_made_at: datetime | None, digest: str) -> None:
    """The first step in a restored database: all is held, and nobody is signed in any more."""
    tx.execute(delete(HoldRow))
    tx.add(HoldRow, id=ONLY, why=holds.RESTORED, since=tx.real, backup_made_at=backup_made_at)
    for session in tx.all(typed_select(SessionRow).where(col(SessionRow.ended_at).is_(None))):
        session.ended_at = tx.real
    tx.record(SERVICE_STREAM, DatabaseRestored(backup_made_at, digest))
    tx.record(SERVICE_STREAM, SendingHeld(holds.RESTORED))


# --- what the worker's loops ask ---------------------------------------------------------------------------


def look_for_due(tx: Tx) -> tuple[list[Due], datetime | None]:
    """As :func:`work.look_for_due`; while all is held, only what asks and tells nobody."""
    standing = holds.standing(tx)
    if standing is None or standing.released_at is not None:
        return work.look_for_due(tx)
    return work.claim_due(tx, kinds=_MAY_RING), None


def unless_held(tx: Tx, look: Callable[[Tx], T], nothing: T) -> T:
    """What `look` finds to send; nothing while all is held, and after that until what was overdue is done."""
    standing = holds.standing(tx)
    if standing is None or _let_go(tx, standing):
        return look(tx)
    return nothing


def _let_go(tx: Tx, standing: Hold) -> bool:
    """Whether sending begins now: a person has said so, and nothing that is due still waits to be done."""
    if standing.released_at is None:
        return False
    waits = tx.execute(select(col(AgendaRow.id)).where(*due(tx.now)).limit(1)).first()
    if waits is not None and tx.real - standing.released_at < _DRAINED_WITHIN:
        return False
    tx.execute(delete(HoldRow).where(col(HoldRow.id) == ONLY))
    return True


# --- letting go -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages that will go, or will not: how many, and the age of the oldest and the newest."""

    count: int = 0
    oldest: timedelta = timedelta()
    newest: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Letting:
    """What letting go comes to."""

    will_go: Waiting
    #: Perhaps sent before: looked up with the provider first.
    looked_up: Waiting
    stale: Waiting
    #: Deadlines that ring before anything is sent.
    overdue: int
    standing: Hold


def release(tx: Tx, *, dry_run: bool = False) -> Letting:
    """Let go, or only say what that would come to. Raises :class:`NotHeld`."""
    row = tx.get(HoldRow, ONLY, lock=True)
    standing = holds.standing(tx)
    if row is None or standing is None or row.released_at is not None:
        raise NotHeld
    unsent = tx.all(
        typed_select(MessageRow)
        .where(col(MessageRow.state).in_(READY))
        .order_by(col(MessageRow.created_at), col(MessageRow.id))
    )
    stale = [message for message in unsent if _is_stale(tx, message)]
    dropped = {message.id for message in stale}
    going = [message for message in unsent if message.id not in dropped]
    unknown = tx.all(typed_select(MessageRow).where(col(MessageRow.state).in_(PERHAPS_GONE)))
    overdue = tx.execute(select(func.count()).select_from(AgendaRow).where(*due(tx.now))).scalar_one()
    letting = Letting(_waiting(tx, going), _waiting(tx, unknown), _waiting(tx, stale), overdue, standing)
    if not dry_run:
        _let(tx, row, going, stale)
        tx.record(SERVICE_STREAM, SendingReleased(len(going), len(stale), overdue))
        tx.wake("ring", "send")
    return letting


def _let(tx: Tx, row: HoldRow, going: Sequence[MessageRow], stale: Sequence[MessageRow]) -> None:
    row.released_at = tx.real
    for message in stale:
        dropped = Move("M3", MessageState.CANCELLED, STALE)
        messages.go(tx, message, dropped, messages.attempts_of(tx, message))
    for message in going:
        # The service that was lost sent it, most likely, in the second after the copy was made.
        is_old = message.next_attempt_at is not None and message.next_attempt_at < row.since
        if row.why == holds.RESTORED and is_old:
            message.reason = REPEAT


def _waiting(tx: Tx, found: Sequence[MessageRow]) -> Waiting:
    ages = [max(timedelta(), tx.now - message.created_at) for message in found]
    return Waiting(len(ages), max(ages), min(ages)) if ages else Waiting()


def _is_stale(tx: Tx, message: MessageRow) -> bool:
    """Whether it would mislead whoever gets it now. What matters rings again, and is said anew."""
    worth_until = message.expires_at or message.created_at + _WORTH
    if worth_until <= tx.now:
        return True
    if message.offer_id is not None and message.purpose is Purpose.OFFER:
        offer = tx.get(OfferRow, message.offer_id)
        return offer is None or offer.state is not OfferState.OPEN
    if message.purpose is Purpose.ALARM:
        alarm = tx.get(AlarmRow, message.notice_id or "")
        return alarm is None or alarm.acknowledged_at is not None
    if message.notice_id is not None:
        notice = tx.get(NoticeRow, message.notice_id)
        if notice is None or notice.acknowledged_at is not None:
            return True
    if message.incident_id is not None and message.purpose in (Purpose.REMINDER, Purpose.NOTICE):
        incident = tx.get(IncidentRow, message.incident_id)
        return incident is None or not incident.is_open
    return False
