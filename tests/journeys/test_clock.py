"""The two-hour clock: only a response stops it, to the second, on any night of the year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rapid_response.core.vocabulary import Role
from rapid_response.steps import holding
from tests.builders import paid_today, small_town, unclear
from tests.harness import ASHA, BEN, DEE, HEAD, LEADER, Case, Town
from tests.journeys.browser import browser_of

OCTOBER_NIGHT = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)  # 00:30 BST; the clocks go back at 01:00 UTC
MARCH_NIGHT = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # 00:30 GMT; the clocks go forward at 01:00 UTC
TEN_TO_FIVE = datetime(2026, 7, 15, 15, 50, tzinfo=UTC)
TEN_PAST_FIVE = datetime(2026, 7, 15, 16, 10, tzinfo=UTC)
OFFICE_HOURS = {d: ["09:00-17:00"] for d in ("mon", "tue", "wed", "thu", "fri")}


async def accepted(town: Town, **more: object) -> Case:
    """A case that asha has, and whose notices nobody need answer."""
    case = await town.takes(paid_today(**more))
    await case.hears(ASHA, "OK {n}")
    return case


async def test_s41_exactly_at_the_due_time_is_in_time(town: Town) -> None:
    cases = [await town.takes(paid_today()) for _ in range(3)]
    for case in cases:
        await case.act("assign", responder="asha")
    for minutes, case in zip((118, 2, 1), cases, strict=True):  # 13:58, 14:00:00, 14:01
        await town.pass_time(minutes=minutes)
        await case.hears(ASHA, "HERE {n}")

    clocks = [await case.clock() for case in cases]
    assert [clock["state"] for clock in clocks] == ["met", "met", "breached"]
    assert [clock["breached_at"] is not None for clock in clocks] == [False, False, True]
    stops = [(await case.happened("clock_stopped"))[0] for case in cases]
    assert [stop["gross_seconds"] for stop in stops] == [7080, 7200, 7260]
    assert [stop["met"] for stop in stops] == [True, True, False]
    figures = (await town.board("2026-07"))["two_hours"]
    assert (figures["due"], figures["met"], figures["breached"]) == (3, 2, 1)


async def test_s42_an_acceptance_does_not_stop_the_clock(town: Town) -> None:
    case = await accepted(town)
    await town.pass_time(minutes=120)
    assert (await case.clock())["state"] == "running"
    await town.pass_time(seconds=1)

    clock = await case.clock()
    assert (clock["state"], clock["stopped_at"]) == ("breached", None)
    assert datetime.fromisoformat(clock["breached_at"]) == datetime.fromisoformat(clock["due_at"])
    assert await town.texts_with("promise missed", DEE)
    assert await town.texts_with("promise missed", LEADER)
    assert (await case.tasks())["breach_reason"]["owner"] == "team_leader"
    assert await town.metric("sla_breached_total", category="doorstep_crime") == 1


@pytest.mark.parametrize("by", [timedelta(milliseconds=3), timedelta(seconds=2)])
async def test_g8_a_clock_that_is_put_back_a_little_while_a_breach_rings_does_not_swallow_it(
    town: Town, by: timedelta
) -> None:
    """As nodes on PostgreSQL are, each quarter of a minute, so that they agree."""
    case = await accepted(town)
    await town.pass_time(minutes=119, seconds=59)
    town.clock.advance(timedelta(seconds=1, milliseconds=2))
    due, _ = await town.app.database.run(holding.look_for_due)
    assert [entry.kind for entry in due] == ["breach"]
    town.clock.advance(-by)
    for entry in due:
        await town.app.worker.ringer.ring(entry)
    await town.settle()

    clock = await case.clock()
    assert (clock["state"], clock["breached_at"]) == ("breached", clock["due_at"])
    assert [missed["late_seconds"] >= 0 for missed in await case.happened("deadline_missed")] == [True]
    assert await town.texts_with("promise missed", DEE)
    assert not await town.audit()
    assert not await case.happened("next_step_restored")


async def test_who_is_asked_after_the_time_is_told_that_it_is_overdue(town: Town) -> None:
    late = (town.clock.now() - timedelta(hours=3)).isoformat()
    case = await town.takes(paid_today(received_at=late))
    asked = (await town.texts_with(f"OK {case.number}"))[0]
    assert "On scene as soon as you can, overdue since 11:00. " in asked
    assert "by 11:00" not in asked


@pytest.mark.long
async def test_a_breach_is_a_fact_that_a_late_arrival_does_not_erase(town: Town) -> None:
    case = await accepted(town)
    await town.pass_time(minutes=125)
    await case.hears(ASHA, "HERE {n}")
    await case.act("close", disposition="resolved_attended")

    assert (await case.clock())["state"] == "breached"
    assert len(await case.happened("deadline_missed")) == 1
    owed = (await case.tasks())["breach_reason"]["id"]
    assert (await case.try_to("task_done", task=owed)).status_code == 422
    await case.act("task_done", task=owed, reason="travel")
    assert (await case.happened("breach_explained"))[0]["code"] == "travel"
    breaches = (await town.board("2026-07"))["two_hours"]["breaches"]
    assert breaches == [{"reference": case.reference, "late_seconds": 300, "reason": "travel"}]


@pytest.mark.parametrize("start", [OCTOBER_NIGHT], ids=["october"])
async def test_s44_the_night_the_clocks_go_back_counts_elapsed_time(town: Town) -> None:
    case = await accepted(town)
    assert "00:30 BST" not in await town.last_text(ASHA)
    assert "On scene by 01:30 GMT" in (await town.texts(ASHA))[0]
    await town.until(datetime(2026, 10, 25, 1, 20, tzinfo=UTC))  # 01:20 GMT
    await case.hears(ASHA, "HERE {n}")
    (stopped,) = await case.happened("clock_stopped")
    assert (stopped["gross_seconds"], stopped["met"]) == (110 * 60, True)
    # Of an hour that comes twice it is said which one is meant, and how far it is from UTC.
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        page = (await officer.get(f"/incidents/{case.reference}")).html
    for local in ('<time datetime="2026-10-25T00:30:00+01:00">12:30am BST', "1:20am GMT"):
        assert local in page


@pytest.mark.parametrize("start", [MARCH_NIGHT], ids=["march"])
async def test_s45_the_night_the_clocks_go_forward_counts_elapsed_time(town: Town) -> None:
    case = await accepted(town)
    assert "On scene by 03:30" in (await town.texts(ASHA))[0]
    await town.until(datetime(2026, 3, 29, 2, 15, tzinfo=UTC))  # 03:15 BST
    await case.hears(ASHA, "HERE {n}")
    (stopped,) = await case.happened("clock_stopped")
    assert (stopped["gross_seconds"], stopped["met"]) == (105 * 60, True)


async def test_s47_what_fell_due_while_nobody_served_happens_once_and_says_how_late(town: Town) -> None:
    case = await accepted(town)
    await town.pass_time(minutes=89)
    await town.restart(after_minutes=4)
    await town.settle()
    await town.restart()
    await town.settle()

    (warned,) = [w for w in await case.happened("deadline_warned") if w["share"] == 0.75]
    assert warned["late_seconds"] == pytest.approx(180)
    assert len(await town.texts_with("75% of time gone", DEE)) == 1


async def test_s48_within_opening_hours_a_clock_started_before_closing_runs_on(town: Town) -> None:
    await town.load(small_town(sla={"coverage": OFFICE_HOURS}))
    await town.until(TEN_TO_FIVE)
    before = await town.takes(paid_today())
    assert (await before.clock())["due_at"] == (TEN_TO_FIVE + timedelta(hours=2)).isoformat()
    await before.hears(ASHA, "OK {n}")

    await town.until(TEN_PAST_FIVE)
    after = await town.takes(paid_today())
    opening = datetime(2026, 7, 16, 8, 0, tzinfo=UTC)
    assert (await after.clock())["started_at"] == opening.isoformat()
    assert (await after.now())["received_at"] == TEN_PAST_FIVE.isoformat()
    assert await after.asked() == []
    await before.hears(ASHA, "HERE {n}")
    await before.hears(ASHA, "DONE {n} HELPED")
    await town.until(opening)
    assert len(await after.asked()) == 1


async def test_a_clock_that_has_not_begun_does_not_stand_still(town: Town) -> None:
    """She asks for ten o'clock on the evening before: the hours until the service opens were none of hers."""
    await town.load(small_town(sla={"coverage": OFFICE_HOURS}))
    await town.until(TEN_PAST_FIVE)
    case = await town.takes(paid_today())
    opening = datetime.fromisoformat((await case.clock())["started_at"])
    at_ten = opening + timedelta(hours=1)
    await case.act("pause", reason="victim_requested_later_time", until=at_ten.isoformat())
    await town.until(at_ten)
    clock = await case.clock()
    assert (clock["state"], clock["due_at"]) == ("running", (at_ten + timedelta(hours=2)).isoformat())
    assert (await case.happened("clock_resumed"))[0]["paused_seconds"] == 3600
    assert "On scene by 12:00" in await town.last_text(ASHA)


@pytest.mark.parametrize("way", ["resumed", "reviewed", "given_back"])
async def test_nobody_is_asked_or_told_before_the_service_opens(town: Town, way: str) -> None:
    """A person may look at it in the evening: its clock begins in the morning, and so does the search."""
    await town.load(small_town(sla={"coverage": OFFICE_HOURS}))
    await town.until(TEN_PAST_FIVE)
    case = await town.takes(unclear() if way == "reviewed" else paid_today())
    if way == "resumed":
        await case.act("pause", reason="police_requested_hold")
        await case.act("resume")
    elif way == "reviewed":
        await case.hears(DEE, "OK {n}")
        await case.act("reclassify", category="scam")
    else:
        await case.act("assign", responder="asha")
        await case.act("release", reason="Not tonight.")
    told = [await town.texts(number) for number in (ASHA, BEN, DEE, LEADER)]
    opening = datetime.fromisoformat((await case.clock())["started_at"])
    await town.until(opening - timedelta(seconds=1))
    assert [await town.texts(number) for number in (ASHA, BEN, DEE, LEADER)] == told
    assert (await case.status(), await case.asked()) == ("dispatching", [])
    assert await town.audit() == {}

    await town.until(opening)
    assert await case.asked() == ["ben" if way == "given_back" else "asha"]
    await town.pass_time(minutes=15)
    told_at = [r["event_at"] for r in await case.happened("rung_reached") if r["to"] == "duty_officer"]
    assert told_at == [opening + timedelta(minutes=15)]


@pytest.mark.long
async def test_a_backdated_report_is_asked_about_once_and_told_of_once(town: Town) -> None:
    received = town.clock.now() - timedelta(minutes=70)
    case = await town.takes(paid_today(received_at=received.isoformat()))
    assert await case.asked() == ["asha"]
    assert (await case.clock())["due_at"] == (received + timedelta(hours=2)).isoformat()
    given = [(n["kind"], n["role"]) for n in await case.happened("notice_given")]
    assert sorted(given) == sorted(set(given))
    assert {("rung", "duty_officer"), ("rung", "team_leader"), ("rung", "head_of_service")} <= set(given)
    assert len(await town.texts_with("still nobody has it", HEAD)) == 1

    await town.pass_time(minutes=5)
    assert await case.asked() == ["asha", "ben"]


async def test_a_report_from_the_future_is_refused(town: Town) -> None:
    ahead = [town.clock.now() + timedelta(minutes=5, seconds=s) for s in (1, 0)]
    bodies = [paid_today(received_at=at.isoformat()) for at in ahead]
    answers = [await town.post("/api/v1/reports", body) for body in bodies]
    assert [answer.status_code for answer in answers] == [422, 201]
    assert answers[0].json()["errors"][0]["field"] == "received_at"
    assert await town.count_incidents() == 1
