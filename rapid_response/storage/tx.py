"""What a step is given: one transaction, one moment, one actor.

A step is a plain function `step(tx, …)`: it loads, decides with a pure rule, writes, records what happened,
and cannot await, so it can never hold a transaction across the network (design.md 2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, CursorResult, Executable, Insert, bindparam, insert
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql.dml import UpdateBase
from sqlmodel import SQLModel, select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core.events import Event
from rapid_response.core.ids import Ids
from rapid_response.storage.log import LogWriter
from rapid_response.storage.once import Filled
from rapid_response.storage.prepared import Answer, prepared
from rapid_response.storage.records import Change, Records, blank, shape_of, table_of, update_of

R = TypeVar("R", bound=SQLModel)
#: What a statement answers: its rows, or how many it changed (`rowcount`).
Rows = Answer | CursorResult[Any]

#: Which subscriptions hear which event type.
Subscriptions = Mapping[str, Sequence[str]]


class Tx:
    """One step's transaction.

    New rows are queued with :meth:`add` and written in bulk by Core; rows loaded with :meth:`get` or
    :meth:`all` are typed records whose changed attributes are written at the end. Events and deliveries go
    last, just before the commit.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        now: datetime,
        real: datetime,
        ids: Ids,
        actor: str,
        subscriptions: Subscriptions,
    ) -> None:
        self._connection = connection
        self._records = Records()
        self._queued: dict[type[SQLModel], list[dict[str, Any]]] = {}
        self._new: list[SQLModel] = []
        self._log = LogWriter(self, subscriptions)
        self.now = now
        self.real = real
        self.ids = ids
        self.is_sqlite = connection.dialect.name == "sqlite"
        self.actor = actor
        #: Loops of the worker to wake once this step is durable.
        self.nudges: set[str] = set()

    # reading

    @property
    def connection(self) -> Connection:
        """For what only reads, in a step or outside one; never commit it."""
        self.flush()
        return self._connection

    def get(self, row: type[R], key: Any, *, lock: bool = False) -> R | None:
        """The row of that primary key, locked on request (order: incidents by id, then responders)."""
        self.flush()
        values = key if isinstance(key, tuple) else (key,)
        if not lock and (known := self._records.get(row, values)) is not None:
            return known
        # What was read before the lock may have changed since: the record says what is read now.
        found = self._typed(_by_key(row, lock), {f"key_{n}": value for n, value in enumerate(values)})
        return found[0] if found else None

    def need(self, row: type[R], key: Any, *, lock: bool = False) -> R:
        """As :meth:`get`; raises :class:`NoResultFound` where there is none."""
        found = self.get(row, key, lock=lock)
        if found is None:
            raise NoResultFound(f"no {row.__name__} {key}")
        return found

    def all(self, query: SelectOfScalar[R] | Filled[SelectOfScalar[R]]) -> Sequence[R]:
        """All rows of a query over one table class."""
        self.flush()
        return self._typed(*_opened(query, None))

    def first(self, query: SelectOfScalar[R] | Filled[SelectOfScalar[R]]) -> R | None:
        """The first row of a query over one table class."""
        self.flush()
        statement, values = _opened(query, None)
        found = self._typed(statement, values, most=1)
        return found[0] if found else None

    def _typed(
        self, query: SelectOfScalar[R], values: Mapping[str, Any] | None, most: int | None = None
    ) -> list[R]:
        known = prepared(query, self._connection, values) if values is not None else None
        if known is not None and values is not None:
            row: type[R] = known.entity
            found, _ = known.fetch(self._connection, values)
        else:
            row = query.column_descriptions[0]["entity"]
            found = self._connection.execute(query, values).all()
        shape = shape_of(row)
        return [self._records.take(shape, one) for one in found[:most]]

    # writing

    def add(self, row: type[SQLModel], **values: Any) -> None:
        """Queue a new row; columns not named get the class's defaults."""
        self._queued.setdefault(row, []).append(_complete(row, values))

    def new(self, row: type[R], **values: Any) -> R:
        """A new row as a typed record; what is changed on it later in the step is written too."""
        record = blank(row)
        record.__dict__.update(_complete(row, values))
        self._new.append(record)
        return record

    def execute(self, statement: Executable | Filled[Any], values: Mapping[str, Any] | None = None) -> Rows:
        """Run a Core statement, with the values of its parameters, after everything queued so far."""
        self.flush()
        return self.read(statement, values)

    def execute_many(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a Core statement for each set of values, in one go."""
        self.flush()
        self._doubt(statement)
        _run_many(self._connection, statement, rows)

    def read(self, statement: Executable | Filled[Any], values: Mapping[str, Any] | None = None) -> Rows:
        """As :meth:`execute`, for what cannot depend on rows this step has queued: they wait."""
        self._doubt(statement.statement if isinstance(statement, Filled) else statement)
        return read_from(self._connection, statement, values)

    def _doubt(self, statement: Executable) -> None:
        if isinstance(statement, UpdateBase):
            self._records.doubt(cast("Any", statement).table.name)

    def record(self, stream: str, event: Event) -> None:
        """Add an event to a stream's chain: the only way into the log."""
        self._log.record(stream, event)

    def opens(self, stream: str) -> None:
        """Says that `stream` is new, which saves looking for its chain."""
        self._log.opens(stream)

    def wake(self, *loops: str) -> None:
        """Nudge loops of the worker after the commit; a lost nudge costs one tick."""
        self.nudges.update(loops)

    def flush(self) -> None:
        """Write what is new and what was changed: typed records first, as queued rows refer to them."""
        if self._new:
            self._write_new()
        for change in self._records.changes():
            self._write_change(change)
        if self._queued:
            queued, self._queued = self._queued, {}
            for row, values in queued.items():
                _run_many(self._connection, _insert(row), values)

    def _write_new(self) -> None:
        new, self._new = self._new, []
        for record in new:
            names = shape_of(type(record)).names
            row = {name: record.__dict__[name] for name in names}
            _run_many(self._connection, _insert(type(record)), [row])
            self._records.hold(record)

    def _write_change(self, change: Change) -> None:
        """Raises StaleDataError where the row is gone."""
        row: type[SQLModel] = change.shape.row
        statement = update_of(row, tuple(change.values))
        values = {f"new_{name}": value for name, value in change.values.items()}
        values |= {f"key_{n}": value for n, value in enumerate(change.key)}
        if read_from(self._connection, Filled(statement, values)).rowcount != 1:
            raise StaleDataError(f"{row.__name__} {change.key} is gone")

    def finish(self) -> None:
        """Write everything, the log last; called by :class:`Database` before the commit."""
        self.flush()
        self._log.finish()
        self.flush()


def read_from(
    source: Connection | Tx, statement: Executable | Filled[Any], values: Mapping[str, Any] | None = None
) -> Rows:
    """:meth:`Tx.read` in a step, the plain connection outside one: for what both ask."""
    if isinstance(source, Tx):
        return source.read(statement, values)
    opened, its = _opened(statement, values)
    # Statements that are given values are made once; others may be made for this one time.
    known = prepared(opened, source, its) if its is not None else None
    if known is not None and its is not None:
        return known.run(source, its)
    result: CursorResult[Any] = source.execute(opened, its)
    return result


def _run_many(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
    known = prepared(statement, connection, rows[0]) if rows else None
    if known is not None:
        known.run_many(connection, rows)
    elif rows:
        connection.execute(statement, rows)


def _opened(statement: Any, values: Mapping[str, Any] | None) -> tuple[Any, Mapping[str, Any] | None]:
    return (statement.statement, statement.values) if isinstance(statement, Filled) else (statement, values)


@cache
def _by_key(row: type[R], lock: bool) -> SelectOfScalar[R]:
    keys = table_of(row).primary_key.columns
    query = select(row).where(*(key == bindparam(f"key_{n}") for n, key in enumerate(keys)))
    if lock:
        query = query.with_for_update()
    return query


@cache
def _insert(row: type[SQLModel]) -> Insert:
    # Made once: making it, and the key under which SQLAlchemy knows it, costs as much as running it.
    return insert(table_of(row))


@cache
def _defaults(row: type[SQLModel]) -> tuple[dict[str, Any], dict[str, Any], frozenset[str]]:
    plain: dict[str, Any] = {}
    made: dict[str, Any] = {}
    for name, field in row.model_fields.items():
        if field.default_factory is not None:
            made[name] = field.default_factory
        elif not field.is_required():
            plain[name] = field.default
    table = table_of(row)
    auto = table.autoincrement_column
    if auto is not None:
        plain.pop(auto.name, None)
    return plain, made, frozenset(table.columns.keys())


def _complete(row: type[SQLModel], values: dict[str, Any]) -> dict[str, Any]:
    plain, made, names = _defaults(row)
    if unknown := values.keys() - names:
        raise TypeError(f"{row.__name__} has no {', '.join(sorted(unknown))}")
    complete = {**plain, **{name: make() for name, make in made.items() if name not in values}, **values}
    return complete
