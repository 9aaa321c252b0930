"""How often something may be tried from one place: in memory, one node, real time.

Several nodes behind a proxy have the proxy's own limit in front.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from rapid_response.core.clock import Clock

_IPV6_PREFIX = 64


class Throttle:
    """At most `limit` tries in any `window`, for each place by itself. For the thread of one event loop.

    `places` are remembered; the one heard of longest ago is forgotten first.
    """

    def __init__(self, clock: Clock, *, limit: int, window: timedelta, places: int = 10_000) -> None:
        self._clock = clock
        self._limit = limit
        self._window = window
        self._places = places
        self._tries: OrderedDict[str, deque[datetime]] = OrderedDict()

    def take(self, place: str) -> timedelta | None:
        """Count a try; None if it may go ahead, else how long to wait. Refused tries are not counted."""
        now = self._clock.real()
        tries = self._tries.setdefault(place, deque())
        self._tries.move_to_end(place)
        # As far ahead, it was of a time that was taken back.
        while tries and abs(now - tries[0]) >= self._window:
            tries.popleft()
        if len(tries) >= self._limit:
            return self._window - (now - tries[0])
        tries.append(now)
        if len(self._tries) > self._places:
            self._tries.popitem(last=False)
        return None

    def give_back(self, place: str) -> None:
        """The newest try was a good one, and does not count."""
        tries = self._tries.get(place)
        if tries:
            tries.pop()


def address_prefix(address: str) -> str:
    """Where an address belongs: itself for IPv4, its /64 for IPv6, where one line has the whole of it."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        network = int(parsed) >> (128 - _IPV6_PREFIX) << (128 - _IPV6_PREFIX)
        return f"{IPv6Address(network)}/{_IPV6_PREFIX}"
    return str(parsed)
