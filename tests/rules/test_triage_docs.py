"""The rules are published as they are, and never change under an old version."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path

import yaml

from rapid_response.intake.rules import RULEBOOK, as_markdown

PAGE = Path(__file__).parents[2] / "docs" / "triage.md"
BEGIN, END = "<!-- rules: begin -->\n", "\n<!-- rules: end -->"
#: What the rules of each version were. A changed rule gets a new version and a new line here.
PUBLISHED = {"1": "08998cfc8cb3e658", "2": "e0a7c5ce6d5a0c6d"}


def test_the_page_shows_the_rules_as_they_are() -> None:
    page = PAGE.read_text(encoding="utf-8")
    shown = page[page.index(BEGIN) + len(BEGIN) : page.index(END)]
    assert shown == as_markdown(), (
        "Put the output of rapid_response.intake.rules.as_markdown() into docs/triage.md."
    )


def test_changed_rules_have_a_new_version() -> None:
    text = files("rapid_response.intake").joinpath("triage_rules.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    decides = {name: data[name] for name in ("groups", "ordinary_trade", "rules", "escalators")}
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]
    assert PUBLISHED.get(RULEBOOK.version) == digest, (
        "The rules changed: give them a new version in the data."
    )
