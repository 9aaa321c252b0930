"""The ways out, as rows that all nodes share: how fast texts may go, and whether a provider is down.

The row of a line is locked after the messages that want to go over it, never before (design.md 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Executable, select, update
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.core import events as happened
from rapid_response.core.states import READY, MessageChannel
from rapid_response.messaging import breaker, pace
from rapid_response.messaging.breaker import Breaker, Gate, Heard
from rapid_response.steps.desk import Desk
from rapid_response.storage.once import once
from rapid_response.storage.tables import LineRow, MessageRow
from rapid_response.storage.tx import Tx

#: Waits for the line to be mended.
HELD_BY_LINE = "line"


def name_of(provider: str, channel: MessageChannel) -> str:
    """The name of a line."""
    return f"{provider}/{channel.value}"


def line(tx: Tx, desk: Desk, channel: MessageChannel) -> LineRow:
    """The row of a line, locked; made when it is first used."""
    name = name_of(desk.provider, channel)
    found = tx.get(LineRow, name, lock=True)
    if found is None:
        tx.add(LineRow, name=name, provider=desk.provider, channel=channel)
        found = tx.need(LineRow, name, lock=True)
    return found


def breaker_of(row: LineRow) -> Breaker:
    """Its breaker, as the rule sees it."""
    why = Heard(row.why) if row.why else None
    return Breaker(row.failures, why, row.opened_at, row.retry_at, row.trips)


@dataclass(slots=True)
class Allowance:
    """What may go over a line in this pass; spent as messages are claimed."""

    row: LineRow
    gate: Gate
    tokens: float
    is_paced: bool

    @property
    def blocked_until(self) -> datetime | None:
        """When a line that is down is tried again; None when something may go."""
        return self.row.retry_at if self.gate is Gate.OPEN else None

    @property
    def may_send(self) -> bool:
        """Whether one more may go now."""
        return self.gate is not Gate.OPEN and (not self.is_paced or self.tokens >= pace.ONE)


def allowance(tx: Tx, desk: Desk, channel: MessageChannel) -> Allowance:
    """What may go over a line now."""
    row = line(tx, desk, channel)
    gate = breaker_of(row).gate(tx.real)
    is_paced = channel is MessageChannel.SMS
    tokens = pace.filled(row.tokens, row.filled_at, desk.texts_per_second, tx.real) if is_paced else 0.0
    return Allowance(row, gate, tokens, is_paced)


def spend(tx: Tx, desk: Desk, left: Allowance, lease: timedelta) -> None:
    """One message goes. Half open, it is the only one until it is answered or its lease ends."""
    row = left.row
    if left.is_paced:
        left.tokens -= 1.0
        row.tokens, row.filled_at = left.tokens, tx.real
        _count_today(tx, desk, row)
    if left.gate is Gate.HALF_OPEN:
        _write(row, breaker_of(row).trying(tx.real + lease))
        left.gate = Gate.OPEN


def _count_today(tx: Tx, desk: Desk, row: LineRow) -> None:
    """Texts of this local day; beyond the cap an alarm is raised, once, and nothing is dropped."""
    today = tx.now.astimezone(desk.zone).date().isoformat()
    row.sent_today = row.sent_today + 1 if row.day == today else 1
    row.day = today
    if row.sent_today > desk.texts_a_day and row.alarmed_for != today:
        row.alarmed_for = today
        tx.record(happened.SERVICE_STREAM, happened.TextsOverCap(row.provider, desk.texts_a_day))


def is_over_cap(tx: Tx, desk: Desk) -> bool:
    """Whether more texts went out today than a day should need: answers that nobody waits for can stop."""
    row = _glance(tx, desk, MessageChannel.SMS)
    today = tx.now.astimezone(desk.zone).date().isoformat()
    return bool(row is not None and row.day == today and row.sent_today > desk.texts_a_day)


def hear(tx: Tx, desk: Desk, channel: MessageChannel, what: Heard, asked_at: datetime) -> None:
    """Fold an outcome into the line's breaker. An account that is refused closes all of its lines."""
    if what is not Heard.ACCOUNT and _says_nothing(tx, desk, channel, what):
        return
    channels = tuple(MessageChannel) if what is Heard.ACCOUNT else (channel,)
    for each in sorted(channels):
        row = line(tx, desk, each)
        before = breaker_of(row)
        now = breaker.after(before, what, asked_at, tx.real)
        if now == before:
            continue
        _write(row, now)
        if now.opened_at is not None and before.opened_at is None:
            tx.record(happened.SERVICE_STREAM, happened.LineDown(row.provider, each, now.why or what))
        if now.opened_at is None and before.opened_at is not None:
            tx.record(happened.SERVICE_STREAM, happened.LineMended(row.provider, each))
            _let_go(tx, each)


def _says_nothing(tx: Tx, desk: Desk, channel: MessageChannel, what: Heard) -> bool:
    """Nearly always: a line that is up, and goes on being up, is not locked for it."""
    if what not in (Heard.TAKEN, Heard.ANSWERED, Heard.BUSY):
        return False
    row = _glance(tx, desk, channel)
    return row is None or (row.failures == 0 and row.opened_at is None)


def _glance(tx: Tx, desk: Desk, channel: MessageChannel) -> Any:
    """A line's row as it is, unlocked; not kept, so that whoever locks it afterwards reads it anew."""
    return tx.read(_line_at_a_glance(name_of(desk.provider, channel))).first()


@once
def _line_at_a_glance(name: str) -> Executable:
    return select(
        col(LineRow.failures),
        col(LineRow.opened_at),
        col(LineRow.day),
        col(LineRow.sent_today),
        col(LineRow.delays),
    ).where(col(LineRow.name) == name)


def _write(row: LineRow, now: Breaker) -> None:
    row.failures, row.why = now.failures, now.why.value if now.why else None
    row.opened_at, row.retry_at, row.trips = now.opened_at, now.retry_at, now.trips


def _let_go(tx: Tx, channel: MessageChannel) -> None:
    """What waited for the line goes now: most dangerous first, and looked at again before it is sent."""
    tx.execute(
        update(MessageRow)
        .where(
            col(MessageRow.next_attempt_at).is_not(None),
            col(MessageRow.held) == HELD_BY_LINE,
            col(MessageRow.channel) == channel,
            # Not what is over: nobody would ever look at it again, and the auditor would see it wait.
            col(MessageRow.state).in_(READY),
        )
        .values(held=None, next_attempt_at=tx.real)
    )
    tx.wake("send")


def took(tx: Tx, desk: Desk, channel: MessageChannel, seconds: float) -> None:
    """How long an offer took from acceptance to delivery: kept for the last ten.

    Nearly always they are quick, and one quick one more says nothing new: the row, which every sender needs,
    is not locked for it.
    """
    seen = _glance(tx, desk, channel)
    if seen is not None and breaker.stays_quick(seen.delays, seconds):
        return
    row = line(tx, desk, channel)
    row.delays = [*row.delays, round(seconds, 1)][-breaker.DELAYS_KEPT :]


def is_slow(tx: Tx, desk: Desk) -> bool:
    """Whether texts arrive late these days, so that calls are made earlier."""
    row = _glance(tx, desk, MessageChannel.SMS)
    return row is not None and breaker.is_slow(row.delays)


def down(tx: Tx) -> list[LineRow]:
    """The lines that are down, for those who are shown them."""
    return list(
        tx.all(typed_select(LineRow).where(col(LineRow.opened_at).is_not(None)).order_by(col(LineRow.name)))
    )
