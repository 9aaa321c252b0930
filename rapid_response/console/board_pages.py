"""The dispatch board: open incidents by when help is needed, without a name, number or address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import Connection, func, select
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as typed_select

from rapid_response.access.permissions import Permission, may
from rapid_response.access.principal import Principal
from rapid_response.console import filling
from rapid_response.console.filling import Names
from rapid_response.console.forms.posted import Posted
from rapid_response.console.moments import at_words
from rapid_response.console.narrowing import Narrowing
from rapid_response.console.views.board import BoardFilters, BoardRow, BoardView
from rapid_response.console.views.pieces import AlarmPart
from rapid_response.console.visit_pages import NeedsAny, Visit
from rapid_response.core.definition import ServiceDefinition
from rapid_response.core.incident import OPEN_STATUSES, Status
from rapid_response.core.states import OfferState, TaskState
from rapid_response.core.vocabulary import Category, ClockState
from rapid_response.messaging import wording
from rapid_response.steps import casefile, lists, readiness, reviewqueue
from rapid_response.steps.lists import Filters
from rapid_response.steps.service import service_for
from rapid_response.storage.tables import (
    AgendaRow,
    AlarmRow,
    DeliveryRow,
    IncidentRow,
    OfferRow,
    RiskMarkerRow,
    TaskRow,
    VisitRow,
)

router = APIRouter(include_in_schema=False)

R = TypeVar("R", bound=SQLModel)

Desk = Annotated[Visit, Depends(NeedsAny(Permission.CASE_LIST))]

#: More than a borough ever has open; beyond it the least pressing are left out, and the filters help.
_MOST_ROWS = 300


@router.api_route("/board", methods=["GET", "HEAD"])
async def get_board(visit: Desk) -> Response:
    """All that is open; the filters are in the address."""
    filters, problems = read_filters(visit.query, visit.service)
    zone, now = visit.pages.desk.zone, visit.now
    principal = visit.principal
    view = await visit.look(lambda c: _Reading(c, zone, now, principal).view(filters))
    return await visit.page(
        replace(
            view,
            problems=problems,
            may_print=visit.may(Permission.OPEN_SHEET),
            shows_agreement=visit.may(Permission.AGREEMENT_VIEW),
        )
    )


_NAMES = {"status": "Status", "category": "Category", "ward": "Ward", "overdue": "Overdue"}


def read_filters(query: Posted, service: ServiceDefinition) -> tuple[BoardFilters, tuple[str, ...]]:
    """The filters of an address, and what is wrong with them."""
    asked = Narrowing(query, _NAMES, beside=("live",))
    filters = BoardFilters(
        status=asked.one_of("status", OPEN_STATUSES),
        category=asked.one_of("category", Category),
        ward=asked.one_of("ward", service.wards) or "",
        overdue=asked.one_of("overdue", ("0", "1")) == "1",
        live=query.text("live") != "0",
    )
    return filters, tuple(asked.problems)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The board's figures and rows, in one snapshot."""

    connection: Connection
    zone: ZoneInfo
    now: datetime
    principal: Principal

    def view(self, filters: BoardFilters) -> BoardView:
        service = service_for(self.connection, self.zone, self.now)
        on_duty = service.on_duty(self.now)
        counts = lists.count_open(self.connection)
        rows, left_out = self._rows(filters)
        return BoardView(
            rows=rows,
            left_out=left_out,
            filters=filters,
            wards=service.definition.wards,
            open_total=sum(counts.values()),
            overdue_total=self._overdue(),
            unassigned_total=counts.get(Status.UNASSIGNED, 0),
            review_total=counts.get(Status.AWAITING_REVIEW, 0),
            responders_on_duty=sum(r.id in on_duty for r in service.definition.responders if r.skills),
            parked=parked_count(self.connection) if self._may(Permission.EXCEPTIONS_VIEW) else 0,
            alarms=tuple(readiness.alarms(self.connection, self.now, self.zone)),
            unreachable=tuple(
                finding.sentence
                for finding in readiness.findings(self.connection, service.definition)
                if finding.trouble is not readiness.Trouble.NEVER_CONFIRMED
            ),
            age_reviews=reviewqueue.count_owed(self.connection)
            if self._may(Permission.REVIEW_LIST)
            else None,
            duress=self._duress(),
            may_see_duress=self._may(Permission.ALARM_SEE),
            markers_to_review=self._markers_to_review() if self._may(Permission.RISK_MARKERS) else 0,
        )

    def _may(self, permission: Permission) -> bool:
        return may(self.principal, permission)

    def _duress(self) -> tuple[AlarmPart, ...]:
        """What nobody has ended, but for the viewer's own: whoever raised it may not be alone."""
        live = typed_select(AlarmRow).where(col(AlarmRow.ended_at).is_(None))
        alarms = Session(self.connection).exec(live.order_by(col(AlarmRow.raised_at))).all()
        shown = [a for a in alarms if a.responder_id != self.principal.responder_id]
        if not shown:
            return ()
        names = filling.read_names(self.connection, self.zone)
        session = Session(self.connection)
        return tuple(
            filling.alarm(a, session.get(IncidentRow, a.incident_id) if a.incident_id else None, names)
            for a in shown
        )

    def _markers_to_review(self) -> int:
        found: int = self.connection.execute(
            select(func.count()).where(
                col(RiskMarkerRow.ended_at).is_(None), col(RiskMarkerRow.review_at) <= self.now
            )
        ).scalar_one()
        return found

    def _overdue(self) -> int:
        found: int = self.connection.execute(
            select(func.count()).where(
                col(IncidentRow.is_open),
                col(IncidentRow.stopped_at).is_(None),
                col(IncidentRow.due_at) < self.now,
                col(IncidentRow.clock_state).in_((ClockState.RUNNING, ClockState.BREACHED)),
            )
        ).scalar_one()
        return found

    def _rows(self, filters: BoardFilters) -> tuple[tuple[BoardRow, ...], int]:
        """The rows, and how many more there are."""
        wanted = Filters(
            status=filters.status,
            category=filters.category,
            ward=filters.ward or None,
            overdue=True if filters.overdue else None,
        )
        incidents, left_out = lists.list_open(self.connection, wanted, self.now, _MOST_ROWS)
        names = filling.read_names(self.connection, self.zone)
        comings = self._comings()
        return tuple(self._row(i, names, comings) for i in incidents), left_out

    def _comings(self) -> Mapping[str, _Coming]:
        """What is awaited of each open incident."""
        found: dict[str, _Coming] = defaultdict(_Coming)
        for offer in self._of_open(OfferRow, OfferRow.incident_id, OfferRow.state == OfferState.OPEN):
            found[offer.incident_id].offers.append(offer)
        for task in self._of_open(TaskRow, TaskRow.incident_id, TaskRow.state == TaskState.OPEN):
            found[task.incident_id].tasks.append(task)
        pending = col(AgendaRow.settled_at).is_(None)
        for entry in self._of_open(AgendaRow, AgendaRow.incident_id, pending):
            found[entry.incident_id].agenda.append(entry)
        for visit in self._of_open(VisitRow, VisitRow.incident_id, col(VisitRow.ended_at).is_(None)):
            found[visit.incident_id].visit = visit
        return found

    def _of_open(self, row: type[R], incident_id: Any, which: Any) -> Iterable[R]:
        open_ones = select(col(IncidentRow.id)).where(col(IncidentRow.is_open))
        query = typed_select(row).where(which, col(incident_id).in_(open_ones))
        return Session(self.connection).exec(query).all()

    def _row(
        self,
        incident: IncidentRow,
        names: Names,
        comings: Mapping[str, _Coming],
    ) -> BoardRow:
        coming = comings.get(incident.id) or _Coming()
        step = casefile.next_step(incident, coming.offers, coming.tasks, coming.agenda)
        postcode = incident.location.get("postcode")
        return BoardRow(
            reference=incident.reference,
            category=incident.category,
            subtype=incident.subtype,
            priority=incident.priority,
            status=incident.status,
            clock=filling.clock(incident),
            ward=incident.ward or "",
            sector=wording.area(postcode, None) if postcode else "",
            responder=names.responder(incident.owner),
            next_step=self._step(step, names),
            next_at=step.due_at if step else None,
            job_number=incident.job_number,
            joint=incident.joint,
            age_targeting=incident.age_state,
            check_in=filling.check_in(coming.visit),
        )

    def _step(self, step: casefile.NextStep | None, names: Names) -> str:
        if step is None:
            return ""
        by = f", by {at_words(step.due_at, self.now, self.zone)}" if step.due_at else ""
        return f"{filling.step_words(step.what)}: {names.owner(step.who)}{by}"


class _Coming:
    """What is awaited of one incident."""

    __slots__ = ("agenda", "offers", "tasks", "visit")

    def __init__(self) -> None:
        self.offers: list[OfferRow] = []
        self.tasks: list[TaskRow] = []
        self.agenda: list[AgendaRow] = []
        self.visit: VisitRow | None = None


def parked_count(connection: Connection) -> int:
    """How much work failed too often and waits for a person."""
    counts = [
        connection.execute(select(func.count()).where(col(row.parked_at).is_not(None))).scalar_one()
        for row in (AgendaRow, DeliveryRow)
    ]
    return sum(counts)
