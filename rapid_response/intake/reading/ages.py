"""Which numbers are ages: F 83, (87), who's 84, aged eighty-four, a 91-year-old; and who counts as older."""

from __future__ import annotations

from rapid_response.intake.reading.passage import AGE, NUMBER, Passage, WordClasses

_YOUNGEST, _OLDEST = 16, 106


def mark_ages(passage: Passage, classes: WordClasses) -> None:
    """Gives the kind AGE to numbers that are somebody's age."""
    kinds, values = passage.kinds, passage.values
    for at, kind in enumerate(kinds):
        if kind == NUMBER and _YOUNGEST <= values[at] <= _OLDEST and _is_age(passage, at, classes):
            kinds[at] = AGE


def _is_age(passage: Passage, at: int, classes: WordClasses) -> bool:
    words = passage.words
    begin, finish = passage.sentence_bounds(at)
    after = words[at + 1] if at + 1 < finish else ""
    before = words[at - 1] if at > begin else ""
    if after in classes["age_units"]:
        following = words[at + 2] if at + 2 < finish else ""
        return following in ("old", "olds") or before in classes["age_before"] or following == ""
    if after in classes["never_age_before"] and passage.clauses[at + 1] == passage.clauses[at]:
        return False
    alone = (at + 1 >= finish or passage.clauses[at + 1] != passage.clauses[at]) and (
        at == begin or passage.clauses[at - 1] != passage.clauses[at]
    )
    if alone and passage.values[at] >= 30 and at > begin:
        return True
    return before in classes["age_before"] and passage.values[at] >= 18
