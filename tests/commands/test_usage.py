"""Wrong usage, and the program as a whole."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rapid_response import __version__
from tests.commands.conftest import Command, one_sentence

LATER = ("demo", "simulate")
NOW = (
    "serve",
    "migrate",
    "load",
    "load-wards",
    "export-service",
    "users",
    "keys",
    "classify",
    "evaluate",
    "report",
    "retention",
    "open-sheet",
    "backup",
    "restore",
    "hold",
    "release",
    "clock",
    "verify-log",
    "doctor",
)


def test_help_lists_every_command_and_none_to_come(command: Command) -> None:
    done = command("--help")
    assert done.status == 0
    listed = [line.split()[0] for line in done.out.partition("Commands:\n")[2].splitlines()]
    assert sorted(listed) == sorted(NOW)


@pytest.mark.parametrize("name", NOW)
def test_every_command_has_help(command: Command, name: str) -> None:
    done = command(name, "--help")
    assert done.status == 0
    assert f"Usage: rapid-response {name}" in done.out


def test_the_version(command: Command) -> None:
    assert command("--version").out == f"rapid-response {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["users"], ["keys"]])
def test_nothing_asked_shows_what_could_be(command: Command, arguments: list[str]) -> None:
    done = command(*arguments)
    assert done.status == 2
    assert done.out == ""
    assert done.err.startswith("Usage: rapid-response")


@pytest.mark.parametrize(
    "arguments",
    [
        ["serv"],
        ["migrate", "--fast"],
        ["migrate", "now"],
        ["load"],
        ["serve", "--port", "telnet"],
        ["serve", "--port", "99999"],
        ["users", "add", "alice"],
        ["users", "add", "alice", "--role", "king"],
        ["keys", "add"],
        ["keys", "add", "police", "--scope", "everything"],
        ["report", "--format", "docx"],
        *([name] for name in LATER),
    ],
)
def test_wrong_usage_is_one_sentence(command: Command, arguments: list[str]) -> None:
    done = command(*arguments)
    assert done.status == 2
    assert done.out == ""
    assert one_sentence(done.err)
    assert "--help`." in done.err


def test_what_nobody_foresaw_is_a_sentence_too(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("Mrs Smith, 12 High Street")

    monkeypatch.setattr("rapid_response.settings.read_settings", broken)
    done = command("migrate")
    assert done.status == 1
    assert one_sentence(done.err)
    assert "ZeroDivisionError" in done.err
    assert "Smith" not in done.err


def program(*arguments: str, **more: Any) -> "subprocess.CompletedProcess[bytes]":
    """A command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "rapid_response", *arguments], stderr=subprocess.PIPE, check=False, **more
    )


def test_a_module_starts_the_program_too() -> None:
    done = program("--version", stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout.decode()) == (0, f"rapid-response {__version__}\n")


def test_what_is_written_and_read_is_utf8_whatever_the_machine_speaks(migrated: str) -> None:
    """Files are made of it, and a password is what the browser will send."""
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    board = program("report", "--year", "2026", "--format", "csv", stdout=subprocess.PIPE, env=latin)
    assert (board.returncode, board.stderr) == (0, b"")
    assert board.stdout.startswith("\ufeffsection,key,value\r\n".encode())
    assert program("keys", "add", "--help", stdout=subprocess.DEVNULL, env=latin).returncode == 0
    wrong = "heron velvet teapot £".encode("latin-1")
    refused = program("users", "add", "alice", "--role", "admin", "--password-stdin", input=wrong, env=latin)
    assert refused.returncode == 2
    assert b"not UTF-8" in refused.stderr


def test_a_full_disk_behind_the_output_is_said_in_one_sentence(migrated: str) -> None:
    """Also where the output waits in a buffer until the end."""
    with Path("/dev/full").open("wb") as full:
        for buffered in ({}, {"PYTHONUNBUFFERED": "1"}):
            env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
            done = program("users", "list", stdout=full, env=env | buffered)
            assert done.returncode == 1
            said = done.stderr.decode()
            assert one_sentence(said)
            assert "No space left on device" in said


def test_no_output_at_all_is_no_fault(migrated: str) -> None:
    closed = 'exec "$0" -m rapid_response users list >&-'
    done = subprocess.run(["sh", "-c", closed, sys.executable], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.long
@pytest.mark.parametrize("arguments", [["--help"], ["classify"]])
def test_light_commands_stay_light(arguments: list[str]) -> None:
    """A web server, a database or Twilio's library would cost a second at each start."""
    watched = ("fastapi", "sqlalchemy", "sqlmodel", "twilio", "uvicorn", "alembic", "httpx", "apscheduler")
    program = (
        "import sys; from rapid_response.cli import run; "
        f"status = run({arguments!r}); "
        f"print([name for name in {watched!r} if name in sys.modules], status)"
    )
    asked = '{"id": 1, "text": "a man is at the door"}\n'
    done = subprocess.run(
        [sys.executable, "-c", program], input=asked, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "[] 0", done.stderr
