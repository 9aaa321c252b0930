"""When a number counts as its owner's, and what a code is worth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rapid_response.messaging import proof
from rapid_response.messaging.proof import Proof, Refused
from tests.cases import each

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SENT = NOW - timedelta(minutes=5)
DAYS = timedelta(days=1)


@each(
    ("age", "standing"),
    [
        (0, Proof.PROVED),
        (165, Proof.PROVED),
        (166, Proof.ENDING),
        (179, Proof.ENDING),
        (180, Proof.OVER),
        (1000, Proof.OVER),
    ],
)
def test_a_proof_holds_for_180_days(age: int, standing: Proof) -> None:
    assert proof.standing(NOW - age * DAYS, None, NOW) is standing


def test_a_number_never_proved_or_denied() -> None:
    assert proof.standing(None, None, NOW) is Proof.NEVER
    assert proof.standing(NOW - DAYS, NOW, NOW) is Proof.DENIED


@each(
    ("entered", "tries", "sent_at", "wrong"),
    [
        ("042913", 0, SENT, None),
        (" 042 913 ", 4, SENT, None),
        ("042-913", 0, SENT, None),
        ("42913", 0, SENT, Refused.WRONG),
        ("", 0, SENT, Refused.WRONG),
        ("\u0660\u0664\u0662\u0669\u0661\u0663", 0, SENT, Refused.WRONG),
        ("042913", 5, SENT, Refused.WORN_OUT),
        ("042913", 0, NOW - timedelta(minutes=30), Refused.TOO_LATE),
        ("042913", 0, None, Refused.NOT_ASKED),
    ],
)
def test_what_is_entered(entered: str, tries: int, sent_at: datetime | None, wrong: Refused | None) -> None:
    assert proof.judge("042913", sent_at, tries, entered, NOW) is wrong


def test_no_code_is_no_proof() -> None:
    assert proof.judge(None, SENT, 0, "", NOW) is Refused.NOT_ASKED


@given(st.integers(0, proof.CODES - 1))
def test_every_code_has_six_digits_and_proves_itself_alone(chance: int) -> None:
    code = proof.code_of(chance)
    assert len(code) == 6
    assert proof.judge(code, SENT, 0, code, NOW) is None
    other = proof.code_of((chance + 1) % proof.CODES)
    assert proof.judge(code, SENT, 0, other, NOW) is Refused.WRONG


@each(
    ("sent_at", "today", "refused"),
    [
        (None, 0, None),
        (NOW - timedelta(seconds=119), 1, Refused.TOO_SOON),
        (NOW - timedelta(seconds=120), 1, None),
        (NOW - timedelta(hours=1), 5, Refused.TOO_MANY),
    ],
)
def test_no_phone_is_flooded(sent_at: datetime | None, today: int, refused: Refused | None) -> None:
    assert proof.may_send(sent_at, today, NOW) is refused


@each(
    "text",
    [
        "wrong number",
        "Wrong number!",
        "sorry wrong number mate",
        "I think you have the wrong number",
        "you\u2019ve got the wrong person",
        "this is not my number",
    ],
)
def test_a_wrong_number_is_heard(text: str) -> None:
    assert proof.denies(text)


@each(
    "text",
    [
        "",
        "OK 4821",
        "she gave me a wrong number for the bank",
        "wrong number on the door, which house",
        "the trader says wrong number when I ring",
        "4821 wrong number",
        "not my job",
    ],
)
def test_nothing_else_is(text: str) -> None:
    assert not proof.denies(text)


@given(st.text())
def test_no_text_raises(text: str) -> None:
    assert proof.denies(text) in (True, False)
    assert isinstance(proof.read_code(text), str)
