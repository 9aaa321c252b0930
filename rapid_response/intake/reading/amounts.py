"""Which bare numbers are sums of money: asking 600, wants nine hundred, pay 80 delivery."""

from __future__ import annotations

from rapid_response.intake.reading.passage import MONEY, NUMBER, Passage, WordClasses


def mark_sums(passage: Passage, classes: WordClasses) -> None:
    """Gives the kind MONEY to numbers that the words beside them make into a sum."""
    words, kinds, values = passage.words, passage.kinds, passage.values
    for at, kind in enumerate(kinds):
        if kind == NUMBER and values[at] >= 5 and _is_sum(passage, at, classes):
            kinds[at] = MONEY
            words[at] = MONEY


def _is_sum(passage: Passage, at: int, classes: WordClasses) -> bool:
    words = passage.words
    begin, finish = passage.sentence_bounds(at)
    after = words[at + 1] if at + 1 < finish else ""
    if after in classes["counted_things"]:
        return False
    if after in classes["money_after"]:
        return True
    value = passage.values[at]
    if value in (999, 101, 159, 111, 55) or 2015 <= value <= 2035:
        return False
    before = at - 1
    while before >= begin and before >= at - 3:
        if words[before] in classes["money_before"]:
            return value >= 10 or words[before] in ("paid", "pay", "charged", "wants", "asked", "asking")
        if words[before] not in classes["money_fillers"]:
            return False
        before -= 1
    return False
