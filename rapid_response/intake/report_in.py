"""What a report may say: the body of `POST /api/v1/reports`, checked at the edge.

Unknown keys are refused, because a misspelt `suspect_on_premisses` would otherwise be a danger nobody sees.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    create_model,
    model_validator,
)

from rapid_response.core.facts import BOOLEAN_FACTS, FACT_NAMES, TIME_FACTS, Facts
from rapid_response.core.text import storable
from rapid_response.core.vocabulary import Channel, ContactRoute, ImportKind, PaymentMethod, ReferralSource

_POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][0-9A-Z]?) ?([0-9][A-Z]{2})")


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("give the time with its offset, for example 2026-10-25T13:30:00+00:00")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("give a time in this century") from None


def _this_century(value: datetime) -> datetime:
    if not 2000 <= value.year <= 2100:
        raise ValueError("give a time in this century")
    return value


def _said_as_text(value: object) -> object:
    """RFC 3339, or a moment of our own: a bare number may count anything."""
    if isinstance(value, str | datetime):
        return value
    raise ValueError("give the time as text, for example 2026-10-25T13:30:00+00:00")


def _postcode(value: str) -> str:
    folded = " ".join(value.upper().split())
    found = _POSTCODE.fullmatch(folded)
    # A frightened caller may only know half of it: what is no postcode is kept as said, never refused.
    return f"{found[1]} {found[2]}" if found else folded


Line = Annotated[str, AfterValidator(storable), Field(max_length=200)]
Lines = Annotated[str, AfterValidator(storable), Field(max_length=2000)]
Instant = Annotated[
    datetime, BeforeValidator(_said_as_text), AfterValidator(_aware), AfterValidator(_this_century)
]
Pounds = Annotated[Decimal, Field(ge=0, le=10_000_000, decimal_places=2)]


def _known(value: Any) -> Any:
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value


class Part(BaseModel):
    """Base of the body and its parts."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, data: Any) -> Any:
        """A box left blank is not known, as if it had not been sent."""
        if not isinstance(data, dict):
            return data
        return {k: v for k, v in data.items() if not (isinstance(v, str) and not v.strip())}

    def given(self) -> dict[str, Any]:
        """What was said, as plain JSON values."""
        return self.model_dump(mode="json", exclude_none=True)


class Caller(Part):
    name: Line | None = None
    phone: Line | None = None
    email: Line | None = None
    role: Line | None = None
    #: By which help the caller speaks with us, such as Relay UK: whoever rings back takes the same way.
    route: ContactRoute | None = None


class Victim(Part):
    name: Line | None = None
    phone: Line | None = None
    age: int | None = Field(default=None, ge=0, le=130)
    lives_alone: StrictBool | None = None
    vulnerabilities: tuple[Line, ...] = Field(default=(), max_length=30)


class SafeContact(Part):
    """Each is no unless somebody said yes: the suspect may be holding the victim's phone."""

    sms: StrictBool = False
    voice: StrictBool = False
    voicemail: StrictBool = False
    note: Lines | None = None


class Location(Part):
    address: Lines | None = None
    postcode: Annotated[Line, AfterValidator(_postcode)] | None = None
    ward: Annotated[str, AfterValidator(storable), Field(max_length=80)] | None = None
    latitude: float | None = Field(default=None, ge=-90, le=90, allow_inf_nan=False)
    longitude: float | None = Field(default=None, ge=-180, le=180, allow_inf_nan=False)


class Suspect(Part):
    name: Line | None = None
    company: Line | None = None
    phone: Line | None = None
    vehicle_registration: Line | None = None
    website: Line | None = None
    description: Lines | None = None


class _Amounts(Part):
    amount_gbp: Pounds | None = None
    payment_method: PaymentMethod | None = None


if TYPE_CHECKING:
    Answers = _Amounts
else:
    # One field a fact, from the one list of facts: true, false, or absent for not known.
    Answers = create_model(
        "Answers",
        __base__=_Amounts,
        __doc__="The facts: each true, false, or absent when not known.",
        **{name: (StrictBool | None, None) for name in BOOLEAN_FACTS},
        **{name: (Instant | None, None) for name in TIME_FACTS},
    )


class ReportIn(Part):
    """A report as it reaches us; only `channel` and `narrative` are needed."""

    channel: Channel
    narrative: Annotated[str, AfterValidator(storable), Field(min_length=1, max_length=20_000)]
    received_at: Instant | None = None
    external_reference: Line | None = None
    caller: Caller = Caller()
    victim: Victim = Victim()
    safe_contact: SafeContact = SafeContact()
    location: Location = Location()
    suspect: Suspect = Suspect()
    answers: Answers = Answers()
    #: What only tells us something is kept as intelligence, unless it tells of danger.
    import_kind: ImportKind = ImportKind.REFERRAL
    referral_source: ReferralSource | None = None
    #: The victim, or who rings for them, says that they were chosen for their age: a person is to look at it.
    victims_own_perception: StrictBool = False
    back_entry: StrictBool = False

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        """Null is not known, of a part as of a value in it: many clients write out what they have not."""
        if not isinstance(data, dict):
            return data
        return {k: _known(v) for k, v in data.items() if v is not None}

    def facts(self) -> Facts:
        """The answers as facts; what the victim's part says of living alone counts as answered."""
        said = {
            name: value for name in FACT_NAMES if (value := getattr(self.answers, name, None)) is not None
        }
        if self.answers.amount_gbp is not None:
            said["amount_pence"] = int(self.answers.amount_gbp * 100)
        if self.victim.lives_alone is not None:
            said.setdefault("lives_alone", self.victim.lives_alone)
        return Facts(**said)
