"""Which bare numbers are sums of money: asking 600, wants nine hundred, pay 80 delivery."""

from __future__ import annotations

from rapid_response.intake.reading.passage import AGE, MONEY, NUMBER, Passage, WordClasses


def mark_sums(passage: Passage, classes: WordClasses) -> None:
    """Gives the kind MONEY to numbers that the words beside them make into a sum."""
    words, kinds, values = passage.words, passage.kinds, passage.values
    for at, kind in enumerate(kinds):
        if kind == NUMBER and values[at] >= 5 and _is_sum(passage, at, classes):
            kinds[at] = MONEY
            words[at] = MONEY
    _thousands_understood(passage, classes)
    if MONEY not in kinds:
        _bare_sums(passage, classes)


def _thousands_understood(passage: Passage, classes: WordClasses) -> None:
    """ "She has moved five thousand and there is another nine going": nine thousand."""
    thousands = False
    for at, kind in enumerate(passage.kinds):
        if kind not in (MONEY, NUMBER):
            continue
        value = passage.values[at]
        before = passage.words[at - 1] if at else ""
        if thousands and 2 <= value <= 99 and before in ("another", "further", "other"):
            after = passage.words[at + 1] if at + 1 < len(passage) else ""
            if after not in classes["counted_things"]:
                passage.kinds[at] = passage.words[at] = MONEY
                passage.values[at] = value * 1000
        elif kind == MONEY and value >= 1000 and value % 1000 == 0:
            thousands = True


#: "700 more" is a sum, "2 more" are people.
_LEAST_MORE = 40
#: Bare numbers that nothing near them makes into a sum: only where no other sum stands in the report.
_LEAST_BARE, _MOST_BARE = 100, 99_999


def _bare_sums(passage: Passage, classes: WordClasses) -> None:
    """Texts from telephones name sums without a sign: "roof bloke wont budge, 350"."""
    words, kinds, values = passage.words, passage.kinds, passage.values
    for at, kind in enumerate(kinds):
        if kind != NUMBER or not _LEAST_BARE <= values[at] <= _MOST_BARE:
            continue
        value, written = values[at], passage.ends[at] - passage.starts[at]
        begin, finish = passage.sentence_bounds(at)
        after = words[at + 1] if at + 1 < finish else ""
        before = words[at - 1] if at > begin else ""
        if words[at].startswith("0"):
            continue
        if (after in classes["counted_things"] and after != "more") or after in classes["not_a_sum_before"]:
            continue
        if not classes["street_words"].isdisjoint(words[at + 1 : min(finish, at + 4)]):
            continue
        if before in classes["not_a_sum_after"] or value in (999, 101, 105, 111, 159, 247, 365):
            continue
        if written == len(str(int(value))) and _like_a_time_or_year(value, before, after, classes):
            continue
        if value % 5 and before != "for" and after not in ("off", "quid"):
            continue
        if at and kinds[at - 1] in (NUMBER, AGE) and passage.starts[at] - passage.ends[at - 1] <= 2:
            continue
        kinds[at] = words[at] = MONEY


def _like_a_time_or_year(value: float, before: str, after: str, classes: WordClasses) -> bool:
    if 1930 <= value <= 2035 and value != 2000:
        return True
    if value < 2400 and value % 100 < 60 and value >= 600 and value % 5 == 0:
        return before in classes["before_an_hour"] or after in classes["after_an_hour"]
    return False


#: A house number has its road's name before the word for a road: "61 Ep Road", "9 Old Mill Lane".
_MOST_OF_A_NAME = 2


def _is_house_number(passage: Passage, at: int, finish: int, classes: WordClasses) -> bool:
    words = passage.words
    for behind in range(at + 1, min(finish, at + 2 + _MOST_OF_A_NAME)):
        if words[behind] in classes["street_words"]:
            return behind > at + 1
        if words[behind] in classes["not_in_a_road_name"] or passage.kinds[behind]:
            return False
    return False


def _is_sum(passage: Passage, at: int, classes: WordClasses) -> bool:
    words = passage.words
    begin, finish = passage.sentence_bounds(at)
    after = words[at + 1] if at + 1 < finish else ""
    if after in classes["counted_things"] and not (after == "more" and passage.values[at] >= _LEAST_MORE):
        return False
    if at > begin and words[at - 1] in ("over", "under", "above") and 50 <= passage.values[at] <= 100:
        return False
    if words[at].startswith("0") or _is_house_number(passage, at, finish, classes):
        return False
    if after in classes["money_after"]:
        return True
    value = passage.values[at]
    if value in (999, 101, 159, 111, 55) or (1930 <= value <= 2035 and value != 2000):
        return False
    if after in classes["after_an_hour"] and 600 <= value < 2400 and value % 100 < 60:
        return False
    before = at - 1
    while before >= begin and before >= at - 3:
        if words[before] in classes["money_before"]:
            return value >= 10 or words[before] in ("paid", "pay", "charged", "wants", "asked", "asking")
        if words[before] not in classes["money_fillers"]:
            return False
        before -= 1
    return False
