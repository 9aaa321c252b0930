"""The words responders may text (delivery.md 9.3), as data: all in lower case and without apostrophes.

None of the words by which a carrier stops our texts is a command (delivery.md 2.5): the natural slips, END
for DONE or STOP for NO, must not look as if they had worked.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from rapid_response.core.vocabulary import ShortDisposition

Phrase = tuple[str, ...]


class Verb(StrEnum):
    """What a reply asks for; NONE is everything that asks for nothing we know."""

    ACCEPT = "accept"
    DECLINE = "decline"
    GO = "go"
    HERE = "here"
    DONE = "done"
    NOBODY = "nobody"
    SAFE = "safe"
    HELP = "help"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    NONE = "none"


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


def _phrases(*lines: str) -> tuple[Phrase, ...]:
    return tuple(tuple(phrase.split()) for line in lines for phrase in line.split(", "))


def _verbs(table: Mapping[Verb, tuple[Phrase, ...]]) -> Mapping[Phrase, Verb]:
    return {phrase: verb for verb, phrases in table.items() for phrase in phrases}


#: What a reply may begin with, or have after its number.
COMMANDS = _verbs(
    {
        Verb.ACCEPT: _phrases("ok, o k, okay, okey, accept, accepted, accepting, ack"),
        Verb.DECLINE: _phrases(
            "no, decline, declined, declining, reject, rejected, busy, cant, cannot, can not, unable",
            "unavailable, not available, not able, not free, not possible",
        ),
        Verb.GO: _phrases(
            "go, going, on my way, on our way, on the way, on way, omw, otw, en route, enroute",
            "setting off, set off, leaving now",
        ),
        Verb.HERE: _phrases(
            "here, on scene, onscene, at scene, at the scene, on site, onsite, arrived",
            "at address, at the address",
        ),
        Verb.DONE: _phrases("done, complete, completed, finished, clear, cleared, closed"),
        Verb.NOBODY: _phrases(
            "nobody, no one, noone, no body, no answer, no reply, no response, no contact, nocontact",
            "not in, nobody in, nobody home, nobody there",
        ),
        Verb.SAFE: _phrases("safe, check in, checkin, checking in, checked in"),
    }
)
#: Too short or too common to count without a number (contract.md 5) …
WITH_NUMBER = _verbs(
    {Verb.ACCEPT: _phrases("y, yes, yep, yeah, yup"), Verb.DECLINE: _phrases("n, nope, nah")}
)
#: … but for this one, where it is the whole message.
YES: Phrase = ("yes",)
#: So common in free text that they are no second word where another one leads.
ONLY_LEADING = frozenset(_phrases("clear, cleared, complete, completed, closed, safe"))

#: Only as the whole message, with or without a number.
HELP = _words("help words word info jobs list status commands")
#: Only as the whole message: what a carrier acts on before we see it (delivery.md 2.5).
OPT_OUT = frozenset(
    _phrases("stop, stopall, stop all, unsubscribe, end, quit, revoke, optout, opt out, cancel")
)
OPT_IN = frozenset(_phrases("start, unstop"))

#: Beside one of these a yes is no yes. Every `…n't` counts too.
NEGATIONS = _words(
    "not no nor never neither none cannot unable unless if nope nah",
    "cant wont dont isnt arent wasnt werent didnt doesnt hasnt havent hadnt",
    "couldnt wouldnt shouldnt mustnt neednt aint shant",
)
#: From somebody at a door, anywhere in a text: the duty officer is told at once. So is a negated `safe`.
TROUBLE = _phrases(
    "help, help me, need help, send help, unsafe, in trouble, in danger, being attacked, attacked me",
    "threatening me, has a knife, has a weapon, send police, send the police, call police, call the police",
)
#: They ask rather than answer.
QUESTIONS = _words("who whos what whats why how which when where wheres")
#: Kind words that ask for nothing, negate nothing and promise nothing.
COURTESIES = frozenset(
    _phrases(
        "no problem, no problems, no probs, no prob, no worries, no bother, no trouble, not a problem",
        "no idea",
        "thanks, thank you, many thanks, thx, ta, cheers, thanks a lot, received, noted, seen, got it",
        "understood, will do, roger, roger that, copy, copy that, great, cool, fine, perfect, lovely, good",
        "morning, good morning, good afternoon, good evening, thumbs up",
    )
)
#: How phones report that somebody tapped a heart or a thumb onto one of our texts.
REACTIONS = _words(
    "liked loved emphasised emphasized laughed disliked questioned reacted removed",
    "a an like love heart laugh question exclamation mark to at from with",
)

#: Said before the word, or between it and its number.
FILLERS = _words(
    "hi hello hey afternoon evening sorry please pls right well oh ah um so just now all",
    "i im am ive ill we weve well have has will job jobs number num nr ref the for to on at of with re",
)
#: Said after it, meaning nothing more.
TRAILERS = _words("mate boss both please pls sure then x xx xxx asap do make it")

#: `DONE 4821 CODE`: the codes, and how people write them.
CODES: Mapping[Phrase, ShortDisposition] = {
    phrase: code
    for code, phrases in {
        ShortDisposition.HELPED: _phrases("helped"),
        ShortDisposition.PHONE: _phrases("phone, phoned, by phone"),
        ShortDisposition.ADVICE: _phrases("advice, advised"),
        ShortDisposition.POLICE: _phrases("police"),
        ShortDisposition.NOTRACE: _phrases("notrace, no trace"),
        ShortDisposition.NOCONTACT: _phrases("nocontact, no contact"),
        ShortDisposition.DECLINED: _phrases("declined"),
        ShortDisposition.NOCRIME: _phrases("nocrime, no crime"),
    }.items()
    for phrase in phrases
}
#: Said between DONE and its code.
BEFORE_CODE = FILLERS | _words("as code outcome")

_JOB = r"(?:repeat: ?)?job \d{4,6}"
#: How our own texts begin, so that a copy of one under a reply is not read as the reply.
OWN_BEGINNINGS = (
    r"(?:repeat: ?)?ts duty:",
    rf"{_JOB} (?:is (?:yours|still open|not yours|now part of job)|has changed:)",
    rf"{_JOB}: (?:you set off at|noted, you go along|a second officer goes|the second officer is)",
    rf"{_JOB}: the duty officer is told",
    rf"{_JOB}: (?:no reply yet|not yours|not possible|on your way,|on scene, noted|closed as|response by)",
    rf"{_JOB}: (?:nobody reached|you cannot take|handed back|you are safe|noted that|your message is)",
    rf"{_JOB}: (?:you said no to it|are you safe\?|your shift ends|\d{{1,3}}% of the time)",
    rf"{_JOB}: (?:the address has changed|another report is in)",
    r"not understood\. send one word",
    r"words: ok take it",
    r"no job is open with you",
    r"\d+ jobs? open with you:",
    r"you get texts from trading",
    r"noted that you have seen the alarm",
    r"pictures are not received",
    r"trading standards has your message",
)
#: Where one ends, if the writer went on in the same line.
OWN_ENDINGS = (
    r"reply ok \d{4,6} or no \d{4,6}\.?(?: sign in for details\.?| details: \S+)?",
    r"seen\? text ok and the job number\.?",
)
