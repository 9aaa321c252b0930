"""What a narrative names, where it stands, and what in it is nobody's mark."""

from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapid_response.intake.matching.mining import mine
from rapid_response.intake.matching.profile import Told, identify
from tests.cases import each

ON = date(2026, 7, 15)


@each(
    ("text", "kind", "value", "words"),
    [
        ("He rang her from 07700 900456 twice.", "phone", "+447700900456", "07700 900456"),
        ("he texted, oh double seven double oh nine double oh four five six", "phone", "+447700900456", None),
        ("White van, reg GK16 XYZ, went off.", "plate", "gk16xyz", "GK16 XYZ"),
        (
            "and it was golf kilo one six x-ray yankee zulu",
            "plate",
            "gk16xyz",
            "golf kilo one six x-ray yankee zulu",
        ),
        ("part reg LK19, blue", "plate", "lk19", "LK19"),
        ("reg ends KDX. bought nothing", "plate", "kdx", "KDX"),
        ("They came from Apex Roofing Ltd.", "company", "apex roofing", "Apex Roofing Ltd"),
        ("the van said Smith & Sons Fencing on it", "company", "smith sons fencing", "Smith & Sons Fencing"),
        (
            "trading as kingfisher driveways he said",
            "company",
            "kingfisher driveways",
            "kingfisher driveways",
        ),
        ("the card has www.apexroofs.co.uk on it", "website", "apexroofs.co.uk", "www.apexroofs.co.uk"),
        ("go to apexroofs dot co dot uk", "website", "apexroofs.co.uk", "apexroofs dot co dot uk"),
    ],
)
def test_a_mark_is_found_where_it_stands(text: str, kind: str, value: str, words: str | None) -> None:
    found = [m for m in mine(text) if m.kind == kind]
    assert [m.value for m in found] == [value]
    assert words is None or text[found[0].start : found[0].end] == words


@each(
    "text",
    [
        "Please call me back on 07700 900111.",
        "My mum's number is 01632 960555.",
        "caller on 07700 900111, neighbour",
        "They come again in 10 min, BR1 3UH, paid £07000000000",
        "card 4929 1234 5678 9012 was cloned",
        "He said he was from Microsoft and Barclays Bank",
        "email him at joe@apexroofs.co.uk",
        "a man called John Smith, for a limited time",
        "Mike and Charlie came at two, at 14 Elm Road",
        "see www.teamviewer.com and facebook.com",
        "ref AB12 the men said so",
    ],
)
def test_what_is_nobodys_mark_is_left_alone(text: str) -> None:
    assert mine(text) == ()


def test_a_number_that_no_word_assigns_counts_for_less() -> None:
    (said,) = mine("Number 020 7946 0123.")
    assert said.weight < 1


def test_what_was_answered_beats_what_the_words_name() -> None:
    told = Told("reg LN19 ABC, from 07700 900456", ON, suspect={"vehicle_registration": "GK16 XYZ"})
    profile = identify(told)
    assert [i.value for i in profile.of("suspect", "plate")] == ["gk16xyz"]
    assert [i.value for i in profile.of("suspect", "phone")] == ["+447700900456"]


def test_the_callers_own_number_in_the_words_is_not_the_suspects() -> None:
    told = Told("He has a van. 07700 900456.", ON, caller={"phone": "07700900456"})
    assert identify(told).of("suspect", "phone") == []


def test_age_and_vulnerability_identify_nobody() -> None:
    bare = Told("He came.", ON, victim={"name": "Joan Whitfield"})
    more = Told(
        "He came.",
        ON,
        victim={"name": "Joan Whitfield", "age": 84, "vulnerabilities": ["dementia"], "lives_alone": True},
    )
    assert identify(bare) == identify(more)


HOSTILE = [
    "a ",
    "07 ",
    "golf kilo ",
    "a.b.",
    "Aa ",
    "called ",
    "double ",
    "reg ",
    "www.",
    "0",
    "Roofing ",
    "x ltd ",
    "(0",
]


@pytest.mark.slow
@each("piece", HOSTILE)
def test_a_hostile_text_costs_little(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    identify(Told(text[:100], ON))
    began = time.process_time()
    profile = identify(Told(text, ON))
    assert time.process_time() - began < 0.5
    assert len(profile.keys) < 60


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text(max_size=60))
def test_no_text_breaks_identifying(narrative: str, line: str) -> None:
    parts = {
        "name": line,
        "phone": line,
        "company": line,
        "website": line,
        "vehicle_registration": line,
        "address": line,
    }
    profile = identify(Told(narrative, ON, parts, parts, parts, parts))
    assert all(narrative[m.start : m.end] for m in profile.mentions)
    assert all(len(key) <= 120 for key in profile.keys)
    assert all(0 < len(i.value) <= 200 for i in profile.identifiers)
