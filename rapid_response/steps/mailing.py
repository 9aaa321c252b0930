"""E-mails to the desk: rows written with what they tell of, sent by the worker with no transaction open.

Beside the texts, and never in their way: mail has a loop of its own, is tried again for a day, and is then
left and said (`doctor`, the page of the service's state). What somebody has seen meanwhile is not sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.core.events import SERVICE_STREAM, MailParked
from rapid_response.core.notices import LEADS, NoticeKind
from rapid_response.core.states import MailState
from rapid_response.core.vocabulary import ContactRole
from rapid_response.messaging import mail
from rapid_response.messaging.mail import Mail
from rapid_response.messaging.smtp import ALL_SECONDS
from rapid_response.steps.desk import Desk
from rapid_response.storage.tables import IS_PARKED, IS_UNSENT, IncidentRow, MailRow, NoticeRow
from rapid_response.storage.tx import Tx

_LEASE = timedelta(seconds=ALL_SECONDS * 2)
_BACK_OFF = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
#: Tried for so long; what waited longer helps nobody, and a person has to look at the mail server.
GIVE_UP_AFTER = timedelta(hours=24)
#: So long one that was left is told of.
_SHOWN_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail that this node sends now."""

    mail: Mail
    fence: int


def tell_of(tx: Tx, desk: Desk, incident: IncidentRow, notice: NoticeRow) -> None:
    """A notice was given: the desk's mailbox gets it too, once, where there is one."""
    if not desk.mails or notice.role not in mail.ROLES or notice.kind in LEADS:
        return
    row_id = tx.ids.uuid()
    said = mail.of_case(row_id, incident.reference, NoticeKind(notice.kind), desk.base_url)
    _queue(tx, said, f"notice:{notice.id}", notice.id)


def tell(tx: Tx, desk: Desk, role: ContactRole, key: str, body: str) -> None:
    """As :func:`tell_of`, for what is about no case; one mail a key."""
    if not desk.mails or role is not ContactRole.DESK:
        return
    if tx.first(typed_select(MailRow).where(col(MailRow.dedupe_key) == key[:80])) is None:
        _queue(tx, mail.of_service(tx.ids.uuid(), body, desk.base_url), key[:80], None)


def _queue(tx: Tx, said: Mail, key: str, notice_id: str | None) -> None:
    tx.add(
        MailRow,
        id=said.key,
        dedupe_key=key,
        notice_id=notice_id,
        subject=said.subject,
        body=said.body,
        state=MailState.WAITING,
        created_at=tx.now,
        queued_at=tx.real,
        due_at=tx.real,
    )
    tx.wake("mail")


def claim(tx: Tx) -> Claimed | None:
    """The next mail that is due, leased to this node; what has been seen meanwhile is left out."""
    waiting = typed_select(MailRow).where(
        col(MailRow.state) == MailState.WAITING,
        col(MailRow.due_at) <= tx.real,
        or_(col(MailRow.leased_until).is_(None), col(MailRow.leased_until) <= tx.real),
    )
    order = waiting.order_by(col(MailRow.due_at), col(MailRow.id)).limit(1)
    while (row := tx.first(order.with_for_update(skip_locked=True))) is not None:
        notice = tx.get(NoticeRow, row.notice_id) if row.notice_id else None
        if notice is not None and notice.acknowledged_at is not None:
            row.state, row.settled_at = MailState.SKIPPED, tx.now
            continue
        row.fence += 1
        row.attempts += 1
        row.leased_until = tx.real + _LEASE
        return Claimed(Mail(row.id, row.subject, row.body), row.fence)
    return None


def sent(tx: Tx, claimed: Claimed) -> None:
    """The mail server took it."""
    row = _held(tx, claimed)
    if row is not None:
        row.state, row.settled_at, row.leased_until, row.error = MailState.SENT, tx.now, None, None


def failed(tx: Tx, claimed: Claimed, error: str) -> bool:
    """It did not go: once more after a while, and after a day not at all. True where it is left."""
    row = _held(tx, claimed)
    if row is None:
        return False
    row.leased_until, row.error = None, error[:40]
    if tx.real - row.queued_at < GIVE_UP_AFTER:
        row.due_at = tx.real + _BACK_OFF[min(row.attempts, len(_BACK_OFF)) - 1]
        return False
    row.state, row.settled_at = MailState.PARKED, tx.now
    tx.record(SERVICE_STREAM, MailParked(row.id, row.error))
    return True


def _held(tx: Tx, claimed: Claimed) -> MailRow | None:
    row = tx.get(MailRow, claimed.mail.key, lock=True)
    is_ours = row is not None and row.state is MailState.WAITING and row.fence == claimed.fence
    return row if is_ours else None


@dataclass(frozen=True, slots=True)
class Standing:
    """How many mails wait after a failure, and how many were left in the last week."""

    failing: int
    parked: int


def standing(connection: Connection, now: datetime) -> Standing:
    """What the mail server has not taken."""
    waiting = (IS_UNSENT, col(MailRow.error).is_not(None))
    left = (IS_PARKED, col(MailRow.settled_at) >= now - _SHOWN_FOR)
    failing, parked = (
        connection.execute(select(func.count()).select_from(MailRow).where(*wanted)).scalar_one()
        for wanted in (waiting, left)
    )
    return Standing(failing, parked)
