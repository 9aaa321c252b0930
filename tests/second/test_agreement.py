"""Agreement with people: what each reader said against what stood at the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rapid_response.reporting.agreement import Line, Reader, Share, by_month
from rapid_response.reporting.record import StoredEvent

LONDON = ZoneInfo("Europe/London")
AT = datetime(2026, 7, 31, 23, 30, tzinfo=UTC)  # half past midnight on 1 August in London

Told = tuple[str, dict[str, Any]]


def story(incident: str, *events: Told, at: datetime = AT) -> list[StoredEvent]:
    return [StoredEvent(incident, seq, type_, at, data) for seq, (type_, data) in enumerate(events, 1)]


READ: Told = ("incident_classified", {"category": "scam", "urgency": "recent", "model_version": "m1"})
BY_RULE: Told = ("priority_decided", {"priority": "P3", "rule_id": "R15"})
CLOSED: Told = ("incident_closed", {})


def corrected(category: str, urgency: str) -> Told:
    return ("incident_classified", {"category": category, "urgency": urgency, "model_version": None})


def by_person(priority: str) -> Told:
    return ("priority_decided", {"priority": priority, "rule_id": "person"})


def flagged(state: str, *, by_person: bool) -> Told:
    return ("targeting_assessed", {"state": state, "by_person": by_person})


def second(category: str | None = "scam", urgency: str | None = "recent", **more: Any) -> Told:
    said = {"model_version": "x+1", "category": category, "urgency": urgency, "age_targeted": False}
    return ("second_reading_recorded", {**said, "suggested": [], "raises": False, **more})


def answered(label: str, agrees: bool) -> Told:
    return ("second_reading_answered", {"label": label, "value": "v", "agrees": agrees})


ALL = Line("2026-08", Reader.OURS, "m1", 1, Share(1, 1), Share(1, 1), Share(1, 1), Share(), Share())


def test_what_nobody_corrected_counts_as_agreed_in_the_local_month() -> None:
    assert by_month(story("a", READ, BY_RULE, CLOSED), LONDON) == [ALL]


def test_a_correction_counts_against_the_machine() -> None:
    told = story("a", READ, BY_RULE, corrected("doorstep_crime", "imminent"), by_person("P1"), CLOSED)
    assert by_month(told, LONDON) == [
        replace(ALL, category=Share(0, 1), priority=Share(0, 1), urgency=Share(0, 1))
    ]


def test_only_finished_cases_count() -> None:
    assert by_month(story("a", READ, BY_RULE, second()), LONDON) == []


def test_targeting_is_judged_only_where_a_person_decided() -> None:
    machine = flagged("potential", by_person=False)
    undecided = story("a", READ, machine, second(age_targeted=True), CLOSED)
    upheld = story("b", READ, machine, second(), flagged("recognised_local", by_person=True), CLOSED)
    ruled_out = story("c", READ, machine, second(), flagged("ruled_out", by_person=True), CLOSED)
    missed = story("d", READ, second(age_targeted=True), flagged("referred_police", by_person=True), CLOSED)
    ours, other = by_month([*undecided, *upheld, *ruled_out, *missed], LONDON)
    assert ours.targeting == Share(1, 3)
    assert ours.targeting.percent == 33
    assert other.targeting == Share(2, 3)


def test_the_second_reader_is_held_against_the_same_people() -> None:
    danger = second("other", None, suggested=["category", "danger"], raises=True)
    rightly = story("a", READ, BY_RULE, danger, answered("danger", True), by_person("P1"), CLOSED)
    wrongly = story("b", READ, BY_RULE, danger, answered("danger", False), CLOSED)
    unseen = story("c", READ, BY_RULE, second(), by_person("P0"), CLOSED)
    quiet = story("d", READ, BY_RULE, second(), by_person("P4"), CLOSED)
    ours, other = by_month([*rightly, *wrongly, *unseen, *quiet], LONDON)
    assert (ours.reader, ours.cases, ours.priority) == (Reader.OURS, 4, Share(1, 4))
    assert (other.reader, other.model, other.cases) == (Reader.SECOND, "x+1", 4)
    # It saw danger where a person raised, and none where a person lowered or left it.
    assert other.priority == Share(2, 4)
    assert other.category == Share(2, 4)
    assert other.urgency == Share(2, 2)
    assert other.suggestions == Share(1, 2)


def test_versions_and_months_are_lines_of_their_own_newest_first() -> None:
    newer: Told = ("incident_classified", {**READ[1], "model_version": "m2"})
    events = [
        *story("a", READ, second(), CLOSED, at=AT - timedelta(days=40)),
        *story("b", READ, CLOSED),
        *story("c", newer, second(model_version="y+1"), CLOSED),
        *story("d", newer, second(), CLOSED),
    ]
    assert [(line.month, line.reader, line.model, line.cases) for line in by_month(events, LONDON)] == [
        ("2026-08", "ours", "m1", 1),
        ("2026-08", "ours", "m2", 2),
        ("2026-08", "second", "x+1", 1),
        ("2026-08", "second", "y+1", 1),
        ("2026-06", "ours", "m1", 1),
        ("2026-06", "second", "x+1", 1),
    ]


def test_a_share_of_nothing_has_no_percentage() -> None:
    assert Share().percent is None
