"""V1: the hotline's menu, at whatever step the caller goes astray: one call, at most one case."""

from __future__ import annotations

import pytest

from rapid_response.storage.tables import CallRow
from tests.harness import Town

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
