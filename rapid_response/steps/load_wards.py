"""Wards by postcode, read from an extract of ONSPD or NSPL (`pcds` and `osward`, or names) and kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert

from rapid_response.places import rules
from rapid_response.steps import borders
from rapid_response.steps.service import service_now
from rapid_response.storage.records import table_of
from rapid_response.storage.tables import PostcodeWardRow
from rapid_response.storage.tx import Tx

_POSTCODES = ("pcds", "pcd", "pcd7", "pcd8", "postcode")
_WARDS = ("ward_name", "ward", "osward", "wd")
_ROWS_AT_ONCE = 5_000


class NoWards(Exception):
    """The file does not say which ward of the service a postcode is in; the message says what is wanting."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was kept; `unknown` are wards that the service definition does not have."""

    kept: int
    wards: int
    unknown: tuple[str, ...]


def read(text: str, names: str | None = None) -> dict[str, str]:
    """The ward of each postcode, by name where `names` has it. Raises NoWards."""
    called = _names(names) if names is not None else {}
    rows = csv.DictReader(io.StringIO(text))
    columns = rows.fieldnames or ()
    postcode, ward = _column(columns, _POSTCODES), _column(columns, _WARDS)
    if postcode is None or ward is None:
        raise NoWards(
            f"A column of postcodes ({', '.join(_POSTCODES)}) and one of wards ({', '.join(_WARDS)}) "
            "are needed."
        )
    found = {}
    for row in rows:
        code, said = rules.whole(row[postcode]), (row[ward] or "").strip()
        if code is not None and said:
            found[code] = called.get(said, said)
    return found


def _names(text: str) -> Mapping[str, str]:
    """ONS writes `WD25CD` and `WD25NM`, with the year between."""
    rows = csv.DictReader(io.StringIO(text))
    columns = rows.fieldnames or ()
    code = next((c for c in columns if c.upper().startswith("WD") and c.upper().endswith("CD")), None)
    name = next((c for c in columns if c.upper().startswith("WD") and c.upper().endswith("NM")), None)
    if code is None or name is None:
        raise NoWards("The names need a column such as WD25CD and one such as WD25NM.")
    return {row[code]: row[name] for row in rows}


def _column(columns: Iterable[str], wanted: Iterable[str]) -> str | None:
    by_name = {column.strip().lower(): column for column in columns}
    return next((by_name[name] for name in wanted if name in by_name), None)


def load(tx: Tx, wards: Mapping[str, str], zone: ZoneInfo) -> Loaded:
    """Keep those that are wards of the service, in place of what was kept before. Raises NoWards for none."""
    definition = service_now(tx, zone).definition
    own = {said: borders.own_ward(definition, said) for said in set(wards.values())}
    kept = [
        {"postcode": code, "ward": name}
        for code, said in sorted(wards.items())
        if (name := own[said]) is not None
    ]
    if not kept:
        raise NoWards(
            "None of its wards is one of the service definition's, so nothing was loaded: if it has codes "
            "for wards, name the CSV of their names with --names."
        )
    table = table_of(PostcodeWardRow)
    tx.execute(delete(table))
    for begin in range(0, len(kept), _ROWS_AT_ONCE):
        tx.execute(insert(table).values(kept[begin : begin + _ROWS_AT_ONCE]))
    unknown = tuple(sorted(said for said, name in own.items() if name is None))
    return Loaded(len(kept), len({row["ward"] for row in kept}), unknown)
