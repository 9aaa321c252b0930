"""Offers: who is asked next, what becomes of an answer, who owns the job (design.md 5)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlmodel import col

from rapid_response.core.definition import Means, RungAction
from rapid_response.core.events import (
    Assigned,
    CompanionReleased,
    NobodyLeft,
    OfferAccepted,
    OfferDeclined,
    OfferLapsed,
    OfferMade,
    OfferWithdrawn,
    Released,
    Scheduled,
)
from rapid_response.core.incident import OWNED_STATUSES, SEEKING_STATUSES, Action, Move, Status
from rapid_response.core.notices import ENDED_WITH_THE_CASE, NoticeKind
from rapid_response.core.states import OfferState, Purpose
from rapid_response.core.vocabulary import ClockState, ContactRole
from rapid_response.dispatch import rules
from rapid_response.messaging.ladder import Address
from rapid_response.messaging.wording import StoodDown
from rapid_response.sla import rules as sla
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import jobnumbers, notices, reaching, texts, visits
from rapid_response.steps.case import allowed, check, move, offers_of
from rapid_response.steps.clock import arm, disarm, search_begins
from rapid_response.steps.desk import Desk, Who
from rapid_response.steps.errors import Invalid, NothingOffered
from rapid_response.steps.outbox import cancel_unsent, queue
from rapid_response.steps.refusals import REASSIGNED, without_refusing
from rapid_response.steps.service import Service, responder_named
from rapid_response.steps.tasks import TaskKind, finish_kind, open_task
from rapid_response.storage.due import is_pending
from rapid_response.storage.once import Filled
from rapid_response.storage.tables import IS_LIVE, AgendaRow, IncidentRow, OfferRow, ResponderRow
from rapid_response.storage.tx import Tx
from rapid_response.storage.work import pending

#: What ends when somebody has the job. Warnings go on: a promise is kept at the door, not on the phone.
SEARCH = (Kind.RUNG, Kind.ANSWER, Kind.ACCEPT_WITHIN, Kind.RETRY)
#: The step of an offer made after the ladder's own are used up.
PAST_THE_LADDER = 99


# --- asking ----------------------------------------------------------------------------------------------


def offer_next(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, rung: int) -> bool:
    """Ask the best of those not asked yet; when nobody is left and no answer is awaited, say so."""
    # The very first offer of a report is made in the commit of its arrival, where nobody was asked before.
    asked = offers_of(tx, incident) if incident.cycle > 1 or rung > 0 else []
    this_cycle = [o for o in asked if o.cycle == incident.cycle]
    # Whoever gave this job back is not the first to be asked again.
    not_again = {o.responder_id for o in this_cycle} | {
        o.responder_id for o in asked if o.state is OfferState.RELEASED
    }
    not_again -= without_refusing(tx, incident.id, asked)
    return _ask(tx, desk, service, incident, rung, not_again, asked)


def _ask(
    tx: Tx,
    desk: Desk,
    service: Service,
    incident: IncidentRow,
    rung: int,
    not_again: set[str],
    asked: Sequence[OfferRow],
) -> bool:
    choice = rules.choose(_needs(incident, not_again), _candidates(tx, service, offered=bool(asked)), tx.now)
    if isinstance(choice, rules.NobodyLeft):
        if not any(o.state is OfferState.OPEN for o in asked):
            _nobody_left(tx, desk, service, incident, len(not_again))
        return False
    _make(tx, desk, service, incident, rung, choice)
    return True


def _needs(incident: IncidentRow, not_again: set[str]) -> rules.Needs:
    return rules.Needs(
        category=incident.category,
        ward=incident.ward,
        outward=texts.outward(incident),
        priority=incident.priority,
        joint=incident.joint,
        needed_by=incident.needed_by,
        # Who goes along is not asked to have the job as well.
        asked=frozenset(not_again | ({incident.companion} if incident.companion else set())),
    )


#: How much each responder has at hand.
_LOAD = Filled(
    select(col(OfferRow.responder_id), col(OfferRow.state), func.count().label("asked"))
    .where(IS_LIVE)
    .group_by(col(OfferRow.responder_id), col(OfferRow.state))
)
_RESTED = Filled(select(col(ResponderRow.id), col(ResponderRow.last_finished_at)))


def _candidates(tx: Tx, service: Service, *, offered: bool) -> list[rules.Candidate]:
    definition = service.definition
    load: dict[str, dict[OfferState, int]] = {}
    counted = tx.execute(_LOAD) if offered else tx.read(_LOAD)
    for row in counted:
        load.setdefault(row.responder_id, {})[row.state] = row.asked
    finished = tx.read(_RESTED)
    rested = {row.id: row.last_finished_at for row in finished}
    on_duty = service.on_duty(tx.now)
    return [
        rules.Candidate(
            responder=r,
            on_duty=r.id in on_duty,
            on_call=r.id in definition.on_call,
            away=service.is_away(r.id, tx.now),
            open_offers=load.get(r.id, {}).get(OfferState.OPEN, 0),
            held_jobs=load.get(r.id, {}).get(OfferState.ACCEPTED, 0),
            last_finished_at=rested.get(r.id),
        )
        for r in definition.responders
        if r.skills and (r.sms or r.voice)
    ]


def _make(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, rung: int, choice: rules.Offer
) -> None:
    _review_is_over(tx, incident)
    if incident.status is not Status.DISPATCHING:
        move(incident, Move.DISPATCH)
    if incident.job_number is None:
        incident.job_number = jobnumbers.issue(tx, incident.id)
    responder = service.definition.responder(choice.responder_id)
    assert responder is not None  # noqa: S101 - chosen from the definition
    answer_by = tx.now + sla.answer_within(service.definition.escalation, rung)
    offer_id = tx.ids.uuid()
    tx.add(
        OfferRow,
        id=offer_id,
        incident_id=incident.id,
        responder_id=responder.id,
        episode=incident.episode,
        cycle=incident.cycle,
        rung=rung,
        state=OfferState.OPEN,
        reasons=list(choice.reasons),
        joint=incident.joint,
        made_at=tx.now,
        answer_by=answer_by,
    )
    reaching.begin(
        tx,
        desk,
        incident,
        responder,
        Purpose.OFFER,
        offer_id,
        texts.offer(desk, incident, tx.now),
        answer_by=answer_by,
        is_new=True,
        report_recorded_at=tx.now if rung == 0 and incident.episode == 1 and incident.cycle == 1 else None,
    )
    arm(tx, incident, [Deadline(Kind.ANSWER, answer_by, offer_id)])
    disarm_retry(tx, incident)
    tx.record(
        incident.id, OfferMade(offer_id, responder.id, rung, answer_by, choice.reasons, joint=incident.joint)
    )


def _review_is_over(tx: Tx, incident: IncidentRow) -> None:
    """Offers go out: the notice that announced them must not be given again."""
    if incident.status is Status.AWAITING_REVIEW:
        notices.overtaken(tx, incident, (NoticeKind.REVIEW,))


def _nobody_left(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, asked: int) -> None:
    """Tell the duty officer at once, and keep trying: at shift starts, release, load, each five minutes."""
    first_time = incident.status is not Status.UNASSIGNED
    _review_is_over(tx, incident)
    if incident.status in (Status.RECEIVED, Status.AWAITING_REVIEW, Status.SCHEDULED):
        move(incident, Move.DISPATCH)
    move(incident, Move.NOBODY_LEFT)
    if first_time:
        tx.record(incident.id, NobodyLeft(asked))
        # Each try that comes to nothing ends here again; what she has not seen yet is being repeated anyway.
        if not any(n.kind == NoticeKind.NOBODY_LEFT for n in notices.unseen(tx, incident.id)):
            notices.give(
                tx,
                desk,
                service,
                incident,
                NoticeKind.NOBODY_LEFT,
                ContactRole.DUTY_OFFICER,
                by=(Means.SMS, Means.VOICE),
            )
    arm_retry(tx, service, incident)


def arm_retry(tx: Tx, service: Service, incident: IncidentRow) -> None:
    """When an unassigned incident is tried again: in five minutes, or when somebody comes on duty."""
    if pending(tx, incident.id, [Kind.RETRY.value]):
        return
    again = tx.now + sla.RETRY_UNASSIGNED
    shift = service.next_shift_start(tx.now)
    if shift is not None:
        again = min(again, shift)
    arm(tx, incident, [Deadline(Kind.RETRY, again, tx.ids.uuid())])


def disarm_retry(tx: Tx, incident: IncidentRow) -> None:
    """Somebody is being asked, so there is nothing to try again."""
    if incident.status is Status.UNASSIGNED or incident.cycle > 1:
        disarm(tx, incident, [Kind.RETRY], "asked")


def try_again(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """Unassigned still: ask whoever was not asked yet; else those who never answered, after a while.

    Who went off duty meanwhile, and is back, or lost the job to another, has not been asked yet.
    """
    if incident.status is not Status.UNASSIGNED:
        return
    asked = offers_of(tx, incident)
    answered = {o.responder_id for o in asked} - without_refusing(tx, incident.id, asked)
    refused = {
        o.responder_id
        for o in asked
        if o.state in (OfferState.DECLINED, OfferState.RELEASED, OfferState.OPEN)
    }
    lately = {o.responder_id for o in asked if tx.now - o.made_at < 3 * sla.RETRY_UNASSIGNED}
    if not _ask(tx, desk, service, incident, PAST_THE_LADDER, answered, asked):
        silent = answered - refused - lately
        if silent:
            _ask(tx, desk, service, incident, PAST_THE_LADDER, refused | lately, asked)


def advance(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """A NO, a failed delivery or a lapsed answer brings the next offer forward, never a notice."""
    if not seeks(incident):
        return
    escalation = service.definition.escalation
    waiting = [
        entry
        for entry in pending(tx, incident.id, [Kind.RUNG.value])
        if entry.cycle >= incident.cycle and escalation_is_offer(service, entry)
    ]
    if waiting:
        entry = waiting[0]
        entry.settled_at, entry.outcome, entry.late_seconds = tx.now, "brought_forward", 0.0
        offer_next(tx, desk, service, incident, int(entry.subject))
    else:
        offer_next(tx, desk, service, incident, max(len(escalation), PAST_THE_LADDER))


def escalation_is_offer(service: Service, entry: AgendaRow) -> bool:
    """Whether an agenda entry is an offer step of the ladder as it stands now."""
    index = int(entry.subject)
    ladder = service.definition.escalation
    return index < len(ladder) and ladder[index].action is RungAction.OFFER


# --- answers ---------------------------------------------------------------------------------------------


def answerable(tx: Tx, incident: IncidentRow, responder_id: str) -> OfferRow | None:
    """The newest offer to that responder that may still be answered: an open one, or a lapsed one."""
    mine = [o for o in offers_of(tx, incident) if o.responder_id == responder_id]
    live = [o for o in mine if o.state in (OfferState.OPEN, OfferState.LAPSED)]
    return live[-1] if live else None


def _answered(tx: Tx, service: Service, incident: IncidentRow, responder_id: str) -> OfferRow:
    """The offer that is answered. Raises Invalid for nobody's id, NothingOffered where there is none."""
    offer = answerable(tx, incident, responder_id)
    if offer is not None:
        return offer
    responder_named(service, responder_id)
    was_asked = any(o.responder_id == responder_id for o in offers_of(tx, incident))
    why = "That responder has answered" if was_asked else "This job was not offered to that responder"
    raise NothingOffered(f"{why}. Use assign to give it to them.", "responder", allowed(incident))


def accept(
    tx: Tx,
    desk: Desk,
    service: Service,
    incident: IncidentRow,
    responder_id: str,
    who: Who,
    eta: int | None = None,
) -> None:
    """The first valid acceptance wins; everybody else asked is stood down."""
    check(incident, Action.ACCEPT)
    offer = _answered(tx, service, incident, responder_id)
    move(incident, Action.ACCEPT)
    in_time = who.said_at is not None and offer.answer_by is not None and who.said_at <= offer.answer_by
    late = offer.state is OfferState.LAPSED and not in_time
    offer.state, offer.answered_at, offer.source, offer.eta_minutes = (
        OfferState.ACCEPTED,
        tx.now,
        who.source,
        eta,
    )
    _end_reaching(tx, incident, offer, "accepted")
    tx.record(
        incident.id,
        OfferAccepted(
            offer.id,
            responder_id,
            who.source,
            late=late,
            eta_minutes=eta,
            seconds=_since_made(tx, offer),
            priority=incident.priority,
        ),
    )
    _now_owned(tx, desk, service, incident, responder_id, keep=offer.id)
    if who.source not in ("sms", "page"):  # these are answered, or seen, where they came from
        _confirm(tx, desk, service, incident, responder_id, f"confirm:{offer.id}")


def assign(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, responder_id: str, who: Who) -> None:
    """The desk gives the job to somebody, asked or not."""
    responder = responder_named(service, responder_id)
    if incident.owner == responder_id:
        raise Invalid("This responder has the job already.", "responder")
    if incident.owner is not None:
        _end_ownership(tx, desk, service, incident, OfferState.RELEASED, REASSIGNED)
    move(incident, Action.ASSIGN)
    if incident.job_number is None:
        incident.job_number = jobnumbers.issue(tx, incident.id)
    incident.is_held = False
    tx.flush()
    offer = tx.new(
        OfferRow,
        id=tx.ids.uuid(),
        incident_id=incident.id,
        responder_id=responder_id,
        episode=incident.episode,
        cycle=incident.cycle,
        rung=PAST_THE_LADDER,
        state=OfferState.ACCEPTED,
        reasons=["assigned_by_desk"],
        joint=incident.joint,
        made_at=tx.now,
        answered_at=tx.now,
        source=who.source,
    )
    tx.record(incident.id, Assigned(responder_id))
    if incident.status is Status.ON_SCENE:
        visits.taken_over(tx, incident, responder_id)
    _now_owned(tx, desk, service, incident, responder_id, keep=offer.id)
    address = reaching.best_way(tx, responder)
    if address is None:
        notices.ring_instead(tx, desk, service, incident)
    else:
        tell_assigned(tx, desk, incident, offer, address)


def tell_assigned(tx: Tx, desk: Desk, incident: IncidentRow, offer: OfferRow, address: Address) -> None:
    """The job is hers: she is told by that way."""
    queue(
        tx,
        key=f"assigned:{offer.id}:{address.way}",
        purpose=Purpose.REMINDER,
        channel=address.channel,
        way=address.way,
        to_number=address.number,
        recipient=f"responder:{offer.responder_id}",
        body=texts.assigned(desk, incident, tx.now),
        incident=incident,
        offer_id=offer.id,
    )


def _now_owned(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, responder_id: str, keep: str
) -> None:
    incident.owner, incident.accepted_at = responder_id, tx.now
    if incident.companion == responder_id:
        incident.companion = None
        tx.record(incident.id, CompanionReleased(responder_id, "has_the_job"))
        if incident.joint:
            notices.give(tx, desk, service, incident, NoticeKind.JOINT, ContactRole.DUTY_OFFICER)
    disarm(tx, incident, SEARCH, "accepted")
    withdraw_others(tx, desk, service, incident, keep=keep, why="taken")
    notices.overtaken(tx, incident)
    finish_kind(
        tx, incident, TaskKind.HAND_OVER, TaskKind.REVIEW_REPORT, TaskKind.RELEASE_HELD, TaskKind.CHECK_BACK
    )
    ends = service.shift_end(responder_id, tx.now)
    if ends is not None:
        arm(tx, incident, [Deadline(Kind.SHIFT_END, ends, keep)])


def _confirm(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, responder_id: str, key: str
) -> None:
    responder = service.definition.responder(responder_id)
    if responder and responder.sms:
        queue(
            tx,
            key=key,
            purpose=Purpose.CONFIRM,
            to_number=responder.sms,
            recipient=f"responder:{responder_id}",
            body=texts.confirm(desk, incident, tx.now),
            incident=incident,
        )


def _since_made(tx: Tx, offer: OfferRow) -> float:
    return round((tx.now - offer.made_at).total_seconds(), 3)


def decline(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, responder_id: str, who: Who) -> None:
    """A NO to an open offer; the next person is asked in the same step."""
    check(incident, Action.DECLINE)
    offer = _answered(tx, service, incident, responder_id)
    move(incident, Action.DECLINE)
    was_open = offer.state is OfferState.OPEN
    offer.state, offer.answered_at, offer.source = OfferState.DECLINED, tx.now, who.source
    disarm(tx, incident, [Kind.ANSWER], "declined", subject=offer.id)
    _end_reaching(tx, incident, offer, "declined")
    tx.record(
        incident.id,
        OfferDeclined(offer.id, responder_id, who.source, _since_made(tx, offer), incident.priority),
    )
    if was_open:
        advance(tx, desk, service, incident)


def lapse(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, offer: OfferRow) -> None:
    """No answer in time. A late OK is still welcome while nobody else has the job."""
    if offer.state is not OfferState.OPEN:
        return
    offer.state = OfferState.LAPSED
    reaching.stop(tx, incident, Purpose.OFFER, offer.id, "lapsed")
    tx.record(incident.id, OfferLapsed(offer.id, offer.responder_id))
    if not any(o.state is OfferState.OPEN for o in offers_of(tx, incident)):
        advance(tx, desk, service, incident)


def withdraw_from(tx: Tx, incident: IncidentRow, responder_id: str, why: str) -> bool:
    """End one person's offer, who need not answer it any more; whether she had one."""
    hers = [
        o for o in offers_of(tx, incident) if o.responder_id == responder_id and o.state is OfferState.OPEN
    ]
    for offer in hers:
        _withdraw(tx, incident, offer, why)
    return bool(hers)


def _withdraw(tx: Tx, incident: IncidentRow, offer: OfferRow, why: str) -> None:
    offer.state, offer.answered_at = OfferState.WITHDRAWN, tx.now
    disarm(tx, incident, [Kind.ANSWER], why, subject=offer.id)
    _end_reaching(tx, incident, offer, why)
    tx.record(incident.id, OfferWithdrawn(offer.id, offer.responder_id, why))


def withdraw_others(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, *, why: str, keep: str | None = None
) -> None:
    """End the offers nobody need answer any more; who was told gets the stand-down."""
    for offer in offers_of(tx, incident):
        if offer.id == keep or offer.state is not OfferState.OPEN:
            continue
        _withdraw(tx, incident, offer, why)
        # Who has the job now must not hear that she has not; who heard nothing need not hear that either.
        # What may have gone out, and is found to have, is told then (Kind.WENT_OUT).
        if offer.responder_id != incident.owner and reaching.may_have_heard(tx, offer.id):
            stand_down(tx, desk, service, incident, offer, why)


def _end_reaching(tx: Tx, incident: IncidentRow, offer: OfferRow, why: str) -> None:
    """No further way is tried, and what has not left yet does not; a phone that rings will say so."""
    reaching.stop(tx, incident, Purpose.OFFER, offer.id, why)
    cancel_unsent(tx, offer_id=offer.id, why=why)


_WHY = {
    "closed": StoodDown.CLOSED,
    "cancelled": StoodDown.CANCELLED,
    "joined": StoodDown.JOINED,
    "transferred": StoodDown.TRANSFERRED,
}


def stand_down(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, offer: OfferRow, why: str
) -> None:
    """Somebody who was asked, or was on the way, must not go."""
    responder = service.definition.responder(offer.responder_id)
    if responder is None or reaching.messages_of(tx, offer.id, Purpose.STAND_DOWN):
        return
    body = texts.stand_down(desk, incident, tx.now, _WHY.get(why, StoodDown.PASSED_ON))
    reaching.begin(tx, desk, incident, responder, Purpose.STAND_DOWN, offer.id, body, is_new=True)


# --- giving back -----------------------------------------------------------------------------------------


def release(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, why: str, who: Who) -> None:
    """The owner gives the job back: offers and the ladder are armed again from now, warnings never ended.

    Where it is taken from her she hears of it, who may be on her way: her own word is answered where it came
    from. Once the victim was helped, nobody else is sent: somebody sees how she is (design.md 7).
    """
    move(incident, Action.RELEASE)
    owner = incident.owner
    if owner is not None:
        held = [o for o in offers_of(tx, incident) if o.state is OfferState.ACCEPTED]
        _end_ownership(tx, desk, service, incident, OfferState.RELEASED, why)
        for offer in held if who.responder != owner else ():
            stand_down(tx, desk, service, incident, offer, why)
    incident.is_held = False
    finish_kind(tx, incident, TaskKind.HAND_OVER, TaskKind.RELEASE_HELD)
    if incident.stopped_at is None:
        incident.cycle += 1
        search(tx, desk, service, incident)
    else:
        move(incident, Move.SCHEDULE)
        finish_kind(tx, incident, TaskKind.FINISH_JOB)
        await_welfare_check(tx, service, incident, why)
    retry_all(tx)


def await_welfare_check(tx: Tx, service: Service, incident: IncidentRow, why: str) -> None:
    """The victim was helped and nobody has the job: on the next working day somebody sees how she is."""
    due = service.next_working_day(tx.now)
    task = open_task(tx, incident, TaskKind.WELFARE_CHECK, ContactRole.DUTY_OFFICER, due)
    tx.record(incident.id, Scheduled(why, task))


def _end_ownership(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, state: OfferState, why: str
) -> None:
    owner, incident.owner = incident.owner, None
    if state is not OfferState.DONE:
        incident.accepted_at = None
    if not (why == REASSIGNED and incident.status is Status.ON_SCENE):
        visits.end(tx, incident, why)
    notices.overtaken(tx, incident, (NoticeKind.HAND_OVER,))
    for offer in offers_of(tx, incident):
        if offer.state is OfferState.ACCEPTED:
            offer.state = state
            disarm(tx, incident, [Kind.SHIFT_END], why)
            if state is OfferState.RELEASED:
                tx.record(incident.id, Released(offer.responder_id, why))
            if why in (REASSIGNED, "cancelled", "joined", "transferred"):
                stand_down(tx, desk, service, incident, offer, why)
    if owner is not None and state is OfferState.DONE:
        responder = tx.get(ResponderRow, owner, lock=True)
        if responder is not None:
            responder.last_finished_at = tx.now


def job_done(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, why: str) -> None:
    """The case is over for its owner and for everybody asked; its number rests."""
    disarm(tx, incident, (*SEARCH, Kind.WARN, Kind.BREACH, Kind.RESUME, Kind.SHIFT_END), why)
    withdraw_others(tx, desk, service, incident, why=why)
    _end_ownership(tx, desk, service, incident, OfferState.DONE, why)
    notices.overtaken(tx, incident, ENDED_WITH_THE_CASE)
    jobnumbers.retire(tx, incident.job_number)
    retry_all(tx)


def search(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """Look for somebody from now on: the first offer in this step, the rest of the ladder armed.

    While the clock stands still nobody is asked: the search begins when it goes on. Nor is anybody while the
    service is closed: where the clock begins with its opening, so does the search.
    """
    if incident.clock_state is ClockState.PAUSED:
        return
    disarm(tx, incident, [Kind.RUNG, Kind.ACCEPT_WITHIN], "armed_again")
    begins_at = search_begins(tx, incident)
    steps = sla.ladder(service.definition.escalation, begins_at, begins_at, service.definition.sla)
    if incident.status is not Status.DISPATCHING:
        disarm_retry(tx, incident)
        _review_is_over(tx, incident)
        move(incident, Move.DISPATCH)
    if begins_at > tx.now:
        arm(tx, incident, steps)
        return
    first = next((d for d in steps if is_offer_step(service, d)), None)
    arm(tx, incident, [d for d in steps if d is not first])
    offer_next(tx, desk, service, incident, int(first.subject) if first else PAST_THE_LADDER)


def is_offer_step(service: Service, deadline: Deadline) -> bool:
    """Whether a deadline of the ladder is an offer."""
    return (
        deadline.kind is Kind.RUNG
        and service.definition.escalation[int(deadline.subject)].action is RungAction.OFFER
    )


def retry_all(tx: Tx) -> None:
    """Somebody is free again, or the service changed: unassigned incidents are tried now."""
    moved = tx.execute(
        update(AgendaRow)
        .where(
            *is_pending(),
            col(AgendaRow.kind) == Kind.RETRY.value,
            col(AgendaRow.due_at) > tx.now,
        )
        .values(due_at=tx.now)
    )
    if moved.rowcount:
        tx.wake("ring")


def end_search(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, why: str) -> None:
    """Nobody need be found any more."""
    disarm(tx, incident, SEARCH, why)
    withdraw_others(tx, desk, service, incident, why=why)
    notices.overtaken(tx, incident)


def call_off(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, why: str) -> None:
    """Nobody need go there: what was held back, or still to be arranged, for a visit is settled with it."""
    end_search(tx, desk, service, incident, why)
    incident.is_held = False
    finish_kind(tx, incident, TaskKind.REVIEW_REPORT, TaskKind.RELEASE_HELD)
    notices.overtaken(tx, incident, (NoticeKind.JOINT,))


def eta_of(tx: Tx, incident: IncidentRow) -> int | None:
    """How long the owner said, when she took the job, that she would need."""
    held = [o for o in offers_of(tx, incident) if o.state is OfferState.ACCEPTED]
    return held[-1].eta_minutes if held else None


def is_owned(incident: IncidentRow) -> bool:
    """Whether somebody has the job."""
    return incident.status in OWNED_STATUSES


def seeks(incident: IncidentRow) -> bool:
    """Whether offers may go out and be taken."""
    return incident.status in SEEKING_STATUSES and incident.clock_state is not ClockState.PAUSED
