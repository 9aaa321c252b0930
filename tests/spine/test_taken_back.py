"""Once a clock that was ahead is right again, nothing stored waits for the time that was taken back (G8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel, col

from rapid_response.core.vocabulary import Role
from rapid_response.sla.rules import Kind
from rapid_response.steps import taken_back
from rapid_response.steps.taken_back import REAL_TIMES
from rapid_response.storage.columns import UtcDateTime
from rapid_response.storage.migrations.draft import models
from rapid_response.storage.records import table_of
from rapid_response.storage.tables import AgendaRow
from rapid_response.storage.tx import Tx
from tests.builders import PATIENT_OFFER, paid_today, small_town
from tests.delivery.carrier import between, refuses, says_nothing, takes
from tests.harness import BEN, Town
from tests.journeys.browser import browser_of

TWO_YEARS = timedelta(days=730)

#: Brought back by rules of their own: what comes each night keeps its hour; a list is in a provider's time;
#: what a provider did not let go of is asked for again as if no time had been said.
BY_THEIR_OWN_RULES = {
    *("duties.due_at", "watermarks.listed_to"),
    *("attempts.ask_again_at", "inbound_messages.ask_again_at", "calls.ask_again_at"),
}
#: The service's own time, in which promises are kept and the log is written, or what a person said. No wait
#: of the machinery is counted from it.
OF_THE_SERVICE = """
access_log.at agenda.due_at agenda.parked_at agenda.settled_at alarms.acknowledged_at alarms.ended_at
alarms.raised_at attempts.at attempts.blanked_at attempts.settled_at availability.ended_at
availability.from_at availability.until_at calls.created_at calls.erased_at calls.words_at
clock_mark.domain_at corrections.at definitions.loaded_at deliveries.parked_at disclosures.erased_at
disclosures.made_at endpoints.confirmed_at endpoints.since events.at idempotency_keys.created_at
identifiers.at inbound_messages.blanked_at inbound_messages.received_at inbound_messages.sent_at
incidents.accepted_at incidents.breached_at incidents.closed_at incidents.due_at incidents.erased_at
incidents.legal_hold_at incidents.needed_by incidents.paused_at incidents.received_at incidents.recorded_at
incidents.review_decided_at incidents.review_proposed_at incidents.safeguarding_at incidents.started_at
incidents.stopped_at job_numbers.free_from job_numbers.issued_at mails.created_at mails.settled_at
messages.accepted_at messages.created_at messages.expires_at messages.failing_at messages.report_recorded_at
messages.settled_at notes.at notices.acknowledged_at notices.given_at notifications.erased_at
notifications.received_at notifications.recorded_at notifications.settled_at number_proofs.asked_at
number_proofs.denied_at number_proofs.proved_at number_proofs.sent_at offers.answer_by offers.answered_at
offers.failing_at offers.made_at offers.passed_on_at outcomes.at place_lookups.asked_at
provider_events.received_at referrals.acknowledged_at referrals.chased_at referrals.sent_at
referrals.settled_at reports.received_at reports.recorded_at responders.last_finished_at
risk_markers.ended_at risk_markers.expires_at risk_markers.review_at risk_markers.reviewed_at
risk_markers.set_at seals.at sim_calls.answered_at sim_calls.at sim_calls.ended_at sim_texts.at
suggested_links.decided_at suggested_links.suggested_at suggestions.answered_at tasks.done_at tasks.due_at
tasks.opened_at transfers.answered_at transfers.sent_at view_reasons.at view_reasons.seen_at
visits.arrived_at visits.check_in_by visits.ended_at visits.expected_at visits.finish_at visits.heard_at
visits.set_off_at
"""


def _columns() -> Iterator[str]:
    for table in models().tables.values():
        yield from (f"{table.name}.{c.name}" for c in table.columns if isinstance(c.type, UtcDateTime))


def test_of_each_moment_that_is_stored_it_is_known_whose_time_it_is() -> None:
    """A new column is real time, and is brought back, or is the service's: whoever adds it says which."""
    real = {f"{table_of(row).name}.{name}" for row, names in REAL_TIMES.items() for name in names}
    known = (real, BY_THEIR_OWN_RULES, set(OF_THE_SERVICE.split()))
    assert sorted(_columns()) == sorted(name for names in known for name in names)


# --- on both databases ------------------------------------------------------------------------------------


async def _lives_ahead(town: Town) -> None:
    """Whatever happens in a minute or two, while the clock is ahead."""
    carrier = between(town)
    carrier.texts.append(says_nothing)
    await town.takes(paid_today())
    await (await town.takes(paid_today())).hears(BEN, "OK {n}")
    carrier.usual_text = carrier.usual_call = refuses("not_sent")
    await town.takes(paid_today())
    await town.pass_time(seconds=8)
    await browser_of(town, "dora", Role.DUTY_OFFICER)
    await town.app.worker.provided.catch_up()
    await town.audit()
    await town.app.caretaker.check()
    await town.app.worker.ringer.ring_due()
    carrier.usual_text = carrier.usual_call = takes


async def _goes_back(town: Town, by: timedelta) -> None:
    town.clock.advance(-by)
    await town.app.database.run(partial(taken_back.bring_back, desk=town.app.desk, by=by))


async def _still_to_come(town: Town) -> set[str]:
    """The columns of real time in which anything lies later than now."""

    def look(tx: Tx) -> set[str]:
        def later(row: type[SQLModel], name: str) -> int:
            count = select(func.count()).select_from(row).where(col(getattr(row, name)) > tx.real)
            return int(tx.execute(count).scalar_one())

        return {f"{row.__name__}.{n}" for row, names in REAL_TIMES.items() for n in names if later(row, n)}

    return await town.app.database.run(look)


@pytest.mark.parametrize("by", [timedelta(hours=2), TWO_YEARS])
async def test_g8_nothing_that_is_stored_waits_for_a_time_that_was_taken_back(
    town: Town, by: timedelta
) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER]))
    town.clock.advance(by)
    await _lives_ahead(town)
    town.clock.advance(-by)
    stood = await _still_to_come(town)
    assert {
        "LineRow.filled_at",
        "MessageRow.next_attempt_at",
        "DutyRow.done_at",
        "SessionRow.seen_at",
    } <= stood
    town.clock.advance(by)
    await _goes_back(town, by)
    assert await _still_to_come(town) == set()

    case = await town.takes(paid_today())
    await town.pass_time(seconds=5)
    assert await town.texts_with(f"Reply OK {case.number} ")
    assert await town.app.caretaker.audit() == 1


@pytest.mark.parametrize("hours", [2, 26, 24 * 730])
async def test_g8_what_comes_each_day_is_armed_for_the_next_day_again(town: Town, hours: int) -> None:
    """The clock was ahead past nine in the morning, and each line of those days was given."""
    await town.until(town.clock.now().replace(day=16, hour=7, minute=30))  # half past eight in London
    by = timedelta(hours=hours)
    town.clock.advance(by)
    await town.settle()
    await _goes_back(town, by)

    (line,) = [
        row for row in await town.rows(AgendaRow) if row.kind == Kind.DAILY_LINE and row.settled_at is None
    ]
    assert line.due_at == town.clock.now().replace(hour=8, minute=0)
    await town.pass_time(minutes=26 * 60)
    lines = [row for row in await town.rows(AgendaRow) if row.kind == Kind.DAILY_LINE]
    assert len([row for row in lines if row.settled_at is None]) == 1
    assert not [row for row in lines if row.parked_at is not None]
