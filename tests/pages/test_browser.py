"""The pages in a real browser: axe, a narrow screen, the keyboard, and no scripts at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, Route, sync_playwright

from rapid_response.console.views.frame import Page as PAGES
from tests.pages.samples import STATES
from tests.pages.town import Town, serving

AXE = Axe()
CHROMIUM = shutil.which("chromium")

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and os.environ.get("CI") != "true",
    reason="needs chromium (apt install chromium); CI must have it",
)

#: One state of each page, and each with faults: the others differ from these by words.
LOOKED_AT = (
    *("report-start-unanswered", "report-form-coming", "report-form-faults", "report-sent-emergency"),
    *("console-faults", "console-sent-p0", "board", "board-filtered-empty"),
    *("incident-emergency-faults", "incident-closed", "incident-proposed", "incident-correction-faults"),
    *("incident-referral-faults", "reviews", "reviews-filtered-empty"),
    *("job-offered", "job-faults", "job-overtaken", "job-pasted", "jobs", "incident-overtaken"),
    *("rota", "transfer", "markers-faults", "disclosure", "access", "retention", "intelligence", "numbers"),
    *(
        "alarm",
        "reason-missing",
        "sign-in",
        "sign-in-wrong",
        "account",
        "simulator",
        "exceptions",
        "agreement",
        "status",
        "error-409",
    ),
)


@pytest.fixture(scope="module")
def town() -> Town:
    return Town()


@pytest.fixture(scope="module")
def base(town: Town) -> Iterator[str]:
    with serving(town) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"] if is_root else []
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, base: str) -> Iterator[Page]:
    """A desk's screen; any complaint of the browser (the policy's included) fails the test."""
    context = browser.new_context(base_url=base, viewport={"width": 1280, "height": 900}, locale="en-GB")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def violations(page: Page) -> list[str]:
    """What axe finds on the page as it is."""
    found = AXE.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{v['id']}: {[n['html'][:160] for n in v['nodes']]}" for v in found]


@pytest.mark.parametrize("part", range(2))
@pytest.mark.long
def test_axe_finds_nothing(page: Page, part: int) -> None:
    found = {}
    for name in LOOKED_AT[part::2]:
        page.goto(f"/state/{name}")
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")
        if problems := violations(page):
            found[name] = problems
    assert found == {}, json.dumps(found, indent=1)


@pytest.mark.long
def test_nothing_is_cut_off_on_a_narrow_screen(page: Page) -> None:
    """320 CSS pixels, which is also 1280 at four times the size (WCAG 1.4.10)."""
    page.set_viewport_size({"width": 320, "height": 568})
    too_wide = {}
    for name in LOOKED_AT:
        page.goto(f"/state/{name}", wait_until="domcontentloaded")
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")
        width = page.evaluate("document.scrollingElement.scrollWidth")
        if width > 320:
            too_wide[name] = width
    assert too_wide == {}


@pytest.mark.long
def test_what_is_tapped_is_large_enough(page: Page) -> None:
    """The responder's steps are 44 pixels high and more."""
    page.set_viewport_size({"width": 360, "height": 640})
    for stage in ("offered", "accepted", "on_the_way", "there"):
        page.goto(f"/state/job-{stage}")
        box = page.locator(".rr-steps .rr-step").first.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["width"] >= 300


@pytest.mark.long
@pytest.mark.parametrize("has_scripts", [True, False])
def test_a_long_navigation_takes_two_lines_and_each_page_of_it_is_reached_by_keyboard(
    browser: Browser, base: str, has_scripts: bool
) -> None:
    context = browser.new_context(
        base_url=base, viewport={"width": 1100, "height": 800}, java_script_enabled=has_scripts
    )
    page = context.new_page()
    page.goto("/state/status")
    items = page.locator(".govuk-service-navigation__item").all()
    assert len(items) == len(PAGES) + 1  # and "Sign out"
    assert len({round(box["y"]) for item in items if (box := item.bounding_box())}) == 2
    reached = []
    page.locator(".rr-header__link").focus()
    for _ in items:
        page.keyboard.press("Tab")
        reached.append(page.locator(":focus").inner_text().splitlines()[0])
    assert reached == [item.inner_text().splitlines()[0] for item in items]
    context.close()


@pytest.mark.long
def test_a_report_is_made_without_scripts(browser: Browser, base: str, town: Town) -> None:
    context = browser.new_context(base_url=base, java_script_enabled=False)
    page = context.new_page()
    page.goto("/report")
    page.get_by_label("Someone is coming, or coming back").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Your name").fill("Jean Whitlock")
    page.get_by_role("button", name="Send to the council").click()
    assert page.title() == "Error: Report to the council"
    assert page.get_by_label("Your name").input_value() == "Jean Whitlock"
    page.get_by_role("link", name="Tell us what has happened").click()
    page.get_by_label("What has happened?").fill("he is comming back 3pm for the money <b>now</b>")
    page.get_by_label("Me", exact=True).check()
    page.get_by_label("Your phone number").fill("07700 900145")
    page.get_by_label("Yes, you can ring me").check()
    page.get_by_role("button", name="Send to the council").click()
    assert page.get_by_role("heading", level=1).inner_text() == "We have your report"
    assert "RR-7K4M2QX" in page.content()
    assert "visit" in page.content()
    person = {"name": "Jean Whitlock", "phone": "+447700900145"}
    assert town.received[-1] == {
        "channel": "web",
        "narrative": "he is comming back 3pm for the money <b>now</b>",
        "caller": {**person, "role": "self"},
        "victim": person,
        "safe_contact": {"sms": False, "voice": True, "voicemail": False},
        "answers": {"suspect_returning": True},
    }
    context.close()


@pytest.mark.long
def test_keyboard_reaches_the_main_part_first(page: Page) -> None:
    page.goto("/state/board")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to main content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main-content"


@pytest.mark.long
def test_the_reviews_are_worked_by_keyboard(page: Page) -> None:
    """The filters open, and each case is reached, without a mouse; in the order in which they are read."""
    page.goto("/state/reviews")
    reached: list[str] = []
    while "RR-8T7S6R5" not in reached and len(reached) < 60:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
        if reached[-1] == "Filters":
            page.keyboard.press("Enter")
    cases = [words for words in reached if words.startswith("RR-")]
    assert cases[:3] == ["RR-7K4M2QX", "RR-3C4D5E6", "RR-8T7S6R5"]
    assert reached.index("Overdue only") < reached.index(cases[0])
    href = page.get_by_role("link", name=cases[0], exact=True).get_attribute("href")
    assert href == "/incidents/RR-7K4M2QX#age-title"


@pytest.mark.long
def test_every_control_of_the_call_can_be_reached_by_tab(page: Page) -> None:
    page.goto("/state/console")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    names = set(
        page.evaluate(
            "[...document.querySelectorAll('main input:not([type=hidden]), main select, main textarea')]"
            ".map((e) => e.name)"
        )
    )
    page.evaluate("document.querySelector('main h1').setAttribute('tabindex', '-1')")
    page.focus("main h1")
    reached: list[str] = []
    for _ in range(140):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.name || document.activeElement.textContent"))
        if reached[-1].strip() == "Save the report":
            break
    assert reached[-1].strip() == "Save the report"
    assert names <= set(reached)


@pytest.mark.long
def test_999_appears_while_the_call_is_taken_and_moves_nothing(page: Page) -> None:
    page.goto("/state/console")
    assert page.evaluate("document.activeElement.id") == "narrative"
    banner = page.locator("#ring-999")
    assert banner.is_hidden()
    page.focus("#answers-threat_or_fear-3")
    page.keyboard.press("ArrowRight")  # from “not known” round to “yes”
    assert banner.is_visible()
    assert page.evaluate("document.activeElement.id") == "answers-threat_or_fear"
    assert violations(page) == []
    page.keyboard.press("Alt+3")
    assert page.evaluate("document.activeElement.id") == "part-3"


@pytest.mark.long
def test_the_call_is_saved_from_the_keyboard(page: Page) -> None:
    page.goto("/state/console")
    page.route("**/console", lambda route: route.fulfill(status=200, body="<h1>Saved</h1>"))
    page.get_by_label("In the caller’s own words").fill("two men on the roof")
    with page.expect_request(lambda request: request.method == "POST") as posted:
        page.keyboard.press("Control+Enter")
    body = posted.value.post_data or ""
    assert "narrative=two+men+on+the+roof" in body
    assert "csrf_token=a-token" in body


@pytest.mark.long
def test_the_call_begins_with_the_first_word_not_with_the_page(page: Page) -> None:
    page.clock.install()
    page.goto("/state/console")
    page.route("**/console", lambda route: route.fulfill(status=200, body="<h1>Saved</h1>"))
    page.clock.fast_forward("03:00:00")
    page.get_by_label("In the caller’s own words").fill("two men on the roof")
    assert page.get_by_label("Answered at").input_value() == "2026-11-23T17:20"
    page.clock.fast_forward("20:00")
    page.get_by_label("Caller’s name").fill("Jo")
    with page.expect_request(lambda request: request.method == "POST") as posted:
        page.keyboard.press("Control+Enter")
    body = posted.value.post_data or ""
    for said in ("received_at=2026-11-23T17%3A20", "opened_at=2026-11-23T17%3A20%3A30", "begun=yes"):
        assert said in body


@pytest.mark.long
def test_a_time_that_is_written_first_is_left_as_it_is(page: Page) -> None:
    page.clock.install()
    page.goto("/state/console")
    page.clock.fast_forward("03:00:00")
    page.get_by_label("Answered at").fill("2026-11-23T12:05")
    page.get_by_label("In the caller’s own words").fill("two men on the roof")
    assert page.get_by_label("Answered at").input_value() == "2026-11-23T12:05"


@pytest.mark.long
def test_who_looks_something_up_during_a_call_comes_back_to_its_time_and_to_999(page: Page) -> None:
    """The browser brings back what was written; a later time would let the two hours begin late."""
    page.goto("/state/console")
    page.get_by_label("Answered at").fill("2026-11-23T12:05")
    page.get_by_label("In the caller’s own words").fill("two men on the roof")
    page.check("#answers-threat_or_fear")
    page.goto("/state/board")
    page.go_back()
    assert page.get_by_label("In the caller’s own words").input_value() == "two men on the roof"
    assert page.get_by_label("Answered at").input_value() == "2026-11-23T12:05"
    assert page.locator("#ring-999").is_visible()
    page.get_by_label("Caller’s name").fill("Jo")
    page.route("**/console", lambda route: route.fulfill(status=200, body="<h1>Saved</h1>"))
    with page.expect_request(lambda request: request.method == "POST") as posted:
        page.keyboard.press("Control+Enter")
    assert "received_at=2026-11-23T12%3A05" in (posted.value.post_data or "")
    assert "begun=yes" in (posted.value.post_data or "")


@pytest.mark.long
def test_who_leaves_the_page_in_the_middle_of_a_call_is_asked_first(page: Page) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.goto("/state/console")
    page.reload()
    page.on("dialog", stay)
    page.keyboard.type("two men on the roof")
    page.evaluate("location.reload()")
    assert asked == ["beforeunload"]
    assert page.get_by_label("In the caller’s own words").input_value() == "two men on the roof"
    page.route("**/console", lambda route: route.fulfill(status=200, body="<h1>Saved</h1>"))
    page.keyboard.press("Control+Enter")
    page.get_by_role("heading", name="Saved").wait_for()
    assert len(asked) == 1


@pytest.mark.long
def test_a_call_that_is_saved_is_not_there_for_the_next_one_and_another_one_is(page: Page, base: str) -> None:
    words, saved = page.get_by_label("In the caller’s own words"), f"{base}/state/console-sent-p0"
    page.goto("/state/console")
    words.fill("a parcel that never came")
    page.goto("/state/console?another")
    page.get_by_label("Answered at").fill("2026-11-23T12:05")
    words.fill("two men on the roof")
    page.check("#answers-threat_or_fear")
    page.route("**/console", lambda route: route.fulfill(response=route.fetch(url=saved, method="GET")))
    page.keyboard.press("Control+Enter")
    page.get_by_role("heading", name="Saved").wait_for()
    page.unroute("**/console")
    page.go_back()
    assert words.input_value() == ""
    assert page.get_by_label("Answered at").input_value() == "2026-11-23T14:20"
    assert page.locator("#ring-999").is_hidden()
    assert page.locator("[name=begun]").input_value() == ""
    page.go_back()
    assert words.input_value() == "a parcel that never came"


@pytest.mark.long
def test_who_goes_back_to_a_case_corrects_it_as_it_is_now_and_not_as_it_was(page: Page) -> None:
    """The browser would tick again what somebody has cleared meanwhile: as if the one who went back did."""
    page.goto("/state/incident")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    ticked = "[...document.querySelectorAll('main :checked')].map((box) => box.id).filter(Boolean)"
    for form in ("amend-", "correction-"):
        assert any(name.startswith(form) for name in page.evaluate(ticked))
    page.goto("/state/board")
    page.route("**/state/incident", clear)
    page.go_back()
    assert page.locator("#amend-safe").count() == 1
    assert page.evaluate(ticked) == []


def clear(route: Route) -> None:
    """The case after somebody has unticked all that was ticked."""
    as_it_was = route.fetch()
    route.fulfill(
        response=as_it_was, body=as_it_was.text().replace(" checked>", ">").replace(" selected>", ">")
    )


@pytest.mark.long
def test_the_board_keeps_itself_up_to_date_and_says_when_it_cannot(page: Page) -> None:
    page.clock.install()
    page.goto("/state/board")
    page.locator(".rr-filters summary").click()
    page.get_by_role("link", name="RR-7K4M2QX").focus()
    page.evaluate("document.querySelector('.rr-board tbody tr').remove()")
    with page.expect_response("**/state/board"):
        page.clock.fast_forward(21_000)
    page.wait_for_timeout(50)
    # Nothing new on the server: what a person has in hand is left as it is.
    assert page.locator(".rr-board tbody tr").count() == len(STATES["board"][0].rows) - 1  # type: ignore[attr-defined]
    page.route("**/state/board", lambda route: route.fulfill(body=changed(route.fetch().text())))
    with page.expect_response("**/state/board"):
        page.clock.fast_forward(21_000)
    page.wait_for_selector("text=A new next step")
    assert page.evaluate("document.activeElement.textContent") == "RR-7K4M2QX"
    assert page.locator(".rr-filters").evaluate("(details) => details.open")
    page.route("**/state/board", lambda route: route.fulfill(status=204))
    with page.expect_response("**/state/board"):
        page.clock.fast_forward(21_000)
    assert page.get_by_text("Live updates lost at").is_visible()


@pytest.mark.long
def test_a_board_whose_server_says_nothing_at_all_says_so(page: Page) -> None:
    """A network that died lets a question wait for many minutes: the board must not look like a quiet one."""
    page.clock.install()
    page.goto("/state/board")
    asked: list[Route] = []
    page.route("**/state/board", lambda route: asked.append(route))
    page.clock.fast_forward(21_000)
    page.wait_for_timeout(50)
    page.clock.fast_forward(16_000)
    page.get_by_text("Live updates lost at").wait_for()
    assert len(asked) == 1
    page.unroute("**/state/board")
    with page.expect_response("**/state/board"):
        page.clock.fast_forward(21_000)
    page.get_by_text("Live updates lost at").wait_for(state="detached")


@pytest.mark.long
def test_what_comes_late_from_the_server_takes_nothing_out_of_a_hand(page: Page) -> None:
    """With a slow network somebody goes on, or begins to write, while the page waits for its answer."""
    page.clock.install()
    page.goto("/state/board")
    page.get_by_role("link", name="RR-7K4M2QX").focus()
    asked: list[Route] = []
    page.route("**/state/board", lambda route: asked.append(route))
    page.clock.fast_forward(21_000)
    page.wait_for_timeout(50)
    page.get_by_role("link", name="Pause updates").focus()
    answer(asked.pop())
    page.wait_for_selector("text=A new next step")
    assert page.evaluate("document.activeElement.textContent") == "Pause updates"
    # The same again is nothing new.
    page.evaluate("document.querySelector('.rr-board tbody tr').remove()")
    with page.expect_response("**/state/board"):
        page.clock.fast_forward(21_000)
        page.wait_for_timeout(50)
        answer(asked.pop())
    page.wait_for_timeout(50)
    assert page.locator(".rr-board tbody tr").count() == len(STATES["board"][0].rows) - 1  # type: ignore[attr-defined]
    page.goto("/state/simulator")
    page.route("**/state/simulator", lambda route: asked.append(route))
    page.clock.fast_forward(5_000)
    page.wait_for_timeout(50)
    reply = page.get_by_label("Reply").first
    reply.fill("OK 48")
    with page.expect_response("**/state/simulator"):
        asked.pop().continue_()
    page.wait_for_timeout(50)
    assert reply.input_value() == "OK 48"


def answer(route: Route) -> None:
    """The board a moment later, at last."""
    route.fulfill(body=changed(route.fetch().text()))


def changed(html: str) -> str:
    """The board a moment later."""
    return html.replace("Asha arrives", "A new next step")


def test_a_fault_in_what_is_folded_away_is_reached_from_the_summary(page: Page) -> None:
    page.goto("/state/console-website-faults")
    page.locator(".govuk-error-summary a").click()
    assert page.evaluate("document.activeElement.name") == "suspect.website"


def test_what_was_done_is_said_once(page: Page, base: str) -> None:
    """Loaded again, or passed on, the address no longer says it: the job may be another's by then."""
    page.goto("/state/job-accepted?done=accept&newest=1#finish")
    assert page.evaluate("location.href") == f"{base}/state/job-accepted?newest=1#finish"


@pytest.mark.long
def test_leaving_in_a_hurry_leaves_the_page(page: Page) -> None:
    page.goto("/state/report-form-here")
    page.get_by_role("button", name="Exit this page").click()
    page.wait_for_url("**/somewhere-dull")


@pytest.mark.long
def test_what_was_written_is_there_for_who_comes_back_until_it_is_sent_or_left_in_a_hurry(page: Page) -> None:
    """Whoever takes the phone from her hand and goes back must not read it."""
    words = page.get_by_label("What has happened?")

    def write() -> None:
        page.goto("/report?now=5")
        words.fill("he is still in the kitchen")
        page.get_by_label("Yes, you can ring me").check()

    write()
    page.get_by_role("link", name="Back", exact=True).click()
    page.go_back()
    assert words.input_value() == "he is still in the kitchen"
    page.get_by_role("button", name="Exit this page").click()
    page.wait_for_url("**/somewhere-dull")
    page.go_back()
    assert words.input_value() == ""
    write()
    page.get_by_role("button", name="Send to the council").click()
    assert page.get_by_role("heading", level=1).inner_text() == "We have your report"
    page.go_back()
    assert words.input_value() == ""
    assert not page.get_by_label("Yes, you can ring me").is_checked()


def test_what_is_folded_away_on_the_screen_stands_on_paper(page: Page) -> None:
    page.goto("/state/incident")
    seen = "[...document.querySelectorAll('details ol')].map((list) => list.checkVisibility())"
    assert False in page.evaluate(seen)
    page.emulate_media(media="print")
    assert page.evaluate(seen) == [True] * len(page.evaluate(seen))


@pytest.mark.long
def test_on_paper_there_is_the_case_and_no_buttons(page: Page) -> None:
    page.emulate_media(media="print")
    page.goto("/state/incident")
    assert page.locator(".rr-header").is_hidden()
    assert page.locator("#actions-title").is_hidden()
    assert page.locator("main select:visible, main input:visible").count() == 0
    # A narrative may be longer than what is left of a page.
    report = page.locator(".rr-report").first
    assert report.evaluate("(report) => getComputedStyle(report).breakInside") == "auto"
    assert page.get_by_text("Holds personal data").is_visible()
    assert page.get_by_text("old dears never check").first.is_visible()


@pytest.mark.long
def test_with_forced_colours_the_words_are_enough(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    page.goto("/state/board")
    assert page.get_by_text("Overdue by 12 min").is_visible()
