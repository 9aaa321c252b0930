"""What random days found, each told once as a plain story. No case may go back to what it says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rapid_response.storage.tables import AgendaRow
from tests.builders import kettle, long_ago, paid_today, roofers_now, small_town
from tests.harness import ASHA, Case, Town

STRANGER = "+447700900555"


async def without_next_step(town: Town) -> float:
    return await town.metric("open_without_next_step")


# --- an open case always has a next step (I2) ---------------------------------------------------------------


async def test_a_case_without_clock_that_is_assigned_stays_in_view(town: Town) -> None:
    case = await town.takes(kettle())
    await case.act("assign", responder="asha")
    assert await without_next_step(town) == 0
    assert "check_back" in await case.tasks()


async def test_a_lowered_case_that_somebody_has_stays_in_view(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await case.act("set_priority", priority="P3", reason="Rang her.")
    assert await without_next_step(town) == 0


async def test_the_last_task_of_a_case_waiting_for_review_leaves_it_in_view(town: Town) -> None:
    case = await town.takes(kettle())
    task = (await case.tasks())["check_back"]["id"]
    await case.act("task_done", task=task)
    assert await without_next_step(town) == 0


async def test_a_missed_promise_that_everybody_knows_of_stays_in_view(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await town.pass_time(minutes=121)
    await case.act("task_done", task=(await case.tasks())["breach_reason"]["id"], reason="travel")
    await case.act("acknowledge")
    assert await without_next_step(town) == 0
    assert await case.status() == "assigned"


async def test_a_job_at_the_door_whose_task_was_ticked_off_stays_in_view(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "HERE {n}")
    await case.act("task_done", task=(await case.tasks())["finish_job"]["id"])
    assert await without_next_step(town) == 0


# --- paper from an outage -----------------------------------------------------------------------------------


@pytest.mark.long
async def test_paper_of_a_case_without_clock_that_is_raised_later_tells_people(town: Town) -> None:
    case = await town.takes(long_ago(town.clock.now(), back_entry=True))
    await case.act("set_priority", priority="P1")
    assert await case.asked() == ["asha"]
    await town.pass_time(minutes=6)
    assert await case.asked() == ["asha", "ben"]
    await town.pass_time(minutes=115)
    assert {n["kind"] for n in await case.happened("notice_given")} >= {"warning", "breach"}


async def test_paper_that_is_held_sends_nothing_when_its_pause_ends(town: Town) -> None:
    case = await town.takes(paid_today(back_entry=True))
    await case.act("pause", reason="police_requested_hold")
    await case.act("resume")
    assert await case.asked() == []
    assert await case.status() == "awaiting_review"


# --- a voicemail --------------------------------------------------------------------------------------------


async def test_a_voicemail_whose_words_are_not_known_is_urgent(town: Town) -> None:
    await town.rings_hotline(STRANGER, "", hang_up_after="voicemail")
    left = await (await town.newest()).now()
    assert (left["rule_id"], left["status"], left["clock"]["state"]) == ("R18", "awaiting_review", "running")


# --- a clock that stands still ------------------------------------------------------------------------------


async def test_nobody_is_asked_while_the_clock_stands_still(town: Town) -> None:
    await town.rings_hotline(STRANGER, "", hang_up_after="voicemail")
    case = await town.newest()
    await case.act("pause", reason="victim_requested_later_time")
    await case.act("reclassify", category="scam")
    assert await case.asked() == []
    await case.act("resume")
    assert len(await case.asked()) == 1


async def test_a_job_given_back_while_the_clock_stands_still_is_offered_when_it_goes_on(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await case.act("pause", reason="victim_requested_later_time")
    await case.act("release")
    assert await case.asked() == ["asha"]
    await case.act("resume")
    assert await case.asked() == ["asha", "ben"]


async def test_a_failed_text_brings_no_offer_forward_while_the_clock_stands_still(town: Town) -> None:
    await town.fails(number=ASHA, phone_off=True)
    answer = await town.post("/api/v1/reports", paid_today())
    case = Case(town, answer.json()["reference"], None)
    await town.app.worker.sender.send_queued()
    await town.app.network.settle()
    await town.http.post(
        f"/api/v1/incidents/{case.reference}/actions/pause", json={"reason": "police_requested_hold"}
    )
    await town.settle()
    assert await case.asked() == ["asha"]


async def test_an_old_pause_does_not_end_a_new_one(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.act("pause", reason="police_requested_hold", until=at(town, minutes=60))
    await case.act("set_priority", priority="P3", reason="Rang her.")
    await case.act("set_priority", priority="P1")
    await case.act("pause", reason="police_requested_hold", until=at(town, minutes=600))
    await town.pass_time(minutes=61)
    assert (await case.clock())["state"] == "paused"


# --- who is told what ---------------------------------------------------------------------------------------


async def test_whoever_is_given_the_job_she_was_asked_about_is_not_told_to_stand_down(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.act("assign", responder="asha")
    assert not await town.texts_with("not yours any more", ASHA)


async def test_the_owner_of_a_cancelled_job_is_told_not_to_go(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "GO {n}")
    await case.act("cancel", reason="She rang back: it was her nephew.")
    assert "Do not attend" in await town.last_text(ASHA)


async def test_a_warning_that_has_not_left_is_not_sent_after_the_end(town: Town) -> None:
    case = await town.takes(paid_today())
    await town.fails(outage=True)
    await case.act("assign", responder="asha")
    await case.act("cancel")
    await town.fails(outage=False)
    await town.pass_time(minutes=2)
    asked, *later = await town.texts(ASHA)
    assert "OK" in asked
    assert all("Do not attend" in text for text in later)


async def test_who_stopped_our_texts_is_rung_at_once_and_the_next_is_asked_in_time(town: Town) -> None:
    await town.texts_reply(ASHA, "STOP")
    case = await town.takes(paid_today())
    assert len(await town.calls(ASHA)) == 1
    await town.pass_time(minutes=5)
    assert await case.asked() == ["asha", "ben"]


async def test_a_reference_without_end_is_no_fault_of_the_service(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await case.hears(ASHA, "DONE {n} POLICE CAD 1" + "/99" * 90)
    assert [row.error for row in await town.rows(AgendaRow) if row.error] == []
    assert await case.status() == "closed"


async def test_a_stop_that_comes_late_owes_a_reason_like_any_other_breach(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.act("assign", responder="asha")
    town.clock.set(town.clock.now() + two_hours_and_a_second())
    answer = await town.post(f"/api/v1/incidents/{case.reference}/actions/on_scene", {})
    assert answer.json()["clock"]["state"] == "breached"
    await town.settle()
    assert "breach_reason" in await case.tasks()


@pytest.mark.long
async def test_a_held_case_that_is_released_climbs_one_ladder(town: Town) -> None:
    await town.load(small_town(sla={"joint_attendance": "hold"}))
    case = await town.takes(roofers_now())
    await town.pass_time(minutes=10)
    await case.act("release", arranged="police")
    await town.pass_time(minutes=60)
    rungs = [r["rung"] for r in await case.happened("rung_reached") if r["action"] == "notify"]
    assert rungs == sorted(set(rungs))


def at(town: Town, *, minutes: int) -> str:
    return (town.clock.now() + timedelta(minutes=minutes)).isoformat()


def two_hours_and_a_second() -> timedelta:
    return timedelta(hours=2, seconds=1)
