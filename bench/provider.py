"""The provider that is measured against: the suite's double of Twilio, over HTTP, outside the service.

It takes every text at once; its receipts come within a second or two, and of one text in six never. What it
costs is not in the figures, as a provider's machines are not a council's.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from bench.torture.carrier import Line, Unruly
from tests.gateways.fake_twilio import ACCOUNT, NUMBER, TOKEN

#: The last receipt of a text is posted so many seconds after it was taken, at the latest.
RECEIPTS_WITHIN = 4.0


class Provider:
    """Texts are handed to it; if it `tells`, it posts receipts to whoever it is told serves."""

    def __init__(self, *, tells: bool) -> None:
        self._tells = tells
        self._ports: list[int] = []
        self.base_url = ""

    def tells(self, url: str) -> None:
        """Where receipts are posted from now on."""
        self._ports[:] = [urlsplit(url).port or 80]

    def settings(self) -> dict[str, str]:
        """What a council sets to use it."""
        ours = {
            "MESSAGES": "twilio",
            "BASE_URL": "http://127.0.0.1:8000",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM": NUMBER,
            "TWILIO_API_BASE_URL": self.base_url,
            "TWILIO_CONCURRENCY": "8",
            # As for a provider without a limit: what is measured is the service.
            "SMS_PER_SECOND": "1000",
            "SMS_DAILY_ALARM": "100000",
        }
        return {f"RAPID_RESPONSE_{name}": value for name, value in ours.items()}

    async def run(self, ready: threading.Event, ends: asyncio.Event) -> None:
        """Listen until told to end."""
        carrier = Unruly(1, Line(lambda: self._ports))
        carrier.is_calm = True
        carrier.tells = self._tells
        await carrier.listen()
        self.base_url = carrier.base_url
        ready.set()
        await ends.wait()
        await carrier.stop_listening()
        await carrier.hang_up()


@contextmanager
def provider(*, tells: bool = True) -> Iterator[Provider]:
    """One, in a thread of its own."""
    made = Provider(tells=tells)
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    ends = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(made.run(ready, ends),), daemon=True)
    thread.start()
    ready.wait(30)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(ends.set)
        thread.join(30)
