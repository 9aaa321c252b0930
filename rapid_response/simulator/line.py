"""The line from the network to our own webhooks: over ASGI, inside this process, and signed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

#: The signature of a form posted to a URL.
Sign = Callable[[str, Mapping[str, str]], str]
_Message = MutableMapping[str, Any]
App = Callable[
    [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]], Awaitable[None]
]
#: What a path or a query may hold as it is.
_PLAIN = "/%:@!$&'()*+,;=~?"


class AsgiLine:
    """Posts forms to the app that it is connected to; there is no socket, so nothing can leave.

    It speaks ASGI itself: a client that could also speak over a socket takes longer than the webhook.
    """

    def __init__(self, base_url: str, sign: Sign, header: str = "X-Twilio-Signature") -> None:
        self._base_url = base_url.rstrip("/")
        parts = urlsplit(self._base_url)
        self._scheme, self._host = parts.scheme, parts.netloc
        self._prefix = parts.path
        self._sign = sign
        self._header = header
        self._app: App | None = None
        self._is_connected = asyncio.Event()

    def connect(self, app: App) -> None:
        """Give the line its other end; the app is loaded after the network."""
        self._app = app
        self._is_connected.set()

    async def __call__(self, path: str, form: Mapping[str, str]) -> tuple[int, str]:
        """Post one form, once it is connected; raises ConnectionError after :meth:`aclose`."""
        await self._is_connected.wait()
        if self._app is None:
            raise ConnectionError("the line is closed")
        # A document names whole addresses; what a proxy would take off is taken off here.
        if self._prefix and path.startswith(f"{self._prefix}/"):
            path = path.removeprefix(self._prefix)
        target = quote(path.partition("#")[0], safe=_PLAIN)
        # Signed as it travels, byte for byte, on the address that the public knows.
        exchange = _Exchange(urlencode(form).encode())
        scope = exchange.scope(
            self._scheme, self._host, target, (self._header, self._sign(self._base_url + target, form))
        )
        with suppress(Exception):  # the app has said so itself, with a 500: that is all the network sees
            await self._app(scope, exchange.receive, exchange.send)
        return exchange.status, exchange.answer.decode()

    async def aclose(self) -> None:
        """Let go of the line."""
        self._app = None
        self._is_connected.set()


class _Exchange:
    """One request and its answer, as ASGI has them."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.status = 500
        self.answer = b""

    def scope(self, scheme: str, host: str, target: str, signature: tuple[str, str]) -> _Message:
        path, _, query = target.partition("?")
        headers = {
            "host": host,
            "user-agent": "simulator",
            "content-type": "application/x-www-form-urlencoded",
            "content-length": str(len(self._body)),
            signature[0].lower(): signature[1],
        }
        name, _, port = host.partition(":")
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": scheme,
            "path": unquote(path),
            "raw_path": path.encode("ascii"),
            "query_string": query.encode("ascii"),
            "root_path": "",
            "headers": [(key.encode("ascii"), value.encode("ascii")) for key, value in headers.items()],
            "server": (name, int(port) if port else None),
            "client": ("127.0.0.1", 0),
        }

    async def receive(self) -> _Message:
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def send(self, message: _Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            self.answer += message.get("body", b"")
