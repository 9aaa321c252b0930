"""The outbox: a message is written in the commit of its cause, and sent later by the worker.

`dedupe_key` makes every step that queues re-runnable: a second insert of the same message is a no-op.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlmodel import col

from rapid_response.core.states import MessageChannel, MessageState, Purpose
from rapid_response.storage.tables import IncidentRow, MessageRow
from rapid_response.storage.tx import Tx

#: How long each kind of text is worth sending (delivery.md 6.1).
_WORTH = {
    Purpose.REMINDER: timedelta(minutes=10),
    Purpose.STAND_DOWN: timedelta(minutes=60),
    Purpose.NOTICE: timedelta(minutes=60),
    Purpose.CONFIRM: timedelta(minutes=5),
    Purpose.CLARIFY: timedelta(minutes=5),
    Purpose.CHECK_IN: timedelta(minutes=10),
    Purpose.ALARM: timedelta(minutes=60),
}


def queue(
    tx: Tx,
    *,
    key: str,
    purpose: Purpose,
    to_number: str,
    recipient: str,
    body: str,
    incident: IncidentRow | None = None,
    channel: MessageChannel = MessageChannel.SMS,
    expires_at: datetime | None = None,
    offer_id: str | None = None,
    notice_id: str | None = None,
    is_new: bool = False,
    report_recorded_at: datetime | None = None,
    rank: int | None = None,
) -> None:
    """Put one message in the outbox. `is_new` says that its key cannot have been used before.

    It goes out with the rank of its incident's priority, unless another is given.
    """
    usual = incident.priority.rank if incident else 4
    if not is_new and tx.execute(select(col(MessageRow.id)).where(col(MessageRow.dedupe_key) == key)).first():
        return
    tx.add(
        MessageRow,
        id=tx.ids.uuid(),
        dedupe_key=key,
        incident_id=incident.id if incident else None,
        offer_id=offer_id,
        notice_id=notice_id,
        purpose=purpose,
        channel=channel,
        to_number=to_number,
        recipient=recipient,
        body=body,
        rank=usual if rank is None else rank,
        created_at=tx.now,
        expires_at=expires_at or tx.now + _WORTH[purpose],
        next_attempt_at=tx.real,
        report_recorded_at=report_recorded_at,
    )
    tx.wake("send")


def cancel_unsent(
    tx: Tx,
    *,
    incident_id: str | None = None,
    offer_id: str | None = None,
    notice_id: str | None = None,
    purpose: Purpose | None = None,
    why: str,
) -> None:
    """What has not left yet will not: the case has overtaken it."""
    wanted: list[ColumnElement[bool]] = [
        col(MessageRow.state).in_((MessageState.PENDING, MessageState.RETRY_WAIT))
    ]
    if offer_id is not None:
        wanted.append(col(MessageRow.offer_id) == offer_id)
    if incident_id is not None:
        wanted.append(col(MessageRow.incident_id) == incident_id)
    if notice_id is not None:
        wanted.append(col(MessageRow.notice_id) == notice_id)
    if purpose is not None:
        wanted.append(col(MessageRow.purpose) == purpose)
    tx.execute(update(MessageRow).where(*wanted).values(state=MessageState.CANCELLED, reason=why))
