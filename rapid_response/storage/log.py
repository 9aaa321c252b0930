"""The tamper-evident log: one hash chain a stream, sealed each minute (design.md 4).

A single global chain would serialise every commit; a chain per incident is extended under the incident's
lock, which its step holds anyway. A seal is a root over the heads that moved since the last one, chained to
the seal before it and offered to an anchor outside, so that rewriting or truncating a chain shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select, update
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.core.events import Event, event_data
from rapid_response.storage.tables import (
    AccessRow,
    ChainRow,
    DeliveryRow,
    EventRow,
    SealedHeadRow,
    SealRow,
)

if TYPE_CHECKING:
    from rapid_response.storage.tx import Subscriptions, Tx

GENESIS = "0" * 64
#: The access log's entry in a seal.
ACCESS_STREAM = "access_log"


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _digest(previous: str, *parts: Any) -> str:
    return hashlib.sha256((previous + _canonical(parts)).encode()).hexdigest()


def event_digest(
    previous: str, stream: str, seq: int, type_: str, version: int, at: datetime, actor: str, data: str
) -> str:
    """The link of one event: over everything the row says, in UTC."""
    return _digest(previous, stream, seq, type_, version, at.astimezone(UTC).isoformat(), actor, data)


class LogWriter:
    """Collects a step's events and writes them, their chains and their deliveries at its end."""

    def __init__(self, tx: Tx, subscriptions: Subscriptions) -> None:
        self._tx = tx
        self._subscriptions = subscriptions
        self._pending: dict[str, list[Event]] = {}
        self._new: set[str] = set()

    def opens(self, stream: str) -> None:
        self._new.add(stream)

    def record(self, stream: str, event: Event) -> None:
        self._pending.setdefault(stream, []).append(event)

    def finish(self) -> None:
        # Streams in order, so that two steps that touch two streams cannot wait for each other.
        for stream in sorted(self._pending):
            self._extend(stream, self._pending[stream])
        self._pending.clear()

    def _extend(self, stream: str, events: Sequence[Event]) -> None:
        tx = self._tx
        chain = None if stream in self._new else tx.get(ChainRow, stream, lock=True)
        seq, head = (chain.seq, chain.digest) if chain else (0, GENESIS)
        for event in events:
            seq += 1
            data = _canonical(event_data(event))
            previous, head = head, event_digest(head, stream, seq, event.type, 1, tx.now, tx.actor, data)
            tx.add(
                EventRow,
                stream=stream,
                seq=seq,
                type=event.type,
                version=1,
                at=tx.now,
                actor=tx.actor,
                data=data,
                previous=previous,
                digest=head,
            )
            for name in self._subscriptions.get(event.type, ()):
                tx.add(DeliveryRow, stream=stream, seq=seq, subscription=name)
                tx.wake("deliver")
        if chain is None:
            tx.add(ChainRow, stream=stream, seq=seq, digest=head, sealed_seq=0)
        else:
            chain.seq, chain.digest = seq, head


def seal(tx: Tx) -> tuple[int, str] | None:
    """Seal the heads that moved; returns the seal's number and root, or None when nothing did.

    Two nodes that seal at once collide on the number, and one of the two gives way.
    """
    moved = tx.all(_unsealed().with_for_update(skip_locked=True))
    viewed = list(
        tx.execute(
            select(
                col(AccessRow.id),
                col(AccessRow.at),
                col(AccessRow.viewer),
                col(AccessRow.what),
                col(AccessRow.incident_id),
            )
            .where(col(AccessRow.sealed_by).is_(None))
            .order_by(col(AccessRow.id))
            .limit(5000)
        )
    )
    if not moved and not viewed:
        return None
    last = tx.execute(
        select(col(SealRow.number), col(SealRow.root)).order_by(col(SealRow.number).desc()).limit(1)
    ).first()
    number, previous = (last.number + 1, last.root) if last else (1, GENESIS)
    heads = sorted((c.stream, c.seq, c.digest) for c in moved)
    if viewed:
        heads.append((ACCESS_STREAM, len(viewed), _access_digest(viewed)))
    root = _digest(previous, number, heads)
    tx.add(SealRow, number=number, at=tx.now, heads=len(heads), previous=previous, root=root)
    for stream, seq, digest in heads:
        tx.add(SealedHeadRow, number=number, stream=stream, seq=seq, digest=digest)
    for chain in moved:
        chain.sealed_seq = chain.seq
    if viewed:
        tx.execute(
            update(AccessRow).where(col(AccessRow.id).in_([v.id for v in viewed])).values(sealed_by=number)
        )
    return number, root


def _unsealed() -> Any:
    return (
        typed_select(ChainRow)
        .where(col(ChainRow.sealed_seq) < col(ChainRow.seq))
        .order_by(col(ChainRow.stream))
        .limit(5000)
    )


def _access_digest(rows: Sequence[Any]) -> str:
    return _digest(GENESIS, [[r.id, r.at.isoformat(), r.viewer, r.what, r.incident_id] for r in rows])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify-log` found; `broken` is the first link that does not hold."""

    events: int
    streams: int
    seals: int
    last_root: str | None
    broken: str | None


def verify(connection: Connection) -> Verdict:
    """Check every chain and every seal. Reads in key order, so memory stays flat."""
    heads: dict[str, tuple[int, str]] = {}
    events = 0
    broken: str | None = None
    for event in _stream_events(connection):
        events += 1
        seq, head = heads.get(event.stream, (0, GENESIS))
        expected = event_digest(
            head, event.stream, event.seq, event.type, event.version, event.at, event.actor, event.data
        )
        if event.seq != seq + 1 or event.previous != head or event.digest != expected:
            broken = broken or f"event {event.seq} of {event.stream}"
        heads[event.stream] = (event.seq, event.digest)
    for chain in connection.execute(select(ChainRow.__table__)):  # type: ignore[attr-defined]
        if heads.get(chain.stream, (0, GENESIS)) != (chain.seq, chain.digest):
            broken = broken or f"the head of {chain.stream}"
    seals, root, broken_seal = _verify_seals(connection)
    return Verdict(events, len(heads), seals, root, broken or broken_seal)


def _stream_events(connection: Connection) -> Iterator[Any]:
    query = select(EventRow.__table__).order_by(col(EventRow.stream), col(EventRow.seq))  # type: ignore[attr-defined]
    yield from connection.execution_options(yield_per=1000).execute(query)


def _verify_seals(connection: Connection) -> tuple[int, str | None, str | None]:
    previous, count = GENESIS, 0
    for seal_row in connection.execute(select(SealRow.__table__).order_by(col(SealRow.number))).all():  # type: ignore[attr-defined]
        count += 1
        heads = [
            (h.stream, h.seq, h.digest)
            for h in connection.execute(
                select(SealedHeadRow.__table__).where(col(SealedHeadRow.number) == seal_row.number)  # type: ignore[attr-defined]
            )
        ]
        chains = sorted(h for h in heads if h[0] != ACCESS_STREAM)
        access = [h for h in heads if h[0] == ACCESS_STREAM]
        ordered = chains + access
        if (
            seal_row.number != count
            or seal_row.previous != previous
            or seal_row.root != _digest(previous, count, ordered)
            or not _heads_stand(connection, seal_row.number, chains, access)
        ):
            return count, seal_row.root, f"seal {seal_row.number}"
        previous = seal_row.root
    return count, (previous if count else None), None


def _heads_stand(
    connection: Connection,
    number: int,
    chains: Sequence[tuple[str, int, str]],
    access: Sequence[tuple[str, int, str]],
) -> bool:
    """Whether every head the seal saw is still in its chain: truncation shows here."""
    for stream, seq, digest in chains:
        found = connection.execute(
            select(col(EventRow.digest)).where(col(EventRow.stream) == stream, col(EventRow.seq) == seq)
        ).scalar()
        if found != digest:
            return False
    for _, seen, digest in access:
        rows = connection.execute(
            select(AccessRow.__table__).where(col(AccessRow.sealed_by) == number).order_by(col(AccessRow.id))  # type: ignore[attr-defined]
        ).all()
        if len(rows) != seen or _access_digest(rows) != digest:
            return False
    return True


def record_view(tx: Tx, what: str, incident_id: str | None) -> None:
    """Say that the step's actor saw a case."""
    tx.add(AccessRow, at=tx.now, viewer=tx.actor, what=what, incident_id=incident_id)
