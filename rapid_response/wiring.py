"""Which subscription hears which event: the map of what is derived.

Only derived things stand here: figures today, links and live pages later. Nothing that keeps the promise
waits for a delivery (design.md 1). Subscriptions have names of their own, kept in rows: renaming a function
must not orphan what is under way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rapid_response.reporting import tallies
from rapid_response.storage.tables import EventRow
from rapid_response.storage.tx import Tx

Handler = Callable[[Tx, Sequence[EventRow]], None]

HANDLERS: Mapping[str, Handler] = {"reporting.tally": tallies.tally}

SUBSCRIPTIONS: Mapping[str, Sequence[str]] = dict.fromkeys(tallies.COUNTED, ("reporting.tally",))
