"""Asking PostgreSQL with as few round trips as a step allows.

Each answer that is waited for costs the server and us two changes of context, which is most of what a small
statement costs. What a step writes waits here and goes out together with its next question, or its COMMIT;
and BEGIN with the first of them (ADR 0019). This is libpq's pipeline, below psycopg's cursors but on its
connections, so that whatever else uses the same connection sees the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from select import POLLIN, POLLOUT, poll
from typing import Any

from psycopg import Connection as Driver
from psycopg import DatabaseError, OperationalError
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy.orm.exc import StaleDataError

from rapid_response.storage.sqlstates import FORGOTTEN

_COMMIT = "COMMIT"


@dataclass(frozen=True, slots=True)
class _Command:
    sql: str
    values: Sequence[Any]
    #: What is wrong if it did not change exactly one row; nothing where that is all the same.
    else_gone: str = ""


class Wire:
    """One connection: what waits to be sent on it, and what is prepared on it.

    Raises psycopg's errors. After one, whatever waited is forgotten: its transaction can only be rolled back.
    """

    def __init__(self, driver: Driver[Any]) -> None:
        self._driver = driver
        self._libpq = driver.pgconn
        self._types = Transformer(driver)
        self._names: dict[str, bytes] = {}
        self._named = 0
        self._waiting: list[_Command] = []
        #: The statement that failed last, which may have waited while another was asked.
        self.failed = ""
        self._readable = poll()
        self._readable.register(self._libpq.socket, POLLIN)
        self._either = poll()
        self._either.register(self._libpq.socket, POLLIN | POLLOUT)

    def later(self, sql: str, values: Sequence[Any], else_gone: str = "") -> None:
        """A statement whose answer nobody waits for: sent with the next that somebody does wait for."""
        self._waiting.append(_Command(sql, values, else_gone))

    def ask(
        self, sql: str, values: Sequence[Any]
    ) -> tuple[Sequence[Any], int, Callable[[], Sequence[tuple[str, int]]]]:
        """A statement's rows, how many it changed, and what tells its columns: names, and types by number."""
        self._waiting.append(_Command(sql, values))
        result = self._send()[-1]
        rows: Sequence[Any] = ()
        if result.status == ExecStatus.TUPLES_OK:
            self._types.set_pgresult(result)
            rows = self._types.load_rows(0, result.ntuples, tuple)
        return rows, result.command_tuples or 0, partial(_columns, result)

    def push(self) -> None:
        """Send what waits: for whoever uses the connection in another way than this."""
        if self._waiting:
            self._send()

    def forget(self) -> None:
        """Nothing of what waits is to be sent."""
        self._waiting.clear()

    def settle(self) -> None:
        """Send what waits if its answer may forbid the COMMIT, or nothing was asked before it.

        Had the connection gone while it rested, that is to be heard now: of a COMMIT that is lost, nobody
        knows what became.
        """
        if self._waiting and (self._is_idle() or any(one.else_gone for one in self._waiting)):
            self._send()

    def commit(self) -> None:
        """COMMIT, if anything was begun, with what still waits: the end of that is the end of all of it."""
        if not self._waiting and self._is_idle():
            return
        self._waiting.append(_Command(_COMMIT, ()))
        done = self._send()[-1]
        if done.command_status != _COMMIT.encode():
            raise DatabaseError("the transaction had failed before its commit")

    def _is_idle(self) -> bool:
        return self._libpq.transaction_status == TransactionStatus.IDLE

    def _send(self) -> list[PGresult]:
        commands, self._waiting = self._waiting, []
        if self._is_idle():
            commands.insert(0, _Command(self._begin(), ()))
        dumped = [self._dumped(command.values) for command in commands]
        if len(commands) == 1 and (name := self._names.get(commands[0].sql)) is not None:
            results = [self._libpq.exec_prepared(name, dumped[0])]
        else:
            results = self._in_pipeline(commands, dumped)
        for command, result in zip(commands, results, strict=True):
            self._check(command, result)
        return results

    def _begin(self) -> str:
        level, reads = self._driver.isolation_level, self._driver.read_only
        begin = "BEGIN"
        if level is not None:
            begin += f" ISOLATION LEVEL {level.name.replace('_', ' ')}"
        return f"{begin} READ ONLY" if reads else begin

    def _dumped(self, values: Sequence[Any]) -> Sequence[Any] | None:
        # In text and without a type: the server takes each as what stands where it stands.
        return self._types.dump_sequence(values, [PyFormat.TEXT] * len(values)) if values else None

    def _in_pipeline(self, commands: Sequence[_Command], dumped: Sequence[Any]) -> list[PGresult]:
        new: dict[str, bytes] = {}
        is_prepared_first: list[bool] = []
        try:
            self._libpq.enter_pipeline_mode()
            for command, values in zip(commands, dumped, strict=True):
                is_prepared_first.append(self._put(command.sql, values, new))
            self._libpq.pipeline_sync()
            told = self._answers()
            self._libpq.exit_pipeline_mode()
        except BaseException:
            self._driver.close()  # half a pipeline: nobody goes on with that
            raise
        results = []
        for command, was_prepared in zip(commands, is_prepared_first, strict=True):
            prepared = told.pop(0) if was_prepared else None
            result = told.pop(0)
            if prepared is not None and prepared.status == ExecStatus.COMMAND_OK:
                self._names[command.sql] = new[command.sql]
            elif prepared is not None:
                result = prepared
            results.append(result)
        return results

    def _put(self, sql: str, values: Sequence[Any] | None, new: dict[str, bytes]) -> bool:
        """One statement of a pipeline; whether it had to be prepared first."""
        name = self._names.get(sql) or new.get(sql)
        is_new = name is None
        if name is None:
            self._named += 1
            name = new[sql] = b"rr_%d" % self._named
            self._libpq.send_prepare(name, sql.encode())
        self._libpq.send_query_prepared(name, values)
        return is_new

    def _answers(self) -> list[PGresult]:
        """All up to the end of what was sent."""
        libpq = self._libpq
        while libpq.flush():  # there is more than the socket takes, and the server may wait for us to read
            self._either.poll()
            libpq.consume_input()
        told: list[PGresult] = []
        while True:
            while libpq.is_busy():
                self._readable.poll()
                libpq.consume_input()
            result = libpq.get_result()
            if result is None:  # the end of one statement's results
                if libpq.status == ConnStatus.BAD:
                    raise OperationalError("the connection was lost")
            elif result.status == ExecStatus.PIPELINE_SYNC:
                return told
            else:
                told.append(result)

    def _check(self, command: _Command, result: PGresult) -> None:
        if result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
            if command.else_gone and result.command_tuples != 1:
                raise StaleDataError(command.else_gone)
            return
        self.failed = command.sql
        error = error_from_result(result)
        if error.sqlstate is None and self._libpq.status == ConnStatus.BAD:
            raise OperationalError(str(error))
        if error.sqlstate in FORGOTTEN:
            self._names.clear()
        raise error


def _columns(result: PGresult) -> list[tuple[str, int]]:
    return [((result.fname(n) or b"").decode(), result.ftype(n)) for n in range(result.nfields)]
