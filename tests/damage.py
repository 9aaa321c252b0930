"""Harm done to a SQLite file, as a disk does it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def page_of(path: Path, table: str, checkpoint: str = "TRUNCATE") -> tuple[int, int]:
    """Where in the file a table begins, and how large a page is.

    What stands in the write-ahead log alone would hide the page, or mend it: it is worked off first, as far
    as `checkpoint` does (`PASSIVE` beside a process that serves the file).
    """
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA wal_checkpoint({checkpoint})")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()[0]
    return (root - 1) * size, size


def overwrite_page(path: Path, table: str, checkpoint: str = "TRUNCATE") -> None:
    """Overwrite the first page of a table."""
    at, size = page_of(path, table, checkpoint)
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xff" * size)
