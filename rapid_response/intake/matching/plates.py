"""Vehicle registrations: typed, half remembered, or spelt out over a bad line.

The style since 2001 is AA00 AAA; older ones (A000 AAA, AAA 000A) are still on the road. Letters and figures
that look or sound alike are folded for the look-up: O 0 Q, I L 1, Z 2, S 5, B 8, G 6.
"""

from __future__ import annotations

import re

from rapidfuzz.distance import Levenshtein

from rapid_response.intake.matching.folding import plain
from rapid_response.intake.matching.match import Likeness
from rapid_response.intake.matching.words import words

_ALIKE = str.maketrans("oqilzsbg", "00112586")
_WHOLE = re.compile(r"[a-z]{2}\d{2}[a-z]{3}|[a-z]\d{3}[a-z]{3}|[a-z]{3}\d{3}[a-z]")
_MODERN = re.compile(r"[a-z]{2}\d{2}[a-z]{3}")
TIMES = {"double": 2, "triple": 3, "treble": 3}
_SPELLING = re.compile(r"\b([a-z]) (?:for|as in) [a-z]+")
#: Fewer known characters than this point to nobody.
_LEAST = 3
_FULL = 7


def normalise_plate(text: str) -> str | None:
    """The letters and figures of a registration, spelt out or not; None where too few are known."""
    joined = spoken_out(plain(_SPELLING.sub(r"\1 ", text.lower()).replace("x-ray", "xray")).split())
    if joined is None:
        return None
    joined = _as_modern(joined)
    return joined if _LEAST <= len(joined) <= 8 and re.search(r"[a-z]", joined) else None


def spoken_out(tokens: list[str]) -> str | None:
    """The characters that words like “golf kilo one six” stand for; other words are left out."""
    out: list[str] = []
    times = 1
    for token in tokens:
        if token in TIMES:
            times = TIMES[token]
            continue
        piece = character_of(token)
        if piece is not None:
            out.append(_tens(out, piece) * times)
        times = 1
    return "".join(out) or None


def character_of(token: str) -> str | None:
    """What one spoken or written token of a registration stands for; None for any other word."""
    known = words()
    if token in known.letters:
        return known.letters[token]
    if token in known.digits:
        return known.digits[token]
    is_written = token.isdigit() or len(token) <= 3 or any(c.isdigit() for c in token)
    return token if is_written and len(token) <= 8 and token not in known.small_words else None


def _tens(out: list[str], piece: str) -> str:
    """“Twenty two” is 22: the ten before gives up its nought."""
    if len(piece) == 1 and piece.isdigit() and out and re.fullmatch(r"[2-9]0", out[-1]):
        out[-1] = out[-1][0]
    return piece


def _as_modern(joined: str) -> str:
    """Figures where figures stand and letters where letters stand, when it can be read as AA00 AAA."""
    if len(joined) != _FULL or _WHOLE.fullmatch(joined):
        return joined
    letters = str.maketrans("0125", "oizs")
    figures = str.maketrans("oqilzs", "001125")
    read = joined[:2].translate(letters) + joined[2:4].translate(figures) + joined[4:].translate(letters)
    return read if _MODERN.fullmatch(read) else joined


def fold_plate(plate: str) -> str:
    """The registration with what is easily confused made one."""
    return plate.translate(_ALIKE)


def plate_keys(plate: str) -> tuple[str, ...]:
    """Whole, first half and last three: one slip leaves one of them right, and so does half a plate."""
    folded = fold_plate(plate)
    keys = [folded]
    if len(folded) >= 4:
        keys += [f"{folded[:4]}*", f"*{folded[-3:]}"]
    elif len(folded) == _LEAST:
        keys.append(f"*{folded}")
    return tuple(dict.fromkeys(keys))


def compare_plates(one: str, other: str) -> Likeness | None:
    """Two normalised registrations, whole or in part."""
    if one == other:
        return Likeness(0.96, "same vehicle registration") if len(one) >= 5 else _part(len(one), True)
    a, b = sorted((fold_plate(one), fold_plate(other)), key=len)
    if a == b:
        return Likeness(0.92, "same vehicle registration, letters and figures confused")
    if len(a) < _FULL - 1:
        return _part(len(a), b.endswith(a)) if b.startswith(a) or b.endswith(a) else None
    if len(a) == len(b) == _FULL and Levenshtein.distance(a, b, score_cutoff=1) == 1:
        return Likeness(0.72, "vehicle registration differs in one character")
    return None


def _part(known: int, is_end: bool) -> Likeness | None:
    """The last letters are chance's; the first four are an area and a year, which thousands share."""
    if known < _LEAST:
        return None
    sure = 0.75 if known >= 5 else 0.68 if is_end else 0.5
    return Likeness(sure, "part of the vehicle registration is the same")
