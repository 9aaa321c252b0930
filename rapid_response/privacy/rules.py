"""How long a case is kept with its people, and when opening it needs a reason.

Source: domain.md 6 (retention proposal, access and audit) and reliability.md S10, T5. The periods are the
council's own (core/definition.py has the proposal); nothing is deleted before somebody has switched that on.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

from rapid_response.core.definition import Retention
from rapid_response.core.vocabulary import (
    Disposition,
    Priority,
    RetentionClass,
    Role,
    Safeguarding,
    ViewReason,
)


def retention_class(
    disposition: Disposition | None,
    priority: Priority,
    safeguarding: Safeguarding | None,
    referred_to_care: bool = False,
) -> RetentionClass:
    """Which class an ended case belongs to; what social care knows of is never among the shorter ones."""
    if referred_to_care or safeguarding in (Safeguarding.REFERRED, Safeguarding.ALREADY_KNOWN):
        return RetentionClass.SAFEGUARDING
    match disposition:
        case Disposition.HOAX_OR_TEST:
            return RetentionClass.HOAX
        case Disposition.NO_OFFENCE_CONSUMER_DISPUTE | Disposition.OUT_OF_SCOPE:
            return RetentionClass.NO_OFFENCE
    if priority is Priority.P4:
        return RetentionClass.NO_OFFENCE
    return RetentionClass.ADVICE_ONLY if disposition is Disposition.ADVICE_ONLY else RetentionClass.INCIDENT


def months_later(moment: datetime, months: int) -> datetime:
    """The same day so many months on; the last of a month that has no such day."""
    count = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(count, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def due_at(kind: RetentionClass, ended_at: datetime, kept: Retention) -> datetime:
    """When its people are to be gone."""
    return months_later(ended_at, kept.cases[kind])


def ended_by(kind: RetentionClass, now: datetime, kept: Retention) -> datetime:
    """No case of a class that ended later can be due; up to three days before it :func:`due_at` decides.

    Months differ in length: from 31 August back six months is 28 February, from where they end on the 28th.
    """
    return months_later(now, -kept.cases[kind]) + timedelta(days=3)


# --- whose case it is -------------------------------------------------------------------------------------

#: A reason, once given, holds for one working day.
REASON_HOLDS = timedelta(hours=8)
#: Whose work every open case is: whoever sits at the desk must never be kept from it.
_DESK = frozenset({Role.HANDLER, Role.DUTY_OFFICER, Role.TEAM_LEADER, Role.HEAD_OF_SERVICE})
#: Whose own looking a team leader cannot supervise.
_LEADERS = frozenset({Role.TEAM_LEADER, Role.HEAD_OF_SERVICE})


@dataclass(frozen=True, slots=True)
class Nearness:
    """What somebody has to do with a case."""

    is_open: bool
    #: A task of it is still owed by somebody of the desk, or it may belong to a case that is open.
    is_owed: bool
    #: She has done something to it, had it on her screen when it ended, or it was hers.
    has_acted: bool
    #: It waits for, or went through, a review of targeting.
    is_reviewed: bool


def needs_reason(role: Role | None, near: Nearness) -> bool:
    """Whether she is asked why she opens it: it is neither hers, nor the desk's work, nor hers to review."""
    if near.has_acted:
        return False
    if role in _DESK:
        return not (near.is_open or near.is_owed)
    return not (role is Role.HATE_CRIME_LEAD and near.is_reviewed)


def is_leader(role: Role | None) -> bool:
    """Whether the next one up is the head of service."""
    return role in _LEADERS


def is_enough(reason: ViewReason, words: str | None) -> bool:
    """Another reason than the list's has to be said."""
    return reason is not ViewReason.OTHER or bool(words and words.strip())
