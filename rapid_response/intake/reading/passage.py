"""A report as words: what each is, where it stands, which sentence and clause, and whose words it quotes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NUMBER, MONEY, CLOCK, AGE, DECADE, LINK = "<num>", "<money>", "<clock>", "<age>", "<decade>", "<link>"

#: The word classes of `data/classes.yaml`, by name.
WordClasses = Mapping[str, frozenset[str]]


@dataclass(slots=True)
class Passage:
    """Parallel lists, one entry a word; punctuation only shows as clause and sentence borders."""

    words: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    clauses: list[int] = field(default_factory=list)
    sentences: list[int] = field(default_factory=list)
    quoted: list[bool] = field(default_factory=list)
    #: Word index at which each sentence begins, and one past its last word.
    begins: list[int] = field(default_factory=list)
    finishes: list[int] = field(default_factory=list)
    #: Whether each sentence ends with a question mark.
    asks: list[bool] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.words)

    def sentence_bounds(self, word: int) -> tuple[int, int]:
        """First word and one past the last word of the sentence that `word` stands in."""
        number = self.sentences[word]
        return self.begins[number], self.finishes[number]
