"""Who looked at what: the reason asked of whoever opens a case that is not theirs, and the access log."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import Connection
from sqlmodel import Session, col
from sqlmodel import select as typed_select

from rapid_response.access.permissions import Permission
from rapid_response.console import filling
from rapid_response.console.forms.posted import FieldError, Filled
from rapid_response.console.forms.privacy import read_view_reason
from rapid_response.console.views.access import AccessView, OpenedLine, ReasonView, RetentionView, ViewLine
from rapid_response.console.visit_pages import NeedsAny, Visit
from rapid_response.core.vocabulary import ViewReason
from rapid_response.definition.durations import in_words, months_in_words
from rapid_response.steps import retention, viewing
from rapid_response.steps.errors import Invalid, NotFound
from rapid_response.storage.log import record_view
from rapid_response.storage.tables import IncidentRow

router = APIRouter(include_in_schema=False)

Reader = Annotated[Visit, Depends(NeedsAny(Permission.CASE_VIEW))]
Supervisor = Annotated[Visit, Depends(NeedsAny(Permission.AUDIT_VIEW))]

_DONE = {"seen": "It is recorded that you have looked at it"}


# --- a case that is not one's own -------------------------------------------------------------------------


async def must_say_why(visit: Visit, reference: str) -> bool:
    """Whether the visitor is asked for a reason first; nothing of the case is shown before."""
    if not visit.may(Permission.CASE_VIEW):
        return False  # ids, codes and times alone are shown to them

    def read(connection: Connection) -> bool:
        incident = _incident(connection, reference)
        return incident is not None and viewing.must_say_why(connection, incident, visit.principal, visit.now)

    return await visit.look(read)


async def ask_why(visit: Visit, reference: str, filled: Filled | None = None) -> Response:
    """The question; it says nothing of the case but its reference."""
    view = ReasonView(reference.upper(), filled or Filled())
    return await visit.page(view, status=422 if filled and filled.errors else 200)


@router.post("/incidents/{reference}/reason")
async def post_reason(reference: str, visit: Reader) -> Response:
    """The reason is kept, the next one up is told, and the case opens."""
    incident = await visit.look(lambda c: _incident(c, reference))
    if incident is None:
        raise NotFound("There is no incident with this reference.")
    _, parsed = await visit.filled_in(read_view_reason, "reason")
    if not parsed.ok:
        return await ask_why(visit, reference, parsed.filled)
    step = partial(
        viewing.give_reason,
        desk=visit.pages.desk,
        incident_id=incident.id,
        viewer=visit.principal,
        reason=ViewReason(parsed.body["reason"]),
        words=parsed.body.get("words"),
    )
    try:
        await visit.run(step)
    except Invalid as refused:
        fault = FieldError(refused.field or "reason", refused.detail)
        return await ask_why(visit, reference, Filled(parsed.filled.values, (fault,)))
    return visit.go(f"/incidents/{incident.reference}")


def _incident(connection: Connection, reference: str) -> IncidentRow | None:
    query = typed_select(IncidentRow).where(col(IncidentRow.reference) == reference.upper())
    return Session(connection).exec(query).one_or_none()


# --- the access log ---------------------------------------------------------------------------------------


@router.api_route("/access", methods=["GET", "HEAD"])
async def get_access(visit: Supervisor) -> Response:
    """Reasons that nobody has looked at, and the log, newest first; reading it is in it, too."""
    viewer, reference = visit.query.text("viewer"), visit.query.text("reference").upper()

    def read(connection: Connection) -> AccessView:
        names = filling.read_names(connection, visit.pages.desk.zone)

        def line(found: viewing.Opened) -> OpenedLine:
            row = found.row
            return OpenedLine(
                row_id=row.id,
                at=row.at,
                viewer=names.actor(row.viewer),
                reference=found.reference,
                reason=row.reason,
                words=row.words or "",
                seen_at=row.seen_at,
                seen_by=names.actor(row.seen_by or ""),
                is_own=row.viewer == visit.principal.actor,
            )

        views = viewing.views(connection, viewer=viewer or None, reference=reference or None)
        return AccessView(
            unseen=tuple(line(found) for found in viewing.opened(connection, seen=False)),
            opened=tuple(line(found) for found in viewing.opened(connection, seen=True)),
            views=tuple(ViewLine(v.at, names.actor(v.viewer), v.viewer, v.what, v.reference) for v in views),
            viewer=names.actor(viewer) if viewer else "",
            reference=reference,
            done=_DONE.get(visit.query.text("done"), ""),
        )

    view = await visit.look(read)
    await visit.run(lambda tx: record_view(tx, "page_access", None))
    return await visit.page(view)


@router.post("/access/{row_id}/seen")
async def post_seen(row_id: str, visit: Supervisor) -> Response:
    """A supervisor has looked at why somebody opened a case."""
    await visit.posted()
    await visit.run(partial(viewing.has_seen, row_id=row_id))
    return visit.go("/access?done=seen")


# --- how long it is kept ----------------------------------------------------------------------------------


@router.api_route("/retention", methods=["GET", "HEAD"])
async def get_retention(visit: Supervisor) -> Response:
    """A dry run: what the nightly round would erase now, what stops it, and what is held."""

    def read(connection: Connection) -> RetentionView:
        found = retention.standing(connection, visit.now)
        names = filling.read_names(connection, visit.pages.desk.zone)
        return RetentionView(
            cases=tuple(
                (kind, months_in_words(found.kept.cases[kind]), count) for kind, count in found.cases.items()
            ),
            notifications_kept=months_in_words(found.kept.notifications),
            texts_kept=in_words(found.kept.texts),
            notifications=found.notifications,
            texts=found.texts,
            held=found.held,
            owed=found.owed,
            is_on=visit.pages.settings.erases,
            holds=tuple(
                (row.reference, row.legal_hold_at, names.actor(row.legal_hold_by or ""))
                for row in retention.held(connection)
                if row.legal_hold_at is not None
            ),
        )

    return await visit.page(await visit.look(read))
