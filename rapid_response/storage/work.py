"""Work that waits in rows: arming it, claiming it under a lease, settling it once.

A claim is a committed lease with a fence, never a lock held while working (reliability.md 2). Leases and
back-off run in real time; what is due is due in domain time. A claim that dies with its process is free
again when its lease ends, and counts as an attempt: work that keeps failing is parked and shown, and never
stands in the way of other work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Update,
    and_,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel import select as typed_select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core.clock import latest
from rapid_response.storage.columns import is_over, seconds_between
from rapid_response.storage.due import RANKS, first_due, first_id, is_pending
from rapid_response.storage.once import Filled, once
from rapid_response.storage.tables import AgendaRow, DeliveryRow, EventRow
from rapid_response.storage.tx import Tx

LEASE = timedelta(seconds=30)
#: Waits before the second, third … attempt; after the last the work is parked.
_BACK_OFF = (
    timedelta(seconds=1),
    timedelta(seconds=5),
    timedelta(seconds=20),
    timedelta(seconds=60),
)
#: Nothing is leased, or waits for its back-off, for longer.
_LONGEST = max(LEASE, *_BACK_OFF)


def retry_after(attempts: int) -> timedelta | None:
    """How long to wait after the `attempts`-th failure; None parks the work."""
    return _BACK_OFF[attempts - 1] if attempts <= len(_BACK_OFF) else None


@dataclass(frozen=True, slots=True)
class Due:
    """A claimed agenda row."""

    id: int
    incident_id: str
    kind: str
    subject: str
    cycle: int
    due_at: datetime
    fence: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A claimed delivery."""

    id: int
    stream: str
    seq: int
    subscription: str
    fence: int
    attempts: int


class Entry(Protocol):
    """Something to arm; `subject` tells several of one kind apart."""

    @property
    def kind(self) -> str: ...

    @property
    def due_at(self) -> datetime: ...

    @property
    def subject(self) -> str: ...


def arm(tx: Tx, incident_id: str, cycle: int, rank: int, entries: Iterable[Entry]) -> None:
    """Put entries on the agenda; unique by (incident, kind, subject, cycle)."""
    soonest: datetime | None = None
    for entry in entries:
        soonest = min(soonest, entry.due_at) if soonest else entry.due_at
        tx.add(
            AgendaRow,
            incident_id=incident_id,
            kind=str(entry.kind),
            subject=entry.subject,
            cycle=cycle,
            due_at=entry.due_at,
            rank=rank,
        )
    if soonest is not None and soonest <= tx.now:
        tx.wake("ring")


def disarm(
    tx: Tx,
    incident_id: str,
    kinds: Sequence[str],
    outcome: str,
    subject: str | None = None,
    subjects: Sequence[str] | None = None,
) -> None:
    """Settle what is still pending of those kinds: it will not happen, and `outcome` says why.

    Of what is parked nobody need do anything any more either.
    """
    if subject is not None:
        subjects = [subject]
    if subjects is None:
        tx.execute(_disarm(incident_id, kinds, tx.now, outcome))
    else:
        tx.execute(_disarm_subjects(incident_id, kinds, tx.now, outcome, subjects))


@once
def _disarm(incident_id: str, kinds: Sequence[str], now: datetime, outcome: str) -> Update:
    return (
        update(AgendaRow)
        .where(
            col(AgendaRow.incident_id) == incident_id,
            col(AgendaRow.kind).in_(kinds),
            col(AgendaRow.settled_at).is_(None),
        )
        .values(settled_at=now, outcome=outcome, parked_at=None)
    )


@once
def _disarm_subjects(
    incident_id: str, kinds: Sequence[str], now: datetime, outcome: str, subjects: Sequence[str]
) -> Update:
    return (
        update(AgendaRow)
        .where(
            col(AgendaRow.incident_id) == incident_id,
            col(AgendaRow.kind).in_(kinds),
            col(AgendaRow.settled_at).is_(None),
            col(AgendaRow.subject).in_(subjects),
        )
        .values(settled_at=now, outcome=outcome, parked_at=None)
    )


def hasten(tx: Tx, incident_id: str, kind: str, subject: str) -> None:
    """An entry that is still to come falls due now."""
    tx.execute(_hasten(incident_id, kind, subject, tx.now))
    tx.wake("ring")


@once
def _hasten(incident_id: str, kind: str, subject: str, now: datetime) -> Update:
    return (
        update(AgendaRow)
        .where(
            col(AgendaRow.incident_id) == incident_id,
            col(AgendaRow.kind) == kind,
            col(AgendaRow.subject) == subject,
            col(AgendaRow.settled_at).is_(None),
            col(AgendaRow.due_at) > now,
        )
        .values(due_at=now)
    )


def rerank(tx: Tx, incident_id: str, rank: int) -> None:
    """An incident became more urgent: what is still to come of it is done before what is less so."""
    tx.execute(_rerank(incident_id, rank))


@once
def _rerank(incident_id: str, rank: int) -> Update:
    return (
        update(AgendaRow)
        .where(
            col(AgendaRow.incident_id) == incident_id,
            col(AgendaRow.settled_at).is_(None),
            col(AgendaRow.rank) > rank,
        )
        .values(rank=rank)
    )


def pending(tx: Tx, incident_id: str, kinds: Sequence[str]) -> Sequence[AgendaRow]:
    """What of those kinds is still to come, soonest first."""
    return tx.all(_pending(incident_id, kinds))


@once
def _pending(incident_id: str, kinds: Sequence[str]) -> SelectOfScalar[AgendaRow]:
    return (
        typed_select(AgendaRow)
        .where(
            col(AgendaRow.incident_id) == incident_id,
            col(AgendaRow.kind).in_(kinds),
            col(AgendaRow.settled_at).is_(None),
        )
        .order_by(col(AgendaRow.due_at), col(AgendaRow.id))
    )


def disarmed(
    tx: Tx, incident_id: str, kinds: Sequence[str], outcome: str, at: datetime
) -> Sequence[AgendaRow]:
    """What of those kinds was taken off the agenda at that moment, for that reason."""
    return tx.all(_disarmed(incident_id, kinds, outcome, at))


@once
def _disarmed(
    incident_id: str, kinds: Sequence[str], outcome: str, at: datetime
) -> SelectOfScalar[AgendaRow]:
    return (
        typed_select(AgendaRow)
        .where(
            col(AgendaRow.incident_id) == incident_id,
            col(AgendaRow.kind).in_(kinds),
            col(AgendaRow.outcome) == outcome,
            col(AgendaRow.settled_at) == at,
        )
        .order_by(col(AgendaRow.due_at), col(AgendaRow.id))
    )


def awaited(tx: Tx, incident_ids: Sequence[str]) -> set[str]:
    """The incidents of these of which anything at all is still to come."""
    return set(tx.execute(_awaited(incident_ids)).scalars())


@once
def _awaited(incident_ids: Sequence[str]) -> Executable:
    return (
        select(col(AgendaRow.incident_id))
        .distinct()
        .where(
            col(AgendaRow.incident_id).in_(incident_ids),
            col(AgendaRow.settled_at).is_(None),
            col(AgendaRow.parked_at).is_(None),
        )
    )


def next_cycle(tx: Tx, incident_id: str, entry: Entry) -> int:
    """In which such an entry can be armed: an earlier one may still hold its place, settled or not."""
    used: int | None = tx.execute(_last_cycle(incident_id, str(entry.kind), entry.subject)).scalar()
    return 1 if used is None else used + 1


@once
def _last_cycle(incident_id: str, kind: str, subject: str) -> Executable:
    return select(func.max(col(AgendaRow.cycle))).where(
        col(AgendaRow.incident_id) == incident_id,
        col(AgendaRow.kind) == kind,
        col(AgendaRow.subject) == subject,
    )


def take_off(tx: Tx, incident_id: str, kinds: Sequence[str]) -> None:
    """What is still to come of those kinds, as if it had never been armed."""
    tx.execute(
        delete(AgendaRow).where(
            col(AgendaRow.incident_id) == incident_id,
            col(AgendaRow.kind).in_(kinds),
            col(AgendaRow.due_at) > tx.now,
            *is_pending(),
        )
    )


def stands(tx: Tx, incident_id: str, kind: str, subject: str) -> bool:
    """Whether such an entry was ever armed, settled or not."""
    return tx.execute(_stands(incident_id, str(kind), subject)).first() is not None


@once
def _stands(incident_id: str, kind: str, subject: str) -> Executable:
    return select(col(AgendaRow.id)).where(
        col(AgendaRow.incident_id) == incident_id,
        col(AgendaRow.kind) == kind,
        col(AgendaRow.subject) == subject,
    )


def claim_due(tx: Tx, limit: int = 150, kinds: Sequence[str] | None = None) -> list[Due]:
    """Lease up to `limit` due entries, of `kinds` or all: most dangerous first, then longest overdue.

    Degree by degree, as each is then the beginning of one index: to order all that is due takes as long as
    there is of it, and after an outage there is much.
    """
    at = (tx.now, tx.real, last_lease_ends(tx), tx.real + LEASE)
    found: list[Due] = []
    for rank in due_ranks(tx, kinds):
        left = limit - len(found)
        claiming = _claim(*at, rank, left) if kinds is None else _claim_kinds(*at, rank, left, kinds)
        claimed = [Due(*tuple(row)) for row in tx.execute(claiming).all()]
        found += sorted(claimed, key=lambda due: (due.due_at, due.id))
        if len(found) >= limit:
            break
    # What waits while all is held keeps nothing of the other kinds from being done.
    return _in_order(tx, found) if kinds is None else found


def _in_order(tx: Tx, claimed: Sequence[Due]) -> list[Due]:
    """Without what comes after work of the same case that another node has in hand: that is given back.

    Asked when the claim is made: two nodes that claim in the same moment do not see each other's before. What
    fell due first of one degree is claimed first, so whatever comes before these is with another; what has
    failed waits for its back-off, and is in nobody's way.
    """
    of_cases = [due.id for due in claimed if due.incident_id]
    given_back = set(tx.execute(_give_back(of_cases)).scalars()) if of_cases else set()
    return [due for due in claimed if due.id not in given_back]


@once
def _give_back(ids: Sequence[int]) -> Any:
    """Said so that each case is looked at by its own index: as a join, or by the index of what is due, all
    that is due would be gone through, for each of them."""
    earlier = aliased(AgendaRow)
    first = (
        select(func.min(col(earlier.due_at)))
        .where(
            col(earlier.incident_id) == col(AgendaRow.incident_id),
            col(earlier.rank) == col(AgendaRow.rank),
            func.coalesce(col(earlier.settled_at), col(earlier.parked_at)).is_(None),
            col(earlier.error).is_(None),
            col(earlier.id).not_in(ids),
        )
        .scalar_subquery()
    )
    return (
        update(AgendaRow)
        .where(col(AgendaRow.id).in_(ids), first < col(AgendaRow.due_at))
        .values(leased_until=None, attempts=col(AgendaRow.attempts) - 1)
        .returning(col(AgendaRow.id))
    )


def due_ranks(tx: Tx, kinds: Sequence[str] | None = None) -> list[int]:
    """The degrees of which anything is due that nobody has leased."""
    at = (tx.now, tx.real, last_lease_ends(tx))
    asking = _which(*at) if kinds is None else _which_of_kinds(*at, kinds)
    firsts: Sequence[int | None] = tx.execute(asking).one()
    return [rank for rank, first in zip(RANKS, firsts, strict=True) if first is not None]


@once
def _which(now: datetime, real: datetime, beyond: datetime) -> Executable:
    return select(*(first_id(AgendaRow, AgendaRow.due_at, *free(now, real, beyond, rank)) for rank in RANKS))


@once
def _which_of_kinds(now: datetime, real: datetime, beyond: datetime, kinds: Sequence[str]) -> Executable:
    of_kinds = col(AgendaRow.kind).in_(kinds)
    return select(
        *(first_id(AgendaRow, AgendaRow.due_at, *free(now, real, beyond, rank), of_kinds) for rank in RANKS)
    )


@once
def _claim(now: datetime, real: datetime, beyond: datetime, until: datetime, rank: int, limit: int) -> Any:
    return _claiming(free(now, real, beyond, rank), until, limit)


@once
def _claim_kinds(
    now: datetime,
    real: datetime,
    beyond: datetime,
    until: datetime,
    rank: int,
    limit: int,
    kinds: Sequence[str],
) -> Any:
    return _claiming((*free(now, real, beyond, rank), col(AgendaRow.kind).in_(kinds)), until, limit)


def free(now: datetime, real: datetime, beyond: datetime, rank: int) -> tuple[ColumnElement[bool], ...]:
    """Due, of that degree, and leased by nobody."""
    return (
        *is_pending(rank),
        col(AgendaRow.due_at) <= now,
        _is_unleased(AgendaRow, real, beyond),
    )


def last_lease_ends(tx: Tx) -> datetime:
    """No lease that is given now ends later: one that does is of a time that was taken back."""
    return latest(tx.real, _LONGEST)


def _is_unleased(
    table: type[AgendaRow] | type[DeliveryRow], real: datetime, beyond: datetime
) -> ColumnElement[bool]:
    return is_over(col(table.leased_until), real, beyond)


def _claiming(which: Iterable[ColumnElement[bool]], until: datetime, limit: int) -> Any:
    chosen = (
        select(col(AgendaRow.id))
        .where(*which)
        .order_by(col(AgendaRow.due_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (
        update(AgendaRow)
        .where(col(AgendaRow.id).in_(chosen.scalar_subquery()))
        .values(
            leased_until=until,
            fence=col(AgendaRow.fence) + 1,
            attempts=col(AgendaRow.attempts) + 1,
        )
        .returning(*(col(getattr(AgendaRow, kept.name)) for kept in fields(Due)))
    )


def settle(tx: Tx, due: Due, outcome: str) -> bool:
    """Settle a claimed entry in the step that does its work; False when another already did.

    Called after the incident is locked, so that two nodes cannot both see it unsettled.
    """
    return tx.execute(_settling(tx, due, outcome)).rowcount == 1


def _settling(tx: Tx, due: Due, outcome: str) -> Filled[Update]:
    late = max(0.0, (tx.now - due.due_at).total_seconds())
    return _settle(due.id, due.fence, tx.now, outcome, late)


@once
def _settle(row_id: int, fence: int, now: datetime, outcome: str, late: float) -> Update:
    return (
        update(AgendaRow)
        .where(
            col(AgendaRow.id) == row_id,
            col(AgendaRow.fence) == fence,
            col(AgendaRow.settled_at).is_(None),
        )
        .values(settled_at=now, outcome=outcome, late_seconds=late, leased_until=None)
    )


def settle_all(tx: Tx, entries: Sequence[Due], outcome: str) -> list[Due]:
    """As :func:`settle` for several, no two of one incident; those that nobody else had settled."""
    fences = {row.id: row.fence for row in tx.execute(_unsettled([due.id for due in entries]))}
    mine = [due for due in entries if fences.get(due.id) == due.fence]
    if mine:
        settling = [_settling(tx, due, outcome) for due in mine]
        tx.execute_many(settling[0], [one.values for one in settling])
    return mine


def put_away(tx: Tx, ids: Sequence[int], outcome: str) -> None:
    """Settle entries that nobody has claimed; their incidents are locked, so that nobody does their work."""
    tx.execute(_put_away(ids, tx.now, tx.real, last_lease_ends(tx), outcome))


@once
def _put_away(ids: Sequence[int], now: datetime, real: datetime, beyond: datetime, outcome: str) -> Update:
    free = _is_unleased(AgendaRow, real, beyond)
    return (
        update(AgendaRow)
        .where(col(AgendaRow.id).in_(ids), col(AgendaRow.settled_at).is_(None), free)
        .values(
            settled_at=now,
            outcome=outcome,
            late_seconds=seconds_between(col(AgendaRow.due_at), now),
            leased_until=None,
        )
    )


@once
def _unsettled(ids: Sequence[int]) -> Executable:
    return (
        select(col(AgendaRow.id), col(AgendaRow.fence))
        .where(col(AgendaRow.id).in_(ids), col(AgendaRow.settled_at).is_(None))
        .order_by(col(AgendaRow.id))
        .with_for_update()
    )


def claim_deliveries(tx: Tx, limit: int = 100) -> list[Waiting]:
    """Lease up to `limit` deliveries, oldest first."""
    rows = tx.execute(_claim_deliveries(tx.real, last_lease_ends(tx), tx.real + LEASE, limit)).all()
    return [
        Waiting(r.id, r.stream, r.seq, r.subscription, r.fence, r.attempts)
        for r in sorted(rows, key=lambda r: r.id)
    ]


@once
def _claim_deliveries(real: datetime, beyond: datetime, until: datetime, limit: int) -> Any:
    chosen = (
        select(col(DeliveryRow.id))
        .where(col(DeliveryRow.parked_at).is_(None), _is_unleased(DeliveryRow, real, beyond))
        .order_by(col(DeliveryRow.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (
        update(DeliveryRow)
        .where(col(DeliveryRow.id).in_(chosen.scalar_subquery()))
        .values(
            leased_until=until,
            fence=col(DeliveryRow.fence) + 1,
            attempts=col(DeliveryRow.attempts) + 1,
        )
        .returning(
            col(DeliveryRow.id),
            col(DeliveryRow.stream),
            col(DeliveryRow.seq),
            col(DeliveryRow.subscription),
            col(DeliveryRow.fence),
            col(DeliveryRow.attempts),
        )
    )


def last_waiting(connection: Connection) -> int | None:
    """The number of the newest delivery that is still to be heard; None where nothing waits."""
    newest: int | None = connection.execute(_last_waiting()).scalar()
    return newest


def waits_up_to(connection: Connection, delivery: int) -> bool:
    """Whether that delivery, or any before it, is still to be heard."""
    first: int | None = connection.execute(_first_waiting()).scalar()
    return first is not None and first <= delivery


def _first_waiting() -> Executable:
    return select(func.min(col(DeliveryRow.id))).where(col(DeliveryRow.parked_at).is_(None))


def _last_waiting() -> Executable:
    return select(func.max(col(DeliveryRow.id))).where(col(DeliveryRow.parked_at).is_(None))


def deliver(tx: Tx, waiting: Sequence[Waiting], handler: Callable[[Tx, Sequence[EventRow]], None]) -> None:
    """Let a subscription hear its events, and forget the deliveries in the same commit: its effect is once.

    Deliveries that another node took meanwhile are left out.
    """
    forgotten: set[int] = set()
    for fence in {w.fence for w in waiting}:
        claimed = [w.id for w in waiting if w.fence == fence]
        forgotten.update(tx.execute(_forget(claimed, fence)).scalars())
    mine = {(w.stream, w.seq) for w in waiting if w.id in forgotten}
    found = tx.all(_events(sorted({stream for stream, _ in mine}), sorted({seq for _, seq in mine})))
    heard = [event for event in found if (event.stream, event.seq) in mine]
    if heard:
        handler(tx, heard)


@once
def _forget(ids: Sequence[int], fence: int) -> Any:
    return (
        delete(DeliveryRow)
        .where(col(DeliveryRow.id).in_(ids), col(DeliveryRow.fence) == fence)
        .returning(col(DeliveryRow.id))
    )


@once
def _events(streams: Sequence[str], seqs: Sequence[int]) -> SelectOfScalar[EventRow]:
    """A few too many: asked for pairs, SQLite would go through every event there is."""
    return (
        typed_select(EventRow)
        .where(col(EventRow.stream).in_(streams), col(EventRow.seq).in_(seqs))
        .order_by(col(EventRow.stream), col(EventRow.seq))
    )


def failed(tx: Tx, work: Due | Waiting, error: str) -> bool:
    """Say that claimed work failed: it waits for its back-off, or is parked. True when parked now."""
    table = AgendaRow if isinstance(work, Due) else DeliveryRow
    wait = retry_after(work.attempts)
    mine = and_(col(table.id) == work.id, col(table.fence) == work.fence)
    if wait is not None:
        tx.execute(update(table).where(mine).values(leased_until=tx.real + wait, error=error))
        return False
    done = tx.execute(update(table).where(mine).values(parked_at=tx.now, leased_until=None, error=error))
    return done.rowcount == 1


def release_parked(tx: Tx, table: type[AgendaRow] | type[DeliveryRow], row_id: int) -> bool:
    """A person says: try that again."""
    done = tx.execute(
        update(table)
        .where(col(table.id) == row_id, col(table.parked_at).is_not(None))
        .values(parked_at=None, leased_until=None, attempts=0, seen_to_by=None)
    )
    tx.wake("ring", "deliver")
    return done.rowcount == 1


def next_due(tx: Tx) -> datetime | None:
    """When the next entry falls due, in domain time; what is due already is being done, or waits to be."""
    found: datetime | None = tx.execute(_next(tx.now)).scalar()
    return found


@once
def _next(now: datetime) -> Executable:
    return select(first_due(col(AgendaRow.due_at) > now))


def look_for_due(tx: Tx) -> tuple[list[Due], datetime | None]:
    """What is due, claimed; when nothing is, the time to look again."""
    due = claim_due(tx)
    return due, None if due else next_due(tx)
