"""`python -m bench.shift`: a whole shift by the service's own clock, and whether anything was left unowned.

Eight hours at forty contacts an hour: reports by telephone, web and partners, texts and voicemails, with the
words of the validation corpus. Ten responders take what they are offered, or do not; two fall ill in the
second hour and come back in the fifth, some who said yes never turn up, and one texts the duress word. A duty
officer sees to what waits for a person. Each minute every open incident must have a next step; at the end
every clock is accounted for. All choices come from the seed.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import heapq
import itertools
import json
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import col

from rapid_response.core.ids import SeededIds
from rapid_response.core.incident import Status
from rapid_response.core.states import OfferState, TaskState
from rapid_response.storage.tables import AgendaRow, IncidentRow, NoticeRow, OfferRow, TaskRow
from tests.builders import shift, small_town
from tests.databases import TestDatabases
from tests.harness import DEE, Town

BEGINS = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
HOURS, AN_HOUR = 8, 40
DURESS = "heliotrope"
CORPUS = Path(__file__).parents[1] / "tests" / "reading" / "corpus" / "validation.jsonl"
RESPONDERS = {f"r{n}": f"+4477009002{n:02}" for n in range(10)}
ILL, ILL_FROM, ILL_UNTIL = ("r3", "r7"), timedelta(hours=1), timedelta(hours=4)
DURESS_AFTER = timedelta(hours=5)
#: Of those who are asked: who says yes, who says no; the others say nothing.
YES, NO = 0.75, 0.12
#: Of those who said yes: who never arrives and says nothing more; of those who arrive: who finds nobody.
NO_SHOW, NOBODY_IN = 0.08, 0.08
_OFFICER_LOOKS = timedelta(minutes=10)


def town_text() -> str:
    """The small town with ten responders."""
    people = [
        {
            "id": who,
            "name": who.upper(),
            "phones": {"sms": sms, "voice": sms},
            "skills": ["doorstep_crime", "scam"],
        }
        for who, sms in RESPONDERS.items()
    ]
    officer = {
        "id": "dee", "name": "Dee Okoro", "phones": {"sms": DEE, "voice": DEE}, "roles": ["duty_officer"],
    }  # fmt: skip
    lone = {"check_in_every": "PT30M", "then": ["duty_officer", "team_leader"], "duress_word": DURESS}
    return small_town(
        responders=[*people, officer],
        rota=[shift(who) for who in (*RESPONDERS, "dee")],
        on_call=[],
        lone_worker=lone,
    )


class Shift:
    """What the people of the story are about to do, and what has been seen."""

    def __init__(self, town: Town, seed: int) -> None:
        self.town, self.chance = town, random.Random(seed)
        self.texts = [json.loads(line)["text"] for line in CORPUS.open(encoding="utf-8")]
        self.coming: list[tuple[datetime, int, str, str]] = []
        self._order = itertools.count()
        self.seen: set[str] = set()
        self.contacts: collections.Counter[str] = collections.Counter()
        self.no_shows = 0
        self.unowned: list[str] = []
        self.on_scene: dict[str, int] = {}

    @property
    def now(self) -> datetime:
        return self.town.clock.now()

    def later(self, minutes: float, number: str, words: str) -> None:
        """Somebody will text that."""
        heapq.heappush(self.coming, (self.now + timedelta(minutes=minutes), next(self._order), number, words))

    # the public

    async def contact(self) -> None:
        """One more reaches us, by one of the ways."""
        words = self.chance.choice(self.texts)
        number = f"+4477008{self.chance.randrange(100_000, 1_000_000)}"
        way = self.chance.choices(("phone", "web", "partner", "text", "voicemail"), (55, 15, 10, 8, 12))[0]
        self.contacts[way] += 1
        if way == "text":
            await self.town.texts_reply(number, words[:300])
        elif way == "voicemail":
            await self.town.rings_hotline(number, words)
        else:
            report: dict[str, Any] = {
                "channel": way,
                "narrative": words,
                "location": {
                    "ward": self.chance.choice(("Bromley Town", "Hayes & Coney Hall")),
                    "postcode": "BR1 3UH",
                },
            }
            answer = await self.town.post("/api/v1/reports", report)
            assert answer.status_code == 201, answer.text
        await self.town.settle()

    # responders

    async def look_at_offers(self) -> None:
        """Whoever was asked makes up her mind."""
        for offer_id, who, number in await self.town.app.database.look(_open_offers):
            if offer_id in self.seen:
                continue
            self.seen.add(offer_id)
            phone, said = RESPONDERS.get(who), self.chance.random()
            if phone is None or said >= YES + NO:
                continue
            if said >= YES:
                self.later(self.chance.uniform(0.5, 4), phone, f"NO {number}")
                continue
            after = self.chance.uniform(0.5, 4.5)
            self.later(after, phone, f"OK {number}")
            if self.chance.random() < NO_SHOW:
                self.no_shows += 1
                continue
            there = after + self.chance.uniform(10, 40)
            done = there + self.chance.uniform(15, 28)
            self.later(there, phone, f"HERE {number}")
            ends = "NOBODY" if self.chance.random() < NOBODY_IN else "HELPED"
            self.later(done, phone, f"DONE {number} {ends}")

    async def say_what_is_due(self) -> None:
        """The texts that people meant to send by now."""
        while self.coming and self.coming[0][0] <= self.now:
            _, _, number, words = heapq.heappop(self.coming)
            await self.town.texts_reply(number, words)
            if words.startswith("HERE "):
                self.on_scene[number] = int(words.split()[1])
            elif words.startswith("DONE "):
                self.on_scene.pop(number, None)

    async def duress(self) -> bool:
        """Whoever is at an address sends the word; the duty officer has seen it three minutes later."""
        for number, job in sorted(self.on_scene.items()):
            await self.town.texts_reply(number, DURESS)
            self.later(3, DEE, f"OK {job}")
            return True
        return False

    # the desk

    async def officer_looks(self) -> None:
        """Tasks that are due are done; where nobody was found or turned up, she helps by telephone."""
        for reference, task, kind in await self.town.app.database.look(lambda c: _due_tasks(c, self.now)):
            body: dict[str, Any] = {"task": task}
            if kind == "breach_reason":
                body["reason"] = "travel"
            await self.town.try_to(reference, "task_done", **body)
        for reference in await self.town.app.database.look(lambda c: _stuck(c, self.now)):
            await self.town.try_to(reference, "remote_response", protective_act="safe_with_someone")

    async def look(self) -> None:
        """What must hold at each minute."""
        if left := await self.town.metric("open_without_next_step"):
            self.unowned.append(f"{self.now:%H:%M}: {left:.0f}")


def _open_offers(connection: Connection) -> list[tuple[str, str, int]]:
    rows = connection.execute(
        select(col(OfferRow.id), col(OfferRow.responder_id), col(IncidentRow.job_number))
        .join(IncidentRow, col(IncidentRow.id) == col(OfferRow.incident_id))
        .where(col(OfferRow.state) == OfferState.OPEN)
        .order_by(col(OfferRow.id))
    )
    return [(offer, who, number) for offer, who, number in rows if number is not None]


def _due_tasks(connection: Connection, now: datetime) -> list[tuple[str, str, str]]:
    rows = connection.execute(
        select(col(IncidentRow.reference), col(TaskRow.id), col(TaskRow.kind))
        .join(IncidentRow, col(IncidentRow.id) == col(TaskRow.incident_id))
        .where(col(TaskRow.state) == TaskState.OPEN, col(TaskRow.due_at) <= now)
        .order_by(col(TaskRow.id))
    )
    return [(reference, task, kind) for reference, task, kind in rows]


def _stuck(connection: Connection, now: datetime) -> list[str]:
    """Reported 75 minutes ago, and nobody is there."""
    waiting = (Status.UNASSIGNED, Status.DISPATCHING, Status.ASSIGNED)
    rows = connection.execute(
        select(col(IncidentRow.reference))
        .where(
            col(IncidentRow.status).in_(waiting), col(IncidentRow.received_at) <= now - timedelta(minutes=75)
        )
        .order_by(col(IncidentRow.received_at))
    )
    return list(rows.scalars())


async def run(seed: int, hours: float, database_url: str) -> bool:
    """One shift; True when nothing was unowned and every clock is accounted for."""
    async with Town(database_url, BEGINS, town_text(), ids=SeededIds(seed)) as town:
        story = Shift(town, seed)
        end = BEGINS + timedelta(hours=hours)
        next_contact, next_look = BEGINS, BEGINS
        said_duress = was_ill = is_back = False
        minute = BEGINS
        while minute < end:
            minute += timedelta(minutes=1)
            await town.until(minute)
            while next_contact <= minute:
                await story.contact()
                next_contact += timedelta(hours=story.chance.expovariate(AN_HOUR))
            await story.look_at_offers()
            await story.say_what_is_due()
            since = minute - BEGINS
            if not was_ill and since >= ILL_FROM:
                was_ill = True
                for who in ILL:
                    await town.post(f"/api/v1/responders/{who}/availability", {"state": "off"})
            if not is_back and since >= ILL_UNTIL:
                is_back = True
                for who in ILL:
                    await town.post(f"/api/v1/responders/{who}/availability", {"state": "on"})
            if not said_duress and since >= DURESS_AFTER:
                said_duress = await story.duress()
            if minute >= next_look:
                next_look += _OFFICER_LOOKS
                await story.officer_looks()
            await story.look()
            if minute.minute == 0:
                print(
                    f"  {minute:%H:%M}, {sum(story.contacts.values())} contacts", file=sys.stderr, flush=True
                )
        found = await town.audit()
        return await told(town, story, seed, said_duress, dict(found))


async def told(town: Town, story: Shift, seed: int, said_duress: bool, found: dict[str, int]) -> bool:
    """Print what became of it all."""
    incidents = await town.rows(IncidentRow)
    late = [r.late_seconds or 0.0 for r in await town.rows(AgendaRow) if r.settled_at is not None]
    states = collections.Counter(i.clock_state for i in incidents)
    now = town.clock.now()
    lost = [
        i.reference
        for i in incidents
        if i.is_open and i.clock_state == "running" and i.due_at and i.due_at < now
    ]
    offers = collections.Counter(o.state for o in await town.rows(OfferRow))
    notices = len(await town.rows(NoticeRow))
    print(f"seed {seed}; {sum(story.contacts.values())} contacts: {dict(sorted(story.contacts.items()))}")
    print(f"incidents {len(incidents)}, open at the end {sum(i.is_open for i in incidents)}")
    print(f"clocks: {dict(sorted((str(s), n) for s, n in states.items()))}")
    print(f"offers: {dict(sorted((str(s), n) for s, n in offers.items()))}; no-shows {story.no_shows}")
    latest = max(late, default=0.0)
    print(f"notices to people {notices}; deadlines fired {len(late)}, the latest by {latest:.1f} s")
    print(f"duress: {'texted and seen' if said_duress else 'nobody was at an address'}")
    print(f"minutes with an open incident without a next step: {len(story.unowned)} {story.unowned[:5]}")
    print(f"clocks past their time that nobody counted: {len(lost)}")
    print(f"the auditor found: {found or 'nothing'}")
    return not story.unowned and not lost and not found


def main(seed: int, hours: float) -> int:
    """Run it; 1 when something was left unowned."""
    databases = TestDatabases.anywhere()
    try:
        return 0 if asyncio.run(run(seed, hours, databases.fresh("sqlite"))) else 1
    finally:
        databases.close()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--hours", type=float, default=HOURS)
    given = arguments.parse_args()
    sys.exit(main(given.seed, given.hours))
