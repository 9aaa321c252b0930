"""`report`: the board report as a file."""

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Command, one_sentence


@pytest.mark.parametrize(
    ("option", "label"), [("--month", "2026-10"), ("--quarter", "2026-Q4"), ("--year", "2026")]
)
def test_a_period_as_json(migrated: str, command: Command, option: str, label: str) -> None:
    done = command("report", option, label)
    assert (done.status, done.err) == (0, "")
    figures = json.loads(done.out)
    assert figures["period"]["label"] == label
    assert figures["contacts"]["total"] == 0
    assert figures["two_hours"]["share"] is None


def test_csv_in_a_file(migrated: str, command: Command, folder: Path) -> None:
    done = command("report", "--month", "2026-10", "--format", "csv", "--output", "board.csv")
    assert (done.status, done.out) == (0, "")
    assert (folder / "board.csv").read_bytes().startswith(b"\xef\xbb\xbfsection,key,value\r\n")


def test_as_at_a_moment(migrated: str, command: Command) -> None:
    done = command("report", "--month", "2026-07", "--as-at", "2026-07-15T09:00:00Z")
    assert json.loads(done.out)["period"]["as_at"] == "2026-07-15T10:00:00+01:00"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--month", "2026-10", "--year", "2026"],
        ["--month", "October"],
        ["--month", "2026-13"],
        ["--quarter", "2026-Q5"],
        ["--year", "26"],
        ["--month", "2026-10", "--as-at", "yesterday"],
        ["--month", "2026-10", "--as-at", "2026-11-01T09:00:00"],
        ["--month", "2026-10", "--as-at", "0001-01-01T00:00:00+14:00"],
        ["--month", "2026-10", "--format", "html"],
        ["--month", "2026-10", "--format", "pdf"],
    ],
)
def test_wrong_usage(migrated: str, command: Command, arguments: list[str]) -> None:
    done = command("report", *arguments)
    assert (done.status, done.out) == (2, "")
    assert one_sentence(done.err)


def test_a_place_that_cannot_be_written(migrated: str, command: Command) -> None:
    done = command("report", "--year", "2026", "--output", "nowhere/board.json")
    assert done.status == 1
    assert one_sentence(done.err)
