"""What goes wrong with a database, as its callers hear it; and which of a driver's errors means which."""

from __future__ import annotations

from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from rapid_response.core.pulse import Pulse
from rapid_response.storage.sqlstates import UNAVAILABLE

CLOSED = "the database is closed"
UNWRITTEN = "the database could not be written"
UNREAD = "the database could not be read"
UNREACHED = "the database could not be reached"
UNKNOWN = "the connection was lost during the commit: it may have been stored, or not"
DAMAGED = "the database file is damaged"


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


class WrongEncoding(DatabaseUnavailable):
    """The database on PostgreSQL cannot hold every letter, so a report would be refused for a name in it."""

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"The database is in {encoding}, which cannot hold every name and report: make one anew with "
            "`createdb --encoding=UTF8 --template=template0`."
        )


class AlreadyServed(Exception):
    """Another process serves this SQLite file."""


def suspect_damage(pulse: Pulse, error: BaseException) -> None:
    """Where what was read made no sense, have the file checked now, and not only tonight."""
    if isinstance(error, DatabaseDamaged) and pulse.damage is None:
        pulse.suspects_damage = True


def of_sqlite(error: BaseException, sentence: str) -> DatabaseUnavailable | None:
    """What the caller hears of an error that is SQLite's own; None for a fault of the step."""
    if isinstance(error, OperationalError):
        return DatabaseUnavailable(sentence)
    # What SQLite says of a page that it cannot make sense of has no class of its own.
    return DatabaseDamaged(DAMAGED) if type(error) is DatabaseError else None


def of_postgres(error: DBAPIError, sentence: str) -> DatabaseUnavailable | None:
    """What the caller hears of an error that is the server's own; None for a fault of the step."""
    if is_lost(error) or (state_of(error) or "").startswith(UNAVAILABLE):
        return DatabaseUnavailable(sentence)
    return None


def state_of(error: DBAPIError) -> str | None:
    """The SQLSTATE of an error; None where the driver gives none."""
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state


def is_lost(error: DBAPIError) -> bool:
    """Whether the connection is gone, or was never had."""
    return error.connection_invalidated or (isinstance(error, OperationalError) and state_of(error) is None)
