"""Joint attendance: who goes along; nobody is sent alone without a person having said so (scenario 35)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlmodel import col

from rapid_response.core.events import CompanionNamed, CompanionReleased, JointArranged
from rapid_response.core.notices import NoticeKind
from rapid_response.core.states import OfferState, Purpose
from rapid_response.core.vocabulary import ContactRole, JointArrangement
from rapid_response.messaging import wording
from rapid_response.messaging.wording import StoodDown
from rapid_response.safety import rules
from rapid_response.sla import rules as sla
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import jobnumbers, notices, offers, reaching, texts
from rapid_response.steps.case import hold, offers_of
from rapid_response.steps.desk import SYSTEM, Desk, Who
from rapid_response.steps.errors import Invalid
from rapid_response.steps.outbox import ABOUT_COMPANION, queue
from rapid_response.steps.service import Service, responder_named
from rapid_response.storage import work
from rapid_response.storage.tables import IncidentRow
from rapid_response.storage.tx import Tx

ALONE = "This is held for a joint visit. Name a second officer first, or say why one person goes alone."
#: Why somebody does not go along who is not of the service any more; and what an entry for that begins with.
LEFT = "left"
WHO_GOES = "Say who goes along (police, or a second officer), or give the reason why one person goes alone."


def must_be_arranged(service: Service, incident: IncidentRow) -> bool:
    """Whether it is held until it is settled who goes along."""
    return incident.is_held and rules.must_be_arranged(
        service.definition.sla.joint_attendance,
        joint=incident.joint,
        has_companion=incident.companion is not None,
    )


def arranged(tx: Tx, incident: IncidentRow, how: JointArrangement, *, goes_out: bool = False) -> None:
    """Somebody goes along, or a person answers for it that nobody does."""
    notices.overtaken(tx, incident, (NoticeKind.JOINT,))
    tx.record(incident.id, JointArranged(how, goes_out))


def name(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, responder_id: str) -> None:
    """The desk sends a second officer along; what was held for her goes out. Raises Invalid."""
    responder_named(service, responder_id)
    if responder_id == incident.owner:
        raise Invalid("This responder has the job. Choose somebody else to go along.", "responder")
    if responder_id == incident.companion:
        raise Invalid("This responder goes along already.", "responder")
    goes_out = must_be_arranged(service, incident) and not incident.back_entry
    if incident.companion is not None:
        _stand_down(tx, desk, service, incident, "replaced")
    was_asked = offers.withdraw_from(tx, incident, responder_id, "goes_along")
    incident.companion = responder_id
    if incident.job_number is None:
        incident.job_number = jobnumbers.issue(tx, incident.id)
    tx.record(incident.id, CompanionNamed(responder_id))
    arranged(tx, incident, JointArrangement.SECOND_OFFICER, goes_out=goes_out)
    if goes_out:
        offers.release(tx, desk, service, incident, "joint_arranged", SYSTEM)
    elif was_asked:
        offers.advance(tx, desk, service, incident)
    _text(tx, desk, service, incident, responder_id, texts.companion(desk, incident, tx.now))
    if incident.owner is not None:
        _text(tx, desk, service, incident, incident.owner, wording.companion_coming(incident.job_number or 0))


def release(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, why: str, who: Who) -> None:
    """She does not go along after all: the owner must not go in alone, and the duty officer finds another."""
    leaves = incident.companion
    if leaves is None:
        return
    if who.responder == leaves:
        _gone(tx, incident, why)  # her own word is answered where it came from
    else:
        _stand_down(tx, desk, service, incident, why)
    if incident.owner is not None:
        _text(tx, desk, service, incident, incident.owner, wording.companion_gone(incident.job_number or 0))
    if incident.joint and (sla.is_counting(incident) or incident.owner is not None):
        notices.give(tx, desk, service, incident, NoticeKind.JOINT, ContactRole.DUTY_OFFICER)


def goes_along(tx: Tx, responder_id: str) -> Sequence[str]:
    """The open incidents at which she is the second officer."""
    rows = tx.execute(
        select(col(IncidentRow.id)).where(
            col(IncidentRow.companion) == responder_id, col(IncidentRow.is_open)
        )
    )
    return rows.scalars().all()


def goes_off(
    tx: Tx, desk: Desk, service: Service, incident: IncidentRow, responder_id: str, who: Who
) -> None:
    """She goes off duty: somebody else has to go along."""
    if incident.companion == responder_id:
        release(tx, desk, service, incident, "off_duty", who)


def look_who_left(tx: Tx, listed: Sequence[str], version: int) -> None:
    """A service is loaded in which second officers may not be listed any more: each goes along no longer."""
    if tx.execute(_of_others(listed)).first() is not None:
        work.arm(tx, "", 1, 0, [Deadline(Kind.ABSENCE, tx.now, f"{LEFT}:{version}")])


def ring_left(tx: Tx, desk: Desk, service: Service) -> None:
    """Whoever was to go with her has left the service: the owner hears of it, and another is found."""
    listed = [responder.id for responder in service.definition.responders]
    for incident_id in tx.execute(_of_others(listed)).scalars().all():
        release(tx, desk, service, hold(tx, incident_id), LEFT, SYSTEM)


def _of_others(listed: Sequence[str]) -> Select[str]:
    """The open incidents whose second officer is none of these, in the order of their ids."""
    others = col(IncidentRow.companion).is_not(None), col(IncidentRow.companion).not_in(listed)
    return select(col(IncidentRow.id)).where(col(IncidentRow.is_open), *others).order_by(col(IncidentRow.id))


def job_done(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, why: str) -> None:
    """The case is over for her as well."""
    if incident.companion is not None:
        _stand_down(tx, desk, service, incident, why)


def joined(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, into: IncidentRow) -> None:
    """The case is the other one told again: she goes along there, unless somebody else does."""
    leaves = incident.companion
    if leaves is None:
        return
    asked = {o.responder_id for o in offers_of(tx, into) if o.state in _LIVE}
    if into.companion is None and leaves not in asked:
        into.companion = leaves
        tx.record(into.id, CompanionNamed(leaves))
    if leaves != into.companion and leaves not in asked:
        _stand_down(tx, desk, service, incident, "joined")
        return
    if into.job_number is None:
        into.job_number = jobnumbers.issue(tx, into.id)
    body = wording.joined(incident.job_number or 0, into.job_number)
    _text(tx, desk, service, incident, leaves, body, Purpose.STAND_DOWN)
    _gone(tx, incident, "joined")


#: Why she need not go, in the words of the stand-down; where she does not know it already.
_WHY = {"cancelled": StoodDown.CANCELLED, "joined": StoodDown.JOINED, "transferred": StoodDown.TRANSFERRED}
_LIVE = (OfferState.OPEN, OfferState.ACCEPTED)


def _stand_down(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, why: str) -> None:
    leaves = incident.companion or ""
    text = texts.stand_down(desk, incident, tx.now, _WHY.get(why, StoodDown.PASSED_ON))
    if why != "closed":  # whoever was there knows that it is over
        _text(tx, desk, service, incident, leaves, text, Purpose.STAND_DOWN)
    _gone(tx, incident, why)


def _gone(tx: Tx, incident: IncidentRow, why: str) -> None:
    tx.record(incident.id, CompanionReleased(incident.companion or "", why))
    incident.companion = None


def _text(
    tx: Tx,
    desk: Desk,
    service: Service,
    incident: IncidentRow,
    responder_id: str,
    body: str,
    purpose: Purpose = Purpose.REMINDER,
) -> None:
    """By text, or by a call where no text reaches her; else the desk rings."""
    responder = service.definition.responder(responder_id)
    if responder is None:
        return
    address = reaching.best_way(tx, responder)
    if address is not None:
        queue(
            tx,
            key=f"{ABOUT_COMPANION}{tx.ids.uuid()}",
            purpose=purpose,
            channel=address.channel,
            way=address.way,
            to_number=address.number,
            recipient=f"responder:{responder_id}",
            body=body,
            incident=incident,
            is_new=True,
        )
    elif incident.is_open:
        notices.ring_instead(tx, desk, service, incident)
