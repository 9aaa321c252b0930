"""Three real nodes on one PostgreSQL behave as one (reliability.md G1, G6, G12, G15)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from rapid_response.core.states import Purpose
from tests.builders import paid_today
from tests.nodes import audit
from tests.nodes.running import Council, until
from tests.nodes.towns import ASKS_FIVE, FIVE, QUICK_TOWN

REPORTS = 12
ROUNDS = 4
KILLED_AFTER = 8
#: What each incident of the quick town comes to: two offers (the first is made at once), two notices.
MUST_FIRE = [("deadline_missed", ""), ("rung_reached", "1"), ("rung_reached", "2"), ("rung_reached", "3")]


@asynccontextmanager
async def clients(council: Council) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Somebody at each node."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(council.client(node)) for node in council.nodes]


@dataclass
class Partner:
    """Sends reports to one node after another, tries again elsewhere, and keeps what was acknowledged."""

    at: list[httpx.AsyncClient]
    #: What its keys begin with: another story's are reports that this one has not sent.
    story: str = "report"
    acknowledged: dict[str, str] = field(default_factory=dict)
    again: int = 0

    async def reports(self, number: int) -> str:
        key = f"{self.story}-{number}"
        for attempt in range(len(self.at) * 4):
            client = self.at[(number + attempt) % len(self.at)]
            try:
                answer = await client.post(
                    "/api/v1/reports", json=paid_today(), headers={"idempotency-key": key}
                )
            except httpx.TransportError:
                self.again += 1
                await asyncio.sleep(0.05)
                continue
            assert answer.status_code == 201, answer.text
            reference: str = answer.json()["reference"]
            assert self.acknowledged.setdefault(key, reference) == reference
            return reference
        raise AssertionError("no node took the report")


async def at_rest(council: Council, within: float) -> None:
    """Wait until nothing is under way."""

    async def is_at_rest() -> bool:
        now = council.database.clock.now()
        left = await council.database.look(lambda c: audit.unfinished(c, now))
        remaining.clear()
        remaining.update(left)
        return not left

    remaining: dict[str, int] = {}
    try:
        await until(is_at_rest, "all is done", within=within)
    except AssertionError:
        raise AssertionError(f"not within {within:g} seconds: {remaining} left") from None


def check_whole(council: Council, partner: Partner) -> list[str]:
    """What was acknowledged is stored once, each deadline fired once; gives the incidents."""
    database = council.database
    stored = database.look_now(audit.stored_reports)
    mine = [incident for incident, reference in stored if reference in partner.acknowledged.values()]
    assert len(mine) == len(set(mine)) == len(partner.acknowledged)
    fired = database.look_now(lambda c: audit.fired(c, mine))
    assert set(fired.values()) == {1}, [what for what, count in fired.items() if count > 1]
    # A warning that comes after the time is over is none: all others must have happened.
    assert fired.keys() >= {(incident, *what) for incident in mine for what in MUST_FIRE}
    assert database.look_now(lambda c: audit.unsettled(c, mine)) == []
    assert database.look_now(audit.parked) == []
    audit.check_tallies(database)
    audit.check_log(database)
    return mine


def check_offers(council: Council, incidents: list[str]) -> None:
    """Each was offered at two rungs, once, and of each offer a phone got a text."""
    offered = council.database.look_now(lambda c: audit.offers(c, incidents))
    assert len(offered) == 2 * len(incidents)
    assert set(offered.values()) == {1}
    texts = council.database.look_now(lambda c: audit.texts_of_messages(c, Purpose.OFFER, incidents))
    assert len(texts) == 2 * len(incidents)
    assert all(texts.values()), "an offer reached no phone"
    assert council.database.look_now(audit.unmarked_duplicates) == []


@pytest.mark.long
async def test_g15_each_report_is_offered_once_and_each_deadline_fires_once_whichever_node_it_meets(
    three_nodes: Council,
) -> None:
    council = three_nodes
    council.load(QUICK_TOWN)
    async with clients(council) as at:
        partner = Partner(at)
        await asyncio.gather(*(partner.reports(n) for n in range(REPORTS)))
        await at_rest(council, within=120)
    incidents = check_whole(council, partner)
    assert len(incidents) == REPORTS
    check_offers(council, incidents)
    texts = council.database.look_now(lambda c: audit.texts_of_messages(c, Purpose.OFFER, incidents))
    assert {len(bodies) for bodies in texts.values()} == {1}, "nobody died, so nothing is repeated"


@pytest.mark.long
async def test_g12_fifty_acceptances_at_once_have_one_owner(three_nodes: Council) -> None:
    council = three_nodes
    council.load(ASKS_FIVE)
    async with clients(council) as at:
        for turn in range(ROUNDS):
            reference = (await at[turn % 3].post("/api/v1/reports", json=paid_today())).json()["reference"]
            case = await asked_five(at[0], reference)
            outcomes = await asyncio.gather(*(acceptance(at, case, n) for n in range(50)))
            told = Counter(outcomes)
            by_text = told.pop(None)
            assert (by_text, told.total(), told[200] <= 1) == (10, 40, True), told
            assert told.keys() <= {200, 409}
            await one_owner(council, at[1], reference, by_action=told[200])
        await at_rest(council, within=120)
    assert council.database.look_now(audit.parked) == []
    audit.check_tallies(council.database)
    audit.check_log(council.database)


async def asked_five(client: httpx.AsyncClient, reference: str) -> dict[str, Any]:
    """The incident, once all five are asked."""

    async def case() -> dict[str, Any] | None:
        events = (await client.get(f"/api/v1/incidents/{reference}/events")).json()["items"]
        if sum(event["type"] == "offer_made" for event in events) < 5:
            return None
        found: dict[str, Any] = (await client.get(f"/api/v1/incidents/{reference}")).json()
        return found

    found = await until(case, "five are asked", within=60)
    assert found is not None
    return found


async def acceptance(at: list[httpx.AsyncClient], case: dict[str, Any], number: int) -> int | None:
    """One of fifty: each fifth a text, the others by the desk; the answer's status, None for a text."""
    client = at[number % len(at)]
    name = list(FIVE)[number % 5 if number % 2 else (number // 5) % 5]
    if number % 5 == 0:
        said = {"from": FIVE[name], "body": f"OK {case['job_number']}"}
        assert (await client.post("/simulator/reply", json=said)).is_success
        return None
    answer = await client.post(
        f"/api/v1/incidents/{case['reference']}/actions/accept", json={"responder": name}
    )
    if answer.status_code == 409:
        assert answer.json()["detail"]
    return answer.status_code


async def one_owner(council: Council, client: httpx.AsyncClient, reference: str, *, by_action: int) -> None:
    """Exactly one acceptance counted, everybody else who was asked is told, and texts are answered."""
    url = f"/api/v1/incidents/{reference}"

    async def texts_answered() -> list[dict[str, Any]] | None:
        events: list[dict[str, Any]] = (await client.get(f"{url}/events")).json()["items"]
        understood = sum(event["type"] == "reply_understood" for event in events)
        return events if understood == 10 else None

    events = await until(texts_answered, "ten texts are understood", within=60) or []
    types = Counter(event["type"] for event in events)
    assert (types["offer_accepted"], types["offer_withdrawn"]) == (1, 4)
    effects = Counter(e["data"]["effect"] for e in events if e["type"] == "reply_understood")
    assert effects["act"] == 1 - by_action, effects
    case = (await client.get(url)).json()
    (accepted,) = [event for event in events if event["type"] == "offer_accepted"]
    assert (case["status"], case["responder"]) == ("assigned", accepted["data"]["responder"])

    async def all_told() -> bool:
        told = await council.database.look(lambda c: audit.texts_of_messages(c, Purpose.STAND_DOWN))
        about = [body for bodies in told.values() for body in bodies if f"{case['job_number']}" in body]
        return len(about) == 4

    await until(all_told, "four are stood down", within=60)


@pytest.mark.long
async def test_g1_g15_a_node_that_dies_in_the_middle_loses_nothing_and_doubles_nothing(
    three_nodes: Council,
) -> None:
    council = three_nodes
    council.load(QUICK_TOWN)
    async with clients(council) as at:
        partner = Partner(at, "a node dies")
        doomed = asyncio.create_task(after(partner, KILLED_AFTER, council.nodes[0].kill))
        for number in range(20):
            await partner.reports(number)
        await doomed
        await at_rest(council, within=120)
    assert partner.again > 0, "the node died where nobody noticed"
    check_offers(council, check_whole(council, partner))


async def after(partner: Partner, count: int, do: Any) -> None:
    """Do something once so many reports were acknowledged."""

    async def enough() -> bool:
        return len(partner.acknowledged) >= count

    await until(enough, "enough reports are acknowledged", within=30, every=0.005)
    await asyncio.to_thread(do)
