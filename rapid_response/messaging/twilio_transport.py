"""How requests travel to Twilio: our own connections under the package's client (docs/adr/0011).

The package's asynchronous transport ignores its time-out, posts again after a 5xx, and loses Retry-After.
This one has hard time-outs, never retries, and tells a request that certainly stayed here from one that may
have arrived. It talks to Twilio's hosts, or to the one address that the settings name, and to nobody else.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import structlog
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from rapid_response.core.clock import Clock
from rapid_response.messaging.connections import (
    Answer,
    Asked,
    Connections,
    Network,
    NotSent,
    Timing,
    Unanswered,
)

logger = structlog.get_logger("twilio_requests")

#: Look-ups have connections of their own, so that they never keep an offer waiting.
_LOOK_UPS = 2
_TWILIO = ".twilio.com"
_IS_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_LONGEST_WAIT = timedelta(hours=1)


@dataclass(slots=True)
class Exchange:
    """What came back for one request, where the client's exceptions do not say it."""

    status: int | None = None
    retry_after: timedelta | None = None
    #: The other end's clock.
    date: datetime | None = None


_exchange: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


@contextmanager
def exchanging() -> Iterator[Exchange]:
    """What came back for the last request made inside, in this task."""
    exchange = Exchange()
    token = _exchange.set(exchange)
    try:
        yield exchange
    finally:
        _exchange.reset(token)


def their_time() -> datetime | None:
    """What the other end's clock said in its last answer, for whoever asks inside :func:`exchanging`."""
    exchange = _exchange.get()
    return exchange.date if exchange is not None else None


class TwilioTransport(AsyncHttpClient):  # type: ignore[misc]  # no types are published
    """Carries the client's requests."""

    def __init__(
        self,
        clock: Clock,
        timing: Timing,
        *,
        api_base_url: str | None = None,
        is_logged: bool = True,
        network: Network | None = None,
    ) -> None:
        super().__init__(logger, True)
        self._clock = clock
        self._is_logged = is_logged
        self._instead = urlsplit(api_base_url) if api_base_url else None
        proxy = proxy_to(self._instead or urlsplit(f"https://api{_TWILIO}"))
        self._sending = network or Connections(timing, timing.concurrency, proxy)
        self._asking = network or Connections(timing, _LOOK_UPS, proxy)

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the client's own signature; ours are in Timing
        allow_redirects: bool = False,
    ) -> Response:
        """One request, once. Raises :class:`NotSent` or :class:`Unanswered`."""
        network = self._sending if method == "POST" else self._asking
        started = self._clock.real()
        status: int | str = "none"
        body = _form(data)
        try:
            answer = await network.ask(
                Asked(
                    method,
                    self._address(uri, _form(params)),
                    {**(headers or {}), **_signed_in(auth), **(_IS_FORM if body else {})},
                    body.encode() or None,
                )
            )
            status = answer.status
            self._note(answer)
            return Response(answer.status, answer.text, answer.headers)
        except (NotSent, Unanswered) as error:
            status = str(error)
            raise
        finally:
            if self._is_logged:
                took = (self._clock.real() - started).total_seconds()
                well = isinstance(status, int) and status < 400
                say = logger.debug if well else logger.warning
                say("provider_asked", method=method, status=status, seconds=round(took, 3))

    def _address(self, uri: str, query: str) -> str:
        parts = urlsplit(uri)
        parts = parts._replace(query="&".join(filter(None, (parts.query, query))))
        if self._instead is not None:
            parts = parts._replace(
                scheme=self._instead.scheme,
                netloc=self._instead.netloc,
                path=self._instead.path.rstrip("/") + parts.path,
            )
        elif parts.scheme != "https" or not (parts.hostname or "").endswith(_TWILIO):
            # An answer names the next page's address: our credentials go to Twilio alone.
            raise NotSent("not_sent", "not an address of Twilio's")
        return urlunsplit(parts)

    def _note(self, answer: Answer) -> None:
        exchange = _exchange.get()
        if exchange is None:
            return
        exchange.status = answer.status
        exchange.date = _date(answer.headers.get("date"))
        exchange.retry_after = _wait(answer.headers.get("retry-after"), self._clock.real())

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._sending.aclose()
        await self._asking.aclose()


def _signed_in(auth: tuple[str, str] | None) -> dict[str, str]:
    """HTTP Basic; some of the package's ways to sign in are in the headers already."""
    if auth is None:
        return {}
    return {"Authorization": f"Basic {b64encode(':'.join(auth).encode()).decode()}"}


def _form(values: Mapping[str, Any] | None) -> str:
    """As a form has it; several under one name where the value is a list."""
    return urlencode({k: v for k, v in (values or {}).items() if v is not None}, doseq=True)


def proxy_to(address: SplitResult) -> str | None:
    """The council's proxy, by HTTPS_PROXY and NO_PROXY; never between us and this machine itself."""
    host = address.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _wait(text: str | None, now: datetime) -> timedelta | None:
    """Retry-After, in seconds or as a date; nonsense is as none."""
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return min(timedelta(seconds=min(int(text), 10**6)), _LONGEST_WAIT)
    until = _date(text)
    return min(max(until - now, timedelta()), _LONGEST_WAIT) if until else None
