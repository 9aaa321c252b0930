"""What leaves the service: transfers and disclosures."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from rapid_response.console.forms.posted import Filled
from rapid_response.console.views.frame import View
from rapid_response.core.vocabulary import TransferMeans, TransferState


@dataclass(frozen=True, slots=True)
class TransferPart:
    """A hand-over to another service, and their answer; `may_read` leads to what they were given."""

    transfer_id: str
    to: str
    state: TransferState
    means: TransferMeans
    sent_at: datetime
    sent_by: str
    handed_to: str = ""
    answered_at: datetime | None = None
    answered_by: str = ""
    reference: str = ""
    reason: str = ""
    is_erased: bool = False
    may_read: bool = False


@dataclass(frozen=True, slots=True)
class TransferView(View):
    """`GET /incidents/{reference}/transfers/{id}`: the sheet that goes with a hand-over; it prints."""

    template: ClassVar[str] = "transfer.html"
    reference: str
    transfer: TransferPart
    #: The words as they were handed over: headings, and what stood beneath.
    parts: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    digest: str
    signature: str
    #: Whether the words kept are still those that were signed.
    holds: bool


@dataclass(frozen=True, slots=True)
class DisclosurePart:
    """A sheet that somebody outside was shown; `may_read` leads to it."""

    disclosure_id: str
    kind: str
    to: str
    authority: str
    made_at: datetime
    made_by: str
    is_erased: bool = False
    may_read: bool = False


@dataclass(frozen=True, slots=True)
class DisclosureView(View):
    """`GET /incidents/{reference}/disclosures/{id}` and `/disclosures/{id}`: the sheet; it prints."""

    template: ClassVar[str] = "disclosure.html"
    disclosure: DisclosurePart
    #: One a case: its lines, heading and value.
    cases: tuple[tuple[tuple[str, str], ...], ...]
    digest: str
    #: Whether the words kept are still those that were shown.
    holds: bool
    #: Cases of it have been erased, and others have not.
    is_erased_in_part: bool = False
    #: Empty where the sheet is of more than one case.
    reference: str = ""
    #: The registration that was asked about, where it is of one vehicle.
    vehicle: str = ""


@dataclass(frozen=True, slots=True)
class DisclosuresView(View):
    """`GET /disclosures`: all reports of one vehicle for whoever may ask, and what was made of it before."""

    template: ClassVar[str] = "disclosures.html"
    made: tuple[DisclosurePart, ...] = ()
    filled: Filled = field(default_factory=Filled)
