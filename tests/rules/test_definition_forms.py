"""The same service as YAML, as stored and as a digest; and what changes from one to another."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapid_response.core.vocabulary import ContactRole, Skill
from rapid_response.definition import (
    DefinitionFaults,
    ServiceFile,
    changes,
    digest,
    export,
    from_stored,
    parse,
    to_stored,
)
from rapid_response.definition.durations import (
    duration_text,
    in_words,
    months_text,
    parse_duration,
    parse_months,
)
from tests.cases import each

# ---------------------------------------------------------------- any service at all

awkward = [
    "yes",
    "No",
    "null",
    "~",
    "true",
    "off",
    "1e3",
    "12:30",
    "2026-01-01",
    "# a",
    "a: b",
    "- x",
    "'",
    '"',
    "&a",
]
names = st.sampled_from(awkward) | st.text("aé’😀 :#-'\"{}[],&*!|>%@`\\0", min_size=3, max_size=8).map(
    "x".__add__
)
durations = st.integers(1, 86_400 * 30).map(lambda seconds: duration_text(timedelta(seconds=seconds)))
clock = st.times().map(lambda t: t.strftime("%H:%M"))
days = st.lists(
    st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1, max_size=4, unique=True
)
hours = st.sampled_from([["09:00-17:00"], ["00:00-24:00"], ["09:00-12:00", "13:00-17:30"], []])
moments = st.integers(0, 365 * 1440).map(lambda n: datetime(2026, 1, 1) + timedelta(minutes=n))  # noqa: DTZ001
roles = st.lists(st.sampled_from([*ContactRole]).map(str), max_size=2, unique=True)


@st.composite
def services(draw: st.DrawFn) -> ServiceFile:
    """Any service that loads, built from the plain values of a file."""
    wards = draw(st.lists(names, min_size=1, max_size=4, unique_by=str.casefold))
    ids = draw(
        st.lists(
            st.from_regex(r"[a-z]{2,6}(-[0-9]{1,2})?", fullmatch=True), min_size=1, max_size=4, unique=True
        )
    )
    rises = sorted(draw(st.lists(st.integers(0, 7200), min_size=1, max_size=4)))
    return ServiceFile.model_validate(
        {
            "service": {
                "name": draw(names),
                "area": {"wards": wards, "postcode_districts": draw(st.sampled_from([[], ["BR1", "SE20"]]))},
                "hotline": "+442079460100",
            },
            "sla": {
                "respond_within": draw(durations),
                "accept_within": draw(durations),
                "warn_at": [f"{s / 100:g}%" for s in sorted(draw(st.sets(st.integers(1, 9999), max_size=4)))],
                "coverage": draw(
                    st.just("always")
                    | st.fixed_dictionaries(
                        {"mon": st.just(["09:00-17:00"])}, optional={"fri": hours, "sat": hours}
                    )
                ),
                "holidays": [
                    str(d) for d in draw(st.sets(st.dates(date(2026, 1, 1), date(2028, 1, 1)), max_size=3))
                ],
            },
            "lone_worker": draw(st.none() | st.just({"check_in_every": "PT30M", "then": ["desk"]})),
            "responders": [
                {
                    "id": name,
                    "name": draw(names),
                    "phones": draw(
                        st.sampled_from([{"sms": f"+4477009001{n:02}"}, {"voice": f"+4420794601{n:02}"}])
                    ),
                    "skills": draw(st.lists(st.sampled_from([*Skill]).map(str), max_size=2, unique=True)),
                    "wards": draw(st.lists(st.sampled_from(wards), max_size=2, unique=True)),
                    "roles": draw(roles),
                }
                for n, name in enumerate(ids)
            ],
            "rota": [draw(_shift(ids)) for _ in range(draw(st.integers(0, 4)))],
            "escalation": [
                _rung(rise, n, draw(st.booleans()), draw(st.sampled_from([None, ["sms"], ["voice", "sms"]])))
                for n, rise in enumerate(rises)
            ],
            "on_call": draw(st.lists(st.sampled_from(ids), max_size=2, unique=True)),
            "contacts": {role: "+447700900199" for role in draw(roles)},
            "retention": draw(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "hoax": st.sampled_from(["P1M", "P18M"]),
                        "incident": st.sampled_from(["P1Y", "P3Y6M"]),
                        "notifications": st.integers(1, 360).map(months_text),
                        "texts": st.sampled_from(["P1D", "P366D"]),
                    },
                )
            ),
        }
    )


def _rung(rise: int, n: int, notice: bool, by: list[str] | None) -> dict[str, Any]:
    after = duration_text(timedelta(seconds=rise))
    if notice and n:
        return {"after": after, "action": "notify", "to": "desk"} | ({"by": by} if by else {})
    return {"after": after, "action": "offer", "to": "next_responder", "answer_within": "PT90S"}


@st.composite
def _shift(draw: st.DrawFn, ids: list[str]) -> dict[str, Any]:
    who = draw(st.sampled_from(ids))
    if draw(st.booleans()):
        return {
            "responder": who,
            "days": draw(days),
            "from": draw(clock),
            "to": draw(clock | st.just("24:00")),
        }
    start = draw(moments)
    end = start + timedelta(minutes=draw(st.integers(1, 3000)))
    times = {"from": start.isoformat(timespec="minutes"), "to": end.isoformat(timespec="minutes")}
    return {"responder": who, "off": draw(st.booleans())} | times


# ---------------------------------------------------------------- forms


@given(services())
@settings(max_examples=12, deadline=None)
def test_exported_or_stored_it_comes_back_the_same(service: ServiceFile) -> None:
    text = export(service)
    loaded = parse(text, "exported.yaml")
    stored = from_stored(json.loads(json.dumps(to_stored(service))))
    assert loaded == stored == service
    assert export(loaded) == text
    assert digest(loaded) == digest(stored) == digest(service)
    assert changes(service, loaded) == []


@given(services(), services(), st.sampled_from(sorted(ServiceFile.model_fields)))
@settings(max_examples=12, deadline=None)
def test_whatever_changes_is_said(one: ServiceFile, other: ServiceFile, section: str) -> None:
    new = from_stored(to_stored(one) | {section: to_stored(other)[section]})
    assert (digest(one) == digest(new)) == (one == new) == (changes(one, new) == [])


@given(st.integers(1, 360))
def test_years_and_months_are_read_as_they_are_written(months: int) -> None:
    assert parse_months(months_text(months)) == months


@given(st.timedeltas(timedelta(0), timedelta(days=366)))
def test_durations_are_read_as_they_are_written(length: timedelta) -> None:
    to_the_millisecond = length - timedelta(microseconds=length.microseconds % 1000)
    assert parse_duration(duration_text(to_the_millisecond)) == to_the_millisecond


@each(
    ("text", "canonical", "words"),
    [
        ("PT2H", "PT2H", "2 hours"),
        ("PT90M", "PT1H30M", "1 hour 30 minutes"),
        ("PT0M", "PT0M", "0 minutes"),
        ("P1W", "P7D", "7 days"),
        ("P1DT12H", "P1DT12H", "1 day 12 hours"),
        ("PT0.5S", "PT0.5S", "0.5 seconds"),
        ("PT61S", "PT1M1S", "1 minute 1 second"),
    ],
)
def test_durations_in_words(text: str, canonical: str, words: str) -> None:
    length = parse_duration(text)
    assert (duration_text(length), in_words(length)) == (canonical, words)


def test_a_stored_form_of_another_release_is_refused_with_its_field() -> None:
    with pytest.raises(DefinitionFaults, match=r"sla\.respond_within: is missing"):
        from_stored({"service": {}, "sla": {}})


# ---------------------------------------------------------------- changes

TEXT = """\
service:
  name: Testborough
  area: {wards: [Town, Village], postcode_districts: [BR1]}
  hotline: "+442079460100"
sla: {respond_within: PT2H, holidays: [2026-12-25]}
responders:
  - {id: asha, name: Asha, phones: {sms: "+447700900101"}, skills: [scam]}
  - {id: ben, name: Ben, phones: {sms: "+447700900102"}}
rota:
  - {responder: asha, days: [mon, tue], from: "09:00", to: "17:00"}
escalation:
  - {after: PT0M, action: offer, to: best_responder, answer_within: PT5M}
  - {after: PT15M, action: notify, to: duty_officer}
on_call: [ben]
contacts: {duty_officer: "+447700900109"}
"""


@each(
    ("old", "new", "said"),
    [
        ("PT2H", "PT90M", ["sla.respond_within: 2 hours -> 1 hour 30 minutes"]),
        ("name: Testborough", "name: Newborough", ["service.name: Testborough -> Newborough"]),
        ("Village", "Hamlet", ["added ward Hamlet", "removed ward Village"]),
        ("[BR1]", "[BR1, BR2]", ["added postcode district BR2"]),
        ("460100", "460199", ["service.hotline: +442079460100 -> +442079460199"]),
        ("2026-12-25", "2026-12-28", ["added holiday 2026-12-28", "removed holiday 2026-12-25"]),
        ("PT2H,", "PT2H, warn_at: [60%],", ["sla.warn_at: 50%, 75%, 90% -> 60%"]),
        ("PT2H,", 'PT2H, coverage: {mon: "09:00-17:00"},', ["sla.coverage: always -> mon 09:00-17:00"]),
        ("PT2H,", "PT2H, joint_attendance: hold,", ["sla.joint_attendance: offer -> hold"]),
        ("PT2H,", "PT2H, accept_within: PT10M,", ["sla.accept_within: 15 minutes -> 10 minutes"]),
        ("rota:", "  - {id: cy, name: Cy, phones: {sms: '+447700900103'}}\nrota:", ["added responder cy"]),
        ("name: Asha", "name: Asha P", ["responder asha: name changed"]),
        ("900101", "900111", ["responder asha: phones.sms: changed"]),
        (
            '"+447700900102"',
            '"+447700900102", voice: "+442079460102"',
            ["responder ben: phones.voice: added"],
        ),
        ("[scam]", "[scam, doorstep_crime]", ["responder asha: skills: scam -> doorstep_crime, scam"]),
        ("[scam]", "[scam], wards: [Town]", ["responder asha: wards: none -> Town"]),
        (
            '"17:00"',
            '"24:00"',
            ["added shift asha mon tue 09:00-24:00", "removed shift asha mon tue 09:00-17:00"],
        ),
        (
            "escalation:",
            '  - {responder: asha, from: "2026-12-24T09:00", to: "2026-12-24T17:00", off: true}\nescalation:',
            ["added shift asha off 2026-12-24T09:00 to 2026-12-24T17:00"],
        ),
        (
            "PT5M",
            "PT6M",
            [
                "escalation step 1: after 0 minutes offer to best_responder, 5 minutes to answer -> "
                "after 0 minutes offer to best_responder, 6 minutes to answer"
            ],
        ),
        (
            "on_call:",
            "  - {after: PT1H, action: notify, to: desk, by: [sms, voice]}\non_call:",
            ["escalation step 3: none -> after 1 hour tell desk by sms, voice"],
        ),
        ("[ben]", "[ben, asha]", ["on_call: ben -> ben, asha"]),
        ('"+447700900109"', '"+447700900108"', ["contacts.duty_officer: changed"]),
        ('{duty_officer: "+447700900109"}', "{}", ["contacts.duty_officer: removed"]),
        (
            "on_call:",
            "lone_worker: {check_in_every: PT30M, then: [desk]}\non_call:",
            ["lone_worker: none -> check in every 30 minutes, then desk"],
        ),
        ("[mon, tue]", "[tue, mon]", ["written in another order or another way; it means the same"]),
        (
            "to: duty_officer}",
            "to: duty_officer, by: [sms]}",
            ["written in another order or another way; it means the same"],
        ),
        (
            "on_call:",
            "retention: {advice_only: P18M, texts: P30D}\non_call:",
            [
                "retention.advice_only: 2 years -> 1 year 6 months",
                "retention.texts: 90 days -> 30 days",
            ],
        ),
        ("PT2H", "PT120M", []),
    ],
)
def test_changes_are_said_in_plain_words(old: str, new: str, said: list[str]) -> None:
    assert old in TEXT
    assert changes(parse(TEXT, "old"), parse(TEXT.replace(old, new, 1), "new")) == said


def test_the_first_load_says_what_came() -> None:
    assert changes(None, parse(TEXT, "new")) == [
        "new service: Testborough (2 responders, 1 rota lines, 2 escalation steps)"
    ]


def test_changes_name_no_private_number() -> None:
    other = TEXT.replace("+4477009001", "+4477009002")
    assert "+447" not in " ".join(changes(parse(TEXT, "old"), parse(other, "new")))
