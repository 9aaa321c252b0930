"""A responder's silent alarm: raised by a word, a key pressed twice, or a button; repeated until it is seen.

Nothing about it ever reaches her own phone or page: no answer, no text, no call, whoever else she may be.
Whoever hears it is told to send the police and not to ring her.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict

from sqlalchemy import func, or_
from sqlalchemy import select as core_select
from sqlmodel import col, select

from rapid_response.core.definition import Means
from rapid_response.core.events import SERVICE_STREAM, DuressAcknowledged, DuressEnded, DuressRaised
from rapid_response.core.incident import Status
from rapid_response.core.states import MessageChannel, OfferState, Purpose
from rapid_response.core.vocabulary import ContactRole
from rapid_response.dispatch.rules import Recipient, all_told, ways
from rapid_response.messaging import wording
from rapid_response.safety import rules
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps.case import hold
from rapid_response.steps.desk import Who
from rapid_response.steps.errors import Invalid, NotFound
from rapid_response.steps.notices import hearers, tell_again
from rapid_response.steps.outbox import cancel_repeated, queue
from rapid_response.steps.service import Service
from rapid_response.storage import work
from rapid_response.storage.columns import UtcDateTime
from rapid_response.storage.tables import AlarmRow, IncidentRow, OfferRow
from rapid_response.storage.tx import Tx

_TOLD = (ContactRole.DUTY_OFFICER, ContactRole.TEAM_LEADER)
_BY = (Means.SMS, Means.VOICE)
#: Before whatever else is to be sent.
_FIRST = 0


def raise_alarm(tx: Tx, service: Service, responder_id: str, source: str, number: int | None = None) -> None:
    """She is in danger and cannot say so. `number` is the job that she named, if she named one of hers."""
    incident_id = where(tx, responder_id, number)
    # The case first, as every step: whoever acts on its alarms holds it too.
    incident = hold(tx, incident_id) if incident_id else None
    if any(a.acknowledged_at is None for a in live(tx) if a.responder_id == responder_id):
        return  # it is being given again already
    told = _hearers(tx, service, responder_id)
    alarm = tx.new(
        AlarmRow,
        id=tx.ids.uuid(),
        incident_id=incident_id,
        responder_id=responder_id,
        source=source,
        recipients=[asdict(r) for r in told],
        raised_at=tx.now,
    )
    tx.record(incident_id or SERVICE_STREAM, DuressRaised(alarm.id, responder_id, source))
    _give(tx, incident, alarm, told)


def _hearers(tx: Tx, service: Service, responder_id: str) -> Sequence[Recipient]:
    """Everybody who is to hear of her alarm now."""
    told = [r for role in _TOLD for r in hearers(tx, service, role, responder_id)]
    return all_told((), told)


def where(tx: Tx, responder_id: str, number: int | None = None) -> str | None:
    """The case that she is most likely at: the one named, else the farthest on, else the last one done."""
    hers = tx.execute(
        core_select(col(IncidentRow.id), col(IncidentRow.job_number), col(IncidentRow.status), _NEEDED).where(
            col(IncidentRow.is_open),
            or_(col(IncidentRow.owner) == responder_id, col(IncidentRow.companion) == responder_id),
        )
    ).all()
    if hers:
        best = min(
            hers,
            key=lambda i: (
                number is None or i.job_number != number,
                _FARTHEST.get(i.status, len(_FARTHEST)),
                i.needed,
                i.id,
            ),
        )
        return str(best.id)
    last = tx.execute(
        core_select(col(IncidentRow.id))
        .join(OfferRow, col(OfferRow.incident_id) == col(IncidentRow.id))
        .where(
            col(OfferRow.responder_id) == responder_id,
            col(OfferRow.state) == OfferState.DONE,
            col(IncidentRow.closed_at) > tx.now - rules.LAST_SEEN_WITHIN,
        )
        .order_by(col(IncidentRow.closed_at).desc(), col(IncidentRow.id))
        .limit(1)
    ).first()
    return str(last.id) if last else None


_FARTHEST = {Status.ON_SCENE: 0, Status.EN_ROUTE: 1}
_NEEDED = func.coalesce(col(IncidentRow.needed_by), col(IncidentRow.received_at), type_=UtcDateTime()).label(
    "needed"
)


def _give(tx: Tx, incident: IncidentRow | None, alarm: AlarmRow, told: Sequence[Recipient]) -> None:
    """Text and ring everybody who is to hear, and do so again until one of them says that she has seen it."""
    text = wording.duress(incident.job_number if incident else None)
    body = wording.repeat_of(text) if alarm.repeats else text
    for recipient in told:
        for means, number in ways(recipient, _BY):
            channel = MessageChannel.VOICE if means is Means.VOICE else MessageChannel.SMS
            key = f"alarm:{alarm.id}:{alarm.repeats}:{means}:{recipient.id}"
            if alarm.repeats:
                cancel_repeated(tx, notice_id=alarm.id, channel=channel, recipient=recipient.id, by_key=key)
            queue(
                tx,
                key=key,
                purpose=Purpose.ALARM,
                channel=channel,
                to_number=number,
                recipient=recipient.id,
                body=body,
                incident=incident,
                notice_id=alarm.id,
                is_new=True,
                rank=_FIRST,
            )
    again = Deadline(_kind(alarm), tx.now + rules.ALARM_REPEAT, f"{alarm.id}:{alarm.repeats}")
    work.arm(tx, alarm.incident_id or "", 1, _FIRST, [again])


def _kind(alarm: AlarmRow) -> Kind:
    """With a case, its entries are settled under that case's lock."""
    return Kind.ALARM if alarm.incident_id else Kind.ALARM_OF_NO_JOB


def ring_alarm(tx: Tx, service: Service, subject: str, incident: IncidentRow | None) -> None:
    """Nobody has said that she saw it: everybody hears it again, and whoever has come on duty since."""
    alarm = tx.get(AlarmRow, subject.split(":")[0], lock=True)
    if alarm is not None and alarm.acknowledged_at is None and alarm.ended_at is None:
        alarm.repeats += 1
        told, alarm.recipients = tell_again(alarm.recipients, _hearers(tx, service, alarm.responder_id))
        _give(tx, incident, alarm, told)


# --- seen, and over ---------------------------------------------------------------------------------------


def live(tx: Tx) -> Sequence[AlarmRow]:
    """What no person has ended, oldest first."""
    return tx.all(
        select(AlarmRow)
        .where(col(AlarmRow.ended_at).is_(None))
        .order_by(col(AlarmRow.raised_at), col(AlarmRow.id))
    )


def acknowledge(tx: Tx, alarms: Sequence[AlarmRow], source: str) -> int:
    """One person has seen them: nobody is rung again. Their incident is held already. Returns how many."""
    fresh = [a for a in alarms if a.acknowledged_at is None]
    for alarm in fresh:
        _quiet(tx, alarm, "seen")
        alarm.acknowledged_at, alarm.acknowledged_by = tx.now, tx.actor
        tx.record(alarm.incident_id or SERVICE_STREAM, DuressAcknowledged(alarm.id, source))
    return len(fresh)


def acknowledge_of(tx: Tx, incident: IncidentRow, who: Who, only: Collection[str] | None = None) -> int:
    """As :func:`acknowledge`, for those of an incident; of these ids, where a page showed them.

    Nobody sees to her own, who may not be alone.
    """
    of_it = [a for a in live(tx) if a.incident_id == incident.id and a.responder_id != who.responder]
    return acknowledge(tx, [a for a in of_it if only is None or a.id in only], who.source)


def unseen_by(tx: Tx, recipients: frozenset[str]) -> list[AlarmRow]:
    """What was given to somebody of these names and nobody has seen."""
    return [
        a for a in live(tx) if a.acknowledged_at is None and any(r["id"] in recipients for r in a.recipients)
    ]


def seen(tx: Tx, alarm_id: str) -> None:
    """Somebody at the desk has seen it."""
    acknowledge(tx, [_held(tx, alarm_id)], "page")


def end(tx: Tx, alarm_id: str, reason: str) -> None:
    """A person says that it is over, and why; raises Invalid without a reason."""
    if not reason:
        raise Invalid("Say how you know that the responder is safe.", "reason")
    alarm = _held(tx, alarm_id)
    if alarm.ended_at is not None:
        return
    acknowledge(tx, [alarm], "page")
    alarm.ended_at, alarm.ended_by, alarm.ended_reason = tx.now, tx.actor, reason
    tx.record(alarm.incident_id or SERVICE_STREAM, DuressEnded(alarm.id))


def _held(tx: Tx, alarm_id: str) -> AlarmRow:
    """The alarm, its incident locked first; raises NotFound."""
    found = tx.execute(core_select(col(AlarmRow.incident_id)).where(col(AlarmRow.id) == alarm_id)).first()
    if found is None:
        raise NotFound("There is no such alarm.")
    if found.incident_id is not None:
        hold(tx, found.incident_id)
    return tx.need(AlarmRow, alarm_id, lock=True)


def _quiet(tx: Tx, alarm: AlarmRow, why: str) -> None:
    subject = f"{alarm.id}:{alarm.repeats}"
    work.disarm(tx, alarm.incident_id or "", [_kind(alarm).value], why, subject)
