"""Card numbers, bank details, PINs and codes never reach a table; what help depends on always does."""

from __future__ import annotations

import re

import hypothesis.strategies as st
from hypothesis import given

from rapid_response.core.ids import SeededIds
from rapid_response.core.redaction import BANK, CARD, PASSCODE, PIN, SECURITY_CODE, redact
from tests.cases import each

MARKERS = (CARD, BANK, PIN, SECURITY_CODE, PASSCODE)


def check_digit(digits: str) -> str:
    """What makes it pass the Luhn check."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 - place % 2)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


@st.composite
def cards(draw: st.DrawFn) -> str:
    """A number of a range that is issued, with its check digit."""
    prefix, length = draw(
        st.sampled_from(
            [
                ("4", 16),
                ("4", 13),
                ("51", 16),
                ("55", 16),
                ("2221", 16),
                ("2720", 16),
                ("34", 15),
                ("37", 15),
                ("6011", 16),
                ("6759", 19),
                ("5018", 13),
                ("36", 14),
                ("301", 14),
                ("3530", 16),
                ("81", 16),
            ]
        )
    )
    middle = draw(st.text("0123456789", min_size=length - len(prefix) - 1, max_size=length - len(prefix) - 1))
    return prefix + middle + check_digit(prefix + middle)


@st.composite
def written(draw: st.DrawFn, number: str) -> str:
    """A number as people write it: in groups, with one kind of separator."""
    between = draw(st.sampled_from(["", " ", "-", ".", "  ", "\u00a0", " - ", "\n", "\u2013"]))
    size = draw(st.sampled_from([1, 2, 3, 4, 5, 6]))
    groups = [number[i : i + size] for i in range(0, len(number), size)]
    return between.join(groups)


WORDS = st.sampled_from(
    [
        "",
        "She read out ",
        "card: ",
        "(",
        "my number is\n",
        "Ring 07700 900456, card ",
        "£3,000 from ",
        "visa ",
    ]
)
AFTER = st.sampled_from(
    ["", " and he wrote it down.", ")", " exp 12/28", ", ring me on +447700900123", "\nBR1 3UH"]
)


@given(st.data(), cards(), WORDS, AFTER)
def test_no_card_number_is_kept_however_it_is_written(
    data: st.DataObject, number: str, before: str, after: str
) -> None:
    kept = redact(before + data.draw(written(number)) + after)
    assert kept == before + CARD + after


@given(cards(), st.sampled_from(["123", "4821"]))
def test_a_security_code_behind_a_card_number_goes_with_it(number: str, code: str) -> None:
    assert redact(f"{number} {code}, she said") == f"{CARD}, she said"


@given(cards(), cards())
def test_two_card_numbers(one: str, other: str) -> None:
    kept = redact(f"{one} and {other}")
    assert kept == f"{CARD} and {CARD}"


@given(cards())
def test_a_card_number_in_words_as_a_transcript_has_it(number: str) -> None:
    names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    said = " ".join(names[int(digit)] for digit in number)
    assert redact(f"it is {said} thank you") == f"it is {CARD} thank you"


@given(
    st.text("0123456789", min_size=6, max_size=6),
    st.text("0123456789", min_size=8, max_size=8),
    st.sampled_from(["-", " ", ""]),
    st.sampled_from([" ", ", ", " account ", " account number ", " acc no ", " and account number is ", "/"]),
)
def test_a_sort_code_with_its_account_is_not_kept(code: str, account: str, between: str, joined: str) -> None:
    sort_code = between.join((code[:2], code[2:4], code[4:]))
    kept = redact(f"sort code {sort_code}{joined}{account} he said")
    assert account not in kept
    assert sort_code not in kept
    # Six and eight digits in a row may pass for a card number as well: gone is gone.
    assert kept.startswith((f"sort code {BANK}", f"sort code {CARD}"))
    assert kept.endswith(" he said")


@given(
    st.integers(0, 9999).map("{:04}".format),
    st.sampled_from(
        [
            "my pin is {}",
            "PIN: {}",
            "pin {}",
            "her pin number was {}",
            "the Pin's {}",
            "pin is now {}",
            "chip and pin {}",
            "{} is my pin",
            "{} was her PIN",
            "{} (my pin)",
        ]
    ),
    st.booleans(),
)
def test_a_pin_is_not_kept(pin: str, said: str, spaced: bool) -> None:
    kept = redact("He asked and " + said.format(" ".join(pin) if spaced else pin))
    assert PIN in kept
    assert not re.search(r"\d", kept)


@each(
    ("said", "kept"),
    [
        ("my pin is 1234", f"my pin is {PIN}"),
        ("pin is one two three four", f"pin is {PIN}"),
        ("cvv 123", f"cvv {SECURITY_CODE}"),
        ("CVC: 4821.", f"CVC: {SECURITY_CODE}."),
        (
            "the three digits on the back are 123",
            f"the three digits on the back are {SECURITY_CODE}",
        ),
        ("the security code was 987", f"the security code was {SECURITY_CODE}"),
        ("gave him the one-time passcode 482913", f"gave him the one-time passcode {PASSCODE}"),
        ("OTP is 4829", f"OTP is {PASSCODE}"),
        ("account number 1234567", f"account number {BANK}"),
        ("12345678, 20-30-40", f"{BANK}, {BANK}"),
        ("pay GB29 NWBK 6016 1331 9268 19 today", f"pay {BANK} today"),
        ("gb29nwbk60161331926819", BANK),
        ("four triple one double one one one one one one one one one one one", CARD),
        ("4111 1111 1111 1111 and pin 1234", f"{CARD} and pin {PIN}"),
        ("\uff14\uff11\uff11\uff11 1111 1111 1111", CARD),
    ],
)
def test_as_people_say_it(said: str, kept: str) -> None:
    assert redact(said) == kept


@each(
    "said",
    [
        "Ring 07700 900456, or 07700900457, or +44 7700 900458.",
        "+447700900456 4821",
        "020 7946 0018 and 020 7946 0019",
        "00447700900456 4111",
        "He wants 3000 pounds, then £3,600, then 4500 for the rest.",
        "On 15/07/2026 at 11:30, again 16-07-2026 11.45",
        "30-07-2026 01-08-2026",
        "2026-07-15 2026-07-16 2026-07-17",
        "Paid 400 on the 3rd, 600 on the 4th and 2600 on the 5th",
        "14 Larkspur Way, BR1 3UH, van GK16 XYZ",
        "OK 4821",
        "DONE 4821 POLICE CAD 5521/15JUL",
        "They asked for her pin at 1430.",
        "He had her card and pin. 3000 pounds were taken.",
        "took her card and pin and 3600 in cash",
        "She told him her pin 3 times",
        "the code word for the visit is bluebell, password bluebell",
        "Her account was emptied: 12,500 pounds",
        "one of two men, three or four in the van",
        "Report RR-7K4M2QX, invoice 20260715, bank-2026-000123",
        "She is 84 and has lived at 1234 for 40 years",
        "[card number removed]",
        "",
    ],
)
def test_what_help_depends_on_stays(said: str) -> None:
    assert redact(said) == said


@given(st.text())
def test_any_text_is_read_once_and_for_all(text: str) -> None:
    kept = redact(text)
    assert redact(kept) == kept


ALPHABET = st.sampled_from(
    [
        *"0123456789",
        " ",
        "-",
        ".",
        ",",
        "\n",
        "+",
        "£",
        "4111",
        "1111",
        "pin",
        " is ",
        "sort code",
        "account",
        "cvv",
        "one",
        "four",
        "double ",
        "GB29",
        "NWBK",
        *MARKERS,
    ]
)


@given(st.lists(ALPHABET, max_size=60).map("".join))
def test_numbers_in_any_order_are_read_once_and_for_all(text: str) -> None:
    kept = redact(text)
    assert redact(kept) == kept
    assert sum(c.isdigit() for c in kept) <= sum(c.isdigit() for c in text)


@given(st.text(st.characters(exclude_categories=["Nd"]), max_size=200))
def test_without_a_digit_nothing_is_taken_out(text: str) -> None:
    said = re.sub(r"(?i)zero|nought|oh|one|two|three|four|five|six|seven|eight|nine", "", text)
    assert redact(said) == said


@each(
    "row_id",
    [
        "01a21637-bf23-7000-b286-22745821ada5",  # bf23-7000-… would pass for an account in Burkina Faso
        "01A21637-BF23-7000-B286-22745821ADA5",
        "41111111-1111-4111-8111-111111111111",
    ],
)
def test_the_id_of_a_row_is_neither_an_account_nor_a_card(row_id: str) -> None:
    assert redact(row_id) == row_id
    assert redact(f"Task {row_id}, card 4111 1111 1111 1111.") == f"Task {row_id}, card {CARD}."


@given(st.uuids(version=4).map(str) | st.integers(0, 1 << 30).map(lambda n: SeededIds(n).uuid()))
def test_every_row_id_stays(row_id: str) -> None:
    assert redact(row_id) == row_id


def test_what_only_begins_like_the_id_of_a_row_is_no_id() -> None:
    said = redact("01a21637-bf23-7000-b286-22745821ada5-4111 1111 1111 1111")
    assert "1111" not in said
