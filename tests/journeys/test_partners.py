"""Partners: the bank's call, a late e-mail, a notification, a hoax, a Deaf caller; what each is shown,
and the safeguarding decision that no closing loses.

Scenarios 11, 12, 13, 17, 19 and 52; 59 as far as it is about one case.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rapid_response.audit.sheet import read_sheet
from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import DisclosureRow, NotificationRow
from tests.builders import long_ago, paid_today, roofers_now, scam_paid
from tests.harness import ASHA, DEE, Case, Town
from tests.journeys.browser import Browser, browser_of, on_sqlite

LONDON = ZoneInfo("Europe/London")
AT_RISK = {"cognitive_impairment": True}


async def attended(town: Town, **more: Any) -> Case:
    """Somebody is with the victim: only the end is left."""
    case = await town.takes(paid_today(**more))
    await case.hears(ASHA, "OK {n}")
    await case.hears(ASHA, "HERE {n}")
    return case


async def page_of(browser: Browser, case: Case) -> str:
    return (await browser.get(f"/incidents/{case.reference}")).html


# --- scenario 11 ------------------------------------------------------------------------------------------


async def test_s11_a_bank_branch_rings_under_the_banking_protocol(town: Town) -> None:
    branch = {"address": "Anybank, 5 Market Square", "postcode": "BR1 1AA", "ward": "Bromley Town"}
    answer = await town.reports(
        **scam_paid(
            caller={"name": "Kim Branch", "phone": "+447700900456", "role": "bank"},
            referral_source="bank_banking_protocol",
            location=branch,
            answers={"payment_pending": True, "suspect_on_premises": False},
        )
    )
    # The caller hears of the police, and that we ring back on a number we know.
    said = " ".join(answer["say"])
    for words in ("Banking Protocol", "999", "ring you back", "published number"):
        assert words in said
    case = Case(town, answer["reference"], (await town.incident(answer["reference"]))["job_number"])
    now = await case.now()
    assert now["referral_source"] == "bank_banking_protocol"
    assert now["location"] == branch
    tasks = await case.tasks()
    assert (tasks["tell_police"]["owner"], tasks["verify_caller"]["owner"]) == ("duty_officer", "desk")
    soon = (town.clock.now() + timedelta(minutes=15)).isoformat()
    assert max(tasks["tell_police"]["due_at"], tasks["verify_caller"]["due_at"]) <= soon
    # Nobody waits for either: the clock runs, somebody is asked, and the branch is where she goes.
    assert now["clock"]["state"] == "running"
    await case.hears(ASHA, "OK {n}")
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        assert "5 Market Square" in (await asha.get(f"/j/{case.number}")).html
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        html = await page_of(handler, case)
        assert "Ring the branch back on its published number" in html
        assert "Bank branch, under the Banking Protocol" in html
    # Not done in time, the duty officer hears of it.
    await town.pass_time(minutes=16)
    assert await town.texts_with("overdue", DEE)


# --- scenario 12 ------------------------------------------------------------------------------------------


async def test_s12_an_e_mail_read_late_counts_from_its_arrival(town: Town) -> None:
    arrived = town.clock.now() - timedelta(minutes=145)
    case = await town.takes(
        paid_today(
            channel="email",
            received_at=arrived.isoformat(),
            caller={"name": "Ana Hall", "role": "adult_social_care"},
            referral_source="adult_social_care",
        )
    )
    now = await case.now()
    assert now["clock"]["started_at"] == arrived.isoformat()
    assert now["clock"]["state"] == "breached"
    (report,) = now["reports"]
    assert (report["received_at"], report["recorded_at"]) == (
        arrived.isoformat(),
        town.clock.now().isoformat(),
    )
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        assert "read only at" in await page_of(handler, case)
    # Our own lateness hides nothing, and keeps nobody waiting longer.
    assert await case.asked()
    assert (await town.board("2026-07"))["two_hours"]["breached"] == 1


# --- scenario 13 ------------------------------------------------------------------------------------------


def told(town: Town, **more: Any) -> dict[str, Any]:
    """What the Citizens Advice consumer service tells us for information."""
    return long_ago(
        town.clock.now(),
        channel="partner",
        import_kind="notification",
        referral_source="citizens_advice",
        external_reference="CA-4471",
        **more,
    )


async def test_s13_a_notification_is_intelligence_and_no_incident(town: Town) -> None:
    answer = await town.reports(**told(town))
    assert (answer["status"], answer["import_kind"]) == ("information_only", "notification")
    assert answer["clock"]["state"] == "not_applicable"
    assert await town.count_incidents() == 0
    assert await town.texts_with("") == []
    board = await town.board("2026-07")
    assert (board["contacts"]["total"], board["incidents"]["total"]) == (1, 0)
    assert board["reconciliation"]["information_only"] == 1
    assert await town.metric("contacts_total", channel="partner") == 1
    # The same key gives the same answer, and keeps it once.
    body, key = told(town), {"Idempotency-Key": "import 4471"}
    first, again = [await town.post("/api/v1/reports", body, headers=key) for _ in range(2)]
    assert first.json() == again.json()
    assert len(await town.rows(NotificationRow)) == 2


async def test_s13_a_person_files_it_or_makes_it_an_incident(town: Town) -> None:
    for _ in range(2):
        await town.reports(**told(town))
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        page = await officer.get("/intelligence")
        assert page.html.count("sold my mother a mattress") == 2
        one, other = (
            action.rpartition("/")[0] for action in sorted(page.actions) if action.endswith("/file")
        )
        filed = await officer.send(page.form(f"{one}/file"))
        assert "filed as intelligence" in (await officer.get(filed.to)).html
        raised = await officer.send(page.form(f"{other}/raise"))
        assert raised.to.startswith("/incidents/")
        # Twice is once.
        assert (await officer.send(page.form(f"{other}/raise"))).status == 400
        assert "Everything was looked at" in (await officer.get("/intelligence")).html
    assert await town.count_incidents() == 1
    board = await town.board("2026-07")
    assert board["contacts"]["total"] == 2
    assert board["reconciliation"]["information_only"] == 1
    assert board["reconciliation"]["became_incidents"] == 1
    assert await town.metric("contacts_total", channel="partner") == 2


async def test_s13_a_notification_of_danger_is_taken_in_all_the_same(town: Town) -> None:
    answer = await town.reports(**roofers_now(channel="partner", import_kind="notification"))
    assert answer["priority"] == "P0"
    assert answer["clock"]["state"] == "running"
    assert await town.rows(NotificationRow) == []


# --- scenario 17 ------------------------------------------------------------------------------------------


@on_sqlite
async def test_s17_who_called_a_joined_report_a_hoax_says_so_anew_where_it_is_taken_apart(town: Town) -> None:
    case, other = await town.takes(roofers_now()), await town.takes(roofers_now())
    await case.act("mark_hoax", reason="Abuse.", second_person="Lena Fox")
    await case.act("link", kind="duplicate_of", reference=other.reference)
    assert (await case.now())["hoax_marked_by"] is None
    await case.act("reopen", reason="Another house.")
    # One word alone ends it no more than it would have ended a new one.
    await case.act("mark_hoax", reason="Yes.", second_person="Sam Lee")
    assert (await case.now())["hoax_marked_by"] == "Sam Lee"
    assert "confirm_hoax" in await case.tasks()


@pytest.mark.long
async def test_s17_a_hoax_that_told_of_danger_needs_a_second_person(town: Town) -> None:
    case = await town.takes(roofers_now())
    path = f"/incidents/{case.reference}"
    action = f"{path}/actions/mark_hoax"
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        done = await handler.fill(path, action, reason="They laughed, and swore at me.")
        assert done.status == 303
        # It goes on as any other until somebody else has looked.
        now = await case.now()
        assert (now["status"], now["clock"]["state"]) == ("dispatching", "running")
        assert (await case.tasks())["confirm_hoax"]["owner"] == "duty_officer"
        page = await handler.get(path)
        assert "Somebody else has to agree" in page.html
        again = await handler.send(page.form(action), reason="I am sure.")
        assert again.status == 422
        assert (await case.now())["status"] == "dispatching"
    # Neither closing nor cancelling is a way round it.
    assert (await case.try_to("cancel", disposition="hoax_or_test", reason="Prank.")).status_code == 422
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        await officer.fill(path, action, reason="I rang back: children.")
    now = await case.now()
    assert (now["status"], now["disposition"]) == ("cancelled", "hoax_or_test")
    marked = await case.happened("hoax_marked")
    assert [m["confirmed"] for m in marked] == [False, True]
    assert (await town.board("2026-07"))["reconciliation"]["spam_or_test"] == 1


async def test_s17_whoever_looks_may_disagree(town: Town) -> None:
    case = await town.takes(roofers_now())
    await case.act("mark_hoax", reason="Abuse.", second_person="Lena Fox")
    task = (await case.tasks())["confirm_hoax"]["id"]
    await case.act("task_done", task=task, note="A neighbour tells of them, too.")
    assert (await case.now())["hoax_marked_by"] is None
    # A system names the second person; the same name twice is one person.
    await case.act("mark_hoax", reason="Abuse.", second_person="Lena Fox")
    assert (await case.try_to("mark_hoax", reason="Yes.", second_person="Lena Fox")).status_code == 422
    over = await case.act("mark_hoax", reason="Yes.", second_person="Sam Lee")
    assert over["status"] == "cancelled"


@on_sqlite
async def test_s17_where_nobody_was_in_danger_one_person_is_enough(town: Town) -> None:
    case = await town.takes(long_ago(town.clock.now()))
    over = await case.act("mark_hoax", reason="A wrong number.")
    assert (over["status"], over["disposition"]) == ("cancelled", "hoax_or_test")


# --- scenario 18 has its own file; scenario 19 --------------------------------------------------------------


async def test_s19_a_deaf_caller_by_relay_is_not_told_to_ring(town: Town) -> None:
    answer = await town.reports(
        **scam_paid(
            caller={"name": "Rae", "phone": "+447700900456", "role": "self", "route": "relay_uk"},
            answers={"communication_need": True},
        )
    )
    said = " ".join(answer["say"])
    # Every number in the advice can be reached without speaking or hearing.
    for words in ("18000", "18001 159", "text 999", "the same way"):
        assert words in said
    case = Case(town, answer["reference"], (await town.incident(answer["reference"]))["job_number"])
    now = await case.now()
    assert now["facts"]["communication_need"] is True
    assert now["reports"][0]["caller"]["route"] == "relay_uk"
    await case.hears(ASHA, "OK {n}")
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        assert "Relay UK: dial 18001 first" in (await asha.get(f"/j/{case.number}")).html
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        assert "Relay UK: dial 18001 first" in await page_of(handler, case)
        sent = await handler.fill(
            "/console",
            "/console",
            **{"narrative": "Somebody rang her by relay.", "caller.route": "relay_uk"},
        )
        assert "18000" in sent.html


# --- scenario 52 ------------------------------------------------------------------------------------------


async def test_s52_an_adult_at_risk_is_decided_on_before_it_is_closed(town: Town) -> None:
    case = await attended(town, answers=AT_RISK)
    assert (await case.now())["safeguarding"]["indicated_by"] == ["cognitive_impairment"]
    refused = await case.try_to("close", disposition="declined_by_victim")
    assert refused.status_code == 422
    for words in ("safeguarding", "s.42", "decide_safeguarding"):
        assert words in refused.text
    assert await case.status() == "on_scene"
    # Not to tell social care is a decision with a reason.
    silent = await case.try_to(
        "close", disposition="declined_by_victim", safeguarding="declined_with_capacity"
    )
    assert silent.status_code == 422
    over = await case.act(
        "close",
        disposition="declined_by_victim",
        safeguarding="declined_with_capacity",
        safeguarding_reason="Her daughter sees to her money; she understood the risk.",
    )
    assert over["status"] == "closed"
    assert over["safeguarding"]["decision"] == "declined_with_capacity"
    (decided,) = await case.happened("safeguarding_decided")
    assert (decided["because"], decided["reason_given"]) == (["cognitive_impairment"], True)
    assert "daughter" not in str(decided)


async def test_s52_the_page_asks_and_refers(town: Town) -> None:
    case = await attended(town, answers=AT_RISK)
    path = f"/incidents/{case.reference}"
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        page = await officer.get(path)
        assert "To be decided before it is closed" in page.html
        refused = await officer.send(page.form(f"{path}/actions/close"), disposition="resolved_attended")
        assert refused.status == 422
        assert "decide about adult safeguarding first" in refused.html
        done = await officer.send(page.form(f"{path}/actions/decide_safeguarding"), decision="referred")
        assert done.status == 303
        closed = await officer.fill(path, f"{path}/actions/close", disposition="resolved_attended")
        assert closed.status == 303
    now = await case.now()
    assert [(r["kind"], r["state"]) for r in now["referrals"]] == [("asc_safeguarding", "sent")]
    # It is followed until they answer, although the case is over.
    assert "chase_referral" in await case.tasks()


async def test_s52_a_text_that_closes_leaves_the_decision_to_a_person(town: Town) -> None:
    case = await attended(town, answers=AT_RISK)
    await case.hears(ASHA, "DONE {n} DECLINED")
    assert await case.status() == "closed"
    task = (await case.tasks())["safeguarding"]
    assert task["owner"] == "duty_officer"
    assert task["due_at"]
    # It is not ticked off: it is decided.
    assert (await case.try_to("task_done", task=task["id"])).status_code == 422
    await case.act("decide_safeguarding", decision="referred", reference="ASC/9")
    assert "safeguarding" not in await case.tasks()
    assert (await case.now())["referrals"][0]["reference"] == "ASC/9"


async def test_s52_on_the_responders_own_page(town: Town) -> None:
    case = await attended(town, victim={"name": "Jean", "vulnerabilities": ["sees badly"]})
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        page = await asha.get(f"/j/{case.number}")
        form = page.form(f"/j/{case.number}/done")
        refused = await asha.send(form, code="HELPED")
        assert refused.status == 422
        assert "decide about adult safeguarding first" in refused.html
        done = await asha.send(
            refused.form(f"/j/{case.number}/done"),
            code="HELPED",
            safeguarding="not_met",
            safeguarding_reason="Manages well.",
        )
        assert done.status == 303
    assert (await case.now())["safeguarding"]["decision"] == "not_met"


@on_sqlite
@pytest.mark.parametrize("disposition", ["withdrawn", "no_offence_consumer_dispute"])
async def test_s52_cancelling_loses_nothing_either(town: Town, disposition: str) -> None:
    case = await town.takes(paid_today(answers=AT_RISK))
    await case.act("cancel", disposition=disposition, reason="She rang off.")
    assert "safeguarding" in await case.tasks()
    # Opened again it is decided at its new end, whatever was decided before.
    await case.act("decide_safeguarding", decision="not_met", reason="A mistake in the name.")
    await case.act("reopen", reason="He is back.")
    assert (await case.now())["safeguarding"]["decision"] is None


@on_sqlite
async def test_age_alone_asks_for_no_decision(town: Town) -> None:
    case = await attended(town, victim={"age": 91}, answers={"lives_alone": True})
    assert (await case.act("close", disposition="resolved_attended"))["status"] == "closed"


@on_sqlite
async def test_what_is_known_only_afterwards_is_decided_too(town: Town) -> None:
    case = await attended(town)
    await case.act("close", disposition="resolved_attended")
    await case.act("amend", answers=AT_RISK)
    assert "safeguarding" in await case.tasks()


# --- sheets for partners ----------------------------------------------------------------------------------

PEOPLE = {
    "caller": {"name": "Priya Neighbour", "phone": "+447700900456"},
    "victim": {"name": "Jean Whitlock", "phone": "+447700900457", "age": 84, "vulnerabilities": ["dementia"]},
    "location": {"address": "14 Larkspur Way", "postcode": "BR1 3UH", "ward": "Bromley Town"},
    "suspect": {"name": "Dan Roofer", "vehicle_registration": "AB12 CDE"},
}


async def test_each_partner_is_shown_the_least_that_it_needs(town: Town) -> None:
    case = await town.takes(scam_paid(**PEOPLE, answers={"cognitive_impairment": True}))
    made = {}
    for kind in ("bank", "asc_safeguarding", "trading_standards"):
        done = await case.act("disclose", kind=kind, to=f"{kind} desk", authority="Care Act s.42")
        made[kind] = done["disclosures"][-1]
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        html = {
            kind: (await officer.get(f"/incidents/{case.reference}/disclosures/{sheet['id']}")).html
            for kind, sheet in made.items()
        }
        assert "bank desk" in await page_of(officer, case)
    for words, shown_to in {
        "Jean Whitlock": {"bank", "asc_safeguarding"},
        "14 Larkspur Way": {"asc_safeguarding"},
        "dementia": {"asc_safeguarding"},
        "Dan Roofer": {"trading_standards"},
        "Priya Neighbour": set(),
    }.items():
        assert {kind for kind, page in html.items() if words in page} == shown_to, words
    # The log says which parts, to which kind of partner, by whom: never the words.
    first = (await case.happened("disclosure_made"))[0]
    assert (first["kind"], first["digest"]) == ("bank", made["bank"]["digest"])
    assert "victim.name" in first["fields"]
    assert "Whitlock" not in str(first)
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        sheet = await handler.get(f"/incidents/{case.reference}/disclosures/{made['bank']['id']}")
        assert sheet.status == 403


@on_sqlite
async def test_a_sheet_without_authority_is_not_made(town: Town) -> None:
    case = await town.takes(paid_today())
    assert (await case.try_to("disclose", kind="bank", to="Anybank")).status_code == 422
    assert await town.rows(DisclosureRow) == []


async def told_of_twice(town: Town, **first: Any) -> Case:
    """A case whose people another one tells more of: he answers her phone there."""
    case = await town.takes(paid_today(**PEOPLE, **first))
    await town.pass_time(minutes=1)
    note = "Her son takes the money, and answers her phone."
    await town.takes(paid_today(**PEOPLE, safe_contact={"sms": True, "note": note}))
    assert (await case.now())["safe_contact"]["voice"] is False
    return case


@on_sqlite
@pytest.mark.parametrize("said", [{"voice": True, "sms": True}, {"voicemail": False}, None])
async def test_whoever_is_given_her_number_is_told_by_which_ways_it_is_safe(
    town: Town, said: dict[str, bool] | None
) -> None:
    """By a partner's sheet, that of a hand-over and the printed one, as on the page of the case."""
    case = await told_of_twice(town, **({"safe_contact": said} if said is not None else {}))
    path = f"/incidents/{case.reference}"
    sheet = (await case.act("disclose", kind="victim_support", to="VS", authority="Consent"))["disclosures"][
        0
    ]
    sent = (await case.act("transfer", to="Croydon", reason="She moved there."))["transfers"][0]
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        shown = (await officer.get(f"{path}/disclosures/{sheet['id']}")).html
        given = (await officer.get(f"{path}/transfers/{sent['id']}")).html
    assert PEOPLE["victim"]["phone"] in shown  # type: ignore[index]  # the victim's own
    assert "Safe to ring: no" in shown
    assert "answers her phone" in shown
    assert given.count("Safe to ring") == 1
    assert safe_to_ring(given) == "No"
    printed = await town.app.database.look(
        lambda c: read_sheet(c, town.clock.now(), LONDON, "SERIAL", with_addresses=True)
    )
    (line,) = (line for line in printed.lines if line.reference == case.reference)
    assert "voice" not in line.contact
    assert "answers her phone" in line.contact


def safe_to_ring(page: str) -> str:
    """What a sheet says beside it."""
    return re.split(r"<[^>]+>\s*", page.partition("Safe to ring")[2].strip())[2].strip()
