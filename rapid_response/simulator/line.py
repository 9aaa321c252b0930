"""The line from the network to our own webhooks: over ASGI, inside this process, and signed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import httpx

#: The signature of a form posted to a URL.
Sign = Callable[[str, Mapping[str, str]], str]
_Message = MutableMapping[str, Any]
App = Callable[
    [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]], Awaitable[None]
]


class AsgiLine:
    """Posts forms to the app that it is connected to; there is no socket, so nothing can leave."""

    def __init__(self, base_url: str, sign: Sign, header: str = "X-Twilio-Signature") -> None:
        self._base_url = base_url.rstrip("/")
        parts = urlsplit(self._base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._prefix = parts.path
        self._sign = sign
        self._header = header
        self._client: httpx.AsyncClient | None = None

    def connect(self, app: App) -> None:
        """Give the line its other end; the app is made after the network."""
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, headers={"User-Agent": "simulator"})

    async def __call__(self, path: str, form: Mapping[str, str]) -> tuple[int, str]:
        """Post one form; raises ConnectionError before :meth:`connect`."""
        if self._client is None:
            raise ConnectionError("the line is not connected yet")
        # A document names whole addresses; what a proxy would take off is taken off here.
        if self._prefix and path.startswith(f"{self._prefix}/"):
            path = path.removeprefix(self._prefix)
        request = self._client.build_request("POST", self._origin + path, data=dict(form))
        # Signed as it travels, byte for byte, on the address that the public knows.
        url = self._base_url + request.url.raw_path.decode("ascii")
        request.headers[self._header] = self._sign(url, form)
        response = await self._client.send(request)
        return response.status_code, response.text

    async def aclose(self) -> None:
        """Let go of the line."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None
