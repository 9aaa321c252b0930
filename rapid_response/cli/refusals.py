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
    "that the database runs, and that its disk has room."
)


def explain(error: Exception) -> Refused | None:
    """The refusal that an error of a layer below comes to; None for what nobody foresaw.

    The layers are imported here, when something went wrong, so that nothing is slowed down that goes well.
    """
    from rapid_response.settings import SettingsProblem

    if isinstance(error, SettingsProblem):
        return usage(str(error))
    from sqlalchemy.exc import DatabaseError, OperationalError

    from rapid_response.access.accounts import AccountProblem
    from rapid_response.access.keys import KeyProblem
    from rapid_response.access.passwords import WeakPassword
    from rapid_response.definition import DefinitionFaults
    from rapid_response.reporting.period import PeriodError
    from rapid_response.steps.errors import Refusal
    from rapid_response.steps.service import NoService
    from rapid_response.storage.database import AlreadyServed, DatabaseUnavailable
    from rapid_response.storage.migrate import SchemaProblem

    if isinstance(error, SchemaProblem | PeriodError):
        return usage(str(error))
    if isinstance(error, AlreadyServed):
        return usage(_as_sentence(str(error)))
    if isinstance(error, DefinitionFaults | AccountProblem | KeyProblem | WeakPassword | Refusal):
        return Refused(str(error))
    if isinstance(error, NoService):
        return Refused(_as_sentence(str(error)))
    if isinstance(error, DatabaseUnavailable | OperationalError):
        return Refused(_UNREACHABLE)
    if type(error) is DatabaseError:
        return usage("The database file is not an SQLite database: check RAPID_RESPONSE_DATABASE_URL.")
    return None


def _as_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
