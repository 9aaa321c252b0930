"""Which numbers are ages: F 83, (87), who's 84, aged eighty-four, a 91-year-old; and who counts as older."""

from __future__ import annotations

from rapid_response.intake.reading.passage import AGE, NUMBER, Passage

_YOUNGEST, _OLDEST = 16, 106
_BEFORE = frozenset(
    "aged age f m male female is am was turned nearly almost victim lady woman man gentleman mum mother dad father "
    "nan nana gran grandma grandad grandfather grandmother aunt auntie uncle neighbour husband wife tenant resident "
    "customer client about she he ip im caller pensioner widow widower sister brother son daughter turning inft".split()
)
_UNITS_AFTER = frozenset(
    "years year yr yrs yo yearold y".split()
)
_NOT_AFTER = frozenset(
    "men women lads blokes people pounds quid days weeks months hours minutes mins hrs doors times houses of miles "
    "quotes visits calls bags others more boys girls males females payments pm am percent oclock o flat youths kids "
    "on the road street avenue close lane grand youngsters pairs who letters windows trees metres ft in".split()
)  # fmt: skip


def mark_ages(passage: Passage) -> None:
    """Gives the kind AGE to numbers that are somebody's age."""
    words, kinds, values = passage.words, passage.kinds, passage.values
    for at, kind in enumerate(kinds):
        if kind == NUMBER and _YOUNGEST <= values[at] <= _OLDEST and values[at] == int(values[at]):
            if _is_age(passage, at):
                kinds[at] = AGE
        elif kind == "" and len(words[at]) > 1:
            _sex_and_age(passage, at)


def _sex_and_age(passage: Passage, at: int) -> None:
    """`f83` and `m90`, which call notes run together, arrive as `f` and `83`; nothing to do for other words."""
    word = passage.words[at]
    if word[0] in "fm" and word[1:].isdecimal() and word.isascii() and _YOUNGEST <= int(word[1:4]) <= _OLDEST:
        passage.kinds[at], passage.values[at] = AGE, float(word[1:4])


def _is_age(passage: Passage, at: int) -> bool:
    words = passage.words
    begin, finish = passage.sentence_bounds(at)
    after = words[at + 1] if at + 1 < finish else ""
    before = words[at - 1] if at > begin else ""
    if after in _UNITS_AFTER:
        following = words[at + 2] if at + 2 < finish else ""
        return following in ("old", "olds") or before in _BEFORE or following == ""
    if after in _NOT_AFTER and passage.clauses[at + 1] == passage.clauses[at]:
        return False
    alone = (at + 1 >= finish or passage.clauses[at + 1] != passage.clauses[at]) and (
        at == begin or passage.clauses[at - 1] != passage.clauses[at]
    )
    if alone and passage.values[at] >= 30 and at > begin:
        return True
    return before in _BEFORE and passage.values[at] >= 18
