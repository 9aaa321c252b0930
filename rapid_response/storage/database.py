"""The database: the only place that knows which one it is.

Writing is :meth:`Database.run`: a step, one transaction, answered only after the commit that survives a power
cut. Reading is :meth:`Database.look`.

SQLite: one writer thread runs the waiting steps one after another, each in a savepoint, and commits them
together (at most 50, or what came within 20 ms); nobody is answered before that commit. PostgreSQL: a small
pool of threads, one step a transaction; the server groups commits itself.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from time import perf_counter, sleep
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from rapid_response.core.clock import Clock
from rapid_response.core.ids import Ids
from rapid_response.storage.tx import Subscriptions, Tx

T = TypeVar("T")
Step = Callable[[Tx], T]

GROUP_LIMIT = 50
GROUP_SECONDS = 0.02
#: Serialisation failure, deadlock, and a row another node was quicker to insert: the transaction did nothing,
#: and run again it sees what the other wrote.
_RETRYABLE = {"40001", "40P01", "23505"}
_RETRIES = 5
#: The serving process checkpoints a write-ahead log of this size, and then after so many more rows: the file
#: keeps its size when it begins anew, so that its size alone would ask for a checkpoint at each commit.
_CHECKPOINT_BYTES = 4 * 1024 * 1024
_CHECKPOINT_ROWS = 2000
#: Names our advisory lock on PostgreSQL: "rapid" in ASCII.
_SCHEMA_LOCK = 0x7261706964
_CLOSED = "the database is closed"
_UNWRITTEN = "the database could not be written"


class DatabaseUnavailable(Exception):
    """The database cannot be reached or written; nothing was stored."""


class AlreadyServed(Exception):
    """Another process serves this SQLite file."""


@dataclass(slots=True)
class _Job:
    step: Step[Any]
    actor: str
    future: Future[Any]


@dataclass(slots=True)
class _Done:
    job: _Job
    result: Any
    nudges: set[str]


class Database:
    """Runs steps and reads, on SQLite or PostgreSQL.

    `on_commit` hears, in whatever thread, the worker loops that a committed step woke.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        ids: Ids,
        subscriptions: Subscriptions | None = None,
        threads: int = 6,
    ) -> None:
        self.clock = clock
        self.ids = ids
        self.url = sync_url(url)
        self.is_sqlite = self.url.startswith("sqlite")
        self.on_commit: Callable[[set[str]], None] = lambda _: None
        self._subscriptions: Subscriptions = subscriptions or {}
        self._closed = False
        self._closing = threading.Lock()
        self._serve_lock: int | None = None
        if self.is_sqlite:
            self.path = Path(make_url(self.url).database or "")
            self._writer_engine = _sqlite_engine(self.url, begin="BEGIN IMMEDIATE")
            self._reader_engine = _sqlite_engine(self.url, begin="BEGIN", readers=threads)
            self._inbox: SimpleQueue[_Job | None] = SimpleQueue()
            self._rows_checkpointed = 0
            self._readers = ThreadPoolExecutor(threads, thread_name_prefix="look")
            self._writer = threading.Thread(target=self._write_forever, name="writer", daemon=True)
            self._writer.start()
        else:
            self._writer_engine = self._reader_engine = _postgres_engine(self.url, threads)
            self._readers = ThreadPoolExecutor(threads, thread_name_prefix="step")

    # the two ways in

    async def run(self, step: Step[T], *, actor: str = "system") -> T:
        """Run a step; returns what it returned, once that is durable, or raises what it raised.

        Raises :class:`DatabaseUnavailable` when nothing could be stored. A caller that is cancelled stops
        waiting; its step runs to its end all the same.
        """
        return await asyncio.shield(asyncio.wrap_future(self.submit(step, actor=actor)))

    def submit(self, step: Step[T], *, actor: str = "system") -> Future[T]:
        """As :meth:`run`, for callers without an event loop."""
        with self._closing:
            if self._closed:
                raise DatabaseUnavailable(_CLOSED)
            if self.is_sqlite:
                future: Future[T] = Future()
                self._inbox.put(_Job(step, actor, future))
                return future
            return self._readers.submit(self._run_on_postgres, step, actor)

    async def look(self, read: Callable[[Connection], T]) -> T:
        """Run a read; it sees only what is committed, and cannot write."""
        with self._closing:
            if self._closed:
                raise DatabaseUnavailable(_CLOSED)
            looking = self._readers.submit(self.look_now, read)
        return await asyncio.wrap_future(looking)

    def look_now(self, read: Callable[[Connection], T]) -> T:
        """As :meth:`look`, in this thread."""
        try:
            with self._reader_engine.connect() as connection:
                if not self.is_sqlite:
                    connection = connection.execution_options(
                        isolation_level="REPEATABLE READ", postgresql_readonly=True
                    )
                with connection.begin():
                    return read(connection)
        except OperationalError as error:
            raise DatabaseUnavailable("the database could not be read") from error

    def run_now(self, step: Step[T], *, actor: str = "system") -> T:
        """As :meth:`run`, waiting in this thread: for commands."""
        return self.submit(step, actor=actor).result()

    async def close(self) -> None:
        """Finish what is waiting, then let go of the database."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """As :meth:`close`, in this thread."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        if self.is_sqlite:
            self._inbox.put(None)
            self._writer.join()
        self._readers.shutdown(wait=True)
        self._writer_engine.dispose()
        self._reader_engine.dispose()
        if self._serve_lock is not None:
            os.close(self._serve_lock)

    # who may write

    def claim_serving(self) -> None:
        """Take the right to serve this SQLite file; raises :class:`AlreadyServed`. No-op on PostgreSQL."""
        if not self.is_sqlite or self._serve_lock is not None:
            return
        handle = os.open(f"{self.path}.serve-lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise AlreadyServed(
                f"another process already serves {self.path}; stop it first, "
                "or use PostgreSQL to run several nodes"
            ) from None
        self._serve_lock = handle

    @contextmanager
    def _write_lock(self) -> Iterator[None]:
        """Held around each commit, so that a command and the serving process take turns."""
        try:
            handle = os.open(f"{self.path}.write-lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DatabaseUnavailable(_UNWRITTEN) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """One transaction that takes turns with everybody else's: for changing the schema.

        SQLite: under the write lock, with foreign keys looked at only at the end, because a table that is
        made anew is away for a moment. PostgreSQL: under one advisory lock, which is waited for.
        """
        if self.is_sqlite:
            with self._write_lock(), self._writer_engine.connect() as connection:
                connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
                try:
                    with connection.begin():
                        yield connection
                        if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                            raise RuntimeError("the new schema leaves rows that refer to nothing")
                finally:
                    connection.connection.cursor().execute("PRAGMA foreign_keys=ON")
            return
        with self._writer_engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
            yield connection

    # SQLite

    def _write_forever(self) -> None:
        while (job := self._inbox.get()) is not None:
            last = self._write_group(job)
            if last:
                break
        self._writer_engine.dispose()

    def _write_group(self, first: _Job) -> bool:
        """One group of steps and its commit; True when the queue said to stop."""
        stop = False
        done: list[_Done] = []
        failed: list[tuple[_Job, BaseException]] = []
        taken: list[_Job] = []
        try:
            with self._write_lock(), self._writer_engine.connect() as connection:
                until = perf_counter() + GROUP_SECONDS
                with connection.begin():
                    job: _Job | None = first
                    while job is not None:
                        taken.append(job)
                        self._in_savepoint(connection, job, done, failed)
                        if len(taken) >= GROUP_LIMIT or perf_counter() > until:
                            break
                        try:
                            job = self._inbox.get_nowait()
                        except Empty:
                            break
                        stop = job is None
                # Answered for by now: whatever becomes of the checkpoint, these steps must not run again.
                with suppress(Exception):
                    self._checkpoint(connection)
        except BaseException:  # the writer must outlive whatever a disk or driver throws
            # A full disk or an I/O error can roll back the whole group: run its steps again, one by one.
            done, failed = [], []
            for waiting in taken or [first]:
                if not waiting.future.cancelled():
                    self._write_alone(waiting, done, failed)
        self._answer(done, failed)
        return stop

    def _in_savepoint(
        self, connection: Connection, job: _Job, done: list[_Done], failed: list[tuple[_Job, BaseException]]
    ) -> None:
        if not job.future.set_running_or_notify_cancel():
            return
        connection.exec_driver_sql("SAVEPOINT step")
        try:
            done.append(self._execute(connection, job))
        except BaseException as error:  # it belongs to the caller, whatever it is: the writer goes on
            if not connection.connection.in_transaction:
                raise
            connection.exec_driver_sql("ROLLBACK TO step")
            connection.exec_driver_sql("RELEASE step")
            failed.append((job, _told(error)))
        else:
            connection.exec_driver_sql("RELEASE step")

    def _execute(self, connection: Connection, job: _Job) -> _Done:
        tx = self._tx(connection, job.actor)
        try:
            result = job.step(tx)
            tx.finish()
        finally:
            tx.discard()
        return _Done(job, result, tx.nudges)

    def _write_alone(self, job: _Job, done: list[_Done], failed: list[tuple[_Job, BaseException]]) -> None:
        try:
            with self._write_lock(), self._writer_engine.connect() as connection, connection.begin():
                finished = self._execute(connection, job)
        except BaseException as error:  # it belongs to the caller, whatever it is: the writer goes on
            failed.append((job, _told(error)))
        else:
            done.append(finished)

    def _answer(self, done: Sequence[_Done], failed: Sequence[tuple[_Job, BaseException]]) -> None:
        nudges: set[str] = set()
        for item in done:
            nudges |= item.nudges
            item.job.future.set_result(item.result)
        for refused, error in failed:
            refused.future.set_exception(error)
        if nudges:
            self.on_commit(nudges)

    def _checkpoint(self, connection: Connection) -> None:
        """Only the serving process moves the write-ahead log into the file, under its own lock."""
        if self._serve_lock is None:
            return
        try:
            size = os.stat(f"{self.path}-wal").st_size
        except OSError:
            return
        driver: Any = connection.connection.driver_connection
        if (
            size > _CHECKPOINT_BYTES
            and abs(driver.total_changes - self._rows_checkpointed) > _CHECKPOINT_ROWS
        ):
            self._rows_checkpointed = driver.total_changes
            # Below SQLAlchemy, which would open a transaction around it.
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")

    # PostgreSQL

    def _run_on_postgres(self, step: Step[T], actor: str) -> T:
        for attempt in range(1, _RETRIES + 1):
            try:
                with self._writer_engine.begin() as connection:
                    tx = self._tx(connection, actor)
                    try:
                        result = step(tx)
                        tx.finish()
                    finally:
                        tx.discard()
            except DBAPIError as error:
                state = getattr(error.orig, "sqlstate", None)
                if state in _RETRYABLE and attempt < _RETRIES:
                    sleep(random.uniform(0.005, 0.05) * attempt)  # noqa: S311 - jitter, not a secret
                    continue
                if error.connection_invalidated or (isinstance(error, OperationalError) and state is None):
                    raise DatabaseUnavailable("the database could not be reached") from error
                raise
            if tx.nudges:
                self.on_commit(tx.nudges)
            return result
        raise AssertionError("unreachable")

    def _tx(self, connection: Connection, actor: str) -> Tx:
        return Tx(
            connection,
            now=self.clock.now(),
            real=self.clock.real(),
            ids=self.ids,
            actor=actor,
            subscriptions=self._subscriptions,
        )

    # for doctor and for clocks

    def clock_offset(self) -> timedelta:
        """How far PostgreSQL's clock is ahead of this machine's real time; nothing on SQLite."""
        if self.is_sqlite:
            return timedelta()
        before = self.clock.real()
        there: datetime = self.look_now(lambda c: c.execute(text("SELECT clock_timestamp()")).scalar_one())
        after = self.clock.real()
        return there - (before + (after - before) / 2)

    def engine(self) -> Engine:
        """The engine that writes: for migrations only."""
        return self._writer_engine


def _told(error: BaseException) -> BaseException:
    """What the caller of a step on SQLite hears: of a full disk or an I/O error, that nothing was stored."""
    if not isinstance(error, OperationalError):
        return error
    unavailable = DatabaseUnavailable(_UNWRITTEN)
    unavailable.__cause__ = error
    return unavailable


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


def _sqlite_engine(url: str, *, begin: str, readers: int | None = None) -> Engine:
    reading = readers is not None
    engine = create_engine(
        url,
        connect_args={"check_same_thread": False, "timeout": 10},
        pool_size=readers or 1,
        max_overflow=0,
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
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgres_engine(url: str, threads: int) -> Engine:
    return create_engine(
        url,
        pool_size=threads,
        max_overflow=2,
        pool_pre_ping=True,
        pool_timeout=10,
        connect_args={
            "connect_timeout": 5,
            "options": "-c timezone=UTC -c statement_timeout=10000 -c lock_timeout=8000 "
            "-c idle_in_transaction_session_timeout=10000",
        },
    )
