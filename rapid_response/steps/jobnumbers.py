"""Job numbers: four digits that responders text back, unique over the service while live and 72 hours after.

2400 to 9999, so that one can never be read as a clock time, a year or a service number; five digits when
fewer than 50 of those are free (design.md 9, delivery.md 9.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Executable, bindparam, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col

from rapid_response.storage.once import Filled, once
from rapid_response.storage.tables import JobNumberRow
from rapid_response.storage.tx import Tx

QUARANTINE = timedelta(hours=72)
_RANGES = ((2400, 9999), (10000, 99999), (100000, 999999))
_FEWEST_FREE = 50
#: So many numbers are looked at first, and when so many of them are free, nobody need count all that are not:
#: were fewer than 50 of 7,600 free, that would be seen once in twenty million times.
_LOOKED_AT, _ENOUGH = 16, 5


def issue(tx: Tx, incident_id: str) -> int:
    """A free number, now this incident's."""
    for low, high in _RANGES:
        some = _spread(low, high, tx.ids.below(high - low + 1))
        busy = set(tx.read(_busy_among(some, tx.now)).scalars())
        free = [number for number in some if number not in busy]
        if len(free) < _ENOUGH and _count_free(tx, low, high) < _FEWEST_FREE:
            continue
        # With at least 50 free this ends: another node may only be quicker on single numbers.
        for number in chain(free, _at_random(tx, low, high)):
            if _take(tx, number, incident_id):
                return number
    raise RuntimeError("no job number is free")


def _spread(low: int, high: int, begin: int) -> list[int]:
    """Some of the numbers, `begin` being the place of the first, the others at equal distances from it."""
    count = high - low + 1
    return [low + (begin + n * count // _LOOKED_AT) % count for n in range(_LOOKED_AT)]


def _at_random(tx: Tx, low: int, high: int) -> Iterator[int]:
    while True:
        yield low + tx.ids.below(high - low + 1)


def _count_free(tx: Tx, low: int, high: int) -> int:
    busy: int = tx.read(_count_busy(low, high, tx.now)).scalar_one()
    return high - low + 1 - busy


@once
def _busy_among(numbers: Sequence[int], now: datetime) -> Executable:
    return select(col(JobNumberRow.number)).where(col(JobNumberRow.number).in_(numbers), _is_busy(now))


@once
def _count_busy(low: int, high: int, now: datetime) -> Executable:
    of_range = col(JobNumberRow.number).between(low, high)
    return select(func.count()).select_from(JobNumberRow).where(of_range, _is_busy(now))


def _is_busy(now: Any) -> ColumnElement[bool]:
    return or_(col(JobNumberRow.free_from).is_(None), col(JobNumberRow.free_from) > now)


_TAKE = {
    is_sqlite: Filled(
        make(JobNumberRow)
        .values(
            number=bindparam("n"),
            incident_id=bindparam("incident"),
            issued_at=bindparam("now"),
            free_from=None,
        )
        .on_conflict_do_update(
            index_elements=[col(JobNumberRow.number)],
            set_={"incident_id": bindparam("incident"), "issued_at": bindparam("now"), "free_from": None},
            where=~_is_busy(bindparam("now")),
        )
        .returning(col(JobNumberRow.number))
    )
    for is_sqlite, make in ((True, sqlite.insert), (False, postgresql.insert))
}


def _take(tx: Tx, number: int, incident_id: str) -> bool:
    """Take a number that is free, whoever else tries at the same moment."""
    taken = tx.read(_TAKE[tx.is_sqlite].given({"n": number, "incident": incident_id, "now": tx.now}))
    return taken.first() is not None


def retire(tx: Tx, number: int | None) -> None:
    """The job is over: its number rests, so that a late reply cannot hit another."""
    if number is not None:
        tx.execute(
            update(JobNumberRow)
            .where(col(JobNumberRow.number) == number)
            .values(free_from=tx.now + QUARANTINE)
        )
