"""Messages that are with the provider at once: one that it is slow to answer holds nobody else's up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from rapid_response.core.states import MessageState
from rapid_response.messaging.gateway import SendOutcome
from rapid_response.steps import sending
from rapid_response.steps.desk import Desk
from rapid_response.steps.sending import Claimed
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.tables import MessageRow
from rapid_response.storage.tx import Tx
from tests.builders import paid_today
from tests.delivery.carrier import Carrier, takes
from tests.harness import Town

AT_ONCE = 8


class Slow:
    """Answers when it is let, and only then."""

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()
        self.asked = asyncio.Semaphore(0)

    async def __call__(self, hand_over: Callable[[], Awaitable[SendOutcome]]) -> SendOutcome:
        self.asked.release()
        await self.goes_on.wait()
        return await hand_over()


async def reports(town: Town, count: int) -> None:
    """Taken in, and nothing else done yet."""
    for _ in range(count):
        answer = await town.post("/api/v1/reports", paid_today())
        assert answer.status_code == 201, answer.text


async def states(town: Town) -> list[MessageState]:
    """Of the texts that tell of an offer, the first written first."""
    rows = [row for row in await town.rows(MessageRow) if row.way == "sms1"]
    return [row.state for row in sorted(rows, key=lambda row: row.created_at)]


async def test_a_text_that_the_provider_is_slow_to_take_holds_no_other_up(
    town: Town, carrier: Carrier
) -> None:
    slow = Slow()
    carrier.texts.append(slow)
    worker = town.app.worker
    await reports(town, 1)
    assert await worker.sender.send_more() == 1
    assert not worker.sender.leaves_some
    await slow.asked.acquire()

    await reports(town, 1)
    carrier.usual_text = quick = Slow()
    quick.goes_on.set()
    assert await worker.sender.send_more() == 1
    await quick.asked.acquire()
    slow.goes_on.set()
    assert await worker.sender.send_queued() == 0
    assert MessageState.SENDING not in await states(town)
    assert len(carrier.posted) == 2  # each once


async def test_no_more_than_so_many_are_with_it_at_once(town: Town, carrier: Carrier) -> None:
    carrier.usual_text = slow = Slow()
    worker = town.app.worker
    await reports(town, AT_ONCE + 3)
    assert await worker.sender.send_more() == AT_ONCE
    assert worker.sender.leaves_some
    for _ in range(AT_ONCE):
        await slow.asked.acquire()
    more = asyncio.create_task(worker.sender.send_more())
    assert (await states(town)).count(MessageState.SENDING) == AT_ONCE
    assert not more.done()
    assert len(carrier.posted) == AT_ONCE
    slow.goes_on.set()
    assert await more == 3
    await worker.sender.send_queued()
    assert len(carrier.posted) == AT_ONCE + 3


async def test_an_answer_that_could_not_be_written_down_is_told_and_the_others_are(
    town: Town, carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = sending.record_answer
    refused: list[Claimed] = []

    def record_answer(tx: Tx, desk: Desk, claimed: Claimed, outcome: SendOutcome) -> None:
        # As often as it is tried: it may be tried with the other, and then by itself.
        if claimed in (refused or [claimed]):
            refused.append(claimed)
            raise DatabaseUnavailable("there is no room")
        record(tx, desk, claimed, outcome)

    monkeypatch.setattr(sending, "record_answer", record_answer)
    await reports(town, 2)
    carrier.usual_text = takes
    with pytest.raises(DatabaseUnavailable):
        await town.app.worker.sender.send_queued()
    # Nobody knows of the first until its lease ends: then the provider is asked, and it is not sent again.
    assert (await states(town)).count(MessageState.SENDING) == 1
    await town.pass_time(seconds=40)
    assert MessageState.SENDING not in await states(town)
    assert len([words for _, _, words in carrier.posted if "Reply OK" in words]) == 2
