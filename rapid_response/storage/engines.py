"""How each database is opened: drivers, pools, and what every connection is told first."""

from __future__ import annotations

import math
from time import perf_counter
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from rapid_response.storage.failures import DatabaseUnavailable, WrongEncoding
from rapid_response.storage.prepared import say

#: PostgreSQL: a connection that rested for longer is asked whether it is still there before it is used.
_PING_AFTER_SECONDS = 1.0


def sync_url(url: str) -> str:
    """The URL of the synchronous driver for a contract URL (`sqlite+aiosqlite://…`, `postgresql+psycopg://…`).

    Raises ValueError for any other database.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return parsed.set(drivername="sqlite").render_as_string(hide_password=False)
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    raise ValueError("DATABASE_URL must begin with sqlite+aiosqlite:// or postgresql+psycopg://")


def _as_json(value: Any) -> str:
    return to_json(value).decode()


def sqlite_engine(url: str, *, begin: str, readers: int | None = None) -> Engine:
    """Connections to a SQLite file, where `begin` begins a transaction; with `readers`, they read alone."""
    reading = readers is not None
    engine = create_engine(
        url,
        # More statements than we have: none is parsed twice.
        connect_args={"check_same_thread": False, "timeout": 10, "cached_statements": 1000},
        # To write: the writer's own, and one for whoever changes the schema.
        pool_size=readers or 2,
        max_overflow=0,
        json_serializer=_as_json,
        json_deserializer=from_json,
    )

    @event.listens_for(engine, "connect")
    def _prepare(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # we say BEGIN ourselves: the driver's own choice loses updates
        cursor = dbapi.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "busy_timeout=10000",
            "foreign_keys=ON",
            "secure_delete=ON",
            "trusted_schema=OFF",
            "wal_autocheckpoint=0",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        if cursor.execute("PRAGMA synchronous").fetchone()[0] != 2:
            raise DatabaseUnavailable("SQLite refused synchronous=FULL")
        if reading:
            cursor.execute("PRAGMA query_only=ON")
        else:
            # What a savepoint could undo, some hundred pages a report, is not written to a file of its own.
            # Of readers, who may have a year to sort, whatever is large still goes to one.
            cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        if not driver.in_transaction:  # else the writer has begun
            say(connection, begin)

    return engine


class _Pings:
    """Asks pooled connections that have rested whether they are still there.

    One that was used just now is not asked, which would cost as much as its first statement: should it have
    gone meanwhile, its step or read notices and is run again; and from then on each is asked that was last
    used before.
    """

    def __init__(self, engine: Engine) -> None:
        self._dialect: Any = engine.dialect
        self._lost_at = -math.inf

    def was_used(self, _dbapi: Any, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = perf_counter()

    def was_lost(self, *_: Any) -> None:
        self._lost_at = perf_counter()

    def is_taken(self, dbapi: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        used_at: float | None = record.info.get("used_at")
        if used_at is None:  # it has just been made
            return
        if used_at > self._lost_at and perf_counter() - used_at < _PING_AFTER_SECONDS:
            return
        try:
            self._dialect.do_ping(dbapi)
        except self._dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error


def postgres_engine(url: str, threads: int) -> Engine:
    """Connections to PostgreSQL, one for each of so many threads."""
    engine = create_engine(
        url,
        pool_size=threads,
        max_overflow=2,
        pool_timeout=10,
        json_serializer=_as_json,
        json_deserializer=from_json,
        connect_args={
            "connect_timeout": 5,
            "client_encoding": "utf8",
            "options": "-c timezone=UTC -c statement_timeout=10000 -c lock_timeout=8000 "
            "-c idle_in_transaction_session_timeout=10000",
        },
    )

    @event.listens_for(engine, "connect")
    def _prepare(dbapi: Any, _record: Any) -> None:
        dbapi.prepared_max = 1000  # more statements than we have: none is parsed twice
        encoding = dbapi.info.parameter_status("server_encoding")
        if encoding not in (None, "UTF8"):
            raise WrongEncoding(encoding)

    asks = _Pings(engine)
    event.listen(engine, "checkin", asks.was_used)
    event.listen(engine, "invalidate", asks.was_lost)
    event.listen(engine, "checkout", asks.is_taken)
    return engine
