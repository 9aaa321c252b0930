"""What does not fit is refused with what to do; nothing is stored, nothing is repeated, nothing breaks."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx

from rapid_response.core.facts import BOOLEAN_FACTS, TIME_FACTS
from rapid_response.storage.tables import IncidentRow, ReportRow
from tests.builders import paid_today
from tests.harness import Town

CANARY = "Zebedee-Quux-7731"
REPORTS = "/api/v1/reports"


def body(**changes: Any) -> dict[str, Any]:
    """A good report with some parts wrong."""
    return {**paid_today(), **changes}


#: One wrong value a field: the field that must be named, and the body.
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("channel", body(channel=CANARY)),
    ("channel", {k: v for k, v in body().items() if k != "channel"}),
    ("narrative", {k: v for k, v in body().items() if k != "narrative"}),
    ("narrative", body(narrative="")),
    ("narrative", body(narrative=" \n\t ")),
    ("narrative", body(narrative=[CANARY])),
    ("narrative", body(narrative=CANARY + "x" * 20_000)),
    ("received_at", body(received_at=CANARY)),
    ("received_at", body(received_at="2026-07-15T12:00:00")),
    ("received_at", body(received_at="0001-01-01T00:00:00+14:00")),
    ("received_at", body(received_at="9999-12-31T23:59:59-14:00")),
    ("received_at", body(received_at=1e30)),
    ("external_reference", body(external_reference=CANARY + "x" * 200)),
    ("back_entry", body(back_entry=CANARY)),
    ("caller", body(caller=CANARY)),
    ("victim", body(victim=[CANARY])),
    ("location", body(location=CANARY)),
    ("suspect", body(suspect=7)),
    ("safe_contact", body(safe_contact=CANARY)),
    ("answers", body(answers=CANARY)),
    *[(f"caller.{f}", body(caller={f: {CANARY: 1}})) for f in ("name", "phone", "email", "role")],
    *[(f"victim.{f}", body(victim={f: CANARY + "x" * 200})) for f in ("name", "phone")],
    *[("victim.age", body(victim={"age": age})) for age in (-1, 131, CANARY, 1e400)],
    ("victim.lives_alone", body(victim={"lives_alone": CANARY})),
    ("victim.vulnerabilities", body(victim={"vulnerabilities": CANARY})),
    ("victim.vulnerabilities.0", body(victim={"vulnerabilities": [7]})),
    ("victim.vulnerabilities", body(victim={"vulnerabilities": ["a"] * 31})),
    *[(f"safe_contact.{f}", body(safe_contact={f: "yes"})) for f in ("sms", "voice", "voicemail")],
    ("safe_contact.note", body(safe_contact={"note": CANARY + "x" * 2000})),
    *[(f"location.{f}", body(location={f: [CANARY]})) for f in ("address", "postcode", "ward")],
    *[("location.latitude", body(location={"latitude": v})) for v in (91, -91, CANARY)],
    *[("location.longitude", body(location={"longitude": v})) for v in (181, -181, CANARY)],
    *[
        (f"suspect.{f}", body(suspect={f: {"a": CANARY}}))
        for f in ("name", "company", "phone", "vehicle_registration", "website", "description")
    ],
    *[(f"answers.{f}", body(answers={f: CANARY})) for f in BOOLEAN_FACTS],
    *[(f"answers.{f}", body(answers={f: "2026-07-15 noon " + CANARY})) for f in TIME_FACTS],
    *[("answers.amount_gbp", body(answers={"amount_gbp": v})) for v in (-1, 1e8, "1.005", CANARY)],
    ("answers.payment_method", body(answers={"payment_method": CANARY})),
]

#: Keys nobody knows, at every level; what is sent as a key is not said again.
UNKNOWN = [
    body(**{CANARY: True}),
    *[body(**{part: {CANARY: True}}) for part in ("caller", "victim", "location", "suspect", "answers")],
    body(safe_contact={"sms": True, CANARY: CANARY}),
]

RAW: list[bytes] = [
    b"",
    b"null",
    b"[]",
    b'"' + CANARY.encode() + b'"',
    b"{" + CANARY.encode(),
    b'{"channel": "phone", "narrative": "\xff\xfe' + CANARY.encode() + b'"}',
    b'{"channel": "phone", "narrative": "' + CANARY.encode() + b' \\ud800 alone"}',
    b"[" * 50_000,
    b'{"a":' * 20_000,
    b'{"channel": "phone", "narrative": ' + b"9" * 5_000 + b"}",
]


def is_a_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """A problem document that a person can act on, and that repeats nothing."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert CANARY not in answer.text
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert len(document["detail"]) > 20
    return document


async def nothing_was_stored(town: Town) -> None:
    """No incident and no report, whole or in part."""
    assert [*await town.rows(IncidentRow), *await town.rows(ReportRow)] == []


async def test_every_field_wrong_in_turn_is_named_and_never_repeated(town: Town) -> None:
    for field, wrong in WRONG:
        sent = json.dumps(wrong).replace("Infinity", "1e400")
        answer = await town.http.post(REPORTS, content=sent, headers={"content-type": "application/json"})
        document = is_a_problem(answer, 422)
        named = [error["field"] for error in document["errors"]]
        assert any(name == field or name.startswith(f"{field}.") for name in named), (field, named)
        assert all(error["message"] for error in document["errors"])
    await nothing_was_stored(town)


async def test_unknown_keys_are_refused_and_near_ones_explained(town: Town) -> None:
    for wrong in UNKNOWN:
        is_a_problem(await town.post(REPORTS, wrong), 422)
    near = await town.post(REPORTS, body(answers={"suspect_on_premisses": True}))
    (error,) = is_a_problem(near, 422)["errors"]
    assert "did you mean suspect_on_premises?" in error["message"]
    await nothing_was_stored(town)


async def test_what_is_no_json_is_refused(town: Town) -> None:
    for raw in RAW:
        answer = await town.http.post(REPORTS, content=raw, headers={"content-type": "application/json"})
        assert answer.status_code in (400, 422), (raw[:40], answer.text)
        is_a_problem(answer, answer.status_code)
    form = await town.http.post(REPORTS, data={"channel": CANARY})
    assert form.status_code in (400, 415, 422)
    is_a_problem(form, form.status_code)
    await nothing_was_stored(town)


async def test_oversize_is_refused_before_it_is_read(town: Town) -> None:
    async def endless() -> Any:
        for _ in range(40):
            yield CANARY.encode() * 1000

    huge = {"channel": "phone", "narrative": CANARY * 20_000}
    is_a_problem(await town.post(REPORTS, huge), 413)
    unannounced = await town.http.post(REPORTS, content=endless())
    assert unannounced.status_code in (400, 413)
    is_a_problem(unannounced, unannounced.status_code)
    await nothing_was_stored(town)


async def test_the_longest_legal_report_is_taken_and_odd_characters_made_storable(town: Town) -> None:
    long = "é😀" * 10_000
    assert (await town.post(REPORTS, body(narrative=long))).status_code == 201
    await town.pass_time(seconds=1)
    odd = await town.post(
        REPORTS, body(narrative="a\u0000b\u202ec\u200dd\r\ne", caller={"name": "O\u0000Neil"})
    )
    assert odd.status_code == 201, odd.text
    (report,) = (await (await town.newest()).now())["reports"]
    assert report["narrative"] == "abc\u200dd\ne"
    assert report["caller"]["name"] == "ONeil"


WRONG_ACTIONS: list[tuple[str, dict[str, Any], str | None]] = [
    ("accept", {}, "responder"),
    ("assign", {"responder": CANARY}, "responder"),
    ("assign", {"responder": ""}, "responder"),
    ("close", {"disposition": CANARY}, "disposition"),
    ("remote_response", {"protective_act": CANARY}, "protective_act"),
    ("police_handover", {"cad_reference": "\u0000"}, "cad_reference"),
    ("pause", {"reason": CANARY}, "reason"),
    ("pause", {"reason": "police_requested_hold", "until": CANARY}, "until"),
    *[
        ("pause", {"reason": "police_requested_hold", "until": until}, "until")
        for until in ("9999-12-31T23:59:59-14:00", "2026-07-16T09:00:00", 2_000_000_000)
    ],
    ("set_priority", {"priority": CANARY}, "priority"),
    ("task_done", {"task": CANARY}, "task"),
    ("note", {"body": ""}, "body"),
    ("note", {"body": CANARY + "x" * 5000}, "body"),
    ("release", {CANARY: 1}, None),
    ("reclassify", {"category": CANARY}, "category"),
    ("reclassify", {"category": "scam", "subtype": CANARY + "x" * 60}, "subtype"),
]


async def test_an_action_with_a_wrong_body_does_nothing(town: Town) -> None:
    case = await town.takes(paid_today())
    before = await town.events(case.reference)
    for action, sent, field in WRONG_ACTIONS:
        document = is_a_problem(await case.try_to(action, **sent), 422)
        assert field in {None, *(error["field"] for error in document["errors"])}, (action, document)
    assert await town.events(case.reference) == before


async def test_unknown_actions_cases_and_cursors_say_what_there_is(town: Town) -> None:
    case = await town.takes(paid_today())
    actions = is_a_problem(await case.try_to(CANARY), 404)
    assert "remote_response" in actions["detail"]
    is_a_problem(await town.try_to(CANARY, "note", body="x"), 404)
    is_a_problem(await town.http.get(f"/api/v1/incidents/{CANARY}"), 404)
    is_a_problem(await town.http.get(f"/api/v1/{CANARY}"), 404)
    is_a_problem(await town.http.delete(REPORTS), 405)
    no_zone = base64.urlsafe_b64encode(b'["2026-10-12T12:00:00", "1"]').decode()
    for query in (
        {"cursor": CANARY},
        {"cursor": no_zone},
        {"status": CANARY},
        {"limit": "0"},
        {"overdue": CANARY},
    ):
        is_a_problem(await town.http.get("/api/v1/incidents", params=query), 422)
    for period in ({"month": CANARY}, {"month": "2026-13"}, {"month": "0000-01"}, {}, {"Month": "2026-07"}):
        is_a_problem(await town.http.get("/api/v1/reports/board", params=period), 422)
    no_key = await town.post(REPORTS, paid_today(), headers={"authorization": f"Bearer {CANARY}"})
    is_a_problem(no_key, 401)
    off = await town.post("/api/v1/responders/asha/availability", {"state": CANARY})
    is_a_problem(off, 422)


async def test_a_report_of_another_period_or_moment_than_was_meant_is_refused(town: Town) -> None:
    """Figures that are all nought look like a quiet month."""
    await town.takes(paid_today())
    for asked in (
        {"month": "2026"},
        {"month": "2026-Q3"},
        {"quarter": "2026-07"},
        {"year": "2026-07"},
        {"month": "2026-07", "year": "2026"},
        {"month": "2026-07", "as_at": "2026"},
        {"month": "2026-07", "as_at": "20261101"},
        {"month": "2026-07", "as_at": "2026-07-15"},
        {"month": "2026-07", "as_at": "0001-01-01T00:00:00+14:00"},
        {"month": "2026-07", "asat": "2026-07-15T09:00:00+01:00"},
    ):
        answer = await town.http.get("/api/v1/reports/board", params=asked)
        assert answer.status_code == 422, asked
        is_a_problem(answer, 422)


async def test_a_time_that_is_none_is_refused_wherever_one_is_given(town: Town) -> None:
    for given in ("9999-12-31T23:59:59-14:00", "2026-07-16T09:00:00", 2_000_000_000):
        for name in ("from", "until"):
            off = {"state": "off", "until": "2026-12-24T17:00:00Z", name: given}
            refused = is_a_problem(await town.post("/api/v1/responders/asha/availability", off), 422)
            assert refused["errors"][0]["field"] == name
        asked = await town.http.get("/api/v1/rota/asked", params={"at": given})
        assert is_a_problem(asked, 422)["errors"][0]["field"] == "at"
    # As partners-api.md writes it: a plus in an address reads as a space.
    assert (await town.http.get("/api/v1/rota/asked?at=2026-10-25T03:10:00+00:00")).is_success
