"""Which bare numbers are sums of money: asking 600, wants nine hundred, pay 80 delivery."""

from __future__ import annotations

from rapid_response.intake.reading.passage import MONEY, NUMBER, Passage

_MONEY_BEFORE = frozenset(
    "paid pay pays paying asked asking asks wants want wanted wanting charged charge charging charges cost costs "
    "gave give given took quoted quote quoting deposit another extra lost owe owes owed demanding "
    "demanded demands transferred handed over sent send sending total spent withdrew handing lose price "
    "transfer borrowed remaining final back fee loses".split()
)
_MONEY_AFTER = frozenset("cash deposit upfront dep each ea delivery total transfer fee quick".split())
_FILLERS = frozenset("him her them me us over about around nearly approx another of a the only just up to out for "
                     "was at er extra almost further roughly someone".split())  # fmt: skip
_COUNTED = frozenset(
    "men man women woman lads lad blokes people days day weeks week months month hours hour minutes mins min doors "
    "times houses miles quotes visits calls bags boys girls males females payments pm am percent years year yrs yr "
    "oclock flats trees bricks tiles o lots goes items cards letters other others of weeks' youths pieces photos "
    "metres times boxes rolls kids panels windows sheets sessions instalments different separate more star "
    "neighbours rings packs bottles vans who police officers residents attempts texts emails".split()
)


def mark_sums(passage: Passage) -> None:
    """Gives the kind MONEY to numbers that the words beside them make into a sum."""
    words, kinds, values = passage.words, passage.kinds, passage.values
    for at, kind in enumerate(kinds):
        if kind == NUMBER and values[at] >= 5 and _is_sum(passage, at):
            kinds[at] = MONEY
            words[at] = MONEY


def _is_sum(passage: Passage, at: int) -> bool:
    words = passage.words
    begin, finish = passage.sentence_bounds(at)
    after = words[at + 1] if at + 1 < finish else ""
    if after in _COUNTED:
        return False
    if after in _MONEY_AFTER:
        return True
    value = passage.values[at]
    if value in (999, 101, 159, 111, 55) or 2015 <= value <= 2035:
        return False
    before = at - 1
    while before >= begin and before >= at - 3:
        if words[before] in _MONEY_BEFORE:
            return value >= 10 or words[before] in ("paid", "pay", "charged", "wants", "asked", "asking")
        if words[before] not in _FILLERS:
            return False
        before -= 1
    return False
