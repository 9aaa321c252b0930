"""What is around every page: who looks, where they are, and what every view is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from zoneinfo import ZoneInfo

from rapid_response.core.incident import Action
from rapid_response.core.vocabulary import Role


class Page(StrEnum):
    """Where the navigation leads; the value is the address."""

    CONSOLE = "/console"
    BOARD = "/board"
    REVIEWS = "/reviews"
    JOBS = "/j"
    TEXTS = "/texts"
    MARKERS = "/markers"
    ROTA = "/rota"
    INTELLIGENCE = "/intelligence"
    DISCLOSURES = "/disclosures"
    ACCESS = "/access"
    RETENTION = "/retention"
    EXCEPTIONS = "/exceptions"
    SIMULATOR = "/simulator"
    STATUS = "/status"
    AGREEMENT = "/agreement"
    NUMBERS = "/numbers"
    ACCOUNT = "/account"


PAGE_WORDS: Mapping[Page, str] = {
    Page.CONSOLE: "Take a call",
    Page.BOARD: "Open incidents",
    Page.REVIEWS: "Reviews",
    Page.JOBS: "My jobs",
    Page.TEXTS: "Texts and calls",
    Page.MARKERS: "Risk markers",
    Page.ROTA: "Rota",
    Page.INTELLIGENCE: "Intelligence",
    Page.DISCLOSURES: "Disclosures",
    Page.ACCESS: "Access",
    Page.RETENTION: "Retention",
    Page.EXCEPTIONS: "Parked work",
    Page.SIMULATOR: "Phones",
    Page.STATUS: "Service status",
    Page.AGREEMENT: "Agreement",
    Page.NUMBERS: "Phone numbers",
    Page.ACCOUNT: "My account",
}


@dataclass(frozen=True, slots=True)
class Site:
    """The service as every page shows it. `hotline` is E.164 and may be empty."""

    name: str
    hotline: str
    now: datetime
    zone: ZoneInfo
    #: No message leaves this computer: a ribbon says so, and at which time the town stands.
    simulated: bool = False
    speed: float = 1.0
    #: No message is sent and no deadline rings until somebody lets go: every page of the desk says so.
    is_held: bool = False
    #: Where “Exit this page” leads: somewhere dull that anybody might be reading.
    exit_url: str = "https://www.bbc.co.uk/weather"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is signed in. `pages`: what the permission table lets them see, in the order of the navigation."""

    name: str
    role: Role
    pages: tuple[Page, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page needs beside its own view.

    `form_key` is new for each page shown and comes back hidden in each of its forms: with the form's
    address it makes a good Idempotency-Key, so that a double click does a thing once.
    """

    site: Site
    nonce: str
    csrf_token: str = ""
    form_key: str = ""
    viewer: Viewer | None = None
    path: str = ""


class View:
    """Base of all views: names the template that shows it."""

    __slots__ = ()
    template: ClassVar[str]


@dataclass(frozen=True, slots=True)
class ErrorView(View):
    """Any error, in words, with the phone number. `detail` never repeats what was sent."""

    template: ClassVar[str] = "error.html"
    status: int
    detail: str = ""
    #: For 409: what the incident's state does allow.
    allowed: tuple[Action, ...] = ()
    reference: str = ""
