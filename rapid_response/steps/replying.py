"""What goes back to whoever texted us: one text, in plain words, and never in a loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func
from sqlmodel import col, select

from rapid_response.core.definition import Responder
from rapid_response.core.states import Purpose
from rapid_response.dispatch.reply_decision import Answer, Effect, ReplyDecision, Sender, SenderKind
from rapid_response.dispatch.words import Verb
from rapid_response.messaging import wording
from rapid_response.messaging.numbers import is_uk_mobile
from rapid_response.sla.rules import is_counting
from rapid_response.steps import lines, texts
from rapid_response.steps.desk import Desk
from rapid_response.steps.outbox import queue
from rapid_response.steps.service import Service
from rapid_response.storage.tables import InboundMessageRow, IncidentRow, MessageRow
from rapid_response.storage.tx import Tx

#: Automatic answers to one number: in an hour to what says nothing of ours, until it does something real; and
#: in a day to all that does nothing.
_MOST_AN_HOUR, _MOST_A_DAY = 5, 50
#: The same words are not sent again to one number so soon.
_SAME_WORDS_AFTER = timedelta(minutes=5)


def written_at(text: InboundMessageRow) -> datetime:
    """When it was written, as far as we know."""
    return text.sent_at or text.received_at


@dataclass(frozen=True, slots=True)
class Known:
    """Whose number it is. `recipients` are the names under which we write to her."""

    number: str
    sender: Sender
    responder: Responder | None
    recipients: frozenset[str]

    @property
    def actor(self) -> str:
        if self.responder is not None:
            return f"responder:{self.responder.id}"
        return min(self.recipients, default="public")


@dataclass(frozen=True, slots=True)
class Text:
    """A kept text with all that its effect needs."""

    tx: Tx
    desk: Desk
    service: Service
    row: InboundMessageRow
    known: Known
    incident: IncidentRow | None

    @property
    def written(self) -> datetime:
        """When it was written, as far as we know."""
        return written_at(self.row)


def answer(text: Text, decision: ReplyDecision, jobs: Sequence[IncidentRow]) -> None:
    """The text that goes back: to the enrolled number only, and never in a loop."""
    if decision.answer in (None, Answer.UNKNOWN_SENDER) or not is_uk_mobile(text.known.number):
        return
    body = _wording(text, decision, jobs)
    if _is_loop(text, decision, body):
        return
    _send_back(text, decision, body, f"answer:{text.row.id}")


def say_pictures_are_not_received(text: Text, decision: ReplyDecision) -> None:
    """Whoever sent a picture must not count on it: nothing fetched it (delivery.md 9.5).

    Strangers get nothing back to that either: who holds the phone may be the one she writes about.
    """
    is_ours = text.known.sender.kind in (SenderKind.RESPONDER, SenderKind.CONTACT, SenderKind.BOTH)
    if not is_ours or decision.effect is Effect.OPT_OUT or not is_uk_mobile(text.known.number):
        return
    body, now = wording.pictures_not_received(), text.tx.now
    is_again = _answers(text, now - _SAME_WORDS_AFTER, col(MessageRow.body) == body)
    if is_again or lines.is_over_cap(text.tx, text.desk):
        return
    if _answers(text, now - timedelta(hours=1), col(MessageRow.body) == body) >= _MOST_AN_HOUR:
        return
    _send_back(text, decision, body, f"picture:{text.row.id}")


def _send_back(text: Text, decision: ReplyDecision, body: str, key: str) -> None:
    # Words kept as a note were asked back: an OK after that is an answer, not courtesy.
    acted = decision.effect in (Effect.ACT, Effect.ALREADY, Effect.CHECK_IN)
    queue(
        text.tx,
        key=key,
        purpose=Purpose.CONFIRM if acted else Purpose.CLARIFY,
        to_number=text.known.number,
        recipient=text.known.actor,
        body=body,
        incident=text.incident,
        is_new=True,
    )


def _is_loop(text: Text, decision: ReplyDecision, body: str) -> bool:
    """Auto-responders answer answers: five an hour to one number are enough, until it does something real.

    Whoever texts a word of ours is answered each time she says something else: silence would tell somebody on
    the way to a job that is another's by now that it is still hers. Beyond the texts that a day should need,
    only what somebody did is answered.
    """
    tx, now = text.tx, text.tx.now
    if decision.effect is Effect.ACT:  # the same words again did something else
        return False
    understood = text.row.verb != Verb.NONE
    if (not understood or _says_it_again(text)) and _answers(
        text, now - _SAME_WORDS_AFTER, col(MessageRow.body) == body
    ):
        return True
    if decision.effect in _REAL:
        return False
    if lines.is_over_cap(tx, text.desk):
        return True
    asked_back = col(MessageRow.purpose) == Purpose.CLARIFY
    if _answers(text, now - timedelta(days=1), asked_back) >= _MOST_A_DAY:
        return True
    since = max(now - timedelta(hours=1), _last_real(text) or now - timedelta(hours=1))
    return not understood and _answers(text, since) >= _MOST_AN_HOUR


def _says_it_again(text: Text) -> bool:
    """Whether the number has just texted the same words."""
    row = text.row
    said = text.tx.execute(
        select(col(InboundMessageRow.body)).where(
            col(InboundMessageRow.from_number) == row.from_number,
            col(InboundMessageRow.received_at) > row.received_at - _SAME_WORDS_AFTER,
            col(InboundMessageRow.id) != row.id,
        )
    ).scalars()
    words = row.body.casefold().split()
    return any(earlier.casefold().split() == words for earlier in said)


#: What a text really did: a person stands behind it.
_REAL = (Effect.ACT, Effect.CHECK_IN)


def _answers(text: Text, since: datetime, *where: ColumnElement[bool]) -> int:
    """How many automatic answers went to the number since then."""
    found: int = text.tx.execute(
        select(func.count())
        .select_from(MessageRow)
        .where(
            col(MessageRow.to_number) == text.known.number,
            col(MessageRow.purpose).in_((Purpose.CONFIRM, Purpose.CLARIFY)),
            col(MessageRow.created_at) > since,
            *where,
        )
    ).scalar_one()
    return found


def _last_real(text: Text) -> datetime | None:
    """When the number last did something real."""
    at: datetime | None = text.tx.execute(
        select(col(InboundMessageRow.received_at))
        .where(
            col(InboundMessageRow.from_number) == text.row.from_number,
            col(InboundMessageRow.effect).in_([effect.value for effect in _REAL]),
            col(InboundMessageRow.id) != text.row.id,
        )
        .order_by(col(InboundMessageRow.received_at).desc())
        .limit(1)
    ).scalar()
    return at


def _wording(text: Text, decision: ReplyDecision, jobs: Sequence[IncidentRow]) -> str:
    number, zone, now = decision.job_number or 0, text.desk.zone, text.tx.now
    match decision.answer:
        case Answer.CONFIRM if text.incident is not None:
            return wording.confirm(texts.job(text.incident, now), zone, now)
        case Answer.NO_CONTACT if text.incident is not None:
            return wording.no_contact_noted(number, counts=is_counting(text.incident))
        case Answer.CLOSED if decision.code is not None:
            return wording.closed_noted(number, decision.code)
        case Answer.SEVERAL_OPEN:
            listed = [i for i in jobs if i.id in decision.listed and i.job_number is not None]
            ordered = sorted(listed, key=lambda i: i.needed_by or i.received_at)
            return wording.several_open([texts.job(i, now) for i in ordered], zone, now)
        case Answer.NO_OPEN_JOB:
            return wording.no_open_job()
        case Answer.WORDS:
            return wording.words()
        case Answer.OPTED_IN:
            return wording.opted_in()
        case Answer() as answer if answer in _ABOUT_A_JOB and number:
            return _ABOUT_A_JOB[answer](number)
        case _:
            return wording.clarify()


_ABOUT_A_JOB: Mapping[Answer, Callable[[int], str]] = {
    Answer.EN_ROUTE: wording.en_route_noted,
    Answer.ON_SCENE: wording.on_scene_noted,
    Answer.REMOTE: wording.remote_noted,
    Answer.DECLINED: wording.declined_noted,
    Answer.RELEASED: wording.released_noted,
    Answer.SAFE: wording.safe_noted,
    Answer.COMPANION: wording.companion_noted,
    Answer.HELP_COMING: wording.help_coming,
    Answer.SEEN: wording.seen_noted,
    Answer.NOTE_KEPT: wording.note_kept,
    Answer.NOT_YOURS: wording.not_yours,
    Answer.DECLINED_BEFORE: wording.declined_before,
    Answer.CODE_LIST: wording.code_list,
    Answer.HERE_FIRST: wording.here_first,
    Answer.POLICE_REFERENCE: wording.police_reference_needed,
    Answer.ACCEPT_FIRST: wording.accept_first,
    Answer.NOT_POSSIBLE: wording.not_possible_now,
}
