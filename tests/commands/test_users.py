"""`users add|list|disable|enable|password|role`."""

import io
import re

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from sqlmodel import col

from rapid_response.storage.database import Database
from rapid_response.storage.tables import UserRow
from tests.commands.conftest import Command, one_sentence

GOOD = "heron velvet teapot olive"


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def stored_hash(database: Database, name: str) -> str:
    wanted = select(col(UserRow.password_hash)).where(col(UserRow.name) == name)
    found: str = database.look_now(lambda c: c.execute(wanted).scalar_one())
    return found


def test_a_password_is_made_and_printed_alone(database: Database, command: Command) -> None:
    done = command("users", "add", "alice", "--role", "admin")
    assert done.status == 0
    assert re.fullmatch(r"[a-z]+(-[a-z]+){3}-[0-9]{3}\n", done.out)
    assert done.err == "Added alice (admin).\n"
    assert PasswordHasher().verify(stored_hash(database, "alice"), done.out.strip())


def test_a_password_is_taken_from_standard_input(
    database: Database, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, f"{GOOD}\r\nand more\n")
    done = command("users", "add", "Bob Smith", "--role", "handler", "--password-stdin")
    assert (done.status, done.out) == (0, "")
    assert PasswordHasher().verify(stored_hash(database, "Bob Smith"), GOOD)


@pytest.mark.parametrize(("given", "status"), [("", 2), ("\n", 2), ("short\n", 1), ("x" * 300, 1)])
def test_a_password_that_will_not_do(
    migrated: str, command: Command, monkeypatch: pytest.MonkeyPatch, given: str, status: int
) -> None:
    typed(monkeypatch, given)
    done = command("users", "add", "alice", "--role", "admin", "--password-stdin")
    assert (done.status, done.out) == (status, "")
    assert one_sentence(done.err)
    assert command("users", "list").out.count("\n") == 1


def test_a_responder_belongs_to_the_one_of_that_name_or_to_the_one_named(
    loaded: str, command: Command
) -> None:
    command("users", "add", "Asha", "--role", "responder")
    command("users", "add", "night duty", "--role", "responder", "--responder", "hugh")
    rows = [line.split() for line in command("users", "list").out.splitlines()]
    assert [row[-6:-3] for row in rows[1:]] == [
        ["responder", "asha", "active"],
        ["responder", "hugh", "active"],
    ]


def test_a_responder_who_is_nobody_in_the_service_is_said(loaded: str, command: Command) -> None:
    """Of a slip in the name nobody would hear but the responder, who sees no job."""
    done = command("users", "add", "asha patel", "--role", "responder")
    assert done.status == 0
    assert done.err.startswith("Added asha patel (responder).\nIt belongs to no responder, so it sees no job")
    told = "users role 'asha patel' --role responder --responder ID"
    assert told in done.err
    assert told in command("users", "role", "asha patel", "--role", "responder").err
    again = command("users", "role", "asha patel", "--role", "responder", "--responder", "asha")
    assert again.err == ""


@pytest.mark.long
def test_what_cannot_be_done_says_what_to_do(loaded: str, command: Command) -> None:
    command("users", "add", "alice", "--role", "admin")
    for arguments in (
        ["add", "alice", "--role", "handler"],
        ["add", "\x07", "--role", "handler"],
        ["add", "carl", "--role", "responder", "--responder", "nobody"],
        ["disable", "nobody"],
    ):
        done = command("users", *arguments)
        assert (done.status, done.out) == (1, "")
        assert one_sentence(done.err)


def test_a_disabled_account_is_listed_as_such(migrated: str, command: Command) -> None:
    command("users", "add", "alice", "--role", "admin")
    assert command("users", "disable", "alice").out == "Disabled alice.\n"
    assert command("users", "disable", "alice").status == 0
    assert command("users", "list").out.splitlines()[1].split()[:4] == ["alice", "admin", "-", "disabled"]


def test_what_was_done_to_an_account_is_put_right(migrated: str, command: Command) -> None:
    command("users", "add", "alice", "--role", "admin")
    command("users", "disable", "alice")
    assert command("users", "enable", "ALICE").out == "Enabled alice.\n"
    assert command("users", "role", "alice", "--role", "auditor").out == "alice has the role auditor.\n"
    assert command("users", "list").out.splitlines()[1].split()[:4] == ["alice", "auditor", "-", "active"]


def test_a_forgotten_password_is_made_anew(database: Database, command: Command) -> None:
    first = command("users", "add", "alice", "--role", "admin").out.strip()
    done = command("users", "password", "alice")
    assert done.err == "alice has a new password.\n"
    assert done.out.strip() != first
    assert PasswordHasher().verify(stored_hash(database, "alice"), done.out.strip())
    nobody = command("users", "password", "nobody")
    assert (nobody.status, nobody.out) == (1, "")
    assert one_sentence(nobody.err)
