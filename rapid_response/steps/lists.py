"""Lists of incidents: pages of all of them, and those that are open, most pressing first."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, case, func, or_, select
from sqlalchemy.orm import Mapped
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.core.attention import Attention
from rapid_response.core.incident import OPEN_STATUSES, Status
from rapid_response.core.states import OfferState
from rapid_response.core.vocabulary import Category, ClockState, Priority
from rapid_response.steps.errors import Invalid
from rapid_response.storage.tables import IncidentRow, OfferRow
from rapid_response.storage.tx import rows_of


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of incidents is narrowed to; None means all."""

    status: Status | None = None
    category: Category | None = None
    ward: str | None = None
    overdue: bool | None = None
    open_only: bool = False


def list_incidents(
    connection: Connection, filters: Filters, now: datetime, limit: int, cursor: str | None = None
) -> tuple[Sequence[IncidentRow], str | None]:
    """A page of incidents, newest first, and the cursor of the next page. Raises Invalid for a bad cursor."""
    query = typed_select(IncidentRow).where(*_fitting(filters, now))
    if cursor is not None:
        at, last_id = _read_cursor(cursor)
        query = query.where(
            or_(
                col(IncidentRow.received_at) < at,
                (col(IncidentRow.received_at) == at) & (col(IncidentRow.id) < last_id),
            )
        )
    query = query.order_by(col(IncidentRow.received_at).desc(), col(IncidentRow.id).desc()).limit(limit + 1)
    found = rows_of(connection, query)
    page = found[:limit]
    return page, _cursor(page[-1]) if len(found) > limit else None


def list_open(
    connection: Connection, filters: Filters, now: datetime, limit: int
) -> tuple[Sequence[IncidentRow], int]:
    """Open incidents, and how many more fit: where not all are listed, the least pressing are left out."""
    fitting = tuple(_fitting(replace(filters, open_only=True), now))
    query = typed_select(IncidentRow).where(*fitting).order_by(*_PRESSING_FIRST).limit(limit + 1)
    found = rows_of(connection, query)
    if len(found) <= limit:
        return found, 0
    count: int = connection.execute(
        select(func.count()).select_from(IncidentRow).where(*fitting)
    ).scalar_one()
    return found[:limit], count - limit


#: As `core.attention` has it, as far as a case's own row goes; what has no time of its own is not left out
#: before what has one.
_PRESSING_FIRST = (
    case(
        (
            col(IncidentRow.stopped_at).is_(None)
            & col(IncidentRow.priority).in_([p for p in Priority if p.has_clock]),
            Attention.PRESSING.value,
        ),
        (col(IncidentRow.owner).is_not(None), Attention.IN_HAND.value),
        else_=Attention.OTHER.value,
    ),
    case(
        (col(IncidentRow.needed_by) < col(IncidentRow.due_at), col(IncidentRow.needed_by)),
        else_=col(IncidentRow.due_at),
    ).nulls_first(),
    col(IncidentRow.priority),
    col(IncidentRow.received_at),
    col(IncidentRow.id),
)


def _fitting(filters: Filters, now: datetime) -> Iterator[ColumnElement[bool] | Mapped[bool]]:
    """The conditions that filters stand for."""
    if filters.status is not None:
        yield col(IncidentRow.status) == filters.status
    if filters.category is not None:
        yield col(IncidentRow.category) == filters.category
    is_open = filters.open_only or filters.status in OPEN_STATUSES
    if filters.ward is not None:
        # Of what is open there is little, of all that a ward ever had much: its index is for that alone.
        ward = col(IncidentRow.ward).concat("") if is_open or filters.overdue else col(IncidentRow.ward)
        yield ward == filters.ward
    if is_open:
        yield col(IncidentRow.is_open)
    if filters.overdue is not None:
        late = (
            col(IncidentRow.is_open)
            & col(IncidentRow.stopped_at).is_(None)
            & col(IncidentRow.due_at).is_not(None)
            & (col(IncidentRow.due_at) < now)
            & (col(IncidentRow.clock_state).in_((ClockState.RUNNING, ClockState.BREACHED)))
        )
        yield late if filters.overdue else ~late


def who_had(connection: Connection, incidents: Sequence[IncidentRow]) -> Mapping[str, str]:
    """By the ids of some incidents, who has the job or, of one that is over, who had it last."""
    over = {incident.id: incident for incident in incidents if not incident.is_open}
    wanted = typed_select(OfferRow).where(
        col(OfferRow.incident_id).in_(over), col(OfferRow.state) == OfferState.DONE
    )
    done = rows_of(connection, wanted.order_by(col(OfferRow.made_at), col(OfferRow.id))) if over else ()
    had = {o.incident_id: o.responder_id for o in done if had_it_last(o, over[o.incident_id])}
    return {**had, **{incident.id: incident.owner for incident in incidents if incident.owner}}


def _cursor(row: IncidentRow) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.received_at.isoformat(), row.id]).encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        at, last_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if (moment := datetime.fromisoformat(at)).tzinfo is None:
            raise ValueError("a time of no zone")
        return moment, str(last_id)
    except (ValueError, binascii.Error, TypeError) as error:
        raise Invalid("Use the cursor of the page before, or none for the first page.", "cursor") from error


def had_it_last(offer: OfferRow, incident: IncidentRow) -> bool:
    """Whether the offer's responder was the one who had the case when it ended."""
    return not incident.is_open and offer.state is OfferState.DONE and offer.episode == incident.episode


def count_open(connection: Connection) -> Mapping[Status, int]:
    """How many open incidents stand in each status."""
    rows = connection.execute(
        select(col(IncidentRow.status), func.count())
        .where(col(IncidentRow.is_open))
        .group_by(col(IncidentRow.status))
    )
    return {status: count for status, count in rows}
