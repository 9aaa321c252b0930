"""What becomes of a message: pure decisions on the provider's answers and receipts (delivery.md 5 and 6).

Provider evidence only ever moves an attempt forward: by rank, so that receipts may come late, twice, out of
order, or before our own record of the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from rapid_response.core.states import AT_LEAST_ONCE, MessageState, Purpose
from rapid_response.messaging.gateway import Accepted, Ambiguous, Rejected, SendOutcome


class AttemptState(StrEnum):
    """One call to the provider."""

    CLAIMED = "claimed"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    ABSENT = "absent"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


_RANK = {
    AttemptState.CLAIMED: 0,
    AttemptState.UNKNOWN: 0,
    AttemptState.REJECTED: 0,
    AttemptState.ABSENT: 0,
    AttemptState.ACCEPTED: 1,
    AttemptState.SENT: 2,
    AttemptState.DELIVERED: 3,
    AttemptState.UNDELIVERED: 3,
}

#: The provider's words for texts and calls. A call that was answered or rang out has been carried.
_WORDS = {
    "accepted": AttemptState.ACCEPTED,
    "scheduled": AttemptState.ACCEPTED,
    "queued": AttemptState.ACCEPTED,
    "sending": AttemptState.ACCEPTED,
    "initiated": AttemptState.ACCEPTED,
    "ringing": AttemptState.ACCEPTED,
    "sent": AttemptState.SENT,
    "in-progress": AttemptState.SENT,
    "delivered": AttemptState.DELIVERED,
    "read": AttemptState.DELIVERED,
    "completed": AttemptState.DELIVERED,
    "undelivered": AttemptState.UNDELIVERED,
    "failed": AttemptState.UNDELIVERED,
    "canceled": AttemptState.UNDELIVERED,
    "partially_delivered": AttemptState.UNDELIVERED,
    "busy": AttemptState.UNDELIVERED,
    "no-answer": AttemptState.UNDELIVERED,
}


def word(status: str) -> AttemptState | None:
    """What a provider's status means; None for a word we do not know, which changes nothing."""
    return _WORDS.get(status)


def advances(current: AttemptState, evidence: AttemptState) -> bool:
    """Whether provider evidence changes what we know: only upwards, and the first final fact stays."""
    return _RANK[evidence] > _RANK[current]


#: Waits after refusals that may pass: the provider throttles, or could not be reached at all.
_TRY_AGAIN = {
    "throttled": (1, 2, 4, 8, 16),
    "not_sent": (1, 3, 9, 20, 30, 30),
    "unclassified": (20,),
    "carrier": (20,),
    "handset": (60,),
    "queue_full": (5,),
    "call_busy": (45,),
    "call_no_answer": (45,),
}
#: When an unknown answer is looked up, and after which time it counts as never sent.
LOOK_UP_AFTER = (timedelta(seconds=3), timedelta(seconds=10), timedelta(seconds=30), timedelta(seconds=60))
#: Failures after which a person is told to use the telephone: within half a minute of the first.
TELL_AFTER_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Next:
    """Where the message goes now; `wait` (real time) when it is to be tried or looked up again."""

    attempt: AttemptState
    message: MessageState
    wait: timedelta | None = None
    reason: str | None = None


def after_answer(outcome: SendOutcome, attempts: int) -> Next:
    """What the provider's answer to the `attempts`-th try means."""
    match outcome:
        case Accepted(status=status):
            state = word(status) or AttemptState.ACCEPTED
            if state is AttemptState.UNDELIVERED:
                return Next(state, MessageState.FAILED, reason="unclassified")
            return Next(state, _message_of(state))
        case Rejected(error_class=error_class, retry_after=retry_after):
            waits = _TRY_AGAIN.get(error_class, ())
            if attempts > len(waits):
                return Next(AttemptState.REJECTED, MessageState.FAILED, reason=error_class)
            wait = retry_after or timedelta(seconds=waits[attempts - 1])
            return Next(AttemptState.REJECTED, MessageState.RETRY_WAIT, wait, error_class)
        case Ambiguous(reason=reason):
            return Next(AttemptState.UNKNOWN, MessageState.UNKNOWN, LOOK_UP_AFTER[0], reason[:60])


def after_receipt(evidence: AttemptState, error_class: str | None) -> tuple[MessageState, str | None]:
    """What a receipt makes of the message."""
    if evidence is AttemptState.UNDELIVERED:
        return MessageState.FAILED, error_class or "unclassified"
    return _message_of(evidence), None


def _message_of(state: AttemptState) -> MessageState:
    return MessageState.DELIVERED if state is AttemptState.DELIVERED else MessageState.IN_NETWORK


def after_look_up(looked: int, purpose: Purpose, repeats: int) -> Next:
    """Nothing was found by the `looked`-th look-up (from 1) of an unknown answer.

    When it still cannot be known, at-least-once purposes are repeated once, marked; the others are let go.
    """
    if looked < len(LOOK_UP_AFTER):
        wait = LOOK_UP_AFTER[looked] - LOOK_UP_AFTER[looked - 1]
        return Next(AttemptState.UNKNOWN, MessageState.UNKNOWN, wait)
    if purpose in AT_LEAST_ONCE and repeats == 0:
        return Next(AttemptState.ABSENT, MessageState.RETRY_WAIT, timedelta(), "repeat")
    return Next(AttemptState.ABSENT, MessageState.FAILED, reason="unresolved")


def error_class(code: str) -> str:
    """The class of a provider's error code; what is not listed is tried once more (delivery.md 6.1)."""
    return _CLASSES.get(code, "unclassified")


_CLASSES = {
    "20429": "throttled",
    **dict.fromkeys(
        ("21211", "21217", "21214", "21401", "21612", "21614", "21635", "30005", "30006"), "bad_destination"
    ),
    "21610": "opted_out",
    **dict.fromkeys(("30004", "30007", "21216", "32017"), "filtered"),
    "30003": "handset",
    **dict.fromkeys(("30008", "30410", "30500"), "carrier"),
    **dict.fromkeys(("30001", "21611"), "queue_full"),
    "30036": "stale",
    **dict.fromkeys(("20003", "20005", "30002"), "account"),
    **dict.fromkeys(
        (
            *("21212", "21601", "21606", "21659", "21660", "21663", "21669", "21703"),
            *("30024", "30032", "30033", "30034", "30035"),
        ),
        "sender",
    ),
    **dict.fromkeys(("21408", "21608", "21609", "21617", "21624", "30045", "90007", "21602"), "request"),
    "34002": "call_busy",
}
