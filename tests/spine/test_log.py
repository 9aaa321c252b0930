"""The tamper-evident log: whatever is changed behind our back shows (reliability.md G24)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlmodel import col

from rapid_response.core.clock import ManualClock
from rapid_response.core.events import SERVICE_STREAM, AccountChanged, NoteAdded, ServiceLoaded
from rapid_response.storage import log
from rapid_response.storage.database import Database
from rapid_response.storage.log import GENESIS, Verdict, event_digest, record_view, seal, verify
from rapid_response.storage.tables import AccessRow, ChainRow, EventRow, SealedHeadRow, SealRow
from rapid_response.storage.tx import Tx
from tests.spine.conftest import Open

Tamper = Callable[[Connection], object]


def note(database: Database, stream: str, *ids: str) -> None:
    """One step that records some events of one stream."""

    def step(tx: Tx) -> None:
        for note_id in ids:
            tx.record(stream, NoteAdded(note_id, "desk"))

    database.run_now(step, actor="user:hana")


def view(database: Database, viewer: str, incident: str | None) -> None:
    database.run_now(lambda tx: record_view(tx, "incident", incident), actor=viewer)


def judged(database: Database) -> Verdict:
    return database.look_now(verify)


def tamper(database: Database, change: Tamper) -> None:
    """Past everything: with the rights of whoever owns the file or the server."""
    with database.engine().begin() as connection:
        change(connection)


def judged_after(database: Database, change: Tamper) -> Verdict:
    """What is found once that change is made; it is taken back afterwards."""
    with database.engine().connect() as connection, connection.begin() as transaction:
        change(connection)
        verdict = verify(connection)
        transaction.rollback()
    return verdict


@pytest.fixture
def kept(database: Database, clock: ManualClock) -> Database:
    """Three incidents and a view each, sealed twice, and something since."""
    note(database, "a", "1", "2", "3")
    note(database, "b", "1")
    view(database, "user:hana", "a")
    view(database, "user:hana", "b")
    database.run_now(seal)
    clock.advance(timedelta(minutes=1))
    note(database, "a", "4", "5")
    note(database, "c", "1", "2")
    view(database, "user:omar", None)
    database.run_now(seal)
    clock.advance(timedelta(minutes=1))
    note(database, "b", "2")
    view(database, "user:omar", "c")
    return database


# --- whole ------------------------------------------------------------------------------------------------


def test_an_empty_log_holds(database: Database) -> None:
    assert judged(database) == Verdict(0, 0, 0, None, None)
    assert database.run_now(seal) is None


def test_what_nobody_touched_holds(kept: Database) -> None:
    verdict = judged(kept)
    assert (verdict.broken, verdict.events, verdict.streams, verdict.seals) == (None, 9, 3, 2)


def test_each_stream_is_a_chain_of_its_own(kept: Database) -> None:
    rows = kept.run_now(lambda tx: tx.read(_events().where(col(EventRow.stream) == "a")).all())
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
    assert [row.previous for row in rows] == [GENESIS, *(row.digest for row in rows[:-1])]
    assert {row.actor for row in rows} == {"user:hana"}


def test_a_step_extends_several_streams_at_once(database: Database) -> None:
    def step(tx: Tx) -> None:
        for stream in ("z", "a", SERVICE_STREAM):
            tx.record(stream, AccountChanged("k", "made"))
        tx.opens("new")
        tx.record("new", ServiceLoaded(1, "d"))
        tx.record("a", AccountChanged("k", "ended"))

    database.run_now(step)
    database.run_now(lambda tx: tx.record("new", ServiceLoaded(2, "e")))
    verdict = judged(database)
    assert (verdict.broken, verdict.events, verdict.streams) == (None, 6, 4)


def test_nothing_of_a_refused_step_is_in_a_chain(kept: Database) -> None:
    def refused(tx: Tx) -> None:
        tx.record("a", NoteAdded("6", "desk"))
        tx.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        kept.run_now(refused)
    note(kept, "a", "6")
    assert (judged(kept).broken, judged(kept).events) == (None, 10)


def test_several_nodes_extend_one_chain_without_a_gap_or_a_fork(opened: Open) -> None:
    nodes = [opened() for _ in range(3)]
    waiting = [
        node.submit(lambda tx, n=n: tx.record("shared", NoteAdded(f"{n}", "desk")))  # type: ignore[misc]
        for n in range(20)
        for node in nodes
    ]
    for future in waiting:
        future.result(10)
    verdict = judged(nodes[0])
    assert (verdict.broken, verdict.events, verdict.streams) == (None, 60, 1)


# --- seals ------------------------------------------------------------------------------------------------


def test_a_seal_holds_the_heads_that_moved_since_the_last(kept: Database) -> None:
    rows = kept.run_now(
        lambda tx: tx.read(
            select(col(SealedHeadRow.number), col(SealedHeadRow.stream), col(SealedHeadRow.seq)).order_by(
                col(SealedHeadRow.number), col(SealedHeadRow.stream)
            )
        ).all()
    )
    assert [tuple(row) for row in rows] == [
        (1, "a", 3),
        (1, "access_log", 2),
        (1, "b", 1),
        (2, "a", 5),
        (2, "access_log", 1),
        (2, "c", 2),
    ]


def test_a_seal_of_nothing_new_is_not_made(kept: Database) -> None:
    assert kept.run_now(seal) is not None
    assert kept.run_now(seal) is None
    assert judged(kept).seals == 3


def test_views_alone_are_sealed(kept: Database) -> None:
    kept.run_now(seal)
    view(kept, "user:omar", "a")
    sealed = kept.run_now(seal)
    assert sealed is not None
    assert sealed[0] == 4
    assert judged(kept).last_root == sealed[1]


def test_more_heads_than_one_seal_takes_are_left_to_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_MOST_AT_ONCE", 4)
    for n in range(10):
        note(database, f"{n}", "1")
        view(database, "user:hana", f"{n}")
    seals = []
    while (sealed := database.run_now(seal)) is not None:
        seals.append(sealed)
    assert len(seals) == 3
    assert judged(database).broken is None


def sealing(together: threading.Barrier) -> Callable[[Tx], object]:
    """Seals, the first time at the same moment as the others do."""
    tries: list[int] = []

    def step(tx: Tx) -> object:
        tries.append(1)
        if len(tries) == 1 and not tx.is_sqlite:  # SQLite's writers take turns and cannot wait for each other
            together.wait(10)
        return seal(tx)

    return step


def test_nodes_that_seal_at_once_make_one_chain_of_seals(opened: Open) -> None:
    nodes = [opened() for _ in range(3)]
    for turn in range(4):
        for n in range(4):
            note(nodes[0], f"{turn}-{n}", "1")
        view(nodes[0], "user:hana", f"{turn}")
        together = threading.Barrier(len(nodes))
        made = [future.result(10) for future in [node.submit(sealing(together)) for node in nodes]]
        assert any(made)
    verdict = judged(nodes[0])
    assert verdict.broken is None
    sealed = nodes[0].look_now(lambda c: c.execute(select(col(ChainRow.seq), col(ChainRow.sealed_seq))).all())
    assert all(row.seq == row.sealed_seq for row in sealed)


def test_sealing_does_not_hold_up_the_streams_it_seals(opened: Open) -> None:
    nodes = [opened() for _ in range(2)]
    waiting: list[Future[Any]] = []
    for n in range(60):
        waiting.append(nodes[0].submit(lambda tx: tx.record("busy", NoteAdded("n", "desk"))))
        if n % 5 == 0:
            waiting.append(nodes[1].submit(seal))
    for future in waiting:
        future.result(10)
    while nodes[0].run_now(seal) is not None:
        pass
    assert (judged(nodes[0]).broken, judged(nodes[0]).events) == (None, 60)


# --- tampering --------------------------------------------------------------------------------------------


def _events() -> Any:
    return select(
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


def _at(stream: str, seq: int) -> tuple[Any, Any]:
    return col(EventRow.stream) == stream, col(EventRow.seq) == seq


def _edit(stream: str, seq: int, /, **values: Any) -> Tamper:
    return lambda connection: connection.execute(update(EventRow).where(*_at(stream, seq)).values(**values))


LATER = datetime.fromisoformat("2026-07-15T11:00:00.000001+00:00")

#: One change each, and what is to be named as broken.
SMALL: dict[str, tuple[Tamper, str]] = {
    "its data": (_edit("a", 2, data='{"note_id":"9","source":"desk"}'), "event 2 of a"),
    "its time": (_edit("a", 2, at=LATER), "event 2 of a"),
    "its actor": (_edit("a", 2, actor="user:omar"), "event 2 of a"),
    "its type": (_edit("a", 2, type="task_done"), "event 2 of a"),
    "its version": (_edit("a", 2, version=2), "event 2 of a"),
    "its digest": (_edit("a", 2, digest="f" * 64), "event 2 of a"),
    "its link": (_edit("a", 2, previous="f" * 64), "event 2 of a"),
    "its stream": (_edit("b", 2, stream="d", seq=1), "event 1 of d"),
    "its number": (_edit("a", 5, seq=6), "event 6 of a"),
    "an event not sealed yet": (_edit("b", 2, actor="user:omar"), "event 2 of b"),
    "one in the middle deleted": (
        lambda c: c.execute(delete(EventRow).where(*_at("a", 2))),
        "event 3 of a",
    ),
    "the first deleted": (lambda c: c.execute(delete(EventRow).where(*_at("a", 1))), "event 2 of a"),
    "the last deleted": (lambda c: c.execute(delete(EventRow).where(*_at("b", 2))), "the head of b"),
    "a head deleted": (
        lambda c: c.execute(delete(ChainRow).where(col(ChainRow.stream) == "b")),
        "the head of b",
    ),
    "a head moved back": (
        lambda c: c.execute(update(ChainRow).where(col(ChainRow.stream) == "b").values(seq=1)),
        "the head of b",
    ),
    "a head kept from being sealed": (
        lambda c: c.execute(update(ChainRow).where(col(ChainRow.stream) == "b").values(sealed_seq=2)),
        "the head of b",
    ),
    "a seal's root": (
        lambda c: c.execute(update(SealRow).where(col(SealRow.number) == 1).values(root="f" * 64)),
        "seal 1",
    ),
    "a seal's time": (
        lambda c: c.execute(update(SealRow).where(col(SealRow.number) == 2).values(at=LATER)),
        "seal 2",
    ),
    "a seal's count": (
        lambda c: c.execute(update(SealRow).where(col(SealRow.number) == 2).values(heads=1)),
        "seal 2",
    ),
    "the first seal deleted": (
        lambda c: c.execute(delete(SealRow).where(col(SealRow.number) == 1)),
        "seal 2",
    ),
    "a sealed head": (
        lambda c: c.execute(
            update(SealedHeadRow)
            .where(col(SealedHeadRow.number) == 1, col(SealedHeadRow.stream) == "a")
            .values(seq=2)
        ),
        "seal 1",
    ),
    "a sealed head deleted": (
        lambda c: c.execute(delete(SealedHeadRow).where(col(SealedHeadRow.stream) == "c")),
        "seal 2",
    ),
    "who looked": (
        lambda c: c.execute(
            update(AccessRow).where(col(AccessRow.incident_id) == "a").values(viewer="user:omar")
        ),
        "seal 1",
    ),
    "when she looked": (
        lambda c: c.execute(update(AccessRow).where(col(AccessRow.incident_id) == "a").values(at=LATER)),
        "seal 1",
    ),
    "what she looked at": (
        lambda c: c.execute(
            update(AccessRow).where(col(AccessRow.incident_id) == "a").values(incident_id="b")
        ),
        "seal 1",
    ),
    "a look deleted": (
        lambda c: c.execute(delete(AccessRow).where(col(AccessRow.incident_id) == "a")),
        "seal 1",
    ),
    "all looks of a seal deleted": (
        lambda c: c.execute(delete(AccessRow).where(col(AccessRow.sealed_by) == 2)),
        "seal 2",
    ),
    "a look unsealed": (
        lambda c: c.execute(
            update(AccessRow).where(col(AccessRow.incident_id) == "a").values(sealed_by=None)
        ),
        "seal 1",
    ),
    "a look put under another seal": (
        lambda c: c.execute(update(AccessRow).where(col(AccessRow.incident_id) == "a").values(sealed_by=2)),
        "seal 1",
    ),
    "a look kept from being sealed": (
        lambda c: c.execute(update(AccessRow).where(col(AccessRow.incident_id) == "c").values(sealed_by=9)),
        "seal 9",
    ),
}


def test_g24_a_change_shows_and_is_named(kept: Database, subtests: pytest.Subtests) -> None:
    for name, (change, broken) in SMALL.items():
        with subtests.test(name):
            assert judged_after(kept, change).broken == broken
    assert judged(kept).broken is None


def test_g24_events_that_change_places_show(kept: Database) -> None:
    def swap(connection: Connection) -> None:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            connection.execute(update(EventRow).where(*_at("a", old)).values(seq=new))

    def squeeze_in(connection: Connection) -> None:
        first = connection.execute(_events().where(*_at("a", 1))).one()
        for seq in (5, 4, 3, 2):
            connection.execute(update(EventRow).where(*_at("a", seq)).values(seq=seq + 1))
        connection.execute(insert(EventRow).values({**first._mapping, "seq": 2}))

    assert judged_after(kept, swap).broken == "event 2 of a"
    assert judged_after(kept, squeeze_in).broken == "event 2 of a"


# Whoever can write everything can also make a chain that holds in itself. Then the seals speak.


def rewrite(connection: Connection, stream: str, keep: int, then: tuple[str, ...] = ()) -> None:
    """Cut a stream, put other events behind it with digests that hold, and set its head right."""
    connection.execute(delete(EventRow).where(col(EventRow.stream) == stream, col(EventRow.seq) > keep))
    last = connection.execute(_events().where(*_at(stream, keep))).first()
    head, seq = (last.digest, keep) if last else (GENESIS, 0)
    for data in then:
        seq += 1
        values: dict[str, Any] = {
            "stream": stream,
            "seq": seq,
            "type": "note_added",
            "version": 1,
            "at": LATER,
            "actor": "user:hana",
            "data": data,
        }
        digest = event_digest(head, stream, seq, "note_added", 1, LATER, "user:hana", data)
        connection.execute(insert(EventRow).values(**values, previous=head, digest=digest))
        head = digest
    if seq == 0:
        connection.execute(delete(ChainRow).where(col(ChainRow.stream) == stream))
        return
    connection.execute(update(ChainRow).where(col(ChainRow.stream) == stream).values(seq=seq, digest=head))


def test_g24_a_chain_cut_or_rewritten_whole_shows_against_the_seals(
    kept: Database, subtests: pytest.Subtests
) -> None:
    nothing, two, many = (), ("{}", "{}"), ("{}",) * 5
    for stream, keep, then, broken in (
        ("a", 4, nothing, "seal 2"),
        ("a", 2, nothing, "seal 1"),
        ("a", 0, nothing, "seal 1"),
        ("a", 3, two, "seal 2"),
        ("a", 0, many, "seal 1"),
        ("c", 1, many, "seal 2"),
    ):
        with subtests.test(f"{stream} after {keep}, {len(then)} put in their place"):
            change = partial(rewrite, stream=stream, keep=keep, then=then)
            assert judged_after(kept, change).broken == broken


def test_g24_a_chain_cut_together_with_the_seals_that_saw_it_shows(kept: Database) -> None:
    def cut(connection: Connection) -> None:
        rewrite(connection, "a", 3)
        connection.execute(delete(SealedHeadRow).where(col(SealedHeadRow.number) == 2))
        connection.execute(delete(SealRow).where(col(SealRow.number) == 2))

    tamper(kept, cut)
    assert judged(kept).broken is not None


def test_g24_what_is_rewritten_with_all_its_seals_shows_against_the_root_kept_outside(kept: Database) -> None:
    """In itself it holds: only whoever kept the root elsewhere can tell. That is what the anchor is for."""
    anchored = judged(kept).last_root

    def everything(connection: Connection) -> None:
        rewrite(connection, "a", 2, ("{}", "{}", "{}"))
        connection.execute(delete(SealedHeadRow))
        connection.execute(delete(SealRow))
        connection.execute(update(ChainRow).values(sealed_seq=0))
        connection.execute(update(AccessRow).values(sealed_by=None))

    tamper(kept, everything)
    kept.run_now(seal)
    kept.run_now(lambda tx: tx.record("a", NoteAdded("1", "desk")))
    kept.run_now(seal)
    verdict = judged(kept)
    assert (verdict.broken, verdict.seals) == (None, 2)
    assert verdict.last_root != anchored


def test_g24_what_came_after_the_last_seal_can_be_cut_until_the_next_minute(kept: Database) -> None:
    """The limit of the promise, said plainly: a seal a minute."""
    tamper(kept, lambda connection: rewrite(connection, "b", 1))
    assert judged(kept).broken is None
    note(kept, "b", "2")
    kept.run_now(seal)
    tamper(kept, lambda connection: rewrite(connection, "b", 1))
    assert judged(kept).broken == "seal 3"


def test_a_log_of_thousands_is_read_in_parts(database: Database) -> None:
    def step(tx: Tx) -> None:
        for n in range(2500):
            tx.record(f"stream {n % 7}", NoteAdded(f"{n}", "desk"))
            record_view(tx, "incident", f"{n % 7}")

    database.run_now(step)
    database.run_now(seal)
    assert (judged(database).broken, judged(database).events) == (None, 2500)
    tamper(
        database,
        lambda c: c.execute(text("UPDATE events SET actor = 'x' WHERE stream = 'stream 6' AND seq = 350")),
    )
    assert judged(database).broken == "event 350 of stream 6"
