"""Money at risk: lost plus still asked for, each counted once; bait, worth and savings do not count."""

from __future__ import annotations

from dataclasses import dataclass

from rapid_response.intake.reading.knowledge import Knowledge
from rapid_response.intake.reading.passage import MONEY, NUMBER, Passage, WordClasses

_MOST_PENCE = 10**12
#: Sums with at most so many words between them may be a list; with one of these words they are not.
_LIST_GAP = 5
_NO_LIST = frozenset({"to", "from", "or", "not", "instead", "worth", "of", "became", "total"})
#: Words of theft: what is "worth" a sum then counts as lost.
_GONE = frozenset(
    {"gone", "stolen", "stole", "took", "taken", "nicked", "ran", "missing", "pinched", "swiped", "snatched"}
)


@dataclass(frozen=True, slots=True)
class Sum:
    """One amount in the text and what its surroundings say of it."""

    at: int
    pounds: float
    ignored: bool
    total: bool
    adds: bool


@dataclass(frozen=True, slots=True)
class Exposure:
    """The amount at risk and the word positions that it was read from."""

    pence: int
    words: tuple[int, ...]


def money_at_risk(passage: Passage, knowledge: Knowledge) -> Exposure | None:
    """What is lost or still asked for; None where no definite sum is named."""
    sums = [_described(passage, knowledge, at) for at, kind in enumerate(passage.kinds) if kind == MONEY]
    counted = [found for found in sums if not found.ignored and found.pounds > 0]
    if not counted:
        return None
    totals = [found for found in counted if found.total]
    if totals:
        chosen = [max(totals, key=lambda found: found.pounds)]
        adding = [found for found in counted if found.adds and found.at > chosen[0].at]
        return _exposure(chosen + adding)
    listed = _listed(passage, counted)
    return _exposure(listed if listed else _added(counted))


def _listed(passage: Passage, counted: list[Sum]) -> list[Sum]:
    """Three sums or more, one after the other ("£600 gutters, £900 cement, £1,200 today"), all of them."""
    best: list[Sum] = []
    chain: list[Sum] = []
    for found in counted:
        between = passage.words[chain[-1].at + 1 : found.at] if chain else []
        if chain and (len(between) > _LIST_GAP or not _NO_LIST.isdisjoint(between)):
            chain = []
        chain = [*chain, found]
        if len(chain) >= max(3, len(best)) and chain[-1].pounds < sum(one.pounds for one in chain[:-1]):
            best = chain
    adding = [found for found in counted if best and found.adds and found not in best]
    return best + adding


def _added(counted: list[Sum]) -> list[Sum]:
    """Sums that stand beside one another: the largest, with those that the text adds to it."""
    largest = max(counted, key=lambda found: found.pounds)
    chosen, seen = [largest], {largest.pounds}
    for position, found in enumerate(counted):
        follows = position + 1 < len(counted) and counted[position + 1].adds
        joined = (
            found.adds or (follows and counted[position + 1] is largest) or (largest.adds and position == 0)
        )
        said_again = found.pounds in seen and not (found.adds and found.pounds == largest.pounds)
        if found is not largest and joined and not said_again:
            chosen.append(found)
            seen.add(found.pounds)
    return chosen


def _exposure(chosen: list[Sum]) -> Exposure | None:
    pence = round(sum(found.pounds for found in chosen) * 100)
    if not 0 < pence < _MOST_PENCE:
        return None
    return Exposure(pence, tuple(found.at for found in chosen))


def _described(passage: Passage, knowledge: Knowledge, at: int) -> Sum:
    classes = knowledge.classes
    begin, finish = passage.sentence_bounds(at)
    words = passage.words
    clause = passage.clauses[at]
    before = words[max(begin, at - 5) : at]
    near_before = [words[i] for i in range(max(begin, at - 4), at) if passage.clauses[i] == clause]
    after = [words[i] for i in range(at + 1, min(finish, at + 5)) if passage.clauses[i] == clause]
    following = [passage.kinds[i] == MONEY for i in range(at + 1, at + 1 + len(after))]
    if any(following):
        after = after[: following.index(True)]
    ignored = _not_at_risk(before, near_before, after, classes)
    if ignored and "worth" in near_before[-2:] and not _GONE.isdisjoint(words):
        ignored = False
    if near_before[-1:] == ["from"] and "down" in near_before:
        ignored = True
    total = any(word in classes["total_words"] for word in before[-4:] + words[at + 1 : min(finish, at + 4)])
    adds = (
        any(word in classes["adding_words"] for word in before[-3:])
        or (bool(before) and before[-1] in ("other", "second", "third"))
        or (bool(after) and after[0] in classes["adding_after"])
    )
    return Sum(at, passage.values[at] * _times(passage, at, begin, finish), ignored, total, adds)


def _not_at_risk(before: list[str], near_before: list[str], after: list[str], known: WordClasses) -> bool:
    if any(word in known["paying_words"] for word in near_before[-3:]):
        return bool(after) and after[0] in known["bait_after"]
    if any(word in known["bait_before"] for word in near_before):
        return True
    if (
        len(near_before) >= 2
        and near_before[-1] in ("of", "than")
        and near_before[-2] in ("instead", "rather", "less")
    ):
        return True
    return any(word in known["bait_after"] for word in after[:3])


def _times(passage: Passage, at: int, begin: int, finish: int) -> float:
    """How often the sum was paid or asked: £220 each for two, three payments of £400, twelve lots of £50."""
    words, kinds, values = passage.words, passage.kinds, passage.values
    after = words[at + 1] if at + 1 < finish else ""
    if (
        at - 2 >= begin
        and kinds[at - 2] == NUMBER
        and words[at - 1] in ("payments", "instalments", "lots", "times", "x")
    ):
        return values[at - 2]
    if at - 3 >= begin and kinds[at - 3] == NUMBER and words[at - 1] == "of":
        return values[at - 3] if values[at - 3] <= 60 else 1
    if after in ("each", "ea", "apiece"):
        return _count_nearby(passage, at, begin, finish)
    if after in ("x", "times") and at + 2 < finish and kinds[at + 2] == NUMBER:
        return max(1.0, values[at + 2])
    if at + 2 < finish and kinds[at + 1] == NUMBER and words[at + 2] in ("times", "x"):
        return max(1.0, values[at + 1])
    if after in ("twice",):
        return 2
    if after == "a" and at + 2 < finish and words[at + 2] in ("week", "month", "time", "go", "day", "visit"):
        for i in range(at + 3, min(finish, at + 8)):
            if (
                kinds[i] == NUMBER
                and i + 1 < finish
                and words[i + 1].startswith(words[at + 2])
                and values[i] <= 120
            ):
                return values[i]
    return 1


def _count_nearby(passage: Passage, at: int, begin: int, finish: int) -> float:
    """How many an "each" speaks of: a number in the sentence, or two where "mine and next door's"."""
    for i in range(max(begin, at - 9), at):
        if passage.kinds[i] == NUMBER and 2 <= passage.values[i] <= 50:
            return passage.values[i]
    for i in range(at + 2, min(finish, at + 7)):
        if passage.kinds[i] == NUMBER and 2 <= passage.values[i] <= 50:
            return passage.values[i]
    nearby = passage.words[begin:at]
    return 2 if "and" in nearby or "both" in nearby or "us" in nearby else 1
