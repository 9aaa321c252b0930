"""A whole shift, as it comes: people who answer or do not, an absence, a silent alarm.

Three quiet hours in `make test-full`; `RAPID_RESPONSE_TEST_PROFILE=large` plays eight, 40 contacts in each.
"""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest

from rapid_response.core.vocabulary import ClockState
from rapid_response.storage.log import verify
from rapid_response.storage.tables import AlarmRow, IncidentRow, TaskRow
from tests.builders import kettle, long_ago, paid_today, roofers_now, scam_paid, shift, small_town, unclear
from tests.harness import ASHA, BEN, CAT, DEE, LEADER, Case, Town
from tests.journeys.browser import on_sqlite
from tests.spine.test_state_machine import LARGE

HOURS, CONTACTS_AN_HOUR = (8, 40) if LARGE else (3, 4)
WORD = "heliotrope"
PHONES = {"asha": ASHA, "ben": BEN, "cat": CAT}
DAY_OF_THREE = small_town(
    rota=[shift("asha"), shift("ben"), shift("cat"), shift("dee")],
    on_call=[],
    lone_worker={"check_in_every": "PT30M", "then": ["duty_officer", "team_leader"], "duress_word": WORD},
)
Do = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Shift:
    """What happens when. All chance is one seed: the same shift each time."""

    town: Town
    #: After this somebody at a door needs help.
    middle: datetime
    chance: Random = field(default_factory=lambda: Random(7))
    contacts: int = 0
    alarmed: bool = False
    _coming: list[tuple[datetime, int, Do]] = field(default_factory=list)
    _number: Any = field(default_factory=count)

    def later(self, minutes: float, do: Do) -> None:
        """Something happens then."""
        at = self.town.clock.now() + timedelta(minutes=minutes)
        heapq.heappush(self._coming, (at, next(self._number), do))

    async def play(self, until: datetime) -> None:
        """Everything in its order, with whatever the service does by itself in between."""
        while self._coming and self._coming[0][0] <= until:
            at, _, do = heapq.heappop(self._coming)
            await self.town.until(at)
            await do()
        await self.town.until(until)

    # who rings

    async def contact(self) -> None:
        """Somebody reports something, by one of the ways in."""
        self.contacts += 1
        draw = self.chance.random()
        caller = f"+4477009{self.contacts:05}"
        if draw < 0.1:
            await self.town.rings_hotline(caller, "", hang_up_after="answer")
            return
        if draw < 0.2:
            await self.town.rings_hotline(caller, "A man took 200 pounds off my dad today for a gutter.")
            self.later(2, self._answering(await self.town.newest()))
            return
        kinds = (
            paid_today(),
            scam_paid(),
            roofers_now(),
            unclear(),
            kettle(),
            long_ago(self.town.clock.now()),
        )
        case = await self.town.takes({**self.chance.choice(kinds), "caller": {"phone": caller}})
        self.later(2, self._answering(case))

    # who answers

    def _answering(self, case: Case) -> Do:
        async def answer() -> None:
            now = await case.now()
            step = now["next_step"] or {}
            if now["status"] in ("dispatching", "awaiting_review") and step.get("what") == "answer_offer":
                await self._says(case, now["job_number"], PHONES[step["who"]])
            elif now["status"] == "unassigned":
                # The duty officer finds somebody.
                await case.act("assign", responder=self.chance.choice(("ben", "cat")))
                self.later(5, self._going(case))
            if now["status"] in ("dispatching", "unassigned", "awaiting_review", "assigned"):
                self.later(6, self._answering(case))

        return answer

    async def _says(self, case: Case, number: int, phone: str) -> None:
        draw = self.chance.random()
        if draw < 0.2:
            return  # silent
        await self.town.texts_reply(phone, f"{'NO' if draw < 0.35 else 'OK'} {number}")
        if draw >= 0.35:
            self.later(5, self._going(case))

    def _going(self, case: Case) -> Do:
        """Most go, arrive and help; one in ten never comes, and the desk takes the job back."""
        no_show = self.chance.random() < 0.1

        async def go() -> None:
            now = await case.now()
            if now["status"] != "assigned":
                return
            if no_show:
                self.later(45, self._taken_back(case))
                return
            phone = PHONES[now["responder"]]
            await self.town.texts_reply(phone, f"GO {now['job_number']}")
            self.later(15, self._there(case, phone))

        return go

    def _taken_back(self, case: Case) -> Do:
        async def take() -> None:
            if await case.status() == "assigned":
                await case.act("release", reason="Never set off.", arranged="police")
                self.later(2, self._answering(case))

        return take

    def _there(self, case: Case, phone: str) -> Do:
        async def arrive() -> None:
            now = await case.now()
            if now["status"] != "en_route":
                return
            await self.town.texts_reply(phone, f"HERE {now['job_number']}")
            if not self.alarmed and self.town.clock.now() > self.middle:
                self.alarmed = True
                await self.town.texts_reply(phone, f"SAFE {now['job_number']} {WORD}")
            self.later(20, self._done(case, phone))

        return arrive

    def _done(self, case: Case, phone: str) -> Do:
        async def finish() -> None:
            now = await case.now()
            if now["status"] == "on_scene":
                await self.town.texts_reply(phone, f"DONE {now['job_number']} HELPED")

        return finish

    # the desk

    async def looks_at_the_board(self) -> None:
        """Every ten minutes somebody sees what was told, a silent alarm of a case that is over too."""
        alarmed = {a.incident_id for a in await self.town.rows(AlarmRow) if a.acknowledged_at is None}
        for incident in await self.town.rows(IncidentRow):
            if incident.id in alarmed:
                await self.town.texts_reply(DEE, f"OK {incident.job_number}")
            if incident.is_open and incident.clock_state is not ClockState.NOT_APPLICABLE:
                await Case(self.town, incident.reference, incident.job_number).try_to("acknowledge")

    def available(self, responder: str, state: str) -> Do:
        """Somebody falls ill, or is back."""

        async def say() -> None:
            path = f"/api/v1/responders/{responder}/availability"
            assert (await self.town.post(path, {"state": state})).is_success
            await self.town.settle()

        return say


async def cared_for(town: Town) -> None:
    """Nothing open is without a next step that somebody has, and the auditor finds nothing amiss."""
    for incident in await town.rows(IncidentRow):
        if incident.is_open:
            step = (await town.incident(incident.reference))["next_step"]
            assert step is not None, incident.reference
            assert step["who"], incident.reference
    assert await town.metric("open_without_next_step") == 0
    assert not any((await town.audit()).values())


@pytest.mark.long
@(pytest.mark.slow if LARGE else on_sqlite)
async def test_a_shift_leaves_nothing_unowned_and_every_promise_accounted_for(town: Town) -> None:
    await town.load(DAY_OF_THREE)
    began = town.clock.now()
    day = Shift(town, began + timedelta(hours=HOURS / 3))
    for number in range(HOURS * CONTACTS_AN_HOUR):
        day.later(60 / CONTACTS_AN_HOUR * number + day.chance.random(), day.contact)
    for tenth_minute in range(HOURS * 6):
        day.later(10 * tenth_minute + 9, day.looks_at_the_board)
    day.later(16 * HOURS, day.available("asha", "off"))
    day.later(31 * HOURS, day.available("asha", "on"))

    for hour in range(HOURS):
        await day.play(began + timedelta(hours=hour + 1))
        await cared_for(town)
    # Whatever was begun ends, and what was never answered runs out.
    await day.play(began + timedelta(hours=HOURS + 3))
    await cared_for(town)

    # A contact each, and each became something.
    board = await town.board("2026-07")
    assert board["contacts"]["total"] == day.contacts == HOURS * CONTACTS_AN_HOUR
    became = board["reconciliation"]
    assert became.pop("contacts") == sum(became.values())
    # Every promise is kept, missed or called off; for each missed one a reason is owed.
    states = [row.clock_state for row in await town.rows(IncidentRow)]
    assert ClockState.RUNNING not in states
    assert ClockState.PAUSED not in states
    two_hours = board["two_hours"]
    assert two_hours["met"] == states.count(ClockState.MET) > 0
    assert two_hours["breached"] == states.count(ClockState.BREACHED)
    assert two_hours["open"] == 0
    owed = [row for row in await town.rows(TaskRow) if row.kind == "breach_reason"]
    assert len(owed) == two_hours["breached"]
    # The silent alarm reached two people, and its word stands nowhere.
    assert day.alarmed
    (alarm,) = await town.rows(AlarmRow)
    assert alarm.acknowledged_at is not None
    for phone in (DEE, LEADER):
        assert await town.texts_with("duress", phone)
    assert await town.texts_with(WORD) == []
    assert (await town.app.database.look(verify)).broken is None
