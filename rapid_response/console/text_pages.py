"""Texts that a person has to read, and callers to be rung back (delivery.md 9.4 and 11.1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import ColumnElement, Connection, and_, or_, select, update
from sqlmodel import col

from rapid_response.access.permissions import Permission
from rapid_response.console import filling
from rapid_response.console.views.upkeep import CallToReturn, TextsView, TextToRead
from rapid_response.console.visit_pages import NeedsAny, Visit
from rapid_response.intake.matching.profile import Told, identify
from rapid_response.steps import casefile
from rapid_response.storage.log import record_view
from rapid_response.storage.tables import CallRow, IdentifierRow, InboundMessageRow, IncidentRow
from rapid_response.storage.tx import Tx

router = APIRouter(include_in_schema=False)

_MOST = 100
_EARLIER = 5
_LONGEST_CALL = timedelta(hours=1)

Reader = Annotated[Visit, Depends(NeedsAny(Permission.INBOX_WORK))]


@router.api_route("/texts", methods=["GET", "HEAD"])
async def get_texts(visit: Reader) -> Response:
    """What waits to be read, oldest first; that it was looked at is kept, and of which cases."""
    zone = visit.pages.desk.zone
    waiting = await visit.look(lambda c: _waiting(c, filling.read_names(c, zone)))
    calls = await visit.look(lambda c: _calls(c, visit.now))
    if waiting or calls:
        await visit.run(lambda tx: _seen(tx, waiting))
    return await visit.page(TextsView(waiting, calls, done="Done" if visit.query.text("done") else ""))


def _seen(tx: Tx, waiting: Iterable[TextToRead]) -> None:
    record_view(tx, "texts", None)
    for reference in dict.fromkeys(text.reference for text in waiting if text.reference):
        casefile.seen(tx, reference, "texts")


@router.post("/texts/{text_id}/done")
async def post_done(text_id: str, visit: Reader) -> Response:
    """Somebody has read it; doing it twice is doing it once."""
    await visit.posted()
    await visit.run(lambda tx: _read(tx, text_id))
    return visit.go("/texts?done=1")


@router.post("/texts/calls/{call_id}/done")
async def post_rung_back(call_id: str, visit: Reader) -> Response:
    """Somebody has rung back, or need not; doing it twice is doing it once."""
    await visit.posted()
    await visit.run(lambda tx: _rung_back(tx, call_id))
    return visit.go("/texts?done=1")


def _rung_back(tx: Tx, call_id: str) -> None:
    tx.execute(update(CallRow).where(col(CallRow.id) == call_id).values(needs_person=False))
    record_view(tx, "call_returned", None)


def _calls(connection: Connection, now: datetime) -> tuple[CallToReturn, ...]:
    # Each looked for by itself, as each has an index of its few.
    wanted = (col(CallRow.needs_person), _on_the_line(now))
    rows = connection.execute(
        select(col(CallRow.id), col(CallRow.from_number), col(CallRow.created_at), col(CallRow.needs_person))
        .where(or_(*(col(CallRow.id).in_(select(col(CallRow.id)).where(which)) for which in wanted)))
        .order_by(col(CallRow.created_at))
        .limit(_MOST)
    ).all()
    return tuple(
        CallToReturn(
            row.id,
            row.from_number,
            row.created_at,
            _earlier(connection, row.from_number, now),
            is_on_the_line=not row.needs_person,
        )
        for row in rows
    )


def _on_the_line(now: datetime) -> ColumnElement[bool]:
    """Somebody who rings at this moment: whoever takes the call sees what we know of her number."""
    return and_(
        col(CallRow.inbound),
        col(CallRow.outcome).is_(None),
        col(CallRow.status) == "in-progress",
        col(CallRow.created_at) > now - _LONGEST_CALL,
    )


def _earlier(connection: Connection, number: str, now: datetime) -> tuple[str, ...]:
    """The newest incidents that somebody with this number told us of, or is the victim of."""
    who = {"phone": number}
    keys = identify(Told("", now.date(), caller=who, victim=who)).own_keys
    rows = connection.execute(
        select(col(IncidentRow.reference))
        .where(
            col(IncidentRow.id).in_(
                select(col(IdentifierRow.incident_id)).where(col(IdentifierRow.key).in_(keys))
            )
        )
        .order_by(col(IncidentRow.received_at).desc())
        .limit(_EARLIER)
    )
    return tuple(row.reference for row in rows)


def _read(tx: Tx, text_id: str) -> None:
    tx.execute(
        update(InboundMessageRow).where(col(InboundMessageRow.id) == text_id).values(needs_person=False)
    )
    record_view(tx, "text_read", None)


def _waiting(connection: Connection, names: filling.Names) -> tuple[TextToRead, ...]:
    rows = connection.execute(
        select(
            col(InboundMessageRow.id),
            col(InboundMessageRow.sender),
            col(InboundMessageRow.from_number),
            col(InboundMessageRow.body),
            col(InboundMessageRow.received_at),
            col(InboundMessageRow.has_media),
            col(IncidentRow.reference),
        )
        .outerjoin(IncidentRow, col(IncidentRow.id) == col(InboundMessageRow.incident_id))
        .where(col(InboundMessageRow.needs_person))
        .order_by(col(InboundMessageRow.received_at))
        .limit(_MOST)
    )
    return tuple(
        TextToRead(
            row.id,
            names.actor(row.sender) if row.sender and row.sender != "public" else row.from_number,
            row.body,
            row.received_at,
            row.reference or "",
            has_media=row.has_media,
        )
        for row in rows
    )
