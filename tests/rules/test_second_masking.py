"""Masking: nothing of a person leaves, and quoted words find their way back."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from string import ascii_uppercase, digits

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

from rapid_response.intake.second.masking import Known, Mask, Masked, mask
from tests.cases import each

YEAR = 2026
KNOWN = Known(
    names=("Mrs Doris Quuxington", "Zoë Ng", "Will May"),
    companies=("Xanadu Roofing Ltd",),
    phones=("+44 7700 900777",),
    emails=("zebedee@example.org",),
    websites=("xanaduroofs.example",),
    plates=("ZX71 QQQ",),
    addresses=("7 Flumph Lane, Bromley",),
    postcodes=("BR1 5BZ",),
    other=("say abracadabra", "WX-77-K"),
)


def masked(text: str, known: Known = KNOWN) -> str:
    return mask(text, known, YEAR).text


@each(
    ("said", "left"),
    [
        ("Doris Quuxington rang", "[NAME] [NAME] rang"),
        ("QUUXINGTON’S door, doris's hat", "[NAME]’S door, [NAME]'s hat"),
        ("zoe and ZOË and Zoe\u0308", "[NAME] and [NAME] and [NAME]"),
        ("he will come, Will said", "he will come, [NAME] said"),
        ("will may rang", "[NAME] rang"),
        ("Xanadu Roofing were here", "[COMPANY] Roofing were here"),
        ("ring 07700 900777 or (07700) 900-777", "ring [PHONE] or [PHONE]"),
        ("+44 (0)7700 900777 now", "[PHONE] now"),
        ("oh seven seven double oh nine", "[NUMBER]"),
        ("zero seven seven hundred 900 one two three four", "zero seven seven hundred [NUMBER]"),
        ("mail zebedee@example.org!", "mail [EMAIL]"),
        ("bob dot x at gmail dot com", "[EMAIL]"),
        ("see https://a.example/?id=1 and xanadu.co.uk", "see [URL] and [URL]"),
        ("xanadu roofs dot co dot uk", "[COMPANY] [URL]"),
        ("in BR1 5BZ, br15bz or SW1A1AA", "in [POSTCODE], [POSTCODE] or [POSTCODE]"),
        ("7 flumph lane or flumph  lane", "[ADDRESS] or [ADDRESS]"),
        ("at 45 Sample Street now", "at [ADDRESS] now"),
        ("Flat 3, 12 Acacia Ave. Help", "[ADDRESS] Help"),
        ("in Larkspur Way, near Rose Cottage", "in [ADDRESS], near [ADDRESS]"),
        ("two men came up the road", "two men came up the road"),
        ("12 men came down the road", "12 men came down the road"),
        ("van zx71qqq, AB12 CDE", "van [PLATE], [PLATE]"),
        ("golf kilo one six x-ray yankee zulu", "[PLATE]"),
        ("card 4929 1234 5678 9012", "card [NUMBER]"),
        ("account 12345678 sort code 20-45-67", "account [NUMBER] sort code [DATE]"),
        ("PIN is 4821, ending 9012", "PIN is [NUMBER], ending [NUMBER]"),
        ("dob 3rd March 1938, born in 1938", "dob [DATE], born in [DATE]"),
        ("her DOB: 03/03/38 she said", "her DOB: [DATE] she said"),
        ("on 12 June 1941 and 12/05/1941", "on [DATE] and [DATE]"),
        ("since 15/07/2026, 14:30", "since 15/07/2026, 14:30"),
        ("wants £1,200 then £450.50", "wants £1,200 then £450.50"),
        ("wants £12000 cash", "wants [AMOUNT] cash"),
        ("£300 07700 900777", "£300 [PHONE]"),
        ("Mr Smith came, Smith left", "Mr [NAME] came, [NAME] left"),
        ("a man called Dave from BT", "a man called [NAME] from BT"),
        ("she will say abracadabra", "she will [OTHER]"),
        ("ref WX-77-K", "ref [OTHER]"),
        ("84, lives alone, lost 2 rings", "84, lives alone, lost 2 rings"),
    ],
)
def test_what_is_left_of_a_text(said: str, left: str) -> None:
    assert masked(said) == left


# --- properties -------------------------------------------------------------------------------------------

_CONSONANTS, _VOWELS = "bcdfghjklmnpqrstvwxz", "aeiou"
_FILLER = ("a man is at the door", "he wants £900", ",", ".\n", "-", "she is 84", "(", "and", "at 3pm", "£")
_DRESSED: tuple[Callable[[str], str], ...] = (str, str.upper, str.lower, str.title)


def a_word(chance: Random) -> str:
    """A made-up word that no lexicon holds."""
    pairs = (chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(chance.randint(3, 5)))
    return "q" + "".join(pairs) + "x"


def letters(chance: Random, count: int) -> str:
    return "".join(chance.choice(ascii_uppercase) for _ in range(count))


def forms(chance: Random) -> tuple[Known, list[str], list[str]]:
    """A form of canaries; how a text may repeat them, and what must then not be left of it."""
    first, last, suspect, company, street, note = (a_word(chance) for _ in range(6))
    phone = "07" + "".join(chance.choice(digits) for _ in range(9))
    plate = f"{letters(chance, 2)}{chance.randint(10, 99)} {letters(chance, 3)}"
    outward = f"{letters(chance, chance.randint(1, 2))}{chance.randint(1, 9)}"
    code = f"{outward} {chance.randint(1, 9)}{letters(chance, 2)}"
    known = Known(
        names=(f"Mrs {first.title()} {last.title()}", suspect),
        companies=(f"{company} Roofing",),
        phones=(phone,),
        emails=(f"{first}.{last}@{company}.example",),
        websites=(f"www.{company}.example",),
        plates=(plate,),
        addresses=(f"12 {street} Lane",),
        postcodes=(code,),
        other=(note,),
    )
    said = [first, f"{first} {last}", suspect, f"{company} roofing", phone, *known.emails, *known.websites]
    said += [plate, code, f"12 {street} lane", f"{street} Lane", note, " ".join(phone)]
    said += [f"{phone[:5]} {phone[5:]}", plate.replace(" ", ""), code.replace(" ", "")]
    canaries = [first, last, suspect, company, phone, plate, plate.replace(" ", ""), code, street, note]
    return known, said, [c.casefold() for c in canaries]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_no_canary_of_any_field_survives(seed: int) -> None:
    chance = Random(seed)
    known, said, canaries = forms(chance)
    parts = [chance.choice([*said, *_FILLER]) for _ in range(chance.randint(1, 12))]
    text = " ".join(chance.choice(_DRESSED)(part) for part in parts)
    left = masked(text, known).casefold()
    assert [c for c in canaries if c in left] == [], text


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("0123456789  -./()£,ab\n٣"), max_size=60))
@example("07700\u200b900777")
@example("£1234567.00")
@example("01/02/26 12345")
@example("1 2 3 4 5")
def test_no_run_of_five_figures_survives(text: str) -> None:
    left = masked(text, Known())
    assert re.search(r"\d{5}", left) is None
    # Nor one that is only spaced out, short of sums with a pound sign and dates of the year.
    plain = re.sub(r"£\s?[\d,.]+|\d{1,2}\s?/\s?\d{1,2}\s?/\s?\d{2,4}", "#", left)
    assert re.search(r"(?:\d[ \-.]?){6}", plain) is None


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.data())
def test_the_way_back_leads_to_the_same_words(text: str, data: st.DataObject) -> None:
    said = f"Doris says {text} and a man is at the door, ring 07700 900777 now {text}"
    result = mask(said, KNOWN, YEAR)
    assert "".join(result.text[p.start : p.end] for p in result.pieces) == result.text
    for piece in result.pieces:
        if piece.is_mask:
            assert result.text[piece.start : piece.end] in set(Mask)
        else:
            assert result.text[piece.start : piece.end] == said[piece.from_ : piece.to]
    first = data.draw(st.integers(0, len(result.text) - 1))
    quote = result.text[first : first + data.draw(st.integers(1, 80))]
    found = result.find(quote)
    if found is not None:
        start, end = found
        assert 0 <= start < end <= len(said)
        assert mask_of(result, start, end).casefold().split() != []


def mask_of(result: Masked, start: int, end: int) -> str:
    return "".join(result.text[p.start : p.end] for p in result.pieces if p.from_ < end and p.to > start)


# --- quotations -------------------------------------------------------------------------------------------

TEXT = "Doris says “a man’s  at the door”, ring 07700 900777 at once. He says Doris must pay."


@each(
    ("quote", "words"),
    [
        ("a man’s  at the door", "a man’s  at the door"),
        ("A MAN'S at the\ndoor", "a man’s  at the door"),
        ("[NAME] says \"a man's", "Doris says “a man’s"),
        ("ring [PHONE] at once", "ring 07700 900777 at once"),
        ("must pay.", "must pay."),
    ],
)
def test_quoted_words_are_found_in_the_original(quote: str, words: str) -> None:
    found = mask(TEXT, KNOWN, YEAR).find(quote)
    assert found is not None
    assert TEXT[slice(*found)] == words


@each(
    "quote", ["", " ", "door", "[NAME]", "[NAME] [PHONE]", "a woman at the door", "an’s at the doo", "07700"]
)
def test_what_does_not_stand_there_or_says_nothing_is_not_found(quote: str) -> None:
    assert mask(TEXT, KNOWN, YEAR).find(quote) is None


@pytest.mark.long
def test_a_long_hostile_text_is_masked_in_time() -> None:
    """Nothing grows faster than the text: these patterns are tried on what would make them stumble."""
    for unit in ("0 ", "a@", "a.", "1-", "a-", "Mr A", "Aa Aa ", "12 aa aa ", "one two ", "£1", "dob ", "("):
        assert isinstance(masked(unit * (20_000 // len(unit))), str)
