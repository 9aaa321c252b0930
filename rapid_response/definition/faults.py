"""What is wrong with a service definition, said so that whoever wrote it can put it right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Where something stands in the file: keys and positions (from 0), from the top down."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; `line` counts from 1, `field` is empty when the file as a whole is meant."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        return f"{place}: {self.field}: {self.message}" if self.field else f"{place}: {self.message}"


class DefinitionFaults(Exception):
    """The definition cannot be loaded; `faults` has all that is wrong with it, in the order of the lines."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: fault.line)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def field_name(path: Path) -> str:
    """The way a field is spelled to people: `responders[0].phones.sms`."""
    spelled = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return spelled.removeprefix(".")


def shown(value: object) -> str:
    """A value as it is quoted back in a message: short, on one line, and clear about what it was."""
    if isinstance(value, str):
        text = " ".join(value.split())
        return f"“{text[:60]}…”" if len(text) > 60 else f"“{text}”"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a group of keys"
    return "a list" if isinstance(value, list | tuple) else str(value)
