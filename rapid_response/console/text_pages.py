"""Texts that a person has to read: what was not understood, or understood and flagged (delivery.md 9.4)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import Connection, select, update
from sqlmodel import col

from rapid_response.access.permissions import Permission
from rapid_response.console import filling
from rapid_response.console.views import TextsView, TextToRead
from rapid_response.console.visit_pages import NeedsAny, Visit
from rapid_response.storage.log import record_view
from rapid_response.storage.tables import InboundMessageRow, IncidentRow
from rapid_response.storage.tx import Tx

router = APIRouter()

_MOST = 100

Reader = Annotated[Visit, Depends(NeedsAny(Permission.INBOX_WORK))]


@router.api_route("/texts", methods=["GET", "HEAD"])
async def get_texts(visit: Reader) -> Response:
    """What waits to be read, oldest first; that it was looked at is kept."""
    zone = visit.pages.desk.zone
    waiting = await visit.look(lambda c: _waiting(c, filling.read_names(c, zone)))
    if waiting:
        await visit.run(lambda tx: record_view(tx, "texts", None))
    return await visit.page(TextsView(waiting, done="Done" if visit.query.text("done") else ""))


@router.post("/texts/{text_id}/done")
async def post_done(text_id: str, visit: Reader) -> Response:
    """Somebody has read it; doing it twice is doing it once."""
    await visit.posted()
    await visit.run(lambda tx: _read(tx, text_id))
    return visit.go("/texts?done=1")


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
        )
        for row in rows
    )
