"""Nobody goes in alone: who goes along, and what warns of an address or a suspect (scenario 35)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml

from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import AccessRow, EventRow, NoteRow, RiskMarkerKeyRow, RiskMarkerRow
from tests.builders import SMALL_TOWN, long_ago, paid_today, roofers_now, small_town, unclear
from tests.harness import ASHA, BEN, CAT, DEE, DESK, Case, Town
from tests.journeys.browser import Browser, browser_of, on_sqlite

HOLD = small_town(sla={"joint_attendance": "hold"})
HOUSE = {"address": "14 Larkspur Way", "postcode": "BR1 3UH", "ward": "Bromley Town"}


# --- when two go ------------------------------------------------------------------------------------------


async def test_nobody_goes_in_alone_where_danger_is_implied_though_no_one_ticked_that_he_is_there(
    town: Town,
) -> None:
    """A time says that somebody comes, who will not leave is there, who cannot speak may not be alone."""
    in_minutes = {n: (town.clock.now() + timedelta(minutes=n)).isoformat() for n in (30, 40)}
    said = "Please send somebody to my mother."
    told: list[tuple[dict[str, Any], str, str, str]] = [
        ({"refuses_to_leave": True}, "R05", "will not leave", "The suspect refuses to leave"),
        ({"courier_expected_at": in_minutes[40]}, "R04", "expected", "Somebody is coming to collect, 12:"),
        (
            {"courier_expected": False, "courier_expected_at": in_minutes[40]},
            "R04",
            "expected",
            "Somebody is coming to collect, 12:",
        ),
        (
            {"suspect_returning_at": in_minutes[30]},
            "R06",
            "coming back",
            "The suspect is coming back, 12:",
        ),
        ({"line_went_dead": True}, "R07", "call cut off", "The line went dead during the report"),
        ({"safe_to_talk": False}, "R07", "may be there", "The caller could not speak freely"),
        ({"demands_money_now": True}, "R10", "may be there", "The suspect demands money now"),
    ]
    for answers, rule, phrase, danger in told:
        case = await town.takes({"channel": "phone", "narrative": said, "answers": answers})
        whole = await case.now()
        assert (whole["rule_id"], whole["joint"]) == (rule, True), answers
        (asked,) = await town.texts_with(f"Reply OK {case.number}")
        assert re.search(f"urgent, [a-z ]*{phrase}, joint, do not enter alone", asked), asked
        (told_dee,) = await town.texts_with(f"job {case.number}, ", DEE)
        assert "Arrange police or 2nd officer" in told_dee
        who = (await case.asked())[0]
        async with await browser_of(town, f"{who}{case.number}", Role.RESPONDER, who) as browser:
            page = (await browser.get(f"/j/{case.number}")).html
        assert danger in page, answers
        assert "Joint visit: do not enter alone" in page, answers
        await case.act("cancel")


async def test_one_may_go_alone_where_the_suspect_is_known_to_be_elsewhere(town: Town) -> None:
    yesterday = (town.clock.now() - timedelta(hours=13)).isoformat()
    for answers in (
        {"refuses_to_leave": True, "suspect_on_premises": False},
        {"line_went_dead": True, "suspect_on_premises": False},
        {"safe_to_talk": False, "suspect_on_premises": False},
        {"demands_money_now": True, "suspect_on_premises": False},
        {"demands_money_now": True, "on_phone_with_suspect": True},
        {"courier_expected_at": yesterday},
    ):
        case = await town.takes({"channel": "phone", "narrative": "Please come.", "answers": answers})
        assert (await case.now())["joint"] is False, answers


async def test_a_time_given_later_makes_it_joint_and_a_joined_report_keeps_it_so(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    assert (await case.now())["joint"] is False
    soon = (town.clock.now() + timedelta(minutes=50)).isoformat()
    assert (await case.act("amend", answers={"suspect_returning_at": soon}))["joint"] is True
    text = await town.last_text(ASHA)
    assert f"Job {case.number} has changed: urgent, trader coming back, joint, do not enter alone." in text
    assert "Arrange police or 2nd officer" in await town.last_text(DEE)

    calm = await town.takes(paid_today())
    cut_off = await town.takes(
        {"channel": "phone", "narrative": "Help.", "answers": {"line_went_dead": True}}
    )
    await cut_off.act("link", kind="duplicate_of", reference=calm.reference)
    assert (await calm.now())["joint"] is True


# --- who goes along ---------------------------------------------------------------------------------------


async def test_s35_a_second_officer_is_named_and_both_know_of_each_other(town: Town) -> None:
    case = await town.takes(roofers_now())
    await case.hears(ASHA, "OK {n}")
    assert "Arrange police or 2nd officer" in await town.last_text(DEE)

    whole = await case.act("assign", responder="ben", companion=True)

    assert (whole["responder"], whole["companion"], whole["status"]) == ("asha", "ben", "assigned")
    along = await town.last_text(BEN)
    assert f"job {case.number}: you go along as 2nd officer: " in along
    assert f"NO {case.number} if you cannot." in along
    assert "a second officer goes with you" in await town.last_text(ASHA)
    assert "Asha" not in along + await town.last_text(ASHA)
    before = await town.texts_with("2nd officer", DEE)
    await town.pass_time(minutes=11)  # it is arranged, and need not be said again
    assert await town.texts_with("2nd officer", DEE) == before
    for responder, other in (("asha", "Ben Osei"), ("ben", "Asha Patel")):
        async with await browser_of(town, responder, Role.RESPONDER, responder) as browser:
            page = (await browser.get(f"/j/{case.number}")).html
            assert f"<strong>{other}</strong>" in page
            assert "do not enter alone" in page
            assert str(case.number) in (await browser.get("/j")).html


@pytest.mark.long
async def test_s35_the_second_officers_words_move_nothing_but_safe_and_no(town: Town) -> None:
    case = await town.takes(roofers_now())
    await case.hears(ASHA, "OK {n}")
    await case.act("assign", responder="ben", companion=True)
    for words in ("OK {n}", "GO {n}", "HERE {n}"):
        assert "noted, you go along as 2nd officer" in await case.hears(BEN, words)
    assert "not possible now" in await case.hears(BEN, "DONE {n} HELPED")
    assert (await case.status(), (await case.now())["responder"]) == ("assigned", "asha")
    assert await case.hears(BEN, "we are at the corner shop") is not None
    assert [n.body for n in await town.rows(NoteRow)] == ["we are at the corner shop"]

    assert "handed back, noted" in await case.hears(BEN, "NO {n} car will not start")

    assert (await case.now())["companion"] is None
    assert "the second officer is not coming. Do not enter alone" in await town.last_text(ASHA)
    assert "Arrange police or 2nd officer" in await town.last_text(DEE)
    assert (await case.happened("companion_released"))[0]["why"] == "released"


@pytest.mark.long
async def test_s35_the_second_officer_is_not_asked_for_the_job_and_is_stood_down_with_it(town: Town) -> None:
    case = await town.takes(roofers_now())
    assert await case.asked() == ["asha"]
    await case.act("assign", responder="asha", companion=True)
    assert await case.asked() == ["asha", "ben"]
    assert [o["responder"] for o in await case.happened("offer_withdrawn")] == ["asha"]
    await case.hears(BEN, "OK {n}")
    assert (await case.try_to("assign", responder="ben", companion=True)).status_code == 422
    assert (await case.try_to("assign", responder="nobody", companion=True)).status_code == 422
    await case.act("cancel")
    assert "Do not attend" in await town.last_text(ASHA)
    assert (await case.now())["companion"] is None

    taken = await town.takes(roofers_now())
    await taken.act("assign", responder="ben", companion=True)
    await taken.act("assign", responder="ben")  # she has the job now, and goes along with nobody
    assert ((await taken.now())["responder"], (await taken.now())["companion"]) == ("ben", None)


async def test_s35_the_desk_hears_that_a_second_officer_is_not_reached(town: Town) -> None:
    case = await town.takes(roofers_now())
    await case.hears(ASHA, "OK {n}")
    await town.fails(number=BEN, phone_off=True)
    await case.act("assign", responder="ben", companion=True)
    await town.pass_time(minutes=1)
    assert len(await town.texts_with("our texts do not reach the responder", DESK)) == 1


async def test_s35_a_second_officer_without_a_mobile_is_rung(town: Town) -> None:
    definition = yaml.safe_load(small_town())
    for person in definition["responders"]:
        if person["id"] == "ben":
            person["phones"] = {"voice": BEN}
    await town.load(yaml.safe_dump(definition, sort_keys=False))
    case = await town.takes(roofers_now())
    await case.hears(ASHA, "OK {n}")
    await case.act("assign", responder="ben", companion=True)
    assert "you go along as 2nd officer" in await town.answers_call(BEN, "1")


async def test_s35_somebody_else_is_to_go_along_once_the_second_officer_has_the_job(town: Town) -> None:
    case = await town.takes(roofers_now())
    await case.hears(ASHA, "OK {n}")
    await case.act("assign", responder="ben", companion=True)
    told = len(await town.texts(DEE))

    await case.act("assign", responder="ben")

    (text,) = (await town.texts(DEE))[told:]
    assert "Arrange police or 2nd officer" in text
    await case.act("assign", responder="asha", companion=True)
    await town.pass_time(minutes=6)
    assert (await town.texts(DEE))[told:] == [text]


async def test_s35_going_off_duty_ends_going_along(town: Town) -> None:
    case = await town.takes(roofers_now())
    await case.hears(ASHA, "OK {n}")
    await case.act("assign", responder="ben", companion=True)
    keep = {"state": "off", "held_jobs": "keep"}
    assert (await town.post("/api/v1/responders/ben/availability", keep)).status_code == 200
    assert (await case.now())["companion"] == "ben"
    await town.post("/api/v1/responders/ben/availability", {"state": "off"})
    await town.settle()
    assert (await case.now())["companion"] is None
    assert "the second officer is not coming" in await town.last_text(ASHA)
    assert "Do not attend" in await town.last_text(BEN)


async def test_s35_a_second_officer_who_leaves_the_service_does_not_go_along(town: Town) -> None:
    going = await town.takes(roofers_now())
    await going.hears(ASHA, "OK {n}")
    await going.act("assign", responder="ben", companion=True)
    searched_for = await town.takes(roofers_now())
    await searched_for.act("assign", responder="ben", companion=True)
    await searched_for.act("acknowledge")
    told = len(await town.texts(DEE))
    others = yaml.safe_load(small_town())
    for name in ("responders", "rota"):
        others[name] = [one for one in others[name] if "ben" not in one.values()]

    await town.load(yaml.safe_dump(others, sort_keys=False))
    await town.settle()

    assert [(await case.now())["companion"] for case in (going, searched_for)] == [None, None]
    assert [r["why"] for r in await going.happened("companion_released")] == ["left"]
    assert "second officer" in await town.last_text(ASHA)
    assert len([t for t in (await town.texts(DEE))[told:] if "do not enter alone" in t or "joint" in t]) == 2


@pytest.mark.parametrize("ends", ["police_handover", "set_priority"])
async def test_s35_what_is_held_is_not_owed_where_nobody_need_go(town: Town, ends: str) -> None:
    await town.load(HOLD)
    case = await town.takes(roofers_now())
    assert await town.texts_with("held for joint attendance", DEE)
    if ends == "police_handover":
        await case.act("police_handover", cad_reference="CAD 5521/15JUL")
    else:
        await case.act("set_priority", priority="P3", reason="They are the council's own roofers.")
    told = await town.texts(DEE)
    assert "release_held" not in await case.tasks()
    await town.pass_time(minutes=70)
    assert await town.texts(DEE) == told


async def test_s35_held_until_a_second_officer_is_named(town: Town) -> None:
    await town.load(HOLD)
    case = await town.takes(roofers_now())
    await town.pass_time(minutes=9)
    assert await case.asked() == []
    await case.act("assign", responder="asha", companion=True)
    assert await case.asked() == ["ben"]
    assert await case.status() == "dispatching"
    assert [j["how"] for j in await case.happened("joint_arranged")] == ["second_officer"]
    assert "release_held" not in await case.tasks()


async def test_s35_held_until_the_police_go_or_one_person_may_go_alone_for_a_reason(town: Town) -> None:
    await town.load(HOLD)
    case = await town.takes(roofers_now())
    refused = await case.try_to("assign", responder="asha")
    assert "say why one person goes alone" in refused.json()["errors"][0]["message"]
    assert await case.status() == "awaiting_review"
    await case.act("release", arranged="police")
    assert [j["how"] for j in await case.happened("joint_arranged")] == ["police"]
    assert await case.asked() == ["asha"]

    other = await town.takes(roofers_now())
    await other.act("assign", responder="ben", reason="He is next door with the police.")
    assert (await other.now())["responder"] == "ben"
    assert [j["how"] for j in await other.happened("joint_arranged")] == ["override"]
    assert "next door" not in str(await town.events(other.reference))

    alone = await town.takes(paid_today())
    await alone.act("release") if await alone.status() == "assigned" else None
    assert await alone.happened("joint_arranged") == []


@pytest.mark.parametrize("by", ["amended", "set", "reopened"])
async def test_s35_what_becomes_urgent_later_is_held_and_told_of_like_any_other(town: Town, by: str) -> None:
    await town.load(HOLD)
    case = await _urgent_later(town, by)
    assert await case.status() == "awaiting_review"
    assert "held for joint attendance" in await town.last_text(DEE)
    await town.pass_time(minutes=31)
    assert await case.asked() == []
    assert await town.texts_with("nobody accepted in time", DEE)
    assert [r["to"] for r in await case.happened("rung_reached")][-2:] == ["duty_officer", "team_leader"]
    assert (await case.tasks())["release_held"]["owner"] == "duty_officer"
    assert await town.audit() == {}

    await case.act("release", arranged="police")
    assert await case.asked() == ["asha"]


@pytest.mark.parametrize("by", ["amended", "set", "reopened"])
async def test_s35_the_duty_officer_is_told_once_of_what_becomes_a_joint_visit_later(
    town: Town, by: str
) -> None:
    case = await _urgent_later(town, by)
    before = [n for n in await case.happened("notice_given") if n["event_at"] < town.clock.now()]
    told = (await case.happened("notice_given"))[len(before) :]
    assert [n["kind"] for n in told] == ["joint"]
    assert (await case.asked())[-1] == "asha"


async def _urgent_later(town: Town, by: str) -> Case:
    """A case that two must go to, of which that was not seen, or was not so, at first."""
    if by == "amended":
        case = await town.takes(long_ago(town.clock.now()))
        await town.pass_time(minutes=1)
        await case.act("amend", answers={"suspect_on_premises": True, "refuses_to_leave": True})
        return case
    case = await town.takes(roofers_now())
    await town.pass_time(minutes=1)
    if by == "set":
        await case.act("set_priority", priority="P3", reason="They have gone.")
        await case.act("acknowledge")
        await town.pass_time(minutes=1)
        await case.act("set_priority", priority="P0")
    else:
        await case.act("cancel", reason="They have gone.", disposition="withdrawn")
        await town.pass_time(minutes=1)
        await case.act("reopen", reason="They are back.")
    return case


async def test_s35_paper_released_under_hold_is_settled_too(town: Town) -> None:
    await town.load(HOLD)
    case = await town.takes(roofers_now(back_entry=True))
    assert (await case.try_to("release")).status_code == 422
    await case.act("release", arranged="second_officer")
    assert await case.asked() == ["asha"]


# --- risk markers -----------------------------------------------------------------------------------------


async def marks(browser: Browser, **fields: str) -> None:
    """Set a marker by the form."""
    page = await browser.get("/markers")
    given = {"kind": "dog", "reason": "Two dogs bit the meter reader on 3 July.", **fields}
    sent = await browser.send(page.form("/markers"), **given)
    assert (sent.status, sent.to) == (303, "/markers?done=set"), sent.html
    await browser.town.settle()


async def marker(town: Town) -> RiskMarkerRow:
    """The only one."""
    (row,) = await town.rows(RiskMarkerRow)
    return row


async def test_s35_a_marked_address_is_a_joint_visit_whoever_reports_it(town: Town) -> None:
    async with await browser_of(town, "dana", Role.DUTY_OFFICER) as officer:
        await marks(officer, subject="address", address="14 Larkspur Way", postcode="BR1 3UH")
        case = await town.takes(paid_today(location={**HOUSE, "address": "14, larkspur way"}))
        next_door = await town.takes(paid_today(location={**HOUSE, "address": "16 Larkspur Way"}))
        offered = await town.texts_with(str(case.number), ASHA)
        assert "joint, do not enter alone" in offered[0]
        assert "dog" not in offered[0]
        assert "Arrange police or 2nd officer" in await town.last_text(DEE)
        assert ((await case.now())["joint"], (await next_door.now())["joint"]) == (True, False)
        (found,) = await case.happened("risk_marker_found")
        assert found["subject"] == "address"
        page = (await officer.get(f"/incidents/{case.reference}")).html
        assert "Two dogs bit the meter reader" in page
        assert "same house and postcode" in page
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        assert "Two dogs bit the meter reader" in (await asha.get(f"/j/{case.number}")).html
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        page = (await handler.get(f"/incidents/{case.reference}")).html
        assert "<strong>Address.</strong>" in page
        assert "meter reader" not in page
        assert "Set a risk marker" not in page
    api = (await case.now())["risk_markers"]
    assert api == [{"subject": "address", "kind": "dog"}]


@pytest.mark.parametrize(
    ("marked", "suspect"),
    [
        ({"phone": "07700 900321"}, {"phone": "+44 7700 900321"}),
        ({"vehicle_registration": "KM19 ABC"}, {"vehicle_registration": "km19abc"}),
        ({"name": "Gary Stobbs"}, {"name": "Stobbs, Gary"}),
        ({"company": "Xanadu Roofing Ltd"}, {"company": "Xanadu Roofing"}),
    ],
)
@on_sqlite
async def test_s35_a_marked_suspect_is_known_again(
    town: Town, marked: dict[str, str], suspect: dict[str, str]
) -> None:
    async with await browser_of(town, "dana", Role.DUTY_OFFICER) as officer:
        await marks(officer, subject="suspect", kind="violence", **marked)
    other = await town.takes(paid_today(suspect={"phone": "07700 900999", "name": "Mary Poole"}))
    case = await town.takes(paid_today(suspect=suspect))
    assert ((await case.now())["joint"], (await other.now())["joint"]) == (True, False)


async def test_s35_a_new_marker_warns_of_what_is_open_and_whoever_is_on_the_way(town: Town) -> None:
    case = await town.takes(paid_today(location=HOUSE))
    await case.hears(ASHA, "GO {n}")
    async with await browser_of(town, "dana", Role.DUTY_OFFICER) as officer:
        form = await officer.get(f"/markers?incident={case.reference}")
        assert form.form("/markers").fields["address"] == ["14 Larkspur Way"]
        sent = await officer.send(
            form.form("/markers"), subject="address", kind="weapon", reason="Shotgun seen in the hall."
        )
        assert sent.status == 303
    await town.settle()
    assert (await case.now())["joint"] is True
    assert re.search("has changed: .*, joint, do not enter alone", await town.last_text(ASHA))
    assert "Arrange police or 2nd officer" in await town.last_text(DEE)
    await town.pass_time(minutes=2)
    assert len(await case.happened("risk_marker_found")) == 1
    assert len(await town.texts_with("has changed: ", ASHA)) == 1
    assert any(row.what == "page_markers" and row.incident_id for row in await town.rows(AccessRow))


async def test_s35_held_where_a_marker_makes_it_joint(town: Town) -> None:
    await town.load(HOLD)
    async with await browser_of(town, "dana", Role.DUTY_OFFICER) as officer:
        await marks(officer, subject="address", address="14 Larkspur Way", postcode="BR1 3UH")
    case = await town.takes(paid_today(location=HOUSE))
    assert (await case.status(), await case.asked()) == ("awaiting_review", [])


@pytest.mark.parametrize("then", ["reclassify", "set_priority", "ten minutes"])
async def test_s35_held_where_a_new_marker_makes_an_unclear_report_joint(town: Town, then: str) -> None:
    await town.load(HOLD)
    case = await town.takes(unclear(location=HOUSE))
    async with await browser_of(town, "dana", Role.DUTY_OFFICER) as officer:
        await marks(officer, subject="address", address="14 Larkspur Way", postcode="BR1 3UH")
    await town.settle()
    assert await town.texts_with("held for joint attendance", DEE)
    if then == "reclassify":
        await case.act("reclassify", category="doorstep_crime")
    elif then == "set_priority":
        await case.act("set_priority", priority="P1")
    else:
        await town.pass_time(minutes=11)
    assert (await case.status(), await case.asked()) == ("awaiting_review", [])
    assert {"release_held"} == (await case.tasks()).keys()
    await case.act("release", arranged="police")
    assert await case.asked() == ["asha"]


async def test_s35_whoever_reviews_what_is_held_by_now_hears_that_it_is(town: Town) -> None:
    """She had seen that two are to go, when the offer was still to go out at once."""
    async with await browser_of(town, "dana", Role.DUTY_OFFICER) as officer:
        await marks(officer, subject="address", address="14 Larkspur Way", postcode="BR1 3UH")
    case = await town.takes(unclear(location=HOUSE))
    await case.hears(DEE, "OK {n}")
    await town.load(HOLD)
    await case.act("reclassify", category="doorstep_crime")
    assert (await case.status(), await case.asked()) == ("awaiting_review", [])
    assert await town.texts_with("held for joint attendance. Sign in and release it", DEE)


async def test_s35_held_where_it_becomes_joint_before_the_service_opens(town: Town) -> None:
    await town.load(small_town(sla={"joint_attendance": "hold", "coverage": {"thu": ["09:00-17:00"]}}))
    case = await town.takes(paid_today())
    await case.act("amend", answers={"suspect_returning": True})
    assert (await case.status(), await case.asked()) == ("awaiting_review", [])
    opening = datetime.fromisoformat((await case.clock())["started_at"])
    await town.until(opening + timedelta(minutes=10))
    assert await town.texts(ASHA) == []
    await case.act("release", arranged="police")
    assert len(await town.texts_with("joint, do not enter alone", ASHA)) == 1


@pytest.mark.long
async def test_a_marker_is_reviewed_before_it_ends_and_ends_by_itself(town: Town) -> None:
    async with await browser_of(town, "dana", Role.DUTY_OFFICER) as officer:
        await marks(officer, subject="address", address="14 Larkspur Way", postcode="BR1 3UH", months="2")
        row = await marker(town)
        assert row.expires_at == town.clock.now().replace(month=9)
        town.clock.set(row.review_at - timedelta(minutes=1))
        await town.settle()
        assert await town.texts_with("risk marker", DEE) == []
        await town.pass_time(minutes=1)
        assert "1 risk marker is to be reviewed, or will end" in await town.last_text(DEE)
        await town.pass_time(minutes=60 * 24 * 8)
        assert len(await town.texts_with("risk marker", DEE)) == 2
    async with await browser_of(town, "dan", Role.DUTY_OFFICER) as officer:
        assert "1 risk marker is to be reviewed" in (await officer.get("/board")).html
        page = await officer.get("/markers")
        assert "To be reviewed" in page.html
        again = await officer.send(page.form(f"/markers/{row.id}/review"), reason="Dogs seen.", months="1")
        assert again.to == "/markers?done=review"
        assert "To be reviewed" not in (await officer.get("/markers")).html
    end = (await marker(town)).expires_at
    assert end == town.clock.now().replace(month=town.clock.now().month + 1)
    town.clock.set(end)
    await town.settle()
    row = await marker(town)
    assert (row.ended_at, row.ended_by, row.round) == (end, "system", 2)
    assert await town.rows(RiskMarkerKeyRow) == []
    case = await town.takes(paid_today(location=HOUSE))
    assert (await case.now())["joint"] is False


async def test_a_marker_is_ended_for_a_reason_and_the_log_names_nobody(town: Town) -> None:
    async with await browser_of(town, "dana", Role.DUTY_OFFICER) as officer:
        await marks(officer, subject="suspect", kind="weapon", name="Gary Stobbs", phone="07700 900321")
        row = await marker(town)
        page = await officer.get("/markers")
        assert "Gary Stobbs" in page.html
        assert (await officer.send(page.form(f"/markers/{row.id}/end"), reason=" ")).status == 422
        ended = await officer.send(page.form(f"/markers/{row.id}/end"), reason="Another Stobbs.")
        assert ended.to == "/markers?done=end"
        assert "Gary Stobbs" not in (await officer.get("/markers")).html
        assert (await officer.send(page.form(f"/markers/{row.id}/review"), reason="x")).status == 404
    events = [e for e in await town.rows(EventRow) if e.type.startswith("risk_marker")]
    assert [e.type for e in events] == ["risk_marker_set", "risk_marker_ended"]
    assert not any(word in e.data for e in events for word in ("Stobbs", "900321", "dogs"))
    case = await town.takes(paid_today(suspect={"phone": "07700 900321"}))
    assert (await case.now())["joint"] is False


@on_sqlite
async def test_a_marker_needs_evidence_and_something_to_be_found_by(town: Town) -> None:
    async with await browser_of(town, "dana", Role.DUTY_OFFICER) as officer:
        form = (await officer.get("/markers")).form("/markers")
        good: dict[str, Any] = {
            "subject": "address",
            "kind": "dog",
            "reason": "A bite.",
            "address": "1 Elm Road",
        }
        for wrong, said in (
            ({"reason": ""}, "Write the evidence"),
            ({"kind": "ghosts"}, "Choose the kind of risk"),
            ({"subject": ""}, "Choose what the marker warns of"),
            ({"months": "37"}, "Write how many months"),
            ({"address": ""}, "say which address, or which suspect"),
            ({"address": "somewhere in Bromley"}, "would be found by nothing"),
            ({"subject": "suspect", "name": "Dave"}, "would be found by nothing"),
        ):
            page = await officer.send(form, **{**good, **wrong})
            assert page.status == 422, wrong
            assert said.casefold() in page.html.casefold(), wrong
        assert await town.rows(RiskMarkerRow) == []
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        assert (await asha.get("/markers")).status == 403


@on_sqlite
async def test_s36_the_board_turns_red_and_the_page_has_one_large_button(town: Town) -> None:
    await town.load(SMALL_TOWN)
    case: Case = await town.takes(paid_today())
    await case.hears(ASHA, "GO {n} 20 min")
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        assert "You are expected there by" in (await asha.get(f"/j/{case.number}")).html
        await case.hears(ASHA, "HERE {n}")
        page = await asha.get(f"/j/{case.number}")
        assert "Check in by" in page.html
        safe = await asha.send(page.form(f"/j/{case.number}/check_in"))
        assert safe.to == f"/j/{case.number}?done=check_in"
        assert "You are safe, noted" in (await asha.get(safe.to)).html
        assert len(await case.happened("checked_in")) == 1
        town.clock.advance(timedelta(minutes=20))
        assert (await asha.get("/j")).status == 200
        town.clock.advance(timedelta(minutes=11))
        assert "Are you safe? You were to check in by" in (await asha.get(f"/j/{case.number}")).html
        town.clock.advance(timedelta(minutes=10))
    async with await browser_of(town, "dana", Role.DUTY_OFFICER) as officer:
        board = (await officer.get("/board")).html
        assert "No check-in for 41 min" in board
        assert "rr-board__row--red" in board
        page = await officer.get(f"/incidents/{case.reference}")
        assert "No check-in for 41 min" in page.html
        assert "Visit plan" in page.html
        done = await officer.send(page.form(f"/incidents/{case.reference}/actions/check_in"))
        assert "Asha Patel is safe" in (await officer.get(done.to)).html
        assert "No check-in" not in (await officer.get("/board")).html
    assert await town.texts(CAT) == []
