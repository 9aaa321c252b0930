"""The board report as files: JSON as the contract has it, and CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: Spreadsheets take a file with it for UTF-8; without it Excel garbles a pound sign.
_BOM = "\ufeff"
#: A cell that begins so may be run as a formula (OWASP, CSV injection); an apostrophe makes it text.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_json(figures: Mapping[str, Any]) -> str:
    """The figures as indented JSON; the same figures give the same bytes."""
    return json.dumps(figures, indent=2, ensure_ascii=False) + "\n"


def to_csv(figures: Mapping[str, Any]) -> str:
    """The figures in long form, one a row: `section,key,value`; write it as UTF-8.

    Nested keys are joined by dots (`two_hours,by_mode.attended,3`). Of a list of named things the name is
    the key (`wards,Bromley Town,12`; `two_hours,breaches.RR-7K4M2Q.late_seconds,300`), numbered from its
    second time on (`RR-7K4M2Q (2)`); sentences are numbered. What is null is left empty.
    """
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(("section", "key", "value"))
    for section, content in figures.items():
        for path, value in _flat(content):
            rows.writerow((_cell(section), _cell(".".join(path)), _cell(value)))
    return _BOM + out.getvalue()


def _flat(content: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    match content:
        case Mapping():
            for key, value in content.items():
                for path, leaf in _flat(value):
                    yield (str(key), *path), leaf
        case list() | tuple():
            yield from _flat_list(content)
        case _:
            yield (), content


#: How the things of a list are named, and the only figure they have, if it is one.
_NAMES = ("ward", "reference")


def _flat_list(things: Sequence[Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    times: Counter[str] = Counter()
    for number, thing in enumerate(things, start=1):
        name = next((n for n in _NAMES if isinstance(thing, Mapping) and n in thing), None)
        if name is None:
            yield from (((str(number), *path), leaf) for path, leaf in _flat(thing))
            continue
        called = str(thing[name])
        times[called] += 1
        key = called if times[called] == 1 else f"{called} ({times[called]})"
        rest = {key: value for key, value in thing.items() if key != name}
        if len(rest) == 1:
            yield (key,), next(iter(rest.values()))
        else:
            yield from (((key, *path), leaf) for path, leaf in _flat(rest))


def _cell(value: object) -> str:
    """A value as a spreadsheet shows it, never as a formula."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            text = str(value)
            return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
