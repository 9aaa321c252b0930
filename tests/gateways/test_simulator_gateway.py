"""The gateway to the simulated network keeps the port's promises."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rapid_response.core.clock import ManualClock
from rapid_response.messaging.gateway import (
    Accepted,
    Ambiguous,
    CallRequest,
    Gateway,
    Rejected,
    TextRequest,
)
from rapid_response.messaging.simulated import SimulatorGateway
from rapid_response.simulator.network import SimulatedNetwork
from tests.gateways.conftest import MONDAY
from tests.gateways.service import VOICE, Service

ASHA = "+447700900101"


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
