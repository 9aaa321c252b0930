"""What every page route is given: who visits, whether they may, the form they posted, and how to answer.

Routes ask for a :class:`Visit` through one of the dependencies at the foot: each of them names what the
visitor must be allowed to do, so that no route can forget to ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection

from rapid_response.access.cookies import Cookies, cookies_for, origin_of
from rapid_response.access.csrf import FORM_OPEN_FOR, CsrfRefused, FormTokens, check_csrf, check_source
from rapid_response.access.passwords import Passwords
from rapid_response.access.permissions import Permission, may
from rapid_response.access.principal import PUBLIC, Principal
from rapid_response.access.sessions import ENDS_AFTER, LiveSession, load_session
from rapid_response.access.sign_in import SignIn
from rapid_response.access.signing import Signer
from rapid_response.access.throttle import Throttle
from rapid_response.audit.readiness import Node
from rapid_response.console.assets import Assets
from rapid_response.console.form_pages import STALE, read_form
from rapid_response.console.forms.posted import Parsed, Posted
from rapid_response.console.rendering import Renderer
from rapid_response.console.views.frame import Frame, Page, Site, View, Viewer
from rapid_response.core.definition import ServiceDefinition
from rapid_response.steps.desk import Desk, Who
from rapid_response.steps.service import LastKnown, NoService
from rapid_response.storage import holds
from rapid_response.storage.database import Database
from rapid_response.storage.jobs import Stored
from rapid_response.storage.tx import Tx

if TYPE_CHECKING:
    from rapid_response.simulator.network import SimulatedNetwork

T = TypeVar("T")

#: A browser that has signed in stays known to its account for this long.
_DEVICE_FOR = timedelta(days=365)
#: Reports from one address in an hour before a person is asked to look twice (stack.md 4).
_REPORTS_AN_HOUR = 5
_PASSWORD_TRIES = 5


class NotSignedIn(Exception):
    """Nobody is signed in in this browser, or no longer."""


class MayNot(Exception):
    """The visitor's account does not allow it."""


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What the pages need of the settings."""

    base_url: str
    secret_key: str = field(repr=False)
    previous_key: str | None = field(default=None, repr=False)
    is_evaluation: bool = False
    is_simulated: bool = True
    clock_speed: float = 1.0
    #: Whether what is kept for too long is erased, or only counted.
    erases: bool = False


@cache
def _templates() -> tuple[Assets, Renderer]:
    """The files and the compiled templates: the same for whatever service runs in this process."""
    assets = Assets()
    return assets, Renderer(assets)


@dataclass(slots=True)
class Pages:
    """The running service, as pages see it; one for each process."""

    settings: PageSettings
    database: Database
    desk: Desk
    #: None where messages go out for real: its page is not there then.
    simulated: SimulatedNetwork | None
    node: Node
    #: With the database gone, the number to ring can still be shown.
    known: LastKnown = field(default_factory=LastKnown)
    passwords: Passwords = field(default_factory=Passwords)

    assets: Assets = field(init=False)
    renderer: Renderer = field(init=False)
    cookies: Cookies = field(init=False)
    origin: str = field(init=False)
    tokens: FormTokens = field(init=False)
    sign_in: SignIn = field(init=False)
    reports: Throttle = field(init=False)
    password_tries: Throttle = field(init=False)

    def __post_init__(self) -> None:
        signer = Signer(self.settings.secret_key, self.settings.previous_key)
        clock = self.database.clock
        self.assets, self.renderer = _templates()
        self.cookies = cookies_for(self.settings.base_url)
        self.origin = origin_of(self.settings.base_url)
        self.tokens = FormTokens(signer, self.database.ids)
        self.sign_in = SignIn(self.database, self.passwords, signer)
        self.reports = Throttle(clock, limit=_REPORTS_AN_HOUR, window=timedelta(hours=1))
        self.password_tries = Throttle(clock, limit=_PASSWORD_TRIES, window=timedelta(minutes=5))

    @property
    def network(self) -> SimulatedNetwork:
        """The simulated phones."""
        if self.simulated is None:
            raise LookupError("messages go out for real: there are no simulated phones")
        return self.simulated

    def site(self, definition: ServiceDefinition | None, *, is_held: bool = False) -> Site:
        """The service as every page shows it."""
        return Site(
            is_held=is_held,
            name=definition.name if definition else "Rapid response",
            hotline=definition.hotline if definition else "",
            now=self.database.clock.now(),
            zone=self.desk.zone,
            simulated=self.settings.is_simulated,
            speed=self.settings.clock_speed,
        )


@dataclass(slots=True)
class Visit:
    """One request for a page."""

    request: Request
    pages: Pages
    live: LiveSession | None = None
    definition: ServiceDefinition | None = None
    #: Nothing is sent and no deadline rings: whoever works at the desk must know.
    is_held: bool = False
    #: Of a page that is open to all: the value of the cookie to which its form is bound.
    form_nonce: str = ""

    # who

    @property
    def principal(self) -> Principal:
        """Who visits; anybody, until they sign in."""
        return self.live.principal if self.live else PUBLIC

    @property
    def signed_in_at(self) -> datetime | None:
        """Since when, in real time."""
        return self.live.ends_at - ENDS_AFTER if self.live else None

    @property
    def address(self) -> str:
        """Where the request came from, as far as the server knows."""
        return self.request.client.host if self.request.client else ""

    def may(self, permission: Permission) -> bool:
        """Whether the visitor has that permission."""
        return may(self.principal, permission)

    def who(self) -> Who:
        """The visitor as steps know her."""
        principal = self.principal
        return Who(
            actor=principal.actor,
            source="page",
            may_lower=self.may(Permission.PRIORITY_LOWER),
            may_explain_breaches=self.may(Permission.BREACH_REVIEW),
            responder=principal.responder_id,
            role=principal.role,
        )

    @property
    def viewer(self) -> Viewer | None:
        """Who is signed in, with the pages the permission table lets them see."""
        principal = self.principal
        if principal.role is None:
            return None
        return Viewer(principal.name, principal.role, pages_of(principal, self.pages.settings.is_simulated))

    # reading and doing

    @property
    def now(self) -> datetime:
        """Domain time."""
        return self.pages.database.clock.now()

    @property
    def service(self) -> ServiceDefinition:
        """The definition in force; raises :class:`NoService`."""
        if self.definition is None:
            raise NoService
        return self.definition

    async def look(self, read: Callable[[Connection], T]) -> T:
        """Run a read."""
        return await self.pages.database.look(read)

    async def run(self, step: Callable[[Tx], T], *, stored: Stored[T] | None = None) -> T:
        """Run a step in the visitor's name; `stored` as in :meth:`Database.run`."""
        return await self.pages.database.run(step, actor=self.principal.actor, stored=stored)

    # what was sent

    @property
    def query(self) -> Posted:
        """The query string, read as a form is."""
        return Posted.from_pairs(self.request.query_params.multi_items())

    async def form(self, name: str = "") -> tuple[Posted, bool]:
        """The posted form, and whether its token holds; `name` where nobody need be signed in to post it.

        Raises :class:`CsrfRefused` when the browser says that it comes from another site. A token that does
        not hold is most often a page that was open for too long: nothing is done then, and the route decides
        whether to show the form again with what was written in it.
        """
        check_source(self.request.headers, origin=self.pages.origin)
        posted = await read_form(self.request)
        return posted, self._is_ours(posted.text("csrf_token"), name)

    async def filled_in(
        self, read: Callable[[Posted], Parsed], beside: str, name: str = ""
    ) -> tuple[Posted, Parsed]:
        """A form in which somebody writes, as `read` reads it.

        Where its token does not hold it has a fault beside that field, so that it is shown again with all
        that was written: whoever was signed out in the middle of it signs in and loads the page again.
        """
        posted, is_ours = await self.form(name)
        parsed = read(posted)
        return posted, parsed if is_ours else parsed.refused([{"field": beside, "message": STALE}])

    async def posted(self, name: str = "") -> Posted:
        """As :meth:`form`, where a token that does not hold is refused: for a button, beside which nothing
        was written.
        """
        posted, is_ours = await self.form(name)
        if not is_ours:
            raise CsrfRefused(
                "This page was open for too long, or came from another site, so nothing was done. "
                "Go back, load the page again and send it once more."
            )
        return posted

    def _is_ours(self, token: str, name: str) -> bool:
        pages, headers = self.pages, self.request.headers
        try:
            if self.live is not None:
                check_csrf(self.principal.session_csrf, token, headers, origin=pages.origin)
                return True
        except CsrfRefused:
            if not name:
                return False
        if not name:
            return False
        cookie = self.request.cookies.get(pages.cookies.form)
        try:
            real = pages.database.clock.real()
            pages.tokens.check(cookie, token, name, headers, origin=pages.origin, real=real)
        except (CsrfRefused, ValueError):
            return False
        return True

    # answering

    async def page(
        self, view: View, *, status: int = 200, form: str = "", anonymous: bool = False
    ) -> Response:
        """The page of a view. `form` names the one form of a page that is open to all.

        `anonymous` pages say nothing of who is signed in: they are for anybody who uses the device.
        """
        viewer = None if anonymous else self.viewer
        token = (self.principal.session_csrf or "") if viewer else self._form_token(form)
        frame = Frame(
            site=self.pages.site(self.definition, is_held=self.is_held),
            nonce=str(getattr(self.request.state, "nonce", "")),
            csrf_token=token,
            form_key=self.pages.database.ids.token(),
            viewer=viewer,
            path=self.request.url.path,
        )
        html = await asyncio.to_thread(self.pages.renderer.page, view, frame)
        response = HTMLResponse(html, status)
        if token and not viewer:
            self.set_cookie(response, self.pages.cookies.form, self.form_nonce, FORM_OPEN_FOR)
        return response

    def _form_token(self, form: str) -> str:
        if not form:
            return ""
        tokens, cookies = self.pages.tokens, self.pages.cookies
        self.form_nonce = tokens.nonce(self.request.cookies.get(cookies.form))
        return tokens.token(self.form_nonce, form, self.pages.database.clock.real())

    def go(self, address: str) -> Response:
        """Go to another page of ours; a form that was posted is not posted again by a reload."""
        return RedirectResponse(address, 303)

    def set_cookie(self, response: Response, name: str, value: str, lasts: timedelta | None = None) -> None:
        """Set one of our cookies; without `lasts` until the browser is closed."""
        response.set_cookie(
            name,
            value,
            max_age=int(lasts.total_seconds()) if lasts else None,
            path="/",
            secure=self.pages.cookies.secure,
            httponly=True,
            samesite="lax",
        )

    def sign_in_cookies(self, response: Response, session: str, device: str | None = None) -> None:
        """Let the browser in, and let the account know it again."""
        self.set_cookie(response, self.pages.cookies.session, session)
        if device is not None:
            self.set_cookie(response, self.pages.cookies.device, device, _DEVICE_FOR)

    def forget_session(self, response: Response) -> None:
        """Take the session's cookie back."""
        cookies = self.pages.cookies
        response.delete_cookie(
            cookies.session, path="/", secure=cookies.secure, httponly=True, samesite="lax"
        )


# --- who may see what -------------------------------------------------------------------------------------

_NAVIGATION: Mapping[Page, Permission] = {
    Page.CONSOLE: Permission.REPORT_TAKE,
    Page.BOARD: Permission.CASE_LIST,
    Page.REVIEWS: Permission.REVIEW_LIST,
    Page.JOBS: Permission.OWN_JOBS,
    Page.TEXTS: Permission.INBOX_WORK,
    Page.MARKERS: Permission.RISK_MARKERS,
    Page.ROTA: Permission.ROTA_VIEW,
    Page.INTELLIGENCE: Permission.INTELLIGENCE,
    Page.DISCLOSURES: Permission.CASE_EXPORT,
    Page.ACCESS: Permission.AUDIT_VIEW,
    Page.RETENTION: Permission.AUDIT_VIEW,
    Page.EXCEPTIONS: Permission.EXCEPTIONS_VIEW,
    Page.SIMULATOR: Permission.SIMULATOR_USE,
    Page.STATUS: Permission.SERVICE_STATUS,
    Page.AGREEMENT: Permission.AGREEMENT_VIEW,
    Page.NUMBERS: Permission.NUMBERS_ANY,
}


def pages_of(principal: Principal, is_simulated: bool) -> tuple[Page, ...]:
    """What the navigation offers; a person who is no responder has no jobs, whatever the role allows."""
    allowed = [page for page, permission in _NAVIGATION.items() if may(principal, permission)]
    if principal.responder_id is None and Page.JOBS in allowed:
        allowed.remove(Page.JOBS)
    if not is_simulated:
        allowed.remove(Page.SIMULATOR)
    return (*allowed, Page.ACCOUNT)


_HOMES = (Page.BOARD, Page.JOBS, Page.STATUS, Page.ACCOUNT)


def home_of(principal: Principal) -> Page:
    """Where somebody begins who has just signed in."""
    offered = pages_of(principal, is_simulated=False)
    return next(page for page in _HOMES if page in offered)


# --- dependencies -----------------------------------------------------------------------------------------


async def visit_of(request: Request) -> Visit:
    """The visit of a request; only a person's own requests keep a session alive, not a page's refreshing."""
    known = getattr(request.state, "visit", None)
    if isinstance(known, Visit):
        return known
    pages: Pages = request.app.state.pages
    visit = Visit(request, pages)
    request.state.visit = visit
    visit.definition = pages.known.definition
    visit.definition, visit.is_held = await pages.database.look(
        lambda c: (pages.known.read(c, pages.desk.zone), holds.standing(c) is not None)
    )
    by_itself = request.headers.get("sec-fetch-dest") == "empty"
    cookie = request.cookies.get(pages.cookies.session)
    visit.live = await load_session(pages.database, cookie, touch=not by_itself)
    return visit


AnyVisit = Annotated[Visit, Depends(visit_of)]


async def signed_in(visit: AnyVisit) -> Visit:
    """A visit by somebody who has signed in."""
    if visit.live is None:
        raise NotSignedIn
    return visit


SignedIn = Annotated[Visit, Depends(signed_in)]


class NeedsAny:
    """A dependency: the visit of somebody signed in who has at least one of these permissions."""

    def __init__(self, *permissions: Permission) -> None:
        self.permissions = permissions

    async def __call__(self, visit: SignedIn) -> Visit:
        if not any(visit.may(permission) for permission in self.permissions):
            raise MayNot
        return visit
