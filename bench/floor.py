"""F: what a report costs before anything is decided, so how much of N's time is left for deciding.

The product's validation and its reader, FastAPI, and the rows of one report that the product took in, written
anew for each with ids of their own: by the driver itself, in the product's schema, as durable and grouped as
the product's. Nobody is looked up, no rule is applied, no person chosen, nothing is chained. Whoever takes
reports in by this framework and keeps these rows cannot be quicker than this.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import psycopg
from fastapi import FastAPI
from sqlalchemy import Connection, make_url, text

from rapid_response.intake.reading.reader import LexiconReader
from rapid_response.intake.report_in import ReportIn

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
#: Tables whose rows the database numbers.
_NUMBERED = ("agenda", "deliveries", "identifiers")
_GROUP = 50
_THREADS = 4

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def rows_of(connection: Connection, tables: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """All rows of these tables, in the driver's own values; PostgreSQL's as text, which it takes back."""
    found = {}
    for table in tables:
        columns = "*"
        if connection.dialect.name != "sqlite":
            names = connection.execute(text(f"SELECT * FROM {table} LIMIT 0")).keys()
            columns = ", ".join(f'"{name}"::text' for name in names)
        found[table] = [
            dict(row) for row in connection.execute(text(f"SELECT {columns} FROM {table}")).mappings()
        ]
    return found


def new_rows(before: Rows, after: Rows) -> Rows:
    """What a report added, where there is more than before."""
    return {
        table: [row for row in rows if row not in before[table]]
        for table, rows in after.items()
        if len(rows) > len(before[table])
    }


class Insert(NamedTuple):
    """The rows of one table: its statement, values, and where in them `{0}` stands for a new id."""

    sql: str
    values: list[list[Any]]
    own: list[tuple[int, int]]

    def filled(self, ids: Sequence[str], n: int) -> list[list[Any]]:
        """Values of a report of its own."""
        rows = [list(row) for row in self.values]
        for row, column in self.own:
            rows[row][column] = rows[row][column].format(*ids, n=n)
        return rows


def inserts(rows: Rows, mark: str) -> tuple[list[Insert], int]:
    """How these rows are written once more, and how many ids of their own that takes."""
    places: dict[str, int] = {}

    def templated(table: str, name: str, value: Any) -> Any:
        if name == "reference":
            return "RR-{n}"
        if (table, name) == ("job_numbers", "number"):
            return "{n}"
        if not isinstance(value, str) or _ID.search(value) is None:
            return value
        escaped = value.replace("{", "{{").replace("}", "}}")
        return _ID.sub(lambda found: f"{{{places.setdefault(found[0], len(places))}}}", escaped)

    made = []
    for table, its in rows.items():
        names = [name for name in its[0] if not (name == "id" and table in _NUMBERED)]
        columns = ", ".join(f'"{name}"' for name in names)
        sql = f"INSERT INTO {table} ({columns}) VALUES ({', '.join([mark] * len(names))})"
        values = [[templated(table, name, row[name]) for name in names] for row in its]
        own = [
            (at, column)
            for at, (row, given) in enumerate(zip(its, values, strict=True))
            for column, name in enumerate(names)
            if given[column] != row[name]
        ]
        made.append(Insert(sql, values, own))
    return made, len(places)


class Writer:
    """Writes what waits: on SQLite in one thread, together; on PostgreSQL in a few, each by itself."""

    def __init__(self, url: str, rows: Rows) -> None:
        self._inbox: SimpleQueue[Future[None]] = SimpleQueue()
        self._numbers = count(100_000)
        is_sqlite = url.startswith("sqlite")
        self._inserts, self._ids = inserts(rows, "?" if is_sqlite else "%s")
        work: Callable[[str], None] = self._on_sqlite if is_sqlite else self._on_postgresql
        for _ in range(1 if is_sqlite else _THREADS):
            threading.Thread(target=work, args=(url,), daemon=True).start()

    def write(self) -> Future[None]:
        """Have a report's rows written; done when they are durable."""
        waits: Future[None] = Future()
        self._inbox.put(waits)
        return waits

    def _each(self) -> Iterator[tuple[str, list[list[Any]]]]:
        n = next(self._numbers)
        ids = [f"{n:08x}-0000-7000-8000-{place:012x}" for place in range(self._ids)]
        for template in self._inserts:
            yield template.sql, template.filled(ids, n)

    def _on_sqlite(self, url: str) -> None:
        connection = sqlite3.connect(make_url(url).database or "", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        while True:
            group = [self._inbox.get()]
            connection.execute("BEGIN IMMEDIATE")
            while True:
                for sql, values in self._each():
                    connection.executemany(sql, values)
                if len(group) == _GROUP:
                    break
                try:
                    group.append(self._inbox.get_nowait())
                except Empty:
                    break
            connection.execute("COMMIT")
            for waits in group:
                waits.set_result(None)

    def _on_postgresql(self, url: str) -> None:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            while True:
                waits = self._inbox.get()
                with connection.pipeline(), connection.transaction(), connection.cursor() as cursor:
                    for sql, values in self._each():
                        for row in values:
                            cursor.execute(sql, row, prepare=True)
                waits.set_result(None)


app = FastAPI()

if "BENCH_ROWS" in os.environ:
    writer = Writer(os.environ["BENCH_URL"], json.loads(Path(os.environ["BENCH_ROWS"]).read_text()))
    reader = LexiconReader()
    zone = ZoneInfo("Europe/London")

    @app.post("/reports", status_code=201)
    async def stored(report: ReportIn) -> dict[str, Any]:
        """Validated, read, written."""
        now = datetime.now(UTC)
        reading = reader.read(report.narrative, channel=report.channel, received_at=now, zone=zone)
        await asyncio.wrap_future(writer.write())
        return {"reference": "", "category": reading.category}
