"""The whole service with MESSAGES=twilio, over HTTP both ways: we serve on a port, the double on another.

Nothing is simulated inside the process: requests to Twilio go out by our adapter through a socket, and
Twilio's webhooks come in through ours, signed. Only the clock is the test's.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import httpx
import uvicorn
from pydantic import SecretStr
from sqlmodel import SQLModel, select

from rapid_response.access.keys import create_key
from rapid_response.app import App, build
from rapid_response.core.clock import ManualClock
from rapid_response.core.vocabulary import Scope
from rapid_response.definition.load import parse
from rapid_response.settings import Settings
from rapid_response.steps.load_service import load
from rapid_response.steps.ring import arm_standing
from tests.builders import SMALL_TOWN
from tests.gateways.fake_twilio import ACCOUNT, NUMBER, TOKEN, FakeTwilio

R = TypeVar("R", bound=SQLModel)
TEXTS, CALLS = "/webhooks/twilio/sms", "/webhooks/twilio/voice"


@dataclass
class TwilioTown:
    """One council's service, its phones and Twilio between them."""

    app: App
    http: httpx.AsyncClient
    double: FakeTwilio
    clock: ManualClock
    base: str

    async def settle(self) -> None:
        """The worker does what is due, Twilio carries what it was given; until nothing moves."""
        while await self.app.worker.settle():
            await self.double.carry()

    async def pass_time(self, **by: float) -> None:
        """Turn the clock a second at a time where something falls due, and let it happen."""
        end = self.clock.now() + timedelta(**by)
        while self.clock.now() < end:
            self.clock.set(min(end, self.clock.now() + timedelta(seconds=15)))
            await self.settle()

    async def reports(self, **report: Any) -> str:
        """A report reaches us through the API; its reference."""
        body = {"channel": "phone", "narrative": "A roofer wants cash from my mother.", **report}
        answer = await self.http.post("/api/v1/reports", json=body)
        assert answer.status_code == 201, answer.text
        await self.settle()
        return str(answer.json()["reference"])

    async def incident(self, reference: str) -> dict[str, Any]:
        """The incident as the API shows it."""
        found: dict[str, Any] = (await self.http.get(f"/api/v1/incidents/{reference}")).json()
        return found

    async def texts_us(self, number: str, body: str, opt_out: str = "") -> str:
        """A phone texts our number; Twilio tells us. Gives the newest text on that phone then."""
        await self.double.text_in(number, body, self.base + TEXTS, opt_out=opt_out)
        assert self.double.answers[-1] == (TEXTS, 200)
        await self.settle()
        return (self.double.texts_to(number) or [""])[-1]

    async def rows(self, row: type[R]) -> Sequence[R]:
        """A whole table."""
        return await self.app.database.run(lambda tx: tx.all(select(row)))


@asynccontextmanager
async def twilio_town(database_url: str, start: datetime, **settings: Any) -> AsyncIterator[TwilioTown]:
    """The town, serving."""
    clock = ManualClock(start)
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        double = await stack.enter_async_context(FakeTwilio(clock).serving())
        app = build(
            Settings(
                database_url=database_url,
                base_url=base,
                secret_key=SecretStr("a secret key only for tests, long enough"),
                messages="twilio",
                twilio_account_sid=ACCOUNT,
                twilio_auth_token=SecretStr(TOKEN),
                twilio_from=NUMBER,
                twilio_api_base_url=double.base_url,
                # The pace is real time, which a story does not wait for.
                **{"sms_per_second": 100, **settings},
            ),
            clock=clock,
            works=False,
        )
        await stack.enter_async_context(app.asgi.router.lifespan_context(app.asgi))
        await stack.enter_async_context(_served(app, listener))
        line = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        double.connect(line)
        await app.database.run(partial(arm_standing, desk=app.desk))
        service = parse(SMALL_TOWN, "test.yaml")
        await app.database.run(lambda tx: load(tx, service))
        key = await app.database.run(lambda tx: create_key(tx, "tests", tuple(Scope)))
        http = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=base, headers={"authorization": f"Bearer {key.secret}"}, trust_env=False
            )
        )
        yield TwilioTown(app, http, double, clock, base)
        assert double.faults == []


@asynccontextmanager
async def _served(app: App, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(app.asgi, lifespan="off", log_config=None, access_log=False, ws="none")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    try:
        yield
    finally:
        await server.shutdown(sockets=[listener])
