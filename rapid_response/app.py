"""The composition root, second half: the web side of a service that is assembled, and both together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response

from rapid_response import __version__
from rapid_response.access.keys import KeyRing
from rapid_response.api import board, description, health, incidents, metrics, reports, responders, rota
from rapid_response.api.context import Context
from rapid_response.api.limits import BodyLimit
from rapid_response.api.problems import EXPECTED, for_exception
from rapid_response.assembly import Parts, assemble, living, secret
from rapid_response.caretaker import Caretaker
from rapid_response.console import pages
from rapid_response.core.clock import Clock
from rapid_response.core.ids import Ids
from rapid_response.intake.reading.port import Reader
from rapid_response.messaging.gateway import Gateway
from rapid_response.settings import Settings
from rapid_response.simulator import api as simulator
from rapid_response.simulator.network import SimulatedNetwork
from rapid_response.steps.desk import Desk
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable, suspect_damage
from rapid_response.webhooks import twilio
from rapid_response.webhooks.signature import WebhookRefused
from rapid_response.worker.worker import Worker

logger = structlog.get_logger("app")


@dataclass(frozen=True, slots=True)
class App:
    """The whole service, ready to be served."""

    asgi: FastAPI
    database: Database
    desk: Desk
    worker: Worker
    gateway: Gateway
    #: The simulated network; None where messages go out for real.
    simulated: SimulatedNetwork | None
    caretaker: Caretaker

    @property
    def network(self) -> SimulatedNetwork:
        """The simulated network, which there is only with MESSAGES=simulator."""
        if self.simulated is None:
            raise LookupError("messages go out for real: there is no simulated network")
        return self.simulated


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    reader: Reader | None = None,
    works: bool = True,
) -> App:
    """Make the service, whose web side sets it to work. With `works` False its worker is driven by tests."""
    parts = assemble(settings, clock=clock, ids=ids, reader=reader)
    asgi = web(parts, settings, lifespan=lambda _: living(parts, works=works))
    carrier = parts.carrier
    carrier.connect(asgi)
    return App(
        asgi, parts.database, parts.desk, parts.worker, carrier.gateway, carrier.simulated, parts.caretaker
    )


def web(
    parts: Parts,
    settings: Settings,
    *,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
) -> FastAPI:
    """What people and machines ask. Without a `lifespan`, somebody else sets the service to work."""
    asgi = FastAPI(
        title="rapid_response",
        version=__version__,
        openapi_url=description.PATH if settings.evaluation else None,
        docs_url="/docs" if settings.evaluation else None,
        redoc_url=None,
        lifespan=lifespan,
    )
    asgi.openapi = partial(description.describe, asgi)  # type: ignore[method-assign]
    carrier = parts.carrier
    asgi.state.context = Context(
        database=parts.database,
        desk=parts.desk,
        keys=KeyRing(parts.database),
        node=parts.node,
        known=parts.known,
        metrics_token=secret(settings.metrics_token),
    )
    asgi.state.hooks = twilio.Hooks(parts.database, parts.desk, carrier.verifier, carrier.fragment)
    _add_routes(asgi, parts, settings)
    return asgi


def _add_routes(asgi: FastAPI, parts: Parts, settings: Settings) -> None:
    simulated = parts.carrier.simulated
    for part in (reports, board, incidents, responders, rota, health, metrics, twilio):
        # As they are: `include_router` would make each route of them once more, two milliseconds each.
        asgi.router.routes.extend(part.router.routes)
    if not settings.evaluation:
        asgi.router.routes.extend(description.router.routes)
    asgi.add_middleware(BodyLimit)
    # Before the simulator's calls: the forms of its page go to the same addresses.
    pages.add_pages(
        asgi,
        settings_of_pages(settings),
        database=parts.database,
        desk=parts.desk,
        network=simulated,
        node=parts.node,
        known=parts.known,
    )
    if simulated is not None:
        asgi.state.simulated = simulated
        asgi.router.routes.extend(simulator.router.routes)
    asgi.add_exception_handler(WebhookRefused, twilio.refused)
    asgi.add_exception_handler(twilio.Hold, twilio.please_hold)
    # Each by its own name: what is only caught as `Exception` is logged as a fault and raised again.
    for kind in EXPECTED:
        asgi.add_exception_handler(kind, _failed)
    asgi.add_exception_handler(Exception, _failed)


def settings_of_pages(settings: Settings) -> pages.PageSettings:
    """What the pages need of the settings."""
    return pages.PageSettings(
        base_url=settings.base_url,
        secret_key=settings.signing_key(),
        previous_key=settings.previous_signing_key(),
        is_evaluation=settings.evaluation,
        is_simulated=not settings.has_real_provider,
        clock_speed=settings.clock_speed,
        erases=settings.erase_when_due,
    )


async def _failed(request: Request, error: Exception) -> Response:
    if isinstance(error, DatabaseUnavailable):
        logger.error("database_unavailable", error=type(error).__name__, **error.for_log())
    suspect_damage(request.app.state.context.node.pulse, error)
    if pages.is_page(request):
        return await pages.failed(request, error)
    return for_exception(error, hotline=request.app.state.context.known.hotline)
