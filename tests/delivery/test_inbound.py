"""Replies: once however they come, found when their webhook was lost, answered in bounds (U1, U2, Q2–Q4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from rapid_response.core.states import MessageChannel, MessageState, Purpose
from rapid_response.core.vocabulary import Role
from rapid_response.simulator import texts as phone_texts
from rapid_response.simulator.tables import SimPostRow
from rapid_response.sla.rules import Kind
from rapid_response.steps import inbound
from rapid_response.steps.outbox import queue
from rapid_response.storage import work
from rapid_response.storage.tables import (
    AgendaRow,
    EndpointRow,
    EventRow,
    InboundMessageRow,
    MessageRow,
    WatermarkRow,
)
from rapid_response.storage.tx import Tx
from rapid_response.storage.work import Due
from tests.builders import PATIENT_OFFER, paid_today, scam_paid, shift, small_town
from tests.delivery.carrier import Carrier, takes_and_says_nothing
from tests.harness import ASHA, BEN, DEE, DESK, Case, Town
from tests.journeys.browser import browser_of

STRANGER = "+447700900555"


async def loses(town: Town, number: str, body: str, sid: str) -> str:
    """Somebody texts us, and our webhook never hears of it."""

    def step(tx: Tx) -> None:
        phone_texts.send(tx, sid, number, town.app.network.service_number, body)
        tx.execute(
            update(SimPostRow).where(col(SimPostRow.sid) == sid).values(done_at=tx.real, leased_until=None)
        )

    await town.app.database.run(step)
    return sid


def sid_of(number: int) -> str:
    return f"SM{number:032x}"


def taking(town: Town, sid: str, number: str, body: str, **more: Any) -> Callable[[Tx], bool]:
    """The step that keeps a text which the carrier tells of."""
    return partial(
        inbound.take_text,
        desk=town.app.desk,
        sid=sid,
        from_number=number,
        to_number="+447700900000",
        body=body,
        **more,
    )


async def catches_up(town: Town) -> int:
    """The worker looks for lost texts, and acts on what it finds."""
    found = await town.app.worker.provided.catch_up()
    await town.settle()
    return found


async def answers_to(town: Town, number: str) -> list[MessageRow]:
    """What answered a number by itself."""
    return [
        m
        for m in await town.rows(MessageRow)
        if m.to_number == number and m.purpose in (Purpose.CONFIRM, Purpose.CLARIFY)
    ]


# --- U1, U2 -----------------------------------------------------------------------------------------------


async def test_u1_one_webhook_ten_times_at_once_acts_once_and_is_answered_once(town: Town) -> None:
    case = await town.takes(paid_today())
    take = taking(town, sid_of(1), ASHA, f"OK {case.number}")
    kept = await asyncio.gather(*(town.app.database.run(take) for _ in range(10)))
    await town.settle()
    assert sorted(kept) == [False] * 9 + [True]
    assert len(await case.happened("offer_accepted")) == 1
    assert len(await answers_to(town, ASHA)) == 1
    await town.app.worker.sweep()
    assert await town.metric("inbound_messages_total", source="webhook", result="acted") == 1
    assert await town.metric("inbound_messages_total", source="webhook", result="duplicate") == 9


@pytest.mark.parametrize("first", ["webhook", "list"])
async def test_u2_webhook_and_list_in_either_order_are_one_action(town: Town, first: str) -> None:
    case = await town.takes(paid_today())
    if first == "webhook":
        await case.hears(ASHA, "OK {n}")
        assert await catches_up(town) == 0
    else:
        sid = await loses(town, ASHA, f"OK {case.number}", sid_of(1))
        assert await catches_up(town) == 1
        take = taking(town, sid, ASHA, f"OK {case.number}")
        assert await town.app.database.run(take) is False
        await town.settle()
    assert len(await town.rows(InboundMessageRow)) == 1
    assert len(await case.happened("offer_accepted")) == 1
    assert len(await answers_to(town, ASHA)) == 1


@pytest.mark.long
async def test_u2_after_an_outage_all_lost_texts_are_found_though_a_newer_one_came_by_webhook(
    town: Town,
) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER]))
    cases = [await town.takes(paid_today()) for _ in range(3)]
    assert await catches_up(town) == 0
    for number, (case, who) in enumerate(zip(cases, (ASHA, BEN), strict=False), start=1):
        await loses(town, who, f"OK {case.number}", sid_of(number))
        town.clock.advance(timedelta(seconds=30))
    town.clock.advance(timedelta(minutes=1))
    await town.texts_reply(DEE, "hello")
    assert await catches_up(town) == 2
    assert [(await case.now())["responder"] for case in cases] == ["asha", "ben", None]
    sources = {m.source for m in await town.rows(InboundMessageRow)}
    assert sources == {"webhook", "catch_up"}


@dataclass
class Lost:
    """A visit that was texted word by word while nobody heard, and is found at once."""

    town: Town
    case: Case

    async def claimed_by_another(self) -> Due:
        """What another node has taken on, and has not done yet: the first that was written."""
        found = await self.town.app.worker.provided.catch_up()
        assert found == 3
        kinds = [Kind.INBOUND.value]
        (first,) = await self.town.app.database.run(partial(work.claim_due, limit=1, kinds=kinds))
        return first

    async def acted(self) -> list[str]:
        """What was done of it, in order."""
        wanted = ("offer_accepted", "arrived_on_scene", "incident_closed")
        return [type_ for type_ in await self.town.event_types(self.case.reference) if type_ in wanted]

    async def effects(self) -> dict[str, str | None]:
        """What became of each text."""
        return {row.provider_sid: row.effect for row in await self.town.rows(InboundMessageRow)}


@pytest.fixture
async def lost(town: Town) -> Lost:
    await town.load(small_town(escalation=[PATIENT_OFFER]))
    case = await town.takes(paid_today())
    for n, words in enumerate(("OK", "HERE", "DONE HELPED"), start=1):
        town.clock.advance(timedelta(seconds=20))
        await loses(town, ASHA, f"{words} {case.number}", sid_of(n))
    town.clock.advance(timedelta(seconds=20))
    return Lost(town, case)


async def test_texts_of_one_sender_that_are_found_together_are_acted_on_as_they_were_written(
    lost: Lost,
) -> None:
    assert await catches_up(lost.town) == 3
    assert await lost.acted() == ["offer_accepted", "arrived_on_scene", "incident_closed"]
    assert set((await lost.effects()).values()) == {"act"}


async def test_also_by_several_nodes_and_each_once(lost: Lost) -> None:
    town = lost.town
    first = await lost.claimed_by_another()
    await town.settle()
    assert set((await lost.effects()).values()) == {"act"}
    await town.app.worker.ringer.ring(first)
    assert await lost.acted() == ["offer_accepted", "arrived_on_scene", "incident_closed"]
    assert len(await answers_to(town, ASHA)) == 3
    assert all(row.settled_at for row in await town.rows(AgendaRow) if row.kind == Kind.INBOUND)


async def test_a_text_that_fails_is_in_the_way_of_none_that_follows(lost: Lost) -> None:
    town = lost.town
    first = await lost.claimed_by_another()
    await town.app.database.run(partial(work.failed, work=first, error="RuntimeError"))
    await town.settle()
    assert await lost.effects() == {sid_of(1): None, sid_of(2): "act", sid_of(3): "act"}
    await town.pass_time(seconds=1)
    assert await lost.effects() == {sid_of(1): "already", sid_of(2): "act", sid_of(3): "act"}


@pytest.mark.parametrize(
    ("word", "done"), [("OK", "offer_accepted"), ("NO", "offer_declined"), ("GO", "offer_accepted")]
)
async def test_a_word_alone_that_is_found_late_answers_no_offer_that_was_made_after_it(
    town: Town, word: str, done: str
) -> None:
    first, second = await town.takes(paid_today()), await town.takes(paid_today())
    assert (await first.asked(), await second.asked()) == (["asha"], ["ben"])
    town.clock.advance(timedelta(minutes=2))
    await loses(town, ASHA, word, sid_of(1))
    await town.restart(after_minutes=4)
    await town.settle()
    assert (await first.asked(), await second.asked()) == (["asha", "ben"], ["ben", "asha"])
    assert await catches_up(town) == 1
    assert len(await first.happened(done)) == 1
    assert await second.happened("offer_accepted") == await second.happened("offer_declined") == []


async def test_u2_a_list_that_could_not_be_read_moves_no_watermark(town: Town, carrier: Carrier) -> None:
    await catches_up(town)
    (before,) = await town.rows(WatermarkRow)
    await loses(town, ASHA, "hello there", sid_of(1))
    town.clock.advance(timedelta(minutes=40))
    carrier.can_be_asked = False
    assert await catches_up(town) == 0
    (after,) = await town.rows(WatermarkRow)
    assert after.listed_to == before.listed_to
    carrier.can_be_asked = True
    town.clock.advance(timedelta(minutes=1))
    assert await catches_up(town) == 1


async def test_a_text_that_the_list_still_has_is_counted_once(town: Town) -> None:
    await town.texts_reply(DEE, "hello")
    for _ in range(20):
        await catches_up(town)
        town.clock.advance(timedelta(minutes=1))
    await town.app.worker.sweep()
    figures = (await town.http.get("/metrics")).text
    assert 'inbound_messages_total{result="duplicate"' not in figures


async def test_the_list_is_read_each_minute_and_each_quarter_while_somebody_is_asked(
    town: Town, carrier: Carrier
) -> None:
    looks = []
    for seconds in (0, 15, 45, 15, 15):
        town.clock.advance(timedelta(seconds=seconds))
        await catches_up(town)
        looks.append(carrier.asked["list_inbound"])
    assert looks == [1, 1, 2, 2, 2]
    await town.post("/api/v1/reports", paid_today())
    await town.settle()
    for _ in range(3):
        town.clock.advance(timedelta(seconds=15))
        await catches_up(town)
    assert carrier.asked["list_inbound"] == 5


async def test_a_texts_own_time_decides_whether_it_came_late(town: Town) -> None:
    await town.load(small_town(escalation=[{**PATIENT_OFFER, "answer_within": "PT2M"}]))
    case = await town.takes(paid_today())
    await town.pass_time(seconds=110)
    await loses(town, ASHA, f"OK {case.number}", sid_of(1))
    await town.pass_time(seconds=20)
    assert len(await case.happened("offer_lapsed")) == 1
    await catches_up(town)
    (accepted,) = await case.happened("offer_accepted")
    assert accepted["late"] is False


async def test_an_arrival_counts_from_when_it_was_texted(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await town.pass_time(minutes=30)
    sent_at = town.clock.now()
    await loses(town, ASHA, f"HERE {case.number}", sid_of(1))
    await town.pass_time(seconds=50)
    await catches_up(town)
    assert (await case.clock())["stopped_at"] == sent_at.isoformat()
    assert (await case.clock())["stopped_by"] == "attended"


async def here_was_texted(town: Town, minutes: float) -> Case:
    """Asha was there so long after the report, and we know of nothing but the missed deadline."""
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await town.pass_time(minutes=minutes)
    await loses(town, ASHA, f"HERE {case.number}", sid_of(1))
    await town.pass_time(minutes=125 - minutes)
    assert (await case.clock())["state"] == "breached"
    assert "breach_reason" in await case.tasks()
    return case


async def test_an_arrival_that_was_texted_in_time_takes_a_breach_back(town: Town) -> None:
    case = await here_was_texted(town, 118)
    before = len(await town.texts_with("promise missed", DEE))
    await catches_up(town)

    clock = await case.clock()
    assert (clock["state"], clock["breached_at"]) == ("met", None)
    sent_at = datetime.fromisoformat(clock["due_at"]) - timedelta(minutes=2)
    assert datetime.fromisoformat(clock["stopped_at"]) == sent_at
    # What was recorded stays so, and is counted back beside it.
    assert len(await case.happened("deadline_missed")) == 1
    assert [s["breach_taken_back"] for s in await case.happened("clock_stopped")] == [True]
    assert await town.metric("sla_breached_total", category="doorstep_crime") == 1
    assert await town.metric("sla_breached_corrections_total", category="doorstep_crime") == 1
    assert await town.metric("sla_met_total", category="doorstep_crime", mode="attended") == 1
    figures = await town.board("2026-07")
    assert (figures["two_hours"]["met"], figures["two_hours"]["breached"]) == (1, 0)
    assert any("taken back" in note and note.endswith(": 1.") for note in figures["notes"])
    assert "breach_reason" not in await case.tasks()
    await town.pass_time(minutes=11)
    assert len(await town.texts_with("promise missed", DEE)) == before
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        page = (await officer.get(f"/incidents/{case.reference}")).html
        assert "Word of it had been sent in time: no breach." in page

    # Nobody was reached after all: then the two hours were missed.
    await case.hears(ASHA, "NOBODY {n}")
    await town.settle()
    assert (await case.clock())["state"] == "breached"
    assert (await town.board("2026-07"))["two_hours"]["breached"] == 1


async def test_an_arrival_that_was_texted_late_is_as_late_as_it_was_texted(town: Town) -> None:
    case = await here_was_texted(town, 123)
    await catches_up(town)
    assert (await case.clock())["state"] == "breached"
    (breach,) = (await town.board("2026-07"))["two_hours"]["breaches"]
    assert breach["late_seconds"] == 180
    assert "breach_reason" in await case.tasks()
    assert await town.metric("sla_breached_corrections_total", category="doorstep_crime") == 0


# --- Q2: rows of the decision table through the doors ------------------------------------------------------


async def last_to(town: Town, number: str, said: str) -> str:
    """What comes back to a text; empty for silence."""
    before = len(await town.texts(number))
    await town.texts_reply(number, said)
    return "".join((await town.texts(number))[before:])


async def test_q2_done_again_is_confirmed_again_and_not_twice_in_five_minutes(town: Town) -> None:
    case = await town.takes(paid_today())
    assert "is yours" in await last_to(town, ASHA, f"OK {case.number}")
    assert await last_to(town, ASHA, f"OK {case.number}") == ""
    await town.pass_time(minutes=6)
    assert "is yours" in await last_to(town, ASHA, f"OK {case.number}")
    assert len(await case.happened("offer_accepted")) == 1


async def test_q2_taken_by_another_closed_and_never_offered(town: Town) -> None:
    case = await town.takes(paid_today())
    await town.pass_time(minutes=5)
    await case.hears(BEN, "OK {n}")
    assert "not yours any more" in await last_to(town, ASHA, f"OK {case.number}")
    other = await town.takes(scam_paid())
    never = await last_to(town, DEE, f"OK {other.number}")
    assert str(other.number) not in never
    await case.hears(BEN, "HERE {n}")
    await case.hears(BEN, "DONE {n} HELPED")
    await town.pass_time(minutes=6)
    assert "not yours any more" in await last_to(town, ASHA, f"NO {case.number}")


async def test_q2_several_open_are_listed_and_here_takes_and_arrives(town: Town) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER], on_call=[]))
    first, second = await town.takes(paid_today()), await town.takes(paid_today())
    assert await second.asked() == ["ben"]
    third = await town.takes(paid_today())
    who = {"asha": ASHA, "ben": BEN}[(await third.asked())[0]]
    listed = await last_to(town, who, "ok")
    assert "2 jobs open with you" in listed
    assert "OK and the job number" in listed
    mine = first if who == ASHA else second
    assert "on scene, noted" in await last_to(town, who, f"HERE {mine.number}")
    assert await mine.status() == "on_scene"


async def test_q2_bare_ok_after_a_confirm_and_with_nothing_open_is_swallowed(town: Town) -> None:
    assert await last_to(town, ASHA, "ok") == ""
    case = await town.takes(paid_today())
    await last_to(town, ASHA, f"OK {case.number}")
    assert await last_to(town, ASHA, "ok") == ""


async def test_q2_a_bare_ok_to_an_offer_that_may_not_have_gone_is_asked_back(
    town: Town, carrier: Carrier
) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER], rota=[shift("asha"), shift("dee")], on_call=[]))
    done = await town.takes(paid_today())
    await done.hears(ASHA, "HERE {n}")
    await done.hears(ASHA, "DONE {n} HELPED")
    town.clock.advance(timedelta(minutes=6))
    await town.fails(no_receipts=True)
    carrier.lists_lag = timedelta(minutes=10)
    carrier.texts.append(takes_and_says_nothing)
    case = await town.takes(paid_today())
    assert f"Reply OK {case.number}" in await town.last_text(ASHA)
    assert [m.state for m in await town.rows(MessageRow) if m.purpose is Purpose.OFFER][-1] == "unknown"
    assert "1 job open with you" in await last_to(town, ASHA, "ok")
    assert await case.status() == "dispatching"
    assert "is yours" in await last_to(town, ASHA, f"ok {case.number}")


async def test_q2_reserved_words_never_reach_a_command(town: Town) -> None:
    case = await town.takes(paid_today())
    for word in ("END", "CANCEL", "QUIT"):
        await town.texts_reply(ASHA, word)
    assert await case.status() == "dispatching"
    assert await case.happened("offer_declined") == []


async def test_q2_an_empty_text_is_no_note_and_takes_nothing(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    take = taking(town, sid_of(9), ASHA, " \n")
    await town.app.database.run(take)
    await town.settle()
    assert (await town.texts(ASHA))[-1].startswith("Not understood")
    assert await case.happened("note_added") == []


async def test_q3_an_unknown_sender_becomes_a_report_for_review_and_gets_nothing_back(town: Town) -> None:
    await town.texts_reply(STRANGER, "a man is at my door and will not go")
    assert await town.count_incidents() == 1
    assert await town.texts(STRANGER) == []
    (text,) = await town.rows(InboundMessageRow)
    assert (text.effect, text.needs_person) == ("new_report", True)


@pytest.mark.parametrize("sender", ["+447700900000", "BROMLEY", "60777", "+442079460001"])
@pytest.mark.parametrize("body", ["OK 4821", ""])
async def test_q2_our_own_numbers_names_and_short_numbers_are_dropped(
    town: Town, sender: str, body: str
) -> None:
    take = taking(town, sid_of(9), sender, body, has_media=not body)
    await town.app.database.run(take)
    await town.settle()
    (text,) = await town.rows(InboundMessageRow)
    assert (text.effect, text.needs_person) == ("drop", False)
    assert await town.rows(MessageRow) == []


# --- Q4: loops and bounds ---------------------------------------------------------------------------------


@pytest.mark.long
async def test_q4_two_machines_that_text_each_other_stop(town: Town) -> None:
    """Whatever we answer comes back to us from a responder's phone, as an auto-responder would do it."""
    await town.takes(paid_today())
    heard = 0
    body = "I am driving, I will answer later"
    for turn in range(40):
        before = await town.texts(ASHA)
        await town.texts_reply(ASHA, f"{body} {turn}")
        new = (await town.texts(ASHA))[len(before) :]
        await town.pass_time(seconds=20)
        if new:
            heard += 1
            body = new[-1]
    assert heard <= 5


async def test_q4_words_of_ours_are_answered_each_time_something_else_is_said(town: Town) -> None:
    """Another has the job by now: HERE, texted on the way to it, must not be met with silence."""
    case = await town.takes(paid_today())
    for number in range(9990, 9996):
        assert await last_to(town, ASHA, f"OK {number}") != ""
    await town.pass_time(minutes=5)
    await case.hears(BEN, "OK {n}")
    for said in ("OK", "HERE", "GO"):
        assert "not yours any more" in await last_to(town, ASHA, f"{said} {case.number}")
        # But the same again is not answered so soon.
        assert await last_to(town, ASHA, f"{said.lower()}  {case.number}") == ""
    assert "Words: OK take it" in await last_to(town, ASHA, "?")


async def test_q4_a_day_has_fifty_answers_for_what_does_nothing(town: Town) -> None:
    await town.takes(paid_today())
    before = len(await answers_to(town, ASHA))
    for n in range(60):
        await town.texts_reply(ASHA, f"OK {5000 + n}")
    assert len(await answers_to(town, ASHA)) - before == 50


async def test_q4_something_real_gives_its_sender_answers_again(town: Town) -> None:
    case = await town.takes(paid_today())
    for n in range(7):
        await town.texts_reply(ASHA, f"what about the weather {n}")
        await town.pass_time(seconds=10)
    counted = len(await answers_to(town, ASHA))
    assert counted <= 5
    assert "is yours" in await case.hears(ASHA, "OK {n}")
    await town.pass_time(minutes=6)
    assert await last_to(town, ASHA, "what about the fish") != ""


async def test_texts_go_to_uk_mobiles_only(town: Town) -> None:
    numbers = ["+447011234567", "+447612345678", "+442079460101", "+33612345678", "+447624123456", ASHA]
    for n, number in enumerate(numbers):
        await town.app.database.run(
            partial(
                queue,
                key=f"k{n}",
                purpose=Purpose.REMINDER,
                to_number=number,
                recipient="responder:asha",
                body="hello",
            )
        )
    await town.settle()
    texted = {m.to_number for m in await town.rows(MessageRow) if m.attempts}
    assert texted == {"+447624123456", ASHA}
    refused = {m.to_number for m in await town.rows(MessageRow) if m.reason == "not_a_mobile"}
    assert refused == set(numbers) - texted


# --- stopping and starting --------------------------------------------------------------------------------


async def opted_out(town: Town, number: str) -> bool:
    return any(
        e.state == "opted_out"
        for e in await town.rows(EndpointRow)
        if e.number == number and e.channel is MessageChannel.SMS
    )


@pytest.mark.parametrize("word", ["STOP", "end", "Cancel", "QUIT", "unsubscribe", "stopall"])
async def test_a_word_that_stops_texts_alarms_the_desk_and_rings_whoever_is_asked(
    town: Town, carrier: Carrier, word: str
) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER]))
    case = await town.takes(paid_today())
    await town.texts_reply(ASHA, word)
    assert await opted_out(town, ASHA)
    assert carrier.to(ASHA)[-1] == "(call)"
    (told,) = await case.happened("notice_given")
    assert (told["kind"], told["role"]) == ("texts_stopped", "desk")
    assert "has stopped our texts" in await town.last_text(DESK)
    assert await case.status() == "dispatching"


async def test_what_the_carrier_says_it_did_counts_whatever_the_words(town: Town) -> None:
    for sid, kind, out in ((1, "STOP", True), (2, "START", False)):
        take = taking(town, sid_of(sid), ASHA, "dim mwy diolch", opt_out_type=kind)
        await town.app.database.run(take)
        await town.settle()
        assert await opted_out(town, ASHA) is out


async def test_help_from_a_door_is_a_cry_for_help_though_the_carrier_has_answered_it(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "HERE {n}")
    take = taking(town, sid_of(1), ASHA, "Help", opt_out_type="HELP")
    await town.app.database.run(take)
    await town.settle()
    assert [told["kind"] for told in await case.happened("notice_given")] == ["not_safe"]


async def test_start_brings_texts_back(town: Town) -> None:
    await town.texts_reply(ASHA, "STOP")
    assert "does not take our texts" in await town.last_text(DESK)
    await town.texts_reply(ASHA, "START")
    assert "You get texts" in await town.last_text(ASHA)
    case = await town.takes(paid_today())
    assert str(case.number) in await town.last_text(ASHA)
    changed = [e.data for e in await town.rows(EventRow) if e.type == "endpoint_changed"]
    assert [("opted_out" in d, "active" in d) for d in changed] == [(True, False), (False, True)]
    assert not any(ASHA in d for d in changed)


async def test_who_cannot_be_reached_is_seen_on_the_board_and_said_in_the_morning(town: Town) -> None:
    await town.texts_reply(ASHA, "STOP")
    async with await browser_of(town, "dora", Role.DUTY_OFFICER) as browser:
        page = await browser.get("/board")
        status = await browser.get("/status")
    assert "Asha Patel (…101) has stopped our texts" in page.html
    assert "ask them to text START" in status.html
    assert ASHA not in page.html
    await town.pass_time(minutes=21 * 60 + 5)
    assert "does not take our texts or calls" in await town.last_text(DEE)


# --- the text at the start of a shift ----------------------------------------------------------------------

SHIFTS: dict[str, Any] = {
    "rota": [
        {"responder": "asha", "days": ["wed", "thu"], "from": "13:00", "to": "17:00"},
        {"responder": "ben", "days": ["wed", "thu"], "from": "09:00", "to": "17:00"},
        {"responder": "dee", "days": ["wed", "thu"], "from": "00:00", "to": "24:00"},
    ]
}


async def test_at_the_start_of_a_shift_one_text_says_that_texts_arrive(town: Town) -> None:
    tested = small_town(**SHIFTS).replace("service:\n", "service:\n  test_text_at_shift_start: true\n")
    await town.load(tested)
    await town.restart()
    await town.pass_time(minutes=59)
    assert await town.texts(ASHA) == []
    await town.pass_time(minutes=2)
    (text,) = await town.texts(ASHA)
    assert "only checks that ours reach you" in text
    await town.restart()
    await town.pass_time(minutes=60)
    assert len(await town.texts(ASHA)) == 1
    assert await town.texts(BEN) == []
    (known,) = [e for e in await town.rows(EndpointRow) if e.number == ASHA]
    assert known.confirmed_at is not None


async def test_nobody_is_tested_unless_the_service_says_so(town: Town) -> None:
    await town.load(small_town(**SHIFTS))
    await town.restart()
    await town.pass_time(minutes=120)
    assert await town.texts(ASHA) == []


async def test_a_test_that_does_not_arrive_shows_before_anybody_is_needed(town: Town) -> None:
    tested = small_town(**SHIFTS).replace("service:\n", "service:\n  test_text_at_shift_start: true\n")
    await town.load(tested)
    await town.restart()
    await town.fails(number=ASHA, phone_off=True)
    await town.pass_time(minutes=61)
    (test,) = [m for m in await town.rows(MessageRow) if m.purpose is Purpose.TEST]
    assert (test.state, test.reason, test.attempts) == (MessageState.FAILED, "handset", 1)
