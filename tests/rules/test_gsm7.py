"""The alphabet of a text, and how long a text is in it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rapid_response.messaging.gsm7 import foreign, is_gsm7, normalise, segments, septets
from tests.cases import each


@each(
    ("written", "sent"),
    [
        ("plain text, 24 h: 15:10!", "plain text, 24 h: 15:10!"),
        ("\u201cSt Paul\u2019s Cray\u201d", '"St Paul\'s Cray"'),
        ("a \u2013 b \u2014 c \u2212 d", "a - b - c - d"),
        ("wait\u2026", "wait..."),
        ("no\u00a0break\u2009thin\ttab", "no break thin tab"),
        ("\u0060tick\u00b4", "'tick'"),
        ("d\u0175r t\u00fd \u00e2", "dwr ty a"),
        ("caf\u00e9 cafe\u0301", "café café"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("\u00a33,500 and \u20ac20", "£3,500 and €20"),
        ("\U0001f44d \u4f60", "? ?"),
        ("\uff2f\uff2b", "OK"),
    ],
)
def test_what_has_a_plain_spelling_gets_it(written: str, sent: str) -> None:
    assert normalise(written) == sent


@each(
    ("text", "cost"), [("", 0), ("abc", 3), ("£@é", 3), ("€", 2), ("[x]", 5), ("^{}\\~|", 12), ("\u2026", 3)]
)
def test_t2_an_extended_character_costs_two(text: str, cost: int) -> None:
    assert septets(text) == cost


@each(
    ("text", "parts"),
    [
        ("", 0),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # 153 is odd, so an escape never ends a part: 76 pairs a part.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("a" * 159 + "€", 2),
        ("a" * 459, 3),
        ("a" * 460, 4),
        # Nothing foreign leaves: a surrogate pair becomes one question mark, and 71 are no second part.
        ("\U0001f44d" * 70, 1),
        ("\U0001f44d" * 71, 1),
        ("\u0175" * 160, 1),
        ("\U0001f44d" * 161, 2),
    ],
)
def test_t2_a_long_text_travels_in_parts(text: str, parts: int) -> None:
    assert segments(text) == parts


def test_what_stays_foreign_is_counted() -> None:
    assert foreign("why? \U0001f44d\U0001f44d") == 2
    assert foreign("why?") == 0


@settings(max_examples=150)
@given(st.text())
def test_normalising_always_ends_inside_the_alphabet_and_settles(text: str) -> None:
    once = normalise(text)
    assert is_gsm7(once)
    assert normalise(once) == once
    assert septets(text) == septets(once)
