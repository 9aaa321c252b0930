"""A damaged file is not served, and a database of a newer release is left alone (G19, G22)."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import pytest

from rapid_response.core.clock import SystemClock
from rapid_response.core.ids import SystemIds
from rapid_response.storage.database import Database
from rapid_response.storage.tables import TallyRow
from rapid_response.storage.tx import Tx
from tests.commands.conftest import BROMLEY, Command, one_sentence
from tests.damage import overwrite_page, page_of
from tests.databases import TestDatabases


def fill(tx: Tx) -> None:
    for n in range(3000):
        tx.add(TallyRow, name=f"{n:05}" + "x" * 50, labels="", value=1)


def _page_overwritten(path: Path) -> None:
    overwrite_page(path, "tallies")


def _cut_short(path: Path) -> None:
    page_of(path, "tallies")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 2 // 3)


@pytest.mark.parametrize("harm", [_page_overwritten, _cut_short])
def test_g22_a_damaged_file_is_not_served_and_what_is_open_is_saved(
    loaded: str, database: Database, command: Command, harm: Callable[[Path], None]
) -> None:
    database.run_now(fill)
    path = database.path
    database.close_now()
    harm(path)
    done = command("serve", "--port", "0")
    assert done.status == 1
    assert "is damaged (" in done.err
    assert "Database damaged" in done.err
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err
    assert gc.isenabled()  # it is not, while a service is loaded
    sheet = Path(f"{path}.open-sheet.html")
    if harm is _page_overwritten:
        assert str(sheet) in done.err
        assert "Nothing is open." in sheet.read_text()
        assert sheet.stat().st_mode & 0o077 == 0
        sheet.unlink()


def test_g22_a_wrong_file_is_not_served(command: Command, folder: Path) -> None:
    (folder / "rapid_response.db").write_bytes(b"These are the minutes of a meeting. " * 500)
    done = command("serve", "--port", "0")
    assert done.status in (1, 2)
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err


COMMANDS = [
    ("serve", "--port", "0"),
    ("migrate",),
    ("load", "town.yaml"),
    ("export-service",),
    ("users", "list"),
    ("keys", "list"),
    ("report", "--month", "2026-10"),
    ("open-sheet",),
    ("verify-log",),
    ("backup", "copy.db"),
    ("hold",),
    ("release",),
    ("clock",),
]


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_g19_an_older_release_refuses_a_newer_schema_in_a_sentence(
    databases: TestDatabases, command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    url = databases.fresh(kind)
    monkeypatch.setenv("RAPID_RESPONSE_DATABASE_URL", url)
    monkeypatch.setenv("RAPID_RESPONSE_SECRET_KEY", "k" * 32)
    (folder / "town.yaml").write_text(BROMLEY.read_text())
    database = Database(url, clock=SystemClock(), ids=SystemIds())

    def newer(tx: Tx) -> None:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0042'")

    database.run_now(newer)
    for line in COMMANDS:
        if kind == "postgresql" and line[0] == "backup":
            continue  # it only says what to run
        done = command(*line)
        assert done.status == 2, (line, done)
        assert "0042" in done.err
        assert "newer than this release knows" in done.err
        assert one_sentence(done.err), line
    doctor = command("doctor")
    assert doctor.status == 1
    assert "0042" in doctor.out
    database.close_now()
