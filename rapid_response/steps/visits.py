"""A responder on her way and on scene: the visit plan, check-ins, and who hears that she is silent.

Every question is a row of the agenda, armed when she was last heard from; an answer takes all of them off and
arms them anew. So a restart loses none: what fell due meanwhile happens once, and says how late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core import events as happened
from rapid_response.core.definition import Means
from rapid_response.core.incident import Action, Status
from rapid_response.core.notices import SILENCE, NoticeKind
from rapid_response.core.states import MessageChannel, Purpose
from rapid_response.messaging import wording
from rapid_response.safety import rules
from rapid_response.safety.rules import Ask, SilenceStep
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import notices
from rapid_response.steps.clock import disarm
from rapid_response.steps.desk import Desk, Who
from rapid_response.steps.outbox import queue
from rapid_response.steps.service import Service
from rapid_response.storage import work
from rapid_response.storage.once import once
from rapid_response.storage.tables import IncidentRow, NoticeRow, VisitRow
from rapid_response.storage.tx import Tx

#: A question to a lone worker waits for nothing else, whatever her case's priority.
_FIRST = 0
_WATCHES = (Kind.CHECK_IN, Kind.TRAVEL)
#: What says nothing of her: words kept as they are, and answers to what others ask.
_NO_SIGN = (Action.NOTE, Action.ACKNOWLEDGE)
#: With these she leaves wherever she was before.
_LEAVES = (Action.EN_ROUTE, Action.ON_SCENE)
_GONE, _ALIVE = "gone", "alive"


def live(tx: Tx, incident: IncidentRow) -> VisitRow | None:
    """Who is on her way there, or there, now."""
    return tx.first(_live(incident.id))


@once
def _live(incident_id: str) -> SelectOfScalar[VisitRow]:
    return select(VisitRow).where(col(VisitRow.incident_id) == incident_id, col(VisitRow.ended_at).is_(None))


# --- the visit --------------------------------------------------------------------------------------------


def set_off(tx: Tx, incident: IncidentRow, responder_id: str, eta_minutes: int | None) -> VisitRow:
    """She is on her way: the plan is kept, and she is missed if she does not arrive."""
    plan = rules.visit_plan(tx.now, eta_minutes)
    visit = tx.new(
        VisitRow,
        id=tx.ids.uuid(),
        incident_id=incident.id,
        responder_id=responder_id,
        set_off_at=tx.now,
        expected_at=plan.expected_at,
        finish_at=plan.finish_at,
        heard_at=tx.now,
    )
    _arm(tx, incident, Kind.TRAVEL, plan.overdue_at, rules.travel_steps())
    return visit


def carry_on(tx: Tx, incident: IncidentRow, before: VisitRow) -> VisitRow:
    """She goes on under another number: on her way as long as she said, whoever joins the two."""
    eta = None
    if before.expected_at is not None and before.set_off_at is not None:
        eta = int((before.expected_at - before.set_off_at).total_seconds() // 60)
    return set_off(tx, incident, before.responder_id, eta)


def arrived(
    tx: Tx,
    service: Service,
    incident: IncidentRow,
    responder_id: str,
    said_at: datetime | None = None,
) -> None:
    """She is there: from now on she is asked whether she is safe."""
    visit = live(tx, incident)
    if visit is None:
        visit = tx.new(
            VisitRow,
            id=tx.ids.uuid(),
            incident_id=incident.id,
            responder_id=responder_id,
            finish_at=tx.now,
            heard_at=tx.now,
        )
    visit.arrived_at, visit.finish_at = tx.now, tx.now + rules.USUAL_VISIT
    _begin_anew(tx, service, incident, visit, _when(tx, said_at))


def end(tx: Tx, incident: IncidentRow, why: str) -> None:
    """Nobody is there, or on the way, for this job any more; nothing is asked."""
    visit = live(tx, incident)
    if visit is not None:
        visit.ended_at, visit.check_in_by = tx.now, None
        _unask(tx, incident, why)
        notices.overtaken(tx, incident, SILENCE)


def taken_over(tx: Tx, incident: IncidentRow, responder_id: str) -> None:
    """Somebody else has the job at the address: what was to be asked is asked of her, at the same times."""
    visit = live(tx, incident)
    if visit is not None:
        visit.responder_id = responder_id


# --- signs of life ----------------------------------------------------------------------------------------


def check_in(tx: Tx, service: Service, incident: IncidentRow, responder_id: str, who: Who) -> None:
    """She says that she is safe, or whoever spoke with her does; the time begins anew."""
    visit = live(tx, incident)
    if visit is None and incident.status is Status.ON_SCENE:
        # She had gone elsewhere, and is back.
        arrived(tx, service, incident, incident.owner or responder_id, who.said_at)
        visit = live(tx, incident)
    elif visit is not None:
        _heard(tx, service, incident, visit, who.said_at)
    tx.record(incident.id, happened.CheckedIn(responder_id, who.source, visit.check_in_by if visit else None))


def sign_of_life(tx: Tx, service: Service, incident: IncidentRow, action: Action, who: Who) -> None:
    """Whatever she does by her own phone or page shows that she can: here, and wherever else she is."""
    if who.responder is None or who.source not in ("sms", "voice", "page") or action in _NO_SIGN:
        return
    visit = live(tx, incident)
    is_hers = visit is not None and who.responder in (visit.responder_id, incident.companion)
    if visit is not None and is_hers and action not in (*_LEAVES, Action.CHECK_IN):
        _heard(tx, service, incident, visit, who.said_at)
    elsewhere = (
        select(VisitRow)
        .where(
            col(VisitRow.responder_id) == who.responder,
            col(VisitRow.ended_at).is_(None),
            col(VisitRow.incident_id) != incident.id,
        )
        .order_by(col(VisitRow.incident_id))
    )
    what = _GONE if action in _LEAVES else _ALIVE
    # A text that was held up says of another job, too, what was so when it was written.
    since = f":{int(who.said_at.timestamp())}" if who.said_at is not None else ""
    for other in tx.all(elsewhere):
        # On the agenda, because it needs the other incident's lock, and locks go in order (design.md 3).
        sign = Deadline(Kind.SIGN_OF_LIFE, tx.now, f"{what}:{tx.ids.uuid()}{since}")
        work.arm(tx, other.incident_id, 1, _FIRST, [sign])


def ring_sign_of_life(tx: Tx, service: Service, incident: IncidentRow, subject: str) -> None:
    """She was heard from about another job."""
    visit = live(tx, incident)
    if visit is None:
        return
    what, _, *since = subject.split(":")
    said_at = datetime.fromtimestamp(int(since[0]), UTC) if since else None
    if what != _GONE:
        _heard(tx, service, incident, visit, said_at)
    elif _when(tx, said_at) >= visit.heard_at:
        _reassure(tx, incident, visit)
        tx.record(incident.id, happened.VisitEnded(visit.responder_id, "gone_elsewhere"))
        end(tx, incident, "gone_elsewhere")


def _when(tx: Tx, said_at: datetime | None) -> datetime:
    """When she was well enough to say so: now, unless it is known to be longer ago."""
    return min(said_at, tx.now) if said_at is not None else tx.now


def _heard(
    tx: Tx, service: Service, incident: IncidentRow, visit: VisitRow, said_at: datetime | None
) -> None:
    """She was heard from: the time begins anew, unless she is being asked and this is no answer to it."""
    at = _when(tx, said_at)
    if at < visit.heard_at:
        return
    asked_from = _asked_from(service, visit, visit.heard_at)
    if asked_from is not None and asked_from <= tx.now:
        again = _asked_from(service, visit, at)
        # Written before the question, or so long ago that she would be asked again by now.
        if at < asked_from or (again is not None and again <= tx.now):
            visit.heard_at = at
            return
    _begin_anew(tx, service, incident, visit, at)


def _begin_anew(tx: Tx, service: Service, incident: IncidentRow, visit: VisitRow, at: datetime) -> None:
    """Take off what was to be asked, tell whoever was worried, and count the time from when she said so."""
    _reassure(tx, incident, visit)
    _unask(tx, incident, "heard")
    visit.heard_at = at
    again = _asked_from(service, visit, at)
    due = max(again, tx.now) if again is not None else None
    if visit.arrived_at is not None:
        visit.check_in_by = due
    if due is not None:
        _watch(tx, service, incident, visit, due)


def _asked_from(service: Service, visit: VisitRow, heard_at: datetime) -> datetime | None:
    """When she is asked, having been heard from then; None where nothing is asked."""
    if visit.arrived_at is not None:
        policy = service.definition.lone_worker
        return heard_at + policy.check_in_every if policy is not None else None
    if visit.set_off_at is None or visit.expected_at is None:
        return None
    return heard_at + 2 * (visit.expected_at - visit.set_off_at)


def _watch(tx: Tx, service: Service, incident: IncidentRow, visit: VisitRow, due: datetime) -> None:
    policy = service.definition.lone_worker
    if visit.arrived_at is None:
        _arm(tx, incident, Kind.TRAVEL, due, rules.travel_steps())
    elif policy is not None:
        _arm(tx, incident, Kind.CHECK_IN, due, rules.check_in_steps(policy))


def _reassure(tx: Tx, incident: IncidentRow, visit: VisitRow) -> None:
    """Whoever was told that she is silent hears that she is not: they may be ringing 999."""
    told = tx.all(
        select(NoticeRow)
        .where(
            col(NoticeRow.incident_id) == incident.id,
            col(NoticeRow.kind).in_([kind.value for kind in SILENCE]),
            col(NoticeRow.given_at) > visit.heard_at,
        )
        .order_by(col(NoticeRow.given_at), col(NoticeRow.id))
    )
    if not told:
        return
    notices.overtaken(tx, incident, SILENCE)
    for recipient in {r["id"]: r for notice in told for r in notice.recipients}.values():
        if recipient["sms"]:
            queue(
                tx,
                key=f"heard_from:{told[-1].id}:{recipient['id']}",
                purpose=Purpose.NOTICE,
                to_number=recipient["sms"],
                recipient=recipient["id"],
                body=wording.heard_from(incident.job_number or 0),
                incident=incident,
                rank=_FIRST,
            )


def _arm(tx: Tx, incident: IncidentRow, kind: Kind, due: datetime, steps: Sequence[SilenceStep]) -> None:
    question = tx.ids.uuid()
    entries = [Deadline(kind, due + step.after, f"{question}:{n}") for n, step in enumerate(steps)]
    work.arm(tx, incident.id, 1, _FIRST, entries)


def watch_again(tx: Tx, service: Service, incident: IncidentRow) -> None:
    """What was to be asked of her is lost: it is asked after all, now where its time has passed."""
    visit = live(tx, incident)
    if visit is None:
        return
    _unask(tx, incident, "asked_anew")
    if visit.arrived_at is None:
        travel = visit.expected_at - visit.set_off_at if visit.expected_at and visit.set_off_at else None
        due = visit.heard_at + 2 * (travel or rules.USUAL_TRAVEL)
        _arm(tx, incident, Kind.TRAVEL, max(due, tx.now), rules.travel_steps())
        return
    policy = service.definition.lone_worker
    if policy is None:
        visit.check_in_by = None  # it is not asked in this service any more
    elif visit.check_in_by is not None:
        _arm(tx, incident, Kind.CHECK_IN, max(visit.check_in_by, tx.now), rules.check_in_steps(policy))


def _unask(tx: Tx, incident: IncidentRow, why: str) -> None:
    # A question that has not left yet is looked at again before it does (steps.sending).
    disarm(tx, incident, _WATCHES, why)


# --- silence ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Silence:
    """One question that has fallen due: which step of it, and how late."""

    question: str
    step: int
    late: float


def ring_check_in(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, due: Silence) -> None:
    """She is to say that she is safe, or has not said so."""
    policy, visit = service.definition.lone_worker, live(tx, incident)
    if policy is None or visit is None or visit.arrived_at is None:
        return
    steps = rules.check_in_steps(policy)
    if due.step >= len(steps):
        return
    step = steps[due.step]
    body = wording.check_in(incident.job_number or 0)
    if step.ask is Ask.TELL:
        _tell(tx, desk, service, incident, visit, step, NoticeKind.CHECK_IN_MISSED, due.late)
    else:
        _ask(tx, service, incident, visit, step.ask, body, due)


def ring_travel(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, due: Silence) -> None:
    """She has not arrived in twice the time that she, or anybody, would need."""
    visit, steps = live(tx, incident), rules.travel_steps()
    if visit is None or visit.arrived_at is not None or due.step >= len(steps):
        return
    step = steps[due.step]
    if step.ask is Ask.TELL:
        _tell(tx, desk, service, incident, visit, step, NoticeKind.TRAVEL_OVERDUE, due.late)
        return
    since = visit.set_off_at or visit.heard_at
    body = wording.where_are_you(incident.job_number or 0, since, desk.zone, tx.now)
    _ask(tx, service, incident, visit, step.ask, body, due)


def _ask(
    tx: Tx, service: Service, incident: IncidentRow, visit: VisitRow, by: Ask, body: str, due: Silence
) -> None:
    """Ask her, by text or by a call in which one key says that she is safe."""
    responder = service.definition.responder(visit.responder_id)
    is_call = by is Ask.CALL
    number = (responder.voice or responder.sms if is_call else responder.sms) if responder else None
    if number:
        queue(
            tx,
            key=f"check_in:{due.question}:{due.step}",
            purpose=Purpose.CHECK_IN,
            channel=MessageChannel.VOICE if is_call else MessageChannel.SMS,
            to_number=number,
            recipient=f"responder:{visit.responder_id}",
            body=body,
            incident=incident,
            is_new=True,
            rank=_FIRST,
        )
    asked = happened.CheckInAsked(visit.responder_id, by.value, visit.arrived_at is not None, due.late)
    tx.record(incident.id, asked)


def _tell(
    tx: Tx,
    desk: Desk,
    service: Service,
    incident: IncidentRow,
    visit: VisitRow,
    step: SilenceStep,
    kind: NoticeKind,
    late: float,
) -> None:
    assert step.role is not None  # noqa: S101 - a step that tells has somebody to tell
    is_there = visit.arrived_at is not None
    minutes = int((tx.now - visit.heard_at).total_seconds() // 60)
    since = visit.heard_at if is_there or visit.set_off_at is None else visit.set_off_at
    detail = {"since": since.isoformat(), "police": step.police}
    notices.give(
        tx,
        desk,
        service,
        incident,
        kind,
        step.role,
        (Means.SMS, Means.VOICE),
        detail,
        apart_from=visit.responder_id,
    )
    missed = happened.CheckInMissed(visit.responder_id, step.role, minutes, is_there, late)
    tx.record(incident.id, missed)
