"""The reviews: what waits for a decision on age targeting, and what was referred, of cases open and ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from rapid_response.access.permissions import Permission
from rapid_response.access.principal import Principal
from rapid_response.console import filling
from rapid_response.console.filling import Names
from rapid_response.console.forms.posted import Posted
from rapid_response.console.narrowing import Narrowing
from rapid_response.console.views.case_parts import Words
from rapid_response.console.views.reviews import ReferralLine, ReviewFilters, ReviewLine, ReviewsView
from rapid_response.console.visit_pages import NeedsAny, Visit
from rapid_response.core.definition import ServiceDefinition
from rapid_response.core.vocabulary import Category, HateStrand
from rapid_response.steps import reviewqueue
from rapid_response.steps.reviewqueue import Awaited, Queue, Queued, QueueFilters
from rapid_response.storage.log import record_view
from rapid_response.storage.tx import Tx

router = APIRouter(include_in_schema=False)

Reviewer = Annotated[Visit, Depends(NeedsAny(Permission.REVIEW_LIST))]

#: As many of the words that led to a case as a line has room for.
_MOST_WORDS = 4


@router.api_route("/reviews", methods=["GET", "HEAD"])
async def get_reviews(visit: Reviewer) -> Response:
    """The queue; the filters are in the address. That words of a case were seen is kept, case by case."""
    filters, problems = read_filters(visit.query, visit.service)
    zone, now = visit.pages.desk.zone, visit.now
    wanted = QueueFilters(filters.category, filters.ward or None, filters.overdue, filters.is_open)
    queue, names = await visit.look(
        lambda c: (reviewqueue.read_queue(c, wanted, now), filling.read_names(c, zone))
    )
    if queue.shown:
        await visit.run(lambda tx: _seen(tx, queue))
    lines = _Lines(names, visit.principal, visit.may(Permission.SPECIAL_CATEGORY))
    return await visit.page(replace(_view(queue, lines, filters, visit.service), problems=problems))


_NAMES = {"category": "Category", "ward": "Ward", "overdue": "Late", "case": "Open or ended"}


def read_filters(query: Posted, service: ServiceDefinition) -> tuple[ReviewFilters, tuple[str, ...]]:
    """The filters of an address, and what is wrong with them."""
    asked = Narrowing(query, _NAMES)
    case = asked.one_of("case", ("open", "ended"))
    filters = ReviewFilters(
        category=asked.one_of("category", Category),
        ward=asked.one_of("ward", service.wards) or "",
        overdue=asked.one_of("overdue", ("0", "1")) == "1",
        is_open=None if case is None else case == "open",
    )
    return filters, tuple(asked.problems)


def _seen(tx: Tx, queue: Queue) -> None:
    for incident_id in queue.shown:
        record_view(tx, "reviews", incident_id)


def _view(queue: Queue, lines: _Lines, filters: ReviewFilters, service: ServiceDefinition) -> ReviewsView:
    return ReviewsView(
        filters=filters,
        wards=service.wards,
        waiting=lines.of(queue.waiting),
        under_review=lines.of(queue.under_review),
        to_offer=lines.of(queue.to_offer, of_strands=True) if lines.sees_strands else (),
        referrals=tuple(_referral(awaited) for awaited in queue.awaited),
        decided=lines.of(queue.decided),
        most=reviewqueue.MOST,
    )


@dataclass(frozen=True, slots=True)
class _Lines:
    """Makes lines of cases, for whoever looks."""

    names: Names
    viewer: Principal
    sees_strands: bool

    def of(self, queued: Iterable[Queued], *, of_strands: bool = False) -> tuple[ReviewLine, ...]:
        """A line a case, with the words about age, or about a strand."""
        return tuple(self._line(q, of_strands) for q in queued)

    def _line(self, queued: Queued, of_strands: bool) -> ReviewLine:
        incident = queued.incident
        evidence = queued.strand_words if of_strands else queued.age_words
        strands = [HateStrand(s) for s in incident.statutory_strands if s in set(HateStrand)]
        return ReviewLine(
            reference=incident.reference,
            category=incident.category,
            subtype=incident.subtype,
            status=incident.status,
            state=incident.age_state,
            ward=incident.ward or "",
            job_number=incident.job_number,
            words=_most_telling(filling.words_of(evidence)),
            strands=tuple(strands) if self.sees_strands else (),
            raised_at=queued.opened_at,
            due_at=queued.due_at,
            proposal=filling.proposal(incident, self.names, self.viewer),
            decided_at=incident.review_decided_at,
            decided_by=self.names.actor(incident.review_decided_by or ""),
        )


def _most_telling(words: Sequence[Words]) -> tuple[Words, ...]:
    """The longest stretches, in the order of the report: one word says less than five."""
    longest = sorted(words, key=lambda said: -len(said.text))[:_MOST_WORDS]
    return tuple(said for said in words if said in longest)


def _referral(awaited: Awaited) -> ReferralLine:
    referral = awaited.referral
    return ReferralLine(
        reference=awaited.incident.reference,
        kind=referral.kind,
        state=referral.state,
        sent_at=referral.sent_at,
        their_reference=referral.reference or "",
        chased=referral.chased,
        chase_due_at=awaited.chase_due_at,
    )
