"""The board of incidents."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlencode

from rapid_response.console.views.frame import Page, View
from rapid_response.console.views.pieces import AlarmPart, CheckIn, Clock
from rapid_response.core.attention import SortKey, attention, place_in_list
from rapid_response.core.incident import Status
from rapid_response.core.vocabulary import AgeTargeting, Category, Priority


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One open incident, without a name, number or address."""

    reference: str
    category: Category
    subtype: str
    priority: Priority
    status: Status
    clock: Clock
    ward: str = ""
    #: As in the texts to responders: `BR1 3`, never a whole postcode.
    sector: str = ""
    responder: str = ""
    next_step: str = ""
    job_number: int | None = None
    joint: bool = False
    age_targeting: AgeTargeting = AgeTargeting.NONE
    #: Of a responder who is there now.
    check_in: CheckIn | None = None
    #: By when the next step is due.
    next_at: datetime | None = None

    @property
    def place(self) -> SortKey:
        """Where it stands on the board: what is owed to the person first, then what is awaited."""
        is_stopped = self.clock.stopped_at is not None
        care = attention(self.priority, is_stopped=is_stopped, has_owner=bool(self.responder))
        awaited = self.check_in.by if self.check_in else self.next_at
        at = self.clock.goal if self.clock.counts else awaited
        return place_in_list(care, at, self.priority, self.reference)


@dataclass(frozen=True, slots=True)
class BoardFilters:
    """What the board is narrowed to; each filter is a link with the others kept."""

    status: Status | None = None
    category: Category | None = None
    ward: str = ""
    overdue: bool = False
    #: False where the reader has paused the updates.
    live: bool = True

    def url(self) -> str:
        """The board's address with these filters."""
        pairs = [("status", self.status), ("category", self.category), ("ward", self.ward)]
        query = [(name, value) for name, value in pairs if value]
        query += [("overdue", "1")] * self.overdue + [("live", "0")] * (not self.live)
        return Page.BOARD + ("?" + urlencode(query) if query else "")

    def with_status(self, status: Status | None) -> BoardFilters:
        """The same, for one status or all."""
        return replace(self, status=status)

    def with_category(self, category: Category | None) -> BoardFilters:
        """The same, for one category or all."""
        return replace(self, category=category)

    def with_ward(self, ward: str) -> BoardFilters:
        """The same, for one ward or all."""
        return replace(self, ward=ward)

    def with_overdue(self, overdue: bool) -> BoardFilters:
        """The same, for the overdue ones or all."""
        return replace(self, overdue=overdue)

    def with_live(self, live: bool) -> BoardFilters:
        """The same, with or without updates."""
        return replace(self, live=live)

    @property
    def narrows(self) -> bool:
        """Whether any filter is set."""
        return bool(self.status or self.category or self.ward or self.overdue)


@dataclass(frozen=True, slots=True)
class BoardView(View):
    """`GET /board`: open incidents by when help is needed."""

    template: ClassVar[str] = "board.html"
    rows: tuple[BoardRow, ...] = ()
    #: How many more there are: the least pressing.
    left_out: int = 0
    filters: BoardFilters = field(default_factory=BoardFilters)
    #: What the address asks for and the board is not narrowed by.
    problems: tuple[str, ...] = ()
    wards: tuple[str, ...] = ()
    #: Of all open incidents, whatever the filters.
    open_total: int = 0
    overdue_total: int = 0
    unassigned_total: int = 0
    review_total: int = 0
    #: Decisions on age targeting that are owed; None for who may not see the reviews.
    age_reviews: int | None = None
    responders_on_duty: int | None = None
    #: Work that failed too often and waits for a person.
    parked: int = 0
    may_print: bool = False
    shows_agreement: bool = False
    #: What keeps people from being reached, each a sentence; the first ones stop everything.
    alarms: tuple[str, ...] = ()
    #: Numbers that do not take our texts or calls, each a sentence.
    unreachable: tuple[str, ...] = ()
    #: Silent alarms of responders, before everything else.
    duress: tuple[AlarmPart, ...] = ()
    may_see_duress: bool = False
    #: Risk markers to look at again, for those who may.
    markers_to_review: int = 0

    @property
    def ordered(self) -> tuple[BoardRow, ...]:
        """Whoever nobody has reached first; then by when help is needed or the next step is due."""
        return tuple(sorted(self.rows, key=lambda row: row.place))
