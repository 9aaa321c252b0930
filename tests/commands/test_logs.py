"""What may be logged, and what never is."""

import io
import json
import logging
from asyncio import CancelledError
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from rapid_response import logs

SECRET = "Mrs Smith, 12 High Street"


class Log:
    """The log as it was written."""

    def __init__(self, level: str = "info") -> None:
        self.stream = io.StringIO()
        logs.set_up("json", level, self.stream)
        self.ours = structlog.get_logger("test")

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        return self.entries[-1]


@pytest.fixture
def log() -> Iterator[Log]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield Log()
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_an_entry_has_its_time_level_and_source(log: Log) -> None:
    log.ours.info("log_sealed", seal=3, root="abc", due_at=datetime(2026, 7, 15, tzinfo=UTC))
    stamp = datetime.fromisoformat(log.last.pop("timestamp"))
    assert stamp.tzinfo is not None
    assert log.last | {"timestamp": ""} == {
        "event": "log_sealed",
        "level": "info",
        "logger": "test",
        "seal": 3,
        "root": "abc",
        "due_at": "2026-07-15T00:00:00+00:00",
        "timestamp": "",
    }


@pytest.mark.parametrize(
    "key", ["narrative", "name", "body", "address", "to_number", "phone", "url", "password"]
)
def test_a_key_that_is_not_listed_is_dropped(log: Log, key: str) -> None:
    log.ours.warning("sent", reference="RR-1", **{key: SECRET})
    assert log.last["reference"] == "RR-1"
    assert SECRET not in log.stream.getvalue()


@pytest.mark.parametrize("value", [{"name": SECRET}, [SECRET], ValueError(SECRET), SECRET.encode()])
def test_a_value_that_is_no_code_is_dropped(log: Log, value: object) -> None:
    log.ours.warning("sent", reason=value)
    assert "reason" not in log.last


def test_a_value_cannot_look_like_an_entry(log: Log) -> None:
    log.ours.warning("sent", reason='x\n{"event": "forged"}')
    assert len(log.entries) == 1
    log.ours.warning("sent", reason="x" * 5000)
    assert len(log.last["reason"]) == 200


def test_an_error_is_its_class_and_place(log: Log) -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        log.ours.exception("step_failed", step="load")
    assert log.last["error"] == "ValueError"
    assert "test_logs.py:" in log.last["where"]
    assert SECRET not in log.stream.getvalue()


@pytest.mark.parametrize(
    "name", ["uvicorn.error", "apscheduler.scheduler", "httpx", "twilio.http_client", "asyncio"]
)
def test_other_libraries_warn_in_their_first_line_only(log: Log, name: str) -> None:
    library = logging.getLogger(name)
    library.info("GET https://example.org/?name=%s", SECRET)
    assert log.entries == []
    library.warning("Failed for %s\nbecause of %s", SECRET, SECRET)
    library.error(f"Task exception was never retrieved\nfuture: {SECRET}")
    assert [entry["event"] for entry in log.entries] == [
        "Failed for %s",
        "Task exception was never retrieved",
    ]
    assert SECRET not in log.stream.getvalue()


def test_a_tick_that_a_stop_cut_short_is_no_error(log: Log) -> None:
    logging.getLogger("apscheduler.executors.default").error("Job raised", exc_info=CancelledError())
    assert log.entries == []


def test_the_level_holds_for_ours(log: Log) -> None:
    log.ours.debug("tick")
    assert log.entries == []
    louder = Log("debug")
    louder.ours.debug("tick")
    assert louder.last["event"] == "tick"


def test_readable_on_request(log: Log) -> None:
    logs.set_up("console", "info", log.stream)
    structlog.get_logger("test").warning("sent", reference="RR-1", name=SECRET)
    assert "reference=RR-1" in log.stream.getvalue()
    assert SECRET not in log.stream.getvalue()
