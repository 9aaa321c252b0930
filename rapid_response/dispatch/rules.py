"""Who is asked, and who is told (design.md 5, domain.md 4): pure choices that carry their reasons.

Being free ranks and never filters: a busy responder comes later, not never. What filters is the skill, being
on duty or on call, and having been asked already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from rapid_response.core.definition import Means, Responder
from rapid_response.core.numbers import is_uk_mobile
from rapid_response.core.vocabulary import Category, ContactRole, Priority, Skill

#: What a job in hand and an unanswered offer weigh against distance (bands 0 to 3 of :class:`Area`): anybody
#: free is there sooner than somebody near who must finish first.
HELD_JOB = 4
OPEN_OFFER = 3


@dataclass(frozen=True, slots=True)
class Needs:
    """What an incident asks of a responder; `asked` are the ids not to ask again."""

    category: Category
    ward: str | None
    outward: str | None
    priority: Priority
    joint: bool
    needed_by: datetime | None
    asked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A responder as she stands now. `away` (off by exception) beats duty and call."""

    responder: Responder
    on_duty: bool
    on_call: bool = False
    away: bool = False
    open_offers: int = 0
    held_jobs: int = 0
    last_finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """Ask this responder; `reasons` are codes, fit to be stored: no personal data."""

    responder_id: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NobodyLeft:
    """Nobody is left to ask; `reasons` count why not."""

    reasons: tuple[str, ...] = field(default=())


class Area(StrEnum):
    """How near a responder's patch is: travel bands by ward group, not straight lines (domain.md 4)."""

    WARD = "ward"
    GROUP = "group"
    ALL = "all"
    ELSEWHERE = "elsewhere"


_DISTANCE = {area: distance for distance, area in enumerate(Area)}
_SKILL = {Category.DOORSTEP_CRIME: Skill.DOORSTEP_CRIME, Category.SCAM: Skill.SCAM}


def choose(
    needs: Needs,
    candidates: Sequence[Candidate],
    now: datetime,
    ward_groups: Mapping[str, str] | None = None,
) -> Offer | NobodyLeft:
    """The best of those not asked yet: on duty before on call, then near, free and rested.

    `ward_groups` gives a ward's group, and an outward code's where the ward is not known.
    """
    groups = ward_groups or {}
    eligible = [c for c in candidates if _why_not(needs, c) is None]
    if not eligible:
        return NobodyLeft(_why_nobody(needs, candidates))

    def rank(candidate: Candidate) -> tuple[int, int, float, str]:
        area = _area(needs, candidate.responder, groups)
        cost = _DISTANCE[area] + HELD_JOB * candidate.held_jobs + OPEN_OFFER * candidate.open_offers
        rested = _rest(candidate, now)
        return (0 if candidate.on_duty else 1, cost, -rested.total_seconds(), candidate.responder.id)

    best = min(eligible, key=rank)
    return Offer(best.responder.id, _reasons(needs, best, groups, now, len(eligible)))


def _why_not(needs: Needs, candidate: Candidate) -> str | None:
    """The first thing that rules a candidate out, or None."""
    if not _has_skill(needs.category, candidate.responder):
        return "no_skill"
    if candidate.away:
        return "away"
    if not (candidate.on_duty or candidate.on_call):
        return "off_duty"
    if candidate.responder.id in needs.asked:
        return "asked"
    return None


def _has_skill(category: Category, responder: Responder) -> bool:
    # An `other` report is not yet known to be either; whoever may be sent at all may look.
    wanted = _SKILL.get(category)
    return bool(responder.skills) if wanted is None else wanted in responder.skills


def _why_nobody(needs: Needs, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    found = [_why_not(needs, c) for c in candidates]
    counts = [
        f"{why}:{found.count(why)}" for why in ("asked", "away", "off_duty", "no_skill") if why in found
    ]
    return tuple(counts) or ("no_responders",)


def _area(needs: Needs, responder: Responder, groups: Mapping[str, str]) -> Area:
    if not responder.wards:
        return Area.ALL
    if needs.ward is not None and needs.ward in responder.wards:
        return Area.WARD
    here = groups.get(needs.ward or "") or groups.get(needs.outward or "")
    if here is not None and here in {groups.get(ward) for ward in responder.wards}:
        return Area.GROUP
    # Where we do not know the place, nobody's patch is nearer or farther than another's.
    return Area.ALL if needs.ward is None and here is None else Area.ELSEWHERE


def _rest(candidate: Candidate, now: datetime) -> timedelta:
    """How long since the last job ended; never having had one is the longest rest."""
    last = candidate.last_finished_at
    return timedelta.max if last is None else max(now - last, timedelta())


def _reasons(
    needs: Needs, best: Candidate, groups: Mapping[str, str], now: datetime, of: int
) -> tuple[str, ...]:
    skill = _SKILL.get(needs.category)
    rest = "fresh" if best.last_finished_at is None else f"{int(_rest(best, now).total_seconds() // 60)}min"
    return (
        f"skill:{skill.value if skill else 'any'}",
        "on_duty" if best.on_duty else "on_call",
        f"area:{_area(needs, best.responder, groups).value}",
        f"load:{best.held_jobs + best.open_offers}",
        f"rest:{rest}",
        f"rank:1of{of}",
    )


def in_turn(needs: Needs, candidates: Sequence[Candidate], now: datetime) -> tuple[Offer, ...]:
    """Everybody who would be asked, in the order in which they would be, if each said no."""
    found: list[Offer] = []
    asked = needs.asked
    while isinstance(choice := choose(replace(needs, asked=asked), candidates, now), Offer):
        found.append(choice)
        asked |= {choice.responder_id}
    return tuple(found)


def left_out(needs: Needs, candidates: Sequence[Candidate]) -> tuple[tuple[str, str], ...]:
    """Who would not be asked at all, and the first reason why."""
    reasons = ((c.responder.id, _why_not(needs, c)) for c in candidates)
    return tuple((responder, why) for responder, why in reasons if why is not None)


# --- in plain English ---------------------------------------------------------------------------------

_SAID = {
    "skill:doorstep_crime": "has the skill for doorstep crime",
    "skill:scam": "has the skill for scams",
    "skill:any": "has a skill that fits",
    "on_duty": "on duty",
    "on_call": "on call, nobody on duty was left to ask",
    "area:ward": "covers this ward",
    "area:group": "covers a ward nearby",
    "area:all": "covers the whole area",
    "area:elsewhere": "usually covers other wards",
    "load:0": "no other job or open offer",
    "load:1": "1 other job or open offer",
    "rest:fresh": "no job finished lately",
    "rank:1of1": "the only one left to ask",
    "assigned_by_desk": "assigned by the desk",
    "no_responders": "the service has no responders",
}
_COUNTED = {
    "load": "{} other jobs or open offers",
    "rest": "last job finished {} ago",
    "rank": "best of {}",
    "asked": "{} asked already",
    "away": "{} away",
    "off_duty": "{} off duty",
    "no_skill": "{} without the skill",
}


def explain(reasons: Sequence[str]) -> str:
    """The reasons as one sentence for the desk; a code of another version is shown as it is."""
    said = "; ".join(_said(reason) for reason in reasons)
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def _said(reason: str) -> str:
    if reason in _SAID:
        return _SAID[reason]
    kind, _, value = reason.partition(":")
    value = value.removeprefix("1of").replace("min", " min")
    return _COUNTED[kind].format(value) if kind in _COUNTED and value else reason.replace("_", " ")


# --- who is told --------------------------------------------------------------------------------------

_CLIMB = (ContactRole.DUTY_OFFICER, ContactRole.TEAM_LEADER, ContactRole.HEAD_OF_SERVICE, ContactRole.DESK)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who hears a notice: `responder:dee` or `contact:duty_officer`, and her numbers."""

    id: str
    sms: str | None
    voice: str | None


def who_hears(
    role: ContactRole, holders: Sequence[Responder], contacts: Mapping[ContactRole, str]
) -> tuple[Recipient, ...]:
    """Everybody on the rota who holds the role, else the role's contact, else the next role's up the ladder.

    Empty only when there is nobody at all: a notice that nobody hears is none.
    """
    on_rota = tuple(
        Recipient(f"responder:{r.id}", r.sms, r.voice or r.sms) for r in holders if r.sms or r.voice
    )
    if on_rota:
        return on_rota
    for rung in _upward_from(role):
        number = contacts.get(rung)
        if number:
            return (Recipient(f"contact:{rung.value}", number if is_uk_mobile(number) else None, number),)
    return ()


def all_told(before: Sequence[Recipient], now: Sequence[Recipient]) -> tuple[Recipient, ...]:
    """Everybody whose word counts: who was told before, and who is told now, at the numbers of now."""
    return tuple({r.id: r for r in (*before, *now)}.values())


def _upward_from(role: ContactRole) -> tuple[ContactRole, ...]:
    """The role, those above it, and at last those below it and beside the ladder."""
    above = _CLIMB[_CLIMB.index(role) + 1 :] if role in _CLIMB else _CLIMB
    return tuple(dict.fromkeys((role, *above, *_CLIMB, *ContactRole)))


def ways(recipient: Recipient, by: Sequence[Means]) -> tuple[tuple[Means, str], ...]:
    """How a notice reaches a recipient: by the means asked for, else by whatever number there is.

    A duty officer with only a landline hears by voice what was meant as a text.
    """
    numbers = {Means.SMS: recipient.sms, Means.VOICE: recipient.voice}
    wanted = [(means, number) for means in dict.fromkeys(by) if (number := numbers[means])]
    if not wanted:
        wanted = [(means, number) for means in Means if (number := numbers[means])][:1]
    return tuple(wanted)
