"""Struck dead at each named moment, on both databases: in the end all is as if nothing had been (R7, I12).

The process's death is played: from that moment on nothing of it reaches the database or the provider, and it
is started again a minute later. So no clock but the town's is in it. That a real `kill -9` is no other thing
is for `make torture`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from bench.torture import points
from rapid_response.audit.looking import Moment, missing
from rapid_response.core import failpoints as fp
from rapid_response.core.incident import Status
from rapid_response.core.states import MessageChannel
from rapid_response.core.vocabulary import ClockState
from rapid_response.messaging.lives import UNRESOLVED
from rapid_response.messaging.wording import REPEAT
from rapid_response.simulator.tables import Direction, SimTextRow
from rapid_response.storage import log
from rapid_response.storage.tables import AttemptRow, IncidentRow, MessageRow, ReportRow
from tests.builders import paid_today, small_town
from tests.conftest import NOON
from tests.harness import ASHA, Town
from tests.nodes import audit

SERVICE = small_town(
    sla={"respond_within": "PT34M", "accept_within": "PT31M", "warn_at": ["95%"]},
    escalation=[
        {"after": "PT0M", "action": "offer", "to": "best_responder", "answer_within": "PT15M"},
        {"after": "PT16M", "action": "offer", "to": "next_responder", "answer_within": "PT15M"},
        {"after": "PT30M", "action": "notify", "to": "duty_officer", "by": ["sms"]},
    ],
)

#: Where it dies, one death after another, each after a restart: while one report is answered and seen to …
_WHILE_ANSWERED = (
    ("intake.received", "intake.written", "intake.committed", "msg.looked", "msg.recorded"),
    ("intake.replied", "msg.claimed", "events.committed", "text.received", "ack.read"),
    ("events.claimed", "msg.before_http", "text.committed", "ack.committed", "callback.replied"),
    ("msg.after_http", "events.written", "callback.received", "callback.committed", "action.written"),
    (
        "msg.after_http",
        "lookup.before",
        "lookup.after",
        "lookup.committed",
        "text.replied",
        "close.committed",
    ),
)
#: … and while nobody answers.
_WHILE_NOT = ("timer.claimed", "escalate.written", "msg.written", "timer.written", "breach.committed")

#: What tells one happening of a kind from another; what depends on how often a text was tried is left out.
_HAPPENED = {
    "report_received": ("channel",),
    "clock_started": (),
    "offer_made": ("responder", "rung"),
    "offer_lapsed": ("responder",),
    "offer_accepted": ("responder", "source"),
    "rung_reached": ("rung",),
    "deadline_warned": ("share",),
    "deadline_missed": (),
    "arrived_on_scene": ("responder",),
    "clock_stopped": ("met",),
    "incident_closed": ("disposition",),
    "notice_given": ("kind", "role"),
}
#: The end where nobody dies.
ANSWERED: dict[str, Any] = {
    "status": Status.CLOSED,
    "clock": ClockState.MET,
    "owner": None,
    "report_received phone": 1,
    "clock_started": 1,
    "offer_made asha 0": 1,
    "offer_accepted asha sms": 1,
    "arrived_on_scene asha": 1,
    "clock_stopped True": 1,
    "incident_closed resolved_attended": 1,
}
#: The ladder's second offer came before its time, when the first had lapsed, and so did the one after it.
UNANSWERED: dict[str, Any] = {
    "status": Status.DISPATCHING,
    "clock": ClockState.BREACHED,
    "owner": None,
    "report_received phone": 1,
    "clock_started": 1,
    "offer_made asha 0": 1,
    "offer_made ben 1": 1,
    "offer_made asha 99": 1,
    "offer_lapsed asha": 1,
    "offer_lapsed ben": 1,
    "rung_reached 2": 1,
    "deadline_warned 0.95": 1,
    "deadline_missed": 1,
    "notice_given not_accepted duty_officer": 1,
    "notice_given nobody_left duty_officer": 1,
    "notice_given rung duty_officer": 1,
    "notice_given warning duty_officer": 1,
    "notice_given breach duty_officer": 1,
    "notice_given breach team_leader": 1,
}
#: A text whose fate nobody knew for a minute has the desk told and the next person asked: the safe side.
SAFER = {"notice_given delivery_failing desk", "offer_made ben 1"}


class Died(BaseException):
    """The process is no more."""


class Doom:
    """Ends the process at one moment: from then on it does nothing that lasts."""

    def __init__(self, point: str) -> None:
        self.point = point
        self._at, self._of = points.POINTS[point]
        self.is_dead = False

    def __call__(self, name: str, what: object) -> None:
        if not self.is_dead and name == self._at and points.name_of(what).startswith(self._of):
            self.is_dead = True
        # What has just become durable, or was just answered, cannot fail any more.
        if self.is_dead and name not in (fp.STEP_COMMITTED, fp.HTTP_REPLIED):
            raise Died


@pytest.fixture(autouse=True)
def _profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(fp.PROFILE, fp.FOR_FAULTS)


class Life:
    """A town whose process dies where it is told to, and is started again a minute later."""

    def __init__(self, town: Town, deaths: tuple[str, ...]) -> None:
        self.town = town
        self._deaths = list(deaths)
        self._doom: Doom | None = None

    @property
    def to_die(self) -> list[str]:
        """Where it has not been yet."""
        return [*([self._doom.point] if self._doom is not None else []), *self._deaths]

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """What happens in here may be the end of the process: then it is started again."""
        if self._doom is None and self._deaths:
            self._doom = Doom(self._deaths.pop(0))
            fp.arm(self._doom)
        try:
            yield
        except* Died:
            pass
        if self._doom is not None and self._doom.is_dead:
            # Others that were under way in this process end as well, before it is started again.
            others = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.gather(*others, return_exceptions=True)
            fp.disarm()
            self._doom = None
            await self.town.restart(after_minutes=1)

    async def until_done(self, do: Callable[[], Awaitable[bool]]) -> None:
        """Do it again after each death, until it is done."""
        while True:
            done = False
            async with self.living():
                done = await do()
            if done:
                return

    async def reports(self) -> str:
        """A report comes in, again and again under one key until it is acknowledged; and is worked on."""
        answers: list[str] = []

        async def post() -> bool:
            key = {"idempotency-key": "report"}
            answer = await self.town.http.post("/api/v1/reports", json=paid_today(), headers=key)
            assert answer.status_code == 201, answer.text
            answers.append(answer.json()["reference"])
            return True

        await self.until_done(post)
        await self.settles()
        return answers[-1]

    async def settles(self, minutes: float = 0) -> None:
        end = self.town.clock.now().timestamp() + minutes * 60

        async def pass_() -> bool:
            left = end - self.town.clock.now().timestamp()
            await self.town.pass_time(seconds=max(0.0, left))
            return True

        await self.until_done(pass_)


async def answered(town: Town, deaths: tuple[str, ...]) -> dict[str, Any]:
    """A report is answered and seen to; what is there at the end."""
    if "lookup.before" in deaths:
        # Else a receipt tells what became of it before it is asked.
        await town.fails(no_receipts=True)
    life = Life(town, deaths)
    reference = await life.reports()
    number = (await town.incident(reference))["job_number"]
    for words in (f"OK {number}", f"HERE {number}"):
        await life.until_done(partial(_says, town, words))
        await life.settles(minutes=2)
    await life.until_done(partial(_closes, town, reference))
    await life.settles(minutes=2)
    assert life.to_die == [], "it did not come to where it was to die"
    return await _end_state(town, reference)


async def unanswered(town: Town, deaths: tuple[str, ...]) -> dict[str, Any]:
    """Nobody answers; what is there at the end."""
    life = Life(town, deaths)
    reference = await life.reports()
    await life.settles(minutes=38)
    assert life.to_die == [], "it did not come to where it was to die"
    return await _end_state(town, reference)


async def _says(town: Town, words: str) -> bool:
    """Once: what the network has, it posts until somebody hears it."""
    sent = [row.body for row in await town.rows(SimTextRow) if row.direction is Direction.INBOUND]
    if words not in sent:
        await town.post("/simulator/reply", {"from": ASHA, "body": words})
    return True


async def _closes(town: Town, reference: str) -> bool:
    body = {"disposition": "resolved_attended"}
    answer = await town.post(f"/api/v1/incidents/{reference}/actions/close", body)
    # The first may have been stored, and nobody was told.
    assert answer.status_code in (200, 409), answer.text
    return bool((await town.incident(reference))["status"] == "closed")


async def _end_state(town: Town, reference: str) -> dict[str, Any]:
    """All that an onlooker could tell two histories apart by, but for repeats and the minutes lost."""
    happened: Counter[str] = Counter()
    for event in await town.events(reference):
        by = _HAPPENED.get(event["type"])
        data = event["data"]
        if by is not None and not data.get("repeat"):
            happened[" ".join([event["type"], *(str(data[name]) for name in by)])] += 1
    (incident,) = await town.rows(IncidentRow)
    assert len(await town.rows(ReportRow)) == 1
    return {"status": incident.status, "clock": incident.clock_state, "owner": incident.owner, **happened}


def _check_end(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert {name: found.get(name) for name in wanted} == wanted
    assert found.keys() - wanted.keys() <= SAFER


async def _check_texts(town: Town) -> None:
    """Nothing that was to be sent is missing, and a second copy says that it is one."""
    tokens = {row.token: row.message_id for row in await town.rows(AttemptRow)}
    got: dict[str, list[str]] = {}
    for text in await town.rows(SimTextRow):
        if text.direction is Direction.OUTBOUND:
            got.setdefault(tokens[text.token], []).append(text.body)
    for message in await town.rows(MessageRow):
        bodies = got.get(message.id, [])
        assert sum(not body.startswith(REPEAT) for body in bodies) <= 1, message.purpose
        if message.channel is MessageChannel.SMS and message.purpose in ("offer", "notice"):
            # One whose fate nobody knew is not sent again when nobody wants it any more (M13).
            unwanted = message.reason == UNRESOLVED and message.cancel_requested is not None
            assert bodies or unwanted or message.state in ("cancelled", "expired", "pending"), (
                message.purpose,
                message.state,
                message.reason,
            )


async def _check(town: Town) -> None:
    await _check_texts(town)
    database = town.app.database
    assert database.look_now(audit.parked) == []
    assert database.look_now(lambda c: missing(c, Moment(town.clock.now(), town.clock.real()))) == []
    while await database.run(log.seal) is not None:
        pass
    assert (await database.look(log.verify)).broken is None


@pytest.mark.long
@pytest.mark.parametrize("deaths", _WHILE_ANSWERED, ids="+".join)
async def test_r7_i12_a_death_while_a_report_is_answered_changes_nothing_in_the_end(
    database_url: str, deaths: tuple[str, ...]
) -> None:
    async with Town(database_url, NOON, SERVICE) as town:
        _check_end(await answered(town, deaths), ANSWERED)
        await _check(town)


async def test_r7_i12_deaths_while_nobody_answers_miss_no_deadline(database_url: str) -> None:
    async with Town(database_url, NOON, SERVICE) as town:
        _check_end(await unanswered(town, _WHILE_NOT), UNANSWERED)
        await _check(town)
