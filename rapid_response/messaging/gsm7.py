"""The GSM 03.38 alphabet: what fits into one text, and how to keep a text inside it.

One curly quote or dash outside the alphabet would turn a whole text into UCS-2 and cut its length from 160 to
70 (delivery.md 10), so every text is normalised before it is counted or sent.
"""

from __future__ import annotations

import unicodedata

#: Septets of a text that goes out in one part, and of each part of one that does not.
ONE_SEGMENT = 160
PART = 153

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Sent as an escape and a character: each costs two septets.
_EXTENDED = frozenset("^{}\\[~]|€")
_ALPHABET = _BASIC | _EXTENDED

_PLAIN = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4\u0060", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    **dict.fromkeys("\u2022\u00b7", "-"),
    "\u2026": "...",
    "\u00d7": "x",
    "\u2044": "/",
    "\t": " ",
    "\u0131": "i",
    "\u0142": "l",
    "\u0141": "L",
}


def normalise(text: str) -> str:
    """The same text within the alphabet; what has no plain spelling becomes `?`."""
    if is_gsm7(text):
        return text
    return "".join(_plain(character) for character in unicodedata.normalize("NFC", text))


def foreign(text: str) -> int:
    """How many characters of the text have no plain spelling: a fault in whatever wrote it."""
    return normalise(text).count("?") - text.count("?")


def is_gsm7(text: str) -> bool:
    """Whether the text can go out as it stands, without changing a character."""
    return _ALPHABET.issuperset(text)


def septets(text: str) -> int:
    """What the text costs once normalised: two for an extended character, one for any other."""
    plain = normalise(text)
    return len(plain) + sum(map(plain.count, _EXTENDED))


def segments(text: str) -> int:
    """In how many parts the text travels; an escape and its character never part."""
    costs = [_cost(character) for character in normalise(text)]
    if sum(costs) <= ONE_SEGMENT:
        return 1 if costs else 0
    parts, used = 1, 0
    for cost in costs:
        if used + cost > PART:
            parts, used = parts + 1, 0
        used += cost
    return parts


def _cost(character: str) -> int:
    return 2 if character in _EXTENDED else 1


def _plain(character: str) -> str:
    known = _PLAIN.get(character, character)
    if is_gsm7(known):
        return known
    kind = unicodedata.category(character)
    if kind == "Zs":
        return " "
    # Zero-width and control characters, and marks that stand alone, carry nothing a reader would miss.
    if kind in ("Cc", "Cf", "Mn", "Me"):
        return ""
    bare = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    return bare if bare and is_gsm7(bare) else "?"
