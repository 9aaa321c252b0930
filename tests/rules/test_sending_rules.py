"""What becomes of a message: provider evidence in any order never moves it back (reliability.md G9, G10)."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapid_response.core.states import AT_LEAST_ONCE, MessageState, Purpose
from rapid_response.messaging import rules
from rapid_response.messaging.gateway import Accepted, Ambiguous, Rejected
from rapid_response.messaging.rules import AttemptState, Next

#: How far each state is: evidence goes up, and stays.
HEIGHT = {
    AttemptState.CLAIMED: 0,
    AttemptState.UNKNOWN: 0,
    AttemptState.REJECTED: 0,
    AttemptState.ABSENT: 0,
    AttemptState.ACCEPTED: 1,
    AttemptState.SENT: 2,
    AttemptState.DELIVERED: 3,
    AttemptState.UNDELIVERED: 3,
}
TEXT_WORDS = ("queued", "sending", "sent", "delivered", "undelivered", "failed", "read", "accepted")
CALL_WORDS = ("initiated", "ringing", "in-progress", "completed", "busy", "no-answer", "canceled")
SECOND = timedelta(seconds=1)


def apply(state: AttemptState, words: tuple[str, ...]) -> list[AttemptState]:
    """The states an attempt goes through when those receipts come in that order."""
    states = [state]
    for said in words:
        evidence = rules.word(said)
        if evidence is not None and rules.advances(states[-1], evidence):
            states.append(evidence)
    return states


# --- receipts ---------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from((*TEXT_WORDS, *CALL_WORDS, "a new word")), max_size=12))
def test_g10_receipts_in_any_order_and_number_never_go_back(words: list[str]) -> None:
    states = apply(AttemptState.CLAIMED, tuple(words))
    heights = [HEIGHT[state] for state in states]
    assert heights == sorted(set(heights))


@pytest.mark.parametrize("last", ["delivered", "undelivered"])
def test_g10_every_order_of_a_texts_receipts_ends_in_the_same_state(last: str) -> None:
    """Five callbacks, each twice if it likes: 120 orders, one end."""
    told = ("accepted", "queued", "sending", "sent", last)
    final = rules.word(last)
    for order in permutations(told):
        assert apply(AttemptState.CLAIMED, order)[-1] is final
        assert apply(AttemptState.CLAIMED, order + order[::-1])[-1] is final


@given(st.permutations(["queued", "sent", "delivered", "undelivered", "failed"]))
def test_g10_the_first_final_fact_stays(words: list[str]) -> None:
    first = next(word for word in words if word not in ("queued", "sent"))
    assert apply(AttemptState.CLAIMED, tuple(words))[-1] is rules.word(first)


@given(st.sampled_from(list(AttemptState)), st.sampled_from(list(AttemptState)))
def test_evidence_counts_only_when_it_says_more(current: AttemptState, evidence: AttemptState) -> None:
    assert rules.advances(current, evidence) is (HEIGHT[evidence] > HEIGHT[current])
    assert not (rules.advances(current, evidence) and rules.advances(evidence, current))


def test_late_proof_wins_over_having_given_up_looking() -> None:
    for given_up in (AttemptState.UNKNOWN, AttemptState.ABSENT, AttemptState.REJECTED):
        assert apply(given_up, ("queued",)) == [given_up, AttemptState.ACCEPTED]
        assert apply(given_up, ("delivered",)) == [given_up, AttemptState.DELIVERED]


def test_a_word_we_do_not_know_changes_nothing() -> None:
    assert rules.word("teleported") is None
    assert rules.word("") is None
    assert rules.word("DELIVERED") is None


@pytest.mark.parametrize(
    ("said", "state", "reason"),
    [
        ("queued", MessageState.IN_NETWORK, None),
        ("sent", MessageState.IN_NETWORK, None),
        ("delivered", MessageState.DELIVERED, None),
        ("completed", MessageState.DELIVERED, None),
        ("undelivered", MessageState.FAILED, "handset"),
        ("no-answer", MessageState.FAILED, "handset"),
    ],
)
def test_what_a_receipt_makes_of_the_message(said: str, state: MessageState, reason: str | None) -> None:
    evidence = rules.word(said)
    assert evidence is not None
    assert rules.after_receipt(evidence, "handset") == (state, reason)


def test_a_failure_without_a_code_has_a_reason_all_the_same() -> None:
    assert rules.after_receipt(AttemptState.UNDELIVERED, None) == (MessageState.FAILED, "unclassified")
    assert rules.error_class("99999") == "unclassified"
    assert rules.error_class("30003") == "handset"
    assert rules.error_class("21610") == "opted_out"


# --- the provider's answer --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "attempt", "message"),
    [
        ("queued", AttemptState.ACCEPTED, MessageState.IN_NETWORK),
        ("sent", AttemptState.SENT, MessageState.IN_NETWORK),
        ("delivered", AttemptState.DELIVERED, MessageState.DELIVERED),
        ("a new word", AttemptState.ACCEPTED, MessageState.IN_NETWORK),
    ],
)
def test_what_was_taken_is_in_the_network(status: str, attempt: AttemptState, message: MessageState) -> None:
    assert rules.after_answer(Accepted("SM1", status), 1) == Next(attempt, message)


def test_what_was_taken_and_refused_in_one_answer_has_failed() -> None:
    after = rules.after_answer(Accepted("SM1", "failed"), 1)
    assert (after.attempt, after.message) == (AttemptState.UNDELIVERED, MessageState.FAILED)


def test_g9_no_answer_is_unknown_and_is_looked_up_never_taken_for_failed() -> None:
    for attempts in (1, 5, 50):
        after = rules.after_answer(Ambiguous("ReadTimeout" * 20), attempts)
        assert (after.attempt, after.message) == (AttemptState.UNKNOWN, MessageState.UNKNOWN)
        assert after.wait == 3 * SECOND
        assert len(after.reason or "") <= 60


@pytest.mark.parametrize(
    ("error_class", "waits"),
    [
        ("throttled", [1, 2, 4, 8, 16]),
        ("not_sent", [1, 3, 9, 20, 30, 30]),
        ("unclassified", [20]),
        ("handset", [60]),
        ("bad_destination", []),
        ("opted_out", []),
        ("filtered", []),
        ("a new class", []),
    ],
)
def test_a_refusal_that_may_pass_is_tried_again_and_then_given_up(error_class: str, waits: list[int]) -> None:
    found = []
    for attempts in range(1, 20):
        after = rules.after_answer(Rejected(error_class), attempts)
        assert after.attempt is AttemptState.REJECTED
        assert after.reason == error_class
        if after.message is MessageState.FAILED:
            assert after.wait is None
            break
        assert after.message is MessageState.RETRY_WAIT
        assert after.wait is not None
        found.append(after.wait)
    assert found == [wait * SECOND for wait in waits]


def test_the_provider_may_say_how_long_to_wait() -> None:
    after = rules.after_answer(Rejected("throttled", retry_after=7 * SECOND), 1)
    assert after.wait == 7 * SECOND


# --- unknown ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", list(Purpose))
def test_g9_what_is_still_unknown_after_a_minute_is_repeated_once_where_a_loss_is_worse(
    purpose: Purpose,
) -> None:
    waited = rules.LOOK_UP_AFTER[0]
    looked = 1
    while (after := rules.after_look_up(looked, purpose, repeats=0)).message is MessageState.UNKNOWN:
        assert after.wait is not None
        waited += after.wait
        looked += 1
    assert (looked, waited) == (4, timedelta(seconds=60))
    if purpose in AT_LEAST_ONCE:
        assert after == Next(AttemptState.ABSENT, MessageState.RETRY_WAIT, timedelta(), "repeat")
    else:
        assert (after.message, after.reason) == (MessageState.FAILED, "unresolved")
    again = rules.after_look_up(looked, purpose, repeats=1)
    assert (again.message, again.reason) == (MessageState.FAILED, "unresolved")


def test_an_offer_and_a_notice_are_worth_a_duplicate_and_a_clarification_is_not() -> None:
    assert {Purpose.OFFER, Purpose.NOTICE, Purpose.STAND_DOWN} <= AT_LEAST_ONCE
    assert Purpose.CLARIFY not in AT_LEAST_ONCE
