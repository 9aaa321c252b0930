"""Loading a service definition: every kind of fault names its line and its field and says what to do."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from pathlib import Path
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rapid_response.core import definition as core
from rapid_response.core.vocabulary import ContactRole, Skill
from rapid_response.definition import DefinitionFaults, Fault, ServiceFile, parse, read, source
from rapid_response.definition.values import NOTIFY_TO, OFFER_TO
from tests.cases import each

LONDON = ZoneInfo("Europe/London")

TEXT = """\
service:
  name: Testborough
  area: {wards: [Town, Village], postcode_districts: [BR1]}
  hotline: "+442079460100"
sla:
  respond_within: PT2H
  accept_within: PT15M
  warn_at: [50%, 75%]
  coverage: always
  holidays: [2026-12-25]
  joint_attendance: offer
lone_worker: {check_in_every: PT30M, then: [duty_officer]}
responders:
  - {id: asha, name: Asha Patel, phones: {sms: "+447700900101"}, skills: [scam], wards: [Town]}
  - {id: dee, name: Dee Okoro, phones: {voice: "+442079460109"}, roles: [duty_officer]}
rota:
  - {responder: asha, days: [mon, fri], from: "22:00", to: "06:00"}
  - {responder: dee, from: "2026-12-24T09:00", to: "2026-12-24T24:00", off: true}
escalation:
  - {after: PT0M, action: offer, to: best_responder, answer_within: PT5M}
  - {after: PT30S, action: notify, to: duty_officer}
on_call: [asha]
contacts: {duty_officer: "+447700900109"}
"""


def faults_of(text: str) -> list[Fault]:
    """What is wrong with it; nothing but DefinitionFaults may come out."""
    try:
        parse(text, "service.yaml")
    except DefinitionFaults as refused:
        return refused.faults
    return []


def test_the_file_becomes_the_definition_that_rules_read() -> None:
    service = parse(TEXT, "service.yaml").to_definition(7, LONDON)
    assert service == core.ServiceDefinition(
        version=7,
        name="Testborough",
        hotline="+442079460100",
        zone=LONDON,
        wards=("Town", "Village"),
        postcode_districts=("BR1",),
        sla=core.SlaPolicy(
            timedelta(hours=2), timedelta(minutes=15), (0.5, 0.75), None, frozenset({date(2026, 12, 25)})
        ),
        responders=(
            core.Responder(
                "asha", "Asha Patel", "+447700900101", None, frozenset({Skill.SCAM}), frozenset({"Town"})
            ),
            core.Responder(
                "dee", "Dee Okoro", None, "+442079460109", roles=frozenset({ContactRole.DUTY_OFFICER})
            ),
        ),
        rota=(
            core.WeeklyShift("asha", frozenset({0, 4}), time(22), time(6)),
            core.DatedShift("dee", datetime(2026, 12, 24, 9), datetime(2026, 12, 25), off=True),  # noqa: DTZ001
        ),
        escalation=(
            core.Rung(timedelta(), core.RungAction.OFFER, "best_responder", timedelta(minutes=5)),
            core.Rung(timedelta(seconds=30), core.RungAction.NOTIFY, "duty_officer", None, (core.Means.SMS,)),
        ),
        on_call=("asha",),
        contacts={ContactRole.DUTY_OFFICER: "+447700900109"},
        lone_worker=core.LoneWorker(timedelta(minutes=30), (ContactRole.DUTY_OFFICER,)),
    )


def test_opening_hours_become_hours_per_weekday() -> None:
    text = TEXT.replace(
        "coverage: always", 'coverage: {mon: ["13:00 – 24:00", "09:00-12:30"], tue: "09:00-17:00"}'
    )
    assert parse(text, "service.yaml").to_definition(1, LONDON).sla.coverage == {
        0: (core.OpeningHours(time(9), time(12, 30)), core.OpeningHours(time(13), None)),
        1: (core.OpeningHours(time(9), time(17)),),
    }


@each(
    ("old", "new"),
    [
        ('"22:00"', "22:00"),  # YAML 1.1 takes it for 1320
        ('"+447700900101"', "+447700900101"),  # and this for a number
        ("{id: asha", '{"id": asha'),
        ("mon, fri", "'mon', \"fri\""),
        ("PT2H", "PT120M"),
        ("PT2H", "PT7200S"),
        ('"2026-12-24T24:00"', "2026-12-25 00:00"),
        ("[asha]", "\n  - asha"),
        ("name: Testborough", "name:   'Testborough '"),
    ],
)
def test_other_spellings_mean_the_same(old: str, new: str) -> None:
    assert parse(TEXT.replace(old, new), "service.yaml") == parse(TEXT, "service.yaml")


def test_midnight_ends_a_shift_under_both_its_names() -> None:
    ends = [
        parse(TEXT.replace('"06:00"', f'"{t}"'), "x").to_definition(1, LONDON).rota[0].end
        for t in ("00:00", "24:00")
    ]
    assert ends == [None, None]


def test_what_may_be_left_out() -> None:
    text = TEXT
    for line in ("  accept", "  warn", "  cover", "  holi", "  joint", "lone", "on_call", "contacts"):
        text = "\n".join(kept for kept in text.split("\n") if not kept.startswith(line))
    service = parse(text, "service.yaml").to_definition(1, LONDON)
    assert service.sla == core.SlaPolicy(timedelta(hours=2), timedelta(minutes=15), (0.5, 0.75, 0.9))
    assert (service.lone_worker, service.on_call, service.contacts) == (None, (), {})


# ---------------------------------------------------------------- faults

FAULTS = [
    # (what is written, what is written instead, line, field, words of the message)
    ("respond_within:", "repsond_within:", 6, "sla.repsond_within", "Did you mean “respond_within”?"),
    ("  respond_within: PT2H\n", "", 5, "sla.respond_within", "is missing"),
    ("on_call:", "oncall_people:", 22, "oncall_people", "no such key"),
    ("skills:", "talents:", 14, "responders[0].talents", "Known here: id, name, phones"),
    (
        "off: true",
        "off: true, why: leave",
        18,
        "rota[1].why",
        "Known here: days, from, off, on_holidays, responder, to",
    ),
    ('"06:00"}', '"06:00", off: true}', 17, "rota[0].off", "only a shift with dates"),
    ("on_call: [asha]", "on_call: [asha]\non_call: []", 23, "on_call", "already written on line 22"),
    ("PT2H", "2h", 6, "sla.respond_within", "such as PT2H"),
    ("PT2H", "P1M", 6, "sla.respond_within", "such as PT2H"),
    ("PT2H", "P", 6, "sla.respond_within", "such as PT2H"),
    ("PT2H", "PT", 6, "sla.respond_within", "such as PT2H"),
    ("PT2H", "-PT2H", 6, "sla.respond_within", "such as PT2H"),
    ("PT2H", "P99W", 6, "sla.respond_within", "longer than a year"),
    ("PT2H", "PT0S", 6, "sla.respond_within", "longer than zero"),
    ("PT15M", "PT0M", 7, "sla.accept_within", "longer than zero"),
    ("PT2H", "", 6, "sla.respond_within", "is empty"),
    ("PT2H", "[PT2H]", 6, "sla.respond_within", "a list is not a duration"),
    ("PT30M", "PT0M", 12, "lone_worker.check_in_every", "longer than zero"),
    ("then: [duty_officer]", "then: []", 12, "lone_worker.then", "at least one"),
    ("then: [duty_officer]", "then: [asha]", 12, "lone_worker.then[0]", "Write duty_officer, team_leader"),
    ("75%", "50%", 8, "sla.warn_at[1]", "rising order"),
    ("75%", "100%", 8, "sla.warn_at[1]", "between 0% and 100%"),
    ("75%", "0%", 8, "sla.warn_at[1]", "between 0% and 100%"),
    ("75%", "0.75", 8, "sla.warn_at[1]", "such as 50%"),
    ("always", "weekdays", 9, "sla.coverage", "hours per weekday"),
    ("always", "[mon]", 9, "sla.coverage", "hours per weekday"),
    ("always", "{}", 9, "sla.coverage", "no opening hours"),
    ("always", "{mon: []}", 9, "sla.coverage", "no opening hours"),
    ("always", '{monday: ["09:00-17:00"]}', 9, "sla.coverage.monday", "Did you mean “mon”?"),
    ("always", '{hours: ["09:00-17:00"]}', 9, "sla.coverage.hours", "Known here: fri, mon"),
    ("always", "{mon: [9-17]}", 9, "sla.coverage.mon[0]", "“09:00-17:00”"),
    ("always", '{mon: ["22:00-02:00"]}', 9, "sla.coverage.mon[0]", "“00:00-02:00” on the next day"),
    ("always", '{mon: ["09:00-13:00", "12:00-17:00"]}', 9, "sla.coverage.mon[1]", "overlaps"),
    ("2026-12-25", "25/12/2026", 10, "sla.holidays[0]", "such as 2026-12-25"),
    ("2026-12-25", "2026-02-29", 10, "sla.holidays[0]", "not in the calendar"),
    ("2026-12-25", "2026-12-25, 2026-12-25", 10, "sla.holidays[1]", "listed twice"),
    ("[2026-12-25]", "2026-12-25", 10, "sla.holidays", "a list, such as"),
    ("joint_attendance: offer", "joint_attendance: ask", 11, "sla.joint_attendance", "Write offer or hold"),
    ("[Town, Village]", "[]", 3, "service.area.wards", "at least one"),
    ("[Town, Village]", "[Town, TOWN]", 3, "service.area.wards[1]", "listed twice"),
    ("BR1", "BR1 3UH", 3, "service.area.postcode_districts[0]", "in capitals"),
    ("name: Testborough", "name: [Testborough]", 2, "service.name", "one text"),
    ("name: Testborough", 'name: ""', 2, "service.name", "1 to 120"),
    ("name: Testborough", 'name: "Test\\u200bborough"', 2, "service.name", "cannot be seen"),
    ('"+442079460100"', "02079460100", 4, "service.hotline", "+442079460100"),
    ('"+442079460100"', '"+44 20 7946 0100"', 4, "service.hotline", "+442079460100"),
    ('"+442079460100"', '"+4420794601"', 4, "service.hotline", "too few or too many"),
    ('"+442079460100"', '"+999123456789"', 4, "service.hotline", "too few or too many"),
    ('sms: "+447700900101"', 'sms: "+442079460101"', 14, "responders[0].phones.sms", "cannot take texts"),
    ('sms: "+447700900101"', 'sms: "+44770090010"', 14, "responders[0].phones.sms", "too few or too many"),
    ('sms: "+447700900101"', 'sms: "07700 900101"', 14, "responders[0].phones.sms", "+447700900101"),
    ('{sms: "+447700900101"}', "{}", 14, "responders[0].phones", "“sms”, “voice” or both"),
    ('{sms: "+447700900101"}', "yes", 14, "responders[0].phones", "a group of keys"),
    ('"+442079460109"', '"+447700900101"', 15, "responders[1].phones.voice", "another responder’s"),
    ("id: dee", "id: asha", 15, "responders[1].id", "Choose another"),
    ("id: dee", "id: Dee O", 15, "responders[1].id", "small letters"),
    ("skills: [scam]", "skills: [scams]", 14, "responders[0].skills[0]", "doorstep_crime or scam"),
    ("skills: [scam]", "skills: [scam, scam]", 14, "responders[0].skills[1]", "listed twice"),
    ("roles: [duty_officer]", "roles: [handler]", 15, "responders[1].roles[0]", "Write duty_officer"),
    ("wards: [Town]}", "wards: [Twon]}", 14, "responders[0].wards[0]", "Did you mean “Town”?"),
    ("wards: [Town]}", "wards: [Elsewhere]}", 14, "responders[0].wards[0]", "Add it there"),
    ("{responder: asha", "{responder: ahsa", 17, "rota[0].responder", "Did you mean “asha”?"),
    ("mon, fri", "mon, friday", 17, "rota[0].days[1]", "mon, tue, wed"),
    ("mon, fri", "", 17, "rota[0].days", "at least one"),
    ("days: [mon, fri], ", "", 17, "rota[0].days", "is missing"),
    ("mon, fri", "mon, mon", 17, "rota[0].days[1]", "listed twice"),
    ('"22:00"', '"24:00"', 17, "rota[0].from", "only end a shift"),
    ('"22:00"', '"9:00"', 17, "rota[0].from", "such as “09:00”"),
    ('"22:00"', "22", 17, "rota[0].from", "such as “09:00”"),
    ('"06:00"', '"24:30"', 17, "rota[0].to", "or “24:00”"),
    ("T09:00", "T09:00Z", 18, "rota[1].from", "without an offset"),
    ("T09:00", "T24:00", 18, "rota[1].from", "such as “2026-12-24T09:00”"),
    ("2026-12-24T09:00", "2026-11-31T09:00", 18, "rota[1].from", "not in the calendar"),
    ("2026-12-24T24:00", "2026-12-24T08:00", 18, "rota[1].to", "is not after “from”"),
    ("off: true", "off: yes", 18, "rota[1].off", "true or false"),
    ("PT30S, action", "PT30, action", 21, "escalation[1].after", "such as PT2H"),
    ("after: PT0M", "after: PT31S", 21, "escalation[1].after", "rising order"),
    ("action: notify", "action: shout", 21, "escalation[1].action", "Write offer or notify"),
    ("to: best_responder", "to: duty_officer", 20, "escalation[0].to", "best_responder, next_responder"),
    ("to: duty_officer}", "to: best_responder}", 21, "escalation[1].to", "does not fit “notify”"),
    ("to: best_responder", "to: asha", 20, "escalation[0].to", "cannot be asked or told"),
    (", answer_within: PT5M", "", 20, "escalation[0].answer_within", "such as PT5M"),
    ("answer_within: PT5M", "answer_within: PT0M", 20, "escalation[0].answer_within", "longer than zero"),
    ("answer_within: PT5M", "answer_within: PT5M, by: [sms]", 20, "escalation[0].by", "belongs to notices"),
    (
        "to: duty_officer}",
        "to: duty_officer, answer_within: PT5M}",
        21,
        "escalation[1].answer_within",
        "offers",
    ),
    ("to: duty_officer}", "to: duty_officer, by: []}", 21, "escalation[1].by", "at least one"),
    ("to: duty_officer}", "to: duty_officer, by: [post]}", 21, "escalation[1].by[0]", "sms or voice"),
    ("on_call: [asha]", "on_call: [asah]", 22, "on_call[0]", "Did you mean “asha”?"),
    ("on_call: [asha]", "on_call: [nobody]", 22, "on_call[0]", "Add the responder"),
    ("on_call: [asha]", "on_call:", 22, "on_call", "is empty"),
    ("{duty_officer: ", "{officer: ", 23, "contacts.officer", "Did you mean “duty_officer”?"),
    ("contacts: {", "contacts: {<<: {}, ", 23, "contacts.<<", "merging"),
    ("{duty_officer: ", "{desk: 159, duty_officer: ", 23, "contacts.desk", "international phone number"),
    ("  - {id: dee", "  - dee\n  - {id: dee", 15, "responders[1]", "a group of keys"),
    ("  - {after: PT0M", "  - {after: PT0M, action: notify, to: desk}\n  #", 19, "escalation", "to nobody"),
    # not YAML
    ("  name: Test", "\tname: Test", 2, "", "tabs"),
    ("name: Testborough", "name: Test: borough", 2, "", "put the text in quotes"),
    ("wards: [Town, Village]", "wards: [Town, Village", 3, "", "bracket is missing"),
    ('duty_officer: "+447700900109"', 'duty_officer: "+447700900109', 23, "", "closing quote"),
    ("on_call: [asha]", "on_call: [asha", 23, "", "opened on line 22"),
    ("  hotline", " hotline", 4, "", "does not line up"),
    ("on_call: [asha]", "on_call: *asha", 22, "", "anchor"),
    ("on_call: [asha]", "on_call: !!python/name:os.system x", 22, "", "Tags"),
    ("on_call: [asha]", "? [a]\n: b", 22, "", "must be a word"),
    ("on_call: [asha]", "on_call: [\x07]", 22, "", "UTF-8"),
    ("on_call: [asha]", "on_call: @asha", 22, "", "quotes"),
    ("on_call: [asha]", "---\non_call: [asha]", 22, "", "Only one"),
    ("Testborough", '"a\\qb"', 2, "", "backslash"),
]


@each(("old", "new", "line", "field", "words"), FAULTS)
def test_a_fault_names_line_and_field_and_what_to_do(
    old: str, new: str, line: int, field: str, words: str
) -> None:
    assert old in TEXT
    found = faults_of(TEXT.replace(old, new, 1))
    fitting = [fault for fault in found if (fault.line, fault.field) == (line, field)]
    assert any(words in fault.message for fault in fitting), found
    assert str(fitting[0]).startswith(f"service.yaml:{line}: ")


def test_all_faults_are_reported_together_those_between_keys_too() -> None:
    text = (
        TEXT.replace("PT2H", "two hours").replace("[asha]", "[bob]").replace("to: duty_officer}", "to: asha}")
    )
    assert [(fault.line, fault.field) for fault in faults_of(text)] == [
        (6, "sla.respond_within"),
        (21, "escalation[1].to"),
        (22, "on_call[0]"),
    ]


def test_a_missing_list_of_responders_is_one_fault_not_many() -> None:
    text = TEXT.replace("responders:\n", "people:\n")
    assert [fault.field for fault in faults_of(text)] == ["responders", "people"]


@each(
    ("text", "words"),
    [
        ("", "empty"),
        ("# nothing but a comment\n", "empty"),
        ("just words", "group of keys"),
        ("- a list", "group of keys"),
        ("a: " + "[" * 50, "too deeply"),
        ("a: &a [*a]", "too deeply"),
        ("a: &a {b: *a}", "too deeply"),
        ("x" * 1_000_001, "1 MB"),
        (
            "a: &a [l,o,l]\n"
            + "".join(
                f"{b}: &{b} [{','.join(f'*{a}' for _ in range(9))}]\n"
                for a, b in zip("abcdefghi", "bcdefghij", strict=True)
            ),
            "far too many",
        ),
    ],
)
def test_texts_that_are_no_definition_at_all(text: str, words: str) -> None:
    (fault,) = faults_of(text)
    assert words in fault.message


def test_reading_from_disk_says_what_is_wrong_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "service.yaml"
    with pytest.raises(DefinitionFaults, match="cannot be read"):
        read(path)
    path.write_bytes(b"service:\n  name: \xff\n")
    with pytest.raises(DefinitionFaults, match=":2: This is not UTF-8"):
        read(path)
    path.write_bytes(b"\xc3\xa9" * 600_000)
    with pytest.raises(DefinitionFaults, match="1 MB"):
        read(path)
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert read(path) == parse(TEXT, "service.yaml")


@given(st.integers(0, len(TEXT)), st.integers(0, 12), st.text(max_size=8))
@example(0, 0, "\ud800")
@settings(max_examples=40, deadline=None)
def test_a_spoilt_file_is_refused_or_read_but_never_a_traceback(at: int, cut: int, junk: str) -> None:
    for fault in faults_of(TEXT[:at] + junk + TEXT[at + cut :]):
        assert fault.message
        assert 1 <= fault.line <= TEXT.count("\n") + 10


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from([*OFFER_TO, *NOTIFY_TO, "asha"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from(
        ["service", "sla", "lone_worker", "responders", "rota", "escalation", "on_call", "contacts"]
    ),
    ODD,
)
@settings(max_examples=40, deadline=None)
def test_odd_values_are_refused_or_read_but_never_a_traceback(key: str, value: object) -> None:
    lines = TEXT.split("\n")
    begins = next(n for n, line in enumerate(lines) if line.startswith(f"{key}:"))
    ends = next(n for n in range(begins + 1, len(lines)) if not lines[n].startswith(" "))
    faults_of("\n".join([*lines[:begins], f"{key}: {json.dumps(value)}", *lines[ends:]]))


_SIGNS = st.sampled_from(
    [*"ab1 :-?,[]{}#&*!|>'\"%@\n\t~=é", "- ", ": ", "\n  ", "|\n ", "&a ", "*a", "\ufeff", "\ud800"]
)


@pytest.mark.skipif(source._InC is None, reason="PyYAML was built without libyaml")
@given(st.lists(st.tuples(st.integers(0, len(TEXT)), st.integers(0, 9), _SIGNS), min_size=1, max_size=3))
@example([(TEXT.index("asha"), 0, "?")])
@example([(TEXT.index("asha"), 0, "!own ")])
@settings(max_examples=100, deadline=None)
def test_a_file_means_the_same_with_libyaml_and_without(changes: list[tuple[int, int, str]]) -> None:
    text = TEXT
    for at, cut, sign in changes:
        text = text[:at] + sign + text[at + cut :]
    with_it = _what_stands_in(text)
    with patch.object(source, "_InC", None):
        assert _what_stands_in(text) == with_it


def _what_stands_in(text: str) -> object:
    try:
        return source.read_yaml(text)
    except source.Unreadable as refused:
        return refused.line, str(refused)


# ---------------------------------------------------------------- the models keep to the core


def test_every_contact_role_has_its_key_and_can_be_told() -> None:
    assert set(ServiceFile.model_fields) == {
        "service", "sla", "lone_worker", "responders", "rota", "escalation", "on_call", "contacts",
        "neighbours", "retention",
    }  # fmt: skip
    contacts = ", ".join(f'{role}: "+4477009002{n:02}"' for n, role in enumerate(ContactRole))
    service = parse(TEXT.replace('duty_officer: "+447700900109"', contacts), "service.yaml")
    assert set(service.contacts.numbers()) == set(ContactRole) == set(NOTIFY_TO)
