"""What is known of a case is put right: beside the old value, looked at again at once, lowered by nothing."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import CorrectionRow, InboundMessageRow, NoteRow, ReportRow
from tests.builders import CENTRE, long_ago, paid_today, small_town, unclear
from tests.harness import ASHA, BEN, DEE, Case, Town
from tests.journeys.browser import Browser, Form, Shown, browser_of, on_sqlite

CARD = "4111 1111 1111 1111"


async def corrections(case: Case) -> list[tuple[str, Any, Any]]:
    """Field, old and new of what was put right, oldest first."""
    return [(c["field"], c["old"], c["new"]) for c in (await case.now())["corrections"]]


async def owned(town: Town, **more: Any) -> Case:
    """A case that Asha has."""
    case = await town.takes(paid_today(**more))
    await case.hears(ASHA, "OK {n}")
    assert (await case.now())["responder"] == "asha"
    return case


def the_form(page: Shown, action: str) -> Form:
    """The form to correct a case; those beside the reports correct who told us."""
    return next(form for form in page.forms(action) if "report" not in form.fields)


# --- facts ------------------------------------------------------------------------------------------------


async def test_a_fact_that_is_learnt_raises_at_once(town: Town) -> None:
    case = await town.takes(paid_today())
    assert (await case.now())["priority"] == "P1"
    whole = await case.act(
        "amend", answers={"suspect_on_premises": True, "refuses_to_leave": True}, reason="She rang again."
    )
    assert (whole["priority"], whole["rule_id"]) == ("P0", "R05")
    assert whole["facts"]["refuses_to_leave"] is True
    assert whole["joint"] is True
    decided = await case.happened("priority_decided")
    assert [d["priority"] for d in decided] == ["P1", "P0"]
    # Nobody goes in alone: the duty officer hears it, and so does whoever is being asked.
    assert "do not enter alone" in await town.last_text(ASHA)
    assert await town.texts_with("joint", DEE)


async def test_old_and_new_stand_side_by_side_with_who_when_and_why(town: Town) -> None:
    case = await town.takes(paid_today(victim={"name": "Joan Whitfeild", "age": 48}))
    await town.pass_time(minutes=2)
    moment = town.clock.now()
    await case.act("amend", victim={"name": "Joan Whitfield", "age": 84}, reason="Misheard.")
    whole = await case.now()
    assert (whole["victim"]["name"], whole["victim"]["age"]) == ("Joan Whitfield", 84)
    name = next(c for c in whole["corrections"] if c["field"] == "victim.name")
    assert (name["old"], name["new"], name["reason"]) == ("Joan Whitfeild", "Joan Whitfield", "Misheard.")
    assert datetime.fromisoformat(name["at"]) == moment
    assert name["actor"].startswith("key:")
    # The log names the fields, never what they hold.
    (amended,) = await case.happened("incident_amended")
    assert amended["fields"] == ["victim.age", "victim.name"]
    assert "Whitf" not in json.dumps(await town.events(case.reference))
    assert (await town.board("2026-07"))["victims"]["aged_60_plus"] == 1


async def test_the_same_again_changes_nothing(town: Town) -> None:
    case = await town.takes(paid_today())
    before = await town.events(case.reference)
    await case.act("amend", answers={"paid_within_24h": True}, location={"postcode": "br13uh"})
    assert await town.events(case.reference) == before
    assert await corrections(case) == []


async def test_less_danger_lowers_nothing_and_a_duty_officer_may(town: Town) -> None:
    case = await town.takes(paid_today())
    happened_at = (town.clock.now() - timedelta(days=10)).isoformat()
    whole = await case.act(
        "amend", answers={"paid_within_24h": False, "happened_at": happened_at, "suspect_on_premises": False}
    )
    assert (whole["priority"], whole["clock"]["state"]) == ("P1", "running")
    (amended,) = await case.happened("incident_amended")
    assert amended["rules_say"] in ("P3", "P4")
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        refused = await handler.fill(
            f"/incidents/{case.reference}",
            f"/incidents/{case.reference}/actions/set_priority",
            priority="P3",
            reason="over",
        )
        assert refused.status == 403
        assert "Only a duty officer" in refused.html
    lowered = await case.act("set_priority", priority="P3", reason="It was ten days ago.")
    assert lowered["priority"] == "P3"


async def test_what_a_person_decided_stands_until_more_is_known_than_then(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.act("set_priority", priority="P3", reason="He has brought the money back.")
    assert (await case.act("amend", victim={"name": "Joan"}))["priority"] == "P3"
    assert (await case.act("amend", answers={"threat_or_fear": True}))["priority"] == "P0"


async def test_an_unclear_report_goes_out_once_it_is_clear(town: Town) -> None:
    case = await town.takes(unclear())
    assert await case.status() == "awaiting_review"
    await town.pass_time(minutes=2)
    started = (await case.clock())["started_at"]
    whole = await case.act("amend", answers={"payment_pending": True})
    assert (whole["priority"], whole["rule_id"], whole["status"]) == ("P1", "R10", "dispatching")
    assert whole["clock"]["started_at"] == started
    assert await case.asked() == ["asha"]
    assert "review_report" not in await case.tasks()


async def test_s26_a_p3_that_is_worse_than_was_said_gets_a_clock_from_now(town: Town) -> None:
    case = await town.takes(long_ago(town.clock.now()))
    assert (await case.now())["status"] == "scheduled"
    await town.pass_time(minutes=40)
    moment = town.clock.now()
    returns = (moment + timedelta(minutes=100)).isoformat()
    whole = await case.act("amend", answers={"suspect_returning": True, "suspect_returning_at": returns})
    assert (whole["priority"], whole["status"]) == ("P1", "dispatching")
    clock = whole["clock"]
    assert datetime.fromisoformat(clock["started_at"]) == moment
    assert datetime.fromisoformat(clock["needed_by"]) == moment + timedelta(minutes=85)
    assert await case.asked() == ["asha"]


async def test_needed_by_follows_the_time_that_is_put_right(town: Town) -> None:
    now = town.clock.now()
    case = await town.takes(
        paid_today(
            answers={
                "suspect_returning": True,
                "suspect_returning_at": (now + timedelta(minutes=110)).isoformat(),
            }
        )
    )
    assert datetime.fromisoformat((await case.clock())["needed_by"]) == now + timedelta(minutes=95)
    at = (now + timedelta(minutes=70)).isoformat()
    await case.act("amend", answers={"suspect_returning_at": at})
    assert datetime.fromisoformat((await case.clock())["needed_by"]) == now + timedelta(minutes=55)
    await case.act("amend", answers={"suspect_returning": False, "suspect_returning_at": None})
    clock = await case.clock()
    assert clock["needed_by"] == clock["due_at"]


async def test_money_and_living_alone_are_told_as_they_were_asked(town: Town) -> None:
    case = await town.takes(
        paid_today(answers={"amount_gbp": 400}, victim={"name": "Joan", "lives_alone": False})
    )
    await case.act("amend", answers={"amount_gbp": 3600.5, "lives_alone": True, "payment_method": "cash"})
    whole = await case.now()
    assert whole["facts"]["amount_pence"] == 360_050
    assert whole["victim"]["lives_alone"] is True
    assert set(await corrections(case)) == {
        ("answers.amount_gbp", 400.0, 3600.5),
        ("answers.lives_alone", False, True),
        ("answers.payment_method", None, "cash"),
        ("victim.lives_alone", False, True),
    }


async def test_what_is_over_is_put_right_without_moving(town: Town) -> None:
    case = await owned(town)
    await case.hears(ASHA, "HERE {n}")
    await case.act("close", disposition="resolved_attended")
    texts = len(await town.texts(ASHA))
    whole = await case.act(
        "amend",
        victim={"name": "Joan"},
        answers={"threat_or_fear": True},
        location={"address": "14 Elm Road"},
    )
    assert (whole["status"], whole["priority"]) == ("closed", "P1")
    assert len(whole["corrections"]) == 3
    assert len(await town.texts(ASHA)) == texts


# --- people, and what is safe -----------------------------------------------------------------------------


async def test_the_report_stays_as_it_came_and_the_caller_is_put_right_beside_it(town: Town) -> None:
    case = await town.takes(paid_today(caller={"name": "Jo", "phone": "+447700900501", "role": "neighbour"}))
    await case.act("amend", caller={"name": "Joe Example", "phone": None, "role": "self"})
    (report,) = (await case.now())["reports"]
    assert report["caller"] == {"name": "Joe Example", "role": "self"}
    assert report["caller_may_be_told"] == "own_case"
    (row,) = await town.rows(ReportRow)
    assert row.caller["name"] == "Jo"
    assert set(await corrections(case)) == {
        ("caller.name", "Jo", "Joe Example"),
        ("caller.phone", "+447700900501", None),
        ("caller.role", "neighbour", "self"),
    }


async def test_a_victim_known_by_her_name_is_found_once_it_is_right(town: Town) -> None:
    home = {"address": "14 Elm Road", "postcode": "BR1 3UH"}
    joan = {"name": "Joan Whitfield", "phone": "+447700900300"}
    first = await town.takes(paid_today(victim=joan, location=home))
    second = await town.takes(paid_today(victim={"name": "Amit Sharma"}, location={"address": "3 Oak Close"}))
    assert (await second.now())["links"] == []
    await second.act("amend", victim=joan, location=home)
    assert [link["reference"] for link in (await second.now())["links"]] == [first.reference]


async def test_what_is_safe_is_put_right_too(town: Town) -> None:
    case = await town.takes(paid_today())
    assert (await case.now())["safe_contact"] == {"sms": False, "voice": False, "voicemail": False}
    whole = await case.act("amend", safe_contact={"voice": True, "note": "before 3pm"})
    assert (whole["safe_contact"]["voice"], whole["safe_contact"]["note"]) == (True, "before 3pm")
    assert (await case.act("amend", safe_contact={"voice": False}))["safe_contact"]["voice"] is False


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ""),
        ({"reason": "x"}, ""),
        ({"answers": {"suspect_on_premisses": True}}, "answers"),
        ({"location": {"latitude": 91}}, "location.latitude"),
        ({"victim": {"age": -1}}, "victim.age"),
        ({"caller": {"name": "Jo"}, "report": "no such report"}, "report"),
        ({"safe_contact": {"voice": None}}, "safe_contact.voice"),
    ],
)
@on_sqlite
async def test_what_does_not_fit_is_refused_and_nothing_is_kept(
    town: Town, body: dict[str, Any], field: str
) -> None:
    case = await town.takes(paid_today())
    refused = await case.try_to("amend", **body)
    assert refused.status_code == 422
    named = [e["field"] for e in refused.json().get("errors", [])]
    assert any(name.startswith(field) for name in named), named
    assert await town.rows(CorrectionRow) == []


# --- the address ------------------------------------------------------------------------------------------


async def test_s40_no_trace_is_followed_by_a_call_back_and_a_corrected_address(town: Town) -> None:
    case = await owned(
        town,
        location={**CENTRE, "address": "41 Larkspur Way", "latitude": 51.4, "longitude": 0.02},
        safe_contact={"voice": True},
    )
    await town.pass_time(minutes=30)
    started = (await case.clock())["started_at"]
    assert "nobody reached" in await case.hears(ASHA, "DONE {n} NOTRACE")
    whole = await case.now()
    assert (whole["status"], whole["disposition"]) == ("assigned", None)
    assert (whole["clock"]["state"], whole["clock"]["started_at"]) == ("running", started)
    assert (await case.tasks())["call_back"]["owner"] == "duty_officer"
    (found,) = await case.happened("no_contact_made")
    assert (found["no_trace"], found["took_stop_back"]) == (True, False)
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        page = await officer.get(f"/incidents/{case.reference}")
        assert "Ring back in a safe way" in page.html
        assert "could not find the address" in page.html

    await town.pass_time(minutes=10)
    await case.act("amend", location={"address": "14 Larkspur Way"}, reason="The neighbour rang back.")
    text = await town.last_text(ASHA)
    assert "address has changed" in text
    assert str(case.number) in text
    assert "Larkspur" not in text
    whole = await case.now()
    # The old point on the map would lead to the old door.
    assert whole["location"] == {"address": "14 Larkspur Way", "postcode": "BR1 3UH", "ward": "Bromley Town"}
    assert ("location.address", "41 Larkspur Way", "14 Larkspur Way") in await corrections(case)
    assert whole["clock"]["started_at"] == started
    await case.hears(ASHA, "HERE {n}")
    assert (await case.clock())["stopped_by"] == "attended"


async def test_s40_a_new_offer_goes_to_the_right_place(town: Town) -> None:
    case = await owned(town, location=CENTRE)
    await case.hears(ASHA, "NO {n} wrong address")
    await case.act("amend", location={"address": "2 High Street", "postcode": "BR2 9AA"})
    assert any("address has changed" in body for body in await town.texts(BEN))
    await case.hears(BEN, "NO {n}")
    await town.pass_time(minutes=6)
    await case.act("assign", responder="asha")
    assert "BR2 9" in await town.last_text(ASHA)


async def test_the_ward_is_one_of_the_services_own(town: Town) -> None:
    case = await town.takes(paid_today(location={"postcode": "BR2 9AA"}))
    assert (await case.now())["ward"] is None
    await case.act("amend", location={"ward": "hayes & coney hall"})
    assert (await case.now())["ward"] == "Hayes & Coney Hall"
    assert {"ward": "Hayes & Coney Hall", "incidents": "<5"} in (await town.board("2026-07"))["wards"]
    await case.act("amend", location={"ward": "behind the Co-op"})
    assert (await case.now())["ward"] is None
    assert "Co-op" not in json.dumps(await town.events(case.reference))


async def test_held_for_joint_attendance_it_waits_for_a_person_still(town: Town) -> None:
    await town.load(small_town(sla={"joint_attendance": "hold"}))
    case = await town.takes(unclear())
    whole = await case.act("amend", answers={"suspect_on_premises": True})
    assert (whole["priority"], whole["status"]) == ("P1", "awaiting_review")
    assert await case.asked() == []
    assert "release_held" in await case.tasks()


# --- on the page ------------------------------------------------------------------------------------------


async def test_a_handler_corrects_a_case_on_its_page(town: Town) -> None:
    case = await town.takes(paid_today(victim={"name": "Joan", "phone": "+447700900300"}))
    path, action = f"/incidents/{case.reference}", f"/incidents/{case.reference}/actions/amend"
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        form = the_form(await handler.get(path), action)
        untouched = await handler.send(form)
        assert untouched.status == 422
        assert "Nothing is different yet" in untouched.html
        wrong = await handler.send(form, **{"victim.phone": "12", "victim.name": "Joan Whitfield"})
        assert wrong.status == 422
        assert 'href="#amend-victim-phone"' in wrong.html
        assert 'id="amend-victim-phone"' in wrong.html
        assert the_form(wrong, action).fields["victim.name"] == ["Joan Whitfield"]
        saved = await handler.send(
            the_form(wrong, action),
            **{
                "victim.phone": "",
                "answers.threat_or_fear": "yes",
                "location.address": "14 Larkspur Way",
                "reason": "She rang again",
            },
        )
        assert (saved.status, saved.to) == (303, f"{path}?done=amend")
        shown = await handler.get(saved.to)
        assert "The corrections are kept" in shown.html
        assert "(was Joan)" in shown.html
        assert "She rang again" in shown.html
        assert "hana" in shown.html
    whole = await case.now()
    assert whole["priority"] == "P0"
    assert whole["victim"]["name"] == "Joan Whitfield"
    assert "phone" not in whole["victim"]


@on_sqlite
async def test_two_who_correct_at_once_undo_nothing_of_each_other(town: Town) -> None:
    case = await town.takes(paid_today(victim={"name": "Joan", "age": 48}))
    path, action = f"/incidents/{case.reference}", f"/incidents/{case.reference}/actions/amend"
    handler, officer = (
        await browser_of(town, "hana", Role.HANDLER),
        await browser_of(town, "dee", Role.DUTY_OFFICER),
    )
    async with handler, officer:
        first, second = the_form(await handler.get(path), action), the_form(await officer.get(path), action)
        await handler.send(first, **{"victim.age": "84"})
        await officer.send(second, **{"victim.name": "Joan Whitfield"})
    victim = (await case.now())["victim"]
    assert (victim["name"], victim["age"]) == ("Joan Whitfield", 84)


async def test_what_somebody_else_has_put_right_meanwhile_is_not_overwritten_unseen(town: Town) -> None:
    case = await town.takes(paid_today(location={**CENTRE, "address": "12 Larkspur Way"}))
    path, action = f"/incidents/{case.reference}", f"/incidents/{case.reference}/actions/amend"
    handler, officer = (
        await browser_of(town, "hana", Role.HANDLER),
        await browser_of(town, "dee", Role.DUTY_OFFICER),
    )
    async with handler, officer:
        first, second = the_form(await handler.get(path), action), the_form(await officer.get(path), action)
        await handler.send(
            first, **{"location.address": "14 Larkspur Way", "victim.age": "84", "safe": ["voice"]}
        )
        refused = await officer.send(
            second,
            **{
                "location.address": "16 Larkspur Way",
                "victim.name": "Joan",
                "safe": ["sms"],
                "reason": "She rang",
            },
        )
        assert refused.status == 409
        assert 'href="#amend-location-address"' in refused.html
        assert (
            "Address: changed meanwhile to 14 Larkspur Way by hana, 12:00pm. Look again, then save"
            in refused.html
        )
        assert (await case.now())["location"]["address"] == "14 Larkspur Way"
        again = the_form(refused, action)
        typed = [again.fields[name][0] for name in ("location.address", "victim.name", "reason")]
        assert typed == ["16 Larkspur Way", "Joan", "She rang"]
        assert (again.fields["victim.age"], again.fields["safe"]) == (["84"], ["voice", "sms"])
        # Whoever has seen it may say otherwise; and what two say alike is no quarrel.
        assert (await officer.send(again)).status == 303
        both = the_form(await handler.get(path), action), the_form(await officer.get(path), action)
        for who, form in zip((handler, officer), both, strict=True):
            assert (await who.send(form, **{"victim.age": "85"})).status == 303
    known = await case.now()
    assert known["location"]["address"] == "16 Larkspur Way"
    assert (known["victim"]["name"], known["victim"]["age"]) == ("Joan", 85)
    assert (known["safe_contact"]["voice"], known["safe_contact"]["sms"]) == (True, True)


async def test_who_has_the_job_meanwhile_is_not_stood_down_unseen(town: Town) -> None:
    case = await town.takes(paid_today())
    path, action = f"/incidents/{case.reference}", f"/incidents/{case.reference}/actions/assign"
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        early = (await officer.get(path)).form(action)
        await case.hears(ASHA, "OK {n}")
        refused = await officer.send(early, responder="ben", reason="Nearer")
        assert refused.status == 409
        assert "Responder: changed meanwhile to Asha Patel by Asha Patel, 12:00pm" in refused.html
        assert (await case.now())["responder"] == "asha"
        again = refused.form(action)
        assert (again.fields["responder"], again.fields["reason"]) == (["ben"], ["Nearer"])
        assert (await officer.send(again)).status == 303
        assert (await case.now())["responder"] == "ben"
        late = (await officer.get(path)).form(action)
        await case.act("release", reason="Ill")
        assert "Responder: changed meanwhile to nobody" in (await officer.send(late, responder="asha")).html


@on_sqlite
@pytest.mark.parametrize(
    ("action", "given"),
    [
        ("set_priority", {"priority": "P3", "reason": "Nothing is owed before Monday."}),
        ("cancel", {"disposition": "withdrawn", "reason": "She rang back: it is settled."}),
        ("close", {"disposition": "resolved_remote", "note": "She rang back: it is settled."}),
        ("mark_hoax", {"reason": "The same voice as last night."}),
    ],
)
async def test_danger_that_was_told_meanwhile_is_not_put_aside_unseen(
    town: Town, action: str, given: dict[str, str]
) -> None:
    case = await town.takes(paid_today())
    if action == "close":
        await case.act("assign", responder="ben")
        await case.act("remote_response", protective_act="bank_told")
    path, send_to = f"/incidents/{case.reference}", f"/incidents/{case.reference}/actions/{action}"
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        early = (await officer.get(path)).form(send_to)
        await case.act(
            "amend", answers={"suspect_on_premises": True, "refuses_to_leave": True}, reason="Rang."
        )
        assert (await case.now())["priority"] == "P0"
        refused = await officer.send(early, **given)
        assert refused.status == 409
        assert "Priority: changed meanwhile to P0: emergency" in refused.html
        assert (await case.now())["priority"] == "P0"
        assert (await case.now())["status"] not in ("cancelled", "closed")
        again = refused.form(send_to)
        words = "note" if "note" in given else "reason"
        assert again.fields[words] == [given[words]]
        assert (await officer.send(again)).status == 303


@on_sqlite
async def test_who_told_us_is_corrected_beside_what_they_told(town: Town) -> None:
    case = await town.takes(paid_today(caller={"name": "Jo", "role": "neighbour"}))
    path, action = f"/incidents/{case.reference}", f"/incidents/{case.reference}/actions/amend"
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        page = await handler.get(path)
        form = next(f for f in page.forms(action) if "report" in f.fields)
        wrong = await handler.send(form, **{"caller.phone": "12"})
        assert 'href="#amend-caller-caller-phone"' in wrong.html
        assert 'id="amend-caller-caller-phone"' in wrong.html
        await handler.send(form, **{"caller.role": "self"})
        assert "Their own case" in (await handler.get(path)).html
    assert (await case.now())["reports"][0]["caller"] == {"name": "Jo", "role": "self"}


# --- scenarios 18, 20 and 51 ------------------------------------------------------------------------------


async def test_s18_a_card_number_is_kept_nowhere_whichever_way_it_came(town: Town) -> None:
    said = f"A man took my card {CARD} and my pin is 1234, he wants 300 pounds for the gutters"
    case = await town.takes(
        paid_today(
            narrative=said,
            caller={"name": f"Jo {CARD}"},
            safe_contact={"note": f"code {CARD}"},
            suspect={"description": "sort code 20-30-40 account 12345678"},
        )
    )
    await case.act("note", body=f"She read out {CARD}")
    await case.act("amend", suspect={"name": f"cvv 123 {CARD}"}, reason=f"said {CARD}")
    await case.hears(ASHA, "OK {n}")
    await case.hears(ASHA, f"he had her card {CARD}")
    await town.texts_reply("+447700900801", f"He has my card {CARD} pin 4821")
    await town.pass_time(minutes=1)
    await town.rings_hotline("+447700900802", "My card is four one one one " + "one " * 12 + "he has it")
    async with Browser(town) as resident:
        form = (await resident.get("/report?now=5")).form("/report")
        await town.pass_time(minutes=1)
        await resident.send(form, narrative=f"He has my card {CARD}", **{"location.address": f"1 {CARD}"})
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        await handler.fill("/console", "/console", narrative=f"Her card is {CARD}")

    (report,) = (await case.now())["reports"]
    assert "[card number removed] and my pin is [PIN removed]" in report["narrative"]
    assert "300 pounds" in report["narrative"]
    # The evidence points into what is stored.
    assert report["evidence"]
    for span in report["evidence"]:
        assert report["narrative"][span["start"] : span["end"]] == span["text"]
    reports = await town.rows(ReportRow)
    assert len(reports) == 5
    kept = [
        *(row.narrative for row in reports),
        *(row.body for row in await town.rows(NoteRow)),
        *(row.body for row in await town.rows(InboundMessageRow)),
        *(json.dumps([row.old, row.new, row.reason]) for row in await town.rows(CorrectionRow)),
        json.dumps(await case.now()),
        json.dumps([row.caller for row in reports]),
    ]
    assert all("card number removed" in row.narrative for row in reports)
    for text in kept:
        assert "4111" not in text
        assert "1111" not in text
        assert "12345678" not in text
        assert "pin 4821" not in text


async def test_s20_who_cannot_speak_freely_is_not_rung_back(town: Town) -> None:
    case = await town.takes(paid_today(caller={"role": "victim"}, safe_contact={"voice": True}))
    assert (await case.now())["safe_contact"]["voice"] is True
    answer = await town.reports(
        narrative="He is listening, a man who knocked about the gutters.", answers={"safe_to_talk": False}
    )
    assert (answer["priority"], answer["rule_id"]) == ("P0", "R07")
    assert {"yes_no_questions", "silent_999"} <= set(answer["advice"])
    assert (await town.incident(answer["reference"]))["safe_contact"]["voice"] is False
    whole = await case.act("amend", answers={"safe_to_talk": False}, safe_contact={"voice": False})
    assert whole["facts"]["safe_to_talk"] is False
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        page = await handler.get(f"/incidents/{case.reference}")
        assert "Do not ring, text or leave a voicemail" in page.html


async def test_s51_the_daughter_hears_that_we_have_the_report_and_no_more(town: Town) -> None:
    case = await town.takes(
        paid_today(
            caller={"name": "Jo", "role": "family", "phone": "+447700900501"},
            victim={"name": "Joan", "phone": "+447700900300"},
        )
    )
    assert (await case.now())["reports"][0]["caller_may_be_told"] == "receipt_only"
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        page = await handler.get(f"/incidents/{case.reference}")
        assert "Who may be told what" in page.html
        assert "Confirm receipt only" in page.html
        assert "Anybody else who asks, family too" in page.html
        sent = await handler.fill("/console", "/console", narrative="A man.", **{"caller.role": "family"})
        assert "Confirm receipt only." in sent.html
        own = await handler.fill("/console", "/console", narrative="A man.", **{"caller.role": "self"})
        assert "Confirm receipt only." not in own.html
    assert await town.texts("+447700900501") == await town.texts("+447700900300") == []
