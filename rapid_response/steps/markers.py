"""Risk markers on addresses and suspects: set with evidence, found again by what we know, ended in time.

A marker warns whoever is sent, and nobody else. So it is found by the same normalised keys as an earlier case
(intake/matching), shown where people are signed in, and leaves in a text only "joint, do not enter alone".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Connection, bindparam, delete, func, select
from sqlmodel import Session, col
from sqlmodel import select as typed_select

from rapid_response.core.events import (
    SERVICE_STREAM,
    RiskMarkerEnded,
    RiskMarkerFound,
    RiskMarkerReviewed,
    RiskMarkerSet,
)
from rapid_response.core.notices import NoticeKind
from rapid_response.core.states import Purpose
from rapid_response.core.vocabulary import ContactRole, RiskKind, RiskSubject
from rapid_response.intake.matching.comparing import compare
from rapid_response.intake.matching.judging import SUGGEST_AT
from rapid_response.intake.matching.match import Kind as Alike
from rapid_response.intake.matching.profile import Profile, Told, identify
from rapid_response.messaging import wording
from rapid_response.safety import rules
from rapid_response.sla import rules as sla
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import news, notices, raising
from rapid_response.steps.case import hold
from rapid_response.steps.commands import Line, Words
from rapid_response.steps.desk import Desk
from rapid_response.steps.errors import Invalid, NotFound
from rapid_response.steps.outbox import queue
from rapid_response.steps.service import Service, service_now
from rapid_response.storage import work
from rapid_response.storage.once import Filled
from rapid_response.storage.tables import IdentifierRow, IncidentRow, RiskMarkerKeyRow, RiskMarkerRow
from rapid_response.storage.tx import Tx, read_from
from rapid_response.storage.work import Due

#: The keys under which each subject is found; a report has others, which mark nobody.
_PREFIX: Mapping[RiskSubject, str] = {RiskSubject.ADDRESS: "place:", RiskSubject.SUSPECT: "suspect:"}
_ALIKE: Mapping[RiskSubject, Alike] = {
    RiskSubject.ADDRESS: Alike.ADDRESS,
    RiskSubject.SUSPECT: Alike.SUSPECT,
}
#: Reports that were being taken in while a marker was set have not seen it: they are looked at once more.
_LOOK_AGAIN = timedelta(minutes=1)
_NOT_FOUND = "There is no such marker, or it has ended."
_BY_NOTHING: Mapping[RiskSubject, str] = {
    RiskSubject.ADDRESS: "This would be found by nothing. Give a house number or name, and its street or "
    "postcode.",
    RiskSubject.SUSPECT: "This would be found by nothing. Give a full name, a phone number, a registration, "
    "a company or a website.",
}


class NewMarker(BaseModel):
    """What a person sets: about whom or where, why, and for how long."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: RiskSubject
    kind: RiskKind
    reason: Words
    months: int = Field(default=rules.MARKER_MONTHS, ge=1, le=rules.LONGEST_MARKER_MONTHS)
    address: Line | None = None
    postcode: Line | None = None
    name: Line | None = None
    company: Line | None = None
    phone: Line | None = None
    vehicle_registration: Line | None = None
    website: Line | None = None

    @model_validator(mode="after")
    def _says_whom(self) -> NewMarker:
        if not self.about():
            raise ValueError("say which address, or which suspect")
        return self

    def about(self) -> dict[str, str]:
        """The parts that say where, or who."""
        names = (
            ("address", "postcode")
            if self.subject is RiskSubject.ADDRESS
            else ("name", "company", "phone", "vehicle_registration", "website")
        )
        return {name: value for name in names if (value := getattr(self, name))}


def _profile(subject: RiskSubject, about: Mapping[str, str], at: datetime) -> Profile:
    is_place = subject is RiskSubject.ADDRESS
    return identify(
        Told("", at.date(), location=about if is_place else {}, suspect={} if is_place else about)
    )


# --- a marker's life --------------------------------------------------------------------------------------


def set_marker(tx: Tx, new: NewMarker) -> str:
    """Set it, until it expires; returns its id. Raises Invalid where nothing would ever find it."""
    profile = _profile(new.subject, new.about(), tx.now)
    keys = [key for key in profile.own_keys if key.startswith(_PREFIX[new.subject])]
    if not keys:
        field = "address" if new.subject is RiskSubject.ADDRESS else "name"
        raise Invalid(_BY_NOTHING[new.subject], field)
    expires_at = rules.expiry(tx.now, new.months)
    marker = tx.new(
        RiskMarkerRow,
        id=tx.ids.uuid(),
        subject=new.subject,
        kind=new.kind,
        reason=new.reason,
        about=new.about(),
        known=profile.to_json(),
        set_at=tx.now,
        set_by=tx.actor,
        review_at=rules.review_at(tx.now, expires_at),
        expires_at=expires_at,
    )
    for key in keys:
        tx.add(RiskMarkerKeyRow, marker_id=marker.id, key=key)
    _arm(tx, marker)
    for n, at in enumerate((tx.now, tx.now + _LOOK_AGAIN)):
        work.arm(tx, "", 1, 0, [Deadline(Kind.MARKER_APPLY, at, f"{marker.id}:{n}")])
    tx.record(SERVICE_STREAM, RiskMarkerSet(marker.id, new.subject, new.kind, expires_at))
    return marker.id


def review(tx: Tx, marker_id: str, reason: str, months: int) -> None:
    """A person has looked again: it stands on, for a time, for the reason that holds now."""
    marker = _live(tx, marker_id)
    if not reason:
        raise Invalid("Say what the marker rests on now.", "reason")
    if not 1 <= months <= rules.LONGEST_MARKER_MONTHS:
        raise Invalid(f"Choose 1 to {rules.LONGEST_MARKER_MONTHS} months.", "months")
    marker.reason, marker.reviewed_at, marker.reviewed_by = reason, tx.now, tx.actor
    marker.expires_at = rules.expiry(tx.now, months)
    marker.review_at = rules.review_at(tx.now, marker.expires_at)
    _disarm(tx, marker, "reviewed")
    marker.round += 1
    _arm(tx, marker)
    tx.record(SERVICE_STREAM, RiskMarkerReviewed(marker.id, marker.expires_at))


def end(tx: Tx, marker_id: str, reason: str) -> None:
    """A person says that it no longer holds, and why. Jobs that were made joint by it stay so."""
    if not reason:
        raise Invalid("Say why the marker ends.", "reason")
    marker = _live(tx, marker_id)
    marker.ended_reason = reason
    _disarm(tx, marker, "ended")
    _end(tx, marker, "ended")


def _end(tx: Tx, marker: RiskMarkerRow, why: str) -> None:
    """It is found no more; that it stood, and why, is kept."""
    marker.ended_at, marker.ended_by = tx.now, tx.actor
    tx.execute(delete(RiskMarkerKeyRow).where(col(RiskMarkerKeyRow.marker_id) == marker.id))
    tx.record(SERVICE_STREAM, RiskMarkerEnded(marker.id, why))


def _live(tx: Tx, marker_id: str) -> RiskMarkerRow:
    marker = tx.get(RiskMarkerRow, marker_id, lock=True)
    if marker is None or marker.ended_at is not None:
        raise NotFound(_NOT_FOUND)
    return marker


def _subject(marker: RiskMarkerRow) -> str:
    return f"{marker.id}:{marker.round}"


def _arm(tx: Tx, marker: RiskMarkerRow) -> None:
    coming = [
        Deadline(Kind.MARKER_REVIEW, marker.review_at, _subject(marker)),
        Deadline(Kind.MARKER_END, marker.expires_at, _subject(marker)),
    ]
    work.arm(tx, "", 1, 4, coming)


def _disarm(tx: Tx, marker: RiskMarkerRow, why: str) -> None:
    kinds = [Kind.MARKER_REVIEW.value, Kind.MARKER_END.value]
    work.disarm(tx, "", kinds, why, _subject(marker))


def _due(tx: Tx, due: Due) -> RiskMarkerRow | None:
    """The marker that an entry is about, while it stands and is the same round."""
    marker_id, _, round_ = due.subject.partition(":")
    marker = tx.get(RiskMarkerRow, marker_id, lock=True)
    is_of_now = marker is not None and marker.ended_at is None and str(marker.round) == round_
    return marker if is_of_now else None


def ring_review(tx: Tx, desk: Desk, due: Due) -> None:
    """Somebody is to look again before it ends; the duty officer hears so each week until somebody does."""
    marker = _due(tx, due)
    if marker is None:
        return
    waiting = tx.execute(
        select(func.count())
        .select_from(RiskMarkerRow)
        .where(col(RiskMarkerRow.ended_at).is_(None), col(RiskMarkerRow.review_at) <= tx.now)
    ).scalar_one()
    for hears in notices.hearers(tx, service_now(tx, desk.zone), ContactRole.DUTY_OFFICER):
        if hears.sms:
            queue(
                tx,
                # One text a day says how many there are, whichever of them falls due.
                key=f"marker_review:{tx.now.astimezone(desk.zone):%Y-%m-%d}:{hears.id}",
                purpose=Purpose.REMINDER,
                to_number=hears.sms,
                recipient=hears.id,
                body=wording.marker_to_review(waiting),
            )
    again = tx.now + rules.REVIEW_AGAIN
    if again < marker.expires_at:
        work.arm(tx, "", due.cycle + 1, 4, [Deadline(Kind.MARKER_REVIEW, again, due.subject)])


def ring_end(tx: Tx, desk: Desk, due: Due) -> None:
    """Nobody renewed it."""
    marker = _due(tx, due)
    if marker is not None:
        work.disarm(tx, "", [Kind.MARKER_REVIEW.value], "expired", _subject(marker))
        _end(tx, marker, "expired")


# --- finding it -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """A live marker that warns of a case; `why` says what agreed, and holds nothing of it."""

    id: str
    subject: RiskSubject
    kind: RiskKind
    reason: str
    expires_at: datetime
    why: tuple[str, ...]


_BY_KEYS = Filled(
    select(
        col(RiskMarkerRow.id),
        col(RiskMarkerRow.subject),
        col(RiskMarkerRow.kind),
        col(RiskMarkerRow.reason),
        col(RiskMarkerRow.known),
        col(RiskMarkerRow.expires_at),
    )
    .where(
        col(RiskMarkerRow.id).in_(
            select(col(RiskMarkerKeyRow.marker_id)).where(
                col(RiskMarkerKeyRow.key).in_(bindparam("keys", expanding=True))
            )
        ),
        # What has run out was ended at its moment, by the agenda.
        col(RiskMarkerRow.ended_at).is_(None),
    )
    .order_by(col(RiskMarkerRow.set_at), col(RiskMarkerRow.id))
)


def found(reading: Connection | Tx, profile: Profile) -> tuple[Found, ...]:
    """The live markers that a case's people and place answer to."""
    keys = [key for key in profile.keys if key.startswith(tuple(_PREFIX.values()))]
    if not keys:
        return ()
    return tuple(_alike(profile, read_from(reading, _BY_KEYS.given({"keys": keys}))))


def _alike(profile: Profile, rows: Iterable[Any]) -> Iterable[Found]:
    for row in rows:
        match = compare(profile, Profile.from_json(row.known)).get(_ALIKE[row.subject])
        if match is not None and match.confidence >= SUGGEST_AT:
            yield Found(row.id, row.subject, row.kind, row.reason, row.expires_at, match.reasons)


def of_incident(connection: Connection, incident_id: str) -> tuple[Found, ...]:
    """The live markers that warn of an incident, as it is known now."""
    rows = Session(connection).exec(
        typed_select(IdentifierRow)
        .where(col(IdentifierRow.incident_id) == incident_id)
        .order_by(col(IdentifierRow.position))
    )
    known, keys = Profile(), []
    for row in rows:
        if row.key is None:
            known = Profile.from_json(row.known or ())
        else:
            keys.append(row.key)
    return found(connection, Profile(known.identifiers, tuple(keys)))


def warn(tx: Tx, incident: IncidentRow, warned: Sequence[Found]) -> None:
    """Keep with the case that it was found marked; nobody goes in alone."""
    for marker in warned:
        tx.record(incident.id, RiskMarkerFound(marker.id, marker.subject))


def look_again(tx: Tx, desk: Desk, service: Service, incident: IncidentRow, profile: Profile) -> None:
    """More is known of a case, or a marker is new: it becomes joint, and the duty officer hears why."""
    if not incident.is_open or incident.joint:
        return
    warned = found(tx, profile)
    if not warned:
        return
    incident.joint = True
    warn(tx, incident, warned)
    raising.hold_if_joint(tx, service, incident)
    news.more_dangerous(tx, service, incident, news.going(tx, incident))
    if sla.is_counting(incident) or incident.owner is not None:
        notices.give(tx, desk, service, incident, NoticeKind.JOINT, ContactRole.DUTY_OFFICER)


def ring_apply(tx: Tx, desk: Desk, due: Due) -> None:
    """A new marker warns of the cases that are open already."""
    marker_id = due.subject.partition(":")[0]
    keys = select(col(RiskMarkerKeyRow.key)).where(col(RiskMarkerKeyRow.marker_id) == marker_id)
    open_ones = select(col(IncidentRow.id)).where(col(IncidentRow.is_open))
    hit = tx.execute(
        select(col(IdentifierRow.incident_id))
        .where(col(IdentifierRow.key).in_(keys), col(IdentifierRow.incident_id).in_(open_ones))
        .distinct()
    )
    service = service_now(tx, desk.zone)
    for incident_id in sorted(hit.scalars()):
        incident = hold(tx, incident_id)
        known = tx.first(
            typed_select(IdentifierRow).where(
                col(IdentifierRow.incident_id) == incident_id, col(IdentifierRow.position) == 0
            )
        )
        own = tx.execute(
            select(col(IdentifierRow.key)).where(
                col(IdentifierRow.incident_id) == incident_id, col(IdentifierRow.key).is_not(None)
            )
        )
        profile = Profile.from_json(known.known or ()) if known else Profile()
        look_again(tx, desk, service, incident, Profile(profile.identifiers, tuple(own.scalars())))
