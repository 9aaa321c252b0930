"""Texts through the simulated network: receipts by themselves, durable, and what can go wrong."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from rapid_response.core.clock import ManualClock
from rapid_response.simulator.faults import NetworkDown
from rapid_response.simulator.network import SimulatedNetwork
from tests.gateways.conftest import HOTLINE, MONDAY, NewNode
from tests.gateways.service import SMS, Service

ASHA = "+447700900101"
BEN = "+447700900102"
RECEIPTS = f"{SMS}/status"


async def test_receipts_come_by_themselves_and_in_order(
    network: SimulatedNetwork, service: Service, clock: ManualClock
) -> None:
    sid = await network.accept_text("tok/en", ASHA, "TS duty: job 4821")

    assert [text["status"] for text in await network.messages(ASHA)] == ["queued"]
    assert await network.pump() == 0

    clock.advance(timedelta(milliseconds=300))
    assert await network.pump() == 2

    assert service.refused == 0
    sent, delivered = service.about(RECEIPTS)
    assert (sent.status, delivered.status) == ("sent", "delivered")
    assert sent.path == f"{RECEIPTS}?a=tok%2Fen"
    for told in (sent, delivered):
        assert told.form["MessageSid"] == sid
        assert (told.form["To"], told.form["From"]) == (ASHA, HOTLINE)
        assert told.form["AccountSid"] == network.account_sid
        assert told.form["ApiVersion"] == "2010-04-01"
    assert await network.messages(ASHA) == [
        {
            "id": sid,
            "to": ASHA,
            "body": "TS duty: job 4821",
            "at": MONDAY.isoformat(),
            "status": "delivered",
        }
    ]


async def test_sids_look_like_the_providers(network: SimulatedNetwork) -> None:
    text = await network.accept_text("t", ASHA, "one")
    call = await network.place_call("t", ASHA)

    assert text.startswith("SM")
    assert call.startswith("CA")
    assert all(len(sid) == 34 and int(sid[2:], 16) >= 0 for sid in (text, call))


async def test_messages_are_listed_oldest_first_and_by_phone(
    network: SimulatedNetwork, clock: ManualClock
) -> None:
    await network.accept_text("1", ASHA, "first")
    await network.accept_text("2", ASHA, "in the same moment")
    clock.advance(timedelta(minutes=1))
    await network.accept_text("3", BEN, "another phone")
    await network.accept_text("4", ASHA, "later")
    await network.reply(ASHA, "OK 4821")

    assert [m["body"] for m in await network.messages(ASHA)] == ["first", "in the same moment", "later"]
    assert [m["to"] for m in await network.messages()] == [ASHA, ASHA, BEN, ASHA]


async def test_a_restart_loses_no_receipt(
    network: SimulatedNetwork, new_node: NewNode, service: Service, clock: ManualClock
) -> None:
    await network.accept_text("t", ASHA, "before the restart")
    clock.advance(timedelta(seconds=1))

    await new_node().pump()

    assert service.statuses(RECEIPTS) == ["sent", "delivered"]


async def test_several_nodes_tell_each_receipt_once(
    new_node: NewNode, service: Service, clock: ManualClock
) -> None:
    nodes = [new_node() for _ in range(3)]
    for number in range(20):
        await nodes[number % 3].accept_text(f"t{number}", ASHA, "many")
    clock.advance(timedelta(seconds=1))

    while sum(await asyncio.gather(*(node.pump() for node in nodes))):
        pass

    assert len(service.heard) == 40
    for number in range(20):
        told = [t.status for t in service.heard if t.path.endswith(f"a=t{number}")]
        assert told == ["sent", "delivered"]


async def test_a_node_that_died_while_telling_is_stood_in_for(
    network: SimulatedNetwork, new_node: NewNode, service: Service, clock: ManualClock
) -> None:
    await network.accept_text("t", ASHA, "hello")
    clock.advance(timedelta(seconds=1))
    service.troubles.append(asyncio.CancelledError())  # the process is gone
    with pytest.raises(asyncio.CancelledError):
        await network.pump()

    other = new_node()
    assert await other.pump() == 0
    clock.advance(timedelta(seconds=30))
    await other.pump()

    assert service.statuses(RECEIPTS) == ["sent", "delivered"]


async def test_a_receipt_is_tried_once_more_then_given_up(
    network: SimulatedNetwork, service: Service, clock: ManualClock
) -> None:
    service.troubles.extend([OSError("no line"), OSError("no line")])
    await network.accept_text("t", ASHA, "hello")

    clock.advance(timedelta(seconds=1))
    assert await network.pump() == 1
    assert await network.pump() == 0
    clock.advance(timedelta(seconds=1))
    assert await network.pump() == 2

    assert service.statuses(RECEIPTS) == ["delivered"]


async def test_settle_does_not_wait_for_due_times(network: SimulatedNetwork, service: Service) -> None:
    service.troubles.append(503)
    await network.accept_text("t", ASHA, "hello")

    await network.settle()

    assert service.statuses(RECEIPTS) == ["sent", "delivered"]
    assert await network.settle() == 0


async def test_a_phone_that_is_off_never_gets_it(network: SimulatedNetwork, service: Service) -> None:
    await network.set_faults(ASHA, phone_off=True)
    await network.accept_text("t", ASHA, "hello")
    await network.accept_text("u", BEN, "hello")
    await network.settle()

    asha, ben = ([t for t in service.heard if t.form["To"] == number] for number in (ASHA, BEN))
    assert [t.status for t in asha] == ["sent", "undelivered"]
    assert asha[-1].form["ErrorCode"] == "30003"
    assert [t.status for t in ben] == ["sent", "delivered"]
    assert "ErrorCode" not in ben[-1].form
    assert [m["status"] for m in await network.messages(ASHA)] == ["undelivered"]

    await network.set_faults(ASHA, phone_off=False)
    assert await network.faults() == {}


async def test_receipts_can_stay_away_while_texts_arrive(network: SimulatedNetwork, service: Service) -> None:
    await network.set_faults(no_receipts=True)
    await network.accept_text("t", ASHA, "hello")
    await network.settle()

    assert service.heard == []
    assert [m["status"] for m in await network.messages(ASHA)] == ["delivered"]


async def test_in_an_outage_nothing_is_taken(network: SimulatedNetwork, new_node: NewNode) -> None:
    await network.set_faults(outage=True)
    other = new_node()

    with pytest.raises(NetworkDown):
        await other.accept_text("t", ASHA, "hello")
    with pytest.raises(NetworkDown):
        await other.place_call("t", ASHA)
    assert await network.messages() == []

    await other.set_faults(outage=False)
    await network.accept_text("t", ASHA, "hello")


async def test_a_reply_is_posted_at_once(network: SimulatedNetwork, service: Service) -> None:
    sid = await network.reply(ASHA, "OK 4821 & 10 mins + 😀 ")

    (told,) = service.about(SMS)
    assert told.form["MessageSid"] == sid
    assert told.form["Body"] == "OK 4821 & 10 mins + 😀 "
    assert (told.form["From"], told.form["To"]) == (ASHA, HOTLINE)
    assert told.form["NumMedia"] == "0"
    assert told.form["FromCity"] == ""
    assert told.form["AccountSid"] == network.account_sid
    assert await network.pump() == 0


@pytest.mark.parametrize("trouble", [OSError("no line"), 500, 503, RuntimeError("a bug of ours")])
async def test_a_reply_that_failed_is_posted_again(
    network: SimulatedNetwork,
    new_node: NewNode,
    service: Service,
    clock: ManualClock,
    trouble: int | Exception,
) -> None:
    service.troubles.append(trouble)
    sid = await network.reply(ASHA, "OK 4821")
    assert service.heard == []

    clock.advance(timedelta(seconds=1))
    await new_node().pump()

    assert [t.form["MessageSid"] for t in service.about(SMS)] == [sid]


async def test_a_reply_that_was_refused_is_not_repeated(
    network: SimulatedNetwork, service: Service, clock: ManualClock
) -> None:
    service.troubles.append(403)
    await network.reply(ASHA, "OK 4821")
    clock.advance(timedelta(hours=1))
    await network.settle()

    assert service.heard == []
    (thread,) = await network.threads()
    assert [(text.body, text.status) for text in thread.texts] == [("OK 4821", "failed")]


async def test_the_same_text_can_be_delivered_again(network: SimulatedNetwork, service: Service) -> None:
    sid = await network.reply(ASHA, "OK 4821")

    assert await network.redeliver(sid) == (200,)
    first, second = service.about(SMS)
    assert dict(first.form) == dict(second.form)

    text = await network.accept_text("t", ASHA, "hello")
    await network.settle()
    assert await network.redeliver(text) == (200, 200)
    assert service.statuses(RECEIPTS) == ["sent", "delivered"] * 2


async def test_the_page_sees_both_sides_of_each_thread(network: SimulatedNetwork, clock: ManualClock) -> None:
    await network.accept_text("t", ASHA, "job 4821?")
    clock.advance(timedelta(minutes=1))
    await network.accept_text("u", BEN, "job 5530?")
    clock.advance(timedelta(minutes=1))
    await network.reply(ASHA, "OK")
    await network.set_faults(BEN, phone_off=True)
    await network.place_call("c", BEN)

    ben, asha = sorted(await network.threads(), key=lambda thread: thread.number, reverse=True)

    assert [(t.to_phone, t.body, t.status) for t in asha.texts] == [
        (True, "job 4821?", "queued"),
        (False, "OK", "received"),
    ]
    assert (asha.phone_off, ben.phone_off) == (False, True)
    assert asha.live_call is None
    assert ben.live_call is not None


async def test_the_worker_can_ask_when_to_come_again(network: SimulatedNetwork, clock: ManualClock) -> None:
    assert await network.next_due() is None
    await network.accept_text("t", ASHA, "hello")

    due_at = await network.next_due()
    assert due_at is not None
    clock.set(due_at)
    assert await network.pump() == 1
