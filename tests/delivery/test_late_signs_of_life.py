"""A sign of life is as old as the text that it came by: one that was held up says nothing of now."""

from __future__ import annotations

from datetime import timedelta

from tests.builders import paid_today
from tests.delivery.test_inbound import catches_up, loses, sid_of
from tests.harness import ASHA, DEE, Case, Town

ARE_YOU_SAFE = "are you safe?"


async def at_the_door(town: Town) -> Case:
    """Asha is there, and is to be asked in half an hour."""
    case = await town.takes(paid_today())
    await case.hears(ASHA, "HERE {n}")
    await catches_up(town)
    return case


async def test_the_time_to_the_next_question_begins_when_she_wrote(town: Town) -> None:
    case = await at_the_door(town)
    await town.pass_time(minutes=20)
    await loses(town, ASHA, f"SAFE {case.number}", sid_of(1))
    await town.pass_time(minutes=5)
    assert await catches_up(town) == 1
    assert "you are safe, noted" in await town.last_text(ASHA)
    await town.pass_time(minutes=24, seconds=50)
    assert await town.texts_with(ARE_YOU_SAFE, ASHA) == []
    await town.pass_time(seconds=10)
    assert len(await town.texts_with(ARE_YOU_SAFE, ASHA)) == 1


async def test_what_she_wrote_before_she_was_asked_is_no_answer(town: Town) -> None:
    """She has not picked up since: nobody may hear that she is safe."""
    case = await at_the_door(town)
    await town.pass_time(minutes=5)
    await loses(town, ASHA, f"SAFE {case.number}", sid_of(1))
    await town.pass_time(minutes=41)
    assert await town.texts_with("no check-in for 45 min", DEE)
    assert await catches_up(town) == 1
    assert await town.texts_with("has answered and is safe") == []
    await town.pass_time(minutes=5)
    assert "no check-in for" in await town.last_text(DEE)


async def test_an_answer_that_was_held_up_is_one_all_the_same(town: Town) -> None:
    case = await at_the_door(town)
    await town.pass_time(minutes=44)
    await loses(town, ASHA, f"SAFE {case.number}", sid_of(1))
    await town.pass_time(minutes=2)
    assert await catches_up(town) == 1
    assert "the responder has answered and is safe" in await town.last_text(DEE)


async def test_an_arrival_that_is_found_late_is_asked_after_from_when_it_was(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await catches_up(town)
    await loses(town, ASHA, f"HERE {case.number}", sid_of(1))
    await town.pass_time(minutes=40)
    assert await catches_up(town) == 1
    assert await town.texts_with(ARE_YOU_SAFE, ASHA)
    await town.pass_time(minutes=15)
    assert await town.texts_with("no check-in for 55 min", DEE)


async def test_an_older_word_of_another_job_ends_no_visit_that_began_since(town: Town) -> None:
    first, second = [await town.takes(paid_today()) for _ in range(2)]
    for case in (first, second):
        await case.act("assign", responder="asha")
    await loses(town, ASHA, f"GO {first.number}", sid_of(1))
    town.clock.advance(timedelta(minutes=1))
    await second.hears(ASHA, "HERE {n}")
    town.clock.advance(timedelta(seconds=20))
    assert await catches_up(town) == 1
    assert await second.happened("visit_ended") == []
    await town.pass_time(minutes=30)
    assert any(str(second.number) in text for text in await town.texts_with(ARE_YOU_SAFE, ASHA))
