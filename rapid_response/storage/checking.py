"""Whether a SQLite file is whole. A damaged one still answers many questions, and wrongly.

`quick_check` follows every page and record; it is made at the start, each night, and of every copy. It takes
a second for some 500 MB, so that whoever starts on a large file does not wait for it: what fell due meanwhile
is done, and the file is looked at beside that.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

_FAULTS_SHOWN = 3
_BROKEN_OFF = "SQLITE_INTERRUPT"
_LARGE_BYTES = 64 * 1024 * 1024


def is_waited_for(path: Path) -> bool:
    """Whether this file is checked before it is served, and not just after."""
    return path.stat().st_size <= _LARGE_BYTES


def damage(connection: Connection) -> str | None:
    """What is wrong with the file, in SQLite's words (pages and tables, never what is in them); else None.

    Raises what SQLite says when it is broken off: then nothing was found.
    """
    try:
        found = connection.exec_driver_sql("PRAGMA quick_check(100)").scalars().all()
        if list(found) != ["ok"]:
            return "; ".join(_one_line(str(fault)) for fault in found[:_FAULTS_SHOWN])
        loose = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    except DatabaseError as error:
        if getattr(error.orig, "sqlite_errorname", "") == _BROKEN_OFF:
            raise
        return _one_line(str(error.orig))
    return None if loose is None else f"rows of {loose[0]} refer to rows of {loose[2]} that are not there"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
