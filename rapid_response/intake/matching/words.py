"""The word lists behind the comparing, from `words.yaml`; read once, when first needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

#: Lists from which patterns are made, in the file's order.
_ORDERED = ("public_places", "own_people", "their_words", "named_by", "named_on", "name_endings")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Words:
    """The lists of the file, in the form in which they are asked."""

    titles: frozenset[str]
    #: Forename to the numbers of the lines it stands in: two names are one when they share a line.
    nicknames: Mapping[str, frozenset[int]]
    street_types: Mapping[str, str]
    house_nouns: frozenset[str]
    public_places: tuple[str, ...]
    company_endings: frozenset[str]
    trade_words: frozenset[str]
    borrowed: frozenset[str]
    shared_hosts: frozenset[str]
    hosting: frozenset[str]
    borrowed_hosts: frozenset[str]
    second_levels: frozenset[str]
    letters: Mapping[str, str]
    digits: Mapping[str, str]
    colours: Mapping[str, str]
    bodies: Mapping[str, str]
    organisations: frozenset[str]
    small_words: frozenset[str]
    plain_words: frozenset[str]
    not_names: frozenset[str]
    own_people: tuple[str, ...]
    their_words: tuple[str, ...]
    named_by: tuple[str, ...]
    named_on: tuple[str, ...]
    name_endings: tuple[str, ...]
    work: Mapping[str, str]


@cache
def words() -> Words:
    """The shipped lists."""
    text = Path(__file__).with_name("words.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.load(text, Loader=_LOADER)  # noqa: S506 - both are safe loaders
    lines: dict[str, set[int]] = {}
    for number, names in enumerate(data.pop("nicknames")):
        for name in names:
            lines.setdefault(name, set()).add(number)
    lists: dict[str, Any] = {
        name: tuple(value) if name in _ORDERED else frozenset(value) if isinstance(value, list) else value
        for name, value in data.items()
    }
    return Words(nicknames={name: frozenset(numbers) for name, numbers in lines.items()}, **lists)
