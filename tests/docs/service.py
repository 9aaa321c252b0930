"""A service for trying the pages out, and a shell to type their commands into."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
_STARTS_WITHIN_SECONDS = 60
_ANSWERS_WITHIN_SECONDS = 60
_TRIES = 60


@dataclass(frozen=True)
class Evaluation:
    """A running `serve --evaluation`, as its first screen describes it."""

    folder: Path
    base_url: str
    welcome: str

    @property
    def key(self) -> str:
        """The API key that was printed."""
        found = re.search(r"\brr_\S+", self.welcome)
        assert found, self.welcome
        return found[0]

    @property
    def passwords(self) -> Mapping[str, str]:
        """Each account's password, by its name."""
        rows = re.findall(r"^\w+ +(\w+) +(\w+(?:-\w+){2,})$", self.welcome, re.M)
        return dict(rows)


def environment() -> dict[str, str]:
    """This one's, without settings of a service that somebody may run here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAPID_RESPONSE_")}
    # Nobody reads along: texts need not leave one a second.
    return {**kept, "RAPID_RESPONSE_SMS_PER_SECOND": "50", "RAPID_RESPONSE_LOG_LEVEL": "warning"}


@contextmanager
def evaluation(folder: Path) -> Iterator[Evaluation]:
    """The service of `make run`, in an empty folder and on a free port."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [BIN / "rapid-response", "serve", "--evaluation", "--port", "0"],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        welcome = "\n".join(_until(_lines(process), "Ctrl-C stops.", _STARTS_WITHIN_SECONDS))
        found = re.search(r"http://127\.0\.0\.1:\d+", welcome)
        assert found, f"{welcome}\n{(folder / 'log').read_text()}"
        yield Evaluation(folder, found[0], welcome)
    finally:
        process.terminate()
        process.wait(_STARTS_WITHIN_SECONDS)
        assert process.stdout
        process.stdout.close()


def _lines(process: subprocess.Popen[str]) -> queue.Queue[str | None]:
    """What a process prints, line by line as it comes; None when it has ended."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout
        for line in process.stdout:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _until(lines: queue.Queue[str | None], end: str, within: float) -> Iterator[str]:
    while (line := lines.get(timeout=within)) is not None:
        yield line
        if end in line:
            return


class Shell:
    """One bash in the service's folder: what a block sets, the next one has."""

    _END = "@@@ end of block"

    def __init__(self, service: Evaluation) -> None:
        self._service = service
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=service.folder,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines = _lines(self._process)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(_ANSWERS_WITHIN_SECONDS)
        assert self._process.stdout
        self._process.stdout.close()

    def run(self, commands: str) -> str:
        """What the commands print."""
        assert self._process.stdin
        self._process.stdin.write(f"{self._as_meant(commands)}\necho; echo '{self._END}'\n")
        self._process.stdin.flush()
        printed = list(_until(self._lines, self._END, _ANSWERS_WITHIN_SECONDS))
        return "\n".join(printed[:-1])

    def _as_meant(self, commands: str) -> str:
        """With what the reader puts in: the port, the key, the folder of the programs."""
        said = commands.replace("http://127.0.0.1:8000", self._service.base_url)
        return said.replace("rr_...", self._service.key).replace(".venv/bin/", f"{BIN}/")

    def tried(self, commands: str) -> Iterator[str]:
        """What the commands print, tried again a while."""
        for _ in range(_TRIES):
            yield self.run(commands)
            self.run("sleep 0.1")
