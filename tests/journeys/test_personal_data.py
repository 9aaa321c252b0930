"""No name, number, address or word of a report ever leaves: not by text, not in the log, not in metrics."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rapid_response.storage.tables import MessageRow
from tests.harness import ASHA, BEN, DEE, DESK, HEAD, LEADER, Case, Town
from tests.journeys.browser import on_sqlite

#: Words that stand nowhere but in what people told us.
CANARIES = (
    "Zebedee",
    "Quuxington",
    "07700 900777",
    "900777",
    "zebedee@example.org",
    "Flumph Lane",
    "Xanadu Roofing",
    "ZX71 QQQ",
    "xanaduroofs.example",
    "purple cardigan",
    "abracadabra",
    "budgerigar",
    "5BZ",
)

REPORT: dict[str, Any] = {
    "channel": "phone",
    "narrative": "Zebedee from Xanadu Roofing is at 7 Flumph Lane now with a budgerigar, he wants cash from "
    "Mrs Quuxington, ring 07700 900777",
    "external_reference": "abracadabra-1",
    "caller": {"name": "Quuxington", "phone": "07700 900777", "email": "zebedee@example.org"},
    "victim": {
        "name": "Mrs Quuxington",
        "phone": "+447700900777",
        "age": 91,
        "vulnerabilities": ["abracadabra"],
    },
    "safe_contact": {"sms": True, "note": "say abracadabra"},
    "location": {"address": "7 Flumph Lane", "postcode": "BR1 5BZ", "ward": "Bromley Town"},
    "suspect": {
        "name": "Zebedee",
        "company": "Xanadu Roofing",
        "phone": "07700 900777",
        "vehicle_registration": "ZX71 QQQ",
        "website": "xanaduroofs.example",
        "description": "purple cardigan",
    },
    "answers": {"suspect_on_premises": True, "demands_money_now": True},
}


def leaked(text: str) -> list[str]:
    """Which canaries sing in a text."""
    return [canary for canary in CANARIES if canary.casefold() in text.casefold()]


@pytest.mark.long
async def test_t1_a_whole_case_leaks_nothing(town: Town) -> None:
    case = await town.takes(REPORT)
    await case.act("note", body="budgerigar says abracadabra")
    await case.hears(ASHA, "NO {n} Zebedee is my uncle")
    await case.hears(BEN, "abracadabra purple cardigan?")
    await town.pass_time(minutes=31)
    await case.act("assign", responder="asha", reason="knows Flumph Lane")
    await case.hears(ASHA, "HERE {n} at 7 Flumph Lane with Quuxington")
    await case.hears(ASHA, "NOBODY {n} only the budgerigar")
    await case.act("reclassify", category="doorstep_crime", subtype="Zebedee and his budgerigar")
    await case.act("pause", reason="victim_requested_later_time")
    await case.act("resume")
    await case.act("police_handover", cad_reference="abracadabra/99", note="purple cardigan seen")
    await case.act("disclose", kind="police", to="Constable Abracadabra", authority="Quuxington agrees")
    await case.act(
        "close",
        disposition="handed_to_police",
        note="Zebedee gone",
        safeguarding="not_met",
        safeguarding_reason="budgerigar",
    )
    await case.act("reopen", reason="Zebedee is back")
    await case.act("cancel", reason="budgerigar")

    sent = [message.body for message in await town.rows(MessageRow)]
    assert {phone for phone in (ASHA, BEN, DEE, LEADER) if await town.texts(phone)} == {
        ASHA,
        BEN,
        DEE,
        LEADER,
    }
    assert [leaked(body) for body in sent if leaked(body)] == []
    assert any("BR1 5" in body for body in sent)

    events = await town.events(case.reference)
    assert len(events) > 30
    assert [e["type"] for e in events if leaked(json.dumps(e))] == []
    assert leaked((await town.http.get("/metrics")).text) == []
    listed = (await town.http.get("/api/v1/incidents")).text
    assert case.reference in listed
    assert leaked(listed) == []
    assert leaked(json.dumps(await town.board("2026-07"))) == []
    whole = json.dumps(await case.now())
    assert set(leaked(whole)) >= {"Zebedee", "Flumph Lane", "purple cardigan"}  # where it belongs


async def test_t1_what_is_spoken_on_the_phone_leaks_nothing(town: Town) -> None:
    case = await town.takes(REPORT)
    await town.pass_time(minutes=15)
    first = await town.answers_call(DEE, "")
    assert str(case.number) not in first
    assert "job" not in first.casefold().replace("notice", "")
    said = await town.answers_call(DEE, "1")
    assert ", ".join(str(case.number)) in said
    assert leaked(first + said) == []


async def test_t1_a_stranger_and_a_victim_are_told_nothing(town: Town) -> None:
    await town.takes(REPORT)
    await town.texts_reply("+447700900777", "Zebedee is back at Flumph Lane, abracadabra")
    await town.pass_time(minutes=15)
    assert await town.texts("+447700900777") == []
    texts = " ".join([body for phone in (ASHA, BEN, DEE, DESK, HEAD) for body in await town.texts(phone)])
    assert leaked(texts) == []


async def test_t1_a_ward_that_is_none_is_not_said(town: Town) -> None:
    for ward in ("Flumph Lane", "Mrs Quuxington's house"):
        case = await town.takes({**REPORT, "location": {"ward": ward, "address": "7 Flumph Lane"}})
        (offer,) = await town.texts_with(f"OK {case.number}")
        assert "area not known" in offer.casefold()
        assert leaked(offer + json.dumps(await town.events(case.reference))) == []
    assert leaked((await town.http.get("/metrics")).text) == []
    assert leaked(json.dumps(await town.board("2026-07"))) == []


WORDS = "Zebedee of Flumph Lane, abracadabra"


async def written_about(town: Town) -> tuple[Case, Case]:
    """Two cases, with words of people in every field of an action that takes words."""
    case, other = await town.takes(REPORT), await town.takes(REPORT)
    await case.act("acknowledge", note=WORDS)
    await case.act("set_priority", priority="P0", reason=WORDS)
    await case.act("amend", report=(await case.now())["reports"][0]["id"], caller={"name": WORDS}, note=WORDS)
    await case.act("amend", suspect={"description": WORDS}, reason=WORDS)
    await case.act("review_age_targeting", state="under_review", reason=WORDS)
    await case.act(
        "refer", kind="police_hate_crime", reference=WORDS, police_hate_crime_ref=WORDS, note=WORDS
    )
    sent = (await case.now())["referrals"][0]["id"]
    await case.act("update_referral", referral=sent, state="declined", reason=WORDS, reference=WORDS)
    await case.act("transfer", to="Croydon Trading Standards", handed_to=WORDS, reason=WORDS, note=WORDS)
    await case.act("transfer_declined", by=WORDS, reason=WORDS, note=WORDS)
    await case.act("assign", responder="ben", companion=True, reason=WORDS)
    await case.act("assign", responder="asha", reason=WORDS)
    await case.act("release_companion", reason=WORDS)
    await case.act("decide_safeguarding", decision="not_met", reason=WORDS, reference=WORDS, note=WORDS)
    await case.act("en_route", responder="asha", reason=WORDS, note=WORDS)
    await case.act("check_in", responder="asha", note=WORDS)
    await case.act("on_scene", responder="asha", note=WORDS)
    await case.act("no_contact", responder="asha", reason=WORDS, note=WORDS)
    tasks = await case.tasks()
    await case.act("task_done", task=tasks["call_back"]["id"], reason=WORDS, note=WORDS)
    await case.act("release", responder="asha", reason=WORDS, note=WORDS)
    await case.act("remote_response", protective_act="bank_told", note=WORDS)
    await case.act("legal_hold", reason=WORDS)
    await case.act("disclose", kind="bank", to=WORDS, authority=WORDS)
    await other.act("link", kind="related", reference=case.reference, reason=WORDS)
    await other.act("mark_hoax", reason=WORDS, second_person=WORDS)
    await other.act("transfer", to="Croydon Trading Standards", handed_to=WORDS)
    await other.act("transfer_acknowledged", by=WORDS, reference=WORDS, note=WORDS)
    return case, other


@on_sqlite
async def test_t1_nothing_written_beside_an_action_stands_in_log_list_text_or_figure(town: Town) -> None:
    """What people write with a decision stays with the case."""
    case, other = await written_about(town)
    events = [*await town.events(case.reference), *await town.events(other.reference)]
    assert [e["type"] for e in events if leaked(json.dumps(e))] == []
    assert [m.body for m in await town.rows(MessageRow) if leaked(m.body)] == []
    for shown in (
        (await town.http.get("/metrics")).text,
        (await town.http.get("/api/v1/incidents")).text,
        json.dumps(await town.board("2026-07")),
        (await town.http.get(f"/api/v1/incidents/{case.reference}/deliveries")).text,
    ):
        assert leaked(shown) == []
