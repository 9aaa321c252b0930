"""What we already know of a report's people: looked up before triage, remembered in the same commit.

One read by an index, and at most two statements to write (identifiers, suggested links). A repeat or a second
contact can only raise the case (rule R13, escalator E04); a suggestion changes no other incident, is shown to
those who may see the case alone, and waits for a person (domain.md 1 and 6, scenarios 9 and 10).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Executable, bindparam, case, delete, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.core.events import LinkDecided
from rapid_response.core.safe_contact import reach
from rapid_response.core.vocabulary import Link
from rapid_response.intake.matching.judging import (
    LOOK_BACK,
    SECOND_CONTACT,
    Earlier,
    Judgement,
    LinkKind,
    SuggestedLink,
    judge,
)
from rapid_response.intake.matching.profile import Profile, Told, identify, identify_all
from rapid_response.intake.report_in import ReportIn
from rapid_response.steps.corrections import caller_now, corrections_of
from rapid_response.storage.columns import UtcDateTime
from rapid_response.storage.once import Filled, once
from rapid_response.storage.tables import IdentifierRow, IncidentRow, ReportRow, SuggestedLinkRow
from rapid_response.storage.tx import Tx, read_from

#: Cases that are compared at most: those that share the most keys, and of these the newest.
_COMPARED = 20
SUGGESTED, ACCEPTED, REJECTED = "suggested", "accepted", "rejected"
#: How a duplicate stands on the page of the incident that it was joined to.
DUPLICATED_BY = "duplicated_by"


@dataclass(frozen=True, slots=True)
class Known:
    """A report's own identifiers, and what the earlier ones say of it."""

    profile: Profile = field(default_factory=Profile)
    judgement: Judgement = field(default_factory=Judgement)

    @property
    def links(self) -> tuple[SuggestedLink, ...]:
        """The links to suggest, surest first."""
        return self.judgement.links

    def flags(self) -> dict[str, bool]:
        """As :class:`~rapid_response.intake.rules.TriageCase` takes them."""
        found = self.judgement
        return {
            "repeat_victim": found.repeat_victim,
            "repeat_address": found.repeat_address,
            "repeat_suspect": found.repeat_suspect,
            "contact_again_24h": found.contact_again_24h,
        }


def known(tx: Tx, report: ReportIn, received_at: datetime, zone: ZoneInfo) -> Known:
    """What we know of a report that is about to become an incident."""
    told = Told(
        narrative=report.narrative,
        on=received_at.astimezone(zone).date(),
        caller=report.caller.given(),
        victim=report.victim.given(),
        location=report.location.given(),
        suspect=report.suspect.given(),
    )
    return _look_up(tx, identify(told), received_at, None)


def remember(tx: Tx, incident: IncidentRow, found: Known) -> None:
    """Keep a new incident's identifiers and the links that they suggest."""
    _keep(tx, incident, found.profile)
    for link in found.links:
        _suggest(tx, incident, link)


def learn(tx: Tx, incident: IncidentRow, reports: Sequence[ReportRow], zone: ZoneInfo) -> Known:
    """As :func:`known` and :func:`remember` for an incident of which more is known now.

    For the words of a voicemail, for amended people or places, and for reports that were joined. What a
    person has rejected is not suggested again.
    """
    corrected = corrections_of(tx, incident.id)
    profile = identify_all(
        Told(
            narrative=report.narrative,
            on=report.received_at.astimezone(zone).date(),
            caller=caller_now(report, corrected),
            victim=incident.victim,
            location=incident.location,
            suspect=incident.suspect,
        )
        for report in reports
    )
    found = _look_up(tx, profile, incident.received_at, incident.id)
    tx.execute(delete(IdentifierRow).where(col(IdentifierRow.incident_id) == incident.id))
    _keep(tx, incident, found.profile)
    told_already = _pairs(tx, incident.id)
    for link in found.links:
        if link.incident_id not in told_already:
            _suggest(tx, incident, link)
    return found


def decide(
    tx: Tx,
    incident_id: str,
    other_id: str,
    *,
    accepted: bool,
    kind: str | None = None,
    reason: str | None = None,
) -> bool:
    """A person says whether two incidents belong together; False where that changes nothing.

    Without a `kind` only what waits for an answer is decided; with one, what she says holds whatever the
    machine, or anybody before her, said. Both incidents are locked, the first is the one spoken of.
    """
    link = link_between(tx, incident_id, other_id)
    state = ACCEPTED if accepted else REJECTED
    if link is None and kind is None:
        return False
    if link is None:
        tx.add(
            SuggestedLinkRow,
            from_incident_id=incident_id,
            to_incident_id=other_id,
            kind=kind,
            confidence=1.0,
            state=state,
            suggested_at=tx.now,
            decided_at=tx.now,
            decided_by=tx.actor,
            reason=reason,
        )
    else:
        if link.state != SUGGESTED and (kind is None or (link.kind, link.state) == (kind, state)):
            return False
        kind = kind or link.kind
        link.kind, link.state = kind, state
        link.decided_at, link.decided_by, link.reason = tx.now, tx.actor, reason or link.reason
    there = DUPLICATED_BY if kind == Link.DUPLICATE_OF else kind
    for stream, said, other in ((incident_id, kind, other_id), (other_id, there, incident_id)):
        tx.record(stream, LinkDecided(str(said), other, state, reason is not None))
    return True


def link_between(tx: Tx, incident_id: str, other_id: str) -> SuggestedLinkRow | None:
    """What was suggested or said of these two, whichever was there first."""
    here, there = col(SuggestedLinkRow.from_incident_id), col(SuggestedLinkRow.to_incident_id)
    return tx.first(
        typed_select(SuggestedLinkRow).where(
            or_(
                (here == incident_id) & (there == other_id),
                (here == other_id) & (there == incident_id),
            )
        )
    )


def unlearn(tx: Tx, incident_id: str) -> None:
    """Its reports belong to another incident, and with them all by which its people are known again."""
    tx.execute(delete(IdentifierRow).where(col(IdentifierRow.incident_id) == incident_id))


def forget(tx: Tx, incident_id: str) -> None:
    """For retention: nobody can be recognised by this incident any more, and no link names it."""
    tx.execute(delete(IdentifierRow).where(col(IdentifierRow.incident_id) == incident_id))
    tx.execute(
        delete(SuggestedLinkRow).where(
            or_(
                col(SuggestedLinkRow.from_incident_id) == incident_id,
                col(SuggestedLinkRow.to_incident_id) == incident_id,
            )
        )
    )


# --- writing ----------------------------------------------------------------------------------------------


def _keep(tx: Tx, incident: IncidentRow, profile: Profile) -> None:
    if not profile.identifiers:
        return
    for position, key in enumerate((None, *profile.own_keys)):
        tx.add(
            IdentifierRow,
            incident_id=incident.id,
            position=position,
            key=key,
            known=profile.to_json() if key is None else None,
            at=incident.received_at,
        )


def _suggest(tx: Tx, incident: IncidentRow, link: SuggestedLink) -> None:
    tx.add(
        SuggestedLinkRow,
        from_incident_id=incident.id,
        to_incident_id=link.incident_id,
        kind=link.kind.value,
        confidence=link.confidence,
        reasons=list(link.reasons),
        suggested_at=tx.now,
    )


def _pairs(tx: Tx, incident_id: str) -> set[str]:
    """The incidents that a link with this one was suggested to already, whatever was said to it."""
    here, there = col(SuggestedLinkRow.from_incident_id), col(SuggestedLinkRow.to_incident_id)
    rows = tx.read(select(here, there).where(or_(here == incident_id, there == incident_id)))
    return {other for row in rows for other in row} - {incident_id}


# --- reading ----------------------------------------------------------------------------------------------


def _look_up(tx: Tx, profile: Profile, received_at: datetime, own_id: str | None) -> Known:
    keys = profile.keys
    if not keys:
        return Known(profile)
    until = max(tx.now, received_at) + SECOND_CONTACT
    earlier = _earlier(tx, keys, received_at - LOOK_BACK - timedelta(days=1), until, own_id)
    return Known(profile, judge(profile, received_at, earlier))


def _statement() -> Executable:
    """The cases that share the most keys, of these the newest, each with its profile: one indexed read."""
    hit, at = col(IdentifierRow.incident_id), col(IdentifierRow.at)
    hits = (
        select(hit.label("id"))
        .where(
            col(IdentifierRow.key).in_(bindparam("keys", expanding=True)),
            at.between(bindparam("since"), bindparam("until")),
            hit != bindparam("own_id"),
        )
        .group_by(hit)
        .order_by(func.count().desc(), func.max(at).desc())
        .limit(_COMPARED)
        .subquery()
    )
    helped_at = func.coalesce(col(IncidentRow.stopped_at), col(IncidentRow.closed_at), type_=UtcDateTime())
    return (
        select(
            col(IdentifierRow.known),
            col(IncidentRow.id),
            col(IncidentRow.reference),
            col(IncidentRow.received_at),
            col(IncidentRow.is_open),
            col(IncidentRow.category),
            col(IncidentRow.disposition),
            helped_at.label("helped_at"),
        )
        .join(hits, hits.c.id == hit)
        .join(IncidentRow, col(IncidentRow.id) == hit)
        .where(col(IdentifierRow.position) == 0)
    )


_EARLIER = Filled(_statement())


def _earlier(
    tx: Tx, keys: Sequence[str], since: datetime, until: datetime, own_id: str | None
) -> list[Earlier]:
    asked = {"keys": list(keys), "since": since, "until": until, "own_id": own_id or ""}
    return [
        Earlier(
            incident_id=row.id,
            reference=row.reference,
            received_at=row.received_at,
            is_open=row.is_open,
            category=row.category,
            disposition=row.disposition,
            helped_at=row.helped_at,
            profile=Profile.from_json(row.known),
        )
        for row in tx.read(_EARLIER.given(asked))
    ]


@dataclass(frozen=True, slots=True)
class ShownLink:
    """A link as the incident's JSON and page show it, from either end."""

    kind: str
    reference: str
    state: str
    confidence: float
    reasons: Sequence[str]
    other_id: str = ""
    #: The other incident as it stands: whether it came first, and what is safe for its people.
    other_is_open: bool = True
    other_was_first: bool = False
    other_safe_contact: Mapping[str, Any] = field(default_factory=dict)
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None

    @property
    def suggests_reopening(self) -> bool:
        """Whether it looks as if a case that was over begins again (scenario 49)."""
        about_them = self.kind in (LinkKind.SAME_VICTIM, LinkKind.SAME_INCIDENT)
        return self.state == SUGGESTED and about_them and not self.other_is_open and self.other_was_first

    @property
    def is_of_the_same_people(self) -> bool:
        """Whether what is safe there may matter here: not where only the suspect may be the same."""
        return self.kind != LinkKind.SAME_SUSPECT

    def to_json(self) -> dict[str, Any]:
        """As the contract's `links[]`."""
        shown: dict[str, Any] = {
            "kind": self.kind,
            "reference": self.reference,
            "state": self.state,
            "confidence": self.confidence,
            "reasons": list(self.reasons),
        }
        if self.suggests_reopening:
            shown["suggests"] = "reopen"
        if self.decided_at is not None:
            shown |= {
                "decided_by": self.decided_by,
                "decided_at": self.decided_at.isoformat(),
                "reason": self.reason,
            }
        return shown


def safe_contact_of(incident: IncidentRow, links: Iterable[ShownLink]) -> dict[str, Any]:
    """How a case's people may be reached: as said here, and nowhere forbidden where they may be the same."""
    linked = [link.other_safe_contact for link in links if link.is_of_the_same_people]
    return reach(incident.safe_contact, linked)


def links_of(source: Connection | Tx, incident_id: str) -> list[ShownLink]:
    """The links of an incident that stand suggested or accepted, surest first, whichever was there first."""
    rows = read_from(source, _links_of(incident_id))
    return [
        ShownLink(
            kind=DUPLICATED_BY if r.duplicate_of == incident_id and r.kind == Link.DUPLICATE_OF else r.kind,
            reference=r.reference,
            state=r.state,
            confidence=r.confidence,
            reasons=r.reasons,
            other_id=r.id,
            other_is_open=r.is_open,
            other_was_first=r.received_at <= r.my_received_at,
            other_safe_contact=r.safe_contact,
            decided_by=r.decided_by,
            decided_at=r.decided_at,
            reason=r.reason,
        )
        for r in rows
    ]


@once
def _links_of(incident_id: str) -> Executable:
    here, there = col(SuggestedLinkRow.from_incident_id), col(SuggestedLinkRow.to_incident_id)
    other = case((here == incident_id, there), else_=here)
    mine = aliased(IncidentRow)
    return (
        select(
            col(SuggestedLinkRow.kind),
            col(IncidentRow.reference),
            col(SuggestedLinkRow.state),
            col(SuggestedLinkRow.confidence),
            col(SuggestedLinkRow.reasons),
            col(SuggestedLinkRow.decided_by),
            col(SuggestedLinkRow.decided_at),
            col(SuggestedLinkRow.reason),
            col(IncidentRow.id),
            col(IncidentRow.is_open),
            col(IncidentRow.safe_contact),
            col(IncidentRow.duplicate_of),
            col(IncidentRow.received_at),
            col(mine.received_at).label("my_received_at"),
        )
        .join(IncidentRow, col(IncidentRow.id) == other)
        .join(mine, col(mine.id) == incident_id)
        .where(or_(here == incident_id, there == incident_id), col(SuggestedLinkRow.state) != REJECTED)
        .order_by(
            col(SuggestedLinkRow.confidence).desc(),
            col(IncidentRow.received_at).desc(),
            col(IncidentRow.reference),
        )
    )


def series_of(connection: Connection, incident_id: str) -> list[str]:
    """The references of all incidents that people have said belong in one series with this one, itself too.

    Empty where it is in none. Whoever is linked to somebody linked is in it.
    """
    found, edge = {incident_id}, {incident_id}
    while edge:
        edge = {one for row in read_from(connection, _edges_of(sorted(edge))) for one in row} - found
        found |= edge
    if len(found) == 1:
        return []
    named = select(col(IncidentRow.reference)).where(col(IncidentRow.id).in_(found))
    return sorted(connection.execute(named).scalars())


@once
def _edges_of(incident_ids: Sequence[str]) -> Executable:
    here, there = col(SuggestedLinkRow.from_incident_id), col(SuggestedLinkRow.to_incident_id)
    return select(here, there).where(
        col(SuggestedLinkRow.state) == ACCEPTED,
        col(SuggestedLinkRow.kind).in_((Link.SAME_SUSPECT.value, Link.RELATED.value)),
        or_(here.in_(incident_ids), there.in_(incident_ids)),
    )
