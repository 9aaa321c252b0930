"""`serve` as a process: what it prints, refuses and leaves behind."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.commands.conftest import Command, one_sentence
from tests.databases import TestDatabases


@contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that serves for evaluation on a free port, and what it printed at its start."""
    program = [sys.executable, "-m", "rapid_response", "serve", "--evaluation", "--port", "0", *options]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if "Ctrl-C stops" in line:
                    break
            yield process, "".join(lines)
        finally:
            process.kill()


def ends_well(process: subprocess.Popen[str], by: signal.Signals) -> bool:
    """Whether it ends in time, as one that did what was asked. (A busy machine may draw warnings.)"""
    process.send_signal(by)
    _, errors = process.communicate(timeout=15)
    return process.returncode == 0 and "Traceback" not in errors and '"error"' not in errors


@pytest.mark.long
def test_an_evaluation_from_nothing_and_once_more(command: Command, folder: Path) -> None:
    with serving() as (process, first):
        [address] = re.findall(r"http://127\.0\.0\.1:\d+(?=/sign-in\n)", first)
        answer = httpx.get(f"{address}/health/live")
        assert answer.status_code == 200
        assert "server" not in answer.headers
        assert httpx.get(f"{address}/openapi.json").status_code == 200
        second = command("serve", "--port", "0")
        assert second.status == 2
        assert "already serves" in second.err
        assert one_sentence(second.err)
        assert command("verify-log").status == 0
        assert ends_well(process, signal.SIGTERM)
    with serving() as (process, again):
        accounts = first.partition("role ")[2]
        assert accounts
        assert again.partition("role ")[2] == accounts
        assert ends_well(process, signal.SIGINT)
    left = {path.name.removeprefix("rapid_response.db") for path in folder.iterdir()}
    assert left == {"", ".secret", ".serve-lock", ".write-lock", ".evaluation-sign-ins.json"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def test_a_port_that_is_taken(migrated: str, command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = command("serve", "--port", str(port))
    assert done.status == 2
    assert f"Port {port}" in done.err
    assert one_sentence(done.err)


def test_an_address_that_is_not_ours(migrated: str, command: Command) -> None:
    done = command("serve", "--host", "203.0.113.1", "--port", "0")
    assert done.status == 2
    assert "203.0.113.1" in done.err
    assert one_sentence(done.err)


def test_postgresql_without_a_key(
    command: Command, databases: TestDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPID_RESPONSE_DATABASE_URL", databases.fresh("postgresql"))
    done = command("serve")
    assert done.status == 2
    assert "RAPID_RESPONSE_SECRET_KEY" in done.err
    assert one_sentence(done.err)
