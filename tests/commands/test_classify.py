"""`classify`: one answer a line, whatever the line."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Command, one_sentence

AT_THE_DOOR = "He says the roof is loose and wants £900 now, he is at mum’s door. She is 84."
FIELDS = [
    "id",
    "category",
    "subtype",
    "age_targeted",
    "other_vulnerability_targeted",
    "hate_strand",
    "urgency",
    "money_at_risk_gbp",
    "priority",
    "rule_id",
    "scores",
    "evidence",
    "model_version",
]


def ask(command: Command, folder: Path, *lines: bytes | dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    written = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    (folder / "asked.jsonl").write_bytes(b"\n".join(written) + b"\n")
    done = command("classify", "asked.jsonl")
    assert done.err == "" if done.status == 0 else one_sentence(done.err)
    return done.status, [json.loads(line) for line in done.out.splitlines()]


def test_a_line_is_answered_with_every_field(command: Command, folder: Path) -> None:
    status, [answer] = ask(command, folder, {"id": "a", "text": AT_THE_DOOR})
    assert status == 0
    assert list(answer) == FIELDS
    assert answer["id"] == "a"
    assert answer["category"] == "doorstep_crime"
    assert answer["priority"] in ("P0", "P1")
    assert answer["rule_id"].startswith("R")
    assert all(0 <= score <= 1 for score in answer["scores"].values())
    for evidence in answer["evidence"]:
        assert evidence["text"] == AT_THE_DOOR[evidence["start"] : evidence["end"]]
        assert set(evidence) == {"label", "start", "end", "text", "why"}


def test_answers_come_in_order_and_keep_their_ids(command: Command, folder: Path) -> None:
    asked = [{"id": number, "text": AT_THE_DOOR} for number in (3, 1, 2)]
    status, answers = ask(command, folder, *asked)
    assert (status, [answer["id"] for answer in answers]) == (0, [3, 1, 2])


def test_what_a_person_answered_counts(command: Command, folder: Path) -> None:
    text = "I would like some advice about a builder please, when you have a moment."
    _, answers = ask(
        command,
        folder,
        {"id": 1, "text": text},
        {"id": 2, "text": text, "answers": {"suspect_on_premises": True, "threat_or_fear": True}},
    )
    assert answers[0]["priority"] > answers[1]["priority"] == "P0"


def test_when_it_was_received_counts(command: Command, folder: Path) -> None:
    answers = {"paid_at": "2026-03-01T09:00:00+00:00"}
    asked = {"id": 1, "text": "They took the money by transfer.", "answers": answers}
    _, (soon, later, local) = ask(
        command,
        folder,
        asked | {"received_at": "2026-03-01T10:00:00Z"},
        asked | {"received_at": "2026-03-20T10:00:00+00:00"},
        asked | {"received_at": "2026-03-01T10:00:00"},
    )
    assert soon["rule_id"] == local["rule_id"] != later["rule_id"]


def test_channels_of_others_and_further_keys_do_no_harm(command: Command, folder: Path) -> None:
    status, answers = ask(
        command, folder, {"id": 1, "text": AT_THE_DOOR, "channel": "call_note", "label": "x", "answers": None}
    )
    assert (status, answers[0]["category"]) == (0, "doorstep_crime")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"not json",
        b'{"id": 1, "text": "\xff"}',
        b'["id", "text"]',
        b"[" * 100_000,
        b'{"text": "hello"}',
        b'{"id": {}, "text": "hello"}',
        b'{"id": 7}',
        b'{"id": 7, "text": ""}',
        b'{"id": 7, "text": " \\n"}',
        b'{"id": 7, "text": 7}',
        json.dumps({"id": 7, "text": "x" * 20_001}).encode(),
        b'{"id": 7, "text": "hello", "answers": {"suspect_on_premisses": true}}',
        b'{"id": 7, "text": "hello", "answers": {"suspect_on_premises": "yes"}}',
        b'{"id": 7, "text": "hello", "answers": [1]}',
        b'{"id": 7, "text": "hello", "received_at": "yesterday"}',
    ],
)
def test_a_bad_line_is_answered_and_costs_the_others_nothing(
    command: Command, folder: Path, line: bytes
) -> None:
    status, answers = ask(
        command, folder, {"id": "before", "text": "hi"}, line, {"id": "after", "text": "hi"}
    )
    assert status == 1
    assert [answer["id"] for answer in answers] == ["before", 7 if b'"id": 7' in line else None, "after"]
    assert set(answers[1]) == {"id", "error"}
    assert answers[1]["error"].endswith(".")


@pytest.mark.parametrize("text", ["\ud800", "\x00", "\u202e", "👵🏽" * 50, "a" * 20_000, "£" * 20_000])
def test_strange_texts_are_read(command: Command, folder: Path, text: str) -> None:
    status, [answer] = ask(command, folder, {"id": 1, "text": text})
    assert status == 0
    assert all(e["text"] == text[e["start"] : e["end"]] for e in answer["evidence"])


@pytest.mark.long
def test_it_reads_standard_input_and_answers_line_by_line() -> None:
    """Each answer is there before the next line is asked."""
    program = [sys.executable, "-m", "rapid_response", "classify"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in (1, 2):
            process.stdin.write(json.dumps({"id": number, "text": AT_THE_DOOR}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
        assert process.wait(10) == 0


def test_nothing_asked_is_nothing_answered(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert command("classify").out == ""


def test_a_file_that_is_not_there(command: Command) -> None:
    done = command("classify", "nowhere.jsonl")
    assert done.status == 2
    assert one_sentence(done.err)
