"""What a command refuses, and the sentences for what the layers below refuse."""

from __future__ import annotations

from typing import ClassVar


class Refused(Exception):
    """The command did not do what was asked; the sentence says why and what to do."""

    NOT_SO: ClassVar[int] = 1
    USAGE: ClassVar[int] = 2

    def __init__(self, sentence: str, status: int = NOT_SO) -> None:
        self.status = status
        super().__init__(sentence)


def usage(sentence: str) -> Refused:
    """Wrong usage or configuration."""
    return Refused(sentence, Refused.USAGE)


_UNREACHABLE = (
    "The database could not be reached or written: check that RAPID_RESPONSE_DATABASE_URL is right, "
    "that the database runs, that this user may write to it, and that its disk has room."
)

_NOT_KNOWN = (
    "The connection was lost during the commit, so it is not known whether this was done: "
    "look before you run it again."
)
_DAMAGED = (
    "The database file is damaged: stop the service, keep the file, and follow “Database damaged” in "
    "docs/runbook.md."
)
_NO_DATABASE = "The database file is not an SQLite database: check RAPID_RESPONSE_DATABASE_URL."
NOT_ITS_OWNER = (
    "PostgreSQL does not let this user do that: make the user of RAPID_RESPONSE_DATABASE_URL the owner of "
    "its database and of the tables in it."
)
_MAY_NOT = "42501"


def explain(error: Exception) -> Refused | None:
    """The refusal that an error of a layer below comes to; None for what nobody foresaw.

    The layers are imported here, when something went wrong, so that nothing is slowed down that goes well.
    """
    from rapid_response.settings import SettingsProblem

    if isinstance(error, SettingsProblem):
        return usage(str(error))
    from rapid_response.access.accounts import AccountProblem
    from rapid_response.access.keys import KeyProblem
    from rapid_response.access.passwords import WeakPassword
    from rapid_response.definition import DefinitionFaults
    from rapid_response.reporting.period import PeriodError
    from rapid_response.steps.errors import Refusal
    from rapid_response.steps.holding import HeldAlready, NotHeld
    from rapid_response.steps.service import NoService
    from rapid_response.storage.copies import CopyProblem
    from rapid_response.storage.failures import AlreadyServed
    from rapid_response.storage.schema import SchemaProblem

    if isinstance(error, SchemaProblem | PeriodError):
        return usage(str(error))
    if isinstance(error, AlreadyServed):
        return usage(_as_sentence(str(error)))
    if isinstance(error, CopyProblem | HeldAlready | NotHeld):
        return Refused(str(error))
    if isinstance(error, DefinitionFaults | AccountProblem | KeyProblem | WeakPassword | Refusal):
        return Refused(str(error))
    if isinstance(error, NoService):
        return Refused(_as_sentence(str(error)))
    return _of_the_database(error)


def _of_the_database(error: Exception) -> Refused | None:
    from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError

    from rapid_response.storage.failures import DatabaseDamaged, DatabaseUnavailable, InDoubt, WrongEncoding

    if isinstance(error, InDoubt):
        return Refused(_NOT_KNOWN)
    if isinstance(error, WrongEncoding):
        return usage(str(error))
    if may_not(error):
        return usage(NOT_ITS_OWNER)
    if isinstance(error, DatabaseDamaged) or type(error) is DatabaseError:
        return usage(_NO_DATABASE) if _is_no_database(error) else Refused(_DAMAGED)
    is_no_answer = isinstance(error, DatabaseUnavailable | OperationalError)
    # Without a statement it is about the connection: an option in the address that there is none of.
    if is_no_answer or (isinstance(error, ProgrammingError) and error.statement is None):
        return Refused(_UNREACHABLE)
    return None


def may_not(error: Exception) -> bool:
    """Whether PostgreSQL does not let its user do what was asked."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) == _MAY_NOT


def _is_no_database(error: BaseException) -> bool:
    """SQLite's own words for a file that is none of its own."""
    return any("file is not a database" in str(e) for e in (error, error.__cause__) if e is not None)


def _as_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
