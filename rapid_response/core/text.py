"""Text from outside, made storable once, at the edge."""

from __future__ import annotations

import unicodedata

from rapid_response.core.redaction import redact

#: Kept of the control characters: people write in lines.
_KEPT = frozenset("\n\t")


def storable(text: str) -> str:
    """As :func:`clean_text`, and without card numbers, bank details, PINs and codes: for all that is kept.

    Whoever reads the text for meaning reads this one, so that spans are those of what is stored.
    """
    return redact(clean_text(text))


def clean_text(text: str) -> str:
    """The text without what a database refuses or a screen cannot show; raises ValueError if nothing is left.

    PostgreSQL refuses U+0000, both drivers refuse lone surrogates, and other control characters only ever
    arrive by accident or malice. Direction overrides go too: they make a record read as what it is not.
    """
    kept = "".join(c for c in text.replace("\r\n", "\n").replace("\r", "\n") if _is_kept(c)).strip()
    if not kept:
        raise ValueError("write something here")
    return kept


def _is_kept(character: str) -> bool:
    if character in _KEPT:
        return True
    if "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069":
        return False
    return unicodedata.category(character) not in ("Cc", "Cs")
