"""postcodes.io, where it is switched on: asked beside the work, once a postcode, and never waited for."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from rapid_response.cli import running
from rapid_response.core.states import LookupState
from rapid_response.places.online import Answer, LookupFailed, Online
from rapid_response.steps import load_wards
from rapid_response.storage.tables import PlaceLookupRow, PostcodeWardRow
from tests.builders import paid_today
from tests.commands.conftest import one_sentence
from tests.harness import ASHA, DEE, Town
from tests.journeys.test_borders import BORDERED

NEW_ESTATE = {"address": "1 New Road", "postcode": "BR9 9ZZ"}


def says(district: str, ward: str) -> httpx.Response:
    result = {"codes": {"admin_district": district}, "admin_ward": ward}
    return httpx.Response(200, json={"status": 200, "result": result})


class Asked:
    """Stands for postcodes.io; `answers` may be changed on the way."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.answer: Callable[[], httpx.Response] = lambda: says("E09000006", "Bromley Town")

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        return self.answer()


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
async def town(database_url: str, start: datetime, asked: Asked) -> AsyncIterator[Town]:
    async with Town(database_url, start, BORDERED, place_lookup_url="https://places.example.org") as made:
        worker = made.app.worker
        assert worker.places is not None
        await worker.places.close()
        worker.places.online = Online("https://places.example.org", httpx.MockTransport(asked))
        yield made


async def test_what_the_table_does_not_know_is_asked_once_and_found(town: Town, asked: Asked) -> None:
    case = await town.takes(paid_today(location=NEW_ESTATE))
    now = await case.now()
    assert (now["place"]["area"], now["ward"]) == ("inside", "Bromley Town")
    assert now["clock"]["state"] == "running"
    again = await town.takes(paid_today(location=NEW_ESTATE))
    assert (await again.now())["place"]["area"] == "inside"
    assert asked.paths == ["/postcodes/BR9 9ZZ"]


async def test_that_it_is_elsewhere_is_told_and_takes_no_clock_away(town: Town, asked: Asked) -> None:
    asked.answer = lambda: says("E09000023", "Catford South")
    case = await town.takes(paid_today(location=NEW_ESTATE))
    now = await case.now()
    assert (now["place"]["area"], now["clock"]["state"], now["ward"]) == ("outside", "running", None)
    assert await town.texts(ASHA)
    assert await town.texts_with("outside our area", DEE)


async def test_where_it_does_not_answer_nothing_waits(town: Town, asked: Asked) -> None:
    asked.answer = lambda: httpx.Response(503)
    case = await town.takes(paid_today(location=NEW_ESTATE))
    assert (await case.now())["place"]["area"] == "unknown"
    assert await town.texts(ASHA)
    asked.answer = lambda: says("E09000006", "Bromley Town")
    await town.pass_time(minutes=1)
    assert (await case.now())["place"]["area"] == "inside"


async def test_a_postcode_that_there_is_not_is_not_asked_again(town: Town, asked: Asked) -> None:
    asked.answer = lambda: httpx.Response(404, json={"status": 404, "error": "Postcode not found"})
    for _ in range(2):
        await town.takes(paid_today(location=NEW_ESTATE))
    assert len(asked.paths) == 1
    (row,) = await town.rows(PlaceLookupRow)
    assert row.state is LookupState.MISSING


async def test_a_breaker_leaves_it_alone_while_it_fails(town: Town, asked: Asked) -> None:
    asked.answer = lambda: httpx.Response(503)
    for n in range(8):
        await town.takes(paid_today(location={"postcode": f"BR9 9Z{'ABDEFGHJ'[n]}"}))
    assert len(asked.paths) <= 4


# --- the client by itself ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (httpx.Response(500), "status"),
        (httpx.Response(302, headers={"location": "https://elsewhere.example.org"}), "status"),
        (httpx.Response(200, text="<html>"), "not_understood"),
        (httpx.Response(200, json={"result": None}), "not_understood"),
        (httpx.Response(200, content=b" " * 100_000), "too_large"),
    ],
)
async def test_no_sense_is_no_answer(answer: httpx.Response, fault: str) -> None:
    online = Online("https://places.example.org", httpx.MockTransport(lambda _: answer))
    with pytest.raises(LookupFailed, match=fault):
        await online.ask("BR1 3UH")
    await online.close()


async def test_odd_values_are_not_known() -> None:
    answer = httpx.Response(200, json={"result": {"codes": {"admin_district": 7}, "admin_ward": "a\nb"}})
    online = Online("https://places.example.org", httpx.MockTransport(lambda _: answer))
    assert await online.ask("BR1 3UH") == Answer(None, None)
    await online.close()


async def test_it_costs_two_seconds_at_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rapid_response.places.online.TIMEOUT_SECONDS", 0.01)
    never = asyncio.Event()

    async def waits(_: httpx.Request) -> httpx.Response:
        await never.wait()
        raise AssertionError

    online = Online("https://places.example.org", httpx.MockTransport(waits))
    with pytest.raises(LookupFailed, match="timeout"):
        await online.ask("BR1 3UH")
    await online.close()


# --- wards ------------------------------------------------------------------------------------------------

ONSPD = "pcds,osward\nBR1 3UH,E05013999\nBR1 1AA,E05014000\nSE13 6LG,E05009999\n"
NAMES = "WD25CD,WD25NM\nE05013999,Bromley Town\nE05014000,Hayes & Coney Hall\nE05009999,Catford South\n"


async def test_loaded_wards_are_found_from_the_postcode(town: Town) -> None:
    wards = load_wards.read(ONSPD, NAMES)
    loaded = await town.app.database.run(lambda tx: load_wards.load(tx, wards, town.app.desk.zone))
    assert (loaded.kept, loaded.wards, loaded.unknown) == (2, 2, ("Catford South",))
    assert len(await town.rows(PostcodeWardRow)) == 2
    case = await town.takes(paid_today(location={"postcode": "BR1 1AA"}))
    assert (await case.now())["ward"] == "Hayes & Coney Hall"
    # What the caller says beats what the table says.
    said = await town.takes(paid_today(location={"postcode": "BR1 1AA", "ward": "bromley town"}))
    assert (await said.now())["ward"] == "Bromley Town"


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "pcds\nBR1 3UH\n"])
def test_a_file_without_the_columns_is_refused(text: str) -> None:
    with pytest.raises(load_wards.NoWards):
        load_wards.read(text)


@pytest.fixture
def council(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a council's files and a database that its service is loaded into."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAPID_RESPONSE_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/wards.db")
    (tmp_path / "service.yaml").write_text(BORDERED)
    (tmp_path / "onspd.csv").write_text(ONSPD)
    (tmp_path / "names.csv").write_text(NAMES)
    assert running.run(["migrate"]) == 0
    assert running.run(["load", "service.yaml"]) == 0
    return tmp_path


@pytest.mark.usefixtures("council")
def test_the_command_says_what_it_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert running.run(["load-wards", "onspd.csv", "--names", "names.csv"]) == 0
    assert "Loaded 2 postcodes of 2 wards." in capsys.readouterr().out
    assert running.run(["load-wards", "nothing.csv"]) == 2


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (b"pcds,ward\nBR1 1AA,Caf\xe9\n", "not UTF-8"),
        (b'pcds,ward\nBR1 1AA,"' + b"x" * 200_000 + b'"\n', "cannot be read as a CSV"),
        (b"name,age\nAlice,40\n", "A column of postcodes"),
        (ONSPD.encode(), "nothing was loaded"),  # codes, and nobody says what they are called
    ],
)
def test_a_wrong_file_changes_nothing_and_is_said(
    council: Path, capsys: pytest.CaptureFixture[str], file: bytes, said: str
) -> None:
    (council / "wrong.csv").write_bytes(file)
    running.run(["load-wards", "onspd.csv", "--names", "names.csv"])
    kept = wards_in(council / "wards.db")
    capsys.readouterr()
    assert running.run(["load-wards", "wrong.csv"]) == 2
    heard = capsys.readouterr().err
    assert heard.startswith("wrong.csv: ")
    assert said in heard
    assert one_sentence(heard)
    assert wards_in(council / "wards.db") == kept != []


def wards_in(database: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(database)) as opened:
        return opened.execute("SELECT postcode, ward FROM postcode_wards ORDER BY postcode").fetchall()
