"""The gateway to the simulated network keeps the port's promises."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rapid_response.core.clock import ManualClock
from rapid_response.messaging.gateway import (
    Accepted,
    Ambiguous,
    CallRequest,
    CannotAsk,
    Gateway,
    InboundRecord,
    Rejected,
    SentRecord,
    TextRequest,
)
from rapid_response.messaging.simulated import SimulatorGateway
from rapid_response.simulator.network import SimulatedNetwork
from tests.gateways.conftest import MONDAY
from tests.gateways.service import VOICE, Service

ASHA = "+447700900101"
RING = timedelta(seconds=5)


@pytest.fixture
def gateway(network: SimulatedNetwork) -> Gateway:
    return SimulatorGateway(network)


def _text(body: str) -> TextRequest:
    return TextRequest("t", ASHA, body, timedelta(minutes=5))


async def test_texts_are_accepted_and_found_again(gateway: Gateway, clock: ManualClock) -> None:
    first = await gateway.send_text(_text("first"))
    clock.advance(timedelta(minutes=10))
    second = await gateway.send_text(_text("second"))

    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    found = await gateway.find_sent(ASHA, MONDAY)
    assert [(record.sid, record.body) for record in found] == [(second.sid, "second"), (first.sid, "first")]
    assert found[1].created_at == MONDAY
    assert [r.sid for r in await gateway.find_sent(ASHA, MONDAY + timedelta(minutes=1))] == [second.sid]
    assert await gateway.find_sent("+447700900199", MONDAY) == []


async def test_calls_ring_as_long_as_asked(
    gateway: Gateway, network: SimulatedNetwork, service: Service, clock: ManualClock
) -> None:
    assert isinstance(await gateway.place_call(CallRequest("t", ASHA, timedelta(seconds=5))), Accepted)
    clock.advance(timedelta(seconds=5))
    await network.pump()
    assert service.statuses(f"{VOICE}/status")[-1] == "no-answer"


async def test_an_outage_means_not_sent(gateway: Gateway, network: SimulatedNetwork) -> None:
    await network.set_faults(outage=True)

    assert await gateway.send_text(_text("hello")) == Rejected("not_sent")
    assert await gateway.place_call(CallRequest("t", ASHA, timedelta(seconds=5))) == Rejected("not_sent")
    assert await gateway.find_sent(ASHA, MONDAY) == []


async def test_a_failure_of_its_own_is_unknown_not_failed(
    gateway: Gateway, network: SimulatedNetwork
) -> None:
    await network._database.close()

    assert isinstance(await gateway.send_text(_text("hello")), Ambiguous)
    await gateway.aclose()


async def test_one_text_or_call_is_fetched_by_its_id(
    gateway: Gateway, network: SimulatedNetwork, clock: ManualClock
) -> None:
    text, call = (
        await gateway.send_text(_text("hello")),
        await gateway.place_call(CallRequest("c", ASHA, RING)),
    )
    assert isinstance(text, Accepted)
    assert isinstance(call, Accepted)
    await network.set_faults(ASHA, phone_off=True)
    await network.settle()

    assert await gateway.fetch(text.sid) == SentRecord(
        text.sid, ASHA, "hello", "undelivered", MONDAY, "30003"
    )
    fetched = await gateway.fetch(call.sid)
    assert fetched is not None
    assert (fetched.to_number, fetched.body) == (ASHA, "")
    reply = await network.reply(ASHA, "OK 4821")
    for stranger in (reply, "SM" + "0" * 32, "CA" + "0" * 32, ""):
        assert await gateway.fetch(stranger) is None


async def test_texts_whose_webhook_was_lost_are_listed(
    gateway: Gateway, network: SimulatedNetwork, service: Service, clock: ManualClock
) -> None:
    service.troubles.append(403)
    lost = await network.reply(ASHA, "OK 4821")
    clock.advance(timedelta(minutes=1))
    heard = await network.reply(ASHA, "GO 4821")

    (ours,) = gateway.our_numbers
    assert await gateway.list_inbound(ours, MONDAY) == [
        InboundRecord(heard, ASHA, ours, "GO 4821", MONDAY + timedelta(minutes=1)),
        InboundRecord(lost, ASHA, ours, "OK 4821", MONDAY),
    ]
    assert [r.sid for r in await gateway.list_inbound(ours, MONDAY + timedelta(seconds=1))] == [heard]
    assert await gateway.list_inbound(ASHA, MONDAY) == []


async def test_an_outage_would_break_the_promise(gateway: Gateway, network: SimulatedNetwork) -> None:
    assert await gateway.check() == []
    await network.set_faults(outage=True)
    (sentence,) = await gateway.check()
    assert "outage" in sentence
    await network._database.close()
    with pytest.raises(CannotAsk):
        await gateway.check()
