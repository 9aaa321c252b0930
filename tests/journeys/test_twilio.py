"""Whole stories with MESSAGES=twilio: over HTTP to a double of Twilio, and back by signed webhooks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from html import unescape
from xml.etree import ElementTree

import pytest

from rapid_response.core.clock import Clock, ManualClock
from rapid_response.core.states import MessageState
from rapid_response.definition.load import parse
from rapid_response.steps import taken_back
from rapid_response.steps.load_service import load
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.tables import (
    CallRow,
    EndpointRow,
    InboundMessageRow,
    MessageRow,
    NoticeRow,
    ReportRow,
)
from tests.builders import SMALL_TOWN
from tests.databases import TestDatabases
from tests.gateways.fake_twilio import NUMBER, Fault, problem
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


@pytest.mark.long
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


@dataclass
class Apart:
    """A clock that is so far from another."""

    other: Clock
    by: timedelta

    def now(self) -> datetime:
        return self.other.now() + self.by

    def real(self) -> datetime:
        return self.other.real() + self.by


@pytest.mark.parametrize("ours_is_ahead", [timedelta(hours=2), timedelta(days=730), timedelta(minutes=-20)])
async def test_g8_a_text_whose_answer_was_lost_is_found_though_our_clock_is_wrong(
    town: TwilioTown, ours_is_ahead: timedelta
) -> None:
    """A text that went is not sent again because it was looked for in the wrong hours."""
    town.double.clock = Apart(town.clock, -ours_is_ahead)
    town.double.next.append(Fault(takes=True, drops=True))
    await town.http.post(
        "/api/v1/reports", json={"channel": "phone", "narrative": "A roofer wants cash.", **URGENT}
    )
    for _ in range(6):  # nothing is carried, so no receipt tells of it
        while await town.app.worker.settle():
            pass
        town.clock.advance(timedelta(seconds=15))
    (offer,) = [
        one for one in await town.rows(MessageRow) if one.purpose == "offer" and one.to_number == ASHA
    ]
    assert (offer.state, offer.attempts, offer.repeats) == (MessageState.IN_NETWORK, 1, 0)
    assert [one.to for one in town.double.messages].count(ASHA) == 1


@pytest.mark.parametrize("ours_was_ahead", [timedelta(seconds=40), timedelta(hours=2), timedelta(days=730)])
async def test_g8_a_text_whose_answer_was_lost_is_found_though_our_clock_was_put_right_since(
    town: TwilioTown, ours_was_ahead: timedelta
) -> None:
    town.double.clock = Apart(town.clock, -ours_was_ahead)
    town.double.next.append(Fault(takes=True, drops=True))
    await town.http.post("/api/v1/reports", json={"channel": "phone", "narrative": "A roofer.", **URGENT})
    await town.app.worker.sender.send_queued()
    town.clock.advance(timedelta(seconds=2) - ours_was_ahead)
    town.double.clock = town.clock
    bring_back = partial(taken_back.bring_back, desk=town.app.desk, by=ours_was_ahead)
    await town.app.database.run(bring_back)
    for _ in range(40):
        town.clock.advance(timedelta(seconds=3))
        await town.app.worker.sender.send_queued()
    offers = [one for one in await town.rows(MessageRow) if one.purpose == "offer" and one.to_number == ASHA]
    assert [(one.state, one.repeats) for one in offers] == [(MessageState.IN_NETWORK, 0)]


async def test_g8_texts_whose_webhook_was_lost_are_found_though_our_clock_was_wrong(town: TwilioTown) -> None:
    """Ahead by two hours for a while, as nobody knew, and put right: not one of them is lost."""
    theirs = ManualClock(town.clock.now())
    town.double.clock = theirs

    async def lose(words: str) -> None:
        await town.double.text_in(ASHA, words, None)
        await minutes_pass(2)

    async def minutes_pass(many: int) -> None:
        for clock in (town.clock, theirs):
            clock.advance(timedelta(minutes=many))
        await town.settle()

    await lose("before")
    town.clock.advance(timedelta(hours=2))
    await minutes_pass(1)
    await lose("while it was ahead")
    town.clock.advance(timedelta(hours=-2))
    await town.app.database.run(partial(taken_back.bring_back, desk=town.app.desk, by=timedelta(hours=2)))
    await lose("when it was right")
    assert {text.body for text in await town.rows(InboundMessageRow)} == {
        "before",
        "while it was ahead",
        "when it was right",
    }


async def test_a_text_from_a_stranger_is_a_report(town: TwilioTown) -> None:
    stranger = "+447700900456"
    assert await town.texts_us(stranger, "a man at my door wants money for the roof") == ""
    (report,) = await town.rows(ReportRow)
    assert report.narrative == "a man at my door wants money for the roof"


NO_PICTURES = "Pictures are not received here. Please sign in to add them to the job, or ring the duty desk."


@pytest.mark.parametrize("webhook_is_lost", [False, True])
async def test_a_picture_is_not_fetched_and_a_responder_is_told_so_beside_what_her_words_did(
    town: TwilioTown, webhook_is_lost: bool
) -> None:
    """Its address is nobody's: whoever asked it for the picture would fail."""
    reference = await town.reports(**URGENT)
    number = (await town.incident(reference))["job_number"]
    webhook = None if webhook_is_lost else town.base + TEXTS
    await town.double.text_in(ASHA, f"OK {number}", webhook, pictures=2)
    if webhook_is_lost:
        town.clock.advance(timedelta(minutes=1))
    await town.settle()
    assert (await town.incident(reference))["responder"] == "asha"
    confirmed, told = town.double.texts_to(ASHA)[-2:]
    assert (f"Job {number} is yours" in confirmed, told) == (True, NO_PICTURES)
    (text,) = await town.rows(InboundMessageRow)
    assert (text.body, text.has_media, text.effect) == (f"OK {number}", True, "act")


async def test_pictures_alone_wait_for_a_person_and_are_answered_once_in_five_minutes(
    town: TwilioTown,
) -> None:
    reference = await town.reports(**URGENT)
    asked = town.double.texts_to(ASHA)
    for _ in range(3):
        await town.double.text_in(ASHA, "", town.base + TEXTS, pictures=1)
        await town.settle()
    assert town.double.texts_to(ASHA) == [*asked, NO_PICTURES]
    assert (await town.incident(reference))["responder"] is None
    assert all(text.needs_person for text in await town.rows(InboundMessageRow))


async def test_who_stops_our_texts_with_a_picture_gets_none_about_it(town: TwilioTown) -> None:
    await town.reports(**URGENT)
    await town.double.text_in(ASHA, "STOP", town.base + TEXTS, pictures=1)
    await town.settle()
    (text,) = await town.rows(InboundMessageRow)
    assert (text.has_media, text.effect) == (True, "opt_out")
    assert not [message for message in await town.rows(MessageRow) if message.body == NO_PICTURES]


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("a man at my door wants money for the roof", "a man at my door wants money for the roof"),
        ("", "(a picture or a video, without words)"),
    ],
)
async def test_a_stranger_who_sends_a_picture_is_a_report_that_a_person_looks_at(
    town: TwilioTown, words: str, kept: str
) -> None:
    stranger = "+447700900456"
    await town.double.text_in(stranger, words, town.base + TEXTS, pictures=1)
    await town.settle()
    assert town.double.texts_to(stranger) == []  # the one she writes about may hold her phone
    (report,) = await town.rows(ReportRow)
    assert report.narrative == kept
    (incident,) = (await town.http.get("/api/v1/incidents")).json()["items"]
    assert incident["priority"] in ("P0", "P1", "P2")
    (text,) = await town.rows(InboundMessageRow)
    assert (text.needs_person, text.has_media) == (True, True)


async def test_what_twilio_made_of_a_word_of_the_councils_own_counts(town: TwilioTown) -> None:
    """Advanced Opt-Out: which words stop texts, start them or are answered by Twilio, the council chose."""
    await town.reports(**URGENT)
    assert "Words: OK take it" not in await town.texts_us(ASHA, "AIDE")
    assert "Words: OK take it" in await town.texts_us(ASHA, "AIDE", opt_out="HELP")
    for word, kind, effect in (("LEAVE", "STOP", "opt_out"), ("RETURN", "START", "opt_in")):
        await town.texts_us(ASHA, word, opt_out=kind)
        newest = max(await town.rows(InboundMessageRow), key=lambda row: row.id)
        assert (newest.body, newest.effect) == (word, effect)
        (known,) = [e for e in await town.rows(EndpointRow) if e.number == ASHA and e.channel == "sms"]
        assert (known.state == "opted_out") is (kind == "STOP")
        town.clock.advance(timedelta(minutes=1))


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


@pytest.mark.long
async def test_a_notice_is_rung_and_a_key_says_that_it_was_seen(town: TwilioTown) -> None:
    """Nobody answers the offer: the duty officer is rung, presses 1 to hear it and 1 again."""
    await town.reports(**URGENT)
    await town.pass_time(minutes=16)
    call = next(one for one in reversed(town.double.calls) if one.to == DEE)
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


@pytest.mark.long
async def test_a_key_that_is_told_twice_is_pressed_once(town: TwilioTown) -> None:
    """Twilio asks again when our answer was slow: the 1 that hears the notice does not also say "seen"."""
    await town.reports(**URGENT)
    await town.pass_time(minutes=16)
    call = next(one for one in reversed(town.double.calls) if one.to == DEE)
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


@pytest.mark.parametrize(
    ("path", "told"), [("/keys", {"Digits": "1"}), ("/desk", {"DialCallStatus": "no-answer"})]
)
async def test_whoever_has_pressed_a_key_or_rung_the_desk_is_asked_to_hold_as_well(
    town: TwilioTown, path: str, told: dict[str, str]
) -> None:
    """Somebody is at her door: what she pressed is asked about again, not lost in silence."""
    call = {"CallSid": "CA" + "7" * 32, "From": "", "To": NUMBER, "AccountSid": town.double.account_sid}
    await town.double.post(town.base + CALLS, call)
    works, town.app.asgi.state.hooks.database = town.app.asgi.state.hooks.database, _Down()
    answer = await town.double.post(f"{town.base}{CALLS}{path}", call | told)
    assert "hold on" in answer.text
    found = re.search(r">([^<]+)</Redirect>", answer.text)
    assert found
    town.app.asgi.state.hooks.database = works
    assert "<Record" in (await town.double.post(unescape(found[1]), call)).text
    (row,) = await town.rows(CallRow)
    assert row.digits == told.get("Digits", "")


class _Down:
    """A database that cannot be asked."""

    async def run(self, *_: object, **__: object) -> None:
        raise DatabaseUnavailable("gone")


async def test_nothing_of_the_simulator_is_there(town: TwilioTown) -> None:
    for path in ("/simulator", "/simulator/messages", "/simulator/calls", "/simulator/faults"):
        assert (await town.http.get(path)).status_code == 404
    for path in ("/simulator/reply", "/simulator/call", "/simulator/answer-call", "/simulator/faults"):
        assert (await town.http.post(path, json={})).status_code in (404, 405)
    assert town.app.simulated is None
    with pytest.raises(LookupError):
        _ = town.app.network
    assert "pump" not in town.app.worker.loops.names
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


# --- the desk ---------------------------------------------------------------------------------------------

DESK_PHONE = "+442079460055"


@pytest.mark.parametrize("pressed", ["", "1"], ids=["silence", "a_key"])
@pytest.mark.parametrize("ended", ["completed", "no-answer", "busy", "failed", "canceled", ""])
async def test_v1_a_caller_is_put_through_to_the_desk_and_leaves_a_message_if_nobody_is_there(
    town: TwilioTown, ended: str, pressed: str
) -> None:
    service = parse(SMALL_TOWN.replace("service:\n", f'service:\n  desk_rings: "{DESK_PHONE}"\n'), "t.yaml")
    await town.app.database.run(partial(load, service=service))
    call = {
        "CallSid": "CA" + "d" * 32,
        "CallStatus": "ringing",
        "From": "+447700900777",
        "To": NUMBER,
        "AccountSid": town.double.account_sid,
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
    }
    said = (await town.double.post(town.base + CALLS, call)).text
    if pressed:
        said = (await town.double.post(f"{town.base}{CALLS}/keys", call | {"Digits": pressed})).text
    dial = _read(said).find("Dial")
    assert dial is not None
    assert [(n.text or "") for n in dial.findall("Number")] == [DESK_PHONE]
    assert int(dial.attrib["timeout"]) <= 45
    assert "9 9 9" in said or pressed
    again = [
        (await town.double.post(dial.attrib["action"], call | {"DialCallStatus": ended})).text
        for _ in range(2)
    ]
    assert again[0] == again[1]
    (row,) = [c for c in await town.rows(CallRow) if c.inbound]
    assert ("<Record" in again[0], row.outcome) == ((False, "desk") if ended == "completed" else (True, None))


@pytest.mark.parametrize("ended", ["completed", "busy"])
async def test_v1_the_number_of_a_caller_goes_after_ninety_days_unless_she_is_to_be_rung_back(
    town: TwilioTown, ended: str
) -> None:
    service = parse(SMALL_TOWN.replace("service:\n", f'service:\n  desk_rings: "{DESK_PHONE}"\n'), "t.yaml")
    await town.app.database.run(partial(load, service=service))
    sid, account = "CA" + "d" * 32, town.double.account_sid
    call = {"CallSid": sid, "From": "+447700900777", "To": NUMBER, "AccountSid": account}
    await town.double.post(town.base + CALLS, call)
    await town.double.post(f"{town.base}{CALLS}/desk", call | {"DialCallStatus": ended})
    await town.double.post(f"{town.base}{CALLS}/status", call | {"CallStatus": "completed"})
    await town.pass_time(minutes=11)
    town.clock.advance(timedelta(days=91))
    await town.app.caretaker.erase_due()
    (row,) = await town.rows(CallRow)
    spoke = ended == "completed"
    assert (row.outcome, row.needs_person) == ("desk" if spoke else "rang_off", not spoke)
    assert (row.from_number, row.to_number) == (("", "") if spoke else ("+447700900777", NUMBER))


async def test_v1_a_call_whose_end_nobody_told_us_of_is_rung_back_all_the_same(town: TwilioTown) -> None:
    call = {
        "CallSid": "CA" + "f" * 32,
        "From": "+447700900777",
        "To": NUMBER,
        "AccountSid": town.double.account_sid,
    }
    await town.double.post(town.base + CALLS, call)
    await town.pass_time(minutes=9)
    assert [(c.outcome, c.needs_person) for c in await town.rows(CallRow) if c.inbound] == [(None, False)]
    await town.pass_time(minutes=1)
    assert [(c.outcome, c.needs_person) for c in await town.rows(CallRow) if c.inbound] == [
        ("rang_off", True)
    ]


async def test_v1_the_desk_is_never_the_hotline_itself(town: TwilioTown) -> None:
    for number in ("+442079460001", NUMBER):
        service = parse(SMALL_TOWN.replace("service:\n", f'service:\n  desk_rings: "{number}"\n'), "t.yaml")
        await town.app.database.run(partial(load, service=service))
        call = {
            "CallSid": "CA" + "e" * 32,
            "From": "+447700900777",
            "To": NUMBER,
            "AccountSid": town.double.account_sid,
        }
        said = (await town.double.post(town.base + CALLS, call)).text
        assert "<Dial" not in said
        assert "<Record" in said


# --- what Twilio keeps ------------------------------------------------------------------------------------


async def test_the_words_of_texts_are_blanked_at_twilio_after_a_day(town: TwilioTown) -> None:
    await town.reports(**URGENT)
    await town.texts_us("+447700900777", "there is a man at my door, 12 Sample Street")
    assert all(text.body for text in town.double.messages)
    assert await town.app.worker.provided.blank_old_words() == 0
    town.clock.advance(timedelta(hours=24, minutes=1))
    old = list(town.double.messages)
    # Where Twilio cannot be asked, it is tried again: nothing counts as blank that may not be.
    town.double.next.append(Fault(status=429, body="busy"))
    assert await town.app.worker.provided.blank_old_words() == 0
    assert await town.app.worker.provided.blank_old_words() == len(old)
    assert [text.body for text in old] == [""] * len(old)
    assert await town.app.worker.provided.blank_old_words() == 0
    kept = {text.body for text in await town.rows(InboundMessageRow)}
    assert "there is a man at my door, 12 Sample Street" in kept  # here it stays


@pytest.mark.parametrize(
    "fault", [problem(400, 20009), Fault(status=503, body="busy")], ids=["refused", "broken"]
)
async def test_what_twilio_does_not_let_go_is_asked_for_later_and_in_nobodys_way(
    town: TwilioTown, fault: Fault
) -> None:
    for n in range(3):
        await town.texts_us(f"+44770090077{n}", "there is a man at my door, 12 Sample Street")
    town.clock.advance(timedelta(hours=25))
    old = list(town.double.messages)
    town.double.next.append(fault)
    assert await town.app.worker.provided.blank_old_words() == len(old) - 1
    assert len([text for text in old if text.body]) == 1
    asked = len(town.double.seen)
    assert await town.app.worker.provided.blank_old_words() == 0
    assert len(town.double.seen) == asked
    town.clock.advance(timedelta(hours=1))
    assert await town.app.worker.provided.blank_old_words() == 1
    assert not [text for text in old if text.body]


async def leaves_a_message(town: TwilioTown, call_id: str, said: str | None) -> set[str]:
    """Somebody leaves a voicemail, whose words come or do not; what Twilio keeps of it."""
    recording, transcript = f"RE{call_id * 32}", f"TR{call_id * 32}"
    call = {
        "CallSid": f"CA{call_id * 32}",
        "From": "+447700900456",
        "To": NUMBER,
        "AccountSid": town.double.account_sid,
        "RecordingSid": recording,
    }
    await town.double.post(town.base + CALLS, call)
    await town.double.post(f"{town.base}{CALLS}/voicemail", call | {"Digits": "hangup"})
    if said is not None:
        words = {"TranscriptionSid": transcript, "TranscriptionText": said}
        await town.double.post(f"{town.base}{CALLS}/transcription", call | words)
    await town.settle()
    kept = {recording} if said is None else {recording, transcript}
    town.double.kept |= kept
    return kept


async def test_what_a_person_said_that_a_voicemail_is_stands_when_its_words_come(town: TwilioTown) -> None:
    """She has heard it before it was written down; the words say how urgent it is all the same."""
    await leaves_a_message(town, "7", None)
    (item,) = (await town.http.get("/api/v1/incidents")).json()["items"]
    at = f"/api/v1/incidents/{item['reference']}"
    heard = {"category": "scam", "subtype": "courier_fraud", "urgency": "imminent"}
    assert (await town.http.post(f"{at}/actions/reclassify", json=heard)).status_code == 200
    await leaves_a_message(town, "7", "There are two men on my roof now and they want cash.")
    whole = await town.incident(item["reference"])
    assert whole["reports"][0]["narrative"].startswith("There are two men")
    assert {name: whole[name] for name in heard} == heard
    assert whole["priority"] == "P0"


async def test_a_voicemail_is_deleted_at_twilio_a_month_after_its_words_stand_here(town: TwilioTown) -> None:
    await leaves_a_message(town, "7", "a roofer wants cash today")
    unread = await leaves_a_message(town, "8", None)
    town.clock.advance(timedelta(days=29))
    await town.app.worker.provided.blank_old_words()
    assert len(town.double.kept) == 3
    town.clock.advance(timedelta(days=2))
    town.double.next.append(Fault(status=429, body="busy"))
    while await town.app.worker.provided.blank_old_words():
        pass
    assert len(town.double.kept) == 3  # Twilio could not be asked: it is tried again
    while await town.app.worker.provided.blank_old_words():
        pass
    # What nobody has read can only be heard there.
    assert town.double.kept == unread
    gone = {row.provider_sid[:3]: row.erased_at is not None for row in await town.rows(CallRow)}
    assert gone == {"CA7": True, "CA8": False}


async def test_a_voicemail_of_a_case_on_legal_hold_stays_at_twilio_until_it_is_let_go(
    town: TwilioTown,
) -> None:
    kept = await leaves_a_message(town, "7", "a roofer wants cash today")
    (item,) = (await town.http.get("/api/v1/incidents")).json()["items"]
    hold = f"/api/v1/incidents/{item['reference']}/actions/legal_hold"
    assert (await town.http.post(hold, json={"reason": "The police ask for it."})).status_code == 200
    town.clock.advance(timedelta(days=31))
    while await town.app.worker.provided.blank_old_words():
        pass
    assert town.double.kept == kept
    over = {"on": False, "reason": "The trial is over."}
    assert (await town.http.post(hold, json=over)).status_code == 200
    while await town.app.worker.provided.blank_old_words():
        pass
    assert town.double.kept == set()


async def test_with_deletion_off_voicemails_stay_at_twilio(databases: TestDatabases, start: datetime) -> None:
    off = {"twilio_redact_after": "off", "twilio_delete_recordings_after": "off"}
    async with twilio_town(databases.fresh("sqlite"), start, **off) as town:
        kept = await leaves_a_message(town, "7", "a roofer wants cash today")
        town.clock.advance(timedelta(days=365))
        assert await town.app.worker.provided.blank_old_words() == 0
        assert town.double.kept == kept


async def test_with_redaction_off_words_stay_at_twilio(databases: TestDatabases, start: datetime) -> None:
    async with twilio_town(databases.fresh("sqlite"), start, twilio_redact_after="off") as town:
        await town.reports(**URGENT)
        town.clock.advance(timedelta(days=3))
        assert await town.app.worker.provided.blank_old_words() == 0
        assert all(text.body for text in town.double.messages)
