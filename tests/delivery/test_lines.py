"""The ways out: a provider that is down, one that is slow, a pace that is kept (R8, Z1, the daily alarm)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest

from rapid_response.core.states import MessageState, Purpose
from rapid_response.core.vocabulary import Role
from rapid_response.steps import sending
from rapid_response.storage.tables import AttemptRow, EventRow, IncidentRow, LineRow, MessageRow
from rapid_response.storage.tx import Tx
from tests.builders import PATIENT_OFFER, paid_today, small_town
from tests.delivery.carrier import Carrier, refuses, says_nothing, takes
from tests.harness import ASHA, BEN, DEE, LEAD_ON_HATE, Case, Town
from tests.journeys.browser import browser_of

OLD_DEARS = "He said old dears never check, and called at the bungalows for older people only."
SOON_TOLD = {"after": "PT2M", "action": "notify", "to": "duty_officer", "by": ["sms", "voice"]}


async def line(town: Town, channel: str = "sms") -> LineRow:
    """What is known of a line."""
    (row,) = [r for r in await town.rows(LineRow) if r.channel == channel]
    return row


@pytest.mark.long
async def test_r8_it_opens_after_five_failures_half_opens_with_one_message_and_closes(
    town: Town, carrier: Carrier
) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER]))
    carrier.usual_text = refuses("not_sent")
    for _ in range(3):
        await town.takes(paid_today())
    await town.pass_time(seconds=4)
    assert (await line(town)).opened_at is not None
    assert await town.metric("provider_breaker_open", provider="simulator", channel="sms") == 1
    assert await town.metric("provider_breaker_open", provider="simulator", channel="voice") == 0

    texts = [b for _, _, b in carrier.posted if b != "(call)"]
    await town.pass_time(seconds=11)
    assert [b for _, _, b in carrier.posted if b != "(call)"] == texts
    await town.pass_time(seconds=2)
    assert len([b for _, _, b in carrier.posted if b != "(call)"]) == len(texts) + 1  # one, to try it

    carrier.usual_text = takes
    await town.pass_time(seconds=31)
    assert (await line(town)).opened_at is None
    assert len(await town.texts_with("Reply OK")) >= 3  # and, as nobody picked up, the next ones too
    kinds = [e.type for e in await town.rows(EventRow) if e.type.startswith("line_")]
    assert kinds == ["line_down", "line_mended"]


async def test_r8_what_was_cancelled_while_the_line_was_down_is_not_taken_up_when_it_is_mended(
    town: Town, carrier: Carrier
) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER]))
    carrier.usual_text = carrier.usual_call = refuses("account", "20003")
    await town.takes(paid_today())
    waiting = await town.takes(paid_today())
    assert {m.held for m in await _asked(town, waiting)} == {"line"}
    await waiting.act("accept", responder=(await waiting.asked())[0])

    carrier.usual_text = carrier.usual_call = takes
    await town.pass_time(minutes=5)
    assert (await line(town)).opened_at is None
    over = [(m.state, m.held, m.next_attempt_at) for m in await _asked(town, waiting)]
    assert set(over) == {(MessageState.CANCELLED, None, None)}
    assert "message_stuck" not in await town.audit()


@pytest.mark.long
async def test_r8_three_hours_without_a_provider_lose_no_outcome_and_no_notice(
    town: Town, carrier: Carrier
) -> None:
    """A fault of the worker's would end this: nothing else catches it here."""
    carrier.usual_text = carrier.usual_call = refuses("not_sent")
    case = await town.takes(paid_today())
    await town.pass_time(minutes=180)
    assert await town.texts(DEE) == []
    assert (await line(town)).trips > 80

    carrier.usual_text = carrier.usual_call = takes
    await town.pass_time(minutes=10)
    assert (await line(town)).opened_at is None
    assert any(str(case.number) in text for text in await town.texts(DEE))
    assert {a.state for a in await town.rows(AttemptRow)}.isdisjoint({"claimed", "unknown", "absent"})
    assert "message_stuck" not in await town.audit()


async def _asked(town: Town, case: Case) -> list[MessageRow]:
    """What was written to ask somebody about it."""
    (incident,) = [row for row in await town.rows(IncidentRow) if row.reference == case.reference]
    mine = [row for row in await town.rows(MessageRow) if row.incident_id == incident.id]
    return [row for row in mine if row.purpose is Purpose.OFFER]


async def test_r8_while_texts_are_down_offers_go_by_voice_and_the_desk_sees_it(
    town: Town, carrier: Carrier
) -> None:
    carrier.usual_text = refuses("account", "20003")
    await town.takes(paid_today())
    carrier.usual_call = takes
    row = await line(town)
    assert row.why == "account"
    # Both are lines of the one account.
    assert (await line(town, "voice")).opened_at is not None
    async with await browser_of(town, "dora", Role.DUTY_OFFICER) as browser:
        page = await browser.get("/board")
    assert "our account with the phone network is refused" in page.html
    await town.pass_time(seconds=16)
    assert "(call)" in [b for _, _, b in carrier.posted]


async def test_r8_one_odd_number_leaves_all_others_flowing(town: Town, carrier: Carrier) -> None:
    for _ in range(6):
        carrier.texts.append(refuses("request", "21408"))
        await town.takes(paid_today())
    assert (await line(town)).opened_at is None
    carrier.texts.clear()
    await town.takes(paid_today())
    assert await town.texts_with("Reply OK")


async def test_r8_a_sender_that_is_refused_closes_texts_and_leaves_calls(
    town: Town, carrier: Carrier
) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER]))
    carrier.usual_text = refuses("sender", "21606")
    await town.takes(paid_today())
    assert (await line(town)).why == "sender"
    assert carrier.to(ASHA)[-1] == "(call)"
    assert len(await town.calls(ASHA)) == 1


async def test_r8_timeouts_count_as_being_down(town: Town, carrier: Carrier) -> None:
    carrier.usual_text = says_nothing
    for _ in range(5):
        await town.takes(paid_today())
    assert (await line(town)).opened_at is not None


async def test_slow_texts_bring_the_call_forward(town: Town, carrier: Carrier) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER]))
    await town.takes(paid_today())
    await town.app.database.run(_make_slow)
    case = await town.takes(paid_today())
    await town.pass_time(seconds=44)
    assert carrier.to(BEN)[-1] != "(call)"
    await town.pass_time(seconds=1)
    assert carrier.to(BEN)[-1] == "(call)"
    assert await case.asked() == ["ben"]


def _make_slow(tx: Tx) -> None:
    tx.need(LineRow, "simulator/sms").delays = [90.0] * 10


# --- notices and alarms meanwhile -------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["", "heliotrope"], ids=["notice", "alarm"])
async def test_a_line_that_is_mended_lets_go_the_newest_of_a_repeated_notice_alone(
    town: Town, words: str
) -> None:
    lone = {"check_in_every": "PT30M", "then": ["duty_officer"], "duress_word": "heliotrope"}
    await town.load(small_town(escalation=[PATIENT_OFFER, SOON_TOLD], lone_worker=lone))
    await town.takes(paid_today())
    if words:
        await town.texts_reply(ASHA, words)
    await town.pass_time(minutes=3)
    told = await town.texts(DEE)
    assert len(told) == (2 if words else 1)

    await town.fails(outage=True)
    await town.pass_time(minutes=24, seconds=30)
    assert await town.texts(DEE) == told
    kept = [m for m in await town.rows(MessageRow) if m.recipient == "responder:dee" and m.settled_at is None]
    assert len(kept) == (4 if words else 2)  # a text and a call of each

    await town.fails(outage=False)
    await town.pass_time(minutes=2)
    new = (await town.texts(DEE))[len(told) :]
    assert len(new) == len(set(new)) == (2 if words else 1)
    assert all(text.startswith("Repeat: ") for text in new)


async def test_a_notice_whose_texts_fail_is_said_each_time_that_it_is_repeated(
    town: Town, carrier: Carrier
) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER, SOON_TOLD]))
    await town.takes(paid_today())
    carrier.usual_text = refuses("bad_destination", "21211")
    await town.pass_time(minutes=12, seconds=30)
    assert len(await town.calls(DEE)) == 3


async def test_a_text_to_the_hate_crime_lead_that_fails_keeps_nobody_elses_back(
    town: Town, carrier: Carrier
) -> None:
    """It goes after all others, and what follows its failure has a time of its own like any other."""
    await town.load(small_town(escalation=[PATIENT_OFFER]))
    carrier.usual_text = refuses("not_sent")
    chosen = await town.takes(paid_today(narrative=OLD_DEARS))
    await town.pass_time(minutes=3)
    assert (await line(town)).opened_at is not None
    carrier.usual_text = takes
    await town.pass_time(minutes=3)

    assert await town.texts_with(str(chosen.number), LEAD_ON_HATE)
    assert await town.texts_with(f"OK {chosen.number}", ASHA)
    carrier.usual_text = refuses("bad_destination", "21211")
    await town.takes(paid_today(narrative=OLD_DEARS, location={"address": "2 Elm Road"}))
    await town.pass_time(minutes=3)
    assert await town.calls(LEAD_ON_HATE)


# --- the pace ---------------------------------------------------------------------------------------------


@pytest.mark.long
async def test_z1_300_offers_at_one_text_a_second(database_url: str, start: datetime) -> None:
    """None expires silently, the age of the oldest is seen, urgent ones go first, calls are not held up."""
    people = [
        {
            "id": f"r{n}",
            "name": f"Person {n}",
            "phones": {"sms": f"+4477009{n:05}", "voice": f"+4477009{n:05}"},
            "skills": ["doorstep_crime", "scam"],
        }
        for n in range(1, 31)
    ]
    rota = [
        {"responder": p["id"], "days": ["mon", "tue", "wed", "thu", "fri"], "from": "00:00", "to": "24:00"}
        for p in people
    ]
    definition = small_town(
        responders=people, rota=rota, on_call=[], escalation=[{**PATIENT_OFFER, "answer_within": "PT4M"}]
    )
    async with Town(database_url, start, definition, texts_per_second=1.0) as town:
        for _ in range(300):
            answer = await town.post("/api/v1/reports", paid_today())
            assert answer.status_code == 201
        offers = [m for m in await town.rows(MessageRow) if m.purpose is Purpose.OFFER]
        assert len(offers) == 300
        for _ in range(60):
            town.clock.advance(timedelta(seconds=1))
            await town.app.worker.sender.send_queued()
        sent = [m for m in await town.rows(MessageRow) if m.attempts]
        assert 58 <= len(sent) <= 62
        assert await town.metric("oldest_pending_message_seconds") == 60

        town.clock.advance(timedelta(seconds=30))
        await town.app.worker.ringer.ring_due()
        rung = [m for m in await town.rows(MessageRow) if m.way == "voice1"]
        assert (
            len(rung) >= 50
        )  # as many as one pass of the agenda takes: at their time, whatever the texts do

        town.clock.advance(timedelta(minutes=5))
        while await town.app.worker.sender.send_queued():
            pass
        late = [m for m in await town.rows(MessageRow) if m.way == "sms1" and not m.attempts]
        assert late
        assert {m.state for m in late} <= {MessageState.EXPIRED, MessageState.CANCELLED}
        told = [e for e in await town.rows(EventRow) if e.type == "message_settled" and '"expired"' in e.data]
        assert len(told) >= len([m for m in late if m.state is MessageState.EXPIRED])


async def test_the_pace_is_one_for_all_nodes_and_the_most_urgent_go_first(
    database_url: str, start: datetime
) -> None:
    async with Town(database_url, start, texts_per_second=1.0) as town:
        await town.load(small_town(escalation=[PATIENT_OFFER]))
        for _ in range(4):
            await town.post("/api/v1/reports", paid_today())
        claims = [await town.app.database.run(partial(sending.claim, desk=town.app.desk)) for _ in range(3)]
        assert [len(c) for c in claims] == [1, 0, 0]


# --- the daily alarm --------------------------------------------------------------------------------------


async def test_more_texts_than_a_day_should_need_are_an_alarm_and_no_dispatch_is_dropped(
    database_url: str, start: datetime
) -> None:
    async with Town(database_url, start, texts_a_day=2) as town:
        for _ in range(3):
            await town.takes(paid_today())
        assert len(await town.texts_with("Reply OK")) >= 3  # and, as nobody picked up, the next ones too
        alarms = [e for e in await town.rows(EventRow) if e.type == "texts_over_cap"]
        assert len(alarms) == 1
        before = await town.texts(ASHA)
        await town.texts_reply(ASHA, "what is this")
        assert await town.texts(ASHA) == before  # an answer that nobody waits for
        async with await browser_of(town, "dora", Role.DUTY_OFFICER) as browser:
            page = await browser.get("/board")
        assert "more than a day should need" in page.html
