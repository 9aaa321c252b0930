"""What is owed: each task has an owner and a time, and whoever forgets it is reminded, then told of."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import long_ago, paid_today, scam_paid, small_town
from tests.harness import ASHA, DEE, DESK, LEADER, Case, Town

OVERDUE = "a task on a case is overdue"


async def of_the_bank(town: Town) -> Case:
    """Two tasks of a quarter of an hour: the police are told, and the branch is rung back by the desk."""
    case = await town.takes(scam_paid(referral_source="bank_banking_protocol"))
    await case.hears(ASHA, "OK {n}")
    await case.act("task_done", task=(await case.tasks())["tell_police"]["id"])
    return case


async def told(town: Town, number: str) -> int:
    return len([text for text in await town.texts(number) if "overdue" in text and "Repeat" not in text])


@pytest.mark.long
async def test_whoever_owes_it_is_reminded_and_then_the_duty_officer(town: Town) -> None:
    case = await of_the_bank(town)
    assert (await case.tasks())["verify_caller"]["owner"] == "desk"
    await town.pass_time(minutes=15)
    assert (await told(town, DESK), await told(town, DEE)) == (1, 0)
    await town.pass_time(minutes=15)
    assert (await told(town, DESK), await told(town, DEE)) == (2, 1)
    overdue = [n["role"] for n in await case.happened("notice_given") if n["kind"] == "task_overdue"]
    assert overdue.count("duty_officer") == 1

    await case.act("task_done", task=(await case.tasks())["verify_caller"]["id"])
    await case.act("acknowledge")
    before = await told(town, DEE)
    await town.pass_time(minutes=60)
    assert await told(town, DEE) == before


async def test_seen_is_not_done_and_it_comes_again_each_working_day(town: Town) -> None:
    case = await of_the_bank(town)
    await town.pass_time(minutes=30)
    await case.act("acknowledge")
    before = await told(town, DEE)
    town.clock.advance(timedelta(hours=24))
    await town.settle()
    assert await told(town, DEE) == before + 1


async def test_what_is_done_is_not_told_again_as_overdue(town: Town) -> None:
    """Whoever does it says so by doing it; while another is overdue, that there is one stays true."""
    case = await town.takes(scam_paid(referral_source="bank_banking_protocol"))
    await case.hears(ASHA, "OK {n}")
    await town.pass_time(minutes=15)
    assert (await told(town, DESK), await told(town, DEE)) == (1, 1)
    tasks = await case.tasks()
    await case.act("task_done", task=tasks["tell_police"]["id"])
    before = len(await town.texts(DEE))
    await town.pass_time(minutes=5)
    assert len(await town.texts(DEE)) == before + 1
    await case.act("task_done", task=tasks["verify_caller"]["id"])
    texts = [await town.texts(number) for number in (DEE, DESK)]
    await town.pass_time(minutes=20)
    assert [await town.texts(number) for number in (DEE, DESK)] == texts


async def test_where_nobody_holds_the_role_the_duty_officer_hears_at_once(town: Town) -> None:
    await town.load(small_town(contacts={"duty_officer": DEE}))
    await of_the_bank(town)
    await town.pass_time(minutes=15)
    assert await told(town, DEE) == 1


async def test_a_reason_for_a_breach_is_asked_of_the_team_leader_first(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await town.pass_time(minutes=121)
    await case.hears(ASHA, "HERE {n}")
    await case.act("close", disposition="resolved_attended")
    task = (await case.tasks())["breach_reason"]
    assert task["owner"] == "team_leader"
    town.clock.advance(timedelta(hours=20))
    await town.settle()
    roles = [n["role"] for n in await case.happened("notice_given") if n["kind"] == "task_overdue"]
    assert roles[0] == "team_leader"
    assert await told(town, LEADER) >= 1


@pytest.mark.long
async def test_nothing_open_is_without_a_next_step_and_somebody_who_has_it(town: Town) -> None:
    cases = [
        await town.takes(paid_today()),
        await town.takes(long_ago(town.clock.now())),
        await of_the_bank(town),
    ]
    for _ in range(3):
        for case in cases:
            step = (await case.now())["next_step"]
            assert step["what"]
            assert step["who"]
        await town.pass_time(minutes=11)
    assert await town.metric("open_without_next_step") == 0
