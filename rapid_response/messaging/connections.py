"""One request over HTTP, once, and whether it can have arrived (docs/adr/0011).

aiohttp carries it, whose errors tell what failed before a connection stood from what failed after; it costs
a third of what httpx does, and comes with Twilio's package anyway.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import aiohttp
import httpx
from yarl import URL

_WRITE_SECONDS = 5.0
_POOL_SECONDS = 2.0
#: The tunnel through a proxy was refused for who we are or where to.
_PROXY_FORBIDS = (401, 403, 407)
_PROXY_SCHEMES = ("http", "https")


class NotSent(Exception):
    """The request certainly did not leave this machine."""

    def __init__(self, error_class: str, why: str) -> None:
        super().__init__(why)
        self.error_class = error_class


class Unanswered(Exception):
    """The request may have arrived; no usable answer came."""


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


@dataclass(frozen=True, slots=True)
class Asked:
    """One request; the address as it is sent."""

    method: str
    address: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; headers are found whatever their case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class Network(Protocol):
    """Carries requests."""

    async def ask(self, request: Asked) -> Answer:
        """Once. Raises :class:`NotSent` or :class:`Unanswered`."""

    async def aclose(self) -> None:
        """Let go of the connections."""


class Connections:
    """So many connections at most, which are kept; by a proxy where one is named.

    No redirects, no cookies, no credentials and no proxy of the environment's: none of it is for us.
    """

    def __init__(self, timing: Timing, at_once: int, proxy: str | None = None) -> None:
        self._timing = timing
        self._at_once = at_once
        self._proxy = proxy
        self._opened: aiohttp.ClientSession | None = None

    def _session(self) -> aiohttp.ClientSession:
        """Opened by the first request: it belongs to the loop that runs then."""
        if self._opened is None:
            timing = self._timing
            self._opened = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._at_once, ssl=_trusted()),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    connect=_POOL_SECONDS + timing.connect_seconds,
                    sock_connect=timing.connect_seconds,
                    sock_read=timing.read_seconds,
                ),
                middlewares=(_once,),
            )
        return self._opened

    async def ask(self, request: Asked) -> Answer:
        """Once. Raises :class:`NotSent` or :class:`Unanswered`."""
        if self._proxy is not None and URL(self._proxy).scheme not in _PROXY_SCHEMES:
            raise NotSent("account", "the proxy is none of HTTP")
        try:
            async with (
                asyncio.timeout(self._timing.longest),
                self._session().request(
                    request.method,
                    _url(request.address),
                    data=request.body,
                    headers=request.headers,
                    allow_redirects=False,
                    proxy=self._proxy,
                ) as answer,
            ):
                return Answer(answer.status, answer.headers, await answer.read())
        except (NotSent, Unanswered):
            raise
        except Exception as error:
            raise _failure(error) from error

    async def aclose(self) -> None:
        """Let go of the connections."""
        if self._opened is not None:
            await self._opened.close()


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """What failed is told in our own words at once: a session asks again where it knows those of aiohttp."""
    try:
        return await handler(request)
    except aiohttp.ClientError as error:
        raise _failure(error) from error


def _url(address: str) -> URL:
    try:
        return URL(address, encoded=True)
    except ValueError as error:
        raise NotSent("not_sent", type(error).__name__) from error


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are believed, as httpx finds them: read once."""
    return httpx.create_ssl_context()


def _failure(error: Exception) -> NotSent | Unanswered:
    kind = type(error).__name__
    match error:
        # Raised for the tunnel alone: behind it nothing was said yet.
        case aiohttp.ClientHttpProxyError():
            return NotSent("account" if error.status in _PROXY_FORBIDS else "not_sent", kind)
        # No connection, no name, no TLS, or none free in time.
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return NotSent("not_sent", kind)
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return NotSent("not_sent", kind)
        case _:
            return Unanswered(kind)
