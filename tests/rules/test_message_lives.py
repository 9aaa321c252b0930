"""The lives of attempts and messages: no other transition than the table's, whatever comes in what order."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rapid_response.core.states import AT_LEAST_ONCE, MessageState, Purpose
from rapid_response.messaging import lives, retries, rules
from rapid_response.messaging.lives import (
    ATTEMPT_MOVES,
    MESSAGE_MOVES,
    Move,
    NoSuchMove,
    Standing,
    Try,
    advances,
    check_attempt,
    check_message,
    conflicts,
    following,
    moved,
)
from rapid_response.messaging.rules import RANK, AttemptState
from tests.cases import each

A, M = AttemptState, MessageState
TEXT_WORDS = ("queued", "sending", "sent", "delivered", "undelivered", "failed", "read", "accepted")
CALL_WORDS = ("initiated", "ringing", "in-progress", "completed", "busy", "no-answer", "canceled")


def apply(state: AttemptState, words: tuple[str, ...]) -> list[AttemptState]:
    """The states an attempt goes through when those receipts come in that order."""
    states = [state]
    for said in words:
        evidence = rules.word(said)
        if evidence is not None and advances(states[-1], evidence):
            states.append(check_attempt(states[-1], evidence))
    return states


# --- the table itself -------------------------------------------------------------------------------------


def test_the_attempts_table_is_a2_to_a8_and_no_more() -> None:
    named = {name for names in ATTEMPT_MOVES.values() for name in names}
    assert named == {f"A{n}" for n in range(2, 9)}
    backwards = [(a, b) for a, b in ATTEMPT_MOVES if RANK[b] < RANK[a]]
    assert backwards == []
    sideways = {(a, b) for a, b in ATTEMPT_MOVES if RANK[b] == RANK[a]}
    assert sideways == {(A.CLAIMED, A.REJECTED), (A.CLAIMED, A.UNKNOWN), (A.UNKNOWN, A.ABSENT)}
    assert not [move for move in ATTEMPT_MOVES if move[0] in (A.DELIVERED, A.UNDELIVERED)]


def test_the_messages_table_is_m2_to_m19_and_no_more() -> None:
    named = {name for names in MESSAGE_MOVES.values() for name in names}
    assert named == {f"M{n}" for n in range(2, 20)}
    assert not [m for m in MESSAGE_MOVES if m[0] in (M.DELIVERED, M.CANCELLED, M.EXPIRED)]
    # What has left, or may have, cannot be cancelled.
    assert {a for a, b in MESSAGE_MOVES if b is M.CANCELLED} == {M.PENDING, M.RETRY_WAIT}
    assert {b for a, b in MESSAGE_MOVES if a is M.FAILED} == {M.IN_NETWORK, M.DELIVERED}


def test_a_transition_that_is_not_in_the_table_is_a_fault_of_ours() -> None:
    for current in A:
        for to in A:
            if (current, to) in ATTEMPT_MOVES:
                assert check_attempt(current, to) is to
            else:
                with pytest.raises(NoSuchMove):
                    check_attempt(current, to)
    with pytest.raises(NoSuchMove):
        check_message(M.IN_NETWORK, M.CANCELLED)


# --- O1, O3: receipts in any order ------------------------------------------------------------------------


@each("last", ["delivered", "undelivered"])
def test_o1_g10_every_order_of_receipts_and_every_repeat_of_one_ends_in_the_same_state(last: str) -> None:
    told = ("accepted", "queued", "sending", "sent", last)
    final = rules.word(last)
    for start in (A.CLAIMED, A.UNKNOWN):
        for order in permutations(told):
            for repeated in (None, *told):
                words = order if repeated is None else (*order, repeated)
                states = apply(start, words)
                assert states[-1] is final
                assert [RANK[s] for s in states] == sorted({RANK[s] for s in states})
        for place in range(4):
            for again in ("accepted", "sent", last):
                words = ("accepted", "sent", last)
                assert apply(start, (*words[:place], again, *words[place:]))[-1] is final


@given(st.lists(st.sampled_from((*TEXT_WORDS, *CALL_WORDS, "a new word")), max_size=12))
def test_o1_receipts_in_any_order_and_number_never_go_back(words: list[str]) -> None:
    states = apply(A.CLAIMED, tuple(words))
    assert [RANK[state] for state in states] == sorted({RANK[state] for state in states})


@given(st.permutations(["queued", "sent", "delivered", "undelivered", "failed"]))
def test_o3_the_first_final_fact_stays_and_the_second_is_a_conflict(words: list[str]) -> None:
    finals = [word for word in words if word not in ("queued", "sent")]
    assert apply(A.CLAIMED, tuple(words))[-1] is rules.word(finals[0])
    assert conflicts(A.DELIVERED, A.UNDELIVERED)
    assert conflicts(A.UNDELIVERED, A.DELIVERED)
    assert not conflicts(A.DELIVERED, A.DELIVERED)
    assert not conflicts(A.SENT, A.ACCEPTED)


@given(st.sampled_from(list(A)), st.sampled_from(list(A)))
def test_evidence_counts_only_when_it_says_more(current: AttemptState, evidence: AttemptState) -> None:
    assert advances(current, evidence) is (RANK[evidence] > RANK[current])
    if advances(current, evidence):
        assert (current, evidence) in ATTEMPT_MOVES


def test_late_proof_wins_over_having_given_up_looking() -> None:
    for given_up in (A.UNKNOWN, A.ABSENT, A.REJECTED):
        assert apply(given_up, ("queued",)) == [given_up, A.ACCEPTED]
        assert apply(given_up, ("delivered",)) == [given_up, A.DELIVERED]


def test_words_and_codes_we_do_not_know_change_nothing_and_are_tried_once() -> None:
    assert [rules.word(word) for word in ("teleported", "", "DELIVERED")] == [None] * 3
    assert rules.error_class("99999") == "unclassified"
    assert rules.failure_class("failed", "30003") == "handset"
    assert rules.failure_class("no-answer", "") == "call_no_answer"
    assert rules.failure_class("busy", "") == "call_busy"
    assert rules.failure_class("failed", "") == "unclassified"


# --- what a message becomes -------------------------------------------------------------------------------


def standing(state: MessageState, *tries: Try, purpose: Purpose = Purpose.OFFER, **more: object) -> Standing:
    return Standing(state, purpose, tuple(tries), **more)  # type: ignore[arg-type]  # named by each test


def tried(state: AttemptState, error_class: str | None = None) -> Try:
    return Try(state, error_class)


@each(
    ("message", "name", "to"),
    [
        (standing(M.SENDING, tried(A.ACCEPTED)), "M6", M.IN_NETWORK),
        (standing(M.SENDING, tried(A.SENT)), "M6", M.IN_NETWORK),
        (standing(M.SENDING, tried(A.DELIVERED)), "M7", M.DELIVERED),
        (standing(M.SENDING, tried(A.REJECTED, "throttled")), "M8", M.RETRY_WAIT),
        (standing(M.SENDING, tried(A.REJECTED, "not_sent")), "M8", M.RETRY_WAIT),
        (standing(M.SENDING, tried(A.UNDELIVERED, "handset")), "M8", M.RETRY_WAIT),
        (standing(M.SENDING, tried(A.REJECTED, "bad_destination")), "M9", M.FAILED),
        (standing(M.SENDING, tried(A.UNKNOWN)), "M10", M.UNKNOWN),
        (standing(M.UNKNOWN, tried(A.ACCEPTED)), "M11", M.IN_NETWORK),
        (standing(M.UNKNOWN, tried(A.DELIVERED)), "M11", M.DELIVERED),
        (standing(M.UNKNOWN, tried(A.ABSENT)), "M12", M.RETRY_WAIT),
        (standing(M.UNKNOWN, tried(A.ABSENT), repeats=1), "M13", M.FAILED),
        (standing(M.UNKNOWN, tried(A.ABSENT), is_over=True), "M13", M.FAILED),
        (standing(M.UNKNOWN, tried(A.ABSENT), purpose=Purpose.CONFIRM), "M13", M.FAILED),
        (standing(M.IN_NETWORK, tried(A.DELIVERED)), "M14", M.DELIVERED),
        (standing(M.IN_NETWORK, tried(A.UNDELIVERED, "handset")), "M15", M.RETRY_WAIT),
        (standing(M.UNKNOWN, tried(A.UNDELIVERED, "carrier")), "M15", M.RETRY_WAIT),
        (standing(M.IN_NETWORK, tried(A.UNDELIVERED, "handset"), is_over=True), "M16", M.FAILED),
        (standing(M.IN_NETWORK, tried(A.UNDELIVERED, "filtered")), "M16", M.FAILED),
        (standing(M.IN_NETWORK, tried(A.UNDELIVERED, "stale")), "M16", M.EXPIRED),
        (standing(M.FAILED, tried(A.SENT), reason="unresolved"), "M18", M.IN_NETWORK),
        (standing(M.FAILED, tried(A.DELIVERED), reason="no_receipt"), "M18", M.DELIVERED),
        (standing(M.RETRY_WAIT, tried(A.ACCEPTED)), "M19", M.IN_NETWORK),
        (standing(M.RETRY_WAIT, tried(A.DELIVERED)), "M19", M.DELIVERED),
    ],
)
def test_each_transition_by_its_name(message: Standing, name: str, to: MessageState) -> None:
    move = following(message)
    assert move is not None
    assert (move.name, move.to) == (name, to)
    assert name in MESSAGE_MOVES[message.state, to]
    assert move.late is (name == "M18")


@each(
    "message",
    [
        standing(M.SENDING, tried(A.CLAIMED)),
        standing(M.UNKNOWN, tried(A.UNKNOWN)),
        standing(M.IN_NETWORK, tried(A.ACCEPTED)),
        standing(M.IN_NETWORK, tried(A.UNDELIVERED, "handset"), tried(A.SENT)),
        standing(M.DELIVERED, tried(A.DELIVERED), tried(A.UNDELIVERED, "handset")),
        standing(M.RETRY_WAIT, tried(A.UNDELIVERED, "handset")),
        standing(M.FAILED, tried(A.DELIVERED), reason="filtered"),
        standing(M.FAILED, tried(A.UNDELIVERED), reason="unresolved"),
        standing(M.CANCELLED, tried(A.DELIVERED)),
        standing(M.EXPIRED, tried(A.DELIVERED)),
        standing(M.SENDING, tried(A.UNDELIVERED, "handset"), tried(A.CLAIMED)),
    ],
)
def test_what_stays_where_it_is(message: Standing) -> None:
    assert following(message) is None


def test_a_message_is_the_best_of_its_attempts() -> None:
    late = following(standing(M.SENDING, tried(A.SENT), tried(A.CLAIMED)))
    assert late is not None
    assert (late.name, late.to) == ("M6", M.IN_NETWORK)
    both = standing(M.IN_NETWORK, tried(A.DELIVERED), tried(A.SENT))
    move = following(both)
    assert move is not None
    assert move.to is M.DELIVERED


# --- every history is made of the table's transitions ------------------------------------------------------

CLASSES = ("throttled", "not_sent", "handset", "carrier", "filtered", "stale", "account", "unclassified")


@settings(max_examples=300)
@given(st.sampled_from(list(Purpose)), st.lists(st.integers(0, 1000), max_size=25), st.booleans())
# Late proof that an earlier try was processed: the budget is spent, though the last one was not counted.
@example(Purpose.CONFIRM, [0, 32, 0, 246, 737, 0], False)
# The same, while the next try waits.
@example(Purpose.CONFIRM, [0, 32, 23, 0], False)
def test_whatever_happens_a_message_moves_only_as_the_table_says(
    purpose: Purpose, chances: list[int], is_over: bool
) -> None:
    """Attempts are made, answered, forgotten and told about in any order: nothing else is ever reached."""
    message = Standing(M.PENDING, purpose, (), is_over=is_over)
    sent_again = 0
    for chance in chances:
        if message.state is M.PENDING or (message.state is M.RETRY_WAIT and chance % 3 != 2):
            check_message(message.state, M.SENDING)
            before = [t for t in message.tries if t.error_class not in retries.UNCOUNTED]
            assert len(before) < retries.BUDGET[purpose]
            message = Standing(
                M.SENDING, purpose, (*message.tries, Try(A.CLAIMED)), None, message.repeats, is_over
            )
            continue
        if not message.tries:
            continue
        attempt = chance % len(message.tries)
        possible = [to for (a, to) in ATTEMPT_MOVES if a is message.tries[attempt].state]
        if not possible:
            continue
        to = possible[chance // 7 % len(possible)]
        failed = to in (A.REJECTED, A.UNDELIVERED)
        message = moved(message, attempt, to, CLASSES[chance % len(CLASSES)] if failed else None)
        move = following(message)
        if move is None:
            continue
        assert move.name in MESSAGE_MOVES[message.state, move.to]
        repeats = message.repeats + (move.name == "M12")
        sent_again += move.name == "M12"
        message = Standing(move.to, purpose, message.tries, move.reason, repeats, is_over)
    assert sent_again <= (purpose in AT_LEAST_ONCE)
    if any(t.state is A.DELIVERED for t in message.tries) and message.state not in (M.FAILED, M.EXPIRED):
        assert message.state is M.DELIVERED


# --- retries and budgets ----------------------------------------------------------------------------------


@each(
    ("error_class", "waits"),
    [
        ("throttled", [1, 2, 4, 8, 16, 30, 30, 30]),
        ("not_sent", [1, 3, 9, 20, 30, 30, 30]),
        ("unclassified", [20]),
        ("handset", [60]),
        ("carrier", [20]),
        ("queue_full", [5]),
        ("call_busy", [45]),
        ("call_no_answer", [45]),
        *(
            (name, [])
            for name in ("bad_destination", "opted_out", "filtered", "account", "sender", "request")
        ),
        ("a new class", []),
    ],
)
def test_what_may_pass_is_tried_again_and_what_was_never_processed_until_it_is_stale(
    error_class: str, waits: list[int]
) -> None:
    found = []
    for times in range(1, 9):
        wait = retries.wait_after(error_class, times)
        if wait is None:
            break
        found.append(wait.total_seconds())
    assert found[: len(waits)] == waits
    assert (len(found) > 6) is (error_class in retries.UNCOUNTED)


@each(
    ("purpose", "attempts"),
    [
        (Purpose.OFFER, 3),
        (Purpose.NOTICE, 3),
        (Purpose.STAND_DOWN, 2),
        (Purpose.CONFIRM, 1),
        (Purpose.TEST, 1),
    ],
)
def test_budgets_by_purpose(purpose: Purpose, attempts: int) -> None:
    """Each failure of another class that would be tried again: the budget ends it."""
    passing = ["handset", "carrier", "queue_full", "unclassified"]
    tries: tuple[Try, ...] = ()
    made = 0
    for error_class in passing:
        made += 1
        tries = (*tries, Try(A.UNDELIVERED, error_class))
        move = following(Standing(M.SENDING, purpose, tries))
        assert move is not None
        if move.to is M.FAILED:
            break
    assert made == attempts
    throttled = (*(Try(A.REJECTED, "throttled"),) * 9,)
    still = following(Standing(M.SENDING, purpose, throttled))
    assert still is not None
    assert still.to is M.RETRY_WAIT


def test_a_second_failure_of_one_class_is_the_last() -> None:
    twice = following(standing(M.SENDING, tried(A.UNDELIVERED, "handset"), tried(A.UNDELIVERED, "handset")))
    assert twice == Move("M9", M.FAILED, "handset")


@each("purpose", list(Purpose))
def test_g9_what_stays_unknown_is_repeated_once_where_a_loss_is_worse(purpose: Purpose) -> None:
    move = following(standing(M.UNKNOWN, tried(A.ABSENT), purpose=purpose))
    assert move is not None
    if purpose in AT_LEAST_ONCE:
        assert move == Move("M12", M.RETRY_WAIT, lives.REPEAT, timedelta())
    else:
        assert (move.to, move.reason) == (M.FAILED, lives.UNRESOLVED)
    again = following(standing(M.UNKNOWN, tried(A.ABSENT), tried(A.ABSENT), purpose=purpose, repeats=1))
    assert again is not None
    assert (again.to, again.reason) == (M.FAILED, lives.UNRESOLVED)


def test_an_offer_and_a_notice_are_worth_a_duplicate_and_a_clarification_is_not() -> None:
    about_a_job = {Purpose.OFFER, Purpose.NOTICE, Purpose.STAND_DOWN, Purpose.REMINDER}
    assert about_a_job | {Purpose.CHECK_IN, Purpose.ALARM} == AT_LEAST_ONCE
