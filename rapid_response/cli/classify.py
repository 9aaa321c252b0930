"""`classify`: what the reader and the triage rules make of a text, line by line; no database, no network."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from rapid_response.cli.refusals import Refused, usage

if TYPE_CHECKING:
    from rapid_response.core.facts import Facts
    from rapid_response.core.vocabulary import Channel
    from rapid_response.intake.reading import Reader, Reading

_LONGEST = 20_000


class BadLine(ValueError):
    """A line that cannot be answered; the sentence says what to write, and never what was written."""


def classify(
    file: Annotated[Path | None, typer.Argument(help="JSON lines; standard input if left out.")] = None,
) -> None:
    """Read JSON lines {"id", "text"} and answer each with one JSON line, in order."""
    from rapid_response.core.clock import SystemClock
    from rapid_response.intake.reading import default_reader
    from rapid_response.settings import read_settings

    zone = read_settings().time_zone
    reader, clock = default_reader(), SystemClock()
    bad = 0
    with _lines(file) as lines:
        for line in lines:
            answer = answer_to(line, reader, clock.now(), zone)
            bad += "error" in answer
            # Escaped beyond ASCII, so that every text comes through every terminal and pipe.
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    if bad:
        raise Refused(f"{bad} of the lines could not be read; each has an answer that says why.")


def answer_to(line: bytes, reader: Reader, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The answer to one line: a reading with its priority, or what is wrong with the line."""
    identity = None
    try:
        asked = _parsed(line)
        identity = asked["id"] if isinstance(asked.get("id"), str | int | float) else None
        return _answer(asked, reader, now, zone)
    except BadLine as error:
        return {"id": identity, "error": str(error)}
    except Exception as error:  # one bad line must not cost the others their answers
        return {"id": identity, "error": f"The text could not be read ({type(error).__name__})."}


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise BadLine('Write one JSON object a line, in UTF-8: {"id": "1", "text": "…"}.') from None
    if not isinstance(found, dict):
        raise BadLine('Write a JSON object: {"id": "1", "text": "…"}.')
    return found


def _answer(asked: dict[str, Any], reader: Reader, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    from rapid_response.intake.reading.answering import answer_fields

    text = asked.get("text")
    if not isinstance(asked.get("id"), str | int | float):
        raise BadLine("Give each line an id, a text or a number.")
    if not isinstance(text, str) or not text.strip():
        raise BadLine("Give each line a text that is not empty.")
    if len(text) > _LONGEST:
        raise BadLine(f"The text is longer than {_LONGEST} characters: shorten it.")
    received_at, answered, channel = _said(asked, now, zone)
    reading = reader.read(text, channel=channel, received_at=received_at, zone=zone)
    priority, rule_id = _decided(reading, answered, channel, received_at, zone)
    fields = answer_fields(asked["id"], reading)
    place = list(fields).index("scores")
    pairs = list(fields.items())
    return dict([*pairs[:place], ("priority", priority), ("rule_id", rule_id), *pairs[place:]])


def _said(asked: dict[str, Any], now: datetime, zone: ZoneInfo) -> tuple[datetime, Facts, Channel | None]:
    """When it was received, what a person answered, and which way it came, if we know that way."""
    from pydantic import ValidationError

    from rapid_response.core.vocabulary import Channel
    from rapid_response.intake.report_in import ReportIn

    body = {"channel": Channel.WEB, "narrative": "-", "answers": asked.get("answers") or {}}
    try:
        answered = ReportIn.model_validate(body).facts()
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise BadLine(f"{field} cannot be read: write it as POST /api/v1/reports takes it.") from None
    known = asked.get("channel")
    return (
        _moment(asked.get("received_at"), now, zone),
        answered,
        Channel(known) if known in list(Channel) else None,
    )


def _moment(said: object, now: datetime, zone: ZoneInfo) -> datetime:
    """A time without an offset is local."""
    if said is None:
        return now
    try:
        moment = datetime.fromisoformat(str(said))
    except ValueError:
        raise BadLine("received_at cannot be read: write it as 2026-10-25T13:30:00+00:00.") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _decided(
    reading: Reading, answered: Facts, channel: Channel | None, received_at: datetime, zone: ZoneInfo
) -> tuple[str, str]:
    """Priority and rule, as the intake would decide at the moment of the report."""
    from rapid_response.core.facts import facts_to_json, merge
    from rapid_response.intake.rules import TriageCase, decide

    facts = merge(reading.facts, answered)
    decision = decide(
        TriageCase(
            facts=facts,
            category=reading.category,
            subtype=reading.subtype,
            matter=reading.matter,
            channel=channel,
            answered=frozenset(facts_to_json(answered)),
            loss_pence=facts.amount_pence or reading.money_at_risk_pence,
            received_at=received_at,
            now=received_at,
            zone=zone,
        )
    )
    return decision.priority.value, decision.rule_id


@contextmanager
def _lines(file: Path | None) -> Iterator[IO[bytes]]:
    if file is None:
        yield sys.stdin.buffer
        return
    try:
        opened = file.open("rb")
    except OSError as error:
        raise usage(f"{file} cannot be read ({error.strerror}): check its name and permissions.") from None
    with opened:
        yield opened
