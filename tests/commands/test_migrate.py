"""`migrate`, and the refusals of a database that is not fit to work on."""

import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url, text

from rapid_response.storage.database import Database
from tests.commands.conftest import BROMLEY, Command, one_sentence
from tests.databases import TestDatabases

NEEDS_A_DATABASE = [
    ["load", str(BROMLEY)],
    ["export-service"],
    ["users", "list"],
    ["users", "add", "alice", "--role", "admin"],
    ["keys", "list"],
    ["report", "--year", "2026"],
    ["verify-log"],
    ["serve"],
]


def test_a_new_database_is_made_for_us_alone(command: Command, folder: Path) -> None:
    done = command("migrate")
    assert (done.status, done.err) == (0, "")
    assert done.out.endswith("(before: none).\n")
    assert stat.S_IMODE((folder / "rapid_response.db").stat().st_mode) == 0o600


def test_a_second_time_there_is_nothing_to_do(migrated: str, command: Command) -> None:
    done = command("migrate")
    assert done.status == 0
    assert "nothing to do" in done.out


@pytest.mark.parametrize("arguments", NEEDS_A_DATABASE, ids=" ".join)
def test_without_a_database_there_is_one_thing_to_do(
    command: Command, folder: Path, arguments: list[str]
) -> None:
    done = command(*arguments)
    assert done.status == 2
    assert f"no database at {folder}/rapid_response.db: go to the folder where it lies" in done.err
    assert "run `rapid-response migrate`" in done.err
    assert one_sentence(done.err)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("arguments", NEEDS_A_DATABASE, ids=" ".join)
def test_an_empty_database_is_refused_in_the_same_words(
    command: Command, folder: Path, arguments: list[str]
) -> None:
    (folder / "rapid_response.db").touch()
    done = command(*arguments)
    assert done.status == 2
    assert "run `rapid-response migrate`" in done.err
    assert one_sentence(done.err)


@pytest.mark.parametrize("arguments", [["migrate"], ["users", "list"], ["serve"]], ids=" ".join)
def test_a_newer_database_is_refused(command: Command, database: Database, arguments: list[str]) -> None:
    with database.engine().begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    done = command(*arguments)
    assert done.status == 2
    assert "newer" in done.err
    assert one_sentence(done.err)


def test_a_place_where_no_file_can_be(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPID_RESPONSE_DATABASE_URL", "sqlite+aiosqlite:///nowhere/town.db")
    done = command("migrate")
    assert done.status == 2
    assert "nowhere/town.db" in done.err
    assert one_sentence(done.err)


def test_a_file_that_is_no_database(command: Command, folder: Path) -> None:
    (folder / "rapid_response.db").write_bytes(b"Dear Sir or Madam, " * 100)
    done = command("migrate")
    assert done.status == 2
    assert "not an SQLite database" in done.err
    assert one_sentence(done.err)


def test_a_server_that_does_not_answer(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = "postgresql+psycopg://user:hush@127.0.0.1:1/town"
    for url in (nobody, f"{nobody}?sslmod=require"):  # an option that there is none of
        monkeypatch.setenv("RAPID_RESPONSE_DATABASE_URL", url)
        for arguments in (["migrate"], ["users", "list"]):
            done = command(*arguments)
            assert done.status == 1
            assert "RAPID_RESPONSE_DATABASE_URL" in done.err
            assert "hush" not in done.err
            assert one_sentence(done.err)


@pytest.fixture
def stranger(databases: TestDatabases) -> Iterator[str]:
    """A migrated database on PostgreSQL, by the name of a user who may do nothing there."""
    url = databases.fresh("postgresql")
    user = f"stranger_{secrets.token_hex(4)}"
    name = sql.Identifier(user)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
        yield make_url(url).set(username=user).render_as_string(hide_password=False)
        owner.execute(sql.SQL("DROP ROLE {}").format(name))


def test_a_user_who_may_not_is_said(stranger: str, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Since its release 15 PostgreSQL lets nobody but a database's owner make tables in it."""
    monkeypatch.setenv("RAPID_RESPONSE_DATABASE_URL", stranger)
    monkeypatch.setenv("RAPID_RESPONSE_SECRET_KEY", "k" * 32)
    for arguments in (["migrate"], ["users", "list"], ["serve"]):
        done = command(*arguments)
        assert done.status == 2
        assert "the owner of its database and of the tables" in done.err
        assert one_sentence(done.err)
    assert "FAIL: PostgreSQL does not let this user" in command("doctor").out


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def narrow(request: pytest.FixtureRequest, databases: TestDatabases) -> Iterator[str]:
    """A database on PostgreSQL that cannot hold every letter, as where the server was made in LANG=C."""
    url = databases.fresh("postgresql")
    name = f"narrow_{secrets.token_hex(4)}"
    made = "CREATE DATABASE {} ENCODING {} LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute(sql.SQL(made).format(sql.Identifier(name), sql.Literal(request.param)))
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
        owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_database_that_cannot_hold_every_name_is_refused(
    narrow: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else Łukasz would be refused, and a report with him in it."""
    monkeypatch.setenv("RAPID_RESPONSE_DATABASE_URL", narrow)
    monkeypatch.setenv("RAPID_RESPONSE_SECRET_KEY", "k" * 32)
    for arguments in (["migrate"], ["users", "list"], ["serve"]):
        done = command(*arguments)
        assert done.status == 2
        assert "--encoding=UTF8" in done.err
        assert one_sentence(done.err)
    assert "FAIL: The database is in " in command("doctor").out
