"""Calls that end too soon, and callers who are not alone at their computer.

Scenarios 3, 5 and 6.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import CallRow, TaskRow
from tests.builders import CENTRE, paid_today, scam_paid
from tests.harness import ASHA, DEE, DESK, Case, Town
from tests.journeys.browser import browser_of

CALLER = "+447700900777"


# --- scenario 3 -------------------------------------------------------------------------------------------


async def in_her_computer(town: Town) -> Case:
    """Somebody is in the caller's computer."""
    return await town.takes(
        scam_paid(
            narrative="He says he is from the internet company and he can see my screen.",
            answers={"remote_access_on": True, "paid_within_24h": False},
        )
    )


async def test_s03_someone_in_the_computer_is_cut_off_and_rung_within_a_quarter_of_an_hour(
    town: Town,
) -> None:
    answer = await town.reports(
        "He says he is from the internet company and he can see my screen.",
        answers={"remote_access_on": True},
        location=CENTRE,
        safe_contact={"voice": True},
    )
    assert (answer["priority"], answer["rule_id"], answer["category"]) == ("P1", "R09", "scam")
    assert answer["advice"][0] == "cut_connection"
    assert {"hang_up_other_phone", "bank_159"} <= set(answer["advice"])
    case = await town.newest()
    task = (await case.tasks())["remote_response"]
    assert task["owner"] == "duty_officer"
    assert datetime.fromisoformat(task["due_at"]) == town.clock.now() + timedelta(minutes=15)
    # Whoever can go is asked beside it, and whoever sits at the desk sees what to say.
    assert await case.asked() == ["asha"]
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        sent = await handler.fill(
            "/console",
            "/console",
            **{"narrative": "He can see her screen.", "answers.remote_access_on": "yes"},
        )
        assert "Pull out the internet plug" in sent.html
        page = (await handler.get(f"/incidents/{case.reference}")).html
        assert "Ring now. Get them cut off" in page
        await case.act("amend", safe_contact={"voice": False})
        page = (await handler.get(f"/incidents/{case.reference}")).html
        assert "Find a safe way to reach them: do not ring this number. Get them cut off" in page
        assert "Ring now." not in page

    await case.act("remote_response", protective_act="connection_cut", responder="ben")
    assert "remote_response" not in await case.tasks()
    assert (await case.clock())["stopped_by"] == "remote_response"


async def test_s03_who_is_not_rung_in_time_is_told_of_and_it_is_owed_once(town: Town) -> None:
    case = await in_her_computer(town)
    await case.hears(ASHA, "OK {n}")
    await town.pass_time(minutes=14, seconds=59)
    assert await town.texts_with("overdue", DEE) == []
    await town.pass_time(seconds=1)
    assert await town.texts_with("overdue", DEE)
    await case.act("task_done", task=(await case.tasks())["remote_response"]["id"])
    await case.act("amend", answers={"on_phone_with_suspect": True})
    assert "remote_response" not in await case.tasks()


@pytest.mark.long
async def test_s03_found_out_later_it_is_owed_from_then(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    assert "remote_response" not in await case.tasks()
    await town.pass_time(minutes=10)
    await case.act("amend", answers={"on_phone_with_suspect": True})
    due = datetime.fromisoformat((await case.tasks())["remote_response"]["due_at"])
    assert due == town.clock.now() + timedelta(minutes=15)
    await case.hears(ASHA, "HERE {n}")
    (task,) = [row for row in await town.rows(TaskRow) if row.kind == "remote_response"]
    assert task.done_at == town.clock.now()


# --- scenario 20 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("why", [{"safe_to_talk": False}, {"line_went_dead": True}])
async def test_s20_nobody_is_told_to_ring_who_is_listened_to(town: Town, why: dict[str, bool]) -> None:
    on_the_phone = {"on_phone_with_suspect": True, "paid_within_24h": False}
    case = await town.takes(scam_paid(answers={**on_the_phone, **why}, safe_contact={"voice": True}))
    assert (await case.now())["rule_id"] == "R07"
    assert "remote_response" not in await case.tasks()
    await case.act("amend", answers={"remote_access_on": True})
    assert "remote_response" not in await case.tasks()


@pytest.mark.long
async def test_s20_who_is_found_to_be_listened_to_is_not_rung_any_more(town: Town) -> None:
    on_the_phone = {"on_phone_with_suspect": True, "paid_within_24h": False}
    case = await town.takes(scam_paid(answers=on_the_phone, safe_contact={"voice": True}))
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        page = f"/incidents/{case.reference}"
        assert "Ring now." in (await handler.get(page)).html
        await case.act("amend", answers={"safe_to_talk": False})
        now = (await handler.get(page)).html
        assert "Ring now." not in now
        assert "do not ring this number" in now


# --- scenario 5 -------------------------------------------------------------------------------------------


async def test_s05_a_line_that_goes_dead_leaves_what_was_said_and_999_is_rung(town: Town) -> None:
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        # Nothing but a road and a number: no sentence is asked for.
        sent = await handler.fill(
            "/console",
            "/console",
            **{
                "location.address": "Larkspur Way",
                "caller.phone": CALLER,
                "answers.line_went_dead": "yes",
                "answers.threat_or_fear": "unknown",
            },
        )
        assert sent.status == 200
        assert "Ring 999 yourself, now" in sent.html
        case = await town.newest()
        assert CALLER[-6:] in (await handler.get(f"/incidents/{case.reference}")).html.replace(" ", "")
    whole = await case.now()
    assert (whole["priority"], whole["rule_id"]) == ("P0", "R07")
    assert whole["clock"]["state"] == "running"
    assert whole["location"]["address"] == "Larkspur Way"
    (report,) = whole["reports"]
    assert report["caller"]["phone"] == CALLER
    assert "went dead" in report["narrative"]
    await town.settle()
    assert await case.asked() == ["asha"]


async def test_s05_fear_that_was_heard_decides_and_the_api_says_999_first(town: Town) -> None:
    part = {"line_went_dead": True, "safe_to_talk": False}
    answer = await town.reports(
        "Larkspur Way.", caller={"phone": CALLER}, location={"address": "Larkspur Way"}, answers=part
    )
    assert (answer["priority"], answer["rule_id"], answer["advice"][0]) == ("P0", "R07", "call_999")
    assert "silent_999" in answer["advice"]


# --- scenario 6 -------------------------------------------------------------------------------------------


@pytest.mark.long
async def test_s06_a_call_that_drops_is_a_contact_and_joined_when_the_number_rings_again(town: Town) -> None:
    rang_at = town.clock.now()
    await town.rings_hotline(CALLER, "", hang_up_after="answer")
    await town.pass_time(minutes=1)
    assert await town.count_incidents() == 0
    board = await town.board("2026-07")
    assert (board["contacts"]["total"], board["contacts"]["by_channel"]["phone"]) == (1, 1)
    assert (board["incidents"]["total"], board["reconciliation"]["information_only"]) == (0, 1)
    assert await town.metric("contacts_total", channel="phone") == 1
    assert await town.texts_with("rang off", DESK)
    then = town.clock.now()

    # Another number is another story.
    await town.takes(paid_today(caller={"phone": "+447700900779"}))
    await town.pass_time(minutes=49)
    case = await town.takes(paid_today(caller={"phone": "07700 900777"}, location=CENTRE))
    whole = await case.now()
    # The first contact counts, not the one that got through.
    assert whole["received_at"] == whole["clock"]["started_at"] == rang_at.isoformat()
    assert whole["reports"][0]["received_at"] == town.clock.now().isoformat()
    board = await town.board("2026-07")
    assert (board["contacts"]["total"], board["incidents"]["total"]) == (3, 2)
    became = board["reconciliation"]
    assert (became["joined_incidents"], became["information_only"]) == (1, 0)
    (call,) = [row for row in await town.rows(CallRow) if row.inbound]
    assert call.incident_id is not None
    # Nobody need ring back whom we have spoken with, and what was known before stays as it was.
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        assert "/texts/calls/" not in (await handler.get("/texts")).html
        assert "left no message" in (await handler.get(f"/incidents/{case.reference}")).html
    before = await town.board("2026-07", as_at=then.isoformat())
    assert before["reconciliation"]["information_only"] == 1


async def test_s06_after_an_hour_it_is_another_story(town: Town) -> None:
    await town.rings_hotline(CALLER, "", hang_up_after="menu")
    await town.pass_time(minutes=61)
    case = await town.takes(paid_today(caller={"phone": CALLER}))
    assert (await case.now())["received_at"] == town.clock.now().isoformat()
    assert await case.happened("earlier_call_joined") == []
    assert (await town.board("2026-07"))["contacts"]["total"] == 2


async def test_s06_a_message_by_the_same_number_joins_what_dropped_before(town: Town) -> None:
    for _ in range(2):
        await town.rings_hotline(CALLER, "", hang_up_after="answer")
        await town.pass_time(minutes=5)
    await town.rings_hotline(CALLER, "A man took 200 pounds off my dad this morning for a gutter.")
    case = await town.newest()
    assert len(await case.happened("earlier_call_joined")) == 2
    assert (await town.board("2026-07"))["contacts"]["total"] == 3
    whole = await case.now()
    assert whole["reports"][0]["channel"] == "voicemail"
    assert whole["received_at"] < whole["reports"][0]["received_at"]
