"""postcodes.io over httpx: whose area a postcode is in, and its ward. Off unless the council switches it on.

It tells a third party where a victim may live, so a council had better run its own: it is a public container.
Whatever it does, it costs at most its time-out and a small answer, and nothing of ours waits for it.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

#: From the first byte asked to the last one read.
TIMEOUT_SECONDS = 2.0
#: An answer takes about two kilobytes.
LARGEST_ANSWER = 64 * 1024
AT_ONCE = 2


class LookupFailed(Exception):
    """No answer that can be used; which kind of failure, and nothing of what was asked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What it says of a postcode."""

    authority: str | None
    ward: str | None


class Online:
    """Asks over HTTP: one address and no other, redirects are never followed."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = url
        self._client = httpx.AsyncClient(
            headers={"accept": "application/json", "accept-encoding": "identity"},
            timeout=httpx.Timeout(TIMEOUT_SECONDS),
            limits=httpx.Limits(max_connections=AT_ONCE),
            follow_redirects=False,
            transport=transport,
        )

    async def ask(self, postcode: str) -> Answer | None:
        """What it knows of it; None where there is no such postcode. Raises :class:`LookupFailed`."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._get(f"{self._url}/postcodes/{quote(postcode, safe='')}")
        except TimeoutError:
            raise LookupFailed("timeout") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise LookupFailed("unreachable") from None

    async def _get(self, url: str) -> Answer | None:
        async with self._client.stream("GET", url) as answer:
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            # No compression was asked for: a few bytes must not unfold into a great many.
            if answer.status_code != httpx.codes.OK or "content-encoding" in answer.headers:
                raise LookupFailed("status")
            said = bytearray()
            async for part in answer.aiter_bytes():
                said += part
                if len(said) > LARGEST_ANSWER:
                    raise LookupFailed("too_large")
        return _read(bytes(said))

    async def close(self) -> None:
        """Let go of its connections."""
        await self._client.aclose()


def _read(said: bytes) -> Answer:
    try:
        result: Any = json.loads(said)["result"]
        authority, ward = result["codes"]["admin_district"], result["admin_ward"]
    except (ValueError, RecursionError, LookupError, TypeError):
        raise LookupFailed("not_understood") from None
    return Answer(_word(authority, 9), _word(ward, 80))


def _word(value: Any, longest: int) -> str | None:
    """A short text that can be stored and shown; anything else is not known."""
    return value if isinstance(value, str) and 0 < len(value) <= longest and value.isprintable() else None
