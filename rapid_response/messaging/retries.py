"""When something is tried, looked up or fetched again (delivery.md 6 and 8): times and budgets, all pure.

Every wait is counted from a time that is stored, so that a restart neither forgets nor repeats one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rapid_response.core.states import Purpose

_S = timedelta(seconds=1)

#: Never processed by the provider: always safe to try again, until the message is not worth sending any
#: more, and no attempt of the budget.
UNCOUNTED = frozenset({"throttled", "not_sent"})
_UNTIL_EXPIRY = {"throttled": (1, 2, 4, 8, 16, 30), "not_sent": (1, 3, 9, 20, 30)}
#: Tried once more after so long: these may pass. All others never do.
_ONCE = {
    "handset": 60,
    "carrier": 20,
    "unclassified": 20,
    "queue_full": 5,
    "call_busy": 45,
    "call_no_answer": 45,
}
#: How many attempts a message has, by what it is for.
BUDGET = {
    Purpose.OFFER: 3,
    Purpose.NOTICE: 3,
    Purpose.STAND_DOWN: 2,
    Purpose.REMINDER: 2,
    Purpose.CONFIRM: 1,
    Purpose.CLARIFY: 1,
    Purpose.TEST: 1,
    Purpose.VERIFY_NUMBER: 1,
    Purpose.CHECK_IN: 2,
    Purpose.ALARM: 3,
}

#: When an unknown answer is looked up, from the moment it was asked for.
LOOK_UP_AFTER = (3 * _S, 10 * _S, 30 * _S, 60 * _S)
#: How many look-ups must have found nothing before it counts as never sent.
LOOK_UPS_NEEDED = 2
#: A provider that cannot be asked for so long settles nothing any more.
CANNOT_BE_ASKED_FOR = 120 * _S
_ASK_AGAIN_EVERY = 10 * _S

#: After these the ladder inside an offer goes on, though nothing is certain yet (delivery.md 6.1 and 7).
WAITING_COUNTS_AFTER = 20 * _S
UNKNOWN_COUNTS_AFTER = 30 * _S

#: When what is in the network without a final receipt is fetched: from its acceptance.
_FETCH_URGENT = (timedelta(seconds=90), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=6))
_FETCH_OTHER = (timedelta(hours=1), timedelta(hours=12))
_URGENT = frozenset({Purpose.OFFER, Purpose.STAND_DOWN, Purpose.NOTICE, Purpose.CHECK_IN, Purpose.ALARM})
#: Without a final receipt for so long it counts as lost.
NO_RECEIPT_AFTER = timedelta(hours=24)

#: A callback that fits no attempt is kept and tried again for so long, then counted as an orphan.
EARLY_FOR = timedelta(minutes=10)

#: Offers live as long as their answer is awaited; a carrier must not deliver them much later.
_SHORTEST, _LONGEST = timedelta(seconds=30), timedelta(minutes=15)


#: These are given again every five minutes as it is: nobody is rung twice for each.
_GIVEN_AGAIN = (Purpose.NOTICE, Purpose.ALARM)
_RUNG_OUT = frozenset({"call_busy", "call_no_answer"})


def wait_after(error_class: str, times: int, purpose: Purpose = Purpose.OFFER) -> timedelta | None:
    """How long to wait after the `times`-th failure of that class; None when it is of no use."""
    if purpose in _GIVEN_AGAIN and error_class in _RUNG_OUT:
        return None
    waits = _UNTIL_EXPIRY.get(error_class)
    if waits is not None:
        return timedelta(seconds=waits[min(times, len(waits)) - 1])
    once = _ONCE.get(error_class)
    return timedelta(seconds=once) if once is not None and times == 1 else None


def alike(error_class: str) -> frozenset[str]:
    """The classes that count as one: a phone that was busy and then not picked up was rung twice."""
    return _RUNG_OUT if error_class in _RUNG_OUT else frozenset({error_class})


def is_in_budget(purpose: Purpose, attempts: int) -> bool:
    """Whether one more attempt may be made after so many that count."""
    return attempts < BUDGET[purpose]


def is_definite(error_class: str | None) -> bool:
    """Whether a failure of that class means that this number is not reached now, whatever is tried later."""
    return error_class not in UNCOUNTED


def validity(left: timedelta | None) -> timedelta:
    """How long the provider may hold a message that is worth sending for so long."""
    return max(_SHORTEST, min(left if left is not None else _LONGEST, _LONGEST))


def first_look_up(claimed_at: datetime, now: datetime) -> datetime:
    """When to look up what has just become unknown: at once where it was asked for a while ago."""
    return max(now, claimed_at + LOOK_UP_AFTER[0])


def next_look_up(claimed_at: datetime, now: datetime) -> datetime:
    """When to look up next, or to ask again a provider that could not be asked."""
    coming = (claimed_at + after for after in LOOK_UP_AFTER)
    return next((at for at in coming if at > now), now + _ASK_AGAIN_EVERY)


def is_last_look_up(claimed_at: datetime, now: datetime) -> bool:
    """Whether what is found now is believed however little is known, as nothing more is waited for."""
    return now - claimed_at >= LOOK_UP_AFTER[-1]


def is_absent(
    claimed_at: datetime, unknown_at: datetime, looked: int, now: datetime, *, can_be_listed: bool = True
) -> bool:
    """Whether it counts as never sent: looked for twice, the last time a minute later, and not found.

    Calls cannot be listed by what they say: theirs is settled by their own statuses, or not at all. Nor
    does a provider settle anything that could not be asked for two minutes.
    """
    if now - unknown_at >= CANNOT_BE_ASKED_FOR:
        return True
    return is_last_look_up(claimed_at, now) and (looked >= LOOK_UPS_NEEDED or not can_be_listed)


def next_fetch(purpose: Purpose, accepted_at: datetime, now: datetime) -> datetime:
    """When to fetch what became of it, should no receipt come; at last when it counts as lost."""
    waits = _FETCH_URGENT if purpose in _URGENT else _FETCH_OTHER
    coming = (accepted_at + wait for wait in (*waits, NO_RECEIPT_AFTER))
    return next((at for at in coming if at > now), now)
