"""Why did, or didn't, this reach them: one chain a person and job, from the rows that the sender works on.

Nothing is kept for it: what the desk reads here is what the engine knows, as of now.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlmodel import Session, SQLModel, col, select

from rapid_response.core.definition import ServiceDefinition
from rapid_response.core.numbers import masked
from rapid_response.core.states import MessageChannel, MessageState, OfferState, Purpose
from rapid_response.core.vocabulary import ContactRole
from rapid_response.messaging import explaining, lives
from rapid_response.messaging.explaining import Step, Verdict
from rapid_response.messaging.ladder import Way
from rapid_response.messaging.rules import AttemptState
from rapid_response.messaging.wording import local_time
from rapid_response.sla.rules import Kind
from rapid_response.steps.lines import HELD_BY_LINE
from rapid_response.steps.reaching import Climb
from rapid_response.storage.tables import (
    AgendaRow,
    AttemptRow,
    EventRow,
    InboundMessageRow,
    IncidentRow,
    MessageRow,
    NoticeRow,
    OfferRow,
)

R = TypeVar("R", bound=SQLModel)

_UNDER_WAY = {MessageState.PENDING, MessageState.RETRY_WAIT, MessageState.SENDING}


@dataclass(frozen=True, slots=True)
class Chain:
    """What happened between us and one person about one job, oldest first."""

    who: str
    name: str
    verdict: Verdict
    summary: str
    steps: tuple[Step, ...]

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "who": self.who,
            "name": self.name,
            "verdict": self.verdict,
            "summary": self.summary,
            "steps": [
                {"at": step.at.isoformat(), "what": step.what, "sentence": step.sentence}
                for step in self.steps
            ],
        }


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of one job."""

    incident: IncidentRow
    messages: Sequence[MessageRow]
    attempts: Mapping[str, Sequence[AttemptRow]]
    offers: Sequence[OfferRow]
    notices: Sequence[NoticeRow]
    agenda: Sequence[AgendaRow]
    inbound: Sequence[InboundMessageRow]
    events: Sequence[EventRow]


def chains(
    connection: Connection,
    incident: IncidentRow,
    definition: ServiceDefinition | None,
    zone: ZoneInfo,
    *,
    without: Collection[Purpose] = (),
) -> list[Chain]:
    """One chain for everybody who was asked or told about the job, the first asked first.

    `without` are purposes of which the reader may not know.
    """
    rows = _read(connection, incident, without)
    people = dict.fromkeys(
        [
            *(f"responder:{offer.responder_id}" for offer in rows.offers),
            *(message.recipient for message in rows.messages),
        ]
    )
    return [_Telling(rows, who, definition, zone).chain() for who in people]


def _read(connection: Connection, incident: IncidentRow, without: Collection[Purpose]) -> _Rows:
    session = Session(connection)

    def rows(row: type[R], at: Any) -> Sequence[R]:
        mine = select(row).where(row.incident_id == incident.id)  # type: ignore[attr-defined]  # all of them have it
        return session.exec(mine.order_by(at)).all()

    messages = [m for m in rows(MessageRow, col(MessageRow.created_at)) if m.purpose not in without]
    attempts: dict[str, list[AttemptRow]] = {}
    of_these = select(AttemptRow).where(col(AttemptRow.message_id).in_([m.id for m in messages]))
    for attempt in session.exec(of_these.order_by(col(AttemptRow.seq))):
        attempts.setdefault(attempt.message_id, []).append(attempt)
    told = select(EventRow).where(
        col(EventRow.stream) == incident.id, col(EventRow.type).in_(("way_not_tried",))
    )
    return _Rows(
        incident,
        messages,
        attempts,
        rows(OfferRow, col(OfferRow.made_at)),
        rows(NoticeRow, col(NoticeRow.given_at)),
        rows(AgendaRow, col(AgendaRow.due_at)),
        rows(InboundMessageRow, col(InboundMessageRow.received_at)),
        session.exec(told.order_by(col(EventRow.seq))).all(),
    )


class _Telling:
    """One person's chain in the making."""

    def __init__(self, rows: _Rows, who: str, definition: ServiceDefinition | None, zone: ZoneInfo) -> None:
        self._rows, self._who, self._definition, self._zone = rows, who, definition, zone
        kind, _, key = who.partition(":")
        self._person = definition.responder(key) if definition and kind == "responder" else None
        self._responder_id = key if kind == "responder" else None
        self._offers = [o for o in rows.offers if o.responder_id == self._responder_id]
        self._messages = [m for m in rows.messages if m.recipient == who]
        self._replies = [r for r in rows.inbound if r.sender == who]

    def chain(self) -> Chain:
        """The whole chain, with its verdict."""
        steps = [
            *(step for offer in self._offers for step in self._offer(offer)),
            *(step for message in self._messages for step in self._message(message)),
            *(step for reply in self._replies for step in self._reply(reply)),
            *self._seen(),
        ]
        # A stable sort: what happened in one moment stays in the order in which it must have happened.
        steps.sort(key=lambda step: step.at)
        kind, summary = self._verdict()
        return Chain(self._who, self._name(), kind, summary, tuple(steps))

    def _name(self) -> str:
        if self._person is not None:
            return self._person.name
        kind, _, key = self._who.partition(":")
        if kind == "contact" and key in set(ContactRole):
            return key.replace("_", " ").capitalize()
        return key or self._who

    def _time(self, at: datetime | None, now: datetime) -> str:
        return local_time(at, self._zone, now) if at is not None else "an unknown time"

    # offers

    def _offer(self, offer: OfferRow) -> Iterator[Step]:
        if offer.answer_by is not None:
            yield Step(offer.made_at, "asked", {"until": self._time(offer.answer_by, offer.made_at)})
        for climb, at, reason in self._not_tried(offer):
            way = explaining.WAYS[climb].split(" {")[0].split(", {")[0]
            yield Step(at, "not_needed", {"way": way, "why": explaining.reason(reason)})
        has_voice = self._person is None or self._person.voice is not None
        if not has_voice and offer.answer_by is not None:
            yield Step(offer.made_at, "no_voice_number")
        if offer.state is OfferState.OPEN:
            yield from self._coming(offer)
        if offer.passed_on_at is not None:
            yield Step(offer.passed_on_at, "passed_on")
        yield from self._end(offer)

    def _not_tried(self, offer: OfferRow) -> Iterator[tuple[str, datetime, str]]:
        for event in self._rows.events:
            data = json.loads(event.data)
            if data["offer_id"] == offer.id and data["reason"] != "no_number":
                yield data["way"], event.at, data["reason"]

    def _coming(self, offer: OfferRow) -> Iterator[Step]:
        for entry in self._rows.agenda:
            if entry.kind != Kind.REACH or entry.settled_at is not None:
                continue
            climb = Climb.of(entry.subject)
            if climb.offer_id == offer.id and climb.purpose is Purpose.OFFER:
                says = {"way": self._way(climb.way), "until": self._time(entry.due_at, offer.made_at)}
                yield Step(entry.due_at, "next_way", says)

    def _way(self, way: Way) -> str:
        numbers = {}
        if self._person is not None:
            person = self._person
            given = (person.sms, person.second_sms, person.voice, person.second_voice)
            numbers = dict(zip(Way, given, strict=False))
        number = numbers.get(way)
        return explaining.WAYS[way].format(number=masked(number) if number else "an unknown number")

    def _end(self, offer: OfferRow) -> Iterator[Step]:
        answered = offer.answered_at
        by = {"by": explaining.BY.get(offer.source or "", offer.source or "the desk")}
        match offer.state:
            case OfferState.LAPSED if offer.answer_by is not None:
                yield Step(offer.answer_by, "lapsed")
            case OfferState.DECLINED if answered is not None:
                yield Step(answered, "declined", by)
            case OfferState.WITHDRAWN if answered is not None:
                yield Step(answered, "withdrawn", {"why": explaining.OVERTAKEN["taken"]})
            case OfferState.ACCEPTED | OfferState.RELEASED | OfferState.DONE if answered is not None:
                yield Step(answered, "accepted", by)

    # messages

    def _message(self, message: MessageRow) -> Iterator[Step]:
        way = explaining.WAYS.get(message.way) or explaining.WAYS[message.channel]
        number = masked(message.to_number)
        says = {
            "way": way.format(number=number),
            "purpose": explaining.PURPOSES[message.purpose],
        }
        yield Step(message.created_at, "written", says)
        attempts = self._rows.attempts.get(message.id, ())
        for attempt in attempts:
            if attempt.seq > 1 and message.repeats and attempt is attempts[-1]:
                yield Step(attempt.at, "written_again", {"number": number})
            yield from self._attempt(message, attempt)
        yield from self._state(message, attempts)

    def _attempt(self, message: MessageRow, attempt: AttemptRow) -> Iterator[Step]:
        state, at = AttemptState(attempt.state), attempt.settled_at or attempt.at
        why = {"why": explaining.reason(attempt.error_class)}
        was_unknown = attempt.unknown_at is not None
        if was_unknown:
            yield Step(attempt.at, "unknown")
        if attempt.settled_by == "look_up" and state is not AttemptState.ABSENT:
            yield Step(at, "found")
        match state:
            case AttemptState.REJECTED:
                yield Step(at, "refused", why)
            case AttemptState.ABSENT:
                yield Step(at, "absent")
            case AttemptState.ACCEPTED | AttemptState.SENT:
                yield Step(at, "taken_late" if message.late else "taken")
            case AttemptState.DELIVERED:
                yield Step(attempt.at, "taken_late" if message.late else "taken")
                is_call = message.channel is MessageChannel.VOICE
                yield Step(at, "picked_up" if is_call else "arrived")
            case AttemptState.UNDELIVERED:
                yield Step(attempt.at, "taken")
                yield Step(at, "not_arrived", why)
        if attempt.keys:
            yield Step(at, "key_pressed")

    def _state(self, message: MessageRow, attempts: Sequence[AttemptRow]) -> Iterator[Step]:
        """Where it stands now, beyond what its attempts say."""
        at = message.settled_at or (attempts[-1].at if attempts else message.created_at)
        why = {"why": explaining.reason(message.reason)}
        match message.state:
            case MessageState.PENDING | MessageState.RETRY_WAIT:
                yield from self._waiting(message, at)
            case MessageState.IN_NETWORK if message.purpose is Purpose.OFFER:
                yield Step(at, "no_receipt_yet")
            case MessageState.CANCELLED:
                yield Step(at, "not_wanted", why)
            case MessageState.EXPIRED:
                yield Step(at, "expired", why)
            case MessageState.FAILED if not attempts:
                yield Step(at, "not_sent", why)
            case MessageState.FAILED:
                yield Step(at, "gave_up", why)

    def _waiting(self, message: MessageRow, at: datetime) -> Iterator[Step]:
        until = {"until": self._time(message.next_attempt_at, at)}
        if message.held == HELD_BY_LINE:
            yield Step(at, "waits_for_line", until)
        elif message.held is not None:
            yield Step(at, "waits_for_person", until)
        elif message.state is MessageState.RETRY_WAIT and message.reason != lives.REPEAT:
            yield Step(at, "tried_again", until)
        else:
            yield Step(at, "waits_for_pace")

    # answers

    def _reply(self, reply: InboundMessageRow) -> Iterator[Step]:
        verb = explaining.VERBS.get(reply.verb or "", "not understood as a command")
        at = reply.sent_at or reply.received_at
        yield Step(at, "replied", {"number": masked(reply.from_number), "verb": verb})

    def _seen(self) -> Iterator[Step]:
        for notice in self._rows.notices:
            if notice.acknowledged_at is not None and notice.acknowledged_by == self._who:
                yield Step(notice.acknowledged_at, "seen")

    # the verdict

    def _verdict(self) -> tuple[Verdict, str]:
        answered = self._answered()
        if answered is not None:
            at, by = answered
            return Verdict.ANSWERED, explaining.verdict(Verdict.ANSWERED, by=by, at=self._time(at, at))
        arrived = [m for m in self._messages if m.state is MessageState.DELIVERED and _is_text(m)]
        if arrived:
            at = min(m.settled_at or m.created_at for m in arrived)
            return Verdict.ARRIVED, explaining.verdict(Verdict.ARRIVED, at=self._time(at, at))
        kind = self._unanswered()
        failed = [m for m in self._messages if m.reason is not None and m.state is not MessageState.CANCELLED]
        why = explaining.reason(failed[-1].reason) if failed else "nothing was sent"
        return kind, explaining.verdict(kind, why=why)

    def _answered(self) -> tuple[datetime, str] | None:
        """Her first own word about the job: what the desk wrote down for her shows no reaching."""
        own = ("sms", "voice", "page")
        said = [
            (o.answered_at, explaining.BY[o.source])
            for o in self._offers
            if o.answered_at is not None and o.source in own
        ]
        said += [(r.received_at, explaining.BY["sms"]) for r in self._replies]
        said += [
            (n.acknowledged_at, "an acknowledgement")
            for n in self._rows.notices
            if n.acknowledged_at is not None and n.acknowledged_by == self._who
        ]
        return min(said, default=None, key=lambda answer: answer[0])

    def _unanswered(self) -> Verdict:
        states = {m.state for m in self._messages}
        if MessageState.UNKNOWN in states:
            return Verdict.NOT_KNOWN
        if states & _UNDER_WAY:
            return Verdict.UNDER_WAY
        if MessageState.IN_NETWORK in states:
            return Verdict.NOT_KNOWN
        if not states or states == {MessageState.CANCELLED}:
            return Verdict.NOT_TRIED
        return Verdict.NOT_REACHED


def _is_text(message: MessageRow) -> bool:
    """A call that was answered may have been answered by a machine."""
    return message.channel is MessageChannel.SMS
