"""What a definition that loads may still lack: what `doctor` says about people, cover and numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from rapid_response.core import rota
from rapid_response.core.definition import Means, Responder, RungAction, ServiceDefinition
from rapid_response.core.vocabulary import ContactRole, Skill
from rapid_response.definition.phones import is_reserved_for_drama
from rapid_response.definition.schema import DatedShift, ServiceFile

LOOK_AHEAD = timedelta(days=7)
_MOST_GAPS = 5


class Weight(StrEnum):
    """What follows from a finding."""

    BROKEN = "broken"
    """The service cannot keep its promise."""
    PLACEHOLDER = "placeholder"
    """Nobody can be reached, once messages go out for real."""
    ADVICE = "advice"
    """Worth a look; the promise does not depend on it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at, as a sentence."""

    weight: Weight
    text: str


def problems(service: ServiceFile, at: datetime, zone: ZoneInfo) -> list[str]:
    """The sentences of :func:`findings`, the weightiest first."""
    return [finding.text for finding in findings(service, at, zone)]


def findings(service: ServiceFile, at: datetime, zone: ZoneInfo) -> list[Finding]:
    """All there is to say about the service, `at` and in the seven days after, weightiest first."""
    definition = service.to_definition(0, zone)
    found = [
        *_cover(definition, at),
        *_hearers(definition, at),
        *_stand_by(definition, at),
        *_placeholders(definition),
        *_ladder(definition),
        *_idle(definition),
        *_off_for_nothing(service, zone),
        *_calendar(definition, at),
    ]
    return sorted(found, key=lambda finding: list(Weight).index(finding.weight))


# ---------------------------------------------------------------- is somebody there


def _cover(definition: ServiceDefinition, at: datetime) -> Iterator[Finding]:
    end = at + LOOK_AHEAD
    for skill in Skill:
        gaps = rota.gaps(definition, skill, at, end)
        if gaps and gaps == rota.open_between(definition.sla, definition.zone, at, end):
            yield Finding(
                Weight.BROKEN, f"Nobody with the skill {skill} is on the rota in the next seven days."
            )
            continue
        for start, stop in gaps[:_MOST_GAPS]:
            when = f"from {_local(start, definition)} to {_local(stop, definition)}"
            yield Finding(Weight.BROKEN, f"Nobody with the skill {skill} is on duty {when}.")
        if len(gaps) > _MOST_GAPS:
            more = len(gaps) - _MOST_GAPS
            yield Finding(Weight.BROKEN, f"… and {more} more gaps for {skill} in the next seven days.")


def _stand_by(definition: ServiceDefinition, at: datetime) -> Iterator[Finding]:
    if not definition.on_call:
        has_gaps = any(rota.gaps(definition, skill, at, at + LOOK_AHEAD) for skill in Skill)
        weight = Weight.BROKEN if has_gaps else Weight.ADVICE
        yield Finding(weight, "on_call is empty: when nobody on the rota is left, nobody can be asked.")
    for name in definition.on_call:
        responder = definition.responder(name)
        if responder and not responder.skills:
            yield Finding(Weight.BROKEN, f"on_call names {name}, who has no skills and so is never asked.")


# ---------------------------------------------------------------- does somebody hear


def _hearers(definition: ServiceDefinition, at: datetime) -> Iterator[Finding]:
    for role, (weight, why) in _told(definition).items():
        if role in definition.contacts:
            continue
        if not any(role in responder.roles for responder in definition.responders):
            lacks = f"There is no {_spoken(role)} contact: {why}."
        elif not rota.holders(definition, role, at):
            lacks = f"No {_spoken(role)} is on duty now, and there is no contact for that case: {why}."
        else:
            weight = Weight.ADVICE
            lacks = f"When no {_spoken(role)} is on duty, there is no contact: {why}."
        yield Finding(weight, f"{lacks} Add contacts.{role}.")
    for rung in definition.escalation:
        number = definition.contacts.get(ContactRole(rung.to)) if rung.action is RungAction.NOTIFY else None
        if number and rung.by == (Means.SMS,) and number.startswith("+44") and not number.startswith("+447"):
            text = (
                f"contacts.{rung.to} is a landline, but its notice goes by text only. Add voice to its “by”."
            )
            yield Finding(Weight.BROKEN, text)


def _told(definition: ServiceDefinition) -> dict[ContactRole, tuple[Weight, str]]:
    """Who has to hear, and of what. Warnings go to duty officer and team leader, whatever the ladder."""
    told = {
        ContactRole.DUTY_OFFICER: (Weight.BROKEN, "warnings and jobs that nobody has taken go there"),
        ContactRole.TEAM_LEADER: (Weight.BROKEN, "the last warning before a breach goes there"),
        ContactRole.HATE_CRIME_LEAD: (Weight.ADVICE, "reports that may be a hate crime go there"),
    }
    for rung in definition.escalation:
        if rung.action is RungAction.NOTIFY:
            told.setdefault(ContactRole(rung.to), (Weight.BROKEN, "a step of the escalation goes there"))
    for role in definition.lone_worker.then if definition.lone_worker else ():
        told.setdefault(role, (Weight.BROKEN, "missed check-ins go there"))
    return told


# ---------------------------------------------------------------- numbers


def _placeholders(definition: ServiceDefinition) -> Iterator[Finding]:
    if is_reserved_for_drama(definition.hotline):
        text = (
            f"The hotline {definition.hotline} is a placeholder that nobody can ring. Write the real number."
        )
        yield Finding(Weight.PLACEHOLDER, text)
    made_up = [r.id for r in definition.responders if any(is_reserved_for_drama(n) for n in _numbers(r))]
    if made_up:
        text = f"These responders have made-up numbers (Ofcom keeps them for films): {', '.join(made_up)}."
        yield Finding(Weight.PLACEHOLDER, text)
    roles = [role for role, number in definition.contacts.items() if is_reserved_for_drama(number)]
    if roles:
        yield Finding(Weight.PLACEHOLDER, f"These contacts have made-up numbers: {', '.join(roles)}.")
    for responder in definition.responders:
        if definition.hotline in _numbers(responder):
            text = f"{responder.id} has the hotline’s own number: offers would go to the hotline itself."
            yield Finding(Weight.BROKEN, text)
        shared = [role for role, number in definition.contacts.items() if number in _numbers(responder)]
        if shared and responder.skills:
            text = f"contacts.{shared[0]} is also {responder.id}’s number: an OK from it can mean either."
            yield Finding(Weight.ADVICE, text)
        if responder.sms is None and responder.skills:
            yield Finding(Weight.ADVICE, f"{responder.id} has no sms number: offers go by voice only.")


def _numbers(responder: Responder) -> Sequence[str]:
    return responder.numbers


# ---------------------------------------------------------------- what looks like an oversight


def _ladder(definition: ServiceDefinition) -> Iterator[Finding]:
    policy, first = definition.sla, definition.escalation[0]
    if first.action is not RungAction.OFFER or first.after:
        text = "The first step of the escalation is not an offer after PT0M: the first offer waits."
        yield Finding(Weight.ADVICE, text)
    if definition.escalation[-1].after >= policy.respond_within:
        text = "The last step of the escalation comes when sla.respond_within has already passed."
        yield Finding(Weight.ADVICE, text)
    if policy.accept_within >= policy.respond_within:
        yield Finding(Weight.ADVICE, "sla.accept_within is not shorter than sla.respond_within.")
    if not policy.warn_at:
        yield Finding(Weight.ADVICE, "sla.warn_at is empty: nobody is warned before a breach.")


def _idle(definition: ServiceDefinition) -> Iterator[Finding]:
    rostered = {line.responder for line in definition.rota} | set(definition.on_call)
    for responder in definition.responders:
        if not responder.skills and not responder.roles:
            text = f"{responder.id} has neither skills nor roles, and so is never asked or told."
            yield Finding(Weight.ADVICE, text)
        elif responder.id not in rostered:
            yield Finding(Weight.ADVICE, f"{responder.id} is neither on the rota nor on call.")


def _off_for_nothing(service: ServiceFile, zone: ZoneInfo) -> Iterator[Finding]:
    """A date mistyped in an `off` line leaves somebody on the rota who will not be there."""
    without = service.model_copy(update={"rota": tuple(s for s in service.rota if not _is_off(s))})
    definition = without.to_definition(0, zone)
    for shift in service.rota:
        if isinstance(shift, DatedShift) and shift.off:
            start, end = (moment.replace(tzinfo=zone) for moment in (shift.starts, shift.ends))
            shifts = rota.shifts_between(definition, start, end)
            if not any(s.responder == shift.responder for s in shifts):
                when = f"{shift.starts:%d %B %Y %H:%M}"
                text = f"{shift.responder} is taken off at {when}, when they have no shift. Check the date."
                yield Finding(Weight.ADVICE, text)


def _is_off(shift: object) -> bool:
    return isinstance(shift, DatedShift) and shift.off


def _calendar(definition: ServiceDefinition, at: datetime) -> Iterator[Finding]:
    today = at.astimezone(definition.zone).date()
    if not any(day >= today for day in definition.sla.holidays):
        text = "sla.holidays has no day to come. Add the bank holidays of this year and the next."
        yield Finding(Weight.ADVICE, text)


def _local(at: datetime, definition: ServiceDefinition) -> str:
    return at.astimezone(definition.zone).strftime("%a %d %b %H:%M")


def _spoken(role: ContactRole) -> str:
    return role.value.replace("_", " ")
