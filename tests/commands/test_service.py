"""`load` and `export-service`."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from rapid_response.core.clock import SystemClock
from rapid_response.core.ids import SystemIds
from rapid_response.definition import parse
from rapid_response.sla.rules import Kind
from rapid_response.steps.load_service import compare, export, load
from rapid_response.storage.database import Database
from rapid_response.storage.tables import AgendaRow, EventRow, ResponderRow
from rapid_response.storage.tx import Tx
from tests.commands.conftest import BROMLEY, Command, one_sentence

SAMPLE = BROMLEY.read_text()
WITHOUT_KIRA = "\n".join(line for line in SAMPLE.splitlines() if "kira" not in line)


def test_the_first_load_says_what_it_brought(migrated: str, command: Command) -> None:
    done = command("load", str(BROMLEY))
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("new service: Bromley rapid response")
    assert done.out.endswith("Loaded as version 1.\n")


def test_the_same_again_changes_nothing(loaded: str, command: Command) -> None:
    done = command("load", str(BROMLEY))
    assert (done.status, done.out) == (0, "Nothing to change: version 1 says the same.\n")


def test_a_change_is_named_and_makes_a_version(loaded: str, command: Command, folder: Path) -> None:
    (folder / "new.yaml").write_text(SAMPLE.replace("accept_within: PT15M", "accept_within: PT10M"))
    done = command("load", "new.yaml")
    assert done.out == "sla.accept_within: 15 minutes -> 10 minutes\nLoaded as version 2.\n"


def test_what_is_exported_loads_as_no_change(loaded: str, command: Command, folder: Path) -> None:
    (folder / "exported.yaml").write_text(command("export-service").out)
    assert command("load", "exported.yaml").out.startswith("Nothing to change")


def test_nothing_is_exported_before_a_load(migrated: str, command: Command) -> None:
    done = command("export-service")
    assert (done.status, done.out) == (1, "")
    assert "rapid-response load" in done.err


@pytest.mark.parametrize("state", ["none", "migrated", "loaded"])
def test_a_dry_run_changes_nothing(
    state: str, command: Command, request: pytest.FixtureRequest, folder: Path
) -> None:
    if state != "none":
        request.getfixturevalue(state)
    done = command("load", str(BROMLEY), "--dry-run")
    assert done.status == 0
    if state == "loaded":
        assert done.out == "Nothing would change.\n"
    else:
        assert done.out.endswith("nothing was loaded.\n")
        assert not (folder / "rapid_response.db").exists()
    if state == "migrated":
        assert command("export-service").status == 1


def test_every_fault_is_named_with_its_line_and_nothing_is_loaded(
    migrated: str, command: Command, folder: Path
) -> None:
    (folder / "bad.yaml").write_text(
        SAMPLE.replace("PT2H ", "2 hours ").replace("on_call: [ben]", "on_call: [bob]")
    )
    done = command("load", "bad.yaml")
    assert (done.status, done.out) == (1, "")
    assert [line.split(":")[0] for line in done.err.splitlines()] == ["bad.yaml", "bad.yaml"]
    assert "sla.respond_within" in done.err
    assert "on_call[0]" in done.err
    assert command("export-service").status == 1


def test_a_file_that_is_not_there(migrated: str, command: Command) -> None:
    done = command("load", "nowhere.yaml")
    assert done.status == 2
    assert one_sentence(done.err)


# ---------------------------------------------------------------- the step


@pytest.fixture
def town(database_url: str) -> Iterator[Database]:
    """A migrated database of each kind."""
    made = Database(database_url, clock=SystemClock(), ids=SystemIds())
    yield made
    made.close_now()


def test_who_is_no_longer_listed_is_not_asked_any_more_and_may_come_back(town: Database) -> None:
    def active() -> set[str]:
        listed = select(col(ResponderRow.id)).where(col(ResponderRow.active))
        return set(town.look_now(lambda c: c.execute(listed).scalars().all()))

    all_of_them = parse(SAMPLE, "sample")
    town.run_now(lambda tx: load(tx, all_of_them))
    assert "kira" in active()
    town.run_now(lambda tx: load(tx, parse(WITHOUT_KIRA, "less")))
    assert "kira" not in active()
    result = town.run_now(lambda tx: load(tx, all_of_them))
    assert "kira" in active()
    assert (result.version, result.is_new) == (3, True)
    assert town.look_now(lambda c: compare(c, all_of_them)) == []
    assert town.look_now(export) is not None


def test_each_new_version_is_in_the_log(town: Database) -> None:
    for text in (SAMPLE, SAMPLE, WITHOUT_KIRA):
        town.run_now(partial(load, service=parse(text, "sample")))
    loaded = select(col(EventRow.seq)).where(col(EventRow.type) == "service_loaded")
    assert town.look_now(lambda c: c.execute(loaded).scalars().all()) == [1, 2]


def test_jobs_that_nobody_could_take_are_tried_at_once(town: Database) -> None:
    def wait(tx: Tx) -> None:
        tx.add(AgendaRow, incident_id="case", kind=Kind.RETRY.value, due_at=tx.now + timedelta(minutes=5))

    town.run_now(wait)
    town.run_now(lambda tx: load(tx, parse(SAMPLE, "sample")))
    due = town.look_now(lambda c: c.execute(select(col(AgendaRow.due_at))).scalar_one())
    assert due <= town.clock.now()
