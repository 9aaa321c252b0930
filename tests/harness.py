"""A town to test in: the service over HTTP, real webhooks, simulated phones, and a clock that we turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import SecretStr
from sqlalchemy import (
    Connection,
    Executable,
    bindparam,
    case,
    func,
    literal,
    select,
    type_coerce,
    union_all,
    update,
)
from sqlmodel import SQLModel, col
from sqlmodel import select as typed_select

from rapid_response.access.keys import create_key
from rapid_response.app import App, build
from rapid_response.audit.readiness import Node
from rapid_response.caretaker import Caretaker
from rapid_response.core.clock import ManualClock
from rapid_response.core.ids import Ids, SystemIds
from rapid_response.core.pulse import Pulse
from rapid_response.core.states import LookupState, MailState, SecondReadingState
from rapid_response.core.vocabulary import Scope
from rapid_response.definition.load import parse
from rapid_response.definition.schema import ServiceFile
from rapid_response.intake.reading.port import Reader
from rapid_response.settings import Settings
from rapid_response.simulator.tables import PostKind, SimPostRow
from rapid_response.steps.load_service import load
from rapid_response.steps.ring import arm_standing
from rapid_response.steps.service import LastKnown
from rapid_response.storage.columns import UtcDateTime
from rapid_response.storage.duties import Duty
from rapid_response.storage.once import Filled
from rapid_response.storage.tables import (
    AgendaRow,
    DeliveryRow,
    DutyRow,
    MailRow,
    MessageRow,
    PlaceLookupRow,
    SecondReadingRow,
)
from rapid_response.storage.tx import read_from
from tests.builders import SMALL_TOWN
from tests.economy import forget_routes

BROMLEY = Path(__file__).parent.parent / "deploy" / "bromley.yaml"

ASHA, BEN, CAT = "+447700900101", "+447700900102", "+447700900103"
DEE = "+447700900109"
LEADER, HEAD, LEAD_ON_HATE, DESK = "+447700900120", "+447700900121", "+447700900122", "+447700900123"
BASE = "http://testserver"

R = TypeVar("R", bound=SQLModel)


@cache
def _parsed(text: str) -> ServiceFile:
    """Most towns of a test run have the same definition."""
    return parse(text, "test.yaml")


class Town:
    """One council's service in a test.

    Nothing happens by itself: `settle` lets the worker do what is due, `pass_time` turns the clock and lets
    the worker do what falls due on the way, each at its moment.
    """

    receipts: Sequence[str] = ("delivered",)

    def __init__(
        self,
        database_url: str,
        start: datetime,
        definition: str | None = None,
        ids: Ids | None = None,
        reader: Reader | None = None,
        *,
        texts_per_second: float = 1000.0,
        texts_a_day: int = 100_000,
        **settings: Any,
    ) -> None:
        self._url = database_url
        self._reader = reader
        self._settings = {
            "evaluation": True,
            "sms_per_second": texts_per_second,
            "sms_daily_alarm": texts_a_day,
            **settings,
        }
        self._ids: Ids = ids or SystemIds()
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
        forget_routes()

    async def _open(self) -> None:
        settings = Settings(
            database_url=self._url,
            base_url=BASE,
            secret_key=SecretStr("a secret key only for tests, long enough"),
            **self._settings,
        )
        self.app = build(settings, clock=self.clock, ids=self._ids, reader=self._reader, works=False)
        # Half the work of a text is its receipts; that of `sent` changes nothing (test_main_job hears both).
        if self.app.simulated is not None:
            self.app.simulated.receipts = self.receipts
        await self._stack.enter_async_context(self.app.asgi.router.lifespan_context(self.app.asgi))
        await self.app.database.run(partial(arm_standing, desk=self.app.desk))
        transport = httpx.ASGITransport(app=self.app.asgi, raise_app_exceptions=False)
        headers = {"authorization": f"Bearer {self.key}"} if self.key else {}
        self.http = await self._stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)
        )

    async def restart(self, after_minutes: float = 0) -> None:
        """Stop the service and start it again on the same database, after a while in which nobody serves."""
        await self._stack.aclose()
        self._stack = AsyncExitStack()
        self.clock.advance(timedelta(minutes=after_minutes))
        await self._open()

    async def load(self, text: str) -> None:
        """Load a service definition."""
        service = _parsed(text)
        await self.app.database.run(lambda tx: load(tx, service))
        await self.app.caretaker.remember_service()

    # time

    async def settle(self) -> None:
        """Let the worker and the phones do everything that is due now."""
        while ready := {waits.loop for waits in await self._waiting() if waits.is_due}:
            passes = [do for loop, do in self._loops().items() if loop in ready]
            if not sum([await do() for do in passes]):
                return

    async def settle_once(self) -> None:
        """One pass of each loop, for a service that does not do what is due: it would never settle."""
        for do in self._loops().values():
            await do()

    def _loops(self) -> dict[str, Callable[[], Awaitable[int]]]:
        worker = self.app.worker
        passes = {**worker.loops.passes, "send": worker.sender.send_queued, "phones": self.app.network.settle}
        names = ("ring", "send", "deliver", "second", "places", "mail", "phones")
        return {name: passes[name] for name in names if name in passes}

    async def _waiting(self) -> list[_Waits]:
        """What is still to be done, by which loop."""
        return await self.app.database.look(lambda connection: _work(connection, self.clock.now()))

    async def pass_time(self, *, minutes: float = 0, seconds: float = 0) -> None:
        """Turn the clock, and let what falls due on the way happen at its moment."""
        await self.until(self.clock.now() + timedelta(minutes=minutes, seconds=seconds))

    async def until(self, end: datetime) -> None:
        """As :meth:`pass_time`, up to a moment."""
        await self.settle()
        while self.clock.now() < end:
            coming = [waits.comes for waits in await self._waiting() if waits.comes is not None]
            self.clock.set(min([end, *coming]))
            await self.settle()

    async def audit(self) -> Mapping[str, int]:
        """Let the auditor of another node look now, as if it were its turn; what it found, by name."""
        database, desk = self.app.database, self.app.desk
        await database.run(lambda tx: tx.execute(update(DutyRow).values(due_at=tx.real)))
        other = Caretaker(database, desk, Node("other", self.clock, Pulse()), LastKnown())
        assert await other.audit() == 1
        (row,) = [row for row in await self.rows(DutyRow) if row.name == Duty.AUDIT]
        return row.found

    async def ready(self) -> dict[str, Any]:
        """What /health/ready says."""
        answer = await self.http.get("/health/ready")
        said: dict[str, Any] = answer.json()
        assert (answer.status_code == 200) is (said["status"] == "ready")
        return said

    # the public doors

    async def takes(self, report: Mapping[str, Any]) -> Case:
        """A report reaches us through the API; the case that it becomes."""
        reference = (await self.reports(**report))["reference"]
        return Case(self, reference, (await self.incident(reference))["job_number"])

    async def reports(
        self, narrative: str = "Somebody is trying to trick my mother.", **more: Any
    ) -> dict[str, Any]:
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

    async def act(self, reference: str, action: str, /, **body: Any) -> dict[str, Any]:
        """Do something to an incident; it must be allowed."""
        answer = await self.try_to(reference, action, **body)
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    async def try_to(self, reference: str, action: str, /, **body: Any) -> httpx.Response:
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

    async def last_text(self, number: str) -> str:
        """The newest text that a phone got; empty when it got none."""
        return (await self.texts(number) or [""])[-1]

    async def texts_with(self, words: str, number: str | None = None) -> list[str]:
        """The texts that hold those words, to one phone or to all, oldest first."""
        answer = await self.http.get("/simulator/messages", params={"to": number} if number else {})
        assert answer.status_code == 200, answer.text
        return [message["body"] for message in answer.json() if words in message["body"]]

    async def calls(self, number: str) -> list[dict[str, Any]]:
        """The calls to and from a phone, oldest first."""
        answer = await self.http.get("/simulator/calls", params={"number": number})
        assert answer.status_code == 200, answer.text
        rung: list[dict[str, Any]] = answer.json()
        return rung

    async def answers_call(self, number: str, digits: str) -> str:
        """Somebody answers our call and presses keys; gives what was said last."""
        answer = await self.post("/simulator/answer-call", {"to": number, "digits": digits})
        assert answer.is_success, answer.text
        await self.settle()
        return str(answer.json()["prompt"])

    async def fails(self, **faults: Any) -> None:
        """Something of the telephone network fails from now on, or works again."""
        answer = await self.post("/simulator/faults", faults)
        assert answer.is_success, answer.text

    async def texts_reply(self, number: str, body: str) -> str:
        """Somebody texts us; gives the text's id."""
        answer = await self.post("/simulator/reply", {"from": number, "body": body})
        assert answer.is_success, answer.text
        await self.settle()
        return str(answer.json()["id"])

    async def delivers_again(self, text_id: str) -> None:
        """The network posts once more whatever it posted about a text."""
        answered = await self.app.network.redeliver(text_id)
        assert answered, text_id
        assert all(200 <= status < 300 for status in answered)
        await self.settle()

    async def rows(self, row: type[R]) -> Sequence[R]:
        """A whole table, for what nothing public shows."""
        return await self.app.database.run(lambda tx: tx.all(typed_select(row)))

    async def rings_hotline(self, number: str, transcript: str, **more: str) -> str:
        """Somebody leaves a voicemail on the hotline; gives the call's id."""
        answer = await self.post("/simulator/call", {"from": number, "transcript": transcript, **more})
        assert answer.is_success, answer.text
        await self.settle()
        return str(answer.json()["id"])

    async def newest(self) -> Case:
        """The case that came in last, for reports that have no answer."""
        items = (await self.http.get("/api/v1/incidents", params={"limit": 2})).json()["items"]
        assert len({item["received_at"] for item in items}) == len(items), "let a second pass between them"
        return Case(self, items[0]["reference"], items[0]["job_number"])

    async def count_incidents(self) -> int:
        """How many incidents there are."""
        return len((await self.http.get("/api/v1/incidents", params={"limit": 200})).json()["items"])

    async def metric(self, name: str, **labels: str) -> float:
        """One figure of /metrics."""
        text = (await self.http.get("/metrics")).text
        inside = ",".join(f'{k}="{v}"' for k, v in sorted(labels.items()))
        sample = f"rapid_response_{name}{{{inside}}} " if labels else f"rapid_response_{name} "
        found = [line for line in text.splitlines() if line.startswith(sample)]
        assert len(found) == 1, sample
        return float(found[0].removeprefix(sample))

    async def board(self, month: str, **more: str) -> dict[str, Any]:
        """The board report of a month."""
        answer = await self.http.get("/api/v1/reports/board", params={"month": month, **more})
        assert answer.status_code == 200, answer.text
        figures: dict[str, Any] = answer.json()
        return figures


@dataclass(frozen=True, slots=True)
class Case:
    """One incident in a story. In what people text, `{n}` stands for its job number."""

    town: Town
    reference: str
    number: int | None

    async def now(self) -> dict[str, Any]:
        """As the API shows it."""
        return await self.town.incident(self.reference)

    async def status(self) -> str:
        """Where it stands."""
        return str((await self.now())["status"])

    async def clock(self) -> dict[str, Any]:
        """Its clock."""
        clock: dict[str, Any] = (await self.now())["clock"]
        return clock

    async def hears(self, phone: str, words: str) -> str:
        """Somebody texts about it; gives the newest text on that phone then."""
        await self.town.texts_reply(phone, words.format(n=self.number))
        return await self.town.last_text(phone)

    async def act(self, action: str, /, **body: Any) -> dict[str, Any]:
        """The desk does something, which must be allowed."""
        return await self.town.act(self.reference, action, **body)

    async def try_to(self, action: str, /, **body: Any) -> httpx.Response:
        """The desk tries to do something."""
        return await self.town.try_to(self.reference, action, **body)

    async def happened(self, type_: str) -> list[dict[str, Any]]:
        """The data of its events of one type, oldest first, each with its time as `event_at`."""
        events = await self.town.events(self.reference)
        return [
            {**e["data"], "event_at": datetime.fromisoformat(e["at"])} for e in events if e["type"] == type_
        ]

    async def asked(self) -> list[str]:
        """Who was asked, in order."""
        return [offer["responder"] for offer in await self.happened("offer_made")]

    async def tasks(self) -> dict[str, dict[str, Any]]:
        """What is owed, by kind."""
        return {task["kind"]: task for task in (await self.now())["tasks"]}


@dataclass(frozen=True, slots=True)
class _Waits:
    """What one loop has to do: something now or not, and when next after now."""

    loop: str
    is_due: bool
    comes: datetime | None


def _work(connection: Connection, now: datetime) -> list[_Waits]:
    """What waits in rows, by the loop that does it: one query, as each step of the clock asks it."""
    return [
        _Waits(row.loop, bool(row.is_due), row.comes)
        for row in read_from(connection, _WAITING.given({"now": now}))
        if row.is_due or row.comes is not None
    ]


def _later_of(first: Any, second: Any) -> Any:
    return case((second.is_(None), first), (first > second, first), else_=second)


def _waiting() -> Executable:
    now = bindparam("now", type_=UtcDateTime)
    unleased = func.coalesce(col(DeliveryRow.leased_until), now)
    free = [col(AgendaRow.settled_at).is_(None), col(AgendaRow.parked_at).is_(None)]
    # Phones do all they can at once, but each rings for as long as it rings.
    rings = case((col(SimPostRow.kind) == PostKind.GIVE_UP, col(SimPostRow.due_at)), else_=now)
    of_loops: dict[str, tuple[Any, list[Any]]] = {
        "ring": (_later_of(col(AgendaRow.due_at), col(AgendaRow.leased_until)), free),
        "send": (col(MessageRow.next_attempt_at), [col(MessageRow.next_attempt_at).is_not(None)]),
        "deliver": (
            unleased,
            [col(DeliveryRow.parked_at).is_(None)],
        ),
        "second": (
            _later_of(col(SecondReadingRow.next_at), col(SecondReadingRow.leased_until)),
            [col(SecondReadingRow.state) == SecondReadingState.WAITING],
        ),
        "places": (col(PlaceLookupRow.due_at), [col(PlaceLookupRow.state) == LookupState.WAITING]),
        "mail": (
            _later_of(col(MailRow.due_at), col(MailRow.leased_until)),
            [col(MailRow.state) == MailState.WAITING],
        ),
        "phones": (_later_of(rings, col(SimPostRow.leased_until)), [col(SimPostRow.done_at).is_(None)]),
    }
    return union_all(
        *(
            select(
                literal(loop).label("loop"),
                func.max(case((at <= now, 1), else_=0)).label("is_due"),
                type_coerce(func.min(case((at > now, at))), UtcDateTime).label("comes"),
            ).where(*which)
            for loop, (at, which) in of_loops.items()
        )
    )


_WAITING = Filled(_waiting())
