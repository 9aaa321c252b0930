"""Phone numbers as people write them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rapid_response.messaging.numbers import is_uk_mobile, normalise_number
from tests.cases import each


@each(
    "written",
    [
        "+447700900101",
        "07700900101",
        "07700 900101",
        "07700-900-101",
        "(07700) 900 101",
        "+44 (0)7700 900101",
        "0044 7700 900101",
        "447700900101",
        " tel:+447700900101 ",
    ],
)
def test_one_number_however_written(written: str) -> None:
    assert normalise_number(written) == "+447700900101"


@each(
    ("written", "number"),
    [
        ("020 7946 0000", "+442079460000"),
        ("0300 123 2040", "+443001232040"),
        ("+1 202 555 0100", "+12025550100"),
        ("+353 1 234 5678", "+35312345678"),
    ],
)
def test_other_numbers(written: str, number: str) -> None:
    assert normalise_number(written) == number


@each("written", ["", "   ", "999", "101", "80888", "TSDuty", "anonymous", "+44", "\x00", "12 34"])
def test_nobody_is_recognised_by_a_name_or_a_short_number(written: str) -> None:
    assert normalise_number(written) is None


@each("written", ["0208 460 mum 1", "020 8460 1234 ext 12", "020 8460 1234 x12", "0800 FLOWERS"])
def test_what_has_letters_in_it_is_no_number_that_somebody_meant(written: str) -> None:
    assert normalise_number(written) is None


@each(
    ("number", "takes"),
    [
        ("+447700900101", True),
        ("+447624123456", True),
        ("+442079460000", False),
        ("+447012345678", False),
        ("+447612345678", False),
        ("+12025550100", False),
        ("07700900101", False),
        ("+4477009001011", False),
    ],
)
def test_only_uk_mobiles_take_texts(number: str, takes: bool) -> None:
    assert is_uk_mobile(number) is takes


@settings(max_examples=100)
@given(st.text())
def test_no_input_raises(text: str) -> None:
    number = normalise_number(text)
    assert number is None or normalise_number(number) == number
