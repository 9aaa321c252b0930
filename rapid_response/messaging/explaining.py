"""Why it did, or did not, reach somebody: each step in one plain sentence, all from one table.

For the desk, in the middle of the night: no code, no jargon, and no more of a person than a responder's name
and the end of a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """Whether the person was reached, in a word."""

    ANSWERED = "answered"
    ARRIVED = "arrived"
    UNDER_WAY = "under_way"
    NOT_KNOWN = "not_known"
    NOT_REACHED = "not_reached"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, or will; `what` is a key of the table, `says` fills its gaps."""

    at: datetime
    what: str
    says: Mapping[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """In plain English."""
        said = _SENTENCES[self.what].format(**{"why": "", **self.says})
        return said[:1].upper() + said[1:]


#: Every class of error, and every other reason a message can end for, after "because".
REASONS: Mapping[str, str] = {
    "throttled": "the phone network asked us to wait",
    "not_sent": "the phone network could not be reached",
    "ambiguous": "the phone network gave no clear answer",
    "bad_destination": "the number does not exist or takes no texts or calls",
    "opted_out": "that phone has stopped our texts (it can text START)",
    "filtered": "the phone network blocked it",
    "handset": "the phone was off or out of reach",
    "carrier": "the carrier failed",
    "queue_full": "the phone network's queue was full",
    "stale": "it waited so long that it was worth nothing any more",
    "account": "our account with the phone network was refused",
    "sender": "our own number was refused as sender",
    "request": "the phone network refused this one message",
    "call_busy": "the line was busy",
    "call_no_answer": "nobody picked up",
    "wrong_number": "somebody there says that it is a wrong number",
    "unclassified": "of an error that we do not know",
    "unresolved": "nobody could find out whether it had gone",
    "no_receipt": "the phone network never said what became of it",
    "not_a_mobile": "texts go to UK mobile numbers only",
    "expired": "it could not be sent in time",
    "repeat": "nobody could find out whether it had gone",
}
#: Why something was not needed any more, after "because".
OVERTAKEN: Mapping[str, str] = {
    "accepted": "they had taken the job",
    "declined": "they had said no",
    "taken": "somebody else had the job",
    "offer_over": "the offer was over",
    "not_hers": "it was not their job any more",
    "goes_after_all": "they were to go after all",
    "closed": "the case was closed",
    "cancelled": "the case was cancelled",
    "transferred": "the case was handed over to another service",
    "seen": "it had been seen",
    "repeated": "it was said anew",
    "paused": "the clock was paused",
    "attended": "help had arrived",
    "remote_response": "help had been given by phone",
    "police_handover": "the police had it",
    "priority_lowered": "the priority was lowered",
    "off_duty": "they went off duty",
}
#: Why a way was not tried, after "because".
NOT_NEEDED: Mapping[str, str] = {
    "delivered": "the text had arrived",
    "no_number": "there is no such number",
    "opted_out": "that phone has stopped our texts",
}
#: The ways of the ladder.
WAYS: Mapping[str, str] = {
    "sms1": "text to {number}",
    "sms2": "text to the second number, {number}",
    "voice1": "call to {number}",
    "voice2": "call to the second number, {number}",
    "sms": "text to {number}",
    "voice": "call to {number}",
}
#: What a message is for, in a few words.
PURPOSES: Mapping[str, str] = {
    "offer": "asking whether they can go",
    "reminder": "a reminder",
    "stand_down": "to say that they must not go",
    "notice": "a notice",
    "confirm": "an answer to their text",
    "clarify": "a question about their text",
    "test": "a test at the start of the shift",
    "verify_number": "a code to confirm the number",
    "check_in": "asking whether they are safe",
    "alarm": "a silent alarm",
}

_SENTENCES: Mapping[str, str] = {
    "asked": "asked whether they can go; the answer was awaited until {until}.",
    "written": "{way}, {purpose}.",
    "written_again": "sent once more to {number}, marked as a repeat: the first may have gone.",
    "waits_for_line": "it waits: the phone network is down, and is tried again at {until}.",
    "waits_for_person": "it waits until {until}: they were rung a moment ago.",
    "waits_for_pace": "it waits its turn to be sent.",
    "taken": "the phone network took it.",
    "taken_late": "it turned out that it had gone after all.",
    "refused": "the phone network did not take it, because {why}.",
    "unknown": "the phone network gave no answer, so nobody knew whether it had gone.",
    "found": "it was found in the phone network's own list: it had gone.",
    "absent": "it was not in the phone network's list: it counts as not sent.",
    "arrived": "it arrived.",
    "picked_up": "the call was answered; that may be a machine.",
    "key_pressed": "a key was pressed: a person was there.",
    "not_arrived": "it did not arrive, because {why}.",
    "tried_again": "it is tried again at {until}.",
    "gave_up": "no more is tried, because {why}.",
    "expired": "it was not sent, because {why}.",
    "not_sent": "it was not sent, because {why}.",
    "not_wanted": "it was not wanted any more, because {why}.",
    "no_receipt_yet": "the phone network has not said yet whether it arrived.",
    "not_needed": "no {way}, because {why}.",
    "no_voice_number": "no call: no number to ring is known.",
    "next_way": "unless an answer comes first: {way} at {until}.",
    "replied": "a text came from {number}: {verb}.",
    "accepted": "took the job, by {by}.",
    "declined": "said no, by {by}.",
    "lapsed": "no answer came in time; a late yes is still welcome while nobody has the job.",
    "withdrawn": "is no longer asked, because {why}.",
    "passed_on": "nothing of it had arrived, so the next person was asked as well.",
    "seen": "said that the notice was seen.",
}

#: How an answer came, and what a text was understood as.
BY: Mapping[str, str] = {
    "sms": "text",
    "voice": "a key on the phone",
    "page": "the job page",
    "api": "the desk",
    "desk": "the desk",
    "off_duty": "going off duty",
    "system": "the service itself",
}
VERBS: Mapping[str, str] = {
    "accept": "a yes",
    "decline": "a no",
    "go": "on the way",
    "here": "on scene",
    "done": "done",
    "nobody": "nobody there",
    "safe": "safe",
    "help": "a question about the words",
    "opt_out": "a word that stops our texts",
    "opt_in": "a word that starts our texts again",
    "none": "not understood as a command",
}

_VERDICTS: Mapping[Verdict, str] = {
    Verdict.ANSWERED: "Reached: answered by {by} at {at}.",
    Verdict.ARRIVED: "A message arrived at {at}; no answer.",
    Verdict.UNDER_WAY: "Under way.",
    Verdict.NOT_KNOWN: "It is not known whether anything arrived.",
    Verdict.NOT_REACHED: "Not reached: {why}.",
    Verdict.NOT_TRIED: "Nothing was sent.",
}


def verdict(kind: Verdict, **says: str) -> str:
    """The whole story in one line."""
    return _VERDICTS[kind].format(**{"why": "", "by": "", "at": "", **says})


def reason(code: str | None) -> str:
    """A reason in words; one of another release keeps its letters."""
    if code is None:
        return REASONS["unclassified"]
    return REASONS.get(code) or OVERTAKEN.get(code) or NOT_NEEDED.get(code) or code.replace("_", " ")
