"""Those who are asked, and the desk: they answer, twice or at once or not at all, as the seed has it.

Some say yes by text while the desk accepts for another at the same moment, at another node: one of them must
win. Of those who won, half go, help and have done; what nobody takes climbs its ladder to the end.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import select
from sqlmodel import col

from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.tables import IncidentRow
from tests.gateways.fake_twilio import Message
from tests.nodes.running import Council

WEBHOOK = "/webhooks/twilio/sms"
_OFFER = re.compile(r"\bOK (\d{4,5})\b")

Texting = Callable[[str, str], Awaitable[object]]


@dataclass
class People:
    """Everybody with a phone, and one at the desk with a key."""

    council: Council
    seed: int
    client: httpx.AsyncClient
    ports: Callable[[], Sequence[int]]
    #: Who has which phone.
    phones: dict[str, str]
    told: Counter[str] = field(default_factory=Counter)

    async def hears(self, message: Message, texts: Texting) -> None:
        """A text reached a phone; what is not an offer needs no answer."""
        found = _OFFER.search(message.body)
        who = self.phones.get(message.to)
        if found is None or who is None:
            return
        job, chance = found.group(1), random.Random(f"person {self.seed} {message.sid}")
        await asyncio.sleep(chance.uniform(0.05, 1.0))
        answers = ["", "yes", "yes", "no", "twice", "race", "desk"]
        match chance.choices(answers, (30, 20, 10, 10, 10, 10, 10))[0]:
            case "yes":
                await texts(message.to, f"OK {job}")
                await self._works(chance, message.to, job, texts)
            case "no":
                await texts(message.to, f"NO {job}")
            case "twice":
                await asyncio.gather(texts(message.to, f"OK {job}"), texts(message.to, f"ok {job}"))
            case "race":
                others = [name for name in self.phones.values() if name != who]
                await asyncio.gather(
                    texts(message.to, f"OK {job}"),
                    *(self._acts(job, "accept", responder=name) for name in (who, chance.choice(others))),
                )
                await self._works(chance, message.to, job, texts)
            case "desk":
                await self._acts(job, "accept", responder=who)
                await self._works(chance, message.to, job, texts)
            case _:
                pass

    async def _works(self, chance: random.Random, number: str, job: str, texts: Texting) -> None:
        """Whoever won goes, helps and has done; the one who lost is told so, and answered if she goes on."""
        if chance.random() < 0.5:
            return
        for words in (f"GO {job}", f"HERE {job}"):
            await asyncio.sleep(chance.uniform(0.1, 0.5))
            await texts(number, words)
        await asyncio.sleep(chance.uniform(0.1, 0.5))
        if chance.random() < 0.5:
            await texts(number, f"DONE {job} HELPED")
        else:
            await self._acts(job, "close", disposition="resolved_attended")

    async def _acts(self, job: str, action: str, **body: Any) -> None:
        """The desk does something, at one node of those that live; it tries once."""
        reference = await self._reference(int(job))
        if reference is None or not (ports := self.ports()):
            return
        try:
            answer = await self.client.post(
                f"http://127.0.0.1:{ports[0]}/api/v1/incidents/{reference}/actions/{action}",
                json=body,
                headers=self.council.authorization,
            )
        except httpx.TransportError:
            self.told[f"{action} unanswered"] += 1
            return
        self.told[f"{action} {answer.status_code}"] += 1

    async def _reference(self, job: int) -> str | None:
        query = select(col(IncidentRow.reference)).where(
            col(IncidentRow.job_number) == job, col(IncidentRow.is_open)
        )
        try:
            return await self.council.database.look(lambda c: c.execute(query).scalar())
        except DatabaseUnavailable:
            return None
