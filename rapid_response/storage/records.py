"""The typed rows that one step has in hand, and what it changed on them.

As SQLAlchemy's Session would keep them, less what a step has no use for: one record a row, and what differs
from what was last read or written is written. The Session takes a third of a millisecond to load a row and
another to write its changes (ADR 0018).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Table
from sqlalchemy.orm.attributes import instance_state, manager_of_class
from sqlalchemy.orm.state import InstanceState
from sqlmodel import SQLModel

R = TypeVar("R", bound=SQLModel)
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Shape(Generic[R]):
    """What a row class looks like in the database."""

    row: type[R]
    names: tuple[str, ...]
    #: The primary key in a row of values.
    key: Callable[[Sequence[Any]], Key]
    #: Tables that are referred to come before those that refer to them.
    order: int


@dataclass(slots=True)
class _Held(Generic[R]):
    record: R
    #: As the database has it.
    values: Sequence[Any]
    #: Whether a statement may have changed the row meanwhile.
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A row that is to be written: its new values by their columns' names."""

    shape: Shape[Any]
    key: Key
    values: Mapping[str, Any]


class Records:
    """One record for each row, whichever way and however often the step comes to it."""

    def __init__(self) -> None:
        self._held: dict[tuple[type[SQLModel], Key], _Held[Any]] = {}

    def get(self, row: type[R], key: Key) -> R | None:
        """The record of that row, if it is in hand and as the database has it."""
        held = self._held.get((row, key))
        return cast("R", held.record) if held is not None and not held.in_doubt else None

    def take(self, shape: Shape[R], values: Sequence[Any]) -> R:
        """The record of a row that was just read, with what it says now."""
        key = (shape.row, shape.key(values))
        held = self._held.get(key)
        if held is None:
            record = blank(shape.row)
            self._held[key] = _Held(record, values)
        else:
            record, held.values, held.in_doubt = held.record, values, False
        record.__dict__.update(zip(shape.names, values, strict=True))
        return record

    def hold(self, record: SQLModel) -> None:
        """A record that was just written for the first time."""
        shape = shape_of(type(record))
        values = tuple(record.__dict__[name] for name in shape.names)
        self._held[shape.row, shape.key(values)] = _Held(record, values)

    def doubt(self, table: str) -> None:
        """A statement may have changed rows of the table of this name."""
        for (row, _), held in self._held.items():
            if table_of(row).name == table:
                held.in_doubt = True

    def changes(self) -> Sequence[Change]:
        """What is to be written, in an order that two steps have in common; then it counts as written."""
        found: list[Change] = []
        for (row, key), held in self._held.items():
            state = instance_state(held.record)
            if not state.modified:
                continue
            state.modified = False
            shape = shape_of(row)
            now = held.record.__dict__
            new = {
                name: now[name]
                for name, was in zip(shape.names, held.values, strict=True)
                if now[name] is not was and now[name] != was
            }
            if new:
                held.values = tuple(now[name] for name in shape.names)
                found.append(Change(shape, key, new))
        return sorted(found, key=lambda change: (change.shape.order, change.key)) if len(found) > 1 else found


def blank(row: type[R]) -> R:
    """A record without values, past SQLModel's constructor, which takes a millisecond for an incident."""
    record: R = row.__new__(row)
    record.__dict__["_sa_instance_state"] = InstanceState(record, manager_of_class(row))
    return record


def table_of(row: type[SQLModel]) -> Table:
    """The Core table of a row class."""
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table


@cache
def shape_of(row: type[R]) -> Shape[R]:
    """What a row class looks like."""
    table = table_of(row)
    names = tuple(table.columns.keys())
    first, *others = (names.index(column.name) for column in table.primary_key.columns)
    # Always a tuple, also of one.
    key = itemgetter(first, *others) if others else itemgetter(slice(first, first + 1))
    return Shape(row, names, key, table.metadata.sorted_tables.index(table))
