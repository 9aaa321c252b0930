"""What surrounds a case on its page: other incidents, what was put right, who may be told what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rapid_response.access.permissions import Permission, may, may_act
from rapid_response.console.forms.correcting import WAS
from rapid_response.console.forms.handler import local_minute
from rapid_response.console.forms.posted import NO, UNKNOWN, YES, Filled
from rapid_response.console.forms.public import CALLER_ROLES
from rapid_response.console.moments import at_words
from rapid_response.console.timeline import pounds
from rapid_response.console.views.case_parts import CorrectionPart, LinkPart, ToldPart
from rapid_response.console.words import field_words, plain
from rapid_response.core.facts import BOOLEAN_FACTS, TIME_FACTS, Facts
from rapid_response.core.incident import Action
from rapid_response.core.safe_contact import MEANS, MayBeTold, may_be_told
from rapid_response.core.vocabulary import Link
from rapid_response.intake.matching.judging import LinkKind
from rapid_response.steps import corrections
from rapid_response.steps.case import facts_of
from rapid_response.steps.knowing import DUPLICATED_BY, SUGGESTED, ShownLink
from rapid_response.storage.tables import IncidentRow, ReportRow

if TYPE_CHECKING:
    from rapid_response.console.filling import Looking

# --- other incidents --------------------------------------------------------------------------------------

_SUGGESTED: Mapping[str, str] = {
    LinkKind.SAME_INCIDENT: "May be the same incident as",
    LinkKind.SAME_VICTIM: "May be about the same person as",
    LinkKind.SAME_SUSPECT: "May be the same suspect as in",
}
_SAID: Mapping[str, str] = {
    Link.DUPLICATE_OF: "Joined to",
    DUPLICATED_BY: "Joined to this one:",
    Link.SAME_SUSPECT: "The same suspect as in",
    Link.RELATED: "Related to",
}
#: What a person says who confirms a suggestion.
_CONFIRMED_AS: Mapping[str, Link] = {
    LinkKind.SAME_INCIDENT: Link.DUPLICATE_OF,
    LinkKind.SAME_VICTIM: Link.RELATED,
    LinkKind.SAME_SUSPECT: Link.SAME_SUSPECT,
}


def links(looking: Looking) -> tuple[LinkPart, ...]:
    """The other incidents that the viewer may know of, each with what she may decide."""
    return tuple(_link(link, looking) for link in looking.case.links if _may_see(link, looking))


def _may_see(link: ShownLink, looking: Looking) -> bool:
    """A suspect across incidents is for those who may see that; what a person said stands for all."""
    is_suspicion = link.state == SUGGESTED and link.kind == LinkKind.SAME_SUSPECT
    return not is_suspicion or may(looking.principal, Permission.SUSPECT_HISTORY)


def _link(link: ShownLink, looking: Looking) -> LinkPart:
    mine = looking.case.incident.reference
    shown = LinkPart(
        words=(_SUGGESTED if link.state == SUGGESTED else _SAID).get(link.kind, plain(link.kind)),
        reference=link.reference,
        is_suggested=link.state == SUGGESTED,
        reasons=tuple(link.reasons),
        decided_by=looking.names.actor(link.decided_by) if link.decided_by else "",
        decided_at=link.decided_at,
        reason=link.reason or "",
    )
    if link.state != SUGGESTED:
        return shown
    confirmed = _CONFIRMED_AS[link.kind]
    # Of one incident told twice the first stays, and the newer one is joined to it.
    turned = confirmed is Link.DUPLICATE_OF and not link.other_was_first
    older_is_over = not (link.other_is_open if link.other_was_first else looking.case.incident.is_open)
    newer_is_open = looking.case.incident.is_open if link.other_was_first else link.other_is_open
    begins_again = older_is_over and newer_is_open and link.kind != LinkKind.SAME_SUSPECT
    older, newer = (link.reference, mine) if link.other_was_first else (mine, link.reference)
    may_join = confirmed is not Link.DUPLICATE_OF or (newer_is_open and not older_is_over)
    return LinkPart(
        **{name: getattr(shown, name) for name in _SHOWN},
        confirm_as=confirmed.value if may_join else "",
        confirm_on=link.reference if turned else mine,
        confirm_to=mine if turned else link.reference,
        reopens=older if begins_again else "",
        reopens_with=newer if begins_again else "",
        may_decide=Action.LINK in looking.actions,
        may_reopen=may_act(looking.principal, Action.REOPEN),
    )


_SHOWN = ("words", "reference", "is_suggested", "reasons", "decided_by", "decided_at", "reason")


def series(looking: Looking) -> tuple[str, ...]:
    """The references of the series, without this one's own."""
    mine = looking.case.incident.reference
    return tuple(reference for reference in looking.case.series if reference != mine)


def stricter_elsewhere(looking: Looking) -> tuple[str, ...]:
    """The linked incidents of the same people that close a way which was open here."""
    own = looking.case.incident.safe_contact
    return tuple(
        link.reference
        for link in looking.case.links
        if link.is_of_the_same_people
        and link.other_safe_contact
        and any(own.get(way) is True and link.other_safe_contact.get(way) is not True for way in MEANS)
    )


# --- what was put right -----------------------------------------------------------------------------------

_HOW = {corrections.JOINED: "from a joined report", corrections.NEW_EPISODE: "as the new report tells it"}


def corrected(looking: Looking, now: datetime) -> tuple[CorrectionPart, ...]:
    """The corrections in words, newest first."""
    return tuple(
        CorrectionPart(
            words=field_words(c.field),
            old=shown_value(c.field, c.old, looking.zone, now),
            new=shown_value(c.field, c.new, looking.zone, now),
            at=c.at,
            by=looking.names.actor(c.actor),
            reason=c.reason or "",
            how=_HOW.get(c.source, ""),
        )
        for c in reversed(looking.case.corrections)
    )


def shown_value(field: str, value: Any, zone: ZoneInfo, now: datetime) -> str:
    """A value that was put right, in words; empty where nothing is known."""
    name = field.rpartition(".")[2]
    match value:
        case None:
            return ""
        case bool():
            return "Yes" if value else "No"
        case list():
            return ", ".join(str(one) for one in value)
        case int() | float() if name == "amount_gbp":
            return pounds(round(value * 100))
        case str() if name in TIME_FACTS:
            return at_words(datetime.fromisoformat(value), now, zone)
        case str() if field == "caller.role":
            return dict(CALLER_ROLES).get(value) or plain(value)
        case str() if field == "answers.payment_method":
            return plain(value)
        case _:
            return str(value)


# --- the form to put it right -----------------------------------------------------------------------------

_PLAIN = (
    *("location.address", "location.postcode"),
    *("victim.name", "victim.phone", "victim.age", "safe_contact.note"),
    *("suspect.name", "suspect.company", "suspect.phone", "suspect.vehicle_registration"),
    *("suspect.website", "suspect.description"),
)
#: The boxes of what is safe.
SAFE = "safe"
_CALLER = ("name", "phone", "email", "role")


def amend_form(looking: Looking) -> Filled:
    """The form to correct what is known, as the page shows it first."""
    return _with_what_was(values_of(looking.case.incident, looking.zone))


def values_of(incident: IncidentRow, zone: ZoneInfo) -> dict[str, tuple[str, ...]]:
    """What is known of a case, as that form holds it."""
    values: dict[str, tuple[str, ...]] = {}
    for path in _PLAIN:
        part, name = path.split(".")
        values[path] = (_typed(getattr(incident, part).get(name)),)
    values["location.ward"] = (incident.ward or "",)
    values |= {f"answers.{name}": (said,) for name, said in _answers(facts_of(incident), zone)}
    safe = incident.safe_contact
    values[SAFE] = tuple(way for way in MEANS if safe.get(way) is True)
    return values


def amend_caller_form(report: ReportRow, caller: Mapping[str, Any]) -> Filled:
    """The form to correct who made a report."""
    return _with_what_was(caller_values(caller) | {"report": (report.id,)})


def caller_values(caller: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What is known of a caller, as that form holds it."""
    return {f"caller.{name}": (_typed(caller.get(name)),) for name in _CALLER}


def _with_what_was(values: Mapping[str, tuple[str, ...]]) -> Filled:
    return Filled({**values, **{WAS + name: given for name, given in values.items()}})


def _typed(value: object) -> str:
    return "" if value is None else str(value)


def _answers(facts: Facts, zone: ZoneInfo) -> list[tuple[str, str]]:
    said = {True: YES, False: NO, None: UNKNOWN}
    answers = [(name, said[getattr(facts, name)]) for name in BOOLEAN_FACTS]
    for name in TIME_FACTS:
        at: datetime | None = getattr(facts, name)
        typed = local_minute(at.astimezone(zone)).isoformat(timespec="minutes") if at else ""
        answers.append((name, typed))
    amount = facts.amount_pence
    answers.append(("amount_gbp", "" if amount is None else f"{amount / 100:.2f}".removesuffix(".00")))
    answers.append(("payment_method", facts.payment_method or ""))
    return answers


# --- who may be told what ---------------------------------------------------------------------------------


def told(looking: Looking) -> tuple[ToldPart, ...]:
    """Everybody who has called about it, and whoever else may ask (scenario 51)."""
    found = []
    for report in looking.case.reports:
        caller = looking.case.caller(report)
        role = str(caller.get("role", ""))
        who = str(caller.get("name") or "A caller who gave no name")
        known_as = dict(CALLER_ROLES).get(role) or plain(role)
        found.append(ToldPart(f"{who} ({known_as.lower()})" if known_as else who, may_be_told(role)))
    if all(part.may_be_told is not MayBeTold.OWN_CASE for part in found):
        found.append(ToldPart("The person whom it happened to", MayBeTold.OWN_CASE))
    found.append(ToldPart("Anybody else who asks, family too", MayBeTold.RECEIPT_ONLY))
    return tuple(dict.fromkeys(found))
