"""What is said after a job was given or taken back is what happens next, and not always the same."""

from __future__ import annotations

from rapid_response.core.vocabulary import Role
from tests.builders import roofers_now
from tests.harness import Case, Town
from tests.journeys.browser import browser_of, on_sqlite


async def read_after_release(town: Town, case: Case) -> str:
    """The desk takes the job back, and is shown this."""
    page = f"/incidents/{case.reference}"
    async with await browser_of(town, "dee", Role.DUTY_OFFICER, "dee") as officer:
        done = await officer.fill(page, f"{page}/actions/release", reason="Ill.")
        return (await officer.get(done.to)).html


@on_sqlite
async def test_with_nobody_left_the_desk_reads_that_nobody_is_asked(town: Town) -> None:
    case = await town.takes(roofers_now())
    for responder in ("asha", "ben"):
        await case.act("assign", responder=responder)
        await case.act("release", reason="Ill.")
    await case.act("assign", responder="ben")
    shown = await read_after_release(town, case)
    assert "Nobody is left to ask: the duty officer finds somebody" in shown
    assert "Somebody else is" not in shown


@on_sqlite
async def test_while_the_clock_is_paused_nobody_is_asked(town: Town) -> None:
    case = await town.takes(roofers_now())
    await case.act("assign", responder="asha")
    await case.act("pause", reason="victim_requested_later_time")
    shown = await read_after_release(town, case)
    assert "Nobody is asked while the clock is paused" in shown
    assert "Somebody else is" not in shown


@on_sqlite
async def test_a_responder_who_gives_a_job_back_reads_what_becomes_of_it(town: Town) -> None:
    case = await town.takes(roofers_now())
    page = f"/j/{case.number}"
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        await asha.fill(page, f"{page}/accept")
        given = await asha.fill(page, f"{page}/release", reason="busy")
        assert "The job is no longer yours. Somebody else is asked" in (await asha.get(given.to)).html
        await case.act("assign", responder="asha")
        await case.act("pause", reason="police_requested_hold")
        given = await asha.fill(page, f"{page}/release", reason="busy")
        assert "no longer yours. Nobody is asked while the clock is paused" in (await asha.get(given.to)).html
