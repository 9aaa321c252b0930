"""A reply whose webhook was lost, found when more has happened: it says nothing of what came after it."""

from __future__ import annotations

from datetime import timedelta

from rapid_response.storage.tables import NoticeRow
from tests.builders import paid_today, roofers_now
from tests.delivery.test_inbound import catches_up, loses, sid_of
from tests.harness import ASHA, DEE, Case, Town


async def unseen(town: Town) -> list[str]:
    """The notices that nobody has seen."""
    return [row.kind for row in await town.rows(NoticeRow) if row.acknowledged_at is None]


async def told_that_two_must_go(town: Town) -> Case:
    """The duty officer has one notice, and has texted that she has seen it; we know nothing of that."""
    case = await town.takes(roofers_now())
    await case.hears(ASHA, "HERE {n}")
    assert await unseen(town) == ["joint"]
    town.clock.advance(timedelta(minutes=1))
    await loses(town, DEE, f"OK {case.number}", sid_of(1))
    return case


async def test_an_ok_that_is_found_late_has_not_seen_a_notice_that_was_given_after_it(town: Town) -> None:
    case = await told_that_two_must_go(town)
    town.clock.advance(timedelta(seconds=20))
    await case.hears(ASHA, "not safe")
    assert await unseen(town) == ["joint", "not_safe"]
    town.clock.advance(timedelta(seconds=20))
    assert await catches_up(town) == 1
    assert await unseen(town) == ["not_safe"]
    await town.pass_time(minutes=6)
    assert "the responder may need help" in await town.last_text(DEE)
    assert (await town.last_text(DEE)).startswith("Repeat: ")


async def test_nor_has_it_seen_the_notice_that_replaced_the_one_it_answers(town: Town) -> None:
    case = await town.takes(paid_today())
    await catches_up(town)
    await town.pass_time(minutes=16)
    await loses(town, DEE, f"OK {case.number}", sid_of(1))
    await town.pass_time(minutes=45)  # half of the time is gone: whatever she was told of last is newer
    before = await unseen(town)
    assert await catches_up(town) == 1
    assert await unseen(town) == before
