"""The same once more, marked as that."""

from __future__ import annotations

import re

from rapid_response.messaging.gsm7 import ONE_SEGMENT, normalise, septets
from rapid_response.messaging.wording.job import REPEAT, first_that_fits

_OPTIONAL_TAIL = re.compile(r" (?:Sign in for details\.|Details: \S+)$")


def repeat_of(text: str) -> str:
    """The same text, marked as one that may be a duplicate, still in one segment."""
    if text.startswith(REPEAT):
        return text
    return first_that_fits(
        REPEAT + text, REPEAT + _OPTIONAL_TAIL.sub("", text), _cut(REPEAT + text), within=ONE_SEGMENT
    )


def _cut(text: str) -> str:
    kept = normalise(text)
    while septets(kept) > ONE_SEGMENT:
        kept = kept[:-1]
    return kept.rstrip()
