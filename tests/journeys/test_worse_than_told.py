"""A job that turns out worse than it was told: whoever goes hears so, and reads all that was said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import UserRow
from tests.builders import paid_today, roofers_now, small_town
from tests.harness import ASHA, BEN, DEE, Case, Town
from tests.journeys.browser import browser_of

HOME = {"address": "14 Elm Road", "postcode": "BR1 3UH"}
CALM = "A trader was at her door this morning. All is calm."
ARMED = "There are two of them, one has a large knife and a pit bull."


async def taken(town: Town, **more: Any) -> Case:
    """A job that Asha has."""
    case = await town.takes(paid_today(narrative=CALM, location=HOME, **more))
    await case.hears(ASHA, "OK {n}")
    return case


async def page_of(town: Town, case: Case) -> str:
    """The job's page, as Asha sees it."""
    number = (await case.now())["job_number"]
    name = f"asha{len(await town.rows(UserRow))}"
    async with await browser_of(town, name, Role.RESPONDER, "asha") as browser:
        return (await browser.get(f"/j/{number}")).html


async def changes(town: Town, number: str = ASHA) -> list[str]:
    """The texts that say how a job has changed."""
    return await town.texts_with("has changed: ", number)


async def test_what_a_joined_report_tells_is_on_the_page_of_whoever_goes(town: Town) -> None:
    case = await taken(town)
    await town.pass_time(minutes=3)
    other = await town.takes(paid_today(narrative=ARMED, location=HOME))
    assert await changes(town) == []

    await other.act("link", kind="duplicate_of", reference=case.reference)

    (text,) = await changes(town)
    assert f"Job {case.number} has changed: urgent, threats made, joint, do not enter alone. Sign in" in text
    assert "knife" not in str(await town.texts(ASHA))
    page = await page_of(town, case)
    assert 0 < page.index(ARMED) < page.index(CALM)
    assert page.count("Received ") == 2


async def test_another_report_that_says_nothing_worse_is_to_be_read_too(town: Town) -> None:
    case = await taken(town)
    other = await town.takes(paid_today(narrative="My neighbour paid a man at her door.", location=HOME))
    await other.act("link", kind="duplicate_of", reference=case.reference)
    assert await changes(town) == []
    assert (await town.last_text(ASHA)).startswith(f"Job {case.number}: another report is in.")


async def test_who_takes_over_by_the_other_number_hears_no_more_than_that(town: Town) -> None:
    await town.load(small_town(sla={"accept_within": "PT1H"}))
    case = await town.takes(paid_today(narrative=CALM, location=HOME))
    await case.hears(ASHA, "NO {n}")
    other = await town.takes(roofers_now(narrative=ARMED, location=HOME))
    await other.hears(ASHA, "OK {n}")
    before = await town.texts(ASHA)
    await other.act("link", kind="duplicate_of", reference=case.reference)
    assert (await case.now())["responder"] == "asha"
    assert [t for t in (await town.texts(ASHA))[len(before) :] if "has changed" in t] == []


async def test_a_correction_and_a_person_who_raises_are_told_and_what_is_no_worse_is_not(town: Town) -> None:
    asked_for = {"paid_within_24h": None, "urgent_visit_requested": True}
    case = await town.takes(paid_today(narrative=CALM, location=HOME, answers=asked_for))
    await case.hears(ASHA, "OK {n}")
    assert (await case.now())["priority"] == "P2"
    await case.act("amend", answers={"lives_alone": False}, suspect={"name": "Mr Hill"})
    await case.act("note", note="She rang to ask when we come.")
    assert await changes(town) == []

    await case.act("set_priority", priority="P1", reason="I know that family.")
    await case.act("assign", responder="ben", companion=True)
    soon = (town.clock.now() + timedelta(minutes=70)).isoformat()
    await case.act("amend", answers={"suspect_returning_at": soon})

    assert [t.partition(" has changed: ")[2].partition(". ")[0] for t in await changes(town)] == [
        "urgent, partner asks for visit",
        "urgent, trader coming back, joint, do not enter alone",
    ]
    assert len(await changes(town, BEN)) == 1
    assert "Hill" not in str(await town.texts(ASHA))


async def test_a_new_episode_shows_its_own_story_and_the_help_by_which_its_caller_speaks(town: Town) -> None:
    case = await taken(town, caller={"name": "Joan", "route": "relay_uk"}, victim={"name": "Joan Whitfield"})
    await case.hears(ASHA, "HERE {n}")
    await case.act("close", disposition="resolved_attended")
    await town.pass_time(minutes=30)
    back = await town.takes(
        paid_today(narrative=ARMED, location=HOME, caller={"name": "Anna", "route": "interpreter"})
    )
    await case.act("reopen", reference=back.reference)
    await case.act("assign", responder="asha")
    page = await page_of(town, case)
    assert ARMED in page
    assert CALM not in page
    assert "interpreter" in page
    assert "Relay UK" not in page

    await town.pass_time(minutes=5)
    third = await town.takes(paid_today(narrative="I heard shouting.", location=HOME))
    await third.act("link", kind="duplicate_of", reference=case.reference)
    page = await page_of(town, case)
    assert page.index("I heard shouting.") < page.index(ARMED)
    assert CALM not in page
    assert "interpreter" in page


async def test_opened_again_without_a_new_report_shows_what_there_is(town: Town) -> None:
    case = await taken(town)
    await case.hears(ASHA, "HERE {n}")
    await case.act("close", disposition="resolved_attended")
    await case.act("reopen", reason="She rang again.")
    await case.act("assign", responder="asha")
    assert CALM in await page_of(town, case)


@pytest.mark.parametrize("by", ["amended", "joined", "set"])
async def test_what_was_answered_and_is_worse_now_is_looked_at_now(town: Town, by: str) -> None:
    """Its clock has stopped and nobody has it: nobody would look before the welfare check of tomorrow."""
    case = await town.takes(paid_today())
    await case.act("remote_response", protective_act="bank_told")
    await town.pass_time(minutes=60)
    if by == "amended":
        await case.act("amend", answers={"suspect_on_premises": True, "refuses_to_leave": True})
    elif by == "set":
        await case.act("set_priority", priority="P0")
    else:
        other = await town.takes(roofers_now())
        await other.act("link", kind="duplicate_of", reference=case.reference)
    now = await case.now()
    assert (now["priority"], now["status"]) == ("P0", "scheduled")
    assert now["next_step"] == {"what": "check_back", "who": "duty_officer", "due_at": now_of(town)}
    assert f"job {case.number}: a task is overdue" in await town.last_text(DEE)
    await case.act("assign", responder="ben")
    assert "check_back" not in await case.tasks()


def now_of(town: Town) -> str:
    return town.clock.now().isoformat()
