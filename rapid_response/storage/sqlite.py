"""SQLite: one writer thread, which runs the waiting steps one after another and commits them together.

Each is in a savepoint; one commit has at most 50 of them, or what came within 20 ms, and nobody is answered
before it. Every other step is an urgent one where both wait.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any, TypeVar

from sqlalchemy import Connection, make_url

from rapid_response.core import failpoints
from rapid_response.storage import failures
from rapid_response.storage.engines import sqlite_engine
from rapid_response.storage.failures import AlreadyServed, DatabaseDamaged, DatabaseUnavailable
from rapid_response.storage.jobs import Done, Job, Runner
from rapid_response.storage.prepared import say

T = TypeVar("T")
_Failed = tuple[Job, BaseException]

_BEGIN = "BEGIN IMMEDIATE"
GROUP_LIMIT = 50
GROUP_SECONDS = 0.02
#: The serving process checkpoints a write-ahead log of this size, and then after so many more rows: the file
#: keeps its size when it begins anew, so that its size alone would ask for a checkpoint at each commit.
_CHECKPOINT_BYTES = 4 * 1024 * 1024
_CHECKPOINT_ROWS = 2000


class SqliteFile:
    """Steps and reads of one SQLite file."""

    failure = staticmethod(failures.of_sqlite)

    def __init__(self, url: str, runner: Runner, readers: int) -> None:
        self.path = Path(make_url(url).database or "")
        self.writing = sqlite_engine(url, begin=_BEGIN)
        self.reading = sqlite_engine(url, begin="BEGIN", readers=readers)
        self._runner = runner
        self._inbox = _Inbox()
        self._serve_lock: int | None = None
        self._damaged = False
        self._rows_checkpointed = 0
        #: The writer's connection, kept from group to group.
        self._connection: Connection | None = None
        #: The connections on which somebody reads now.
        self._looking: set[Any] = set()
        self._writer = threading.Thread(target=self._write_forever, name="writer", daemon=True)
        self._writer.start()

    def submit(self, job: Job, *, urgent: bool, together: str | None) -> None:
        """Have it run; all steps go together here. Raises DatabaseDamaged after :meth:`stop_writing`."""
        if self._damaged:
            raise DatabaseDamaged(failures.DAMAGED)
        self._inbox.put(job, urgent=urgent)

    def stop_writing(self) -> None:
        """The file is damaged: nothing is written to it any more."""
        self._damaged = True

    def look(self, read: Callable[[Connection], T]) -> T:
        """Run a read in this thread."""
        with self.reading.connect() as connection:
            driver = connection.connection.driver_connection
            self._looking.add(driver)
            try:
                with connection.begin():
                    return read(connection)
            finally:
                self._looking.discard(driver)

    def close(self) -> None:
        """Finish the steps that wait; what is still being read is broken off."""
        for driver in tuple(self._looking):
            # The check of a large file takes minutes, and nobody waits for what it finds any more.
            driver.interrupt()
        self._inbox.stop()
        self._writer.join()

    def leave(self) -> None:
        """Let go of the file."""
        self.writing.dispose()
        self.reading.dispose()
        if self._serve_lock is not None:
            os.close(self._serve_lock)

    # who may write

    def claim_serving(self) -> None:
        """Take the right to serve the file; raises :class:`AlreadyServed`."""
        if self._serve_lock is not None:
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
            raise DatabaseUnavailable(failures.UNWRITTEN) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """One transaction under the write lock, for changing the schema.

        Foreign keys are looked at only at the end, because a table that is made anew is away for a moment.
        """
        with self.write_lock(), self.writing.connect() as connection:
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
            try:
                with connection.begin():
                    yield connection
                    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                        raise RuntimeError("the new schema leaves rows that refer to nothing")
            finally:
                connection.connection.cursor().execute("PRAGMA foreign_keys=ON")

    # the writer's thread

    def _write_forever(self) -> None:
        while (job := self._inbox.get()) is not None:
            last = self._write_group(job)
            if last:
                break
        if self._connection is not None:
            self._connection.close()
        self.writing.dispose()

    def _write_group(self, first: Job) -> bool:
        """One group of steps and its commit; True when the queue said to stop."""
        stop = False
        done: list[Done] = []
        failed: list[_Failed] = []
        taken: list[Job] = []
        try:
            with self.write_lock():
                until = perf_counter() + GROUP_SECONDS
                with self._transaction() as (connection, driver):
                    job: Job | None = first
                    while job is not None:
                        taken.append(job)
                        self._in_savepoint(connection, driver, job, done, failed)
                        if len(taken) >= GROUP_LIMIT or perf_counter() > until:
                            break
                        try:
                            job = self._inbox.get_nowait()
                        except Empty:
                            break
                        stop = job is None
                # Answered for by now: whatever becomes of the checkpoint, these steps must not run again.
                with suppress(Exception):
                    self._checkpoint(driver)
        except BaseException:  # the writer must outlive whatever a disk or driver throws
            # A full disk or an I/O error can roll back the whole group: run its steps again, one by one.
            done, failed = [], []
            for waiting in taken or [first]:
                if not waiting.future.cancelled():
                    self._write_alone(waiting, done, failed)
        self._answer(done, failed)
        return stop

    @contextmanager
    def _transaction(self) -> Iterator[tuple[Connection, Any]]:
        """One on the writer thread's own connection, and its driver; a new connection after any error.

        It is begun below SQLAlchemy, which makes a context for each word that it passes on, and takes several
        times as long to begin and to commit. SQLAlchemy joins where a step asks in its way.
        """
        connection = self._connection = self._connection or self.writing.connect()
        try:
            driver: Any = connection.connection.driver_connection
            say(connection, _BEGIN)
            yield connection, driver
            self._commit(connection)
        except BaseException:
            self._connection = None
            connection.close()
            raise

    @staticmethod
    def _commit(connection: Connection) -> None:
        if connection.in_transaction():
            connection.commit()
        else:
            say(connection, "COMMIT")

    def _in_savepoint(
        self, connection: Connection, driver: Any, job: Job, done: list[Done], failed: list[_Failed]
    ) -> None:
        if not job.future.set_running_or_notify_cancel():
            return
        driver.execute("SAVEPOINT step")
        try:
            done += self._runner.run(connection, [job])
        except BaseException as error:  # it belongs to the caller, whatever it is: the writer goes on
            if not driver.in_transaction:
                raise
            driver.execute("ROLLBACK TO step")
            driver.execute("RELEASE step")
            failed.append((job, _told(error)))
        else:
            driver.execute("RELEASE step")

    def _write_alone(self, job: Job, done: list[Done], failed: list[_Failed]) -> None:
        try:
            with self.write_lock(), self._transaction() as (connection, _):
                finished = self._runner.run(connection, [job])
        except BaseException as error:  # it belongs to the caller, whatever it is: the writer goes on
            failed.append((job, _told(error)))
        else:
            done += finished

    def _answer(self, done: Sequence[Done], failed: Sequence[_Failed]) -> None:
        for item in done:
            failpoints.reach(failpoints.STEP_COMMITTED, item.job.step)
            item.job.future.set_result(item.result)
        for refused, error in failed:
            refused.future.set_exception(error)
        self._runner.tell(done)

    def _checkpoint(self, driver: Any) -> None:
        """Only the serving process moves the write-ahead log into the file, under its own lock."""
        if (
            self._serve_lock is None
            or abs(driver.total_changes - self._rows_checkpointed) <= _CHECKPOINT_ROWS
        ):
            return
        try:
            size = os.stat(f"{self.path}-wal").st_size
        except OSError:
            return
        if size > _CHECKPOINT_BYTES:
            self._rows_checkpointed = driver.total_changes
            driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


class _Inbox:
    """What waits for the writer: two queues that take turns. None, which comes last of all, says stop.

    A token stands in one queue for each job in either, so that one `get` waits for both.
    """

    def __init__(self) -> None:
        self._tokens: SimpleQueue[bool] = SimpleQueue()
        self._urgent: deque[Job] = deque()
        self._others: deque[Job | None] = deque()
        self._is_urgents_turn = True

    def put(self, job: Job, *, urgent: bool) -> None:
        (self._urgent if urgent else self._others).append(job)
        self._tokens.put(True)

    def stop(self) -> None:
        """No more comes after this."""
        self._others.append(None)
        self._tokens.put(True)

    def get(self) -> Job | None:
        """The next one, waited for."""
        self._tokens.get()
        return self._next()

    def get_nowait(self) -> Job | None:
        """The next one; raises Empty."""
        self._tokens.get_nowait()
        return self._next()

    def _next(self) -> Job | None:
        others_wait = bool(self._others) and self._others[0] is not None
        is_urgent = bool(self._urgent) and (self._is_urgents_turn or not others_wait)
        self._is_urgents_turn = not is_urgent
        return self._urgent.popleft() if is_urgent else self._others.popleft()


def _told(error: BaseException) -> BaseException:
    """What the caller of a step hears: of a full disk or an I/O error, that nothing was stored."""
    told = failures.of_sqlite(error, failures.UNWRITTEN)
    if told is None:
        return error
    told.__cause__ = error
    return told
