"""Two hours are two hours on the nights when the clocks change, each minute of them (reliability.md G7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rapid_response.core import rota
from rapid_response.core.definition import SlaPolicy
from rapid_response.sla.rules import Kind, due_at, promise, stop
from tests.cases import each

LONDON = ZoneInfo("Europe/London")
TWO_HOURS = timedelta(seconds=7200)
MINUTE = timedelta(minutes=1)
ALWAYS = SlaPolicy(respond_within=TWO_HOURS, accept_within=timedelta(minutes=15), warn_at=(0.5, 0.75, 0.9))
#: 01:00 UTC of the last Sundays of March and October.
CHANGES = [
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2027, 3, 28, 1, tzinfo=UTC),
    datetime(2027, 10, 31, 1, tzinfo=UTC),
    datetime(2028, 3, 26, 1, tzinfo=UTC),
    datetime(2028, 10, 29, 1, tzinfo=UTC),
]
#: And what else calendars trip over.
OTHERS = [
    datetime(2028, 2, 28, 23, 30, tzinfo=UTC),
    datetime(2028, 2, 29, 23, 30, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 30, tzinfo=UTC),
]


@each("change", CHANGES)
def test_these_are_the_changes(change: datetime) -> None:
    before, after = (change - MINUTE).astimezone(LONDON), change.astimezone(LONDON)
    assert before.utcoffset() != after.utcoffset()


@pytest.mark.slow
@each("moment", [*CHANGES, *OTHERS])
def test_g7_each_minute_around_a_change_is_due_two_hours_later_to_the_second(moment: datetime) -> None:
    for minute in range(-240, 240):
        received = moment + minute * MINUTE
        # However the time was written: in UTC, or as London's clocks showed it, both hours that come twice.
        for said in (received, received.astimezone(LONDON)):
            started = rota.clock_start(ALWAYS, LONDON, said)
            due = due_at(started, ALWAYS)
            assert (due - received).total_seconds() == 7200
            assert due.astimezone(UTC) == received + TWO_HOURS
            warned = [d.due_at - started for d in promise(started, due, ALWAYS) if d.kind is Kind.WARN]
            assert warned == [TWO_HOURS * share for share in ALWAYS.warn_at]
        assert stop(received, received + TWO_HOURS, timedelta(), received + TWO_HOURS).met
        late = received + TWO_HOURS + timedelta(microseconds=1)
        assert not stop(received, received + TWO_HOURS, timedelta(), late).met
