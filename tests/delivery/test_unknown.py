"""Unknown is no failure: looked up, settled by what proves it, repeated once and marked (O2, R3, R4, U4)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from rapid_response.core.states import MessageState, Purpose
from rapid_response.messaging.gateway import Accepted, SentRecord
from rapid_response.simulator.tables import SimTextRow
from rapid_response.steps import receipts, sending, unknowns
from rapid_response.steps.receipts import Told
from rapid_response.storage.tables import AttemptRow, MessageRow, ProviderEventRow
from rapid_response.storage.tx import Tx
from tests.builders import PATIENT_OFFER, paid_today, small_town
from tests.delivery.carrier import Answer, Carrier, between, refuses, says_nothing, takes_and_says_nothing
from tests.harness import ASHA, BEN, Case, Town


async def offer_of(town: Town) -> MessageRow:
    """The first text that asks somebody."""
    offers = [m for m in await town.rows(MessageRow) if m.purpose is Purpose.OFFER and m.way == "sms1"]
    return min(offers, key=lambda m: m.created_at)


async def patient(town: Town) -> None:
    """Nobody else is asked for half an hour."""
    await town.load(small_town(escalation=[PATIENT_OFFER]))


# --- R3, R4 -----------------------------------------------------------------------------------------------


async def test_r3_r4_what_was_taken_without_an_answer_is_found_and_posted_once(
    town: Town, carrier: Carrier
) -> None:
    await patient(town)
    carrier.texts.append(takes_and_says_nothing)
    await town.fails(no_receipts=True)
    case = await town.takes(paid_today())
    assert (await offer_of(town)).state is MessageState.UNKNOWN

    await town.pass_time(seconds=3)

    assert (await offer_of(town)).state is MessageState.DELIVERED  # as the list says
    assert carrier.to(ASHA) == await town.texts(ASHA)
    assert len(carrier.to(ASHA)) == 1
    assert [r["result"] for r in await case.happened("message_reconciled")] == ["adopted"]
    (attempt,) = [a for a in await town.rows(AttemptRow) if a.settled_by == "look_up"]
    assert attempt.provider_sid


async def test_r3_what_was_never_taken_is_looked_for_at_3_10_30_and_60_and_repeated_once_marked(
    town: Town, carrier: Carrier
) -> None:
    await patient(town)
    carrier.texts.append(says_nothing)
    case = await town.takes(paid_today())
    looked = []
    for seconds in (3, 7, 20, 29):
        await town.pass_time(seconds=seconds)
        looked.append(carrier.asked["find_sent"])
    assert looked == [1, 2, 3, 3]
    assert carrier.to(ASHA)[1:] == ["(call)"]  # not known after half a minute: she was rung
    assert await town.texts(ASHA) == []

    await town.pass_time(seconds=1)

    assert carrier.asked["find_sent"] == 4
    (text,) = await town.texts(ASHA)
    assert text.startswith("Repeat: TS duty: job")
    assert [r["result"] for r in await case.happened("message_reconciled")] == ["absent"]
    assert (await offer_of(town)).state is MessageState.DELIVERED
    assert await town.metric("reconciled_total", result="absent") == 1


async def test_r3_a_confirmation_that_may_be_lost_is_never_sent_again(town: Town, carrier: Carrier) -> None:
    case = await town.takes(paid_today())
    carrier.texts.append(says_nothing)
    await case.hears(ASHA, "OK {n}")
    await town.pass_time(minutes=3)
    (confirm,) = [m for m in await town.rows(MessageRow) if m.purpose is Purpose.CONFIRM]
    assert (confirm.state, confirm.reason, confirm.attempts) == (MessageState.FAILED, "unresolved", 1)


async def test_r4_while_one_answer_is_awaited_other_messages_flow(town: Town, carrier: Carrier) -> None:
    carrier.texts.append(says_nothing)
    await town.takes(paid_today())
    second = await town.takes(paid_today())
    assert str(second.number) in await town.last_text(BEN)


async def test_g9_a_second_unknown_is_the_last(town: Town, carrier: Carrier) -> None:
    """However long nobody knows: one repeat, no more."""
    await patient(town)
    carrier.usual_text = says_nothing
    await town.takes(paid_today())
    await town.pass_time(minutes=6)
    texts = [body for body in carrier.to(ASHA) if body != "(call)"]
    assert len(texts) == 2
    assert texts[1] == f"Repeat: {texts[0]}" or texts[1].startswith("Repeat: ")
    offer = await offer_of(town)
    assert (offer.state, offer.reason, offer.repeats) == (MessageState.FAILED, "unresolved", 1)


async def test_a_provider_that_cannot_be_asked_settles_nothing_and_is_not_waited_for_for_ever(
    town: Town, carrier: Carrier
) -> None:
    await patient(town)
    carrier.texts.append(says_nothing)
    carrier.can_be_asked = False
    case = await town.takes(paid_today())
    await town.pass_time(seconds=119)
    assert await town.texts(ASHA) == []
    await town.pass_time(seconds=2)
    assert len(await town.texts_with("Repeat: ", ASHA)) == 1
    assert [r["result"] for r in await case.happened("message_reconciled")] == ["unresolved"]


async def test_of_two_equal_candidates_the_older_is_ours_and_the_other_is_counted(
    town: Town, carrier: Carrier
) -> None:
    await patient(town)
    carrier.texts.append(says_nothing)
    case = await town.takes(paid_today())
    offer = await offer_of(town)
    twice = [
        SentRecord("SM" + n * 32, ASHA, offer.body, "sent", town.clock.now() + timedelta(seconds=int(n)))
        for n in ("2", "1")
    ]
    found = await town.app.database.run(_due_look_up)
    await town.app.database.run(
        partial(unknowns.record_look_up, desk=town.app.desk, unknown=found, sent=twice)
    )
    (attempt,) = await town.rows(AttemptRow)
    assert attempt.provider_sid == "SM" + "1" * 32
    assert [r["result"] for r in await case.happened("message_reconciled")] == ["adopted", "duplicate"]


async def test_a_receipt_with_our_token_puts_right_which_of_two_equals_the_list_was_taken_to_show(
    town: Town, carrier: Carrier
) -> None:
    await patient(town)
    carrier.texts.append(says_nothing)
    await town.takes(paid_today())
    offer, ours = await offer_of(town), "SM" + "2" * 32
    found = await town.app.database.run(_due_look_up)
    listed = [SentRecord("SM" + "1" * 32, ASHA, offer.body, "sent", town.clock.now())]
    await town.app.database.run(
        partial(unknowns.record_look_up, desk=town.app.desk, unknown=found, sent=listed)
    )
    (attempt,) = await town.rows(AttemptRow)

    assert await _told(town, attempt.token, ours, "undelivered", error_code="30006")

    (attempt,) = [a for a in await town.rows(AttemptRow) if a.id == attempt.id]
    assert (attempt.provider_sid, attempt.state) == (ours, "undelivered")
    assert (await offer_of(town)).state is MessageState.FAILED
    # From then on it is known by that: another is not ours.
    await _told(town, attempt.token, "SM" + "3" * 32, "delivered")
    assert (await offer_of(town)).state is MessageState.FAILED


async def _confirmed_twice(town: Town, carrier: Carrier, first: Answer, second: Answer) -> Case:
    """The desk says yes for her as her own yes comes: she is told twice, with no answer and no receipt."""
    case = await town.takes(paid_today())
    await town.fails(no_receipts=True)
    carrier.texts += [first, second]
    await case.act("accept", responder="asha")
    await case.hears(ASHA, "OK {n}")
    one, other = await _confirmations(town)
    assert one.body == other.body
    assert {one.state, other.state} == {MessageState.UNKNOWN}
    return case


async def _confirmations(town: Town) -> list[MessageRow]:
    found = [m for m in await town.rows(MessageRow) if m.purpose is Purpose.CONFIRM]
    return sorted(found, key=lambda m: (m.created_at, m.id))


async def _sids(town: Town) -> list[str]:
    """The provider's ids of the confirmations."""
    theirs = {m.id for m in await _confirmations(town)}
    return sorted(a.provider_sid for a in await town.rows(AttemptRow) if a.message_id in theirs)


async def test_one_entry_of_the_list_is_not_taken_for_two_that_say_the_same(
    town: Town, carrier: Carrier
) -> None:
    """The receipt, which names what it is for, tells which of the two went."""
    await _confirmed_twice(town, carrier, says_nothing, takes_and_says_nothing)
    await town.pass_time(seconds=10)
    one, other = await _confirmations(town)
    assert {one.state, other.state} == {MessageState.UNKNOWN}

    (went,) = [a for a in await town.rows(AttemptRow) if a.message_id == other.id]
    (taken,) = [text for text in await town.rows(SimTextRow) if text.body == other.body]
    assert await _told(town, went.token, taken.sid, "delivered")
    await town.pass_time(minutes=3)
    one, other = await _confirmations(town)
    assert other.state is MessageState.DELIVERED
    assert (one.state, one.reason) == (MessageState.FAILED, "unresolved")


async def test_where_nothing_tells_which_of_two_went_one_is_believed_to_have_gone(
    town: Town, carrier: Carrier
) -> None:
    case = await _confirmed_twice(town, carrier, says_nothing, takes_and_says_nothing)
    await town.pass_time(minutes=3)
    assert sorted(m.state for m in await _confirmations(town)) == ["delivered", "failed"]
    assert (await _sids(town))[0] == ""
    assert [r["result"] for r in await case.happened("message_reconciled")] == ["adopted", "absent"]


async def test_of_two_that_say_the_same_and_went_each_is_found_once(town: Town, carrier: Carrier) -> None:
    case = await _confirmed_twice(town, carrier, takes_and_says_nothing, takes_and_says_nothing)
    await town.pass_time(seconds=3)
    assert {m.state for m in await _confirmations(town)} == {MessageState.DELIVERED}
    assert len(set(await _sids(town)) - {""}) == 2
    assert [r["result"] for r in await case.happened("message_reconciled")] == ["adopted", "adopted"]


def _due_look_up(tx: Tx) -> unknowns.Unknown:
    message = tx.first(select(MessageRow).where(col(MessageRow.state) == MessageState.UNKNOWN))
    assert message is not None
    message.next_attempt_at = tx.real
    tx.flush()
    ((unknown,), _, _) = unknowns.claim(tx, timedelta(seconds=25))
    return unknown


# --- O2: receipts that overtake us ------------------------------------------------------------------------


async def _claimed(town: Town) -> sending.Claimed:
    await town.post("/api/v1/reports", paid_today())
    (offer,) = await town.app.database.run(partial(sending.claim, desk=town.app.desk))
    return offer


async def _told(town: Town, token: str, sid: str, status: str, error_code: str = "") -> bool:
    told = Told(token, sid, status, error_code)
    return await town.app.database.run(partial(receipts.record, desk=town.app.desk, told=told))


SID = "SM" + "7" * 32


async def test_o2_a_receipt_before_our_own_answer_settles_the_message_and_the_answer_changes_nothing(
    town: Town,
) -> None:
    claimed = await _claimed(town)
    assert await _told(town, claimed.token, SID, "delivered")
    assert (await offer_of(town)).state is MessageState.DELIVERED
    await town.app.database.run(
        partial(sending.record_answer, desk=town.app.desk, claimed=claimed, outcome=Accepted(SID, "queued"))
    )
    offer = await offer_of(town)
    assert (offer.state, offer.next_attempt_at) == (MessageState.DELIVERED, None)
    assert {(e.status, e.why) for e in await town.rows(ProviderEventRow)} == {("delivered", "applied")}


async def test_o2_a_receipt_with_an_id_only_waits_until_the_id_is_known(town: Town) -> None:
    claimed = await _claimed(town)
    assert await _told(town, "", SID, "delivered")
    (event,) = await town.rows(ProviderEventRow)
    assert (event.why, event.applied) == ("early", False)
    await town.app.database.run(
        partial(sending.record_answer, desk=town.app.desk, claimed=claimed, outcome=Accepted(SID, "queued"))
    )
    (event,) = await town.rows(ProviderEventRow)
    assert (event.why, event.applied) == ("applied", True)
    assert (await offer_of(town)).state is MessageState.DELIVERED


async def test_o2_what_fits_nothing_for_ten_minutes_is_an_orphan(town: Town) -> None:
    assert await _told(town, "a token of nobody", SID, "sent")
    for _ in range(40):
        town.clock.advance(timedelta(seconds=15))
        await town.app.worker.sweep()
    (event,) = await town.rows(ProviderEventRow)
    assert (event.why, event.retry_until) == ("orphan", None)
    await town.app.worker.sweep()
    assert await town.metric("callbacks_total", kind="text", result="orphan") == 1


async def test_o2_what_another_provider_told_is_let_go_in_the_same_time(town: Town) -> None:
    """As after a change of provider: nobody can tell any more what it belongs to."""
    assert await _told(town, "a token of nobody", SID, "sent")

    def of_before(tx: Tx) -> None:
        tx.execute(update(ProviderEventRow).values(provider="another"))

    await town.app.database.run(of_before)
    for _ in range(40):
        town.clock.advance(timedelta(seconds=15))
        await town.app.worker.sweep()
    (event,) = await town.rows(ProviderEventRow)
    assert (event.why, event.retry_until) == ("orphan", None)


async def test_o2_late_proof_after_giving_up_is_written_down_and_undoes_nothing(
    town: Town, carrier: Carrier
) -> None:
    await patient(town)
    carrier.usual_text = says_nothing
    await town.takes(paid_today())
    await town.pass_time(minutes=6)
    first, _ = sorted(
        [a for a in await town.rows(AttemptRow) if a.message_id == (await offer_of(town)).id],
        key=lambda a: a.seq,
    )
    assert await _told(town, first.token, SID, "delivered")
    offer = await offer_of(town)
    assert (offer.state, offer.late) == (MessageState.DELIVERED, True)


async def test_o2_late_proof_for_an_earlier_attempt_drops_the_waiting_resend(town: Town) -> None:
    """M19: a text that was refused once turns out to have gone."""
    carrier = between(town)
    await patient(town)
    carrier.usual_text = refuses("not_sent")
    await town.takes(paid_today())
    await town.pass_time(seconds=5)
    waiting = await offer_of(town)
    assert waiting.state is MessageState.RETRY_WAIT
    first = min(await town.rows(AttemptRow), key=lambda a: a.seq)
    posted = len(carrier.to(ASHA))
    assert await _told(town, first.token, SID, "sent")
    assert (await offer_of(town)).state is MessageState.IN_NETWORK
    await town.pass_time(seconds=15)
    assert [b for b in carrier.to(ASHA)[posted:] if b != "(call)"] == []


# --- O3 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("delivered", "undelivered"), ("undelivered", "delivered")])
async def test_o3_the_first_final_fact_stays_and_the_conflict_is_counted(
    town: Town, words: tuple[str, str]
) -> None:
    claimed = await _claimed(town)
    for word in words:
        await _told(town, claimed.token, SID, word, error_code="30006" if word == "undelivered" else "")
    (attempt,) = [a for a in await town.rows(AttemptRow) if a.token == claimed.token]
    assert attempt.state == words[0]
    await town.app.worker.sweep()
    assert await town.metric("callbacks_total", kind="text", result="conflict") == 1
    assert await town.metric("callbacks_total", kind="text", result="applied") == 1


async def test_o3_a_failure_told_again_without_its_code_keeps_the_code(town: Town) -> None:
    claimed = await _claimed(town)
    await _told(town, claimed.token, SID, "undelivered", error_code="30006")
    await _told(town, claimed.token, SID, "undelivered")
    (attempt,) = [a for a in await town.rows(AttemptRow) if a.token == claimed.token]
    assert (attempt.error_code, attempt.error_class) == ("30006", "bad_destination")


# --- U3, U4: crashes and races ----------------------------------------------------------------------------


async def test_u3_two_workers_claim_one_message_and_one_request_goes_out(
    town: Town, carrier: Carrier
) -> None:
    await patient(town)
    await town.post("/api/v1/reports", paid_today())
    await asyncio.gather(*(town.app.worker.sender.send_queued() for _ in range(4)))
    assert len(carrier.to(ASHA)) == 1


async def test_u4_a_crash_before_the_request_ends_in_one_marked_repeat(town: Town, carrier: Carrier) -> None:
    await patient(town)
    await _claimed(town)  # and the process is gone
    await town.pass_time(minutes=2)
    texts = [b for b in carrier.to(ASHA) if b != "(call)"]
    assert len(texts) == 1
    assert texts[0].startswith("Repeat: ")


async def test_u4_a_crash_between_request_and_commit_sends_nothing_again(
    town: Town, carrier: Carrier
) -> None:
    await patient(town)
    await town.fails(no_receipts=True)
    claimed = await _claimed(town)
    await town.app.worker.sender.hand_over(claimed)  # and the process is gone
    await town.pass_time(minutes=3)
    assert [b for b in carrier.to(ASHA) if b != "(call)"] == [claimed.body]
    assert (await offer_of(town)).state in (MessageState.IN_NETWORK, MessageState.DELIVERED)


async def test_u4_a_crash_after_a_look_up_was_claimed_only_delays_it(town: Town, carrier: Carrier) -> None:
    await patient(town)
    carrier.texts.append(takes_and_says_nothing)
    await town.fails(no_receipts=True)
    await town.takes(paid_today())
    town.clock.advance(timedelta(seconds=3))
    work = await town.app.database.run(partial(sending.look_for_work, desk=town.app.desk, limit=8))
    assert len(work.unknown) == 1  # and the process is gone
    await town.pass_time(minutes=1)
    assert [b for b in carrier.to(ASHA) if b != "(call)"] == await town.texts(ASHA)
    assert (await offer_of(town)).state is not MessageState.UNKNOWN


async def test_u4_answers_and_receipts_told_twice_change_nothing_the_second_time(town: Town) -> None:
    claimed = await _claimed(town)
    outcome = Accepted(SID, "queued")
    for _ in range(3):
        await town.app.database.run(
            partial(sending.record_answer, desk=town.app.desk, claimed=claimed, outcome=outcome)
        )
    assert [await _told(town, claimed.token, SID, "delivered") for _ in range(3)] == [True, False, False]
    await town.app.worker.sweep()
    assert await town.metric("callbacks_total", kind="text", result="duplicate") == 2


# --- what is in the network and stays silent --------------------------------------------------------------


async def test_an_offer_without_a_receipt_is_fetched_after_90_seconds(town: Town, carrier: Carrier) -> None:
    await patient(town)
    await town.fails(no_receipts=True)
    await town.takes(paid_today())
    await town.pass_time(seconds=89)
    assert carrier.asked["fetch"] == 0
    await town.pass_time(seconds=1)
    assert carrier.asked["fetch"] == 1
    assert (await offer_of(town)).state is MessageState.DELIVERED
    (fetched,) = [e for e in await town.rows(ProviderEventRow) if e.source == "fetch"]
    assert fetched.why == "applied"


async def test_without_any_word_for_a_day_it_counts_as_lost(town: Town, carrier: Carrier) -> None:
    await patient(town)
    await town.fails(no_receipts=True)
    carrier.can_be_asked = False
    case = await town.takes(paid_today())
    await case.act("cancel", disposition="hoax_or_test")
    await town.pass_time(minutes=24 * 60 + 1)
    assert (await offer_of(town)).reason == "no_receipt"


async def test_a_restart_neither_forgets_nor_repeats_a_wait(town: Town) -> None:
    await patient(town)
    between(town).texts.append(says_nothing)
    await town.takes(paid_today())
    await town.pass_time(seconds=11)
    await town.restart()
    carrier = between(town)
    await town.pass_time(seconds=18)
    assert carrier.asked["find_sent"] == 0
    await town.pass_time(seconds=1)
    assert carrier.asked["find_sent"] == 1
    await town.pass_time(seconds=30)
    assert len(await town.texts_with("Repeat: ", ASHA)) == 1
