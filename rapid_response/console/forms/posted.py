"""A posted form, and what was made of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

NARRATIVE_LIMIT = 20_000
LINE_LIMIT = 200
LINES_LIMIT = 2_000
NOTE_LIMIT = 5_000
OUTCOME_ROWS = 3
YES, NO, UNKNOWN = "yes", "no", "unknown"


# What nobody can mean to type: control characters (line breaks and tabs excepted) and lone surrogates.
_UNTYPED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Posted:
    """A posted form, cleaned of what nobody can type."""

    values: Mapping[str, tuple[str, ...]]

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, object]]) -> Posted:
        """From the pairs of a form or a query string; uploaded files are left out."""
        values: dict[str, tuple[str, ...]] = {}
        for name, value in pairs:
            if isinstance(value, str):
                values[name] = (*values.get(name, ()), _clean(value))
        return cls(values)

    def text(self, name: str) -> str:
        """The field's last value without outer spaces, or an empty string."""
        return (self.values.get(name) or ("",))[-1].strip()

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field that may come more than once."""
        return self.values.get(name, ())


def _clean(value: str) -> str:
    return _UNTYPED.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field, and what to do about it."""

    field: str
    message: str

    @property
    def href(self) -> str:
        """Where the field is on the page."""
        return "#" + field_id(self.field)


def field_id(name: str) -> str:
    """The id of a field's first control."""
    return name.replace(".", "-")


@dataclass(frozen=True, slots=True)
class Filled:
    """What a form shows: the values so far, and what is wrong with them."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    errors: tuple[FieldError, ...] = ()

    def value(self, name: str, default: str = "") -> str:
        """What the field holds."""
        return (self.values.get(name) or (default,))[-1]

    def has(self, name: str, value: str) -> bool:
        """Whether a box is ticked."""
        return value in self.values.get(name, ())

    def error(self, name: str) -> str | None:
        """What is wrong with the field."""
        return next((e.message for e in self.errors if e.field == name), None)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A form read: the API's body, and the form as it is to be shown again if something is wrong."""

    body: dict[str, Any]
    filled: Filled
    looks_automated: bool = False
    #: The form's own words for its fields, for what is found wrong later.
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the body may be used."""
        return not self.filled.errors

    def refused(self, errors: Iterable[Mapping[str, str]]) -> Parsed:
        """The same form with the API's errors beside its fields."""
        found = tuple(FieldError(e["field"], e["message"]) for e in errors)
        return replace(self, filled=replace(self.filled, errors=self.filled.errors + found))
