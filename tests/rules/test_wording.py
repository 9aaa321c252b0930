"""Every sentence we send: one segment over the longest legal values, and nothing personal in it."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from rapid_response.core.facts import BOOLEAN_FACTS, Facts, facts_from_json
from rapid_response.core.vocabulary import Category, ShortDisposition, Skill
from rapid_response.messaging import wording
from rapid_response.messaging.gsm7 import is_gsm7, segments, septets
from rapid_response.messaging.wording import Job, StoodDown
from tests.cases import each

LONDON = ZoneInfo("Europe/London")
AFTERNOON = datetime(2026, 11, 25, 15, 10, tzinfo=UTC)
#: 01:30 comes twice this night, and it is more than half a day off: the longest a time gets.
TWICE = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
LONG_BEFORE, LONG_AFTER = TWICE - timedelta(hours=30), TWICE + timedelta(hours=30)
BASE_URL = "https://rr.bromley.gov.uk"

Say = Callable[[Job, datetime, datetime | None], Iterator[str]]


def _several(job: Job, at: datetime, now: datetime | None) -> Iterator[str]:
    for count in (1, 2, 3, 5, 40):
        yield wording.several_open([job] * count, LONDON, now)


def _numbered(job: Job) -> int:
    return job.number


#: Every function whose answer is texted, with all the forms it takes.
SAID: dict[str, Say] = {
    "offer": lambda j, at, now: (
        wording.offer(j, LONDON, repeat=repeat, link_base=link, now=now)
        for repeat in (False, True)
        for link in (None, BASE_URL, "https://rapid-response.a-very-long-council-name.example.gov.uk/")
    ),
    "reminder": lambda j, at, now: (wording.reminder(j.number, m) for m in (-1, 0, 1, 3, 600, 601, 10**6)),
    "confirm": lambda j, at, now: iter([wording.confirm(j, LONDON, now)]),
    "assigned": lambda j, at, now: iter([wording.assigned(j, LONDON, now)]),
    "stand_down": lambda j, at, now: (wording.stand_down(j.number, at, LONDON, w, now) for w in StoodDown),
    "en_route_noted": lambda j, at, now: iter([wording.en_route_noted(j.number)]),
    "on_scene_noted": lambda j, at, now: iter([wording.on_scene_noted(j.number)]),
    "closed_noted": lambda j, at, now: (wording.closed_noted(j.number, c) for c in ShortDisposition),
    "remote_noted": lambda j, at, now: iter([wording.remote_noted(j.number)]),
    "no_contact_noted": lambda j, at, now: (
        wording.no_contact_noted(j.number, counts=counts) for counts in (False, True)
    ),
    "declined_noted": lambda j, at, now: iter([wording.declined_noted(j.number)]),
    "released_noted": lambda j, at, now: iter([wording.released_noted(j.number)]),
    "safe_noted": lambda j, at, now: iter([wording.safe_noted(j.number)]),
    "seen_noted": lambda j, at, now: iter([wording.seen_noted(j.number)]),
    "note_kept": lambda j, at, now: iter([wording.note_kept(j.number)]),
    "not_yours": lambda j, at, now: iter([wording.not_yours(j.number)]),
    "declined_before": lambda j, at, now: iter([wording.declined_before(j.number)]),
    "no_open_job": lambda j, at, now: iter([wording.no_open_job()]),
    "several_open": _several,
    "clarify": lambda j, at, now: iter([wording.clarify()]),
    "words": lambda j, at, now: iter([wording.words()]),
    "code_list": lambda j, at, now: iter([wording.code_list(j.number)]),
    "here_first": lambda j, at, now: iter([wording.here_first(j.number)]),
    "police_reference_needed": lambda j, at, now: iter([wording.police_reference_needed(j.number)]),
    "accept_first": lambda j, at, now: iter([wording.accept_first(j.number)]),
    "not_possible_now": lambda j, at, now: iter([wording.not_possible_now(j.number)]),
    "opted_in": lambda j, at, now: iter([wording.opted_in()]),
    "pictures_not_received": lambda j, at, now: iter([wording.pictures_not_received()]),
    "unknown_sender": lambda j, at, now: iter([wording.unknown_sender()]),
    "check_in": lambda j, at, now: iter([wording.check_in(j.number)]),
    "joined": lambda j, at, now: iter([wording.joined(j.number, 999_999)]),
    "address_changed": lambda j, at, now: iter([wording.address_changed(j.number)]),
    "another_report": lambda j, at, now: iter([wording.another_report(j.number)]),
    "more_dangerous": lambda j, at, now: iter([wording.more_dangerous(j)]),
    "warning_to_owner": lambda j, at, now: (
        wording.warning_to_owner(j.number, p, at, LONDON, now) for p in (1, 50, 100)
    ),
    "shift_ending_to_owner": lambda j, at, now: iter(
        [wording.shift_ending_to_owner(j.number, at, LONDON, now)]
    ),
    "not_accepted": lambda j, at, now: iter([wording.not_accepted(j, LONDON, now)]),
    "rung_reached": lambda j, at, now: (wording.rung_reached(j, LONDON, now, owned=o) for o in (False, True)),
    "nobody_left": lambda j, at, now: iter([wording.nobody_left(j, LONDON, now)]),
    "warning_to_duty_officer": lambda j, at, now: (
        wording.warning_to_duty_officer(j, 100, LONDON, owned=o, now=now) for o in (False, True)
    ),
    "warning_to_team_leader": lambda j, at, now: (
        wording.warning_to_team_leader(j, 100, LONDON, owned=o, now=now) for o in (False, True)
    ),
    "joint_needed": lambda j, at, now: iter([wording.joint_needed(j, LONDON, now)]),
    "joint_held": lambda j, at, now: iter([wording.joint_held(j, LONDON, now)]),
    "breach": lambda j, at, now: (wording.breach(j, at, LONDON, owned=o, now=now) for o in (False, True)),
    "shift_ending": lambda j, at, now: iter([wording.shift_ending(j, at, LONDON, now)]),
    "delivery_failing": lambda j, at, now: iter([wording.delivery_failing(j)]),
    "texts_stopped": lambda j, at, now: iter([wording.texts_stopped(j)]),
    "check_in_missed": lambda j, at, now: (
        wording.check_in_missed(j, m, police=p) for m in (30, 10**6) for p in (False, True)
    ),
    "where_are_you": lambda j, at, now: iter([wording.where_are_you(j.number, at, LONDON, now)]),
    "travel_overdue": lambda j, at, now: iter([wording.travel_overdue(j, at, LONDON, now)]),
    "help_coming": lambda j, at, now: iter([wording.help_coming(j.number)]),
    "out_of_area": lambda j, at, now: iter([wording.out_of_area(j)]),
    "not_taken_over": lambda j, at, now: iter([wording.not_taken_over(j)]),
    "not_safe": lambda j, at, now: iter([wording.not_safe(j)]),
    "heard_from": lambda j, at, now: iter([wording.heard_from(j.number)]),
    "companion": lambda j, at, now: iter([wording.companion(j, LONDON, now)]),
    "companion_noted": lambda j, at, now: iter([wording.companion_noted(j.number)]),
    "companion_coming": lambda j, at, now: iter([wording.companion_coming(j.number)]),
    "companion_gone": lambda j, at, now: iter([wording.companion_gone(j.number)]),
    "taken_over": lambda j, at, now: iter([wording.taken_over(j)]),
    "duress": lambda j, at, now: (wording.duress(n) for n in (j.number, None)),
    "alarm_seen": lambda j, at, now: iter([wording.alarm_seen()]),
    "marker_to_review": lambda j, at, now: (wording.marker_to_review(n) for n in (1, 2, 9999)),
    "review_waiting": lambda j, at, now: (
        wording.review_waiting(n, u, LONDON, now) for n in (j.number, None) for u in (at, None)
    ),
    "case_to_review": lambda j, at, now: (
        wording.case_to_review(n, u, LONDON, now) for n in (j.number, None) for u in (at, None)
    ),
    "case_to_review_overdue": lambda j, at, now: (
        wording.case_to_review_overdue(n) for n in (j.number, None)
    ),
    "task_overdue": lambda j, at, now: (wording.task_overdue(n) for n in (j.number, None)),
    "rota_gap": lambda j, at, now: (
        wording.rota_gap(skill, at, at, more, LONDON, now) for skill in Skill for more in (0, 1, 500)
    ),
    "mended": lambda j, at, now: (wording.mended(n) for n in (j.number, None)),
    "work_parked": lambda j, at, now: (wording.work_parked(n) for n in (j.number, None)),
    "clock_is_wrong": lambda j, at, now: iter([wording.clock_is_wrong()]),
    "numbers_failing": lambda j, at, now: (wording.numbers_failing(n) for n in (1, 2, 999)),
    "number_code": lambda j, at, now: (wording.number_code(code) for code in ("000000", "482913")),
    "number_due": lambda j, at, now: iter([wording.number_due()]),
    "shift_test": lambda j, at, now: iter([wording.shift_test()]),
    "opened_unassigned": lambda j, at, now: iter([wording.opened_unassigned()]),
    "caller_rang_off": lambda j, at, now: iter([wording.caller_rang_off()]),
    "daily_line": lambda j, at, now: (
        wording.daily_line(count, [j.number] * min(count, named))
        for count in (1, 2, 9999)
        for named in (0, 1, 40)
    ),
}
#: They say nothing about one job.
WITHOUT_NUMBER = {
    "no_open_job", "clarify", "words", "opted_in", "pictures_not_received", "unknown_sender",
    "review_waiting", "case_to_review", "case_to_review_overdue", "task_overdue", "mended", "work_parked",
    "clock_is_wrong", "daily_line", "numbers_failing", "rota_gap", "shift_test", "caller_rang_off",
    "duress", "alarm_seen", "opened_unassigned", "marker_to_review", "number_code", "number_due",
}  # fmt: skip
MAY_SAY_OK_AND_NUMBER = {"offer", "reminder"}
OK_AND_NUMBER = re.compile(r"\bok\W*\d", re.IGNORECASE)

AREAS = ["BR1 3", "SO16 7", "BR1", wording.UNKNOWN_AREA, "W" * wording.AREA_LIMIT]
JOBS = st.builds(
    Job,
    number=st.sampled_from([2400, 4821, 99_999, 999_999]),
    situation=st.sampled_from(wording.SITUATIONS),
    area=st.sampled_from(AREAS),
    by=st.sampled_from([None, AFTERNOON, TWICE]),
    urgent=st.booleans(),
    joint=st.booleans(),
)


def extremes() -> Iterator[tuple[Job, datetime, datetime | None]]:
    longest = max(wording.SITUATIONS, key=len)
    for number, area, urgent, joint in itertools.product(
        (4821, 999_999), ("BR1 3", "W" * wording.AREA_LIMIT), (False, True), (False, True)
    ):
        yield Job(number, longest, area, TWICE, urgent, joint), TWICE, LONG_BEFORE
        yield Job(number, longest, area, TWICE, urgent, joint), TWICE, LONG_AFTER
        yield Job(number, longest, area, AFTERNOON, urgent, joint), AFTERNOON, None
        yield Job(number, longest, area, None, urgent, joint), AFTERNOON, None


def check(name: str, job: Job, text: str) -> None:
    assert is_gsm7(text)
    assert segments(text) == 1, text
    again = wording.repeat_of(text)
    assert again.startswith("Repeat: ")
    assert segments(again) == 1, again
    assert (OK_AND_NUMBER.search(text) is not None) == (name in MAY_SAY_OK_AND_NUMBER), text
    if name in MAY_SAY_OK_AND_NUMBER:
        assert f"OK {job.number} or NO {job.number}." in again
    if name not in WITHOUT_NUMBER:
        assert str(job.number) in text


def test_every_sentence_is_tried_here() -> None:
    helpers = {"situation", "area", "local_time", "digits", "repeat_of"}
    public = {
        name
        for name, function in inspect.getmembers(wording, inspect.isfunction)
        if function.__module__.startswith(wording.__name__) and not name.startswith(("_", "spoken_"))
    }
    assert public - helpers == set(SAID)


@each("name", SAID)
def test_t1_every_text_fits_one_segment_with_its_repeat(name: str) -> None:
    said = {(job.number, text): job for job, at, now in extremes() for text in SAID[name](job, at, now)}
    for (_, text), job in said.items():
        check(name, job, text)


@settings(max_examples=60)
@given(st.sampled_from(sorted(SAID)), JOBS, st.sampled_from([None, LONG_BEFORE, LONG_AFTER]))
def test_t1_every_text_fits_whatever_the_job(name: str, job: Job, now: datetime | None) -> None:
    for text in SAID[name](job, TWICE, now):
        check(name, job, text)


@settings(max_examples=60)
@given(JOBS, st.booleans(), st.sampled_from([LONG_BEFORE, LONG_AFTER]))
def test_an_offer_says_all_that_matters_however_it_is_shortened(
    job: Job, repeat: bool, now: datetime
) -> None:
    text = wording.offer(job, LONDON, repeat=repeat, link_base=BASE_URL, now=now)
    assert text.startswith("Repeat: TS duty: job" if repeat else "TS duty: job")
    assert job.situation in text
    assert job.area.casefold() in text.casefold()
    assert ("joint, do not enter alone" in text) == job.joint
    assert (", urgent" in text) == job.urgent
    if job.by:
        assert wording.local_time(job.by, LONDON, now) in text
        assert ("overdue" in text) == (now > job.by)


JOB = Job(4821, "trader still at door", "BR1 3", AFTERNOON, urgent=True)


def test_the_offer_as_a_responder_sees_it() -> None:
    assert wording.offer(JOB, LONDON) == (
        "TS duty: job 4821, urgent, trader still at door. Area BR1 3. On scene by 15:10. "
        "Reply OK 4821 or NO 4821. Sign in for details."
    )
    assert wording.offer(replace(JOB, joint=True), LONDON) == (
        "TS duty: job 4821, urgent, trader still at door, joint, do not enter alone. Area BR1 3. "
        "On scene by 15:10. Reply OK 4821 or NO 4821. Sign in for details."
    )


def test_of_a_time_that_is_past_it_is_said_that_it_is_overdue() -> None:
    late = AFTERNOON + timedelta(seconds=1)
    assert wording.offer(JOB, LONDON, now=AFTERNOON) == wording.offer(JOB, LONDON)
    assert wording.offer(JOB, LONDON, now=late) == (
        "TS duty: job 4821, urgent, trader still at door. Area BR1 3. On scene as soon as you can, "
        "overdue since 15:10. Reply OK 4821 or NO 4821. Sign in for details."
    )
    said = (
        wording.confirm(JOB, LONDON, late),
        wording.assigned(JOB, LONDON, late),
        wording.companion(JOB, LONDON, late),
        wording.spoken_job(JOB, LONDON, late),
    )
    for text in said:
        assert re.search("overdue (since )?15:10", text)
        assert "by 15:10" not in text


def test_contacts_are_told_that_a_time_is_past() -> None:
    late = AFTERNOON + timedelta(seconds=1)
    assert " Needed by 15:10." in wording.nobody_left(JOB, LONDON, AFTERNOON)
    for say in (wording.nobody_left, wording.not_accepted, wording.rung_reached):
        assert " Overdue since 15:10." in say(JOB, LONDON, late)
    assert wording.joint_needed(JOB, LONDON, AFTERNOON) == (
        "TS duty: job 4821, trader still at door, BR1 3: joint, do not enter alone. "
        "Arrange police or 2nd officer by 15:10. Seen? Text OK and the job number."
    )
    assert "2nd officer now." in wording.joint_needed(JOB, LONDON, late)
    assert "release it now." in wording.joint_held(JOB, LONDON, late)


def test_the_link_is_named_where_it_fits_and_left_out_where_it_does_not() -> None:
    assert wording.offer(JOB, LONDON, link_base=f"{BASE_URL}/").endswith(
        "Reply OK 4821 or NO 4821. Details: https://rr.bromley.gov.uk/j/4821"
    )
    long = wording.offer(JOB, LONDON, link_base="https://" + "x" * 60 + ".gov.uk")
    assert "http" not in long
    assert long.endswith("Sign in for details.")


def test_a_repeat_keeps_the_question_and_drops_what_does_not_fit() -> None:
    text = wording.offer(replace(JOB, number=999_999, joint=True), LONDON, link_base=BASE_URL)
    again = wording.repeat_of(text)
    assert again.startswith("Repeat: TS duty: job 999999")
    assert "Reply OK 999999 or NO 999999." in again
    assert wording.repeat_of(again) == again
    assert septets(wording.repeat_of("x" * 400)) == 160


def test_as_many_open_jobs_as_fit() -> None:
    jobs = [replace(JOB, number=4821 + n) for n in range(3)]
    assert wording.several_open(jobs, LONDON) == (
        "3 jobs open with you: 4821 BR1 3 15:10; 4822 BR1 3 15:10; 4823 BR1 3 15:10. "
        "Text OK and the job number (or NO, GO, HERE, DONE)."
    )
    assert wording.several_open([], LONDON) == wording.no_open_job()
    assert "; 9 more. Text" in wording.several_open(jobs * 4, LONDON)
    assert wording.several_open(jobs[:1], LONDON).startswith("1 job open with you: 4821 BR1 3 15:10.")


@each(
    ("at", "now", "said"),
    [
        (AFTERNOON, None, "15:10"),
        (datetime(2026, 7, 1, 14, 10, tzinfo=UTC), None, "15:10"),
        (AFTERNOON, AFTERNOON - timedelta(hours=2), "15:10"),
        (AFTERNOON, AFTERNOON - timedelta(hours=16), "Wed 15:10"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), None, "01:30 BST"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), None, "01:30 GMT"),
        (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), None, "02:30"),
        (TWICE, LONG_BEFORE, "Sun 01:30 BST"),
    ],
)
def test_times_are_local_and_never_mistakable(at: datetime, now: datetime | None, said: str) -> None:
    assert wording.local_time(at, LONDON, now) == said


WARDS = ("Bromley Town", "Bromley Common & Holwood", "St Paul\u2019s Cray", "Beckenham Town & Copers Cope")


@each(
    ("postcode", "ward", "said"),
    [
        ("BR1 3UH", "Bromley Town", "BR1 3"),
        ("br13uh", None, "BR1 3"),
        (" br1 3uh ", None, "BR1 3"),
        ("SO16 7NP", None, "SO16 7"),
        ("SE9 2AA", None, "SE9 2"),
        ("W1A 1AA", None, "W1A 1"),
        ("BR1 3", None, "BR1 3"),
        ("BR1", None, "BR1"),
        (None, "Bromley Town", "Bromley Town"),
        ("", "bromley town ", "Bromley Town"),
        ("12 High Street", "Bromley Town", "Bromley Town"),
        (None, "Bromley Common & Holwood", "Bromley Common"),
        (None, "Beckenham Town & Copers Cope", "Beckenham Town"),
        (None, "St Paul\u2019s Cray", "St Paul's Cray"),
        (None, "Mrs Patel, 12 High Street", "area not known"),
        ("Mrs Patel", "CANARY", "area not known"),
        (None, None, "area not known"),
    ],
)
def test_an_area_is_no_finer_than_a_postcode_sector(
    postcode: str | None, ward: str | None, said: str
) -> None:
    assert wording.area(postcode, ward, wards=WARDS) == said


@settings(max_examples=40)
@given(st.text(max_size=30), st.text(max_size=30), st.lists(st.text(max_size=30), max_size=1))
def test_no_area_is_long_or_foreign(postcode: str, ward: str, wards: list[str]) -> None:
    said = wording.area(postcode, ward, wards=[*wards, ward])
    assert is_gsm7(said)
    assert len(said) <= wording.AREA_LIMIT


@each("canary", ["CANARY Mrs Patel", "07700 900123", "12 High Street BR1 3UH"])
def test_words_of_a_report_reach_no_text(canary: str) -> None:
    job = Job(4821, canary, canary + "!", AFTERNOON, urgent=True, joint=True)
    for say in SAID.values():
        for text in say(job, AFTERNOON, None):
            assert canary not in text
    assert canary not in wording.spoken_job(job, LONDON)


def test_situations_are_short_plain_and_from_the_list() -> None:
    for phrase in wording.SITUATIONS:
        assert len(phrase) <= wording.SITUATION_LIMIT
        assert is_gsm7(phrase)


@each(
    ("facts", "category", "said"),
    [
        (Facts(suspect_on_premises=True), Category.DOORSTEP_CRIME, "trader still at door"),
        (Facts(suspect_on_premises=True), Category.SCAM, "suspect at the address"),
        (
            Facts(suspect_on_premises=True, refuses_to_leave=True),
            Category.DOORSTEP_CRIME,
            "trader will not leave",
        ),
        (Facts(threat_or_fear=True, suspect_on_premises=True), Category.DOORSTEP_CRIME, "threats made"),
        (Facts(courier_expected=True), Category.SCAM, "courier expected"),
        (Facts(remote_access_on=True), Category.SCAM, "scam live on a device"),
        (Facts(suspect_returning=True), Category.DOORSTEP_CRIME, "trader coming back"),
        (Facts(suspect_on_premises=False), Category.DOORSTEP_CRIME, "doorstep crime report"),
        (Facts(), Category.SCAM, "scam report"),
        (Facts(), Category.OTHER, "report to check"),
    ],
)
def test_the_situation_says_what_awaits_the_responder(facts: Facts, category: Category, said: str) -> None:
    assert wording.situation(facts, category) == said


@each("category", Category)
def test_no_situation_tells_of_health_or_money(category: Category) -> None:
    kept_back = [
        "lives_alone", "cognitive_impairment", "recent_bereavement", "disability", "carer_dependent",
        "communication_need", "distress_or_self_harm", "being_taken_to_bank", "payment_pending",
        "paid_within_24h",
    ]  # fmt: skip
    for name in kept_back:
        said = wording.situation(facts_from_json({name: True, "payment_method": "cash"}), category)
        assert not re.search(
            "alone|ill|carer|bank|pay|paid|cash|money|harm|distress|old", said.replace("still", "")
        )
    for name in BOOLEAN_FACTS:
        assert wording.situation(facts_from_json({name: True}), category) in wording.SITUATIONS


def test_what_is_spoken() -> None:
    assert "4821" not in wording.spoken_offer()
    assert wording.spoken_job(replace(JOB, joint=True), LONDON) == (
        "Job 4, 8, 2, 1. Urgent. Trader still at door. Joint, do not enter alone. Area B R 1, 3. "
        "On scene by 15:10. Press 1 to accept, 2 to decline, star to hear it again."
    )
    notice = wording.repeat_of(wording.nobody_left(JOB, LONDON))
    assert wording.spoken_notice(notice) == (
        "Job 4, 8, 2, 1, trader still at door, B R 1, 3: nobody left to ask. Needed by 15:10. "
        "Assign someone. Press 1 to say that you have seen this, star to hear it again."
    )
    for said in (wording.spoken_offer(), wording.spoken_notice_first(), wording.spoken_goodbye()):
        assert not re.search(r"\d{2,}|job \d", said)
