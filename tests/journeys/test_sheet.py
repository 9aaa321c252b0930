"""The printed sheet: what is open, who is out there, and who has called for help."""

from __future__ import annotations

import asyncio
import os
import stat
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rapid_response.audit.sheet import read_sheet, save, to_html
from rapid_response.cli.open_sheet import open_sheet
from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import AccessRow, IncidentRow
from tests.builders import CENTRE, paid_today
from tests.harness import ASHA, Town
from tests.journeys.browser import browser_of, on_sqlite
from tests.journeys.test_check_ins import at_the_door
from tests.journeys.test_duress import WITH_WORD, WORD

LONDON = ZoneInfo("Europe/London")
ALARM = "SILENT ALARM of Asha Patel"


async def printed(town: Town) -> str:
    now = town.clock.now()
    return to_html(await town.app.database.look(lambda c: read_sheet(c, now, LONDON, "SERIAL")))


async def test_it_says_by_when_whoever_is_out_there_is_heard_from(town: Town) -> None:
    there = await at_the_door(town)
    way = await town.takes(paid_today())
    await way.act("assign", responder="ben")
    await way.act("en_route", eta_minutes=20)
    sheet = await town.app.database.look(lambda c: read_sheet(c, town.clock.now(), LONDON, "SERIAL"))
    said = {
        line.job_number: (line.owner, line.next_step, line.next_at and line.next_at - sheet.made_at)
        for line in sheet.lines
    }
    assert said == {
        there.number: (
            "Asha Patel",
            "Asha Patel says that she is safe, finishes, says the outcome",
            timedelta(minutes=30),
        ),
        way.number: ("Ben Osei", "Ben Osei arrives", timedelta(minutes=20)),
    }
    assert "SILENT ALARM" not in to_html(sheet)


@on_sqlite
async def test_it_says_who_is_to_be_rung_first_and_what_is_only_to_be_finished(town: Town) -> None:
    empty = await at_the_door(town)
    await empty.hears(ASHA, "NOBODY {n}")
    helped = await town.takes(paid_today())
    await helped.act("assign", responder="ben")
    await helped.act("remote_response", protective_act="bank_told")
    sheet = await town.app.database.look(lambda c: read_sheet(c, town.clock.now(), LONDON, "SERIAL"))
    assert {line.job_number: line.next_step for line in sheet.lines} == {
        empty.number: "duty officer: call back",
        helped.number: "Ben Osei finishes, says the outcome",
    }


@on_sqlite
@pytest.mark.parametrize("with_addresses", [True, False])
async def test_whose_address_the_command_prints_stands_in_the_access_log(
    town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], with_addresses: bool
) -> None:
    case = await town.takes(paid_today(location={**CENTRE, "address": "12 Larkspur Way"}))
    seen = len(await town.rows(AccessRow))
    monkeypatch.setenv("RAPID_RESPONSE_DATABASE_URL", str(town.app.database.url))
    await asyncio.to_thread(open_sheet, None, with_addresses)
    assert ("12 Larkspur Way" in capsys.readouterr().out) is with_addresses
    rows = (await town.rows(AccessRow))[seen:]
    looked_at = next(i.id for i in await town.rows(IncidentRow) if i.reference == case.reference)
    assert [(r.viewer, r.what, r.incident_id) for r in rows] == (
        [("command:open-sheet", "open_sheet_addresses", looked_at)] if with_addresses else []
    )


@on_sqlite
async def test_a_silent_alarm_heads_it_but_never_on_the_screen_of_whoever_raised_it(town: Town) -> None:
    await town.load(WITH_WORD)
    case = await at_the_door(town)
    await town.texts_reply(ASHA, WORD)
    assert f"{ALARM}, " in await printed(town)
    assert f"job {case.number} {case.reference}: ring 999" in await printed(town)
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        assert ALARM in (await officer.get("/sheet")).html
    async with await browser_of(town, "asha", Role.DUTY_OFFICER, "asha") as herself:
        assert ALARM not in (await herself.get("/sheet")).html


def test_it_is_never_put_in_the_place_of_what_is_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="no file"):
        save(pipe, "a sheet")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]
    save(tmp_path / "sheet.html", "a sheet")
    assert (tmp_path / "sheet.html").read_text() == "a sheet"
