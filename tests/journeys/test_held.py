"""A database that was restored sends nothing by itself, and wakes up without misleading (G13, G17)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rapid_response.core.states import MessageState
from rapid_response.core.vocabulary import Role
from rapid_response.steps.holding import HeldAlready, Letting, NotHeld, hold, mark_restored, release
from rapid_response.storage.tables import AgendaRow, HoldRow, MessageRow, SessionRow
from rapid_response.storage.tx import Tx
from rapid_response.storage.waiting import glance
from tests.builders import paid_today, roofers_now
from tests.harness import ASHA, BEN, DEE, LEADER, Town
from tests.journeys.browser import browser_of
from tests.journeys.test_duress import WITH_WORD, WORD


async def restored(town: Town, hours: float) -> None:
    """The database as a copy of some hours ago, put back and served: nobody served in between."""
    made_at = town.clock.real()
    town.clock.advance(timedelta(hours=hours))
    await town.app.database.run(lambda tx: mark_restored(tx, made_at, "digest"))
    await town.restart()


async def lets_go(town: Town) -> Letting:
    letting = await town.app.database.run(release)
    await town.settle()
    return letting


async def sent(town: Town) -> int:
    return len((await town.http.get("/simulator/messages")).json())


async def test_g17_nothing_leaves_before_the_release(town: Town) -> None:
    """An offer is out, an hour of deadlines falls due, a new report comes in: not one text, not one call."""
    await town.takes(paid_today())
    before = await sent(town)
    await restored(town, 1)
    for _ in range(5):
        await town.settle_once()
        town.clock.advance(timedelta(minutes=1))
    new = await town.post("/api/v1/reports", roofers_now())
    assert new.status_code == 201
    await town.settle_once()
    assert await sent(town) == before
    assert await town.metric("messages_held") == 1


async def test_g17_who_was_signed_in_is_signed_out_by_a_restore(town: Town) -> None:
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        assert (await officer.get("/board")).status == 200
        await restored(town, 0.01)
        assert all(row.ended_at is not None for row in await town.rows(SessionRow))


async def test_g13_on_release_what_is_overdue_is_judged_anew_before_anything_is_sent(town: Town) -> None:
    """Three hours: her offer is stale, the promise is broken, and those who must know hear it now, once."""
    case = await town.takes(paid_today())
    await restored(town, 3)
    before = await sent(town)

    letting = await lets_go(town)

    assert letting.overdue > 0
    assert await town.rows(HoldRow) == []
    assert (await case.clock())["state"] == "breached"
    (missed,) = await case.happened("deadline_missed")
    assert 3599 < missed["late_seconds"] < 3601
    assert any("missed" in text for text in await town.texts(DEE))
    assert await sent(town) > before
    # Her offer ended with its answer time; each of the others is asked once.
    assert [lapsed["responder"] for lapsed in await case.happened("offer_lapsed")] == ["asha"]
    asked = await case.asked()
    assert len(asked) == len(set(asked))
    assert await town.audit() == {}


async def test_g13_what_waited_in_the_copy_and_is_worth_nothing_now_is_dropped(town: Town) -> None:
    """The copy was made between a report and its text; half an hour later that offer is over."""
    assert (await town.post("/api/v1/reports", paid_today())).status_code == 201
    case = await town.newest()
    await restored(town, 0.5)
    letting = await lets_go(town)
    assert (letting.stale.count, letting.will_go.count) == (1, 0)
    assert letting.stale.oldest == timedelta(minutes=30)
    (offer, *_) = [row for row in await town.rows(MessageRow) if row.recipient == "responder:asha"]
    assert (offer.state, offer.reason) == (MessageState.CANCELLED, "stale")
    assert await town.texts_with(f"Reply OK {case.number}", ASHA) == []
    assert await town.texts_with(f"Reply OK {case.number}", BEN)


async def test_g13_what_waited_in_the_copy_and_still_counts_goes_marked_as_a_repeat(town: Town) -> None:
    """The service that was lost sent it, most likely, a second after the copy was made."""
    assert (await town.post("/api/v1/reports", paid_today())).status_code == 201
    await restored(town, 3 / 60)
    letting = await lets_go(town)
    assert (letting.stale.count, letting.will_go.count) == (0, 1)
    (offer,) = await town.texts(ASHA)
    assert offer.startswith("Repeat: ")


async def test_g13_dry_run_says_and_changes_nothing(town: Town) -> None:
    await town.takes(paid_today())
    await restored(town, 1)
    first = await town.app.database.run(lambda tx: release(tx, dry_run=True))
    again = await town.app.database.run(lambda tx: release(tx, dry_run=True))
    assert first == again
    assert (await town.rows(HoldRow))[0].released_at is None


async def test_replies_are_read_while_all_is_held(town: Town) -> None:
    """Rung by her duty officer, she texts OK: at the release the job is hers and nobody else is asked."""
    case = await town.takes(paid_today())
    await town.app.database.run(hold)
    answer = await town.post("/simulator/reply", {"from": ASHA, "body": f"OK {case.number}"})
    assert answer.is_success
    await town.settle_once()
    assert await case.status() == "assigned"
    town.clock.advance(timedelta(minutes=10))
    await lets_go(town)
    assert await case.asked() == ["asha"]


async def test_the_desk_is_told_on_every_page_and_so_is_readiness(town: Town) -> None:
    await town.takes(paid_today())
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        assert "Messages are held" not in (await officer.get("/board")).html
        await town.app.database.run(hold)
        for page in ("/board", "/console", "/exceptions", "/status"):
            assert "Messages are held" in (await officer.get(page)).html, page
        public = await town.http.get("/report")
        assert "Messages are held" not in public.text
    said = " ".join((await town.ready())["reasons"])
    assert "held" in said
    assert "`rapid-response release`" in said
    assert await town.audit() == {"messages_held": 1}


async def test_g17_a_release_is_taken_up_although_no_message_waits(town: Town) -> None:
    worker, database = town.app.worker, town.app.database
    await database.run(hold)
    assert "send" not in worker.loops.due(await database.look(glance))
    await database.run(release)
    assert "send" in worker.loops.due(await database.look(glance))
    await worker.sender.send_queued()
    assert await town.rows(HoldRow) == []
    assert "send" not in worker.loops.due(await database.look(glance))


async def test_hold_and_release_say_what_cannot_be(town: Town) -> None:
    with pytest.raises(NotHeld):
        await town.app.database.run(release)
    await town.app.database.run(hold)
    with pytest.raises(HeldAlready):
        await town.app.database.run(hold)
    await town.app.database.run(release)
    await town.settle()
    with pytest.raises(NotHeld):
        await town.app.database.run(release)


async def test_sending_begins_though_something_overdue_cannot_be_done(town: Town) -> None:
    """A poisoned entry must not keep everybody from being told."""
    case = await town.takes(paid_today())
    await restored(town, 0.1)

    def poison(tx: Tx) -> None:
        tx.add(AgendaRow, incident_id="", kind="poison", due_at=tx.now, rank=0)

    await town.app.database.run(poison)
    await lets_go(town)
    assert await town.texts_with(f"Reply OK {case.number}", BEN) == []
    await town.pass_time(minutes=3)
    assert await town.rows(HoldRow) == []
    assert await town.texts_with(f"Reply OK {case.number}", BEN)


async def test_s37_a_silent_alarm_that_came_while_all_was_held_is_not_stale(town: Town) -> None:
    await town.load(WITH_WORD)
    await town.app.database.run(hold)
    await town.texts_reply(ASHA, WORD)
    assert await town.texts_with("duress") == []
    letting = await lets_go(town)
    assert letting.stale.count == 0
    for phone in (DEE, LEADER):
        assert len(await town.texts_with("duress", phone)) == 1
