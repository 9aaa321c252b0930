"""Every sentence that leaves the service for a responder or a contact, sent or spoken.

A text is unencrypted, shown on locked screens, kept by carriers and sometimes misdelivered (delivery.md 10).
So it holds a job number, a situation from a fixed list, an area no finer than a postcode sector and a local
time: never a person, a street, a vehicle, an amount or anybody's own words. It fits one GSM-7 segment over
the longest legal values, its repeat included.

Only offers and their repeats and reminders contain `OK` followed by digits (design.md 5): everything else
says "OK and the job number", so that a reply copied from a list or a notice can accept nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from rapid_response.core.facts import Facts
from rapid_response.core.vocabulary import Category, ShortDisposition, Skill
from rapid_response.messaging.gsm7 import ONE_SEGMENT, normalise, septets

SERVICE = "TS duty"
REPEAT = "Repeat: "
AREA_LIMIT = 18
SITUATION_LIMIT = 24
UNKNOWN_AREA = "area not known"

_SEEN = "Seen? Text OK and the job number."
_JOINT = "joint, do not enter alone"
_SIGN_IN = " Sign in for details."
# More never fit: these bound the search for how many do.
_MOST_LISTED, _MOST_NUMBERED = 8, 16
# Room for the mark of a repeat is kept in every text.
_WITH_ROOM = ONE_SEGMENT - len(REPEAT)


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


# --- what a job looks like from outside ---------------------------------------------------------------

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
        if getattr(facts, name):
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


def _safe_situation(job: Job) -> str:
    # The last door: whatever a caller of this module passes, only the fixed list is ever said.
    return job.situation if job.situation in SITUATIONS else _DEFAULTS[Category.OTHER]


def _safe_area(job: Job) -> str:
    return job.area if len(job.area) <= AREA_LIMIT and _AREA.fullmatch(job.area) else UNKNOWN_AREA


def _area_sentence(job: Job) -> str:
    area = _safe_area(job)
    return "Area not known" if area == UNKNOWN_AREA else f"Area {area}"


def _about(job: Job) -> str:
    return f"{SERVICE}: job {job.number}, {_safe_situation(job)}, {_safe_area(job)}"


def _first_that_fits(*variants: str, within: int = _WITH_ROOM) -> str:
    """The fullest wording that fits; the last one always does (a property test says so)."""
    return next((v for v in map(normalise, variants) if septets(v) <= within), normalise(variants[-1]))


# --- to a responder -----------------------------------------------------------------------------------


def offer(
    job: Job,
    zone: ZoneInfo,
    *,
    repeat: bool = False,
    link_base: str | None = None,
    now: datetime | None = None,
) -> str:
    """The question: will you go? With `link_base` (BASE_URL) the job's page is named where it still fits."""
    urgent = ", urgent" if job.urgent else ""
    joint = f", {_JOINT}" if job.joint else ""
    what = f"{SERVICE}: job {job.number}{urgent}, {_safe_situation(job)}{joint}"
    by = local_time(job.by, zone, now) if job.by else ""
    reply = f"Reply OK {job.number} or NO {job.number}."
    on_scene, short_by = (f" On scene by {by}.", f", by {by}") if by else ("", "")
    full = f"{what}. {_area_sentence(job)}.{on_scene} {reply}"
    compact = f"{what}, {_safe_area(job)}{short_by}. {reply}"
    core = _first_that_fits(full, compact)
    link = _link(job.number, link_base)
    text = _first_that_fits(
        *((core + link, compact + link) if link else ()), core + _SIGN_IN, core, within=_room(repeat)
    )
    return (REPEAT if repeat else "") + text


def _link(number: int, link_base: str | None) -> str:
    """Where the job's page is: no secret in it, it asks for sign-in (contract.md 2, SMS_LINKS)."""
    return f" Details: {link_base.rstrip('/')}/j/{number}" if link_base else ""


def _room(repeat: bool) -> int:
    return _WITH_ROOM if repeat else ONE_SEGMENT


def reminder(number: int, minutes_left: int) -> str:
    """No answer yet: how long the offer still waits for one."""
    left = f"{minutes_left} min left" if minutes_left >= 1 else "last minute"
    if minutes_left > 600:
        left = "please answer"
    return f"Job {number}: no reply yet, {left}. Reply OK {number} or NO {number}."


def confirm(job: Job, zone: ZoneInfo, now: datetime | None = None) -> str:
    """It is yours: what to text next."""
    by = f" On scene by {local_time(job.by, zone, now)}." if job.by else ""
    n = job.number
    return _first_that_fits(
        f"Job {n} is yours.{by} Text GO {n} when you set off, HERE {n} on arrival, DONE {n} and the outcome "
        "code at the end."
    )


def assigned(job: Job, zone: ZoneInfo, now: datetime | None = None) -> str:
    """The desk gave it to you: no question, but a way to give it back."""
    by = local_time(job.by, zone, now) if job.by else ""
    joint = f", {_JOINT}" if job.joint else ""
    what = f"{SERVICE}: job {job.number} is now yours: {_safe_situation(job)}{joint}"
    on_scene, short_by = (f" On scene by {by}.", f", by {by}") if by else ("", "")
    go, no = f"Text GO {job.number} when you set off", f"NO {job.number} if you cannot"
    return _first_that_fits(
        f"{what}. {_area_sentence(job)}.{on_scene} {go}, {no}.",
        f"{what}, {_safe_area(job)}{short_by}. {go}, {no}.",
        f"{what}, {_safe_area(job)}{short_by}.",
    )


def stand_down(
    number: int,
    at: datetime,
    zone: ZoneInfo,
    why: StoodDown = StoodDown.PASSED_ON,
    now: datetime | None = None,
) -> str:
    """You must not go: somebody else has it, or it is over."""
    return (
        f"Job {number}: not yours any more ({why.value} {local_time(at, zone, now)}). Do not attend. "
        "Already there? Ring the duty desk now."
    )


def joined(number: int, into: int) -> str:
    """Two jobs were one: the other goes on, and whoever has that one is not called off."""
    return (
        f"Job {number} is now part of job {into}: one case, told twice. Job {into} goes on as it was. "
        "Use its number from now on."
    )


def address_changed(number: int) -> str:
    """The address that you saw is not right any more; the new one is behind the sign-in."""
    return (
        f"Job {number}: the address has changed. Sign in for the new one before you go on, or ring the desk."
    )


def now_joint(number: int) -> str:
    """A suspect is there or expected, which was not known when you were asked."""
    return f"Job {number} has changed: {_JOINT}. Sign in for the details, or ring the duty desk."


def en_route_noted(number: int) -> str:
    """On the way, as you said."""
    return f"Job {number}: on your way, noted. Text HERE {number} on arrival."


def on_scene_noted(number: int) -> str:
    """There, as you said: what to text next."""
    return (
        f"Job {number}: on scene, noted. At the end text DONE {number} and the outcome code, or NOBODY "
        f"{number} if no one answers. In danger? Ring 999."
    )


def closed_noted(number: int, code: ShortDisposition) -> str:
    """Over, as you said."""
    return f"Job {number}: closed as {code.value}. Thank you. Please sign in and add the outcomes."


def remote_noted(number: int) -> str:
    """A response by phone, closed; a person looks at it once more."""
    return (
        f"Job {number}: response by phone noted, closed as PHONE. Please sign in and say what you did to "
        "protect them; the duty officer confirms it."
    )


def no_contact_noted(number: int) -> str:
    """Nobody reached: the job goes on, and with it the clock."""
    return (
        f"Job {number}: nobody reached, noted. The job stays open and with you, the clock runs on. "
        "Sign in for a call-back, or ring the duty desk."
    )


def declined_noted(number: int) -> str:
    """Not you: the next person is being asked."""
    return f"Job {number}: you cannot take it, noted. The next person is asked. Nothing more to do."


def released_noted(number: int) -> str:
    """You gave it back."""
    return f"Job {number}: handed back, noted. It is not yours any more, do not attend. Thank you."


def safe_noted(number: int) -> str:
    """Your check-in."""
    return f"Job {number}: you are safe, noted. Thank you."


def help_coming(number: int) -> str:
    """You wrote from a door that you may need help."""
    return (
        f"Job {number}: the duty officer is told now and rings you. In danger? Ring 999. For the list of "
        "words text ?"
    )


def seen_noted(number: int) -> str:
    """You have seen the notice: it is not given again."""
    return f"Job {number}: noted that you have seen this. It stays open until someone acts."


def note_kept(number: int) -> str:
    """Your words are on the record; they did nothing else."""
    return (
        f"Job {number}: your message is kept as a note, nothing else was done. To act, text one word (OK, "
        "NO, GO, HERE, DONE) and the job number."
    )


def not_yours(number: int) -> str:
    """An answer to a job that another has, or that is over."""
    return (
        f"Job {number}: not yours any more, it was passed on or closed. Do not attend. "
        "Already there? Ring the duty desk now."
    )


def declined_before(number: int) -> str:
    """You said no, so a person has to give it to you."""
    return f"Job {number}: you said no to it before. If you can take it now, ring the duty desk."


def no_open_job() -> str:
    """Nothing is open with you, so there is nothing to answer."""
    return "No job is open with you at the moment. Expected one? Ring the duty desk."


def several_open(jobs: Sequence[Job], zone: ZoneInfo, now: datetime | None = None) -> str:
    """Which one? As many jobs as fit, soonest first as given."""
    if not jobs:
        return no_open_job()
    head = f"{len(jobs)} {'job' if len(jobs) == 1 else 'jobs'} open with you: "
    tail = ". Text OK and the job number (or NO, GO, HERE, DONE)."
    items = [
        f"{j.number} {_safe_area(j)}" + (f" {local_time(j.by, zone, now)}" if j.by else "") for j in jobs
    ]
    variants = [head + "; ".join(items) + tail]
    for shown in range(min(len(items) - 1, _MOST_LISTED), 0, -1):
        variants.append(f"{head}{'; '.join(items[:shown])}; {len(items) - shown} more{tail}")
    return _first_that_fits(*variants)


def clarify() -> str:
    """We did not understand: the words, and who to ring. Nothing about any job."""
    return (
        "Not understood. Send one word (OK, NO, GO, HERE or DONE) and the job number, such as OK and the job "
        "number. Urgent? Ring the duty desk."
    )


def words() -> str:
    """The words, for `?` and WORDS."""
    return (
        "Words: OK take it, NO cannot, GO on my way, HERE on scene, DONE and a code, NOBODY no answer, SAFE "
        "check-in. Add the job number."
    )


def code_list(number: int) -> str:
    """DONE needs to say how it ended."""
    codes = " ".join(code.value for code in ShortDisposition)
    return f"Job {number} is still open. How did it end? Text DONE {number} and one of: {codes}."


def here_first(number: int) -> str:
    """A closing word that would end a promise nobody has kept yet (design.md 7)."""
    return (
        f"Job {number} is still open, no visit or call noted. Text HERE {number} if you are there, DONE "
        f"{number} PHONE if you helped by phone, or ring the duty desk."
    )


def police_reference_needed(number: int) -> str:
    """A police handover counts only with the police's own reference (domain.md 3.4)."""
    return (
        f"Job {number} is still open: a police handover needs their CAD reference. Text DONE {number} POLICE "
        "CAD and the reference, or ring the duty desk."
    )


def accept_first(number: int) -> str:
    """A word that needs the job to be yours."""
    return (
        f"Job {number} is not yours yet, nothing was noted. To take it, text OK and the job number first. "
        "Urgent? Ring the duty desk."
    )


def not_possible_now(number: int) -> str:
    """Understood, but the job's state does not allow it."""
    return (
        f"Job {number}: not possible now, nothing was changed. Sign in to see the job, or ring the duty desk."
    )


def opted_in() -> str:
    """Texts reach you again."""
    return "You get texts from Trading Standards duty again. Thank you."


def pictures_not_received() -> str:
    """A picture or a video came with the text, and was not fetched."""
    return "Pictures are not received here. Please sign in to add them to the job, or ring the duty desk."


def unknown_sender() -> str:
    """To a number we do not know, where a council switches it on: it may be a victim's."""
    return (
        "Trading Standards has your message. In danger now, or someone at your door? Ring 999. "
        "Worried about your bank account? Ring 159."
    )


def check_in(number: int) -> str:
    """A lone worker's check-in is due."""
    return (
        f"Job {number}: are you safe? Reply SAFE {number}. In danger? Ring 999. Without an answer your phone "
        "rings in 10 min."
    )


def where_are_you(number: int, set_off_at: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """Set off, and not there after twice the time."""
    return (
        f"Job {number}: you set off at {local_time(set_off_at, zone, now)}, no arrival noted. Text HERE "
        f"{number} if you are there, SAFE {number} if late. In danger? Ring 999."
    )


def companion(job: Job, zone: ZoneInfo, now: datetime | None = None) -> str:
    """You go along as the second officer: nobody goes in alone."""
    what = f"{SERVICE}: job {job.number}: you go along as 2nd officer: {_safe_situation(job)}"
    by = f", by {local_time(job.by, zone, now)}" if job.by else ""
    cannot = f"NO {job.number} if you cannot."
    return _first_that_fits(
        f"{what}, {_JOINT}. {_area_sentence(job)}{by}. {cannot}{_SIGN_IN}",
        f"{what}. {_area_sentence(job)}{by}. {cannot}{_SIGN_IN}",
        f"{what}, {_safe_area(job)}{by}. {cannot}",
    )


def companion_noted(number: int) -> str:
    """As you said; the words that move the job are its owner's."""
    return (
        f"Job {number}: noted, you go along as 2nd officer. Sign in for the address and who has the job. "
        f"NO {number} if you cannot."
    )


def companion_coming(number: int) -> str:
    """To the owner: somebody goes with you."""
    return f"Job {number}: a second officer goes with you. Sign in for who it is. Do not enter alone."


def companion_gone(number: int) -> str:
    """To the owner: she does not come after all."""
    return f"Job {number}: the second officer is not coming. Do not enter alone, ring the duty desk."


def taken_over(job: Job) -> str:
    """The desk gave it to you at the address: a sign of life is wanted first."""
    n = job.number
    return _first_that_fits(
        f"{SERVICE}: job {n} is now yours, at the address: {_safe_situation(job)}. Text SAFE {n} now, "
        f"DONE {n} and the outcome code at the end."
    )


def warning_to_owner(
    number: int, percent: int, by: datetime, zone: ZoneInfo, now: datetime | None = None
) -> str:
    """A share of the time is gone and nobody is noted at the door."""
    return (
        f"Job {number}: {percent}% of the time is gone, needed by {local_time(by, zone, now)}. Text HERE "
        f"{number} on arrival. Cannot make it? Ring the duty desk now."
    )


def shift_ending_to_owner(number: int, ends: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """The shift ends and the job does not."""
    return (
        f"Job {number}: your shift ends at {local_time(ends, zone, now)} and it is still yours. Finish it "
        f"with DONE {number} and a code, or hand it over: ring the duty desk."
    )


# --- to a contact: something a person must see ----------------------------------------------------------


def _notice(job: Job, *sayings: str) -> str:
    """A notice about a job: its first saying that fits, and how to say that it was seen."""
    about, brief = _about(job), f"{SERVICE}: job {job.number}, {_safe_area(job)}"
    return _first_that_fits(*(f"{start}: {saying} {_SEEN}" for start in (about, brief) for saying in sayings))


def _needed(job: Job, zone: ZoneInfo, now: datetime | None) -> str:
    return f" Needed by {local_time(job.by, zone, now)}." if job.by else ""


def not_accepted(job: Job, zone: ZoneInfo, now: datetime | None = None) -> str:
    """`accept_within` has passed: the duty officer is told whatever else happens (design.md 5)."""
    return _notice(
        job, f"nobody accepted in time.{_needed(job, zone, now)} Assign someone.", "not accepted in time."
    )


def rung_reached(job: Job, zone: ZoneInfo, now: datetime | None = None) -> str:
    """The ladder has come to this contact, and still nobody has the job."""
    return _notice(job, f"still nobody has it.{_needed(job, zone, now)} Please act.", "still nobody has it.")


def nobody_left(job: Job, zone: ZoneInfo, now: datetime | None = None) -> str:
    """No candidate is left to ask."""
    return _notice(
        job, f"nobody left to ask.{_needed(job, zone, now)} Assign someone.", "nobody left to ask."
    )


def warning_to_duty_officer(
    job: Job, percent: int, zone: ZoneInfo, *, owned: bool, now: datetime | None = None
) -> str:
    """A share of the time is gone; whether anybody is on it."""
    who = "someone has it, nobody there yet" if owned else "nobody has it"
    gone = f"{percent}% of time gone, {who}."
    return _notice(job, gone + _needed(job, zone, now), gone)


def warning_to_team_leader(
    job: Job, percent: int, zone: ZoneInfo, *, owned: bool, now: datetime | None = None
) -> str:
    """From the third share: the promise is about to be missed."""
    who = "nobody there yet" if owned else "nobody has it"
    gone = f"{percent}% of time gone, {who}."
    return _notice(job, f"{gone}{_needed(job, zone, now)} Please step in.", f"{gone} Please step in.")


def joint_needed(job: Job, zone: ZoneInfo, now: datetime | None = None) -> str:
    """A suspect is present or expected: the offer went out, and a second pair of eyes is to be found."""
    by = f" by {local_time(job.by, zone, now)}" if job.by else ""
    return _notice(job, f"{_JOINT}. Arrange police or 2nd officer{by}.")


def joint_held(job: Job, zone: ZoneInfo, now: datetime | None = None) -> str:
    """As :func:`joint_needed` where the council holds the offer until a person releases it."""
    by = f" by {local_time(job.by, zone, now)}" if job.by else ""
    return _notice(job, f"held for joint attendance. Sign in and release it{by}.")


def breach(job: Job, due: datetime, zone: ZoneInfo, *, owned: bool, now: datetime | None = None) -> str:
    """The promise is broken; the job is not over."""
    at = local_time(due, zone, now)
    missed = f"promise missed at {at}, {'someone has it' if owned else 'nobody has it'}."
    return _notice(job, f"{missed} Still owed a response.", missed)


def shift_ending(job: Job, ends: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """To the duty officer: a job must be handed over, never orphaned (scenario 38)."""
    at = local_time(ends, zone, now)
    return _notice(job, f"its responder's shift ends at {at}. Hand it over.", f"hand over, shift ends {at}.")


def delivery_failing(job: Job) -> str:
    """Our texts to the person asked do not arrive: a voice must (scenario 33)."""
    return _notice(job, "our texts do not reach the responder. Phone them now.")


def texts_stopped(job: Job) -> str:
    """The person asked has opted out, perhaps by STOP for NO: a voice must reach them (delivery.md 2.5)."""
    return _notice(
        job, "the responder's phone has stopped our texts. Phone them.", "texts stopped. Phone them."
    )


def check_in_missed(job: Job, minutes: int, *, police: bool = False) -> str:
    """A lone worker has not answered (scenario 36); who hears it second is to ring the police."""
    silent = f"no check-in for {min(minutes, 999)} min."
    if police:
        return _notice(job, f"{silent} Ring 999 now, address on the page.")
    return _notice(job, f"{silent} Ring them; no answer: 999, address on the page.")


def travel_overdue(job: Job, set_off_at: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """Set off, not there, and no answer either."""
    since = f"set off {local_time(set_off_at, zone, now)}, not there, no answer."
    return _notice(job, f"{since} Ring the responder.", f"{since} Ring them.")


def not_safe(job: Job) -> str:
    """A responder at a door wrote that she is not safe, or HELP, which may mean the words or the thing."""
    return _notice(job, "the responder may need help. Ring them; no answer: 999, address on the page.")


def out_of_area(job: Job) -> str:
    """A case from across the border has come in, and is to be handed over now."""
    return _notice(
        job, "outside our area. Hand it over now, sign in for whom.", "outside our area, hand over."
    )


def not_taken_over(job: Job) -> str:
    """Handed over, and nobody there has said yet that they have it."""
    return _notice(job, "handed over, not acknowledged. Ring them now.", "hand-over not acknowledged.")


def heard_from(number: int) -> str:
    """To whoever was told of a silence: it is over."""
    return (
        f"{SERVICE}: job {number}: the responder has answered and is safe. If you rang 999, tell them so. "
        "Nothing more to do."
    )


def duress(number: int | None) -> str:
    """The silent alarm: where she is stands on the page alone, and her own phone must stay quiet."""
    if number is None:
        return (
            f"{SERVICE}: duress: a responder without a job, send police. Sign in for who. Ring 999. Do not "
            "ring or text them. Seen? Text OK."
        )
    return (
        f"{SERVICE}: duress: job {number}, send police. Ring 999, address on the page. Do not ring or text "
        f"the responder. {_SEEN}"
    )


def alarm_seen() -> str:
    """You have seen an alarm of no job."""
    return "Noted that you have seen the alarm. It stays on the board until a person ends it."


def marker_to_review(count: int) -> str:
    """Risk markers end unless somebody looks again."""
    what = "1 risk marker is" if count == 1 else f"{count} risk markers are"
    return f"{SERVICE}: {what} to be reviewed, or will end. Sign in, Risk markers."


def review_waiting(
    number: int | None, until: datetime | None, zone: ZoneInfo, now: datetime | None = None
) -> str:
    """A report waits for a person's judgement; `until` is when offers go out without it (R18)."""
    what, seen = (f"job {number}", f" {_SEEN}") if number else ("a report", "")
    then = f" Offers go out at {local_time(until, zone, now)} without you." if until else ""
    return f"{SERVICE}: {what} waits for your review. Sign in and decide.{then}{seen}"


def task_overdue(number: int | None) -> str:
    """Something owed was not done in its time."""
    if number is None:
        return f"{SERVICE}: a task on a case is overdue. Sign in to see which."
    return f"{SERVICE}: job {number}: a task is overdue. Sign in to see which. {_SEEN}"


def case_to_review(
    number: int | None, by: datetime | None, zone: ZoneInfo, now: datetime | None = None
) -> str:
    """To the hate-crime lead. Neutral: not what it is about, for whoever else reads the screen."""
    until = f" by {local_time(by, zone, now)}" if by else ""
    what, seen = (f"job {number} is", f" {_SEEN}") if number else ("a case is", "")
    return f"{SERVICE}: {what} for you to review{until}. Sign in and open Reviews.{seen}"


def case_to_review_overdue(number: int | None) -> str:
    """As :func:`case_to_review`, when its time is over."""
    what, seen = (f"job {number}", f" {_SEEN}") if number else ("a case", "")
    return f"{SERVICE}: {what} still waits for your review, and is overdue. Sign in and open Reviews.{seen}"


def mended(number: int | None) -> str:
    """We had lost what comes next for a case; it is set again, and a person should look."""
    if number is None:
        return f"{SERVICE}: a case had lost its next step. It is set again: sign in and check the board."
    return f"{SERVICE}: job {number} had lost its next step. It is set again: sign in and check it. {_SEEN}"


def work_parked(number: int | None) -> str:
    """A step of a case, or of the service, fails again and again: a person must do it."""
    if number is None:
        return f"{SERVICE}: a step of the service keeps failing. Sign in and open Parked work."
    return f"{SERVICE}: job {number}: a step keeps failing. Sign in, do it by hand, see Parked work. {_SEEN}"


def clock_is_wrong() -> str:
    """The machine's clock has jumped: deadlines still ring, but times may be wrong."""
    return f"{SERVICE}: our computer's clock has jumped. Deadlines still ring. Tell IT now: see the runbook."


def daily_line(count: int, numbers: Sequence[int] = ()) -> str:
    """Once a day to the duty officer: the cases that wait for their follow-up; those with a number named."""
    waiting = "1 scheduled case waits" if count == 1 else f"{count} scheduled cases wait"
    head, tail = f"{SERVICE}: {waiting} for follow-up", ". Sign in for the list."
    variants = []
    for shown in range(min(len(numbers), _MOST_NUMBERED), 0, -1):
        more = f" and {count - shown} more" if count > shown else ""
        noun = "job" if shown == 1 else "jobs"
        variants.append(f"{head}: {noun} {', '.join(str(n) for n in numbers[:shown])}{more}{tail}")
    return _first_that_fits(*variants, head + tail)


def numbers_failing(many: int) -> str:
    """A responder's number has stopped or fails; whose is seen after sign-in, not in a text."""
    who = "a responder's phone does" if many == 1 else f"{many} responders' phones do"
    return f"{SERVICE}: {who} not take our texts or calls. Sign in to see whose, and ring them."


def opened_unassigned() -> str:
    """To a supervisor: somebody opened a case that is not theirs; who, which and why is on a page."""
    return f"{SERVICE}: somebody opened a case that is not theirs, and gave a reason. Sign in, open Access."


def number_code(code: str) -> str:
    """A one-time code, to be entered elsewhere: who asks for it in a text is none of us."""
    return (
        f"{SERVICE}: {code} is your code to confirm this number. Enter it under My account, Phone numbers, "
        "or tell it the duty desk by phone. Never text it."
    )


def number_due() -> str:
    """A number was proved half a year ago: its owner asks for a new code when she is ready to enter it."""
    return f"{SERVICE}: please confirm your phone number again. Sign in, My account, Phone numbers."


def caller_rang_off() -> str:
    """Somebody rang the hotline and left no message; the number is seen after sign-in, not in a text."""
    return f"{SERVICE}: a caller rang off and left no message. Sign in, open Texts and calls, ring back."


_SKILLS = {Skill.DOORSTEP_CRIME: "doorstep crime", Skill.SCAM: "scams"}


def rota_gap(
    skill: Skill, begins: datetime, ends: datetime, more: int, zone: ZoneInfo, now: datetime | None = None
) -> str:
    """To the team leader, a day ahead: nobody would be asked, not even on call."""
    when = f"from {local_time(begins, zone, now)} to {local_time(ends, zone, now)}"
    others = f", {min(more, 99)} more gaps" if more > 1 else ", 1 more gap" if more else ""
    return f"{SERVICE}: rota gap: nobody for {_SKILLS[skill]} {when}{others}. See the Rota page."


def shift_test() -> str:
    """At the start of a shift: nothing is asked, its receipt is what counts."""
    return f"{SERVICE}: your shift starts. This text only checks that ours reach you. Nothing to do."


# --- the same again -------------------------------------------------------------------------------------

_OPTIONAL_TAIL = re.compile(r" (?:Sign in for details\.|Details: \S+)$")


def repeat_of(text: str) -> str:
    """The same text, marked as one that may be a duplicate, still in one segment."""
    if text.startswith(REPEAT):
        return text
    return _first_that_fits(
        REPEAT + text, REPEAT + _OPTIONAL_TAIL.sub("", text), _cut(REPEAT + text), within=ONE_SEGMENT
    )


def _cut(text: str) -> str:
    kept = normalise(text)
    while septets(kept) > ONE_SEGMENT:
        kept = kept[:-1]
    return kept.rstrip()


# --- spoken ----------------------------------------------------------------------------------------------

# A family member or a voicemail may answer: nothing about a job is said before a key proves a person
# (delivery.md 11.2), and no detail a text would not hold is said after it.


def spoken_offer() -> str:
    """What is said when the phone is picked up."""
    return "This is Trading Standards duty dispatch. Press 1 to hear the job."


def spoken_job(job: Job, zone: ZoneInfo, now: datetime | None = None) -> str:
    """The job, after a key; the number digit by digit."""
    parts = [
        f"Job {digits(job.number)}.",
        "Urgent." if job.urgent else "",
        f"{_safe_situation(job).capitalize()}.",
        f"{_JOINT.capitalize()}." if job.joint else "",
        _area_sentence(job).replace(_safe_area(job), _spelt(_safe_area(job))) + ".",
        f"On scene by {local_time(job.by, zone, now)}." if job.by else "",
        "Press 1 to accept, 2 to decline, star to hear it again.",
    ]
    return " ".join(part for part in parts if part)


def spoken_accepted(number: int) -> str:
    """Thanks for a yes."""
    return f"Thank you. Job {digits(number)} is yours. Sign in for the address. Goodbye."


def spoken_declined() -> str:
    """Thanks for a no."""
    return "Thank you. The next person is asked. Goodbye."


def spoken_gone() -> str:
    """The job was closed while the phone rang, or is none that we know."""
    return "This job is not open any more. There is nothing to do. Goodbye."


def spoken_taken() -> str:
    """Somebody else took the job while the phone rang."""
    return "This job has been taken by somebody else. Do not attend. There is nothing to do. Goodbye."


def spoken_yours() -> str:
    """The person who is rung has taken the job meanwhile, by text or on the page."""
    return "You have taken this job already. Sign in for the address. Goodbye."


def spoken_words(text: str) -> str:
    """A text as it is said, after a key: without what can only be texted."""
    said = re.sub(r"\b\d{4,6}\b", lambda found: digits(int(found[0])), text.removeprefix(REPEAT))
    return f"{said} Goodbye."


def spoken_notice(text: str) -> str:
    """A notice as it is texted, made sayable; given only after a key, like a job."""
    said = text.removeprefix(REPEAT).removeprefix(f"{SERVICE}: ").removesuffix(_SEEN).strip()
    said = re.sub(r"\b\d{4,6}\b", lambda found: digits(int(found[0])), said)
    said = re.sub(r"\b[A-Z]{1,2}\d[A-Z\d]?(?: \d)?\b", lambda found: _spelt(found[0]), said)
    return f"{said[:1].upper()}{said[1:]} Press 1 to say that you have seen this, star to hear it again."


def spoken_code_first() -> str:
    """What is said when the phone is picked up to which a code goes."""
    return "This is Trading Standards duty dispatch with a code for you. Press 1 to hear it."


def spoken_code(text: str) -> str:
    """The code of a text, digit by digit; given only after a key, so that no voicemail keeps it."""
    found = re.search(r"\b\d{6}\b", text)
    said = ", ".join(found[0]) if found else ""
    return f"Your code is {said}. Enter it under My account, Phone numbers. Press star to hear it again."


def spoken_notice_first() -> str:
    """What is said when a contact picks up, before any key."""
    return "This is Trading Standards duty dispatch with a notice for you. Press 1 to hear it."


def spoken_seen() -> str:
    """Thanks for having seen a notice."""
    return "Thank you. It is noted that you have seen this. Goodbye."


def spoken_check_in() -> str:
    """A lone worker who has not answered a text: one key says that she is safe."""
    return "This is Trading Standards duty dispatch. Are you safe? Press 1 if you are."


def spoken_safe() -> str:
    """Thanks for a sign of life."""
    return "Thank you. It is noted that you are safe. Goodbye."


def spoken_alarm_first() -> str:
    """What is said when somebody picks up who is to act on an alarm."""
    return "This is Trading Standards duty dispatch with an alarm for you. Press 1 to hear it."


def spoken_wrong_key() -> str:
    """That key means nothing here; the prompt follows again."""
    return "Sorry, that key does nothing here."


def spoken_goodbye() -> str:
    """Nobody pressed a key that counts."""
    return "No key was pressed. Goodbye."


def digits(number: int) -> str:
    """A number as a voice reads it: `4, 8, 2, 1`."""
    return ", ".join(str(number))


def _spelt(place: str) -> str:
    """A postcode sector letter by letter; a place name as it is."""
    return " ".join(place.replace(" ", ",")).replace(" ,", ",") if any(c.isdigit() for c in place) else place
