"""Whether a SQLite file is whole. A damaged one still answers many questions, and wrongly.

`quick_check` follows every page and record; it is made at the start, each night, and of every copy.
"""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

_FAULTS_SHOWN = 3


def damage(connection: Connection) -> str | None:
    """What is wrong with the file, in SQLite's words (pages and tables, never what is in them); else None."""
    try:
        found = connection.exec_driver_sql("PRAGMA quick_check(100)").scalars().all()
        if list(found) != ["ok"]:
            return "; ".join(_one_line(str(fault)) for fault in found[:_FAULTS_SHOWN])
        loose = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    except DatabaseError as error:
        return _one_line(str(error.orig))
    return None if loose is None else f"rows of {loose[0]} refer to rows of {loose[2]} that are not there"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
