"""Two calls to one person, due in the same moment: one rings, whichever nodes look, and it is the first.

A node is stopped between its claim and its commit, and another one looks meanwhile. The second must wait
for the first, and then see that the phone rings already.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select

from rapid_response.access.signing import Signer
from rapid_response.core.clock import ManualClock
from rapid_response.core.ids import SystemIds
from rapid_response.core.states import MessageChannel, MessageState, Purpose
from rapid_response.intake.reading import default_reader
from rapid_response.steps import lines, sending
from rapid_response.steps.desk import Desk
from rapid_response.storage.database import Database
from rapid_response.storage.tables import MessageRow
from rapid_response.storage.tx import Tx
from tests.conftest import NOON

DESK = Desk(
    zone=ZoneInfo("Europe/London"),
    reader=default_reader(),
    base_url="http://testserver",
    signer=Signer("a key of tests"),
)
#: A node that does not wait for the other is done well before that.
_BLOCKED_FOR = 0.25


@pytest.fixture
def nodes(database_url: str) -> Iterator[tuple[Database, Database]]:
    """Two nodes on one database."""
    clock = ManualClock(NOON)
    one, other = (Database(database_url, clock=clock, ids=SystemIds()) for _ in range(2))
    yield one, other
    one.close_now()
    other.close_now()


def calls_are_due(tx: Tx, recipients: tuple[str, str], numbers: tuple[str, str]) -> None:
    """Two calls, written in the same moment; the later way has the smaller id."""
    for n, way in enumerate(("voice2", "voice1")):
        tx.add(
            MessageRow,
            id=f"message-{n}",
            dedupe_key=way,
            purpose=Purpose.OFFER,
            channel=MessageChannel.VOICE,
            way=way,
            to_number=numbers[n],
            recipient=recipients[n],
            body="A job for you.",
            created_at=tx.now,
            next_attempt_at=tx.real,
            expires_at=tx.now + timedelta(minutes=5),
        )


def looked_at_once(one: Database, other: Database) -> list[str]:
    """What both claim, when the other looks between the claim and the commit of the one."""
    claimed: list[sending.Claimed] = []

    def look(tx: Tx) -> list[sending.Claimed]:
        return sending.look_for_work(tx, DESK, 1).claimed

    def looks_meanwhile() -> None:
        claimed.extend(other.run_now(look))

    meanwhile = threading.Thread(target=looks_meanwhile)

    def looks_and_waits(tx: Tx) -> list[sending.Claimed]:
        found = look(tx)
        meanwhile.start()
        meanwhile.join(_BLOCKED_FOR)
        return found

    claimed.extend(one.run_now(looks_and_waits))
    meanwhile.join(10)
    assert not meanwhile.is_alive()
    return [message.message_id for message in claimed]


@pytest.mark.parametrize("line_is_new", [True, False], ids=["first_call_ever", "later"])
@pytest.mark.parametrize(
    ("recipients", "numbers"),
    [
        (("responder:asha", "responder:asha"), ("+442079460102", "+442079460101")),
        (("responder:asha", "contact:duty"), ("+442079460101", "+442079460101")),
    ],
    ids=["two_numbers_of_hers", "one_number_of_two"],
)
def test_two_nodes_never_ring_one_person_twice_at_once_and_ring_the_first_number(
    nodes: tuple[Database, Database],
    recipients: tuple[str, str],
    numbers: tuple[str, str],
    line_is_new: bool,
) -> None:
    one, other = nodes
    if not line_is_new:
        one.run_now(lambda tx: lines.allowance(tx, DESK, MessageChannel.VOICE))
    one.run_now(lambda tx: calls_are_due(tx, recipients, numbers))
    assert looked_at_once(one, other) == ["message-1"]
    waiting = one.run_now(lambda tx: tx.all(select(MessageRow).where(col(MessageRow.way) == "voice2")))
    assert [(m.state, m.held) for m in waiting] == [(MessageState.PENDING, sending.HELD_BY_PERSON)]
    assert waiting[0].next_attempt_at == NOON + timedelta(minutes=2)


def test_two_people_are_rung_at_once(nodes: tuple[Database, Database]) -> None:
    one, other = nodes
    one.run_now(
        lambda tx: calls_are_due(tx, ("responder:asha", "responder:ben"), ("+442079460102", "+442079460101"))
    )
    assert sorted(looked_at_once(one, other)) == ["message-0", "message-1"]
