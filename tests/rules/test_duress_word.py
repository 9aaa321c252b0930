"""Which word may raise a silent alarm, where it is heard, and that nothing quotes it."""

from __future__ import annotations

import re
import string
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapid_response.core import duress
from rapid_response.core.definition import LoneWorker
from rapid_response.core.vocabulary import ContactRole
from rapid_response.definition import DefinitionFaults, changes, export
from rapid_response.definition.load import parse
from rapid_response.dispatch import words
from rapid_response.messaging import wording
from tests.builders import small_town
from tests.cases import each
from tests.rules.test_wording import SAID, extremes

WORD = "heliotrope"


def with_word(word: object) -> str:
    return small_town(lone_worker={"check_in_every": "PT30M", "then": ["duty_officer"], "duress_word": word})


@each(
    "text",
    [
        "heliotrope",
        "HELIOTROPE",
        "SAFE 4821 heliotrope",
        "4821heliotrope",
        "heliotrope4821 thanks",
        "Is there any heliotrope, mum?",
        "\uff28\uff45\uff4c\uff49\uff4f\uff54\uff52\uff4f\uff50\uff45",
        "helio\u200btrope",
        "> heliotrope",
        "heliotrope\nSent from my iPhone",
    ],
)
def test_it_is_heard_in_any_text(text: str) -> None:
    assert duress.says(text, WORD)


@each("text", ["", "heliotropes", "helio trope", "hel1otrope", "safe 4821", "heliotrop"])
def test_and_only_whole(text: str) -> None:
    assert not duress.says(text, WORD)
    assert not duress.says(f"{text} {WORD}", None)


@given(st.text(), st.text())
def test_no_text_is_too_odd(before: str, after: str) -> None:
    assert duress.says(f"{before} {WORD} {after}", WORD)


@each(
    "word",
    ["ok", "no", "safe", "stop", "END", "Cancel", "helped", "duty", "job", "thanks", "it", "a b", "b4"],
)
def test_what_it_may_not_be(word: str) -> None:
    assert duress.why_not(word)


@each("word", ["xy", "thirteenchars", "blue bell", "blu3bell", "bl\u00fcebell", "", 7, True, ["x"]])
def test_a_fault_is_said_without_the_word(word: object) -> None:
    with pytest.raises(DefinitionFaults) as caught:
        parse(with_word(word), "town.yaml")
    (fault,) = caught.value.faults
    assert fault.field == "lone_worker.duress_word"
    assert "3 to 12 letters" in fault.message
    if isinstance(word, str) and word:
        assert word not in str(caught.value)


def test_a_reserved_one_is_not_quoted_either() -> None:
    with pytest.raises(DefinitionFaults) as caught:
        parse(with_word("unsubscribe"), "town.yaml")
    assert "unsubscribe" not in str(caught.value)


def test_it_survives_export_and_no_change_of_it_is_printed() -> None:
    with_it, without = parse(with_word("Heliotrope"), "a"), parse(small_town(), "b")
    assert with_it.lone_worker is not None
    assert with_it.lone_worker.duress_word == WORD
    assert parse(export(with_it), "c") == with_it
    other = parse(with_word("marigold"), "d")
    for old, new, said in (
        (without, with_it, "added"),
        (with_it, other, "changed"),
        (other, without, "removed"),
    ):
        lines = changes(old, new)
        assert f"lone_worker.duress_word: {said}" in lines
        assert not any(word in line for line in lines for word in (WORD, "marigold"))
    for shown in (repr(with_it.lone_worker), repr(LoneWorker(timedelta(), (ContactRole.DESK,), WORD))):
        assert WORD not in shown


def in_texts(text: str) -> set[str]:
    found = re.findall("[a-z]+", text.casefold().replace("'", ""))
    return {word for word in found if duress.SHORTEST <= len(word) <= duress.LONGEST}


@pytest.mark.slow
def test_no_reply_word_and_no_word_of_our_own_texts_can_be_one() -> None:
    phrases = [*words.COMMANDS, *words.WITH_NUMBER, *words.CODES, *words.OPT_OUT, *words.OPT_IN]
    single = words.HELP | words.NEGATIONS | words.QUESTIONS | words.REACTIONS | words.FILLERS | words.TRAILERS
    said = [" ".join(phrase) for phrase in (*phrases, *words.COURTESIES)]
    said += [*single, *words.BEFORE_CODE, *wording.SITUATIONS]
    ours = [text for name in SAID for job, at, now in extremes() for text in SAID[name](job, at, now)]
    # What a council or a test brings with it: addresses of pages and a long name.
    foreign = {
        "www",
        "http",
        "https",
        "gov",
        "bromley",
        "example",
        "rapid",
        "council",
        "long",
        "very",
        "name",
    }
    foreign |= {string.ascii_lowercase[22] * 12}
    unreserved = set().union(*map(in_texts, (*said, *ours))) - duress.RESERVED - foreign
    assert unreserved == set()
