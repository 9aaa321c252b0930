"""Work that waits in rows: claimed by one, settled once, in nobody's way (reliability.md G6, G14, G15)."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.core.clock import ManualClock
from rapid_response.core.ids import SystemIds
from rapid_response.core.vocabulary import Priority
from rapid_response.messaging.gateway import Accepted
from rapid_response.messaging.simulated import SimulatorGateway
from rapid_response.steps import sending, unknowns
from rapid_response.storage import work
from rapid_response.storage.database import Database
from rapid_response.storage.tables import AgendaRow
from rapid_response.storage.tx import Tx
from rapid_response.storage.work import LEASE, Due, retry_after
from tests.builders import paid_today
from tests.conftest import NOON
from tests.harness import ASHA, Town
from tests.spine.conftest import Open

MINUTE = timedelta(minutes=1)
INCIDENT = "11111111-1111-4111-8111-111111111111"


@dataclass(frozen=True, slots=True)
class Something:
    """An entry to arm."""

    subject: str
    due_at: datetime = NOON
    kind: str = "rung"


def arm(
    database: Database, *entries: Something, incident: str = INCIDENT, cycle: int = 1, rank: int = 2
) -> None:
    database.run_now(lambda tx: work.arm(tx, incident, cycle, rank, entries))


def claim(database: Database, limit: int = 50) -> list[Due]:
    return database.run_now(lambda tx: work.claim_due(tx, limit))


def settle(database: Database, due: Due, outcome: str = "done") -> bool:
    return database.run_now(lambda tx: work.settle(tx, due, outcome))


def fail(database: Database, due: Due) -> bool:
    return database.run_now(lambda tx: work.failed(tx, due, "ZeroDivisionError"))


def row(database: Database, subject: str) -> AgendaRow:
    """The entry of that subject."""
    found = database.run_now(
        lambda tx: tx.all(typed_select(AgendaRow).where(col(AgendaRow.subject) == subject))
    )
    (only,) = found
    return only


def test_g8_a_lease_of_a_time_that_was_taken_back_holds_nobody_up(
    database: Database, clock: ManualClock
) -> None:
    """The clock was two hours ahead then; a node whose clock is a little ahead of ours claims rightly."""
    arm(database, Something("x"))
    clock.advance(timedelta(seconds=5))
    assert len(claim(database)) == 1
    clock.advance(timedelta(seconds=-5))
    assert claim(database) == []
    clock.advance(2 * timedelta(hours=1))
    assert len(claim(database)) == 1
    clock.advance(-2 * timedelta(hours=1))
    (mine,) = claim(database)
    assert settle(database, mine)


# --- what is due ------------------------------------------------------------------------------------------


def test_what_is_due_is_claimed_and_nothing_else(database: Database, clock: ManualClock) -> None:
    arm(database, Something("now"))
    arm(database, Something("later", NOON + timedelta(microseconds=1)), incident="another")
    assert [due.subject for due in claim(database)] == ["now"]
    clock.advance(timedelta(microseconds=1))
    assert [due.subject for due in claim(database)] == ["later"]


def test_g6_the_most_dangerous_comes_first_then_what_is_longest_overdue(database: Database) -> None:
    arm(database, Something("old", NOON - 60 * MINUTE), incident="c", rank=3)
    arm(database, Something("new", NOON), Something("older", NOON - MINUTE), incident="a", rank=1)
    arm(database, Something("oldest", NOON - 90 * MINUTE), incident="b", rank=3)
    assert [due.subject for due in claim(database)] == ["older", "new", "oldest", "old"]


def test_a_claim_goes_on_with_what_is_less_dangerous(database: Database) -> None:
    for rank in range(len(Priority)):
        arm(database, Something(f"{rank}"), Something(f"{rank}'"), incident=f"{rank}", rank=rank)
    assert [due.subject for due in claim(database, 3)] == ["0", "0'", "1"]
    assert [due.subject for due in claim(database, 4)] == ["1'", "2", "2'", "3"]
    assert [due.subject for due in claim(database, 4)] == ["3'", "4", "4'"]


def test_a_degree_of_danger_that_nobody_claims_cannot_be_armed(database: Database) -> None:
    for rank in (-1, len(Priority)):
        with pytest.raises(IntegrityError):
            arm(database, Something("x"), rank=rank)


def test_a_claim_takes_no_more_than_it_can_do(database: Database) -> None:
    for n in range(5):
        arm(database, Something(f"{n}", NOON - n * MINUTE), incident=f"case {n}")
    assert [due.subject for due in claim(database, 2)] == ["4", "3"]
    assert [due.subject for due in claim(database, 9)] == ["2", "1", "0"]


def test_what_is_due_at_once_wakes_the_bell_and_what_is_not_does_not(database: Database) -> None:
    heard: list[set[str]] = []
    done = threading.Event()

    def hear(loops: set[str]) -> None:
        heard.append(loops)
        done.set()

    database.on_commit = hear
    arm(database, Something("later", NOON + MINUTE))
    arm(database, Something("now", NOON), Something("then", NOON + MINUTE), incident="b")
    assert done.wait(10)
    assert heard == [{"ring"}]


def test_the_next_due_time_is_known(database: Database, clock: ManualClock) -> None:
    assert database.run_now(work.next_due) is None
    arm(database, Something("b", NOON + 2 * MINUTE), Something("a", NOON + MINUTE))
    assert database.run_now(work.look_for_due) == ([], NOON + MINUTE)
    clock.advance(MINUTE)
    # What is due already, and fails or is being done elsewhere, must not keep anybody awake.
    (due,), nothing = database.run_now(work.look_for_due)
    assert (due.subject, nothing) == ("a", None)
    assert database.run_now(work.look_for_due) == ([], NOON + 2 * MINUTE)
    settle(database, due)
    assert database.run_now(work.next_due) == NOON + 2 * MINUTE


def test_an_entry_is_armed_once_in_a_cycle(database: Database) -> None:
    arm(database, Something("x"), Something("x", kind="warn"), Something("y"))
    arm(database, Something("x"), cycle=2)
    arm(database, Something("x"), incident="another")
    with pytest.raises(IntegrityError):
        arm(database, Something("x"))
    assert len(claim(database)) == 5


# --- claims -----------------------------------------------------------------------------------------------


def test_g15_four_claimers_at_once_get_each_entry_once(opened: Open) -> None:
    nodes = [opened() for _ in range(4)]
    for incident in range(12):
        arm(
            nodes[0],
            *(Something(f"{incident}-{n}") for n in range(20)),
            incident=f"{incident}",
            rank=incident % 3,
        )
    together = threading.Barrier(4)
    got: list[list[Due]] = [[] for _ in nodes]

    def keep_claiming(index: int) -> None:
        together.wait(10)
        while found := claim(nodes[index], 7):
            got[index] += found

    threads = [threading.Thread(target=keep_claiming, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    # One may stop early, where all that was left was just being claimed by another; nobody gets it twice.
    claimed = Counter(due.subject for found in got for due in found)
    rest = claim(nodes[0], 500)
    assert set(claimed.values()) == {1}
    assert len(claimed) + len(rest) == 240
    assert all(settle(nodes[0], due) for found in [*got, rest] for due in found)


def test_g13_of_two_that_claim_in_the_same_moment_none_gets_ahead_of_the_other_in_a_case(
    postgres: Database,
) -> None:
    """Until the one has what fell due first done, the other has what comes after it of other cases only."""
    arm(postgres, Something("first", NOON - 2 * MINUTE), Something("then", NOON - MINUTE))
    arm(postgres, Something("of another"), incident="another")
    has_it, lets_go = threading.Event(), threading.Event()

    def claim_slowly(tx: Tx) -> list[Due]:
        claimed = work.claim_due(tx, 1)
        has_it.set()
        assert lets_go.wait(10)
        return claimed

    with ThreadPoolExecutor() as other:
        slow = other.submit(postgres.run_now, claim_slowly)
        assert has_it.wait(10)
        assert [due.subject for due in claim(postgres)] == ["of another"]
        lets_go.set()
        (first,) = slow.result(10)
    assert (first.subject, claim(postgres)) == ("first", [])
    assert settle(postgres, first)
    (then,) = claim(postgres)
    assert (then.subject, then.attempts) == ("then", 1)


def test_g13_what_a_node_that_died_had_in_hand_is_done_before_what_comes_after_it(
    database: Database, clock: ManualClock
) -> None:
    arm(database, Something("first", NOON - 2 * MINUTE), Something("then", NOON - MINUTE))
    arm(database, Something("urgent"), rank=0)
    assert [due.subject for due in claim(database, 2)] == ["urgent", "first"]
    assert claim(database) == []
    clock.advance(LEASE)
    assert [due.subject for due in claim(database)] == ["urgent", "first", "then"]


def test_what_fails_holds_up_nothing_of_its_case(database: Database) -> None:
    arm(database, Something("fails", NOON - MINUTE), Something("then"))
    (poisoned,) = claim(database, 1)
    assert not fail(database, poisoned)
    assert [due.subject for due in claim(database)] == ["then"]


def test_a_claim_holds_for_its_lease_and_not_longer(database: Database, clock: ManualClock) -> None:
    arm(database, Something("x"))
    (first,) = claim(database)
    clock.advance(LEASE - timedelta(microseconds=1))
    assert claim(database) == []
    clock.advance(timedelta(microseconds=1))
    (second,) = claim(database)
    assert (second.id, second.fence, second.attempts) == (first.id, first.fence + 1, 2)


def test_g15_a_worker_that_slept_past_its_lease_is_fenced_off(database: Database, clock: ManualClock) -> None:
    """It wakes, and goes on as if nothing were: neither its work nor its failure counts any more."""
    arm(database, Something("x"))
    (sleeper,) = claim(database)
    clock.advance(LEASE)
    (quicker,) = claim(database)
    assert not settle(database, sleeper)
    assert not fail(database, sleeper)
    assert row(database, "x").settled_at is None
    assert settle(database, quicker, "by the quicker")
    assert not settle(database, sleeper, "by the sleeper")
    assert row(database, "x").outcome == "by the quicker"


def test_a_sleeper_that_nobody_overtook_may_still_do_its_work(database: Database, clock: ManualClock) -> None:
    arm(database, Something("x"))
    (sleeper,) = claim(database)
    clock.advance(2 * LEASE)
    assert settle(database, sleeper)
    assert claim(database) == []


def test_settled_once_is_settled_for_good_and_says_how_late(database: Database, clock: ManualClock) -> None:
    arm(database, Something("x", NOON - 3 * MINUTE))
    clock.advance(timedelta(seconds=1.5))
    (due,) = claim(database)
    assert settle(database, due)
    assert not settle(database, due, "again")
    clock.advance(LEASE)
    assert claim(database) == []
    settled = row(database, "x")
    assert (settled.outcome, settled.late_seconds) == ("done", 181.5)
    assert settled.settled_at == NOON + timedelta(seconds=1.5)


def test_work_and_its_settling_are_one_commit(database: Database, clock: ManualClock) -> None:
    """The work fails after the entry was settled: both are undone, and it comes again."""
    arm(database, Something("x"))
    (due,) = claim(database)

    def half(tx: Tx) -> None:
        assert work.settle(tx, due, "done")
        work.arm(tx, INCIDENT, 1, 2, [Something("next")])
        tx.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.run_now(half)
    assert database.run_now(lambda tx: work.stands(tx, INCIDENT, "rung", "x"))
    assert not database.run_now(lambda tx: work.stands(tx, INCIDENT, "rung", "next"))
    clock.advance(LEASE)
    assert [again.subject for again in claim(database)] == ["x"]


def test_what_is_disarmed_does_not_happen_even_when_it_is_claimed(database: Database) -> None:
    """A reply meets a timer: whoever settles first, wins."""
    arm(database, Something("x"), Something("y"), Something("x", kind="warn"))
    mine = {(due.kind, due.subject): due for due in claim(database)}
    database.run_now(lambda tx: work.disarm(tx, INCIDENT, ["rung"], "accepted", subject="x"))
    assert not settle(database, mine["rung", "x"])
    assert settle(database, mine["rung", "y"])
    database.run_now(lambda tx: work.disarm(tx, INCIDENT, ["rung", "warn"], "closed"))
    assert not settle(database, mine["warn", "x"])
    assert row(database, "y").outcome == "done"


def test_what_is_still_to_come_is_listed_soonest_first(database: Database) -> None:
    arm(
        database,
        Something("b", NOON + 2 * MINUTE),
        Something("a", NOON + MINUTE),
        Something("z", kind="warn"),
    )
    arm(database, Something("other"), incident="another")
    database.run_now(lambda tx: work.disarm(tx, INCIDENT, ["rung"], "asked", subject="nothing"))
    found = database.run_now(lambda tx: [e.subject for e in work.pending(tx, INCIDENT, ["rung"])])
    assert found == ["a", "b"]


# --- two times --------------------------------------------------------------------------------------------


class TwoTimes(ManualClock):
    """Domain time that runs sixty times as fast as real time."""

    def real(self) -> datetime:
        return NOON + (self.now() - NOON) / 60


def test_leases_run_in_real_time_whatever_the_speed_of_the_clock(database_url: str) -> None:
    fast = TwoTimes(NOON)
    database = Database(database_url, clock=fast, ids=SystemIds())
    try:
        arm(database, Something("x"), Something("soon", NOON + 30 * MINUTE))
        claim(database)
        fast.advance(29 * MINUTE)  # half a minute, less a second, of real time
        assert claim(database) == []
        fast.advance(MINUTE)
        assert [due.subject for due in claim(database)] == ["x", "soon"]
    finally:
        database.close_now()


# --- work that fails --------------------------------------------------------------------------------------


def test_waits_grow_and_then_a_person_is_needed() -> None:
    waits = [retry_after(attempts) for attempts in range(1, 7)]
    assert waits == [timedelta(seconds=s) for s in (1, 5, 20, 60)] + [None, None]


def test_g14_failing_work_waits_longer_each_time_and_is_then_parked(
    database: Database, clock: ManualClock
) -> None:
    arm(database, Something("x"))
    for wait in (1, 5, 20, 60):
        (due,) = claim(database)
        assert not fail(database, due)
        clock.advance(timedelta(seconds=wait) - timedelta(microseconds=1))
        assert claim(database) == []
        clock.advance(timedelta(microseconds=1))
    (last,) = claim(database)
    assert fail(database, last)
    clock.advance(timedelta(days=3))
    assert claim(database) == []
    assert database.run_now(work.next_due) is None
    parked = row(database, "x")
    assert (parked.error, parked.attempts, parked.settled_at) == ("ZeroDivisionError", 5, None)


def test_parked_work_is_tried_again_when_a_person_says_so(database: Database, clock: ManualClock) -> None:
    arm(database, Something("x"))
    while not fail(database, claim(database)[0]):
        clock.advance(MINUTE)
    parked = row(database, "x")
    assert parked.id is not None
    row_id = parked.id
    assert database.run_now(lambda tx: work.release_parked(tx, AgendaRow, row_id))
    assert not database.run_now(lambda tx: work.release_parked(tx, AgendaRow, row_id))
    (again,) = claim(database)
    assert again.attempts == 1
    assert settle(database, again)
    assert not database.run_now(lambda tx: work.release_parked(tx, AgendaRow, row_id))


def test_a_worker_that_dies_again_and_again_counts_as_failing(database: Database, clock: ManualClock) -> None:
    """What kills its process must not do so for ever: each claim that was never answered was an attempt."""
    arm(database, Something("deadly"))
    for _ in range(5):
        (due,) = claim(database)
        clock.advance(LEASE)
    assert due.attempts == 5
    assert fail(database, claim(database)[0])


async def test_g14_one_poisoned_entry_is_in_nobodys_way(town: Town) -> None:
    """It stands first, each time; all the others are done at their times, and a person can see it."""
    first = await town.reports("A man at my mother's door says her roof is loose, he wants cash now.")
    incidents = select(col(AgendaRow.incident_id)).where(col(AgendaRow.kind) == "warn").limit(1)
    incident_id = await town.app.database.look(lambda c: c.execute(incidents).scalar_one())
    poison = Something("poison", town.clock.now() - 60 * MINUTE, kind="nobody knows this")
    await town.app.database.run(lambda tx: work.arm(tx, incident_id, 1, 0, [poison]))
    second = await town.reports("Two men want 3000 pounds for her gutters, they come back in an hour.")
    for seconds in (0, 1, 5, 20, 60, 3600):
        town.clock.advance(timedelta(seconds=seconds))
        await town.settle()
    for report in (first, second):
        assert "deadline_warned" in await town.event_types(report["reference"])
    events = await town.events(first["reference"])
    (parked,) = [event["data"] for event in events if event["type"] == "work_parked"]
    assert parked == {"kind": "nobody knows this", "error": "KeyError"}
    assert await town.metric("work_parked") == 1


# --- messages are work too ---------------------------------------------------------------------------------


async def _a_claimed_offer(town: Town) -> tuple[str, sending.Claimed]:
    """A report whose offer a sender has just claimed."""
    report = await town.post("/api/v1/reports", paid_today())
    (offer,) = await town.app.database.run(partial(sending.claim, desk=town.app.desk))
    return report.json()["reference"], offer


async def _look_up(town: Town) -> None:
    """Another node finds the sender dead, and asks the network what it knows."""
    database, network = town.app.database, town.app.network
    found = await database.run(partial(sending.look_for_work, desk=town.app.desk, limit=8))
    for unknown in found.unknown:
        sent = await SimulatorGateway(network).find_sent(unknown.to_number, NOON)
        await database.run(partial(unknowns.record_look_up, desk=town.app.desk, unknown=unknown, sent=sent))


async def test_g9_a_text_whose_sender_died_after_handing_it_over_is_found_and_not_sent_again(
    town: Town,
) -> None:
    reference, offer = await _a_claimed_offer(town)
    await town.app.network.accept_text(offer.token, offer.to_number, offer.body)
    town.clock.advance(sending.LEASE)
    await _look_up(town)
    await town.pass_time(minutes=1)
    assert await town.texts_with("OK ", ASHA) == [offer.body]
    assert (await town.event_types(reference)).count("message_accepted") == 1


async def test_g15_a_sender_that_wakes_after_its_text_was_found_counts_nothing_twice(town: Town) -> None:
    reference, offer = await _a_claimed_offer(town)
    sid = await town.app.network.accept_text(offer.token, offer.to_number, offer.body)
    town.clock.advance(sending.LEASE)
    await _look_up(town)
    for _ in range(2):
        await town.app.database.run(
            partial(sending.record_answer, desk=town.app.desk, claimed=offer, outcome=Accepted(sid))
        )
    await town.settle()
    assert (await town.event_types(reference)).count("message_accepted") == 1
    assert await town.texts_with("OK ", ASHA) == [offer.body]


async def test_g9_a_text_whose_sender_died_before_handing_it_over_is_sent_once_marked_as_a_repeat(
    town: Town,
) -> None:
    """Nobody can know that it was not; after a minute of looking it goes out again, and says so."""
    _, offer = await _a_claimed_offer(town)
    town.clock.advance(sending.LEASE)
    await town.pass_time(minutes=2)
    assert await town.texts_with("OK ", ASHA) == [f"Repeat: {offer.body}"]
