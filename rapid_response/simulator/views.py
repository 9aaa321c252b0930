"""What the phones show: for the contract's calls, for the page, and for the gateway's look-ups."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select
from sqlmodel import col

from rapid_response.simulator import faults
from rapid_response.simulator.tables import Direction, SimCallRow, SimPostRow, SimTextRow
from rapid_response.storage.once import Filled
from rapid_response.storage.tx import read_from

#: The page shows what is recent; everything stays in the tables.
_RECENT_TEXTS = 400
_RECENT_CALLS = 100

_TEXT = [
    col(SimTextRow.sid),
    col(SimTextRow.direction),
    col(SimTextRow.from_number),
    col(SimTextRow.to_number),
    col(SimTextRow.body),
    col(SimTextRow.at),
    col(SimTextRow.status),
    col(SimTextRow.error_code),
]
_CALL = [
    col(SimCallRow.sid),
    col(SimCallRow.direction),
    col(SimCallRow.from_number),
    col(SimCallRow.to_number),
    col(SimCallRow.at),
    col(SimCallRow.status),
    col(SimCallRow.prompt),
    col(SimCallRow.digits),
    col(SimCallRow.waiting),
    col(SimCallRow.ended_at),
]


@dataclass(frozen=True, slots=True)
class Text:
    """A text in a phone's thread; `to_phone` when the service sent it."""

    sid: str
    to_phone: bool
    body: str
    at: datetime
    status: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a phone; `prompt` is what was last said, `waiting` that a key is expected."""

    sid: str
    to_phone: bool
    at: datetime
    status: str
    prompt: str
    digits: str
    waiting: bool
    ended_at: datetime | None

    @property
    def ringing(self) -> bool:
        """Whether the phone rings now."""
        return self.to_phone and self.ended_at is None and self.status != "in-progress"


@dataclass(slots=True)
class Thread:
    """One phone: its texts oldest first, its calls newest first, and what was made to fail."""

    number: str
    texts: list[Text] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    phone_off: bool = False
    no_receipts: bool = False

    @property
    def live_call(self) -> Call | None:
        """The call that rings or is held now."""
        return next((call for call in self.calls if call.ended_at is None), None)


@dataclass(frozen=True, slots=True)
class Sent:
    """A text or call the network took from the service, as it lists it; a call has no body."""

    sid: str
    to_number: str
    body: str
    status: str
    created_at: datetime
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class Come:
    """A text that a phone sent to the service, as the network lists it."""

    sid: str
    from_number: str
    to_number: str
    body: str
    sent_at: datetime


def messages(connection: Connection, to_number: str | None) -> list[dict[str, str]]:
    """What the service sent, oldest first."""
    sent = _SENT if to_number is None else _SENT_TO
    return [
        {
            "id": row.sid,
            "to": row.to_number,
            "body": row.body,
            "at": row.at.isoformat(),
            "status": row.status,
        }
        for row in connection.execute(sent, {"to": to_number})
    ]


_SENT = (
    select(*_TEXT)
    .where(col(SimTextRow.direction) == Direction.OUTBOUND)
    .order_by(col(SimTextRow.at), col(SimTextRow.id))
)
_SENT_TO = _SENT.where(col(SimTextRow.to_number) == bindparam("to"))


def calls(connection: Connection, number: str | None) -> list[dict[str, Any]]:
    """All calls both ways, oldest first."""
    query = select(*_CALL)
    if number is not None:
        query = query.where(or_(col(SimCallRow.to_number) == number, col(SimCallRow.from_number) == number))
    return [
        {
            "id": row.sid,
            "direction": row.direction.value,
            "from": row.from_number,
            "to": row.to_number,
            "at": row.at.isoformat(),
            "status": row.status,
            "prompt": row.prompt,
            "digits": row.digits,
        }
        for row in connection.execute(query.order_by(col(SimCallRow.at), col(SimCallRow.id)))
    ]


def sent_since(connection: Connection, to_number: str, since: datetime) -> list[Sent]:
    """What was taken for a phone since a moment of domain time, newest first, as providers list it."""
    rows = connection.execute(
        select(*_TEXT)
        .where(
            col(SimTextRow.direction) == Direction.OUTBOUND,
            col(SimTextRow.to_number) == to_number,
            col(SimTextRow.at) >= since,
        )
        .order_by(col(SimTextRow.at).desc(), col(SimTextRow.id).desc())
    )
    return [_sent_text(row) for row in rows]


def _sent_text(row: Any) -> Sent:
    return Sent(row.sid, row.to_number, row.body, row.status, row.at, row.error_code)


def sent(connection: Connection, sid: str) -> Sent | None:
    """One text or call from the service."""
    text = connection.execute(
        select(*_TEXT).where(col(SimTextRow.sid) == sid, col(SimTextRow.direction) == Direction.OUTBOUND)
    ).first()
    if text is not None:
        return _sent_text(text)
    call = connection.execute(
        select(*_CALL).where(col(SimCallRow.sid) == sid, col(SimCallRow.direction) == Direction.OUTBOUND)
    ).first()
    return Sent(call.sid, call.to_number, "", call.status, call.at) if call is not None else None


def come_since(connection: Connection, to_number: str, since: datetime) -> list[Come]:
    """What phones sent to a number of the service since a moment of domain time, newest first."""
    rows = connection.execute(
        select(*_TEXT)
        .where(
            col(SimTextRow.direction) == Direction.INBOUND,
            col(SimTextRow.to_number) == to_number,
            col(SimTextRow.at) >= since,
        )
        .order_by(col(SimTextRow.at).desc(), col(SimTextRow.id).desc())
    )
    return [Come(row.sid, row.from_number, row.to_number, row.body, row.at) for row in rows]


def threads(connection: Connection) -> list[Thread]:
    """Every phone that lately had a text or a call, the most recently used first."""
    found: dict[str, Thread] = {}
    newest: dict[str, datetime] = {}

    def phone(row: Any) -> tuple[Thread, bool]:
        to_phone = row.direction is Direction.OUTBOUND
        number = row.to_number if to_phone else row.from_number
        newest[number] = max(newest.get(number, row.at), row.at)
        return found.setdefault(number, Thread(number)), to_phone

    for row in connection.execute(select(*_TEXT).order_by(col(SimTextRow.id).desc()).limit(_RECENT_TEXTS)):
        thread, to_phone = phone(row)
        thread.texts.insert(0, Text(row.sid, to_phone, row.body, row.at, row.status))
    for row in connection.execute(select(*_CALL).order_by(col(SimCallRow.id).desc()).limit(_RECENT_CALLS)):
        thread, to_phone = phone(row)
        thread.calls.append(
            Call(row.sid, to_phone, row.at, row.status, row.prompt, row.digits, row.waiting, row.ended_at)
        )
    for number, failing in faults.listed(connection).items():
        if number in found:
            found[number].phone_off = failing["phone_off"]
            found[number].no_receipts = failing["no_receipts"]
    return sorted(found.values(), key=lambda thread: newest[thread.number], reverse=True)


def told(connection: Connection, sid: str) -> list[tuple[str, dict[str, str]]]:
    """The webhooks already posted about a text or a call, in their order."""
    rows = connection.execute(
        select(col(SimPostRow.path), col(SimPostRow.form))
        .where(col(SimPostRow.sid) == sid, col(SimPostRow.answer).is_not(None))
        .order_by(col(SimPostRow.id))
    )
    return [(row.path, row.form) for row in rows]


def next_due(connection: Connection) -> datetime | None:
    """When, in real time, the next webhook is to be posted."""
    found: datetime | None = read_from(connection, _NEXT_DUE).scalar()
    return found


_NEXT_DUE = Filled(select(func.min(col(SimPostRow.due_at))).where(col(SimPostRow.done_at).is_(None)))
