"""Notifications that are kept without an incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rapid_response.console.views.frame import View
from rapid_response.core.vocabulary import Category


@dataclass(frozen=True, slots=True)
class NotificationLine:
    """Something a partner told us."""

    row_id: str
    reference: str
    category: Category
    subtype: str
    received_at: datetime
    words: str
    where: str = ""
    settled_at: datetime | None = None
    settled_by: str = ""
    #: The incident it was raised to.
    raised_to: str = ""


@dataclass(frozen=True, slots=True)
class IntelligenceView(View):
    """`GET /intelligence`: what partners told us without asking us to act."""

    template: ClassVar[str] = "intelligence.html"
    waiting: tuple[NotificationLine, ...] = ()
    settled: tuple[NotificationLine, ...] = ()
    done: str = ""
