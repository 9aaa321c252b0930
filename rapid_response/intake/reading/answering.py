"""A reading in the words of the contract: one JSON line of the `classify` command."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rapid_response.core.vocabulary import Channel
from rapid_response.intake.reading.port import Reader, Reading


def classify_line(
    reader: Reader, line: Mapping[str, Any], *, now: datetime, zone: ZoneInfo
) -> dict[str, Any]:
    """The fields of one answer line, except `priority` and `rule_id`, which the triage rules add."""
    return answer_fields(line.get("id"), read_line(reader, line, now=now, zone=zone))


def read_line(reader: Reader, line: Mapping[str, Any], *, now: datetime, zone: ZoneInfo) -> Reading:
    """Reads the `text` of one input line as of its `received_at`, or as of now."""
    text = line.get("text")
    return reader.read(
        text if isinstance(text, str) else "",
        channel=_channel(line.get("channel")),
        received_at=_received_at(line.get("received_at"), now, zone),
        zone=zone,
    )


def answer_fields(identity: Any, reading: Reading) -> dict[str, Any]:
    """A reading as JSON values; money in pounds."""
    pence = reading.money_at_risk_pence
    return {
        "id": identity,
        "category": reading.category.value,
        "subtype": reading.subtype,
        "age_targeted": reading.age_targeted,
        "other_vulnerability_targeted": reading.other_vulnerability_targeted,
        "hate_strand": reading.hate_strand.value if reading.hate_strand else None,
        "urgency": reading.urgency.value,
        "money_at_risk_gbp": None if pence is None else (pence // 100 if pence % 100 == 0 else pence / 100),
        "scores": dict(reading.scores),
        "evidence": [
            {
                "label": shown.label,
                "start": shown.start,
                "end": shown.end,
                "text": shown.text,
                "why": shown.why,
            }
            for shown in reading.evidence
        ],
        "model_version": reading.model_version,
    }


def _channel(said: Any) -> Channel | None:
    if isinstance(said, str):
        with suppress(ValueError):
            return Channel(said)
    return None


def _received_at(said: Any, now: datetime, zone: ZoneInfo) -> datetime:
    """A time without an offset is taken as local; one that cannot be read, as now."""
    if isinstance(said, str):
        with suppress(ValueError):
            moment = datetime.fromisoformat(said)
            return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    return now
