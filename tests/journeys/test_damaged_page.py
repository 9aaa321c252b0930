"""A page of the file is damaged under a serving process: found when read, told, and left alone (G22)."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from rapid_response.audit.sheet import beside
from rapid_response.core.pulse import Pulse
from rapid_response.steps import heartbeat
from rapid_response.storage import checking
from tests.builders import paid_today
from tests.damage import overwrite_page
from tests.harness import Town
from tests.journeys.browser import on_sqlite
from tests.journeys.test_readiness import lives

HOTLINE = "+442079460001"


def damage_page(town: Town, table: str) -> None:
    """Overwrite the first page of a table, which no write-ahead log hides or mends."""
    overwrite_page(town.app.database.path, table, "PASSIVE")


def is_damaged(town: Town) -> bool:
    """Whether the node knows, or suspects, that its file is damaged."""
    pulse: Pulse = town.app.asgi.state.context.node.pulse
    return pulse.is_damaged


@on_sqlite
async def test_g22_what_makes_no_sense_is_checked_at_once_and_then_nothing_is_written(town: Town) -> None:
    case = await town.takes(paid_today())
    await lives(town)
    assert (await town.ready())["status"] == "ready"
    damage_page(town, "duties")
    # What somebody writes lets the others forget the pages that they remember.
    await town.app.database.run(lambda tx: heartbeat.beat(tx, "another"))
    # Whoever reads it first starts the check, which finds it: not tonight, and not as "cannot be reached".
    said = await town.ready()
    assert said["status"] == "not_ready"
    assert said["reasons"] == ["What was read from the database file makes no sense: it is being checked."]
    with capture_logs() as logs:
        await town.app.caretaker.check()
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["database_damaged"]
    assert (
        "The database file is damaged, and nothing is written any more" in (await town.ready())["reasons"][0]
    )
    refused = await town.post("/api/v1/reports", paid_today())
    assert refused.status_code == 503
    assert HOTLINE in refused.json()["detail"]
    # What is open can be worked from paper.
    sheet = beside(town.app.database.path)
    assert case.reference in sheet.read_text()
    sheet.unlink()
    assert await town.app.caretaker.check() == 0


@on_sqlite
async def test_g22_where_other_cases_cannot_be_read_the_sheet_says_that_no_way_is_safe(town: Town) -> None:
    case = await town.takes(paid_today(safe_contact={"voice": True}))
    damage_page(town, "ix_suggested_links_to_incident_id")
    await town.app.database.run(lambda tx: heartbeat.beat(tx, "another"))
    town.app.asgi.state.context.node.pulse.suspects_damage = True
    await town.app.caretaker.check()
    sheet = beside(town.app.database.path)
    printed = sheet.read_text()
    sheet.unlink()
    assert case.reference in printed
    assert "do NOT ring or text" in printed


@on_sqlite
async def test_a_file_that_was_found_whole_is_not_checked_again_for_each_suspicion(town: Town) -> None:
    pulse = town.app.asgi.state.context.node.pulse
    pulse.suspects_damage = True
    await town.app.caretaker.check()
    assert not is_damaged(town)
    damage_page(town, "disclosures")  # nobody reads it
    pulse.suspects_damage = True
    await town.app.caretaker.check()
    assert not is_damaged(town)
    await town.pass_time(minutes=10)
    pulse.suspects_damage = True
    await town.app.caretaker.check()
    assert is_damaged(town)
    beside(town.app.database.path).unlink()


@on_sqlite
async def test_g22_a_file_that_is_too_large_to_wait_for_is_checked_just_after_the_start(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage_page(town, "disclosures")  # nobody reads it
    caretaker = town.app.caretaker
    await caretaker.begin()
    await caretaker.check()
    assert not is_damaged(town)  # a small one was checked before
    monkeypatch.setattr(checking, "_LARGE_BYTES", 0)
    await caretaker.begin()
    assert not is_damaged(town)  # nobody has seen anything wrong so far, and nothing else is said
    await caretaker.check()
    assert is_damaged(town)
    beside(town.app.database.path).unlink()
