"""Fresh, migrated databases in milliseconds: one template of each kind a worker, copied."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Self

from rapid_response.core.clock import SystemClock
from rapid_response.core.ids import SystemIds
from rapid_response.storage.database import Database
from rapid_response.storage.migrate import migrate
from tests.postgres import ServerHandle, start_server


def quick_folder() -> Path | None:
    """A folder in memory where there is one: tests of behaviour need no disk to wait for."""
    memory = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
    return Path(tempfile.mkdtemp(prefix="rr-test-", dir=memory)) if os.access(memory, os.W_OK) else None


class TestDatabases:
    """Copies of a migrated SQLite file and of a migrated PostgreSQL database."""

    __test__ = False

    def __init__(self, folder: Path, server: ServerHandle | None = None) -> None:
        self._folder = folder
        self._count = 0
        self._server = server
        self._template: str | None = None
        self._sqlite = folder / "template.db"

    @classmethod
    def anywhere(cls) -> Self:
        """In memory where that can be had, else in a folder of its own."""
        return cls(quick_folder() or Path(tempfile.mkdtemp(prefix="rr-test-")))

    def fresh(self, kind: str) -> str:
        """The URL of a new database with the newest schema."""
        self._count += 1
        if kind == "sqlite":
            if not self._sqlite.exists():
                _migrate(f"sqlite:///{self._sqlite}")
            path = self._folder / f"{self._count}.db"
            shutil.copyfile(self._sqlite, path)
            return f"sqlite+aiosqlite:///{path}"
        if self._template is None:
            self._template = self.server.create_database()
            _migrate(self._template)
        return self.server.create_database(self._template)

    @property
    def server(self) -> ServerHandle:
        """The one server of this worker, started when it is first asked for."""
        if self._server is None:
            self._server = start_server()
        return self._server

    def drop(self, url: str) -> None:
        """Let go of a database."""
        if url.startswith("sqlite"):
            path = Path(url.removeprefix("sqlite+aiosqlite:///"))
            for file in path.parent.glob(f"{path.name}*"):
                file.unlink()
        elif self._server is not None:
            self._server.drop_database(url)

    def close(self) -> None:
        """Stop what was started."""
        if self._server is not None:
            self._server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def _migrate(url: str) -> None:
    database = Database(url, clock=SystemClock(), ids=SystemIds())
    migrate(database)
    database.close_now()
