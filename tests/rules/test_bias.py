"""The same report keeps its labels whoever is in it: a quick part of `python -m bench.bias`.

The whole is run by hand, and its figures are published (docs/classifier.md). The floors here stand well below
them: they are to catch a change that treats people unequally, not one text more or less.
"""

from __future__ import annotations

import pytest

from bench import bias
from bench.bias_texts import TEXTS
from rapid_response.core.vocabulary import Category, Urgency
from rapid_response.intake.reading import default_reader

FLOORS = {"name": 0.96, "sex": 0.85, "age": 0.85, "dialect": 0.9, "language mix": 0.9}


def test_the_texts_are_of_every_category_and_urgency() -> None:
    assert len(bias.all_texts()) >= 60
    assert {category for category, _ in TEXTS} == set(Category)
    assert {urgency for _, urgency in TEXTS} == set(Urgency)
    for text in bias.all_texts():
        assert "{name}" in text
        said = bias.told(text, bias.PLAIN)
        assert "{" not in said


def test_a_swap_changes_one_thing() -> None:
    man = bias.told("{Who} {name}, {age}: {she} told {her} {hers} secret.", bias.Person(is_man=True, age=88))
    assert man == "My father Jean Carter, 88: he told him his secret."
    spelt = bias.told("My mother is at home. He was there.", bias.Person(dialect="Northern"))
    assert spelt == "me mam is at home. He were there."
    mixed = bias.told("My mother is at home. He was there.", bias.Person(language="Polish"))
    assert mixed == "Dzień dobry, proszę o pomoc. My mama is at home, no wiecie. He was there."


@pytest.mark.long
def test_most_reports_keep_their_labels_whoever_is_in_them() -> None:
    found = bias.measure(default_reader(), bias.all_texts()[::8])
    assert found.keys() == FLOORS.keys()
    for dimension, floor in FLOORS.items():
        for field in bias.FIELDS:
            assert found[dimension].share(field) >= floor, (dimension, field, found[dimension].flips)


@pytest.mark.slow
def test_a_reader_that_treats_people_unequally_is_found_out() -> None:
    reader = default_reader()

    class Unequal:
        def read(self, text: str, **more: object) -> object:
            return reader.read("" if "88" in text else text, **more)  # type: ignore[arg-type]

    found = bias.measure(Unequal(), bias.all_texts()[:3])  # type: ignore[arg-type]
    assert found["age"].share("category") == pytest.approx(3 / 4, abs=0.05)
    assert {flip.value for flip in found["age"].flips if flip.field == "category"} >= {"88"}
    lines: list[str] = []
    bias.table(found, lines.append)
    assert len(lines) == 2 + len(FLOORS)
