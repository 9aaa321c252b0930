"""The composition root: everything is made here, from settings, once, and handed to whoever needs it."""

from __future__ import annotations

import asyncio
import gc
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import SecretStr

from rapid_response import __version__
from rapid_response.access.keys import KeyRing
from rapid_response.access.signing import Signer
from rapid_response.api import board, health, incidents, metrics, reports, responders, rota
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
from rapid_response.intake.reading.knowledge import shipped_knowledge
from rapid_response.intake.reading.port import Reader
from rapid_response.intake.second.endpoint import Endpoint
from rapid_response.messaging.gateway import Gateway
from rapid_response.messaging.signs_of_life import SignsOfLife
from rapid_response.messaging.simulated import SimulatorGateway
from rapid_response.messaging.smtp import Account, Security, SmtpMailer
from rapid_response.places.online import Online
from rapid_response.places.table import shipped_table
from rapid_response.settings import Settings
from rapid_response.simulator import api as simulator
from rapid_response.simulator.line import AsgiLine
from rapid_response.simulator.network import SimulatedNetwork
from rapid_response.steps.desk import Desk
from rapid_response.steps.service import LastKnown
from rapid_response.storage import clock_mark
from rapid_response.storage.database import Database, DatabaseUnavailable, suspect_damage
from rapid_response.webhooks import twilio
from rapid_response.webhooks.signature import HEADER, Verifier, WebhookRefused, sign
from rapid_response.wiring import HANDLERS, SUBSCRIPTIONS, WITH_SECOND_READER
from rapid_response.worker import Second, Worker, clock_offset

#: How much longer than its time-out a question to the second reader is ours: to mask, to read, to record.
_LEASE_BEYOND = timedelta(seconds=30)

if TYPE_CHECKING:
    from rapid_response.messaging.twilio_gateway import TwilioGateway

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


def open_database(settings: Settings, clock: Clock | None = None, ids: Ids | None = None) -> Database:
    """The database of these settings, with the clock and ids of a live service unless others are given."""
    return Database(
        settings.database_url,
        clock=clock or SystemClock(settings.clock_speed),
        ids=ids or SystemIds(),
        subscriptions=SUBSCRIPTIONS if settings.second_reader_url is None else WITH_SECOND_READER,
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
    asgi = FastAPI(
        title="rapid_response",
        version=__version__,
        openapi_url="/openapi.json" if settings.evaluation else None,
        docs_url="/docs" if settings.evaluation else None,
        redoc_url=None,
        lifespan=lambda asgi: _life(asgi.state.app, works),
    )
    carrier = (
        _twilio(settings, database) if settings.has_real_provider else _simulator(settings, database, asgi)
    )
    desk = Desk(
        zone=settings.time_zone,
        reader=reader or default_reader(),
        base_url=settings.base_url,
        signer=Signer(settings.signing_key(), settings.previous_signing_key()),
        sms_links=settings.sms_links,
        provider=settings.messages,
        texts_per_second=settings.texts_per_second,
        texts_a_day=settings.sms_daily_alarm,
        our_numbers=carrier.gateway.our_numbers,
        asks_online=settings.place_lookup_url is not None,
        mails=settings.smtp_host is not None,
    )
    pulse, known = Pulse(), LastKnown()
    node = Node(secrets.token_hex(8), database.clock, pulse, settings.sqlite_path)
    caretaker = _caretaker(settings, database, desk, node, known)
    worker = Worker(
        database,
        desk,
        carrier.gateway,
        HANDLERS,
        node=node.id,
        pulse=pulse,
        caretaker=caretaker,
        line=carrier.simulated,
        second_reader=second_reader(settings),
        online=Online(settings.place_lookup_url) if settings.place_lookup_url else None,
        mailer=mailer(settings, database.clock),
        in_flight=settings.twilio_concurrency if settings.has_real_provider else 8,
        blank_after=settings.redact_after if settings.has_real_provider else None,
        erase_after=settings.delete_recordings_after if settings.has_real_provider else None,
    )
    app = App(asgi, database, desk, worker, carrier.gateway, carrier.simulated, caretaker)
    asgi.state.context = Context(
        database=database,
        desk=desk,
        keys=KeyRing(database),
        node=node,
        known=known,
        metrics_token=_secret(settings.metrics_token),
    )
    asgi.state.hooks = twilio.Hooks(database, desk, carrier.verifier, carrier.fragment)
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
        erases=settings.erase_when_due,
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


def second_reader(settings: Settings) -> Second | None:
    """The council's own model, if one is set; without it nothing that could reach it is built."""
    if settings.second_reader_url is None or settings.second_reader_model is None:
        return None
    return Second(
        Endpoint(
            settings.second_reader_url,
            settings.second_reader_model,
            _secret(settings.second_reader_key),
            settings.second_reader_timeout,
        ),
        settings.second_reader_per_day,
        timedelta(seconds=settings.second_reader_timeout) + _LEASE_BEYOND,
    )


def mailer(settings: Settings, clock: Clock) -> SmtpMailer | None:
    """The desk's mailbox, if one is set; without it nothing that could reach a mail server is built."""
    if settings.smtp_host is None or settings.smtp_from is None or settings.smtp_to is None:
        return None
    account = Account(
        settings.smtp_host,
        settings.smtp_port,
        Security(settings.smtp_security),
        settings.smtp_from,
        settings.smtp_to,
        settings.smtp_username,
        _secret(settings.smtp_password),
    )
    return SmtpMailer(account, clock)


@dataclass(frozen=True, slots=True)
class _Carrier:
    """Who carries our messages, and how webhooks prove that they come from there."""

    gateway: Gateway
    verifier: Verifier
    simulated: SimulatedNetwork | None = None
    #: How often to try a webhook that a document names.
    fragment: str = ""


def _simulator(settings: Settings, database: Database, asgi: FastAPI) -> _Carrier:
    """The simulated network. Nothing that could reach another machine is made beside it."""
    # Made anew at each start, and known to nobody but the network and our own webhooks.
    token = secrets.token_hex(16)
    line = AsgiLine(settings.base_url, partial(sign, token=token), HEADER)
    line.connect(asgi)
    network = SimulatedNetwork(database, database.ids, settings.simulator_number, line)
    return _Carrier(
        SimulatorGateway(network), Verifier(settings.base_url, [token], network.account_sid), network
    )


def _twilio(settings: Settings, database: Database) -> _Carrier:
    gateway = twilio_gateway(settings, database.clock)
    logger.info("provider", kind=gateway.host)
    tokens = (_secret(settings.twilio_auth_token), _secret(settings.twilio_auth_token_previous))
    return _Carrier(
        gateway,
        Verifier(
            settings.base_url,
            [token for token in tokens if token],
            settings.twilio_account_sid or "",
            shared_key=_secret(settings.twilio_webhook_shared_key),
        ),
        fragment=settings.twilio_callback_fragment,
    )


def twilio_gateway(settings: Settings, clock: Clock, *, is_logged: bool = True) -> TwilioGateway:
    """The gateway to Twilio of these settings; its package is loaded here, for whoever uses it."""
    from rapid_response.messaging.twilio_gateway import TwilioAccount
    from rapid_response.messaging.twilio_gateway import TwilioGateway as Made
    from rapid_response.messaging.twilio_transport import Timing

    account = TwilioAccount(
        account_sid=settings.twilio_account_sid or "",
        auth_token=_secret(settings.twilio_auth_token) or "",
        base_url=settings.base_url,
        from_number=settings.twilio_from,
        messaging_service_sid=settings.twilio_messaging_service_sid,
        voice_from=settings.twilio_voice_from,
        api_key_sid=settings.twilio_api_key_sid,
        api_key_secret=_secret(settings.twilio_api_key_secret),
        region=settings.twilio_region,
        edge=settings.twilio_edge,
        api_base_url=settings.twilio_api_base_url,
        callback_fragment=settings.twilio_callback_fragment,
        timing=Timing(
            settings.twilio_connect_timeout, settings.twilio_read_timeout, settings.twilio_concurrency
        ),
    )
    return Made(account, clock, is_logged=is_logged)


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value is not None else None


def _add_routes(app: App, settings: Settings) -> None:
    asgi = app.asgi
    for part in (reports, board, incidents, responders, rota, health, metrics, twilio):
        # As they are: `include_router` would make each route of them once more, two milliseconds each.
        asgi.router.routes.extend(part.router.routes)
    asgi.add_middleware(BodyLimit)
    # Before the simulator's calls: the forms of its page go to the same addresses.
    pages.add_pages(
        asgi,
        settings_of_pages(settings),
        database=app.database,
        desk=app.desk,
        network=app.simulated,
        node=asgi.state.context.node,
        known=asgi.state.context.known,
    )
    if app.simulated is not None:
        asgi.state.simulated = app.simulated
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


@asynccontextmanager
async def _life(app: App, works: bool) -> AsyncIterator[None]:
    database = app.database
    database.claim_serving()
    clock = database.clock
    if isinstance(clock, SystemClock):
        clock.set_offset(clock_offset(database, clock))
        await clock_mark.restore(database, clock)
    await app.caretaker.remember_service()
    beside: list[asyncio.Task[None]] = []
    if works:
        if app.simulated is None:
            beside.append(asyncio.create_task(_examine_provider(app)))
        # What fell due while nobody served comes first; then what the first caller would wait for.
        await app.worker.start()
        beside.append(asyncio.create_task(_make_ready()))
    try:
        yield
    finally:
        if works:
            await app.worker.stop()
        await app.worker.close()
        for task in beside:
            task.cancel()
        await app.gateway.aclose()
        await database.close()


async def _make_ready() -> None:
    """Load what the first reports would wait for, some half a second of work."""
    for load in (shipped_knowledge, shipped_table):
        await asyncio.to_thread(load)
    # All of it stays: it need not be looked through for what is gone.
    gc.freeze()


async def _examine_provider(app: App) -> None:
    """Ask the provider, once and beside the work, what would break the promise; `doctor` says it in full."""
    found = await app.gateway.check()
    if found:
        logger.error("provider_not_ready", count=len(found), reason="run rapid-response doctor")
    else:
        logger.info("provider_ready")
