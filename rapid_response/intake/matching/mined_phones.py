"""Telephone numbers in a narrative, written or read out, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

from rapid_response.intake.matching.folding import lower
from rapid_response.intake.matching.mentions import MOST_TRIED, Mention
from rapid_response.intake.matching.phones import normalise_phone
from rapid_response.intake.matching.plates import TIMES
from rapid_response.intake.matching.words import words

_DIGITS = re.compile(
    r"(?<![\d£$+])(?:\+|\(?0)(?:[ ().\-]{0,2}\d){9,14}(?!\d)|(?<![\d£$])44(?:[ \-]?\d){10}(?!\d)"
)
_RING_ME = r"\b(?:call|ring|phone|text|contact|reach|get)(?: me| her| us| my \w+| back)+\b"
_NOTED = r"\b(?:caller|ip|victim|contact|daughter|son|nok|informant)(?: on| tel| number| no| is on)\b"
_OWN_AFTER = re.compile(r"[\s,(]*(?:is |that'?s )?(?:my|her|our|the caller'?s|mine)\b")
_BEFORE, _AFTER = 60, 30
#: No word says whose it is: enough to suggest a link, too little to call a suspect known.
_PERHAPS = 0.8


def mine_phones(text: str) -> Iterator[Mention]:
    """The numbers that may be the suspect's."""
    lowered = lower(text)
    written = ((m.start(), m.end(), m[0]) for m in islice(_DIGITS.finditer(text), MOST_TRIED))
    for start, end, said in (*written, *_spoken_numbers(lowered)):
        number = normalise_phone(said)
        weight = _whose(lowered, start, end)
        if number is not None and weight:
            yield Mention("phone", start, end, number, weight)


@cache
def _cues() -> tuple[re.Pattern[str], re.Pattern[str]]:
    people = "|".join(words().own_people)
    own = (
        rf"\b(?:{people}) (?:own |home |mobile |phone |landline |contact |tel |telephone ){{0,3}}"
        r"(?:number|no|tel|phone|mobile|landline)\b"
    )
    theirs = "|".join(map(re.escape, words().their_words))
    return re.compile(f"{own}|{_RING_ME}|{_NOTED}"), re.compile(rf"\b(?:{theirs})\b")


def _whose(lowered: str, start: int, end: int) -> float:
    """1 for the suspect's by the words beside it, 0 for the caller's or victim's, between where none say."""
    own_cue, their_cue = _cues()
    before = re.split(r"[.!?;\n]\s", lowered[max(0, start - _BEFORE) : start])[-1]
    own = max((m.end() for m in own_cue.finditer(before)), default=-1)
    theirs = max((m.end() for m in their_cue.finditer(before)), default=-1)
    if own > theirs:
        return 0.0
    after = re.split(r"[.!?;\n]", lowered[end : end + _AFTER])[0]
    if theirs < 0 and _OWN_AFTER.match(after):
        return 0.0
    return 1.0 if theirs >= 0 else _PERHAPS


@cache
def _runs() -> re.Pattern[str]:
    """Runs of spoken figures with the words between them that only count."""
    said = "|".join([*(k for k, v in words().digits.items() if len(v) == 1), "o", *TIMES, r"\d{1,4}"])
    return re.compile(rf"\b(?:{said})(?:[\s,-]{{1,3}}(?:{said})){{4,24}}\b")


def _spoken_numbers(lowered: str) -> Iterator[tuple[int, int, str]]:
    """“oh seven seven double oh …”: runs of spoken figures as long as a telephone number."""
    digits = {**words().digits, "o": "0"}
    for run in islice(_runs().finditer(lowered), MOST_TRIED):
        tokens = re.findall(r"[a-z0-9]+", run[0])
        if all(token.isdigit() for token in tokens):
            continue
        figures, times = "", 1
        for token in tokens:
            if token not in TIMES:
                figures += digits.get(token, token) * times
            times = TIMES.get(token, 1)
        if 10 <= len(figures) <= 12:
            yield run.start(), run.end(), figures
