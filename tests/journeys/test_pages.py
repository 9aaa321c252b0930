"""The main job through its pages: a resident's form, the desk, the responder's phone, the end."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from rapid_response.console import board_pages
from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import AccessRow, IncidentRow, NoteRow
from tests.builders import kettle, paid_today, roofers_now, scam_paid
from tests.harness import ASHA, BEN, DEE, Town
from tests.journeys.browser import Browser, Shown, browser_of, on_sqlite

HOSTILE = """<script>alert('x')</script>"' onmouseover="alert(1)" {{ 7*7 }} <img src=x onerror=alert(1)>"""


def reference_on(page: Shown) -> str:
    found = re.search(r"RR-[0-9A-Z]{7}", page.html)
    assert found, page.html
    return found[0]


async def seen_by(town: Town, reference: str) -> list[str]:
    """What the access log says of a case, oldest first."""
    query = (
        select(col(AccessRow.what))
        .join(IncidentRow, col(IncidentRow.id) == col(AccessRow.incident_id))
        .where(col(IncidentRow.reference) == reference)
        .order_by(col(AccessRow.id))
    )
    return await town.app.database.look(lambda c: list(c.execute(query).scalars()))


async def count(town: Town, row: type) -> int:
    found: int = await town.app.database.look(
        lambda c: c.execute(select(func.count()).select_from(row)).scalar_one()
    )
    return found


# --- the public form --------------------------------------------------------------------------------------


async def test_a_resident_reports_and_somebody_is_asked(town: Town) -> None:
    async with Browser(town) as resident:
        assert (await resident.get("/")).to == "/report"
        assert (await resident.get("/report?asked=1")).status == 200
        assert "Choose the answer that fits best" in (await resident.get("/report?asked=1")).html
        form = (await resident.get("/report?now=1")).form("/report")
        await town.pass_time(minutes=1)
        sent = await resident.send(
            form,
            narrative="Two men are on my mother's roof and want 3000 pounds.",
            **{"location.address": "14 Larkspur Way", "location.postcode": "br1 3uh", "safe": "voice"},
        )
    assert sent.status == 200
    assert "We have your report" in sent.html
    assert "Ring 999 now" in sent.html
    assert "We may ring you" in sent.html
    assert "Our officers show a photo card" in sent.html
    assert "choose a password" not in sent.html
    await town.settle()
    incident = await town.incident(reference_on(sent))
    assert incident["facts"]["suspect_on_premises"] is True
    assert incident["reports"][0]["channel"] == "web"
    assert incident["safe_contact"]["voice"] is True
    assert f"OK {incident['job_number']}" in (await town.texts(ASHA))[-1]


async def test_s08_a_double_click_is_one_report_and_a_correction_another(town: Town) -> None:
    async with Browser(town) as resident:
        form = (await resident.get("/report?now=5")).form("/report")
        first = await resident.send(form, narrative="A man sold my mother a mattress.")
        again = await resident.send(form, narrative="A man sold my mother a mattress.")
        changed = await resident.send(form, narrative="Two men sold my mother a mattress.")
    assert reference_on(first) == reference_on(again)
    assert reference_on(changed) != reference_on(first)
    assert await count(town, IncidentRow) == 2


@on_sqlite
async def test_a_report_with_faults_keeps_what_was_written(town: Town) -> None:
    async with Browser(town) as resident:
        form = (await resident.get("/report?now=6")).form("/report")
        refused = await resident.send(form, narrative="", **{"caller.phone": "12", "caller.name": "Jean"})
        assert refused.status == 422
        assert "Error: Report to the council" in refused.html
        corrected = refused.form("/report")
        assert corrected.fields["caller.name"] == ["Jean"]
        sent = await resident.send(corrected, narrative="Somebody rang.", **{"caller.phone": "07700 900145"})
    assert sent.status == 200
    assert await count(town, IncidentRow) == 1


LONG = "x" * 6000


@on_sqlite
async def test_a_fault_names_its_field_as_the_page_does(town: Town) -> None:
    case = await town.takes(paid_today())
    page = f"/incidents/{case.reference}"
    await case.act("assign", responder="ben")
    await case.act("remote_response", protective_act="bank_told")
    handled = {
        **{"location.address": LONG, "suspect.vehicle_registration": LONG, "safe_contact.note": LONG},
        **{"caller.phone": "12", "suspect.phone": "12", "caller.name": LONG},
        **{"answers.paid_at": "soonish", "received_at": "soonish"},
    }
    told = {"location.postcode": LONG, "caller.name": LONG, "victim.name": LONG, "caller.phone": "12"}
    corrected = {"victim.name": LONG, "suspect.website": LONG, "victim.phone": "12", "reason": LONG}
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        forms = [
            ("/console", "/console", handled),
            ("/report?now=5", "/report", told),
            (page, f"{page}/actions/amend", corrected),
            (page, f"{page}/actions/close", {"safeguarding_reason": LONG, "note": LONG}),
        ]
        for path, action, wrong in forms:
            refused = await officer.fill(path, action, **wrong)
            assert refused.status == 422, action
            named = _named_in_the_summary(refused)
            assert len(named) == len(wrong), (action, named)
            labels = re.findall(r"<label[^>]*>\s*([^<]*?)\s*</label>", unescape(refused.html))
            assert set(named) <= set(labels), (action, set(named) - set(labels))


def _named_in_the_summary(page: Shown) -> list[str]:
    """The fields that the list of faults at the top of a page names."""
    summary = page.html.partition('class="govuk-error-summary"')[2].partition("</ul>")[0]
    return re.findall("“([^”]+)”: (?:make this|check the phone number|write a time)", unescape(summary))


@on_sqlite
async def test_a_resident_who_is_asked_what_postcode_was_meant_can_answer(town: Town) -> None:
    async with Browser(town) as resident:
        form = (await resident.get("/report?now=5")).form("/report")
        sent = await resident.send(form, narrative="He wants £900 today.", **{"location.postcode": "BRI 3UH"})
    assert "Did you mean BR1 3UH? If so, ring us and say so." in unescape(sent.html)


@on_sqlite
async def test_what_a_machine_sends_is_taken_and_marked(town: Town) -> None:
    async with Browser(town) as robot:
        form = (await robot.get("/report?now=5")).form("/report")
        await town.pass_time(minutes=1)
        sent = await robot.send(form, narrative="Buy cheap watches.", website="http://spam.example")
    assert sent.status == 200
    assert await count(town, NoteRow) == 1


@on_sqlite
async def test_a_report_from_a_page_left_open_too_long_is_shown_again(town: Town) -> None:
    async with Browser(town) as resident:
        form = (await resident.get("/report?now=5")).form("/report")
        town.clock.advance(timedelta(hours=25))
        late = await resident.send(form, narrative="A man sold my mother a mattress.")
        assert late.status == 422
        assert "open for too long" in late.html
        sent = await resident.send(late.form("/report"))
    assert sent.status == 200
    assert await count(town, IncidentRow) == 1


@on_sqlite
async def test_a_report_from_a_browser_that_keeps_no_cookies_is_taken(town: Town) -> None:
    """No token can hold there: the form came back for ever, as if the page had been open for too long."""
    async with Browser(town) as resident:
        form = (await resident.get("/report?now=5")).form("/report")
        resident.http.cookies.clear()
        for marks in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):
            assert (await resident.send(form, marks, narrative="Hello")).status == 403
        unsaid = await resident.send(form, {}, narrative="A man sold my mother a mattress.")
        assert (unsaid.status, "A man sold my mother" in unsaid.html) == (422, True)
        resident.http.cookies.clear()
        sent = await resident.send(form, narrative="A man sold my mother a mattress.")
        assert sent.status == 200
        resident.http.cookies.clear()
        assert (
            "We have your report"
            in (await resident.send(form, narrative="A man sold my mother a mattress.")).html
        )
    assert await count(town, IncidentRow) == 1


@on_sqlite
async def test_a_form_from_another_site_does_nothing(town: Town) -> None:
    async with Browser(town) as resident:
        form = (await resident.get("/report?now=5")).form("/report")
        for marks in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
            assert (await resident.send(form, marks, narrative="Hello")).status == 403
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        form = (await handler.get("/console")).form("/console")
        form.fields["csrf_token"] = ["guessed"]
        again = await handler.send(form, narrative="A man is at the door.")
        assert again.status == 422
        assert "A man is at the door." in unescape(again.html)
        assert (await handler.send(form, {"sec-fetch-site": "cross-site"}, narrative="x")).status == 403
    assert await count(town, IncidentRow) == 0


@on_sqlite
@pytest.mark.parametrize("size", [20_001, 300_000])
async def test_too_long_a_story_is_refused_in_words(town: Town, size: int) -> None:
    async with Browser(town) as resident:
        form = (await resident.get("/report?now=5")).form("/report")
        page = await resident.send(form, narrative="x" * size)
    assert page.status == (422 if size == 20_001 else 413)
    assert page.answer.headers["content-type"].startswith("text/html")


# --- the handler and the board ----------------------------------------------------------------------------


async def test_s01_a_call_is_taken_and_999_comes_first(town: Town) -> None:
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        form = (await handler.get("/console")).form("/console")
        sent = await handler.send(
            form,
            narrative="Two men are on her roof now, they want 3000 pounds cash.",
            **{
                "answers.suspect_on_premises": "yes",
                "answers.demands_money_now": "yes",
                "location.ward": "Bromley Town",
                "location.postcode": "BR1 3UH",
            },
        )
        again = await handler.send(form, narrative="")
        reference = reference_on(sent)
        board = await handler.get("/board")
    assert sent.status == 200
    assert "999 first" in sent.html
    assert "Please ring 999 now" in sent.html
    assert again.status == 422
    assert reference in board.html
    assert "BR1 3UH" not in board.html
    assert '<dd class="rr-count__number">1</dd>' in board.html
    assert (await town.incident(reference))["reports"][0]["channel"] == "phone"
    assert (await seen_by(town, reference))[0] == "page_sent"


async def test_the_board_is_narrowed_by_its_address(town: Town) -> None:
    one = (await town.reports(**roofers_now()))["reference"]
    since = (town.clock.now() - timedelta(hours=3)).isoformat()
    other = (await town.reports(**paid_today(received_at=since)))["reference"]
    await town.act(other, "assign", responder="ben")
    async with await browser_of(town, "dee", Role.DUTY_OFFICER, "dee") as officer:
        assert {one, other} <= set(re.findall(r"RR-[0-9A-Z]{7}", (await officer.get("/board")).html))
        assigned = await officer.get("/board?status=assigned&live=0")
        assert other in assigned.html
        assert one not in assigned.html
        assert "data-rr-live" not in assigned.html
        overdue = await officer.get("/board?overdue=1")
        assert other in overdue.html
        assert one not in overdue.html


@on_sqlite
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("status=nonsense", ["Status: what the address asks for cannot be chosen here"]),
        ("status=closed", ["Status: what the address asks for cannot be chosen here"]),
        ("category=scams&ward=<script>", ["Category: what", "Ward: what"]),
        ("overdue=yes", ["Overdue: what"]),
        ("status=assigned&status=unassigned", ["Status: choose one at a time"]),
        ("wards=Hayes", ["something that is no filter of this list"]),
    ],
)
async def test_a_filter_that_narrows_nothing_is_said(town: Town, query: str, words: list[str]) -> None:
    one = (await town.reports(**roofers_now()))["reference"]
    async with await browser_of(town, "dee", Role.DUTY_OFFICER, "dee") as officer:
        whole = await officer.get("/board?status=&category=&ward=&overdue=0&live=1")
        assert "There is a problem" not in whole.html
        odd = await officer.get(f"/board?{query}")
        assert "There is a problem" in odd.html
        assert "<title>" in odd.html
        assert "Error: " in odd.html
        assert [said for said in words if said not in odd.html] == []
        assert one in odd.html
        assert "<script>" not in odd.html.partition("<main")[2].partition("</main>")[0]


@on_sqlite
async def test_the_reviews_say_so_too(town: Town) -> None:
    async with await browser_of(town, "lee", Role.HATE_CRIME_LEAD) as lead:
        assert "There is a problem" not in (await lead.get("/reviews?case=ended&overdue=1")).html
        odd = (await lead.get("/reviews?case=open,ended&state=potential")).html
    assert "Open or ended: what the address asks for cannot be chosen here" in odd
    assert "something that is no filter of this list" in odd


async def test_a_board_too_small_for_all_leaves_out_the_least_pressing_and_says_so(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    courier = (await town.reports(**roofers_now()))["reference"]
    await town.pass_time(minutes=1)
    there = (await town.reports(**paid_today()))["reference"]
    await town.act(there, "assign", responder="ben")
    await town.act(there, "on_scene", responder="ben")
    for _ in range(3):
        await town.pass_time(minutes=1)
        await town.reports(**kettle())
    monkeypatch.setattr(board_pages, "_MOST_ROWS", 2)
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        shown = (await officer.get("/board")).html
        assert set(re.findall(r"RR-[0-9A-Z]{7}", shown)) == {courier, there}
        assert "3 more, less pressing than these: use the filters to see them" in shown
        narrowed = (await officer.get("/board?status=on_scene")).html
        assert "more, less pressing" not in narrowed


# --- one incident -----------------------------------------------------------------------------------------


@pytest.mark.long
async def test_the_desk_acts_and_every_look_is_kept(town: Town) -> None:
    reference = (await town.reports(**roofers_now()))["reference"]
    page = f"/incidents/{reference}"
    async with await browser_of(town, "dee", Role.DUTY_OFFICER, "dee") as officer:
        done = await officer.fill(page, f"{page}/actions/assign", responder="ben")
        assert (done.status, done.to) == (303, f"{page}?done=assign")
        assert "Assigned to Ben Osei" in (await officer.get(done.to)).html
        # A clock that counts is not closed over.
        assert f"{page}/actions/close" not in (await officer.get(page)).actions
        empty = await officer.fill(page, f"{page}/actions/note", note="")
        assert empty.status == 422
        assert "Write the note" in empty.html
    assert (await town.incident(reference))["responder"] == "ben"
    assert set(await seen_by(town, reference)) == {"page", "api"}


async def test_an_action_clicked_twice_is_done_once(town: Town) -> None:
    reference = (await town.reports(**roofers_now()))["reference"]
    page = f"/incidents/{reference}"
    async with await browser_of(town, "dee", Role.DUTY_OFFICER, "dee") as officer:
        form = (await officer.get(page)).form(f"{page}/actions/note")
        for _ in range(2):
            assert (await officer.send(form, note="Police told.")).status == 303
        assert (await officer.send(form, note="CAD 4471.")).status == 303
    assert await count(town, NoteRow) == 2


@on_sqlite
async def test_what_the_state_no_longer_allows_says_what_it_does(town: Town) -> None:
    reference = (await town.reports(**roofers_now()))["reference"]
    page = f"/incidents/{reference}"
    async with await browser_of(town, "dee", Role.DUTY_OFFICER, "dee") as officer:
        form = (await officer.get(page)).form(f"{page}/actions/assign")
        await town.act(reference, "cancel", reason="withdrawn")
        late = await officer.send(form, responder="ben")
        assert late.status == 409
        assert "cannot be done now" in unescape(late.html)
        assert f"{page}/actions/reopen" in late.actions
        assert f"{page}/actions/assign" not in late.actions
        assert (await officer.send(form.to(f"{page}/actions/dance"))).status == 404
        assert (await officer.get("/incidents/RR-0000000")).status == 404


@pytest.mark.long
async def test_s25_a_handler_raises_and_only_a_duty_officer_lowers(town: Town) -> None:
    reference = (await town.reports(**paid_today()))["reference"]
    page = f"/incidents/{reference}"
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        actions = (await handler.get(page)).actions
        assert f"{page}/actions/assign" not in actions
        html = (await handler.get(page)).html
        offered = html[html.index('id="set_priority-priority"') :].split("</select>")[0]
        assert re.findall(r'value="(P\d)"', offered) == ["P0", "P1"]
        refused = await handler.fill(page, f"{page}/actions/set_priority", priority="P3", reason="Calm now")
        assert refused.status == 403
        assert "Ask the duty officer" in refused.html
        raised = await handler.fill(page, f"{page}/actions/set_priority", priority="P0", reason="He is back")
        assert raised.status == 303
        bent = (await handler.get(page)).form(f"{page}/actions/note").to(f"{page}/actions/assign")
        assert (await handler.send(bent, responder="ben")).status == 403
    async with await browser_of(town, "dee", Role.DUTY_OFFICER, "dee") as officer:
        lowered = await officer.fill(page, f"{page}/actions/set_priority", priority="P3", reason="All calm")
        assert lowered.status == 303
    assert (await town.incident(reference))["priority"] == "P3"


@on_sqlite
async def test_hostile_words_stay_words(town: Town) -> None:
    report = await town.reports(
        HOSTILE,
        location={"address": HOSTILE, "postcode": "<b>BR1</b>"},
        caller={"name": HOSTILE},
        victim={"name": HOSTILE},
        suspect={"description": HOSTILE},
        safe_contact={"note": HOSTILE},
    )
    page = f"/incidents/{report['reference']}"
    async with await browser_of(town, "dee", Role.DUTY_OFFICER, "dee") as officer:
        await officer.fill(page, f"{page}/actions/note", note=HOSTILE)
        for path in (page, "/board", "/simulator", f"/sign-in?next={HOSTILE}", f"/{HOSTILE}"):
            html = (await officer.get(path)).html
            assert "<script>alert" not in html, path
            assert "<img src=x" not in html, path
            assert 'onmouseover="alert' not in html, path


# --- the responder's page ---------------------------------------------------------------------------------


@pytest.mark.long
async def test_a_responder_goes_there_by_thumb(town: Town) -> None:
    report = await town.reports(
        **roofers_now(location={"ward": "Bromley Town", "postcode": "BR1 3UH", "address": "14 Larkspur Way"})
    )
    reference = report["reference"]
    number = (await town.incident(reference))["job_number"]
    page = f"/j/{number}"
    asha = await browser_of(town, "asha", Role.RESPONDER, "asha")
    ben = await browser_of(town, "ben", Role.RESPONDER, "ben")
    async with asha, ben:
        before = await town.event_types(reference)
        offered = await asha.get(page)
        assert "14 Larkspur Way" in offered.html
        assert "do not enter alone" in offered.html
        assert offered.answer.headers["referrer-policy"] == "no-referrer"
        assert offered.answer.headers["cache-control"] == "no-store"
        assert str(number) in (await asha.get("/j")).html
        hidden = await ben.get(page)
        assert hidden.status == 404
        assert "Larkspur" not in hidden.html
        assert (await asha.get(f"/incidents/{reference}")).status == 403
        assert await town.event_types(reference) == before

        form = offered.form(f"{page}/accept")
        for _ in range(2):
            accepted = await asha.send(form)
            assert (accepted.status, accepted.to) == (303, f"{page}?done=accept")
        assert (await town.incident(reference))["responder"] == "asha"
        await town.settle()
        await asha.fill(page, f"{page}/en_route")
        await town.pass_time(minutes=20)
        there = await asha.fill(page, f"{page}/on_scene")
        assert "You are there" in (await asha.get(there.to)).html
        unanswered = await asha.fill(page, f"{page}/done")
        assert unanswered.status == 422
        finished = await asha.send(
            unanswered.form(f"{page}/done"),
            code="HELPED",
            note="Sent them away.",
            **{
                "outcomes.0.code": "money_prevented",
                "outcomes.0.amount_gbp": "3000",
                "outcomes.0.evidence_grade": "B",
            },
        )
        assert "This job is finished" in (await asha.get(finished.to)).html
        assert "Larkspur" not in (await asha.get(page)).html
    incident = await town.incident(reference)
    assert (incident["status"], incident["disposition"]) == ("closed", "resolved_attended")
    assert incident["clock"]["stopped_by"] == "attended"
    assert incident["outcomes"][0]["amount_gbp"] == 3000
    assert "page_job" in await seen_by(town, reference)


async def test_who_says_no_or_was_too_late_sees_no_address(town: Town) -> None:
    report = await town.reports(**paid_today(location={"ward": "Bromley Town", "address": "14 Larkspur Way"}))
    number = (await town.incident(report["reference"]))["job_number"]
    page = f"/j/{number}"
    asha = await browser_of(town, "asha", Role.RESPONDER, "asha")
    ben = await browser_of(town, "ben", Role.RESPONDER, "ben")
    async with asha, ben:
        gone = await asha.fill(page, f"{page}/decline", reason="not_safe")
        await town.settle()
        after = await asha.get(gone.to)
        assert "This job is not yours" in after.html
        assert "Larkspur" not in after.html
        offered = await ben.get(page)
        assert "Larkspur" in offered.html
        form = offered.form(f"{page}/accept")
        await town.act(report["reference"], "assign", responder="asha")
        late = await ben.send(form)
        assert late.status == 409
        assert "Do not attend" in late.html
        assert "Larkspur" not in late.html
        assert (await ben.send(form.to(f"{page}/on_scene"))).status == 409
    notes = await town.app.database.look(lambda c: list(c.execute(select(col(NoteRow.body))).scalars()))
    assert notes == ["Cannot go: it is not safe for me to go"]


@on_sqlite
@pytest.mark.parametrize(
    ("code", "given", "status", "stopped_by"),
    [
        ("POLICE", {"cad_reference": "4471"}, "closed", "police_handover"),
        ("PHONE", {"protective_act": "bank_told"}, "closed", "remote_response"),
        ("NOTRACE", {}, "assigned", None),
        ("ADVICE", {}, "en_route", None),
    ],
)
async def test_finishing_before_arriving(
    town: Town, code: str, given: dict[str, str], status: str, stopped_by: str | None
) -> None:
    """As `DONE` by text: only what reached the person stops the clock (design.md 7)."""
    report = await town.reports(**roofers_now())
    number = (await town.incident(report["reference"]))["job_number"]
    page = f"/j/{number}"
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        await asha.fill(page, f"{page}/accept")
        going = await asha.fill(page, f"{page}/en_route")
        finished = await asha.send((await asha.get(going.to)).form(f"{page}/done"), code=code, **given)
        is_refused = code == "ADVICE"
        assert (finished.status, "say first that you are there" in finished.html) == (
            (422, True) if is_refused else (303, False)
        )
    incident = await town.incident(report["reference"])
    assert (incident["status"], incident["clock"]["stopped_by"]) == (status, stopped_by)


async def test_after_nobody_answered_they_are_rung_before_anybody_sets_off_again(town: Town) -> None:
    case = await town.takes(paid_today())
    page = f"/j/{case.number}"
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        for verb in ("accept", "en_route", "on_scene", "no_contact"):
            await asha.fill(page, f"{page}/{verb}")
        step = (await case.now())["next_step"]
        assert (step["what"], step["who"]) == ("call_back", "duty_officer")
        assert step["due_at"] == (await case.tasks())["call_back"]["due_at"]
        waiting = (await asha.get(page)).html
        assert "Nobody answered. The duty officer rings them by" in waiting
        assert "On my way" not in waiting

        await case.act("task_done", task=(await case.tasks())["call_back"]["id"])
        assert (await case.now())["next_step"]["what"] == "set_off"
        assert "On my way" in (await asha.get(page)).html


@on_sqlite
async def test_what_is_due_before_the_owners_move_comes_first(town: Town) -> None:
    said = scam_paid(answers={"remote_access_on": True}, safe_contact={"voice": True})
    case = await town.takes(said)
    await case.act("assign", responder="asha")
    assert (await case.now())["next_step"]["what"] == "remote_response"


async def test_once_helped_by_phone_the_responders_page_is_to_finish_it(town: Town) -> None:
    case = await town.takes(paid_today())
    page = f"/j/{case.number}"
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        accepted = await asha.get((await asha.fill(page, f"{page}/accept")).to)
        assert "Finish, or helped by phone" in accepted.html
        await case.act("remote_response", protective_act="bank_told")
        assert (await case.now())["next_step"]["what"] == "finish"

        helped = await asha.get(page)
        assert 'href="#finish"' in helped.html
        assert f"{page}/en_route" not in helped.html
        form = helped.form(f"{page}/done")
        finished = await asha.send(form, code="PHONE", protective_act="bank_told")
        assert "This job is finished" in (await asha.get(finished.to)).html
    done = await case.now()
    assert (done["status"], done["disposition"]) == ("closed", "resolved_remote")


@on_sqlite
async def test_a_job_given_back_after_help_by_phone_asks_nobody_else(town: Town) -> None:
    case = await town.takes(paid_today())
    page = f"/j/{case.number}"
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        await asha.fill(page, f"{page}/accept")
        await case.act("remote_response", protective_act="bank_told")
        back = await asha.fill(page, f"{page}/release", reason="busy")
        assert "Somebody sees how the person is" in (await asha.get(back.to)).html
    now = await case.now()
    assert (now["status"], now["responder"], now["clock"]["state"]) == ("scheduled", None, "met")
    assert set(await case.tasks()) == {"welfare_check"}
    assert now["next_step"]["what"] == "welfare_check"
    await town.pass_time(minutes=30)
    assert await case.asked() == ["asha"]
    assert (await case.now())["status"] == "scheduled"


# --- phones, and what failed ------------------------------------------------------------------------------


async def test_the_page_of_phones_shares_its_addresses_with_the_calls(town: Town) -> None:
    report = await town.reports(**roofers_now())
    number = (await town.incident(report["reference"]))["job_number"]
    async with Browser(town) as anybody:
        phones = await anybody.get("/simulator")
        assert f"OK {number}" in phones.html
        assert "Asha Patel" in phones.html
        form = phones.form("/simulator/reply")
        done = await anybody.send(form, **{"from": ASHA, "body": f"ok {number}"})
        assert (done.status, done.to) == (303, "/simulator?done=text")
        await town.settle()
        assert f"GO {number}" in (await anybody.get("/simulator")).html
        form.fields["csrf_token"] = ["guessed"]
        assert (await anybody.send(form, **{"from": BEN, "body": "hello"})).status == 422
        assert (await anybody.send(form, **{"from": "nobody", "body": "hello"})).status == 422
        rung = await anybody.fill("/simulator", "/simulator/call", transcript="a man is in my kitchen")
        assert rung.status == 303
    await town.settle()
    assert (await town.incident(report["reference"]))["responder"] == "asha"
    assert await count(town, IncidentRow) == 2
    assert (await town.post("/simulator/reply", {"from": DEE, "body": "hello"})).status_code == 201
    assert (
        (await town.post("/simulator/reply", {"from": "x"}))
        .headers["content-type"]
        .startswith("application/problem+json")
    )


@on_sqlite
async def test_a_ringing_phone_is_answered_on_its_page(town: Town) -> None:
    """Nobody is left to ask, so the duty officer's phone rings; she picks up and presses a key."""
    report = await town.reports(**roofers_now())
    for responder in ("asha", "ben"):
        await town.act(report["reference"], "decline", responder=responder)
    async with Browser(town) as anybody:
        phones = await anybody.get("/simulator")
        assert "Ringing" in phones.html
        form = phones.form("/simulator/answer-call")
        assert form.fields["to"] == [DEE]
        await anybody.send(form, digits="")
        await town.settle()
        held = await anybody.get("/simulator")
        assert "On the line" in held.html
        for _ in range(2):  # the first key proves a person, the second that she has heard it
            await anybody.send(held.form("/simulator/answer-call"), digits="1")
            await town.settle()
        await anybody.send(held.form("/simulator/answer-call"), digits="hang-up")
        await town.settle()
        assert "On the line" not in (await anybody.get("/simulator")).html
        odd = await anybody.send(held.form("/simulator/answer-call"), digits="call the police")
        assert odd.status == 422
    notices = await town.events(report["reference"])
    assert "notice_acknowledged" in [event["type"] for event in notices]


@on_sqlite
async def test_what_a_step_refuses_comes_back_with_the_form(town: Town) -> None:
    """A call written down with a time that cannot be is not lost: its page comes back, filled in."""
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        form = (await handler.get("/console")).form("/console")
        refused = await handler.send(form, narrative="A man is here.", received_at="1999-01-01T09:00")
        assert refused.status == 422
        assert "A man is here." in refused.html
    assert await count(town, IncidentRow) == 0


@on_sqlite
async def test_each_row_of_the_status_page_has_a_name_of_its_own(town: Town) -> None:
    async with await browser_of(town, "itta", Role.ADMIN) as admin:
        html = (await admin.get("/status")).html
    names = re.findall(r'<th scope="row"[^>]*>([^<]+)</th>', html)
    assert {"Waiting texts and calls", "Sending texts and calls"} < set(names)
    assert len(names) == len(set(names))
