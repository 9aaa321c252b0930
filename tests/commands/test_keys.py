"""`keys add|list|revoke`."""

import re

import pytest
from sqlalchemy import select
from sqlmodel import col

from rapid_response.access.fingerprints import fingerprint
from rapid_response.storage.database import Database
from rapid_response.storage.tables import ApiKeyRow
from tests.commands.conftest import Command, one_sentence


def test_the_secret_is_printed_alone_and_kept_as_a_hash(database: Database, command: Command) -> None:
    done = command("keys", "add", "Anytown Police", "--scope", "read", "--scope", "report")
    assert done.status == 0
    assert re.fullmatch(r"rr_[A-Za-z0-9_-]{32}\n", done.out)
    assert done.out.strip() not in done.err
    stored = database.look_now(lambda c: c.execute(select(col(ApiKeyRow.secret_hash))).scalar_one())
    assert stored == fingerprint(done.out.strip())


def test_a_key_without_scopes_may_only_report(migrated: str, command: Command) -> None:
    command("keys", "add", "the bank")
    listed = command("keys", "list")
    assert listed.out.splitlines()[1].split() == ["the", "bank", "report", "active", "never"]


def test_a_revoked_key_stays_listed(migrated: str, command: Command) -> None:
    command("keys", "add", "police", "--scope", "board")
    assert command("keys", "revoke", "police").status == 0
    assert command("keys", "revoke", "police").status == 0
    assert command("keys", "list").out.splitlines()[1].split() == ["police", "board", "revoked", "never"]


@pytest.mark.parametrize("arguments", [["add", "police"], ["add", " "], ["revoke", "nobody"]])
def test_what_cannot_be_done_says_what_to_do(migrated: str, command: Command, arguments: list[str]) -> None:
    command("keys", "add", "police")
    done = command("keys", *arguments)
    assert (done.status, done.out) == (1, "")
    assert one_sentence(done.err)
