"""How often people left what the readers said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rapid_response.console.views.frame import View


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """One reader's month: each figure in words, as `9 of 10 (90%)`."""

    reader: str
    model: str
    cases: str
    category: str
    priority: str
    urgency: str
    targeting: str
    #: Of the second reader: how many of its suggestions that people answered were agreed with.
    suggestions: str = ""


@dataclass(frozen=True, slots=True)
class AgreementMonth:
    """A month, `October 2026`, and the readers of it."""

    label: str
    lines: tuple[AgreementLine, ...]


@dataclass(frozen=True, slots=True)
class AgreementView(View):
    """`GET /agreement`: how often people left standing what the readers of reports said."""

    template: ClassVar[str] = "agreement.html"
    months: tuple[AgreementMonth, ...] = ()
    #: Whether counts under five are not told: the viewer may see no case.
    hides_small: bool = False
