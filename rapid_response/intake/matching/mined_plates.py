"""Vehicle registrations in a narrative: typed, in part, or spelt out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

from rapid_response.intake.matching.folding import lower
from rapid_response.intake.matching.mentions import MOST_TRIED, Mention
from rapid_response.intake.matching.plates import TIMES, normalise_plate
from rapid_response.intake.matching.words import words

_CUE = re.compile(r"\b(?:reg(?:istration|ist)?|vrm|number ?plate|plates?|index|partial)\b[^.!?\n]{0,40}$")
_TYPED = re.compile(r"\b([a-z]{2}[0-9oi]{2})[ -]?([a-z0-9]{3})\b", re.IGNORECASE)
_AFTER_CUE = re.compile(
    r"\b(?:reg(?:istration)?(?: number| no)?|vrm|number ?plate|plate|index)"
    r"(?: is| was| of|:|-| number| no){0,4}\s+"
    r"(?:(?:started?|starting|begins?|beginning|ended|ends|ending|something|with|in|like|maybe|part|partial"
    r"|first|last|part of|bit)\s+){0,4}"
    r"((?:[a-z]{1,3}\s?\d{1,4}\s?[a-z]{0,3})|(?:\d{1,3}\s?[a-z]{3})|(?-i:[A-Z]{3}))\b",
    re.IGNORECASE,
)


def mine_plates(text: str) -> Iterator[Mention]:
    """Registrations, whole or in part; a part only after a word that says so."""
    lowered = lower(text)
    plain_words = words().plain_words
    for m in islice(_TYPED.finditer(text), MOST_TRIED):
        ends = m[2].lower()
        if ends.isdigit():
            continue
        if (ends in plain_words or not ends.isalpha()) and not _CUE.search(
            lowered, max(0, m.start() - 60), m.start()
        ):
            continue
        yield from _plate(m.start(), m.end(), m[0])
    for m in islice(_AFTER_CUE.finditer(text), MOST_TRIED):
        if m[1].lower() not in plain_words:
            yield from _plate(m.start(1), m.end(1), m[1])
    yield from _spelt(lowered)


def _plate(start: int, end: int, said: str) -> Iterator[Mention]:
    plate = normalise_plate(said)
    if plate is not None:
        yield Mention("plate", start, end, plate)


@cache
def _runs() -> re.Pattern[str]:
    known = words()
    letter = "|".join(sorted(known.letters, key=len, reverse=True))
    more = "|".join([letter, *known.digits, *TIMES, r"\d{1,3}", "[b-hj-z]"])
    return re.compile(rf"\b(?:{letter})(?:[\s,.-]{{1,3}}(?:{more})){{2,12}}\b")


def _spelt(lowered: str) -> Iterator[Mention]:
    """“golf kilo one six x-ray yankee zulu”: at least two letters spelt out, and figures near them."""
    letters = words().letters
    for run in islice(_runs().finditer(lowered), MOST_TRIED):
        if sum(word in letters for word in re.findall("[a-z-]+", run[0])) < 2:
            continue
        plate = normalise_plate(run[0])
        if plate and len(plate) >= 4 and any(c.isdigit() for c in plate):
            yield Mention("plate", run.start(), run.end(), plate)
