"""What is read out of a text: word, number, code, arrival time, doubts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from rapid_response.core.vocabulary import ShortDisposition
from rapid_response.dispatch.replies import Doubt, Reply, Verb, read
from tests.cases import each
from tests.rules.test_wording import JOB, SAID


@each(
    ("text", "reply"),
    [
        ("OK 4821", Reply(Verb.ACCEPT, 4821, heard=(Verb.ACCEPT,))),
        ("ok", Reply(Verb.ACCEPT, is_bare=True, heard=(Verb.ACCEPT,))),
        ("yes 4821 15 mins", Reply(Verb.ACCEPT, 4821, eta_minutes=15, heard=(Verb.ACCEPT,))),
        ("OK 4821 ETA 20", Reply(Verb.ACCEPT, 4821, eta_minutes=20, heard=(Verb.ACCEPT,))),
        ("cant, at Dentist", Reply(Verb.DECLINE, rest="at Dentist", heard=(Verb.DECLINE,))),
        (
            "ok 4821 at 15:10, ring me on 07700 900123",
            Reply(Verb.ACCEPT, 4821, rest="at 15:10, ring me on 07700 900123", heard=(Verb.ACCEPT,)),
        ),
        (
            "DONE 4821 POLICE cad 5521/22nov, he was taken away",
            Reply(
                Verb.DONE,
                4821,
                ShortDisposition.POLICE,
                rest="he was taken away",
                heard=(Verb.DONE,),
                cad_reference="5521/22NOV",
            ),
        ),
        ("ok not 4821", Reply(Verb.NONE, 4821, rest="not", ambiguous=Doubt.NEGATED, heard=(Verb.ACCEPT,))),
        (
            "Der Mann ist weg",
            Reply(Verb.NONE, rest="Der Mann ist weg"),
        ),
    ],
)
def test_all_that_is_read(text: str, reply: Reply) -> None:
    assert read(text) == reply


@each(
    ("text", "minutes"),
    [
        ("ok 4821 eta 20", 20),
        ("ok 4821 ETA: 5 min", 5),
        ("ok 4821 20m", 20),
        ("ok 4821, about 25 minutes", 25),
        ("go 4821 in 10", 10),
        ("ok 4821 1 hr", 60),
        ("ok 4821 2 hours", 120),
        ("ok 4821 an hour", 60),
        ("ok 4821 half an hour", 30),
        ("ok 4821 eta 15:10", None),
        ("ok 4821 eta 0", None),
        ("ok 4821 eta 999", None),
        ("ok 4821", None),
        ("no 4821, 20 mins away from anything", None),
        ("here 4821 after 40 mins", None),
    ],
)
def test_when_she_will_be_there(text: str, minutes: int | None) -> None:
    reply = read(text)
    assert reply.number == 4821
    assert reply.eta_minutes == minutes


@each(
    ("text", "code"),
    [
        *((f"DONE 4821 {code.value}", code) for code in ShortDisposition),
        *((f"done {code.value.lower()} 4821", code) for code in ShortDisposition),
        ("done 4821 by phone", ShortDisposition.PHONE),
        ("done 4821: no trace", ShortDisposition.NOTRACE),
        ("done 4821 - no contact", ShortDisposition.NOCONTACT),
        ("done with 4821 as no crime", ShortDisposition.NOCRIME),
        ("done 4821 code helped", ShortDisposition.HELPED),
        ("done 4821 helpd", ShortDisposition.HELPED),
        ("done 4821 plice", ShortDisposition.POLICE),
        ("done 4821 advise", ShortDisposition.ADVICE),
        ("done 4821 nocontcat", ShortDisposition.NOCONTACT),
        ("done 4821 phne", None),
        ("done 4821", None),
        ("done 4821 sorted", None),
        ("done 4821 she phoned the police", None),
    ],
)
def test_the_outcome_code_is_the_next_word(text: str, code: ShortDisposition | None) -> None:
    reply = read(text)
    assert (reply.verb, reply.number, reply.code) == (Verb.DONE, 4821, code)


@each("number", [2400, 4821, 9999, 10234, 99_999, 482_199])
def test_job_numbers_have_four_to_six_digits(number: int) -> None:
    assert read(f"OK{number}").number == number


@each(
    "rest",
    [
        "at 15:10", "by 3pm", "1510hrs", "at 1510", "in 2026", "on 25/11/26", "2026-11-25", "07700 900123",
        "+44 7700 900123", "0300 123 2040", "they want £3500", "they want 3500 pounds", "£3,500 gone",
        "10000 quid", "BR1 3UH", "30 miles off", "4821",
    ],
)  # fmt: skip
def test_other_digits_are_no_second_job(rest: str) -> None:
    reply = read(f"ok 4821 {rest}")
    assert (reply.verb, reply.number) == (Verb.ACCEPT, 4821)


@each(
    ("text", "doubt"),
    [
        ("ok 4821 5530", Doubt.TWO_NUMBERS),
        ("ok 4821 go", Doubt.TWO_WORDS),
        ("can't do 4821 ok", Doubt.TWO_WORDS),
        ("ok 4821 if I must", Doubt.NEGATED),
        ("ok 4821 but I wouldn\u2019t go alone", Doubt.NEGATED),
        ("done 4821 helped, not all though", Doubt.NEGATED),
        ("y", Doubt.NUMBER_NEEDED),
        ("ok 482", Doubt.UNCLEAR_NUMBER),
        ("go 48215530", Doubt.UNCLEAR_NUMBER),
        ("ok what is it", Doubt.QUESTION),
        ("no problem", Doubt.COURTESY),
        ("Loved \u201cTS duty: job 4821, scam report. Reply OK 4821 or NO 4821.\u201d", Doubt.COURTESY),
    ],
)
def test_a_doubt_has_a_reason_and_no_word(text: str, doubt: Doubt) -> None:
    reply = read(text)
    assert (reply.verb, reply.ambiguous) == (Verb.NONE, doubt)


LONDON = ZoneInfo("Europe/London")
OURS = sorted(
    {
        text
        for say in SAID.values()
        for text in say(JOB, JOB.by or datetime(2026, 11, 25, tzinfo=UTC), None)
        if len(text) < 250
    }
)


@each("ours", OURS)
def test_a_copy_of_our_own_text_is_not_the_reply(ours: str) -> None:
    assert read(ours).verb in (Verb.NONE, Verb.HELP)
    assert read(f"Repeat: {ours}").verb in (Verb.NONE, Verb.HELP)
    for quoted in (f"OK 5530\n> {ours}", f"OK 5530\n\n{ours}", f"> {ours}\nok 5530", f'"{ours}" OK 5530'):
        reply = read(quoted)
        assert (reply.verb, reply.number, reply.rest) == (Verb.ACCEPT, 5530, ""), quoted


@settings(max_examples=100)
@given(st.text(max_size=120))
def test_q1_no_input_raises(text: str) -> None:
    for written in (text, f"ok {text}", f"OK 4821 {text}", f"done 4821 {text}"):
        assert isinstance(read(written), Reply)


def test_a_very_long_text_is_read_at_once() -> None:
    started = datetime.now(UTC)  # noqa: TID251 - real time is what is measured
    for piece in (
        "a",
        "0 ",
        "( 0",
        "4821 ",
        "\n> ",
        "ts duty: job ",
        "\ufdfa",
        "job 4821: ",
        '"ts duty:',
        "cad 1/",
    ):
        read("ok " + piece * 800)
    assert datetime.now(UTC) - started < timedelta(seconds=10)  # noqa: TID251


NEGATIONS = [
    "not",
    "n't",
    "don't",
    "can\u2019t",
    "cant",
    "cannot",
    "unable",
    "no",
    "unless",
    "if",
    "won't",
    "Not",
    "NO",
]
WRITTEN = """
ok|OK|okay|yes|y|accept|go|here|done|4821|5530|at 15:10|eta 20|helped|thanks|please|I|will|problem|idea|the|?
,|.|!|police|cad|on my way|nobody|answer|contact|seen|noted|job|for|x|(|"|#|-|in 10|07700 900123|accpet
4 8 2 1|in|but
"""
PIECES = st.sampled_from(WRITTEN.strip().replace("\n", "|").split("|"))


@settings(max_examples=150)
@given(
    st.lists(PIECES, max_size=5),
    st.sampled_from(NEGATIONS),
    st.lists(PIECES, max_size=5),
    st.sampled_from([" ", ", ", "  "]),
)
def test_q1_nothing_with_a_negation_says_yes(
    before: list[str], negation: str, after: list[str], gap: str
) -> None:
    reply = read(gap.join([*before, negation, *after]))
    assert reply.verb not in (Verb.ACCEPT, Verb.GO, Verb.HERE)
