"""A council's own language-model endpoint, in the common chat-completions shape, over httpx.

Whatever it does, it costs at most its time-out and a small answer: one address and no other (redirects are
never followed), no compressed answers, nothing read past the cap.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import httpx

from rapid_response.intake.second.port import Fault, Messages, ReaderFailed

#: What an answer may hold, the envelope included: a model that talks on is cut off.
LARGEST_ANSWER = 64 * 1024
_MOST_TOKENS = 1500
_CONNECT_SECONDS = 5.0
#: How many questions are with it at once, over all nodes.
AT_ONCE = 2
_OWN_MACHINE = ("localhost", "127.0.0.1", "::1")


class Endpoint:
    """Asks over HTTP."""

    def __init__(self, url: str, model: str, key: str | None, timeout_seconds: float) -> None:
        self._url = url
        self._model = model
        self._timeout = timeout_seconds
        # No compression: a few bytes must not unfold into a great many.
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(timeout_seconds, connect=min(_CONNECT_SECONDS, timeout_seconds)),
            limits=httpx.Limits(max_connections=AT_ONCE),
            follow_redirects=False,
            # An egress proxy is the council's choice; what runs on this machine needs none.
            trust_env=urlsplit(url).hostname not in _OWN_MACHINE,
        )

    @property
    def model(self) -> str:
        return self._model

    async def ask(self, messages: Messages) -> str:
        """The words of the answer; raises :class:`ReaderFailed`."""
        try:
            # A reader that sends a byte now and then keeps every read in time, and still has to end.
            async with asyncio.timeout(self._timeout):
                return _words_of(await self._post(messages))
        except (TimeoutError, httpx.TimeoutException):
            raise ReaderFailed(Fault.TIMEOUT) from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise ReaderFailed(Fault.UNREACHABLE) from None

    async def _post(self, messages: Messages) -> bytes:
        body = {
            "model": self._model,
            "messages": list(messages),
            "temperature": 0,
            "max_tokens": _MOST_TOKENS,
            "response_format": {"type": "json_object"},
        }
        async with self._client.stream("POST", self._url, json=body) as answer:
            if answer.has_redirect_location or 300 <= answer.status_code < 400:
                raise ReaderFailed(Fault.REDIRECT)
            if answer.status_code != httpx.codes.OK:
                raise ReaderFailed(Fault.STATUS)
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise ReaderFailed(Fault.NOT_UNDERSTOOD)
            said = bytearray()
            async for part in answer.aiter_raw():
                said += part
                if len(said) > LARGEST_ANSWER:
                    raise ReaderFailed(Fault.TOO_LARGE)
            return bytes(said)

    async def close(self) -> None:
        await self._client.aclose()


def _words_of(said: bytes) -> str:
    """The message inside the envelope."""
    try:
        envelope: Any = json.loads(said)
        words = envelope["choices"][0]["message"]["content"]
    except (ValueError, RecursionError, LookupError, TypeError):
        raise ReaderFailed(Fault.NOT_UNDERSTOOD) from None
    if not isinstance(words, str):
        raise ReaderFailed(Fault.NOT_UNDERSTOOD)
    return words
