"""`python -m bench.reaching`: how soon somebody is reached when texts, or everything, are dead.

Each case is a seeded report in a town of its own on SQLite, whose carrier takes no text. People pick up after
a while, or not at all; every choice comes from the seed, so a figure can be looked at again. The figures are
of the service's own time: what the machine takes is not in them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rapid_response.core.ids import SeededIds
from rapid_response.messaging.gateway import SendOutcome
from rapid_response.simulator.network import NoSuchCall
from rapid_response.storage.tables import EventRow, MessageRow
from tests.builders import paid_today, roofers_now, small_town
from tests.databases import TestDatabases
from tests.delivery.carrier import Answer, Carrier, between, refuses, says_nothing, takes
from tests.harness import Town

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
#: How the dead path behaves: refused at once, or no answer at all.
DEAD: Sequence[Callable[[], Answer]] = (lambda: refuses("not_sent"), lambda: _never)
#: Of those who are rung, so many pick up, within so many seconds of the ringing.
PICKS_UP, RINGS = 0.6, (3, 20)
_GIVE_UP = timedelta(minutes=30)
#: Nobody picks up sooner, so nothing is missed between two looks.
_LOOK = timedelta(seconds=RINGS[0])


async def _never(hand_over: Callable[[], Awaitable[SendOutcome]]) -> SendOutcome:
    return await says_nothing(hand_over)


@dataclass
class Figures:
    """What was seen, in seconds."""

    first_call: list[float] = field(default_factory=list)
    reached: list[float] = field(default_factory=list)
    desk_told: list[float] = field(default_factory=list)
    never: int = 0

    def line(self, name: str, values: Sequence[float]) -> str:
        """One row of the table."""
        if not values:
            return f"| {name} | {len(values)} | - | - | - |"
        ordered = sorted(values)
        p50, p99 = statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        return f"| {name} | {len(values)} | {p50:.0f} | {p99:.0f} | {ordered[-1]:.0f} |"


class Case:
    """One report in one town."""

    def __init__(self, town: Town, carrier: Carrier, chance: random.Random) -> None:
        self.town, self.carrier, self.chance = town, carrier, chance
        self.made_at = town.clock.now()
        self.rung: dict[str, datetime] = {}
        #: When somebody who was rung picks up; never, for those who do not.
        self.picks_up: dict[str, datetime] = {}

    def since(self, at: datetime) -> float:
        return (at - self.made_at).total_seconds()

    def look_at_phones(self) -> None:
        """Whoever is being rung makes up her mind."""
        for at, number, body in self.carrier.posted:
            if body == "(call)" and self.rung.get(number) != at:
                self.rung[number] = at
                if self.chance.random() < PICKS_UP:
                    self.picks_up[number] = at + timedelta(seconds=self.chance.randint(*RINGS))

    async def until_reached(self) -> datetime | None:
        """When the first person answered a call with a key; None when nobody did in half an hour."""
        end = self.made_at + _GIVE_UP
        while self.town.clock.now() < end:
            self.look_at_phones()
            now = self.town.clock.now()
            for number, at in sorted(self.picks_up.items(), key=lambda item: item[1]):
                if at <= now:
                    del self.picks_up[number]
                    try:
                        await self.town.app.network.answer_call(number, "1")
                    except NoSuchCall:
                        continue
                    return now
            soonest = min(self.picks_up.values(), default=now + _LOOK)
            await self.town.until(min(soonest, now + _LOOK))
        return None


async def one(databases: TestDatabases, seed: int, both_dead: bool, figures: Figures) -> None:
    """One case, from its seed."""
    chance = random.Random(seed)
    report: dict[str, Any] = chance.choice((paid_today, roofers_now))()
    dead = chance.choice(DEAD)()
    url = databases.fresh("sqlite")
    try:
        async with Town(url, NOON, small_town(), ids=SeededIds(seed)) as town:
            carrier = between(town)
            town.clock.advance(timedelta(seconds=chance.randint(0, 86_000)))
            carrier.usual_text = dead
            carrier.usual_call = dead if both_dead else takes
            answer = await town.post("/api/v1/reports", report)
            assert answer.status_code == 201, answer.text
            case = Case(town, carrier, chance)
            await town.settle()
            if both_dead:
                await town.pass_time(seconds=60)
            else:
                reached = await case.until_reached()
                if reached is None:
                    figures.never += 1
                else:
                    figures.reached.append(case.since(reached))
                calls = [m.created_at for m in await town.rows(MessageRow) if m.way.startswith("voice")]
                figures.first_call.append(case.since(min(calls)))
                if case.since(town.clock.now()) < 60:
                    await town.pass_time(seconds=60)
            told = [e.at for e in await town.rows(EventRow) if _tells_desk(e)]
            if told:
                figures.desk_told.append(case.since(min(told)))
    finally:
        databases.drop(url)


def _tells_desk(event: EventRow) -> bool:
    return event.type == "notice_given" and json.loads(event.data)["kind"] == "delivery_failing"


def main(cases: int, first_seed: int) -> int:
    """Run the cases, and print the table; 1 when a promise does not hold."""
    texts_dead, both_dead = Figures(), Figures()
    databases = TestDatabases.anywhere()
    try:
        for number in range(cases):
            asyncio.run(one(databases, first_seed + number, False, texts_dead))
            asyncio.run(one(databases, first_seed + number, True, both_dead))
            if number % 20 == 19:
                print(f"  {number + 1} of {cases}", file=sys.stderr, flush=True)
    finally:
        databases.close()
    print(
        f"{datetime.now(UTC):%Y-%m-%d}; {cases} cases each, seeds from {first_seed}; seconds after the report"
    )
    print("| figure | cases | p50 | p99 | longest |")
    print("| --- | --- | --- | --- | --- |")
    print(texts_dead.line("texts dead: the first call is made", texts_dead.first_call))
    print(texts_dead.line("texts dead: the first person presses a key", texts_dead.reached))
    print(texts_dead.line("texts dead: the desk is told", texts_dead.desk_told))
    print(both_dead.line("texts and calls dead: the desk is told", both_dead.desk_told))
    print(f"nobody reached within {_GIVE_UP.seconds // 60} minutes: {texts_dead.never} of {cases}")
    in_time = len(both_dead.desk_told) == cases and max(both_dead.desk_told) <= 30
    print(f"the desk told within 30 seconds with everything dead: {'yes' if in_time else 'NO'}")
    return 0 if in_time else 1


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--cases", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    sys.exit(main(given.cases, given.seed))
