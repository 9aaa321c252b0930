"""What we learn of numbers: that they work, that they may be dead, that their owner stopped our texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Executable, func, select
from sqlmodel import col

from rapid_response.core import events as happened
from rapid_response.core.states import EndpointState, MessageChannel
from rapid_response.storage.once import once
from rapid_response.storage.tables import AttemptRow, EndpointRow, MessageRow
from rapid_response.storage.tx import Tx

#: Phones that were off so often in so long may be nobody's any more.
_OFF_OFTEN, _WITHIN = 3, timedelta(days=7)
#: Why a number is suspect of which somebody says that it is a wrong one: that texts arrive mends nothing.
WRONG_NUMBER = "wrong_number"
#: How often it is written down again that a number works.
_CONFIRMED_ANEW_AFTER = timedelta(hours=12)


def get(tx: Tx, number: str, channel: MessageChannel) -> EndpointRow | None:
    """What is known of a number, if anything."""
    return tx.get(EndpointRow, (number, channel))


def known(tx: Tx, numbers: Iterable[str]) -> Mapping[tuple[str, MessageChannel], EndpointState]:
    """The states of some numbers; one of which nothing is known is active."""
    rows = tx.read(_of_numbers(list(numbers)))
    return {(row.number, row.channel): EndpointState(row.state) for row in rows}


@once
def _of_numbers(numbers: Sequence[str]) -> Executable:
    return select(col(EndpointRow.number), col(EndpointRow.channel), col(EndpointRow.state)).where(
        col(EndpointRow.number).in_(numbers)
    )


def has_opted_out(tx: Tx, number: str) -> bool:
    """Whether the carrier stops our texts to that number."""
    row = get(tx, number, MessageChannel.SMS)
    return row is not None and row.state == EndpointState.OPTED_OUT


def become(tx: Tx, number: str, channel: MessageChannel, state: EndpointState, why: str, whose: str) -> bool:
    """Write down what is known now; False when it was known. `whose` goes on record, the number does not."""
    row = get(tx, number, channel)
    if row is None:
        if state is EndpointState.ACTIVE:
            return False
        tx.add(EndpointRow, number=number, channel=channel, state=state.value, since=tx.now, why=why[:20])
    elif row.state == state:
        return False
    else:
        row.state, row.since, row.why = state.value, tx.now, why[:20]
    tx.record(happened.SERVICE_STREAM, happened.EndpointChanged(whose, channel, state, why))
    return True


def arrived(tx: Tx, message: MessageRow) -> None:
    """Something was delivered, or a call was answered: the number works."""
    row = get(tx, message.to_number, message.channel)
    if row is None:
        tx.add(
            EndpointRow,
            number=message.to_number,
            channel=message.channel,
            state=EndpointState.ACTIVE.value,
            since=tx.now,
            confirmed_at=tx.now,
        )
        return
    if row.confirmed_at is None or tx.now - row.confirmed_at > _CONFIRMED_ANEW_AFTER:
        row.confirmed_at = tx.now
    if row.state == EndpointState.SUSPECT and row.why != WRONG_NUMBER:
        become(tx, row.number, row.channel, EndpointState.ACTIVE, "delivered", message.recipient)


def failed(tx: Tx, message: MessageRow, error_class: str) -> EndpointState | None:
    """A failure may say something of the number itself; gives the state that is new."""
    wanted = _after_failure(tx, message, error_class)
    if wanted is None:
        return None
    row = get(tx, message.to_number, message.channel)
    if row is not None and row.state == EndpointState.OPTED_OUT:
        return None
    is_new = become(tx, message.to_number, message.channel, wanted, error_class, message.recipient)
    return wanted if is_new else None


def _after_failure(tx: Tx, message: MessageRow, error_class: str) -> EndpointState | None:
    if error_class == "opted_out" and message.channel is MessageChannel.SMS:
        return EndpointState.OPTED_OUT
    if error_class == "bad_destination":
        return EndpointState.SUSPECT
    if error_class == "handset" and _was_off_often(tx, message.to_number):
        return EndpointState.SUSPECT
    return None


def _was_off_often(tx: Tx, number: str) -> bool:
    times = tx.execute(
        select(func.count())
        .select_from(AttemptRow)
        .join(MessageRow, col(MessageRow.id) == col(AttemptRow.message_id))
        .where(
            col(MessageRow.to_number) == number,
            col(AttemptRow.error_class) == "handset",
            col(AttemptRow.claimed_at) > tx.real - _WITHIN,
        )
    ).scalar_one()
    return bool(times >= _OFF_OFTEN)
