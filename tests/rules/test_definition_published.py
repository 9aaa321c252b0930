"""What ships with the product: the sample, the JSON Schema, and the page for council IT."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest

from rapid_response.core import rota
from rapid_response.core.vocabulary import ContactRole, Skill
from rapid_response.definition import (
    DefinitionFaults,
    ServiceFile,
    Weight,
    digest,
    export,
    findings,
    parse,
    read,
)
from rapid_response.definition.publish import published
from rapid_response.definition.source import read_yaml
from tests.cases import each

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "deploy" / "bromley.yaml"
SCHEMA = ROOT / "deploy" / "service.schema.json"
PAGE = ROOT / "docs" / "service-definition.md"
LONDON = ZoneInfo("Europe/London")


@lru_cache
def bromley() -> ServiceFile:
    """The sample."""
    return read(SAMPLE)


# ---------------------------------------------------------------- the sample


def test_the_sample_keeps_what_the_contract_shows() -> None:
    service = bromley().to_definition(1, LONDON)
    assert len(service.wards) == 22
    assert service.sla.coverage is None
    asha, ben, dee = (service.responder(name) for name in ("asha", "ben", "dee"))
    assert asha is not None
    assert ben is not None
    assert dee is not None
    assert (asha.name, asha.sms, asha.voice) == ("Asha Patel", "+447700900101", "+447700900101")
    assert (asha.skills, asha.wards) == (frozenset(Skill), frozenset({"Bromley Town"}))
    assert (ben.skills, ben.wards) == (frozenset(Skill), frozenset())
    assert (dee.sms, dee.voice, dee.roles) == ("+447700900109", None, frozenset({ContactRole.DUTY_OFFICER}))
    assert service.on_call == ("ben",)
    assert service.contacts[ContactRole.DUTY_OFFICER] == "+447700900109"
    assert set(service.contacts) == set(ContactRole)
    assert [(rung.after, rung.to) for rung in service.escalation] == [
        (timedelta(0), "best_responder"),
        (timedelta(minutes=5), "next_responder"),
        (timedelta(minutes=15), "duty_officer"),
        (timedelta(minutes=30), "team_leader"),
        (timedelta(minutes=60), "head_of_service"),
    ]


def test_the_sample_has_two_to_send_at_any_hour_of_any_day() -> None:
    service = bromley().to_definition(1, LONDON)
    skilled = {r.id for r in service.responders if r.skills == frozenset(Skill)}
    at = datetime(2026, 3, 23, tzinfo=UTC)
    for _ in range(14 * 24 * 2):
        assert len(rota.on_duty(service, at) & skilled) >= 2
        at += timedelta(minutes=30)


def test_only_placeholders_are_left_to_say_about_the_sample() -> None:
    found = findings(bromley(), datetime(2026, 11, 22, 3, 10, tzinfo=UTC), LONDON)
    assert {finding.weight for finding in found} == {Weight.PLACEHOLDER}


def test_the_sample_is_reached_by_numbers_that_nobody_has() -> None:
    numbers = re.findall(r"\+\d+", SAMPLE.read_text())
    assert numbers
    assert all(n.startswith(("+447700900", "+442079460")) for n in numbers)


def test_bank_holidays_are_on_working_days() -> None:
    assert all(day.weekday() < 5 for day in bromley().sla.holidays)
    assert {day.year: 0 for day in bromley().sla.holidays} == {2026: 0, 2027: 0, 2028: 0}
    assert len(bromley().sla.holidays) == 24


def test_the_sample_survives_export() -> None:
    assert digest(parse(export(bromley()), "exported.yaml")) == digest(bromley())


# ---------------------------------------------------------------- the JSON Schema


def test_the_published_schema_is_made_from_the_models() -> None:
    assert SCHEMA.read_text() == published(), "run: python -m rapid_response.definition.publish > " + str(
        SCHEMA
    )


SAMPLE_DATA: Any = read_yaml(SAMPLE.read_text()).data
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


def _spoilt(**changed: Any) -> Any:
    return SAMPLE_DATA | changed


@each(
    "data",
    [
        _spoilt(extra=1),
        _spoilt(responders=[{"id": "Asha", "name": "Asha", "phones": {}}]),
        _spoilt(responders=[{"id": "asha", "name": "Asha", "phones": {"sms": "+442079460100"}}]),
        _spoilt(sla={"respond_within": "2h"}),
        _spoilt(sla={"respond_within": "PT2H", "warn_at": ["100%"]}),
        _spoilt(sla={"respond_within": "PT2H", "coverage": {"monday": ["09:00-17:00"]}}),
        _spoilt(rota=[{"responder": "asha", "from": "09:00", "to": "17:00"}]),
        _spoilt(escalation=[]),
        _spoilt(escalation=[{"after": "PT0M", "action": "offer", "to": "asha"}]),
    ],
)
def test_the_schema_refuses_what_loading_refuses(data: Any) -> None:
    assert not VALIDATOR.is_valid(data)
    with pytest.raises(DefinitionFaults):
        parse(json.dumps(data), "service.json")


def test_the_schema_takes_the_sample_and_its_export() -> None:
    VALIDATOR.check_schema(VALIDATOR.schema)
    VALIDATOR.validate(SAMPLE_DATA)
    VALIDATOR.validate(read_yaml(export(bromley())).data)
    VALIDATOR.validate(_spoilt(sla={"respond_within": "PT2H", "coverage": {"mon": "09:00-17:00", "tue": []}}))


# ---------------------------------------------------------------- the page

BASE = """\
service: {name: Testborough, area: {wards: [Bromley Town]}, hotline: "+442079460100"}
sla: {respond_within: PT2H}
responders:
  - {id: asha, name: Asha Patel, phones: {sms: "+447700900101"}}
  - {id: ben, name: Ben Carter, phones: {sms: "+447700900102"}}
  - {id: dee, name: Dee Okoro, phones: {sms: "+447700900109"}}
escalation: [{after: PT0M, action: offer, to: best_responder, answer_within: PT5M}]
"""
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.S)
FAULTY = re.findall(r"```yaml fault\n(.*?)```\s+```text\n(.*?)```", PAGE.read_text(), re.S)


def _in_place(example: str) -> str:
    """The base with the example's keys in place of its own."""
    keys = set(re.findall(r"^(\w+):", example, re.M))
    sections = re.split(r"^(?=\w)", BASE, flags=re.M)
    return example + "".join(section for section in sections if section.split(":")[0] not in keys)


@each("example", EXAMPLES)
def test_every_example_of_the_page_loads(example: str) -> None:
    parse(_in_place(example), "example.yaml")


@each(("example", "said"), FAULTY)
def test_every_fault_of_the_page_is_said_so(example: str, said: str) -> None:
    with pytest.raises(DefinitionFaults) as refused:
        parse(_in_place(example), "example.yaml")
    told = [
        f"{fault.field}: {fault.message}" if fault.field else fault.message for fault in refused.value.faults
    ]
    assert sorted(told) == sorted(said.strip().split("\n"))


def test_the_page_names_every_key() -> None:
    page = PAGE.read_text()
    assert len(EXAMPLES) >= 9
    assert len(FAULTY) >= 5

    def keys(node: Any) -> set[str]:
        if isinstance(node, list):
            return {key for item in node for key in keys(item)}
        if not isinstance(node, dict):
            return set()
        own = set(node.get("properties", ()))
        return own | {key for item in node.values() for key in keys(item)}

    unnamed = {
        key for key in keys(json.loads(published())) if f"`{key}`" not in page and f"{key}:" not in page
    }
    assert unnamed <= {"wed", "thu", "sun"}  # the page says `mon` to `sun`
