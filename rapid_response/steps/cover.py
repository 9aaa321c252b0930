"""Who would be asked at a moment, and why; when nobody would be; and telling of that a day ahead.

The same pure choice as for a real report, with the rota, absences and swaps as they stand now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import Session, col
from sqlmodel import select as typed_select

from rapid_response.core import rota
from rapid_response.core.definition import Responder, RungAction
from rapid_response.core.events import SERVICE_STREAM, RotaGapTold
from rapid_response.core.states import Purpose
from rapid_response.core.vocabulary import Category, ContactRole, Priority, Skill
from rapid_response.dispatch import rules
from rapid_response.messaging import wording
from rapid_response.steps.desk import Desk
from rapid_response.steps.outbox import queue
from rapid_response.steps.service import Service, service_now
from rapid_response.storage.tables import AvailabilityRow, IncidentRow, ResponderRow
from rapid_response.storage.tx import Tx

#: A gap is told of at least a day before it begins: each morning looks two days ahead.
AHEAD = timedelta(days=2)
#: How far the page looks.
SHOWN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody who would be asked; `why` is the sentence that would stand with the offer."""

    responder: Responder
    is_on_call: bool
    why: str


@dataclass(frozen=True, slots=True)
class Told:
    """Who hears a step of the ladder; `after` counts from the start of the clock."""

    role: ContactRole
    after: timedelta
    who: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cover:
    """Who there is at a moment, for one kind of report."""

    at: datetime
    category: Category
    ward: str | None
    #: When the service opens next, where it is closed then; what comes in waits until that time.
    opens_at: datetime | None
    asked: tuple[Asked, ...]
    not_asked: tuple[tuple[Responder, str], ...]
    told: tuple[Told, ...]

    def to_json(self) -> dict[str, Any]:
        """As the API shows it; numbers stay where they are."""
        return {
            "at": self.at.isoformat(),
            "category": self.category,
            "ward": self.ward,
            "opens_at": self.opens_at.isoformat() if self.opens_at else None,
            "asked": [
                {"responder": a.responder.id, "name": a.responder.name, "on_call": a.is_on_call, "why": a.why}
                for a in self.asked
            ],
            "not_asked": [{"responder": r.id, "name": r.name, "why": why} for r, why in self.not_asked],
            "told": [
                {"role": t.role, "after_minutes": int(t.after.total_seconds() // 60), "who": list(t.who)}
                for t in self.told
            ],
        }


_NOT_ASKED = {
    "no_skill": "Does not have the skill.",
    "away": "Off, beside the rota.",
    "off_duty": "Off duty, and not on call.",
}


def cover(
    connection: Connection, service: Service, at: datetime, category: Category, ward: str | None = None
) -> Cover:
    """Who would be asked if a report came then and everybody was free, and who would be told."""
    definition = service.definition
    starts = rota.clock_start(definition.sla, definition.zone, at)
    candidates = _candidates(connection, service, starts)
    needs = rules.Needs(category, ward, None, Priority.P2, joint=False, needed_by=None)
    offers = rules.in_turn(needs, candidates, starts)
    by_id = {c.responder.id: c for c in candidates}
    return Cover(
        at=at,
        category=category,
        ward=ward,
        opens_at=starts if starts > at else None,
        asked=tuple(
            Asked(
                by_id[o.responder_id].responder,
                not by_id[o.responder_id].on_duty,
                # How many were left to choose from is no reason for whoever reads the whole list.
                rules.explain([reason for reason in o.reasons if not reason.startswith("rank:")]),
            )
            for o in offers
        ),
        not_asked=tuple(
            (by_id[i].responder, _NOT_ASKED[why]) for i, why in rules.left_out(needs, candidates)
        ),
        told=tuple(_told(service, starts)),
    )


def _candidates(connection: Connection, service: Service, at: datetime) -> list[rules.Candidate]:
    finished = connection.execute(select(col(ResponderRow.id), col(ResponderRow.last_finished_at)))
    rested = {row.id: row.last_finished_at for row in finished}
    on_duty = service.on_duty(at)
    return [
        rules.Candidate(
            responder=r,
            on_duty=r.id in on_duty,
            on_call=r.id in service.definition.on_call,
            away=service.is_away(r.id, at),
            last_finished_at=rested.get(r.id),
        )
        for r in service.definition.responders
        if r.skills and (r.sms or r.voice)
    ]


def _told(service: Service, at: datetime) -> Iterable[Told]:
    definition = service.definition
    for rung in definition.escalation:
        if rung.action is RungAction.NOTIFY:
            role = ContactRole(rung.to)
            hearers = rules.who_hears(role, service.holders(role, at), definition.contacts)
            yield Told(role, rung.after, tuple(_called(service, hearer.id) for hearer in hearers))


def _called(service: Service, recipient: str) -> str:
    kind, _, name = recipient.partition(":")
    responder = service.definition.responder(name) if kind == "responder" else None
    return responder.name if responder else f"the number of the {name.replace('_', ' ')}"


# --- gaps -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gap:
    """From when to when nobody with the skill is on duty; somebody may still be on call."""

    skill: Skill
    begins: datetime
    ends: datetime
    on_call: tuple[str, ...]


def gaps(service: Service, start: datetime, end: datetime) -> list[Gap]:
    """All gaps that touch [start, end), soonest first."""
    definition = service.definition
    found = [
        Gap(skill, begins, ends, _on_call(service, skill, begins))
        for skill in Skill
        for begins, ends in rota.gaps(definition, skill, start, end, service.away, service.extra)
    ]
    return sorted(found, key=lambda gap: (gap.begins, gap.skill))


def _on_call(service: Service, skill: Skill, at: datetime) -> tuple[str, ...]:
    people = (service.definition.responder(name) for name in service.definition.on_call)
    return tuple(p.id for p in people if p and skill in p.skills and not service.is_away(p.id, at))


def tell_of_gaps(tx: Tx, desk: Desk, service: Service, known: Sequence[Gap] = ()) -> None:
    """Tell the team leader of gaps ahead in which nobody would be asked at all, but for those `known` before.

    One text for all of them, once a local day and set of gaps: more would be read by nobody.
    """
    before = {(gap.skill, gap.begins, gap.ends) for gap in known}
    ahead = [
        gap
        for gap in gaps(service, tx.now, tx.now + AHEAD)
        if not gap.on_call and (gap.skill, gap.begins, gap.ends) not in before
    ]
    if not ahead:
        return
    for gap in ahead:
        tx.record(SERVICE_STREAM, RotaGapTold(gap.skill, gap.begins, gap.ends))
    first, zone = ahead[0], desk.zone
    body = wording.rota_gap(first.skill, first.begins, first.ends, len(ahead) - 1, zone, tx.now)
    day = tx.now.astimezone(zone).date().isoformat()
    role = ContactRole.TEAM_LEADER
    for hears in rules.who_hears(role, service.holders(role, tx.now), service.definition.contacts):
        if hears.sms:
            queue(
                tx,
                key=f"rota_gap:{day}:{first.skill}:{first.begins.isoformat()}:{len(ahead)}:{hears.id}",
                purpose=Purpose.REMINDER,
                to_number=hears.sms,
                recipient=hears.id,
                body=body,
            )


def gaps_ahead(tx: Tx, desk: Desk) -> list[Gap]:
    """The gaps as they stand before something of the rota is changed."""
    return gaps(service_now(tx, desk.zone), tx.now, tx.now + AHEAD)


# --- what stands beside the rota, and what is handed over ---------------------------------------------------


def exceptions(connection: Connection, now: datetime) -> list[AvailabilityRow]:
    """Absences, extra duty and swaps that hold or are to come; soonest first."""
    rows = Session(connection).exec(
        typed_select(AvailabilityRow)
        .where(col(AvailabilityRow.ended_at).is_(None))
        .order_by(col(AvailabilityRow.from_at), col(AvailabilityRow.id))
    )
    return [row for row in rows if row.until_at is None or row.until_at > now]


@dataclass(frozen=True, slots=True)
class HandOver:
    """A job whose owner's shift ends soon, or is over."""

    reference: str
    job_number: int | None
    responder: str
    ends_at: datetime | None


#: So long before the end of a shift its jobs are shown for hand-over.
HAND_OVER_BEFORE = timedelta(hours=1)


def to_hand_over(connection: Connection, service: Service, now: datetime) -> list[HandOver]:
    """The jobs of those who are off duty, or will be within the hour; soonest first."""
    owned = connection.execute(
        select(col(IncidentRow.reference), col(IncidentRow.job_number), col(IncidentRow.owner))
        .where(col(IncidentRow.is_open), col(IncidentRow.owner).is_not(None))
        .order_by(col(IncidentRow.needed_by), col(IncidentRow.id))
    ).all()
    on_duty = service.on_duty(now)
    found = []
    for row in owned:
        ends = service.shift_end(row.owner, now)
        if row.owner not in on_duty or (ends is not None and ends - now <= HAND_OVER_BEFORE):
            found.append(HandOver(row.reference, row.job_number, row.owner, ends))
    return sorted(found, key=lambda job: job.ends_at or now)
