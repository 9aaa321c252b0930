"""Evens out how a text is typed (case, quotes, full-width letters) and keeps the way back to its offsets."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

#: Longest text that is analysed. The intake takes at most this many characters (contract.md 4); what a
#: hostile sender puts behind them is kept with the report but not read.
ANALYSED_CHARACTERS = 20_000

_PLAIN = {
    "’": "'", "‘": "'", "`": "'", "´": "'", "ʼ": "'", "‛": "'", "′": "'",
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "″": '"',
    "–": "-", "‐": "-", "‑": "-", "−": "-", "—": ";", "…": ".", "•": ";",
    "\x00": " ", "\u2028": "\n", "\u2029": "\n", "\r": "\n",
}  # fmt: skip
#: Up to so many different unusual characters are replaced one by one.
_FEW = 24


@dataclass(frozen=True, slots=True)
class Folded:
    """The evened-out text; `origins` maps its characters to the original's, or is None where equal."""

    text: str
    origins: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]` stands in the original."""
        if self.origins is None:
            return start, end
        if start >= end:
            return self.origins[start], self.origins[start]
        return self.origins[start], self.origins[end - 1] + 1


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    plain = _PLAIN.get(character)
    if plain is not None:
        return plain
    if unicodedata.category(character) in ("Cf", "Mn", "Cc") and character not in "\n\t":
        return ""
    parts = unicodedata.normalize("NFKD", character)
    kept = "".join(part for part in parts if unicodedata.category(part) != "Mn")
    return kept.lower()[:4]


def _plainly_ascii(character: str) -> bool:
    return character.isascii() and character not in "`\x00\r"


def fold(text: str) -> Folded:
    """Lower case, plain quotes and letters, nothing invisible; linear in the part that is analysed."""
    text = text[:ANALYSED_CHARACTERS]
    if text.isascii() and "`" not in text and "\x00" not in text and "\r" not in text:
        return Folded(text.lower(), None)
    unusual = {letter: _fold_character(letter) for letter in set(text) if not _plainly_ascii(letter)}
    if len(unusual) <= _FEW and all(len(piece) == 1 for piece in unusual.values()):
        # A replacement for each is much quicker than `translate`, which asks a dict for every character.
        for letter, piece in unusual.items():
            if letter != piece:
                text = text.replace(letter, piece)
        return Folded(text.lower(), None)
    pieces = [_fold_character(character) for character in text]
    joined = "".join(pieces)
    if len(joined) == len(text) and all(len(piece) == 1 for piece in pieces):
        return Folded(joined, None)
    origins = [at for at, piece in enumerate(pieces) for _ in piece]
    return Folded(joined, origins)
