"""What an earlier case means for a new report: a repeat, a second contact, or a link to suggest.

Sources: domain.md 1 (repeat victim, address, suspect), 3.2 (R13 and the second contact in 24 hours), 6;
scenarios 9, 10 and 49. Two reports of one house on one day are most likely one event told twice: that is a
second contact, not a repeat, so it raises the case without making the victim a repeat victim in the board's
figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rapid_response.core.vocabulary import Category, Disposition
from rapid_response.intake.matching.comparing import compare, names_clash, places_clash
from rapid_response.intake.matching.match import Kind, Match
from rapid_response.intake.matching.profile import Profile

LOOK_BACK = timedelta(days=365)
SECOND_CONTACT = timedelta(hours=24)
SOON_AGAIN = timedelta(days=28)
#: An open case this old can still be the one that somebody rings about again.
STILL_THE_SAME = timedelta(days=7)
#: A flag changes the priority and the board's figures, so it asks for more than a suggestion.
FLAG_AT = 0.8
SUGGEST_AT = 0.6
MOST_LINKS = 10
#: No earlier harm: such a case makes nobody a repeat victim. The first two are no case of their own either.
_NO_CASE = (Disposition.HOAX_OR_TEST, Disposition.DUPLICATE_OF)
_NO_HARM = (*_NO_CASE, Disposition.NO_OFFENCE_CONSUMER_DISPUTE, Disposition.OUT_OF_SCOPE)


class LinkKind(StrEnum):
    """What a suggested link says; a person decides whether it is so."""

    SAME_INCIDENT = "same_incident"
    SAME_VICTIM = "same_victim"
    SAME_SUSPECT = "same_suspect"


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier case as judging needs it."""

    incident_id: str
    reference: str
    received_at: datetime
    is_open: bool
    category: Category
    disposition: Disposition | None
    helped_at: datetime | None
    profile: Profile


@dataclass(frozen=True, slots=True)
class SuggestedLink:
    """A pair that a person should look at. The reasons hold nothing of what was compared."""

    incident_id: str
    reference: str
    kind: LinkKind
    confidence: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is known already, as triage and the board ask it; links best first."""

    repeat_victim: bool = False
    repeat_address: bool = False
    repeat_suspect: bool = False
    contact_again_24h: bool = False
    repeat_within_28_days: bool = False
    links: tuple[SuggestedLink, ...] = ()


def judge(mine: Profile, received_at: datetime, earlier: Sequence[Earlier]) -> Judgement:
    """Hold a report against the earlier cases that its keys found."""
    victim = address = suspect = again = soon = False
    links: list[SuggestedLink] = []
    for case in earlier:
        if case.disposition in _NO_CASE:
            continue
        found = compare(mine, case.profile)
        told_twice = _is_told_twice(mine, case, found, received_at)
        again = again or _is_second_contact(mine, case, found, received_at)
        if _counts(case, received_at) and not told_twice:
            victim = victim or _sure(found, Kind.VICTIM)
            address = address or _sure(found, Kind.ADDRESS)
            suspect = suspect or _sure(found, Kind.SUSPECT)
            since = received_at - (case.helped_at or case.received_at)
            soon = soon or (_sure(found, Kind.VICTIM) and since <= SOON_AGAIN)
        link = _link(mine, case, found, told_twice)
        if link is not None:
            links.append(link)
    links.sort(key=lambda link: -link.confidence)
    return Judgement(victim, address, suspect, again, soon, tuple(links[:MOST_LINKS]))


def _sure(found: Mapping[Kind, Match], kind: Kind) -> bool:
    return kind in found and found[kind].confidence >= FLAG_AT


def _counts(case: Earlier, received_at: datetime) -> bool:
    """Whether harm came before: a doorstep crime or a scam, received earlier."""
    return (
        case.category is not Category.OTHER
        and case.disposition not in _NO_HARM
        and case.received_at <= received_at
        and received_at - case.received_at <= LOOK_BACK
    )


def _same_people(mine: Profile, case: Earlier, found: Mapping[Kind, Match]) -> bool:
    """The same victim or house; or the same caller, where nothing says that she rings about somebody else."""
    if _sure(found, Kind.VICTIM) or (_sure(found, Kind.ADDRESS) and not names_clash(mine, case.profile)):
        return True
    return (
        Kind.CALLER in found and not names_clash(mine, case.profile) and not places_clash(mine, case.profile)
    )


def _is_told_twice(mine: Profile, case: Earlier, found: Mapping[Kind, Match], received_at: datetime) -> bool:
    """Most likely one event: still open, and told again within a day, or within a week of the same house."""
    apart = abs(received_at - case.received_at)
    if not case.is_open or apart > STILL_THE_SAME or not _same_people(mine, case, found):
        return False
    at_door = _sure(found, Kind.VICTIM) or _sure(found, Kind.ADDRESS)
    return apart <= SECOND_CONTACT or at_door


def _is_second_contact(
    mine: Profile, case: Earlier, found: Mapping[Kind, Match], received_at: datetime
) -> bool:
    return abs(received_at - case.received_at) <= SECOND_CONTACT and _same_people(mine, case, found)


def _link(
    mine: Profile, case: Earlier, found: Mapping[Kind, Match], told_twice: bool
) -> SuggestedLink | None:
    """One link a pair: one incident says more than one victim, and that more than one suspect."""
    if told_twice:
        kinds = (Kind.VICTIM, Kind.ADDRESS, Kind.CALLER)
        return _suggest(case, LinkKind.SAME_INCIDENT, [found[k] for k in kinds if k in found], found)
    people = [found[Kind.VICTIM]] if Kind.VICTIM in found else []
    if Kind.ADDRESS in found and not names_clash(mine, case.profile):
        people.append(found[Kind.ADDRESS])
    by_victim = _suggest(case, LinkKind.SAME_VICTIM, people, found)
    if by_victim is not None:
        return by_victim
    return _suggest(
        case, LinkKind.SAME_SUSPECT, [found[Kind.SUSPECT]] if Kind.SUSPECT in found else [], found
    )


def _suggest(
    case: Earlier, kind: LinkKind, resting_on: Sequence[Match], found: Mapping[Kind, Match]
) -> SuggestedLink | None:
    sure = max((m.confidence for m in resting_on), default=0.0)
    if sure < SUGGEST_AT:
        return None
    reasons = [reason for match in resting_on for reason in match.reasons]
    if (suspect := found.get(Kind.SUSPECT)) is not None and suspect.confidence >= SUGGEST_AT:
        reasons += suspect.reasons
    return SuggestedLink(case.incident_id, case.reference, kind, sure, tuple(dict.fromkeys(reasons))[:5])
