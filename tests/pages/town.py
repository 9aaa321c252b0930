"""The pages on a real server at loopback: the same middleware, files and templates, made-up data."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import parse_qsl

import uvicorn

from rapid_response.console.assets import PREFIX, Assets, Receive, Scope, Send
from rapid_response.console.forms.posted import Posted
from rapid_response.console.forms.public import Now, read_public_report
from rapid_response.console.rendering import Renderer
from rapid_response.console.security import SecurityHeaders
from rapid_response.console.views.frame import ErrorView, View
from rapid_response.console.views.reporting import ReportFormView, ReportSentView, ReportStartView
from tests.pages.samples import NOW, SCRIPT, SITE, STATES, frame, frame_of

STARTS_WITHIN_SECONDS = 10.0


class Town:
    """Serves each state at `/state/NAME`, and the public form whole, as a person goes through it."""

    def __init__(self) -> None:
        self.assets = Assets()
        self.renderer = Renderer(self.assets)
        self.received: list[Mapping[str, object]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"].startswith(PREFIX + "/"):
            await self.assets(scope, receive, send)
            return
        nonce = scope["state"]["nonce"]
        status, view, name = await self._answer(scope, receive)
        html = self.renderer.page(view, frame_of(name, nonce) if name else frame(nonce=nonce))
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": html.encode()})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, View, str]:
        path: str = scope["path"]
        name = path.removeprefix("/state/")
        if name in STATES:
            return 200, STATES[name][0], name
        if path == "/report" and scope["method"] == "GET":
            query = Posted.from_pairs(parse_qsl(scope["query_string"].decode()))
            answer = Now(query.text("now")) if query.text("now") else None
            return 200, ReportFormView(answer, NOW) if answer else ReportStartView(), ""
        if path == "/report":
            return self._take(await _body(receive))
        return (200 if path == SITE.exit_url else 404), ErrorView(404), ""

    def _take(self, body: bytes) -> tuple[int, View, str]:
        posted = Posted.from_pairs(parse_qsl(body.decode(), keep_blank_values=True))
        parsed = read_public_report(posted, now=NOW)
        if not parsed.ok:
            return 422, ReportFormView(Now(posted.text("now")), NOW, parsed.filled), ""
        self.received.append(parsed.body)
        return 200, ReportSentView("RR-7K4M2QX", advice=SCRIPT), ""


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


@contextmanager
def serving(town: Town) -> Iterator[str]:
    """The town at a free port of loopback; yields its address."""
    config = uvicorn.Config(
        SecurityHeaders(town, https=False), host="127.0.0.1", port=0, log_level="error", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS  # noqa: TID251 - a real server, in real time
    while not server.started:
        if time.monotonic() > deadline:  # noqa: TID251 - a real server, in real time
            raise RuntimeError("The test server did not start.")
        thread.join(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(STARTS_WITHIN_SECONDS)
