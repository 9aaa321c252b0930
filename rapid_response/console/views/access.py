"""Who opened what, why, and how long it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from rapid_response.console.forms.posted import Filled
from rapid_response.console.views.frame import View
from rapid_response.core.vocabulary import RetentionClass, ViewReason


@dataclass(frozen=True, slots=True)
class ReasonView(View):
    """Before a case that is not the viewer's: why? Posts to `/incidents/{reference}/reason`."""

    template: ClassVar[str] = "reason.html"
    reference: str
    filled: Filled = field(default_factory=Filled)


@dataclass(frozen=True, slots=True)
class OpenedLine:
    """A case opened by somebody whose it is not."""

    row_id: str
    at: datetime
    viewer: str
    reference: str
    reason: ViewReason
    words: str = ""
    seen_at: datetime | None = None
    seen_by: str = ""
    #: Nobody settles their own.
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class ViewLine:
    """One entry of the access log."""

    at: datetime
    viewer: str
    viewer_id: str
    what: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class AccessView(View):
    """`GET /access`: who looked at what, and why at cases that were not theirs."""

    template: ClassVar[str] = "access.html"
    unseen: tuple[OpenedLine, ...] = ()
    opened: tuple[OpenedLine, ...] = ()
    views: tuple[ViewLine, ...] = ()
    #: What the log is narrowed to.
    viewer: str = ""
    reference: str = ""
    done: str = ""


@dataclass(frozen=True, slots=True)
class RetentionView(View):
    """`GET /retention`: a dry run of what the nightly round would erase, and what stops it."""

    template: ClassVar[str] = "retention.html"
    #: Each class, how long it is kept, and how much of it is over.
    cases: tuple[tuple[RetentionClass, str, int], ...]
    notifications: int
    texts: int
    held: int
    owed: int
    #: Whether the round erases, or only counts.
    is_on: bool
    notifications_kept: str = "1 year"
    texts_kept: str = "90 days"
    holds: tuple[tuple[str, datetime, str], ...] = ()
