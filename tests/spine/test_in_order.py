"""Of one case what fell due first is done first, however much is overdue at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rapid_response.storage.database import Database
from rapid_response.storage.tx import Tx
from rapid_response.storage.work import Due
from tests.builders import paid_today
from tests.harness import Town


class Watched:
    """A database of which it is seen which entries are being done at any time."""

    def __init__(self, database: Database) -> None:
        self._run = database.run
        self._in_hand: list[Due] = []
        self.done: list[Due] = []
        #: Cases of which two steps were in hand, either of which may have been first.
        self.raced: set[str] = set()
        self.most_at_once = 0

    async def run(self, step: Callable[[Tx], Any], **how: Any) -> Any:
        given = getattr(step, "keywords", {})
        entries: list[Due] = given.get("entries") or [due for due in [given.get("due")] if due]
        self.raced |= {due.incident_id for due in self._in_hand} & {due.incident_id for due in entries} - {""}
        self._in_hand += entries
        self.most_at_once = max(self.most_at_once, len({due.incident_id for due in self._in_hand}))
        try:
            return await self._run(step, **how)
        finally:
            self.done += entries
            self._in_hand = [due for due in self._in_hand if due not in entries]


@pytest.mark.parametrize("cases", [1, 2, 8])
async def test_g13_an_overdue_entry_is_not_overtaken_by_a_later_one_of_its_case(
    town: Town, monkeypatch: pytest.MonkeyPatch, cases: int
) -> None:
    """It missed its two hours while nothing ran: the duty officer does not hear the end of it first."""
    for _ in range(cases):
        await town.takes(paid_today())
    town.clock.advance(timedelta(hours=3))
    watched = Watched(town.app.database)
    monkeypatch.setattr(town.app.database, "run", watched.run)
    while await town.app.worker.ringer.ring_due():
        pass
    assert watched.raced == set()
    by_case: dict[str, list[Due]] = {}
    for due in watched.done:
        by_case.setdefault(due.incident_id, []).append(due)
    assert len([case for case in by_case if case]) == cases
    for case, of_case in by_case.items():
        if case:
            assert {"rung", "breach"} <= {due.kind for due in of_case}
            first = [due.due_at for due in of_case if due.due_at <= town.clock.now()]
            assert first == sorted(first)
    assert watched.most_at_once == cases  # and no case waits for another
