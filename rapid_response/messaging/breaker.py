"""When a way out counts as down, and when it is tried again (delivery.md 6.3); pure, over what a row holds.

Every node folds the same outcomes into the same row, so all of them agree. While it is open nothing is sent
over it but one real message each time it half-opens; offers go by another way meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rapid_response.core.clock import is_reached
from rapid_response.messaging.gateway import Accepted, Ambiguous, Rejected, SendOutcome

#: So many failures to reach the provider, one after another, open it.
TRIPS_AT = 5
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=15), timedelta(seconds=120)
#: So often the wait doubles; it is the longest by then, however many trips an outage takes.
_DOUBLINGS = 3


class Heard(StrEnum):
    """What an outcome says of the provider itself, whatever it says of the message."""

    TAKEN = "taken"
    #: It refused this one message, and so is there.
    ANSWERED = "answered"
    #: It asks for patience: neither here nor there.
    BUSY = "busy"
    #: Not reached, or no sense in its answer.
    DOWN = "down"
    ACCOUNT = "account"
    SENDER = "sender"


#: One of these is enough: the next message would be refused as well.
_AT_ONCE = frozenset({Heard.ACCOUNT, Heard.SENDER})


def heard(outcome: SendOutcome) -> Heard:
    """What an answer, or none, says of the provider."""
    match outcome:
        case Accepted():
            return Heard.TAKEN
        case Ambiguous():
            return Heard.DOWN
        case Rejected(error_class=error_class):
            return of_class(error_class)


def of_class(error_class: str) -> Heard:
    """What a refusal or a failed delivery of that class says of the provider."""
    return {
        "throttled": Heard.BUSY,
        "queue_full": Heard.BUSY,
        "not_sent": Heard.DOWN,
        "account": Heard.ACCOUNT,
        "sender": Heard.SENDER,
    }.get(error_class, Heard.ANSWERED)


class Gate(StrEnum):
    """Whether messages may go out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state of one line; all times are real. `why` is set while it is open."""

    failures: int = 0
    why: Heard | None = None
    opened_at: datetime | None = None
    retry_at: datetime | None = None
    trips: int = 0

    def gate(self, now: datetime) -> Gate:
        """Whether a message may go now; half open lets one through."""
        if self.retry_at is None:
            return Gate.CLOSED
        return Gate.HALF_OPEN if is_reached(self.retry_at, now, _LONGEST_WAIT) else Gate.OPEN

    def trying(self, until: datetime) -> Breaker:
        """One message is let through; should it never be answered, another one is after `until`."""
        return Breaker(self.failures, self.why, self.opened_at, until, self.trips)


def after(breaker: Breaker, what: Heard, asked_at: datetime, now: datetime) -> Breaker:
    """The breaker after an outcome of what was asked at `asked_at`."""
    is_open = breaker.opened_at is not None
    if what is Heard.TAKEN:
        return Breaker()
    if what is Heard.BUSY:
        # As a trial it has shown that somebody is there.
        return (
            Breaker() if is_open and breaker.why is Heard.DOWN and _is_trial(breaker, asked_at) else breaker
        )
    if what is Heard.ANSWERED:
        return breaker if breaker.why in _AT_ONCE else Breaker()
    if not is_open:
        failures = breaker.failures + 1
        if what in _AT_ONCE or failures >= TRIPS_AT:
            return Breaker(failures, what, now, now + _FIRST_WAIT, 1)
        return Breaker(failures)
    if not _is_trial(breaker, asked_at):  # it was under way when the line went down: nothing new
        return breaker
    trips = breaker.trips + 1
    wait = min(_FIRST_WAIT * 2 ** min(trips - 1, _DOUBLINGS), _LONGEST_WAIT)
    return Breaker(breaker.failures + 1, what, breaker.opened_at, now + wait, trips)


def _is_trial(breaker: Breaker, asked_at: datetime) -> bool:
    return breaker.opened_at is not None and asked_at > breaker.opened_at


#: Deliveries of offers that are looked at, and from which median on they are slow.
DELAYS_KEPT = 10
_SLOW_FROM_SECONDS = 60.0


def is_slow(delays: Sequence[float]) -> bool:
    """Whether texts arrive so late that a call is made a minute earlier: half of the last ten took longer."""
    if len(delays) < DELAYS_KEPT:
        return False
    ordered = sorted(delays[-DELAYS_KEPT:])
    middle = DELAYS_KEPT // 2
    return (ordered[middle - 1] + ordered[middle]) / 2 > _SLOW_FROM_SECONDS


def stays_quick(delays: Sequence[float], seconds: float) -> bool:
    """Whether the last ten were quick, every one, and so is this."""
    return len(delays) == DELAYS_KEPT and max(*delays, seconds) <= _SLOW_FROM_SECONDS
