"""The small lives beside the incident's: offers, messages, tasks."""

from __future__ import annotations

from enum import StrEnum


class OfferState(StrEnum):
    """What became of an offer. A lapsed one may still be accepted while nobody has the job."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    RELEASED = "released"
    DONE = "done"


class MessageChannel(StrEnum):
    """How a message travels."""

    SMS = "sms"
    VOICE = "voice"


class Purpose(StrEnum):
    """Why a message is sent; decides repeats and expiry (delivery.md 1)."""

    OFFER = "offer"
    REMINDER = "reminder"
    STAND_DOWN = "stand_down"
    NOTICE = "notice"
    CONFIRM = "confirm"
    CLARIFY = "clarify"
    TEST = "test"
    #: A code that shows whose number it is. At most once: a second copy would be another code's.
    VERIFY_NUMBER = "verify_number"
    CHECK_IN = "check_in"
    ALARM = "alarm"


#: A duplicate is harmless, a loss is not: sent again when the provider's answer is unknown.
AT_LEAST_ONCE = frozenset(
    {
        Purpose.OFFER,
        Purpose.REMINDER,
        Purpose.STAND_DOWN,
        Purpose.NOTICE,
        Purpose.CHECK_IN,
        Purpose.ALARM,
    }
)


class MessageState(StrEnum):
    """Where a message stands (delivery.md 5.2)."""

    PENDING = "pending"
    SENDING = "sending"
    RETRY_WAIT = "retry_wait"
    UNKNOWN = "unknown"
    IN_NETWORK = "in_network"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


#: Before they leave, or while they wait to be tried again: these can still be stopped. A query for them alone
#: says so in the words of their index (`storage.tables.IS_READY`).
READY = (MessageState.PENDING, MessageState.RETRY_WAIT)
#: Nobody knows yet whether these went: they are looked up with the provider, whatever their age.
PERHAPS_GONE = (MessageState.SENDING, MessageState.UNKNOWN)
#: These may have gone already, so they cannot be stopped.
ON_THE_WAY = (*PERHAPS_GONE, MessageState.IN_NETWORK)


class TaskState(StrEnum):
    """Whether a task is still owed."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class AvailabilityKind(StrEnum):
    """An exception from the rota."""

    OFF = "off"
    ON = "on"


class SecondReadingState(StrEnum):
    """Where the second reading of a report stands."""

    WAITING = "waiting"
    READ = "read"
    #: It failed too often, and is not tried again.
    PARKED = "parked"
    #: It waited for so long that nobody would gain by it.
    SKIPPED = "skipped"


class LookupState(StrEnum):
    """Where a question to postcodes.io stands. What was found, or is known there to be none, is kept."""

    WAITING = "waiting"
    FOUND = "found"
    MISSING = "missing"
    #: It failed too often, and is not tried again.
    GIVEN_UP = "given_up"


class MailState(StrEnum):
    """Where an e-mail to the desk stands."""

    WAITING = "waiting"
    SENT = "sent"
    #: Somebody had seen what it tells of before it went.
    SKIPPED = "skipped"
    #: The mail server did not take it for a day, and it is not tried again.
    PARKED = "parked"


class EndpointState(StrEnum):
    """What is known of a number: a suspect one comes last, one that opted out is not texted."""

    ACTIVE = "active"
    SUSPECT = "suspect"
    OPTED_OUT = "opted_out"
