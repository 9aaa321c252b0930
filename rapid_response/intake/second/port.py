"""What the rest of the product knows of a second reader: it is asked with messages, and answers with text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

Messages = Sequence[Mapping[str, str]]


class Fault(StrEnum):
    """Why there is no answer: a closed list, because it is stored and logged."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    REDIRECT = "redirect"
    STATUS = "status"
    TOO_LARGE = "too_large"
    NOT_UNDERSTOOD = "not_understood"
    LEASE_ENDED = "lease_ended"


class ReaderFailed(Exception):
    """The second reader gave no answer that can be used; `fault` says why, and nothing of what it said."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.value)


class SecondReader(Protocol):
    """A reader that somebody else runs."""

    @property
    def model(self) -> str:
        """Which model it is, as the council named it."""

    async def ask(self, messages: Messages) -> str:
        """What it says to these messages; raises :class:`ReaderFailed`."""

    async def close(self) -> None:
        """Let go of its connections."""
