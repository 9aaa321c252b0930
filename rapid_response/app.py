"""The composition root: everything is made here, from settings, once, and handed to whoever needs it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response

from rapid_response import __version__
from rapid_response.access.keys import KeyRing
from rapid_response.api import board, health, incidents, metrics, reports, responders
from rapid_response.api.context import Context
from rapid_response.api.limits import BodyLimit
from rapid_response.api.problems import EXPECTED, for_exception
from rapid_response.audit.readiness import Node
from rapid_response.audit.sheet import beside, new_serial, read_sheet, save, to_html
from rapid_response.caretaker import Caretaker
from rapid_response.console import pages
from rapid_response.core.clock import Clock, SystemClock
from rapid_response.core.ids import Ids, SystemIds
from rapid_response.core.pulse import Pulse
from rapid_response.intake.reading import default_reader
from rapid_response.intake.reading.port import Reader
from rapid_response.messaging.signs_of_life import SignsOfLife
from rapid_response.messaging.simulated import SimulatorGateway
from rapid_response.settings import Settings
from rapid_response.simulator.api import simulator_router
from rapid_response.simulator.line import AsgiLine
from rapid_response.simulator.network import SimulatedNetwork
from rapid_response.steps.desk import Desk
from rapid_response.steps.service import LastKnown
from rapid_response.storage import clock_mark
from rapid_response.storage.database import Database
from rapid_response.webhooks import twilio
from rapid_response.webhooks.signature import HEADER, Verifier, WebhookRefused, sign
from rapid_response.wiring import HANDLERS, SUBSCRIPTIONS
from rapid_response.worker import Worker, clock_offset

logger = structlog.get_logger("app")


@dataclass(frozen=True, slots=True)
class App:
    """The whole service, ready to be served."""

    asgi: FastAPI
    database: Database
    desk: Desk
    worker: Worker
    network: SimulatedNetwork
    caretaker: Caretaker


def open_database(settings: Settings, clock: Clock | None = None, ids: Ids | None = None) -> Database:
    """The database of these settings, with the clock and ids of a live service unless others are given."""
    return Database(
        settings.database_url,
        clock=clock or SystemClock(settings.clock_speed),
        ids=ids or SystemIds(),
        subscriptions=SUBSCRIPTIONS,
    )


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    reader: Reader | None = None,
    works: bool = True,
) -> App:
    """Make the service. With `works` False its worker does nothing by itself: tests drive it."""
    database = open_database(settings, clock, ids)
    desk = Desk(
        zone=settings.time_zone,
        reader=reader or default_reader(),
        base_url=settings.base_url,
        sms_links=settings.sms_links,
    )
    # Made anew at each start, and known to nobody but the simulated network and our own webhooks.
    signing_token = secrets.token_hex(16)
    asgi = FastAPI(
        title="rapid_response",
        version=__version__,
        openapi_url="/openapi.json" if settings.evaluation else None,
        docs_url="/docs" if settings.evaluation else None,
        redoc_url=None,
        lifespan=lambda asgi: _life(asgi.state.app, works),
    )
    line = AsgiLine(settings.base_url, partial(sign, token=signing_token), HEADER)
    line.connect(asgi)
    network = SimulatedNetwork(database, database.ids, settings.simulator_number, line)
    pulse = Pulse()
    node = Node(secrets.token_hex(8), database.clock, pulse, settings.sqlite_path)
    known = LastKnown()
    caretaker = _caretaker(settings, database, desk, node, known)
    worker = Worker(
        database,
        desk,
        SimulatorGateway(network),
        HANDLERS,
        node=node.id,
        pulse=pulse,
        caretaker=caretaker,
        pump=network.pump,
    )
    app = App(asgi, database, desk, worker, network, caretaker)
    asgi.state.context = Context(
        database=database,
        desk=desk,
        keys=KeyRing(database),
        node=node,
        known=known,
        metrics_token=settings.metrics_token.get_secret_value() if settings.metrics_token else None,
    )
    asgi.state.hooks = twilio.Hooks(
        database, desk, Verifier(settings.base_url, [signing_token], network.account_sid)
    )
    asgi.state.app = app
    _add_routes(app, settings)
    return app


def _caretaker(settings: Settings, database: Database, desk: Desk, node: Node, known: LastKnown) -> Caretaker:
    url = settings.heartbeat_url
    return Caretaker(
        database,
        desk,
        node,
        known,
        signs_of_life=SignsOfLife(url.get_secret_value()) if url is not None else None,
        save_sheet=partial(_save_sheet, database, desk) if database.is_sqlite else None,
    )


async def _save_sheet(database: Database, desk: Desk) -> None:
    """What is open, as far as it can still be read, beside a database that was found damaged."""
    now = database.clock.now()
    serial = new_serial(database.ids, now, desk.zone)
    try:
        sheet = await database.look(lambda c: read_sheet(c, now, desk.zone, serial, with_addresses=True))
        save(beside(database.path), to_html(sheet))
    except Exception as error:  # whatever is broken in it: the alarm is out already
        logger.error("sheet_not_saved", error=type(error).__name__)


def _add_routes(app: App, settings: Settings) -> None:
    asgi = app.asgi
    for part in (reports, board, incidents, responders, health, metrics, twilio):
        asgi.include_router(part.router)
    asgi.add_middleware(BodyLimit)
    # Before the simulator's calls: the forms of its page go to the same addresses.
    pages.add_pages(
        asgi,
        settings_of_pages(settings),
        database=app.database,
        desk=app.desk,
        network=app.network,
        node=asgi.state.context.node,
        known=asgi.state.context.known,
    )
    if not settings.has_real_provider:
        asgi.include_router(simulator_router(app.network, guard=_anybody))
    asgi.add_exception_handler(WebhookRefused, twilio.refused)
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
    )


def _anybody() -> None:
    """The simulated telephone network is public: whoever can ring the hotline can ring this one."""


async def _failed(request: Request, error: Exception) -> Response:
    if pages.is_page(request):
        return await pages.failed(request, error)
    return for_exception(error, hotline=request.app.state.context.known.hotline)


@asynccontextmanager
async def _life(app: App, works: bool) -> AsyncIterator[None]:
    database = app.database
    database.claim_serving()
    clock = database.clock
    if isinstance(clock, SystemClock):
        clock.set_offset(clock_offset(database, clock))
        await clock_mark.restore(database, clock)
    await app.caretaker.remember_service()
    if works:
        await app.worker.start()
    try:
        yield
    finally:
        if works:
            await app.worker.stop()
        await database.close()
