"""V1: the hotline's menu, at whatever step the caller goes astray: one call, at most one case."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import CallRow
from tests.builders import paid_today
from tests.harness import DESK, Town
from tests.journeys.browser import browser_of

CALLER = "+447700900777"
SAID = "There is a man at my door, he says my roof is loose and he wants cash."


@pytest.mark.parametrize("keys", ["", "1", "2", "7", "*", "99"])
async def test_v1_any_key_or_none_leads_to_the_message_and_one_case(town: Town, keys: str) -> None:
    await town.rings_hotline(CALLER, SAID, digits=keys)
    assert await town.count_incidents() == 1
    (call,) = [c for c in await town.rows(CallRow) if c.inbound]
    assert (call.status, call.outcome) == ("completed", "voicemail")


@pytest.mark.parametrize(("step", "cases"), [("answer", 0), ("menu", 0), ("voicemail", 1)])
async def test_v1_hanging_up_at_each_step_leaves_a_row(town: Town, step: str, cases: int) -> None:
    await town.rings_hotline(CALLER, SAID, hang_up_after=step)
    assert await town.count_incidents() == cases
    (call,) = [c for c in await town.rows(CallRow) if c.inbound]
    assert call.status == "completed"


async def test_v1_the_same_webhooks_again_are_the_same_call_and_the_same_case(town: Town) -> None:
    sid = await town.rings_hotline(CALLER, SAID, digits="1")
    for _ in range(3):
        await town.delivers_again(sid)
    assert await town.count_incidents() == 1
    assert len([c for c in await town.rows(CallRow) if c.inbound]) == 1


# --- those who leave no message ---------------------------------------------------------------------------


async def calls_in(town: Town) -> list[CallRow]:
    return [call for call in await town.rows(CallRow) if call.inbound]


@pytest.mark.parametrize("step", ["answer", "menu"])
async def test_v1_who_rings_off_without_a_message_is_rung_back_by_a_person(town: Town, step: str) -> None:
    case = await town.takes(paid_today(caller={"name": "Jo", "phone": CALLER}))
    await town.rings_hotline(CALLER, "", hang_up_after=step)
    await town.pass_time(seconds=21)
    assert await town.count_incidents() == 1
    (call,) = await calls_in(town)
    assert (call.outcome, call.needs_person) == ("rang_off", True)
    (told,) = await town.texts_with("rang off", DESK)
    assert CALLER[-6:] not in told
    assert await town.metric("calls_total", direction="in", outcome="no_message") == 1
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        shown = await handler.get("/texts")
        assert CALLER in shown.html
        assert case.reference in shown.html  # what we know of her already
        put_away = next(action for action in shown.actions if action.startswith("/texts/calls/"))
        await handler.send(shown.form(put_away))
        assert CALLER not in (await handler.get("/texts")).html
    assert not any(call.needs_person for call in await calls_in(town))


async def test_v1_the_desk_is_told_once_of_several_who_ring_off_and_the_board_counts_them(town: Town) -> None:
    for number in ("+447700900771", "+447700900772", "+447700900773"):
        await town.rings_hotline(number, "", hang_up_after="answer")
    await town.pass_time(minutes=1)
    assert len(await town.texts_with("rang off", DESK)) == 1
    async with await browser_of(town, "dora", Role.DUTY_OFFICER) as desk:
        assert "3 callers rang off without a message" in (await desk.get("/board")).html


async def test_v1_in_the_hour_that_comes_twice_the_desk_is_told_each_time(town: Town) -> None:
    """01:05 in summer time, and an hour later 01:05 again."""
    town.clock.set(datetime(2026, 10, 25, 0, 5, tzinfo=UTC))
    for number in (CALLER, "+447700900778"):
        await town.rings_hotline(number, "", hang_up_after="answer")
        await town.pass_time(minutes=60)
    assert len(await town.texts_with("rang off", DESK)) == 2


async def test_v1_who_presses_1_and_must_ring_off_is_a_report_at_once(town: Town) -> None:
    await town.rings_hotline(CALLER, "", digits="1", hang_up_after="menu")
    await town.pass_time(seconds=21)
    assert [(c.outcome, c.needs_person) for c in await calls_in(town)] == [("rang_off_in_need", False)]
    case = await town.newest()
    whole = await case.now()
    assert whole["facts"]["suspect_on_premises"] is True
    assert whole["priority"] in ("P0", "P1")
    assert "rang off" in whole["reports"][0]["narrative"]


async def test_v1_a_withheld_number_cannot_be_rung_back_and_is_on_record(town: Town) -> None:
    await town.rings_hotline("anonymous", "", hang_up_after="answer")
    await town.pass_time(seconds=21)
    (call,) = await calls_in(town)
    assert (call.outcome, call.needs_person) == ("rang_off", False)
    assert await town.texts_with("rang off", DESK) == []


async def test_v1_a_message_told_after_the_end_of_its_call_is_no_ringing_off(town: Town) -> None:
    await town.rings_hotline(CALLER, SAID)
    await town.pass_time(minutes=1)
    (call,) = await calls_in(town)
    assert (call.outcome, call.needs_person) == ("voicemail", False)
    assert await town.texts_with("rang off", DESK) == []
