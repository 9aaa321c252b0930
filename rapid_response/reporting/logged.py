"""The log of many incidents, read in parts: neither memory nor one statement grows with their number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from pydantic_core import from_json
from sqlalchemy import Connection, select
from sqlmodel import col

from rapid_response.reporting.record import StoredEvent
from rapid_response.storage.columns import not_by
from rapid_response.storage.tables import EventRow

#: PostgreSQL ends a statement, and a transaction in which nothing is asked, after ten seconds: the events of
#: so many incidents are read and folded in a fraction of one.
_INCIDENTS_AT_ONCE = 500


def events_of(
    connection: Connection, incident_ids: Iterable[str], types: Sequence[str]
) -> Iterator[StoredEvent]:
    """These incidents' events of these types; by incident, in the order of each."""
    left = iter(sorted(set(incident_ids)))
    while part := list(islice(left, _INCIDENTS_AT_ONCE)):
        rows = connection.execute(
            select(
                col(EventRow.stream),
                col(EventRow.seq),
                col(EventRow.type),
                col(EventRow.at),
                col(EventRow.data),
            )
            .where(col(EventRow.stream).in_(part), not_by(col(EventRow.type)).in_(types))
            .order_by(col(EventRow.stream), col(EventRow.seq))
        )
        for incident_id, seq, type_, at, data in rows.all():
            yield StoredEvent(incident_id, seq, type_, at, from_json(data))
