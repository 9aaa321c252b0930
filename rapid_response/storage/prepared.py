"""Statements that are written once and run on the driver itself.

SQLAlchemy writes the SQL and says how each type is bound and read, both once a statement. Its engine then
takes some 200 µs around each run of one, several times what SQLite needs for most of ours (ADR 0018); this is
the same run without that. Errors are SQLAlchemy's, so nobody else needs to know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, NoReturn, cast

from sqlalchemy import Connection, Executable, Select
from sqlalchemy.engine import Dialect, IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.types import TypeEngine

from rapid_response.storage.once import Filled

Convert = Callable[[Any], Any]
#: What a statement binds: a name; for a list, which of its values; how a value becomes one of the driver's;
#: and its value where none is given.
_Bind = tuple[str, int | None, Convert | None, Any]

_REQUIRED = object()


class Answer(IteratorResult[Any]):
    """The rows of a statement, or how many it changed."""

    def __init__(self, metadata: SimpleResultMetaData, rows: Sequence[Any], rowcount: int) -> None:
        super().__init__(metadata, iter(rows))
        self.rowcount = rowcount


@dataclass(slots=True)
class Prepared:
    """One statement in one database's words."""

    sql: str
    binds: tuple[_Bind, ...]
    types: tuple[TypeEngine[Any], ...]
    #: The class whose rows it reads, if it reads whole rows of one.
    entity: Any = None
    #: Known from the first answer on: names of the columns, and how their values are read.
    metadata: SimpleResultMetaData | None = None
    reads: tuple[tuple[int, Convert], ...] = ()

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Answer:
        """Run it; raises what SQLAlchemy raises."""
        rows, rowcount = self.fetch(connection, values)
        return Answer(self.metadata or _NOTHING, rows, rowcount)

    def fetch(self, connection: Connection, values: Mapping[str, Any]) -> tuple[Sequence[Any], int]:
        """As :meth:`run`: bare rows, and how many were changed."""
        bound = self._bound(values)
        cursor = _cursor(connection)
        try:
            cursor.execute(self.sql, bound)
            if not self.types:
                return (), cursor.rowcount
            found = cursor.fetchall()
        except Exception as error:
            _tell(connection, self.sql, error)
        if self.metadata is None:
            self._learn(cursor, connection.dialect)
        if self.reads and found:
            found = [self._read(row) for row in found]
        return found, cursor.rowcount

    def run_many(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run it for each set of values."""
        bound = [self._bound(values) for values in rows]
        cursor = _cursor(connection)
        try:
            if len(bound) == 1:
                cursor.execute(self.sql, bound[0])
            else:
                cursor.executemany(self.sql, bound)
        except Exception as error:
            _tell(connection, self.sql, error)

    def _bound(self, values: Mapping[str, Any]) -> list[Any]:
        bound = []
        for name, place, convert, default in self.binds:
            if name in values:
                value = values[name] if place is None else values[name][place]
                bound.append(value if convert is None else convert(value))
            elif default is not _REQUIRED:
                bound.append(default)
            else:
                raise KeyError(f"no value for {name}")
        return bound

    def _learn(self, cursor: Any, dialect: Dialect) -> None:
        columns = cursor.description
        reads = []
        for n, (column, kind) in enumerate(zip(columns, self.types, strict=True)):
            read = kind.dialect_impl(dialect).result_processor(dialect, column[1])
            if read is not None:
                reads.append((n, read))
        self.reads = tuple(reads)
        self.metadata = SimpleResultMetaData([column[0] for column in columns])

    def _read(self, row: Sequence[Any]) -> Sequence[Any]:
        values = list(row)
        for n, read in self.reads:
            values[n] = read(values[n])
        return tuple(values)


@dataclass(slots=True)
class _OfLists:
    """A statement with `IN`, whose words depend on how many values there are."""

    compiled: SQLCompiler
    lists: tuple[str, ...]
    kinds: Mapping[str, _Bind]
    types: tuple[TypeEngine[Any], ...]
    entity: Any
    made: dict[tuple[int, ...], Prepared] = field(default_factory=dict)

    def for_these(self, values: Mapping[str, Any]) -> Prepared | None:
        if any(name not in values for name in self.lists):
            return None
        lengths = tuple(len(values[name]) for name in self.lists)
        if lengths not in self.made:
            if any(isinstance(one, tuple) for name in self.lists for one in values[name]):
                return None
            told = self.compiled.construct_expanded_state(dict(values))
            place_of = {
                each: (name, n)
                for name, all_ in told.parameter_expansion.items()
                for n, each in enumerate(all_)
            }
            binds = []
            for name in told.positiontup or ():
                its, place = place_of.get(name, (name, None))
                _, _, convert, default = self.kinds[its]
                binds.append((its, place, convert, default))
            self.made[lengths] = Prepared(told.statement, tuple(binds), self.types, self.entity)
        return self.made[lengths]


_NOTHING = SimpleResultMetaData(())
_UNKNOWN = object()


def is_heard(connection: Connection) -> bool:
    """Whether somebody listens to what the engine is asked: then everything goes through it."""
    return bool(connection.dispatch.before_cursor_execute)


def prepared(filled: Filled[Any], connection: Connection) -> Prepared | None:
    """How a statement that is made once is run on this connection's driver.

    None where it cannot be: it has values of its own making, literal parameters, or lists of tuples.
    """
    dialect = connection.dialect
    way = filled.ways.get(dialect.name, _UNKNOWN)
    if way is _UNKNOWN:
        way = filled.ways[dialect.name] = _prepare(filled.statement, dialect, tuple(filled.values))
    if isinstance(way, _OfLists):
        return way.for_these(filled.values)
    made: Prepared | None = way
    return made


def _prepare(statement: Executable, dialect: Dialect, names: Sequence[str]) -> Prepared | _OfLists | None:
    if not isinstance(statement, SelectBase | UpdateBase):
        return None
    compiled: SQLCompiler = statement.compile(dialect=_by_places(dialect), column_keys=list(names) or None)
    if (
        compiled.literal_execute_params
        or compiled.escaped_bind_names
        or compiled.insert_prefetch
        or compiled.update_prefetch
    ):
        return None
    types = tuple(column.type for column in statement.exported_columns)
    entity, kinds = _entity(statement), _kinds(compiled, dialect)
    if compiled.post_compile_params:
        lists = tuple(bind.key for bind in compiled.post_compile_params)
        return _OfLists(compiled, lists, kinds, types, entity)
    binds = tuple(kinds[name] for name in compiled.positiontup or ())
    return Prepared(str(compiled), binds, types, entity)


def _by_places(dialect: Dialect) -> Dialect:
    """The dialect whose parameters have places: `?`, or `$1`, which psycopg hands on as it is."""
    if dialect.positional:
        return dialect
    other: Any = copy(dialect)
    other.paramstyle, other.positional = "numeric_dollar", True
    other.identifier_preparer = other.preparer(other)
    made: Dialect = other
    return made


def _cursor(connection: Connection) -> Any:
    driver: Any = connection.connection.driver_connection
    if connection.dialect.positional:
        return driver.cursor()
    return cast("Any", connection.dialect).loaded_dbapi.RawCursor(driver)


def _entity(statement: Executable) -> Any:
    return statement.column_descriptions[0].get("entity") if isinstance(statement, Select) else None


def _kinds(compiled: SQLCompiler, dialect: Dialect) -> dict[str, _Bind]:
    kinds: dict[str, _Bind] = {}
    for name, bind in compiled.binds.items():
        convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
        value = _REQUIRED if bind.required or bind.expanding else bind.effective_value
        if value is not _REQUIRED and convert is not None:
            value = convert(value)
        kinds[name] = (name, None, convert, value)
    return kinds


def _tell(connection: Connection, sql: str, error: Exception) -> NoReturn:
    """Raise a driver's error as SQLAlchemy does, and let go of a connection that is gone."""
    dialect = connection.dialect
    drivers_own: type[Exception] = cast("Any", dialect).loaded_dbapi.Error
    if not isinstance(error, drivers_own):
        raise error
    is_gone = dialect.is_disconnect(cast("Any", error), cast("Any", connection.connection), None)
    told = DBAPIError.instance(
        sql, None, error, drivers_own, hide_parameters=True, connection_invalidated=is_gone, dialect=dialect
    )
    if is_gone:
        connection.invalidate(error)
    raise told from error
