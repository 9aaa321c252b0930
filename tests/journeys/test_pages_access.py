"""Who gets in, who may see what, and what looking at a page leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel, col
from sqlmodel import select as typed_select
from structlog.testing import capture_logs

from rapid_response.access.permissions import ROLE_PERMISSIONS, Permission
from rapid_response.access.sessions import IDLE_AFTER, end_session
from rapid_response.console.form_pages import safe_next
from rapid_response.core.vocabulary import Role
from rapid_response.steps.alarms import raise_alarm
from rapid_response.steps.disclosing import disclose_vehicle
from rapid_response.steps.service import service_now
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.tables import AccessRow, AgendaRow, AlarmRow, IncidentRow, SessionRow
from tests.builders import roofers_now
from tests.harness import Town
from tests.journeys.browser import PASSWORD, Browser, Form, account, browser_of, on_sqlite

SIGN_IN_COOKIE = "rr"
P = Permission

#: What each page asks for: a permission of these; nothing at all; or only that somebody is signed in.
ANYBODY: tuple[Permission, ...] = ()
SOMEBODY = tuple(P)
GETS: Mapping[str, tuple[Permission, ...]] = {
    "/": ANYBODY,
    "/report": ANYBODY,
    "/sign-in": ANYBODY,
    "/simulator": ANYBODY,
    "/account": SOMEBODY,
    "/console": (P.REPORT_TAKE,),
    "/board": (P.CASE_LIST,),
    "/reviews": (P.REVIEW_LIST,),
    "/incidents/{reference}": (P.CASE_VIEW, P.TIMELINE_VIEW),
    "/j": (P.OWN_JOBS,),
    "/j/{number}": (P.OWN_JOBS, P.CASE_VIEW),
    "/exceptions": (P.EXCEPTIONS_VIEW,),
    "/texts": (P.INBOX_WORK,),
    "/sheet": (P.OPEN_SHEET,),
    "/markers": (P.RISK_MARKERS,),
    "/rota": (P.ROTA_VIEW,),
    "/incidents/{reference}/transfers/{transfer_id}": (P.TRANSFER_READ,),
    "/incidents/{reference}/disclosures/{disclosure_id}": (P.DISCLOSURE_READ,),
    "/disclosures": (P.CASE_EXPORT,),
    "/disclosures/{sheet_id}": (P.CASE_EXPORT,),
    "/access": (P.AUDIT_VIEW,),
    "/retention": (P.AUDIT_VIEW,),
    "/intelligence": (P.INTELLIGENCE,),
    "/alarms/{alarm_id}": (P.ALARM_SEE,),
    "/status": (P.SERVICE_STATUS,),
    "/agreement": (P.AGREEMENT_VIEW,),
    "/numbers": (P.NUMBERS_OWN, P.NUMBERS_ANY),
}
#: What is made only where a test is about it.
NONE_SUCH = dict.fromkeys(("transfer_id", "row_id", "disclosure_id", "sheet_id"), "no-such")
POSTS: Mapping[str, tuple[Permission, ...]] = {
    "/report": ANYBODY,
    "/sign-in": ANYBODY,
    "/sign-out": ANYBODY,
    "/simulator/reply": ANYBODY,
    "/simulator/call": ANYBODY,
    "/simulator/answer-call": ANYBODY,
    "/account/password": SOMEBODY,
    "/console": (P.REPORT_TAKE,),
    "/incidents/{reference}/actions/{action}": (P.CASE_VIEW,),
    "/j/{number}/{verb}": (P.OWN_JOBS,),
    "/exceptions/{work_id}/retry": (P.EXCEPTIONS_RETRY,),
    "/exceptions/{work_id}/take": (P.EXCEPTIONS_RETRY,),
    "/texts/{text_id}/done": (P.INBOX_WORK,),
    "/texts/calls/{call_id}/done": (P.INBOX_WORK,),
    "/j/code-9": (P.OWN_JOBS,),
    "/markers": (P.RISK_MARKERS,),
    "/markers/{marker_id}/review": (P.RISK_MARKERS,),
    "/markers/{marker_id}/end": (P.RISK_MARKERS,),
    "/rota/absence": (P.AVAILABILITY_ANY,),
    "/rota/{row_id}/back": (P.AVAILABILITY_ANY,),
    "/incidents/{reference}/reason": (P.CASE_VIEW,),
    "/disclosures": (P.CASE_EXPORT,),
    "/access/{row_id}/seen": (P.AUDIT_VIEW,),
    "/intelligence/{row_id}/file": (P.INTELLIGENCE,),
    "/intelligence/{row_id}/raise": (P.INTELLIGENCE,),
    "/alarms/{alarm_id}/seen": (P.ALARM_SEE,),
    "/alarms/{alarm_id}/end": (P.ALARM_END,),
    "/numbers/{responder_id}/{position}/send": (P.NUMBERS_OWN, P.NUMBERS_ANY),
    "/numbers/{responder_id}/{position}/enter": (P.NUMBERS_OWN, P.NUMBERS_ANY),
}


# --- signing in -------------------------------------------------------------------------------------------


async def test_in_with_the_right_password_and_on_to_where_one_wanted_to_be(town: Town) -> None:
    await account(town, "dee", Role.DUTY_OFFICER)
    async with Browser(town) as browser:
        away = await browser.get("/board?status=assigned")
        assert (away.status, away.to) == (303, "/sign-in?next=/board%3Fstatus%3Dassigned")
        wrong = await browser.sign_in("dee", "not that one", away.to)
        assert wrong.status == 422
        assert "is not right" in wrong.html
        assert SIGN_IN_COOKIE not in browser.http.cookies
        right = await browser.send(wrong.form("/sign-in"), name="Dee", password=PASSWORD)
        assert (right.status, right.to) == (303, "/board?status=assigned")
        assert "HttpOnly" in right.answer.headers["set-cookie"]
        assert "SameSite=lax" in right.answer.headers["set-cookie"]
        assert (await browser.get(right.to)).status == 200
        assert (await browser.get("/")).to == "/board"
        out = await browser.send((await browser.get("/account")).form("/sign-out"))
        assert out.to == "/sign-in?signed_out=1"
        assert "You are signed out" in (await browser.get(out.to)).html
        assert (await browser.get("/board")).status == 303


async def test_signing_in_makes_a_new_session_and_ends_the_old(town: Town) -> None:
    await account(town, "dee", Role.DUTY_OFFICER)
    async with Browser(town) as browser:
        form = (await browser.get("/sign-in")).form("/sign-in")
        browser.http.cookies.set(SIGN_IN_COOKIE, "a value an attacker planted", domain="testserver.local")
        await browser.send(form, name="dee", password=PASSWORD)
        first = browser.http.cookies[SIGN_IN_COOKIE]
        assert first != "a value an attacker planted"
        await browser.send(form, name="dee", password=PASSWORD)
        assert browser.http.cookies[SIGN_IN_COOKIE] != first
    live = select(func.count()).select_from(SessionRow).where(col(SessionRow.ended_at).is_(None))
    assert await town.app.database.look(lambda c: c.execute(live).scalar_one()) == 1


@on_sqlite
async def test_guessing_is_slowed_and_a_form_from_elsewhere_is_nothing(town: Town) -> None:
    await account(town, "dee", Role.DUTY_OFFICER)
    async with Browser(town) as browser:
        form = (await browser.get("/sign-in")).form("/sign-in")
        assert (await browser.send(form, {"sec-fetch-site": "cross-site"}, name="dee")).status == 403
        tokenless = Form("/sign-in", {})
        assert (await browser.send(tokenless, name="dee", password=PASSWORD)).status == 422
        answers = [await browser.send(form, name=f"nobody{n}", password="a guess") for n in range(21)]
        assert [a.status for a in answers] == [422] * 20 + [429]
        assert int(answers[-1].answer.headers["retry-after"]) > 0
        # The right password waits as well: who guesses learns nothing from being slowed.
        assert (await browser.send(form, name="dee", password=PASSWORD)).status == 429


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("/j/4821", "/j/4821"),
        ("/board?status=assigned", "/board?status=assigned"),
        ("//evil.example", ""),
        ("/\\evil.example", ""),
        ("https://evil.example/board", ""),
        ("javascript:alert(1)", ""),
        ("/board\r\nset-cookie: x=y", ""),
        ("/sign-out", ""),
        ("board", ""),
        ("", ""),
    ],
)
def test_where_to_go_next_is_here(asked: str, kept: str) -> None:
    assert safe_next(asked) == kept


@on_sqlite
async def test_a_call_typed_while_signed_out_is_not_lost(town: Town) -> None:
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        form = (await handler.get("/console")).form("/console")
        town.clock.advance(IDLE_AFTER + timedelta(minutes=1))
        out = await handler.send(form, narrative="A man is at the door.")
        assert out.status == 401
        assert "Sign in" in out.html
        await handler.sign_in("hana")
        shown = await handler.send(form, narrative="A man is at the door.")
        assert shown.status == 422
        assert (await handler.send(shown.form("/console"))).status == 200


@on_sqlite
@pytest.mark.parametrize(
    ("page", "action", "written"),
    [
        (
            "/markers",
            "/markers",
            {"subject": "address", "kind": "dog", "address": "14 Larkspur Way", "reason": "Two dogs bit."},
        ),
        ("/rota", "/rota/absence", {"responder": "ben", "until": "tomorrow 9am"}),
        ("/disclosures", "/disclosures", {"registration": "AB12 CDE", "to": "PC Hart", "authority": "DPA"}),
    ],
)
async def test_what_was_typed_while_signed_out_is_shown_again(
    town: Town, page: str, action: str, written: dict[str, str]
) -> None:
    async with await browser_of(town, "lena", Role.TEAM_LEADER) as leader:
        form = (await leader.get(page)).form(action)
        town.clock.advance(IDLE_AFTER + timedelta(minutes=1))
        assert (await leader.send(form, **written)).status == 401
        await leader.sign_in("lena")
        shown = await leader.send(form, **written)
        assert shown.status == 422
        assert "Check what you wrote and send it again" in shown.html
        again = shown.form(action)
        assert {name: again.fields[name] for name in written} == {n: [v] for n, v in written.items()}
        done = await leader.send(again)
        # No such vehicle is known; but what was written is looked at.
        assert "No case tells of this vehicle" in done.html if page == "/disclosures" else done.status == 303


@on_sqlite
async def test_a_page_that_refreshes_itself_keeps_nobody_signed_in(town: Town) -> None:
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        for _ in range(3):
            town.clock.advance(timedelta(minutes=14))
            last = await officer.get("/board", **{"sec-fetch-dest": "empty"})
        assert last.status == 303
    async with await browser_of(town, "dan", Role.DUTY_OFFICER) as officer:
        for _ in range(3):
            town.clock.advance(timedelta(minutes=14))
            last = await officer.get("/board", **{"sec-fetch-dest": "document"})
        assert last.status == 200


@on_sqlite
async def test_a_password_is_changed_and_other_browsers_are_out(town: Town) -> None:
    elsewhere = await browser_of(town, "dee", Role.DUTY_OFFICER)
    async with Browser(town) as browser, elsewhere:
        await browser.sign_in("dee")
        for current, new, said in (
            ("not it", "lantern gravel mitten plum", "not your current password"),
            (PASSWORD, "short", "too short"),
        ):
            refused = await browser.fill("/account", "/account/password", current=current, new=new)
            assert refused.status == 422
            assert said in refused.html
        new = "lantern gravel mitten plum"
        changed = await browser.fill("/account", "/account/password", current=PASSWORD, new=new)
        assert "is changed" in (await browser.get(changed.to)).html
        assert (await elsewhere.get("/account")).status == 303
    async with Browser(town) as again:
        assert (await again.sign_in("dee")).status == 422
        assert (await again.sign_in("dee", new)).status == 303


# --- who may see what -------------------------------------------------------------------------------------


@pytest.mark.long
async def test_every_page_asks_the_one_table(town: Town) -> None:
    """Each page and each form for each role: the answer is what the table of permissions says."""
    assert page_routes(town) == {("GET", path) for path in GETS} | {("POST", path) for path in POSTS}
    report = await town.reports(**roofers_now(suspect={"vehicle_registration": "AB12 CDE"}))
    number = (await town.incident(report["reference"]))["job_number"]
    parts = {"reference": report["reference"], "number": number, "action": "note", "verb": "accept"}
    parts |= {
        "work_id": "a-999999",
        "text_id": "no-such-text",
        "call_id": "no-such",
        "marker_id": "no-such-marker",
    }
    handed_over = await town.act(report["reference"], "transfer", to="Lewisham Trading Standards")
    parts |= {"transfer_id": handed_over["transfers"][0]["id"], "row_id": "no-such-row"}
    shown = await town.act(
        report["reference"], "disclose", kind="police", to="PC Lee", authority="Their request."
    )
    sheet = partial(disclose_vehicle, registration="AB12 CDE", to="PC Lee", authority="Their request.")
    parts |= {"disclosure_id": shown["disclosures"][0]["id"], "sheet_id": await town.app.database.run(sheet)}
    parts |= {"alarm_id": await alarm_of(town, "ben"), "responder_id": "asha", "position": 0}
    wrong = {}
    for role in Role:
        responder = "asha" if role is Role.RESPONDER else None
        async with await browser_of(town, role.value, role, responder) as browser:
            for path, wanted in GETS.items():
                status = (await browser.get(path.format(**parts))).status
                if (status != 403) != is_allowed(role, wanted) or status not in (200, 303, 403):
                    wrong[f"GET {path} as {role}"] = status
            token = {"csrf_token": [await csrf_of(browser)]}
            for path, wanted in POSTS.items():
                if path == "/sign-out" or (path.startswith("/j/") and role is Role.RESPONDER):
                    continue
                status = (await browser.send(Form(path.format(**parts), token))).status
                if (status != 403) != is_allowed(role, wanted) and not is_desks_own(path, role, status):
                    wrong[f"POST {path} as {role}"] = status
    assert wrong == {}


@on_sqlite
async def test_no_form_is_taken_from_elsewhere_and_none_without_its_token(town: Town) -> None:
    """Each form that there is, sent as another site would have her browser send it: nothing happens."""
    report = await town.reports(**roofers_now())
    number = (await town.incident(report["reference"]))["job_number"]
    parts = {"reference": report["reference"], "number": number, "action": "cancel", "verb": "accept"}
    parts |= {"work_id": "a-1", "text_id": "no-such", "call_id": "no-such", "marker_id": "no-such"}
    parts |= {"alarm_id": await alarm_of(town, "ben"), "responder_id": "asha", "position": 0}
    parts |= NONE_SUCH
    written = {
        "reason": ["Because."],
        "narrative": ["A man is here."],
        "body": ["OK"],
        "disposition": ["withdrawn"],
    }
    async with await browser_of(town, "asha", Role.HEAD_OF_SERVICE, "asha") as head:
        token = {"csrf_token": [await csrf_of(head)]}
        before = await everything(town)
        for path in POSTS:
            forged = Form(path.format(**parts), written | token)
            for sent in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
                assert (await head.send(forged, sent)).status == 403, path
        assert await everything(town) == before
        for path in POSTS:
            if path in ("/sign-out", "/j/code-9"):
                continue  # below; and an alarm too many costs less than one missed
            answer = await head.send(Form(path.format(**parts), written))
            assert answer.status in (403, 404, 422), path
        # Of a form that comes back with what was written, its case was seen.
        after = await everything(town)
        assert {name for name in after if after[name] != before[name]} <= {AccessRow.__tablename__}
        assert (await head.send(Form("/sign-out", written))).status == 403
        assert (await head.get("/account")).status == 200


@on_sqlite
async def test_no_page_is_kept_framed_or_told_of_elsewhere(town: Town) -> None:
    report = await town.reports(**roofers_now())
    number = (await town.incident(report["reference"]))["job_number"]
    parts = {"reference": report["reference"], "number": number, "alarm_id": await alarm_of(town, "ben")}
    async with await browser_of(town, "asha", Role.HEAD_OF_SERVICE, "asha") as head:
        for path in GETS:
            headers = (await head.get(path.format(**NONE_SUCH | parts))).answer.headers
            assert headers["cache-control"] == "no-store", path
            assert headers["referrer-policy"] in ("no-referrer", "same-origin"), path
            assert headers["x-content-type-options"] == "nosniff", path
            assert "frame-ancestors 'none'" in headers["content-security-policy"], path


async def alarm_of(town: Town, responder: str) -> str:
    """A responder's silent alarm."""
    zone = town.app.desk.zone
    await town.app.database.run(lambda tx: raise_alarm(tx, service_now(tx, zone), responder, "page"))
    await town.settle()
    return (await town.rows(AlarmRow))[0].id


def is_allowed(role: Role, wanted: tuple[Permission, ...]) -> bool:
    return not wanted or wanted == SOMEBODY or bool(ROLE_PERMISSIONS[role] & set(wanted))


def is_desks_own(path: str, role: Role, status: int) -> bool:
    """The desk may have jobs, but this one is not theirs: their way to it is the incident itself."""
    return path == "/j/{number}/{verb}" and P.CASE_VIEW in ROLE_PERMISSIONS[role] and status == 403


async def csrf_of(browser: Browser) -> str:
    return (await browser.get("/account")).form("/sign-out").fields["csrf_token"][0]


def page_routes(town: Town) -> set[tuple[str, str]]:
    """Every address of the application that answers with a page."""
    found = set()
    for route in walk(town.app.asgi.routes):
        path = str(getattr(route, "path", ""))
        module = getattr(getattr(route, "endpoint", None), "__module__", "")
        if module.startswith("rapid_response.console"):
            found |= {(method, path) for method in route.methods if method != "HEAD"}
    return found


def walk(routes: Any) -> Any:
    for route in routes:
        inner = getattr(getattr(route, "original_router", None), "routes", None)
        if inner is None:
            yield route
        else:
            yield from walk(inner)


@on_sqlite
async def test_nobody_sees_more_than_the_way_in(town: Town) -> None:
    report = await town.reports(**roofers_now())
    number = (await town.incident(report["reference"]))["job_number"]
    parts = {"reference": report["reference"], "number": number, "action": "note", "verb": "accept"}
    parts |= {
        "work_id": "a-1",
        "text_id": "no-such-text",
        "call_id": "no-such",
        "marker_id": "no-such",
        "alarm_id": "no-such",
        **NONE_SUCH,
        "responder_id": "asha",
        "position": 0,
    }
    async with Browser(town) as anybody:
        for path, wanted in GETS.items():
            page = await anybody.get(path.format(**parts))
            if wanted:
                assert page.status == 303, path
                assert page.to.startswith("/sign-in?next="), path
        for path, wanted in POSTS.items():
            if wanted:
                page = await anybody.send(Form(path.format(**parts)))
                assert page.status == 401, path
                assert report["reference"] not in page.html


@on_sqlite
async def test_an_auditor_sees_what_happened_and_nobodys_words(town: Town) -> None:
    said = "Two men are on my mother's roof"
    report = await town.reports(
        said,
        victim={"name": "Jean Whitlock"},
        location={"address": "14 Larkspur Way"},
        caller={"name": "Priya"},
    )
    async with await browser_of(town, "audrey", Role.AUDITOR) as auditor:
        page = await auditor.get(f"/incidents/{report['reference']}")
        assert "Report received" in page.html
        for secret in ("Whitlock", "Larkspur", "Priya", "roof"):
            assert secret not in page.html
        assert not any("/actions/" in action for action in page.actions)


@on_sqlite
async def test_hate_strands_are_for_those_who_review_them(town: Town) -> None:
    report = await town.reports(**roofers_now())
    page = f"/incidents/{report['reference']}"

    def strand(tx: Any) -> None:
        incident = tx.first(select_incident(report["reference"]))
        incident.statutory_strands = ["disability"]

    await town.app.database.run(strand)
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        assert "Hostility about" not in (await handler.get(page)).html
    async with await browser_of(town, "hal", Role.HATE_CRIME_LEAD) as lead:
        assert "Hostility about: disability" in (await lead.get(page)).html


def select_incident(reference: str) -> Any:
    return typed_select(IncidentRow).where(col(IncidentRow.reference) == reference)


async def test_a_session_that_was_ended_is_worth_nothing(town: Town) -> None:
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        cookie = officer.http.cookies[SIGN_IN_COOKIE]
        assert (await officer.get("/board")).status == 200
        await town.app.database.run(lambda tx: end_session(tx, cookie))
        assert (await officer.get("/board")).status == 303


# --- looking ----------------------------------------------------------------------------------------------


@pytest.mark.long
async def test_looking_changes_nothing_but_the_access_log(town: Town) -> None:
    report = await town.reports(**roofers_now())
    number = (await town.incident(report["reference"]))["job_number"]
    handed_over = await town.act(report["reference"], "transfer", to="Lewisham Trading Standards")
    parts = {
        "reference": report["reference"],
        "number": number,
        "alarm_id": await alarm_of(town, "ben"),
        "transfer_id": handed_over["transfers"][0]["id"],
    }
    parts = NONE_SUCH | parts
    browsers = [
        await browser_of(town, "dee", Role.DUTY_OFFICER, "dee"),
        await browser_of(town, "asha", Role.RESPONDER, "asha"),
        await browser_of(town, "audrey", Role.AUDITOR),
    ]
    before = await everything(town)
    for browser in browsers:
        async with browser:
            for path in GETS:
                await browser.get(path.format(**parts))
                await browser.http.head(path.format(**parts))
                await browser.http.options(path.format(**parts))
    after = await everything(town)
    looked = after.pop(AccessRow.__tablename__) - before.pop(AccessRow.__tablename__)
    assert after == before
    assert looked == 18


async def everything(town: Town) -> dict[Any, int]:
    """How many rows each table has."""
    tables = SQLModel.metadata.sorted_tables
    return await town.app.database.look(
        lambda c: {t.name: c.execute(select(func.count()).select_from(t)).scalar_one() for t in tables}
    )


@on_sqlite
async def test_pages_are_guarded_and_machines_are_not_bothered(town: Town) -> None:
    async with Browser(town) as anybody:
        one, other = await anybody.get("/report"), await anybody.get("/report")
        policy = one.answer.headers["content-security-policy"]
        nonce = policy.partition("'nonce-")[2].partition("'")[0]
        assert f'nonce="{nonce}"' in one.html
        assert nonce not in other.html
        assert one.answer.headers["cache-control"] == "no-store"
        assert one.answer.headers["referrer-policy"] == "no-referrer"
        css = one.html.partition('rel="stylesheet" href="')[2].partition('"')[0]
        file = await anybody.get(css)
        assert file.status == 200
        assert "immutable" in file.answer.headers["cache-control"]
        for path in ("/nowhere", "/incidents", "/j/none", "/j/99999999"):
            page = await anybody.get(path)
            assert page.status in (303, 404), path
        lost = await anybody.get("/nowhere")
        assert lost.status == 404
        assert "There is no such page" in lost.html
        api = await anybody.get("/api/v1/nowhere")
        assert api.answer.headers["content-type"] == "application/problem+json"
        assert "content-security-policy" not in api.answer.headers
        assert (await anybody.http.put("/report")).status_code == 405
        assert (await anybody.http.post("/report", json={"narrative": "x"})).status_code == 400


@on_sqlite
async def test_with_the_database_gone_there_is_a_number_to_ring(town: Town) -> None:
    async with Browser(town) as resident:
        form = (await resident.get("/report?now=1")).form("/report")

        async def gone(*_: object, **__: object) -> None:
            raise DatabaseUnavailable("the disk is full")

        with patch.object(town.app.database, "run", gone), patch.object(town.app.database, "look", gone):
            for page in (await resident.get("/report"), await resident.send(form, narrative="A man is here")):
                assert page.status == 503
                assert "020 7946 0001" in page.html
                assert page.answer.headers["retry-after"] == "30"


@on_sqlite
async def test_what_nobody_foresaw_is_an_error_page_and_no_more(town: Town) -> None:
    fault = patch("rapid_response.console.public_pages.read_now", side_effect=RuntimeError("secret"))
    with fault, capture_logs() as logs:
        async with Browser(town) as resident:
            page = await resident.get("/report")
    assert [entry["event"] for entry in logs] == ["page_failed"]
    assert page.status == 500
    assert "secret" not in page.html
    assert "content-security-policy" in page.answer.headers


# --- what failed ------------------------------------------------------------------------------------------


async def test_parked_work_is_shown_and_tried_again(town: Town) -> None:
    report = await town.reports(**roofers_now())

    def park(tx: Any) -> int:
        incident = tx.first(select_incident(report["reference"]))
        entry = tx.first(select_agenda(incident.id))
        entry.parked_at, entry.error = tx.now, "KeyError"
        return int(entry.id)

    work = await town.app.database.run(park)
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        assert "1 piece of work failed" in (await officer.get("/board")).html
        shown = await officer.get("/exceptions")
        assert "KeyError" in shown.html
        assert report["reference"] in shown.html
        assert "Not working" in (await officer.get("/status")).html
    async with await browser_of(town, "ada", Role.ADMIN) as admin:
        shown = await admin.get("/exceptions")
        assert report["reference"] not in shown.html
        tried = await admin.send(shown.form(f"/exceptions/a-{work}/retry"))
        assert tried.to == "/exceptions?done=retry"
        assert "Nothing is parked" in (await admin.get(tried.to)).html
        assert (
            await admin.send(Form("/exceptions/x-1/retry", {"csrf_token": [await csrf_of(admin)]}))
        ).status == 404


def select_agenda(incident_id: str) -> Any:
    pending = col(AgendaRow.settled_at).is_(None)
    return typed_select(AgendaRow).where(col(AgendaRow.incident_id) == incident_id, pending)
