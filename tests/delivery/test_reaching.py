"""The ladder inside one offer: when another way is tried, what stops it, and what is said (W1, W2, V2)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml

from rapid_response.core.states import MessageState, Purpose
from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import EndpointRow, MessageRow, OfferRow
from tests.builders import PATIENT_OFFER, SMALL_TOWN, long_ago, paid_today, roofers_now, small_town, unclear
from tests.delivery.carrier import Carrier, refuses, says_nothing, takes_and_says_nothing
from tests.harness import ASHA, BEN, DESK, Case, Town
from tests.journeys.browser import browser_of

ASHA_2, ASHA_HOME, ASHA_HOME_2 = "+447700900201", "+442079460101", "+442079460102"


def with_phones(responder: str, **phones: str) -> list[dict[str, Any]]:
    """The people of the small town, one with other numbers."""
    people: list[dict[str, Any]] = yaml.safe_load(SMALL_TOWN)["responders"]
    return [{**p, "phones": phones} if p["id"] == responder else p for p in people]


FOUR_NUMBERS = with_phones("asha", sms=ASHA, second_sms=ASHA_2, voice=ASHA_HOME, second_voice=ASHA_HOME_2)


async def patient(town: Town, **changes: Any) -> None:
    """One person has half an hour to answer."""
    await town.load(small_town(escalation=[PATIENT_OFFER], **changes))


async def after(case: Case, carrier: Carrier, *numbers: str) -> dict[str, float]:
    """How many seconds after its offer each number was first tried."""
    (offer,) = [o for o in await case.happened("offer_made")][:1]
    made: datetime = offer["event_at"]
    return {n: (carrier.times(n)[0] - made).total_seconds() for n in numbers if carrier.times(n)}


# --- W1: the times ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "times"),
    [(paid_today, {ASHA: 0, ASHA_2: 60, ASHA_HOME: 90}), (None, {ASHA: 0, ASHA_2: 120, ASHA_HOME: 180})],
    ids=["urgent", "other"],
)
async def test_w1_without_a_receipt_or_an_answer_each_way_comes_at_its_time(
    town: Town, carrier: Carrier, report: Any, times: dict[str, float]
) -> None:
    await patient(town, responders=FOUR_NUMBERS)
    await town.fails(no_receipts=True)
    carrier.can_be_asked = False
    body = report() if report else {**long_ago(town.clock.now()), "answers": {}}
    case = await town.takes(body)
    if report is None:
        await case.act("set_priority", priority="P2", reason="to be sure")
    await town.pass_time(minutes=5)
    assert await after(case, carrier, *times) == times
    # One call to one person in two minutes: the second number rings when those are over.
    assert (await after(case, carrier, ASHA_HOME_2))[ASHA_HOME_2] == times[ASHA_HOME] + 120
    assert [w["to_way"] for w in await case.happened("other_way_tried")] == ["sms2", "voice1", "voice2"]


async def test_w1_a_text_that_arrived_needs_a_voice_and_no_second_number(
    town: Town, carrier: Carrier
) -> None:
    await patient(town, responders=FOUR_NUMBERS)
    case = await town.takes(paid_today())
    await town.pass_time(seconds=91)
    assert await after(case, carrier, ASHA, ASHA_2, ASHA_HOME) == {ASHA: 0, ASHA_HOME: 90}
    assert [(w["way"], w["reason"]) for w in await case.happened("way_not_tried")] == [("sms2", "delivered")]
    assert await case.asked() == ["asha"]


async def test_w1_a_phone_that_is_off_is_rung_at_once_and_then_the_next_is_asked(
    town: Town, carrier: Carrier
) -> None:
    await town.fails(number=ASHA, phone_off=True)
    case = await town.takes(paid_today())
    assert await after(case, carrier, ASHA) == {ASHA: 0}
    assert carrier.to(ASHA)[1] == "(call)"
    assert await case.asked() == ["asha", "ben"]
    assert [w["to_way"] for w in await case.happened("other_way_tried")] == ["voice1", "next"]

    await town.pass_time(seconds=60)
    assert len([b for b in carrier.to(ASHA) if b != "(call)"]) == 2  # the handset class: once more
    await town.pass_time(minutes=3)
    assert len([b for b in carrier.to(ASHA) if b != "(call)"]) == 2


async def test_w1_a_landline_reaches_whom_a_dead_mobile_does_not(town: Town, carrier: Carrier) -> None:
    await patient(town, responders=with_phones("asha", sms=ASHA, voice=ASHA_HOME))
    await town.fails(number=ASHA, phone_off=True)
    case = await town.takes(paid_today())
    assert await after(case, carrier, ASHA_HOME) == {ASHA_HOME: 0}
    assert await case.asked() == ["asha", "ben"]  # certain, so nobody waits for the landline
    await town.answers_call(ASHA_HOME, "11")
    assert (await case.now())["responder"] == "asha"
    assert "not yours any more" in await town.last_text(BEN)


async def test_w1_one_who_opted_out_is_rung_and_not_texted(town: Town, carrier: Carrier) -> None:
    await patient(town)
    await town.texts_reply(ASHA, "STOP")
    before = len(carrier.to(ASHA))
    case = await town.takes(paid_today())
    assert carrier.to(ASHA)[before:] == ["(call)"]
    assert await case.happened("notice_given") == []


async def test_w1_with_the_text_path_dead_a_voice_comes_within_half_a_minute_and_the_desk_is_told(
    town: Town, carrier: Carrier
) -> None:
    carrier.usual_text = refuses("not_sent")
    case = await town.takes(paid_today())
    await town.pass_time(seconds=30)
    (rung, *_) = [at for at, to, body in carrier.posted if to == ASHA and body == "(call)"]
    (came,) = await case.happened("report_received")
    assert rung - came["event_at"] <= timedelta(seconds=20)
    (told,) = [n for n in await case.happened("notice_given") if n["kind"] == "delivery_failing"]
    assert (told["role"], told["event_at"] - came["event_at"] <= timedelta(seconds=30)) == ("desk", True)
    await town.answers_call(ASHA, "11")
    assert (await case.now())["responder"] == "asha"


async def test_w1_with_everything_dead_the_desk_is_alarmed_within_half_a_minute(
    town: Town, carrier: Carrier
) -> None:
    carrier.usual_text = carrier.usual_call = refuses("not_sent")
    case = await town.takes(paid_today())
    await town.pass_time(seconds=30)
    (came,) = await case.happened("report_received")
    (told,) = [n for n in await case.happened("notice_given") if n["kind"] == "delivery_failing"]
    assert told["event_at"] - came["event_at"] <= timedelta(seconds=30)
    assert (await case.asked())[:2] == ["asha", "ben"]


async def test_w1_a_provider_that_never_answers_is_no_reason_to_wait_longer(
    town: Town, carrier: Carrier
) -> None:
    carrier.usual_text = carrier.usual_call = says_nothing
    case = await town.takes(paid_today())
    await town.pass_time(seconds=30)
    assert "(call)" in carrier.to(ASHA)
    assert (await case.asked())[:2] == ["asha", "ben"]
    assert "delivery_failing" in [n["kind"] for n in await case.happened("notice_given")]


async def test_r1_429_for_ever_starts_the_next_way_at_20_seconds(town: Town, carrier: Carrier) -> None:
    await patient(town)
    carrier.usual_text = refuses("throttled", "20429")
    case = await town.takes(paid_today())
    await town.pass_time(seconds=19)
    assert "(call)" not in carrier.to(ASHA)
    await town.pass_time(seconds=1)
    assert carrier.to(ASHA)[-1] == "(call)"
    assert [w["reason"] for w in await case.happened("other_way_tried")] == ["throttled"]


async def test_r1_429_with_a_time_is_waited_for_and_no_less(town: Town, carrier: Carrier) -> None:
    await patient(town)
    carrier.texts.append(refuses("throttled", "20429", retry_after=7))
    await town.takes(paid_today())
    await town.pass_time(seconds=10)
    first, second = carrier.times(ASHA)
    assert (second - first).total_seconds() == 7
    assert len(await town.texts(ASHA)) == 1


async def test_r2_what_never_left_is_tried_on_schedule_and_counted_as_not_sent(
    town: Town, carrier: Carrier
) -> None:
    await patient(town)
    carrier.texts += [refuses("not_sent")] * 3
    await town.takes(paid_today())
    await town.pass_time(seconds=15)
    first, *later = carrier.times(ASHA)
    assert [(at - first).total_seconds() for at in later] == [1, 4, 13]
    assert len(await town.texts(ASHA)) == 1
    labels = {"provider": "simulator", "channel": "sms", "outcome": "rejected", "error_class": "not_sent"}
    assert await town.metric("message_attempts_total", **labels) == 3


@pytest.mark.parametrize(
    ("error_class", "code", "state", "rung_at"),
    [
        ("bad_destination", "21211", "suspect", 0),
        ("opted_out", "21610", "opted_out", 0),
        ("filtered", "30007", None, 0),
        ("handset", "30003", None, 0),
        ("carrier", "30008", None, 0),
        ("queue_full", "21611", None, 0),
        ("request", "21408", None, 0),
        ("sender", "21606", None, 0),
        ("unclassified", "39999", None, 0),
        ("throttled", "20429", None, 20),
    ],
)
async def test_r6_each_class_has_its_next_way_and_what_it_says_of_the_number(
    town: Town, carrier: Carrier, error_class: str, code: str, state: str | None, rung_at: int
) -> None:
    await patient(town)
    carrier.usual_text = refuses(error_class, code)
    case = await town.takes(paid_today())
    await town.pass_time(seconds=rung_at)
    (other, *_) = await case.happened("other_way_tried")
    assert other["reason"] == error_class
    (rung, *_) = [at for at, to, body in carrier.posted if to == ASHA and body == "(call)"]
    assert (rung - carrier.times(ASHA)[0]).total_seconds() == rung_at
    known = [e.state for e in await town.rows(EndpointRow) if e.number == ASHA and e.channel == "sms"]
    assert known == ([state] if state else [])


async def test_r6_a_refused_account_places_no_call_either_and_the_desk_rings(
    town: Town, carrier: Carrier
) -> None:
    carrier.usual_text = refuses("account", "20003")
    case = await town.takes(paid_today())
    assert "(call)" not in carrier.to(ASHA)
    assert "delivery_failing" in [n["kind"] for n in await case.happened("notice_given")]
    assert (await case.asked())[:2] == ["asha", "ben"]


async def test_short_answer_times_are_kept_and_nobody_is_rung_before_45_seconds(
    town: Town, carrier: Carrier
) -> None:
    quick = {**PATIENT_OFFER, "answer_within": "PT80S"}
    await town.load(small_town(escalation=[quick], responders=FOUR_NUMBERS))
    await town.fails(no_receipts=True)
    case = await town.takes(paid_today())
    await town.pass_time(seconds=79)
    found = await after(case, carrier, ASHA, ASHA_2, ASHA_HOME, ASHA_HOME_2)
    assert found == {ASHA: 0, ASHA_2: 16, ASHA_HOME: 45}


async def test_one_who_gets_no_texts_is_asked_by_voice(town: Town, carrier: Carrier) -> None:
    await patient(town, responders=with_phones("asha", voice=ASHA_HOME))
    case = await town.takes(roofers_now())
    assert await case.asked() == ["asha"]
    assert carrier.to(ASHA_HOME) == ["(call)"]
    said = await town.answers_call(ASHA_HOME, "1")
    assert "Press 1 to accept" in said
    await town.answers_call(ASHA_HOME, "1")
    assert (await case.now())["responder"] == "asha"


async def test_a_stale_text_is_written_anew_once_while_its_answer_is_awaited(
    town: Town, carrier: Carrier
) -> None:
    await patient(town)
    carrier.texts.append(refuses("stale", "30036"))
    await town.takes(paid_today())
    offers = [m for m in await town.rows(MessageRow) if m.purpose is Purpose.OFFER]
    assert sorted(m.dedupe_key.endswith(":2") for m in offers) == [False, True]
    assert len(await town.texts(ASHA)) == 1


# --- W2: acceptance stops it ------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, 61, 91, 211])
async def test_w2_an_acceptance_at_any_rung_stops_the_later_ones(
    town: Town, carrier: Carrier, seconds: int
) -> None:
    await patient(town, responders=FOUR_NUMBERS)
    await town.fails(no_receipts=True)
    case = await town.takes(paid_today())
    await town.pass_time(seconds=seconds)
    await case.act("accept", responder="asha")
    before = list(carrier.posted)
    await town.pass_time(minutes=8)
    later = [(to, body) for _, to, body in carrier.posted[len(before) :]]
    assert [to for to, _ in later if to in (ASHA_2, ASHA_HOME, ASHA_HOME_2)] == []


async def test_w2_a_ringing_phone_says_that_it_is_taken(town: Town) -> None:
    case = await town.takes(paid_today())
    await town.pass_time(minutes=5, seconds=95)  # asha has lapsed, ben's phone rings
    assert await case.asked() == ["asha", "ben"]
    await case.hears(ASHA, "OK {n}")
    said = await town.answers_call(BEN, "")
    assert said == "This job has been taken by somebody else. Do not attend. There is nothing to do. Goodbye."
    assert (await case.now())["responder"] == "asha"


async def test_w2_her_own_ringing_phone_says_that_she_has_it(town: Town) -> None:
    await patient(town)
    case = await town.takes(paid_today())
    await town.pass_time(seconds=91)
    await case.hears(ASHA, "OK {n}")
    assert "You have taken this job already" in await town.answers_call(ASHA, "")


async def test_w2_a_call_that_is_still_to_be_made_is_not(town: Town, carrier: Carrier) -> None:
    await patient(town)
    case = await town.takes(paid_today())
    await town.pass_time(seconds=89)
    await case.hears(ASHA, "NO {n}")
    await town.pass_time(minutes=2)
    assert "(call)" not in carrier.to(ASHA)


# --- V2: what is said on the phone ------------------------------------------------------------------------


async def test_v2_only_a_key_accepts_and_a_machine_does_not(town: Town) -> None:
    await patient(town)
    case = await town.takes(paid_today())
    await town.pass_time(seconds=91)
    await town.app.network.answer_call(ASHA, voicemail=True)
    await town.settle()
    assert (await case.now())["responder"] is None
    (call,) = [m for m in await town.rows(MessageRow) if m.way == "voice1"]
    assert call.state is MessageState.DELIVERED  # carried; whether by a person nobody says
    chain = await chain_of(town, case, "responder:asha")
    assert chain["verdict"] == "arrived"
    assert any("that may be a machine" in s["sentence"] for s in chain["steps"])


async def test_v2_she_declines_by_key_and_the_next_is_asked(town: Town) -> None:
    await patient(town)
    case = await town.takes(paid_today())
    await town.pass_time(seconds=91)
    said = await town.answers_call(ASHA, "12")
    assert "The next person is asked" in said
    assert await case.asked() == ["asha", "ben"]


async def test_v2_who_listens_only_has_not_accepted(town: Town) -> None:
    await patient(town)
    case = await town.takes(paid_today())
    await town.pass_time(seconds=91)
    assert "Press 1 to accept" in await town.answers_call(ASHA, "1")
    await town.app.network.hang_up(ASHA)
    await town.settle()
    assert (await case.now())["responder"] is None
    assert await case.asked() == ["asha"]


async def test_v2_a_busy_line_is_tried_once_more_after_two_minutes(town: Town, carrier: Carrier) -> None:
    await patient(town)
    await town.takes(paid_today())
    await town.pass_time(seconds=91)
    await town.app.network.hang_up(ASHA)  # declined: a busy tone for us
    await town.settle()
    await town.pass_time(minutes=6)
    calls = [at for at, to, body in carrier.posted if to == ASHA and body == "(call)"]
    assert len(calls) == 2
    assert calls[1] - calls[0] == timedelta(minutes=2)


# --- stand-downs ------------------------------------------------------------------------------------------


async def test_a_stand_down_that_does_not_arrive_is_said(town: Town, carrier: Carrier) -> None:
    case = await town.takes(paid_today())
    await town.pass_time(minutes=5)  # ben is asked too
    await town.fails(number=BEN, no_receipts=True)
    await case.hears(ASHA, "OK {n}")
    await town.pass_time(seconds=91)
    assert carrier.to(BEN)[-1] == "(call)"
    assert "a notice for you" in await town.answers_call(BEN, "")
    said = await town.answers_call(BEN, "1")
    assert "not yours any more" in said
    assert "Do not attend" in said
    assert await case.status() == "assigned"


async def test_who_is_given_a_job_and_gets_no_text_is_rung_and_the_desk_is_told(town: Town) -> None:
    """Nobody else is asked for it any more, and the first warning is an hour away."""
    await town.fails(number=ASHA, phone_off=True)
    case = await town.takes(unclear())
    await case.act("assign", responder="asha")
    await town.pass_time(minutes=1)
    assert await town.calls(ASHA)
    assert await town.texts_with("our texts do not reach the responder", DESK)
    await case.act("en_route", responder="asha")  # reached by telephone
    told = len(await town.texts(DESK))
    await town.pass_time(minutes=6)
    assert len(await town.texts(DESK)) == told


async def test_who_gets_no_texts_is_given_a_job_by_voice(town: Town) -> None:
    await patient(town, responders=with_phones("asha", voice=ASHA_HOME))
    case = await town.takes(unclear())
    await case.act("assign", responder="asha")
    assert "is now yours" in await town.answers_call(ASHA_HOME, "1")
    await town.pass_time(minutes=6)
    assert not await town.texts_with("our texts do not reach the responder")


async def test_who_heard_nothing_is_not_stood_down(town: Town, carrier: Carrier) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER]))
    carrier.texts.append(refuses("not_sent"))
    case = await town.takes(paid_today())
    await case.act("assign", responder="ben")
    await town.pass_time(seconds=5)
    assert await town.texts_with("not yours any more", ASHA) == []


async def test_an_offer_taken_back_while_nobody_knew_whether_it_went_is_stood_down_when_it_did(
    town: Town, carrier: Carrier
) -> None:
    await patient(town)
    await town.fails(no_receipts=True)
    carrier.texts.append(takes_and_says_nothing)
    case = await town.takes(paid_today())
    await case.act("assign", responder="ben")
    assert await town.texts_with("not yours any more", ASHA) == []
    await town.pass_time(seconds=3)
    assert len(await town.texts_with("not yours any more", ASHA)) == 1


# --- what is learnt of numbers ----------------------------------------------------------------------------


async def endpoint(town: Town, number: str) -> tuple[str, str | None]:
    (row,) = [e for e in await town.rows(EndpointRow) if e.number == number and e.channel == "sms"]
    return row.state, row.why


@pytest.mark.long
async def test_a_number_that_is_gone_becomes_suspect_and_comes_last(town: Town, carrier: Carrier) -> None:
    await patient(town, responders=with_phones("asha", sms=ASHA, voice=ASHA_HOME))
    carrier.texts.append(refuses("bad_destination", "21211"))
    first = await town.takes(paid_today())
    assert await endpoint(town, ASHA) == ("suspect", "bad_destination")
    await first.act("cancel", disposition="hoax_or_test")
    second = await town.takes(paid_today())

    async def ways() -> list[str]:
        offer = (await second.happened("offer_made"))[0]["offer_id"]
        sent = [m for m in await town.rows(MessageRow) if m.offer_id == offer]
        return [m.way for m in sorted(sent, key=lambda m: m.created_at)]

    assert await ways() == ["voice1"]
    await town.pass_time(seconds=150)
    assert await ways() == ["voice1", "sms1"]
    assert await endpoint(town, ASHA) == ("active", "delivered")


async def test_21610_on_sending_counts_as_stopped_and_starts_the_call(town: Town, carrier: Carrier) -> None:
    await patient(town)
    carrier.texts.append(refuses("opted_out", "21610"))
    await town.takes(paid_today())
    assert await endpoint(town, ASHA) == ("opted_out", "opted_out")
    assert carrier.to(ASHA)[-1] == "(call)"
    assert await town.texts_with("our texts do not reach the responder", DESK)


@pytest.mark.long
async def test_a_phone_that_is_off_three_times_in_a_week_is_suspect(town: Town) -> None:
    await town.fails(number=ASHA, phone_off=True)
    for _ in range(2):
        case = await town.takes(paid_today())
        await town.pass_time(minutes=2)
        await case.act("cancel", disposition="hoax_or_test")
    assert (await endpoint(town, ASHA))[0] == "suspect"


async def test_an_offers_failure_is_on_record_once(town: Town, carrier: Carrier) -> None:
    carrier.usual_text = refuses("filtered", "30007")
    await town.takes(paid_today())
    (first, *_) = sorted(await town.rows(OfferRow), key=lambda o: o.made_at)
    assert first.failing_at is not None


# --- why did it, why didn't it ----------------------------------------------------------------------------


async def chain_of(town: Town, case: Case, who: str) -> dict[str, Any]:
    """What the API says of one person."""
    answer = await town.http.get(f"/api/v1/incidents/{case.reference}/deliveries")
    assert answer.status_code == 200, answer.text
    (found,) = [p for p in answer.json()["people"] if p["who"] == who]
    chain: dict[str, Any] = found
    return chain


async def test_why_it_did_not_reach_her(town: Town) -> None:
    await town.fails(number=ASHA, phone_off=True)
    case = await town.takes(paid_today())
    await town.pass_time(minutes=5)
    chain = await chain_of(town, case, "responder:asha")
    said = [step["sentence"] for step in chain["steps"]]
    assert chain["name"] == "Asha Patel"
    assert chain["verdict"] == "not_reached"
    assert "Text to …101, asking whether they can go." in said
    assert "It did not arrive, because the phone was off or out of reach." in said
    assert "It did not arrive, because nobody picked up." in said
    assert "Nothing of it had arrived, so the next person was asked as well." in said
    assert "No answer came in time; a late yes is still welcome while nobody has the job." in said
    assert not [s for s in said if ASHA in s or "900101" in s]


async def test_why_it_reached_him(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    chain = await chain_of(town, case, "responder:asha")
    assert (chain["verdict"], chain["summary"]) == ("answered", "Reached: answered by text at 12:00.")
    said = [step["sentence"] for step in chain["steps"]]
    assert "Took the job, by text." in said
    assert "A text came from …101: a yes." in said
    assert [step["at"] for step in chain["steps"]] == sorted(step["at"] for step in chain["steps"])


async def test_the_chain_stands_on_the_page_of_the_incident(town: Town) -> None:
    await town.fails(number=ASHA, phone_off=True)
    case = await town.takes(paid_today())
    async with await browser_of(town, "dora", Role.DUTY_OFFICER) as browser:
        page = await browser.get(f"/incidents/{case.reference}")
    assert "Did it reach them?" in page.html
    assert "the phone was off or out of reach" in page.html
    assert ASHA not in page.html.split("Did it reach them?")[1].split("</section>")[0]


# --- what is overtaken while it waits ----------------------------------------------------------------------


async def test_what_waited_for_a_line_tells_only_who_has_the_job_by_now(town: Town) -> None:
    case = await town.takes(paid_today())
    await town.fails(outage=True)
    await case.act("assign", responder="ben")
    await town.pass_time(seconds=70)
    await case.act("assign", responder="asha")
    await town.fails(outage=False)
    await town.pass_time(minutes=10)
    assert not await town.texts_with("Do not attend", ASHA)
    assert "is now yours" in await town.last_text(ASHA)
    assert not await town.texts_with("is now yours", BEN)
    assert len(await town.texts_with("Do not attend", BEN)) == 1


async def test_a_phone_that_is_on_again_hears_no_assignment_after_its_stand_down(town: Town) -> None:
    case = await town.takes(paid_today())
    await town.fails(number=BEN, phone_off=True)
    await case.act("assign", responder="ben")
    await case.act("assign", responder="asha")
    await town.pass_time(seconds=30)
    heard = len(await town.texts(BEN))
    await town.fails(number=BEN, phone_off=False)
    await town.pass_time(minutes=10)
    (late,) = (await town.texts(BEN))[heard:]
    assert "Do not attend" in late


@pytest.mark.parametrize("swaps", [True, False], ids=["goes along", "does not"])
async def test_who_goes_along_after_all_hears_no_more_that_she_is_not_to(town: Town, swaps: bool) -> None:
    case = await town.takes(roofers_now())
    await case.hears(ASHA, "OK {n}")
    await town.fails(number=ASHA, phone_off=True)
    await case.act("assign", responder="ben")
    if swaps:
        await case.act("assign", responder="asha", companion=True)
    heard = len(await town.texts(ASHA))
    await town.fails(number=ASHA, phone_off=False)
    await town.pass_time(minutes=10)
    (late,) = (await town.texts(ASHA))[heard:]
    assert ("go along" if swaps else "Do not attend") in late
