"""Who was chosen for their age, a person says; how urgent it is, a person may raise, and few lower."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from rapid_response.access.keys import create_key
from rapid_response.core.states import MessageState
from rapid_response.core.vocabulary import Role, Scope
from rapid_response.storage.tables import AgendaRow, MessageRow
from tests.builders import long_ago, paid_today, unclear
from tests.harness import ASHA, DEE, Town
from tests.journeys.browser import browser_of


async def test_s21_age_alone_flags_nothing(town: Town) -> None:
    case = await town.takes(paid_today(victim={"age": 84}))
    assert (await case.now())["age_targeting"] == {"state": "none", "evidence": []}
    assert "review_age_targeting" not in await case.tasks()
    assert await case.happened("targeting_assessed") == []


async def test_s22_being_chosen_for_age_is_potential_until_a_person_has_looked(town: Town) -> None:
    said = (
        "He said old dears round here never check, and he only called at the bungalows for older people. "
        "She paid him 200 pounds this morning."
    )
    case = await town.takes(paid_today(narrative=said))
    whole = await case.now()
    assert whole["age_targeting"]["state"] == "potential"
    assert "old dears" in {span["text"] for span in whole["age_targeting"]["evidence"]}
    assert whole["category"] == "doorstep_crime"
    assert (await case.tasks())["review_age_targeting"]["owner"] == "duty_officer"
    assert whole["statutory_strands"] == []


async def test_s23_a_handler_records_that_they_say_so_and_two_rule_it_out(town: Town) -> None:
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        sent = await handler.fill(
            "/console",
            "/console",
            narrative="A man sold her a mattress at the door.",
            victims_own_perception="yes",
            **{"answers.happened_at": "10 days ago", "victim.age": "67"},
        )
        assert sent.status == 200, sent.html
    case = await town.newest()
    whole = await case.now()
    assert (whole["age_targeting"]["state"], whole["targeting_review"]["victims_own_perception"]) == (
        "potential",
        True,
    )
    (said,) = [e for e in whole["age_targeting"]["evidence"] if not e["text"]]
    assert (said["kind"], said["why"]) == ("stated_reason", "Said by the caller, recorded by the handler.")
    assert "review_age_targeting" in await case.tasks()
    assert (await case.happened("targeting_assessed"))[0]["kinds"] == ["stated_reason"]
    assert (whole["priority"], whole["rule_id"]) == ("P3", "R15")

    async with await browser_of(town, "dee", Role.DUTY_OFFICER, "dee") as officer:
        for page in ("/reviews", f"/incidents/{case.reference}"):
            html = (await officer.get(page)).html
            assert "Said by the caller, recorded by the handler." in html
            assert "“”" not in html
    ruled_out = {"state": "ruled_out", "reason": "He sold to the whole street."}
    assert (await case.try_to("review_age_targeting", **ruled_out)).status_code == 422


async def test_a_tick_left_empty_flags_nothing(town: Town) -> None:
    case = await town.takes(paid_today(victims_own_perception=False))
    assert (await case.now())["age_targeting"] == {"state": "none", "evidence": []}


async def test_s24_homophobic_abuse_is_offered_to_the_police_and_is_not_about_age(town: Town) -> None:
    said = "He shouted homophobic abuse at my uncle, called him a queer, and made him pay for the drive."
    case = await town.takes(paid_today(narrative=said))
    whole = await case.now()
    assert whole["statutory_strands"] == ["sexual_orientation"]
    assert whole["age_targeting"]["state"] == "none"
    assert "offer_police_hate_referral" in await case.tasks()
    assert "review_age_targeting" not in await case.tasks()


async def test_s25_lowering_needs_a_duty_officer_and_a_reason(town: Town) -> None:
    case = await town.takes(unclear())
    without_reason = await case.try_to("set_priority", priority="P3")
    assert without_reason.status_code == 422
    assert without_reason.json()["errors"][0]["field"] == "reason"
    assert (await case.now())["priority"] == "P2"

    lowered = await case.act("set_priority", priority="P3", reason="Spoke to her: a mattress last year.")
    assert (lowered["priority"], lowered["status"]) == ("P3", "scheduled")
    assert lowered["clock"]["state"] == "not_applicable"
    decided = (await case.happened("priority_decided"))[-1]
    assert (decided["priority"], decided["rule_id"], decided["reason_given"]) == ("P3", "person", True)
    await town.pass_time(minutes=180)
    assert await town.texts(ASHA) == []


async def test_s25_a_key_without_the_right_to_act_lowers_nothing(town: Town) -> None:
    case = await town.takes(paid_today())
    reading = await town.app.database.run(lambda tx: create_key(tx, "a handler's form", (Scope.REPORT,)))
    refused = await town.post(
        f"/api/v1/incidents/{case.reference}/actions/set_priority",
        {"priority": "P3", "reason": "seems fine"},
        headers={"authorization": f"Bearer {reading.secret}"},
    )
    assert refused.status_code == 403
    assert (await case.now())["priority"] == "P1"


async def test_s26_raising_starts_a_second_clock_and_keeps_the_first_age(town: Town) -> None:
    case = await town.takes(long_ago(town.clock.now()))
    received = datetime.fromisoformat((await case.now())["received_at"])
    await town.pass_time(minutes=40)

    raised = await case.act("set_priority", priority="P2", reason="He rang again.")

    now = town.clock.now()
    assert raised["clock"]["state"] == "running"
    assert datetime.fromisoformat(raised["clock"]["started_at"]) == now
    assert datetime.fromisoformat(raised["clock"]["due_at"]) == now + timedelta(hours=2)
    assert datetime.fromisoformat(raised["received_at"]) == received == now - timedelta(minutes=40)
    assert f"OK {raised['job_number']}" in await town.last_text(ASHA)
    assert [c["why"] for c in await case.happened("clock_not_applicable")] == ["priority"]
    assert "follow_up" not in await case.tasks()


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("set_priority", {"priority": "P0"}),
        ("amend", {"answers": {"suspect_on_premises": True, "demands_money_now": True}}),
    ],
)
async def test_what_is_raised_goes_before_what_is_less_urgent(
    town: Town, action: str, body: dict[str, Any]
) -> None:
    """Also what is on its agenda already, and the offer that has not left yet."""
    taken = (await town.post("/api/v1/reports", paid_today())).json()
    assert taken["priority"] == "P1"
    (waiting,) = await town.rows(MessageRow)
    assert (waiting.state, waiting.rank) == (MessageState.PENDING, 1)
    raised = await town.post(f"/api/v1/incidents/{taken['reference']}/actions/{action}", body)
    assert raised.json()["priority"] == "P0"
    coming = [row for row in await town.rows(AgendaRow) if row.incident_id and row.settled_at is None]
    assert {row.rank for row in coming} == {0}
    assert {row.rank for row in await town.rows(MessageRow)} == {0}


async def test_lowering_stands_down_who_was_asked(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.act("set_priority", priority="P3", reason="The bank has stopped it.")
    assert "Do not attend" in await town.last_text(ASHA)
    assert (await case.tasks())["follow_up"]["owner"] == "duty_officer"
    await town.pass_time(minutes=150)
    assert (await case.clock())["breached_at"] is None
    assert await case.asked() == ["asha"]
    assert await town.texts_with("nobody", DEE) == []
