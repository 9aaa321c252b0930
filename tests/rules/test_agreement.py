"""Agreement with people: what the machine first read against what stood at the end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rapid_response.reporting.agreement import Month, Share, by_month
from rapid_response.reporting.rules import StoredEvent

LONDON = ZoneInfo("Europe/London")
AT = datetime(2026, 7, 31, 23, 30, tzinfo=UTC)  # half past midnight on 1 August in London


def story(incident: str, *events: tuple[str, dict[str, Any]]) -> list[StoredEvent]:
    return [StoredEvent(incident, seq, type_, AT, data) for seq, (type_, data) in enumerate(events, 1)]


READ = ("incident_classified", {"category": "scam", "model_version": "m1"})
BY_RULE = ("priority_decided", {"rule_id": "R10"})
CLOSED: tuple[str, dict[str, Any]] = ("incident_closed", {})


def flagged(state: str, *, by_person: bool) -> tuple[str, dict[str, Any]]:
    return ("targeting_assessed", {"state": state, "by_person": by_person})


def test_what_nobody_corrected_counts_as_agreed_in_the_local_month() -> None:
    assert by_month(story("a", READ, BY_RULE, CLOSED), LONDON) == [
        Month("2026-08", Share(1, 1), Share(1, 1), Share(), ("m1",))
    ]


def test_a_correction_counts_against_the_machine() -> None:
    corrected = ("incident_classified", {"category": "doorstep_crime", "model_version": None})
    by_person = ("priority_decided", {"rule_id": "person"})
    (month,) = by_month(story("a", READ, BY_RULE, corrected, by_person, CLOSED), LONDON)
    assert (month.category, month.priority) == (Share(0, 1), Share(0, 1))


def test_only_finished_cases_count() -> None:
    assert by_month(story("a", READ, BY_RULE), LONDON) == []


def test_targeting_is_judged_only_where_a_person_decided() -> None:
    undecided = story("a", READ, flagged("potential", by_person=False), CLOSED)
    upheld = story(
        "b", READ, flagged("potential", by_person=False), flagged("recognised_local", by_person=True), CLOSED
    )
    ruled_out = story(
        "c", READ, flagged("potential", by_person=False), flagged("ruled_out", by_person=True), CLOSED
    )
    missed = story("d", READ, flagged("referred_police", by_person=True), CLOSED)
    (month,) = by_month([*undecided, *upheld, *ruled_out, *missed], LONDON)
    assert month.age_targeting == Share(1, 3)
    assert month.age_targeting.percent == 33


def test_a_share_of_nothing_has_no_percentage() -> None:
    assert Share().percent is None
