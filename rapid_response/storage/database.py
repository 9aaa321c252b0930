"""The database: the only place that knows which one it is.

Writing is :meth:`Database.run`: a step, one transaction, answered only after the commit that survives a power
cut. Reading is :meth:`Database.look`.

SQLite: one writer thread runs the waiting steps one after another, each in a savepoint, and commits them
together (at most 50, or what came within 20 ms); nobody is answered before that commit. PostgreSQL: a small
pool of threads, one step a transaction; the server groups commits itself. Small steps of one kind that come
quicker than they are done are run `together` there, several a transaction: all or none of them, and where one
fails, each again by itself.

However many reports wait to be taken in, what is `urgent` (a deadline, a text) takes turns with them: on
SQLite every other step is one of those, on PostgreSQL they have threads of their own.

A PostgreSQL connection that is lost during COMMIT leaves it in doubt whether the step was stored. Steps with
an id of their own say by it whether they were (`stored`), and are then answered, or run again; the caller of
any other step is told that nobody knows (:class:`InDoubt`).
"""

from __future__ import annotations

import asyncio
import fcntl
import math
import os
import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from time import perf_counter, sleep
from typing import Any, TypeVar

from pydantic_core import from_json
from sqlalchemy import Connection, Engine, RootTransaction, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import DatabaseError, DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from rapid_response.core import backoff, failpoints
from rapid_response.core.clock import Clock
from rapid_response.core.ids import Ids
from rapid_response.core.pulse import Pulse
from rapid_response.storage.prepared import commit, forget
from rapid_response.storage.sqlstates import FORGOTTEN, RETRYABLE, UNAVAILABLE
from rapid_response.storage.tx import Subscriptions, Tx

T = TypeVar("T")
Step = Callable[[Tx], T]
#: What an earlier run of a step left, if it was stored after all; None where it was not.
Stored = Callable[[Tx], T | None]

GROUP_LIMIT = 50
#: PostgreSQL: so many steps that go together are one transaction at the most.
_TOGETHER = 16
#: A transaction of theirs that takes longer waits for somebody: another thread takes those behind it.
_HELD_UP_SECONDS = 0.25
_RUNNERS = 3
GROUP_SECONDS = 0.02
#: Threads that read, and on PostgreSQL run steps. One process gains nothing from more: they take turns at
#: Python, and what is urgent waits for as many turns at each of its statements.
_THREADS = 4
#: PostgreSQL: threads for what is urgent alone.
_URGENT_THREADS = 3
_RETRIES = 5
#: PostgreSQL: a connection that rested for longer is asked whether it is still there before it is used.
_PING_AFTER_SECONDS = 1.0
#: How often a step in doubt asks whether it was stored, and how long it waits in between at the most: about
#: eight seconds in all, in which a server is up again.
_ASKS = 7
_ASK_AGAIN_WITHIN = timedelta(seconds=2)
#: The serving process checkpoints a write-ahead log of this size, and then after so many more rows: the file
#: keeps its size when it begins anew, so that its size alone would ask for a checkpoint at each commit.
_CHECKPOINT_BYTES = 4 * 1024 * 1024
_CHECKPOINT_ROWS = 2000
#: Names our advisory lock on PostgreSQL: "rapid" in ASCII.
_SCHEMA_LOCK = 0x7261706964
_CLOSED = "the database is closed"
_UNWRITTEN = "the database could not be written"
_UNREAD = "the database could not be read"
_UNREACHED = "the database could not be reached"
_UNKNOWN = "the connection was lost during the commit: it may have been stored, or not"
_DAMAGED = "the database file is damaged"


def looks_itself(_: Tx) -> None:
    """`stored` of a step that begins by looking for its own id: running it again does nothing twice."""


class DatabaseUnavailable(Exception):
    """The database cannot be reached or written; nothing was stored."""

    def for_log(self) -> dict[str, str | None]:
        """Why, for the log: the class of the driver's error and its code, never its words.

        What a database says in words may quote what was being stored.
        """
        cause = self.__cause__
        driver = getattr(cause, "orig", None) or cause
        code = getattr(driver, "sqlstate", None) or getattr(driver, "sqlite_errorname", None)
        return {"reason": type(driver).__name__ if driver is not None else None, "code": code}


class InDoubt(DatabaseUnavailable):
    """The connection was lost during the commit: what the step did may have been stored, or not."""


class DatabaseDamaged(DatabaseUnavailable):
    """What is in the SQLite file cannot be believed: nothing is written to it any more."""


def suspect_damage(pulse: Pulse, error: BaseException) -> None:
    """Where what was read made no sense, have the file checked now, and not only tonight."""
    if isinstance(error, DatabaseDamaged) and pulse.damage is None:
        pulse.suspects_damage = True


class AlreadyServed(Exception):
    """Another process serves this SQLite file."""


@dataclass(slots=True)
class _Job:
    step: Step[Any]
    actor: str
    future: Future[Any] = field(default_factory=Future)
    stored: Stored[Any] | None = None


@dataclass(slots=True)
class _Group:
    """Steps of one kind that wait to be run together; one thread runs them, as long as it gets on."""

    threads: ThreadPoolExecutor
    jobs: deque[_Job] = field(default_factory=deque)
    runners: int = 0
    #: When the last of their transactions began.
    began: float = 0.0

    def take(self) -> list[_Job]:
        """The next that go together."""
        return [self.jobs.popleft() for _ in range(min(len(self.jobs), _TOGETHER))]


class _Inbox:
    """What waits for SQLite's writer: two queues that take turns. None, which comes last of all, says stop.

    A token stands in one queue for each job in either, so that one `get` waits for both.
    """

    def __init__(self) -> None:
        self._tokens: SimpleQueue[bool] = SimpleQueue()
        self._urgent: deque[_Job] = deque()
        self._others: deque[_Job | None] = deque()
        self._is_urgents_turn = True

    def put(self, job: _Job, *, urgent: bool) -> None:
        (self._urgent if urgent else self._others).append(job)
        self._tokens.put(True)

    def stop(self) -> None:
        """No more comes after this."""
        self._others.append(None)
        self._tokens.put(True)

    def get(self) -> _Job | None:
        """The next one, waited for."""
        self._tokens.get()
        return self._next()

    def get_nowait(self) -> _Job | None:
        """The next one; raises Empty."""
        self._tokens.get_nowait()
        return self._next()

    def _next(self) -> _Job | None:
        others_wait = bool(self._others) and self._others[0] is not None
        is_urgent = bool(self._urgent) and (self._is_urgents_turn or not others_wait)
        self._is_urgents_turn = not is_urgent
        return self._urgent.popleft() if is_urgent else self._others.popleft()


class _CommitLost(Exception):
    """The connection went away between COMMIT and its answer."""


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
        threads: int = _THREADS,
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
        self._damaged = False
        if self.is_sqlite:
            self.path = Path(make_url(self.url).database or "")
            self._writer_engine = _sqlite_engine(self.url, begin="BEGIN IMMEDIATE")
            self._reader_engine = _sqlite_engine(self.url, begin="BEGIN", readers=threads)
            self._writing: Connection | None = None
            self._inbox = _Inbox()
            self._rows_checkpointed = 0
            #: The connections on which somebody reads now.
            self._looking: set[Any] = set()
            self._readers = ThreadPoolExecutor(threads, thread_name_prefix="look")
            self._writer = threading.Thread(target=self._write_forever, name="writer", daemon=True)
            self._writer.start()
        else:
            self._writer_engine = self._reader_engine = _postgres_engine(self.url, threads + _URGENT_THREADS)
            self._readers = ThreadPoolExecutor(threads, thread_name_prefix="step")
            self._urgent = ThreadPoolExecutor(_URGENT_THREADS, thread_name_prefix="urgent")
            self._groups: dict[str, _Group] = {}

    # the two ways in

    async def run(
        self,
        step: Step[T],
        *,
        actor: str = "system",
        stored: Stored[T] | None = None,
        urgent: bool = False,
        together: str | None = None,
    ) -> T:
        """Run a step; returns what it returned, once that is durable, or raises what it raised.

        Raises :class:`DatabaseUnavailable` when nothing could be stored, :class:`InDoubt` when nobody knows;
        a step that has an id of its own says by `stored` whether an earlier run of it was. A caller that is
        cancelled stops waiting; its step runs to its end all the same. `urgent` is what may not wait until
        everybody else's steps are done, however many there are. `together` names a kind of steps that may
        share a transaction: none of them waits for another's lock, and none knows of the others.
        """
        submitted = self.submit(step, actor=actor, stored=stored, urgent=urgent, together=together)
        if together is not None and not self.is_sqlite:
            asyncio.get_running_loop().call_later(_HELD_UP_SECONDS, self._relieve, together)
        return await asyncio.shield(asyncio.wrap_future(submitted))

    def submit(
        self,
        step: Step[T],
        *,
        actor: str = "system",
        stored: Stored[T] | None = None,
        urgent: bool = False,
        together: str | None = None,
    ) -> Future[T]:
        """As :meth:`run`, for callers without an event loop."""
        with self._closing:
            if self._closed:
                raise DatabaseUnavailable(_CLOSED)
            if self._damaged:
                raise DatabaseDamaged(_DAMAGED)
            job = _Job(step, actor, stored=stored)
            if self.is_sqlite:
                self._inbox.put(job, urgent=urgent)
                return job.future
            threads = self._urgent if urgent else self._readers
            if together is None:
                return threads.submit(self._run_on_postgres, job)
            group = self._groups.setdefault(together, _Group(threads))
            group.jobs.append(job)
            if not group.runners:
                self._add_runner(group)
            return job.future

    def _relieve(self, kind: str) -> None:
        """See that nobody waits behind a transaction that does not get on."""
        with self._closing:
            group = self._groups[kind]
            is_held_up = perf_counter() - group.began >= _HELD_UP_SECONDS
            if group.jobs and is_held_up and group.runners < _RUNNERS and not self._closed:
                self._add_runner(group)

    def _add_runner(self, group: _Group) -> None:
        group.runners += 1
        group.began = perf_counter()
        group.threads.submit(self._run_group, group)

    def stop_writing(self) -> None:
        """The file is damaged: what was read from it may still be shown, nothing is written to it."""
        self._damaged = True

    async def look(self, read: Callable[[Connection], T]) -> T:
        """Run a read; it sees only what is committed, and cannot write."""
        with self._closing:
            if self._closed:
                raise DatabaseUnavailable(_CLOSED)
            looking = self._readers.submit(self.look_now, read)
        return await asyncio.wrap_future(looking)

    def look_now(self, read: Callable[[Connection], T]) -> T:
        """As :meth:`look`, in this thread."""
        was_cut_off = False
        while True:
            try:
                return self._look(read)
            except PoolTimeout as error:
                raise DatabaseUnavailable(_UNREAD) from error
            except DBAPIError as error:
                if (error.connection_invalidated or _state(error) in FORGOTTEN) and not was_cut_off:
                    # The server ended this connection, or what was prepared: what only reads is done again.
                    was_cut_off = True
                    continue
                if (told := self._unavailable(error, _UNREAD)) is None:
                    raise
                raise told from error

    def _look(self, read: Callable[[Connection], T]) -> T:
        with self._reader_engine.connect() as connection:
            if self.is_sqlite:
                return self._look_at_file(connection, read)
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            with connection.begin():
                found = read(connection)
                commit(connection)
                return found

    def _look_at_file(self, connection: Connection, read: Callable[[Connection], T]) -> T:
        driver = connection.connection.driver_connection
        self._looking.add(driver)
        try:
            with connection.begin():
                return read(connection)
        finally:
            self._looking.discard(driver)

    def run_now(self, step: Step[T], *, actor: str = "system") -> T:
        """As :meth:`run`, waiting in this thread: for commands."""
        return self.submit(step, actor=actor).result()

    async def close(self) -> None:
        """Finish the steps that wait, then let go of the database; what is still being read is broken off."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """As :meth:`close`, in this thread."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        if self.is_sqlite:
            for driver in tuple(self._looking):
                # The check of a large file takes minutes, and nobody waits for what it finds any more.
                driver.interrupt()
            self._inbox.stop()
            self._writer.join()
        else:
            self._urgent.shutdown(wait=True)
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
    def write_lock(self) -> Iterator[None]:
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
            with self.write_lock(), self._writer_engine.connect() as connection:
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
        if self._writing is not None:
            self._writing.close()
        self._writer_engine.dispose()

    def _write_group(self, first: _Job) -> bool:
        """One group of steps and its commit; True when the queue said to stop."""
        stop = False
        done: list[_Done] = []
        failed: list[tuple[_Job, BaseException]] = []
        taken: list[_Job] = []
        try:
            with self.write_lock(), self._in_writer() as connection:
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

    @contextmanager
    def _in_writer(self) -> Iterator[Connection]:
        """The writer thread's own connection, kept from group to group; made anew after any error."""
        connection = self._writing = self._writing or self._writer_engine.connect()
        try:
            yield connection
        except BaseException:
            self._writing = None
            connection.close()
            raise

    def _in_savepoint(
        self, connection: Connection, job: _Job, done: list[_Done], failed: list[tuple[_Job, BaseException]]
    ) -> None:
        if not job.future.set_running_or_notify_cancel():
            return
        # Below SQLAlchemy, which makes a context for each word that it passes on.
        driver: Any = connection.connection.driver_connection
        driver.execute("SAVEPOINT step")
        try:
            done.append(self._execute(connection, job))
        except BaseException as error:  # it belongs to the caller, whatever it is: the writer goes on
            if not driver.in_transaction:
                raise
            driver.execute("ROLLBACK TO step")
            driver.execute("RELEASE step")
            failed.append((job, _told(error)))
        else:
            driver.execute("RELEASE step")

    def _execute(self, connection: Connection, job: _Job) -> _Done:
        return self._execute_all(connection, [job])[0]

    def _execute_all(self, connection: Connection, jobs: Sequence[_Job]) -> list[_Done]:
        """Every step, and then their logs, of all of them in one order.

        Chains are locked last by everybody: a step that had one while the next asked for a row would wait for
        whoever has that row and asks for the chain.
        """
        results: list[Any] = []
        made: list[Tx] = []
        for job in jobs:
            failpoints.reach(failpoints.STEP_BEGINS, job.step)
            tx = self._tx(connection, job.actor)
            results.append(job.step(tx))
            tx.flush()
            made.append(tx)
        for stream, n in sorted((stream, n) for n, tx in enumerate(made) for stream in tx.streams):
            made[n].extend(stream)
            made[n].flush()  # two of them may be of one stream
        for job, tx in zip(jobs, made, strict=True):
            tx.finish()
            failpoints.reach(failpoints.STEP_WRITTEN, job.step)
        return [_Done(job, result, tx.nudges) for job, result, tx in zip(jobs, results, made, strict=True)]

    def _write_alone(self, job: _Job, done: list[_Done], failed: list[tuple[_Job, BaseException]]) -> None:
        try:
            with self.write_lock(), self._in_writer() as connection, connection.begin():
                finished = self._execute(connection, job)
        except BaseException as error:  # it belongs to the caller, whatever it is: the writer goes on
            failed.append((job, _told(error)))
        else:
            done.append(finished)

    def _answer(self, done: Sequence[_Done], failed: Sequence[tuple[_Job, BaseException]]) -> None:
        for item in done:
            failpoints.reach(failpoints.STEP_COMMITTED, item.job.step)
            item.job.future.set_result(item.result)
        for refused, error in failed:
            refused.future.set_exception(error)
        self._nudge(done)

    def _nudge(self, done: Sequence[_Done]) -> None:
        nudges = {name for each in done for name in each.nudges}
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

    def _run_group(self, group: _Group) -> None:
        while True:
            with self._closing:
                jobs = group.take()
                if not jobs:
                    group.runners -= 1
                    return
                group.began = perf_counter()
            self._run_together([job for job in jobs if job.future.set_running_or_notify_cancel()])

    def _run_together(self, jobs: Sequence[_Job]) -> None:
        """Several steps in one transaction; each by itself where that fails, whatever the reason."""
        is_in_doubt = False
        if len(jobs) > 1:
            try:
                results = self._transact(jobs)
            except BaseException as error:  # it is told to whose it is, when each is run by itself
                is_in_doubt = isinstance(error, _CommitLost)
            else:
                for job, result in zip(jobs, results, strict=True):
                    job.future.set_result(result)
                return
        for job in jobs:
            try:
                if is_in_doubt and job.stored is None:
                    raise InDoubt(_UNKNOWN)
                done = self._run_on_postgres(job, doubts=int(is_in_doubt))
            except BaseException as error:  # it belongs to the caller, whatever it is
                job.future.set_exception(error)
            else:
                job.future.set_result(done)

    def _run_on_postgres(self, job: _Job, doubts: int = 0) -> Any:
        """One step in one transaction; run again where that can do no harm."""
        stored = job.stored
        attempt = 1
        was_cut_off = False
        while True:
            try:
                return self._transact([_again(job) if doubts else job])[0]
            except _CommitLost as lost:
                doubts += 1
                if stored is None or doubts >= _ASKS:
                    raise InDoubt(_UNKNOWN) from lost.__cause__
            except DBAPIError as error:
                if _state(error) in RETRYABLE and attempt < _RETRIES:
                    sleep(random.uniform(0.005, 0.05) * attempt)  # noqa: S311 - jitter, not a secret
                    attempt += 1
                    continue
                told = self._unavailable(error, _UNREACHED)
                if told is None:
                    raise
                if not doubts:
                    if error.connection_invalidated and not was_cut_off:
                        # The server ended this connection before any COMMIT: nothing was stored.
                        was_cut_off = True
                        continue
                    raise told from error
                doubts += 1
                if doubts >= _ASKS:
                    raise InDoubt(_UNKNOWN) from error
            chance = self.ids.below(backoff.CHANCES)
            sleep(backoff.wait(doubts, chance, _ASK_AGAIN_WITHIN).total_seconds())

    def _transact(self, jobs: Sequence[_Job]) -> list[Any]:
        """What each gave, in one transaction; or :class:`_CommitLost` where nobody knows."""
        with self._writer_engine.connect() as connection:
            transaction = connection.begin()
            try:
                done = self._execute_all(connection, jobs)
            except BaseException:
                _undo(connection, transaction)
                raise
            try:
                commit(connection)
            except DBAPIError as error:
                if not _is_lost(error):
                    _undo(connection, transaction)
                    raise
                # Whatever became of it, its transaction may still stand there: nobody goes on with that.
                connection.invalidate(error)
                raise _CommitLost from error
            transaction.commit()  # for SQLAlchemy: there is nothing left to be committed
        for each in done:
            failpoints.reach(failpoints.STEP_COMMITTED, each.job.step)
        self._nudge(done)
        return [each.result for each in done]

    def _unavailable(self, error: DBAPIError, sentence: str) -> DatabaseUnavailable | None:
        """What the caller hears of an error that is the database's own; None for a fault of the step."""
        if self.is_sqlite:
            if isinstance(error, OperationalError):
                return DatabaseUnavailable(sentence)
            # What SQLite says of a page that it cannot make sense of has no class of its own.
            return DatabaseDamaged(_DAMAGED) if type(error) is DatabaseError else None
        state = _state(error)
        if _is_lost(error) or (state or "").startswith(UNAVAILABLE):
            return DatabaseUnavailable(sentence)
        return None

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


def _undo(connection: Connection, transaction: RootTransaction) -> None:
    forget(connection)
    transaction.rollback()


def _state(error: DBAPIError) -> str | None:
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state


def _is_lost(error: DBAPIError) -> bool:
    """Whether the connection is gone, or was never had."""
    return error.connection_invalidated or (isinstance(error, OperationalError) and _state(error) is None)


def _again(job: _Job) -> _Job:
    """The step, unless an earlier run of it was stored after all: then what that one left."""

    def step(tx: Tx) -> Any:
        found = job.stored(tx) if job.stored is not None else None
        return job.step(tx) if found is None else found

    return replace(job, step=step)


def _told(error: BaseException) -> BaseException:
    """What the caller of a step on SQLite hears: of a full disk or an I/O error, that nothing was stored."""
    unavailable: DatabaseUnavailable
    if isinstance(error, OperationalError):
        unavailable = DatabaseUnavailable(_UNWRITTEN)
    elif type(error) is DatabaseError:
        unavailable = DatabaseDamaged(_DAMAGED)
    else:
        return error
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
        # More statements than we have: none is parsed twice.
        connect_args={"check_same_thread": False, "timeout": 10, "cached_statements": 1000},
        # To write: the writer's own, and one for whoever changes the schema.
        pool_size=readers or 2,
        max_overflow=0,
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
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        try:
            driver.execute(begin)
        except Exception:
            # As SQLAlchemy says it, to whoever waits for its errors.
            connection.exec_driver_sql(begin)

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


def _postgres_engine(url: str, threads: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=threads,
        max_overflow=2,
        pool_timeout=10,
        json_deserializer=from_json,
        connect_args={
            "connect_timeout": 5,
            "options": "-c timezone=UTC -c statement_timeout=10000 -c lock_timeout=8000 "
            "-c idle_in_transaction_session_timeout=10000",
        },
    )

    @event.listens_for(engine, "connect")
    def _prepare(dbapi: Any, _record: Any) -> None:
        dbapi.prepared_max = 1000  # more statements than we have: none is parsed twice

    asks = _Pings(engine)
    event.listen(engine, "checkin", asks.was_used)
    event.listen(engine, "invalidate", asks.was_lost)
    event.listen(engine, "checkout", asks.is_taken)
    return engine
