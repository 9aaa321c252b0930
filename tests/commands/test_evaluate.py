"""`evaluate`: a table of figures, or one sentence on what is wrong with the file."""

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Command, one_sentence

LABELLED = {
    "text": "Two men on my roof now want £900 in cash.",
    "category": "doorstep_crime",
    "age_targeted": False,
    "other_vulnerability_targeted": False,
    "hate_strand": None,
    "urgency": "in_progress",
    "money_at_risk_gbp": 900,
}


def test_a_labelled_file_gives_the_table(command: Command, folder: Path) -> None:
    (folder / "cases.jsonl").write_text(json.dumps(LABELLED) + "\n\n" + json.dumps(LABELLED) + "\n")
    done = command("evaluate", "cases.jsonl")
    assert (done.status, done.err) == (0, "")
    assert "reports                     2" in done.out
    assert "category macro-F1" in done.out
    assert "act now" in done.out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no reports"),
        (b"{", "Line 1 is not JSON"),
        (b'{"id": 1}', "Line 1 has no text"),
        (json.dumps({"text": "x"}).encode(), "Line 1 lacks category"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    command: Command, folder: Path, content: bytes, said: str
) -> None:
    (folder / "cases.jsonl").write_bytes(content)
    done = command("evaluate", "cases.jsonl")
    assert done.status == 2
    assert said in done.err
    assert one_sentence(done.err)


def test_a_missing_file_is_named(command: Command) -> None:
    done = command("evaluate", "nowhere.jsonl")
    assert done.status == 2
    assert "nowhere.jsonl cannot be read" in done.err
    assert one_sentence(done.err)
