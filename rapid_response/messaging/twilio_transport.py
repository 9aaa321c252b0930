"""How requests travel to Twilio: our own httpx under the package's client (docs/adr/0011).

The package's asynchronous transport ignores its time-out, posts again after a 5xx, and loses Retry-After.
This one has hard time-outs, never retries, and tells a request that certainly stayed here from one that may
have arrived. It talks to Twilio's hosts, or to the one address that the settings name, and to nobody else.
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import httpx
import structlog
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from rapid_response.core.clock import Clock

logger = structlog.get_logger("twilio_requests")

_WRITE_SECONDS = 5.0
_POOL_SECONDS = 2.0
#: Look-ups have connections of their own, so that they never keep an offer waiting.
_LOOK_UPS = 2
_TWILIO = ".twilio.com"
_LONGEST_WAIT = timedelta(hours=1)
#: The tunnel through a proxy was refused, by its answer's first word.
_PROXY_FORBIDS = ("401", "403", "407")


class NotSent(Exception):
    """The request certainly did not leave this machine."""

    def __init__(self, error_class: str, why: str) -> None:
        super().__init__(why)
        self.error_class = error_class


class Unanswered(Exception):
    """The request may have arrived; no usable answer came."""


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


@dataclass(frozen=True, slots=True)
class Timing:
    """How long to wait, and for how many at once."""

    connect_seconds: float = 3.0
    read_seconds: float = 10.0
    concurrency: int = 4

    @property
    def longest(self) -> float:
        """No request takes longer, however slowly its answer trickles in."""
        return _POOL_SECONDS + self.connect_seconds + _WRITE_SECONDS + self.read_seconds


class TwilioTransport(AsyncHttpClient):  # type: ignore[misc]  # no types are published
    """Carries the client's requests."""

    def __init__(
        self,
        clock: Clock,
        timing: Timing,
        *,
        api_base_url: str | None = None,
        is_logged: bool = True,
        network: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(logger, True)
        self._clock = clock
        self._timing = timing
        self._is_logged = is_logged
        self._instead = urlsplit(api_base_url) if api_base_url else None
        self._sending = network or self._connections(timing.concurrency)
        self._asking = network or self._connections(_LOOK_UPS)
        self._waits = {
            "connect": timing.connect_seconds,
            "read": timing.read_seconds,
            "write": _WRITE_SECONDS,
            "pool": _POOL_SECONDS,
        }

    def _connections(self, at_once: int) -> httpx.AsyncHTTPTransport:
        """Connections to the provider: httpx below its client.

        The client's redirects, cookies and ways to sign in are not for us, and cost as much as the request.
        """
        return httpx.AsyncHTTPTransport(
            limits=httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once),
            verify=_trusted(),
            proxy=proxy_to(self._instead or urlsplit(f"https://api{_TWILIO}")),
        )

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
        connections = self._sending if method == "POST" else self._asking
        started = self._clock.real()
        status: int | str = "none"
        try:
            request = httpx.Request(
                method,
                self._address(uri),
                params=params or None,
                data=data or None,
                headers={**(headers or {}), **_signed_in(auth)},
                extensions={"timeout": self._waits},
            )
            async with asyncio.timeout(self._timing.longest):
                answer = await connections.handle_async_request(request)
                async with aclosing(answer):
                    await answer.aread()
            status = answer.status_code
            self._note(answer)
            return Response(answer.status_code, answer.text, answer.headers)
        except NotSent as error:
            status = str(error)
            raise
        except Exception as error:
            status = type(error).__name__
            raise _failure(error) from error
        finally:
            if self._is_logged:
                took = (self._clock.real() - started).total_seconds()
                well = isinstance(status, int) and status < 400
                say = logger.debug if well else logger.warning
                say("provider_asked", method=method, status=status, seconds=round(took, 3))

    def _address(self, uri: str) -> str:
        parts = urlsplit(uri)
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

    def _note(self, answer: httpx.Response) -> None:
        exchange = _exchange.get()
        if exchange is None:
            return
        exchange.status = answer.status_code
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


def proxy_to(address: SplitResult) -> str | None:
    """The council's proxy, by HTTPS_PROXY and NO_PROXY; never between us and this machine itself."""
    host = address.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are believed: read once."""
    return httpx.create_ssl_context()


def _failure(error: Exception) -> NotSent | Unanswered:
    kind = type(error).__name__
    match error:
        # Raised for the tunnel alone: behind it nothing was said yet.
        case httpx.ProxyError():
            forbids = str(error).startswith(_PROXY_FORBIDS)
            return NotSent("account" if forbids else "not_sent", kind)
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            return NotSent("not_sent", kind)
        case httpx.UnsupportedProtocol() | httpx.InvalidURL() | UnicodeError():
            return NotSent("not_sent", kind)
        case _:
            return Unanswered(kind)


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
