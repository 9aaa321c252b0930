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

    def fits(self, word: str, kind: str) -> bool:
        """Whether this word of the passage may stand here."""
        if word in self.words or (kind and kind in self.words):
            return True
        if self.stems and word.startswith(self.stems):
            return True
        return bool(self.endings) and len(word) > 4 and word.endswith(self.endings)


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
        if part.startswith("@"):
            if part[1:] not in classes:
                raise PhraseFault(f"The phrase “{source}” names {part}, which classes.yaml does not have.")
            for member in classes[part[1:]]:
                (stems.append(member[:-1]) if member.endswith("*") else words.add(member))
        elif part.endswith("*"):
            stems.append(part[:-1])
        elif part.startswith("*"):
            endings.append(part[1:])
        elif part:
            words.add(_one_word(plainly(part)))
    yield Element(frozenset(words), tuple(stems), tuple(endings), optional)


def _one_word(plain: tuple[str, ...]) -> str:
    """The word that stands for an alternative: mum's → mum, won't → not, cashpoint → cash."""
    return "not" if plain[-1] == "not" else plain[0]


def _cost(element: Element, commonness: Callable[[str], float]) -> float:
    if element.gap or element.optional or element.endings:
        return float("inf")
    return sum(commonness(word) for word in element.words) + 1.5 * len(element.stems)


class PhraseIndex:
    """Finds every phrase in a passage, beginning each search at the phrase's rarest word."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_word: dict[str, list[Phrase]] = {}
        self._by_stem: dict[str, list[Phrase]] = {}
        for phrase in phrases:
            element = phrase.elements[phrase.trigger]
            for word in element.words:
                self._by_word.setdefault(word, []).append(phrase)
            for stem in element.stems:
                self._by_stem.setdefault(stem, []).append(phrase)
        self._longest = max((len(stem) for stem in self._by_stem), default=0)
        self.candidates = lru_cache(maxsize=50_000)(self._candidates)

    def _candidates(self, word: str) -> tuple[tuple[int, tuple[Element, ...], int], ...]:
        found = list(self._by_word.get(word, ()))
        for length in range(2, min(self._longest, len(word)) + 1):
            found.extend(self._by_stem.get(word[:length], ()))
        unique = {id(phrase): phrase for phrase in found}.values()
        return tuple((phrase.concept, phrase.elements, phrase.trigger) for phrase in unique)

    def find(self, passage: Passage) -> Iterator[tuple[int, int, int]]:
        """(concept, first word, one past the last word) of every phrase found."""
        words, kinds = passage.words, passage.kinds
        for begin, finish in zip(passage.begins, passage.finishes, strict=True):
            for at in range(begin, finish):
                found = self.candidates(words[at])
                if kinds[at] and kinds[at] != words[at]:
                    found += self.candidates(kinds[at])
                for concept, elements, trigger in found:
                    end = _ahead(elements, trigger + 1, at + 1, words, kinds, finish)
                    if end < 0:
                        continue
                    start = _back(elements, trigger - 1, at - 1, words, kinds, begin)
                    if start >= 0:
                        yield concept, start, end


def _ahead(elements: tuple[Element, ...], k: int, at: int, words: list[str], kinds: list[str], stop: int) -> int:
    """One past the last word of the phrase's right side, begun at word `at`; -1 if it does not fit."""
    while k < len(elements):
        element = elements[k]
        if element.gap:
            for skipped in range(element.gap + 1):
                end = _ahead(elements, k + 1, at + skipped, words, kinds, stop)
                if end >= 0:
                    return end
            return -1
        if at < stop and element.fits(words[at], kinds[at]):
            at += 1
        elif not element.optional:
            return -1
        k += 1
    return at if at <= stop else -1


def _back(elements: tuple[Element, ...], k: int, at: int, words: list[str], kinds: list[str], begin: int) -> int:
    """First word of the phrase's left side, read backwards from word `at`; -1 if it does not fit."""
    while k >= 0:
        element = elements[k]
        if element.gap:
            for skipped in range(element.gap + 1):
                start = _back(elements, k - 1, at - skipped, words, kinds, begin)
                if start >= 0:
                    return start
            return -1
        if at >= begin and element.fits(words[at], kinds[at]):
            at -= 1
        elif not element.optional:
            return -1
        k -= 1
    return at + 1
