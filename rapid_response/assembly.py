"""The composition root, first half: the service as it works, without its web side.

Everything is made here, from settings, once, and handed to whoever needs it. What fell due while nobody
served does not wait until pages can be shown: the web side (:mod:`rapid_response.app`) is loaded beside that.
"""

from __future__ import annotations

import asyncio
import gc
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr

from rapid_response.access.signing import Signer
from rapid_response.audit.readiness import Node
from rapid_response.audit.sheet import rescue
from rapid_response.caretaker import Caretaker
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
from rapid_response.simulator.line import App, AsgiLine
from rapid_response.simulator.network import SimulatedNetwork
from rapid_response.steps.desk import Desk
from rapid_response.steps.service import LastKnown
from rapid_response.storage import clock_mark
from rapid_response.storage.database import Database
from rapid_response.webhooks.signature import HEADER, Verifier, sign
from rapid_response.wiring import HANDLERS, SUBSCRIPTIONS, WITH_SECOND_READER
from rapid_response.worker.second import Second
from rapid_response.worker.worker import Worker

if TYPE_CHECKING:
    from rapid_response.messaging.twilio_gateway import TwilioGateway

#: How much longer than its time-out a question to the second reader is ours: to mask, to read, to record.
_LEASE_BEYOND = timedelta(seconds=30)
#: So many seconds what is overdue at the start is given Python for itself.
_CATCHES_UP_WITHIN = 10.0

logger = structlog.get_logger("app")


@dataclass(frozen=True, slots=True)
class Carrier:
    """Who carries our messages, and how webhooks prove that they come from there."""

    gateway: Gateway
    verifier: Verifier
    #: The simulated network, and its line to our webhooks; None where messages go out for real.
    simulated: SimulatedNetwork | None = None
    line: AsgiLine | None = None
    #: How often to try a webhook that a document names.
    fragment: str = ""

    def connect(self, web: App) -> None:
        """Give the simulated network its line to our webhooks, once they are loaded."""
        if self.line is not None:
            self.line.connect(web)


@dataclass(frozen=True, slots=True)
class Parts:
    """The service as it works: whatever its web side needs is made already."""

    database: Database
    desk: Desk
    worker: Worker
    carrier: Carrier
    caretaker: Caretaker
    node: Node
    known: LastKnown


def open_database(settings: Settings, clock: Clock | None = None, ids: Ids | None = None) -> Database:
    """The database of these settings, with the clock and ids of a live service unless others are given."""
    return Database(
        settings.database_url,
        clock=clock or SystemClock(settings.clock_speed),
        ids=ids or SystemIds(),
        subscriptions=SUBSCRIPTIONS if settings.second_reader_url is None else WITH_SECOND_READER,
    )


def assemble(
    settings: Settings, *, clock: Clock | None = None, ids: Ids | None = None, reader: Reader | None = None
) -> Parts:
    """Make all that works; :func:`living` sets it to work."""
    database = open_database(settings, clock, ids)
    carrier = _twilio(settings, database) if settings.has_real_provider else _simulator(settings, database)
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
    return Parts(database, desk, worker, carrier, caretaker, node, known)


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
    try:
        await asyncio.to_thread(rescue, database, desk.zone)
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
            secret(settings.second_reader_key),
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
        secret(settings.smtp_password),
    )
    return SmtpMailer(account, clock)


def _simulator(settings: Settings, database: Database) -> Carrier:
    """The simulated network. Nothing that could reach another machine is made beside it."""
    # Made anew at each start, and known to nobody but the network and our own webhooks.
    token = secrets.token_hex(16)
    line = AsgiLine(settings.base_url, partial(sign, token=token), HEADER)
    network = SimulatedNetwork(database, database.ids, settings.simulator_number, line)
    return Carrier(
        SimulatorGateway(network), Verifier(settings.base_url, [token], network.account_sid), network, line
    )


def _twilio(settings: Settings, database: Database) -> Carrier:
    gateway = twilio_gateway(settings, database.clock)
    logger.info("provider", kind=gateway.host)
    tokens = (secret(settings.twilio_auth_token), secret(settings.twilio_auth_token_previous))
    return Carrier(
        gateway,
        Verifier(
            settings.base_url,
            [token for token in tokens if token],
            settings.twilio_account_sid or "",
            shared_key=secret(settings.twilio_webhook_shared_key),
        ),
        fragment=settings.twilio_callback_fragment,
    )


def twilio_gateway(settings: Settings, clock: Clock, *, is_logged: bool = True) -> TwilioGateway:
    """The gateway to Twilio of these settings; its package is loaded here, for whoever uses it."""
    from rapid_response.messaging.connections import Timing
    from rapid_response.messaging.twilio_gateway import TwilioAccount
    from rapid_response.messaging.twilio_gateway import TwilioGateway as Made

    account = TwilioAccount(
        account_sid=settings.twilio_account_sid or "",
        auth_token=secret(settings.twilio_auth_token) or "",
        base_url=settings.base_url,
        from_number=settings.twilio_from,
        messaging_service_sid=settings.twilio_messaging_service_sid,
        voice_from=settings.twilio_voice_from,
        api_key_sid=settings.twilio_api_key_sid,
        api_key_secret=secret(settings.twilio_api_key_secret),
        region=settings.twilio_region,
        edge=settings.twilio_edge,
        api_base_url=settings.twilio_api_base_url,
        callback_fragment=settings.twilio_callback_fragment,
        timing=Timing(
            settings.twilio_connect_timeout, settings.twilio_read_timeout, settings.twilio_concurrency
        ),
    )
    return Made(account, clock, is_logged=is_logged)


def secret(value: SecretStr | None) -> str | None:
    """Its words, for whoever has to say them."""
    return value.get_secret_value() if value is not None else None


@asynccontextmanager
async def living(parts: Parts, *, works: bool = True) -> AsyncIterator[None]:
    """At work in here, and ended after it. With `works` False its worker does nothing by itself."""
    database = parts.database
    database.claim_serving()
    clock = database.clock
    if isinstance(clock, SystemClock):
        clock.set_offset(database.clock_offset() + clock.offset)
        await clock_mark.restore(database, clock)
    await parts.caretaker.remember_service()
    beside: list[asyncio.Task[None]] = []
    if works:
        if parts.carrier.simulated is None:
            beside.append(asyncio.create_task(_examine_provider(parts.carrier.gateway)))
        await parts.worker.start()
        beside.append(asyncio.create_task(_make_ready(parts.worker)))
    try:
        yield
    finally:
        if works:
            await parts.worker.stop()
        await parts.worker.close()
        for task in beside:
            task.cancel()
        await parts.carrier.gateway.aclose()
        await database.close()


async def _make_ready(worker: Worker) -> None:
    """Load what the first reports would wait for: after what is overdue."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_CATCHES_UP_WITHIN):
            await worker.ringer.has_caught_up.wait()
    await asyncio.to_thread(load_what_stays)


def load_what_stays() -> None:
    """What the service knows by itself, some half a second of work."""
    shipped_knowledge()
    shipped_table()
    # All of it stays: it need not be looked through for what is gone.
    gc.freeze()


async def _examine_provider(gateway: Gateway) -> None:
    """Ask the provider, once and beside the work, what would break the promise; `doctor` says it in full."""
    found = await gateway.check()
    if found:
        logger.error("provider_not_ready", count=len(found), reason="run rapid-response doctor")
    else:
        logger.info("provider_ready")
