"""What a job looks like from outside, in the few words that a text may hold."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from rapid_response.core.facts import Facts, may_be_there
from rapid_response.core.vocabulary import Category
from rapid_response.messaging.gsm7 import ONE_SEGMENT, normalise, septets

SERVICE = "TS duty"
REPEAT = "Repeat: "
AREA_LIMIT = 18
SITUATION_LIMIT = 24
UNKNOWN_AREA = "area not known"
SEEN = "Seen? Text OK and the job number."
JOINT = "joint, do not enter alone"
SIGN_IN = " Sign in for details."
# More never fit: these bound the search for how many do.
MOST_LISTED, MOST_NUMBERED = 8, 16
# Room for the mark of a repeat is kept in every text.
WITH_ROOM = ONE_SEGMENT - len(REPEAT)


@dataclass(frozen=True, slots=True)
class Job:
    """What a text may say about a job; `by` is when somebody is needed there, None where nothing runs."""

    number: int
    situation: str
    area: str
    by: datetime | None
    urgent: bool = False
    joint: bool = False


class StoodDown(StrEnum):
    """Why a job is no longer somebody's."""

    PASSED_ON = "passed on"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    JOINED = "joined to another job"
    TRANSFERRED = "handed over"


#: Stands for no fact of its own, but for :func:`~rapid_response.core.facts.may_be_there`.
_MAY_BE_THERE = "may_be_there"
# The first that holds is said. No health, no vulnerability, no bank or payment fact (delivery.md 10): the
# situation says what awaits the responder, not what befell the victim. Trader for a doorstep caller, suspect
# for anybody else.
_SITUATIONS: tuple[tuple[str, str, str], ...] = (
    ("threat_or_fear", "threats made", "threats made"),
    ("refuses_to_leave", "trader will not leave", "suspect will not leave"),
    ("being_taken_to_bank", "trader with victim now", "suspect with victim now"),
    ("suspect_on_premises", "trader still at door", "suspect at the address"),
    ("line_went_dead", "call cut off", "call cut off"),
    ("courier_expected", "collector expected", "courier expected"),
    ("suspect_returning", "trader coming back", "suspect coming back"),
    (_MAY_BE_THERE, "trader may be there", "suspect may be there"),
    ("suspect_just_left", "trader has just left", "suspect has just left"),
    ("remote_access_on", "scam live on a device", "scam live on a device"),
    ("on_phone_with_suspect", "scam call going on", "scam call going on"),
    ("distress_or_self_harm", "visit needed at once", "visit needed at once"),
    ("payment_pending", "loss can be prevented", "loss can be prevented"),
    ("property_taken", "theft reported", "theft reported"),
    ("paid_within_24h", "recent doorstep crime", "recent scam"),
    ("urgent_visit_requested", "partner asks for visit", "partner asks for visit"),
)
_DEFAULTS = {
    Category.DOORSTEP_CRIME: "doorstep crime report",
    Category.SCAM: "scam report",
    Category.OTHER: "report to check",
}
SITUATIONS = tuple(dict.fromkeys([*(p for _, a, b in _SITUATIONS for p in (a, b)), *_DEFAULTS.values()]))
_POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?) ?(?:([0-9])(?:[A-Z]{2})?)?")
_AREA = re.compile(r"[A-Za-z0-9 &'.,\-]+")


def situation(facts: Facts, category: Category) -> str:
    """The one phrase of the fixed list that says most about what awaits the responder."""
    doorstep = category is Category.DOORSTEP_CRIME
    for name, trader, suspect in _SITUATIONS:
        if may_be_there(facts) if name == _MAY_BE_THERE else getattr(facts, name):
            return trader if doorstep else suspect
    return _DEFAULTS[category]


def area(postcode: str | None, ward: str | None, *, wards: Collection[str] = ()) -> str:
    """Where, no finer than a postcode sector: `BR1 3`, or the outward code, or the ward, or not known.

    A unit postcode may be a dozen homes; the sector is enough to plan a trip. A ward comes from a form, where
    anything may be written, so only one of the service's own `wards` is ever said.
    """
    if postcode and (found := _POSTCODE.fullmatch(_tidy_postcode(postcode))):
        outward, sector = found.groups()
        return f"{outward} {sector}" if sector else outward
    known = {name.casefold(): name for name in wards}.get(ward.strip().casefold()) if ward else None
    return _shortened(normalise(known)) if known else UNKNOWN_AREA


def _tidy_postcode(postcode: str) -> str:
    joined = re.sub(r"[^A-Z0-9]", "", normalise(postcode).upper())
    # The inward part is always three long, so a whole postcode can be told apart without its space.
    return f"{joined[:-3]} {joined[-3:]}" if len(joined) >= 5 else normalise(postcode).upper().strip()


def _shortened(name: str) -> str:
    """As many whole words as fit: `Bromley Common & Holwood` becomes `Bromley Common`."""
    if len(name) <= AREA_LIMIT:
        return name
    words = name.split()
    while words and (len(" ".join(words)) > AREA_LIMIT or not words[-1][-1].isalpha() or words[-1] == "and"):
        words.pop()
    return " ".join(words) or name[: AREA_LIMIT - 1] + "."


def local_time(at: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """`15:10`; with the weekday when `now` is half a day off, with the zone in the hour that comes twice."""
    local = at.astimezone(zone)
    text = f"{local:%H:%M}"
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        text += f" {local:%Z}"
    if now is not None and abs(at - now) >= timedelta(hours=12):
        text = f"{local:%a} {text}"
    return text


def is_past(job: Job, now: datetime | None) -> bool:
    """Whether the moment by which somebody is needed there is over."""
    return job.by is not None and now is not None and now > job.by


def on_scene(job: Job, zone: ZoneInfo, now: datetime | None = None) -> tuple[str, str]:
    """By when somebody is needed there, as a sentence and in few words; since when, if that is past."""
    if job.by is None:
        return "", ""
    by = local_time(job.by, zone, now)
    if is_past(job, now):
        return f" On scene as soon as you can, overdue since {by}.", f" overdue {by}"
    return f" On scene by {by}.", f", by {by}"


def safe_situation(job: Job) -> str:
    # The last door: whatever a caller of this module passes, only the fixed list is ever said.
    return job.situation if job.situation in SITUATIONS else _DEFAULTS[Category.OTHER]


def safe_area(job: Job) -> str:
    return job.area if len(job.area) <= AREA_LIMIT and _AREA.fullmatch(job.area) else UNKNOWN_AREA


def area_sentence(job: Job) -> str:
    area = safe_area(job)
    return "Area not known" if area == UNKNOWN_AREA else f"Area {area}"


def about(job: Job) -> str:
    return f"{SERVICE}: job {job.number}, {safe_situation(job)}, {safe_area(job)}"


def first_that_fits(*variants: str, within: int = WITH_ROOM) -> str:
    """The fullest wording that fits; the last one always does (a property test says so)."""
    return next((v for v in map(normalise, variants) if septets(v) <= within), normalise(variants[-1]))
