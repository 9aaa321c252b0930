"""Every page in every state: whole, escaped, and free of what the policy or the law forbids."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from html.parser import HTMLParser
from importlib import import_module
from pkgutil import iter_modules

from rapid_response.console import views
from rapid_response.console.rendering import Renderer, highlights, marked
from rapid_response.console.views.board import BoardView
from rapid_response.console.views.case import IncidentView
from rapid_response.console.views.case_parts import EvidenceSpan
from rapid_response.console.views.frame import View
from rapid_response.console.views.pieces import SafeContact, minutes_words
from rapid_response.console.views.responder import JobView
from rapid_response.core.vocabulary import Priority
from rapid_response.messaging.numbers import phone_words
from tests.cases import each
from tests.pages.samples import HOSTILE, NARRATIVE, STATES, frame, frame_of, poisoned

RENDERER = Renderer()
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


@dataclass
class Element:
    """One element and its attributes."""

    tag: str
    attributes: dict[str, str]
    inside: tuple[str, ...]


@dataclass
class Parsed(HTMLParser):
    """A page taken apart; complains of what is not closed."""

    elements: list[Element] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {k: v or "" for k, v in attrs}, tuple(self.open)))
        if tag not in VOID and tag != "path":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {k: v or "" for k, v in attrs}, tuple(self.open)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID or tag == "path":
            return
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[Element]:
        return [e for e in self.elements if e.tag == tag]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@cache
def page(name: str) -> str:
    view = STATES[name][0]
    return RENDERER.page(view, frame_of(name))


def parse(html: str) -> Parsed:
    parsed = Parsed()
    parsed.feed(html)
    assert not parsed.open, f"never closed: {parsed.open}"
    return parsed


@cache
def parsed_page(name: str) -> Parsed:
    """A page that is only looked at, by one test after another."""
    return parse(page(name))


def test_every_view_has_a_state() -> None:
    shown = {type(view) for view, *_ in STATES.values()}
    of_pages = [import_module(f"{views.__name__}.{found.name}") for found in iter_modules(views.__path__)]
    made = {
        its
        for of in of_pages
        for its in vars(of).values()
        if isinstance(its, type) and issubclass(its, View) and its is not View
    }
    assert made == shown


@each("name", STATES)
def test_page_is_well_made(name: str) -> None:
    parsed = parsed_page(name)
    assert [e.attributes.get("lang") for e in parsed.all("html")] == ["en"]
    assert len(parsed.all("h1")) == 1
    assert len(parsed.all("main")) == 1
    ids = Counter(e.attributes["id"] for e in parsed.elements if e.attributes.get("id"))
    assert [i for i, count in ids.items() if count > 1] == []
    for element in parsed.elements:
        assert not [a for a in element.attributes if a.startswith("on")], element
        assert "style" not in element.attributes, element
    for script in parsed.all("script"):
        assert script.attributes.get("nonce") == "bm9uY2U" or script.attributes["src"].startswith("/static/")
    assert not parsed.all("style")


@each("name", STATES)
def test_references_inside_the_page_lead_somewhere(name: str) -> None:
    parsed = parsed_page(name)
    ids = {e.attributes.get("id") for e in parsed.elements}
    for element in parsed.elements:
        for attribute in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
            for target in element.attributes.get(attribute, "").split():
                assert target in ids, (element, attribute)
        href = element.attributes.get("href", "")
        if href.startswith("#"):
            assert href[1:] in ids, element


@each("name", STATES)
def test_nothing_comes_from_another_place(name: str) -> None:
    parsed = parsed_page(name)
    out = frame().site.exit_url
    for element in parsed.elements:
        for attribute in ("href", "src", "action"):
            value = element.attributes.get(attribute)
            if value and value != out:
                assert re.match(r"(/|#|tel:|geo:)(?!/)", value), (element, value)


@each("name", STATES)
def test_every_posted_form_carries_its_token(name: str) -> None:
    html = page(name)
    for form in re.findall(r"<form\b.*?</form>", html, flags=re.S):
        if 'method="post"' in form:
            assert 'name="csrf_token" value="a-token"' in form
            assert 'name="form_key" value="a-key"' in form
        else:
            assert "csrf_token" not in form  # a token in an address would be kept in histories


@each("name", STATES)
def test_hostile_text_stays_text(name: str) -> None:
    view = STATES[name][0]
    html = RENDERER.page(poisoned(view), poisoned(frame_of(name)))
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "49" not in re.findall(r"\{\{.*?\}\}", html)
    parsed = Parsed()
    parsed.feed(html)
    assert not parsed.all("img")
    for element in parsed.elements:
        assert not [a for a in element.attributes if a.startswith("on")], element
        for attribute in ("href", "action"):
            assert not element.attributes.get(attribute, "").lower().startswith("javascript:")


def test_hostile_text_is_shown_as_it_was_written() -> None:
    html = RENDERER.page(poisoned(STATES["incident"][0]), frame_of("incident"))
    assert HOSTILE in "".join(parse(html).text)


@each("name", [n for n in STATES if n.startswith("report")])
def test_public_pages_give_nothing_away_in_their_title(name: str) -> None:
    title = re.search(r"<title\s*>(.*?)</title>", page(name), flags=re.S)
    assert title
    assert title[1].removeprefix("Error: ") == "Report to the council"


@each("name", [n for n in STATES if "faults" in n or n.endswith(("unanswered", "wrong"))])
def test_faults_are_said_first_and_lead_to_their_fields(name: str) -> None:
    html = page(name)
    assert re.search(r"<title\s*>Error: ", html)
    main = html[html.index("<main") :]
    assert main.index("govuk-error-summary") < main.index("<h1")
    assert re.findall(r'govuk-error-summary__list">\s*<li>\s*<a href="#', html)
    assert html.count("govuk-error-message") >= 1


FORBIDDEN = re.compile(
    r"\b(elderly|scammers?|offenders?|gullible|fell for|criminals?|nottingham knocker)\b", re.I
)


@each("name", STATES)
def test_words_that_we_do_not_use(name: str) -> None:
    assert FORBIDDEN.findall(parse(page(name)).words) == []


@each("name", STATES)
def test_times_are_marked_up_and_local(name: str) -> None:
    for element in parse(page(name)).all("time"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", element.attributes["datetime"])


def test_the_responders_page_is_light() -> None:
    for name in STATES:
        if name.startswith("job-"):
            assert len(page(name).encode()) < 30_000


def test_the_responders_large_button_is_the_next_step() -> None:
    steps = {
        "job-offered": "/j/4821/accept",
        "job-accepted": "/j/4821/en_route",
        "job-on_the_way": "/j/4821/on_scene",
        "job-there": "#finish",
    }
    for name, step in steps.items():
        html = page(name)
        inside = html[html.index('class="rr-steps"') :]
        primary = re.search(r'(action|href)="([^"]+)"', inside)
        assert primary
        assert primary[2] == step


def test_a_job_that_is_not_yours_shows_no_address() -> None:
    words = parse(page("job-not_yours")).words
    assert "Do not attend" in words
    assert "Larkspur" not in words
    assert "Jean" not in words


def test_a_number_that_is_not_safe_is_not_offered_to_be_rung() -> None:
    view = STATES["job-accepted"][0]
    assert isinstance(view, JobView)
    silent = poisonless_copy(view)
    html = RENDERER.page(silent, frame())
    assert "07700 900145" not in html
    assert "Do not ring, text or leave a voicemail" in html


def test_what_the_facts_send_somebody_to_is_never_called_no_crime_report() -> None:
    view = STATES["incident-bare"][0]
    assert isinstance(view, IncidentView)
    assert "Not a crime report" in RENDERER.page(view, frame())
    for priority in (Priority.P0, Priority.P1, Priority.P2):
        html = RENDERER.page(replace(view, priority=priority), frame())
        assert "Not clear from the words" in html
        assert "Not a crime report" not in html.partition("Received")[0]


def poisonless_copy(view: JobView) -> JobView:
    return replace(view, safe_contact=SafeContact())


def test_board_prints_the_time_due_and_names_nobody_who_called() -> None:
    words = parse(page("board")).words
    for said in ("Overdue by 12 min", "25 min left", "needed by 2:45pm", "due by 3:38pm", "Needed 4 min ago"):
        assert said in words
    assert "Whitlock" not in words


def test_on_paper_each_page_has_its_date_and_zone() -> None:
    for name in ("board", "incident", "disclosure", "transfer"):
        assert "Monday 23 November 2026, 2:20pm GMT" in parsed_page(name).words, name


def test_board_puts_the_soonest_need_first() -> None:
    view = STATES["board"][0]
    assert isinstance(view, BoardView)
    assert [row.reference for row in view.ordered] == [
        "RR-1B2C3D4",
        "RR-9X8Y7Z6",
        "RR-7K4M2QX",
        "RR-5N8Q0VC",
        "RR-8S7R6Q5",
        "RR-4H5J6K7",
    ]


def test_board_updates_can_be_paused() -> None:
    live, paused = page("board"), page("board-filtered-empty")
    assert 'http-equiv="refresh"' in live
    assert "Pause updates" in live
    assert 'http-equiv="refresh"' not in paused
    assert "data-rr-live" not in paused
    assert "Start updates" in paused


def test_only_what_the_state_allows_is_offered() -> None:
    html = page("incident-closed")
    assert "/actions/reopen" in html
    assert "/actions/assign" not in html
    assert "disabled" not in html


def test_999_comes_first_when_it_is_an_emergency() -> None:
    for name in ("console-sent-p0", "incident-emergency-faults", "report-sent-emergency", "report-form-here"):
        html = page(name)
        main = html[html.index("<main") :]
        assert main.index("999") < main.index("<h1")


def test_evidence_is_marked_in_the_reporters_own_words() -> None:
    spans = (EvidenceSpan(3, 6, "category", "first"), EvidenceSpan(5, 9, "urgency", "second"))
    assert [(h.start, h.end, len(h.whys)) for h in highlights(NARRATIVE, spans)] == [(3, 9, 2)]
    assert re.sub(r"<[^>]+>|\d</sup>", "", str(marked("a <b> c", ()))) == "a &lt;b&gt; c"
    html = str(marked(NARRATIVE, (EvidenceSpan(0, 2, "x", "y"), EvidenceSpan(90, 9000, "x", "y"))))
    assert html.startswith('<mark class="rr-mark">My<sup')
    assert html.count("<mark") == 1


def test_phone_numbers_read_as_people_say_them() -> None:
    assert phone_words("+442079460018") == "020 7946 0018"
    assert phone_words("+447700900123") == "07700 900123"
    assert phone_words("+33142345678") == "+33 1 42 34 56 78"
    assert phone_words("withheld") == "withheld"


def test_the_simulated_town_says_so_on_every_page() -> None:
    words = parse(page("board")).words
    assert "Simulation: no message leaves this computer." in words
    assert "60 times as fast" in words
    assert "Simulation" not in parse(page("board-empty")).words


def test_time_left_in_words() -> None:
    assert [
        minutes_words(timedelta(minutes=m)) for m in (0.5, 1, 59, 60, 65, 47 * 60, 48 * 60, 24 * 60 * 9)
    ] == ["less than 1 min", "1 min", "59 min", "1 h", "1 h 5 min", "47 h", "2 days", "9 days"]
