"""Whole stories with MESSAGES=twilio: over HTTP to a double of Twilio, and back by signed webhooks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from xml.etree import ElementTree

import pytest

from rapid_response.core.states import MessageState
from rapid_response.storage.tables import CallRow, InboundMessageRow, MessageRow, NoticeRow, ReportRow
from tests.databases import TestDatabases
from tests.gateways.fake_twilio import NUMBER, Fault
from tests.harness import ASHA, DEE
from tests.journeys.twilio_town import CALLS, TEXTS, TwilioTown, twilio_town

URGENT = {
    "answers": {"payment_pending": True, "suspect_on_premises": False},
    "location": {"postcode": "BR1 1AA"},
}


@pytest.fixture
async def town(databases: TestDatabases, start: datetime) -> AsyncIterator[TwilioTown]:
    """What differs between databases does not differ by the provider: one story is told on both."""
    async with twilio_town(databases.fresh("sqlite"), start) as made:
        yield made


async def test_a_report_becomes_a_kept_promise_by_real_texts(database_url: str, start: datetime) -> None:
    async with twilio_town(database_url, start) as town:
        await _keeps_its_promise(town)


async def _keeps_its_promise(town: TwilioTown) -> None:
    reference = await town.reports(**URGENT)
    number = (await town.incident(reference))["job_number"]
    (offer,) = town.double.texts_to(ASHA)
    assert f"OK {number}" in offer
    assert town.double.messages[0].validity == 300
    # Sent and delivered were told, each accepted, and the message is on record as delivered.
    assert town.double.answers == [(f"{TEXTS}/status", 204)] * 2
    (message,) = await town.rows(MessageRow)
    assert message.state is MessageState.DELIVERED

    assert f"Job {number} is yours" in await town.texts_us(ASHA, f"OK {number}")
    assert (await town.incident(reference))["status"] == "assigned"
    await town.pass_time(minutes=20)
    await town.texts_us(ASHA, f"here {number}")
    incident = await town.incident(reference)
    assert (incident["status"], incident["clock"]["state"]) == ("on_scene", "met")
    assert town.double.texts_to(ASHA)[0] == offer
    assert len({one.sid for one in town.double.messages}) == len(town.double.messages)


async def test_a_text_that_was_taken_before_the_line_dropped_is_not_sent_twice(town: TwilioTown) -> None:
    """Nobody knows for a moment; the receipt's own address says which attempt it was."""
    town.double.next.append(Fault(takes=True, drops=True))
    reference = await town.reports(**URGENT)
    await town.settle()
    await town.double.carry()
    (message,) = [one for one in await town.rows(MessageRow) if one.purpose == "offer"]
    assert message.state is MessageState.DELIVERED
    await town.pass_time(minutes=2)
    assert len(town.double.texts_to(ASHA)) == 1
    number = (await town.incident(reference))["job_number"]
    assert f"Job {number} is yours" in await town.texts_us(ASHA, f"OK {number}")


async def test_a_text_from_a_stranger_is_a_report(town: TwilioTown) -> None:
    stranger = "+447700900456"
    assert await town.texts_us(stranger, "a man at my door wants money for the roof") == ""
    (report,) = await town.rows(ReportRow)
    assert report.narrative == "a man at my door wants money for the roof"


async def test_the_same_text_again_even_tomorrow_changes_nothing(town: TwilioTown) -> None:
    reference = await town.reports(**URGENT)
    number = (await town.incident(reference))["job_number"]
    text = await town.double.text_in(ASHA, f"OK {number}", town.base + TEXTS)
    await town.settle()
    answered = town.double.texts_to(ASHA)
    town.clock.advance(timedelta(days=1))
    answer = await town.double.post(town.base + TEXTS, town.double.text_form(text))
    assert (answer.status_code, answer.text) == (200, '<?xml version="1.0" encoding="UTF-8"?><Response />')
    assert len(await town.rows(InboundMessageRow)) == 1
    assert town.double.texts_to(ASHA)[: len(answered)] == answered


async def test_a_notice_is_rung_and_a_key_says_that_it_was_seen(town: TwilioTown) -> None:
    """Nobody answers the offer: the duty officer is rung, presses 1 to hear it and 1 again."""
    await town.reports(**URGENT)
    await town.pass_time(minutes=16)
    call = next(one for one in town.double.calls if one.to == DEE)
    assert call.from_ == NUMBER
    assert call.timeout == 25

    first = await town.double.pick_up(call)
    assert "Press 1 to hear it" in first
    assert "BR1" not in first
    heard = await town.double.press(call, "1", _action(first))
    assert "Press 1 to say that you have seen this" in heard
    assert "noted that you have seen this" in await town.double.press(call, "1", _action(heard))
    assert await town.double.progress(call, "completed") == 204
    assert {status for _, status in town.double.answers} <= {200, 204}


async def test_a_key_that_is_told_twice_is_pressed_once(town: TwilioTown) -> None:
    """Twilio asks again when our answer was slow: the 1 that hears the notice does not also say "seen"."""
    await town.reports(**URGENT)
    await town.pass_time(minutes=16)
    call = next(one for one in town.double.calls if one.to == DEE)
    first = await town.double.pick_up(call)
    assert await town.double.pick_up(call) == first
    heard = await town.double.press(call, "1", _action(first))
    assert await town.double.press(call, "1", _action(first)) == heard
    now = town.clock.now()
    assert now not in {notice.acknowledged_at for notice in await town.rows(NoticeRow)}
    seen = await town.double.press(call, "1", _action(heard))
    assert now in {notice.acknowledged_at for notice in await town.rows(NoticeRow)}
    assert "you have seen this" in seen
    assert await town.double.press(call, "1", _action(heard)) == seen


def _read(document: str) -> ElementTree.Element:
    return ElementTree.fromstring(document.partition("?>")[2])  # noqa: S314 - our own service wrote it


def _action(document: str) -> str:
    """Where a key goes: a whole address, so that a path in BASE_URL is in it."""
    gathers = _read(document).findall("Gather")
    assert len(gathers) == 3
    (action,) = {gather.get("action") for gather in gathers}
    assert action is not None
    assert action.startswith("http://127.0.0.1:")
    return action


async def test_the_hotline_takes_a_message_and_then_its_words(town: TwilioTown) -> None:
    call = {
        "CallSid": "CA" + "7" * 32,
        "From": "+447700900456",
        "To": NUMBER,
        "CallStatus": "ringing",
        "Direction": "inbound",
        "AccountSid": town.double.account_sid,
        "ApiVersion": "2010-04-01",
    }
    document = (await town.double.post(town.base + CALLS, call)).text
    assert "dial 9 9 9" in document
    record = _read(document).find("Record")
    assert record is not None
    left, told = record.get("action") or "", record.get("transcribeCallback") or ""
    # A voicemail is asked about once: its addresses tell Twilio to try again.
    assert left == f"{town.base}{CALLS}/voicemail#rc=3&rp=all&ct=3000&rt=5000"

    more = {"RecordingUrl": "https://api.twilio.com/x", "RecordingSid": "RE" + "7" * 32, "Digits": "hangup"}
    assert "We have your message" in (await town.double.post(left, call | more)).text
    await town.settle()
    (report,) = await town.rows(ReportRow)
    words = call | {"TranscriptionStatus": "completed", "TranscriptionText": "a roofer wants cash today"}
    assert (await town.double.post(told, words)).status_code == 204
    (report,) = await town.rows(ReportRow)
    assert report.narrative == "a roofer wants cash today"


async def test_a_caller_is_asked_to_hold_and_then_given_to_the_fallback(town: TwilioTown) -> None:
    """The database is gone: twice a kind word, then an error, at which Twilio takes its own document."""
    await town.app.database.close()
    call = {
        "CallSid": "CA" + "7" * 32,
        "From": "anonymous",
        "To": NUMBER,
        "AccountSid": town.double.account_sid,
    }
    at = town.base + CALLS
    for _ in range(2):
        answer = await town.double.post(at, call)
        assert answer.status_code == 200
        assert "hold on" in answer.text
        found = re.search(r">([^<]+)</Redirect>", answer.text)
        assert found
        at = found[1]
    assert (await town.double.post(at, call)).status_code == 503
    assert (await town.double.post(town.base + TEXTS, call)).status_code == 503


async def test_nothing_of_the_simulator_is_there(town: TwilioTown) -> None:
    for path in ("/simulator", "/simulator/messages", "/simulator/calls", "/simulator/faults"):
        assert (await town.http.get(path)).status_code == 404
    for path in ("/simulator/reply", "/simulator/call", "/simulator/answer-call", "/simulator/faults"):
        assert (await town.http.post(path, json={})).status_code in (404, 405)
    assert town.app.simulated is None
    with pytest.raises(LookupError):
        _ = town.app.network
    assert "pump" not in town.app.worker._loops
    page = await town.http.get("/report")
    assert page.status_code == 200
    assert "simulat" not in page.text.lower()


async def test_the_hotlines_calls_are_kept_by_provider(town: TwilioTown) -> None:
    await town.double.post(
        town.base + CALLS,
        {"CallSid": "CA" + "8" * 32, "From": "", "To": NUMBER, "AccountSid": town.double.account_sid},
    )
    (call,) = await town.rows(CallRow)
    assert call.provider == "twilio"
