"""The outbox: a message is written in the commit of its cause, and sent later by the worker.

`dedupe_key` makes every step that queues re-runnable: a second insert of the same message is a no-op.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Executable, Update, select, update
from sqlmodel import col

from rapid_response.core.numbers import is_uk_mobile
from rapid_response.core.states import ON_THE_WAY, READY, MessageChannel, MessageState, Purpose
from rapid_response.core.vocabulary import Priority
from rapid_response.messaging.gsm7 import foreign, normalise
from rapid_response.storage import due
from rapid_response.storage.once import once
from rapid_response.storage.tables import IS_READY, IncidentRow, MessageRow
from rapid_response.storage.tx import Tx

#: How long each kind of text is worth sending (delivery.md 6.1).
_WORTH = {
    Purpose.REMINDER: timedelta(minutes=10),
    Purpose.STAND_DOWN: timedelta(minutes=60),
    Purpose.NOTICE: timedelta(minutes=60),
    Purpose.CONFIRM: timedelta(minutes=5),
    Purpose.CLARIFY: timedelta(minutes=5),
    Purpose.TEST: timedelta(minutes=60),
    Purpose.VERIFY_NUMBER: timedelta(minutes=10),
    Purpose.CHECK_IN: timedelta(minutes=10),
    Purpose.ALARM: timedelta(minutes=60),
}
#: Behind the messages of every priority.
LAST = len(Priority)
#: Degrees of danger, the highest first. No message has another.
RANKS = (*due.RANKS, LAST)
#: Why a text was never sent: landlines read it aloud to whoever answers, and some numbers cost a fortune.
NOT_A_MOBILE = "not_a_mobile"
#: Why a text or call was not needed any more: the same was said anew.
REPEATED = "repeated"
#: What the keys of messages begin with that tell two people whether they go together.
ABOUT_COMPANION = "companion:"


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
    way: str = "",
    expires_at: datetime | None = None,
    offer_id: str | None = None,
    notice_id: str | None = None,
    is_new: bool = False,
    report_recorded_at: datetime | None = None,
    rank: int | None = None,
) -> None:
    """Put one message in the outbox. `is_new` says that its key cannot have been used before.

    It goes out with the rank of its incident's priority, unless another is given. Texts go to UK mobiles
    alone: one to any other number is on record as failed and never sent.
    """
    usual = incident.priority.rank if incident else 4
    if not is_new and tx.execute(_of_key(key)).first():
        return
    is_text = channel is MessageChannel.SMS
    refused = is_text and not is_uk_mobile(to_number)
    tx.add(
        MessageRow,
        id=tx.ids.uuid(),
        dedupe_key=key,
        incident_id=incident.id if incident else None,
        offer_id=offer_id,
        notice_id=notice_id,
        purpose=purpose,
        channel=channel,
        way=way,
        to_number=to_number,
        recipient=recipient,
        body=normalise(body) if is_text else body,
        replaced=foreign(body) if is_text else 0,
        rank=usual if rank is None else rank,
        created_at=tx.now,
        expires_at=expires_at or tx.now + _WORTH[purpose],
        report_recorded_at=report_recorded_at,
        **(
            {"state": MessageState.FAILED, "reason": NOT_A_MOBILE, "settled_at": tx.now}
            if refused
            else {"next_attempt_at": tx.real}
        ),
    )
    tx.wake("send")


@once
def _of_key(key: str) -> Executable:
    return select(col(MessageRow.id)).where(col(MessageRow.dedupe_key) == key)


def rerank(tx: Tx, incident_id: str, rank: int) -> None:
    """An incident became more urgent: what waits of it goes before what is less so; what is last stays so."""
    tx.execute(_rerank(incident_id, rank))


@once
def _rerank(incident_id: str, rank: int) -> Update:
    return (
        update(MessageRow)
        .where(
            col(MessageRow.incident_id) == incident_id,
            col(MessageRow.state).in_(READY),
            col(MessageRow.rank) > rank,
            col(MessageRow.rank) < LAST,
        )
        .values(rank=rank)
    )


def cancel_unsent(tx: Tx, *, offer_id: str, why: str) -> None:
    """What asks about an offer and has not left yet will not: the case has overtaken it.

    That somebody must not go, or goes on under another number, is still told.

    What may have left cannot be called back: should it turn out that it went, the person is told
    (steps.messages).
    """
    wanted = (col(MessageRow.offer_id) == offer_id, col(MessageRow.purpose) != Purpose.STAND_DOWN)
    _cancel_ready(tx, why, *wanted)
    tx.execute(
        update(MessageRow)
        .where(*wanted, col(MessageRow.state).in_(ON_THE_WAY))
        .values(cancel_requested=why[:20])
    )


def cancel_repeated(tx: Tx, *, notice_id: str, channel: MessageChannel, recipient: str, by_key: str) -> None:
    """What has not left yet of a notice or alarm will not: it is said to the same person anew, by that key.

    While a line is down it would be said again and again, and leave all at once when that is mended.
    """
    _cancel_ready(
        tx,
        REPEATED,
        col(MessageRow.notice_id) == notice_id,
        col(MessageRow.channel) == channel,
        col(MessageRow.recipient) == recipient,
        col(MessageRow.dedupe_key) != by_key,
    )


def _cancel_ready(tx: Tx, why: str, *which: ColumnElement[bool]) -> None:
    tx.execute(
        update(MessageRow)
        .where(*which, IS_READY)
        .values(
            state=MessageState.CANCELLED,
            reason=why[:60],
            held=None,
            next_attempt_at=None,
            settled_at=tx.now,
            cancel_requested=why[:20],
        )
    )
