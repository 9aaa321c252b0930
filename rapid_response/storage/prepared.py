"""Statements that are written once and run on the driver itself.

SQLAlchemy writes the SQL and says how each type is bound and read, both once a statement. Its engine then
takes some 200 µs around each run of one, several times what SQLite needs for most of ours (ADR 0018); this is
the same run without that. On PostgreSQL what only writes waits for the next question (:mod:`.wire`). Errors
are SQLAlchemy's, so nobody else needs to know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NoReturn, cast

from pydantic_core import from_json
from sqlalchemy import JSON, Connection, Enum, Executable, Select
from sqlalchemy.engine import Dialect, IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.types import TypeEngine

from rapid_response.storage.once import Filled

if TYPE_CHECKING:
    from rapid_response.storage.wire import Wire

Convert = Callable[[Any], Any]
#: What a statement binds: a name; for a list, which of its values; how a value becomes one of the driver's;
#: and its value where none is given.
_Bind = tuple[str, int | None, Convert | None, Any]

_REQUIRED = object()
#: PostgreSQL: so many rows are inserted by one statement at the most.
_ROWS_AT_ONCE = 16
_PLACE = re.compile(r"\$(\d+)")


class _Takes:
    """Takes all values of a statement at once: a report writes some six hundred."""

    def __init__(self, binds: Sequence[_Bind]) -> None:
        self._get = itemgetter(*(name for name, *_ in binds))
        converted = [(at, convert) for at, (_, _, convert, _) in enumerate(binds) if convert is not None]
        self._some = [(at, convert) for at, convert in converted if _leaves_nothing(convert)]
        self._all = [(at, convert) for at, convert in converted if not _leaves_nothing(convert)]

    @classmethod
    def of(cls, binds: Sequence[_Bind]) -> _Takes | None:
        """None where a statement has values of its own, or lists."""
        is_plain = len(binds) > 1 and all(place is None and its is _REQUIRED for _, place, _, its in binds)
        return cls(binds) if is_plain else None

    def __call__(self, values: Mapping[str, Any]) -> list[Any]:
        """Raises KeyError where one is not given."""
        taken = list(self._get(values))
        for at, convert in self._some:
            if (value := taken[at]) is not None:
                taken[at] = convert(value)
        for at, convert in self._all:
            taken[at] = convert(taken[at])
        return taken


def _leaves_nothing(convert: Convert) -> bool:
    """Whether nothing stays nothing: in a column of JSON it may be JSON's own."""
    try:
        return convert(None) is None
    except (TypeError, ValueError, LookupError, AttributeError):
        return False


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
    #: How its values are taken where each must be given by its name: as most are, and all that are written.
    takes: _Takes | None = None
    #: Known from the first answer on: names of the columns, and how their values are read.
    metadata: SimpleResultMetaData | None = None
    reads: tuple[tuple[int, Convert], ...] = ()

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Answer:
        """Run it; raises what SQLAlchemy raises."""
        rows, rowcount = self.fetch(connection, values)
        return Answer(self.metadata or _NOTHING, rows, rowcount)

    def fetch(self, connection: Connection, values: Mapping[str, Any]) -> tuple[Sequence[Any], int]:
        """As :meth:`run`: bare rows, and how many were changed."""
        found, changed, columns = _ask(connection, self.sql, self._bound(values))
        if not self.types:
            return (), changed
        if self.metadata is None:
            self._learn(columns(), connection.dialect)
        if self.reads and found:
            found = [self._read(row) for row in found]
        return found, changed

    def write(self, connection: Connection, values: Mapping[str, Any], gone: str, *, is_locked: bool) -> None:
        """Change one row; raises StaleDataError if it is gone, now or before the commit.

        What is locked cannot be gone, so that on PostgreSQL nobody waits to hear it.
        """
        wire = wire_of(connection)
        if wire is not None:
            wire.later(self.sql, self._bound(values), "" if is_locked else gone)
        elif self.fetch(connection, values)[1] != 1:
            raise StaleDataError(gone)

    def run_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each set of values; on PostgreSQL, before the next question or the commit."""
        wire = wire_of(connection)
        if wire is not None:
            for sql, values in self._together([self._bound(one) for one in rows]):
                wire.later(sql, values)
            return
        bound = [self._bound(values) for values in rows]
        cursor = _cursor(connection)
        try:
            if len(bound) == 1:
                cursor.execute(self.sql, bound[0])
            else:
                cursor.executemany(self.sql, bound)
        except Exception as error:
            _tell(connection, self.sql, error)

    def _together(self, rows: Sequence[list[Any]]) -> Iterator[tuple[str, list[Any]]]:
        """Rows to insert, by few statements of few kinds; anything else, one for each set of values."""
        most = _ROWS_AT_ONCE if " VALUES (" in self.sql else 1
        begin = 0
        while begin < len(rows):
            count = min(most, _power_of_two(len(rows) - begin))
            some = rows[begin : begin + count]
            yield _of_rows(self.sql, count), [value for row in some for value in row]
            begin += count

    def _bound(self, values: Mapping[str, Any]) -> list[Any]:
        if self.takes is not None:
            return self.takes(values)
        bound = []
        for name, place, convert, default in self.binds:
            if name in values:
                value = values[name] if place is None else _at(values[name], place)
                bound.append(value if convert is None else convert(value))
            elif default is not _REQUIRED:
                bound.append(default)
            else:
                raise KeyError(f"no value for {name}")
        return bound

    def _learn(self, columns: Sequence[Any], dialect: Dialect) -> None:
        reads = []
        for n, (column, kind) in enumerate(zip(columns, self.types, strict=True)):
            read = _reading(kind, dialect, column[1])
            if read is not None:
                reads.append((n, read))
        self.reads = tuple(reads)
        self.metadata = SimpleResultMetaData([column[0] for column in columns])

    def _read(self, row: Sequence[Any]) -> Sequence[Any]:
        values = list(row)
        for n, read in self.reads:
            if (value := values[n]) is not None:
                values[n] = read(value)
        return tuple(values)


@dataclass(slots=True)
class _OfLists:
    """A statement with `IN`, whose words depend on how many values there are.

    A list is filled up to a power of two with its last value, which says the same and lets a few statements
    serve lists of all lengths.
    """

    compiled: SQLCompiler
    #: The lists by name, with the values of those that never change.
    lists: Mapping[str, Sequence[Any] | None]
    kinds: Mapping[str, _Bind]
    types: tuple[TypeEngine[Any], ...]
    entity: Any
    made: dict[tuple[int, ...], Prepared] = field(default_factory=dict)

    def for_these(self, values: Mapping[str, Any]) -> Prepared | None:
        given = {name: values.get(name, its) for name, its in self.lists.items()}
        if any(its is None for its in given.values()):
            return None
        lengths = tuple(_filled_up(len(its)) for its in given.values())
        if lengths not in self.made:
            if any(isinstance(one, tuple) for its in given.values() for one in its):
                return None
            filled = {
                name: [*its, *its[-1:] * (length - len(its))]
                for (name, its), length in zip(given.items(), lengths, strict=True)
            }
            told = self.compiled.construct_expanded_state({**values, **filled})
            place_of = {
                each: (name, n)
                for name, all_ in told.parameter_expansion.items()
                for n, each in enumerate(all_)
            }
            binds = []
            for name in told.positiontup or ():
                its, place = place_of.get(name, (name, None))
                _, _, convert, default = self.kinds[its]
                fixed = self.lists.get(its)
                if place is not None and fixed is not None:
                    default = _at(fixed, place) if convert is None else convert(_at(fixed, place))
                binds.append((its, place, convert, default))
            self.made[lengths] = Prepared(told.statement, tuple(binds), self.types, self.entity)
        return self.made[lengths]


def _reading(kind: TypeEngine[Any], dialect: Dialect, code: Any) -> Convert | None:
    """How the driver's values of a kind become ours; the word of a closed list, by one call of C."""
    if isinstance(kind, Enum) and kind.enum_class is not None:
        return {member.value: member for member in kind.enum_class}.__getitem__
    if isinstance(kind, JSON) and dialect.positional:
        return _of_json
    return kind.dialect_impl(dialect).result_processor(dialect, code)


def _of_json(value: Any) -> Any:
    """SQLite takes a number in a column of JSON for a number, and gives it back as one."""
    return from_json(value) if isinstance(value, str) else value


def _binding(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """How ours become the driver's; a word of a closed list, or its text, by one call of C."""
    if isinstance(kind, Enum) and kind.enum_class is not None and issubclass(kind.enum_class, str):
        return {None: None, **{member.value: member.value for member in kind.enum_class}}.__getitem__
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _at(values: Sequence[Any], place: int) -> Any:
    """The value at a place of a list that was filled up with its last."""
    return values[min(place, len(values) - 1)]


def _filled_up(count: int) -> int:
    """The least power of two that is not less; nothing stays nothing."""
    return 1 << (count - 1).bit_length() if count else 0


def _power_of_two(count: int) -> int:
    """The greatest that is not more."""
    return 1 << (count.bit_length() - 1)


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
        lists = {compiled.bind_names[bind]: bind.value for bind in compiled.post_compile_params}
        return _OfLists(compiled, lists, kinds, types, entity)
    binds = tuple(kinds[name] for name in compiled.positiontup or ())
    return Prepared(str(compiled), binds, types, entity, _Takes.of(binds))


def _by_places(dialect: Dialect) -> Dialect:
    """The dialect whose parameters have places: `?`, or `$1`, which psycopg hands on as it is."""
    if dialect.positional:
        return dialect
    other: Any = copy(dialect)
    other.paramstyle, other.positional = "numeric_dollar", True
    other.identifier_preparer = other.preparer(other)
    made: Dialect = other
    return made


def _ask(
    connection: Connection, sql: str, values: Sequence[Any]
) -> tuple[Sequence[Any], int, Callable[[], Sequence[Any]]]:
    """Rows, how many were changed, and what tells the columns: names, and types as the driver has them."""
    wire = wire_of(connection)
    if wire is not None:
        try:
            return wire.ask(sql, values)
        except Exception as error:
            _tell(connection, wire.failed, error)
    cursor = _cursor(connection)
    try:
        cursor.execute(sql, values)
        return cursor.fetchall(), cursor.rowcount, lambda: cursor.description
    except Exception as error:
        _tell(connection, sql, error)


def _cursor(connection: Connection) -> Any:
    driver: Any = connection.connection.driver_connection
    return driver.cursor()


@cache
def _of_rows(insert: str, count: int) -> str:
    """An insert of one row (`… VALUES ($1, $2) …`) as one of several."""
    if count == 1:
        return insert
    begin = insert.index(" VALUES (") + len(" VALUES ")
    end = _closing(insert, begin)
    row = insert[begin:end]
    width = row.count("$")
    rows = (_moved(row, n * width) for n in range(count))
    return insert[:begin] + ", ".join(rows) + insert[end:]


def _moved(row: str, by: int) -> str:
    return _PLACE.sub(lambda at: f"${int(at[1]) + by}", row)


def _closing(sql: str, begin: int) -> int:
    """Where what the bracket at `begin` opens is over."""
    depth = 0
    for n in range(begin, len(sql)):
        depth += {"(": 1, ")": -1}.get(sql[n], 0)
        if not depth:
            return n + 1
    raise ValueError("a bracket is left open")


def _entity(statement: Executable) -> Any:
    return statement.column_descriptions[0].get("entity") if isinstance(statement, Select) else None


def _kinds(compiled: SQLCompiler, dialect: Dialect) -> dict[str, _Bind]:
    kinds: dict[str, _Bind] = {}
    for name, bind in compiled.binds.items():
        convert = _binding(bind.type, dialect)
        value = _REQUIRED if bind.required or bind.expanding else bind.effective_value
        if value is not _REQUIRED and convert is not None:
            value = convert(value)
        kinds[name] = (name, None, convert, value)
    return kinds


def say(connection: Connection, words: str) -> None:
    """BEGIN, COMMIT and the like, to SQLite's driver itself; raises what SQLAlchemy raises."""
    driver: Any = connection.connection.driver_connection
    try:
        driver.execute(words)
    except Exception as error:
        _tell(connection, words, error)


def push(connection: Connection) -> None:
    """Send what waits to be written: before a question that is asked in SQLAlchemy's own way."""
    _on_wire(connection, lambda wire: wire.push())


def settle(connection: Connection) -> None:
    """See that nothing waits to be written that may yet forbid the commit."""
    _on_wire(connection, lambda wire: wire.settle())


def commit(connection: Connection) -> None:
    """COMMIT, with what still waits to be written; on SQLite that is left to whoever began."""
    _on_wire(connection, lambda wire: wire.commit())


def forget(connection: Connection) -> None:
    """Nothing of what waits is to be written: it is rolled back."""
    if not connection.invalidated:  # else it went with its connection
        _on_wire(connection, lambda wire: wire.forget())


def wire_of(connection: Connection) -> Wire | None:
    """The wire of a PostgreSQL connection; None on SQLite, which is in our own process."""
    if connection.dialect.positional:
        return None
    info = connection.info
    wire: Wire | None = info.get("wire")
    if wire is None:
        # Where SQLite is served, PostgreSQL's driver is never loaded.
        from rapid_response.storage.wire import Wire

        wire = info["wire"] = Wire(cast("Any", connection.connection.driver_connection))
    return wire


def _on_wire(connection: Connection, what: Callable[[Wire], None]) -> None:
    wire = wire_of(connection)
    if wire is not None:
        try:
            what(wire)
        except Exception as error:
            _tell(connection, wire.failed, error)


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
