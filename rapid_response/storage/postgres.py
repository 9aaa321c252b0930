"""PostgreSQL: a small pool of threads, one step a transaction; the server groups commits itself.

What is urgent has threads of its own. Small steps of one kind that come quicker than they are done are run
`together`, several a transaction: all or none of them, and where one fails, each again by itself.

A connection that is lost during COMMIT leaves it in doubt whether the step was stored. Steps with an id of
their own say by it whether they were (`stored`), and are then answered, or run again; the caller of any other
step is told that nobody knows (:class:`~rapid_response.storage.failures.InDoubt`).
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from time import perf_counter, sleep
from typing import Any, TypeVar

from sqlalchemy import Connection, RootTransaction, func, select
from sqlalchemy.exc import DBAPIError

from rapid_response.core import backoff, failpoints
from rapid_response.storage import failures
from rapid_response.storage.engines import postgres_engine
from rapid_response.storage.failures import InDoubt
from rapid_response.storage.jobs import Job, Runner
from rapid_response.storage.prepared import commit, forget
from rapid_response.storage.sqlstates import RETRYABLE
from rapid_response.storage.tx import Tx

T = TypeVar("T")

#: So many steps that go together are one transaction at the most.
_TOGETHER = 16
#: A transaction of theirs that takes longer waits for somebody: another thread takes those behind it.
_HELD_UP_SECONDS = 0.25
_RUNNERS = 3
#: Threads for what is urgent alone.
_URGENT_THREADS = 3
_RETRIES = 5
#: How often a step in doubt asks whether it was stored, and how long it waits in between at the most: about
#: eight seconds in all, in which a server is up again.
_ASKS = 7
_ASK_AGAIN_WITHIN = timedelta(seconds=2)
#: Names our advisory lock: "rapid" in ASCII.
_SCHEMA_LOCK = 0x7261706964


class _CommitLost(Exception):
    """The connection went away between COMMIT and its answer."""


@dataclass(slots=True)
class _Group:
    """Steps of one kind that wait to be run together; one thread runs them, as long as it gets on."""

    threads: ThreadPoolExecutor
    jobs: deque[Job] = field(default_factory=deque)
    runners: int = 0
    #: When the last of their transactions began.
    began: float = 0.0

    def take(self) -> list[Job]:
        """The next that go together."""
        return [self.jobs.popleft() for _ in range(min(len(self.jobs), _TOGETHER))]


class PostgresServer:
    """Steps and reads of one PostgreSQL database; `others` are the threads of what is not urgent."""

    failure = staticmethod(failures.of_postgres)

    def __init__(self, url: str, runner: Runner, others: ThreadPoolExecutor, threads: int) -> None:
        self.writing = self.reading = postgres_engine(url, threads + _URGENT_THREADS)
        self._runner = runner
        self._others = others
        self._urgent = ThreadPoolExecutor(_URGENT_THREADS, thread_name_prefix="urgent")
        self._grouping = threading.Lock()
        self._groups: dict[str, _Group] = {}
        self._closed = False

    def submit(self, job: Job, *, urgent: bool, together: str | None) -> None:
        """Have it run, with others of the kind `together` if one is named."""
        threads = self._urgent if urgent else self._others
        if together is None:
            threads.submit(self._run_alone, job)
            return
        with self._grouping:
            group = self._groups.setdefault(together, _Group(threads))
            group.jobs.append(job)
            if not group.runners:
                self._add_runner(group)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a command's: it waits for its turn
            return
        loop.call_later(_HELD_UP_SECONDS, self._relieve, together)

    def look(self, read: Callable[[Connection], T]) -> T:
        """Run a read in this thread."""
        with self.reading.connect() as pooled:
            connection = pooled.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                found = read(connection)
                commit(connection)
                return found

    def close(self) -> None:
        """Finish what is urgent; the other threads are whose they are."""
        with self._grouping:
            self._closed = True
        self._urgent.shutdown(wait=True)

    def leave(self) -> None:
        """Let go of the connections."""
        self.writing.dispose()

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """One transaction under one advisory lock, which is waited for: for changing the schema."""
        with self.writing.begin() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
            yield connection

    # several a transaction

    def _relieve(self, kind: str) -> None:
        """See that nobody waits behind a transaction that does not get on."""
        with self._grouping:
            group = self._groups[kind]
            is_held_up = perf_counter() - group.began >= _HELD_UP_SECONDS
            if group.jobs and is_held_up and group.runners < _RUNNERS and not self._closed:
                self._add_runner(group)

    def _add_runner(self, group: _Group) -> None:
        group.runners += 1
        group.began = perf_counter()
        group.threads.submit(self._run_group, group)

    def _run_group(self, group: _Group) -> None:
        while True:
            with self._grouping:
                jobs = group.take()
                if not jobs:
                    group.runners -= 1
                    return
                group.began = perf_counter()
            self._run_together([job for job in jobs if job.future.set_running_or_notify_cancel()])

    def _run_together(self, jobs: Sequence[Job]) -> None:
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
            self._answer(job, is_in_doubt=is_in_doubt)

    # one a transaction

    def _run_alone(self, job: Job) -> None:
        if job.future.set_running_or_notify_cancel():
            self._answer(job)

    def _answer(self, job: Job, *, is_in_doubt: bool = False) -> None:
        try:
            if is_in_doubt and job.stored is None:
                raise InDoubt(failures.UNKNOWN)
            done = self._run(job, doubts=int(is_in_doubt))
        except BaseException as error:  # it belongs to the caller, whatever it is
            job.future.set_exception(error)
        else:
            job.future.set_result(done)

    def _run(self, job: Job, doubts: int) -> Any:
        """One step in one transaction; run again where that can do no harm."""
        attempt = 1
        was_cut_off = False
        while True:
            try:
                return self._transact([_again(job) if doubts else job])[0]
            except _CommitLost as lost:
                doubts += 1
                if job.stored is None or doubts >= _ASKS:
                    raise InDoubt(failures.UNKNOWN) from lost.__cause__
            except DBAPIError as error:
                if failures.state_of(error) in RETRYABLE and attempt < _RETRIES:
                    sleep(random.uniform(0.005, 0.05) * attempt)  # noqa: S311 - jitter, not a secret
                    attempt += 1
                    continue
                told = failures.of_postgres(error, failures.UNREACHED)
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
                    raise InDoubt(failures.UNKNOWN) from error
            chance = self._runner.ids.below(backoff.CHANCES)
            sleep(backoff.wait(doubts, chance, _ASK_AGAIN_WITHIN).total_seconds())

    def _transact(self, jobs: Sequence[Job]) -> list[Any]:
        """What each gave, in one transaction; or :class:`_CommitLost` where nobody knows."""
        with self.writing.connect() as connection:
            transaction = connection.begin()
            try:
                done = self._runner.run(connection, jobs)
            except BaseException:
                _undo(connection, transaction)
                raise
            try:
                commit(connection)
            except DBAPIError as error:
                if not failures.is_lost(error):
                    _undo(connection, transaction)
                    raise
                # Whatever became of it, its transaction may still stand there: nobody goes on with that.
                connection.invalidate(error)
                raise _CommitLost from error
            transaction.commit()  # for SQLAlchemy: there is nothing left to be committed
        for each in done:
            failpoints.reach(failpoints.STEP_COMMITTED, each.job.step)
        self._runner.tell(done)
        return [each.result for each in done]


def _undo(connection: Connection, transaction: RootTransaction) -> None:
    forget(connection)
    transaction.rollback()


def _again(job: Job) -> Job:
    """The step, unless an earlier run of it was stored after all: then what that one left."""

    def step(tx: Tx) -> Any:
        found = job.stored(tx) if job.stored is not None else None
        return job.step(tx) if found is None else found

    return replace(job, step=step)
