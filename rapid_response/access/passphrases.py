"""Passwords made for people, easy to read out and to type: `heron-velvet-teapot-olive-407`.

Forty-two random bits: right for an evaluation and a first sign-in behind argon2 and the throttle.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from rapid_response.core.ids import Ids

_WORDS = 4
_DIGITS = 3


def new_passphrase(ids: Ids) -> str:
    """Four words and three digits."""
    words = word_list()
    chosen = [words[ids.below(len(words))] for _ in range(_WORDS)]
    return "-".join([*chosen, f"{ids.below(10**_DIGITS):0{_DIGITS}}"])


@cache
def word_list() -> tuple[str, ...]:
    """The shipped words: short, common, spelt one way, nothing anybody minds reading out."""
    return tuple(files(__package__).joinpath("words.txt").read_text("ascii").split())
