"""What `doctor` looks at, one subject a file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a finding bears on the promise."""

    OK = "ok"
    WARN = "warn"
    #: The service could not keep its promise.
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found, as a sentence that says what to do where something is to be done."""

    level: Level
    sentence: str


def ok(sentence: str) -> Finding:
    """All is well here."""
    return Finding(Level.OK, sentence)


def warn(sentence: str) -> Finding:
    """Worth a look; the promise does not depend on it."""
    return Finding(Level.WARN, sentence)


def fail(sentence: str) -> Finding:
    """The promise could not be kept."""
    return Finding(Level.FAIL, sentence)
