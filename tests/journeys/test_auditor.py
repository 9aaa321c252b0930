"""The auditor: what goes missing from the agenda is set again within a minute, and said (G14, G20, I2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlmodel import col, select

from rapid_response.audit.findings import Check, Missing
from rapid_response.audit.looking import Moment, audit
from rapid_response.audit.readiness import Node
from rapid_response.caretaker import Caretaker
from rapid_response.core.clock import SystemClock
from rapid_response.core.ids import SystemIds
from rapid_response.core.pulse import Pulse
from rapid_response.core.states import MessageChannel, MessageState, OfferState, Purpose
from rapid_response.sla.rules import Kind
from rapid_response.steps.mending import mend
from rapid_response.steps.service import LastKnown
from rapid_response.storage.database import Database
from rapid_response.storage.tables import (
    AgendaRow,
    AlarmRow,
    AttemptRow,
    DeliveryRow,
    IncidentRow,
    MessageRow,
    NoticeRow,
    OfferRow,
    TaskRow,
)
from rapid_response.storage.tx import Tx
from tests.builders import long_ago, paid_today, unclear
from tests.harness import ASHA, BEN, CAT, DEE, LEADER, Case, Town
from tests.journeys.test_duress import WITH_WORD, WORD
from tests.journeys.test_reviews import flagged

MENDED = "had lost its next step"


async def loses(town: Town, *kinds: Kind) -> None:
    """Entries of the agenda are gone, as no step would ever leave it."""
    await town.app.database.run(
        lambda tx: tx.execute(delete(AgendaRow).where(col(AgendaRow.kind).in_(kinds)))
    )


async def loses_everything(town: Town) -> None:
    def step(tx: Tx) -> None:
        tx.execute(delete(AgendaRow))
        tx.execute(update(MessageRow).values(state=MessageState.DELIVERED))

    await town.app.database.run(step)


async def entries(town: Town, kind: Kind) -> list[AgendaRow]:
    """What of a kind is still to come."""
    return [row for row in await town.rows(AgendaRow) if row.kind == kind and row.settled_at is None]


async def restored(case: Case) -> list[str]:
    return [event["check"] for event in await case.happened("next_step_restored")]


@pytest.mark.long
async def test_g14_a_day_as_it_should_be_is_found_good_throughout(town: Town) -> None:
    """Offers, notices, warnings, a breach, a review, a pause, an end: each commit leaves everything armed."""
    case = await town.takes(paid_today())
    other = await town.takes(unclear())
    await town.takes(long_ago(town.clock.now()))
    for minutes in (0, 1, 4, 5, 10, 20, 40):
        await town.pass_time(minutes=minutes)
        assert await town.audit() == {}
    await case.hears(BEN, "OK {n}")
    assert await town.audit() == {}
    await other.act("pause", reason="police_requested_hold")
    assert await town.audit() == {}
    await town.pass_time(minutes=70)
    assert await town.audit() == {}
    await other.act("resume")
    assert await town.audit() == {}
    await case.hears(BEN, "HERE {n}")
    await case.hears(BEN, "DONE {n} HELPED")
    assert await town.audit() == {}
    assert await town.metric("audit_findings", check="no_next_step") == 0
    assert await town.metric("audit_good_timestamp_seconds") == town.clock.real().timestamp()


@pytest.mark.long
async def test_i2_a_lost_deadline_is_set_again_told_and_kept(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await loses(town, Kind.BREACH)

    assert await town.audit() == {Check.CLOCK_WITHOUT_DEADLINE: 1}
    await town.settle()

    assert await restored(case) == [Check.CLOCK_WITHOUT_DEADLINE]
    assert MENDED in await town.last_text(DEE)
    assert await town.metric("next_steps_restored_total", check="clock_without_deadline") == 1
    assert await town.metric("audit_findings", check="clock_without_deadline") == 1
    assert await town.audit() == {}
    await town.pass_time(minutes=121)
    assert (await case.clock())["state"] == "breached"
    (missed,) = await case.happened("deadline_missed")
    assert missed["event_at"] - town.clock.now() > timedelta(minutes=-2)


async def test_i2_nothing_at_all_on_the_agenda_brings_everything_back(town: Town) -> None:
    """Waiting for an answer, and all of it gone: the offer ends, the clock ends, the repeats go on."""
    case = await town.takes(paid_today())
    await loses_everything(town)

    found = await town.audit()

    assert found == {Check.CLOCK_WITHOUT_DEADLINE: 1, Check.OFFER_WITHOUT_END: 1, Check.NO_NEXT_STEP: 1}
    assert await town.audit() == {}
    await town.pass_time(minutes=6)
    # Her answer time is over: the next is asked, as if nothing had been lost.
    assert await case.asked() == ["asha", "ben"]
    told = await town.texts_with(MENDED, DEE)
    assert len([text for text in told if not text.startswith("Repeat")]) == 1
    await case.act("acknowledge")


async def _waits_for_answer(town: Town) -> Case:
    return await town.takes(paid_today())


async def _paused(town: Town) -> Case:
    case = await town.takes(paid_today())
    await case.act("pause", reason="police_requested_hold")
    return case


async def _unassigned(town: Town) -> Case:
    case = await town.takes(paid_today())
    for phone in (ASHA, BEN, CAT):
        await case.hears(phone, "NO {n}")
    assert await case.status() == "unassigned"
    return case


async def _owes_a_task(town: Town) -> Case:
    return await town.takes(long_ago(town.clock.now()))


@pytest.mark.long
@pytest.mark.parametrize(
    ("begin", "kinds", "check", "then"),
    [
        (_waits_for_answer, [Kind.ANSWER], Check.OFFER_WITHOUT_END, Kind.ANSWER),
        (_paused, [Kind.RESUME], Check.PAUSE_WITHOUT_END, Kind.RESUME),
        (_unassigned, [Kind.RETRY], Check.UNASSIGNED_WITHOUT_RETRY, Kind.RETRY),
        (_unassigned, [Kind.NOTICE], Check.NOTICE_WITHOUT_REPEAT, Kind.NOTICE),
        (_owes_a_task, [Kind.TASK], Check.TASK_WITHOUT_REMINDER, Kind.TASK),
    ],
)
async def test_i2_each_thing_that_waits_for_a_time_gets_it_back(
    town: Town, begin: Callable[[Town], Awaitable[Case]], kinds: list[Kind], check: Check, then: Kind
) -> None:
    case = await begin(town)
    before = len(await entries(town, then))
    await loses(town, *kinds)
    found = await town.audit()
    assert found[check] == before
    assert set(found) <= {check, Check.NO_NEXT_STEP}
    assert len(await entries(town, then)) >= before
    assert check in await restored(case)
    assert await town.audit() == {}
    # And it does what it is there for.
    await town.pass_time(minutes=30)
    assert await town.metric("work_parked") == 0


async def test_i2_a_search_that_stopped_begins_again(town: Town) -> None:
    case = await town.takes(paid_today())

    def stop(tx: Tx) -> None:
        tx.execute(delete(AgendaRow).where(col(AgendaRow.kind).in_((Kind.RUNG, Kind.ANSWER, Kind.RETRY))))
        tx.execute(
            update(OfferRow).where(col(OfferRow.state) == OfferState.OPEN).values(state=OfferState.WITHDRAWN)
        )

    await town.app.database.run(stop)
    found = await town.audit()
    assert found[Check.SEARCH_STOPPED] == 1
    await town.settle()
    assert await case.asked() == ["asha", "asha"]
    assert len(await entries(town, Kind.ANSWER)) == 1
    assert await town.audit() == {}


async def test_g8_a_report_received_in_the_future_is_seen_by_a_person(town: Town) -> None:
    """Taken in while a clock ran two years ahead: its two hours end in two years, unless somebody looks."""
    case = await town.takes(paid_today())
    later = timedelta(days=730)

    def step(tx: Tx) -> None:
        tx.execute(update(IncidentRow).values(received_at=tx.now + later, due_at=tx.now + later))

    await town.app.database.run(step)
    found = await town.audit()
    assert found[Check.RECEIVED_IN_FUTURE] == 1
    await town.settle()
    assert MENDED in await town.last_text(DEE)
    assert "check_back" in await case.tasks()
    assert Check.RECEIVED_IN_FUTURE not in await town.audit()


async def test_i2_an_unclear_report_is_offered_although_its_time_was_lost(town: Town) -> None:
    case = await town.takes(unclear())
    await loses(town, Kind.RUNG)
    assert await town.audit() == {Check.SEARCH_STOPPED: 1}
    await town.settle()
    assert await case.asked() == ["asha"]
    assert await town.audit() == {}


# --- whoever is out there, whoever calls for help, and what is owed after the end --------------------------


@pytest.mark.long
@pytest.mark.parametrize(("said", "kind"), [("GO {n}", Kind.TRAVEL), ("HERE {n}", Kind.CHECK_IN)])
async def test_i2_a_responder_out_there_is_watched_again(town: Town, said: str, kind: Kind) -> None:
    """On her way or at the door, and nothing left that would ask her: she is asked after all."""
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await case.hears(ASHA, said)
    armed = len(await entries(town, kind))
    await loses(town, kind)

    assert await town.audit() == {Check.VISIT_UNWATCHED: 1}
    assert await town.audit() == {}
    assert len(await entries(town, kind)) == armed
    await town.pass_time(minutes=75)
    told = await case.happened("check_in_missed")
    assert told[0]["role"] == "duty_officer"
    # Told, asked to the end, and silent still: what goes on now is that notice.
    assert Check.VISIT_UNWATCHED not in await town.audit()


@pytest.mark.long
@pytest.mark.parametrize("has_job", [True, False])
async def test_i2_an_alarm_is_given_again_until_it_is_seen(town: Town, has_job: bool) -> None:
    await town.load(WITH_WORD)
    if has_job:
        case = await town.takes(paid_today())
        await case.hears(ASHA, "OK {n}")
    await town.texts_reply(ASHA, WORD)
    before = len(await town.texts_with("duress", LEADER))
    assert before == 1
    assert await town.audit() == {}
    await loses(town, Kind.ALARM, Kind.ALARM_OF_NO_JOB)

    assert await town.audit() == {Check.ALARM_WITHOUT_REPEAT: 1}
    await town.settle()
    assert len(await town.texts_with("duress", LEADER)) == 2
    assert await town.audit() == {}
    await town.pass_time(minutes=5)
    assert len(await town.texts_with("duress", LEADER)) == 3
    (alarm,) = await town.rows(AlarmRow)
    if has_job:
        (event,) = await case.happened("next_step_restored")
        assert event["alarm_id"] == alarm.id


async def test_i2_a_decision_and_an_answer_that_nobody_owes_are_owed_again(town: Town) -> None:
    """The tasks are gone, not only their reminders; of a case that has ended as well."""
    case = await flagged(town)
    await case.act("refer", kind="asc_safeguarding")
    await case.act("close", disposition="referred_partner_only")
    assert await town.audit() == {}
    owed = set(await case.tasks())
    assert owed == {"review_age_targeting", "chase_referral"}

    def step(tx: Tx) -> None:
        tx.execute(delete(TaskRow))
        tx.execute(delete(AgendaRow).where(col(AgendaRow.kind) == Kind.TASK))

    await town.app.database.run(step)
    found = await town.audit()
    assert found == {Check.REVIEW_WITHOUT_TASK: 1, Check.REFERRAL_WITHOUT_CHASE: 1}
    assert set(await case.tasks()) == owed
    assert await town.audit() == {}


async def test_i2_what_is_told_once_is_not_missed(town: Town) -> None:
    """The hate-crime lead hears of a case once; its task has a reminder of its own."""
    await flagged(town)
    kinds = {notice.kind for notice in await town.rows(NoticeRow)}
    assert kinds == {"lead_review"}
    assert await town.audit() == {}


# --- work that is not done --------------------------------------------------------------------------------


def _overdue(tx: Tx) -> None:
    row = tx.first(select(AgendaRow).where(col(AgendaRow.settled_at).is_(None)).limit(1))
    assert row is not None
    row.due_at = tx.now - timedelta(seconds=31)


def _orphan(tx: Tx) -> None:
    tx.add(
        DeliveryRow, stream="service", seq=99, subscription="reporting.tally",
        leased_until=tx.real - timedelta(seconds=31),
    )  # fmt: skip


def _message(tx: Tx, **more: object) -> None:
    given = {
        "id": "m", "dedupe_key": "m", "purpose": Purpose.NOTICE, "channel": MessageChannel.SMS,
        "to_number": DEE, "recipient": "dee", "body": "x", "created_at": tx.now, "next_attempt_at": tx.real,
    }  # fmt: skip
    tx.add(MessageRow, **{**given, **more})


def _stuck(tx: Tx) -> None:
    _message(tx, next_attempt_at=tx.real - timedelta(seconds=121))


def _worthless(tx: Tx) -> None:
    _message(
        tx,
        next_attempt_at=tx.real - timedelta(seconds=40),
        expires_at=tx.now - timedelta(seconds=31),
    )


def _sender_died(tx: Tx) -> None:
    died_at = tx.real - timedelta(seconds=31)
    _message(tx, state=MessageState.SENDING, leased_until=died_at, attempts=1, next_attempt_at=died_at)
    tx.add(
        AttemptRow, id="a", message_id="m", seq=1, token="t", provider="simulator", state="claimed",
        claimed_at=died_at, at=died_at,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        (_overdue, Check.DUE_UNCLAIMED),
        (_orphan, Check.LEASE_ORPHANED),
        (_sender_died, Check.LEASE_ORPHANED),
        (_stuck, Check.MESSAGE_STUCK),
        (_worthless, Check.MESSAGE_STUCK),
    ],
)
async def test_g20_work_that_nobody_does_is_found_until_somebody_does(
    town: Town, spoil: Callable[[Tx], None], check: Check
) -> None:
    await town.takes(paid_today())
    assert await town.audit() == {}
    await town.app.database.run(spoil)
    assert await town.audit() == {check: 1}
    assert await town.metric("audit_findings", check=check.value) == 1
    await town.settle()
    await town.pass_time(seconds=3)
    assert check not in await town.audit()


async def test_g14_what_waits_its_turn_is_no_fault(town: Town) -> None:
    """Due a moment ago, under way, waiting for its back-off: none of it is left undone."""

    def step(tx: Tx) -> None:
        tx.add(
            AgendaRow, incident_id="", kind="daily_line", subject="a", due_at=tx.now - timedelta(seconds=29)
        )
        tx.add(
            AgendaRow, incident_id="", kind="daily_line", subject="b", due_at=tx.now - timedelta(minutes=5),
            leased_until=tx.real + timedelta(seconds=20), attempts=3, error="KeyError",
        )  # fmt: skip
        _message(tx, next_attempt_at=tx.real - timedelta(seconds=100))

    await town.app.database.run(step)
    assert await town.audit() == {}


# --- parked work ------------------------------------------------------------------------------------------


async def test_g14_parked_work_gets_an_owner_and_a_person_hears_of_it_within_a_minute(town: Town) -> None:
    case = await town.takes(paid_today())
    incident_id = next(row.incident_id for row in await town.rows(AgendaRow) if row.incident_id)

    def park(tx: Tx) -> None:
        more = {"due_at": tx.now, "parked_at": tx.now, "attempts": 5, "error": "KeyError"}
        tx.add(AgendaRow, incident_id=incident_id, kind="poison", rank=1, **more)
        tx.add(AgendaRow, incident_id="", kind="inbound", subject="x", **more)
        tx.add(DeliveryRow, stream=incident_id, seq=99, subscription="nobody", parked_at=tx.now)

    await town.app.database.run(park)
    assert await town.audit() == {Check.PARKED_WITHOUT_OWNER: 3}
    await town.settle()
    told = await town.texts_with("keeps failing", DEE)
    assert len(told) == 2
    assert any(f"job {case.number}" in text for text in told)
    agenda = {row.seen_to_by for row in await town.rows(AgendaRow) if row.parked_at is not None}
    assert agenda == {"duty_officer"}
    assert {row.seen_to_by for row in await town.rows(DeliveryRow)} == {"admin"}
    assert [e["by"] for e in await case.happened("parked_work_taken")] == ["duty_officer", "admin"]
    # It has its owner: the audit is good, and the case has other next steps.
    assert await town.audit() == {}
    await town.settle()
    assert len(await town.texts_with("keeps failing", DEE)) == 2


async def test_g14_too_much_parked_work_is_itself_a_fault(town: Town) -> None:
    def park(tx: Tx) -> None:
        for n in range(201):
            tx.add(
                DeliveryRow, stream="service", seq=n, subscription="x", parked_at=tx.now, seen_to_by="admin"
            )

    await town.app.database.run(park)
    assert await town.audit() == {Check.EXCEPTIONS_FULL: 201}


# --- several nodes ----------------------------------------------------------------------------------------


async def test_g15_one_node_of_all_audits_each_minute(town: Town) -> None:
    database, desk = town.app.database, town.app.desk
    nodes = [Caretaker(database, desk, Node(f"node {n}", town.clock, Pulse()), LastKnown()) for n in range(3)]
    made: list[int] = []
    for _ in range(120):
        made += [n for n, node in enumerate(nodes) for _ in range(await node.audit())]
        town.clock.advance(timedelta(seconds=1))
    assert len(made) == 2


async def test_i2_what_was_put_right_meanwhile_is_left_alone(town: Town) -> None:
    await town.takes(paid_today())
    (incident,) = await town.rows(IncidentRow)
    gone = Missing(Check.CLOCK_WITHOUT_DEADLINE, incident.id)
    assert not await town.app.database.run(lambda tx: mend(tx, town.app.desk, gone))
    assert len(await town.rows(NoticeRow)) == 0


def test_the_audit_reads_nothing_but_rows(database_url: str) -> None:
    """It runs on an empty database, too."""
    clock = SystemClock()
    database = Database(database_url, clock=clock, ids=SystemIds())
    found = database.look_now(lambda c: audit(c, Moment(clock.now(), clock.real())))
    database.close_now()
    assert found.is_good
    assert found.counts() == {}


@pytest.mark.long
async def test_task_rows_of_closed_cases_are_cared_for(town: Town) -> None:
    """Why it was late is owed after the end."""
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await town.pass_time(minutes=121)
    await case.hears(ASHA, "HERE {n}")
    await case.act("close", disposition="resolved_attended")
    owed = [row for row in await town.rows(TaskRow) if row.state == "open"]
    assert [row.kind for row in owed] == ["breach_reason"]
    await loses(town, Kind.TASK)
    assert await town.audit() == {Check.TASK_WITHOUT_REMINDER: 1}
    assert await town.audit() == {}
