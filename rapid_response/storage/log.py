"""The tamper-evident log: one hash chain a stream, sealed each minute (design.md 4).

A single global chain would serialise every commit; a chain per incident is extended under the incident's
lock, which its step holds anyway. A seal is a root over the heads that moved since the last one, chained to
the seal before it and offered to an anchor outside, so that rewriting or truncating a chain shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Executable, Select, and_, select, update
from sqlmodel import col

from rapid_response.core.events import Event, event_data
from rapid_response.storage.columns import not_by
from rapid_response.storage.once import once
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
#: What one seal takes of each; the rest is left to the next.
_MOST_AT_ONCE = 5000


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


def _digest(previous: str, *parts: Any) -> str:
    return hashlib.sha256((previous + _canonical(parts)).encode()).hexdigest()


def said(
    tx: Tx, streams: Iterable[str], *types: str, after: datetime | None = None
) -> list[Mapping[str, Any]]:
    """What the events of these types say, in the order of each stream; only later ones than `after`."""
    rows = tx.execute(_said(sorted(streams), types))
    return [json.loads(row.data) for row in rows if after is None or row.at > after]


@once
def _said(streams: Sequence[str], types: Sequence[str]) -> Executable:
    return (
        select(col(EventRow.at), col(EventRow.data))
        # Found by the streams, not by the type through all of them.
        .where(col(EventRow.stream).in_(streams), not_by(col(EventRow.type)).in_(types))
        .order_by(col(EventRow.stream), col(EventRow.seq))
    )


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

    def recorded(self, stream: str) -> Sequence[Event]:
        """What this step adds to a stream at its end."""
        return self._pending.get(stream, ())

    @property
    def streams(self) -> list[str]:
        """Those that are still to be extended, in the order in which everybody locks them.

        So two steps that touch two streams cannot wait for each other.
        """
        return sorted(self._pending)

    def finish(self) -> None:
        for stream in self.streams:
            self.extend(stream)

    def extend(self, stream: str) -> None:
        events = self._pending.pop(stream)
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
    moved = tx.execute(_unsealed().with_for_update(skip_locked=True)).all()
    viewed = tx.execute(
        _views()
        .where(col(AccessRow.sealed_by).is_(None))
        .order_by(col(AccessRow.id))
        .limit(_MOST_AT_ONCE)
        # Locked like the heads: another node's seal that commits between this and our number has them.
        .with_for_update(skip_locked=True)
    ).all()
    if not moved and not viewed:
        return None
    last = tx.execute(
        select(col(SealRow.number), col(SealRow.root)).order_by(col(SealRow.number).desc()).limit(1)
    ).first()
    number, previous = (last.number + 1, last.root) if last else (1, GENESIS)
    heads = sorted((c.stream, c.seq, c.digest) for c in moved)
    if viewed:
        heads.append((ACCESS_STREAM, len(viewed), _access_digest(viewed)))
    root = _root(previous, number, tx.now, heads)
    tx.add(SealRow, number=number, at=tx.now, heads=len(heads), previous=previous, root=root)
    for stream, seq, digest in heads:
        tx.add(SealedHeadRow, number=number, stream=stream, seq=seq, digest=digest)
    # Their rows are locked, so that none has moved on since it was read.
    streams = [c.stream for c in moved]
    tx.execute(update(ChainRow).where(col(ChainRow.stream).in_(streams)).values(sealed_seq=col(ChainRow.seq)))
    tx.execute(
        update(AccessRow).where(col(AccessRow.id).in_([v.id for v in viewed])).values(sealed_by=number)
    )
    return number, root


def _unsealed() -> Select[*tuple[Any, ...]]:
    return (
        select(col(ChainRow.stream), col(ChainRow.seq), col(ChainRow.digest))
        .where(col(ChainRow.sealed_seq) < col(ChainRow.seq))
        .order_by(col(ChainRow.stream))
        .limit(_MOST_AT_ONCE)
    )


def _views() -> Select[*tuple[Any, ...]]:
    return select(
        col(AccessRow.id),
        col(AccessRow.at),
        col(AccessRow.viewer),
        col(AccessRow.what),
        col(AccessRow.incident_id),
        col(AccessRow.sealed_by),
    )


def _root(previous: str, number: int, at: datetime, heads: Sequence[tuple[str, int, str]]) -> str:
    return _digest(previous, number, at.astimezone(UTC).isoformat(), heads)


def _access_digest(rows: Iterable[Any]) -> str:
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
    """Check every chain and every seal, and that heads, chains and seals say the same.

    Reads in key order, so memory holds one head a stream. What was written since the last seal, or is gone
    with the last seals, shows only against the roots that others keep.
    """
    events, tips, broken = _follow_chains(connection)
    seals = _follow_seals(connection)
    broken = broken or seals.broken or _compare_heads(connection, tips, seals.sealed)
    return Verdict(events, len(tips), seals.count, seals.root, broken)


def _follow_chains(connection: Connection) -> tuple[int, dict[str, tuple[int, str]], str | None]:
    """How many events there are, the last of each stream, and the first that does not follow."""
    tips: dict[str, tuple[int, str]] = {}
    events = 0
    broken: str | None = None
    query = select(
        col(EventRow.stream),
        col(EventRow.seq),
        col(EventRow.type),
        col(EventRow.version),
        col(EventRow.at),
        col(EventRow.actor),
        col(EventRow.data),
        col(EventRow.previous),
        col(EventRow.digest),
    ).order_by(col(EventRow.stream), col(EventRow.seq))
    for event in connection.execution_options(yield_per=1000).execute(query):
        events += 1
        seq, head = tips.get(event.stream, (0, GENESIS))
        expected = event_digest(
            head, event.stream, event.seq, event.type, event.version, event.at, event.actor, event.data
        )
        if event.seq != seq + 1 or event.previous != head or event.digest != expected:
            broken = broken or f"event {event.seq} of {event.stream}"
        tips[event.stream] = (event.seq, event.digest)
    return events, tips, broken


@dataclass(frozen=True, slots=True)
class _Seals:
    """What the seals say: the last root, and how far each stream is sealed."""

    count: int
    root: str | None
    sealed: Mapping[str, int]
    broken: str | None


def _follow_seals(connection: Connection) -> _Seals:
    views = _sealed_views(connection)
    sealed: dict[str, int] = {}
    count, previous = 0, GENESIS
    seals = connection.execute(
        select(
            col(SealRow.number), col(SealRow.at), col(SealRow.heads), col(SealRow.previous), col(SealRow.root)
        ).order_by(col(SealRow.number))
    ).all()
    for row in seals:
        count += 1
        heads = _heads_of(connection, row.number)
        ordered = sorted((h.stream, h.seq, h.digest) for h in heads if h.stream != ACCESS_STREAM)
        access = [(h.stream, h.seq, h.digest) for h in heads if h.stream == ACCESS_STREAM]
        ordered += access
        stands = (
            (row.number, row.previous, row.heads) == (count, previous, len(ordered))
            and row.root == _root(previous, count, row.at, ordered)
            # Truncation shows here: what the seal saw is no longer in its chain.
            and all(h.digest == h.found for h in heads if h.stream != ACCESS_STREAM)
            and [head[1:] for head in access] == ([views.pop(count)] if count in views else [])
        )
        if not stands:
            return _Seals(count, row.root, sealed, f"seal {row.number}")
        sealed.update((h.stream, h.seq) for h in heads)
        previous = row.root
    broken = f"seal {min(views)}" if views else None
    return _Seals(count, previous if count else None, sealed, broken)


def _heads_of(connection: Connection, number: int) -> Sequence[Any]:
    """The heads that a seal saw, each with the digest that its chain has there now."""
    there = and_(
        col(EventRow.stream) == col(SealedHeadRow.stream), col(EventRow.seq) == col(SealedHeadRow.seq)
    )
    return connection.execute(
        select(
            col(SealedHeadRow.stream),
            col(SealedHeadRow.seq),
            col(SealedHeadRow.digest),
            col(EventRow.digest).label("found"),
        )
        .join_from(SealedHeadRow, EventRow, there, isouter=True)
        .where(col(SealedHeadRow.number) == number)
    ).all()


def _sealed_views(connection: Connection) -> dict[int, tuple[int, str]]:
    """For each seal that saw the access log: how many views it sealed, and their digest now."""
    query = (
        _views()
        .where(col(AccessRow.sealed_by).is_not(None))
        .order_by(col(AccessRow.sealed_by), col(AccessRow.id))
    )
    found = connection.execution_options(yield_per=1000).execute(query)
    views = {}
    for number, group in groupby(found, key=lambda view: view.sealed_by):
        rows = list(group)
        views[number] = (len(rows), _access_digest(rows))
    return views


def _compare_heads(
    connection: Connection, tips: Mapping[str, tuple[int, str]], sealed: Mapping[str, int]
) -> str | None:
    """The first stream whose head is not where its chain ends, or is not sealed as far as it says."""
    known = set()
    broken = None
    heads = select(
        col(ChainRow.stream), col(ChainRow.seq), col(ChainRow.digest), col(ChainRow.sealed_seq)
    ).order_by(col(ChainRow.stream))
    for head in connection.execution_options(yield_per=1000).execute(heads):
        known.add(head.stream)
        is_tip = tips.get(head.stream) == (head.seq, head.digest)
        if not is_tip or head.sealed_seq != sealed.get(head.stream, 0):
            broken = broken or f"the head of {head.stream}"
    lost = tips.keys() - known
    return broken or (f"the head of {min(lost)}" if lost else None)


def record_view(tx: Tx, what: str, incident_id: str | None) -> None:
    """Say that the step's actor saw a case."""
    tx.add(AccessRow, at=tx.now, viewer=tx.actor, what=what, incident_id=incident_id)
