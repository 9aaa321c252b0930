"""To a contact, whom somebody must reach: duty officer, team leader, whoever must see a notice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rapid_response.core.vocabulary import Skill
from rapid_response.messaging.wording.job import (
    JOINT,
    MOST_NUMBERED,
    SEEN,
    SERVICE,
    Job,
    about,
    first_that_fits,
    is_past,
    local_time,
    safe_area,
)


def _notice(job: Job, *sayings: str) -> str:
    """A notice about a job: its first saying that fits, and how to say that it was seen."""
    whole, brief = about(job), f"{SERVICE}: job {job.number}, {safe_area(job)}"
    return first_that_fits(*(f"{start}: {saying} {SEEN}" for start in (whole, brief) for saying in sayings))


def _needed(job: Job, zone: ZoneInfo, now: datetime | None) -> str:
    """By when somebody is needed there, as a sentence; since when, if that is past."""
    if job.by is None:
        return ""
    return f" {'Overdue since' if is_past(job, now) else 'Needed by'} {local_time(job.by, zone, now)}."


def _by(job: Job, zone: ZoneInfo, now: datetime | None) -> str:
    """By when what is asked for must be done: now, if that is past."""
    if job.by is None:
        return ""
    return " now" if is_past(job, now) else f" by {local_time(job.by, zone, now)}"


def not_accepted(job: Job, zone: ZoneInfo, now: datetime | None = None) -> str:
    """`accept_within` has passed: the duty officer is told whatever else happens (design.md 5)."""
    return _notice(
        job, f"nobody accepted in time.{_needed(job, zone, now)} Assign someone.", "not accepted in time."
    )


def rung_reached(job: Job, zone: ZoneInfo, now: datetime | None = None, *, owned: bool = False) -> str:
    """The ladder has come to this contact: still nobody has the job, or who has it found nobody at home."""
    still = "someone has it, nobody reached yet." if owned else "still nobody has it."
    return _notice(job, f"{still}{_needed(job, zone, now)} Please act.", still)


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
    return _notice(job, f"{JOINT}. Arrange police or 2nd officer{_by(job, zone, now)}.")


def joint_held(job: Job, zone: ZoneInfo, now: datetime | None = None) -> str:
    """As :func:`joint_needed` where the council holds the offer until a person releases it."""
    return _notice(job, f"held for joint attendance. Sign in and release it{_by(job, zone, now)}.")


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
        f"the responder. {SEEN}"
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
    what, seen = (f"job {number}", f" {SEEN}") if number else ("a report", "")
    then = f" Offers go out at {local_time(until, zone, now)} without you." if until else ""
    return f"{SERVICE}: {what} waits for your review. Sign in and decide.{then}{seen}"


def task_overdue(number: int | None) -> str:
    """Something owed was not done in its time."""
    if number is None:
        return f"{SERVICE}: a task on a case is overdue. Sign in to see which."
    return f"{SERVICE}: job {number}: a task is overdue. Sign in to see which. {SEEN}"


def case_to_review(
    number: int | None, by: datetime | None, zone: ZoneInfo, now: datetime | None = None
) -> str:
    """To the hate-crime lead. Neutral: not what it is about, for whoever else reads the screen."""
    until = f" by {local_time(by, zone, now)}" if by else ""
    what, seen = (f"job {number} is", f" {SEEN}") if number else ("a case is", "")
    return f"{SERVICE}: {what} for you to review{until}. Sign in and open Reviews.{seen}"


def case_to_review_overdue(number: int | None) -> str:
    """As :func:`case_to_review`, when its time is over."""
    what, seen = (f"job {number}", f" {SEEN}") if number else ("a case", "")
    return f"{SERVICE}: {what} still waits for your review, and is overdue. Sign in and open Reviews.{seen}"


def mended(number: int | None) -> str:
    """We had lost what comes next for a case; it is set again, and a person should look."""
    if number is None:
        return f"{SERVICE}: a case had lost its next step. It is set again: sign in and check the board."
    return f"{SERVICE}: job {number} had lost its next step. It is set again: sign in and check it. {SEEN}"


def work_parked(number: int | None) -> str:
    """A step of a case, or of the service, fails again and again: a person must do it."""
    if number is None:
        return f"{SERVICE}: a step of the service keeps failing. Sign in and open Parked work."
    return f"{SERVICE}: job {number}: a step keeps failing. Sign in, do it by hand, see Parked work. {SEEN}"


def clock_is_wrong() -> str:
    """The machine's clock has jumped: deadlines still ring, but times may be wrong."""
    return f"{SERVICE}: our computer's clock has jumped. Deadlines still ring. Tell IT now: see the runbook."


def daily_line(count: int, numbers: Sequence[int] = ()) -> str:
    """Once a day to the duty officer: the cases that wait for their follow-up; those with a number named."""
    waiting = "1 scheduled case waits" if count == 1 else f"{count} scheduled cases wait"
    head, tail = f"{SERVICE}: {waiting} for follow-up", ". Sign in for the list."
    variants = []
    for shown in range(min(len(numbers), MOST_NUMBERED), 0, -1):
        more = f" and {count - shown} more" if count > shown else ""
        noun = "job" if shown == 1 else "jobs"
        variants.append(f"{head}: {noun} {', '.join(str(n) for n in numbers[:shown])}{more}{tail}")
    return first_that_fits(*variants, head + tail)


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
