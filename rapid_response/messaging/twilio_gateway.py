"""The gateway to Twilio. The package is imported here alone, and only when Twilio is chosen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from rapid_response.core.clock import Clock, is_reached, lead_of
from rapid_response.messaging import twilio_answers as answers
from rapid_response.messaging.connections import Network, Timing
from rapid_response.messaging.gateway import (
    CallRequest,
    CannotAsk,
    InboundRecord,
    Rejected,
    SendOutcome,
    SentRecord,
    TextRequest,
)
from rapid_response.messaging.twilio_transport import TwilioTransport, exchanging, their_time

T = TypeVar("T")

WEBHOOKS = "/webhooks/twilio"
DEFAULT_FRAGMENT = "rc=3&rp=all&ct=3000&rt=5000"
_API = "https://api.twilio.com"
CALL_EVENTS = ("initiated", "ringing", "answered", "completed")
#: What Twilio allows; less than 6 s is advised against.
_SHORTEST_SECONDS, _LONGEST_SECONDS = 6, 36_000
_PAGE = 100
#: A list longer than this is not read to its end, and so settles nothing.
_MOST_PAGES = 100
#: How long a service's list of numbers is believed, and how soon a failed look is repeated.
_POOL_FRESH_FOR, _POOL_AGAIN_AFTER = timedelta(hours=1), timedelta(minutes=1)
#: Clocks that differ by less are one: an answer takes its time, and the time in it has no fractions.
_ONE_CLOCK = timedelta(seconds=5)
#: The package reads these from the environment, silently, unless it is given some environment.
_NO_ENVIRONMENT = {"rapid_response": "gives everything itself"}
#: Libraries that write addresses, and with them phone numbers, into their log.
_TALKATIVE = ("twilio", "aiohttp")


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """What the settings say of the account. Without an API key its auth token signs in."""

    account_sid: str
    auth_token: str = field(repr=False)
    base_url: str
    from_number: str | None = None
    messaging_service_sid: str | None = None
    voice_from: str | None = None
    api_key_sid: str | None = None
    api_key_secret: str | None = field(default=None, repr=False)
    region: str | None = None
    edge: str | None = None
    api_base_url: str | None = None
    callback_fragment: str = DEFAULT_FRAGMENT
    timing: Timing = field(default_factory=Timing)

    @property
    def caller(self) -> str | None:
        """The number that calls come from; a short code cannot call."""
        return self.voice_from or (self.from_number if is_full_number(self.from_number) else None)

    def webhook(self, path: str) -> str:
        """The public address of one of our webhooks."""
        return f"{self.base_url.rstrip('/')}{WEBHOOKS}{path}"

    def callback(self, path: str, token: str) -> str:
        """The same for one attempt; the fragment tells Twilio how often to try, and is not sent."""
        fragment = f"#{self.callback_fragment}" if self.callback_fragment else ""
        return f"{self.webhook(path)}?a={quote(token, safe='')}{fragment}"


def is_full_number(number: str | None) -> bool:
    """Whether it is a number in full, not a short code."""
    return number is not None and number.startswith("+")


class TwilioGateway:
    """Carries texts and calls over Twilio; asks it, and never asks twice by itself."""

    name = "twilio"

    def __init__(
        self,
        account: TwilioAccount,
        clock: Clock,
        *,
        is_logged: bool = True,
        network: Network | None = None,
    ) -> None:
        from twilio.rest import Client

        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        self.account = account
        self.clock = clock
        self._transport = TwilioTransport(
            clock,
            account.timing,
            api_base_url=account.api_base_url,
            is_logged=is_logged,
            network=network,
        )

        def client(name: str, secret: str) -> Any:
            return Client(
                name,
                secret,
                account.account_sid,
                region=account.region,
                edge=account.edge,
                http_client=self._transport,
                environment=_NO_ENVIRONMENT,
            )

        #: Signed in as the account itself: who signs the webhooks.
        self.owner = client(account.account_sid, account.auth_token)
        self.client = (
            client(account.api_key_sid, account.api_key_secret or "") if account.api_key_sid else self.owner
        )
        self._pool: tuple[str, ...] = ()
        self._look_at_pool_from: datetime | None = None
        self._learning: asyncio.Task[None] | None = None

    @property
    def our_numbers(self) -> tuple[str, ...]:
        """What we send from and receive on; a Messaging Service's numbers once it has told them."""
        own = (self.account.from_number, self.account.voice_from, *self._pool)
        return tuple(dict.fromkeys(number for number in own if number))

    @property
    def host(self) -> str:
        """Where requests go: the region's host needs its edge, without which it is a dead name."""
        instead = self.account.api_base_url
        return urlsplit(instead or self.client.get_hostname(_API)).netloc

    # sending

    async def send_text(self, request: TextRequest) -> SendOutcome:
        """Hand one text over, once."""
        self._learn_pool()
        seconds = int(request.validity.total_seconds())
        sender = (
            {"messaging_service_sid": self.account.messaging_service_sid}
            if self.account.messaging_service_sid
            else {"from_": self.account.from_number}
        )
        return await self._hand_over(
            lambda: self.client.messages.create_async(
                to=request.to_number,
                body=request.body,
                status_callback=self.account.callback("/sms/status", request.token),
                validity_period=max(_SHORTEST_SECONDS, min(seconds, _LONGEST_SECONDS)),
                # What we log is what is sent: texts are kept within the alphabet before they come here.
                smart_encoded=False,
                **sender,
            )
        )

    async def place_call(self, request: CallRequest) -> SendOutcome:
        """Start one call, once. Without a number to call from nothing is asked."""
        if self.account.caller is None:
            return Rejected("sender")
        return await self._hand_over(
            lambda: self.client.calls.create_async(
                to=request.to_number,
                from_=self.account.caller,
                # Asked for when she answers: by then the job may be somebody else's.
                url=self.account.callback("/voice/offer", request.token),
                method="POST",
                status_callback=self.account.callback("/voice/status", request.token),
                status_callback_method="POST",
                status_callback_event=list(CALL_EVENTS),
                timeout=max(5, int(request.ring_for.total_seconds())),
            )
        )

    async def _hand_over(self, create: Callable[[], Awaitable[Any]]) -> SendOutcome:
        with exchanging() as exchange:
            try:
                created = await create()
            except Exception as error:  # no exception of the provider's crosses the port
                return answers.refused(error, exchange)
            return answers.taken(created, exchange)

    # asking

    async def find_sent(self, to_number: str, since: datetime) -> list[SentRecord]:
        """The texts sent to a number lately, newest first.

        `since` and their times are ours, also while our clock is ahead or behind: a text that was not found
        for that would be sent once more.
        """
        self._learn_pool()
        # A service picks the sender; one number of ours is the sender.
        sender = {} if self.account.messaging_service_sid else {"from_": self.account.from_number}

        async def read() -> list[SentRecord]:
            found = await self._pages(lambda: since - self._ahead(), to=to_number, **sender)
            return [self._sent(one, self._ahead()) for one in found if _is_ours(one)]

        return await self.ask(read)

    async def list_inbound(self, to_number: str, since: datetime) -> list[InboundRecord]:
        """Every text to one of our numbers since then, newest first."""
        self._learn_pool()
        lead = self._lead()
        found = await self.ask(lambda: self._pages(lambda: since - lead, to=to_number))
        return [
            InboundRecord(
                one.sid,
                one.from_ or "",
                one.to or "",
                one.body or "",
                _when(one) + lead,
                has_media=(one.num_media or "0") != "0",
            )
            for one in found
            if one.direction == "inbound"
        ]

    async def fetch(self, sid: str) -> SentRecord | None:
        """One text or call of ours; None when Twilio has none."""
        self._learn_pool()
        if answers.SID.fullmatch(sid) is None:  # it becomes part of an address
            return None
        kind = self.client.calls if sid.startswith("CA") else self.client.messages

        async def read() -> SentRecord | None:
            one = await kind(sid).fetch_async()
            return self._sent(one, self._lead()) if _is_ours(one) else None

        return await self.ask_for(read)

    async def blank(self, sid: str) -> None:
        """See that Twilio keeps no words of a text, ours or to us."""
        if answers.SID.fullmatch(sid) is not None:  # it becomes part of an address
            await self.ask_for(lambda: self.client.messages(sid).update_async(body=""))

    async def erase(self, sid: str) -> None:
        """See that Twilio keeps nothing of a recording, or of its transcript."""
        kept = {"RE": self.client.recordings, "TR": self.client.transcriptions}.get(sid[:2])
        if kept is not None and answers.SID.fullmatch(sid) is not None:  # it becomes part of an address
            await self.ask_for(lambda: kept(sid).delete_async())

    async def check(self) -> list[str]:
        """What would break the promise."""
        from rapid_response.messaging.twilio_check import check

        return await check(self)

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Ask something. Raises CannotAsk."""
        with exchanging() as exchange:
            try:
                return await question()
            except Exception as error:  # no exception of the provider's crosses the port
                raise answers.unasked(error, exchange) from error

    async def ask_for(self, question: Callable[[], Awaitable[T]]) -> T | None:
        """Ask for one thing; None when Twilio says that there is none. Raises CannotAsk."""
        with exchanging() as exchange:
            try:
                return await question()
            except Exception as error:  # no exception of the provider's crosses the port
                if answers.is_absent(error, exchange):
                    return None
                raise answers.unasked(error, exchange) from error

    async def _pages(self, since: Callable[[], datetime], **query: Any) -> list[Any]:
        """The messages since a moment of theirs, page after page until they are older.

        `since` is asked once the first page is here, whose answer tells what time it is there.
        """
        found: list[Any] = []
        page = await self.client.messages.page_async(page_size=_PAGE, **query)
        # Twilio's times have no fractions, and its own date filter knows only what was sent already.
        oldest = since().replace(microsecond=0)
        for _ in range(_MOST_PAGES):
            records = list(page)
            recent = [one for one in records if _when(one) >= oldest]
            found += recent
            if not recent:
                return found
            page = await page.next_page_async()
            if page is None:
                return found
        raise ValueError("the list does not end")

    def _learn_pool(self) -> None:
        """Look at the numbers of the Messaging Service once an hour, beside whatever goes on."""
        if self.account.messaging_service_sid is None:
            return
        now = self.clock.real()
        look_from = self._look_at_pool_from
        if look_from is None or is_reached(look_from, now, _POOL_FRESH_FOR):
            self._look_at_pool_from = now + _POOL_AGAIN_AFTER
            self._learning = asyncio.create_task(self._try_to_learn())

    async def _try_to_learn(self) -> None:
        # Not known is as before; it is looked at again, and `check` says so.
        with suppress(CannotAsk):
            await self.read_pool()

    async def read_pool(self) -> tuple[str, ...]:
        """The numbers of the Messaging Service as Twilio knows them now. Raises CannotAsk."""
        service = self.client.messaging.v1.services(self.account.messaging_service_sid)
        listed = await self.ask(lambda: service.phone_numbers.list_async(limit=1000))
        self._pool = tuple(one.phone_number for one in listed if one.phone_number)
        self._look_at_pool_from = self.clock.real() + _POOL_FRESH_FOR
        return self._pool

    def _sent(self, one: Any, ahead: timedelta) -> SentRecord:
        return SentRecord(
            one.sid,
            one.to or "",
            getattr(one, "body", None) or "",
            one.status or "",
            _created(one) + ahead,
            answers.code_of(getattr(one, "error_code", None)),
        )

    def _lead(self) -> timedelta:
        """How far domain time is ahead of real time: nothing, unless somebody allowed a fast clock."""
        return self.clock.now() - self.clock.real()

    def _ahead(self) -> timedelta:
        """How far domain time is ahead of Twilio's, as far as is known."""
        theirs = their_time()
        apart = lead_of(self.clock) if theirs is None else self.clock.real() - theirs
        return self._lead() + (apart if abs(apart) > _ONE_CLOCK else timedelta())

    async def aclose(self) -> None:
        """Let go of connections."""
        if self._learning is not None:
            self._learning.cancel()
        await self._transport.aclose()


def _is_ours(one: Any) -> bool:
    return str(one.direction or "").startswith("outbound")


def _created(one: Any) -> datetime:
    # Passed over, such a message would look as if there were none.
    if not isinstance(one.date_created, datetime):
        raise ValueError("a message without a date that can be read")
    return one.date_created


def _when(one: Any) -> datetime:
    """When a text was sent; one that is still queued has only the time at which it was taken."""
    created = _created(one)
    return one.date_sent if isinstance(one.date_sent, datetime) else created
