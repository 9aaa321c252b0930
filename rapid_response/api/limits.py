"""No body larger than a report can be is ever read whole."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rapid_response.api.problems import problem
from rapid_response.core import failpoints

#: A narrative of 20,000 characters in four bytes each, and room for the rest.
LARGEST_BODY = 256 * 1024


class _TooLarge(Exception):
    """More came than was announced or allowed."""


class BodyLimit:
    """ASGI middleware: answers 413 to what is too large, before anything is parsed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        announced = headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced) > LARGEST_BODY:
            await self._refuse(scope, receive, send)
            return
        taken, started = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > LARGEST_BODY:
                raise _TooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
            failpoints.reach(failpoints.HTTP_REPLIED, scope["path"])
        except _TooLarge:
            if not started:
                await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = problem(413, "The body is too large. A report may have 20,000 characters of narrative.")
        await answer(scope, receive, send)
