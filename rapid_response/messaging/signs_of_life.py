"""The heartbeat: a call to an address outside, made only while all is well.

Whatever is there raises the alarm when the calls stop: a service that has stopped cannot say so itself. The
address may hold a secret and is never logged; nothing is sent but the call.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

_WITHIN_SECONDS = 5.0


class SignsOfLife:
    """Calls one address."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def give(self) -> str | None:
        """One call, without body, following nobody elsewhere; None when it was taken, else why not."""
        try:
            async with httpx.AsyncClient(
                timeout=_WITHIN_SECONDS, follow_redirects=False, trust_env=not _is_near(self._url)
            ) as client:
                answer = await client.get(self._url, headers={"user-agent": "rapid-response"})
        except httpx.HTTPError as error:
            return type(error).__name__
        return None if answer.is_success else f"HTTP {answer.status_code}"


def _is_near(url: str) -> bool:
    """Whether it is this machine itself, to which no proxy leads."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
