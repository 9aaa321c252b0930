"""Running a command: what it is called, and how each way of failing is said.

Exit status: 0 done, 1 what was asked does not hold, 2 wrong usage or configuration. An error is one sentence
on standard error that says what to do; a traceback is shown to nobody but developers (LOG_LEVEL=debug).
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from io import TextIOWrapper

import typer
from typer.exceptions import Abort, TyperException

from rapid_response.cli.commands import commands
from rapid_response.cli.refusals import Refused, explain

_INTERRUPTED = 130
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def main() -> None:
    """The program."""
    _speak_utf8()
    sys.exit(run(sys.argv[1:]))


def _speak_utf8() -> None:
    """Files are made of what we write, passwords of what we read: whatever the terminal is said to speak."""
    for stream, errors in (
        (sys.stdin, "strict"),
        (sys.stdout, "backslashreplace"),
        (sys.stderr, "backslashreplace"),
    ):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit status."""
    try:
        status = _invoke(arguments)
        if sys.stdout is not None:  # closed by whoever started us: nobody is to read it
            sys.stdout.flush()
        return status
    except TyperException as error:
        return _say(_sentence(error), Refused.USAGE)
    except (Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except OSError as error:
        return _unwritten(error)
    except Exception as error:  # the last resort: one sentence, whatever it was
        refused = error if isinstance(error, Refused) else explain(error)
        if refused is None:
            return _unforeseen(error)
        return _say(str(refused), refused.status)


def _invoke(arguments: Sequence[str]) -> int:
    command = typer.main.get_command(commands)
    result = command.main(list(arguments), prog_name="rapid-response", standalone_mode=False)
    return result if isinstance(result, int) else 0


def _unwritten(error: OSError) -> int:
    """Output that nobody takes any more, or that finds no room."""
    if not isinstance(error, BrokenPipeError) and error.errno not in _NO_ROOM:
        return _unforeseen(error)
    # Nothing more is written: Python would try again at exit, in words and with a status of its own.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return Refused.NOT_SO  # whoever read it has seen enough
    return _say(
        f"The output could not be written ({error.strerror}): make room, or write elsewhere.", Refused.NOT_SO
    )


def _say(sentence: str, status: int) -> int:
    print(sentence, file=sys.stderr)
    return status


def _sentence(error: TyperException) -> str:
    """What is wrong with the command line, and where to read on; with nothing on it, all there is to know."""
    text = error.format_message().replace("Value error, ", "").strip()
    context = getattr(error, "ctx", None)
    if text.startswith("Usage:"):
        return text
    text = " ".join(text.split())
    path = context.command_path if context is not None else "rapid-response"
    return f"{text}{'' if text.endswith(('.', '?', ')')) else '.'} See `{path} --help`."


def _unforeseen(error: Exception) -> int:
    if os.environ.get("RAPID_RESPONSE_LOG_LEVEL", "").lower() == "debug":
        traceback.print_exc()
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    return _say(
        f"Something went wrong inside rapid-response ({type(error).__name__} at {place}): please report it; "
        "RAPID_RESPONSE_LOG_LEVEL=debug shows more.",
        Refused.NOT_SO,
    )
