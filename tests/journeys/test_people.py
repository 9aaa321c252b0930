"""Shifts end, phones fail, networks go down: the job is never orphaned and the clock never cares."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rapid_response.storage.tables import AttemptRow
from tests.builders import paid_today, shift, small_town
from tests.harness import ASHA, BEN, DEE, DESK, Town


async def test_s33_with_the_network_down_the_desk_is_told_within_half_a_minute(town: Town) -> None:
    await town.fails(outage=True)
    case = await town.takes(paid_today())
    due = (await case.clock())["due_at"]
    await town.pass_time(seconds=30)

    (told,) = [n for n in await case.happened("notice_given") if n["kind"] == "delivery_failing"]
    (came,) = await case.happened("report_received")
    assert told["role"] == "desk"
    assert told["event_at"] - came["event_at"] <= timedelta(seconds=30)
    assert await case.asked() == ["asha", "ben"]
    tried = [a for a in await town.rows(AttemptRow) if a.state == "rejected"]
    assert {a.error_class for a in tried} == {"not_sent"}
    assert len(tried) >= 3
    assert (await case.clock())["due_at"] == due

    await town.fails(outage=False)
    await town.pass_time(seconds=60)
    assert "our texts do not reach the responder" in await town.last_text(DESK)
    await case.hears(BEN, "OK {n}")
    assert (await case.now())["responder"] == "ben"


async def test_s33_a_phone_that_is_off_costs_the_resident_no_waiting(town: Town) -> None:
    await town.fails(number=ASHA, phone_off=True)
    case = await town.takes(paid_today())
    assert await case.asked() == ["asha", "ben"]
    troubles = [(t["channel"], t["error_class"]) for t in await case.happened("message_troubled")]
    assert troubles == [("sms", "handset"), ("voice", "call_no_answer")]
    assert [w["to_way"] for w in await case.happened("other_way_tried")] == ["voice1", "next"]
    assert await town.texts_with("our texts do not reach the responder", DESK)
    await case.act("accept", responder="asha")  # reached by telephone
    assert (await case.now())["responder"] == "asha"
    assert "Do not attend" in await town.last_text(BEN)


async def test_s38_a_shift_ends_and_the_job_is_handed_over_by_a_person(town: Town) -> None:
    await town.load(small_town(rota=[shift("asha", "09:00", "12:10"), shift("ben"), shift("dee")]))
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await town.pass_time(minutes=9)
    assert await town.texts(DEE) == []

    await town.pass_time(minutes=1)
    assert "your shift ends at 12:10 and it is still yours" in await town.last_text(ASHA)
    assert "shift ends at 12:10. Hand it over." in await town.last_text(DEE)
    assert (await case.now())["responder"] == "asha"
    assert (await case.tasks())["hand_over"]["owner"] == "duty_officer"

    await case.act("assign", responder="ben")
    assert "is now yours" in await town.last_text(BEN)
    assert "Do not attend" in await town.last_text(ASHA)
    assert "hand_over" not in await case.tasks()
    assert (await case.now())["responder"] == "ben"


@pytest.mark.parametrize("how", ["assign", "release"])
async def test_what_is_handed_over_is_not_asked_for_again(town: Town, how: str) -> None:
    await town.load(small_town(rota=[shift("asha", "00:00", "12:10"), shift("ben"), shift("dee")]))
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await town.pass_time(minutes=11)
    assert "Hand it over." in await town.last_text(DEE)
    await case.act(how, responder="ben" if how == "assign" else "asha")
    await case.hears(BEN, "OK {n}")
    texts = await town.texts(DEE)
    await town.pass_time(minutes=20)
    assert await town.texts(DEE) == texts


async def test_s38_adjoining_shifts_end_once(town: Town) -> None:
    rota = [shift("asha", "09:00", "12:10"), shift("asha", "12:10", "12:30"), shift("ben"), shift("dee")]
    await town.load(small_town(rota=rota))
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await town.pass_time(minutes=29)
    assert "hand_over" not in await case.tasks()
    await town.pass_time(minutes=1)
    assert "hand_over" in await case.tasks()


async def test_s38_a_rota_that_is_loaded_later_ends_the_shift_of_who_has_a_job(town: Town) -> None:
    """The shift had no end when she took the job; the new rota gives it one, and a newer takes it away."""
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    until_half_past = small_town(rota=[shift("asha", "00:00", "12:30"), shift("ben"), shift("dee")])
    await town.load(until_half_past)
    await town.pass_time(minutes=29)
    assert "hand_over" not in await case.tasks()
    await town.load(small_town())
    await town.pass_time(minutes=2)
    assert "hand_over" not in await case.tasks()
    await town.load(until_half_past)  # she is off duty by now
    await town.settle()
    assert "hand_over" in await case.tasks()
    assert "Hand it over." in await town.last_text(DEE)
    assert len(await town.texts_with("your shift ends", ASHA)) == 1


async def test_s38_a_shift_that_another_rota_ends_sooner_or_later_ends_once(town: Town) -> None:
    def rota(end: str) -> str:
        return small_town(rota=[shift("asha", "09:00", end), shift("ben"), shift("dee")])

    await town.load(rota("12:40"))
    sooner, later = await town.takes(paid_today()), await town.takes(paid_today())
    await sooner.hears(ASHA, "OK {n}")
    await town.load(rota("12:20"))
    await town.pass_time(minutes=20)
    assert "hand_over" in await sooner.tasks()
    await sooner.act("assign", responder="ben")
    await town.load(rota("12:50"))
    await later.act("assign", responder="asha")
    await town.load(rota("13:00"))
    await town.pass_time(minutes=39)
    assert "hand_over" not in await later.tasks()
    await town.pass_time(minutes=1)
    assert "hand_over" in await later.tasks()
    assert len(await later.happened("task_opened")) == 1


async def test_s38_who_took_a_job_off_duty_is_left_alone_by_a_new_rota(town: Town) -> None:
    await town.load(small_town(rota=[shift("asha", "09:00", "12:05"), shift("ben"), shift("dee")]))
    case = await town.takes(paid_today())
    await town.pass_time(minutes=6)
    await case.hears(ASHA, "OK {n}")
    assert (await case.now())["responder"] == "asha"
    await town.load(small_town(rota=[shift("asha", "09:00", "12:03"), shift("ben"), shift("dee")]))
    await town.settle()
    assert "hand_over" not in await case.tasks()


@pytest.mark.parametrize("by", ["the desk", "an absence", "a planned absence", "her own word"])
async def test_whose_job_is_taken_from_her_on_her_way_hears_that_she_must_not_go(town: Town, by: str) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await case.hears(ASHA, "GO {n}")
    off = {"state": "off"}
    if by == "a planned absence":
        off["from"] = (town.clock.now() + timedelta(minutes=1)).isoformat()
    match by:
        case "the desk":
            await case.act("release")
        case "her own word":
            assert "handed back, noted" in await case.hears(ASHA, "NO {n}")
        case _:
            await town.post("/api/v1/responders/asha/availability", off)
    await town.pass_time(minutes=1)
    assert await case.asked() == ["asha", "ben"]
    assert len(await town.texts_with("Do not attend", ASHA)) == (by != "her own word")


async def test_going_off_duty_gives_jobs_and_offers_back_and_keeps_them_if_said(town: Town) -> None:
    held, kept = await town.takes(paid_today()), await town.takes(paid_today())
    await held.hears(ASHA, "OK {n}")
    await kept.hears(BEN, "OK {n}")
    assert (await town.post("/api/v1/responders/asha/availability", {"state": "off"})).status_code == 200
    keep = {"state": "off", "held_jobs": "keep"}
    assert (await town.post("/api/v1/responders/ben/availability", keep)).status_code == 200
    await town.settle()
    assert (await held.now())["responder"] is None
    assert await held.asked() == ["asha", "ben"]
    assert (await held.happened("offer_declined"))[0]["source"] == "off_duty"
    assert (await kept.now())["responder"] == "ben"
    assert await held.status() == "unassigned"
    assert (await town.post("/api/v1/responders/nobody/availability", keep)).status_code == 404
