"""Both carriers from the outside: what the contract suite needs of whoever stands behind a gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import httpx

from rapid_response.core.clock import ManualClock
from rapid_response.messaging.connections import Timing
from rapid_response.messaging.gateway import Gateway
from rapid_response.messaging.simulated import SimulatorGateway
from rapid_response.messaging.twilio_gateway import TwilioAccount, TwilioGateway
from rapid_response.simulator.network import SimulatedNetwork
from tests.gateways import fake_twilio
from tests.gateways.fake_twilio import FakeTwilio
from tests.gateways.service import BASE_URL, SMS, Service


class Carrier(Protocol):
    """A carrier, and what happens on its side."""

    gateway: Gateway
    service: Service

    async def carry(self) -> None:
        """Texts arrive, phones begin to ring; the service is told."""

    async def switch_off(self, number: str) -> None:
        """A phone cannot be reached."""

    async def text_in(self, from_number: str, body: str, *, lost: bool = False) -> str:
        """A phone texts the service; with `lost` no webhook tells of it. Gives the text's id."""

    async def answer(self, number: str) -> None:
        """Somebody answers the call that rings."""

    async def go_down(self) -> None:
        """Nothing is taken any more."""

    async def come_back(self) -> None:
        """Everything is as before."""


class Simulated:
    """The simulated network."""

    def __init__(self, network: SimulatedNetwork, service: Service) -> None:
        self.network, self.service = network, service
        self.gateway: Gateway = SimulatorGateway(network)

    async def carry(self) -> None:
        await self.network.settle()

    async def switch_off(self, number: str) -> None:
        await self.network.set_faults(number, phone_off=True)

    async def text_in(self, from_number: str, body: str, *, lost: bool = False) -> str:
        if lost:
            self.service.troubles.append(403)
        return await self.network.reply(from_number, body)

    async def answer(self, number: str) -> None:
        await self.network.answer_call(number)

    async def go_down(self) -> None:
        await self.network.set_faults(outage=True)

    async def come_back(self) -> None:
        await self.network.set_faults(outage=False)


class Twilio:
    """The real adapter, and the double of Twilio behind a socket."""

    def __init__(self, double: FakeTwilio, service: Service, gateway: TwilioGateway) -> None:
        self.double, self.service = double, service
        self.gateway: Gateway = gateway

    async def carry(self) -> None:
        await self.double.carry()

    async def switch_off(self, number: str) -> None:
        self.double.phone_off.add(number)

    async def text_in(self, from_number: str, body: str, *, lost: bool = False) -> str:
        webhook = None if lost else BASE_URL + SMS
        return (await self.double.text_in(from_number, body, webhook)).sid

    async def answer(self, number: str) -> None:
        await self.double.pick_up(next(call for call in self.double.calls if call.to == number))

    async def go_down(self) -> None:
        await self.double.stop_listening()

    async def come_back(self) -> None:
        await self.double.listen()


def account(double: FakeTwilio, timing: Timing | None = None, **changes: str | None) -> TwilioAccount:
    """The account of a council that texts from one number."""
    values: dict[str, str | None] = {
        "account_sid": double.account_sid,
        "auth_token": double.auth_token,
        "base_url": BASE_URL,
        "from_number": fake_twilio.NUMBER,
        "api_base_url": double.base_url,
        **changes,
    }
    return TwilioAccount(timing=timing or Timing(), **values)  # type: ignore[arg-type]  # those that must be are there


@asynccontextmanager
async def twilio(clock: ManualClock) -> AsyncIterator[Twilio]:
    """The double, listening; its webhooks reach a stand-in service."""
    service = Service(account_sid=fake_twilio.ACCOUNT, token=fake_twilio.TOKEN)
    line = httpx.AsyncClient(transport=httpx.ASGITransport(app=service.app), trust_env=False)
    async with line, FakeTwilio(clock).serving() as double:
        double.connect(line)
        gateway = TwilioGateway(account(double), clock)
        try:
            yield Twilio(double, service, gateway)
        finally:
            await gateway.aclose()
            assert double.faults == []
