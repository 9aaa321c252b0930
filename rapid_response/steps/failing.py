"""A message does not arrive: another way to the same person, then the next person, and the desk is told.

What fails costs the resident nothing: the ladder inside the offer goes on at once, when no way is left the
next offer is brought forward, and a person at the desk is told to use the telephone (design.md 5, scenario
33). The offer itself stays open: a voice may still reach her.
"""

from __future__ import annotations

from rapid_response.core.definition import Means
from rapid_response.core.events import OtherWayTried
from rapid_response.core.incident import Status
from rapid_response.core.notices import NoticeKind
from rapid_response.core.states import READY, MessageChannel, MessageState, OfferState, Purpose
from rapid_response.core.vocabulary import ContactRole
from rapid_response.messaging import lives, retries
from rapid_response.messaging.ladder import Address, Way
from rapid_response.steps import messages, notices, offers, reaching, texts
from rapid_response.steps.desk import Desk
from rapid_response.steps.lines import HELD_BY_LINE
from rapid_response.steps.outbox import queue
from rapid_response.steps.service import Service
from rapid_response.storage.tables import IncidentRow, MessageRow, NoticeRow, OfferRow
from rapid_response.storage.tx import Tx


def fail_over(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, subject: str) -> None:
    """The ladder goes on, if the message still does not arrive."""
    message_id, _, why = subject.partition(":")
    message = tx.need(MessageRow, message_id)
    if not _still_fails(message, why):
        return
    reason = message.reason or why
    match message.purpose:
        case Purpose.OFFER:
            _offer_fails(tx, desk, service, incident, message, reason, certainly=why == messages.FAILED)
        case Purpose.STAND_DOWN:
            _stand_down_fails(tx, desk, service, incident, message, reason)
        case Purpose.NOTICE:
            _notice_fails(tx, desk, incident, message, why)
        case Purpose.REMINDER:
            _assignment_fails(tx, desk, service, incident, message)
        case _:
            return


def _still_fails(message: MessageRow, why: str) -> bool:
    match why:
        case messages.FAILED:
            waits = message.state is MessageState.RETRY_WAIT and retries.is_definite(message.reason)
            return waits or message.state in (MessageState.FAILED, MessageState.EXPIRED)
        case messages.WAITING:
            return message.state is MessageState.RETRY_WAIT
        case messages.UNKNOWN:
            return message.state is MessageState.UNKNOWN
        case _:
            return message.state in READY and message.held == HELD_BY_LINE


# --- offers ----------------------------------------------------------------------------------------------


def _offer_fails(
    tx: Tx,
    desk: Desk,
    service: Service,
    incident: IncidentRow,
    message: MessageRow,
    reason: str,
    *,
    certainly: bool,
) -> None:
    """Another way to her at once; and the next person, as soon as it is certain or no way is left."""
    offer = tx.get(OfferRow, message.offer_id or "")
    if offer is None or not offers.seeks(incident):
        return
    if offer.state is not OfferState.OPEN:
        if message.state is MessageState.EXPIRED and not reaching.may_have_heard(tx, offer.id):
            notices.ring_instead(tx, desk, service, incident)
        return
    if message.reason == lives.STALE and _issue_again(tx, desk, incident, offer, message):
        return
    # A text that arrived and is not answered is no fault of delivery, though nobody picks up either.
    nothing_arrives = all(_reaches_nobody(m) for m in reaching.messages_of(tx, offer.id, Purpose.OFFER))
    if offer.failing_at is None and nothing_arrives:
        offer.failing_at = tx.now
        notices.ring_instead(tx, desk, service, incident)
    climbed = _climbs(tx, desk, service, incident, offer.id, Purpose.OFFER, reason)
    if nothing_arrives and (certainly or not climbed):
        _pass_on(tx, desk, service, incident, offer, message.way, reason)


def _climbs(
    tx: Tx,
    desk: Desk,
    service: Service,
    incident: IncidentRow,
    offer_id: str,
    purpose: Purpose,
    reason: str,
) -> bool:
    """Try the next way that is of use now; False when there is none."""
    while (entry := reaching.next_rung(tx, incident, purpose, offer_id)) is not None:
        entry.settled_at, entry.outcome, entry.late_seconds = tx.now, "brought_forward", 0.0
        if reaching.climb(tx, desk, service, incident, entry.subject, reason):
            return True
    return False


def _issue_again(tx: Tx, desk: Desk, incident: IncidentRow, offer: OfferRow, message: MessageRow) -> bool:
    """The text was held until it was stale: a new one, once, while its answer is still awaited."""
    again = ":2"
    if message.dedupe_key.endswith(again) or offer.answer_by is None or offer.answer_by <= tx.now:
        return False
    queue(
        tx,
        key=message.dedupe_key + again,
        purpose=Purpose.OFFER,
        channel=message.channel,
        way=message.way,
        to_number=message.to_number,
        recipient=message.recipient,
        body=texts.offer(desk, incident, tx.now),
        incident=incident,
        offer_id=offer.id,
        expires_at=offer.answer_by,
    )
    return True


def _pass_on(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, offer: OfferRow, way: str, reason: str
) -> None:
    """Nothing arrives of this offer: the next person is asked now, once (design.md 5)."""
    if offer.passed_on_at is not None:
        return
    offer.passed_on_at = tx.now
    tx.record(incident.id, OtherWayTried(offer.id, Purpose.OFFER, way, Way.NEXT, reason))
    offers.advance(tx, desk, service, incident)


def _reaches_nobody(message: MessageRow) -> bool:
    """Whether nothing is to be hoped of it in the next moments."""
    if message.state is MessageState.PENDING:
        return message.held is not None
    return message.state not in (MessageState.SENDING, MessageState.IN_NETWORK, MessageState.DELIVERED)


# --- stand-downs and notices -----------------------------------------------------------------------------


def _stand_down_fails(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, message: MessageRow, reason: str
) -> None:
    offer_id = message.offer_id or ""
    if _climbs(tx, desk, service, incident, offer_id, Purpose.STAND_DOWN, reason):
        return
    sent = reaching.messages_of(tx, offer_id, Purpose.STAND_DOWN)
    if incident.is_open and all(_reaches_nobody(m) for m in sent):
        notices.ring_instead(tx, desk, service, incident)


def _notice_fails(tx: Tx, desk: Desk, incident: IncidentRow, message: MessageRow, why: str) -> None:
    """A notice that does not arrive as a text is said: once for each time it is given."""
    notice = tx.get(NoticeRow, message.notice_id or "")
    if notice is None or notice.acknowledged_at is not None or message.channel is not MessageChannel.SMS:
        return
    if why != messages.UNKNOWN:
        notices.say_instead(tx, desk, incident, notice, message.recipient)


def _assignment_fails(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, message: MessageRow
) -> None:
    """The job is hers, and she may not know it: she is rung, and the desk told. On her way, she knows.

    Who goes along, or with whom, the desk tells her.
    """
    if message.offer_id is None:
        if message.recipient.partition(":")[2] in (incident.owner, incident.companion):
            notices.ring_instead(tx, desk, service, incident)
        return
    offer = tx.get(OfferRow, message.offer_id)
    if offer is None or offer.state is not OfferState.ACCEPTED or incident.status is Status.EN_ROUTE:
        return
    notices.ring_instead(tx, desk, service, incident)
    person = service.definition.responder(offer.responder_id)
    if person is not None and person.voice and message.channel is MessageChannel.SMS:
        offers.tell_assigned(tx, desk, incident, offer, Address(Way.VOICE1, person.voice))


def went_out(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, offer_id: str) -> None:
    """An offer that was taken back went out after all: whoever has it must not go."""
    offer = tx.get(OfferRow, offer_id)
    if offer is None or offer.state is not OfferState.WITHDRAWN:
        return
    if not reaching.is_wanted(tx, incident, offer, Purpose.STAND_DOWN):
        return
    offers.stand_down(tx, desk, service, incident, offer, "closed" if not incident.is_open else "taken")


def opted_out(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, offer: OfferRow) -> None:
    """The carrier stops our texts to her, perhaps by STOP for NO: she is rung at once (delivery.md 2.5)."""
    notices.give(
        tx,
        desk,
        service,
        incident,
        NoticeKind.TEXTS_STOPPED,
        ContactRole.DESK,
        by=(Means.SMS, Means.VOICE),
    )
    while (entry := reaching.next_rung(tx, incident, Purpose.OFFER, offer.id)) is not None:
        entry.settled_at, entry.outcome, entry.late_seconds = tx.now, "brought_forward", 0.0
        was_tried = reaching.climb(tx, desk, service, incident, entry.subject, "opted_out")
        if was_tried and reaching.Climb.of(entry.subject).way.is_call:
            return


def wrong_number(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, offer: OfferRow, number: str
) -> None:
    """Whoever has that phone is not her: nothing more goes there, and the next person is asked at once."""
    if offer.state is not OfferState.OPEN or not offers.seeks(incident):
        return
    sent = reaching.messages_of(tx, offer.id, Purpose.OFFER)
    if not any(message.to_number == number for message in sent):
        return
    notices.ring_instead(tx, desk, service, incident)
    reaching.stop(tx, incident, Purpose.OFFER, offer.id, "wrong_number")
    _pass_on(tx, desk, service, incident, offer, sent[-1].way, "wrong_number")
