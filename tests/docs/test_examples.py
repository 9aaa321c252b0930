"""The commands in the pages do what the pages say, against a service of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from tests.docs.pages import PAGES, Example, examples, named
from tests.docs.service import Evaluation, Shell, evaluation

TRIED = ("README.md", "docs/partners-api.md", "docs/install.md")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evaluation]:
    with evaluation(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def shell(service: Evaluation) -> Iterator[Shell]:
    opened = Shell(service)
    yield opened
    opened.close()


@pytest.mark.long
def test_the_commands_of_the_pages_print_what_is_shown(shell: Shell) -> None:
    """One test, because the README's tour begins with an empty database and the others follow it."""
    tried = [example for page in TRIED for example in examples(page)]
    assert len(tried) > 20
    for example in tried:
        follow(shell, example)


def follow(shell: Shell, example: Example) -> None:
    printed = shell.run(example.commands)
    missing = example.missing(printed)
    if missing is not None and example.only_reads:
        for printed in shell.tried(example.commands):
            missing = example.missing(printed)
            if missing is None:
                break
    assert missing is None, f"{example.place}: not printed: {missing!r}. Printed was:\n{printed}"


@pytest.mark.long
def test_every_address_that_the_readme_links_to_is_there(service: Evaluation) -> None:
    linked = {path for _, path in named(r"\(http://127\.0\.0\.1:8000(/[^)]*)\)")}
    assert linked
    for path in linked:
        assert httpx.get(service.base_url + path, timeout=30).status_code == 200, path


@pytest.mark.long
def test_every_call_that_a_page_names_is_in_the_description(service: Evaluation) -> None:
    described = httpx.get(f"{service.base_url}/openapi.json", timeout=30).json()["paths"]
    known = {(method.upper(), blank(path)) for path, methods in described.items() for method in methods}
    for page in PAGES:
        for _, call in named(r"((?:GET|POST) /api/v1[^\s`?\[]*)", [page]):
            method, path = call.split(" ")
            assert (method, blank(path)) in known, f"{page}: {call}"


def blank(path: str) -> str:
    """A page names all actions at once, the description each by itself."""
    return re.sub(r"\{[^}]*\}", "{}", re.sub(r"(?<=/actions/)[a-z_]+", "{}", path))


@pytest.mark.long
def test_a_responder_finds_the_address_behind_her_sign_in(service: Evaluation) -> None:
    """Step 6 of the tour, in a browser's place."""
    key = {"Authorization": f"Bearer {service.key}"}
    with httpx.Client(base_url=service.base_url, headers=key, timeout=30) as desk:
        report = {
            "channel": "phone",
            "narrative": "A man wants to be paid for a roof this afternoon.",
            "location": {"address": "34 Sample Street"},
            "answers": {"payment_pending": True},
        }
        reference = desk.post("/api/v1/reports", json=report).raise_for_status().json()["reference"]
        assigned = desk.post(f"/api/v1/incidents/{reference}/actions/assign", json={"responder": "ben"})
        job = assigned.raise_for_status().json()["job_number"]
    with httpx.Client(base_url=service.base_url, follow_redirects=True, timeout=30) as browser:
        assert "34 Sample Street" not in browser.get(f"/j/{job}").text
        form = unescape(browser.get(f"/sign-in?next=/j/{job}").text)
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
        page = browser.post(
            "/sign-in", data={**hidden, "name": "ben", "password": service.passwords["ben"]}
        ).raise_for_status()
        assert "34 Sample Street" in page.text
        assert "On my way" in page.text
        assert str(job) in browser.get("/j").text


@pytest.mark.long
def test_what_is_shown_is_looked_for(tmp_path: Path) -> None:
    """The test of the pages would notice."""
    example = Example("here", "true", ("priority: P1", "job … is yours"))
    assert example.missing("x\n  priority: P1,\njob 4821 is yours") is None
    assert example.missing("job 4821 is yours\npriority: P1") == "job … is yours"
    assert example.missing("") == "priority: P1"


@pytest.mark.long
def test_a_scrape_has_what_was_reported_before_it(service: Evaluation) -> None:
    """Events are counted once a second: a scrape has them counted that came before it."""
    with httpx.Client(base_url=service.base_url, timeout=30) as client:
        key = {"Authorization": f"Bearer {service.key}"}
        for _ in range(5):
            before = contacts(client)
            report = {"channel": "web", "narrative": "Somebody wants cash for a roof."}
            assert client.post("/api/v1/reports", json=report, headers=key).status_code == 201
            assert contacts(client) == before + 1


def contacts(client: httpx.Client) -> float:
    found = re.search(
        r'^rapid_response_contacts_total\{channel="web"\} (\S+)$', client.get("/metrics").text, re.M
    )
    return float(found[1]) if found else 0.0
