"""Reaching one person: the ladder inside an offer, and inside a stand-down (delivery.md 7).

The first way is written with its cause, the later ones are on the agenda: each begins at its time, or when
the one before it has failed, and all end when the job is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select as core_select
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core.definition import Responder
from rapid_response.core.events import OtherWayTried, WayNotTried
from rapid_response.core.states import EndpointState, MessageState, OfferState, Purpose
from rapid_response.messaging import ladder
from rapid_response.messaging.ladder import Address, Way
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import endpoints, lines, texts
from rapid_response.steps.case import offers_of
from rapid_response.steps.clock import arm
from rapid_response.steps.desk import Desk
from rapid_response.steps.outbox import queue
from rapid_response.steps.service import Service
from rapid_response.storage import work
from rapid_response.storage.once import once
from rapid_response.storage.tables import AgendaRow, IncidentRow, MessageRow, OfferRow
from rapid_response.storage.tx import Tx

#: The ladder of a stand-down ends with one call: somebody walking to a door must be reached.
_LAST_OF = {Purpose.OFFER: Way.VOICE2, Purpose.STAND_DOWN: Way.VOICE1}
#: By these offers she may have the job, or take it still.
_MAY_STILL_GO = (OfferState.OPEN, OfferState.LAPSED, OfferState.ACCEPTED)
_LETTERS = {Purpose.OFFER: "o", Purpose.STAND_DOWN: "s"}
_PURPOSES = {letter: purpose for purpose, letter in _LETTERS.items()}


@dataclass(frozen=True, slots=True)
class Climb:
    """A rung as the agenda names it."""

    purpose: Purpose
    offer_id: str
    way: Way

    @property
    def subject(self) -> str:
        return f"{_LETTERS[self.purpose]}:{self.offer_id}:{self.way}"

    @staticmethod
    def of(subject: str) -> Climb:
        letter, offer_id, way = subject.split(":")
        return Climb(_PURPOSES[letter], offer_id, Way(way))


def ways_to(tx: Tx, person: Responder) -> tuple[Address, ...]:
    """All ways to a person, with what is known against each."""
    known = endpoints.known(tx, person.numbers)
    return tuple(
        replace(
            address,
            is_suspect=known.get((address.number, address.channel)) is EndpointState.SUSPECT,
            has_opted_out=known.get((address.number, address.channel)) is EndpointState.OPTED_OUT,
        )
        for address in ladder.addresses(person)
    )


def best_way(tx: Tx, person: Responder) -> Address | None:
    """How a person is told of something at once: by text, else by voice; None where nothing reaches her."""
    rungs = ladder.plan(ways_to(tx, person), urgent=False)
    return rungs[0].address if rungs and not rungs[0].address.has_opted_out else None


def begin(
    tx: Tx,
    desk: Desk,
    incident: IncidentRow,
    person: Responder,
    purpose: Purpose,
    offer_id: str,
    body: str,
    *,
    answer_by: datetime | None = None,
    is_new: bool = False,
    report_recorded_at: datetime | None = None,
) -> None:
    """Write the first way, and put the others on the agenda. Nothing where there is no number at all."""
    rungs = ladder.plan(
        ways_to(tx, person),
        urgent=incident.priority.rank <= 1,
        answer_within=answer_by - tx.now if answer_by is not None else None,
        slow=lines.is_slow(tx, desk),
        last=_LAST_OF[purpose],
    )
    if not rungs:
        return
    first, *later = rungs
    queue(
        tx,
        key=_key(Climb(purpose, offer_id, first.address.way), is_first=True),
        purpose=purpose,
        channel=first.address.channel,
        way=first.address.way,
        to_number=first.address.number,
        recipient=f"responder:{person.id}",
        body=body,
        incident=incident,
        offer_id=offer_id,
        expires_at=answer_by,
        is_new=is_new,
        report_recorded_at=report_recorded_at,
    )
    arm(
        tx,
        incident,
        [
            Deadline(Kind.REACH, tx.now + rung.after, Climb(purpose, offer_id, rung.address.way).subject)
            for rung in later
        ],
    )


def _key(climb: Climb, *, is_first: bool = False) -> str:
    if climb.purpose is Purpose.STAND_DOWN and is_first:
        return f"stand_down:{climb.offer_id}"
    return f"{climb.purpose}:{climb.offer_id}:{climb.way}"


def stop(tx: Tx, incident: IncidentRow, purpose: Purpose, offer_id: str, why: str) -> None:
    """No further way is tried."""
    subjects = [Climb(purpose, offer_id, way).subject for way in Way]
    work.disarm(tx, incident.id, [Kind.REACH.value], why, subjects=subjects)


def climb(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, subject: str, why: str) -> bool:
    """Try the next way now, if it is still of use; False when it was not tried."""
    rung = Climb.of(subject)
    offer = tx.get(OfferRow, rung.offer_id)
    if offer is None or not is_wanted(tx, incident, offer, rung.purpose):
        return False
    sent = messages_of(tx, rung.offer_id, rung.purpose)
    person = service.definition.responder(offer.responder_id)
    address = _address(tx, person, rung.way)
    reason = _why_not(sent, rung, address)
    if reason is not None or person is None or address is None:
        tx.record(incident.id, WayNotTried(rung.offer_id, rung.way, reason or "no_number"))
        return False
    queue(
        tx,
        key=_key(rung),
        purpose=rung.purpose,
        channel=address.channel,
        way=rung.way,
        to_number=address.number,
        recipient=f"responder:{person.id}",
        body=_body(tx, desk, incident, sent, rung.purpose),
        incident=incident,
        offer_id=rung.offer_id,
        expires_at=offer.answer_by if rung.purpose is Purpose.OFFER else None,
    )
    before = sent[-1].way if sent else ""
    tx.record(incident.id, OtherWayTried(rung.offer_id, rung.purpose, before, rung.way, why))
    return True


def is_wanted(tx: Tx, incident: IncidentRow, offer: OfferRow, purpose: Purpose) -> bool:
    """Whether she is to be reached still: to be asked, or to hear that she must not go."""
    if purpose is Purpose.OFFER:
        return offer.state is OfferState.OPEN
    asked_again = any(
        o.responder_id == offer.responder_id and o.made_at > offer.made_at and o.state in _MAY_STILL_GO
        for o in offers_of(tx, incident)
    )
    return offer.responder_id not in (incident.owner, incident.companion) and not asked_again


def _address(tx: Tx, person: Responder | None, way: Way) -> Address | None:
    if person is None:
        return None
    return next((a for a in ways_to(tx, person) if a.way is way), None)


def _why_not(sent: Sequence[MessageRow], rung: Climb, address: Address | None) -> str | None:
    if address is None:
        return "no_number"
    if address.has_opted_out:
        return "opted_out"
    # A text that arrived needs no second number; an offer that arrived and is not answered needs a voice.
    is_needed_until_delivered = not rung.way.is_call or rung.purpose is Purpose.STAND_DOWN
    if is_needed_until_delivered and any(m.state is MessageState.DELIVERED for m in sent):
        return "delivered"
    return None


def _body(tx: Tx, desk: Desk, incident: IncidentRow, sent: Sequence[MessageRow], purpose: Purpose) -> str:
    if purpose is Purpose.OFFER:
        return texts.offer(desk, incident, tx.now)
    # Why somebody is stood down does not change with the way it is told.
    return sent[0].body if sent else texts.stand_down(desk, incident, tx.now, texts.PASSED_ON)


def messages_of(tx: Tx, offer_id: str, purpose: Purpose) -> list[MessageRow]:
    """What was written to reach the person of an offer, oldest first."""
    return list(tx.all(_messages(offer_id, purpose)))


@once
def _messages(offer_id: str, purpose: Purpose) -> SelectOfScalar[MessageRow]:
    return (
        select(MessageRow)
        .where(col(MessageRow.offer_id) == offer_id, col(MessageRow.purpose) == purpose)
        .order_by(col(MessageRow.created_at), col(MessageRow.id))
    )


def next_rung(tx: Tx, incident: IncidentRow, purpose: Purpose, offer_id: str) -> AgendaRow | None:
    """The next way that is still to come."""
    mine = {Climb(purpose, offer_id, way).subject for way in Way}
    coming = work.pending(tx, incident.id, [Kind.REACH.value])
    return next((entry for entry in coming if entry.subject in mine), None)


def may_have_heard(tx: Tx, offer_id: str) -> bool:
    """Whether anything of an offer went out, as far as we know."""
    found = tx.execute(
        core_select(col(MessageRow.id)).where(
            col(MessageRow.offer_id) == offer_id,
            col(MessageRow.purpose) == Purpose.OFFER,
            col(MessageRow.accepted_at).is_not(None),
        )
    )
    return found.first() is not None
