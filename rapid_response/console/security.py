"""What every answer tells the browser to refuse: foreign scripts, framing, sniffing, keeping copies."""

from __future__ import annotations

import secrets

from rapid_response.console.assets import PREFIX, App, Message, Receive, Scope, Send

#: Pages that must not tell the next site (a map, a bank) where the reader came from.
_SILENT_REFERRERS = ("/j/", "/report")

_FIXED = (
    (b"x-content-type-options", b"nosniff"),
    (b"permissions-policy", b"geolocation=(self), camera=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_NOT_KEPT = (b"cache-control", b"no-store")
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


def content_security_policy(nonce: str) -> str:
    """Our own files and one nonce; nothing inline, nothing from elsewhere, no framing."""
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )


class SecurityHeaders:
    """Puts a fresh nonce in `request.state.nonce`, and the headers on every answer.

    What says nothing of its own about caching is not to be kept: every page may hold a case.
    """

    def __init__(self, app: App, *, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request through the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(18)
        scope.setdefault("state", {})["nonce"] = nonce
        path: str = scope["path"]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self._headers(list(message.get("headers", ())), path, nonce)}
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _headers(
        self, headers: list[tuple[bytes, bytes]], path: str, nonce: str
    ) -> list[tuple[bytes, bytes]]:
        present = {name.lower() for name, _ in headers}
        silent = path.startswith(_SILENT_REFERRERS)
        wanted = [
            *_FIXED,
            (b"content-security-policy", content_security_policy(nonce).encode()),
            (b"referrer-policy", b"no-referrer" if silent else b"same-origin"),
        ]
        if not path.startswith(PREFIX + "/"):
            wanted.append(_NOT_KEPT)
        if self._https:
            wanted.append(_HSTS)
        return headers + [pair for pair in wanted if pair[0] not in present]


class NotKept:
    """Tells machines, too, to keep no copy: every answer of the API may hold a case."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request through the application."""

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), _NOT_KEPT]}
            await send(message)

        await self._app(scope, receive, send_with_header)
