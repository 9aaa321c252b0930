"""`backup`, `restore`, `release`, `hold`: a copy made while serving, put back with nothing sent (G17)."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, select
from sqlmodel import col

from rapid_response.access.keys import create_key
from rapid_response.core.states import MessageChannel, MessageState, Purpose
from rapid_response.core.vocabulary import Scope
from rapid_response.sla.rules import Kind
from rapid_response.steps import clockwatch
from rapid_response.storage import copies
from rapid_response.storage.database import Database
from rapid_response.storage.tables import AgendaRow, ClockFaultRow, MessageRow, TallyRow
from rapid_response.storage.tx import Tx
from tests.commands.conftest import Command, one_sentence
from tests.databases import TestDatabases


def names(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM tallies ORDER BY name")]


def put(tx: Tx, name: str, more: tuple[str, ...] = ("",)) -> None:
    for ending in more:
        tx.add(TallyRow, name=name + ending, labels="", value=1)


@pytest.mark.long
def test_g17_a_copy_is_whole_private_and_says_what_it_is(
    loaded: str, database: Database, command: Command, folder: Path
) -> None:
    database.run_now(lambda tx: put(tx, "kept"))
    done = command("backup", "copy.db")
    assert done.status == 0
    assert done.out.startswith("Copied to copy.db and checked: 0 reports, 0 incidents (0 open), ")
    assert "encrypt it" in done.err
    copy, manifest = folder / "copy.db", folder / "copy.db.manifest.json"
    assert sorted(path.name for path in folder.iterdir()) == ["copy.db", "copy.db.manifest.json"]
    assert {path.stat().st_mode & 0o077 for path in (copy, manifest)} == {0}
    assert names(copy) == ["kept"]
    said = json.loads(manifest.read_text())
    assert said["sha256"] == copies.digest(copy)
    assert said["sha256"] in done.out
    assert (said["format"], said["schema"], said["incidents"]) == (1, "0001", 0)
    assert command("verify-log").status == 0
    assert "last copy was made 0 hours ago" in command("doctor").out


@pytest.mark.long
def test_g17_a_copy_is_made_while_others_write_and_is_one_moment(
    loaded: str, database: Database, command: Command, folder: Path
) -> None:
    """Pairs are written in one step each: a copy holds both of a pair, or neither."""
    stop = threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            database.run_now(partial(put, name=f"{n:05}", more=(" a", " b")))
            n += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(3):
            assert command("backup", f"{n}.db").status == 0
    finally:
        stop.set()
        writer.join()
    for n in range(3):
        held = names(folder / f"{n}.db")
        assert len(held) % 2 == 0
        assert [name[:5] for name in held[::2]] == [name[:5] for name in held[1::2]]


def test_a_copy_never_replaces_another_file(loaded: str, command: Command, folder: Path) -> None:
    (folder / "copy.db").write_text("something dear")
    done = command("backup", "copy.db")
    assert done.status == 1
    assert one_sentence(done.err)
    assert (folder / "copy.db").read_text() == "something dear"
    done = command("backup", "no/such/folder.db")
    assert done.status == 1
    assert one_sentence(done.err)


def test_g22_a_damaged_database_is_not_copied_as_if_it_were_whole(
    loaded: str, database: Database, command: Command, folder: Path
) -> None:
    for n in range(2000):
        database.run_now(partial(put, name=f"{n:05}" + "x" * 50))
    path = database.path
    database.close_now()
    damage(path)
    done = command("backup", "copy.db")
    assert done.status == 1
    assert "Database damaged" in done.err
    assert one_sentence(done.err)
    assert [path.name for path in folder.iterdir()] == []


def damage(path: Path) -> None:
    """Overwrite a page in the middle of the file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute("PRAGMA page_size").fetchone()[0]
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tallies'").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root - 1) * page)
        file.write(b"\xff" * page)


def queue(tx: Tx, name: str, age: timedelta, worth: timedelta, state: MessageState) -> None:
    tx.add(
        MessageRow,
        id=name,
        dedupe_key=name,
        purpose=Purpose.NOTICE,
        channel=MessageChannel.SMS,
        to_number="+447700900109",
        recipient="dee",
        body=f"TS duty: {name}.",
        state=state,
        created_at=tx.now - age,
        expires_at=tx.now - age + worth,
        next_attempt_at=tx.real - age,
    )


def test_g17_restored_held_and_released(
    loaded: str, database: Database, command: Command, folder: Path
) -> None:
    hour = timedelta(hours=1)
    minute = timedelta(minutes=1)

    def waiting(tx: Tx) -> None:
        queue(tx, "stale", 3 * hour, hour, MessageState.PENDING)
        queue(tx, "fresh", 5 * minute, hour, MessageState.PENDING)
        queue(tx, "fresher", 2 * minute, hour, MessageState.RETRY_WAIT)
        queue(tx, "unknown", 4 * hour, hour, MessageState.UNKNOWN)
        tx.add(AgendaRow, incident_id="", kind=Kind.DAILY_LINE.value, subject="x", due_at=tx.now - hour)

    database.run_now(waiting)
    assert command("backup", "copy.db").status == 0
    database.run_now(lambda tx: put(tx, "after the copy"))
    path = database.path
    database.close_now()

    done = command("restore", "copy.db")
    assert done.status == 0, done.err
    assert "HELD" in done.out
    assert "signed out" in done.err
    assert names(path) == []
    [aside] = [p for p in path.parent.glob(f"{path.name}.before-restore-*") if p.suffix.endswith("Z")]
    assert names(aside) == ["after the copy"]
    assert path.stat().st_mode & 0o077 == 0
    assert command("verify-log").status == 0

    doctor = command("doctor")
    assert doctor.status == 1
    assert "FAIL: Messages and deadlines are held since the database was restored" in doctor.out

    dry = command("release", "--dry-run")
    assert dry.status == 0
    assert "Would go: 2 messages, 2 min to 5 min old." in dry.out
    assert "Looked up with the provider first: 1 message, 4 h old." in dry.out
    assert "Would be dropped as stale: 1 message, 3 h old." in dry.out
    assert "most dangerous first: 1." in dry.out
    again = Database(loaded, clock=database.clock, ids=database.ids)
    assert again.look_now(_states)["stale"] == ("pending", None)

    done = command("release")
    assert "Go: 2 messages" in done.out
    assert "Dropped as stale: 1 message, 3 h old." in done.out
    states = again.look_now(_states)
    assert states["stale"] == ("cancelled", "stale")
    # The service that was lost has sent them, most likely: they will say so.
    assert states["fresh"] == ("pending", "repeat")
    again.close_now()
    assert command("release").status == 1
    for file in path.parent.glob(f"{path.name}.before-restore-*"):
        file.unlink()


def _states(connection: Connection) -> dict[str, tuple[str, str | None]]:
    query = select(col(MessageRow.id), col(MessageRow.state), col(MessageRow.reason))
    return {row.id: (row.state.value, row.reason) for row in connection.execute(query)}


def test_g17_a_database_that_is_served_is_not_replaced(
    loaded: str, database: Database, command: Command, folder: Path
) -> None:
    assert command("backup", "copy.db").status == 0
    database.run_now(lambda tx: put(tx, "later"))
    database.claim_serving()
    done = command("restore", "copy.db")
    assert done.status == 2
    assert "already serves" in done.err
    assert one_sentence(done.err)
    assert names(database.path) == ["later"]


def test_a_database_that_another_program_reads_is_not_replaced(
    loaded: str, database: Database, command: Command, folder: Path
) -> None:
    assert command("backup", "copy.db").status == 0
    database.run_now(lambda tx: put(tx, "since"))
    path = database.path
    database.close_now()
    with closing(sqlite3.connect(path)) as reading:
        reading.execute("BEGIN")
        assert reading.execute("SELECT count(*) FROM tallies").fetchone() == (1,)
        done = command("restore", "copy.db")
    assert done.status == 1
    assert "Another program has" in done.err
    assert one_sentence(done.err)
    assert names(path) == ["since"]
    assert command("restore", "copy.db").status == 0
    assert names(path) == []


def _changed(copy: Path) -> None:
    with copy.open("r+b") as file:
        file.seek(5000)
        file.write(b"?")


def _without_manifest(copy: Path) -> None:
    copies.manifest_of(copy).unlink()


def _of_a_later_release(copy: Path) -> None:
    path = copies.manifest_of(copy)
    said = json.loads(path.read_text())
    path.write_text(json.dumps({**said, "schema": "0099", "release": "9.9"}))


def _gone(copy: Path) -> None:
    copy.unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_changed, "is not the file that was copied"),
        (_without_manifest, "is missing"),
        (_of_a_later_release, "restore it with release 9.9"),
        (_gone, "There is no file"),
    ],
)
def test_g17_what_is_not_a_whole_copy_is_not_put_back(
    loaded: str, database: Database, command: Command, folder: Path, spoil: Callable[[Path], None], words: str
) -> None:
    assert command("backup", "copy.db").status == 0
    database.run_now(lambda tx: put(tx, "stays"))
    spoil(folder / "copy.db")
    done = command("restore", "copy.db")
    assert done.status == 1
    assert words in done.err
    assert one_sentence(done.err)
    assert names(database.path) == ["stays"]
    assert database.look_now(lambda c: c.exec_driver_sql("SELECT count(*) FROM holds").scalar()) == 0


def test_g24_a_copy_whose_log_was_changed_is_put_back_only_when_somebody_insists(
    loaded: str, database: Database, command: Command, folder: Path
) -> None:
    database.run_now(lambda tx: tx.connection.exec_driver_sql("UPDATE events SET actor = 'nobody'"))
    assert command("backup", "copy.db").status == 0
    path = database.path
    database.close_now()
    done = command("restore", "copy.db")
    assert done.status == 1
    assert "--despite-log" in done.err
    assert command("restore", "copy.db", "--despite-log").status == 0
    for file in path.parent.glob(f"{path.name}.before-restore-*"):
        file.unlink()


def test_restore_where_there_was_nothing(
    loaded: str, database: Database, command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new machine: nothing is there but the copy."""
    database.run_now(lambda tx: create_key(tx, "partner", tuple(Scope)))
    assert command("backup", "copy.db").status == 0
    monkeypatch.setenv("RAPID_RESPONSE_DATABASE_URL", f"sqlite+aiosqlite:///{folder}/new.db")
    done = command("restore", "copy.db")
    assert done.status == 0, done.err
    assert "is kept as" not in done.out
    assert "partner" in command("keys", "list").out
    assert not list(folder.glob("new.db.before*"))


def test_g17_on_postgresql_they_say_what_to_run_and_never_the_password(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPID_RESPONSE_DATABASE_URL", "postgresql+psycopg://rapid:hush@db.example:5433/town")
    done = command("backup", "town.dump")
    assert done.status == 0
    assert done.out == (
        "pg_dump --format=custom --file=town.dump --dbname=postgresql://rapid@db.example:5433/town\n"
    )
    (folder / "town.dump").touch()
    put_back = command("restore", "town.dump")
    assert put_back.status == 0
    lines = put_back.out.splitlines()
    assert lines[0].startswith("pg_restore --clean --if-exists --no-owner --exit-on-error --dbname=")
    assert lines[1] == "rapid-response hold"
    assert "hush" not in done.out + done.err + put_back.out + put_back.err
    assert command("restore", "no such.dump").status == 2


@pytest.mark.long
def test_g17_a_hold_by_hand_on_postgresql(
    databases: TestDatabases, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPID_RESPONSE_DATABASE_URL", databases.fresh("postgresql"))
    monkeypatch.setenv("RAPID_RESPONSE_SECRET_KEY", "k" * 32)
    assert command("hold").status == 0
    twice = command("hold")
    assert twice.status == 1
    assert one_sentence(twice.err)
    released = command("release")
    assert released.status == 0
    assert "Go: no message." in released.out


def test_the_sheet_is_printed_and_saved(loaded: str, command: Command, folder: Path) -> None:
    done = command("open-sheet")
    assert done.status == 0
    assert "Nothing is open." in done.out
    [serial] = re.findall(r"Serial <strong>(\d{8}-\d{4}-[0-9A-Z]{4})</strong>", done.out)
    assert f"<title>Open incidents {serial}</title>" in done.out
    saved = command("open-sheet", "--output", "sheet.html")
    assert saved.status == 0
    assert saved.out == ""
    assert (folder / "sheet.html").stat().st_mode & 0o077 == 0
    assert "Shred" in (folder / "sheet.html").read_text()
    assert command("open-sheet", "--output", "no/such/folder.html").status == 2


def test_the_clock_is_confirmed_by_a_person(loaded: str, database: Database, command: Command) -> None:
    assert command("clock").status == 0
    database.run_now(
        lambda tx: tx.add(ClockFaultRow, id="fault", node="node", at=tx.real, step_seconds=7200.0)
    )
    shown = command("clock")
    assert shown.status == 1
    assert "It jumped by +7,200 seconds." in shown.out
    assert "clock --confirm" in shown.err
    assert "jumped by up to 7200 s" in command("doctor").out
    assert command("clock", "--confirm").status == 0
    assert command("clock").status == 0
    assert not database.look_now(clockwatch.open_faults)
