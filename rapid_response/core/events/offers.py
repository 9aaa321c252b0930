"""Who was asked, who took it, who goes with her."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rapid_response.core.events.base import Event


@dataclass(frozen=True, slots=True)
class OfferMade(Event):
    type: ClassVar[str] = "offer_made"
    offer_id: str
    responder: str
    rung: int
    answer_by: datetime
    reasons: tuple[str, ...]
    joint: bool = False


@dataclass(frozen=True, slots=True)
class OfferDeclined(Event):
    type: ClassVar[str] = "offer_declined"
    offer_id: str
    responder: str
    source: str
    seconds: float | None = None
    priority: str = ""


@dataclass(frozen=True, slots=True)
class OfferLapsed(Event):
    type: ClassVar[str] = "offer_lapsed"
    offer_id: str
    responder: str


@dataclass(frozen=True, slots=True)
class OfferWithdrawn(Event):
    type: ClassVar[str] = "offer_withdrawn"
    offer_id: str
    responder: str
    why: str


@dataclass(frozen=True, slots=True)
class OfferAccepted(Event):
    type: ClassVar[str] = "offer_accepted"
    offer_id: str
    responder: str
    source: str
    late: bool = False
    eta_minutes: int | None = None
    #: From the making of the offer.
    seconds: float | None = None
    priority: str = ""


@dataclass(frozen=True, slots=True)
class Assigned(Event):
    """By a person at the desk, not by an answer to an offer."""

    type: ClassVar[str] = "assigned"
    responder: str


@dataclass(frozen=True, slots=True)
class Released(Event):
    type: ClassVar[str] = "released"
    responder: str
    why: str


@dataclass(frozen=True, slots=True)
class NobodyLeft(Event):
    type: ClassVar[str] = "nobody_left"
    asked: int


@dataclass(frozen=True, slots=True)
class CompanionNamed(Event):
    """A second officer goes along; the job stays its owner's."""

    type: ClassVar[str] = "companion_named"
    responder: str


@dataclass(frozen=True, slots=True)
class CompanionReleased(Event):
    type: ClassVar[str] = "companion_released"
    responder: str
    why: str


@dataclass(frozen=True, slots=True)
class JointArranged(Event):
    """Who goes along to a joint visit, or that one goes alone; `goes_out`: it was held for that."""

    type: ClassVar[str] = "joint_arranged"
    how: str
    goes_out: bool = False


@dataclass(frozen=True, slots=True)
class ReplyUnderstood(Event):
    type: ClassVar[str] = "reply_understood"
    inbound_id: str
    responder: str
    verb: str
    effect: str
