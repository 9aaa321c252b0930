"""A reply whose webhook was lost, found when more has happened: it says nothing of what came after it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rapid_response.storage.tables import InboundMessageRow, NoticeRow
from tests.builders import paid_today, roofers_now
from tests.delivery.test_inbound import catches_up, loses, opted_out, sid_of
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


async def late(town: Town, case: Case, words: str, *, since: str) -> str:
    """She texts something that is lost, and then something else; what answers the first in the end."""
    town.clock.advance(timedelta(seconds=20))
    await loses(town, ASHA, f"{words} {case.number}", sid_of(1))
    town.clock.advance(timedelta(seconds=20))
    await case.hears(ASHA, f"{since} {{n}}")
    town.clock.advance(timedelta(seconds=20))
    assert await catches_up(town) == 1
    return await town.last_text(ASHA)


async def test_a_no_that_is_found_late_takes_no_job_back_that_was_accepted_since(town: Town) -> None:
    case = await town.takes(paid_today())
    assert "kept as a note" in await late(town, case, "NO", since="OK")
    assert (await case.now())["responder"] == "asha"
    assert await case.asked() == ["asha"]
    (text,) = [row for row in await town.rows(InboundMessageRow) if row.verb == "decline"]
    assert (text.effect, text.needs_person) == ("note", True)


@pytest.mark.parametrize("way", ["key", "desk"])
async def test_nor_one_that_was_taken_by_a_call_or_given_by_the_desk_since(town: Town, way: str) -> None:
    case = await town.takes(paid_today())
    await loses(town, ASHA, f"NO {case.number}", sid_of(1))
    if way == "key":
        await town.pass_time(seconds=100)
        await town.answers_call(ASHA, "11")
    else:
        town.clock.advance(timedelta(seconds=20))
        await case.act("assign", responder="asha")
    assert (await case.now())["responder"] == "asha"
    town.clock.advance(timedelta(seconds=20))
    assert await catches_up(town) == 1
    assert (await case.now())["responder"] == "asha"


@pytest.mark.parametrize("words", ["NOBODY", "DONE NOCONTACT"])
async def test_a_nobody_that_is_found_late_ends_no_visit_that_began_since(town: Town, words: str) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "GO {n}")
    await late(town, case, words, since="HERE")
    whole = await case.now()
    assert (whole["status"], whole["clock"]["state"]) == ("on_scene", "met")
    await town.pass_time(minutes=31)
    assert "are you safe?" in await town.last_text(ASHA)


async def test_a_here_that_is_found_late_is_no_arrival_where_nobody_answered_since(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "GO {n}")
    await late(town, case, "HERE", since="NOBODY")
    whole = await case.now()
    assert (whole["status"], whole["clock"]["state"]) == ("assigned", "running")


async def test_what_is_found_late_and_all_at_once_goes_by_its_own_times(town: Town) -> None:
    case = await town.takes(paid_today())
    for n, words in enumerate(("OK", "HERE", "NOBODY"), start=1):
        town.clock.advance(timedelta(seconds=20))
        await loses(town, ASHA, f"{words} {case.number}", sid_of(n))
    town.clock.advance(timedelta(seconds=20))
    assert await catches_up(town) == 3
    assert await case.status() == "assigned"
    assert {row.effect for row in await town.rows(InboundMessageRow)} == {"act"}


@pytest.mark.parametrize(("lost", "newer", "is_out"), [("STOP", "START", False), ("START", "STOP", True)])
async def test_of_stop_and_start_the_one_that_was_written_last_holds(
    town: Town, lost: str, newer: str, is_out: bool
) -> None:
    """As it does at the carrier, which acts on them in the order in which they were sent."""
    await town.texts_reply(ASHA, "START" if is_out else "STOP")
    town.clock.advance(timedelta(seconds=20))
    await loses(town, ASHA, lost, sid_of(1))
    town.clock.advance(timedelta(seconds=20))
    await town.texts_reply(ASHA, newer)
    town.clock.advance(timedelta(seconds=20))
    assert await catches_up(town) == 1
    assert await opted_out(town, ASHA) is is_out
