"""An e-mail to the desk: what it may say, and the port by which it leaves.

It names a reference and what to do, and nothing else: a mailbox is read by many, on many machines, and kept
for years (domain.md 6). Mail is beside the texts and never instead of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from rapid_response.core.notices import NoticeKind
from rapid_response.core.vocabulary import ContactRole

#: Whose notices the desk's mailbox gets too. What the hate-crime lead hears, and what has climbed to those
#: above, is theirs alone.
ROLES = frozenset({ContactRole.DESK, ContactRole.DUTY_OFFICER})

#: What to do about it; no name, no place, no number, and not what kind of case it is.
WHAT_TO_DO: Mapping[NoticeKind, str] = {
    NoticeKind.RUNG: "nobody has taken this job yet. Find somebody to go.",
    NoticeKind.NOT_ACCEPTED: "nobody has accepted in time. Find somebody to go.",
    NoticeKind.NOBODY_LEFT: "nobody is left to ask. Find somebody to go.",
    NoticeKind.JOINT: "arrange the police or a second officer.",
    NoticeKind.WARNING: "time is running out. See who can be there.",
    NoticeKind.BREACH: "the promised time has passed. See who can be there.",
    NoticeKind.HAND_OVER: "a shift ends and the job is not over. Hand it over.",
    NoticeKind.DELIVERY_FAILING: "our texts do not arrive. Ring the responder.",
    NoticeKind.TEXTS_STOPPED: "a responder’s phone has stopped our texts. Ring them.",
    NoticeKind.TASK_OVERDUE: "a task is overdue. See to it.",
    NoticeKind.REVIEW: "a report waits for your decision.",
    NoticeKind.LEAD_REVIEW: "a case waits for a review.",
    NoticeKind.LEAD_OVERDUE: "a review is overdue.",
    NoticeKind.CHECK_IN_MISSED: "a responder has not checked in. Ring them; no answer: 999.",
    NoticeKind.TRAVEL_OVERDUE: "a responder has not arrived. Ring them.",
    NoticeKind.NOT_SAFE: "a responder may need help. Ring them; no answer: 999.",
    NoticeKind.OUT_OF_AREA: "a case is another council’s. Hand it over.",
    NoticeKind.HANDED_OVER: "a hand-over is not acknowledged. Ring them.",
    NoticeKind.MENDED: "its next step was lost, and is set again. Check it.",
    NoticeKind.WORK_PARKED: "a step keeps failing. Do it by hand; see Parked work.",
}


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail; `key` makes its Message-ID, so that one that went twice is seen to be the same."""

    key: str
    subject: str
    body: str


class MailFailed(Exception):
    """It did not go, as far as is known: which kind of failure, and nothing that was said or sent."""


class Mailer(Protocol):
    """Whatever carries mail away."""

    async def send(self, mail: Mail) -> None:
        """Hand one over. Raises :class:`MailFailed`."""

    async def close(self) -> None:
        """Let go of whatever it keeps open."""


def of_case(key: str, reference: str, kind: NoticeKind, base_url: str) -> Mail:
    """What the desk reads of a notice about a case."""
    what = WHAT_TO_DO[kind]
    return Mail(
        key,
        f"{reference}: {what}",
        f"{reference}: {what}\n\nSign in to see it: {base_url}/incidents/{reference}\n{_FOOT}",
    )


def of_service(key: str, said: str, base_url: str) -> Mail:
    """What the desk reads of something that is about no case; `said` as the text to the desk says it."""
    return Mail(key, "Duty desk: look at the board", f"{said}\n\nThe board: {base_url}/board\n{_FOOT}")


_FOOT = "\nThe texts and calls go on beside this message. Nobody reads answers to it.\n"
