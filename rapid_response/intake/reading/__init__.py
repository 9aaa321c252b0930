"""Understanding a report's words: category, urgency, facts, targeting, each with the words that say so."""

from __future__ import annotations

from rapid_response.intake.reading.answering import classify_line
from rapid_response.intake.reading.port import Evidence, Matter, Reader, Reading
from rapid_response.intake.reading.reader import LexiconReader

__all__ = ["Evidence", "Matter", "Reader", "Reading", "classify_line", "default_reader"]


def default_reader() -> Reader:
    """The reader that this version ships; cheap to make, its knowledge is loaded at the first reading."""
    return LexiconReader()
