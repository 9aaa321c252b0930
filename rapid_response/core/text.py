"""Text from outside, made storable once, at the edge."""

from __future__ import annotations

import re

from rapid_response.core.redaction import redact

#: Control characters but those of lines (U+0009 and U+000A), lone surrogates, and what turns the direction of
#: writing: Unicode's categories Cc and Cs, and the embeddings, overrides and isolates of Cf.
_LEFT_OUT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


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
    kept = _LEFT_OUT.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not kept:
        raise ValueError("write something here")
    return kept
