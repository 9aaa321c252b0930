"""What we answer when a call asks what to say: TwiML from the provider's own builders, which escape.

The sentences come from the caller of these functions; here is only the shape of a conversation. Every
document is made from its arguments alone, so that a repeated request gets the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import VoiceResponse

MEDIA_TYPE = "application/xml"

_LANGUAGE = "en-GB"
#: Slow enough for an older caller to find the key.
_KEY_WITHIN_SECONDS = 8
_ROUNDS = 3
#: Built-in transcription takes nothing longer than two minutes (delivery.md 11.1).
_LONGEST_MESSAGE_SECONDS = 110


def nothing() -> str:
    """An answer without words: replies to texts go out by themselves, never as TwiML."""
    return str(MessagingResponse())


def hotline_greeting(
    greeting: Sequence[str],
    *,
    keys_to: str,
    before_tone: Sequence[str],
    message_to: str,
    transcription_to: str,
) -> str:
    """Ask for one key, posted to `keys_to`; a caller who presses none (many cannot) comes to the voicemail.

    She does so without another request, which might not get through.
    """
    response = VoiceResponse()
    _ask(response, greeting, keys_to)
    _record(response, before_tone, message_to, transcription_to)
    return str(response)


def leave_message(before_tone: Sequence[str], *, message_to: str, transcription_to: str) -> str:
    """Take a voicemail: the recording is posted to `message_to`, its text, later, to `transcription_to`."""
    response = VoiceResponse()
    _record(response, before_tone, message_to, transcription_to)
    return str(response)


def ask_for_key(question: Sequence[str], *, keys_to: str, goodbye: Sequence[str] = ()) -> str:
    """Ask for one key, posted to `keys_to`, as often as it takes to find it; then say goodbye and hang up.

    Silence is met within the document: it costs no request that might not get through.
    """
    response = VoiceResponse()
    for _ in range(_ROUNDS):
        _ask(response, question, keys_to)
    _say(response, goodbye)
    response.hangup()
    return str(response)


def say_and_hang_up(sentences: Sequence[str]) -> str:
    """Say something and end the call."""
    response = VoiceResponse()
    _say(response, sentences)
    response.hangup()
    return str(response)


def say_and_ask_again(sentences: Sequence[str], *, at: str) -> str:
    """Say something, then go on with the document at another address: also for "please hold"."""
    response = VoiceResponse()
    _say(response, sentences)
    response.redirect(at, method="POST")
    return str(response)


def _ask(response: Any, sentences: Sequence[str], keys_to: str) -> None:
    gather = response.gather(
        input="dtmf", num_digits=1, timeout=_KEY_WITHIN_SECONDS, action=keys_to, method="POST"
    )
    _say(gather, sentences)


def _record(response: Any, sentences: Sequence[str], message_to: str, transcription_to: str) -> None:
    _say(response, sentences)
    response.record(
        action=message_to,
        method="POST",
        max_length=_LONGEST_MESSAGE_SECONDS,
        play_beep=True,
        transcribe=True,
        transcribe_callback=transcription_to,
    )


def _say(into: Any, sentences: Sequence[str]) -> None:
    for sentence in sentences:
        into.say(_speakable(sentence), language=_LANGUAGE)


def _speakable(sentence: str) -> str:
    """Without the characters that XML cannot carry, which no builder escapes."""
    return "".join(
        character
        for character in sentence
        if character in "\t\n"
        or (character >= " " and character not in "\ufffe\uffff" and not _lone(character))
    )


def _lone(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"
