"""The people of the rota: who would be asked and why, absences and swaps, gaps told a day ahead, hand-over.

Scenarios 34 and 38, and "who would be asked at 03:10 on Sunday, and why".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import yaml

from rapid_response.core.vocabulary import Role
from tests.builders import paid_today, shift, small_town
from tests.harness import ASHA, BEN, CAT, DEE, LEADER, Town
from tests.journeys.browser import browser_of, on_sqlite

#: A Sunday, 03:10 in London.
SUNDAY = "2026-07-19T02:10:00+00:00"
DAILY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
BY_DAY = [shift("asha", "08:00", "20:00"), shift("ben", "20:00", "02:00"), shift("dee")]


async def who(town: Town, at: str, **more: str) -> list[str]:
    return [person["responder"] for person in (await asked_at(town, at, **more))["asked"]]


async def asked_at(town: Town, at: str, **more: str) -> dict[str, Any]:
    answer = await town.http.get("/api/v1/rota/asked", params={"at": at, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def absent(town: Town, responder: str, **body: Any) -> httpx.Response:
    answer = await town.post(f"/api/v1/responders/{responder}/availability", {"state": "off", **body})
    await town.settle()
    return answer


# --- who would be asked -----------------------------------------------------------------------------------


async def test_who_would_be_asked_at_03_10_on_sunday_and_why(town: Town) -> None:
    await town.load(small_town(rota=BY_DAY))
    found = await asked_at(town, SUNDAY, category="scam")
    assert [(a["responder"], a["on_call"]) for a in found["asked"]] == [("cat", True)]
    assert "on call, nobody on duty was left to ask" in found["asked"][0]["why"]
    assert {p["responder"]: p["why"] for p in found["not_asked"]} == {
        "asha": "Off duty, and not on call.",
        "ben": "Off duty, and not on call.",
    }
    told = {(t["role"], t["after_minutes"]): t["who"] for t in found["told"]}
    assert told[("duty_officer", 15)] == ["Dee Okoro"]
    assert told[("team_leader", 30)] == ["the number of the team leader"]
    # Of doorstep crime nobody would be asked: whoever is on call has not the skill.
    assert (await asked_at(town, SUNDAY, category="doorstep_crime"))["asked"] == []


async def test_it_is_the_same_choice_as_for_a_real_report(town: Town) -> None:
    found = await asked_at(town, town.clock.now().isoformat(), ward="Bromley Town")
    case = await town.takes(paid_today())
    assert found["asked"][0]["responder"] == (await case.asked())[0]


async def test_where_it_is_closed_then_the_next_opening_is_asked_about(town: Town) -> None:
    hours = {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
    await town.load(small_town(sla={"coverage": hours}))
    found = await asked_at(town, SUNDAY)
    assert found["opens_at"] == "2026-07-20T08:00:00+00:00"
    assert found["asked"]


@pytest.mark.parametrize("at", ["2026-07-19T02:10:00", "2036-07-19T02:10:00+00:00", "Sunday"])
async def test_a_time_that_is_none_is_refused(town: Town, at: str) -> None:
    assert (await town.http.get("/api/v1/rota/asked", params={"at": at})).status_code == 422


# --- absences and swaps -----------------------------------------------------------------------------------


async def test_s38_a_planned_absence_begins_by_itself_and_gives_the_jobs_back(town: Town) -> None:
    await absent(town, "asha", **{"from": "2026-07-15T12:00:00+00:00", "until": "2026-07-15T15:00:00+00:00"})
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    assert await who(town, "2026-07-15T12:30:00+00:00") == ["ben"]
    await town.pass_time(minutes=59)
    assert (await case.now())["responder"] == "asha"
    await town.pass_time(minutes=1)
    assert (await case.now())["responder"] is None
    assert (await case.asked())[-1] == "ben"
    # And when it is over the rota holds again.
    assert "asha" in await who(town, "2026-07-15T15:00:00+00:00")


async def test_a_swap_takes_one_off_and_puts_the_other_on(town: Town) -> None:
    await town.load(small_town(rota=BY_DAY, on_call=[]))
    swap = {
        "from": "2026-07-16T07:00:00+00:00",
        "until": "2026-07-16T12:00:00+00:00",
        "swap_with": "ben",
    }
    answer = await absent(town, "asha", **swap)
    assert answer.json()["swap_with"] == "ben"
    inside, after = "2026-07-16T08:00:00+00:00", "2026-07-16T13:00:00+00:00"
    assert await who(town, inside) == ["ben"]
    assert await who(town, after) == ["asha"]


@pytest.mark.parametrize(
    "body",
    [
        {"swap_with": "ben"},
        {"swap_with": "asha", "until": "2026-07-16T12:00:00+00:00"},
        {"swap_with": "nobody", "until": "2026-07-16T12:00:00+00:00"},
        {"from": "2026-07-16T12:00:00+00:00", "until": "2026-07-16T11:00:00+00:00"},
        {"from": "2026-07-16T12:00:00"},
    ],
)
async def test_a_swap_or_absence_that_cannot_be_is_refused(town: Town, body: dict[str, str]) -> None:
    assert (await absent(town, "asha", **body)).status_code == 422


async def test_s34_back_at_once_ends_what_holds_now_and_leaves_what_is_planned(town: Town) -> None:
    planned = {"from": "2026-07-16T07:00:00+00:00", "until": "2026-07-16T12:00:00+00:00"}
    await absent(town, "asha", **planned)
    await absent(town, "asha")
    now, then = town.clock.now().isoformat(), "2026-07-16T08:00:00+00:00"
    assert await who(town, now) == ["ben"]
    await town.post("/api/v1/responders/asha/availability", {"state": "on"})
    assert "asha" in await who(town, now)
    assert "asha" not in await who(town, then)


async def test_s34_a_shift_is_lengthened_while_it_is_on(town: Town) -> None:
    await town.load(small_town(rota=[shift("asha", "08:00", "14:00"), shift("dee")], on_call=[]))
    held = await town.takes(paid_today())
    await held.hears(ASHA, "OK {n}")
    at_work = "/api/v1/responders/asha/availability"
    for until in ("2026-07-15T12:00:00+00:00", "2026-07-15T17:00:00+00:00"):
        assert (await town.post(at_work, {"state": "on", "until": until})).status_code == 200

    await town.until(datetime(2026, 7, 15, 15, 0, tzinfo=UTC))
    assert not await town.texts_with("your shift ends", ASHA)
    assert await (await town.takes(paid_today())).asked() == ["asha"]

    await town.until(datetime(2026, 7, 15, 17, 0, tzinfo=UTC))
    assert await town.texts_with("your shift ends at 18:00", ASHA)
    assert await who(town, town.clock.now().isoformat()) == []


async def test_a_weekly_shift_may_rest_on_a_bank_holiday_and_another_be_worked_only_then(town: Town) -> None:
    await town.load(
        small_town(
            sla={"holidays": ["2026-07-20"]},
            rota=[
                {**shift("asha"), "on_holidays": "off"},
                {**shift("ben"), "on_holidays": "only"},
                shift("dee"),
            ],
            on_call=[],
        )
    )
    holiday, other = "2026-07-20T11:00:00+00:00", "2026-07-21T11:00:00+00:00"
    assert await who(town, holiday) == ["ben"]
    assert await who(town, other) == ["asha"]


# --- gaps -------------------------------------------------------------------------------------------------


async def test_a_gap_is_told_to_the_team_leader_a_day_ahead(town: Town) -> None:
    friday_off = {"responder": "asha", "from": "2026-07-17T12:00", "to": "2026-07-17T14:00", "off": True}
    await town.load(small_town(rota=[shift("asha"), friday_off, shift("dee")], on_call=[]))
    assert not await town.texts_with("rota gap", LEADER)
    await town.until(datetime(2026, 7, 16, 8, 0, tzinfo=UTC))
    (told,) = await town.texts_with("rota gap", LEADER)
    assert "nobody for doorstep crime" in told
    assert "12:00" in told
    gaps = (await town.http.get("/api/v1/rota/gaps")).json()["items"]
    assert [(g["skill"], g["from"], g["on_call"]) for g in gaps] == [
        ("doorstep_crime", "2026-07-17T11:00:00+00:00", []),
        ("scam", "2026-07-17T11:00:00+00:00", []),
    ]


async def test_a_gap_that_somebody_on_call_fills_is_shown_and_not_texted(town: Town) -> None:
    await town.load(small_town(rota=[shift("asha", "08:00", "20:00"), shift("dee")], on_call=["ben"]))
    await town.until(datetime(2026, 7, 16, 8, 1, tzinfo=UTC))
    assert not await town.texts_with("rota gap")
    gaps = (await town.http.get("/api/v1/rota/gaps")).json()["items"]
    assert gaps
    assert all(g["on_call"] == ["ben"] for g in gaps)


async def test_an_absence_that_opens_a_gap_is_told_at_once(town: Town) -> None:
    await town.load(small_town(rota=[shift("asha"), shift("dee")], on_call=[]))
    await absent(town, "asha", **{"from": "2026-07-16T07:00:00+00:00", "until": "2026-07-16T12:00:00+00:00"})
    (told,) = await town.texts_with("rota gap", LEADER)
    assert "1 more gap" in told
    # With somebody instead there is none.
    await town.post("/api/v1/responders/asha/availability", {"state": "on"})
    assert len(await town.texts_with("rota gap", LEADER)) == 1


async def test_s34_nobody_on_duty_asks_who_is_on_call_and_says_so(town: Town) -> None:
    for responder in ("asha", "ben"):
        await absent(town, responder)
    case = await town.takes(paid_today(narrative="He rang from the bank and she sent money.", location={}))
    assert await town.texts(ASHA) == [] == await town.texts(BEN)
    now = await case.now()
    if now["category"] == "scam":
        assert await town.texts(CAT)
    else:
        assert now["status"] == "unassigned"


# --- the page ---------------------------------------------------------------------------------------------


@on_sqlite
async def test_the_page_answers_who_would_be_asked_and_takes_an_absence(town: Town) -> None:
    await town.load(small_town(rota=BY_DAY))
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        page = await officer.get("/rota?when=Sunday+03:10&category=scam")
        assert page.status == 200
        assert "Cat Lewis" in page.html
        assert "On call" in page.html
        assert "<strong>Asha Patel</strong>: Off duty, and not on call." in page.html
        assert (await officer.get("/rota?when=whenever")).status == 422

        refused = await officer.fill("/rota", "/rota/absence", state="off")
        assert refused.status == 422
        assert "Choose who it is about" in refused.html
        times = {"from": "Thursday 09:00", "until": "Thursday 12:00"}
        done = await officer.fill("/rota", "/rota/absence", responder="asha", swap_with="ben", **times)
        assert (done.status, done.to) == (303, "/rota?done=absence")
        page = await officer.get("/rota")
        assert "<strong>Asha Patel</strong> is off from" in page.html
        back = next(form for form in page.actions if form.endswith("/back"))
        assert (await officer.send(page.form(back))).status == 303
        assert "Nobody is off or on beside the rota." in (await officer.get("/rota")).html


@on_sqlite
async def test_the_page_shows_what_is_to_be_handed_over(town: Town) -> None:
    await town.load(small_town(rota=[shift("asha", "08:00", "12:40"), shift("ben"), shift("dee")]))
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        page = await handler.get("/rota")
        assert "To be handed over" in page.html
        assert case.reference in page.html
        assert not [form for form in page.actions if form.startswith("/rota/")]


async def test_whoever_leaves_the_service_leaves_no_job_behind(town: Town) -> None:
    """Taken off the list while she has one job and is asked about another: a person hands the first over."""
    held = await town.takes(paid_today())
    await held.hears(ASHA, "OK {n}")
    offered = await town.takes(paid_today(location={"postcode": "BR1 3UH", "address": "2 Another Road"}))
    await offered.act("assign", responder="ben")
    await offered.act("release", reason="elsewhere")
    assert "asha" in await offered.asked()
    others = yaml.safe_load(small_town())
    for name in ("responders", "rota"):
        others[name] = [one for one in others[name] if "asha" not in one.values()]

    await town.load(yaml.safe_dump(others, sort_keys=False))
    await town.settle()

    assert (await held.now())["responder"] == "asha"
    assert (await held.tasks())["hand_over"]["owner"] == "duty_officer"
    assert any(f"{held.number}" in text and "shift" in text for text in await town.texts(DEE))
    assert [one["responder"] for one in await offered.happened("offer_lapsed")] == ["asha"]
    assert await town.audit() == {}
    await held.act("assign", responder="ben")
    assert (await held.now())["responder"] == "ben"
