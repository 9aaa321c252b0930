"""What a provider's words and codes mean (delivery.md 5.1 and 6.1): data with safe defaults."""

from __future__ import annotations

from enum import StrEnum


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


#: How much evidence says: only more moves an attempt.
RANK = {
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


def failure_class(status: str, error_code: str) -> str:
    """The class of a failure that a receipt tells of: by its code, else by the word for a call."""
    if error_code:
        return error_class(error_code)
    return _BY_WORD.get(status, "unclassified")


_BY_WORD = {"busy": "call_busy", "no-answer": "call_no_answer"}


def error_class(code: str) -> str:
    """The class of a provider's error code; what is not listed is tried once more (delivery.md 6.1)."""
    return _CLASSES.get(code, "unclassified")


def is_known_code(code: str) -> bool:
    """Whether a code is one of the list: others are counted together, as they come from outside."""
    return code in _CLASSES


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
