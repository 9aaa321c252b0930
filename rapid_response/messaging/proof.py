"""Whether a number is still its owner's: proved by a one-time code, and again after half a year.

A code goes to the number and comes back by another way: its owner signs in and enters it, or reads it to the
desk. That a text arrived proves only that the phone works; numbers are given to other people (delivery.md
9.5). Nothing here decides who is asked: a number that nobody has proved is used all the same, and said.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum

#: So long a proof holds, and so long before its end its owner is asked for the next.
HOLDS_FOR = timedelta(days=180)
ASKED_BEFORE = timedelta(days=14)
ASKED_AGAIN_AFTER = timedelta(days=7)
#: So long a code can be entered, and so often a wrong one.
CODE_LIVES = timedelta(minutes=30)
TRIES = 5
#: Codes to one number: nobody may have a phone ring all day, or run up a bill.
CODES_APART = timedelta(minutes=2)
CODES_A_DAY = 5
_DIGITS = 6
#: How many different codes there are.
CODES: int = 10**_DIGITS


class Proof(StrEnum):
    """How sure it is that a number is its owner's."""

    NEVER = "never"
    PROVED = "proved"
    ENDING = "ending"
    OVER = "over"
    #: Whoever has the phone says that it is a wrong number.
    DENIED = "denied"


class Refused(StrEnum):
    """Why no code was sent, or why what was entered proves nothing."""

    TOO_SOON = "too_soon"
    TOO_MANY = "too_many"
    NOT_ASKED = "not_asked"
    TOO_LATE = "too_late"
    WRONG = "wrong"
    WORN_OUT = "worn_out"


def standing(proved_at: datetime | None, denied_at: datetime | None, now: datetime) -> Proof:
    """Where the proof of a number stands."""
    if denied_at is not None:
        return Proof.DENIED
    if proved_at is None:
        return Proof.NEVER
    left = proved_at + HOLDS_FOR - now
    if left <= timedelta():
        return Proof.OVER
    return Proof.ENDING if left <= ASKED_BEFORE else Proof.PROVED


def may_send(sent_at: datetime | None, sent_today: int, now: datetime) -> Refused | None:
    """Why no code may go to that number now; None where one may."""
    if sent_at is not None and now - sent_at < CODES_APART:
        return Refused.TOO_SOON
    return Refused.TOO_MANY if sent_today >= CODES_A_DAY else None


def is_asked_again(asked_at: datetime | None, now: datetime) -> bool:
    """Whether the owner of a proof that ends may be asked today."""
    return asked_at is None or now - asked_at >= ASKED_AGAIN_AFTER


def code_of(chance: int) -> str:
    """A code from a random number below :data:`CODES`."""
    return f"{chance:0{_DIGITS}}"


def read_code(written: str) -> str:
    """The digits of what somebody entered: spaces and dashes are how people write codes down."""
    return re.sub(r"[\s.\-]", "", written)


def judge(
    code: str | None, sent_at: datetime | None, tries: int, entered: str, now: datetime
) -> Refused | None:
    """What is wrong with what was entered; None where it proves the number."""
    if code is None or sent_at is None:
        return Refused.NOT_ASKED
    if now - sent_at >= CODE_LIVES:
        return Refused.TOO_LATE
    if tries >= TRIES:
        return Refused.WORN_OUT
    return None if read_code(entered) == code else Refused.WRONG


#: What people put round it; whatever else is there makes it a sentence about another number.
_KIND_WORDS = frozenset(
    {
        *("a", "the", "this", "that", "it", "its", "is", "are", "were", "have", "has", "got", "think"),
        *("i", "im", "me", "u", "ur", "you", "your", "youre", "youve", "who", "to", "texting", "no"),
        *("hello", "hi", "mate", "please", "pls", "sorry", "soz", "reply"),
    }
)
_DENIALS = frozenset({("wrong", "number"), ("wrong", "person"), ("not", "my", "number"), ("number", "wrong")})


def denies(text: str) -> bool:
    """Whether a text says, and says nothing else, that it came to the wrong person."""
    words = re.findall(r"[a-z0-9]+", text[:200].casefold().replace("'", "").replace("\u2019", ""))
    return tuple(word for word in words if word not in _KIND_WORDS) in _DENIALS
