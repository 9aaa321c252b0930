"""C1: the port's promises, kept by the simulated network, and by Twilio through a double of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from rapid_response.core.clock import ManualClock
from rapid_response.messaging.gateway import (
    Accepted,
    CallRequest,
    InboundRecord,
    Rejected,
    SentRecord,
    TextRequest,
)
from tests.databases import TestDatabases
from tests.gateways.carriers import Carrier, Simulated, twilio
from tests.gateways.conftest import MONDAY, NewNode
from tests.gateways.service import SMS, VOICE, Service

ASHA, BEN = "+447700900101", "+447700900102"
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["simulator", "twilio"])
async def carrier(
    request: pytest.FixtureRequest, clock: ManualClock, new_node: NewNode, service: Service
) -> AsyncIterator[Carrier]:
    """One carrier after the other."""
    if request.param == "simulator":
        yield Simulated(new_node(), service)
        return
    async with twilio(clock) as made:
        yield made


@pytest.fixture
def database_url(databases: TestDatabases) -> str:
    """The simulated network's own behaviour on both databases is tested beside this."""
    return databases.fresh("sqlite")


def a_text(body: str = "hello", to: str = ASHA, token: str = "a-token") -> TextRequest:
    return TextRequest(token, to, body, timedelta(minutes=5))


async def _send(carrier: Carrier, request: TextRequest) -> str:
    outcome = await carrier.gateway.send_text(request)
    assert isinstance(outcome, Accepted), outcome
    return outcome.sid


async def test_c1_a_text_is_taken_with_an_id_and_a_first_word(carrier: Carrier) -> None:
    outcome = await carrier.gateway.send_text(a_text())
    assert isinstance(outcome, Accepted)
    assert outcome.sid.startswith(("SM", "MM"))
    assert outcome.status in ("queued", "accepted")


async def test_c1_it_is_found_again_newest_first_and_only_since_then(
    carrier: Carrier, clock: ManualClock
) -> None:
    first = await _send(carrier, a_text("first"))
    await _send(carrier, a_text("to somebody else", to=BEN))
    clock.advance(10 * MINUTE)
    second = await _send(carrier, a_text("second"))
    await carrier.text_in(ASHA, "OK 4821")

    found = await carrier.gateway.find_sent(ASHA, MONDAY)
    assert [(one.sid, one.to_number, one.body) for one in found] == [
        (second, ASHA, "second"),
        (first, ASHA, "first"),
    ]
    assert [one.created_at for one in found] == [MONDAY + 10 * MINUTE, MONDAY]
    assert [one.sid for one in await carrier.gateway.find_sent(ASHA, MONDAY + MINUTE)] == [second]
    assert await carrier.gateway.find_sent("+447700900199", MONDAY) == []


@pytest.mark.parametrize("body", ["a+b & c=d %41 #x", "é ü ñ £ €", "😀 ŵ", 'it\'s "quoted"\nand broken'])
async def test_c1_a_body_arrives_as_it_was_given(carrier: Carrier, body: str) -> None:
    sid = await _send(carrier, a_text(body))
    assert [one.body for one in await carrier.gateway.find_sent(ASHA, MONDAY)] == [body]
    fetched = await carrier.gateway.fetch(sid)
    assert fetched is not None
    assert fetched.body == body


async def test_c1_receipts_come_to_the_attempts_own_address(carrier: Carrier) -> None:
    sid = await _send(carrier, a_text(token="tok_en-1"))
    await carrier.carry()

    told = carrier.service.about(f"{SMS}/status")
    assert [one.status for one in told] == ["sent", "delivered"]
    assert {one.path for one in told} == {f"{SMS}/status?a=tok_en-1"}
    assert {one.form["MessageSid"] for one in told} == {sid}
    fetched = await carrier.gateway.fetch(sid)
    assert fetched == SentRecord(sid, ASHA, "hello", "delivered", MONDAY)


async def test_c1_a_phone_that_is_off_shows_its_code(carrier: Carrier) -> None:
    await carrier.switch_off(ASHA)
    sid = await _send(carrier, a_text())
    await carrier.carry()

    told = carrier.service.about(f"{SMS}/status")[-1]
    assert (told.status, told.form["ErrorCode"]) == ("undelivered", "30003")
    fetched = await carrier.gateway.fetch(sid)
    assert fetched == SentRecord(sid, ASHA, "hello", "undelivered", MONDAY, "30003")


async def test_c1_a_call_rings_and_asks_what_to_say(carrier: Carrier) -> None:
    outcome = await carrier.gateway.place_call(CallRequest("c", ASHA, timedelta(seconds=25)))
    assert isinstance(outcome, Accepted)
    assert outcome.sid.startswith("CA")
    await carrier.carry()
    await carrier.answer(ASHA)

    statuses = carrier.service.about(f"{VOICE}/status")
    assert [one.status for one in statuses][:2] == ["initiated", "ringing"]
    assert {one.path for one in statuses} == {f"{VOICE}/status?a=c"}
    (asked,) = carrier.service.about(f"{VOICE}/offer")
    assert asked.path == f"{VOICE}/offer?a=c"
    assert asked.form["CallSid"] == outcome.sid
    fetched = await carrier.gateway.fetch(outcome.sid)
    assert fetched is not None
    assert (fetched.sid, fetched.to_number, fetched.body) == (outcome.sid, ASHA, "")


async def test_c1_what_is_not_ours_is_not_fetched(carrier: Carrier) -> None:
    reply = await carrier.text_in(ASHA, "OK 4821")
    for sid in (reply, "SM" + "0" * 32, "CA" + "0" * 32, "", "../Messages", "SM" + "0" * 33, "SM1/../x"):
        assert await carrier.gateway.fetch(sid) is None


async def test_c1_replies_whose_webhook_was_lost_are_listed(carrier: Carrier, clock: ManualClock) -> None:
    (ours,) = carrier.gateway.our_numbers
    lost = await carrier.text_in(ASHA, "OK 4821", lost=True)
    clock.advance(MINUTE)
    heard = await carrier.text_in(BEN, "NO 4821")
    await _send(carrier, a_text())

    # The newer one came by webhook: that says nothing of the older one.
    assert [told.form["MessageSid"] for told in carrier.service.about(SMS)] == [heard]
    assert await carrier.gateway.list_inbound(ours, MONDAY) == [
        InboundRecord(heard, BEN, ours, "NO 4821", MONDAY + MINUTE),
        InboundRecord(lost, ASHA, ours, "OK 4821", MONDAY),
    ]
    assert [one.sid for one in await carrier.gateway.list_inbound(ours, MONDAY + MINUTE)] == [heard]
    assert await carrier.gateway.list_inbound(BEN, MONDAY) == []


async def test_c1_every_page_is_read_back_to_then(carrier: Carrier, clock: ManualClock) -> None:
    (ours,) = carrier.gateway.our_numbers
    sids = []
    for count in range(250):
        sids.append(await carrier.text_in(ASHA, f"text {count}", lost=True))
        clock.advance(timedelta(seconds=1))

    listed = await carrier.gateway.list_inbound(ours, MONDAY)
    assert [one.sid for one in listed] == sids[::-1]
    since = MONDAY + timedelta(seconds=30)
    assert [one.sid for one in await carrier.gateway.list_inbound(ours, since)] == sids[:29:-1]


async def test_c1_where_nothing_is_taken_it_is_certain_that_nothing_went(carrier: Carrier) -> None:
    await carrier.go_down()
    text, call = a_text(), CallRequest("c", ASHA, timedelta(seconds=25))
    assert await carrier.gateway.send_text(text) == Rejected("not_sent")
    assert await carrier.gateway.place_call(call) == Rejected("not_sent")
    await carrier.come_back()
    assert await carrier.gateway.find_sent(ASHA, MONDAY) == []
    assert isinstance(await carrier.gateway.send_text(text), Accepted)


async def test_c1_the_set_up_is_checked(carrier: Carrier) -> None:
    assert await carrier.gateway.check() == []
    await carrier.go_down()
    (sentence,) = await carrier.gateway.check()
    assert sentence.endswith(".")


async def test_c1_letting_go_twice_does_no_harm(carrier: Carrier) -> None:
    await carrier.gateway.aclose()
    await carrier.gateway.aclose()


async def test_c1_the_words_of_an_old_text_can_be_blanked_twice_and_where_there_are_none(
    carrier: Carrier,
) -> None:
    sid = await _send(carrier, a_text())
    for one in (sid, sid, "SM" + "f" * 32, "../Accounts"):
        await carrier.gateway.blank(one)
    assert await carrier.gateway.fetch(sid) is not None


async def test_c1_a_recording_can_be_deleted_twice_and_where_there_is_none(carrier: Carrier) -> None:
    recording, transcript = "RE" + "7" * 32, "TR" + "7" * 32
    for one in (transcript, recording, recording, "RE" + "f" * 32, "../Accounts", "SM" + "7" * 32):
        await carrier.gateway.erase(one)
