"""Notices: what a role holder must see. Given again every five minutes until a person says that she has."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core.definition import Means
from rapid_response.core.events import NoticeAcknowledged, NoticeGiven
from rapid_response.core.notices import BORDERS, LEADS, OVERTAKEN, SILENCE, SUPERSEDED, NoticeKind
from rapid_response.core.states import MessageChannel, Purpose
from rapid_response.core.vocabulary import ContactRole
from rapid_response.dispatch.rules import Recipient, all_told, ways, who_hears
from rapid_response.sla.rules import NOTICE_REPEAT, Deadline, Kind
from rapid_response.steps import mailing, texts
from rapid_response.steps.clock import arm, disarm
from rapid_response.steps.desk import Desk
from rapid_response.steps.outbox import LAST, cancel_repeated, queue
from rapid_response.steps.service import Service
from rapid_response.storage.once import once
from rapid_response.storage.tables import IncidentRow, NoticeRow
from rapid_response.storage.tx import Tx

#: Moot once somebody has the job: nobody need be told again that nobody has.
_ENDED_BY_OWNER = frozenset(
    {
        NoticeKind.RUNG,
        NoticeKind.NOT_ACCEPTED,
        NoticeKind.NOBODY_LEFT,
        NoticeKind.REVIEW,
        NoticeKind.DELIVERY_FAILING,
    }
)


#: In the detail of a notice: the responder whom it is about, and who is not told of herself.
_APART_FROM = "apart_from"


def give(
    tx: Tx,
    desk: Desk,
    service: Service,
    incident: IncidentRow,
    kind: NoticeKind,
    role: ContactRole,
    by: Sequence[Means] = (Means.SMS,),
    detail: Mapping[str, Any] | None = None,
    apart_from: str | None = None,
) -> None:
    """Tell a role holder now; the notice stands on the board whether or not a message can be sent.

    `apart_from` is a responder whom it is about, and who is not told of herself.
    Paper entered after an outage tells nobody anything until a person releases it (design.md 7).
    """
    if incident.is_held and incident.back_entry:
        return
    # The newest speaks for those it replaces, unsent ones too, and so never more quietly than they did.
    by = tuple(dict.fromkeys([*by, *_supersede(tx, incident, kind, role)]))
    told = hearers(tx, service, role, apart_from)
    about = {_APART_FROM: apart_from} if apart_from else {}
    notice = tx.new(
        NoticeRow,
        id=tx.ids.uuid(),
        incident_id=incident.id,
        kind=kind.value,
        role=role.value,
        recipients=[asdict(r) for r in told],
        by=[m.value for m in by],
        detail={**(detail or {}), **about},
        given_at=tx.now,
    )
    _send(tx, desk, incident, notice, told)
    mailing.tell_of(tx, desk, incident, notice)
    if kind not in LEADS:
        arm(tx, incident, [_again(tx, notice)])
    tx.record(incident.id, NoticeGiven(notice.id, kind, role, tuple(by)))


def hearers(
    tx: Tx, service: Service, role: ContactRole, apart_from: str | None = None
) -> tuple[Recipient, ...]:
    """Who hears for a role now; where that were only the responder left out, whoever stands next."""
    holders = [r for r in service.holders(role, tx.now) if r.id != apart_from]
    about = service.definition.responder(apart_from) if apart_from else None
    own = set(about.numbers) if about else set()
    contacts = {r: number for r, number in service.definition.contacts.items() if number not in own}
    return who_hears(role, holders, contacts)


#: These tell one story to one role: the newest says all that the older ones did. It ends with the response.
PROGRESS = frozenset(
    {
        NoticeKind.RUNG,
        NoticeKind.NOT_ACCEPTED,
        NoticeKind.NOBODY_LEFT,
        NoticeKind.WARNING,
        NoticeKind.BREACH,
    }
)


def _supersede(tx: Tx, incident: IncidentRow, kind: NoticeKind, role: ContactRole) -> list[Means]:
    """Only the newest notice of a story is repeated: forty texts an hour are read by nobody.

    Gives the means of those that it replaces.
    """
    stories = (PROGRESS, LEADS, SILENCE, BORDERS, frozenset({NoticeKind.TASK_OVERDUE}))
    story = next((kinds for kinds in stories if kind in kinds), None)
    if story is None:
        return []
    means: list[Means] = []
    for notice in unseen(tx, incident.id):
        same_story = notice.kind in story
        if notice.role == role and same_story:
            _end(tx, incident, notice, SUPERSEDED)
            means += [Means(m) for m in notice.by]
    return means


def repeat(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, notice: NoticeRow) -> None:
    """Nobody has said that she saw it: tell whoever has the role by now, marked as a repeat."""
    notice.repeats += 1
    now = hearers(tx, service, ContactRole(notice.role), notice.detail.get(_APART_FROM))
    told, notice.recipients = tell_again(notice.recipients, now)
    _send(tx, desk, incident, notice, told)
    arm(tx, incident, [_again(tx, notice)])
    tx.record(
        incident.id,
        NoticeGiven(notice.id, notice.kind, notice.role, tuple(notice.by), repeat=notice.repeats),
    )


def _again(tx: Tx, notice: NoticeRow) -> Deadline:
    return Deadline(Kind.NOTICE, tx.now + NOTICE_REPEAT, f"{notice.id}:{notice.repeats}")


def tell_again(
    recipients: Sequence[Mapping[str, Any]], now: Sequence[Recipient]
) -> tuple[Sequence[Recipient], list[dict[str, Any]]]:
    """Who is told this time, and everybody told so far: the word of each counts.

    Who has gone off duty since, or has another number, is not told at the old one, unless nobody else is.
    """
    before = [Recipient(**r) for r in recipients]
    return now or before, [asdict(r) for r in all_told(before, now)]


def _send(tx: Tx, desk: Desk, incident: IncidentRow, notice: NoticeRow, told: Sequence[Recipient]) -> None:
    for recipient in told:
        for means, number in ways(recipient, [Means(m) for m in notice.by]):
            _say(tx, desk, incident, notice, recipient, means, number, is_new=True)


def _say(
    tx: Tx,
    desk: Desk,
    incident: IncidentRow,
    notice: NoticeRow,
    recipient: Recipient,
    means: Means,
    number: str,
    *,
    is_new: bool,
) -> None:
    channel = MessageChannel.VOICE if means is Means.VOICE else MessageChannel.SMS
    key = f"notice:{notice.id}:{notice.repeats}:{means}:{recipient.id}"
    if notice.repeats:
        cancel_repeated(tx, notice_id=notice.id, channel=channel, recipient=recipient.id, by_key=key)
    queue(
        tx,
        key=key,
        purpose=Purpose.NOTICE,
        channel=channel,
        to_number=number,
        recipient=recipient.id,
        body=texts.notice(desk, incident, notice, tx.now),
        incident=incident,
        notice_id=notice.id,
        is_new=is_new,
        # However urgent the case: no offer waits behind a notice that can wait till tomorrow.
        rank=LAST if notice.kind in LEADS else None,
    )


def say_instead(tx: Tx, desk: Desk, incident: IncidentRow, notice: NoticeRow, recipient_id: str) -> None:
    """The text of a notice does not arrive: it is said, unless it was to be said anyway."""
    for recipient in (Recipient(**r) for r in notice.recipients):
        if recipient.id == recipient_id and recipient.voice:
            _say(tx, desk, incident, notice, recipient, Means.VOICE, recipient.voice, is_new=False)


def ring_instead(tx: Tx, desk: Desk, service: Service, incident: IncidentRow) -> None:
    """A person at the desk is told to use the telephone, once until she has seen it."""
    if any(n.kind == NoticeKind.DELIVERY_FAILING for n in unseen(tx, incident.id)):
        return
    by = (Means.SMS, Means.VOICE)
    give(tx, desk, service, incident, NoticeKind.DELIVERY_FAILING, ContactRole.DESK, by)


def unseen(tx: Tx, incident_id: str) -> list[NoticeRow]:
    """Notices nobody has acknowledged, oldest first."""
    return list(tx.all(_unseen(incident_id)))


@once
def _unseen(incident_id: str) -> SelectOfScalar[NoticeRow]:
    return (
        select(NoticeRow)
        .where(col(NoticeRow.incident_id) == incident_id, col(NoticeRow.acknowledged_at).is_(None))
        .order_by(col(NoticeRow.given_at), col(NoticeRow.id))
    )


def acknowledge(
    tx: Tx,
    incident: IncidentRow,
    source: str,
    recipients: Collection[str] | None = None,
    *,
    said_at: datetime | None = None,
    only: Collection[str] | None = None,
) -> int:
    """A person has seen what was addressed to her (all, from the desk); returns how many.

    `said_at` is when she said so, or what she was told was given: she had not seen what was given since.
    `only` are the ids of those that her page showed.
    """
    seen = [
        n
        for n in unseen(tx, incident.id)
        if (recipients is None or any(r["id"] in recipients for r in n.recipients))
        and (said_at is None or n.given_at <= said_at)
        and (only is None or n.id in only)
    ]
    for notice in seen:
        _end(tx, incident, notice, tx.actor)
        tx.record(incident.id, NoticeAcknowledged(notice.id, notice.role, source))
    return len(seen)


def overtaken(tx: Tx, incident: IncidentRow, kinds: Collection[NoticeKind] = _ENDED_BY_OWNER) -> None:
    """The case has moved on: what is moot is not repeated."""
    for notice in unseen(tx, incident.id):
        if notice.kind in kinds:
            _end(tx, incident, notice, OVERTAKEN)


def _end(tx: Tx, incident: IncidentRow, notice: NoticeRow, by: str) -> None:
    notice.acknowledged_at, notice.acknowledged_by = tx.now, by
    disarm(tx, incident, [Kind.NOTICE], "seen", subject=f"{notice.id}:{notice.repeats}")
