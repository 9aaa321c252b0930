"""The little language that phrases of the knowledge files are written in, and finding them in a passage.

safe|secure account          these words, one after the other; | between words that will do
gutter*  *ing                a word that begins so; a word that ends so
?the                         may be left out
..  ..5                      up to three (five) words of the same sentence in between
@offender                    a word class of classes.yaml
<money> <num> <age> <clock>  an amount, a number, an age, a time of day; also <decade> (70s) and <link>
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from rapid_response.intake.reading.passage import Passage

_GAP = 3


@dataclass(frozen=True, slots=True)
class Element:
    """One place in a phrase: which words stand there, or how many may lie between."""

    words: frozenset[str]
    stems: tuple[str, ...]
    endings: tuple[str, ...]
    optional: bool = False
    gap: int = 0


@dataclass(frozen=True, slots=True)
class Phrase:
    """A compiled phrase of one concept; `trigger` is its rarest place, where the search begins."""

    concept: int
    source: str
    elements: tuple[Element, ...]
    trigger: int


class PhraseFault(ValueError):
    """A phrase in a knowledge file that cannot be read; the sentence names it and says why."""


def parse(
    source: str,
    concept: int,
    classes: Mapping[str, frozenset[str]],
    plainly: Callable[[str], tuple[str, ...]],
    commonness: Callable[[str], float],
) -> Phrase:
    """Compiles one line of a knowledge file."""
    elements: list[Element] = []
    for piece in source.split():
        elements.extend(_elements(piece, source, classes, plainly))
    cost = [_cost(element, commonness) for element in elements]
    trigger = min(range(len(elements)), key=lambda at: cost[at], default=0)
    if not elements or cost[trigger] == float("inf"):
        raise PhraseFault(f"The phrase “{source}” has no word to look for: give at least one plain word.")
    return Phrase(concept, source, tuple(elements), trigger)


def _elements(
    piece: str, source: str, classes: Mapping[str, frozenset[str]], plainly: Callable[[str], tuple[str, ...]]
) -> Iterator[Element]:
    if piece.startswith(".."):
        yield Element(frozenset(), (), (), gap=int(piece[2:] or _GAP))
        return
    optional = piece.startswith("?")
    parts = piece.lstrip("?").split("|")
    if len(parts) == 1 and parts[0][:1] not in ("@", "<") and "*" not in parts[0]:
        for plain in plainly(parts[0]):
            yield Element(frozenset((plain,)), (), (), optional)
        return
    words: set[str] = set()
    stems: list[str] = []
    endings: list[str] = []
    for part in parts:
        for member in _members(part, source, classes):
            if member.endswith("*"):
                stems.append(member[:-1])
            elif member.startswith("*"):
                endings.append(member[1:])
            elif member:
                words.add(member if part[0] == "@" else _one_word(plainly(member)))
    yield Element(frozenset(words), tuple(stems), tuple(endings), optional)


def _members(part: str, source: str, classes: Mapping[str, frozenset[str]]) -> Iterable[str]:
    """The words of a class, or the word itself."""
    if not part.startswith("@"):
        return (part,)
    if part[1:] not in classes:
        raise PhraseFault(f"The phrase “{source}” names {part}, which classes.yaml does not have.")
    return sorted(classes[part[1:]])


def _one_word(plain: tuple[str, ...]) -> str:
    """The word that stands for an alternative: mum's → mum, won't → not, cashpoint → cash."""
    return "not" if plain[-1] == "not" else plain[0]


def _cost(element: Element, commonness: Callable[[str], float]) -> float:
    if element.gap or element.optional or element.endings:
        return float("inf")
    return sum(commonness(word) for word in element.words) + 1.5 * len(element.stems)


#: One step of a walk: gap, optional, words, stems, endings (plain tuples: this is the innermost loop).
Step = tuple[int, bool, frozenset[str], tuple[str, ...], tuple[str, ...]]
#: A concept, and whether the phrase says its own "not" ("will not leave").
Found = tuple[int, bool]
#: What to look for when a trigger word is met: concept, the steps to its right, the steps to its left.
#: The last two are the words that must stand right and left of it, where that is plain; None where it is not.
Candidate = tuple[Found, tuple[Step, ...], tuple[Step, ...], frozenset[str] | None, frozenset[str] | None]


def _steps(elements: Iterable[Element]) -> tuple[Step, ...]:
    return tuple((part.gap, part.optional, part.words, part.stems, part.endings) for part in elements)


def _first_words(steps: tuple[Step, ...]) -> frozenset[str] | None:
    if not steps:
        return None
    gap, optional, words, stems, endings = steps[0]
    return None if gap or optional or stems or endings else words


class PhraseIndex:
    """Finds every phrase in a passage, beginning each search at the phrase's rarest word."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_word: dict[str, list[Candidate]] = {}
        self._by_stem: dict[str, list[Candidate]] = {}
        for phrase in phrases:
            right = _steps(phrase.elements[phrase.trigger + 1 :])
            left = _steps(reversed(phrase.elements[: phrase.trigger]))
            own_denial = any(_DENIALS & part.words for part in phrase.elements)
            candidate = ((phrase.concept, own_denial), right, left, _first_words(right), _first_words(left))
            element = phrase.elements[phrase.trigger]
            for word in element.words:
                self._by_word.setdefault(word, []).append(candidate)
            for stem in element.stems:
                self._by_stem.setdefault(stem, []).append(candidate)
        self.begun_from = frozenset(self._by_word)
        self._longest = max((len(stem) for stem in self._by_stem), default=0)
        self.candidates = lru_cache(maxsize=50_000)(self._candidates)

    def _candidates(self, word: str) -> tuple[Candidate, ...]:
        found = list(self._by_word.get(word, ()))
        for length in range(2, min(self._longest, len(word)) + 1):
            found.extend(self._by_stem.get(word[:length], ()))
        unique = list({id(candidate): candidate for candidate in found}.values())
        # A word that is enough by itself makes the longer phrases of that concept needless.
        enough = {candidate[0][0] for candidate in unique if not candidate[1] and not candidate[2]}
        needed = [candidate for candidate in unique if candidate[0][0] not in enough]
        return tuple(((concept, False), (), (), None, None) for concept in sorted(enough)) + tuple(needed)

    def find(self, passage: Passage) -> Iterator[tuple[Found, int, int]]:
        """(what, first word, one past the last word) of every phrase found."""
        words, kinds, candidates = passage.words, passage.kinds, self.candidates
        for begin, finish in zip(passage.begins, passage.finishes, strict=True):
            for at in range(begin, finish):
                found = candidates(words[at])
                if kinds[at] and kinds[at] != words[at]:
                    found += candidates(kinds[at])
                for concept, right, left, after, before in found:
                    if after is not None and (
                        at + 1 >= finish or (words[at + 1] not in after and kinds[at + 1] not in after)
                    ):
                        continue
                    if before is not None and (
                        at <= begin or (words[at - 1] not in before and kinds[at - 1] not in before)
                    ):
                        continue
                    end = _walk(right, 0, at + 1, 1, words, kinds, begin, finish) if right else at + 1
                    if end < 0:
                        continue
                    start = _walk(left, 0, at - 1, -1, words, kinds, begin, finish) + 1 if left else at
                    if start >= begin:
                        yield concept, start, end


_NO_FIT = -5
_DENIALS = frozenset({"not", "never", "no", "nothing", "nobody", "none", "without", "nil", "refused"})


def _walk(
    steps: tuple[Step, ...],
    k: int,
    at: int,
    way: int,
    words: list[str],
    kinds: list[str],
    begin: int,
    stop: int,
) -> int:
    """One word past the last, having walked along `steps` from word `at`; _NO_FIT if they do not fit."""
    last = len(steps)
    while k < last:
        gap, optional, wanted, stems, endings = steps[k]
        k += 1
        if gap:
            return _walk_gap(steps, k, at, way, words, kinds, begin, stop)
        if begin <= at < stop:
            word = words[at]
            if (
                word in wanted
                or (kinds[at] and kinds[at] in wanted)
                or (stems and word.startswith(stems))
                or (endings and len(word) > 4 and word.endswith(endings))
            ):
                at += way
                continue
        if not optional:
            return _NO_FIT
    return at if begin - 1 <= at <= stop else _NO_FIT


def _walk_gap(
    steps: tuple[Step, ...],
    k: int,
    at: int,
    way: int,
    words: list[str],
    kinds: list[str],
    begin: int,
    stop: int,
) -> int:
    """As `_walk`, from a gap on: tries the next step at each distance that the gap allows."""
    gap = steps[k - 1][0]
    if k == len(steps):
        return at if begin - 1 <= at <= stop else _NO_FIT
    inner_gap, optional, wanted, stems, endings = steps[k]
    simple = None if inner_gap or optional or stems or endings else wanted
    for place in range(at, at + (gap + 1) * way, way):
        if simple and not (begin <= place < stop and (words[place] in simple or kinds[place] in simple)):
            continue
        out = _walk(steps, k, place, way, words, kinds, begin, stop)
        if out != _NO_FIT:
            return out
    return _NO_FIT


def known_words(index: PhraseIndex) -> list[str]:
    """Every word that a search begins from, for measuring what word-spotting alone would cost."""
    return sorted(word for word in index.begun_from if word.isalpha())
