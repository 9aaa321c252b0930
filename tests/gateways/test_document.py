"""How the network's callers read what we say, and that our builders say it properly."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapid_response.simulator.document import (
    Dial,
    Fetch,
    Gather,
    HangUp,
    NotADocument,
    Say,
    Speak,
    Wait,
    next_move,
    read,
)
from rapid_response.webhooks import twiml
from tests.cases import each

HERE = "/webhooks/twilio/voice?x=1"


def test_an_empty_answer_ends_the_call() -> None:
    assert next_move(read("", HERE), keys="", attended=True) == ("", HangUp())
    assert next_move(read(twiml.nothing(), HERE), keys="", attended=True) == ("", HangUp())


@each("answer", ["no", "<Other/>", "<Response>", "<html></html>"])
def test_what_is_no_document_is_refused(answer: str) -> None:
    with pytest.raises(NotADocument):
        read(answer, HERE)


@each(
    ("address", "path"),
    [
        ("/a?b=c", "/a?b=c"),
        ("menu", "/webhooks/twilio/menu"),
        ("?y=2", "/webhooks/twilio/voice?y=2"),
        ("https://elsewhere.example/a#rc=3", "/a"),
        ("", HERE),
    ],
)
def test_addresses_keep_only_path_and_query(address: str, path: str) -> None:
    document = f'<Response><Gather action="{address}"/></Response>'
    assert read(document, HERE) == (Gather(path, None, False),)


def test_keys_are_pressed_question_by_question() -> None:
    one = read('<Response><Gather numDigits="1" action="/k"/></Response>', HERE)
    many = read('<Response><Gather action="/k"/></Response>', HERE)

    assert next_move(one, keys="12", attended=True)[1] == Fetch("/k", {"Digits": "1"}, "2")
    assert next_move(many, keys="4821#1", attended=False)[1] == Fetch("/k", {"Digits": "4821"}, "1")
    assert next_move(one, keys="", attended=True)[1] == Wait()


def test_silence_is_an_answer_only_where_asked_for() -> None:
    asks = "<Response><Gather {} action='/k'><Say>one</Say></Gather><Say>two</Say></Response>"
    told = read(asks.format("actionOnEmptyResult='true'"), HERE)
    not_told = read(asks.format(""), HERE)

    assert next_move(told, keys="", attended=False) == ("one", Fetch("/k", {"Digits": ""}))
    assert next_move(not_told, keys="", attended=False) == ("one\ntwo", HangUp())


def test_nobody_answers_a_dialled_desk() -> None:
    told = read('<Response><Dial action="/d">+44</Dial></Response>', HERE)
    assert next_move(told, keys="", attended=False)[1] == Fetch("/d", {"DialCallStatus": "no-answer"})
    untold = read("<Response><Dial>+44</Dial><Pause/><Hangup/></Response>", HERE)
    assert untold[0] == Dial(None)
    assert next_move(untold, keys="", attended=False)[1] == HangUp()


def test_a_recording_is_transcribed_only_where_asked_for() -> None:
    (record,) = read('<Response><Record maxLength="60"/></Response>', HERE)
    assert next_move((record,), keys="", attended=False)[1] == Speak(record)  # type: ignore[arg-type]
    document = twiml.leave_message(["Speak"], message_to="/m", transcription_to="/t?a=1&b=2")
    said, wanted = read(document, HERE)
    assert said == Say("Speak")
    assert (wanted.action, wanted.transcribe_to) == ("/m", "/t?a=1&b=2")  # type: ignore[union-attr]


@settings(deadline=None)  # other tests keep the machine busy
@given(st.text(max_size=80))
def test_any_sentence_can_be_spoken(sentence: str) -> None:
    for document in (
        twiml.say_and_hang_up([sentence]),
        twiml.ask_for_key([sentence], keys_to="/k", goodbye=[sentence]),
    ):
        root = ElementTree.fromstring(document)  # noqa: S314 - our own
        assert {element.tag for element in root.iter()} <= {"Response", "Say", "Gather", "Hangup"}


def test_words_are_escaped() -> None:
    document = twiml.say_and_hang_up(["<Dial>+44</Dial> & more"])
    assert read(document, HERE)[0] == Say("<Dial>+44</Dial> & more")


def test_the_same_arguments_make_the_same_document() -> None:
    def make() -> str:
        return twiml.hotline_greeting(
            ["Hello"], keys_to="/k", before_tone=["Speak"], message_to="/m", transcription_to="/t"
        )

    assert make() == make()
    heard, move = next_move(read(make(), HERE), keys="", attended=False)
    assert heard == "Hello\nSpeak"
    assert isinstance(move, Speak)
