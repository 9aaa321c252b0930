"""What may follow what in the life of a message and of its attempts (delivery.md 5): one table, one rule.

An attempt is one call to the provider. Provider evidence (an answer, a receipt, a list) only ever moves it
forward, by rank, so that receipts may come late, twice, out of order, or before our own record of the
answer. A message is what its attempts make of it: delivered if any was, in the network if any is, else
waiting, unknown or failed. Steps ask :func:`following` and write down what it says; no other transition
exists than those that stand here by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from rapid_response.core.states import AT_LEAST_ONCE, MessageState, Purpose
from rapid_response.messaging import retries
from rapid_response.messaging.rules import RANK, AttemptState

A, M = AttemptState, MessageState

#: From, to, and the names of the transition (delivery.md 5.1). A1 makes the attempt.
ATTEMPT_MOVES: Mapping[tuple[AttemptState, AttemptState], tuple[str, ...]] = {
    **{(A.CLAIMED, to): ("A2", "A5") for to in (A.ACCEPTED, A.SENT, A.DELIVERED, A.UNDELIVERED)},
    (A.CLAIMED, A.REJECTED): ("A3",),
    (A.CLAIMED, A.UNKNOWN): ("A4",),
    **{
        (given_up, to): ("A5",)
        for given_up in (A.UNKNOWN, A.ABSENT, A.REJECTED)
        for to in (A.ACCEPTED, A.SENT, A.DELIVERED, A.UNDELIVERED)
    },
    (A.UNKNOWN, A.ABSENT): ("A6",),
    **{(A.ACCEPTED, to): ("A7",) for to in (A.SENT, A.DELIVERED, A.UNDELIVERED)},
    **{(A.SENT, to): ("A8",) for to in (A.DELIVERED, A.UNDELIVERED)},
}

#: From, to, and the names of the transition (delivery.md 5.2). M1 makes the message.
MESSAGE_MOVES: Mapping[tuple[MessageState, MessageState], tuple[str, ...]] = {
    **{(ready, M.SENDING): ("M2",) for ready in (M.PENDING, M.RETRY_WAIT)},
    **{(ready, M.CANCELLED): ("M3",) for ready in (M.PENDING, M.RETRY_WAIT)},
    **{(ready, M.EXPIRED): ("M4",) for ready in (M.PENDING, M.RETRY_WAIT)},
    **{(ready, M.FAILED): ("M5",) for ready in (M.PENDING, M.RETRY_WAIT)},
    (M.SENDING, M.IN_NETWORK): ("M6",),
    (M.SENDING, M.DELIVERED): ("M7",),
    (M.SENDING, M.RETRY_WAIT): ("M8",),
    (M.SENDING, M.FAILED): ("M9",),
    (M.SENDING, M.UNKNOWN): ("M10",),
    (M.UNKNOWN, M.IN_NETWORK): ("M11",),
    (M.UNKNOWN, M.DELIVERED): ("M11",),
    (M.UNKNOWN, M.RETRY_WAIT): ("M12", "M15"),
    (M.UNKNOWN, M.FAILED): ("M13", "M16"),
    (M.UNKNOWN, M.EXPIRED): ("M16",),
    (M.IN_NETWORK, M.DELIVERED): ("M14",),
    (M.IN_NETWORK, M.RETRY_WAIT): ("M15",),
    (M.IN_NETWORK, M.FAILED): ("M16", "M17"),
    (M.IN_NETWORK, M.EXPIRED): ("M16",),
    (M.FAILED, M.IN_NETWORK): ("M18",),
    (M.FAILED, M.DELIVERED): ("M18",),
    (M.RETRY_WAIT, M.IN_NETWORK): ("M19",),
    (M.RETRY_WAIT, M.DELIVERED): ("M19",),
}

#: Reasons of a failure that late proof may still undo.
UNRESOLVED, NO_RECEIPT = "unresolved", "no_receipt"
#: Why a message waits that is sent once more without anybody knowing whether it went.
REPEAT = "repeat"
STALE = "stale"


class NoSuchMove(Exception):
    """The table has no such transition: a fault of ours, never of the provider's."""


def advances(current: AttemptState, evidence: AttemptState) -> bool:
    """Whether provider evidence changes what we know: only upwards, and the first final fact stays."""
    return RANK[evidence] > RANK[current]


def conflicts(current: AttemptState, evidence: AttemptState) -> bool:
    """Whether two final facts contradict each other: the first stays, the second is counted."""
    return current is not evidence and RANK[current] == RANK[evidence] == RANK[A.DELIVERED]


def check_attempt(current: AttemptState, to: AttemptState) -> AttemptState:
    """`to`, if the table has that transition; raises :class:`NoSuchMove`."""
    if (current, to) not in ATTEMPT_MOVES:
        raise NoSuchMove(f"attempt {current} -> {to}")
    return to


def check_message(current: MessageState, to: MessageState) -> MessageState:
    """`to`, if the table has that transition; raises :class:`NoSuchMove`."""
    if (current, to) not in MESSAGE_MOVES:
        raise NoSuchMove(f"message {current} -> {to}")
    return to


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt, as the rule sees it."""

    state: AttemptState
    error_class: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A message with its attempts, oldest first; `is_over` when it would come too late now."""

    state: MessageState
    purpose: Purpose
    tries: tuple[Try, ...]
    reason: str | None = None
    repeats: int = 0
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """Where the message goes, by which transition; `wait` (real time) until it is tried again.

    `late`: proof that came after we had given up; it undoes nothing.
    """

    name: str
    to: MessageState
    reason: str | None = None
    wait: timedelta | None = None
    late: bool = False


def following(message: Standing) -> Move | None:
    """What its attempts make of a message now; None when it stays where it is."""
    best = _best(message.tries)
    match message.state:
        case M.PENDING | M.CANCELLED | M.EXPIRED | M.DELIVERED:
            return None
        case M.FAILED:
            proven_late = best is not None and message.reason in (UNRESOLVED, NO_RECEIPT)
            return Move("M18", best, late=True) if best is not None and proven_late else None
    if best is not None:
        return None if best is message.state else Move(MESSAGE_MOVES[message.state, best][0], best)
    if message.state is M.RETRY_WAIT or any(t.state is A.CLAIMED for t in message.tries):
        return None
    return _after_no_success(message)


def _best(tries: Sequence[Try]) -> MessageState | None:
    states = {t.state for t in tries}
    if A.DELIVERED in states:
        return M.DELIVERED
    return M.IN_NETWORK if states & {A.ACCEPTED, A.SENT} else None


def _after_no_success(message: Standing) -> Move | None:
    """No attempt is under way, and none has reached anybody."""
    if any(t.state is A.UNKNOWN for t in message.tries) and message.state is not M.IN_NETWORK:
        return Move("M10", M.UNKNOWN) if message.state is M.SENDING else None
    settled = [t for t in message.tries if t.state is not A.UNKNOWN]
    last = settled[-1]
    if last.state is A.ABSENT:
        return _after_absence(message)
    return _after_failure(message, last.error_class or "unclassified")


def _after_absence(message: Standing) -> Move | None:
    """It cannot be known: what had better come twice than never is sent once more, marked."""
    if message.state is not M.UNKNOWN:
        return None
    may_repeat = message.purpose in AT_LEAST_ONCE and message.repeats == 0 and not message.is_over
    if may_repeat and retries.is_in_budget(message.purpose, _counted(message.tries)):
        return Move("M12", M.RETRY_WAIT, REPEAT, timedelta())
    return Move("M13", M.FAILED, UNRESOLVED)


def _after_failure(message: Standing, error_class: str) -> Move:
    """Refused, or not delivered: tried again where that may help, else failed."""
    at_once = message.state is M.SENDING
    if error_class == STALE and not at_once:
        return Move("M16", M.EXPIRED, STALE)
    alike = retries.alike(error_class)
    before = sum(t.error_class in alike for t in message.tries)
    wait = retries.wait_after(error_class, before, message.purpose)
    counted = error_class in retries.UNCOUNTED or retries.is_in_budget(
        message.purpose, _counted(message.tries)
    )
    if wait is not None and counted and not (message.is_over and not at_once):
        return Move("M8" if at_once else "M15", M.RETRY_WAIT, error_class, wait)
    return Move("M9" if at_once else "M16", M.FAILED, error_class)


def _counted(tries: Sequence[Try]) -> int:
    """How many attempts count against the budget: not those that were never processed."""
    return sum(not (t.state is A.REJECTED and t.error_class in retries.UNCOUNTED) for t in tries)


def moved(message: Standing, attempt: int, to: AttemptState, error_class: str | None = None) -> Standing:
    """The message after its `attempt`-th try (from 0) has moved; raises :class:`NoSuchMove`."""
    tries = list(message.tries)
    check_attempt(tries[attempt].state, to)
    tries[attempt] = Try(to, error_class or tries[attempt].error_class)
    return replace(message, tries=tuple(tries))
