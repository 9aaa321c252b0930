"""What `serve --evaluation` makes, and prints again."""

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from argon2 import PasswordHasher

from rapid_response.access.accounts import disable_user, list_users
from rapid_response.access.keys import list_keys
from rapid_response.access.passwords import Passwords
from rapid_response.cli import evaluation
from rapid_response.core.clock import SystemClock
from rapid_response.core.ids import SystemIds
from rapid_response.core.vocabulary import Role, Scope
from rapid_response.definition import parse
from rapid_response.settings import Settings, read_settings
from rapid_response.steps.load_service import export, load
from rapid_response.storage.database import Database
from tests.commands.conftest import BROMLEY, Command


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    """Cheap ones: eleven good hashes take seconds."""
    made = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield made
    made.close()


@pytest.fixture
def settings() -> Settings:
    return read_settings()


@pytest.fixture
def empty(settings: Settings) -> Iterator[Database]:
    """A database that nobody has migrated."""
    opened = Database(settings.database_url, clock=SystemClock(), ids=SystemIds())
    yield opened
    opened.close_now()


def test_an_empty_database_becomes_one_to_try(
    empty: Database, settings: Settings, passwords: Passwords, folder: Path
) -> None:
    said = evaluation.prepare(empty, settings, passwords)
    accounts = empty.look_now(list_users)
    assert {account.role for account in accounts} == set(Role)
    people = {a.name: (a.responder_id, a.role) for a in accounts if a.responder_id is not None}
    assert set(people) == set(responders_of(BROMLEY.read_text()))
    # Dee's phone is told to sign in and decide; the others are sent to people.
    assert people["dee"] == ("dee", Role.DUTY_OFFICER)
    assert all(person == (name, Role.RESPONDER) for name, person in people.items() if name != "dee")
    assert [key.scopes for key in empty.look_now(list_keys)] == [frozenset(Scope)]
    assert "Bromley" in (empty.look_now(export) or "")
    for account in accounts:
        assert re.search(rf"^{account.role.value} +{account.name} +\S+$", said, re.MULTILINE)
    assert re.search(r"API key.*: rr_\S+$", said, re.MULTILINE)
    kept = folder / "rapid_response.db.evaluation-sign-ins.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert str(kept.name) in said


def test_a_second_start_prints_the_same(empty: Database, settings: Settings, passwords: Passwords) -> None:
    first = evaluation.prepare(empty, settings, passwords)
    assert evaluation.prepare(empty, settings, passwords) == first


def test_a_disabled_account_is_not_printed(empty: Database, settings: Settings, passwords: Passwords) -> None:
    evaluation.prepare(empty, settings, passwords)
    empty.run_now(lambda tx: disable_user(tx, "auditor"))
    assert "auditor" not in evaluation.prepare(empty, settings, passwords)


def test_accounts_that_were_there_are_left_alone(
    empty: Database, settings: Settings, passwords: Passwords, command: Command
) -> None:
    command("migrate")
    command("users", "add", "alice", "--role", "admin")
    said = evaluation.prepare(empty, settings, passwords)
    assert [account.name for account in empty.look_now(list_users)] == ["alice"]
    assert "users add" in said


@pytest.mark.parametrize("content", ["", "[]", '{"accounts": [{}], "api_key": null}', "{}"])
def test_a_damaged_file_of_sign_ins_is_no_obstacle(
    empty: Database, settings: Settings, passwords: Passwords, content: str
) -> None:
    evaluation.prepare(empty, settings, passwords)
    evaluation.kept_in(settings).write_text(content)
    assert "not kept here" in evaluation.prepare(empty, settings, passwords)


def test_a_service_of_the_users_own_stays_and_lends_its_responders(
    empty: Database, settings: Settings, passwords: Passwords, command: Command
) -> None:
    own = re.sub(r"\b(asha|ben)\b", lambda found: f"x{found[0]}", BROMLEY.read_text())
    command("migrate")
    empty.run_now(lambda tx: load(tx, parse(own, "own.yaml")))
    evaluation.prepare(empty, settings, passwords)
    accounts = empty.look_now(list_users)
    assert sorted(a.responder_id for a in accounts if a.responder_id) == sorted(responders_of(own))


def test_the_file_holds_nothing_but_what_is_printed(
    empty: Database, settings: Settings, passwords: Passwords
) -> None:
    said = evaluation.prepare(empty, settings, passwords)
    kept = json.loads(evaluation.kept_in(settings).read_text())
    assert kept["api_key"] in said
    assert all(account["password"] in said for account in kept["accounts"])


def test_the_sample_is_found() -> None:
    assert evaluation.sample().read_text() == BROMLEY.read_text()


def test_on_postgresql_they_are_kept_in_the_working_directory() -> None:
    settings = Settings(database_url="postgresql+psycopg://db/rapid")
    assert evaluation.kept_in(settings) == Path("rapid_response.evaluation-sign-ins.json")


def responders_of(definition: str) -> list[str]:
    return [responder["id"] for responder in yaml.safe_load(definition)["responders"]]
