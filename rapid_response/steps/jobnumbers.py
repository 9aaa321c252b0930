"""Job numbers: four digits that responders text back, unique over the service while live and 72 hours after.

2400 to 9999, so that one can never be read as a clock time, a year or a service number; five digits when
fewer than 50 of those are free (design.md 9, delivery.md 9.1).
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col

from rapid_response.storage.once import Filled
from rapid_response.storage.tables import JobNumberRow
from rapid_response.storage.tx import Tx

QUARANTINE = timedelta(hours=72)
_RANGES = ((2400, 9999), (10000, 99999), (100000, 999999))
_FEWEST_FREE = 50


def issue(tx: Tx, incident_id: str) -> int:
    """A free number, now this incident's."""
    for low, high in _RANGES:
        busy = tx.read(_BUSY.given({"low": low, "high": high, "now": tx.now})).scalar_one()
        if high - low + 1 - busy < _FEWEST_FREE:
            continue
        # With at least 50 free this ends: another node may only be quicker on single numbers.
        while True:
            number = low + tx.ids.below(high - low + 1)
            if _take(tx, number, incident_id):
                return number
    raise RuntimeError("no job number is free")


_FREE = and_(col(JobNumberRow.free_from).is_not(None), col(JobNumberRow.free_from) <= bindparam("now"))
_BUSY = Filled(
    select(func.count())
    .select_from(JobNumberRow)
    .where(
        col(JobNumberRow.number).between(bindparam("low"), bindparam("high")),
        or_(col(JobNumberRow.free_from).is_(None), col(JobNumberRow.free_from) > bindparam("now")),
    )
)
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
            where=_FREE,
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
