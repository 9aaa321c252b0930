"""Turns shorthand, run-together and misspelt words into the plain words that the phrases are written in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

_ENDINGS = {
    "n't": ("not",),
    "'re": ("are",),
    "'ve": ("have",),
    "'ll": ("will",),
    "'d": ("would",),
    "'m": ("am",),
}
_IS_AFTER = frozenset(
    [
        "he",
        "she",
        "it",
        "that",
        "there",
        "here",
        "who",
        "what",
        "where",
        "how",
        "this",
        "somebody",
        "someone",
        "everyone",
        "nobody",
        "something",
        "let",
    ]
)
_SHORTEST_CORRECTED = 6


class Spelling:
    """Knows the shorthand table and the vocabulary of the phrases; mends one slip in a long unknown word."""

    def __init__(
        self, shorthand: Mapping[str, tuple[str, ...]], vocabulary: Iterable[str], plain: Iterable[str]
    ) -> None:
        self._shorthand = dict(shorthand)
        self._vocabulary = frozenset(vocabulary)
        self._plain = frozenset(plain)
        self._near: dict[str, str] = {}
        for word in sorted(w for w in self._vocabulary if len(w) >= _SHORTEST_CORRECTED and w.isalpha()):
            for shorter in _without_one(word):
                self._near.setdefault(shorter, word)
        self.plainly = lru_cache(maxsize=50_000)(self._plainly)

    def _plainly(self, word: str) -> tuple[str, ...]:
        """The plain words that `word` stands for; itself where nothing is known of it."""
        known = self._shorthand.get(word)
        if known is not None:
            return known
        if "'" in word:
            return self._without_apostrophe(word)
        if (
            word in self._vocabulary
            or word in self._plain
            or len(word) < _SHORTEST_CORRECTED
            or len(word) > 20
        ):
            return (word,)
        return (self._mended(word),)

    def _without_apostrophe(self, word: str) -> tuple[str, ...]:
        if word in ("can't", "won't", "shan't"):
            return {"c": ("can", "not"), "w": ("will", "not"), "s": ("shall", "not")}[word[0]]
        for ending, plain in _ENDINGS.items():
            if word.endswith(ending):
                return self._plainly(word[: -len(ending)]) + plain
        head, _, tail = word.rpartition("'")
        if tail == "s" and head:
            return self._plainly(head) + (("is",) if head in _IS_AFTER else ("'s",))
        return self._plainly(word.replace("'", ""))

    def _mended(self, word: str) -> str:
        """A vocabulary word that one dropped, doubled, swapped or wrong letter away, same first letter."""
        direct = self._near.get(word)
        if direct is not None and direct[0] == word[0]:
            return direct
        for shorter in _without_one(word):
            if shorter in self._vocabulary and len(shorter) >= _SHORTEST_CORRECTED:
                return shorter
            near = self._near.get(shorter)
            if (
                near is not None
                and near[0] == word[0]
                and len(near) == len(word)
                and len(word) > _SHORTEST_CORRECTED
            ):
                return near
        return word


def _without_one(word: str) -> list[str]:
    return [word[:i] + word[i + 1 :] for i in range(1, len(word))]
