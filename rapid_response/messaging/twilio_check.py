"""What of the account's set-up would break the promise, in sentences that say what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rapid_response.messaging import twilio_answers as answers
from rapid_response.messaging.gateway import CannotAsk
from rapid_response.messaging.twilio_transport import exchanging, is_loopback

if TYPE_CHECKING:
    from rapid_response.messaging.twilio_gateway import TwilioGateway

#: Deadlines are to the second; Twilio's own header has no fractions.
_LARGEST_SKEW = timedelta(seconds=5)
_WHERE = "in Twilio's console"


async def check(gateway: TwilioGateway) -> list[str]:
    """Everything found; what cannot be asked is one sentence, and the rest then is not asked."""
    try:
        return [sentence async for sentence in _findings(gateway)]
    except CannotAsk as error:
        return [_cannot(gateway, error)]


async def _findings(gateway: TwilioGateway) -> AsyncIterator[str]:
    account = gateway.account
    async for sentence in _owner(gateway):
        yield sentence
    if is_loopback(urlsplit(account.base_url).hostname or "") and account.api_base_url is None:
        yield (
            f"Twilio cannot reach {account.base_url}, which is this machine alone: "
            "set RAPID_RESPONSE_BASE_URL to the public https address."
        )
    if account.caller is None:
        yield (
            "There is no number to call from: set RAPID_RESPONSE_TWILIO_VOICE_FROM, "
            "or people are never rung who do not see a text."
        )
    async for sentence in _service(gateway):
        yield sentence
    async for sentence in _numbers(gateway):
        yield sentence


async def _owner(gateway: TwilioGateway) -> AsyncIterator[str]:
    """The account as its auth token sees it: the token that signs the webhooks. And Twilio's clock."""
    account = gateway.account
    with exchanging() as exchange:
        try:
            owner = await gateway.owner.api.v2010.accounts(account.account_sid).fetch_async()
        except Exception as error:  # no exception of the provider's crosses the port
            unasked = answers.unasked(error, exchange)
            if not account.api_key_sid or unasked.error_class != "account":
                raise unasked from error
            yield (
                "Twilio does not accept the auth token, by which webhooks are checked: correct "
                "RAPID_RESPONSE_TWILIO_AUTH_TOKEN, or every reply is refused. Each region has its own."
            )
            return
        date = exchange.date
    if owner.status != "active":
        yield f"The Twilio account is {owner.status}: nothing is sent until it is active again."
    off = gateway.clock.real() - date if date else timedelta()
    if abs(off) > _LARGEST_SKEW:
        way = "ahead of" if off > timedelta() else "behind"
        yield (
            f"This machine's clock is {abs(off).total_seconds():.0f} s {way} Twilio's: "
            "switch on time synchronisation, or lost replies are looked for in the wrong minutes."
        )


async def _service(gateway: TwilioGateway) -> AsyncIterator[str]:
    """The Messaging Service, where there is one: it must exist, hold numbers, and pass replies on to us."""
    account = gateway.account
    sid = account.messaging_service_sid
    if sid is None:
        return
    service = await gateway.ask_for(gateway.client.messaging.v1.services(sid).fetch_async)
    if service is None:
        yield f"There is no Messaging Service {sid} in this account and region: correct the setting."
        return
    if not await gateway.read_pool():
        yield f"The Messaging Service {sid} has no numbers: add one that can send and receive texts."
    if not service.use_inbound_webhook_on_number and service.inbound_request_url != account.webhook("/sms"):
        yield (
            f"Replies to the Messaging Service {sid} do not come here: {_WHERE}, under Integration, "
            f"send a webhook to {account.webhook('/sms')} (POST)."
        )


async def _numbers(gateway: TwilioGateway) -> AsyncIterator[str]:
    account = gateway.account
    for number in gateway.our_numbers:
        if not number.startswith("+"):
            continue  # a short code is none of the account's numbers
        sends = number != account.voice_from or number == account.from_number
        ask = partial(gateway.client.incoming_phone_numbers.list_async, phone_number=number, limit=1)
        found = await gateway.ask(ask)
        if not found:
            yield f"{number} is not a number of this account in this region: correct the setting."
            continue
        for sentence in _number(gateway, number, found[0], sends=sends):
            yield sentence


def _number(gateway: TwilioGateway, number: str, found: Any, *, sends: bool) -> list[str]:
    account = gateway.account
    able: Mapping[str, Any] = found.capabilities if isinstance(found.capabilities, Mapping) else {}
    said = []
    if sends and able.get("sms") is False:
        said.append(f"{number} cannot send or receive texts: choose another for RAPID_RESPONSE_TWILIO_FROM.")
    elif sends and account.messaging_service_sid is None:
        said += _leads_here(number, "texts", found, "sms", account.webhook("/sms"))
    if number == account.caller and able.get("voice") is False:
        said.append(f"{number} cannot call: set RAPID_RESPONSE_TWILIO_VOICE_FROM to a number that can.")
    elif number == account.caller:
        said += _leads_here(number, "calls", found, "voice", account.webhook("/voice"))
        if not found.voice_fallback_url and not found.voice_application_sid:
            said.append(
                f"{number} has no fallback for calls: {_WHERE}, give it a document that dials the "
                "out-of-hours number, or callers hear an error while this service is down."
            )
    return said


def _leads_here(number: str, what: str, found: Any, kind: str, wanted: str) -> list[str]:
    """Whether what comes in on a number is passed on to us."""
    for over in (f"{kind}_application_sid", "trunk_sid" if kind == "voice" else ""):
        if over and getattr(found, over, None):
            return [
                f"{number} passes {what} to an application or trunk of Twilio's, not here: {_WHERE}, "
                f"let it send a webhook to {wanted} (POST)."
            ]
    url = str(getattr(found, f"{kind}_url", None) or "").partition("#")[0]
    if url == wanted and getattr(found, f"{kind}_method", "POST") == "POST":
        return []
    now = "nowhere" if not url else "to another address" if url != wanted else "here by GET"
    return [f"{number} passes {what} on {now}: {_WHERE}, send a webhook to {wanted} (POST)."]


def _cannot(gateway: TwilioGateway, error: CannotAsk) -> str:
    host = gateway.host
    match error.error_class:
        case "account":
            return (
                f"{host} does not accept the account's SID with its auth token or API key: copy them anew. "
                "Each region has its own, and a proxy that wants a password of its own says the same."
            )
        case "not_sent":
            return f"{host} cannot be reached from here: let https to it through, and check the name service."
        case "throttled":
            return f"{host} says that it is asked too often: try again in a minute."
        case _:
            return f"{host} does not answer as Twilio does ({error.error_class}): look at its status page."
