"""Names of people: titles, order, initials, short forms and misspellings."""

from __future__ import annotations

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from rapid_response.intake.matching.folding import plain, sound
from rapid_response.intake.matching.words import words

#: Surnames at least this alike are taken for one, misspelt.
_SURNAME = 0.8
SAME_NAME = 0.8
OTHER_NAME = 0.5


def normalise_name(text: str) -> str:
    """Forenames, then surname, in plain letters without titles; empty where nothing is left."""
    surname, comma, forenames = text.partition(",")
    tokens = plain(f"{forenames} {surname}" if comma else text).split()
    return " ".join(t for t in tokens if t not in words().titles and not t.isdigit())[:120]


def name_sounds(name: str) -> tuple[str, ...]:
    """How the longer parts of a normalised name sound: keys, whichever of them is the surname."""
    return tuple(dict.fromkeys(sound(t) for t in name.split() if len(t) > 2))[:3]


def compare_names(one: str, other: str) -> float:
    """How likely two normalised names are one person's, 0 to 1; a bare forename or surname says half."""
    a, b = one.split(), other.split()
    if not a or not b:
        return 0.0
    if len(a) == 1 or len(b) == 1:
        (single,), several = (a, b) if len(a) == 1 else (b, a)
        known = max(_alike(single, several[-1]), _forename(single, several[0]))
        return 0.6 if known >= _SURNAME else 0.0
    return max(_in_order(a, b), _in_order(a, [*b[1:], b[0]]) * 0.95)


def _in_order(a: list[str], b: list[str]) -> float:
    """Surname against surname, and the best pair of forenames: many go by their second."""
    surname = _alike(a[-1], b[-1])
    if surname < _SURNAME:
        return 0.0
    first = _forename(a[0], b[0])
    middle = max(_forename(x, y) for x in a[:-1] for y in b[:-1])
    return surname * max(first, middle * 0.9)


def _alike(a: str, b: str) -> float:
    """Short names are near each other by chance (Hill, Hall): there only swapped letters count."""
    if a == b:
        return 1.0
    if len(a) > 3 and sorted(a) == sorted(b) and OSA.distance(a, b) == 1:
        return 0.92
    ratio = fuzz.ratio(a, b) / 100
    if min(len(a), len(b)) < 5:
        return min(ratio, 0.7) if len(a) == len(b) else ratio
    return max(ratio, 0.88) if ratio >= 0.6 and sound(a) == sound(b) else ratio


def _forename(a: str, b: str) -> float:
    lines = words().nicknames
    nothing: frozenset[int] = frozenset()
    if a == b:
        return 1.0
    if lines.get(a, nothing) & lines.get(b, nothing):
        return 0.97
    if len(a) == 1 or len(b) == 1:
        return 0.9 if a[0] == b[0] else 0.0
    alike = _alike(a, b)
    return alike if alike >= _SURNAME else 0.0
