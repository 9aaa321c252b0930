"""A town to test in: the whole service over HTTP, real webhooks, simulated phones, and a clock that we turn."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import SecretStr

from rapid_response.access.keys import create_key
from rapid_response.app import App, build
from rapid_response.core.clock import ManualClock
from rapid_response.core.ids import SystemIds
from rapid_response.core.vocabulary import Scope
from rapid_response.definition.load import parse
from rapid_response.settings import Settings
from rapid_response.steps.load_service import load

BROMLEY = Path(__file__).parent.parent / "deploy" / "bromley.yaml"

ASHA, BEN = "+447700900101", "+447700900102"
DEE = "+447700900109"
BASE = "http://testserver"


class Town:
    """One council's service in a test.

    Nothing happens by itself: `settle` lets the worker do what is due, `pass_time` turns the clock and lets it
    do what falls due on the way, minute by minute.
    """

    def __init__(self, database_url: str, start: datetime, definition: str | None = None) -> None:
        self._url = database_url
        self._definition = definition if definition is not None else SMALL_TOWN
        self.clock = ManualClock(start)
        self._stack = AsyncExitStack()
        self.app: App
        self.http: httpx.AsyncClient
        self.key = ""

    async def __aenter__(self) -> Self:
        await self._open()
        await self.load(self._definition)
        new = await self.app.database.run(lambda tx: create_key(tx, "tests", tuple(Scope)))
        self.key = new.secret
        self.http.headers["authorization"] = f"Bearer {self.key}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _open(self) -> None:
        settings = Settings(
            database_url=self._url,
            base_url=BASE,
            secret_key=SecretStr("a secret key only for tests, long enough"),
            evaluation=True,
        )
        self.app = build(settings, clock=self.clock, ids=SystemIds(), works=False)
        await self._stack.enter_async_context(self.app.asgi.router.lifespan_context(self.app.asgi))
        transport = httpx.ASGITransport(app=self.app.asgi, raise_app_exceptions=False)
        headers = {"authorization": f"Bearer {self.key}"} if self.key else {}
        self.http = await self._stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)
        )

    async def restart(self) -> None:
        """Stop the service and start it again on the same database."""
        await self._stack.aclose()
        self._stack = AsyncExitStack()
        await self._open()

    async def load(self, text: str) -> None:
        """Load a service definition."""
        service = parse(text, "test.yaml")
        await self.app.database.run(lambda tx: load(tx, service))

    # time

    async def settle(self) -> None:
        """Let the worker and the phones do everything that is due now."""
        while await self.app.worker.settle() + await self.app.network.settle():
            pass

    async def pass_time(self, *, minutes: float = 0, seconds: float = 0) -> None:
        """Turn the clock, and let what falls due on the way happen when it is due, minute by minute."""
        end = self.clock.now() + timedelta(minutes=minutes, seconds=seconds)
        await self.settle()
        while (left := end - self.clock.now()) > timedelta():
            self.clock.advance(min(left, timedelta(minutes=1)))
            await self.settle()

    # the public doors

    async def reports(self, narrative: str = "Somebody is trying to trick my mother.", **more: Any) -> dict[str, Any]:
        """A report reaches us through the API; the worker then does its work."""
        answer = await self.post("/api/v1/reports", {"channel": "phone", "narrative": narrative, **more})
        assert answer.status_code == 201, answer.text
        await self.settle()
        report: dict[str, Any] = answer.json()
        return report

    async def post(self, path: str, body: Any, **more: Any) -> httpx.Response:
        """POST JSON."""
        return await self.http.post(path, json=body, **more)

    async def incident(self, reference: str) -> dict[str, Any]:
        """The incident as the API shows it."""
        answer = await self.http.get(f"/api/v1/incidents/{reference}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def act(self, reference: str, action: str, **body: Any) -> dict[str, Any]:
        """Do something to an incident; it must be allowed."""
        answer = await self.try_to(reference, action, **body)
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    async def try_to(self, reference: str, action: str, **body: Any) -> httpx.Response:
        """Try to do something to an incident."""
        answer = await self.post(f"/api/v1/incidents/{reference}/actions/{action}", body)
        await self.settle()
        return answer

    async def events(self, reference: str) -> list[dict[str, Any]]:
        """What happened to it, oldest first."""
        answer = await self.http.get(f"/api/v1/incidents/{reference}/events")
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def event_types(self, reference: str) -> list[str]:
        """The types of what happened, oldest first."""
        return [event["type"] for event in await self.events(reference)]

    # phones

    async def texts(self, number: str) -> list[str]:
        """What a phone got, oldest first."""
        answer = await self.http.get("/simulator/messages", params={"to": number})
        assert answer.status_code == 200, answer.text
        return [message["body"] for message in answer.json()]

    async def texts_reply(self, number: str, body: str) -> None:
        """Somebody texts us."""
        answer = await self.post("/simulator/reply", {"from": number, "body": body})
        assert answer.is_success, answer.text
        await self.settle()

    async def rings_hotline(self, number: str, transcript: str) -> None:
        """Somebody leaves a voicemail on the hotline."""
        answer = await self.post("/simulator/call", {"from": number, "transcript": transcript})
        assert answer.is_success, answer.text
        await self.settle()

    async def board(self, month: str, **more: str) -> dict[str, Any]:
        """The board report of a month."""
        answer = await self.http.get("/api/v1/reports/board", params={"month": month, **more})
        assert answer.status_code == 200, answer.text
        figures: dict[str, Any] = answer.json()
        return figures


#: Two who are always on duty, one on call, a duty officer, a team leader, a head of service.
SMALL_TOWN = """\
service: {name: Small town, area: {wards: [Bromley Town, Hayes & Coney Hall], postcode_districts: [BR1, BR2]}, hotline: "+442079460001"}
sla:
  respond_within: PT2H
  accept_within: PT15M
  warn_at: [50%, 75%, 90%]
  coverage: always
lone_worker: {check_in_every: PT30M, then: [duty_officer, team_leader]}
responders:
  - {id: asha, name: Asha Patel, phones: {sms: "+447700900101", voice: "+447700900101"}, skills: [doorstep_crime, scam], wards: [Bromley Town]}
  - {id: ben, name: Ben Osei, phones: {sms: "+447700900102", voice: "+447700900102"}, skills: [doorstep_crime, scam]}
  - {id: cat, name: Cat Lewis, phones: {sms: "+447700900103"}, skills: [scam]}
  - {id: dee, name: Dee Okoro, phones: {sms: "+447700900109", voice: "+447700900109"}, roles: [duty_officer]}
rota:
  - {responder: asha, days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "24:00"}
  - {responder: ben, days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "24:00"}
  - {responder: dee, days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "24:00"}
escalation:
  - {after: PT0M, action: offer, to: best_responder, answer_within: PT5M}
  - {after: PT5M, action: offer, to: next_responder, answer_within: PT5M}
  - {after: PT15M, action: notify, to: duty_officer, by: [sms, voice]}
  - {after: PT30M, action: notify, to: team_leader, by: [sms, voice]}
  - {after: PT60M, action: notify, to: head_of_service, by: [sms, voice]}
on_call: [cat]
contacts: {duty_officer: "+447700900109", team_leader: "+447700900120", head_of_service: "+447700900121", hate_crime_lead: "+447700900122", desk: "+447700900123"}
"""
