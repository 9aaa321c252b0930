"""To a responder: what she is asked and told of her jobs, and what we understood of her replies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rapid_response.core.vocabulary import ShortDisposition
from rapid_response.messaging.gsm7 import ONE_SEGMENT
from rapid_response.messaging.wording.job import (
    JOINT,
    MOST_LISTED,
    REPEAT,
    SERVICE,
    SIGN_IN,
    WITH_ROOM,
    Job,
    StoodDown,
    area_sentence,
    first_that_fits,
    local_time,
    on_scene,
    safe_area,
    safe_situation,
)


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
    joint = f", {JOINT}" if job.joint else ""
    what = f"{SERVICE}: job {job.number}{urgent}, {safe_situation(job)}{joint}"
    reply = f"Reply OK {job.number} or NO {job.number}."
    there_by, short_by = on_scene(job, zone, now)
    full = f"{what}. {area_sentence(job)}.{there_by} {reply}"
    compact = f"{what}, {safe_area(job)}{short_by}. {reply}"
    core = first_that_fits(full, compact)
    link = _link(job.number, link_base)
    text = first_that_fits(
        *((core + link, compact + link) if link else ()), core + SIGN_IN, core, within=_room(repeat)
    )
    return (REPEAT if repeat else "") + text


def _link(number: int, link_base: str | None) -> str:
    """Where the job's page is: no secret in it, it asks for sign-in (contract.md 2, SMS_LINKS)."""
    return f" Details: {link_base.rstrip('/')}/j/{number}" if link_base else ""


def _room(repeat: bool) -> int:
    return WITH_ROOM if repeat else ONE_SEGMENT


def reminder(number: int, minutes_left: int) -> str:
    """No answer yet: how long the offer still waits for one."""
    left = f"{minutes_left} min left" if minutes_left >= 1 else "last minute"
    if minutes_left > 600:
        left = "please answer"
    return f"Job {number}: no reply yet, {left}. Reply OK {number} or NO {number}."


def confirm(job: Job, zone: ZoneInfo, now: datetime | None = None) -> str:
    """It is yours: what to text next."""
    n, (there_by, short_by) = job.number, on_scene(job, zone, now)
    then = f"Text GO {n} when you set off, HERE {n} on arrival, DONE {n} and the outcome code at the end."
    return first_that_fits(
        f"Job {n} is yours.{there_by} {then}", f"Job {n} is yours, {short_by.lstrip(', ')}. {then}"
    )


def assigned(job: Job, zone: ZoneInfo, now: datetime | None = None) -> str:
    """The desk gave it to you: no question, but a way to give it back."""
    joint = f", {JOINT}" if job.joint else ""
    what = f"{SERVICE}: job {job.number} is now yours: {safe_situation(job)}{joint}"
    there_by, short_by = on_scene(job, zone, now)
    go, no = f"Text GO {job.number} when you set off", f"NO {job.number} if you cannot"
    return first_that_fits(
        f"{what}. {area_sentence(job)}.{there_by} {go}, {no}.",
        f"{what}, {safe_area(job)}{short_by}. {go}, {no}.",
        f"{what}, {safe_area(job)}{short_by}.",
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


def more_dangerous(job: Job) -> str:
    """It is more urgent, or more dangerous, than was known when you were asked."""
    urgent, joint = "urgent, " if job.urgent else "", f", {JOINT}" if job.joint else ""
    return (
        f"Job {job.number} has changed: {urgent}{safe_situation(job)}{joint}. "
        "Sign in for the details, or ring the duty desk."
    )


def another_report(number: int) -> str:
    """Somebody else has told us of it; what they say is behind the sign-in."""
    return f"Job {number}: another report is in. Sign in for the details, or ring the duty desk."


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


def no_contact_noted(number: int, *, counts: bool) -> str:
    """Nobody reached: the job goes on; and with it the clock, unless a call or the police had stopped it."""
    with_you = "The job stays open and with you, the clock runs on." if counts else "The job stays with you."
    return f"Job {number}: nobody reached, noted. {with_you} Sign in for a call-back, or ring the duty desk."


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
    items = [f"{j.number} {safe_area(j)}" + (f" {local_time(j.by, zone, now)}" if j.by else "") for j in jobs]
    variants = [head + "; ".join(items) + tail]
    for shown in range(min(len(items) - 1, MOST_LISTED), 0, -1):
        variants.append(f"{head}{'; '.join(items[:shown])}; {len(items) - shown} more{tail}")
    return first_that_fits(*variants)


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
    what = f"{SERVICE}: job {job.number}: you go along as 2nd officer: {safe_situation(job)}"
    _, by = on_scene(job, zone, now)
    cannot = f"NO {job.number} if you cannot."
    return first_that_fits(
        f"{what}, {JOINT}. {area_sentence(job)}{by}. {cannot}{SIGN_IN}",
        f"{what}. {area_sentence(job)}{by}. {cannot}{SIGN_IN}",
        f"{what}, {safe_area(job)}{by}. {cannot}",
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
    return first_that_fits(
        f"{SERVICE}: job {n} is now yours, at the address: {safe_situation(job)}. Text SAFE {n} now, "
        f"DONE {n} and the outcome code at the end."
    )


def warning_to_owner(
    number: int, percent: int, by: datetime, zone: ZoneInfo, now: datetime | None = None
) -> str:
    """A share of the time is gone and nobody is noted at the door."""
    gone = _gone(number, percent, by, zone, now)
    return f"{gone} Text HERE {number} on arrival. Cannot make it? Ring the duty desk now."


def spoken_warning_to_owner(
    number: int, percent: int, by: datetime, zone: ZoneInfo, now: datetime | None = None
) -> str:
    """The same to whoever has no phone for texts."""
    gone = _gone(number, percent, by, zone, now)
    return f"{gone} Ring the duty desk on arrival, or now if you cannot make it."


def _gone(number: int, percent: int, by: datetime, zone: ZoneInfo, now: datetime | None) -> str:
    return f"Job {number}: {percent}% of the time is gone, needed by {local_time(by, zone, now)}."


def shift_ending_to_owner(number: int, ends: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """The shift ends and the job does not."""
    return (
        f"Job {number}: your shift ends at {local_time(ends, zone, now)} and it is still yours. Finish it "
        f"with DONE {number} and a code, or hand it over: ring the duty desk."
    )
