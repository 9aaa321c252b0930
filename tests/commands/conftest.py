"""A place to run commands in: an empty folder, no settings but the test's own."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rapid_response.cli import run
from rapid_response.core.clock import SystemClock
from rapid_response.core.ids import SystemIds
from rapid_response.storage.database import Database
from tests.databases import TestDatabases

BROMLEY = Path(__file__).parents[2] / "deploy" / "bromley.yaml"


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    status: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    for name in os.environ:
        if name.startswith("RAPID_RESPONSE_") and not name.startswith("RAPID_RESPONSE_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line in this process."""

    def execute(*arguments: str) -> Done:
        capsys.readouterr()
        status = run(arguments)
        said = capsys.readouterr()
        return Done(status, said.out, said.err)

    return execute


@pytest.fixture
def migrated(databases: TestDatabases, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a migrated SQLite database, which the settings name."""
    url = databases.fresh("sqlite")
    monkeypatch.setenv("RAPID_RESPONSE_DATABASE_URL", url)
    return url


@pytest.fixture
def loaded(migrated: str, command: Command) -> str:
    """As `migrated`, with the sample service."""
    assert command("load", str(BROMLEY)).status == 0
    return migrated


@pytest.fixture
def database(migrated: str) -> Iterator[Database]:
    """The migrated database, opened."""
    opened = Database(migrated, clock=SystemClock(), ids=SystemIds())
    yield opened
    opened.close_now()


def one_sentence(text: str) -> bool:
    """Whether an error is said as the contract wants it: one line, no traceback."""
    return text.endswith(".\n") and text.count("\n") == 1 and "Traceback" not in text
