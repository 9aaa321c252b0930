"""The database: the only place that knows which one it is.

Writing is :meth:`Database.run`: a step, one transaction, answered only after the commit that survives a power
cut. Reading is :meth:`Database.look`. How each does it is said in :mod:`.sqlite` and :mod:`.postgres`.

However many reports wait to be taken in, what is `urgent` (a deadline, a text) takes turns with them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from rapid_response.core.clock import Clock
from rapid_response.core.ids import Ids
from rapid_response.storage.engines import sync_url
from rapid_response.storage.failures import CLOSED, UNREAD, DatabaseUnavailable, state_of
from rapid_response.storage.jobs import Job, Runner, Step, Stored
from rapid_response.storage.postgres import PostgresServer
from rapid_response.storage.sqlite import SqliteFile
from rapid_response.storage.sqlstates import FORGOTTEN
from rapid_response.storage.tx import Subscriptions

T = TypeVar("T")

#: Threads that read, and on PostgreSQL run steps. One process gains nothing from more: they take turns at
#: Python, and what is urgent waits for as many turns at each of its statements.
_THREADS = 4


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
        self.on_commit: Callable[[set[str]], None] = lambda _: None
        self._closed = False
        self._closing = threading.Lock()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="look")
        runner = Runner(clock, ids, subscriptions or {}, lambda nudges: self.on_commit(nudges))
        self._file: SqliteFile | None = None
        self._at: SqliteFile | PostgresServer
        if self.url.startswith("sqlite"):
            self._at = self._file = SqliteFile(self.url, runner, threads)
        else:
            self._at = PostgresServer(self.url, runner, self._threads, threads)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is one file; else a PostgreSQL server."""
        return self._file is not None

    @property
    def path(self) -> Path:
        """The SQLite file; raises TypeError where there is none."""
        return self._its_file().path

    def _its_file(self) -> SqliteFile:
        if self._file is None:
            raise TypeError("a PostgreSQL database is no file")
        return self._file

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
        return await _answer_of(submitted)

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
        job = Job(step, actor, stored=stored)
        with self._closing:
            if self._closed:
                raise DatabaseUnavailable(CLOSED)
            self._at.submit(job, urgent=urgent, together=together)
        return job.future

    def run_now(self, step: Step[T], *, actor: str = "system") -> T:
        """As :meth:`run`, waiting in this thread: for commands."""
        return self.submit(step, actor=actor).result()

    async def look(self, read: Callable[[Connection], T]) -> T:
        """Run a read; it sees only what is committed, and cannot write."""
        with self._closing:
            if self._closed:
                raise DatabaseUnavailable(CLOSED)
            looking = self._threads.submit(self.look_now, read)
        try:
            return await _answer_of(looking)
        except asyncio.CancelledError:
            looking.cancel()
            raise

    def look_now(self, read: Callable[[Connection], T]) -> T:
        """As :meth:`look`, in this thread."""
        was_cut_off = False
        while True:
            try:
                return self._at.look(read)
            except PoolTimeout as error:
                raise DatabaseUnavailable(UNREAD) from error
            except DBAPIError as error:
                if (error.connection_invalidated or state_of(error) in FORGOTTEN) and not was_cut_off:
                    # The server ended this connection, or what was prepared: what only reads is done again.
                    was_cut_off = True
                    continue
                if (told := self._at.failure(error, UNREAD)) is None:
                    raise
                raise told from error

    async def close(self) -> None:
        """Finish the steps that wait, then let go of the database; what is still being read is broken off."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """As :meth:`close`, in this thread."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._at.close()
        self._threads.shutdown(wait=True)
        self._at.leave()

    # who may write

    def stop_writing(self) -> None:
        """The file is damaged: what was read from it may still be shown, nothing is written to it."""
        if self._file is not None:
            self._file.stop_writing()

    def claim_serving(self) -> None:
        """Take the right to serve this SQLite file; raises :class:`AlreadyServed`. No-op on PostgreSQL."""
        if self._file is not None:
            self._file.claim_serving()

    def write_lock(self) -> AbstractContextManager[None]:
        """SQLite: what is held around each commit, so that a command and the serving process take turns."""
        return self._its_file().write_lock()

    def alone(self) -> AbstractContextManager[Connection]:
        """One transaction that takes turns with everybody else's: for changing the schema."""
        return self._at.alone()

    # for doctor and for clocks

    def clock_offset(self) -> timedelta:
        """How far PostgreSQL's clock is ahead of this machine's real time; nothing on SQLite."""
        if self.is_sqlite:
            return timedelta()
        before = self.clock.real()
        there: datetime = self.look_now(lambda c: c.execute(text("SELECT clock_timestamp()")).scalar_one())
        after = self.clock.real()
        return there - (before + (after - before) / 2)

    def engine(self, *, reading: bool = False) -> Engine:
        """The engine that writes, or the one that reads: for migrations, and for whoever listens to them."""
        return self._at.reading if reading else self._at.writing


async def _answer_of(future: Future[T]) -> T:
    """What a thread answers, or raises; whoever is cancelled leaves it to its work.

    As `asyncio.shield(asyncio.wrap_future(…))`, which takes two futures more and looks three times at each.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def pass_on(_: Future[T]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell)

    def tell() -> None:
        if answer.done():  # its caller was cancelled
            return
        if future.cancelled():
            answer.cancel()
        elif (error := future.exception()) is not None:
            answer.set_exception(error)
        else:
            answer.set_result(future.result())

    future.add_done_callback(pass_on)
    return await answer
