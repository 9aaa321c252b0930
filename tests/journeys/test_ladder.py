"""Who is asked, in which order and when; what an acceptance ends, and what giving back begins again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import paid_today, roofers_now, scam_paid, small_town
from tests.harness import ASHA, BEN, CAT, DEE, HEAD, LEADER, Case, Town

SLOW_LADDER = [
    {"after": "PT0M", "action": "offer", "to": "best_responder", "answer_within": "PT5M"},
    {"after": "PT30M", "action": "offer", "to": "next_responder", "answer_within": "PT7M"},
    {"after": "PT40M", "action": "notify", "to": "duty_officer", "by": ["sms"]},
]


async def minutes_of(case: Case, event: str) -> list[float]:
    """When events of a type happened, in minutes after the report."""
    (came,) = await case.happened("report_received")
    return [(e["event_at"] - came["event_at"]).total_seconds() / 60 for e in await case.happened(event)]


async def told(case: Case) -> dict[str, float]:
    """Which roles the ladder's notices reached, and after how many minutes."""
    rungs = zip(await case.happened("rung_reached"), await minutes_of(case, "rung_reached"), strict=True)
    return {rung["to"]: at for rung, at in rungs if rung["action"] == "notify"}


async def test_s35_a_suspect_there_is_offered_jointly_and_the_duty_officer_told_in_the_minute(
    town: Town,
) -> None:
    case = await town.takes(roofers_now())
    assert "joint, do not enter alone" in await town.last_text(ASHA)
    assert "Arrange police or 2nd officer by 14:00" in await town.last_text(DEE)
    assert await minutes_of(case, "offer_made") == await minutes_of(case, "notice_given") == [0]
    assert (await case.now())["joint"] is True
    plain = await town.takes(paid_today())
    assert "joint" not in (await town.texts_with(str(plain.number), BEN))[0]


@pytest.mark.long
async def test_s35_where_joint_attendance_is_held_a_person_releases_it(town: Town) -> None:
    await town.load(small_town(sla={"joint_attendance": "hold"}))
    case = await town.takes(roofers_now())
    assert await case.status() == "awaiting_review"
    assert "held for joint attendance" in await town.last_text(DEE)
    await town.pass_time(minutes=16)
    assert await case.asked() == []
    assert "release" in (await case.now())["allowed_actions"]
    assert await town.texts_with("nobody accepted in time", DEE)

    alone = await case.try_to("release")
    assert (alone.status_code, alone.json()["errors"][0]["field"]) == (422, "reason")
    assert "Say who goes along" in alone.json()["errors"][0]["message"]
    await case.act("release", reason="The ward officers are at the address already.")

    assert await case.asked() == ["asha"]
    assert [j["how"] for j in await case.happened("joint_arranged")] == ["override"]
    assert "release_held" not in await case.tasks()
    assert (await case.clock())["started_at"] == (town.clock.now() - timedelta(minutes=16)).isoformat()


@pytest.mark.long
async def test_the_ladder_is_climbed_when_nobody_answers(town: Town) -> None:
    case = await town.takes(paid_today())
    for minutes in (15, 15, 30):
        await town.pass_time(minutes=minutes)
        await case.act("acknowledge")  # which ends repeats, and no rung

    assert (await case.asked())[:2] == ["asha", "ben"]
    assert (await minutes_of(case, "offer_made"))[:2] == [0, 5]
    assert await told(case) == {"duty_officer": 15, "team_leader": 30, "head_of_service": 60}
    for phone in (DEE, LEADER, HEAD):
        assert len(await town.texts_with("still nobody has it", phone)) == 1
        assert any(call["direction"] == "outbound" for call in await town.calls(phone))


@pytest.mark.long
async def test_a_no_brings_the_next_offer_forward_and_never_a_notice(town: Town) -> None:
    await town.load(small_town(escalation=SLOW_LADDER))
    case = await town.takes(scam_paid())
    await town.pass_time(minutes=2)
    await case.hears(ASHA, "NO {n}")
    assert await case.asked() == ["asha", "ben"]
    assert await case.happened("rung_reached") == []

    await town.pass_time(minutes=6)
    assert await case.asked() == ["asha", "ben"]
    await town.pass_time(minutes=1)
    assert await case.asked() == ["asha", "ben", "cat"]
    assert await minutes_of(case, "offer_made") == [0, 2, 9]
    waits = [timedelta(minutes=m) for m in (5, 7, 7)]
    offers = await case.happened("offer_made")
    assert [o["answer_by"] for o in offers] == [
        (o["event_at"] + wait).isoformat() for o, wait in zip(offers, waits, strict=True)
    ]
    await case.hears(CAT, "OK {n}")
    await town.pass_time(minutes=32)
    assert await case.happened("rung_reached") == []


async def test_a_lapsed_answer_brings_the_next_offer_forward(town: Town) -> None:
    await town.load(small_town(escalation=SLOW_LADDER))
    case = await town.takes(scam_paid())
    await town.pass_time(minutes=5)
    assert await case.asked() == ["asha", "ben"]
    assert await case.happened("rung_reached") == []
    await town.pass_time(minutes=35)
    assert await told(case) == {"duty_officer": 40}


async def test_an_acceptance_ends_offers_and_ladder_but_no_warning(town: Town) -> None:
    case = await town.takes(paid_today())
    await town.pass_time(minutes=5)
    await case.hears(BEN, "OK {n}")
    before = await town.texts(ASHA)
    await town.pass_time(minutes=56)
    assert await case.asked() == ["asha", "ben"]
    assert await told(case) == {}
    assert await town.texts(ASHA) == before
    assert "50% of the time is gone" in await town.last_text(BEN)


@pytest.mark.long
async def test_a_job_given_back_is_searched_for_again_from_now(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await town.pass_time(minutes=20)
    answer = await case.hears(ASHA, "NO {n}")

    assert "handed back" in answer
    assert await case.asked() == ["asha", "ben"]
    assert (await case.now())["responder"] is None
    assert (await case.clock())["accepted_at"] is None
    await town.pass_time(minutes=15)
    assert await told(case) == {"duty_officer": 35}
    assert len(await town.texts_with("nobody accepted in time", DEE)) == 1
    await case.act("acknowledge")
    await town.pass_time(minutes=25)
    assert [w["share"] for w in await case.happened("deadline_warned")] == [0.5]


async def test_a_wrong_address_or_going_off_duty_begins_the_search_again(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    off = await town.post("/api/v1/responders/asha/availability", {"state": "off"})
    assert off.status_code == 200
    await town.settle()
    assert await case.asked() == ["asha", "ben"]
    await case.hears(BEN, "OK {n}")
    await case.act("release", responder="ben", reason="wrong address")
    assert await case.status() in ("dispatching", "unassigned")
    assert [r["why"] for r in await case.happened("released")] == ["off_duty", "released"]


async def test_a_busy_responder_comes_later_and_not_never(town: Town) -> None:
    first = await town.takes(paid_today())
    await first.hears(ASHA, "OK {n}")
    second = await town.takes(paid_today())
    assert await second.asked() == ["ben"]
    await second.hears(BEN, "NO {n}")
    assert await second.asked() == ["ben", "asha"]
    assert "load:1" in (await second.happened("offer_made"))[1]["reasons"]
