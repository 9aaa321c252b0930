"""What a reply does, by who sent it and how she stands to the job (delivery.md 9.4, design.md 5 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rapid_response.core.incident import (
    OWNED_STATUSES,
    SEEKING_STATUSES,
    Action,
    ClockFacts,
    Status,
    after,
)
from rapid_response.core.states import OfferState, Purpose
from rapid_response.core.vocabulary import ClockState, ContactRole, Disposition, ShortDisposition
from rapid_response.dispatch.replies import Verb, read
from rapid_response.dispatch.reply_decision import (
    DISPOSITIONS,
    Answer,
    Effect,
    JobView,
    LastText,
    ReplyDecision,
    Sender,
    SenderKind,
    decide,
)
from rapid_response.messaging import wording
from tests.cases import each

NOW = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)
ASHA = Sender(SenderKind.RESPONDER, "asha")
DEE = Sender(SenderKind.BOTH, "dee", frozenset({ContactRole.DUTY_OFFICER}))
LEADER = Sender(SenderKind.CONTACT, None, frozenset({ContactRole.TEAM_LEADER}))

OFFERED = JobView(4821, "a", Status.DISPATCHING, OfferState.OPEN)
LAPSED = replace(OFFERED, offer_state=OfferState.LAPSED)
TAKEN = replace(OFFERED, offer_state=OfferState.WITHDRAWN, status=Status.ASSIGNED, taken_by_other=True)
CLOSED = replace(OFFERED, offer_state=OfferState.WITHDRAWN, status=Status.CLOSED, closed=True)
HELD = JobView(4821, "a", Status.ASSIGNED, OfferState.ACCEPTED, held=True)
AT_THE_DOOR = replace(HELD, status=Status.ON_SCENE, clock_stopped=True)
TOLD = JobView(4821, "a", Status.DISPATCHING, open_notice=True)
OTHER = replace(OFFERED, job_number=5530, incident_id="b")

ASKED = LastText(Purpose.OFFER, "a", NOW)


def by(
    text: str, *jobs: JobView, sender: Sender = ASHA, last: LastText | None = ASKED, written: datetime = NOW
) -> ReplyDecision:
    return decide(read(text), sender, jobs, [last] if last else [], written)


def actions(decision: ReplyDecision) -> list[Action]:
    return [action for action, _ in decision.actions]


# --- OK -------------------------------------------------------------------------------------------


def test_an_acceptance_carries_the_arrival_time() -> None:
    decision = by("yes 4821 15 mins", OFFERED)
    assert decision.actions == ((Action.ACCEPT, {"eta_minutes": 15}),)
    assert (decision.answer, decision.late, decision.flagged) == (Answer.CONFIRM, False, False)


def test_words_beside_a_command_are_kept() -> None:
    assert actions(by("ok 4821 what is the door number", OFFERED)) == [Action.ACCEPT, Action.NOTE]
    assert actions(by("cant, at dentist", OFFERED)) == [Action.DECLINE, Action.NOTE]


def test_a_second_ok_is_confirmed_again_and_does_nothing() -> None:
    decision = by("ok 4821", HELD)
    assert (decision.effect, decision.answer, decision.actions) == (Effect.ALREADY, Answer.CONFIRM, ())


@each("status", SEEKING_STATUSES)
def test_a_late_ok_is_welcome_while_nobody_has_the_job(status: Status) -> None:
    decision = by("ok 4821", replace(LAPSED, status=status))
    assert (actions(decision), decision.late) == ([Action.ACCEPT], True)
    assert actions(by("ok", LAPSED)) == [Action.ACCEPT]
    assert by("ok", LAPSED, last=None).effect is Effect.SILENT


@each("word", ["ok", "no", "go", "here", "done", "nobody", "safe"])
@each("job", [TAKEN, CLOSED, replace(LAPSED, status=Status.SCHEDULED)])
def test_a_job_that_is_gone_is_not_yours_any_more(word: str, job: JobView) -> None:
    decision = by(f"{word} 4821", job)
    assert (decision.effect, decision.answer, decision.actions) == (Effect.ALREADY, Answer.NOT_YOURS, ())


@each("jobs", [(), (OTHER,), (JobView(4821, "a", Status.DISPATCHING),)])
@each("word", ["ok", "no", "go", "here", "done", "safe", "what about"])
def test_nothing_is_said_about_a_job_that_was_never_hers(word: str, jobs: tuple[JobView, ...]) -> None:
    decision = by(f"{word} 4821", *jobs)
    assert (decision.effect, decision.answer, decision.flagged) == (Effect.CLARIFY, Answer.CLARIFY, True)
    assert (decision.incident_id, decision.job_number) == (None, None)


@each("state", [OfferState.DECLINED, OfferState.RELEASED])
def test_a_change_of_mind_goes_to_the_desk(state: OfferState) -> None:
    for word in ("ok", "go", "here"):
        decision = by(f"{word} 4821", replace(OFFERED, offer_state=state))
        assert (decision.answer, decision.flagged, decision.actions) == (Answer.DECLINED_BEFORE, True, ())
    assert by("no 4821", replace(OFFERED, offer_state=state)).effect is Effect.ALREADY


def test_the_job_alive_is_meant_when_a_number_has_come_back() -> None:
    old = replace(CLOSED, incident_id="old")
    assert by("ok 4821", old, OFFERED).incident_id == "a"


# --- the courtesy guard ---------------------------------------------------------------------------


@each("text", ["ok", "OK.", "yes", "ok thanks", "okay 👍"])
@each("purpose", [Purpose.CONFIRM, Purpose.STAND_DOWN])
@each("jobs", [(), (OFFERED,), (HELD,), (OFFERED, OTHER)])
def test_a_bare_ok_after_our_own_answer_is_swallowed(
    text: str, purpose: Purpose, jobs: tuple[JobView, ...]
) -> None:
    assert by(text, *jobs, last=LastText(purpose, "a", NOW)).effect is Effect.SILENT


@each(
    "last",
    [
        None,
        LastText(Purpose.OFFER, "b", NOW),
        LastText(Purpose.CLARIFY, "a", NOW),
        LastText(Purpose.OFFER, "a", NOW - timedelta(hours=13)),
    ],
)
def test_a_bare_ok_to_anything_but_this_offer_is_asked_back(last: LastText | None) -> None:
    assert by("ok", OFFERED, last=last).effect is Effect.LIST_JOBS


@each("purpose", [Purpose.OFFER, Purpose.REMINDER])
def test_a_bare_ok_to_this_offer_or_its_reminder_accepts(purpose: Purpose) -> None:
    assert actions(by("ok", OFFERED, last=LastText(purpose, "a", NOW))) == [Action.ACCEPT]


def test_a_bare_ok_with_two_open_jobs_is_asked_back() -> None:
    assert by("ok", OFFERED, OTHER).effect is Effect.LIST_JOBS
    assert by("ok", OTHER, HELD, last=LastText(Purpose.OFFER, "b", NOW)).effect is Effect.LIST_JOBS


def test_a_bare_ok_from_the_owner_or_from_nobody_says_nothing() -> None:
    assert by("ok", HELD, last=LastText(Purpose.REMINDER, "a", NOW)).effect is Effect.SILENT
    assert by("ok").effect is Effect.SILENT


def perhaps(text: str, *jobs: JobView, last: Sequence[LastText]) -> ReplyDecision:
    """As `by`, where nobody knows which of several texts she got last."""
    return decide(read(text), ASHA, jobs, last, NOW)


@each("purpose", [Purpose.OFFER, Purpose.NOTICE, Purpose.CHECK_IN])
@each("job", [OFFERED, LAPSED, HELD, TOLD, AT_THE_DOOR])
def test_a_bare_ok_to_what_may_not_have_gone_is_asked_back(purpose: Purpose, job: JobView) -> None:
    last = [LastText(purpose, "a", NOW), LastText(Purpose.CONFIRM, "b", NOW)]
    for unclear in (last, last[::-1]):
        assert perhaps("ok", job, last=unclear).effect is Effect.LIST_JOBS


def test_a_bare_ok_is_clear_where_it_is_the_same_whichever_text_she_got() -> None:
    asked_again = [LastText(Purpose.REMINDER, "a", NOW), ASKED]
    assert actions(perhaps("ok", OFFERED, last=asked_again)) == [Action.ACCEPT]
    thanked = [LastText(Purpose.CONFIRM, "a", NOW), LastText(Purpose.STAND_DOWN, "b", NOW)]
    assert perhaps("ok", OFFERED, last=thanked).effect is Effect.SILENT


# --- what she had heard of when she wrote ---------------------------------------------------------

LATER = NOW + timedelta(minutes=1)


@each("word", ["ok", "no", "go", "here", "done helped", "nobody", "safe", "I will be ten minutes"])
@each(
    "job",
    [
        replace(OFFERED, asked_at=LATER),
        replace(HELD, asked_at=LATER),
        replace(TOLD, told_at=LATER),
    ],
)
def test_a_word_alone_means_nothing_that_she_heard_of_later(word: str, job: JobView) -> None:
    for last in (None, LastText(Purpose.OFFER, "b", NOW)):
        decision = by(word, job, last=last)
        assert (decision.incident_id, decision.actions) == (None, ())


def test_a_word_alone_means_what_she_was_asked_before_and_a_number_always_means_its_job() -> None:
    late = replace(OTHER, asked_at=LATER)
    for word, action in (("ok", Action.ACCEPT), ("no", Action.DECLINE), ("go", Action.ACCEPT)):
        decision = by(word, replace(LAPSED, asked_at=NOW), late)
        assert (decision.incident_id, actions(decision)[0]) == ("a", action)
    assert actions(by("ok 5530", late)) == [Action.ACCEPT]


def test_how_long_the_last_text_explains_an_ok_is_counted_from_when_it_was_written() -> None:
    assert actions(by("ok", OFFERED, written=NOW + timedelta(hours=12))) == [Action.ACCEPT]
    assert by("ok", OFFERED, written=NOW + timedelta(hours=13)).effect is Effect.LIST_JOBS


def test_words_of_danger_are_heeded_whenever_she_was_asked() -> None:
    assert by("send police", replace(AT_THE_DOOR, asked_at=LATER)).alert


def test_a_thumb_on_an_offer_is_asked_back_and_on_a_confirmation_swallowed() -> None:
    thumb = "Liked \u201cTS duty: job 4821, scam report. Reply OK 4821 or NO 4821.\u201d"
    assert by(thumb, OFFERED).effect is Effect.LIST_JOBS
    assert by(thumb, HELD, last=LastText(Purpose.CONFIRM, "a", NOW)).effect is Effect.SILENT


# --- NO -------------------------------------------------------------------------------------------


def test_a_no_needs_no_number_where_one_offer_is_open() -> None:
    held_too = replace(HELD, job_number=7204, incident_id="c")
    assert by("no", OFFERED, held_too).incident_id == "a"
    assert by("no", OFFERED, OTHER).effect is Effect.LIST_JOBS


def test_a_no_from_the_owner_gives_the_job_back() -> None:
    decision = by("no 4821, called to court", replace(HELD, status=Status.EN_ROUTE))
    assert (actions(decision), decision.flagged) == ([Action.RELEASE, Action.NOTE], True)
    assert by("no 4821", AT_THE_DOOR).answer is Answer.NOT_POSSIBLE


# --- GO, HERE -------------------------------------------------------------------------------------


def test_on_the_way_and_there() -> None:
    assert actions(by("go", HELD)) == [Action.EN_ROUTE]
    assert actions(by("here", HELD)) == [Action.ON_SCENE]
    assert actions(by("here", replace(HELD, status=Status.EN_ROUTE))) == [Action.ON_SCENE]


def test_go_on_an_open_offer_is_ok_and_go() -> None:
    decision = by("go 4821 eta 20", OFFERED)
    assert decision.actions == ((Action.ACCEPT, {"eta_minutes": 20}), (Action.EN_ROUTE, {}))
    assert not decision.flagged


def test_here_on_an_unanswered_offer_is_ok_and_here_and_looked_at() -> None:
    decision = by("here 4821", OFFERED)
    assert (actions(decision), decision.flagged) == ([Action.ACCEPT, Action.ON_SCENE], True)
    assert by("here 4821", LAPSED).late


@each(
    ("text", "status", "answer"),
    [
        ("go", Status.EN_ROUTE, Answer.EN_ROUTE),
        ("go", Status.ON_SCENE, Answer.ON_SCENE),
        ("here", Status.ON_SCENE, Answer.ON_SCENE),
    ],
)
def test_what_was_said_before_is_confirmed_again(text: str, status: Status, answer: Answer) -> None:
    decision = by(text, replace(HELD, status=status))
    assert (decision.effect, decision.answer) == (Effect.ALREADY, answer)


# --- DONE, NOBODY, SAFE ---------------------------------------------------------------------------


@each(
    ("code", "job", "done", "flagged"),
    [
        ("HELPED", HELD, [Action.ON_SCENE, Action.CLOSE], True),
        ("HELPED", AT_THE_DOOR, [Action.CLOSE], False),
        ("PHONE", HELD, [Action.REMOTE_RESPONSE, Action.CLOSE], True),
        ("PHONE", AT_THE_DOOR, [Action.CLOSE], True),
        ("NOTRACE", HELD, [Action.NO_CONTACT], False),
        ("NOCONTACT", AT_THE_DOOR, [Action.NO_CONTACT], False),
        ("ADVICE", AT_THE_DOOR, [Action.CLOSE], False),
        ("DECLINED", AT_THE_DOOR, [Action.CLOSE], False),
        ("NOCRIME", AT_THE_DOOR, [Action.CLOSE], False),
        ("ADVICE", replace(HELD, clock_applies=False), [Action.CLOSE], False),
        ("POLICE CAD 5521", HELD, [Action.POLICE_HANDOVER, Action.CLOSE], True),
        ("POLICE CAD 5521", AT_THE_DOOR, [Action.NOTE, Action.CLOSE], True),
    ],
)
def test_what_a_code_does(code: str, job: JobView, done: list[Action], flagged: bool) -> None:
    decision = by(f"DONE 4821 {code}", job)
    assert (actions(decision), decision.flagged) == (done, flagged)
    assert decision.code is ShortDisposition(code.split()[0])
    if Action.CLOSE in done:
        assert dict(decision.actions)[Action.CLOSE] == {"disposition": DISPOSITIONS[decision.code].value}


def test_a_response_by_phone_names_a_protective_act_to_be_confirmed() -> None:
    decision = by("done 4821 phone", HELD)
    assert decision.actions == (
        (Action.REMOTE_RESPONSE, {"protective_act": "other"}),
        (Action.CLOSE, {"disposition": "resolved_remote"}),
    )
    assert decision.answer is Answer.REMOTE


@each(
    ("text", "answer"),
    [
        ("done 4821", Answer.CODE_LIST),
        ("done 4821 sorted", Answer.CODE_LIST),
        ("done 4821 advice", Answer.HERE_FIRST),
        ("done 4821 declined", Answer.HERE_FIRST),
        ("done 4821 nocrime", Answer.HERE_FIRST),
        ("done 4821 police", Answer.POLICE_REFERENCE),
    ],
)
def test_what_is_missing_is_asked_for_and_nothing_is_closed(text: str, answer: Answer) -> None:
    decision = by(text, HELD)
    assert (decision.effect, decision.answer, decision.actions) == (Effect.CLARIFY, answer, ())


@each("text", ["done 4821 helped", "nobody 4821", "safe 4821"])
def test_an_end_before_an_ok_is_asked_back_and_looked_at(text: str) -> None:
    decision = by(text, OFFERED)
    assert (decision.answer, decision.flagged, decision.actions) == (Answer.ACCEPT_FIRST, True, ())


def test_a_done_of_a_job_she_closed_is_confirmed_again() -> None:
    mine = replace(CLOSED, offer_state=OfferState.DONE)
    decision = by("done 4821 helped", mine)
    assert (decision.effect, decision.answer, decision.code) == (
        Effect.ALREADY, Answer.CLOSED, ShortDisposition.HELPED,
    )  # fmt: skip


def test_nobody_there_leaves_the_job_open() -> None:
    assert actions(by("nobody", AT_THE_DOOR)) == [Action.NO_CONTACT]
    assert by("nobody", AT_THE_DOOR).answer is Answer.NO_CONTACT


def test_a_check_in_is_for_the_job_at_hand() -> None:
    other = replace(HELD, job_number=7204, incident_id="c")
    decision = by("safe", other, AT_THE_DOOR)
    assert (decision.effect, decision.incident_id, decision.answer) == (Effect.CHECK_IN, "a", Answer.SAFE)
    assert by("safe").answer is Answer.NO_OPEN_JOB


ASKED_IF_SAFE = LastText(Purpose.CHECK_IN, "a", NOW)


@each("text", ["ok", "yes", "OK 4821", "yes 4821 all fine"])
def test_an_ok_to_the_question_is_a_check_in(text: str) -> None:
    decision = by(text, AT_THE_DOOR, last=ASKED_IF_SAFE)
    assert (decision.effect, actions(decision)[0], decision.answer) == (
        Effect.CHECK_IN, Action.CHECK_IN, Answer.SAFE,
    )  # fmt: skip
    assert by(text, AT_THE_DOOR, last=ASKED).effect is not Effect.CHECK_IN
    late = by("ok", AT_THE_DOOR, last=ASKED_IF_SAFE, written=NOW + timedelta(hours=13))
    assert late.effect is Effect.SILENT


@each("text", ["ok?", "thanks", "not ok", "no"])
def test_nothing_less_is_one(text: str) -> None:
    assert Action.CHECK_IN not in actions(by(text, AT_THE_DOOR, last=ASKED_IF_SAFE))


ALONG = JobView(4821, "a", Status.ON_SCENE, companion=True, taken_by_other=True, clock_stopped=True)


@each(
    ("text", "effect", "done", "answer"),
    [
        ("safe", Effect.CHECK_IN, [Action.CHECK_IN], Answer.SAFE),
        ("SAFE 4821", Effect.CHECK_IN, [Action.CHECK_IN], Answer.SAFE),
        ("NO 4821", Effect.ACT, [Action.RELEASE_COMPANION], Answer.RELEASED),
        ("OK 4821", Effect.ALREADY, [], Answer.COMPANION),
        ("GO 4821", Effect.ALREADY, [], Answer.COMPANION),
        ("HERE 4821 by the gate", Effect.NOTE, [Action.NOTE], Answer.COMPANION),
        ("DONE 4821 HELPED", Effect.CLARIFY, [], Answer.NOT_POSSIBLE),
        ("NOBODY 4821", Effect.CLARIFY, [], Answer.NOT_POSSIBLE),
        ("there is a second van", Effect.NOTE, [Action.NOTE], Answer.NOTE_KEPT),
    ],
)
def test_a_second_officers_words(text: str, effect: Effect, done: list[Action], answer: Answer) -> None:
    decision = by(text, ALONG, last=None)
    assert (decision.effect, actions(decision), decision.answer) == (effect, done, answer)


@each("text", ["help", "not safe", "NOT SAFE 4821", "he has a knife", "please send police"])
@each("job", [AT_THE_DOOR, ALONG])
def test_words_of_danger_from_a_door_are_an_alert(text: str, job: JobView) -> None:
    decision = by(text, job)
    assert (decision.alert, decision.effect, decision.answer) == (True, Effect.NOTE, Answer.HELP_COMING)
    assert not by(text, replace(job, status=Status.ASSIGNED)).alert
    assert by(f"SAFE 4821 but {text}", job).alert


@each("text", ["?", "words", "SAFE 4821", "the helper is here", "safe"])
def test_others_are_none(text: str) -> None:
    assert not by(text, AT_THE_DOOR).alert


def test_not_safe_reaches_a_person() -> None:
    for text in ("not safe", "NOT SAFE 4821", "unsafe", "I am in trouble"):
        decision = by(text, AT_THE_DOOR)
        assert (decision.effect, decision.flagged, decision.incident_id) == (Effect.NOTE, True, "a")
    assert by("help", AT_THE_DOOR).flagged


# --- contacts -------------------------------------------------------------------------------------

NOTICED = LastText(Purpose.NOTICE, "a", NOW)


@each("text", ["OK 4821", "yes 4821", "ok", "noted 4821", "thanks", "Seen 4821"])
def test_a_contacts_ok_acknowledges_and_accepts_nothing(text: str) -> None:
    decision = by(text, TOLD, sender=LEADER, last=NOTICED)
    assert (actions(decision), decision.answer) == ([Action.ACKNOWLEDGE], Answer.SEEN)


def test_of_two_notices_a_bare_ok_acknowledges_the_one_it_follows() -> None:
    two = (TOLD, replace(TOLD, job_number=5530, incident_id="b"))
    assert by("ok", *two, sender=LEADER, last=NOTICED).incident_id == "a"
    assert by("ok", *two, sender=LEADER, last=None).effect is Effect.LIST_JOBS
    assert by("ok", TOLD, sender=LEADER, last=None).incident_id == "a"


def test_a_notice_seen_before_is_confirmed_again() -> None:
    seen = replace(TOLD, open_notice=False, notice_seen=True)
    assert by("ok 4821", seen, sender=LEADER).answer is Answer.SEEN
    assert by("ok 4821", seen, sender=LEADER).actions == ()


@each("text", ["no 4821", "go 4821", "here 4821", "done 4821 helped", "I will go"])
def test_other_words_of_a_contact_are_notes(text: str) -> None:
    decision = by(text, TOLD, sender=LEADER)
    assert (decision.effect, decision.incident_id, decision.flagged) == (Effect.NOTE, "a", True)


def test_who_is_both_takes_her_offer_and_else_acknowledges() -> None:
    assert actions(by("ok 4821", replace(OFFERED, open_notice=True), sender=DEE)) == [Action.ACCEPT]
    # Her offer has lapsed and the notice that nobody accepted came after it: her OK answers the notice.
    lapsed = replace(LAPSED, open_notice=True)
    assert actions(by("ok 4821", lapsed, sender=DEE, last=NOTICED)) == [Action.ACKNOWLEDGE]
    assert actions(by("ok 4821", lapsed, sender=DEE, last=ASKED)) == [Action.ACCEPT]
    assert actions(by("ok 4821", replace(HELD, open_notice=True), sender=DEE)) == [Action.ACKNOWLEDGE]


# --- others ---------------------------------------------------------------------------------------


@each("text", ["OK 4821", "help there is a man at my door", "STOP", "", "?"])
def test_an_unknown_number_may_be_a_victims(text: str) -> None:
    decision = by(text, sender=Sender(SenderKind.UNKNOWN))
    assert (decision.effect, decision.actions, decision.flagged) == (Effect.NEW_REPORT, (), True)


def test_our_own_numbers_are_not_talked_to() -> None:
    assert by("OK 4821", OFFERED, sender=Sender(SenderKind.NOT_A_PERSON)).effect is Effect.DROP


def test_stopping_texts_is_seen_by_a_person() -> None:
    decision = by("STOP", OFFERED)
    assert (decision.effect, decision.incident_id, decision.flagged) == (Effect.OPT_OUT, "a", True)
    assert by("START").effect is Effect.OPT_IN


def test_free_text_is_kept_where_it_belongs() -> None:
    assert by("running late", HELD).incident_id == "a"
    assert by("running late", HELD).answer is Answer.NOTE_KEPT
    assert by("about 4821: gate code?", TAKEN).incident_id == "a"
    assert by("running late", HELD, OTHER).effect is Effect.CLARIFY
    assert by("running late", HELD, OTHER).flagged


# --- what holds of every decision -----------------------------------------------------------------

WRITTEN = """
ok; OK 4821; yes; y 4821; no; no 4821; cant, at dentist; go; go 4821; here; here 4821; done; nobody; safe 4821
?; thanks; running late; 4821; ok 4821 5530; ok not 4821; STOP; ok in 20; ok will come; no problem; k; ok 482
done helped; done 4821 police cad 55; done 4821 helped; done 4821 phone; done 4821 advice; done 4821 police
done 4821 notrace; done 4821 nocontact; done 4821 declined; done 4821 nocrime
"""
WORDS = st.sampled_from([text.strip() for line in WRITTEN.splitlines() for text in line.split(";") if text])
JOB_VIEWS = st.builds(
    JobView,
    job_number=st.sampled_from([4821, 5530]),
    incident_id=st.uuids().map(str),
    status=st.sampled_from(Status),
    offer_state=st.none() | st.sampled_from(OfferState),
    held=st.booleans(),
    taken_by_other=st.booleans(),
    closed=st.booleans(),
    clock_stopped=st.booleans(),
    clock_applies=st.booleans(),
    open_notice=st.booleans(),
    notice_seen=st.booleans(),
).filter(lambda j: not (j.held and (j.taken_by_other or j.closed or j.status not in OWNED_STATUSES)))


@settings(max_examples=80)
@given(WORDS, st.lists(JOB_VIEWS, max_size=3), st.data())
def test_a_decision_is_legal_for_its_job(text: str, jobs: list[JobView], data: st.DataObject) -> None:
    sender = data.draw(st.sampled_from([ASHA, DEE, LEADER]))
    about = data.draw(st.sampled_from([None, *(job.incident_id for job in jobs)]))
    last = data.draw(st.lists(st.sampled_from([LastText(p, about, NOW) for p in Purpose]), max_size=2))
    decision = decide(read(text), sender, jobs, last, NOW)
    assert decision.why
    if not decision.actions:
        return
    job = next(j for j in jobs if j.incident_id == decision.incident_id)
    assert decision.job_number == job.job_number
    if Action.ACCEPT in actions(decision):
        assert job.offer_state in (OfferState.OPEN, OfferState.LAPSED)
        assert not any((job.held, job.taken_by_other, job.closed))
    if decision.effect is not Effect.ACT or Action.ACKNOWLEDGE in actions(decision):
        return
    status, stopped = job.status, job.clock_stopped
    state = ClockState.RUNNING if job.clock_applies else ClockState.NOT_APPLICABLE
    for action in actions(decision):
        status = after(status, action, ClockFacts(state, stopped))
        stopped = stopped or action in (Action.ON_SCENE, Action.REMOTE_RESPONSE, Action.POLICE_HANDOVER)


def test_every_answer_has_its_sentence_and_every_code_its_disposition() -> None:
    for answer in Answer:
        assert callable(getattr(wording, answer.value))
    assert set(DISPOSITIONS) == set(ShortDisposition)
    assert set(DISPOSITIONS.values()) <= set(Disposition)
    assert {verb.value for verb in Verb} >= {"accept", "none"}
