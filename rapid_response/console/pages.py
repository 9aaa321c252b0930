"""The pages: put onto the application here, each group of routes in a file of its own.

Whatever is not for machines is a page, so that a mistyped address answers a person, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from rapid_response.access.csrf import CsrfRefused
from rapid_response.audit.readiness import Node
from rapid_response.console import (
    access_pages,
    account_pages,
    agreement_pages,
    alarm_pages,
    board_pages,
    disclosure_pages,
    handler_pages,
    incident_pages,
    intelligence_pages,
    job_pages,
    marker_pages,
    number_pages,
    public_pages,
    review_pages,
    rota_pages,
    simulator_pages,
    text_pages,
    transfer_pages,
    upkeep_pages,
)
from rapid_response.console.assets import PREFIX, App, Message, Receive, Scope, Send
from rapid_response.console.form_pages import LARGEST_FORM, sign_in_address
from rapid_response.console.security import NotKept, SecurityHeaders
from rapid_response.console.views.frame import ErrorView
from rapid_response.console.visit_pages import MayNot, NotSignedIn, Pages, PageSettings, Visit, visit_of
from rapid_response.core.incident import NotAllowed
from rapid_response.simulator.network import SimulatedNetwork
from rapid_response.steps.desk import Desk
from rapid_response.steps.errors import Forbidden, NotFound, NothingOffered, Refusal
from rapid_response.steps.service import LastKnown, NoService
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable, InDoubt

__all__ = ["PageSettings", "Pages", "add_pages", "failed", "is_page"]

logger = structlog.get_logger("pages")

#: What machines ask for. The simulator's own calls are JSON, and forms where a person uses its page.
_FOR_MACHINES = ("/api", "/webhooks", "/health", "/metrics", "/openapi.json", "/docs", PREFIX)


def add_pages(
    app: FastAPI,
    settings: PageSettings,
    *,
    database: Database,
    desk: Desk,
    network: SimulatedNetwork | None,
    node: Node,
    known: LastKnown,
) -> Pages:
    """Put the pages onto the application: before the simulator's calls, whose addresses its forms share."""
    pages = Pages(settings, database, desk, network, node, known)
    app.state.pages = pages
    for router in _routers(settings):
        # As they are: `include_router` would make each route of them once more.
        app.router.routes.extend(router.routes)
    app.mount(PREFIX, pages.assets)
    for kind in (NotSignedIn, MayNot, CsrfRefused):
        app.add_exception_handler(kind, failed)
    app.add_middleware(OnPages, https=pages.cookies.secure)
    return pages


def _routers(settings: PageSettings) -> Sequence[APIRouter]:
    routers = [
        public_pages.router,
        account_pages.router,
        handler_pages.router,
        board_pages.router,
        agreement_pages.router,
        incident_pages.router,
        transfer_pages.router,
        disclosure_pages.router,
        access_pages.router,
        intelligence_pages.router,
        alarm_pages.router,
        marker_pages.router,
        job_pages.router,
        review_pages.router,
        rota_pages.router,
        text_pages.router,
        number_pages.router,
        upkeep_pages.router,
    ]
    return [*routers, simulator_pages.router] if settings.is_simulated else routers


def is_page(request: Request) -> bool:
    """Whether a person asks, and is to be answered with a page."""
    return _is_page(request.scope)


def _is_page(scope: Scope) -> bool:
    path: str = scope["path"]
    if path.startswith("/simulator/"):
        return simulator_pages.is_form(scope)
    return not any(path == prefix or path.startswith(prefix + "/") for prefix in _FOR_MACHINES)


class OnPages:
    """Middleware: the headers that guard pages, and an error page where all else failed.

    Machines are told no more than to keep no copy.
    """

    def __init__(self, app: App, *, https: bool) -> None:
        self._app = app
        self._guarded = SecurityHeaders(self._with_error_page, https=https)
        self._files = SecurityHeaders(app, https=https)
        self._for_machines = NotKept(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request through the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"].startswith(PREFIX + "/"):
            await self._files(scope, receive, send)
        else:
            await (self._guarded if _is_page(scope) else self._for_machines)(scope, receive, send)

    async def _with_error_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            if _announced(scope) > LARGEST_FORM:
                raise HTTPException(413)
            await self._app(scope, receive, noted)
        except Exception as error:  # whatever it was, a person waits for an answer
            if not isinstance(error, HTTPException):
                logger.exception("page_failed", method=scope["method"])
            if started:
                raise
            await (await failed(Request(scope), error))(scope, receive, send)


def _announced(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length) if length.isdigit() else 0


# --- errors -----------------------------------------------------------------------------------------------


async def failed(request: Request, error: Exception) -> Response:
    """The page of an error: what is wrong, what to do, and the number to ring."""
    if isinstance(error, NotSignedIn) and request.method in ("GET", "HEAD"):
        return Response(status_code=303, headers={"location": sign_in_address(request)})
    view = _error_view(error)
    visit = await _visit_in_trouble(request)
    response = await visit.page(view, status=view.status)
    if view.status == 503:
        response.headers["retry-after"] = "30"
    if isinstance(error, HTTPException):
        response.headers.update(error.headers or {})
    return response


async def _visit_in_trouble(request: Request) -> Visit:
    """The visit as far as it can be known: with the database gone, nobody is signed in."""
    try:
        return await visit_of(request)
    except Exception:  # that is the trouble
        known = getattr(request.state, "visit", None)
        return known if isinstance(known, Visit) else Visit(request, request.app.state.pages)


_REFUSALS: Sequence[tuple[type[Refusal], int]] = ((NotFound, 404), (Forbidden, 403), (NothingOffered, 409))


def _error_view(error: Exception) -> ErrorView:
    if isinstance(error, NotSignedIn):
        return ErrorView(401)
    if isinstance(error, CsrfRefused):
        return ErrorView(403, str(error))
    if isinstance(error, MayNot):
        return ErrorView(403)
    if isinstance(error, NotAllowed):
        return ErrorView(409, allowed=error.allowed)
    if isinstance(error, Refusal):
        status = next((code for kind, code in _REFUSALS if isinstance(error, kind)), 400)
        return ErrorView(status, error.detail)
    if isinstance(error, InDoubt):
        return ErrorView(
            503, "It is not known whether what you sent was saved. Look before you send it again."
        )
    if isinstance(error, DatabaseUnavailable | NoService):
        return ErrorView(503)
    if isinstance(error, HTTPException):
        return ErrorView(error.status_code)
    if isinstance(error, RequestValidationError):
        return ErrorView(404)  # pages read their own forms: only an address can be wrong here
    return ErrorView(500)
