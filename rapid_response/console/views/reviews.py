"""Reviews of age targeting, and referrals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlencode

from rapid_response.console.views.case_parts import ProposalPart, Words
from rapid_response.console.views.frame import Page, View
from rapid_response.core.incident import Status
from rapid_response.core.vocabulary import AgeTargeting, Category, HateStrand, ReferralKind, ReferralState


@dataclass(frozen=True, slots=True)
class ReviewFilters:
    """What the reviews are narrowed to; each filter is a link with the others kept."""

    category: Category | None = None
    ward: str = ""
    overdue: bool = False
    #: True for cases that are open, False for those that have ended, None for both.
    is_open: bool | None = None

    def url(self) -> str:
        """The address of the reviews with these filters."""
        query = [(name, value) for name, value in (("category", self.category), ("ward", self.ward)) if value]
        query += [("overdue", "1")] * self.overdue
        query += [("case", "open" if self.is_open else "ended")] * (self.is_open is not None)
        return Page.REVIEWS + ("?" + urlencode(query) if query else "")

    def with_category(self, category: Category | None) -> ReviewFilters:
        """The same, for one category or all."""
        return replace(self, category=category)

    def with_ward(self, ward: str) -> ReviewFilters:
        """The same, for one ward or all."""
        return replace(self, ward=ward)

    def with_overdue(self, overdue: bool) -> ReviewFilters:
        """The same, for the overdue ones or all."""
        return replace(self, overdue=overdue)

    def with_open(self, is_open: bool | None) -> ReviewFilters:
        """The same, for open or ended cases or both."""
        return replace(self, is_open=is_open)

    @property
    def narrows(self) -> bool:
        """Whether any filter is set."""
        return bool(self.category or self.ward or self.overdue or self.is_open is not None)


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """One case in the queue: the words that led to it, but no name, number or address."""

    reference: str
    category: Category
    subtype: str
    status: Status
    state: AgeTargeting
    ward: str = ""
    job_number: int | None = None
    words: tuple[Words, ...] = ()
    strands: tuple[HateStrand, ...] = ()
    raised_at: datetime | None = None
    due_at: datetime | None = None
    proposal: ProposalPart | None = None
    decided_at: datetime | None = None
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class ReferralLine:
    """One referral that waits for an answer."""

    reference: str
    kind: ReferralKind
    state: ReferralState
    sent_at: datetime
    their_reference: str = ""
    chased: int = 0
    chase_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReviewsView(View):
    """`GET /reviews`: what waits for a decision on age targeting, and what was referred."""

    template: ClassVar[str] = "reviews.html"
    filters: ReviewFilters = field(default_factory=ReviewFilters)
    #: What the address asks for and the lists are not narrowed by.
    problems: tuple[str, ...] = ()
    wards: tuple[str, ...] = ()
    waiting: tuple[ReviewLine, ...] = ()
    under_review: tuple[ReviewLine, ...] = ()
    #: A strand was found, and no referral to the police offered yet.
    to_offer: tuple[ReviewLine, ...] = ()
    referrals: tuple[ReferralLine, ...] = ()
    decided: tuple[ReviewLine, ...] = ()
    #: No more than this are shown of each list.
    most: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing at all to show."""
        return not (self.waiting or self.under_review or self.to_offer or self.referrals or self.decided)
