"""Which subscription hears which event: the map of what is derived.

Only derived things stand here: figures, and the queue of the second reader where there is one. Nothing that
keeps the promise waits for a delivery (design.md 1). Subscriptions have names of their own, kept in rows:
renaming a function must not orphan what is under way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rapid_response.core.events import IncidentClassified, ReportReceived
from rapid_response.reporting import tallies
from rapid_response.steps import second
from rapid_response.storage.tables import EventRow
from rapid_response.storage.tx import Tx

Handler = Callable[[Tx, Sequence[EventRow]], None]

_TALLY, _SECOND = "reporting.tally", "second.queue"
#: All of them, whatever is switched on: another node, or this one a while ago, may have left deliveries.
HANDLERS: Mapping[str, Handler] = {_TALLY: tallies.tally, _SECOND: second.queue}

SUBSCRIPTIONS: Mapping[str, Sequence[str]] = dict.fromkeys(tallies.COUNTED, (_TALLY,))

#: With a second reader: a report is queued when it is in, or when the words of a voicemail become known.
WITH_SECOND_READER: Mapping[str, Sequence[str]] = {
    **SUBSCRIPTIONS,
    **{
        type_: (*SUBSCRIPTIONS.get(type_, ()), _SECOND)
        for type_ in (ReportReceived.type, IncidentClassified.type)
    },
}
