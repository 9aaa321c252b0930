"""What docs/commands.md shows is what happens."""

import io
import re
import shlex
from pathlib import Path

import pytest

from tests.commands.conftest import BROMLEY, Command

PAGE = (BROMLEY.parents[1] / "docs" / "commands.md").read_text()


def examples() -> list[tuple[str, str]]:
    """Each command line of the page, and what it is shown to print."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, shown = part.partition("\n")
            found.append((line, shown))
    return found


def pattern(shown: str) -> re.Pattern[str]:
    """`…` stands for anything."""
    return re.compile(".*".join(re.escape(part) for part in shown.split("…")), re.DOTALL)


def test_the_page_shows_every_command(command: Command) -> None:
    listed = command("--help").out.partition("Commands:\n")[2].splitlines()
    shown = {line.rpartition(" | ")[2].split()[1] for line, _ in examples()}
    assert {line.split()[0] for line in listed} - shown == {"serve", "evaluate", "load-wards"}
    assert "`serve [--host H] [--port P]`" in PAGE
    assert "`evaluate FILE`" in PAGE
    assert "`load-wards FILE [--names FILE]`" in PAGE


@pytest.mark.long
def test_the_examples_run(command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "deploy").mkdir()
    (folder / "deploy" / "bromley.yaml").write_text(BROMLEY.read_text())
    # Nothing listens there, so that no other program on this machine answers `doctor`.
    monkeypatch.setenv("RAPID_RESPONSE_BASE_URL", "http://127.0.0.1:1")
    for line, shown in examples():
        typed, _, program = line.rpartition(" | ")
        if typed:
            text = " ".join(shlex.split(typed.removeprefix("echo "))) + "\n"
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        done = command(*shlex.split(program.removeprefix("rapid-response ")))
        assert done.status == 0, (line, done)
        assert pattern(shown).fullmatch(done.out), (line, done.out)
