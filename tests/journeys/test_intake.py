"""Reports as they come in: what the handler is told first, how urgent it is, and who is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rapid_response.core.vocabulary import Role
from tests.builders import CENTRE, kettle, long_ago, paid_today, roofers_now, unclear
from tests.harness import ASHA, DEE, Town
from tests.journeys.browser import browser_of

HALF_PAST_ONE = datetime(2026, 7, 15, 12, 30, tzinfo=UTC)


async def test_s01_a_neighbour_tells_of_roofers_demanding_cash_now(town: Town) -> None:
    report = await town.reports(
        "Two men are on the roof of the old lady next door and they are demanding cash from her now.",
        answers={"suspect_on_premises": True, "demands_money_now": True},
        caller={"role": "neighbour", "phone": "+447700900555"},
        location=CENTRE,
    )
    assert report["advice"][0] == "call_999"
    assert (report["priority"], report["rule_id"]) == ("P0", "R05")

    case = await town.newest()
    whole = await case.now()
    assert whole["category"] == "doorstep_crime"
    assert whole["reports"][0]["caller"]["role"] == "neighbour"
    assert not any(whole["victim"].values())
    assert await case.asked() == ["asha"]


async def test_s02_a_courier_in_forty_minutes_is_dispatched_beside_the_police(town: Town) -> None:
    report = await town.reports(
        "The bank rang her and a courier is coming in 40 minutes for her card.",
        answers={"courier_expected": True},
        location=CENTRE,
    )
    assert (report["priority"], report["rule_id"], report["category"]) == ("P0", "R04", "scam")
    assert report["advice"][0] == "call_999"
    assert {"no_cash", "hang_up_other_phone", "bank_159"} <= set(report["advice"])

    case = await town.newest()
    assert f"OK {case.number}" in await town.last_text(ASHA)
    assert "police_handover" in (await case.now())["allowed_actions"]
    needed_by = datetime.fromisoformat((await case.clock())["needed_by"])
    assert needed_by == town.clock.now() + timedelta(minutes=40 - 15)


async def test_s04_money_sent_three_hours_ago_goes_to_the_bank_first(town: Town) -> None:
    three_hours_ago = town.clock.now() - timedelta(hours=3)
    report = await town.reports(
        "I sent 4000 pounds by transfer to a man who said he was from my bank.",
        answers={
            "paid_within_24h": True,
            "paid_at": three_hours_ago.isoformat(),
            "amount_gbp": 4000,
            "payment_method": "transfer",
        },
        location=CENTRE,
    )
    assert (report["priority"], report["rule_id"]) == ("P1", "R11")
    assert report["advice"][0] == "bank_recall"

    facts = (await (await town.newest()).now())["facts"]
    assert datetime.fromisoformat(facts["paid_at"]) == three_hours_ago
    assert facts["amount_pence"] == 400_000
    # How long ago decides what the bank can still do: whoever looks need not reckon.
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        page = (await handler.get(f"/incidents/{(await town.newest()).reference}")).html
    assert "9:00am, 3 hours ago" in page


@pytest.mark.parametrize("start", [HALF_PAST_ONE], ids=["13:30"])
async def test_s07_a_misspelt_web_report_is_needed_before_he_comes_back(town: Town) -> None:
    report = await town.reports(
        "my nan payed man for gutters he is comming back 3pm", channel="web", location=CENTRE
    )
    assert (report["category"], report["priority"], report["rule_id"]) == ("doorstep_crime", "P1", "R10")
    assert datetime.fromisoformat(report["clock"]["started_at"]) == HALF_PAST_ONE
    assert report["clock"]["due_at"] == (HALF_PAST_ONE + timedelta(hours=2)).isoformat()
    assert datetime.fromisoformat(report["clock"]["needed_by"]) == HALF_PAST_ONE + timedelta(minutes=75)

    case = await town.newest()
    whole = await case.now()
    assert whole["subtype"] == "rogue_trader"
    assert whole["facts"]["suspect_returning"] is True
    fired = {span["text"] for span in whole["reports"][0]["evidence"]}
    assert any("comming back" in words for words in fired), fired
    assert "On scene by 14:45" in (await town.last_text(ASHA))


async def test_s08_a_double_click_is_one_report(town: Town) -> None:
    once = paid_today(channel="web")
    first = await town.post("/api/v1/reports", once, headers={"Idempotency-Key": "form-7f3a"})
    second = await town.post("/api/v1/reports", once, headers={"Idempotency-Key": "form-7f3a"})
    await town.settle()

    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert await town.count_incidents() == 1
    assert len(await town.texts(ASHA)) == 1
    assert await town.metric("contacts_total", channel="web") == 1


async def test_an_unclear_report_waits_for_a_person_ten_minutes_and_then_goes_out(town: Town) -> None:
    report = await town.reports(**unclear())
    assert (report["rule_id"], report["priority"], report["status"]) == ("R18", "P2", "awaiting_review")
    assert report["clock"]["state"] == "running"
    case = await town.newest()
    assert "your review" in await town.last_text(DEE)

    await town.pass_time(minutes=9, seconds=59)
    assert await case.asked() == []
    await town.pass_time(seconds=1)
    assert await case.asked() == ["asha"]
    assert await case.status() == "dispatching"
    await town.pass_time(minutes=4)
    assert len(await town.texts_with("your review", DEE)) == 2  # told, and once again, until it went out
    (came,), (offered,) = await case.happened("report_received"), await case.happened("offer_made")
    assert offered["event_at"] - came["event_at"] == timedelta(minutes=10)


async def test_words_that_say_nothing_are_never_taken_for_nothing(town: Town) -> None:
    report = await town.reports("Please can somebody come.", location=CENTRE)
    assert (report["rule_id"], report["priority"]) == ("R18", "P2")
    assert report["clock"]["state"] == "running"


async def test_a_reviewed_report_goes_out_at_once(town: Town) -> None:
    case = await town.takes(unclear())
    await town.pass_time(minutes=3)

    await case.act("reclassify", category="doorstep_crime")

    assert await case.asked() == ["asha"]
    assert "review_report" not in await case.tasks()
    await town.pass_time(minutes=12)
    assert (await case.asked())[:2] == ["asha", "ben"]


async def test_no_crime_from_words_alone_waits_for_a_look(town: Town) -> None:
    case = await town.takes(kettle())
    whole = await case.now()
    assert (whole["priority"], whole["rule_id"], whole["status"]) == ("P4", "R17", "awaiting_review")
    assert whole["clock"]["state"] == "not_applicable"
    tomorrow = datetime(2026, 7, 16, 8, 0, tzinfo=UTC)
    assert datetime.fromisoformat((await case.tasks())["check_back"]["due_at"]) == tomorrow

    await town.pass_time(minutes=180)
    assert await town.texts(ASHA) == []
    await case.act("set_priority", priority="P4", reason="looked at it: a shop dispute")
    assert await case.status() == "scheduled"


async def test_s14_a_faulty_kettle_is_signposted_and_no_part_of_the_promise(town: Town) -> None:
    answer = await town.reports(**kettle())
    assert (answer["priority"], answer["category"]) == ("P4", "other")
    assert answer["advice"][0] == "citizens_advice"
    board = await town.board("2026-07")
    assert (board["contacts"]["total"], board["two_hours"]["due"]) == (1, 0)


async def test_a_visit_long_ago_is_scheduled_with_a_follow_up(town: Town) -> None:
    case = await town.takes(long_ago(town.clock.now()))
    whole = await case.now()
    assert (whole["priority"], whole["rule_id"], whole["status"]) == ("P3", "R15", "scheduled")
    assert whole["clock"]["state"] == "not_applicable"
    tomorrow = datetime(2026, 7, 16, 8, 0, tzinfo=UTC)
    assert datetime.fromisoformat((await case.tasks())["follow_up"]["due_at"]) == tomorrow

    await town.until(tomorrow)
    assert await case.asked() == []
    assert len(await town.texts_with("1 scheduled case waits for follow-up", DEE)) == 1
    assert len(await town.texts_with("a task on a case is overdue", DEE)) == 1


async def test_p0_and_p1_go_to_the_one_who_covers_the_ward(town: Town) -> None:
    near = await town.takes(roofers_now())
    elsewhere = await town.takes(paid_today(location={"ward": "Hayes & Coney Hall"}))
    assert await near.asked() == ["asha"]
    assert await elsewhere.asked() == ["ben"]
