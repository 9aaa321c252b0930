"""The rota: who would be asked, absences, gaps, and what is to be handed over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from rapid_response.console.forms.posted import Filled
from rapid_response.console.views.frame import View
from rapid_response.console.views.pieces import Choice
from rapid_response.core.vocabulary import Category, ContactRole


@dataclass(frozen=True, slots=True)
class PersonAsked:
    """Somebody who would be asked, or would not, and why."""

    name: str
    why: str
    is_on_call: bool = False


@dataclass(frozen=True, slots=True)
class PersonTold:
    """A step of the ladder: after how many minutes, which role, and who that would be."""

    minutes: int
    role: ContactRole
    who: str


@dataclass(frozen=True, slots=True)
class GapLine:
    """When nobody with a skill is on duty; `on_call` are those who would still be asked."""

    what: str
    begins: datetime
    ends: datetime
    on_call: str = ""


@dataclass(frozen=True, slots=True)
class AbsenceLine:
    """Something beside the rota: an absence, duty beyond it, or a side of a swap."""

    row_id: str
    name: str
    is_off: bool
    begins: datetime
    until: datetime | None
    swap_with: str = ""


@dataclass(frozen=True, slots=True)
class HandOverLine:
    """A job of somebody whose shift ends; without `ends_at` it is over."""

    reference: str
    job_number: int | None
    responder: str
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RotaView(View):
    """`GET /rota?when=&category=&ward=`: who would be asked then, and why; gaps; who is off.

    Whoever may change it posts to `/rota/absence` and `/rota/{id}/back`.
    """

    template: ClassVar[str] = "rota.html"
    at: datetime
    category: Category
    question: Filled
    asked: tuple[PersonAsked, ...] = ()
    not_asked: tuple[PersonAsked, ...] = ()
    told: tuple[PersonTold, ...] = ()
    opens_at: datetime | None = None
    gaps: tuple[GapLine, ...] = ()
    absences: tuple[AbsenceLine, ...] = ()
    hand_over: tuple[HandOverLine, ...] = ()
    wards: tuple[str, ...] = ()
    may_change: bool = False
    people: tuple[Choice, ...] = ()
    filled: Filled = field(default_factory=Filled)
    done: str = ""
