"""Who may see a case that is not theirs, how long it is kept, and what leaves it.

Scenarios 56, 57, 58 and 59.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, select
from sqlmodel import SQLModel

from rapid_response.access.keys import create_key
from rapid_response.core.vocabulary import RetentionClass, Role, Scope
from rapid_response.steps import retention
from rapid_response.steps.alarms import raise_alarm
from rapid_response.steps.service import service_now
from rapid_response.storage.log import verify
from rapid_response.storage.tables import (
    AccessRow,
    AlarmRow,
    DisclosureRow,
    InboundMessageRow,
    NotificationRow,
    ReportRow,
    ViewReasonRow,
)
from tests.builders import long_ago, paid_today, roofers_now, small_town
from tests.harness import ASHA, HEAD, LEADER, Case, Town
from tests.journeys.browser import browser_of, on_sqlite
from tests.journeys.test_personal_data import WORDS, leaked, written_about

PEOPLE = {
    "caller": {"name": "Priya Neighbour", "phone": "+447700900456", "email": "priya@example.org"},
    "victim": {"name": "Jean Whitlock", "phone": "+447700900457", "age": 84},
    "location": {"address": "14 Larkspur Way", "postcode": "BR1 3UH", "ward": "Bromley Town"},
    "suspect": {"name": "Dan Roofer", "vehicle_registration": "AB12 CDE"},
}
CANARIES = ("Priya", "Whitlock", "Larkspur", "Dan Roofer", "900456", "900457", "priya@", "BR1 3UH", "gutters")


async def over(town: Town, **more: object) -> Case:
    """A case that has ended, of which nothing is owed."""
    case = await town.takes(paid_today(**PEOPLE | more))
    await case.hears(ASHA, "OK {n}")
    await case.hears(ASHA, "HERE {n}")
    await case.act("close", disposition="resolved_attended")
    return case


# --- who may act and not look -----------------------------------------------------------------------------


@pytest.mark.parametrize("scopes", [(Scope.ACT,), (Scope.ACT, Scope.READ)])
async def test_a_key_that_may_only_act_is_told_how_it_stands_and_no_more(
    town: Town, scopes: tuple[Scope, ...]
) -> None:
    case = await town.takes(paid_today(**PEOPLE))
    key = await town.app.database.run(lambda tx: create_key(tx, "case system", scopes))
    before = len(await town.rows(AccessRow))
    answer = await town.http.post(
        f"/api/v1/incidents/{case.reference}/actions/assign",
        json={"responder": "asha"},
        headers={"authorization": f"Bearer {key.secret}"},
    )
    assert answer.status_code == 200
    seen = [row.what for row in (await town.rows(AccessRow))[before:]]
    if Scope.READ in scopes:
        assert answer.json()["victim"]["name"] == "Jean Whitlock"
        assert seen == ["api_action"]
        return
    assert not [canary for canary in CANARIES if canary in answer.text]
    standing = answer.json()
    assert set(standing) == {"reference", "status", "clock", "allowed_actions"}
    assert (standing["reference"], standing["status"]) == (case.reference, "assigned")
    assert "en_route" in standing["allowed_actions"]
    assert seen == []


# --- scenario 56 ------------------------------------------------------------------------------------------


async def test_s56_a_metrics_scrape_tells_of_nobody(town: Town) -> None:
    case = await over(town)
    await town.takes(roofers_now(**PEOPLE))
    await town.rings_hotline("+447700900458", "Jean Whitlock of 14 Larkspur Way is afraid.")
    scrape = (await town.http.get("/metrics")).text
    assert "rapid_response_contacts_total" in scrape
    for words in (*CANARIES, "900458", "Asha", case.reference, "Jean"):
        assert words not in scrape, words
    # Codes and figures: no label value could hold a name, a number or a sentence.
    values = set(re.findall(r'="([^"]*)"', scrape))
    assert [v for v in values if not re.fullmatch(r"[A-Za-z0-9_.+:-]{0,40}", v)] == []
    assert [v for v in values if re.search(r"\d{7,}", v)] == []


# --- scenario 57 ------------------------------------------------------------------------------------------


async def test_s57_who_opens_a_case_that_is_not_theirs_says_why(town: Town) -> None:
    case = await over(town)
    path = f"/incidents/{case.reference}"
    async with await browser_of(town, "olu", Role.DUTY_OFFICER) as officer:
        asked = await officer.get(path)
        assert "Why do you need to see" in asked.html
        for words in CANARIES:
            assert words not in asked.html
        assert not any("/actions/" in action for action in asked.actions)
        # Neither is anything done to it before.
        action = asked.form(f"{path}/reason").to(f"{path}/actions/note")
        assert "Why do you need to see" in (await officer.send(action, note="Hm.")).html
        assert (await officer.send(asked.form(f"{path}/reason"))).status == 422
        other = await officer.send(asked.form(f"{path}/reason"), reason="other")
        assert "Say in a few words" in other.html
        opened = await officer.send(asked.form(f"{path}/reason"), reason="complaint", words="Her son rang.")
        assert opened.to == path
        assert "Whitlock" in (await officer.get(path)).html
    await town.settle()
    # It is on record, and the next one up is told; the text says nothing of whose case it is.
    (row,) = await town.rows(ViewReasonRow)
    assert (row.reason, row.words) == ("complaint", "Her son rang.")
    told = await town.texts_with("not theirs", LEADER)
    assert len(told) == 1
    assert case.reference not in told[0]
    (opening,) = await case.happened("case_opened_unassigned")
    assert opening["reason"] == "complaint"
    assert {"reason_given", "page"} <= {r.what for r in await town.rows(AccessRow)}
    # The reason holds for a working day, not for ever.
    town.clock.advance(timedelta(hours=9))
    async with await browser_of(town, "olu2", Role.AUDITOR) as auditor:
        access = await auditor.get("/access")
        assert "olu" in access.html
        assert "Her son rang." in access.html
        assert "Larkspur" not in access.html


@pytest.mark.long
@on_sqlite
async def test_s57_no_form_shows_a_case_before_the_reason_is_given(town: Town) -> None:
    case = await over(town)
    async with await browser_of(town, "dot", Role.DUTY_OFFICER) as officer:
        asked = (await officer.get(f"/markers?incident={case.reference}")).html
        assert "Why do you" in asked
        for words in ("Larkspur", "AB12 CDE"):
            assert words not in asked
        page = f"/incidents/{case.reference}"
        await officer.fill(page, f"{page}/reason", reason="complaint")
        assert "Larkspur" in (await officer.get(f"/markers?incident={case.reference}")).html


@on_sqlite
async def test_s57_an_alarm_that_is_over_shows_no_case_before_the_reason_is_given(town: Town) -> None:
    case, zone = await over(town), town.app.desk.zone
    town.clock.advance(timedelta(minutes=5))
    await town.app.database.run(lambda tx: raise_alarm(tx, service_now(tx, zone), "asha", "page"))
    (alarm,) = await town.rows(AlarmRow)
    page = f"/alarms/{alarm.id}"
    async with (
        await browser_of(town, "dee", Role.DUTY_OFFICER) as officer,
        await browser_of(town, "olu", Role.DUTY_OFFICER) as another,
    ):
        # While somebody is in danger nothing stands before the address.
        for browser in (officer, another):
            assert "Larkspur" in (await browser.get(page)).html
        await officer.fill(page, f"{page}/end", reason="We met.")
        # Whoever saw to it is shown how it ended; whoever did not is asked.
        assert "Larkspur" in (await officer.get(page)).html
        asked = await another.get(page)
        assert "Why do you need to see" in asked.html
        assert "Larkspur" not in asked.html
        opened = await another.send(asked.form(f"/incidents/{case.reference}/reason"), reason="supervision")
        assert opened.to == f"/incidents/{case.reference}"
        assert "Larkspur" in (await another.get(page)).html


async def test_s57_a_supervisor_looks_at_each_and_nobody_at_their_own(town: Town) -> None:
    case = await over(town)
    path = f"/incidents/{case.reference}"
    async with await browser_of(town, "lea", Role.TEAM_LEADER) as leader:
        await leader.fill(path, f"{path}/reason", reason="supervision")
        await town.settle()
        # Who leads is looked at by the head of service.
        assert await town.texts_with("not theirs", HEAD)
        assert not await town.texts_with("not theirs", LEADER)
        own = await leader.get("/access")
        assert "Your own" in own.html
        (row,) = await town.rows(ViewReasonRow)
        out = (await leader.get("/account")).form("/sign-out")
        refused = await leader.send(out.to(f"/access/{row.id}/seen"))
        assert refused.status == 403
    async with await browser_of(town, "audrey", Role.AUDITOR) as auditor:
        await auditor.fill("/access", f"/access/{row.id}/seen")
        assert "Every one was looked at" in (await auditor.get("/access?done=seen")).html
        of_one = await auditor.get(f"/access?reference={case.reference}")
        assert "reason_given" in of_one.html or "Reason given" in of_one.html


async def test_s57_no_prompt_stands_before_work(town: Town) -> None:
    live = await town.takes(paid_today(**PEOPLE))
    async with (
        await browser_of(town, "dee", Role.DUTY_OFFICER) as officer,
        await browser_of(town, "hal", Role.HATE_CRIME_LEAD) as lead,
    ):
        path = f"/incidents/{live.reference}"
        # What is open is the desk's work.
        assert "Whitlock" in (await officer.get(path)).html
        await officer.fill(path, f"{path}/actions/note", note="I rang the bank.")
        # Not of whoever only reviews targeting, where there is none.
        assert "Why do you need to see" in (await lead.get(path)).html
        await live.hears(ASHA, "OK {n}")
        await live.hears(ASHA, "HERE {n}")
        await live.act("close", disposition="resolved_attended")
        # A newer report of the same people leads the desk to it, so that it can be opened again.
        ended = await town.takes(paid_today(**PEOPLE))
        await ended.act("cancel", disposition="withdrawn", reason="She rang off.")
        await town.takes(paid_today(**PEOPLE))
        assert "Whitlock" in (await officer.get(f"/incidents/{ended.reference}")).html
        # What one has worked on stays one's own.
        assert "Whitlock" in (await officer.get(path)).html


@on_sqlite
async def test_s57_a_reason_holds_for_a_working_day(town: Town) -> None:
    case = await over(town)
    path = f"/incidents/{case.reference}"
    async with await browser_of(town, "olu", Role.DUTY_OFFICER) as officer:
        await officer.fill(path, f"{path}/reason", reason="caller_rang")
        assert "Whitlock" in (await officer.get(path)).html
    town.clock.advance(timedelta(hours=9))
    async with await browser_of(town, "olu3", Role.DUTY_OFFICER) as another:
        assert "Why do you need to see" in (await another.get(path)).html


# --- scenario 58 ------------------------------------------------------------------------------------------


async def kept(town: Town) -> str:
    """Everything that the database holds, but the service's own people and the simulated phones."""
    left_out = ("definitions", "sim_", "alembic")
    tables = [t for t in SQLModel.metadata.sorted_tables if not t.name.startswith(left_out)]
    return await town.app.database.look(
        lambda c: "\n".join(repr(tuple(row)) for t in tables for row in c.execute(select(t)))
    )


async def test_s58_when_its_time_is_over_people_are_gone_and_counts_stay(town: Town) -> None:
    case = await over(town)
    await case.act("note", body="Mrs Whitlock of Larkspur Way was glad.")
    await case.act("disclose", kind="police", to="PC Whitlock", authority="Their request.")
    held = await town.takes(paid_today(**PEOPLE))
    await held.act("cancel", disposition="withdrawn", reason="She rang off.")
    await held.act("legal_hold", reason="The police ask for it.")
    before = await town.board("2026-07")
    for words in ("Whitlock", "Larkspur", "900457"):
        assert words in await kept(town)
    caretaker = town.app.caretaker
    # A day too early nothing goes.
    town.clock.advance(timedelta(days=6 * 365))
    assert await caretaker.erase_due() == 0 or (await case.now())["erased_at"] is None
    town.clock.advance(timedelta(days=3))
    async with await browser_of(town, "audrey", Role.AUDITOR) as auditor:
        dry = await auditor.get("/retention")
        assert "1 case" in dry.html
        assert "1 under a legal hold" in dry.html
        assert "Nothing is erased" in dry.html
    assert await caretaker.erase_due() >= 1
    now = await case.now()
    assert now["erased_at"]
    assert (now["victim"], now["location"], now["suspect"], now["facts"]) == ({}, {}, {}, {})
    assert now["reports"][0]["narrative"] == ""
    assert now["disposition"] == "resolved_attended"
    # That the month is over is said in two places.
    told_of_time = ("period", "notes")
    # Counts are unchanged, the log holds, and that it was done is in it.
    after = await town.board("2026-07")
    assert {k: v for k, v in after.items() if k not in told_of_time} == {
        k: v for k, v in before.items() if k not in told_of_time
    }
    assert (await town.app.database.look(verify)).broken is None
    (erased,) = await case.happened("personal_data_erased")
    assert erased["retention_class"] == "incident"
    # What is held is there, whole; let go, it goes with the next round.
    assert (await held.now())["victim"]["name"] == "Jean Whitlock"
    assert await at_once(held, "legal_hold", on=True, reason="Again.") == 422
    assert await at_once(held, "legal_hold", on=False, reason="The trial is over.") == 200
    await caretaker.erase_due()
    left = await kept(town)
    for words in ("Whitlock", "Larkspur", "900457", "900456", "Dan Roofer", "priya@", "ab12cde", "trial"):
        assert words not in left, words
    # The page says so, and nobody can make a sheet of it any more.
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        path = f"/incidents/{case.reference}"
        await officer.fill(path, f"{path}/reason", reason="complaint")
        assert "what was known of them is erased" in (await officer.get(path)).html
    assert await at_once(case, "disclose", kind="bank", to="A", authority="B") == 422


@on_sqlite
async def test_s58_what_is_written_after_they_are_gone_goes_as_well(town: Town) -> None:
    case = await over(town)
    town.clock.advance(timedelta(days=6 * 366))
    await town.app.caretaker.erase_due()
    assert (await case.now())["erased_at"] is not None
    assert await at_once(case, "note", body="Mrs Whitlock rang to thank us.") == 200
    await town.app.caretaker.erase_due()
    assert "Whitlock" not in await kept(town)
    async with await browser_of(town, "lena", Role.TEAM_LEADER) as leader:
        path = f"/incidents/{case.reference}"
        await leader.fill(path, f"{path}/reason", reason="other", words="Jean Whitlock asks.")
    assert "Whitlock" in await kept(town)
    await town.app.caretaker.erase_due()
    assert "Whitlock" not in await kept(town)
    # One that began again has people again, who are kept until its new end is as long ago.
    assert await at_once(case, "reopen", reason="He is back.") == 200
    assert await at_once(case, "amend", victim={"name": "Jean Whitlock"}) == 200
    assert await at_once(case, "cancel", disposition="withdrawn", reason="Not him.") == 200
    await town.app.caretaker.erase_due()
    assert (await case.now())["victim"]["name"] == "Jean Whitlock"
    town.clock.advance(timedelta(days=6 * 366))
    await town.app.caretaker.erase_due()
    assert (await case.now())["erased_at"] is not None
    assert "Whitlock" not in await kept(town)


@on_sqlite
@pytest.mark.parametrize("held", [True, False])
async def test_s58_what_a_partner_told_goes_with_the_case_that_it_was_raised_to(
    town: Town, held: bool
) -> None:
    told = {**long_ago(town.clock.now(), **PEOPLE), "channel": "partner", "import_kind": "notification"}
    assert (await town.reports(**told))["status"] == "information_only"
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        (row,) = await town.rows(NotificationRow)
        await officer.fill("/intelligence", f"/intelligence/{row.id}/raise")
    (item,) = (await town.http.get("/api/v1/incidents")).json()["items"]
    case = Case(town, item["reference"], item["job_number"])
    await case.act("mark_hoax", reason="A wrong number.")
    if held:
        assert await at_once(case, "legal_hold", reason="The police ask for it.") == 200
    # Alone it is kept a year; of a hoax people are gone after six months, of what is held never.
    town.clock.advance(timedelta(days=400 if held else 200))
    await town.app.caretaker.erase_due()
    assert ("Whitlock" in await kept(town)) is held
    (row,) = await town.rows(NotificationRow)
    assert bool(row.report) is held


@on_sqlite
async def test_s58_whatever_was_written_beside_an_action_goes_too(town: Town) -> None:
    case, other = await written_about(town)
    await case.act("legal_hold", on=False, reason=WORDS)
    await case.act("cancel", disposition="withdrawn", reason=WORDS)
    for one in (case, other):
        for kind, task in (await one.tasks()).items():
            match kind:
                case "review_age_targeting":
                    await one.act("review_age_targeting", state="recognised_local", reason=WORDS)
                case "safeguarding":
                    await one.act("decide_safeguarding", decision="not_met", reason=WORDS)
                case _:
                    await one.act("task_done", task=task["id"], reason=WORDS)
    assert leaked(await kept(town))
    town.clock.advance(timedelta(days=6 * 366))
    await town.app.caretaker.erase_due()
    for one in (case, other):
        assert (await one.now())["erased_at"] is not None
    assert leaked(await kept(town)) == []


@on_sqlite
async def test_s58_how_an_alarm_ended_is_told_in_words_that_go_too(town: Town) -> None:
    await over(town)
    zone = town.app.desk.zone
    await town.app.database.run(lambda tx: raise_alarm(tx, service_now(tx, zone), "asha", "page"))
    (alarm,) = await town.rows(AlarmRow)
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        page = f"/alarms/{alarm.id}"
        await officer.fill(page, f"{page}/end", reason="Mrs Whitlock says that she left.")
    assert "Whitlock says" in await kept(town)
    town.clock.advance(timedelta(days=6 * 366))
    await town.app.caretaker.erase_due()
    assert "Whitlock" not in await kept(town)


@on_sqlite
async def test_s58_of_a_hand_over_that_it_was_made_is_left(town: Town) -> None:
    case = await town.takes(paid_today(**PEOPLE))
    await case.act("transfer", to="Croydon Trading Standards", handed_to="Sam Lee")
    await case.act("transfer_acknowledged", by="Sam Lee", reference="CRO/77")
    town.clock.advance(timedelta(days=6 * 366))
    await town.app.caretaker.erase_due()
    (handed_over,) = (await case.now())["transfers"]
    assert "CRO/77" not in await kept(town)
    path = f"/incidents/{case.reference}"
    async with await browser_of(town, "lena", Role.TEAM_LEADER) as leader:
        await leader.fill(path, f"{path}/reason", reason="complaint")
        assert f"{path}/transfers/" not in (await leader.get(path)).html
        sheet = await leader.get(f"{path}/transfers/{handed_over['id']}")
    assert sheet.status == 200
    assert "its words are erased" in sheet.html
    assert "These are not the words" not in sheet.html


@on_sqlite
async def test_s58_what_social_care_knows_of_is_kept_as_long_where_it_is_joined(town: Town) -> None:
    told = long_ago(town.clock.now(), **PEOPLE)
    case, joined = await town.takes(told), await town.takes(told)
    await joined.act("refer", kind="asc_safeguarding")
    (sent,) = (await joined.now())["referrals"]
    await joined.act("update_referral", referral=sent["id"], state="accepted")
    await joined.act("link", kind="duplicate_of", reference=case.reference)
    await case.act("cancel", disposition="out_of_scope", reason="Social care sees to it.")
    # Out of scope is kept a year; this is of the class that is kept for six.
    town.clock.advance(timedelta(days=400))
    await town.app.caretaker.erase_due()
    assert (await case.now())["reports"][0]["narrative"]
    town.clock.advance(timedelta(days=5 * 366 + 60))
    await town.app.caretaker.erase_due()
    (erased,) = await case.happened("personal_data_erased")
    assert erased["retention_class"] == "safeguarding"


@pytest.mark.parametrize("held", ["the joined one", "the other one"])
async def test_s58_a_hold_keeps_what_was_joined_too(town: Town, held: str) -> None:
    """What was said by the joined one stands with the other one now, and its notes with itself."""
    case, joined = await town.takes(paid_today(**PEOPLE)), await town.takes(paid_today(**PEOPLE))
    await joined.act("note", body="Mrs Whitlock is sure that it was Dan.")
    kept_one = joined if held == "the joined one" else case
    await kept_one.act("legal_hold", reason="The police ask for it.")
    await joined.act("link", kind="duplicate_of", reference=case.reference)
    await case.act("cancel", disposition="withdrawn", reason="She rang off.")
    town.clock.advance(timedelta(days=6 * 366))
    await town.app.caretaker.erase_due()
    for one in (case, joined):
        assert (await one.now())["erased_at"] is None
    assert "sure that it was Dan" in await kept(town)
    async with await browser_of(town, "audrey", Role.AUDITOR) as auditor:
        assert "2 under a legal hold" in (await auditor.get("/retention")).html
    assert await at_once(kept_one, "legal_hold", on=False, reason="It is over.") == 200
    await town.app.caretaker.erase_due()
    for one in (case, joined):
        assert (await one.now())["erased_at"] is not None


async def at_once(case: Case, action: str, **body: object) -> int:
    """Done without letting six years of shifts pass first."""
    answer = await case.town.post(f"/api/v1/incidents/{case.reference}/actions/{action}", body)
    return answer.status_code


@on_sqlite
@pytest.mark.parametrize(
    ("disposition", "months"), [("hoax_or_test", 6), ("out_of_scope", 12), ("withdrawn", 72)]
)
async def test_s58_each_class_has_its_time(town: Town, disposition: str, months: int) -> None:
    case = await town.takes(long_ago(town.clock.now(), **PEOPLE))
    if disposition == "hoax_or_test":
        await case.act("mark_hoax", reason="A wrong number.")
    else:
        await case.act("cancel", disposition=disposition, reason="As she said.")
    town.clock.advance(timedelta(days=months * 30))
    await town.app.caretaker.erase_due()
    assert (await case.now())["erased_at"] is None
    town.clock.advance(timedelta(days=months))
    await town.app.caretaker.erase_due()
    assert (await case.now())["erased_at"] is not None


@on_sqlite
@pytest.mark.parametrize("is_on", [True, False])
async def test_s58_each_night_it_is_erased_where_that_is_switched_on(
    database_url: str, start: datetime, is_on: bool
) -> None:
    async with Town(database_url, start, erase_when_due=is_on) as town:
        case = await town.takes(long_ago(town.clock.now(), **PEOPLE))
        await case.act("mark_hoax", reason="A wrong number.")
        # Due in the coming night, and not before.
        assert await town.app.caretaker.retain() == 0
        town.clock.advance(timedelta(days=200))
        assert await town.app.caretaker.retain() == 1
        assert ((await case.now())["erased_at"] is not None) is is_on
        async with await browser_of(town, "audrey", Role.AUDITOR) as auditor:
            assert ("Nothing is erased" in (await auditor.get("/retention")).html) is not is_on


@on_sqlite
async def test_s58_what_is_still_owed_keeps_it(town: Town) -> None:
    case = await town.takes(paid_today(**PEOPLE, answers={"disability": True}))
    await case.act("cancel", disposition="withdrawn", reason="She rang off.")
    assert "safeguarding" in await case.tasks()
    town.clock.advance(timedelta(days=8 * 365))
    await town.app.caretaker.erase_due()
    assert (await case.now())["victim"]["name"] == "Jean Whitlock"


@pytest.mark.long
async def test_s58_a_council_keeps_by_its_own_schedule(town: Town) -> None:
    schedule = {"incident": "P1Y", "safeguarding": "P3Y", "no_offence": "P1M", "texts": "P7D"}
    await town.load(small_town(retention=schedule))
    case, cared_for = await over(town), await over(town)
    await cared_for.act("refer", kind="asc_safeguarding")
    await cared_for.act("update_referral", referral=await only_referral(cared_for), state="accepted")
    town.clock.advance(timedelta(days=364))
    await town.app.caretaker.erase_due()
    assert (await case.now())["erased_at"] is None
    async with await browser_of(town, "audrey", Role.AUDITOR) as auditor:
        page = (await auditor.get("/retention")).html
        assert "Incident: 1 year" in page
        assert "Adult safeguarding: 3 years" in page
    town.clock.advance(timedelta(days=2))
    await town.app.caretaker.erase_due()
    assert (await case.now())["erased_at"] is not None
    # Referred after its end, it has gone to the longer class.
    assert (await cared_for.now())["erased_at"] is None


async def only_referral(case: Case) -> str:
    (referral,) = (await case.now())["referrals"]
    return str(referral["id"])


@on_sqlite
async def test_s58_the_daily_round_reads_only_what_is_over(town: Town) -> None:
    """Six years of cases lie there each night: an index leads to those whose time has come."""
    now = town.clock.now()

    def plans(connection: Connection) -> list[str]:
        asked: list[tuple[str, Any]] = []
        heard = event.listens_for(connection, "before_cursor_execute")
        heard(lambda _connection, _cursor, sql, values, *_: asked.append((sql, values)))
        retention.due(connection, now)
        ours = [(sql, values) for sql, values in asked if "incidents.retention_class" in sql]
        return [
            str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()) for sql, values in ours
        ]

    found = await town.app.database.look(plans)
    assert len(found) == len(RetentionClass)
    for plan in found:
        assert "ix_incidents_to_erase (retention_class=? AND closed_at<?)" in plan, plan


async def test_s58_the_words_of_texts_go_after_ninety_days(town: Town) -> None:
    case = await town.takes(paid_today(**PEOPLE))
    await case.hears(ASHA, "OK {n}")
    town.clock.advance(timedelta(days=91))
    await town.app.caretaker.erase_due()
    bodies = [row.body for row in await town.rows(InboundMessageRow) if not row.needs_person]
    assert bodies == [""]
    assert (await town.rows(ReportRow))[0].narrative


@pytest.mark.parametrize("held", ["the case", "what it was joined to", None])
async def test_s58_a_hold_keeps_the_words_of_its_texts(town: Town, held: str | None) -> None:
    """Ninety days are for words that nobody asked us to keep."""
    case, other = await town.takes(paid_today(**PEOPLE)), await town.takes(paid_today(**PEOPLE))
    await case.hears(ASHA, "OK {n}")
    if held:
        kept_one = case if held == "the case" else other
        await kept_one.act("legal_hold", reason="The police ask for it.")
    if held == "what it was joined to":
        await case.act("link", kind="duplicate_of", reference=other.reference)
    town.clock.advance(timedelta(days=91))
    await town.app.caretaker.erase_due()
    (accepted,) = [row for row in await town.rows(InboundMessageRow) if row.incident_id]
    assert bool(accepted.body) is bool(held)


# --- scenario 59 ------------------------------------------------------------------------------------------


async def test_s59_all_reports_of_one_vehicle_with_authority_and_no_more(town: Town) -> None:
    cases = [await town.takes(paid_today(**PEOPLE)) for _ in range(2)]
    other = await town.takes(paid_today(**{**PEOPLE, "suspect": {"vehicle_registration": "AB12 CDF"}}))
    async with await browser_of(town, "lea", Role.TEAM_LEADER) as leader:
        page = await leader.get("/disclosures")
        form = page.form("/disclosures")
        assert (await leader.send(form, registration="AB12 CDE", to="PC Lee")).status == 422
        assert (await leader.send(form, registration="ZZ99 ZZZ", to="PC Lee", authority="X")).status == 422
        made = await leader.send(
            form, registration="ab12cde", to="PC Lee", authority="Request 17 of 15 July, DPA 2018 Sch.2"
        )
        sheet = (await leader.get(made.to)).html
    for case in cases:
        assert case.reference in sheet
    assert other.reference not in sheet
    assert "All reports of the vehicle <strong>AB12CDE</strong>" in sheet
    assert "Wednesday 15 July 2026, 12:00pm BST</time> by lea" in sheet
    assert re.search(r"Reported</dt><dd[^>]*>Wednesday 15 July 2026, 12:00pm BST</dd>", sheet)
    for words in ("Whitlock", "Larkspur", "Priya", "900457", "gutters"):
        assert words not in sheet, words
    async with await browser_of(town, "alf", Role.TEAM_LEADER) as leader:
        log = (await leader.get(f"/access?reference={cases[1].reference}")).html
        assert "A sheet for a partner" in log
    (row,) = await town.rows(DisclosureRow)
    assert (row.to_name, row.authority) == ("PC Lee", "Request 17 of 15 July, DPA 2018 Sch.2")
    # What it shows of a case is kept no longer than the case; what it was made for, as long as one of them.
    await cases[0].act("mark_hoax", reason="A wrong number.")
    await cases[1].act("cancel", disposition="withdrawn", reason="She rang off.")
    town.clock.advance(timedelta(days=200))
    assert await town.app.caretaker.erase_due() >= 1
    async with await browser_of(town, "lou", Role.TEAM_LEADER) as leader:
        sheet = (await leader.get(made.to)).html
        assert cases[0].reference not in sheet
        assert cases[1].reference in sheet
        assert "Request 17" in sheet
        assert "of cases whose time is over is erased" in sheet
        assert "These are not the words that were shown" not in sheet
    town.clock.advance(timedelta(days=6 * 366))
    await town.app.caretaker.erase_due()
    async with await browser_of(town, "lyn", Role.TEAM_LEADER) as leader:
        assert "its words are erased" in (await leader.get(made.to)).html
        assert "Request 17" not in (await leader.get("/disclosures")).html
    (row,) = await town.rows(DisclosureRow)
    assert (row.document, row.to_name, row.authority) == ("", "", "")
    # A duty officer makes sheets of her cases, not of all of them.
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        assert (await officer.get("/disclosures")).status == 403
