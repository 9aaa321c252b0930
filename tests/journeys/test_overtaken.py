"""Somebody else was quicker: nothing that was typed is lost, and nobody takes it for saved."""

from __future__ import annotations

import re
from html import unescape

from rapid_response.core.vocabulary import Role
from tests.builders import kettle, paid_today, roofers_now
from tests.harness import Case, Town
from tests.journeys.browser import Browser, Form, Shown, browser_of, on_sqlite

OUTCOME = {
    "outcomes.0.code": "money_prevented",
    "outcomes.0.amount_gbp": "900",
    "outcomes.0.evidence_grade": "B",
}
NOTE = "The son has the key & the van was AB12 CDE"


async def _at_the_door(asha: Browser, case: Case) -> Form:
    """The form to finish, on the page of a responder who is there."""
    page = f"/j/{case.number}"
    await asha.fill(page, f"{page}/accept")
    await asha.fill(page, f"{page}/en_route")
    await asha.fill(page, f"{page}/on_scene")
    return (await asha.get(page)).form(f"{page}/done")


def _says_not_saved(shown: Shown) -> bool:
    assert shown.status == 409
    return "This is not saved" in shown.html and "<title>" in shown.html and "Error: " in shown.html


@on_sqlite
async def test_a_job_that_the_desk_ended_first_keeps_what_the_responder_wrote(town: Town) -> None:
    case = await town.takes(roofers_now())
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        form = await _at_the_door(asha, case)
        await case.act("close", disposition="resolved_attended", outcomes=[])
        late = await asha.send(form, code="HELPED", note=NOTE, **OUTCOME)
        assert _says_not_saved(late)
        assert NOTE in unescape(late.html)
        again = late.form(f"/j/{case.number}/outcomes")
        assert {name: again.fields[name][0] for name in OUTCOME} == OUTCOME
        assert (await asha.send(again)).status == 303
    assert (await town.incident(case.reference))["outcomes"][0]["amount_gbp"] == 900


@on_sqlite
async def test_a_job_that_another_has_meanwhile_says_that_nothing_was_saved(town: Town) -> None:
    case = await town.takes(roofers_now())
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        form = await _at_the_door(asha, case)
        await case.act("assign", responder="ben")
        late = await asha.send(form, code="HELPED", note=NOTE, **OUTCOME)
        assert _says_not_saved(late)
        assert "Do not attend" in late.html
        told = unescape(late.html)
        assert NOTE in told
        assert "Money not paid because of us, £900" in told
        # By the words that stood on the form.
        assert "What changed: money, trader, safety" in told


@on_sqlite
async def test_danger_that_was_told_meanwhile_is_seen_before_the_responder_finishes(town: Town) -> None:
    case = await town.takes(paid_today())
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        form = await _at_the_door(asha, case)
        danger = {"suspect_on_premises": True, "refuses_to_leave": True}
        await case.act("amend", answers=danger, reason="A neighbour rang.")
        late = await asha.send(form, code="HELPED", note=NOTE, **OUTCOME)
        assert late.status == 409
        assert "Priority: changed meanwhile to P0: emergency" in late.html
        assert "The suspect refuses to leave" in late.html
        assert await case.status() == "on_scene"
        again = late.form(f"/j/{case.number}/done")
        assert unescape(again.fields["note"][0]) == NOTE
        # Whoever has seen it may finish all the same.
        assert (await asha.send(again, code="HELPED")).status == 303
    assert await case.status() == "closed"


@on_sqlite
async def test_more_danger_at_the_same_priority_is_seen_before_the_responder_finishes(town: Town) -> None:
    case = await town.takes(roofers_now())
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        form = await _at_the_door(asha, case)
        before = (await case.now())["priority"]
        await case.act("amend", answers={"threat_or_fear": True}, reason="A neighbour rang.")
        assert (await case.now())["priority"] == before
        late = await asha.send(form, code="HELPED", note=NOTE, **OUTCOME)
        assert late.status == 409
        assert "Told meanwhile: Threats or violence. Look again, then save" in late.html
        again = late.form(f"/j/{case.number}/done")
        assert unescape(again.fields["note"][0]) == NOTE
        # What was said to be over holds nobody up.
        await case.act("amend", answers={"threat_or_fear": False}, reason="They have calmed down.")
        assert (await asha.send(again, code="HELPED")).status == 303
    assert await case.status() == "closed"


@on_sqlite
async def test_a_report_that_was_joined_meanwhile_is_seen_before_the_desk_closes(town: Town) -> None:
    case, other = await town.takes(roofers_now()), await town.takes(paid_today())
    page = f"/incidents/{case.reference}"
    await case.act("assign", responder="ben")
    await case.act("on_scene")
    async with await browser_of(town, "dee", Role.DUTY_OFFICER, "dee") as officer:
        form = (await officer.get(page)).form(f"{page}/actions/close")
        await other.act("link", kind="duplicate_of", reference=case.reference)
        late = await officer.send(form, disposition="resolved_attended", note=NOTE)
        assert late.status == 409
        assert "A report came in, 12:00pm. Look again, then save" in late.html
        assert await case.status() == "on_scene"
        again = late.form(f"{page}/actions/close")
        assert unescape(again.fields["note"][0]) == NOTE
        assert (await officer.send(again)).status == 303
    assert await case.status() == "closed"


@on_sqlite
async def test_what_the_desk_wrote_for_a_case_that_has_ended_is_shown_to_be_copied(town: Town) -> None:
    case = await town.takes(roofers_now())
    page = f"/incidents/{case.reference}"
    async with (
        await browser_of(town, "asha", Role.RESPONDER, "asha") as asha,
        await browser_of(town, "dee", Role.DUTY_OFFICER, "dee") as officer,
    ):
        await _at_the_door(asha, case)
        form = (await officer.get(page)).form(f"{page}/actions/close")
        await case.act("close", disposition="resolved_attended", outcomes=[])
        late = await officer.send(form, disposition="resolved_attended", note=NOTE, **OUTCOME)
        assert late.status == 409
        told = unescape(late.html)
        assert "What you wrote is not saved" in told
        assert NOTE in told
        assert "Money not paid because of us, £900" in told
        # Where the form still stands it holds what was written, and nothing is said twice.
        kept = await officer.fill(page, f"{page}/actions/refer", note=NOTE)
        assert "What you wrote is not saved" not in kept.html
        assert kept.form(f"{page}/actions/refer").fields["note"] == [NOTE]


@on_sqlite
async def test_a_task_that_somebody_else_has_done_says_so_and_leads_nowhere_else(town: Town) -> None:
    case = await town.takes(kettle())
    page = f"/incidents/{case.reference}"
    async with await browser_of(town, "dee", Role.DUTY_OFFICER, "dee") as officer:
        form = (await officer.get(page)).form(f"{page}/actions/task_done")
        await case.act("task_done", task=form.fields["task_id"][0])
        late = await officer.send(form)
    assert late.status == 422
    assert "This task is not open any more" in late.html
    assert dead_links(late) == []


def dead_links(shown: Shown) -> list[str]:
    """Links of the page to places on it that are not there."""
    places = set(re.findall(r'\bid="([^"]+)"', shown.html))
    return [place for place in re.findall(r'href="#([^"]+)"', shown.html) if place not in places]
