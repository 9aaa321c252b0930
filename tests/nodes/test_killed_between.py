"""R7: killed between the request and its record: after the restart the text is found, and not sent again."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from rapid_response.core.states import Purpose
from rapid_response.simulator import faults
from tests.builders import PATIENT_OFFER, paid_today, small_town
from tests.nodes import audit
from tests.nodes.conftest import Found
from tests.nodes.running import until

_SERVICE = small_town(escalation=[PATIENT_OFFER])


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.long
async def test_r7_a_text_that_was_handed_over_by_a_killed_node_is_adopted_and_not_repeated(
    found: Found, kind: str
) -> None:
    council = found(kind, _SERVICE)
    # No receipt will ever tell: only the provider's own list can.
    council.database.run_now(lambda tx: faults.change(tx, faults.EVERYWHERE, no_receipts=True))
    await council.serve(1, program=("-m", "tests.nodes.serve_dies"))
    (doomed,) = council.nodes
    async with council.client(doomed) as partner:
        answer = await partner.post("/api/v1/reports", json=paid_today())
    assert answer.status_code == 201

    async def is_dead() -> bool:
        return not doomed.lives

    await until(is_dead, "the node was killed", within=30)
    council.nodes.clear()
    assert len(offers(council.database.look_now(_sent))) == 1

    await council.serve(1, program=("-m", "tests.nodes.serve"))

    async def is_known() -> bool:
        return not council.database.look_now(lambda c: audit.unfinished(c, council.database.clock.now()))

    await until(is_known, "the text is found", within=60)
    (bodies,) = council.database.look_now(_sent).values()
    assert len(bodies) == 1
    assert not bodies[0].startswith("Repeat: ")
    assert council.database.look_now(audit.unmarked_duplicates) == []


def _sent(connection: Connection) -> dict[str, list[str]]:
    return audit.texts_of_messages(connection, Purpose.OFFER)


def offers(found: dict[str, list[str]]) -> list[str]:
    return [body for bodies in found.values() for body in bodies]
