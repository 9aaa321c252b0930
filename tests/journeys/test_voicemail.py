"""Voicemail on the hotline: a report before anybody has heard it, and read as soon as its words are known."""

from __future__ import annotations

from tests.builders import small_town
from tests.harness import ASHA, DEE, Town

CALLER = "+447700900555"


async def test_a_voicemail_is_a_report_decided_by_its_words(town: Town) -> None:
    await town.rings_hotline(
        CALLER, "There are two men on my mother's roof now and they want three thousand pounds cash."
    )
    case = await town.newest()
    whole = await case.now()
    assert whole["reports"][0]["channel"] == "voicemail"
    assert whole["reports"][0]["caller"]["phone"] == CALLER
    assert "on my mother's roof" in whole["reports"][0]["narrative"]
    assert (whole["category"], whole["priority"], whole["rule_id"]) == ("doorstep_crime", "P0", "R05")
    assert await case.status() == "dispatching"
    assert len(await case.asked()) == 1
    assert await town.count_incidents() == 1
    assert await town.metric("contacts_total", channel="voicemail") == 1


async def test_a_voicemail_that_tells_of_a_suspect_is_joint_and_the_duty_officer_knows(town: Town) -> None:
    await town.rings_hotline(CALLER, "He is at the door now and he will not leave until I pay him.")
    case = await town.newest()
    assert (await case.now())["joint"] is True
    (offer,) = await town.texts_with("joint, do not enter alone. Area")
    assert f"OK {case.number}" in offer
    assert "Arrange police or 2nd officer" in await town.last_text(DEE)


async def test_a_voicemail_is_held_where_joint_attendance_is(town: Town) -> None:
    await town.load(small_town(sla={"joint_attendance": "hold"}))
    await town.rings_hotline(CALLER, "He is at the door now and he will not leave until I pay him.")
    case = await town.newest()
    assert await case.status() == "awaiting_review"
    await town.pass_time(minutes=11)
    assert await case.asked() == []
    assert await town.texts_with("held for joint attendance", DEE)
    await case.act("release", arranged="police")
    assert len(await case.asked()) == 1


async def test_key_1_says_that_somebody_is_here(town: Town) -> None:
    await town.rings_hotline(CALLER, "Please can somebody come.", digits="1")
    case = await town.newest()
    whole = await case.now()
    assert whole["facts"]["suspect_on_premises"] is True
    assert whole["priority"] in ("P0", "P1")
    assert whole["joint"] is True
    assert len(await case.asked()) == 1


async def test_a_voicemail_nobody_can_read_is_kept_and_reviewed(town: Town) -> None:
    await town.rings_hotline(CALLER, "inaudible", hang_up_after="voicemail")
    case = await town.newest()
    whole = await case.now()
    assert (whole["priority"], whole["rule_id"], whole["status"]) == ("P2", "R18", "awaiting_review")
    assert "your review" in await town.last_text(DEE)
    await town.pass_time(minutes=10)
    assert len(await case.asked()) == 1


async def test_words_that_say_little_lower_nothing(town: Town) -> None:
    await town.rings_hotline(
        CALLER, "My new kettle is faulty and the shop will not give me a refund.", digits="1"
    )
    whole = await (await town.newest()).now()
    assert whole["priority"] in ("P0", "P1")
    assert whole["clock"]["state"] == "running"


async def test_the_same_voicemail_told_twice_is_one_report(town: Town) -> None:
    call = await town.rings_hotline(CALLER, "A man took 200 pounds from my dad this morning for a gutter.")
    await town.delivers_again(call)
    assert await town.count_incidents() == 1
    assert len(await town.texts(ASHA)) <= 1


async def test_a_call_without_a_message_is_no_incident(town: Town) -> None:
    await town.rings_hotline(CALLER, "", hang_up_after="menu")
    assert await town.count_incidents() == 0
