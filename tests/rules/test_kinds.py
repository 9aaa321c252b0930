"""What a person calls a report: one of the kinds, or words that belong in a note."""

from __future__ import annotations

from pathlib import Path

import yaml

import rapid_response
from rapid_response.console.words import SUBTYPES
from rapid_response.core.kinds import KINDS, kind_named

_INTAKE = Path(rapid_response.__file__).parent / "intake"


def test_every_kind_that_reader_rules_and_pages_know_is_one() -> None:
    read = set(yaml.safe_load((_INTAKE / "reading/data/rules.yaml").read_text())["subtypes"])
    assert read | set(SUBTYPES) <= KINDS
    assert _subtypes_in(yaml.safe_load((_INTAKE / "triage_rules.yaml").read_text())) <= KINDS


def _subtypes_in(rules: object) -> set[str]:
    match rules:
        case {"subtype": list(named), **rest}:
            return {*named, *_subtypes_in(rest)}
        case dict():
            return set().union(*(_subtypes_in(value) for value in rules.values()))
        case list():
            return set().union(*(_subtypes_in(value) for value in rules))
    return set()


def test_a_kind_is_known_however_it_is_written() -> None:
    for written in ("rogue_trader", "Rogue trader", " ROGUE-TRADER "):
        assert kind_named(written) == "rogue_trader"
    for written in ("", "Mrs Whitlock's roof", "rogue trader at number 14"):
        assert kind_named(written) is None
