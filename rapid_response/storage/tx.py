"""What a step is given: one transaction, one moment, one actor.

A step is a plain function `step(tx, …)`: it loads, decides with a pure rule, writes, records what happened,
and cannot await, so it can never hold a transaction across the network (design.md 2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Executable, Insert, Table, bindparam, insert
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.attributes import manager_of_class
from sqlmodel import Session, SQLModel, select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core.events import Event
from rapid_response.core.ids import Ids
from rapid_response.storage.log import LogWriter
from rapid_response.storage.once import Filled

R = TypeVar("R", bound=SQLModel)

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
        self._session: Session | None = None
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
    def session(self) -> Session:
        """For typed loads; never commit it."""
        if self._session is None:
            self._session = Session(self._connection, autoflush=False, expire_on_commit=False)
        return self._session

    def get(self, row: type[R], key: Any, *, lock: bool = False) -> R | None:
        """The row of that primary key, locked on request (order: incidents by id, then responders)."""
        self.flush()
        values = key if isinstance(key, tuple) else (key,)
        if not lock:
            known: R | None = self.session.identity_map.get((row, values, None))
            if known is not None:
                return known
        named = {f"key_{n}": value for n, value in enumerate(values)}
        return self.session.exec(_by_key(row, lock), params=named).first()

    def need(self, row: type[R], key: Any, *, lock: bool = False) -> R:
        """As :meth:`get`; raises :class:`NoResultFound` where there is none."""
        found = self.get(row, key, lock=lock)
        if found is None:
            raise NoResultFound(f"no {row.__name__} {key}")
        return found

    def all(self, query: SelectOfScalar[R] | Filled[SelectOfScalar[R]]) -> Sequence[R]:
        """All rows of a query over one table class."""
        self.flush()
        statement, values = _opened(query, None)
        found: Sequence[R] = self.session.exec(statement, params=values).all()
        return found

    def first(self, query: SelectOfScalar[R] | Filled[SelectOfScalar[R]]) -> R | None:
        """The first row of a query over one table class."""
        self.flush()
        statement, values = _opened(query, None)
        found: R | None = self.session.exec(statement, params=values).first()
        return found

    # writing

    def add(self, row: type[SQLModel], **values: Any) -> None:
        """Queue a new row; columns not named get the class's defaults."""
        self._queued.setdefault(row, []).append(_complete(row, values))

    def new(self, row: type[R], **values: Any) -> R:
        """A new row as a typed record; what is changed on it later in the step is written too.

        Made past SQLModel's constructor, which takes about a millisecond for an incident.
        """
        record: R = manager_of_class(row).new_instance()
        record.__dict__.update(_complete(row, values))
        object.__setattr__(record, "__pydantic_fields_set__", set(values))
        object.__setattr__(record, "__pydantic_extra__", None)
        object.__setattr__(record, "__pydantic_private__", None)
        self._new.append(record)
        return record

    def execute(
        self, statement: Executable | Filled[Any], values: Mapping[str, Any] | None = None
    ) -> CursorResult[Any]:
        """Run a Core statement, with the values of its parameters, after everything queued so far."""
        self.flush()
        return self.read(statement, values)

    def execute_many(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a Core statement for each set of values, in one go."""
        self.flush()
        self._connection.execute(statement, rows)

    def read(
        self, statement: Executable | Filled[Any], values: Mapping[str, Any] | None = None
    ) -> CursorResult[Any]:
        """As :meth:`execute`, for what cannot depend on rows this step has queued: they wait."""
        return read_from(self._connection, statement, values)

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
        if self._session is not None and self._session.dirty:
            self._session.flush()
        if self._queued:
            queued, self._queued = self._queued, {}
            for row, values in queued.items():
                self._connection.execute(_insert(row), values)

    def _write_new(self) -> None:
        new, self._new = self._new, []
        for record in new:
            table = table_of(type(record))
            row = {name: record.__dict__[name] for name in table.columns.keys()}  # noqa: SIM118
            self._connection.execute(_insert(type(record)), row)
            make_transient_to_detached(record)
            self.session.add(record)

    def finish(self) -> None:
        """Write everything, the log last; called by :class:`Database` before the commit."""
        self.flush()
        self._log.finish()
        self.flush()

    def discard(self) -> None:
        """Let go of the typed records."""
        if self._session is not None:
            self._session.expunge_all()
            self._session = None


def read_from(
    source: Connection | Tx, statement: Executable | Filled[Any], values: Mapping[str, Any] | None = None
) -> CursorResult[Any]:
    """:meth:`Tx.read` in a step, the plain connection outside one: for what both ask."""
    if isinstance(source, Tx):
        return source.read(statement, values)
    opened, its = _opened(statement, values)
    result: CursorResult[Any] = source.execute(opened, its)
    return result


def _opened(statement: Any, values: Mapping[str, Any] | None) -> tuple[Any, Mapping[str, Any] | None]:
    return (statement.statement, statement.values) if isinstance(statement, Filled) else (statement, values)


def table_of(row: type[SQLModel]) -> Table:
    """The Core table of a row class."""
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table


@cache
def _by_key(row: type[R], lock: bool) -> SelectOfScalar[R]:
    keys = table_of(row).primary_key.columns
    query = select(row).where(*(key == bindparam(f"key_{n}") for n, key in enumerate(keys)))
    if lock:
        # What was read before the lock may have changed since.
        query = query.with_for_update().execution_options(populate_existing=True)
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
