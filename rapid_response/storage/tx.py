"""What a step is given: one transaction, one moment, one actor.

A step is a plain function `step(tx, …)`: it loads, decides with a pure rule, writes, records what happened,
and cannot await, so it can never hold a transaction across the network (design.md 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Executable,
    Insert,
    Update,
    bindparam,
    insert,
    update,
)
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql.dml import UpdateBase
from sqlmodel import SQLModel, select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core.events import Event
from rapid_response.core.ids import Ids
from rapid_response.storage.log import LogWriter
from rapid_response.storage.once import Filled
from rapid_response.storage.prepared import Answer, Prepared, is_heard, prepared, push, settle
from rapid_response.storage.records import Change, Key, Records, blank, shape_of, table_of

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
        self._is_heard = is_heard(connection)
        self._records = Records()
        self._locked: set[tuple[type[SQLModel], Key]] = set()
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
        push(self._connection)
        return self._connection

    def get(self, row: type[R], key: Any, *, lock: bool = False) -> R | None:
        """The row of that primary key, locked on request (order: incidents by id, then responders)."""
        values = key if isinstance(key, tuple) else (key,)
        # Nobody else changes what is locked; SQLite has one writer at a time, for which all is.
        is_ours = not lock or self.is_sqlite or (row, values) in self._locked
        if is_ours and (known := self._records.get(row, values)) is not None:
            return known
        self.flush()
        # What was read before the lock may have changed since: the record says what is read now.
        query: Filled[SelectOfScalar[R]] = _by_key(row, lock)
        found = self._typed(query.given({f"key_{n}": value for n, value in enumerate(values)}))
        if lock:
            self._locked.add((row, values))
        return found[0] if found else None

    def lock_all(self, row: type[R], ids: Iterable[str]) -> None:
        """Lock rows of a table with one key, in the order of that: two steps that do so never deadlock."""
        self.flush()
        keys = sorted(set(ids))
        if keys:
            self._typed(_of_keys(row).given({"keys": keys}))
            self._locked.update((row, (one,)) for one in keys)

    def need(self, row: type[R], key: Any, *, lock: bool = False) -> R:
        """As :meth:`get`; raises :class:`NoResultFound` where there is none."""
        found = self.get(row, key, lock=lock)
        if found is None:
            raise NoResultFound(f"no {row.__name__} {key}")
        return found

    def all(self, query: SelectOfScalar[R] | Filled[SelectOfScalar[R]]) -> Sequence[R]:
        """All rows of a query over one table class."""
        self.flush()
        return self._typed(query)

    def first(self, query: SelectOfScalar[R] | Filled[SelectOfScalar[R]]) -> R | None:
        """The first row of a query over one table class."""
        self.flush()
        found = self._typed(query, most=1)
        return found[0] if found else None

    def _typed(
        self, query: SelectOfScalar[R] | Filled[SelectOfScalar[R]], most: int | None = None
    ) -> list[R]:
        return _take(self._records, self._connection, query, self._is_heard, most)

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

    def execute(self, statement: Executable | Filled[Any]) -> Rows:
        """Run a Core statement, after everything queued so far."""
        self.flush()
        return self.read(statement)

    def execute_many(self, statement: Filled[Any], rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a Core statement for each set of values, in one go."""
        self.flush()
        self._doubt(statement.statement)
        self._run_many(statement, rows)

    def read(self, statement: Executable | Filled[Any]) -> Rows:
        """As :meth:`execute`, for what cannot depend on rows this step has queued: they wait."""
        self._doubt(statement.statement if isinstance(statement, Filled) else statement)
        return _run(self._connection, statement, self._is_heard)

    def _doubt(self, statement: Executable) -> None:
        if isinstance(statement, UpdateBase):
            self._records.doubt(cast("Any", statement).table.name)

    def record(self, stream: str, event: Event) -> None:
        """Add an event to a stream's chain: the only way into the log."""
        self._log.record(stream, event)

    def recorded(self, stream: str) -> Sequence[Event]:
        """What this step has recorded of a stream; the log itself does not say it yet."""
        return self._log.recorded(stream)

    @property
    def streams(self) -> list[str]:
        """The streams whose chains have not been extended yet."""
        return self._log.streams

    def extend(self, stream: str) -> None:
        """Add what was recorded to a stream's chain; for whoever finishes several at once."""
        self._log.extend(stream)

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
                self._run_many(_insert(row, tuple(values[0])), values)

    def _write_new(self) -> None:
        new, self._new = self._new, []
        for record in new:
            names = shape_of(type(record)).names
            row = {name: record.__dict__[name] for name in names}
            self._run_many(_insert(type(record), names), [row])
            self._records.hold(record)

    def _write_change(self, change: Change) -> None:
        """Raises StaleDataError where the row is gone, now or before the commit."""
        row: type[SQLModel] = change.shape.row
        values = {f"new_{name}": value for name, value in change.values.items()}
        values |= {f"key_{n}": value for n, value in enumerate(change.key)}
        statement = _update(row, tuple(change.values)).given(values)
        gone = f"{row.__name__} {change.key} is gone"
        if (known := _known(self._connection, statement, self._is_heard)) is not None:
            known.write(self._connection, values, gone, is_locked=(row, change.key) in self._locked)
        elif _run(self._connection, statement, self._is_heard).rowcount != 1:
            raise StaleDataError(gone)

    def _run_many(self, statement: Filled[Any], rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        known = _known(self._connection, statement.given(rows[0]), self._is_heard)
        if known is not None:
            known.run_many(self._connection, rows)
        else:
            push(self._connection)
            self._connection.execute(statement.statement, rows)

    def finish(self) -> None:
        """Write everything, the log last; called by :class:`Database` before the commit."""
        self.flush()
        self._log.finish()
        self.flush()
        settle(self._connection)


def read_from(source: Connection | Tx, statement: Executable | Filled[Any]) -> Rows:
    """:meth:`Tx.read` in a step, the plain connection outside one: for what both ask."""
    return source.read(statement) if isinstance(source, Tx) else _run(source, statement, is_heard(source))


def rows_of(connection: Connection, query: SelectOfScalar[R] | Filled[SelectOfScalar[R]]) -> list[R]:
    """All rows of a query over one table class, for whoever only reads."""
    return _take(Records(), connection, query, is_heard(connection))


def _take(
    records: Records,
    connection: Connection,
    query: SelectOfScalar[R] | Filled[SelectOfScalar[R]],
    is_heard: bool,
    most: int | None = None,
) -> list[R]:
    found: Sequence[Any]
    statement, values = _opened(query)
    if (known := _known(connection, query, is_heard)) is not None:
        row: type[R] = known.entity
        found, _ = known.fetch(connection, values or {})
    else:
        row = statement.column_descriptions[0]["entity"]
        push(connection)
        found = connection.execute(statement, values).all()
    shape = shape_of(row)
    return [records.take(shape, one) for one in found[:most]]


def _run(connection: Connection, statement: Executable | Filled[Any], is_heard: bool) -> Rows:
    opened, values = _opened(statement)
    if (known := _known(connection, statement, is_heard)) is not None:
        return known.run(connection, values or {})
    push(connection)
    result: CursorResult[Any] = connection.execute(opened, values)
    return result


def _known(connection: Connection, statement: object, is_heard: bool) -> Prepared | None:
    # What is not filled may be made for this one time.
    return prepared(statement, connection) if isinstance(statement, Filled) and not is_heard else None


def _opened(statement: Any) -> tuple[Any, Mapping[str, Any] | None]:
    return (statement.statement, statement.values) if isinstance(statement, Filled) else (statement, None)


@cache
def _by_key(row: Any, lock: bool) -> Filled[Any]:
    query = select(row).where(*_has_key(row))
    return Filled(query.with_for_update() if lock else query)


@cache
def _of_keys(row: Any) -> Filled[Any]:
    (key,) = table_of(row).primary_key.columns
    return Filled(select(row).where(key.in_(bindparam("keys"))).order_by(key).with_for_update())


@cache
def _insert(row: type[SQLModel], names: tuple[str, ...]) -> Filled[Insert]:
    # One each for the columns that are given: a numbered key is, or is not.
    # PostgreSQL is not to say which number a row was given: nobody asks.
    return Filled(insert(table_of(row)).inline(), dict.fromkeys(names))


@cache
def _update(row: type[SQLModel], names: tuple[str, ...]) -> Filled[Update]:
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    return Filled(update(table_of(row)).where(*_has_key(row)).values(new))


def _has_key(row: type[SQLModel]) -> list[ColumnElement[bool]]:
    return [key == bindparam(f"key_{n}") for n, key in enumerate(table_of(row).primary_key.columns)]


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
