"""Writing and sound evened out, so that what sounds the same is found under the same key."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_APOSTROPHES = re.compile(r"[’‘'`\u00b4.]")
_OTHER = re.compile(r"[^a-z0-9]+")
#: Spelling to sound, tried in this order; the vowels, h, w and y carry little and go last.
_SOUNDS = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        (r"^(?:kn|gn|pn)", "n"),
        (r"^wr", "r"),
        (r"^mc", "mac"),
        (r"ph", "f"),
        (r"ght", "t"),
        (r"sch|sh|ch|tch", "s"),
        (r"th", "t"),
        (r"c(?=[eiy])|z|x$", "s"),
        (r"dg(?=[eiy])|j", "g"),
        (r"c|q|x|g", "k"),
        (r"v", "f"),
        (r"b", "p"),
        (r"d", "t"),
        (r"m", "n"),
    )
)
_REPEATED = re.compile(r"(.)\1+")
_SILENT = re.compile(r"(?<=.)[aeiouyhw]")


def plain(text: str) -> str:
    """Lower case, no accents, no apostrophes; anything else that is not a letter or digit is one blank."""
    text = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(c for c in text if not unicodedata.combining(c))
    return _OTHER.sub(" ", _APOSTROPHES.sub("", text)).strip()


def lower(text: str) -> str:
    """Lower case, character for character, so that places found in it are places in the text."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c.lower()[:1] for c in text)


@lru_cache(maxsize=8192)
def sound(word: str) -> str:
    """How a plain word sounds, coarsely: misspellings by ear fall together, at most six letters."""
    heard = word.replace(" ", "")
    for pattern, to in _SOUNDS:
        heard = pattern.sub(to, heard)
    if heard[:1] in "aeiouyhw":
        heard = "a" + heard[1:]
    return _REPEATED.sub(r"\1", _SILENT.sub("", _REPEATED.sub(r"\1", heard)))[:6]
