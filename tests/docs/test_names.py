"""What the pages name is there: files, headings, targets, commands, settings, metrics."""

from __future__ import annotations

import re
from urllib.parse import unquote

import typer

from rapid_response.cli.commands import commands
from rapid_response.settings import PREFIX, SECRETS, Settings
from tests.cases import each
from tests.docs.pages import PAGES, ROOT, anchors, links, named, text_of

#: Words that wrong the people they are said of.
_NOT_OUR_WORDS = ("elderly", "scammer", "gullible", "fell for")


@each("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert file.exists(), f"{page} leads to {target}, which is not there"
        if anchor:
            assert anchor in anchors(str(file.relative_to(ROOT))), f"{page}: {target} has no such heading"


def test_every_page_is_in_the_index() -> None:
    listed = {target.partition("#")[0] for target in links("docs/README.md")}
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").glob("*.md")}
    assert pages - listed == {"README.md"}


def test_make_targets() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", text_of("Makefile"), re.M))
    for page, target in named(r"(?:`|^ +|\$ )make ([a-z-]+)"):
        assert target in targets, f"{page}: make {target}"


def test_commands() -> None:
    known = set(typer.main.get_command(commands).commands)  # type: ignore[attr-defined]
    used = named(r"(?:`|^ +|^\$ |/|\| )rapid-response ([a-z][a-z-]*)")
    assert len(used) > 10
    for page, name in used:
        assert name in known, f"{page}: rapid-response {name}"


#: What the environment says to every program that asks something on the network.
EVERYBODYS = {"HTTPS_PROXY", "NO_PROXY"}


def test_settings() -> None:
    names = {PREFIX + name.upper() for name in Settings.model_fields}
    names |= {f"{PREFIX}{name.upper()}_FILE" for name in SECRETS}
    for page, name in named(rf"\b({PREFIX}[A-Z_]+)"):
        assert name in names or name.startswith("RAPID_RESPONSE_TEST_"), f"{page}: {name}"
    for page, name in named(r"`([A-Z]+_[A-Z_]*[A-Z])(?:=[^`]*)?`"):
        is_for_tests = name.startswith("RAPID_RESPONSE_TEST_")
        assert is_for_tests or {name, PREFIX + name} & (names | EVERYBODYS), f"{page}: {name}"


def test_metrics() -> None:
    source = text_of("rapid_response/reporting/metrics.py")
    found = named(r"\brapid_response_([a-z_]+)\b(?!/)")
    assert len(found) > 10
    for page, name in found:
        plain = re.sub(r"_(total|bucket|sum|count)$", "", name)
        assert re.search(rf'["}}]{plain}"', source), f"{page}: rapid_response_{name}"


@each("page", [page for page in PAGES if page != "CONTRIBUTING.md"])
def test_words_that_are_not_used(page: str) -> None:
    said = text_of(page).lower()
    assert [word for word in _NOT_OUR_WORDS if word in said] == []
